//! The folder of all runs: found again, claimed, listed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use super::tables::parse_predictions;
use super::writer::RunWriter;
use super::{Checkpoint, Epoch, Prediction, Record, checkpoint};
use crate::vocab::sha256_hex;

/// Version of the record's layout.
pub const RECORD_FORMAT: u32 = 3;

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
    #[error("{path}: {message}\nhint: run the experiment again: the run is made anew")]
    Damaged {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

/// The folder of all runs, one sub-folder each.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// A finished run on disk.
#[derive(Debug, Clone)]
pub struct Run {
    /// The folder's name, unique in its store.
    pub id: String,
    /// The folder.
    pub folder: PathBuf,
    /// What it says of itself.
    pub record: Record,
}

/// The right to write one run's folder, held by one process at a time and given back when dropped
/// or when the process ends, however it ends.
#[derive(Debug)]
pub struct Claim {
    pub(super) folder: PathBuf,
    _lock: File,
}

/// What came of asking for a [`Claim`].
#[derive(Debug)]
pub enum ClaimOutcome {
    /// It is ours.
    Ours(Claim),
    /// Another process has it.
    Busy {
        /// Its process number, where it could be read.
        process: Option<u32>,
    },
}

impl Store {
    /// The store in a folder, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder of all runs.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a run's folder is or will be.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// The finished run of this id, if there is one; its record only is looked at.
    ///
    /// # Errors
    /// Where its record is there and is not what was written.
    pub fn read(&self, id: &str) -> Result<Option<Run>, StoreError> {
        let folder = self.folder(id);
        let path = folder.join("record.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                return Err(StoreError::Damaged { path, message: error.to_string() });
            }
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        let record = parse(&text).map_err(|message| StoreError::Damaged { path, message })?;
        Ok(Some(Run { id: id.to_owned(), folder, record }))
    }

    /// As [`Self::read`], and every file of the run is what was written.
    ///
    /// # Errors
    /// Where a file is missing or is not what was written.
    pub fn read_whole(&self, id: &str) -> Result<Option<Run>, StoreError> {
        let Some(run) = self.read(id)? else { return Ok(None) };
        run.record.files.keys().try_for_each(|name| run.bytes(name).map(drop))?;
        Ok(Some(run))
    }

    /// All finished runs, by id, and what is wrong with those whose record is damaged.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn finished(&self) -> Result<(Vec<Run>, Vec<StoreError>), StoreError> {
        if !self.root.exists() {
            return Ok((vec![], vec![]));
        }
        let entries = fs::read_dir(&self.root).map_err(|source| io(&self.root, source))?;
        let mut ids = vec![];
        for entry in entries {
            let entry = entry.map_err(|source| io(&self.root, source))?;
            ids.push(entry.file_name().to_string_lossy().into_owned());
        }
        ids.sort();
        let (mut runs, mut damaged) = (vec![], vec![]);
        for id in ids {
            match self.read(&id) {
                Ok(run) => runs.extend(run),
                Err(error) => damaged.push(error),
            }
        }
        Ok((runs, damaged))
    }

    /// Asks for the right to write a run's folder; does not wait.
    ///
    /// # Errors
    /// Where the folder can't be made.
    pub fn claim(&self, id: &str) -> Result<ClaimOutcome, StoreError> {
        let folder = self.folder(id);
        fs::create_dir_all(&folder).map_err(|source| io(&folder, source))?;
        let path = folder.join("lock");
        let open =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
        let mut lock = open.map_err(|source| io(&path, source))?;
        match lock.try_lock() {
            Ok(()) => {
                let said = format!("{}\n", std::process::id());
                let write = lock.set_len(0).and_then(|()| lock.write_all(said.as_bytes()));
                write.map_err(|source| io(&path, source))?;
                Ok(ClaimOutcome::Ours(Claim { folder, _lock: lock }))
            }
            Err(TryLockError::WouldBlock) => {
                let mut said = String::new();
                // Who has it is only told: a lock whose owner can't be read is a lock all the same.
                let _ = lock.read_to_string(&mut said);
                Ok(ClaimOutcome::Busy { process: said.trim().parse().ok() })
            }
            Err(TryLockError::Error(source)) => Err(io(&path, source)),
        }
    }

    /// Begins a run, or goes on with one that was cut off: with the last good checkpoint, if there is
    /// one, and what is to be said of damaged files.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub fn begin(
        &self,
        claim: Claim,
    ) -> Result<(RunWriter, Option<Checkpoint>, Vec<String>), StoreError> {
        RunWriter::begin(claim)
    }

    /// Removes what an interruption between its last two steps may have left in a finished run's folder.
    ///
    /// # Errors
    /// Where a file can't be removed.
    pub fn tidy(&self, run: &Run) -> Result<(), StoreError> {
        checkpoint::remove(&run.folder)
    }
}

