//! Writing of an unfinished run's folder, and its publication.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::checkpoint::{self, Checkpoints, Newest};
use super::error::{io, write_whole};
use super::notes;
use super::program_files;
use super::run::MANIFEST;
use super::store::Claim;
use super::tables::{members_csv, predictions_csv};
use super::unfinished;
use super::{
    AttemptFacts, Checkpoint, Epoch, Member, Outputs, Predictions, Record, Run, StoreError,
};
use crate::disk::{self, Published};
use crate::vocab::{Sha256, sha256_hex};

/// Where a run that ends before its last epoch keeps what a longer one needs to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedRun {
    /// The same for all runs that are parts of one training.
    pub name: String,
    /// What was stopped later is of no use.
    pub most_epochs: usize,
}

/// Writes a run during its training, into a separate attempt folder.
#[derive(Debug)]
pub struct RunWriter {
    claim: Claim,
    folder: PathBuf,
    epochs: File,
    /// The content of the file of epochs.
    lines: String,
    /// The other text files, by name, to write the attempt again if somebody removes it.
    texts: BTreeMap<&'static str, String>,
    checkpoints: Checkpoints,
}

impl RunWriter {
    /// Begins an attempt at a run, in a separate folder. If earlier attempts left a valid
    /// checkpoint, copies the most advanced one and returns it. Also returns notes about damaged
    /// files.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn begin(claim: Claim) -> Result<(Self, Option<Checkpoint>, Vec<String>), StoreError> {
        Self::begin_from(claim, None)
    }

    /// Begins an attempt as [`Self::begin`] does, at a run that may go on where another one was stopped.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn begin_from(
        claim: Claim,
        stopped: Option<&StoppedRun>,
    ) -> Result<(Self, Option<Checkpoint>, Vec<String>), StoreError> {
        let store = &claim.store;
        let mut sources = store.attempts_at(&claim.id)?;
        sources.extend(stopped.map(|stopped| store.stopped(&stopped.name)));
        // Earlier versions of encore wrote checkpoints into the run's own folder.
        sources.push(store.folder(&claim.id));
        let most_epochs = stopped.map_or(usize::MAX, |stopped| stopped.most_epochs);
        let (newest, mut notes) = checkpoint::newest(&sources, most_epochs);
        let folder = store.new_attempt(&claim.id);
        let (path, model) = (folder.join("epochs.jsonl"), folder.join("model"));
        fs::create_dir_all(&model).map_err(|source| io(&model, source))?;
        let mut lines = String::new();
        let (checkpoints, found) = match newest {
            None => (Checkpoints::new(&folder), None),
            Some(Newest { source, number, checkpoint }) => {
                let of_epochs: Vec<String> = checkpoint.epochs.iter().map(epoch_line).collect();
                notes.extend(damaged_line(&source.join("epochs.jsonl"), &of_epochs));
                lines = of_epochs.concat();
                (Checkpoints::copy(&folder, number, &checkpoint)?, Some(checkpoint))
            }
        };
        let epochs = open_epochs(&path, &lines)?;
        program_files::take_over(&store.owned(&claim.id)?, &folder)?;
        // The new attempt contains everything that the dead ones had.
        store.remove_dead_attempts(&claim.id)?;
        store.forget_failure(&claim.id);
        let texts = BTreeMap::new();
        Ok((Self { claim, folder, epochs, lines, texts, checkpoints }, found, notes))
    }

    /// Writes the attempt folder again after somebody removed it.
    fn restore(&mut self) -> Result<(), StoreError> {
        let model = self.folder.join("model");
        fs::create_dir_all(&model).map_err(|source| io(&model, source))?;
        for (name, text) in &self.texts {
            write_whole(&self.folder.join(name), text.as_bytes())?;
        }
        self.epochs = open_epochs(&self.folder.join("epochs.jsonl"), &self.lines)?;
        Ok(())
    }

    /// Starts over, without any finished epoch.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.lines.clear();
        self.epochs.set_len(0).map_err(|source| io(&self.folder().join("epochs.jsonl"), source))
    }

    /// Returns the folder of the attempt.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder in which a program that is the model works. It is no part of the record.
    #[must_use]
    pub fn job_folder(&self) -> PathBuf {
        self.folder().join(program_files::JOB)
    }

    /// Returns the folder for the model's files.
    #[must_use]
    pub fn model_folder(&self) -> PathBuf {
        self.folder().join("model")
    }

    /// Appends one epoch to the curves.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn epoch(&mut self, epoch: &Epoch) -> Result<(), StoreError> {
        let line = epoch_line(epoch);
        let written = self.epochs.write_all(line.as_bytes());
        self.lines.push_str(&line);
        written.map_err(|source| io(&self.folder().join("epochs.jsonl"), source))
    }

    /// Saves the state of the run; the previous checkpoint is kept until the next one.
    ///
    /// # Errors
    /// If the file can't be written. The last valid checkpoint is still there.
    pub fn checkpoint(&mut self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        match self.checkpoints.write(checkpoint) {
            Err(_) if !self.folder.exists() => {
                self.restore()?;
                self.checkpoints.write(checkpoint)
            }
            other => other,
        }
    }

    /// Keeps the last checkpoint for a run that goes on where this one ends.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn hand_over(&self, stopped: &StoppedRun) -> Result<(), StoreError> {
        let folder = self.claim.store.stopped(&stopped.name);
        let (checkpoints, found, _) = Checkpoints::open(self.folder());
        let Some(checkpoint) = found else { return Ok(()) };
        fs::create_dir_all(&folder).map_err(|source| io(&folder, source))?;
        Checkpoints::copy(&folder, checkpoints.number(), &checkpoint)?;
        Ok(())
    }

    /// Writes which run this is, for whoever looks before it is finished.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn facts(&mut self, facts: &AttemptFacts) -> Result<(), StoreError> {
        let text = serde_json::to_string(facts).expect("facts are plain data");
        self.write(unfinished::FACTS, text)
    }

    /// Writes the spec's text as it was typed.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn spec(&mut self, text: &str) -> Result<(), StoreError> {
        self.write("spec.toml", text.to_owned())
    }

    /// Writes the manifest of the dataset, so that the model can be used where the dataset is unknown.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn manifest(&mut self, text: &str) -> Result<(), StoreError> {
        self.write(MANIFEST, text.to_owned())
    }

    /// Writes who is in which set. Runs with the same split share the file's bytes on the disk.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn members(&mut self, members: &[Member]) -> Result<(), StoreError> {
        let text = members_csv(members);
        let name = format!("{}.csv", sha256_hex(text.as_bytes()));
        let splits = self.claim.store.splits();
        disk::remove_stale(&splits);
        let shared = splits.join(name);
        let path = self.folder.join("split.csv");
        match disk::write_shared(&shared, &path, text.as_bytes()) {
            Ok(()) => {
                self.texts.insert("split.csv", text);
                Ok(())
            }
            // It says what is wrong, and makes the attempt again if somebody has removed it.
            Err(_) => self.write("split.csv", text),
        }
    }

    /// Writes the predictions for all test examples; `classes` are the names of the classes or tags.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn predictions(
        &mut self,
        predictions: &Predictions,
        classes: &[String],
    ) -> Result<(), StoreError> {
        self.write("predictions.csv", predictions_csv(predictions, classes))
    }

    /// Writes the record, with the hashes of all files and its seal, and publishes the run.
    ///
    /// If another process has published the same run in the meantime, that run is kept and
    /// returned, with a note if its outputs differ from those of this attempt.
    ///
    /// # Errors
    /// If a file can't be read or written.
    pub fn finish(
        mut self,
        record: Record,
        epochs: &[Epoch],
    ) -> Result<(Run, Option<String>), StoreError> {
        let (store, id) = (self.claim.store.clone(), self.claim.id.clone());
        let ended = self.complete(record, epochs).and_then(|record| self.publish(record));
        match ended {
            // Somebody removed the attempt at the last moment.
            Err(error) if !self.folder.exists() => {
                store.read_whole(&id).ok().flatten().map(|run| (run, None)).ok_or(error)
            }
            other => other,
        }
    }

    /// Publishes the finished attempt, or compares it with the run that is already published.
    fn publish(&self, record: Record) -> Result<(Run, Option<String>), StoreError> {
        let Claim { store, id, .. } = &self.claim;
        let name = store.folder(id);
        let note = loop {
            match disk::publish(&self.folder, &name).map_err(|source| io(&name, source))? {
                Published::Ours => break None,
                Published::Already => {}
            }
            match store.read_whole(id) {
                Ok(Some(run)) => {
                    disk::remove_folder(&self.folder).map_err(|source| io(&self.folder, source))?;
                    let note = difference(id, &record.outputs, &run.record.outputs);
                    store.remove_dead_attempts(id)?;
                    store.forget_failure(id);
                    return Ok((run, note));
                }
                // The published run is damaged, or an earlier version of encore left it unfinished.
                Ok(None) | Err(StoreError::Damaged { .. }) => self.set_aside(&name)?,
                Err(error) => return Err(error),
            }
        };
        store.remove_dead_attempts(id)?;
        store.forget_failure(id);
        let run =
            Run { id: id.clone(), folder: name, record, other_version: None, is_of_study: false };
        Ok((run, note))
    }

    /// Sets an incomplete run aside, and puts it back if it has been completed in the meantime.
    fn set_aside(&self, name: &Path) -> Result<(), StoreError> {
        let Claim { store, id, .. } = &self.claim;
        let aside = disk::set_aside(name, &store.attempts()).map_err(|source| io(name, source))?;
        let Some(aside) = aside else { return Ok(()) };
        let is_whole = match Run::read_in(id, &aside) {
            Ok(moved) => moved.is_some_and(|run| run.check().is_ok()),
            Err(error) => matches!(error, StoreError::Newer { .. }),
        };
        if is_whole {
            // If another run has been published by now, it is equally good.
            disk::publish(&aside, name).map_err(|source| io(name, source))?;
        } else {
            notes::copy(&aside, &self.folder);
        }
        disk::remove_folder(&aside).map_err(|source| io(&aside, source))
    }

    /// Writes the missing files of the attempt, which is then complete except for its name.
    fn complete(&mut self, mut record: Record, epochs: &[Epoch]) -> Result<Record, StoreError> {
        self.lines = epochs.iter().map(epoch_line).collect();
        self.write("epochs.jsonl", self.lines.clone())?;
        let mut files = BTreeMap::new();
        for name in ["spec.toml", "split.csv", "epochs.jsonl", "predictions.csv"] {
            files.insert(name.to_owned(), self.sum(name)?);
        }
        if self.texts.contains_key(MANIFEST) {
            files.insert(MANIFEST.to_owned(), self.sum(MANIFEST)?);
        }
        for name in program_files::KEPT.iter().filter(|name| self.folder.join(name).is_file()) {
            files.insert((*name).to_owned(), self.sum(name)?);
        }
        let model = self.model_folder();
        let mut of_model = Sha256::new();
        for name in names(&model)? {
            let name = format!("model/{name}");
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
        self.write("record.json", text)?;
        checkpoint::remove(self.folder())?;
        // A published run says by its record what it is. The file has served its purpose.
        let _ = fs::remove_file(self.folder.join(unfinished::FACTS));
        Ok(record)
    }

    fn sum(&self, name: &str) -> Result<String, StoreError> {
        let path = self.folder().join(name);
        Ok(sha256_hex(&fs::read(&path).map_err(|source| io(&path, source))?))
    }

    fn write(&mut self, name: &'static str, text: String) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        let written = write_whole(&path, text.as_bytes());
        self.texts.insert(name, text);
        match written {
            Err(_) if !self.folder.exists() => self.restore(),
            other => other,
        }
    }
}

