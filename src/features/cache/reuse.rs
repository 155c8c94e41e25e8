//! Rows that were made before, for another dataset or an earlier state of it, with the same settings.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::super::{FeatureError, Matrix, Walked};
use super::entry::{Entry, Recipe};
use super::inventory::{Kind, folders};
use super::io;

/// Rows of tracks by their content, in finished entries of the cache.
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
    /// Looks for the contents that are wanted; what is said of entries that can't serve.
    ///
    /// An entry serves only if its matrix is what was written, down to the last bit.
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
            // A damaged one is named when its own features are asked for.
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
                    notes.push(format!("{error}; nothing is taken from it"));
                }
                // Somebody has removed it meanwhile.
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
        // First of all: it may be removed, and then nothing is taken from it.
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

    /// The numbers of a track, and of which segments they are.
    pub(super) fn rows(&self, content: &str) -> Option<(&[f32], &Walked)> {
        let found = self.tracks.get(content)?;
        let numbers = &self.matrices[found.matrix].as_slice()[found.numbers.clone()];
        Some((numbers, &found.segments))
    }

    /// Whether it has a track.
    pub(super) fn has(&self, content: &str) -> bool {
        self.tracks.contains_key(content)
    }
}
