//! The clean path: polars reads a delimited file without anything unusual.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;

use polars::prelude::{
    Column, CsvParseOptions, CsvReadOptions, DataType, Field, Schema, SerReader,
};

use super::numbers::{NumberCells, NumberColumn};
use super::{Columns, Csv, Texts, cast, shape};

/// Reads the columns of a file's rows, without its header. `None` if anything is unusual: then the caller
/// reads the file cell by cell.
///
/// `places` are the columns of the texts, then of the numbers; `line` is the first row's.
pub(super) fn columns(
    csv: &Csv,
    body: &[u8],
    places: &[usize],
    n_columns: usize,
    line: usize,
) -> Option<Columns> {
    let delimiter = csv.delimiter as u8;
    let n_rows = shape::n_rows(body, delimiter, n_columns)?;
    str::from_utf8(body).ok()?;
    if n_rows == 0 {
        return None;
    }
    let (of_texts, of_numbers) = places.split_at(csv.texts.len());
    // Markers may be words, and a column may be asked for as both.
    let mut types: BTreeMap<usize, DataType> = BTreeMap::new();
    for (&place, column) in of_numbers.iter().zip(&csv.numbers) {
        let is_text = !column.is_plain() || of_texts.contains(&place);
        let wanted = if is_text { DataType::String } else { DataType::Float64 };
        if types.insert(place, wanted.clone()).is_some_and(|other| other != wanted) {
            types.insert(place, DataType::String);
        }
    }
    for &place in of_texts {
        types.insert(place, DataType::String);
    }
    let name = |place: usize| place.to_string();
    let field = |place: usize| {
        Field::new(name(place).into(), types.get(&place).cloned().unwrap_or(DataType::String))
    };
    let schema: Schema = (0..n_columns).map(field).collect();
    let quote = (delimiter != b'\t').then_some(b'"');
    let parsing = CsvParseOptions::default().with_separator(delimiter).with_quote_char(quote);
    let frame = CsvReadOptions::default()
        .with_has_header(false)
        .with_infer_schema_length(Some(0))
        .with_schema(Some(Arc::new(schema)))
        .with_projection(Some(Arc::new(types.keys().copied().collect())))
        .with_rechunk(false)
        .with_parse_options(parsing)
        .into_reader_with_file_handle(Cursor::new(body))
        .finish()
        .ok()?;
    if frame.height() != n_rows {
        return None;
    }
    let mut columns = Columns { lines: (line..line + n_rows).collect(), ..Columns::default() };
    for (&place, column) in of_numbers.iter().zip(&csv.numbers) {
        let cells = frame.column(&name(place)).ok()?;
        let values = match cast::numbers(cells, column) {
            Some(values) => values,
            None => in_notation(cells, column)?,
        };
        columns.numbers.push(values);
    }
    for &place in of_texts {
        columns.texts.push(Texts::trimmed(frame.column(&name(place)).ok()?.str().ok()?));
    }
    Some(columns)
}

/// The numbers of a column in a notation that polars does not read. `None` if a cell can't be parsed.
fn in_notation(cells: &Column, column: &NumberColumn) -> Option<Vec<f64>> {
    let mut numbers = NumberCells::new(column, "line");
    let texts = cells.str().ok()?.iter();
    // The second pass names the lines.
    texts.for_each(|text| numbers.push(text.unwrap_or_default(), 0));
    let (values, odd) = numbers.into_parts();
    odd.is_none().then_some(values)
}
