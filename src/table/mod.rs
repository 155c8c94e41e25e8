//! CSV and Parquet <-> typed columns, `.npy` -> rows of numbers. polars and npyz live in this room only.
//!
//! | file | job |
//! |---|---|
//! | `clean` | a CSV file in which nothing is unusual -> columns, by polars |
//! | `cast` | the cells of such a column -> numbers, by polars: markers, ranges |
//! | `shape` | whether a CSV file is such a file |
//! | `notation` | how numbers are written: decimal comma, percentages, categories |
//! | `numbers` | which cells are numbers, missing, or neither |
//! | `patterns` | what the others look like, and which setting reads them |
//! | `header` | where the wanted columns are |
//! | `packing` | gzip and zip -> bytes; files that are not tables are named |
//! | `survey` | the contents of the columns of an unknown file |
//! | `parquet` | columns <-> Parquet |
//! | `found` | which types of a Parquet file's columns can be read, and how |
//! | `pieces` | a file of any size -> some thousand rows at a time |
//! | `texts` | a column of texts, kept and filtered by polars |
//! | `write` | columns -> CSV |
//! | `statistics` | columns by class -> counts, histograms, medians, correlations |
//! | `npy`, `npy_write` | `.npy` -> rows; arrays -> `.npy` |
//! | `query/` | a condition over named fields -> the rows that match, and their order |
//!
//! If anything in a CSV file is unusual (a cell that is not a number, a row with too few cells, bytes that are
//! not UTF-8, a line break in a cell), a second pass reads it cell by cell, and names or counts every fault
//! with its line. This room must never know a model.

mod cast;
mod clean;
mod found;
mod header;
mod notation;
mod npy;
mod npy_write;
mod numbers;
mod packing;
mod parquet;
mod patterns;
mod pieces;
mod query;
mod shape;
mod statistics;
mod survey;
mod texts;
mod write;

pub use notation::{Notation, NumberKind};
pub use npy::Npy;
pub use npy_write::{NpyNumber, npy_head, write_npy};
pub use numbers::{NumberColumn, Odd, OddCells};
pub use parquet::parquet_bytes;
pub(crate) use patterns::{is_missing_word, key, list, quoted};
pub use pieces::Piece;
pub(crate) use query::{Cell, FieldColumn, Query, QueryError, sorted};
pub(crate) use survey::{Cells, ColumnSurvey, Survey};
pub use texts::Texts;
pub use write::{Values, csv_bytes};

pub(crate) use found::python_list;
pub(crate) use statistics::{ClassedRows, Numbers, between_classes};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use polars::prelude::{BooleanChunked, ChunkFilter, Float64Chunked, NewChunkedArray};

use crate::delimited::{Records, plain_breaks};
use numbers::NumberCells;

/// How many faulty rows and cells an error names. The others are counted.
const N_NAMED: usize = 5;

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
    /// Required columns are missing, duplicated, or of a type that can't be read.
    #[error("{path}: {message}")]
    Columns {
        /// Which file.
        path: PathBuf,
        /// All of them, each with its nearest match in the header.
        message: String,
    },
    /// Rows have more or fewer cells than the header.
    #[error("{path}: {message}")]
    Ragged {
        /// Which file.
        path: PathBuf,
        /// How many, and the first few with their lines.
        message: String,
    },
    /// Cells of a column of numbers are neither numbers nor declared as missing.
    #[error("{path}: {message}")]
    OddCells {
        /// Which file.
        path: PathBuf,
        /// How many, and the first few with line, column and text.
        message: String,
    },
}

/// The columns to read of a CSV file with a header, packed by gzip or zip or not, or of a Parquet file. Other
/// columns are ignored, and so are a CSV file's lines before the header that begin with `# `.
#[derive(Debug, Clone, PartialEq)]
pub struct Csv<'a> {
    /// The character between cells, an ASCII character.
    pub delimiter: char,
    /// Columns that are read as texts.
    pub texts: Vec<&'a str>,
    /// Columns that are read as numbers.
    pub numbers: Vec<NumberColumn>,
    /// How to treat cells that are neither numbers nor declared as missing.
    pub odd_cells: OddCells,
}

