//! Studies: searches for good settings, with their trials; a folder each, `studies/ID` beside the runs.
//!
//! | file | content |
//! |---|---|
//! | `study.json` | a [`Study`] with a checksum, written again after every batch of trials |
//! | `progress.jsonl` | of a search that goes on: a line for every run that has ended since |
//!
//! The runs are the truth. What is here says which of them belong together, why some are missing, and what was
//! chosen.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{io, write_whole};
use super::{Store, StoreError};
use crate::disk;
use crate::vocab::sha256_hex;

/// The form of the file.
const FORMAT: u32 = 1;
const FILE: &str = "study.json";
const PROGRESS: &str = "progress.jsonl";

/// A search for good settings of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Study {
    /// Its name: experiment, dataset and a hash of all that decides its trials, but for their number.
    pub id: String,
    /// The experiment.
    pub experiment: String,
    /// The spec's title.
    pub title: String,
    /// The spec's question.
    pub question: String,
    /// The dataset that was used.
    pub dataset: String,
    /// Whether encore generated it.
    pub synthetic: bool,
    /// How settings are drawn: `grid`, `random` or `tpe`.
    pub search: String,
    /// The score that decides, with its set: `valid_accuracy`.
    pub metric: String,
    /// Whether a higher score is better.
    pub higher_is_better: bool,
    /// What is searched, as the room of searches writes it.
    pub space: Value,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// Seeds that the winner is judged on.
    pub final_seeds: Vec<u64>,
    /// Number of trials that were asked for.
    pub n_trials: usize,
    /// Epochs after which trials are compared, if some end early.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<usize>,
    /// The searches: one, or one for each fold of a nested cross-validation.
    pub parts: Vec<StudyPart>,
    /// Whether everything was done that was asked for.
    pub is_finished: bool,
}

/// One search of a study: its own test set, its own trials, its own winner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyPart {
    /// The fold that is tested, from 1; absent if there are no folds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// Overrides that all of its runs have.
    pub fixed: Vec<String>,
    /// The trials so far, in the order of their numbers.
    pub trials: Vec<Trial>,
    /// The chosen one, once all trials are done. Absent also if all failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub winner: Option<Winner>,
}

/// One set of settings, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Its number, from 0.
    pub number: usize,
    /// Its place in the space, as the room of searches writes it.
    pub point: Value,
    /// Its settings as overrides.
    pub settings: Vec<String>,
    /// Its runs, one for each seed, of the last epochs that it got to.
    pub runs: Vec<String>,
    /// The mean over the seeds of the score that decides; absent if a run failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The epoch after which it was stopped; absent if it went on to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_after: Option<usize>,
    /// Time of its fits in seconds.
    pub fit_s: f64,
}

/// The chosen trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Winner {
    /// Its number.
    pub number: usize,
    /// Runs of its settings with fresh seeds, which are tested.
    pub runs: Vec<String>,
    /// Runs of the spec as it is with the same seeds, to compare them with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub base: Vec<String>,
    /// Why some of these are missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
}

/// A run of a search that has ended since the study was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedRun {
    /// The fold of its part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fold: Option<usize>,
    /// The number of its trial; absent if it is a run of the winner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<usize>,
    /// Its seed.
    pub seed: u64,
    /// Its score on the set that it is scored on, by the main metric of its task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    sha256: String,
    study: Study,
}

impl Study {
    /// Returns the number of trials that its settings were chosen from, over all of its parts.
    #[must_use]
    pub fn n_tried(&self) -> usize {
        self.parts.iter().map(|part| part.trials.len()).sum()
    }
}

impl Store {
    /// Returns the folder of a study, which need not exist.
    #[must_use]
    pub fn study_folder(&self, id: &str) -> PathBuf {
        self.beside("studies").join(id)
    }

