//! The cache of audio features: computed in parallel, saved in parts, found by content hash.
//!
//! | in `datasets/cache/` | content |
//! |---|---|
//! | `HASH/matrix.f32` | the numbers: little-endian floats, row-major |
//! | `HASH/entry.json` | what they were computed from, shape, checksums, the segment and track of each row |
//! | `HASH.partial/` | unfinished features: `recipe.json`, a shard for every few tracks, locks, a file for every worker |
//! | `HASH.HOST-PID-RANDOM/` | the matrix that one process assembles from the shards |
//!
//! Processes that need the same features share the work: each takes shards that no other process
//! has locked. A process that finds all shards finished assembles them in a separate folder and
//! publishes it by one rename. Incomplete features therefore never look complete, and a killed
//! process only loses its current shards. The locks only avoid duplicate work: a shard has the same
//! bytes whichever process writes it, and if two processes publish the same features, the second
//! one compares checksums and uses the first. Readers take no lock. Removal begins with a rename,
//! and on Unix a mapped matrix can be read until the process ends.

mod entry;
mod inventory;
mod reuse;
mod shard;
#[cfg(test)]
mod tests;
mod work;

use std::path::{Path, PathBuf};

pub use entry::Recipe;
pub use inventory::{Cache, Content, Item, Removed};

use self::entry::Entry;
use super::{AudioFeature, Examples, FeatureError, Matrix, OnStep, Segments};
use crate::dataset::AudioData;
use crate::record::Excluded;
use crate::vocab::{ExampleId, Targets};

pub(super) fn examples(
    audio: &AudioData,
    segments: Segments,
    feature: &dyn AudioFeature,
    settings: &serde_json::Value,
    cache: &Path,
    watch: &OnStep,
) -> Result<Examples, FeatureError> {
    let recipe = Recipe::new(audio, segments, feature, settings);
    let folder = cache.join(recipe.folder_name());
    let (entry, matrix) = match open(&folder, &recipe) {
        Ok(Some(found)) => {
            // A process may have been killed between publishing and removing its shards. A cache that
            // can't be changed is no obstacle.
            let _ = inventory::sweep(cache);
            found
        }
        Ok(None) | Err(FeatureError::Damaged { .. }) => {
            work::make(audio, feature, &recipe, cache, watch)?;
            open(&folder, &recipe)?
                .ok_or_else(|| damaged(&folder, "was removed as soon as it was finished"))?
        }
        Err(error) => return Err(error),
    };
    let mut examples = Examples {
        matrix,
        shape: recipe.shape,
        ids: Vec::with_capacity(entry.n_examples),
        targets: Targets::Classes(vec![]),
        classes: audio.classes.clone(),
        hash: recipe.hash,
        excluded: vec![],
        n_tracks_without: 0,
    };
    let mut labels = Vec::with_capacity(entry.n_examples);
    let mut without = vec![];
    for (track, rows) in audio.tracks.iter().zip(&entry.tracks) {
        for &segment in &rows.segments.taken {
            examples.ids.push(ExampleId { track: track.id.clone(), segment });
            labels.push(track.class);
        }
        // Segments behind the end of the track never existed; one that the end cuts is skipped.
        let is_cut = |&&(_, n_samples): &&(u32, usize)| n_samples > 0;
        let cut =
            rows.segments.too_short.iter().filter(is_cut).map(|(segment, n_samples)| Excluded {
                name: format!("{} segment {segment}", track.id),
                reason: format!("has {n_samples} samples, too few for a whole segment"),
            });
        if rows.segments.taken.is_empty() {
            let is = track.n_samples as f64 / f64::from(audio.sample_rate_hz);
            let needed = segments.seconds;
            without.push(Excluded {
                name: track.id.clone(),
                reason: format!("has no segment: it is {is:.2} s long; a segment needs {needed} s"),
            });
        } else {
            examples.excluded.extend(cut);
        }
    }
    examples.targets = Targets::Classes(labels);
    examples.n_tracks_without = without.len();
    examples.excluded.splice(0..0, without);
    Ok(examples)
}

/// Opens the features in a folder, if they exist.
fn open(folder: &Path, recipe: &Recipe) -> Result<Option<(Entry, Matrix)>, FeatureError> {
    let Some(entry) = Entry::read(folder)? else { return Ok(None) };
    let is_meant = entry.recipe.hash == recipe.hash
        && entry.recipe.shape == recipe.shape
        && entry.tracks.len() == recipe.n_tracks;
    if !is_meant {
        return Err(damaged(&folder.join("entry.json"), "belongs to other features"));
    }
    let path = folder.join("matrix.f32");
    match Matrix::map(&path) {
        Ok(matrix) => Ok(Some((entry, matrix))),
        Err(_) if !path.exists() => Ok(None),
        Err(source) => Err(io(&path, source)),
    }
}

fn io(path: &Path, source: std::io::Error) -> FeatureError {
    FeatureError::Io { path: PathBuf::from(path), source }
}

fn damaged(path: &Path, message: impl Into<String>) -> FeatureError {
    FeatureError::Damaged { path: PathBuf::from(path), message: message.into() }
}
