//! Reuse of rows computed with the same settings for another dataset or an earlier state of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::super::{FeatureError, Matrix, Walked};
use super::entry::{Entry, Recipe};
use super::inventory::{Kind, folders};
use super::io;

/// Rows of tracks by content, from finished entries of the cache.
#[derive(Default)]
pub(super) struct Reuse {
    matrices: Vec<Matrix>,
    tracks: BTreeMap<String, Found>,
}

struct Found {
    matrix: usize,
    numbers: Range<usize>,
    segments: Walked,
}

impl Reuse {
    /// Searches the cache for contents; also returns notes about unusable entries.
    ///
    /// An entry is used only if its matrix matches its checksum.
    pub(super) fn find(
        cache: &Path,
        recipe: &Recipe,
        mut wanted: BTreeSet<&str>,
    ) -> Result<(Self, Vec<String>), FeatureError> {
        let (mut reuse, mut notes) = (Self::default(), vec![]);
        for (name, kind) in folders(cache)? {
            if kind != Kind::Named || wanted.is_empty() {
                continue;
            }
            let folder = cache.join(name);
            // A damaged entry is reported when its own features are requested.
            let Ok(Some(entry)) = Entry::read(&folder) else { continue };
            let serves = |entry: &Entry| {
                entry.recipe.settings_hash == recipe.settings_hash
                    && entry.recipe.shape == recipe.shape
                    && entry.tracks.iter().any(|track| wanted.contains(track.content.as_str()))
            };
            if !serves(&entry) {
                continue;
            }
            match entry.check_matrix(&folder) {
                Ok(()) => match reuse.add(&folder, entry, &mut wanted) {
                    Err(_) if !folder.exists() => {}
                    added => added?,
                },
                Err(error @ FeatureError::Damaged { .. }) => {
                    notes.push(format!("{error}; its rows are not reused"));
                }
                // Another process has removed the entry in the meantime.
                Err(_) if !folder.exists() => {}
                Err(error) => return Err(error),
            }
        }
        Ok((reuse, notes))
    }

    fn add(
        &mut self,
        folder: &Path,
        entry: Entry,
        wanted: &mut BTreeSet<&str>,
    ) -> Result<(), FeatureError> {
        let path = folder.join("matrix.f32");
        // The matrix is mapped first: if it was removed in the meantime, nothing is reused.
        let matrix = Matrix::map(&path).map_err(|source| io(&path, source))?;
        let width = entry.recipe.width();
        let mut start = 0;
        for track in entry.tracks {
            let end = start + track.segments.taken.len() * width;
            if wanted.remove(track.content.as_str()) {
                let (matrix, numbers) = (self.matrices.len(), start..end);
                let found = Found { matrix, numbers, segments: track.segments };
                self.tracks.insert(track.content, found);
            }
            start = end;
        }
        self.matrices.push(matrix);
        Ok(())
    }

    /// Returns the numbers of a track and their segments.
    pub(super) fn rows(&self, content: &str) -> Option<(&[f32], &Walked)> {
        let found = self.tracks.get(content)?;
        let numbers = &self.matrices[found.matrix].as_slice()[found.numbers.clone()];
        Some((numbers, &found.segments))
    }

    /// Returns whether the rows include a track.
    pub(super) fn has(&self, content: &str) -> bool {
        self.tracks.contains_key(content)
    }
}
