//! Layout `[arrays]`: precomputed features as `.npy` files, with a CSV file that gives the track of
//! each row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{DatasetError, Index, IndexedFile, Manifest, TrackColumns, track_columns};
use crate::record::Excluded;
use crate::schema::{Fields, Flag, Int, List, Text};
use crate::table::{Npy, Table};
use crate::vocab::{ExampleId, sha256_hex};

/// The manifest's settings for arrays and their table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrays {
    /// The CSV file, with one line per row of the arrays.
    pub table: String,
    /// The column with the row number, from 0.
    pub row: String,
    /// The column with the track.
    pub track: String,
    /// The column with the genre.
    pub genre: String,
    /// The column with the segment of the track; without one, the rows of each track are counted.
    pub segment: Option<String>,
    /// Further columns about the tracks: our names and the file's.
    pub track_columns: Vec<(String, String)>,
    /// Lines of a whole copy, where the manifest says so.
    pub n_rows: Option<usize>,
    /// The arrays.
    pub arrays: Vec<ArrayFile>,
}

/// One array of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayFile {
    /// The name in specs.
    pub name: String,
    /// The `.npy` file.
    pub file: String,
    /// The shape of one row in the file, e.g. `[128, 130]`.
    pub shape: Vec<usize>,
    /// Whether the two axes of a row are swapped, so that frames come first.
    pub transpose: bool,
}

impl ArrayFile {
    fn read(fields: &mut Fields) -> Self {
        let axis = Int::within(1..=1_000_000);
        let array = Self {
            name: fields.required("name", &Text),
            file: fields.required("file", &Text),
            shape: fields.required("shape", &List::of_some(axis)),
            transpose: fields.with_default("transpose", &Flag, false),
        };
        if array.transpose && array.shape.len() != 2 {
            fields.fault_at("transpose", "can be true for a shape of two axes only");
        }
        array
    }

    /// Returns the shape of one example.
    #[must_use]
    pub fn example_shape(&self) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if self.transpose {
            shape.reverse();
        }
        shape
    }

    /// Reads the array from the bytes of its file and checks its shape.
    pub(super) fn parse<'a>(&self, path: &Path, bytes: &'a [u8]) -> Result<Npy<'a>, DatasetError> {
        let npy = Npy::parse(path, bytes)?;
        if npy.shape()[1..] == self.shape {
            return Ok(npy);
        }
        let message = format!(
            "expected rows of shape {:?} ({} in the manifest), found {:?}",
            self.shape,
            self.name,
            &npy.shape()[1..]
        );
        Err(DatasetError::Layout { path: path.to_owned(), message })
    }
}

/// A valid line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// The row of the arrays.
    pub(super) row: usize,
    pub(super) id: ExampleId,
    pub(super) genre: String,
}

/// The table, read and checked.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) columns: TrackColumns,
    pub(super) excluded: Vec<Excluded>,
}

