//! Checkpoints, from which an unfinished run is resumed: two files, written alternately, so that a
//! valid one always exists.
//!
//! The file starts with a line `encore-checkpoint 1 SHA256`. The rest, whose sum that is, consists
//! of a line of JSON and the model's snapshot, which this room does not interpret.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Epoch;
use super::error::{StoreError, io, write_whole};
use crate::vocab::sha256_hex;

const MAGIC: &str = "encore-checkpoint 1 ";
const SLOTS: [&str; 2] = ["checkpoint-1", "checkpoint-2"];

/// The state of an unfinished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// When the run first started, RFC 3339, UTC.
    pub started: String,
    /// Wall time of the fit so far, in seconds.
    pub fit_s: f64,
    /// How often the run has been resumed from a checkpoint so far.
    pub n_resumed: usize,
    /// All finished epochs.
    pub epochs: Vec<Epoch>,
    /// The model's snapshot.
    pub snapshot: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    number: u64,
    started: String,
    fit_s: f64,
    n_resumed: usize,
    epochs: Vec<Epoch>,
}

/// The checkpoints of one run's folder.
#[derive(Debug)]
pub(super) struct Checkpoints {
    folder: PathBuf,
    /// Number of the newest file; 0 if there is none.
    number: u64,
}

impl Checkpoints {
    /// Returns the newest valid checkpoint of a folder; the notes report every damaged one.
    pub(super) fn open(folder: &Path) -> (Self, Option<Checkpoint>, Vec<String>) {
        let mut newest: Option<(u64, Checkpoint)> = None;
        let mut notes = vec![];
        for slot in SLOTS {
            let path = folder.join(slot);
            match fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => notes.push(format!("{}: {error}", path.display())),
                Ok(bytes) => match decode(&bytes) {
                    Err(damage) => notes.push(format!(
                        "{}: {damage}; the run resumes from another checkpoint or starts again, \
                         nothing is to be done",
                        path.display()
                    )),
                    Ok(found) => {
                        if newest.as_ref().is_none_or(|(number, _)| *number < found.0) {
                            newest = Some(found);
                        }
                    }
                },
            }
        }
        let number = newest.as_ref().map_or(0, |(number, _)| *number);
        (Self { folder: folder.to_owned(), number }, newest.map(|(_, found)| found), notes)
    }

    /// Creates the checkpoints of a folder that has none yet.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), number: 0 }
    }

    /// Creates the checkpoints of a folder that has none yet, with a copy of another folder's.
    pub(super) fn copy(
        folder: &Path,
        number: u64,
        checkpoint: &Checkpoint,
    ) -> Result<Self, StoreError> {
        let mut checkpoints = Self { folder: folder.to_owned(), number: number.saturating_sub(1) };
        checkpoints.write(checkpoint)?;
        Ok(checkpoints)
    }

    /// Returns the number of the newest file; 0 if there is none.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Writes a checkpoint over the older of the two files; if that fails, the newer one is still
    /// there.
    pub(super) fn write(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let number = self.number + 1;
        let path = self.folder.join(SLOTS[(number % 2) as usize]);
        write_whole(&path, &encode(number, checkpoint))?;
        self.number = number;
        Ok(())
    }
}

/// The most advanced checkpoint of several folders.
pub(super) struct Newest {
    pub(super) source: PathBuf,
    pub(super) number: u64,
    pub(super) checkpoint: Checkpoint,
}

/// Finds the most advanced valid checkpoint of several folders; the notes report every damaged one.
/// Those with more than `most_epochs` are left out.
pub(super) fn newest(sources: &[PathBuf], most_epochs: usize) -> (Option<Newest>, Vec<String>) {
    let (mut newest, mut notes): (Option<Newest>, Vec<String>) = (None, vec![]);
    for source in sources {
        let (checkpoints, found, of_source) = Checkpoints::open(source);
        notes.extend(of_source);
        let Some(checkpoint) = found.filter(|it| it.epochs.len() <= most_epochs) else { continue };
        let number = checkpoints.number();
        let is_newer = |than: &Newest| {
            (than.checkpoint.epochs.len(), than.number) < (checkpoint.epochs.len(), number)
        };
        if newest.as_ref().is_none_or(is_newer) {
            newest = Some(Newest { source: source.clone(), number, checkpoint });
        }
    }
    (newest, notes)
}

