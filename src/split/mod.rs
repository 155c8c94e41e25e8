//! Train/validation/test protocols and the leakage audit.
//!
//! This room must never know a model or the meaning of an example's numbers.

mod audit;
mod by;
mod k_fold;
mod listed;
mod random;
mod share;

pub use audit::{Numbers, audit};
pub use by::By;
pub use k_fold::KFold;
pub use listed::Listed;
pub use random::Random;
pub use share::{describe_share, keep_share};

use std::collections::BTreeSet;

use crate::dataset::{TrackColumn, TrackColumns};
use crate::schema::Fields;
use crate::vocab::{ExampleId, Seed, Sha256, SplitName, Targets};

/// The examples to divide: their origin, what is true of them, and the columns about tracks.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    /// Track and segment of every example.
    pub ids: &'a [ExampleId],
    /// The class, tags or number of every example.
    pub targets: &'a Targets,
    /// Groups and published sets of tracks.
    pub columns: &'a TrackColumns,
}

impl<'a> Items<'a> {
    /// The track of an example; of a table's rows with one id, the id.
    fn track(&self, row: usize) -> &'a str {
        let track = &self.ids[row].track;
        self.columns.repeated_ids().get(track).unwrap_or(track)
    }

    /// One column of the tracks.
    fn column(&self, name: &str) -> Result<&'a TrackColumn, SplitError> {
        self.columns.column(name).map_err(|said| SplitError::List(format!("the dataset {said}")))
    }
}

/// The train/validation/test protocol of a spec.
#[derive(Debug, Clone, PartialEq)]
pub enum Protocol {
    /// At random, by segment, by track or by group.
    Random(Random),
    /// By published lists of tracks.
    Listed(Listed),
    /// In folds, each a separate run.
    KFold(KFold),
}

/// Rows of the examples by set, each in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Training rows.
    pub train: Vec<usize>,
    /// Validation rows.
    pub valid: Vec<usize>,
    /// Test rows.
    pub test: Vec<usize>,
    /// Notes for the reader.
    pub notes: Vec<String>,
}

/// An error while dividing examples.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// A set would be empty.
    #[error("the {set} set is empty: {why}")]
    Empty {
        /// The empty set.
        set: SplitName,
        /// The reason.
        why: String,
    },
    /// A published list or a column can't be used.
    #[error("{0}")]
    List(String),
}

