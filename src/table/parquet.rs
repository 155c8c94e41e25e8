//! Typed columns -> a Parquet file: the plain core of the format, which every reader knows.
//!
//! One row group, a page a column, values as they are, nothing compressed. Ours, because the polars
//! feature brings 22 crates with C code among them, for files of some kilobytes.
//!
//! # Source
//! Apache Parquet, `parquet-format` 2.11: `README.md`, `Encodings.md` and `parquet.thrift`.

use std::fs;
use std::path::Path;

use super::TableError;
use super::thrift::{Struct, varint};

const MAGIC: &[u8] = b"PAR1";
/// `Type` in `parquet.thrift`.
const BOOLEAN: i32 = 0;
const INT64: i32 = 2;
const DOUBLE: i32 = 5;
const BYTE_ARRAY: i32 = 6;
/// `ConvertedType`.
const UTF8: i32 = 0;
const UINT_64: i32 = 14;
/// `Encoding`.
const PLAIN: i32 = 0;
const RLE: i32 = 3;

/// The values of one column that is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Texts.
    Texts(Vec<String>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Whole numbers; some may be unknown.
    Counts(Vec<Option<u64>>),
    /// Whole numbers of either sign.
    Integers(Vec<i64>),
    /// Yes or no.
    Flags(Vec<bool>),
}

impl Values {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Texts(values) => values.len(),
            Self::Numbers(values) => values.len(),
            Self::Counts(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Flags(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One of them as text, all of a number's digits; empty where it is unknown.
    ///
    /// # Panics
    /// If there is no such line.
    #[must_use]
    pub fn cell(&self, line: usize) -> String {
        match self {
            Self::Texts(values) => values[line].clone(),
            Self::Numbers(values) => values[line].to_string(),
            Self::Counts(values) => values[line].map_or(String::new(), |n| n.to_string()),
            Self::Integers(values) => values[line].to_string(),
            Self::Flags(values) => values[line].to_string(),
        }
    }

    fn kind(&self) -> i32 {
        match self {
            Self::Texts(_) => BYTE_ARRAY,
            Self::Numbers(_) => DOUBLE,
            Self::Counts(_) | Self::Integers(_) => INT64,
            Self::Flags(_) => BOOLEAN,
        }
    }

    /// The column's `SchemaElement`.
    fn schema(&self, name: &str) -> Struct {
        let is_optional = matches!(self, Self::Counts(_));
        let column = Struct::default().int(1, self.kind()).int(3, is_optional.into()).text(4, name);
        match self {
            Self::Texts(_) => column.int(6, UTF8),
            Self::Counts(_) => column.int(6, UINT_64),
            Self::Numbers(_) | Self::Integers(_) | Self::Flags(_) => column,
        }
    }

    /// The page's content: which are known, where some may not be, then the values.
    fn page(&self) -> Vec<u8> {
        match self {
            Self::Texts(values) => {
                let sized = |text: &String| {
                    let length = u32::try_from(text.len()).expect("a cell is below 4 GiB");
                    [&length.to_le_bytes(), text.as_bytes()].concat()
                };
                values.iter().flat_map(sized).collect()
            }
            Self::Numbers(values) => values.iter().flat_map(|x| x.to_le_bytes()).collect(),
            Self::Counts(values) => {
                let known = bits(values.iter().map(Option::is_some));
                let mut levels = vec![];
                varint(&mut levels, (known.len() as u64) << 1 | 1);
                levels.extend(known);
                let length = levels.len() as u32;
                let numbers = values.iter().flatten().flat_map(|n| n.to_le_bytes());
                length.to_le_bytes().into_iter().chain(levels).chain(numbers).collect()
            }
            Self::Integers(values) => values.iter().flat_map(|n| n.to_le_bytes()).collect(),
            Self::Flags(values) => bits(values.iter().copied()),
        }
    }
}

/// Eight a byte, the first one lowest.
fn bits(flags: impl ExactSizeIterator<Item = bool>) -> Vec<u8> {
    let mut bytes = vec![0; flags.len().div_ceil(8)];
    for (i, flag) in flags.enumerate() {
        bytes[i / 8] |= u8::from(flag) << (i % 8);
    }
    bytes
}

/// Writes columns of equal length as a Parquet file.
///
/// # Errors
/// Where the file can't be written.
///
/// # Panics
/// If columns differ in length.
pub fn write_parquet(path: &Path, columns: &[(&str, Values)]) -> Result<(), TableError> {
    fs::write(path, parquet_bytes(columns)).map_err(|error| TableError::Unwritable {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

/// The bytes of such a file.
///
/// # Panics
/// If columns differ in length.
#[must_use]
pub fn parquet_bytes(columns: &[(&str, Values)]) -> Vec<u8> {
    let n_rows = columns.first().map_or(0, |(_, values)| values.len());
    let mut file = MAGIC.to_vec();
    let mut chunks = vec![];
    for (name, values) in columns {
        assert_eq!(values.len(), n_rows, "columns have one length");
        let page = values.page();
        let head = Struct::default()
            .int(1, 0) // a data page
            .int(2, page.len() as i32)
            .int(3, page.len() as i32)
            .inner(5, Struct::default().int(1, n_rows as i32).int(2, PLAIN).int(3, RLE).int(4, RLE))
            .end();
        let (start, size) = (file.len(), head.len() + page.len());
        file.extend(head);
        file.extend(page);
        let about = Struct::default()
            .int(1, values.kind())
            .ints(2, &[PLAIN, RLE])
            .texts(3, &[name])
            .int(4, 0) // not compressed
            .long(5, n_rows)
            .long(6, size)
            .long(7, size)
            .long(9, start);
        chunks.push(Struct::default().long(2, start).inner(3, about));
    }
    let root = Struct::default().text(4, "schema").int(5, columns.len() as i32);
    let schema = std::iter::once(root)
        .chain(columns.iter().map(|(name, values)| values.schema(name)))
        .collect();
    let group =
        Struct::default().inners(1, chunks).long(2, file.len() - MAGIC.len()).long(3, n_rows);
    let foot = Struct::default()
        .int(1, 1)
        .inners(2, schema)
        .long(3, n_rows)
        .inners(4, vec![group])
        .text(6, "encore")
        .end();
    let length = foot.len() as u32;
    file.extend(foot);
    file.extend(length.to_le_bytes());
    file.extend(MAGIC);
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `tests/golden/read_parquet.py` has read the file with pyarrow and found these values and types.
    #[test]
    fn the_file_is_the_one_that_pyarrow_has_read() {
        let columns = [
            ("name", Values::Texts(["a, b", "é", ""].map(str::to_owned).to_vec())),
            ("accuracy", Values::Numbers(vec![0.1, 1.0 / 3.0, f64::NAN])),
            ("epochs", Values::Counts(vec![None, Some(u64::MAX), Some(250)])),
            ("cut", Values::Flags(vec![true, false, true])),
            ("key", Values::Integers(vec![-1, 0, i64::MAX])),
        ];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        write_parquet(&path, &columns).unwrap();
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/table.parquet");
        assert!(fs::read(&path).unwrap() == fs::read(golden).unwrap());
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
