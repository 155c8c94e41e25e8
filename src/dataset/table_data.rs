//! Labelled rows of numbers, from disk or made by the program.

use std::collections::{BTreeMap, BTreeSet};

use super::index::file_sha256;
use super::{Cleaning, DatasetError, Index, Manifest, Rows, TrackColumns, synth};
use crate::record::Excluded;
use crate::vocab::{Seed, Sha256};

/// A table dataset that is there.
pub struct TableData {
    /// The classes, in the order of their numbers: alphabetical.
    pub classes: Vec<String>,
    /// A name per row, unique.
    pub ids: Vec<String>,
    /// The class of every row.
    pub labels: Vec<usize>,
    /// The numeric columns by our names, a finite number per row, NaN where it is missing.
    pub columns: BTreeMap<String, Vec<f64>>,
    /// What else is known of the rows: columns of text.
    pub track_columns: TrackColumns,
    /// SHA-256 of what the rows are.
    pub hash: String,
    /// Whether the program made it.
    pub synthetic: bool,
    /// What was kept out, and why.
    pub excluded: Vec<Excluded>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Why this is not the whole dataset, if it is not.
    pub part: Option<String>,
}

impl TableData {
    pub(super) fn from_index(
        manifest: &Manifest,
        rows: &Rows,
        index: &Index,
    ) -> Result<Self, DatasetError> {
        let file = index.files.first().ok_or_else(|| DatasetError::Layout {
            path: index.root.clone(),
            message: "the index names no file".to_owned(),
        })?;
        let path = index.root.join(&file.path);
        if file_sha256(&path)? != file.sha256 {
            let (name, root) = (manifest.name.clone(), index.root.clone());
            return Err(DatasetError::Changed { name, path, root });
        }
        let labelled = rows.labelled(&path)?;
        let (classes, labels) = numbered(&labelled.labels);
        let n_rows = labels.len();
        let recipe = format!("{:?}{:?}", rows.label, rows.columns);
        let mut hash = Sha256::new().piece(index.hash()).piece(recipe);
        // Tables without dirt keep the hash that they had before dirt was declared.
        if rows.cleaning != Cleaning::default() {
            hash = hash.piece(format!("{:?}", rows.cleaning));
        }
        if !labelled.n_missing().is_empty() {
            hash = hash.piece("missing numbers stay");
        }
        Ok(Self {
            classes,
            ids: labelled.ids,
            labels,
            columns: labelled.columns,
            track_columns: labelled.track_columns,
            hash: hash.hex(),
            synthetic: false,
            excluded: labelled.excluded,
            notes: labelled.notes,
            part: (n_rows < rows.n_rows).then(|| format!("{n_rows} of {} rows", rows.n_rows)),
        })
    }

    pub(super) fn synthetic(seed: Seed, n_rows: usize, whole: usize) -> Self {
        let songs = synth::songs(seed, n_rows);
        let names: Vec<String> = songs.iter().map(|song| song.label.to_owned()).collect();
        let (classes, labels) = numbered(&names);
        let mut columns: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for song in &songs {
            for (name, value) in features(song) {
                columns.entry(name.to_owned()).or_default().push(value);
            }
        }
        Self {
            classes,
            ids: songs.into_iter().map(|song| song.id).collect(),
            labels,
            columns,
            track_columns: TrackColumns::default(),
            hash: Sha256::new()
                .piece("synth-songs")
                .piece(synth::VERSION.to_le_bytes())
                .piece(seed.0.to_le_bytes())
                .piece((n_rows as u64).to_le_bytes())
                .hex(),
            synthetic: true,
            excluded: vec![],
            notes: vec!["synthetic: the program makes these rows itself".to_owned()],
            part: (n_rows < whole).then(|| format!("{n_rows} of {whole} rows")),
        }
    }
}

/// The eleven features by our names of columns.
fn features(song: &synth::Song) -> [(&'static str, f64); 11] {
    [
        ("danceability", song.danceability),
        ("energy", song.energy),
        ("key", f64::from(song.key)),
        ("loudness", song.loudness),
        ("mode", f64::from(song.mode)),
        ("speechiness", song.speechiness),
        ("acousticness", song.acousticness),
        ("instrumentalness", song.instrumentalness),
        ("liveness", song.liveness),
        ("valence", song.valence),
        ("tempo", song.tempo),
    ]
}

/// The sorted distinct names, and every item's place among them.
pub(super) fn numbered(names: &[String]) -> (Vec<String>, Vec<usize>) {
    let distinct: BTreeSet<&String> = names.iter().collect();
    let classes: Vec<String> = distinct.into_iter().cloned().collect();
    let number = |name: &String| classes.partition_point(|class| class < name);
    let labels = names.iter().map(number).collect();
    (classes, labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbered_by_name() {
        let names: Vec<String> = ["b", "a", "c", "a"].map(str::to_owned).to_vec();
        let (classes, labels) = numbered(&names);
        assert_eq!(classes, ["a", "b", "c"]);
        assert_eq!(labels, [1, 0, 2, 0]);
    }
}
