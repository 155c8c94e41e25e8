//! CSV files about examples that another program wrote, read row by row: they may be of any size.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::RunError;
use crate::delimited::{Blocks, Cells, Records, plain_breaks};
use crate::features::Examples;
use crate::record::ForeignFile;
use crate::vocab::{ExampleId, Sha256, nearest};

/// Examples that a message names.
const N_NAMED: usize = 3;

/// The columns of a file, by name.
pub(super) struct Header(Vec<String>);

/// A row about an example.
pub(super) struct Row<'a> {
    /// The line on which it begins.
    pub(super) line: usize,
    /// Which example of the dataset.
    pub(super) example: usize,
    cells: Cells<'a>,
}

/// The places of the columns that name the example.
struct Names {
    track: usize,
    /// Absent if no track has several examples.
    segment: Option<usize>,
}

impl Header {
    /// The place of a column that must be there.
    pub(super) fn column(&self, name: &str) -> Result<usize, String> {
        self.find(name)?.ok_or_else(|| match self.0.as_slice() {
            [one] if one.contains([';', '\t']) => {
                format!("has no column `{name}`: commas must divide the cells")
            }
            names => {
                let near = nearest(name, names.iter().map(String::as_str));
                let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                format!("has no column `{name}`{hint}")
            }
        })
    }

    /// The place of a column that may be there. White space around its name is ignored.
    pub(super) fn find(&self, name: &str) -> Result<Option<usize>, String> {
        let exactly: Vec<usize> = self.places(|column| column == name);
        let found = if exactly.is_empty() { self.places(|it| it.trim() == name) } else { exactly };
        match found.as_slice() {
            [] => Ok(None),
            [place] => Ok(Some(*place)),
            places => Err(format!("has {} columns `{name}`, expected one", places.len())),
        }
    }

    fn places(&self, is_meant: impl Fn(&str) -> bool) -> Vec<usize> {
        self.0.iter().enumerate().filter(|(_, name)| is_meant(name)).map(|(i, _)| i).collect()
    }

    /// The names of all columns.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl Row<'_> {
    /// The text of a cell.
    pub(super) fn text(&self, column: usize) -> String {
        plain_breaks(&self.cells.cell(column)).into_owned()
    }
}

