//! Which example serves for fitting, watching and scoring.
//!
//! This room must never know a model, or what the numbers of an example mean.

mod audit;
mod listed;
mod random;

pub use audit::{Numbers, audit};
pub use listed::Listed;
pub use random::{By, Random};

use std::collections::BTreeSet;

use crate::schema::Fields;
use crate::vocab::{ExampleId, Seed, SplitName};

/// What is divided: where every example comes from, and its class.
#[derive(Debug, Clone, Copy)]
pub struct Items<'a> {
    /// Track and segment of every example.
    pub ids: &'a [ExampleId],
    /// Class of every example.
    pub labels: &'a [usize],
}

/// How a spec divides its examples.
#[derive(Debug, Clone, PartialEq)]
pub enum Protocol {
    /// At random, by segment or by track.
    Random(Random),
    /// As published lists of tracks say.
    Listed(Listed),
}

/// Rows of the examples, by what they serve for; each in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Fitted on.
    pub train: Vec<usize>,
    /// Watched.
    pub valid: Vec<usize>,
    /// Scored.
    pub test: Vec<usize>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// What can go wrong in dividing examples.
#[derive(Debug, thiserror::Error)]
pub enum SplitError {
    /// A set would be empty.
    #[error("the {set} set is empty: {why}")]
    Empty {
        /// Which one.
        set: SplitName,
        /// How that came.
        why: String,
    },
    /// A published list can't be used.
    #[error("{0}")]
    List(String),
}

impl Protocol {
    /// Reads `[split.random]` or `[split.listed]`.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        fields.choice("split", &["random", "listed"], |name, inner| match name {
            "random" => Self::Random(Random::read(inner)),
            _ => Self::Listed(Listed::read(inner)),
        })
    }

    /// Divides the examples.
    ///
    /// # Errors
    /// Where a set that is asked for stays empty, or a list can't be read.
    pub fn divide(&self, items: Items, seed: Seed) -> Result<Split, SplitError> {
        let mut split = match self {
            Self::Random(random) => random.divide(items, seed),
            Self::Listed(listed) => listed.divide(items)?,
        };
        for rows in [&mut split.train, &mut split.valid, &mut split.test] {
            rows.sort_unstable();
        }
        let n = items.ids.len();
        for (set, rows) in [(SplitName::Train, &split.train), (SplitName::Test, &split.test)] {
            if rows.is_empty() {
                let why = format!("{n} examples, {}", self.describe());
                return Err(SplitError::Empty { set, why });
            }
        }
        Ok(split)
    }

    /// The protocol in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Random(random) => random.describe(),
            Self::Listed(listed) => listed.describe(),
        }
    }
}

impl Split {
    /// How many test examples come from a track that also has training or validation examples.
    #[must_use]
    pub fn n_leaking(&self, items: Items) -> usize {
        let track = |&row: &usize| items.ids[row].track.as_str();
        let test: BTreeSet<usize> = self.test.iter().copied().collect();
        // Where the test set is also watched, it does not leak into itself.
        let seen = self.train.iter().chain(&self.valid).filter(|row| !test.contains(row));
        let seen: BTreeSet<&str> = seen.map(track).collect();
        self.test.iter().filter(|row| seen.contains(track(row))).count()
    }

    /// How many tracks the test examples come from.
    #[must_use]
    pub fn n_test_tracks(&self, items: Items) -> usize {
        self.test.iter().map(|&row| &items.ids[row].track).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Owned items for tests: `tracks` tracks a class with `segments` segments each.
    pub(crate) struct Owned {
        pub ids: Vec<ExampleId>,
        pub labels: Vec<usize>,
    }

    impl Owned {
        pub(crate) fn items(&self) -> Items<'_> {
            Items { ids: &self.ids, labels: &self.labels }
        }
    }

    pub(crate) fn examples(classes: usize, tracks: usize, segments: u32) -> Owned {
        let mut owned = Owned { ids: vec![], labels: vec![] };
        for class in 0..classes {
            for track in 0..tracks {
                for segment in 0..segments {
                    owned.ids.push(ExampleId { track: format!("c{class}.{track}"), segment });
                    owned.labels.push(class);
                }
            }
        }
        owned
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
        assert_eq!(split(&[0, 1], &[2, 3]).n_leaking(items), 0);
        assert_eq!(split(&[0, 2], &[1, 3]).n_leaking(items), 2);
        assert_eq!(split(&[0, 2], &[1, 3]).n_test_tracks(items), 2);
        assert_eq!(split(&[0], &[1, 2, 3]).n_leaking(items), 1);
    }
}
