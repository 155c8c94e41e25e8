//! Typed columns <-> Parquet files, by polars.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use polars::prelude::{
    Column, DataType, ParquetCompression, ParquetReader, ParquetWriter, PolarsResult, SerReader,
};

use super::numbers::{self, NumberCells};
use super::write::{Values, frame};
use super::{Columns, Csv, OddCells, TableError, header};

/// What a Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// Reads the columns that are asked for. A row has the line that it would have in a CSV file.
pub(super) fn read(csv: &Csv, path: &Path, bytes: &[u8]) -> Result<Columns, TableError> {
    let unreadable = |message: String| TableError::Unreadable { path: path.to_owned(), message };
    let broken = |error: &dyn std::fmt::Display| {
        unreadable(format!("can't be read as a Parquet file: {error}"))
    };
    let mut reader = ParquetReader::new(Cursor::new(bytes));
    let schema = reader.schema().map_err(|error| broken(&error))?;
    let header: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    let wanted = csv.wanted();
    header::places(&header, &wanted, csv.delimiter)
        .map_err(|message| TableError::Columns { path: path.to_owned(), message })?;
    let mut names: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    let frame = reader.with_columns(Some(names)).finish().map_err(|error| broken(&error))?;
    let cast = |name: &str, to: &DataType| -> PolarsResult<Column> {
        let column = frame.column(name)?;
        if column.dtype() == to { Ok(column.clone()) } else { column.strict_cast(to) }
    };
    let not_cast = |name: &str, what: &str, error: &dyn std::fmt::Display| {
        unreadable(format!("the column {name} can't be read as {what}: {error}"))
    };
    let n_rows = frame.height();
    let mut columns = Columns { lines: (2..n_rows + 2).collect(), ..Columns::default() };
    for name in &csv.texts {
        let column = cast(name, &DataType::String).map_err(|e| not_cast(name, "texts", &e))?;
        let texts = column.str().map_err(|error| not_cast(name, "texts", &error))?;
        let texts = texts.iter().map(|text| text.unwrap_or_default().trim().to_owned());
        columns.texts.push(texts.collect());
    }
    let mut all = vec![];
    for column in &csv.numbers {
        let name = &column.name;
        let mut cells = NumberCells::new(column, "row");
        let column = frame.column(name).map_err(|error| not_cast(name, "numbers", &error))?;
        if let Ok(texts) = column.str() {
            let texts = texts.iter().zip(1..);
            texts.for_each(|(text, row)| cells.push(text.unwrap_or_default(), row));
        } else {
            let numbers = cast(name, &DataType::Float64);
            let numbers = numbers.map_err(|error| not_cast(name, "numbers", &error))?;
            let numbers = numbers.f64().map_err(|error| not_cast(name, "numbers", &error))?;
            numbers.iter().zip(1..).for_each(|(number, row)| cells.push_number(number, row));
        }
        all.push(cells);
    }
    if csv.odd_cells == OddCells::Error
        && let Some(message) = numbers::odd_cells(&all)
    {
        return Err(TableError::OddCells { path: path.to_owned(), message });
    }
    for cells in all {
        let (values, odd) = cells.into_parts();
        columns.numbers.push(values);
        columns.odd.push(odd);
    }
    Ok(columns)
}

