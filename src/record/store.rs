//! The folder of all runs.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::tables::{members_csv, parse_predictions, predictions_csv};
use super::{Epoch, Member, Prediction, Record};

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
    /// A file is there and makes no sense.
    #[error("{path}: {message}\nhint: delete the folder {} and run the experiment again", path.parent().unwrap_or(path).display())]
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

impl Store {
    /// The store in a folder, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Where a run's folder is or will be.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// The finished run of this id, if there is one.
    ///
    /// # Errors
    /// Where its record is there and can't be read.
    pub fn find(&self, id: &str) -> Result<Option<Run>, StoreError> {
        let folder = self.folder(id);
        let path = folder.join("record.json");
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path).map_err(|source| io(&path, source))?;
        let record = serde_json::from_str(&text)
            .map_err(|error| StoreError::Damaged { path, message: error.to_string() })?;
        Ok(Some(Run { id: id.to_owned(), folder, record }))
    }

    /// All finished runs, by id.
    ///
    /// # Errors
    /// Where the folder or a record can't be read.
    pub fn finished(&self) -> Result<Vec<Run>, StoreError> {
        if !self.root.exists() {
            return Ok(vec![]);
        }
        let entries = fs::read_dir(&self.root).map_err(|source| io(&self.root, source))?;
        let mut ids = vec![];
        for entry in entries {
            let entry = entry.map_err(|source| io(&self.root, source))?;
            ids.push(entry.file_name().to_string_lossy().into_owned());
        }
        ids.sort();
        ids.iter().filter_map(|id| self.find(id).transpose()).collect()
    }

    /// Makes a run's folder anew; what an unfinished run left there is removed.
    ///
    /// # Errors
    /// Where the folder can't be made.
    pub fn begin(&self, id: &str) -> Result<RunWriter, StoreError> {
        let folder = self.folder(id);
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(|source| io(&folder, source))?;
        }
        let model = folder.join("model");
        fs::create_dir_all(&model).map_err(|source| io(&model, source))?;
        let path = folder.join("epochs.jsonl");
        let epochs = OpenOptions::new().create(true).append(true).open(&path);
        Ok(RunWriter { folder, epochs: epochs.map_err(|source| io(&path, source))? })
    }
}

impl Run {
    /// The curves, an epoch each; empty for models that are fitted in one go.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        let path = self.folder.join("epochs.jsonl");
        let text = fs::read_to_string(&path).map_err(|source| io(&path, source))?;
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
    /// Where the file can't be read.
    pub fn predictions(&self) -> Result<Vec<Prediction>, StoreError> {
        let path = self.folder.join("predictions.csv");
        let text = fs::read_to_string(&path).map_err(|source| io(&path, source))?;
        parse_predictions(&text, &self.record.data.classes)
            .map_err(|message| StoreError::Damaged { path, message })
    }
}

/// An unfinished run's folder.
pub struct RunWriter {
    folder: PathBuf,
    epochs: File,
}

impl RunWriter {
    /// Where the model's files go.
    #[must_use]
    pub fn model_folder(&self) -> PathBuf {
        self.folder.join("model")
    }

    /// Appends one epoch to the curves.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn epoch(&mut self, epoch: &Epoch) -> Result<(), StoreError> {
        let mut line = serde_json::to_string(epoch).expect("an epoch is plain numbers");
        line.push('\n');
        let path = self.folder.join("epochs.jsonl");
        self.epochs.write_all(line.as_bytes()).map_err(|source| io(&path, source))
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

    /// Writes the record: from now on the run counts as finished.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn finish(self, record: &Record) -> Result<Run, StoreError> {
        self.epochs.sync_all().map_err(|source| io(&self.folder, source))?;
        let mut text = serde_json::to_string_pretty(record).expect("a record is plain data");
        text.push('\n');
        self.write("record.json", &text)?;
        let id = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(Run {
            id: id.expect("a run's folder has a name"),
            folder: self.folder,
            record: record.clone(),
        })
    }

    fn write(&self, name: &str, text: &str) -> Result<(), StoreError> {
        write_whole(&self.folder.join(name), text.as_bytes())
    }
}

/// Writes a file so that it is there whole or not at all: beside it, flushed to disk, renamed.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let beside = path.with_extension("partial");
    let write = || {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| io(path, source))
}

fn io(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Io { path: path.to_owned(), source }
}