    /// Reads a study, if there is one. A damaged file is an error: the search that writes it again does not
    /// need it.
    ///
    /// # Errors
    /// If the file can't be read, is damaged or is of a newer encore.
    pub fn read_study(&self, id: &str) -> Result<Option<Study>, StoreError> {
        let folder = self.study_folder(id);
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|source| io(&path, source))?,
        };
        let damaged = |said: &str| StoreError::damaged(&folder, FILE, said);
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| damaged(&format!("is damaged: {error}")))?;
        let format = value["format"].as_u64().unwrap_or_default();
        if format > u64::from(FORMAT) {
            return Err(damaged(&format!(
                "is of format {format}, and this encore reads format {FORMAT}"
            )));
        }
        let file: File = serde_json::from_value(value)
            .map_err(|error| damaged(&format!("is damaged: {error}")))?;
        if file.sha256 != sum(&file.study) {
            return Err(damaged("is damaged: its checksum does not match its content"));
        }
        Ok(Some(file.study))
    }

    /// Returns all studies by id, and the errors of those that can't be read.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn studies(&self) -> Result<(Vec<Study>, Vec<StoreError>), StoreError> {
        let root = self.beside("studies");
        let (mut studies, mut damaged) = (vec![], vec![]);
        for path in disk::entries(&root).map_err(|source| io(&root, source))? {
            let id = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if id.starts_with('.') || !path.is_dir() {
                continue;
            }
            match self.read_study(&id) {
                Ok(study) => studies.extend(study),
                Err(error) => damaged.push(error),
            }
        }
        studies.sort_by(|a, b| a.id.cmp(&b.id));
        Ok((studies, damaged))
    }

    /// Writes a study, and forgets the runs that had ended since it was written before.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn write_study(&self, study: &Study) -> Result<(), StoreError> {
        let folder = self.study_folder(&study.id);
        fs::create_dir_all(&folder).map_err(|source| io(&folder, source))?;
        let file = File { format: FORMAT, sha256: sum(study), study: study.clone() };
        let mut text = serde_json::to_string(&file).expect("a study is plain data");
        text.push('\n');
        write_whole(&folder.join(FILE), text.as_bytes())?;
        let progress = folder.join(PROGRESS);
        match fs::remove_file(&progress) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(&progress, error)),
            _ => Ok(()),
        }
    }

    /// Notes that a run of a study has ended, for whoever looks before the study is written again.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn note_ended_run(&self, study: &str, run: &EndedRun) -> Result<(), StoreError> {
        let path = self.study_folder(study).join(PROGRESS);
        let mut line = serde_json::to_string(run).expect("it is plain data");
        line.push('\n');
        let file = OpenOptions::new().create(true).append(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|source| io(&path, source))
    }

    /// Returns the runs of a study that have ended since it was written. Lines that a kill cut off are left
    /// out.
    #[must_use]
    pub fn ended_runs(&self, study: &str) -> Vec<EndedRun> {
        let text = fs::read_to_string(self.study_folder(study).join(PROGRESS)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

fn sum(study: &Study) -> String {
    sha256_hex(&serde_json::to_vec(study).expect("a study is plain data"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study() -> Study {
        let trial = Trial {
            number: 0,
            point: serde_json::json!([{ "real": 0.1 }]),
            settings: vec!["model.forest.n_trees=3".to_owned()],
            runs: vec!["a.b.seed-1.00000000".to_owned()],
            score: Some(1.0 / 3.0),
            error: None,
            stopped_after: None,
            fit_s: 0.25,
        };
        Study {
            id: "a.b.0123abcd".to_owned(),
            experiment: "a".to_owned(),
            title: "A".to_owned(),
            question: "?".to_owned(),
            dataset: "b".to_owned(),
            synthetic: true,
            search: "random".to_owned(),
            metric: "valid_accuracy".to_owned(),
            higher_is_better: true,
            space: Value::Null,
            seeds: vec![1],
            final_seeds: vec![101],
            n_trials: 1,
            rungs: vec![],
            parts: vec![StudyPart { fold: None, fixed: vec![], trials: vec![trial], winner: None }],
            is_finished: false,
        }
    }

    #[test]
    fn a_study_comes_back_and_damage_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("runs"));
        assert_eq!(store.read_study("a.b.0123abcd").unwrap(), None);
        store.write_study(&study()).unwrap();
        assert_eq!(store.studies().unwrap().0, [study()]);
        let ended = EndedRun { fold: None, trial: Some(1), seed: 1, score: Some(0.5), error: None };
        store.note_ended_run("a.b.0123abcd", &ended).unwrap();
        assert_eq!(store.ended_runs("a.b.0123abcd"), std::slice::from_ref(&ended));
        let progress = store.study_folder("a.b.0123abcd").join(PROGRESS);
        let cut = fs::read_to_string(&progress).unwrap() + "{\"seed\":";
        fs::write(&progress, cut).unwrap();
        assert_eq!(store.ended_runs("a.b.0123abcd"), [ended]);
        store.write_study(&study()).unwrap();
        assert!(store.ended_runs("a.b.0123abcd").is_empty());
        let path = store.study_folder("a.b.0123abcd").join(FILE);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("0.25", "0.26")).unwrap();
        let (studies, damaged) = store.studies().unwrap();
        assert!(studies.is_empty());
        assert!(damaged[0].to_string().contains("checksum"), "{}", damaged[0]);
    }
}
