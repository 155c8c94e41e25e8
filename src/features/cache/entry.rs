//! The file beside a matrix: what it was computed from and how, and the origin of each row.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::{AudioFeature, FeatureError, Matrix, Segments, Walked};
use super::{damaged, io};
use crate::dataset::AudioData;
use crate::disk;
use crate::vocab::{Sha256, sha256_hex};

/// Raised whenever the same settings give different numbers than before.
const EXTRACTOR_VERSION: u32 = 1;

/// Version of the files' layout.
const FORMAT: u32 = 2;

/// What features are computed from, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// Name of the dataset.
    pub dataset: String,
    /// SHA-256 of the dataset.
    pub dataset_hash: String,
    /// Number of tracks of the dataset.
    pub n_tracks: usize,
    /// Sample rate of the tracks, in hertz.
    pub sample_rate_hz: u32,
    /// The segments of each track.
    pub segments: Segments,
    /// The feature and its settings, e.g. `{"mfcc": {"n_mfcc": 13, …}}`.
    pub settings: serde_json::Value,
    /// The shape of one example.
    pub shape: Vec<usize>,
    /// Raised whenever the same settings give different numbers than before.
    pub extractor_version: u32,
    /// SHA-256 of all other fields: the key of the cache.
    pub hash: String,
    /// SHA-256 without the dataset: equal tracks with equal settings have equal rows.
    pub settings_hash: String,
}

/// A finished set of features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub format: u32,
    pub recipe: Recipe,
    /// `f32`, little-endian, row-major.
    pub dtype: String,
    pub n_examples: usize,
    /// SHA-256 of the matrix.
    pub sha256: String,
    /// The tracks, in the order of their rows.
    pub tracks: Vec<TrackRows>,
}

/// The rows of one track in a matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TrackRows {
    /// SHA-256 of the recording.
    pub content: String,
    /// The segments, of which every taken one has a row.
    pub segments: Walked,
}

/// An entry with its checksum, as it is stored.
#[derive(Serialize, Deserialize)]
struct Sealed {
    sha256: String,
    entry: Entry,
}

impl Recipe {
    pub(super) fn new(
        audio: &AudioData,
        segments: Segments,
        feature: &dyn AudioFeature,
        settings: &serde_json::Value,
    ) -> Self {
        let how = |hash: Sha256| {
            hash.piece(settings.to_string())
                .piece(segments.seconds.to_le_bytes())
                .piece((segments.per_track as u64).to_le_bytes())
        };
        let start = || Sha256::new().piece(EXTRACTOR_VERSION.to_le_bytes());
        Self {
            dataset: audio.name.clone(),
            dataset_hash: audio.hash.clone(),
            n_tracks: audio.tracks.len(),
            sample_rate_hz: audio.sample_rate_hz,
            segments,
            settings: settings.clone(),
            shape: feature.shape(segments.n_samples(audio.sample_rate_hz)),
            extractor_version: EXTRACTOR_VERSION,
            hash: how(start().piece(&audio.hash)).hex(),
            settings_hash: how(start().piece(audio.sample_rate_hz.to_le_bytes())).hex(),
        }
    }

    /// Returns the name of its folder.
    #[must_use]
    pub fn folder_name(&self) -> &str {
        &self.hash[..32]
    }

    /// Returns how many numbers one example has.
    pub(super) fn width(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Entry {
    /// Creates the entry for a complete matrix in the folder.
    pub(super) fn of_matrix(
        folder: &Path,
        recipe: Recipe,
        tracks: Vec<TrackRows>,
    ) -> Result<Self, FeatureError> {
        let n_examples = tracks.iter().map(|track| track.segments.taken.len()).sum();
        let sha256 = hash_of_matrix(folder)?;
        Ok(Self { format: FORMAT, recipe, dtype: "f32".to_owned(), n_examples, sha256, tracks })
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), FeatureError> {
        let sealed = Sealed { sha256: self.seal(), entry: self.clone() };
        let (path, bytes) = (folder.join("entry.json"), serde_json::to_vec(&sealed));
        disk::write_whole(&path, &bytes.expect("plain data")).map_err(|source| io(&path, source))
    }

    /// Reads the entry of a folder, if there is one, and checks the length of its matrix.
    ///
    /// # Errors
    /// If something is missing or damaged.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, FeatureError> {
        let path = folder.join("entry.json");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(_) if !folder.exists() => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let is_old = folder.join("examples.json").exists();
                let how = if is_old {
                    "is missing: an older encore wrote these features"
                } else {
                    "is missing"
                };
                return Err(damaged(&path, how));
            }
            Err(source) => return Err(io(&path, source)),
        };
        let sealed: Sealed = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(&path, format!("is damaged: {error}")))?;
        let entry = sealed.entry;
        if entry.format != FORMAT {
            let message =
                format!("has format {}, but this encore reads format {FORMAT}", entry.format);
            return Err(damaged(&path, message));
        }
        if entry.seal() != sealed.sha256 {
            return Err(damaged(&path, "is damaged: its checksum does not match"));
        }
        let path = folder.join("matrix.f32");
        let expected = (entry.n_examples * entry.recipe.width() * size_of::<f32>()) as u64;
        match fs::metadata(&path) {
            Ok(file) if file.len() == expected => Ok(Some(entry)),
            Ok(file) => {
                let message = format!("has {} bytes, {expected} were written", file.len());
                Err(damaged(&path, message))
            }
            Err(_) if !folder.exists() => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(damaged(&path, "is missing")),
            Err(source) => Err(io(&path, source)),
        }
    }

    /// Checks every byte of the matrix against its checksum.
    pub(super) fn check_matrix(&self, folder: &Path) -> Result<(), FeatureError> {
        let found = hash_of_matrix(folder)?;
        if found == self.sha256 {
            return Ok(());
        }
        let message =
            format!("is damaged: its sha256 is {}…, expected {}…", &found[..8], &self.sha256[..8]);
        Err(damaged(&folder.join("matrix.f32"), message))
    }

    fn seal(&self) -> String {
        sha256_hex(&serde_json::to_vec(self).expect("an entry is plain data"))
    }
}

/// Computes the hash of the matrix. The file is mapped because it may be larger than the memory.
fn hash_of_matrix(folder: &Path) -> Result<String, FeatureError> {
    let path = folder.join("matrix.f32");
    let matrix = Matrix::map(&path).map_err(|source| io(&path, source))?;
    Ok(sha256_hex(bytemuck::cast_slice(matrix.as_slice())))
}
