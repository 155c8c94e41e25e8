//! What can go wrong with a run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use crate::dataset::DatasetError;
use crate::features::FeatureError;
use crate::model::ModelError;
use crate::record::StoreError;
use crate::split::SplitError;
use crate::vocab::panic_message;

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The dataset is not there, or has changed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The dataset lacks what the split goes by, or a file of weights is not what the model needs.
    #[error("{0}")]
    Incompatible(String),
    /// Features can't be made.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The examples can't be divided.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The fit failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The record can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run broke down in a way that should not be.
    #[error("the run failed: {0}")]
    Panic(String),
    /// The run's own process said what went wrong, or ended without a message.
    #[error("{message}")]
    Process {
        /// What it said.
        message: String,
        /// Whose fault it is.
        blame: Blame,
    },
    /// The split leaks, and that was forbidden.
    #[error(
        "{label}: the split leaks, which --forbid-leaks forbids: {leaks}\nhint: split by track or by group"
    )]
    Leaks {
        /// Which run.
        label: String,
        /// What leaks, in words.
        leaks: String,
    },
    /// The run was asked to stop; it is saved.
    #[error("stopped and saved; the same command resumes")]
    Stopped {
        /// The epoch that it was in; 0 before the first.
        epoch: usize,
    },
}

/// Whose fault it is that a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Blame {
    /// The program, the machine or the training.
    Program,
    /// The spec or the command line.
    Usage,
    /// The data or the records: they are missing, damaged or not what the run needs.
    Data,
}

impl RunError {
    /// Whose fault it is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::Process { blame, .. } => *blame,
            Self::Leaks { .. } | Self::Model(ModelError::NotTrusted(_)) => Blame::Usage,
            Self::Features(FeatureError::Io { .. } | FeatureError::Stopped)
            | Self::Store(StoreError::Io { .. })
            | Self::Panic(_)
            | Self::Stopped { .. } => Blame::Program,
            Self::Model(ModelError::Examples(_))
            | Self::Dataset(_)
            | Self::Incompatible(_)
            | Self::Features(_)
            | Self::Split(_)
            | Self::Store(_) => Blame::Data,
            Self::Model(_) => Blame::Program,
        }
    }

    /// A failure of a run's process that is nobody's fault but ours.
    pub(super) fn process(message: impl Into<String>) -> Self {
        Self::Process { message: message.into(), blame: Blame::Program }
    }
}

/// Turns a panic into an error, so that the other runs continue.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(RunError::Panic(panic_message(&*panic).unwrap_or("without a message").to_owned()))
    })
}