impl Arrays {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let mut column = |key: &str| fields.with_default(key, &Text, key.to_owned());
        let (row, track, genre) = (column("row"), column("track"), column("genre"));
        let arrays = fields.each_table("array", ArrayFile::read);
        let names: BTreeSet<&str> = arrays.iter().map(|array| array.name.as_str()).collect();
        if arrays.is_empty() {
            fields.fault_at("array", "must be a list of at least one table: name, file and shape");
        } else if names.len() < arrays.len() {
            fields.fault_at("array", "must have a different name for each array");
        }
        Self {
            table: fields.required("table", &Text),
            row,
            track,
            genre,
            segment: fields.optional("segment", &Text),
            track_columns: track_columns::read_named(fields),
            n_rows: fields.optional("n_rows", &Int::within(1..=1_000_000_000)),
            arrays,
        }
    }

    /// Hashes all files and checks that they are consistent.
    pub(super) fn index(
        &self,
        manifest: &Manifest,
        from: &Path,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Index, DatasetError> {
        if !from.is_dir() {
            return Err(DatasetError::Layout {
                path: from.to_owned(),
                message: "is not a folder; this dataset is a folder with a CSV file and arrays"
                    .to_owned(),
            });
        }
        let n_files = self.arrays.len() + 1;
        let Lines { lines, excluded, .. } = self.lines(&from.join(&self.table))?;
        let rows: Vec<usize> = lines.iter().map(|line| line.row).collect();
        let bytes = read(&from.join(&self.table))?;
        let mut files = vec![indexed(&self.table, &bytes, lines.len())];
        progress(1, n_files);
        let mut notes = vec![];
        for (i, array) in self.arrays.iter().enumerate() {
            let path = from.join(&array.file);
            let bytes = read(&path)?;
            let npy = array.parse(&path, &bytes)?;
            check_rows(&rows, &npy, &path)?;
            files.push(indexed(&array.file, &bytes, npy.n_rows()));
            notes.extend(not_finite(array, &npy, &lines));
            let n_unnamed = npy.n_rows() - lines.len();
            if n_unnamed > 0 {
                let table = &self.table;
                notes.push(format!(
                    "{n_unnamed} rows of {} are not used: no valid line of {table} names them",
                    array.file
                ));
            }
            progress(i + 2, n_files);
        }
        if let Some(n_rows) = self.n_rows.filter(|n_rows| lines.len() < *n_rows) {
            notes.push(format!("{} of the {n_rows} rows of a complete copy", lines.len()));
        }
        let (dataset, root) = (manifest.name.clone(), from.to_owned());
        let (listing, decoder_version) = (None, None);
        Ok(Index { dataset, root, files, excluded, notes, listing, decoder_version })
    }

    /// Reads the table: the track of each row, and the further columns.
    pub(super) fn lines(&self, path: &Path) -> Result<Lines, DatasetError> {
        let named = [&self.row, &self.track, &self.genre].into_iter().chain(&self.segment);
        let columns = named.chain(self.track_columns.iter().map(|(_, theirs)| theirs));
        let columns: BTreeSet<&str> = columns.map(String::as_str).collect();
        let table = Table::read_csv(path, &columns.into_iter().collect::<Vec<_>>(), &[])?;
        let odd = |message: String| DatasetError::Layout { path: path.to_owned(), message };
        let cell = |column: &str, line: usize| &table.texts[column][line];
        let n_lines = table.texts[&self.row].len();
        let number = |column: &str, line: usize| {
            let text = cell(column, line);
            text.parse::<u32>().map_err(|_| {
                odd(format!(
                    "line {line} of the data: {column} must be a whole number, found {text:?}"
                ))
            })
        };
        let mut lines: Vec<Line> = vec![];
        let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
        let mut n_without = 0;
        for line in 0..n_lines {
            let row = number(&self.row, line)? as usize;
            let (track, genre) = (cell(&self.track, line), cell(&self.genre, line));
            if track.is_empty() || genre.is_empty() {
                n_without += 1;
                continue;
            }
            let next = counted.entry(track).or_default();
            let segment = match &self.segment {
                Some(column) => number(column, line)?,
                None => *next,
            };
            *next += 1;
            let id = ExampleId { track: track.to_owned(), segment };
            lines.push(Line { row, id, genre: genre.to_owned() });
        }
        check_lines(&lines).map_err(odd)?;
        let mut excluded = vec![];
        if n_without > 0 {
            let name = format!("{n_without} of {n_lines} rows");
            excluded.push(Excluded { name, reason: "have no track or genre".to_owned() });
        }
        if lines.is_empty() {
            return Err(odd(format!("none of the {n_lines} lines is valid")));
        }
        let mut columns = TrackColumns::default();
        for (ours, theirs) in &self.track_columns {
            let cells = (0..n_lines).map(|line| (cell(&self.track, line), cell(theirs, line)));
            columns.add(ours, cells.filter(|(track, _)| !track.is_empty())).map_err(odd)?;
        }
        Ok(Lines { lines, columns, excluded })
    }
}

/// Rejects a table that refers to a row outside the array.
pub(super) fn check_rows(rows: &[usize], npy: &Npy, path: &Path) -> Result<(), DatasetError> {
    let Some(row) = rows.iter().find(|&&row| row >= npy.n_rows()) else { return Ok(()) };
    let message = format!("has {} rows, and the table names row {row}, from 0", npy.n_rows());
    Err(DatasetError::Layout { path: path.to_owned(), message })
}

/// Rejects rows and examples that are listed twice, and tracks with two genres.
fn check_lines(lines: &[Line]) -> Result<(), String> {
    let mut rows = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut genres = BTreeMap::new();
    for Line { row, id, genre } in lines {
        if !rows.insert(*row) {
            return Err(format!("row {row} is listed twice, the second time for {}", id.track));
        }
        if !ids.insert(id) {
            return Err(format!("segment {} of {} is listed twice", id.segment, id.track));
        }
        let before = genres.insert(&id.track, genre);
        if let Some(before) = before.filter(|before| *before != genre) {
            return Err(format!("{} is both {before} and {genre}", id.track));
        }
    }
    Ok(())
}

/// Reports rows with a non-finite number, which are dropped when the array is used.
fn not_finite(array: &ArrayFile, npy: &Npy, lines: &[Line]) -> Option<String> {
    let is_odd = |line: &&Line| npy.row(line.row).any(|x| !x.is_finite());
    let odd: Vec<String> = lines
        .iter()
        .filter(is_odd)
        .map(|line| format!("row {} ({})", line.row, line.id.track))
        .collect();
    let (n, name) = (odd.len(), &array.name);
    let shown = odd.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
    let more = if n > 10 { format!(" and {} more", n - 10) } else { String::new() };
    (n > 0).then(|| {
        format!("{n} rows of {name} contain numbers that are not finite and are dropped where it is used: {shown}{more}")
    })
}

fn read(path: &Path) -> Result<Vec<u8>, DatasetError> {
    fs::read(path).map_err(|source| DatasetError::Io { path: path.to_owned(), source })
}

fn indexed(file: &str, bytes: &[u8], n_rows: usize) -> IndexedFile {
    IndexedFile {
        track: file.to_owned(),
        genre: String::new(),
        path: PathBuf::from(file),
        sha256: sha256_hex(bytes),
        n_samples: n_rows,
        decoder_version: 1,
    }
}
