//! Dataset + settings -> one matrix of examples, made once and found again by content hash.
//!
//! Audio is cut into segments and every segment becomes one row; rows of a table become rows. The
//! matrix of an audio dataset is cached on disk ([`Cache`]) and memory-mapped. This room must never know a model.
//!
//! To add a feature: one file with an `ENTRY`, and one line in [`AUDIO_FEATURES`].

mod cache;
mod extractor;
mod matrix;
mod mfcc;
mod mfcc_statistics;
mod segments;
mod table;

pub use cache::{Cache, Content, Item, Recipe, Removed};
pub use extractor::{Extractor, Walked};
pub use matrix::Matrix;
pub use segments::Segments;
pub use table::TableColumns;

use crate::dataset::{Data, DatasetError, Kind};
use crate::record::Excluded;
use crate::schema::Fields;
use crate::vocab::ExampleId;

/// Every feature of audio segments that a spec can name.
pub static AUDIO_FEATURES: &[Entry] = &[mfcc::ENTRY, mfcc_statistics::ENTRY];

/// A feature's line in the list: `[features.NAME]` in a spec.
pub struct Entry {
    /// The name in specs, lower case.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// Reads its table; the sample rate is in hertz.
    pub read: fn(&mut Fields, u32) -> Box<dyn AudioFeature>,
}

/// A checked feature of audio segments.
pub trait AudioFeature: Send + Sync {
    /// The shape of one example from a segment of so many samples, e.g. `[130, 13]`.
    fn shape(&self, n_samples: usize) -> Vec<usize>;

    /// Whether a piece of so many samples gives an example as good as a whole segment's.
    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.shape(n_samples) == self.shape(whole)
    }

    /// A worker with buffers of its own, for one thread.
    fn worker(&self) -> Box<dyn Worker + '_>;
}

/// Computes one feature, segment by segment.
pub trait Worker {
    /// Fills `out`, as long as the feature's shape says, from a segment's samples in `[-1, 1]`.
    fn compute(&mut self, samples: &[f32], out: &mut [f32]);
}

/// What a spec asks for as examples.
pub enum Features {
    /// A feature of every segment.
    Audio {
        /// How tracks are cut.
        segments: Segments,
        /// What is computed of a segment.
        feature: Box<dyn AudioFeature>,
        /// The settings as they were understood: part of the cache's key.
        settings: serde_json::Value,
    },
    /// Columns of a table.
    Table(TableColumns),
}

/// The examples of one dataset.
pub struct Examples {
    /// The numbers, row-major, `[ids.len(), product of shape]`.
    pub matrix: Matrix,
    /// The shape of one example.
    pub shape: Vec<usize>,
    /// Where every row comes from.
    pub ids: Vec<ExampleId>,
    /// The class of every row.
    pub labels: Vec<usize>,
    /// The classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// SHA-256 of dataset, settings and extractor version.
    pub hash: String,
    /// Segments that were kept out, and why; those of the dataset are not repeated.
    pub excluded: Vec<Excluded>,
}

/// What is told while features are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// So many tracks are done, those that were found as done among them.
    Tracks {
        /// Done.
        n_done: usize,
        /// In all.
        n_tracks: usize,
    },
    /// Other processes are at all that is left.
    Waiting,
    /// Something that a user should know, e.g. that an entry of the cache was damaged.
    Note(String),
}

/// Told of every step; says whether to go on.
pub type Watch<'a> = dyn Fn(Step) -> bool + Sync + 'a;

/// What can go wrong in making features.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// The dataset failed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The cache can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file of the cache is there and is not what was written.
    #[error("{path}: {message}")]
    Damaged {
        /// Which one.
        path: std::path::PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Whoever watched asked to stop; what was made stays, and is gone on from.
    #[error("stopped while features were made")]
    Stopped,
    /// Features and dataset are of different kinds, or a column is missing.
    #[error("{0}")]
    Mismatch(String),
}

