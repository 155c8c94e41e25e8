//! Skipped data, by name.

use serde::{Deserialize, Serialize};

/// A skipped track, or dropped rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Excluded {
    /// The name of the track, or the number of rows.
    pub name: String,
    /// The reason.
    pub reason: String,
}
