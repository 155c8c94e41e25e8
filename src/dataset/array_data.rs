//! Labeled rows of arrays, from disk.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::arrays::{Lines, check_rows};
use super::index::unreadable;
use super::table_data::numbered;
use super::{ArrayFile, Arrays, DatasetError, Index, Manifest, TrackColumns};
use crate::record::Excluded;
use crate::vocab::{ExampleId, Sha256, sha256_hex};

/// A loaded dataset of arrays. The arrays are read on demand.
pub struct ArrayData {
    /// The genres, in the order of their numbers: alphabetical.
    pub classes: Vec<String>,
    /// Where every example comes from.
    pub ids: Vec<ExampleId>,
    /// The class of every example.
    pub labels: Vec<usize>,
    /// Further columns about the tracks.
    pub track_columns: TrackColumns,
    /// Number of tracks that the examples come from.
    pub n_tracks: usize,
    /// SHA-256 of all files and of the manifest's settings for them.
    pub hash: String,
    /// Skipped files or dropped rows, with reasons.
    pub excluded: Vec<Excluded>,
    /// Notes for the reader.
    pub notes: Vec<String>,
    /// The reason why this is only a part of the dataset, if it is.
    pub part: Option<String>,
    arrays: Vec<(ArrayFile, Stored)>,
    /// The row of the arrays for each example.
    rows: Vec<usize>,
    /// Name and root of the dataset, for messages.
    name: String,
    root: PathBuf,
    table_sha256: String,
}

/// The file of an array and its expected hash.
struct Stored {
    path: PathBuf,
    sha256: String,
}

/// The numbers of one array.
pub struct ArrayNumbers {
    /// Row-major, `[examples, product of the array's example shape]`, in memory as 32-bit floats.
    pub matrix: Vec<f32>,
    /// The examples in the matrix, as indices of [`ArrayData::ids`].
    pub kept: Vec<usize>,
    /// Rows that contain a non-finite number.
    pub excluded: Vec<Excluded>,
}

impl ArrayData {
    pub(super) fn from_index(
        manifest: &Manifest,
        arrays: &Arrays,
        index: &Index,
    ) -> Result<Self, DatasetError> {
        let stored = |file: &str| -> Result<Stored, DatasetError> {
            let indexed = index.files.iter().find(|indexed| indexed.track == file);
            let indexed = indexed.ok_or_else(|| DatasetError::Layout {
                path: index.root.join(file),
                message: format!(
                    "has not been imported\nhint: encore data import {} {}",
                    manifest.name,
                    index.root.display()
                ),
            })?;
            Ok(Stored { path: index.root.join(&indexed.path), sha256: indexed.sha256.clone() })
        };
        let table = stored(&arrays.table)?;
        whole(&table, &manifest.name, &index.root)?;
        let Lines { lines, columns, excluded } = arrays.lines(&table.path)?;
        let genres: Vec<String> = lines.iter().map(|line| line.genre.clone()).collect();
        let (classes, labels) = numbered(&genres);
        let tracks: BTreeSet<&str> = lines.iter().map(|line| line.id.track.as_str()).collect();
        let recipe = format!(
            "{:?}",
            (&arrays.row, &arrays.track, &arrays.genre, &arrays.segment, &arrays.arrays)
        );
        let n_rows = lines.len();
        let part = arrays.n_rows.filter(|whole| n_rows < *whole);
        let files = arrays.arrays.iter().map(|array| Ok((array.clone(), stored(&array.file)?)));
        Ok(Self {
            classes,
            labels,
            n_tracks: tracks.len(),
            arrays: files.collect::<Result<_, DatasetError>>()?,
            rows: lines.iter().map(|line| line.row).collect(),
            ids: lines.into_iter().map(|line| line.id).collect(),
            track_columns: columns,
            hash: Sha256::new().piece(index.hash()).piece(recipe).hex(),
            excluded,
            notes: index.notes.clone(),
            part: part.map(|whole| format!("{n_rows} of {whole} rows")),
            name: manifest.name.clone(),
            root: index.root.clone(),
            table_sha256: table.sha256,
        })
    }

    /// Returns the array of a name.
    ///
    /// # Errors
    /// If there is none; the message lists the existing arrays.
    pub fn array(&self, name: &str) -> Result<&ArrayFile, String> {
        Ok(&self.find(name)?.0)
    }

    fn find(&self, name: &str) -> Result<&(ArrayFile, Stored), String> {
        self.arrays.iter().find(|(array, _)| array.name == name).ok_or_else(|| {
            let known = self.arrays.iter().map(|(array, _)| array.name.as_str());
            format!(
                "dataset {} has no array `{name}`; it has {}",
                self.name,
                crate::vocab::quoted_list(known)
            )
        })
    }

    /// Returns the SHA-256 of everything that the examples of an array depend on: its file, the
    /// table, and how both are read.
    ///
    /// # Errors
    /// In the cases of [`Self::array`].
    pub fn array_hash(&self, name: &str) -> Result<String, String> {
        let (array, stored) = self.find(name)?;
        let hash = Sha256::new().piece("arrays").piece(&self.table_sha256);
        Ok(hash.piece(&stored.sha256).piece(format!("{array:?}")).hex())
    }

    /// Reads one array, widened to 32 bits; drops rows that contain a non-finite number.
    ///
    /// # Errors
    /// If there is no array of this name, or its file is missing or has changed since the import.
    pub fn numbers(&self, name: &str) -> Result<ArrayNumbers, DatasetError> {
        let (array, stored) = self
            .find(name)
            .map_err(|message| DatasetError::Layout { path: self.root.clone(), message })?;
        let bytes = whole(stored, &self.name, &self.root)?;
        let npy = array.parse(&stored.path, &bytes)?;
        check_rows(&self.rows, &npy, &stored.path)?;
        let width = npy.width();
        let mut numbers = ArrayNumbers {
            matrix: Vec::with_capacity(width * self.rows.len()),
            kept: vec![],
            excluded: vec![],
        };
        let mut example = Vec::with_capacity(width);
        for (place, &row) in self.rows.iter().enumerate() {
            example.clear();
            example.extend(npy.row(row));
            if let Some(odd) = example.iter().position(|x| !x.is_finite()) {
                let ExampleId { track, segment } = &self.ids[place];
                numbers.excluded.push(Excluded {
                    name: format!("{track} segment {segment}"),
                    reason: format!(
                        "row {row} of {} contains {} at position {odd}",
                        array.file, example[odd]
                    ),
                });
                continue;
            }
            numbers.kept.push(place);
            match array.shape[..] {
                [n_rows, n_columns] if array.transpose => {
                    let at = |i: usize| example[i % n_rows * n_columns + i / n_rows];
                    numbers.matrix.extend((0..width).map(at));
                }
                _ => numbers.matrix.extend_from_slice(&example),
            }
        }
        Ok(numbers)
    }
}

/// Reads a file and checks that it has not changed since the import.
fn whole(stored: &Stored, name: &str, root: &Path) -> Result<Vec<u8>, DatasetError> {
    let path = stored.path.clone();
    let bytes = std::fs::read(&path);
    let bytes = bytes.map_err(|source| unreadable(name, root, &path, source))?;
    if sha256_hex(&bytes) == stored.sha256 {
        return Ok(bytes);
    }
    Err(DatasetError::Changed { name: name.to_owned(), path, root: root.to_owned() })
}
