//! Shared vocabulary: seeds and random streams, split names, example ids, targets, hashes, spelling.
//!
//! Everything here is plain data and arithmetic. This room must never do I/O.

mod dot;
mod epoch;
mod excluded;
mod hash;
mod panics;
mod registry;
mod rng;
mod scores;
mod seeds;
mod spelling;
mod targets;

pub use dot::{LANES, dot};
pub use epoch::Epoch;
pub use excluded::Excluded;
pub use hash::{Sha256, hex, sha256_hex};
pub use panics::panic_message;
pub use registry::{Named, Registry};
pub use rng::{Rng, Seed};
pub use scores::{ClassificationScores, RegressionScores, Scores, TagScores, TaggingScores};
pub use seeds::seed_range;
pub use spelling::{
    is_path_inside, is_plain_name, name_hint, nearest, quoted_list, without_controls,
};
pub use targets::{Outputs, Targets, Task};

use serde::{Deserialize, Serialize};

/// The origin of an example: a track and, for audio, a segment of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ExampleId {
    /// The labeled recording, e.g. `jazz.00012`, or a row's id in a table.
    pub track: String,
    /// Zero-based segment of the track; 0 for the rows of a table.
    pub segment: u32,
}

/// The set of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitName {
    /// Examples that the model is fitted on.
    Train,
    /// Examples that are monitored during training, never fitted on.
    Valid,
    /// Examples that are scored once, at the end.
    Test,
}

impl SplitName {
    /// All three, in the order of use.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Returns the lower-case word: `train`, `valid` or `test`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }
}

impl std::fmt::Display for SplitName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
