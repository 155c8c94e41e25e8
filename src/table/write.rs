//! Typed columns -> a CSV file, by polars.

use polars::prelude::{Column, CsvWriter, DataFrame, NamedFrom, SerWriter, Series};

/// The values of one column that is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Texts.
    Texts(Vec<String>),
    /// Texts that each stand in so many rows, one after the other.
    Repeated(Vec<(String, usize)>),
    /// Numbers; NaN where one is missing.
    Numbers(Vec<f64>),
    /// Whole numbers; some may be missing.
    Counts(Vec<Option<u64>>),
    /// Whole numbers of either sign.
    Integers(Vec<i64>),
    /// Yes or no.
    Flags(Vec<bool>),
    /// Texts; some may be missing.
    MaybeTexts(Vec<Option<String>>),
    /// Yes or no; some may be missing.
    MaybeFlags(Vec<Option<bool>>),
}

/// The bytes of a CSV file with a header: numbers with all their digits, cells quoted where they must be,
/// empty where a number or a count is missing.
///
/// # Panics
/// If columns differ in length or have one name.
#[must_use]
pub fn csv_bytes(columns: &[(&str, Values)]) -> Vec<u8> {
    let mut bytes = vec![];
    CsvWriter::new(&mut bytes).finish(&mut frame(columns)).expect("memory can be written");
    bytes
}

/// The columns as polars has them.
pub(super) fn frame(columns: &[(&str, Values)]) -> DataFrame {
    let columns = columns.iter().map(|(name, values)| column(name, values)).collect();
    DataFrame::new_infer_height(columns).expect("columns have one length and names of their own")
}

fn column(name: &str, values: &Values) -> Column {
    let name = name.into();
    let series = match values {
        Values::Texts(values) => Series::new(name, values),
        Values::Repeated(values) => {
            let rows = values.iter().flat_map(|(text, n)| std::iter::repeat_n(text.as_str(), *n));
            Series::new(name, rows.collect::<Vec<&str>>())
        }
        Values::Numbers(values) => {
            let known = values.iter().map(|number| (!number.is_nan()).then_some(*number));
            Series::new(name, known.collect::<Vec<_>>())
        }
        Values::Counts(values) => Series::new(name, values),
        Values::Integers(values) => Series::new(name, values),
        Values::Flags(values) => Series::new(name, values),
        Values::MaybeTexts(values) => Series::new(name, values),
        Values::MaybeFlags(values) => Series::new(name, values),
    };
    series.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    #[test]
    fn what_is_written_is_read_again() {
        let texts = ["a, \"b\"", "é\nf", ""].map(str::to_owned).to_vec();
        let numbers = vec![0.1, f64::NAN, 1.23e-5];
        let columns = [
            ("name", Values::Texts(texts.clone())),
            ("tempo", Values::Numbers(numbers)),
            ("beats", Values::Counts(vec![None, Some(4), Some(u64::MAX)])),
            ("key", Values::Integers(vec![-1, 0, 11])),
            ("cut", Values::Flags(vec![true, false, true])),
        ];
        let bytes = csv_bytes(&columns);
        let mut repeated = columns.clone();
        repeated[0].1 = Values::Repeated(texts.iter().map(|text| (text.clone(), 1)).collect());
        assert_eq!(csv_bytes(&repeated), bytes);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(
            text.starts_with("name,tempo,beats,key,cut\n\"a, \"\"b\"\"\",0.1,,-1,true\n"),
            "{text}"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let table = Table::read_csv(file.path(), &["name"], &["tempo", "key"]).unwrap();
        assert_eq!(table.texts["name"], texts);
        let tempo = &table.numbers["tempo"];
        assert_eq!((tempo[0], tempo[2]), (0.1, 1.23e-5));
        assert!(tempo[1].is_nan());
        assert!(text.contains("\"é\nf\",,4,0,false\n"), "{text}");
        assert_eq!(table.numbers["key"], [-1.0, 0.0, 11.0]);
    }
}
