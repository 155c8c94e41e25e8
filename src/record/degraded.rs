//! What the models of runs say of their test recordings when these are degraded: a file for every run and
//! degradation, beside the runs. They are derived from the runs and may be deleted at any time.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{StoreError, io};
use super::tables::{parse_predictions, predictions_csv};
use super::{Predictions, Run, Store};
use crate::disk;
use crate::vocab::{Excluded, Sha256};

/// The form of the files.
const FORMAT: u32 = 1;

/// What the model of a run says of its test examples after a degradation.
#[derive(Debug, Clone, PartialEq)]
pub struct Degraded {
    /// The degradation, e.g. `white_noise snr_db=20`; `none` for the recordings as they are.
    pub degradation: String,
    /// Tracks that could not be read, with the reasons.
    pub skipped: Vec<Excluded>,
    /// Test examples that the degraded recordings are too short for.
    pub n_too_short: usize,
    /// The predictions for all others, in the order of the run's.
    pub predictions: Predictions,
}

/// The folder of these files, with a folder for every run.
#[derive(Debug, Clone, PartialEq)]
pub struct DegradedStore {
    root: PathBuf,
    /// The version of the code that degrades and predicts.
    version: u32,
}

/// A file as JSON.
#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    version: u32,
    run: String,
    /// The seal of the run's record.
    seal: String,
    degradation: String,
    skipped: Vec<Excluded>,
    n_too_short: usize,
    /// A table like `predictions.csv` of a run.
    predictions: String,
    /// SHA-256 of all that stands before.
    sha256: String,
}

impl File {
    fn sum(&self) -> String {
        let hash = Sha256::new()
            .piece(self.format.to_le_bytes())
            .piece(self.version.to_le_bytes())
            .piece(&self.run)
            .piece(&self.seal)
            .piece(&self.degradation)
            .piece(serde_json::to_string(&self.skipped).expect("texts are plain data"))
            .piece((self.n_too_short as u64).to_le_bytes());
        hash.piece(&self.predictions).hex()
    }
}

impl Store {
    /// Returns the folder of what models say of degraded recordings, `robust` beside `runs`; `version` is that
    /// of the code that degrades and predicts.
    #[must_use]
    pub fn degraded(&self, version: u32) -> DegradedStore {
        DegradedStore { root: self.beside("robust"), version }
    }
}

impl DegradedStore {
    /// Returns the folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the file of a run and a degradation, which need not exist.
    fn path(&self, run: &Run, degradation: &str) -> PathBuf {
        let hash = Sha256::new().piece(&run.record.seal).piece(degradation);
        let hash = hash.piece(self.version.to_le_bytes()).hex();
        let name = degradation.split(' ').next().unwrap_or_default();
        self.root.join(&run.id).join(format!("{name}-{}.json", &hash[..16]))
    }

    /// Reads what is known of a run and a degradation. A damaged file counts as missing.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn read(&self, run: &Run, degradation: &str) -> Result<Option<Degraded>, StoreError> {
        let found = self.open(&self.path(run, degradation), run)?;
        Ok(found.filter(|it| it.degradation == degradation))
    }

    /// Returns whether something is known of a run.
    ///
    /// # Errors
    /// If the folder or a file can't be read.
    pub fn has(&self, run: &Run) -> Result<bool, StoreError> {
        for path in self.files(run)? {
            if self.open(&path, run)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads all that is known of a run, by degradation. Damaged files are left out.
    ///
    /// # Errors
    /// If the folder or a file can't be read.
    pub fn all(&self, run: &Run) -> Result<Vec<Degraded>, StoreError> {
        let mut found = vec![];
        for path in self.files(run)? {
            found.extend(self.open(&path, run)?);
        }
        found.sort_by(|a, b| a.degradation.cmp(&b.degradation));
        Ok(found)
    }

    fn files(&self, run: &Run) -> Result<Vec<PathBuf>, StoreError> {
        let folder = self.root.join(&run.id);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(vec![]),
            Err(error) => return Err(io(&folder, error)),
        };
        let mut paths = vec![];
        for entry in entries {
            let path = entry.map_err(|error| io(&folder, error))?.path();
            if path.extension().is_some_and(|end| end == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn open(&self, path: &Path, run: &Run) -> Result<Option<Degraded>, StoreError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => return Ok(None),
            Err(error) => return Err(io(path, error)),
        };
        let Ok(file) = serde_json::from_str::<File>(&text) else { return Ok(None) };
        let is_of_run = file.run == run.id && file.seal == run.record.seal;
        let is_current = file.format == FORMAT && file.version == self.version;
        if !is_of_run || !is_current || file.sum() != file.sha256 {
            return Ok(None);
        }
        let data = &run.record.data;
        let Ok(predictions) = parse_predictions(&file.predictions, data.task, &data.classes) else {
            return Ok(None);
        };
        let File { degradation, skipped, n_too_short, .. } = file;
        Ok(Some(Degraded { degradation, skipped, n_too_short, predictions }))
    }

    /// Writes what the model of a run says, whole or not at all.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write(&self, run: &Run, degraded: &Degraded) -> Result<(), StoreError> {
        let path = self.path(run, &degraded.degradation);
        let mut file = File {
            format: FORMAT,
            version: self.version,
            run: run.id.clone(),
            seal: run.record.seal.clone(),
            degradation: degraded.degradation.clone(),
            skipped: degraded.skipped.clone(),
            n_too_short: degraded.n_too_short,
            predictions: predictions_csv(&degraded.predictions, &run.record.data.classes),
            sha256: String::new(),
        };
        file.sha256 = file.sum();
        let text = serde_json::to_string(&file).expect("texts and numbers are plain data");
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(|error| io(folder, error))?;
        disk::remove_stale(folder);
        disk::write_whole(&path, text.as_bytes()).map_err(|error| io(&path, error))
    }
}
