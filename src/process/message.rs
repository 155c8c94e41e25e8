//! What a supervisor is told, and what it says.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Access;

/// What to start, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    /// The program and its arguments; the program is looked up in `PATH` unless it contains a slash.
    pub run: Vec<String>,
    /// The folder that it is started in.
    pub folder: PathBuf,
    /// Environment variables that are set; those in [`Order::unset`] are removed before.
    pub set: Vec<(String, String)>,
    /// Environment variables that the program does not get.
    pub unset: Vec<String>,
    /// The file that its output is appended to.
    pub log: PathBuf,
    /// Bytes of output that are kept at most.
    pub max_log_bytes: u64,
    /// What it may read and write.
    pub access: Access,
}

/// A line of a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// The program runs.
    Started {
        /// Its process number.
        process: u32,
        /// Why what is hidden can be read all the same; nothing if it can't.
        not_blind: Option<String>,
    },
    /// It can't be started: why.
    NotStarted(String),
    /// It has ended, and so have all processes that it started.
    Ended(End),
}

/// How a program ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// Processes that still ran when it had ended, and were killed.
    pub n_left: usize,
}