impl Run {
    /// Whether it is meant by a name: its own id, or its experiment's name.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.id == name || self.record.experiment == name
    }

    /// The curves, an epoch each; empty for models that are fitted in one go.
    ///
    /// # Errors
    /// Where the file can't be read or is not what was written.
    pub fn epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        let path = self.folder.join("epochs.jsonl");
        let text = self.text("epochs.jsonl")?;
        let parse = |(i, line): (usize, &str)| {
            serde_json::from_str(line).map_err(|error| StoreError::Damaged {
                path: path.clone(),
                message: format!("line {}: {error}", i + 1),
            })
        };
        text.lines().enumerate().map(parse).collect()
    }

    /// What was said of every test example.
    ///
    /// # Errors
    /// Where the file can't be read or is not what was written.
    pub fn predictions(&self) -> Result<Vec<Prediction>, StoreError> {
        let path = self.folder.join("predictions.csv");
        let text = self.text("predictions.csv")?;
        parse_predictions(&text, &self.record.data.classes)
            .map_err(|message| StoreError::Damaged { path, message })
    }

    /// The spec's text as it was typed.
    ///
    /// # Errors
    /// Where the file can't be read or is not what was written.
    pub fn spec(&self) -> Result<String, StoreError> {
        self.text("spec.toml")
    }

    fn text(&self, name: &str) -> Result<String, StoreError> {
        String::from_utf8(self.bytes(name)?).map_err(|error| StoreError::Damaged {
            path: self.folder.join(name),
            message: error.to_string(),
        })
    }

    /// A file that the record names, if it is what was written.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.folder.join(name);
        let damaged = |message: String| StoreError::Damaged { path: path.clone(), message };
        let Some(written) = self.record.files.get(name) else {
            return Err(damaged("the record does not name this file".to_owned()));
        };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged("is missing".to_owned()));
            }
            Err(source) => return Err(io(&path, source)),
        };
        let found = sha256_hex(&bytes);
        if found == *written {
            return Ok(bytes);
        }
        let (found, written) = (&found[..8], written.get(..8).unwrap_or(written));
        Err(damaged(format!(
            "is damaged or was changed: its sha256 is {found}…, {written}… was written"
        )))
    }
}

/// Reads a record and holds it to its seal.
fn parse(text: &str) -> Result<Record, String> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| format!("is damaged: {error}"))?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if let Some(format) = format.filter(|format| *format != u64::from(RECORD_FORMAT)) {
        return Err(format!(
            "is a record of format {format}, and this encore reads {RECORD_FORMAT}"
        ));
    }
    let record: Record =
        serde_json::from_value(value).map_err(|error| format!("is damaged: {error}"))?;
    if record.seal == record.make_seal() {
        Ok(record)
    } else {
        Err("is damaged or was changed: its seal does not fit".to_owned())
    }
}

/// Writes a file so that it is there whole or not at all: beside it, flushed to disk, renamed.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let beside = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The parent of a bare name is the empty path.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        sync_folder(folder.unwrap_or(Path::new(".")))
    };
    write().map_err(|source| {
        // A full disk is not made fuller; the first error is the one to be told.
        let _ = fs::remove_file(&beside);
        io(path, source)
    })
}

/// Makes a rename outlast a power cut.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

pub(super) fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_claimed_once_until_the_claim_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let ClaimOutcome::Ours(claim) = store.claim("a").unwrap() else { panic!("nobody has it") };
        let ClaimOutcome::Busy { process } = store.claim("a").unwrap() else {
            panic!("it is taken")
        };
        assert_eq!(process, Some(std::process::id()));
        assert!(matches!(store.claim("b").unwrap(), ClaimOutcome::Ours(_)));
        drop(claim);
        assert!(matches!(store.claim("a").unwrap(), ClaimOutcome::Ours(_)));
    }
}