/// Columns of equal length, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Texts without white space around them; an empty text where the cell was empty.
    pub texts: BTreeMap<String, Texts>,
    /// Finite numbers; NaN where one is missing.
    pub numbers: BTreeMap<String, Vec<f64>>,
    /// The one-based line of the file that each row begins on; of a Parquet file, the line it would have in a
    /// CSV file.
    pub lines: Vec<usize>,
    /// Cells that count as missing although nothing declares them so, by column.
    pub odd: BTreeMap<String, Odd>,
    /// Of a table of several files: the first row of each, and its name.
    pub parts: Vec<(usize, String)>,
}

impl Table {
    /// Reads some columns of a CSV file, divided by commas.
    ///
    /// # Errors
    /// As [`Csv::read`]; a cell of a column of numbers that is not empty must be a finite number.
    pub fn read_csv(path: &Path, texts: &[&str], numbers: &[&str]) -> Result<Self, TableError> {
        Csv::plain(texts, numbers).read(path)
    }

    /// Adds the rows of another file with the same columns; `name` is the file's.
    pub fn append(&mut self, name: &str, more: Self) {
        self.parts.push((self.lines.len(), name.to_owned()));
        for (column, cells) in more.texts {
            self.texts.entry(column).or_default().append(cells);
        }
        for (column, numbers) in more.numbers {
            self.numbers.entry(column).or_default().extend(numbers);
        }
        self.lines.extend(more.lines);
        for (column, odd) in more.odd {
            let first = format!("{name}, {}", odd.first);
            self.odd.entry(column).or_insert(Odd { n: 0, first }).n += odd.n;
        }
    }

    /// Keeps the rows whose value in `keep` is true; it has one for each row.
    pub fn filter(&mut self, keep: &[bool]) {
        for (first, _) in &mut self.parts {
            *first = keep[..*first].iter().filter(|is_kept| **is_kept).count();
        }
        let mut kept = keep.iter();
        self.lines.retain(|_| *kept.next().expect("one value for each row"));
        let mask = BooleanChunked::from_slice("".into(), keep);
        self.texts.values_mut().for_each(|texts| texts.filter(&mask));
        for values in self.numbers.values_mut() {
            let column = Float64Chunked::from_vec("".into(), std::mem::take(values));
            let kept = column.filter(&mask).expect("the mask has one value for each row");
            *values = kept.into_no_null_iter().collect();
        }
    }

    /// The origin of a row: its line and, in a table of several files, its file.
    #[must_use]
    pub fn origin(&self, row: usize) -> String {
        let line = format!("line {}", self.lines[row]);
        let part = self.parts.partition_point(|(first, _)| *first <= row).checked_sub(1);
        part.map_or(line.clone(), |part| format!("{} {line}", self.parts[part].1))
    }
}

/// Columns in the requested order.
#[derive(Default)]
struct Columns {
    texts: Vec<Texts>,
    numbers: Vec<Vec<f64>>,
    lines: Vec<usize>,
    /// The unparseable cells of each numeric column. Empty if there are none.
    odd: Vec<Option<Odd>>,
}

