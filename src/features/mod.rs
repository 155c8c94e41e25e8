//! Features: a dataset and settings give one matrix of examples, cached by content hash.
//!
//! Audio is cut into segments and every segment becomes one row; rows of a table become rows. The
//! matrix of an audio dataset is cached on disk ([`Cache`]) and memory-mapped. This room must never know a model.
//!
//! To add a feature, write a file with an `ENTRY` and add a line to [`AUDIO_FEATURES`]. A program
//! that uses encore as a library calls [`register`] instead.

mod array;
mod band_statistics;
mod cache;
mod error;
mod extractor;
mod log_mel;
mod matrix;
mod mfcc;
mod mfcc_statistics;
mod onnx;
mod segments;
mod spectra;
mod statistics;
mod stft;
mod table;

pub use array::ArrayChoice;
pub use band_statistics::BandSummary;
pub use cache::{Cache, Content, Item, Recipe, Removed};
pub use error::FeatureError;
pub use extractor::{ExtractError, Extractor, Walked};
pub use matrix::Matrix;
pub use mfcc_statistics::MfccStatistics;
pub use segments::Segments;
pub use statistics::{Part, Statistics};
pub use stft::{Scale, Spectrogram};
pub use table::{MissingNumbers, Selection, TableColumns};

use std::path::Path;

use crate::dataset::{Data, Kind};
use crate::schema::Fields;
use crate::vocab::Excluded;
use crate::vocab::{ExampleId, Named, Registry, Targets};

/// Every feature of audio segments that a spec can name.
pub static AUDIO_FEATURES: &[Entry] = &[
    mfcc::ENTRY,
    mfcc_statistics::ENTRY,
    log_mel::ENTRY,
    stft::ENTRY,
    statistics::ENTRY,
    band_statistics::ENTRY,
];

/// The entry of a feature in the list: `[features.NAME]` in a spec.
pub struct Entry {
    /// The name in specs, lower case.
    pub name: &'static str,
    /// One-sentence description.
    pub doc: &'static str,
    /// Reads the table; the sample rate is in hertz.
    pub read: fn(&mut Fields, u32) -> Box<dyn AudioFeature>,
}

impl Named for Entry {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// The features that are not of the list: they need more than a table of settings and a sample rate.
const OTHERS: [&str; 3] = ["table", "array", "onnx"];

static REGISTRY: Registry<Entry> = Registry::new(AUDIO_FEATURES);

/// Makes your own feature known to this process: specs can then contain `[features.NAME]`.
///
/// The cache finds features by their name and settings, not by their code. Put a version into the
/// settings, and raise it when the code changes.
///
/// # Errors
/// If the name is taken or is not a plain name.
pub fn register(entry: &'static Entry) -> Result<(), String> {
    if OTHERS.contains(&entry.name) {
        return Err(format!("the name `{}` is already taken", entry.name));
    }
    REGISTRY.add(entry)
}

/// A checked feature of audio segments.
pub trait AudioFeature: Send + Sync {
    /// Returns the shape of an example from a segment with `n` samples, e.g. `[130, 13]`.
    fn shape(&self, n_samples: usize) -> Vec<usize>;

    /// Returns whether a segment with `n_samples` gives an example as complete as that of a whole
    /// segment.
    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.shape(n_samples) == self.shape(whole)
    }

    /// Number of frames of a piece of so many samples; nothing if the feature has no frames.
    fn n_frames(&self, _n_samples: usize) -> Option<usize> {
        None
    }

    /// Whether the second axis of an example, after the frames, is frequency.
    fn has_bands(&self) -> bool {
        true
    }

    /// What a reader should know of the settings although they are valid.
    fn warnings(&self) -> Vec<String> {
        vec![]
    }

    /// The names of an example's numbers, where each has a meaning of its own; else none.
    fn column_names(&self) -> Vec<String> {
        vec![]
    }

    /// Creates a worker with separate buffers, for one thread.
    fn worker(&self) -> Box<dyn Worker + '_>;
}

/// Computes one feature, segment by segment.
pub trait Worker {
    /// Fills `out`, whose length follows from the feature's shape, from a segment's samples in
    /// `[-1, 1]`.
    fn compute(&mut self, samples: &[f32], out: &mut [f32]);

    /// As [`Self::compute`], for features that can fail.
    ///
    /// # Errors
    /// The reason, in one line.
    fn try_compute(&mut self, samples: &[f32], out: &mut [f32]) -> Result<(), String> {
        self.compute(samples, out);
        Ok(())
    }
}

