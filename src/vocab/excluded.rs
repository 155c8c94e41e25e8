//! Data that are left out, by name.

use serde::{Deserialize, Serialize};

/// A track, or rows, that were skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Excluded {
    /// The track, or a count of rows.
    pub name: String,
    /// Why.
    pub reason: String,
}
