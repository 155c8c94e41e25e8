//! `job.json`: what a program is told.

use serde::Serialize;

use super::answer::{MAX_MODEL_BYTES, MAX_MODEL_FILES, ROW_SUM_TOLERANCE};
use super::follow::MAX_LOG_BYTES;
use super::{Command, ModelError};
use crate::model::files::write_json;
use crate::vocab;

/// Version of the contract; rises with every change that could break a program.
const FORMAT: u32 = 1;

/// What a program gets of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// An array of the spec's features, preprocessed as the models of encore see them.
    Features,
    /// An array of samples, one row per segment.
    Waveforms,
    /// A recording, as the path of a file, and where the segment lies in it.
    Paths,
    /// A row of a CSV file, before any preprocessing.
    Table,
}

impl Input {
    /// All inputs by their names in specs.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("features", Self::Features),
        ("waveforms", Self::Waveforms),
        ("paths", Self::Paths),
        ("table", Self::Table),
    ];

    /// Returns its name in specs.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, input)| *input == self).map_or("", |(name, _)| name)
    }
}

/// What a program is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Fit a model to the training examples and predict the test examples.
    Fit,
    /// Predict the test examples with the model that an earlier job left in `model/`.
    Predict,
}

/// The files of one set of examples; those that do not apply are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Names {
    /// Number of examples.
    pub(crate) n: usize,
    /// The array, `[n, ...]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) examples: Option<String>,
    /// The CSV file: rows of a table, or where segments lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) table: Option<String>,
    /// The targets: classes or numbers `[n]`, tags `[n, n_tags]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) labels: Option<String>,
}

/// The part of `job.json` that depends on the data.
pub(crate) struct Head<'a> {
    pub(crate) task: Task,
    pub(crate) seed: u64,
    /// What the program tells.
    pub(crate) target: vocab::Task,
    /// The names of the classes or tags, or the one name of the number.
    pub(crate) classes: &'a [String],
    /// The shape of one example; empty for paths and tables.
    pub(crate) shape: Vec<usize>,
    pub(crate) train: Names,
    pub(crate) valid: Names,
    pub(crate) test: Names,
    pub(crate) sample_rate_hz: Option<u32>,
    /// The columns of a table.
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) n_threads: usize,
    /// How often the job was started before.
    pub(crate) n_earlier_starts: usize,
}

#[derive(Serialize)]
struct Job<'a> {
    format: u32,
    task: Task,
    seed: u64,
    n_earlier_starts: usize,
    target: vocab::Task,
    classes: &'a [String],
    input: &'static str,
    shape: &'a [usize],
    #[serde(skip_serializing_if = "Option::is_none")]
    sample_rate_hz: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<&'a [String]>,
    train: &'a Names,
    valid: &'a Names,
    test: &'a Names,
    #[serde(skip_serializing_if = "Option::is_none")]
    epochs: Option<usize>,
    n_threads: usize,
    timeout_s: f64,
    settings: &'a serde_json::Value,
    outputs: Outputs,
    limits: Limits,
}

#[derive(Serialize)]
struct Outputs {
    #[serde(flatten)]
    answers: Answers,
    epochs: &'static str,
    model: &'static str,
    checkpoint: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Answers {
    Probabilities { probabilities: &'static str, valid_probabilities: &'static str },
    Predictions { predictions: &'static str, valid_predictions: &'static str },
}

/// Returns the names of the files that a program writes: for the test set and for the validation set.
pub(crate) fn answer_files(target: vocab::Task) -> [&'static str; 2] {
    match target {
        vocab::Task::Classes | vocab::Task::Tags => {
            ["probabilities.npy", "valid_probabilities.npy"]
        }
        vocab::Task::Number => ["predictions.npy", "valid_predictions.npy"],
    }
}

#[derive(Serialize)]
struct Limits {
    model_bytes: u64,
    model_files: usize,
    log_bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    row_sum_tolerance: Option<f64>,
}

impl Head<'_> {
    /// Writes `job.json` into a job folder.
    pub(crate) fn write(
        &self,
        command: &Command,
        folder: &std::path::Path,
    ) -> Result<(), ModelError> {
        let [test, valid] = answer_files(self.target);
        let answers = match self.target {
            vocab::Task::Classes | vocab::Task::Tags => {
                Answers::Probabilities { probabilities: test, valid_probabilities: valid }
            }
            vocab::Task::Number => {
                Answers::Predictions { predictions: test, valid_predictions: valid }
            }
        };
        let job = Job {
            format: FORMAT,
            task: self.task,
            seed: self.seed,
            n_earlier_starts: self.n_earlier_starts,
            target: self.target,
            classes: self.classes,
            input: command.input.name(),
            shape: &self.shape,
            sample_rate_hz: self.sample_rate_hz,
            columns: self.columns.as_deref(),
            train: &self.train,
            valid: &self.valid,
            test: &self.test,
            epochs: command.epochs,
            n_threads: self.n_threads,
            timeout_s: command.timeout.as_secs_f64(),
            settings: &command.settings,
            outputs: Outputs {
                answers,
                epochs: "epochs.jsonl",
                model: "model",
                checkpoint: "checkpoint",
            },
            limits: Limits {
                model_bytes: MAX_MODEL_BYTES,
                model_files: MAX_MODEL_FILES,
                log_bytes: MAX_LOG_BYTES,
                row_sum_tolerance: self.target.is_classes().then_some(ROW_SUM_TOLERANCE),
            },
        };
        write_json(&folder.join("job.json"), &job)
    }
}