/// Removes the files that a finished run no longer needs.
pub(super) fn remove(folder: &Path) -> Result<(), StoreError> {
    for slot in SLOTS {
        let path = folder.join(slot);
        if path.exists() {
            fs::remove_file(&path).map_err(|source| io(&path, source))?;
        }
    }
    Ok(())
}

fn encode(number: u64, checkpoint: &Checkpoint) -> Vec<u8> {
    let Checkpoint { started, fit_s, n_resumed, epochs, snapshot } = checkpoint;
    let (started, epochs) = (started.clone(), epochs.clone());
    let head = Head { number, started, fit_s: *fit_s, n_resumed: *n_resumed, epochs };
    let mut body = serde_json::to_vec(&head).expect("a head is plain data");
    body.push(b'\n');
    body.extend_from_slice(snapshot);
    let mut bytes = format!("{MAGIC}{}\n", sha256_hex(&body)).into_bytes();
    bytes.append(&mut body);
    bytes
}

fn decode(bytes: &[u8]) -> Result<(u64, Checkpoint), String> {
    let line = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n');
    let end = line(bytes).ok_or("is damaged: it has no first line")?;
    let first = String::from_utf8_lossy(&bytes[..end]);
    let sum = first.strip_prefix(MAGIC).ok_or("is damaged: its first line is wrong")?;
    let body = &bytes[end + 1..];
    if sha256_hex(body) != sum {
        return Err("is damaged: its checksum does not match".to_owned());
    }
    let end = line(body).ok_or("is damaged: it has no head")?;
    let head: Head = serde_json::from_slice(&body[..end]).map_err(|e| format!("its head: {e}"))?;
    let Head { number, started, fit_s, n_resumed, epochs } = head;
    let snapshot = body[end + 1..].to_vec();
    Ok((number, Checkpoint { started, fit_s, n_resumed, epochs, snapshot }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(n: usize) -> Checkpoint {
        let epoch = |epoch| Epoch {
            epoch,
            train_loss: 1.0 / 3.0,
            train_accuracy: 0.1,
            valid_loss: 0.5,
            valid_accuracy: 0.25,
            learning_rate: 1e-4,
            seconds: 1.0,
        };
        let epochs = (1..=n).map(epoch).collect();
        let snapshot = vec![n as u8, b'\n', 0, 255];
        Checkpoint { started: "2026".to_owned(), fit_s: 1.5, n_resumed: 0, epochs, snapshot }
    }

    #[test]
    fn the_newest_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let (mut checkpoints, found, notes) = Checkpoints::open(folder.path());
        assert!(found.is_none() && notes.is_empty());
        for n in 1..=3 {
            checkpoints.write(&checkpoint(n)).unwrap();
            assert_eq!(Checkpoints::open(folder.path()).1, Some(checkpoint(n)));
        }
        remove(folder.path()).unwrap();
        assert!(Checkpoints::open(folder.path()).1.is_none());
    }

    #[test]
    fn every_flipped_byte_and_every_cut_is_found_and_the_one_before_is_used() {
        let folder = tempfile::tempdir().unwrap();
        let (mut checkpoints, _, _) = Checkpoints::open(folder.path());
        checkpoints.write(&checkpoint(1)).unwrap();
        checkpoints.write(&checkpoint(2)).unwrap();
        let path = folder.path().join("checkpoint-1");
        let whole = fs::read(&path).unwrap();
        assert_eq!(decode(&whole).unwrap().0, 2);
        let damaged = (0..whole.len()).flat_map(|place| {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            [flipped, whole[..place].to_vec()]
        });
        for bytes in damaged {
            fs::write(&path, bytes).unwrap();
            let (_, found, notes) = Checkpoints::open(folder.path());
            assert_eq!(found, Some(checkpoint(1)));
            assert_eq!(notes.len(), 1);
            assert!(notes[0].contains("checkpoint-1"), "{notes:?}");
        }
    }
}
