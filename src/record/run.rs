//! A finished run: its record, and its files if they are unchanged.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{StoreError, io};
use super::origin::{FromCapsule, PACKED};
use super::parse::{Wrong, parse};
use super::tables::{parse_members, parse_predictions};
use super::{Epoch, Member, Predictions, Record};
use crate::vocab::{SplitName, sha256_hex};

/// The name of the dataset's manifest in a run's folder.
pub(super) const MANIFEST: &str = "dataset.toml";

/// A finished run on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The folder's name, unique in its store.
    pub id: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its record.
    pub record: Record,
    /// In what its spec differs from the experiment's current one, where that was looked up and it
    /// does: `shortened run (3 of 30 epochs)`. Never read from disk.
    pub other_version: Option<String>,
    /// Whether it is a point of a learning curve or a change of an ablation of the current spec, where
    /// that was looked up. Never read from disk.
    pub is_of_study: bool,
}

impl Run {
    /// Reads the run in a folder, if it has a record.
    pub(super) fn read_in(id: &str, folder: &Path) -> Result<Option<Self>, StoreError> {
        let path = folder.join("record.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => {
                let message = format!("is damaged: {error}");
                return Err(StoreError::damaged(folder, "record.json", message));
            }
            Err(source) => return Err(StoreError::Io { path, source }),
        };
        let record = parse(&text).map_err(|wrong| match wrong {
            Wrong::Newer(message) => StoreError::Newer { path, message },
            Wrong::Damaged(message) => StoreError::damaged(folder, "record.json", message),
        })?;
        let (id, folder) = (id.to_owned(), folder.to_owned());
        Ok(Some(Self { id, folder, record, other_version: None, is_of_study: false }))
    }

    /// The capsule that it came in, if it did. Such a run has no model.
    #[must_use]
    pub fn capsule(&self) -> Option<FromCapsule> {
        FromCapsule::of(&self.folder)
    }

    /// Checks every file against the record, or those that a capsule contains if it came in one.
    ///
    /// # Errors
    /// If a file is missing or was changed.
    pub fn check_results(&self) -> Result<(), StoreError> {
        if self.capsule().is_some() { self.check_packed() } else { self.check() }
    }

    /// Checks the files that a capsule contains against the record.
    pub(super) fn check_packed(&self) -> Result<(), StoreError> {
        PACKED.iter().try_for_each(|name| self.bytes(name).map(drop))
    }

    /// Checks every file against the record.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.record.files.keys().try_for_each(|name| self.bytes(name).map(drop))
    }

    /// Checks the files of the model against the record.
    ///
    /// # Errors
    /// If a file is missing or was changed.
    pub fn check_model(&self) -> Result<(), StoreError> {
        let names = self.record.files.keys().filter(|name| name.starts_with("model/"));
        names.into_iter().try_for_each(|name| self.bytes(name).map(drop))
    }

    /// Whether it is meant by a name: its own id, or its experiment's name.
    #[must_use]
    pub fn is_named(&self, name: &str) -> bool {
        self.id == name || self.record.experiment == name
    }

    /// Reads the curves, one epoch each; empty for models without epochs.
    ///
    /// # Errors
    /// If the file is damaged or can't be read.
    pub fn epochs(&self) -> Result<Vec<Epoch>, StoreError> {
        let text = self.text("epochs.jsonl")?;
        let parse = |(i, line): (usize, &str)| {
            let wrong = |error| self.damaged("epochs.jsonl", format!("line {}: {error}", i + 1));
            serde_json::from_str(line).map_err(wrong)
        };
        text.lines().enumerate().map(parse).collect()
    }

    /// Reads the predictions for all test examples.
    ///
    /// # Errors
    /// If the file is damaged or can't be read.
    pub fn predictions(&self) -> Result<Predictions, StoreError> {
        let text = self.text("predictions.csv")?;
        let data = &self.record.data;
        parse_predictions(&text, data.task, &data.classes)
            .map_err(|message| self.damaged("predictions.csv", message))
    }

    /// Reads the tracks that have an example in the training or validation set.
    ///
    /// # Errors
    /// If the file is damaged or can't be read.
    pub fn learned_tracks(&self) -> Result<BTreeSet<String>, StoreError> {
        let learned = self.members()?.into_iter().filter(|member| member.set != SplitName::Test);
        Ok(learned.map(|member| member.example.track).collect())
    }

    /// Reads the members of every set.
    ///
    /// # Errors
    /// If the file is damaged or can't be read.
    pub fn members(&self) -> Result<Vec<Member>, StoreError> {
        let text = self.text("split.csv")?;
        parse_members(&text).map_err(|message| self.damaged("split.csv", message))
    }

    /// Reads the original text of the spec.
    ///
    /// # Errors
    /// If the file is damaged or can't be read.
    pub fn spec(&self) -> Result<String, StoreError> {
        self.text("spec.toml")
    }

    /// The manifest of the dataset that was used. Absent in runs of earlier versions of encore.
    ///
    /// # Errors
    /// If the file can't be read or was changed.
    pub fn manifest(&self) -> Result<Option<String>, StoreError> {
        let is_there = self.record.files.contains_key(MANIFEST);
        is_there.then(|| self.text(MANIFEST)).transpose()
    }

    fn text(&self, name: &str) -> Result<String, StoreError> {
        String::from_utf8(self.bytes(name)?).map_err(|error| self.damaged(name, error.to_string()))
    }

    fn damaged(&self, name: &str, message: impl Into<String>) -> StoreError {
        StoreError::damaged(&self.folder, name, message)
    }

    /// Reads a file in the record and checks its hash.
    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.folder.join(name);
        let Some(written) = self.record.files.get(name) else {
            return Err(self.damaged(name, "the record does not name this file"));
        };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let message = match self.capsule() {
                    Some(FromCapsule { file, .. }) => {
                        format!("is missing: the run came in the capsule {file}, without its model")
                    }
                    None => "is missing".to_owned(),
                };
                return Err(self.damaged(name, message));
            }
            Err(source) => return Err(io(&path, source)),
        };
        let found = sha256_hex(&bytes);
        if found == *written {
            return Ok(bytes);
        }
        let (found, written) = (&found[..8], written.get(..8).unwrap_or(written));
        let message =
            format!("is damaged or was changed: its sha256 is {found}…, {written}… was written");
        Err(self.damaged(name, message))
    }
}
