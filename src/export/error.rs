//! What can go wrong with an export.

use std::path::{Path, PathBuf};

use crate::record::StoreError;
use crate::report::ReportError;

/// The reason why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A run can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A figure can't be drawn, or a record contradicts itself.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A file can't be written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A server does not do what it is asked.
    #[error("{address}: {message}\nhint: {hint}")]
    Server {
        /// The address that was asked.
        address: String,
        /// What it said.
        message: String,
        /// What to do.
        hint: &'static str,
    },
    /// The export was stopped; what is there is whole.
    #[error("stopped")]
    Stopped,
}

/// An error about a file.
pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> ExportError + '_ {
    move |source| ExportError::Io { path: path.to_owned(), source }
}