impl<F: FnMut(&[f32], &mut [f32])> Worker for F {
    fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        self(samples, out);
    }
}

/// The features that a spec requests.
pub enum Features {
    /// A feature of every segment.
    Audio {
        /// How tracks are divided.
        segments: Segments,
        /// The feature of a segment.
        feature: Box<dyn AudioFeature>,
        /// The resolved settings: part of the cache's key.
        settings: serde_json::Value,
    },
    /// Columns of a table.
    Table(TableColumns),
    /// Rows of an array.
    Array(ArrayChoice),
}

/// The examples of one dataset.
pub struct Examples {
    /// The numbers, row-major, `[ids.len(), product of shape]`.
    pub matrix: Matrix,
    /// The shape of one example.
    pub shape: Vec<usize>,
    /// The origin of every row.
    pub ids: Vec<ExampleId>,
    /// What is true of every row.
    pub targets: Targets,
    /// The classes or tags in the order of their numbers, or the name of the number.
    pub classes: Vec<String>,
    /// SHA-256 of dataset, settings and extractor version.
    pub hash: String,
    /// Skipped tracks and segments with reasons, tracks without any segment first; those of the dataset are
    /// not repeated.
    pub excluded: Vec<Excluded>,
    /// How many of the first entries of `excluded` are tracks without any segment.
    pub n_tracks_without: usize,
}

impl Examples {
    /// Returns some of the examples, by ascending row. Nothing is copied if they are all of them.
    #[must_use]
    pub fn keep(self, rows: &[usize]) -> Self {
        let n = self.ids.len();
        if rows.len() == n {
            return self;
        }
        let width: usize = self.shape.iter().product();
        let values = self.matrix.as_slice();
        let kept = rows.iter().flat_map(|&row| &values[row * width..][..width]).copied().collect();
        let n_outputs = self.classes.len();
        Self {
            matrix: Matrix::Owned(kept),
            ids: rows.iter().map(|&row| self.ids[row].clone()).collect(),
            targets: self.targets.of_rows(rows, n_outputs),
            ..self
        }
    }
}

/// Progress of feature extraction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The number of finished tracks, including those found finished.
    Tracks {
        /// Finished tracks.
        n_done: usize,
        /// All tracks.
        n_tracks: usize,
    },
    /// Other processes are computing all remaining tracks.
    Waiting,
    /// A note for the user, e.g. that an entry of the cache was damaged.
    Note(String),
}

/// Receives every step and returns whether to continue.
pub type OnStep<'a> = dyn Fn(Step) -> bool + Sync + 'a;

impl Features {
    /// Reads `[segments]` and `[features.NAME]` of a spec for a kind of dataset. Files that it names are in the
    /// folder `project`.
    ///
    /// Returns nothing if a fault was reported.
    pub fn read(fields: &mut Fields, kind: Kind, project: &Path) -> Option<Self> {
        let segments = match kind {
            Kind::Audio { .. } => fields.required_table("segments", Segments::read),
            Kind::Table | Kind::Arrays(_) => {
                if fields.is_given("segments") {
                    let said = format!("applies to audio, but the dataset is {}", a_kind(kind));
                    fields.fault_at("segments", &said);
                    fields.table("segments", Segments::read);
                }
                None
            }
        };
        let known = names().chain(OTHERS).collect::<Vec<_>>();
        fields.choice("features", &known, |name, inner| match (name, kind) {
            ("table", Kind::Table) => Some(Self::Table(TableColumns::read(inner))),
            ("array", Kind::Arrays(arrays)) => Some(Self::Array(ArrayChoice::read(inner, arrays)?)),
            ("band_statistics", Kind::Arrays(arrays)) => {
                Some(Self::Array(ArrayChoice::read_statistics(inner, arrays)?))
            }
            ("table", _) => {
                inner.fault(&format!("applies to tables, but the dataset is {}", a_kind(kind)));
                TableColumns::read(inner);
                None
            }
            ("array", _) => {
                inner.fault(&format!("applies to arrays, but the dataset is {}", a_kind(kind)));
                ArrayChoice::read(inner, &[]);
                None
            }
            ("onnx", Kind::Audio { sample_rate_hz }) => {
                let place = |segments| onnx::Place { project, sample_rate_hz, segments };
                let feature = Box::new(onnx::read(inner, segments.map(place).as_ref())?);
                let settings = serde_json::Value::Null;
                Some(Self::Audio { segments: segments?, feature, settings })
            }
            ("onnx", _) => {
                inner.fault(&format!("applies to audio, but the dataset is {}", a_kind(kind)));
                onnx::read(inner, None);
                None
            }
            (name, Kind::Audio { sample_rate_hz }) => {
                let (segments, feature) = (segments, read_audio(name, inner, sample_rate_hz)?);
                if let Some(segments) = segments {
                    let n = segments.n_samples(sample_rate_hz);
                    spectra::check_frames(inner, feature.n_frames(n), segments, n);
                }
                // The settings are filled in by `with_settings`, once the whole spec is read.
                let settings = serde_json::Value::Null;
                Some(Self::Audio { segments: segments?, feature, settings })
            }
            (name, _) => {
                let said = format!("applies to audio, but the dataset is {}", a_kind(kind));
                inner.fault(&said);
                read_audio(name, inner, 22_050);
                None
            }
        })?
    }