impl<'a> Csv<'a> {
    /// Some columns, divided by commas; a cell of a column of numbers that is not empty must be a finite
    /// number.
    #[must_use]
    pub fn plain(texts: &[&'a str], numbers: &[&str]) -> Self {
        Self {
            delimiter: ',',
            texts: texts.to_vec(),
            numbers: numbers.iter().map(|name| NumberColumn::new(name)).collect(),
            odd_cells: OddCells::Error,
        }
    }

    /// Reads the file. Its first bytes decide its format.
    ///
    /// # Errors
    /// If the file can't be read or is not UTF-8, a column is missing or duplicated, a row has another number of
    /// cells than the header, a quote is never closed, or a cell can't be parsed and [`OddCells::Error`] holds.
    ///
    /// # Panics
    /// If the delimiter is not an ASCII character.
    pub fn read(&self, path: &Path) -> Result<Table, TableError> {
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
        self.read_bytes(path, bytes)
    }

    /// Reads the bytes of a file; `path` is its name in messages.
    ///
    /// # Errors
    /// As [`Csv::read`].
    ///
    /// # Panics
    /// As [`Csv::read`].
    pub fn read_bytes(&self, path: &Path, bytes: Vec<u8>) -> Result<Table, TableError> {
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        let bytes = packing::unpacked(bytes).map_err(unreadable)?;
        if bytes.starts_with(parquet::MAGIC) {
            return Ok(self.table(parquet::read(self, path, &bytes)?));
        }
        let delimiter = u8::try_from(self.delimiter).expect("a delimiter is one ASCII character");
        let mut records = Records::new(&bytes, delimiter);
        let header = header::named(records.header().map_err(unreadable)?);
        let places = header::places(&header, &self.wanted(), self.delimiter)
            .map_err(|message| TableError::Columns { path: path.to_owned(), message })?;
        let clean =
            clean::columns(self, records.rest(), &places, header.len(), records.n_lines() + 1);
        let columns = match clean {
            Some(columns) => columns,
            None => self.cell_by_cell(path, records, &places, header.len())?,
        };
        Ok(self.table(columns))
    }

    /// The names of all columns: those of texts, then those of numbers.
    fn wanted(&self) -> Vec<&str> {
        let theirs = self.numbers.iter().map(|column| column.name.as_str());
        self.texts.iter().copied().chain(theirs).collect()
    }

    /// The second pass over a file in which something is unusual.
    fn cell_by_cell(
        &self,
        path: &Path,
        mut records: Records,
        places: &[usize],
        n_columns: usize,
    ) -> Result<Columns, TableError> {
        let unreadable =
            |message: String| TableError::Unreadable { path: path.to_owned(), message };
        let (of_texts, of_numbers) = places.split_at(self.texts.len());
        let mut columns = Columns::default();
        let mut texts = vec![Vec::<String>::new(); of_texts.len()];
        let mut numbers: Vec<NumberCells> =
            self.numbers.iter().map(|column| NumberCells::new(column, "line")).collect();
        let (mut ragged, mut n_ragged) = (vec![], 0);
        while let Some(record) = records.next().map_err(unreadable)? {
            if record.len() != n_columns {
                n_ragged += 1;
                if ragged.len() < N_NAMED {
                    ragged.push(format!("line {} has {}", record.line, record.len()));
                }
                continue;
            }
            columns.lines.push(record.line);
            for (&place, cells) in of_texts.iter().zip(&mut texts) {
                cells.push(plain_breaks(record.cell(place).trim()).into_owned());
            }
            for (&place, cells) in of_numbers.iter().zip(&mut numbers) {
                cells.push(&plain_breaks(&record.cell(place)), record.line);
            }
        }
        if n_ragged > 0 {
            let rows = if n_ragged == 1 { "1 row does" } else { &format!("{n_ragged} rows do") };
            let named = ragged.join(", ");
            let more = if n_ragged > ragged.len() { ", …" } else { "" };
            let message = format!(
                "{rows} not have the {n_columns} cells of the header: {named}{more}\n\
                 hint: a cell with the delimiter {:?} in it must be in double quotes",
                self.delimiter
            );
            return Err(TableError::Ragged { path: path.to_owned(), message });
        }
        if self.odd_cells == OddCells::Error
            && let Some(message) = numbers::odd_cells(&numbers)
        {
            return Err(TableError::OddCells { path: path.to_owned(), message });
        }
        columns.texts = texts.into_iter().map(Texts::from_iter).collect();
        (columns.numbers, columns.odd) = numbers.into_iter().map(NumberCells::into_parts).unzip();
        Ok(columns)
    }

    fn table(&self, columns: Columns) -> Table {
        let names = self.texts.iter().map(|name| (*name).to_owned());
        let keys = || self.numbers.iter().map(|column| column.key.clone());
        let odd = keys().zip(columns.odd).filter_map(|(key, odd)| Some((key, odd?)));
        Table {
            texts: names.zip(columns.texts).collect(),
            odd: odd.collect(),
            numbers: keys().zip(columns.numbers).collect(),
            lines: columns.lines,
            parts: vec![],
        }
    }
}

/// The names of a file's columns; `delimiter` separates the cells of a CSV file.
///
/// # Errors
/// As [`Csv::read`].
///
/// # Panics
/// If the delimiter is not an ASCII character.
pub fn header_of(path: &Path, delimiter: char) -> Result<Vec<String>, TableError> {
    let unreadable = |message: String| TableError::Unreadable { path: path.to_owned(), message };
    let bytes = std::fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    let bytes = packing::unpacked(bytes).map_err(unreadable)?;
    if bytes.starts_with(parquet::MAGIC) {
        return parquet::header(std::io::Cursor::new(&bytes)).map_err(unreadable);
    }
    let delimiter = u8::try_from(delimiter).expect("a delimiter is one ASCII character");
    Ok(header::named(Records::new(&bytes, delimiter).header().map_err(unreadable)?))
}

#[cfg(test)]
mod tests;
