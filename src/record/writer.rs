//! An unfinished run's folder.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::checkpoint::{self, Checkpoints};
use super::store::{Claim, io, write_whole};
use super::tables::{members_csv, predictions_csv};
use super::{Checkpoint, Epoch, Member, Outputs, Prediction, Record, Run, StoreError};
use crate::vocab::{Sha256, sha256_hex};

/// Writes a run as it goes.
#[derive(Debug)]
pub struct RunWriter {
    claim: Claim,
    epochs: File,
    checkpoints: Checkpoints,
}

impl RunWriter {
    /// Makes the folder ready: the curves as the last good checkpoint has them, and no record.
    pub(super) fn begin(
        claim: Claim,
    ) -> Result<(Self, Option<Checkpoint>, Vec<String>), StoreError> {
        let folder = &claim.folder;
        let record = folder.join("record.json");
        if record.exists() {
            fs::remove_file(&record).map_err(|source| io(&record, source))?;
        }
        let model = folder.join("model");
        if model.exists() {
            fs::remove_dir_all(&model).map_err(|source| io(&model, source))?;
        }
        fs::create_dir_all(&model).map_err(|source| io(&model, source))?;
        let (checkpoints, found, mut notes) = Checkpoints::open(folder);
        let path = folder.join("epochs.jsonl");
        let lines: Vec<String> =
            found.iter().flat_map(|found| &found.epochs).map(epoch_line).collect();
        notes.extend(damaged_line(&path, &lines));
        write_whole(&path, lines.concat().as_bytes())?;
        let epochs = OpenOptions::new().append(true).open(&path);
        let epochs = epochs.map_err(|source| io(&path, source))?;
        Ok((Self { claim, epochs, checkpoints }, found, notes))
    }

    /// Begins anew: no epoch is done.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.epochs.set_len(0).map_err(|source| io(&self.folder().join("epochs.jsonl"), source))
    }

    fn folder(&self) -> &Path {
        &self.claim.folder
    }

    /// Where the model's files go.
    #[must_use]
    pub fn model_folder(&self) -> PathBuf {
        self.folder().join("model")
    }

    /// Appends one epoch to the curves.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn epoch(&mut self, epoch: &Epoch) -> Result<(), StoreError> {
        let written = self.epochs.write_all(epoch_line(epoch).as_bytes());
        written.map_err(|source| io(&self.folder().join("epochs.jsonl"), source))
    }

    /// Saves the run half-way; the checkpoint before stays until the next.
    ///
    /// # Errors
    /// Where the file can't be written; the last good checkpoint is still there.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        self.checkpoints.write(checkpoint)
    }

    /// Writes the spec's text as it was typed.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn spec(&self, text: &str) -> Result<(), StoreError> {
        self.write("spec.toml", text)
    }

    /// Writes who is in which set.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn members(&self, members: &[Member]) -> Result<(), StoreError> {
        self.write("split.csv", &members_csv(members))
    }

    /// Writes what was said of every test example.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn predictions(
        &self,
        predictions: &[Prediction],
        classes: &[String],
    ) -> Result<(), StoreError> {
        self.write("predictions.csv", &predictions_csv(predictions, classes))
    }

    /// Writes the record, with the sums of all files and its seal: from now on the run counts as finished.
    ///
    /// # Errors
    /// Where a file can't be read or written.
    pub fn finish(self, mut record: Record, epochs: &[Epoch]) -> Result<Run, StoreError> {
        self.epochs.sync_all().map_err(|source| io(self.folder(), source))?;
        let mut files = BTreeMap::new();
        for name in ["spec.toml", "split.csv", "epochs.jsonl", "predictions.csv"] {
            files.insert(name.to_owned(), self.sum(name)?);
        }
        let model = self.model_folder();
        let mut of_model = Sha256::new();
        for name in names(&model)? {
            let name = format!("model/{name}");
            let path = self.folder().join(&name);
            File::open(&path)
                .and_then(|file| file.sync_all())
                .map_err(|source| io(&path, source))?;
            let sum = self.sum(&name)?;
            of_model = of_model.piece(&name).piece(&sum);
            files.insert(name, sum);
        }
        record.outputs = Outputs {
            curves: curves_hash(epochs),
            model: of_model.hex(),
            predictions: files["predictions.csv"].clone(),
        };
        record.files = files;
        record.seal = record.make_seal();
        let mut text = serde_json::to_string_pretty(&record).expect("a record is plain data");
        text.push('\n');
        self.write("record.json", &text)?;
        checkpoint::remove(self.folder())?;
        let id = self.folder().file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Run {
            id: id.expect("a run's folder has a name"),
            folder: self.folder().to_owned(),
            record,
        })
    }

    fn sum(&self, name: &str) -> Result<String, StoreError> {
        let path = self.folder().join(name);
        Ok(sha256_hex(&fs::read(&path).map_err(|source| io(&path, source))?))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), StoreError> {
        write_whole(&self.folder().join(name), text.as_bytes())
    }
}

/// The names of a folder's files, sorted.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|source| io(folder, source))?;
    let mut names: Vec<String> =
        entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    Ok(names)
}

fn epoch_line(epoch: &Epoch) -> String {
    serde_json::to_string(epoch).expect("an epoch is plain numbers") + "\n"
}

/// Says so where a file does not begin with the lines that a checkpoint knows of.
fn damaged_line(path: &Path, lines: &[String]) -> Option<String> {
    let found = fs::read(path).ok()?;
    let mut rest = found.as_slice();
    for (number, line) in lines.iter().enumerate() {
        rest = match rest.strip_prefix(line.as_bytes()) {
            Some(rest) => rest,
            None => {
                let (path, line) = (path.display(), number + 1);
                return Some(format!(
                    "{path}: line {line} is damaged: written again from the checkpoint"
                ));
            }
        };
    }
    None
}

/// SHA-256 of the curves, without the time that they took.
fn curves_hash(epochs: &[Epoch]) -> String {
    let timeless = epochs.iter().map(|epoch| epoch_line(&Epoch { seconds: 0.0, ..*epoch }));
    sha256_hex(timeless.collect::<String>().as_bytes())
}