    /// What a reader should know of the settings although they are valid.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        match self {
            Self::Audio { feature, .. } => feature.warnings(),
            Self::Table(_) | Self::Array(_) => vec![],
        }
    }

    /// The same, with the resolved settings that key its cache.
    #[must_use]
    pub fn with_settings(self, resolved_spec: &serde_json::Value) -> Self {
        match self {
            Self::Audio { segments, feature, .. } => {
                Self::Audio { segments, feature, settings: resolved_spec["features"].clone() }
            }
            Self::Array(array) => Self::Array(array.with_settings(&resolved_spec["features"])),
            other @ Self::Table(_) => other,
        }
    }

    /// Selects rows of a table; other kinds of features stay the same.
    #[must_use]
    pub fn of(self, selection: Selection) -> Self {
        match self {
            Self::Table(columns) => Self::Table(columns.of(selection)),
            other @ (Self::Audio { .. } | Self::Array(_)) => other,
        }
    }

    /// Returns the shape of one example, from the settings alone.
    #[must_use]
    pub fn shape(&self, kind: Kind) -> Vec<usize> {
        match (self, kind) {
            (Self::Audio { segments, feature, .. }, Kind::Audio { sample_rate_hz }) => {
                feature.shape(segments.n_samples(sample_rate_hz))
            }
            (Self::Audio { .. }, Kind::Table | Kind::Arrays(_)) => vec![],
            (Self::Table(columns), _) => vec![columns.width()],
            (Self::Array(array), _) => array.shape(),
        }
    }

    /// Whether the second axis of an example is frequency. Nothing is known of arrays: they are taken to have
    /// bands if they have two axes.
    #[must_use]
    pub fn has_bands(&self) -> bool {
        match self {
            Self::Audio { feature, .. } => feature.has_bands(),
            Self::Table(_) => false,
            Self::Array(array) => array.shape().len() > 1,
        }
    }

    /// Computes the examples of a dataset, or loads them from the cache.
    ///
    /// On a cache hit, `watch` is not called.
    ///
    /// # Errors
    /// If a recording can't be read, the cache can't be written, or a column is missing.
    pub fn examples(
        &self,
        data: &Data,
        cache: &Path,
        watch: &OnStep,
    ) -> Result<Examples, FeatureError> {
        match (self, data) {
            (Self::Audio { segments, feature, settings }, Data::Audio(audio)) => {
                cache::examples(audio, *segments, feature.as_ref(), settings, cache, watch)
            }
            (Self::Table(columns), Data::Table(table)) => columns.examples(table),
            (Self::Array(array), Data::Arrays(arrays)) => array.examples(arrays),
            (features, data) => {
                let features = match features {
                    Self::Audio { .. } => "audio",
                    Self::Table(_) => "a table",
                    Self::Array(_) => "arrays",
                };
                let data = match data {
                    Data::Audio(_) => "audio",
                    Data::Table(_) => "a table",
                    Data::Arrays(_) => "arrays",
                };
                let said = format!("the features apply to {features}, but the dataset is {data}");
                Err(FeatureError::Mismatch(said))
            }
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    REGISTRY.all().into_iter().map(|entry| entry.name)
}

fn a_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio { .. } => "audio",
        Kind::Table => "a table",
        Kind::Arrays(_) => "arrays",
    }
}

fn read_audio(name: &str, fields: &mut Fields, rate: u32) -> Option<Box<dyn AudioFeature>> {
    Some((REGISTRY.find(name)?.read)(fields, rate))
}

#[cfg(test)]
mod tests;
