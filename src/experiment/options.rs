//! What the command line adds to a spec.

use serde::{Deserialize, Serialize};

use crate::dataset::Cut;
use crate::model::Device;
use crate::record::{OfSearch, PartOfSearch};
use crate::schema::{Faults, Tree};

/// What the command line adds to a spec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// `key=value` overrides.
    pub set: Vec<String>,
    /// Keys and list items that are removed, after the overrides and in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Which dataset to use.
    pub data: DataChoice,
    /// Seeds instead of the spec's.
    pub seeds: Option<Vec<u64>>,
    /// How to shorten the run.
    pub shrink: Shrink,
    /// Where nets are computed.
    pub device: Device,
    /// The search that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<OfSearch>,
}

impl Options {
    /// Whether the run's test examples are withheld.
    #[must_use]
    pub(super) fn is_trial(&self) -> bool {
        self.search.as_ref().is_some_and(OfSearch::is_trial)
    }

    /// The number of the run's trial.
    pub(super) fn trial_number(&self) -> Option<usize> {
        match &self.search {
            Some(OfSearch { part: PartOfSearch::Trial { number, .. }, .. }) => Some(*number),
            _ => None,
        }
    }

    /// The epoch after which the run ends, if that is not its last one.
    pub(super) fn until(&self) -> Option<usize> {
        match &self.search {
            Some(OfSearch { part: PartOfSearch::Trial { until, .. }, .. }) => *until,
            _ => None,
        }
    }

    /// What the command line changes of the spec, in words: the overrides, and `unset KEY`.
    pub(super) fn changes(&self) -> Vec<String> {
        let unset = self.unset.iter().map(|key| format!("unset {key}"));
        self.set.iter().cloned().chain(unset).collect()
    }

    /// Lays the overrides over a spec. Returns the change and the top-level key of each.
    pub(super) fn change(&self, tree: &mut Tree) -> Result<Vec<(String, String)>, Faults> {
        let mut changed = vec![];
        for assignment in &self.set {
            changed.push((format!("set {assignment}"), tree.set(assignment)?));
        }
        for key in &self.unset {
            changed.push((format!("unset {key}"), tree.unset(key)?));
        }
        Ok(changed)
    }
}

/// Which dataset a run uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataChoice {
    /// The spec's dataset if it is available, else its embedded stand-in.
    #[default]
    Auto,
    /// The embedded stand-in.
    Embedded,
    /// This one.
    Named(String),
}

/// How a run is smaller than its spec asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shrink {
    /// At most so many epochs.
    pub max_epochs: Option<usize>,
    /// At most so many of the spec's seeds.
    pub max_seeds: Option<usize>,
    /// A smaller embedded corpus.
    pub data: Cut,
}
