//! Errors with hints.

use std::path::{Path, PathBuf};

use super::clock::{date, duration};
use crate::table::TableError;

/// Errors of a collection.
#[derive(Debug, thiserror::Error)]
pub enum SpotifyError {
    /// An argument, the credentials or file permissions are wrong.
    #[error("{0}")]
    Usage(String),
    /// An endpoint is closed; the text has the reason and an alternative.
    #[error("{0}")]
    Closed(String),
    /// An unexpected response, or a permanent refusal.
    #[error("{endpoint}: {message}")]
    Answer {
        /// Which endpoint.
        endpoint: String,
        /// The field, the expected value and the found one.
        message: String,
    },
    /// No complete response after all retries.
    #[error(
        "{endpoint}: no answer after {n_attempts} attempts: {last}\nhint: all responses are saved; run the same \
         command again later"
    )]
    Unreachable {
        /// Which endpoint.
        endpoint: String,
        /// How often it was asked.
        n_attempts: usize,
        /// What came of the last attempt.
        last: String,
    },
    /// The service asks to come back later than one waits for.
    #[error(
        "{endpoint}: asked to retry at {}, in {}{}; all responses are saved\nhint: run the same command again then",
        date(*.until_s),
        duration(*.wait_s),
        reason(.why)
    )]
    Later {
        /// Which endpoint.
        endpoint: String,
        /// When, in seconds since 1970.
        until_s: u64,
        /// How long that is from now on, in seconds.
        wait_s: u64,
        /// The status and what the service wrote; empty where an earlier process was told.
        why: String,
    },
    /// The playlist is another one than at the start.
    #[error("{0}")]
    Changed(String),
    /// The journal can't be continued.
    #[error("{path}: {message}")]
    Journal {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// Nothing is left to make a table of.
    #[error("{0}")]
    Empty(String),
    /// Ctrl-C or a signal.
    #[error("stopped; all responses are saved and the same command resumes")]
    Stopped,
    /// A file can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The table can't be written.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// ` (status 429 too many requests)`
fn reason(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(" ({why})") }
}

impl SpotifyError {
    pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        |source| Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn answer(endpoint: &str, message: String) -> Self {
        Self::Answer { endpoint: endpoint.to_owned(), message }
    }
}
