//! What can go wrong with a fetch.

use std::io;
use std::path::{Path, PathBuf};

use super::readable;

/// Errors of a download. The bytes so far are kept.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It was asked to stop.
    #[error("stopped: {} are saved in {}; the same command resumes", readable(*n), path.display())]
    Stopped {
        /// Number of bytes present.
        n: u64,
        /// Their folder.
        path: PathBuf,
    },
    /// No address gave the file.
    #[error("no address delivers {file}\n{}", lines(reasons))]
    Unreachable {
        /// Its name.
        file: String,
        /// Every address, and why not.
        reasons: Vec<(String, String)>,
    },
    /// The disk is too small.
    #[error(
        "{}: {} needed for {what}, {} free\nhint: free some space, or choose another folder with --to",
        path.display(), readable(*needed), readable(*free)
    )]
    Space {
        /// Where.
        path: PathBuf,
        /// What for.
        what: String,
        /// Bytes, at least.
        needed: u64,
        /// Bytes.
        free: u64,
    },
    /// An archive is damaged, or holds what no archive may.
    #[error("{path}: {message}; nothing is unpacked")]
    Archive {
        /// Its path.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The folder holds something else.
    #[error("{path}: {message}\nhint: choose another folder with --to, or remove this one")]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        message: String,
    },
    /// A file or folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// For `map_err`: a failure at a path.
pub(super) fn io(path: &Path, source: io::Error) -> FetchError {
    FetchError::Io { path: path.to_owned(), source }
}

fn lines(reasons: &[(String, String)]) -> String {
    let line = |(url, reason): &(String, String)| format!("  {url}: {reason}");
    reasons.iter().map(line).collect::<Vec<_>>().join("\n")
}
