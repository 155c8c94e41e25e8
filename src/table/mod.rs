//! CSV -> clean typed columns, `.npy` -> rows of numbers, columns -> Parquet. polars lives in this room only.
//!
//! Everything is read as text first and cast column by column, so that one odd cell (`?` in a
//! column of tempos) costs its row and not the column. This room must never know a model.

mod npy;
mod parquet;
mod records;
mod thrift;

pub use npy::Npy;
pub use records::{Record, Records};

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use polars::prelude::{Column, CsvReadOptions, DataFrame, DataType, PolarsError, SerReader};

pub use parquet::{Values, write_parquet};

/// What can go wrong with a table on disk.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file can't be read as what it should be.
    #[error("{path}: {message}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The file can't be written.
    #[error("{path}: {message}")]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the library or the system said.
        message: String,
    },
    /// Columns that are needed are not there.
    #[error("{path}: the columns {missing} are missing, the file has {found}")]
    MissingColumns {
        /// Which file.
        path: PathBuf,
        /// What is needed and absent.
        missing: String,
        /// What the header has.
        found: String,
    },
}

/// Columns of equal length, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Texts; an empty text where the cell was empty.
    pub texts: BTreeMap<String, Vec<String>>,
    /// Numbers; NaN where the cell was empty, no number or not finite.
    pub numbers: BTreeMap<String, Vec<f64>>,
}

impl Table {
    /// Reads some columns of a CSV file with a header; the others are passed over, and so are lines
    /// before the header that begin with `# `.
    ///
    /// # Errors
    /// Where the file can't be read, or a column is missing.
    pub fn read_csv(path: &Path, texts: &[&str], numbers: &[&str]) -> Result<Self, TableError> {
        let unreadable = |error: PolarsError| TableError::Unreadable {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let n_remarks = n_remarks(path).map_err(|error| TableError::Unreadable {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        let frame = CsvReadOptions::default()
            .with_skip_lines(n_remarks)
            .with_infer_schema_length(Some(0))
            .try_into_reader_with_file_path(Some(path.to_owned()))
            .and_then(SerReader::finish)
            .map_err(unreadable)?;
        check_columns(path, &frame, texts.iter().chain(numbers))?;
        let mut table = Self::default();
        for name in texts {
            let column = frame.column(name).and_then(text_cells).map_err(unreadable)?;
            table.texts.insert((*name).to_owned(), column);
        }
        for name in numbers {
            let column = frame.column(name).and_then(number_cells).map_err(unreadable)?;
            table.numbers.insert((*name).to_owned(), column);
        }
        Ok(table)
    }
}

/// Lines at the head of a file that begin with `# `: whose data these are, for readers.
fn n_remarks(path: &Path) -> std::io::Result<usize> {
    let mut file = BufReader::new(File::open(path)?);
    let mut n = 0;
    let mut line = vec![];
    loop {
        line.clear();
        file.read_until(b'\n', &mut line)?;
        if !line.starts_with(b"# ") {
            return Ok(n);
        }
        n += 1;
    }
}

fn check_columns<'a>(
    path: &Path,
    frame: &DataFrame,
    wanted: impl Iterator<Item = &'a &'a str>,
) -> Result<(), TableError> {
    let names = frame.get_column_names_owned();
    let has = |name: &str| names.iter().any(|found| found.as_str() == name);
    let missing: Vec<&str> = wanted.copied().filter(|name| !has(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let found: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    Err(TableError::MissingColumns {
        path: path.to_owned(),
        missing: missing.join(", "),
        found: found.join(", "),
    })
}

fn text_cells(column: &Column) -> Result<Vec<String>, PolarsError> {
    let column = column.cast(&DataType::String)?;
    Ok(column.str()?.iter().map(|cell| cell.unwrap_or_default().trim().to_owned()).collect())
}

fn number_cells(column: &Column) -> Result<Vec<f64>, PolarsError> {
    // Not strict: a cell that is no number becomes null.
    let column = column.cast(&DataType::Float64)?;
    let finite = |x: f64| if x.is_finite() { x } else { f64::NAN };
    Ok(column.f64()?.iter().map(|cell| cell.map_or(f64::NAN, finite)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn odd_cells_cost_themselves_only() {
        let file = file("name,tempo,key\n\"a, b\",120.5,1\nc,?,2\n,,3\nd,inf,-4e-1\n");
        let table = Table::read_csv(file.path(), &["name"], &["tempo", "key"]).unwrap();
        assert_eq!(table.texts["name"], ["a, b", "c", "", "d"]);
        assert_eq!(table.numbers["tempo"][0], 120.5);
        assert!(table.numbers["tempo"][1..].iter().all(|x| x.is_nan()));
        assert_eq!(table.numbers["key"], [1.0, 2.0, 3.0, -0.4]);
    }

    #[test]
    fn remarks_before_the_header_are_passed_over_and_nowhere_else() {
        let file = file("# by A. Author\n# and B, \"quoted\nname,n\n# no remark,1\n");
        let table = Table::read_csv(file.path(), &["name"], &["n"]).unwrap();
        assert_eq!(table.texts["name"], ["# no remark"]);
        assert_eq!(table.numbers["n"], [1.0]);
    }

    #[test]
    fn missing_columns_are_named_with_those_that_are_there() {
        let file = file("a,b\n1,2\n");
        let error = Table::read_csv(file.path(), &["x"], &["a", "y"]).unwrap_err().to_string();
        assert!(error.ends_with("the columns x, y are missing, the file has a, b"), "{error}");
    }

    #[test]
    fn no_file_is_an_error_that_names_it() {
        let error = Table::read_csv(Path::new("/nowhere/x.csv"), &[], &["a"]).unwrap_err();
        assert!(error.to_string().contains("/nowhere/x.csv"), "{error}");
    }
}
