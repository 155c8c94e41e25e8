//! What a column of a Parquet file holds, by its type, and whether it can be read.

use polars::prelude::ArrowDataType;

/// How the cells of a column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cells {
    /// As numbers; yes is 1 and no is 0.
    Numbers,
    /// As texts.
    Texts,
    /// As texts: each a list as Python prints it.
    Lists,
}

/// How to read the cells of the requested columns, as numbers or as texts.
///
/// # Errors
/// All columns of a type that cannot be read so.
pub(super) fn kinds<'a>(
    columns: impl Iterator<Item = (&'a str, &'a ArrowDataType, bool)>,
) -> Result<Vec<Cells>, String> {
    let (mut kinds, mut faults) = (vec![], vec![]);
    for (column, found, is_number) in columns {
        match cells(found) {
            Ok(Cells::Lists) if is_number => faults.push(fault(column, &name(found), is_number)),
            Ok(cells) => kinds.push(cells),
            Err(found) => faults.push(fault(column, &found, is_number)),
        }
    }
    if faults.is_empty() {
        return Ok(kinds);
    }
    let faults = faults.join("; ");
    Err(format!(
        "{faults}\nhint: convert the column before the file is written; in pandas, astype(\"float64\") makes \
         numbers, and astype(str) texts"
    ))
}

fn fault(column: &str, found: &str, is_number: bool) -> String {
    let expected = if is_number { "numbers" } else { "texts" };
    format!("the column {column} is of type {found}, expected {expected}")
}

/// How the cells of a type are read; of a type that cannot be read, what it is called.
pub(super) fn cells(found: &ArrowDataType) -> Result<Cells, String> {
    use ArrowDataType as Type;
    match found {
        Type::Null
        | Type::Boolean
        | Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        | Type::UInt8
        | Type::UInt16
        | Type::UInt32
        | Type::UInt64
        | Type::Float32
        | Type::Float64 => Ok(Cells::Numbers),
        Type::Utf8
        | Type::LargeUtf8
        | Type::Utf8View
        | Type::Binary
        | Type::LargeBinary
        | Type::BinaryView
        | Type::FixedSizeBinary(_) => Ok(Cells::Texts),
        Type::Dictionary(_, of, _) => match cells(of)? {
            Cells::Lists => Err(name(found)),
            read => Ok(read),
        },
        Type::List(of) | Type::LargeList(of) => match cells(of.dtype()) {
            Ok(Cells::Texts) => Ok(Cells::Lists),
            _ => Err(name(found)),
        },
        _ => Err(name(found)),
    }
}

/// What pyarrow calls a type, or nearly so.
fn name(found: &ArrowDataType) -> String {
    use ArrowDataType as Type;
    match found {
        Type::Utf8 | Type::LargeUtf8 | Type::Utf8View => "string".to_owned(),
        Type::Date32 | Type::Date64 => "date".to_owned(),
        Type::Timestamp(..) => "timestamp".to_owned(),
        Type::Time32(_) | Type::Time64(_) => "time".to_owned(),
        Type::Duration(_) => "duration".to_owned(),
        Type::Decimal(precision, scale)
        | Type::Decimal32(precision, scale)
        | Type::Decimal64(precision, scale)
        | Type::Decimal256(precision, scale) => format!("decimal({precision}, {scale})"),
        Type::List(of) | Type::LargeList(of) | Type::FixedSizeList(of, _) => {
            format!("list of {}", name(of.dtype()))
        }
        Type::Struct(_) => "struct".to_owned(),
        Type::Dictionary(_, of, _) => format!("dictionary of {}", name(of)),
        Type::Extension(extension) => extension.name.to_string(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// A list as Python prints it: `['a', "b's"]`.
pub(crate) fn python_list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let quoted = |text: &str| {
        // No genre has quotes of both kinds; one that had would lose the difference.
        if text.contains('\'') {
            format!("\"{}\"", text.replace('"', "'"))
        } else {
            format!("'{text}'")
        }
    };
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}