/// Reads a file that has a row for each of some examples, and passes every row on. `header` finds the columns
/// that are needed.
///
/// Returns the name and the hash of the file.
pub(super) fn read<T>(
    path: &Path,
    examples: &Examples,
    header: impl Fn(&Header) -> Result<T, String>,
    mut each: impl FnMut(&T, &Row) -> Result<(), String>,
) -> Result<ForeignFile, RunError> {
    let wrong = |message: String| RunError::Incompatible(format!("{}: {message}", path.display()));
    let unreadable = |error: std::io::Error| wrong(error.to_string());
    let known: BTreeMap<&ExampleId, usize> =
        examples.ids.iter().enumerate().map(|(row, id)| (id, row)).collect();
    let file = Hashed { reader: File::open(path).map_err(unreadable)?, sum: Sha256::new() };
    let mut blocks = Blocks::new(file, b',');
    let (mut n_lines, mut columns) = (0, None);
    loop {
        let block = blocks.next().map_err(unreadable)?;
        let Some(block) = block.or_else(|| columns.is_none().then_some(&b""[..])) else { break };
        let mut records = Records::behind(block, b',', n_lines);
        if columns.is_none() {
            let found = Header(records.header().map_err(wrong)?);
            let names = Names::find(&found, examples).map_err(wrong)?;
            columns = Some((names, header(&found).map_err(wrong)?, found.0.len()));
        }
        let (names, wanted, n_columns) = columns.as_ref().expect("the header was read");
        while let Some(cells) = records.next().map_err(wrong)? {
            let line = cells.line;
            let row = if cells.len() == *n_columns {
                names.example(cells, examples, &known)
            } else {
                Err(format!("expected {n_columns} cells as in the header, found {}", cells.len()))
            };
            row.and_then(|example| each(wanted, &Row { line, example, cells }))
                .map_err(|message| wrong(format!("line {line}: {message}")))?;
        }
        n_lines = records.n_lines();
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(ForeignFile { file, sha256: blocks.into_reader().sum.hex() })
}

impl Names {
    fn find(header: &Header, examples: &Examples) -> Result<Self, String> {
        let track = header.column("track")?;
        let segment = if examples.ids.iter().any(|id| id.segment > 0) {
            Some(header.column("segment")?)
        } else {
            header.find("segment")?
        };
        Ok(Self { track, segment })
    }

    /// The example that a row is about.
    fn example(
        &self,
        cells: Cells,
        examples: &Examples,
        known: &BTreeMap<&ExampleId, usize>,
    ) -> Result<usize, String> {
        let track = plain_breaks(&cells.cell(self.track)).into_owned();
        let segment = match self.segment.map(|place| cells.cell(place)) {
            None => 0,
            Some(cell) => cell.trim().parse().map_err(|_| {
                format!("segment: expected a whole number of at least 0, found {cell:?}")
            })?,
        };
        let id = ExampleId { track, segment };
        let trimmed = || ExampleId { track: id.track.trim().to_owned(), segment };
        let found = known.get(&id).or_else(|| known.get(&trimmed()));
        found.copied().ok_or_else(|| {
            let like = examples.ids.first().map_or(String::new(), |first| {
                format!("; its examples are called like {}", named(first))
            });
            format!("the dataset has no example {}{like}", named(&id))
        })
    }
}

/// Remembers the line of an example, which may occur once.
pub(super) fn once(
    lines: &mut BTreeMap<usize, usize>,
    row: &Row,
    examples: &Examples,
) -> Result<(), String> {
    match lines.insert(row.example, row.line) {
        None => Ok(()),
        Some(first) => {
            let name = named(&examples.ids[row.example]);
            Err(format!("{name} is on line {first} already"))
        }
    }
}

/// Refuses a test set that is not that of the spec. Both are in ascending order.
pub(super) fn same_test(
    path: &Path,
    examples: &Examples,
    spec: &[usize],
    found: &[usize],
) -> Result<(), RunError> {
    let without = |of: &[usize], other: &[usize]| -> Vec<usize> {
        of.iter().copied().filter(|row| other.binary_search(row).is_err()).collect()
    };
    let (missing, more) = (without(spec, found), without(found, spec));
    let mut faults = vec![];
    if !missing.is_empty() {
        let s = if missing.len() == 1 { "" } else { "s" };
        faults.push(format!("lacks {}", some(&missing, &format!("test example{s}"), examples)));
    }
    if !more.is_empty() {
        let s = if more.len() == 1 { "" } else { "s" };
        let what = format!("example{s} outside the test set");
        faults.push(format!("has {}", some(&more, &what, examples)));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(RunError::Incompatible(format!(
        "{}: {}; expected exactly the {} test examples of this spec and seed\n\
         hint: encore split SPEC --seed N --out DIR writes them; import with the same --seed",
        path.display(),
        faults.join("; "),
        spec.len()
    )))
}

/// An example in words.
fn named(ExampleId { track, segment }: &ExampleId) -> String {
    format!("`{track}` segment {segment}")
}

/// Some examples in words: how many, and the names of the first.
fn some(rows: &[usize], what: &str, examples: &Examples) -> String {
    let names: Vec<String> =
        rows.iter().take(N_NAMED).map(|&row| named(&examples.ids[row])).collect();
    format!("{} {what}, e.g. {}", rows.len(), names.join(", "))
}

/// Hashes what is read.
struct Hashed<R> {
    reader: R,
    sum: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.reader.read(into)?;
        self.sum = std::mem::take(&mut self.sum).bytes(&into[..n]);
        Ok(n)
    }
}
