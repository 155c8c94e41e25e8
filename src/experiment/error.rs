//! What can go wrong with a run.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::dataset::DatasetError;
use crate::features::FeatureError;
use crate::model::ModelError;
use crate::record::StoreError;
use crate::split::SplitError;

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The dataset is not there, or has changed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The dataset lacks what the split goes by.
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
    #[error("{0}")]
    Process(String),
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

/// Turns a panic into an error, so that the other runs go on.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(RunError::Panic(text.unwrap_or_else(|| "without a message".to_owned())))
    })
}
