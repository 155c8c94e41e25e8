//! Which capsule a run came in. The mark is a file in the run's folder and no part of the record. A run that is
//! trained again has none.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{StoreError, write_whole};

const MARK: &str = "capsule.json";

/// The files of a run that a capsule contains, besides its record.
pub(super) const PACKED: [&str; 4] = ["spec.toml", "split.csv", "predictions.csv", "epochs.jsonl"];

/// The capsule that a run came in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromCapsule {
    /// The name of the file.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

impl FromCapsule {
    /// The capsule of the run in a folder. A mark that can't be read still says that there was one.
    pub(super) fn of(folder: &Path) -> Option<Self> {
        match fs::read(folder.join(MARK)) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            bytes => Some(
                bytes
                    .ok()
                    .and_then(|bytes| serde_json::from_slice(&bytes).ok())
                    .unwrap_or_else(|| Self { file: "unknown".to_owned(), sha256: String::new() }),
            ),
        }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let text = serde_json::to_string_pretty(self).expect("a name and a hash are plain data");
        write_whole(&folder.join(MARK), format!("{text}\n").as_bytes())
    }
}
