//! What can go wrong while features are computed.

use super::ExtractError;
use crate::dataset::DatasetError;

/// An error while computing features.
#[derive(Debug, thiserror::Error)]
pub enum FeatureError {
    /// The dataset failed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The cache can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: std::path::PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file of the cache is damaged.
    #[error("{path}: {message}")]
    Damaged {
        /// The file.
        path: std::path::PathBuf,
        /// The fault.
        message: String,
    },
    /// Stopped by the observer; finished shards are kept.
    #[error("stopped while features were computed")]
    Stopped,
    /// The features of a track can't be computed.
    #[error("{track}, {source}")]
    Track {
        /// The track.
        track: String,
        /// The segment and the reason.
        source: ExtractError,
    },
    /// Features and dataset are of different kinds, or a column is missing.
    #[error("{0}")]
    Mismatch(String),
}