impl Protocol {
    /// Reads `[split.random]`, `[split.listed]` or `[split.k_fold]`.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        fields.choice("split", &["random", "listed", "k_fold"], |name, inner| match name {
            "random" => Self::Random(Random::read(inner)),
            "k_fold" => Self::KFold(KFold::read(inner)),
            _ => Self::Listed(Listed::read(inner)),
        })
    }

    /// Divides the examples.
    ///
    /// # Errors
    /// If a requested set is empty, or a list can't be read.
    pub fn divide(&self, items: Items, seed: Seed) -> Result<Split, SplitError> {
        let mut split = match self {
            Self::Random(random) => random.divide(items, seed)?,
            Self::Listed(listed) => listed.divide(items)?,
            Self::KFold(k_fold) => k_fold.divide(items, seed)?,
        };
        for rows in [&mut split.train, &mut split.valid, &mut split.test] {
            rows.sort_unstable();
        }
        let n = items.ids.len();
        for (set, rows) in [(SplitName::Train, &split.train), (SplitName::Test, &split.test)] {
            if rows.is_empty() {
                let said: String = split.notes.iter().map(|note| format!("; {note}")).collect();
                let n_tracks = items.ids.iter().map(|id| &id.track).collect::<BTreeSet<_>>().len();
                let why = format!("{n} examples of {n_tracks} tracks, {}{said}", self.describe());
                return Err(SplitError::Empty { set, why });
            }
        }
        Ok(split)
    }

    /// Returns whether the segments of one track may get into different sets.
    #[must_use]
    pub fn divides_tracks(&self) -> bool {
        match self {
            Self::Random(random) => random.by == By::Segment,
            Self::Listed(_) => false,
            Self::KFold(k_fold) => k_fold.by == By::Segment,
        }
    }

    /// The unit that is drawn; nothing for lists.
    fn by(&self) -> Option<&By> {
        match self {
            Self::Random(random) => Some(&random.by),
            Self::Listed(_) => None,
            Self::KFold(k_fold) => Some(&k_fold.by),
        }
    }

    /// Returns whether classes or tags are to be spread evenly over the sets.
    #[must_use]
    pub fn stratifies(&self) -> bool {
        match self {
            Self::Random(random) => random.stratify,
            Self::Listed(_) => false,
            Self::KFold(k_fold) => k_fold.stratify,
        }
    }

    /// Describes the protocol.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Random(random) => random.describe(),
            Self::Listed(listed) => listed.describe(),
            Self::KFold(k_fold) => k_fold.describe(),
        }
    }

    /// Returns the number of runs that covers every fold in every repetition, seeds from 1; nothing
    /// without folds.
    #[must_use]
    pub fn n_folds(&self) -> Option<usize> {
        match self {
            Self::KFold(KFold { fold: None, k, repeats, .. }) => Some(k * repeats),
            Self::KFold(_) | Self::Random(_) | Self::Listed(_) => None,
        }
    }

    /// Returns why nothing can be chosen by the validation set; nothing if that is possible.
    #[must_use]
    pub fn no_valid(&self) -> Option<&'static str> {
        let none = "there is no validation set";
        match self {
            Self::Random(random) if random.watch_test => Some("the validation set is the test set"),
            Self::Random(random) => (random.valid == 0.0).then_some(none),
            Self::Listed(listed) => (!listed.has_valid()).then_some(none),
            Self::KFold(k_fold) => (k_fold.valid == 0.0).then_some(none),
        }
    }

    /// Returns the columns of tracks that it uses, each with the field that names it.
    #[must_use]
    pub fn columns(&self) -> Vec<(&'static str, &str)> {
        let named = match self {
            Self::Random(random) => vec![("random.group", random.by.column())],
            Self::Listed(listed) => vec![("listed.column", listed.column())],
            Self::KFold(k_fold) => vec![
                ("k_fold.group", k_fold.by.column()),
                ("k_fold.column", k_fold.column.as_deref()),
            ],
        };
        named.into_iter().filter_map(|(field, column)| Some((field, column?))).collect()
    }

    /// Returns the column of groups in which to search for leaks: the one that stays together,
    /// otherwise `artist` if it is known.
    #[must_use]
    pub fn group(&self, columns: &TrackColumns) -> Option<&str> {
        let by = self.by().and_then(By::column);
        by.or_else(|| columns.column("artist").is_ok().then_some("artist"))
    }

    /// Returns the SHA-256 of the columns or files that it uses, which is part of a run's hash;
    /// nothing if it uses none.
    #[must_use]
    pub fn sources_hash(&self, columns: &TrackColumns) -> Option<String> {
        let mut hashes: Vec<String> =
            self.columns().into_iter().map(|(_, column)| columns.hash(column)).collect();
        if let Self::Listed(listed) = self {
            hashes.extend(listed.files_hash());
        }
        if let Self::Random(Random { by: By::Track, .. })
        | Self::KFold(KFold { by: By::Track, .. }) = self
        {
            hashes.extend(columns.repeated_ids_hash());
        }
        (!hashes.is_empty()).then(|| hashes.iter().fold(Sha256::new(), Sha256::piece).hex())
    }
}

impl Split {
    /// Returns the number of tracks that the test examples come from.
    #[must_use]
    pub fn n_test_tracks(&self, items: Items) -> usize {
        self.test.iter().map(|&row| items.track(row)).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::record::LeakKind;

    /// Owned items for tests: `tracks` tracks per class with `segments` segments each.
    pub(crate) struct Owned {
        pub ids: Vec<ExampleId>,
        pub targets: Targets,
        pub columns: TrackColumns,
    }

    impl Owned {
        pub(crate) fn items(&self) -> Items<'_> {
            Items { ids: &self.ids, targets: &self.targets, columns: &self.columns }
        }
    }

    /// Counts test examples whose track was also seen, as the audit does.
    pub(crate) fn n_leaking(split: &Split, items: Items) -> usize {
        let values: Vec<f32> = (0..items.ids.len()).map(|row| row as f32).collect();
        let audit = audit(split, items, Numbers { values: &values, shape: &[1] }, None);
        audit.n_test(LeakKind::SameTrack)
    }

    pub(crate) fn examples(classes: usize, tracks: usize, segments: u32) -> Owned {
        let columns = TrackColumns::default();
        let (mut ids, mut labels) = (vec![], vec![]);
        for class in 0..classes {
            for track in 0..tracks {
                for segment in 0..segments {
                    ids.push(ExampleId { track: format!("c{class}.{track}"), segment });
                    labels.push(class);
                }
            }
        }
        Owned { ids, targets: Targets::Classes(labels), columns }
    }

    #[test]
    fn a_leak_is_a_test_segment_whose_track_was_seen() {
        let owned = examples(1, 2, 2);
        let items = owned.items();
        let split = |train: &[usize], test: &[usize]| Split {
            train: train.to_vec(),
            valid: vec![],
            test: test.to_vec(),
            notes: vec![],
        };
        assert_eq!(n_leaking(&split(&[0, 1], &[2, 3]), items), 0);
        assert_eq!(n_leaking(&split(&[0, 2], &[1, 3]), items), 2);
        assert_eq!(split(&[0, 2], &[1, 3]).n_test_tracks(items), 2);
        assert_eq!(n_leaking(&split(&[0], &[1, 2, 3]), items), 1);
    }
}
