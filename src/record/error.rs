//! Errors with files of runs.

use std::path::{Path, PathBuf};

use crate::disk;

/// An error with the files of a run.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// Tags and note of a run can't be read.
    #[error(
        "{path}: is damaged: {message}\nhint: repair or delete this file; it holds tags and note only"
    )]
    Notes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file of a run is not what was written, or is missing.
    #[error(
        "{path}: {message}\nhint: copy {} again, or delete it and run the experiment again",
        folder.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The run's folder.
        folder: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file that was packed is not what was packed.
    #[error(
        "{path}: {message}\nhint: copy the file again, or pack it again: encore capsule RUN -o FILE"
    )]
    Changed {
        /// The capsule.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A file that should be a capsule is something else, or lacks its end.
    #[error(
        "{path}: is not a capsule or is cut off: it does not end with a seal\n\
         hint: copy the file again, or pack it again: encore capsule RUN -o FILE"
    )]
    NoCapsule {
        /// Which one.
        path: PathBuf,
    },
    /// A file was written by a newer version of encore. It is never replaced.
    #[error("{path}: {message}\nhint: use the newer encore; this one leaves the file as it is")]
    Newer {
        /// Which one.
        path: PathBuf,
        /// How that shows.
        message: String,
    },
    /// The folder of all runs can't be read, e.g. because its disk is not mounted.
    #[error(
        "{path}: {message}\nhint: connect the disk that holds the runs, or remove the link; nothing was written"
    )]
    Unavailable {
        /// The folder.
        path: PathBuf,
        /// The error of the operating system, or where a link leads.
        message: String,
    },
}

impl StoreError {
    /// A file of a run that is not what was written.
    pub(super) fn damaged(folder: &Path, name: &str, message: impl Into<String>) -> Self {
        let (path, folder) = (folder.join(name), folder.to_owned());
        Self::Damaged { path, folder, message: message.into() }
    }
}

/// Calls [`disk::write_whole`] and converts its error.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    disk::write_whole(path, bytes).map_err(|source| io(path, source))
}

pub(super) fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}
