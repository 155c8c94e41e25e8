//! Typed columns <-> Parquet files, by polars.

use std::fs;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use polars::io::mmap::MmapBytesReader;
use polars::prelude::{
    Column, DataType, ParquetCompression, ParquetReader, ParquetWriter, PolarsResult, SerReader,
    StringChunked,
};

use super::found::{self, Cells, python_list};
use super::numbers::{self, NumberCells};
use super::write::{Values, frame};
use super::{Columns, Csv, OddCells, TableError, Texts, header};
use crate::vocab::panic_message;

/// What a Parquet file begins with.
pub(super) const MAGIC: &[u8] = b"PAR1";

/// Reads the requested columns. A row has the line that it would have in a CSV file.
pub(super) fn read(csv: &Csv, path: &Path, bytes: &[u8]) -> Result<Columns, TableError> {
    let mut all: Vec<NumberCells> =
        csv.numbers.iter().map(|column| NumberCells::new(column, "row")).collect();
    let mut columns = columns(csv, path, Cursor::new(bytes), None, (&mut all, 1))?;
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

/// Reads some rows, `(offset, at most)`; their numbers go into `cells`, each with its line.
pub(super) fn read_rows(
    csv: &Csv,
    path: &Path,
    slice: (usize, usize),
    cells: &mut [NumberCells],
) -> Result<Columns, TableError> {
    let file = fs::File::open(path).map_err(|error| TableError::Unreadable {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    columns(csv, path, file, Some(slice), (cells, slice.0 + 2))
}

/// Does some work of polars. A panic of polars is a fault of the file, not of the program: it trusts what footers say.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic_message(&*panic).unwrap_or("without a reason");
        format!("can't be read as a Parquet file: polars failed ({text})")
    })
}

/// The columns, but for the numbers, which go into `cells`, counted from `first`.
fn columns(
    csv: &Csv,
    path: &Path,
    file: impl MmapBytesReader,
    slice: Option<(usize, usize)>,
    cells: (&mut [NumberCells], usize),
) -> Result<Columns, TableError> {
    guarded(|| columns_unguarded(csv, path, file, slice, cells))
        .unwrap_or_else(|message| Err(TableError::Unreadable { path: path.to_owned(), message }))
}

fn columns_unguarded(
    csv: &Csv,
    path: &Path,
    file: impl MmapBytesReader,
    slice: Option<(usize, usize)>,
    (cells, first): (&mut [NumberCells], usize),
) -> Result<Columns, TableError> {
    let unreadable = |message: String| TableError::Unreadable { path: path.to_owned(), message };
    let broken = |error: &dyn std::fmt::Display| {
        unreadable(format!("can't be read as a Parquet file: {error}"))
    };
    let of_columns = |message: String| TableError::Columns { path: path.to_owned(), message };
    let mut reader = ParquetReader::new(file).with_slice(slice);
    let schema = reader.schema().map_err(|error| broken(&error))?;
    let header: Vec<String> = schema.iter_names().map(ToString::to_string).collect();
    let wanted = csv.wanted();
    let places = header::places(&header, &wanted, csv.delimiter).map_err(of_columns)?;
    let n_texts = csv.texts.len();
    let asked = wanted.iter().zip(&places).enumerate().filter_map(|(i, (name, &place))| {
        let (_, field) = schema.get_at_index(place)?;
        Some((*name, &field.dtype, i >= n_texts))
    });
    let kinds = found::kinds(asked).map_err(of_columns)?;
    let mut names: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    let frame = reader.with_columns(Some(names)).finish().map_err(|error| broken(&error))?;
    let texts = |name: &str, cells: Cells| {
        let column = frame.column(name).map_err(|error| broken(&error))?;
        texts(column, cells).map_err(|error| {
            unreadable(format!("the column {name} can't be read as texts: {error}"))
        })
    };
    let (n_rows, line) = (frame.height(), slice.map_or(0, |(offset, _)| offset) + 2);
    let mut columns = Columns { lines: (line..line + n_rows).collect(), ..Columns::default() };
    for (name, &cells) in csv.texts.iter().zip(&kinds) {
        columns.texts.push(Texts::trimmed(&texts(name, cells)?));
    }
    for ((column, &kind), cells) in csv.numbers.iter().zip(&kinds[n_texts..]).zip(cells) {
        let name = &column.name;
        if kind == Cells::Numbers {
            let numbers =
                frame.column(name).and_then(|column| column.strict_cast(&DataType::Float64));
            let numbers = numbers.map_err(|error| broken(&error))?;
            let numbers = numbers.f64().map_err(|error| broken(&error))?;
            numbers.iter().zip(first..).for_each(|(number, row)| cells.push_number(number, row));
        } else {
            let texts = texts(name, kind)?;
            let texts = texts.iter().zip(first..);
            texts.for_each(|(text, row)| cells.push(text.unwrap_or_default(), row));
        }
    }
    Ok(columns)
}