/// Writes columns of equal length as a Parquet file.
///
/// # Errors
/// Where the file can't be written.
///
/// # Panics
/// If columns differ in length or have one name.
pub fn write_parquet(path: &Path, columns: &[(&str, Values)]) -> Result<(), TableError> {
    fs::write(path, parquet_bytes(columns)).map_err(|error| TableError::Unwritable {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// The bytes of such a file.
///
/// # Panics
/// If columns differ in length or have one name.
#[must_use]
pub fn parquet_bytes(columns: &[(&str, Values)]) -> Vec<u8> {
    let mut bytes = vec![];
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Snappy)
        .set_parallel(false)
        .finish(&mut frame(columns))
        .expect("memory can be written");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{NumberColumn, Table};

    fn file(columns: &[(&str, Values)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        write_parquet(file.path(), columns).unwrap();
        file
    }

    fn texts(texts: &[&str]) -> Values {
        Values::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let file = file(&[
            ("name", texts(&["a, b", "é\r\nf", ""])),
            ("accuracy", Values::Numbers(vec![0.1, 1.0 / 3.0, -0.0])),
            ("epochs", Values::Counts(vec![None, Some(1 << 53), Some(250)])),
            ("cut", Values::Flags(vec![true, false, true])),
            ("key", Values::Integers(vec![-1, 0, 1 << 40])),
        ]);
        let numbers = ["accuracy", "epochs", "cut", "key"];
        let table = Table::read_csv(file.path(), &["name", "key"], &numbers).unwrap();
        assert_eq!(table.texts["name"], ["a, b", "é\r\nf", ""]);
        assert_eq!(table.texts["key"], ["-1", "0", "1099511627776"]);
        assert_eq!(table.numbers["accuracy"], [0.1, 1.0 / 3.0, 0.0]);
        assert!(table.numbers["epochs"][0].is_nan());
        assert_eq!(table.numbers["epochs"][1..], [9_007_199_254_740_992.0, 250.0]);
        assert_eq!(table.numbers["cut"], [1.0, 0.0, 1.0]);
        assert_eq!(table.numbers["key"], [-1.0, 0.0, 1_099_511_627_776.0]);
        assert_eq!(table.lines, [2, 3, 4]);
    }

    #[test]
    fn markers_ranges_and_odd_cells_are_those_of_csv_with_rows() {
        let file = file(&[
            ("tempo", texts(&["?", "100", "fast"])),
            ("energy", Values::Numbers(vec![0.5, f64::NAN, 1.5])),
        ]);
        let column = |name: &str, missing: &[&str], range| NumberColumn {
            name: name.to_owned(),
            key: name.to_owned(),
            missing: missing.iter().map(|marker| (*marker).to_owned()).collect(),
            range,
        };
        let mut csv = Csv {
            delimiter: ',',
            texts: vec![],
            numbers: vec![column("tempo", &["?"], None), column("energy", &[], Some([0.0, 1.0]))],
            odd_cells: OddCells::Error,
        };
        let error = csv.read(file.path()).unwrap_err().to_string();
        let wanted = "3 cells are no numbers, or outside of their range: row 2, energy: \"NaN\"; \
                      row 3, energy: \"1.5\" is not in [0, 1]; row 3, tempo: \"fast\"\n";
        assert!(error.contains(wanted), "{error}");
        csv.odd_cells = OddCells::Missing;
        let table = csv.read(file.path()).unwrap();
        assert_eq!((table.odd["tempo"].n, table.odd["energy"].n), (1, 2));
        assert_eq!(table.numbers["tempo"][1], 100.0);
    }

    #[test]
    fn a_missing_column_and_a_broken_file_are_named() {
        let file = file(&[("Tempo", Values::Numbers(vec![1.0]))]);
        let error = Table::read_csv(file.path(), &[], &["tempo"]).unwrap_err().to_string();
        assert!(error.contains("the column tempo is missing, tempo may be \"Tempo\""), "{error}");
        fs::write(file.path(), b"PAR1 and no more").unwrap();
        let error = Table::read_csv(file.path(), &[], &["tempo"]).unwrap_err().to_string();
        assert!(error.contains("can't be read as a Parquet file: "), "{error}");
    }

    #[test]
    fn no_lines_are_a_file_too() {
        let empty = parquet_bytes(&[("name", Values::Texts(vec![]))]);
        assert_eq!((&empty[..4], &empty[empty.len() - 4..]), (MAGIC, MAGIC));
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_that_names_the_file() {
        let error = write_parquet(Path::new("/nowhere/x.parquet"), &[]).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/x.parquet: "), "{error}");
    }
}