/// Writes the file of epochs and opens it for appending.
fn open_epochs(path: &Path, lines: &str) -> Result<File, StoreError> {
    write_whole(path, lines.as_bytes())?;
    OpenOptions::new().append(true).open(path).map_err(|source| io(path, source))
}

/// Returns a note for the user if two processes did the same run with different outputs.
fn difference(id: &str, ours: &Outputs, published: &Outputs) -> Option<String> {
    let pairs = [
        ("curves", &ours.curves, &published.curves),
        ("model", &ours.model, &published.model),
        ("predictions", &ours.predictions, &published.predictions),
    ];
    let short = |hash: &str| hash.get(..8).unwrap_or(hash).to_owned();
    let differ: Vec<String> = pairs
        .iter()
        .filter(|(_, ours, published)| ours != published)
        .map(|(what, ours, published)| {
            format!("{what} {}… here, {}… published", short(ours), short(published))
        })
        .collect();
    (!differ.is_empty()).then(|| {
        format!(
            "another process published this run first, and its outputs differ: expected equal bits, \
             found {}; the published run stays\nhint: encore verify {id}",
            differ.join("; ")
        )
    })
}

/// Returns the paths of the files below a folder, sorted, with slashes on every system.
fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let entries = entries.map_err(|source| io(folder, source))?;
    let mut all = vec![];
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            let below = names(&entry.path())?;
            all.extend(below.into_iter().map(|below| format!("{name}/{below}")));
        } else {
            all.push(name);
        }
    }
    all.sort();
    Ok(all)
}

fn epoch_line(epoch: &Epoch) -> String {
    serde_json::to_string(epoch).expect("an epoch is plain numbers") + "\n"
}

/// Reports a file that does not begin with the lines that the checkpoint knows.
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

/// Computes the SHA-256 of the curves, without their times.
fn curves_hash(epochs: &[Epoch]) -> String {
    let timeless = epochs.iter().map(|epoch| epoch_line(&Epoch { seconds: 0.0, ..*epoch }));
    sha256_hex(timeless.collect::<String>().as_bytes())
}