/// The cells of a column as texts.
fn texts(column: &Column, cells: Cells) -> PolarsResult<StringChunked> {
    if cells == Cells::Lists {
        let lists = column.list()?.series_iter().map(|list| {
            let Some(list) = list else { return Ok(None) };
            let texts = list.strict_cast(&DataType::String)?;
            Ok(Some(python_list(texts.str()?.iter().map(Option::unwrap_or_default))))
        });
        return lists.collect();
    }
    Ok(column.strict_cast(&DataType::String)?.str()?.clone())
}

/// The names of a file's columns.
pub(super) fn header(file: impl MmapBytesReader) -> Result<Vec<String>, String> {
    let schema = guarded(|| ParquetReader::new(file).schema())?;
    let schema = schema.map_err(|error| format!("can't be read as a Parquet file: {error}"))?;
    Ok(schema.iter_names().map(ToString::to_string).collect())
}

/// The bytes of a Parquet file, compressed with snappy; null where a number or a count is missing.
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
    use polars::prelude::DataFrame;

    use super::*;
    use crate::table::{NumberColumn, Table};

    fn saved(bytes: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), bytes).unwrap();
        file
    }

    fn file(columns: &[(&str, Values)]) -> tempfile::NamedTempFile {
        saved(&parquet_bytes(columns))
    }

    fn texts(texts: &[&str]) -> Values {
        Values::Texts(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn a_panic_of_polars_is_a_fault_of_the_file() {
        let message = guarded(|| -> usize { panic!("thrift bool field") }).unwrap_err();
        let expected = "can't be read as a Parquet file: polars failed (thrift bool field)";
        assert_eq!(message, expected);
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
        // Not by our own writer, which writes a null for NaN.
        let tempo = Column::new("tempo".into(), ["?", "100", "fast"]);
        let energy = Column::new("energy".into(), [0.5, f64::NAN, 1.5]);
        let mut bytes = vec![];
        let mut frame = DataFrame::new_infer_height(vec![tempo, energy]).unwrap();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        let file = saved(&bytes);
        let column = |name: &str, missing: &[&str], range| NumberColumn {
            name: name.to_owned(),
            key: name.to_owned(),
            missing: missing.iter().map(|marker| (*marker).to_owned()).collect(),
            range,
            notation: crate::table::Notation::default(),
        };
        let mut csv = Csv {
            delimiter: ',',
            texts: vec![],
            numbers: vec![column("tempo", &["?"], None), column("energy", &[], Some([0.0, 1.0]))],
            odd_cells: OddCells::Error,
        };
        let error = csv.read(file.path()).unwrap_err().to_string();
        let wanted = "3 cells are not numbers, or outside of their range: row 2, energy: \"NaN\"; \
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

    /// Columns of one row with a number, one without, and another: see `tests/golden/make_parquet.py`.
    const TYPES: &[u8] = include_bytes!("../../tests/golden/types.parquet");

    #[test]
    fn every_type_that_pyarrow_writes_is_read_or_refused_by_name() {
        let file = saved(TYPES);
        let as_numbers = |names: &[&str]| Table::read_csv(file.path(), &[], names);
        let as_texts = |names: &[&str]| Table::read_csv(file.path(), names, &[]);
        let integers = [
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "dictionary_of_int64",
        ];
        let floats = ["float32", "float64"];
        let strings =
            ["string", "large_string", "string_view", "binary", "dictionary", "dictionary_int8"];
        for name in integers.iter().chain(&floats).chain(&strings) {
            let numbers = as_numbers(&[name]).unwrap().numbers.remove(*name).unwrap();
            assert_eq!((numbers[0], numbers[2]), (1.0, 100.0), "{name}");
            assert!(numbers[1].is_nan() && numbers.len() == 3, "{name}");
        }
        for name in integers.iter().chain(&strings) {
            assert_eq!(as_texts(&[name]).unwrap().texts[*name], ["1", "", "100"], "{name}");
        }
        let others = ["bool", "null", "list", "list_of_dictionary"];
        let texts = as_texts(&others).unwrap().texts;
        assert_eq!(texts["bool"], ["true", "", "false"]);
        assert_eq!(texts["null"], [""; 3]);
        assert_eq!(texts["list"], ["['rock', 'r&b']", "", "[\"children's\", '']"]);
        assert_eq!(texts["list_of_dictionary"], ["['rock']", "[]", "['pop']"]);
        let numbers = as_numbers(&["bool", "null"]).unwrap().numbers;
        assert_eq!((numbers["bool"][0], numbers["bool"][2]), (1.0, 0.0));
        assert!(numbers["null"].iter().all(|number| number.is_nan()));
        let refused = [
            ("float16", "float16"),
            ("date32", "date"),
            ("date64", "date"),
            ("timestamp", "timestamp"),
            ("timestamp_utc", "timestamp"),
            ("time32", "time"),
            ("time64", "time"),
            ("duration", "duration"),
            ("decimal128", "decimal(10, 2)"),
            ("decimal256", "decimal(50, 2)"),
            ("dictionary_of_date", "date"),
            ("list_of_numbers", "list of float64"),
            ("fixed_list", "list of float64"),
            ("struct", "struct"),
            ("map", "list of struct"),
            ("uuid", "arrow.uuid"),
            ("json", "arrow.json"),
        ];
        for (name, found) in refused {
            let error = as_texts(&["string", name]).unwrap_err().to_string();
            let wanted = format!("the column {name} is of type {found}, expected texts\nhint: ");
            assert!(error.contains(&wanted), "{error}");
            let error = as_numbers(&["int32", name]).unwrap_err().to_string();
            let wanted = format!("the column {name} is of type {found}, expected numbers\nhint: ");
            assert!(error.contains(&wanted), "{error}");
        }
        let error = as_numbers(&["list", "date32"]).unwrap_err().to_string();
        let wanted = "the column list is of type list of string, expected numbers; \
                      the column date32 is of type date, expected numbers\nhint: ";
        assert!(error.contains(wanted), "{error}");
        let error = as_texts(&["not_utf8"]).unwrap_err().to_string();
        assert!(error.contains("the column not_utf8 can't be read as texts: "), "{error}");
        let n_read = integers.len() + floats.len() + strings.len() + others.len() + 1;
        let n_columns = ParquetReader::new(Cursor::new(TYPES)).schema().unwrap().len();
        assert_eq!(n_read + refused.len(), n_columns);
    }

    #[test]
    fn a_file_of_pandas_is_read_index_categories_and_lists_included() {
        let file = saved(include_bytes!("../../tests/golden/pandas.parquet"));
        let texts = ["id", "genre", "name", "genres"];
        let table = Table::read_csv(file.path(), &texts, &["tempo", "key", "explicit"]).unwrap();
        assert_eq!(table.texts["id"], ["t1", "t2", "t3"]);
        assert_eq!(table.texts["genre"], ["pop", "rock", ""]);
        assert_eq!(table.texts["name"], ["a", "", "é"]);
        assert_eq!(table.texts["genres"], ["['pop', 'r&b']", "[]", ""]);
        assert_eq!((table.numbers["tempo"][0], table.numbers["tempo"][2]), (120.5, 90.0));
        assert!(table.numbers["tempo"][1].is_nan() && table.numbers["key"][1].is_nan());
        assert_eq!((table.numbers["key"][0], table.numbers["key"][2]), (7.0, 0.0));
        assert_eq!(table.numbers["explicit"], [1.0, 0.0, 1.0]);
        let error = Table::read_csv(file.path(), &["released"], &[]).unwrap_err().to_string();
        assert!(
            error.contains("the column released is of type timestamp, expected texts"),
            "{error}"
        );
    }

    #[test]
    fn no_lines_are_a_file_too() {
        let empty = parquet_bytes(&[("name", Values::Texts(vec![]))]);
        assert_eq!((&empty[..4], &empty[empty.len() - 4..]), (MAGIC, MAGIC));
    }
}
