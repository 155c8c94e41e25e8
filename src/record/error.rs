//! What can go wrong with files of runs.

use std::path::{Path, PathBuf};

use crate::disk;

/// What can go wrong with files of runs.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is there and is not what was written.
    #[error("{path}: {message}\nhint: run the experiment again; the run will be repeated")]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// [`disk::write_whole`] with an error of this room.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    disk::write_whole(path, bytes).map_err(|source| io(path, source))
}

pub(super) fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}