impl Features {
    /// Reads `[segments]` and `[features.NAME]` of a spec, as the dataset's kind wants them.
    ///
    /// Returns nothing where a fault was reported.
    pub fn read(fields: &mut Fields, kind: Kind) -> Option<Self> {
        match kind {
            Kind::Table => {
                if fields.is_given("segments") {
                    fields.fault_at("segments", "makes no sense for a dataset that is a table");
                    fields.table("segments", Segments::read);
                }
                let known = names().chain(["table"]).collect::<Vec<_>>();
                fields.choice("features", &known, |name, inner| {
                    if name == "table" {
                        return Some(Self::Table(TableColumns::read(inner)));
                    }
                    inner.fault("is a feature of audio, and the dataset is a table");
                    read_audio(name, inner, 22_050);
                    None
                })?
            }
            Kind::Audio { sample_rate_hz } => {
                let segments = fields.required_table("segments", Segments::read);
                let known = names().chain(["table"]).collect::<Vec<_>>();
                let feature = fields.choice("features", &known, |name, inner| {
                    if name == "table" {
                        inner.fault("is for tables, and the dataset is audio");
                        TableColumns::read(inner);
                        return None;
                    }
                    read_audio(name, inner, sample_rate_hz)
                });
                let (segments, feature) = (segments?, feature??);
                // The settings are filled in by `with_settings`, once the whole spec is read.
                Some(Self::Audio { segments, feature, settings: serde_json::Value::Null })
            }
        }
    }

    /// The same, with the resolved settings that key its cache.
    #[must_use]
    pub fn with_settings(self, resolved_spec: &serde_json::Value) -> Self {
        match self {
            Self::Audio { segments, feature, .. } => {
                Self::Audio { segments, feature, settings: resolved_spec["features"].clone() }
            }
            table @ Self::Table(_) => table,
        }
    }

    /// The shape of one example, from the settings alone.
    #[must_use]
    pub fn shape(&self, kind: Kind) -> Vec<usize> {
        match (self, kind) {
            (Self::Audio { segments, feature, .. }, Kind::Audio { sample_rate_hz }) => {
                feature.shape(segments.n_samples(sample_rate_hz))
            }
            (Self::Audio { .. }, Kind::Table) => vec![],
            (Self::Table(columns), _) => vec![columns.width()],
        }
    }

    /// Makes the examples of a dataset, or finds them in the cache.
    ///
    /// `watch` is not called on a cache hit.
    ///
    /// # Errors
    /// Where a recording can't be read, the cache can't be written, or a column is missing.
    pub fn examples(
        &self,
        data: &Data,
        cache: &std::path::Path,
        watch: &Watch,
    ) -> Result<Examples, FeatureError> {
        match (self, data) {
            (Self::Audio { segments, feature, settings }, Data::Audio(audio)) => {
                cache::examples(audio, *segments, feature.as_ref(), settings, cache, watch)
            }
            (Self::Table(columns), Data::Table(table)) => columns.examples(table),
            (Self::Audio { .. }, Data::Table(_)) => Err(FeatureError::Mismatch(
                "the features are of audio, and the dataset is a table".to_owned(),
            )),
            (Self::Table(_), Data::Audio(_)) => Err(FeatureError::Mismatch(
                "the features are of a table, and the dataset is audio".to_owned(),
            )),
        }
    }
}

fn names() -> impl Iterator<Item = &'static str> {
    AUDIO_FEATURES.iter().map(|entry| entry.name)
}

fn read_audio(name: &str, fields: &mut Fields, rate: u32) -> Option<Box<dyn AudioFeature>> {
    let entry = AUDIO_FEATURES.iter().find(|entry| entry.name == name)?;
    Some((entry.read)(fields, rate))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    #[test]
    fn every_feature_reads_an_empty_table_and_computes_finite_numbers() {
        let mut n_seen = 0;
        for entry in AUDIO_FEATURES {
            let tree = Tree::parse("x.toml", "").unwrap();
            let (feature, _) = read(&tree, |fields| (entry.read)(fields, 22_050)).unwrap();
            let samples: Vec<f32> =
                (0..66_150).map(|i| ((i * i) % 97) as f32 / 97.0 - 0.5).collect();
            let shape = feature.shape(samples.len());
            let mut out = vec![f32::NAN; shape.iter().product()];
            feature.worker().compute(&samples, &mut out);
            assert!(out.iter().all(|x| x.is_finite()), "{}", entry.name);
            assert!(!entry.doc.is_empty() && entry.name == entry.name.to_lowercase());
            n_seen += 1;
        }
        assert_eq!(n_seen, 2);
    }

    #[test]
    fn a_table_has_no_segments_and_audio_no_columns() {
        let text = "[segments]\nseconds = 3.0\nper_track = 10\n[features.mfcc]\n";
        let tree = Tree::parse("x.toml", text).unwrap();
        let faults = read(&tree, |fields| Features::read(fields, Kind::Table)).err().unwrap();
        assert_eq!(
            faults.to_string(),
            "x.toml:1: segments makes no sense for a dataset that is a table\n\
             x.toml:4: features.mfcc is a feature of audio, and the dataset is a table"
        );
    }
}
