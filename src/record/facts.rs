//! The content of a record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Shared;
use crate::vocab::{Excluded, Scores, SplitName, Task, sha256_hex};

/// Everything about a finished run except its large files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this layout.
    pub format: u32,
    /// The experiment's name: its file name without `.toml`.
    pub experiment: String,
    /// The spec's title.
    pub title: String,
    /// The spec's question.
    pub question: String,
    /// The resolved spec: overrides applied, defaults filled in.
    pub spec: Shared<serde_json::Value>,
    /// SHA-256 of the resolved spec without its title, question, claims and seeds.
    pub spec_hash: String,
    /// `--set` overrides, as typed.
    pub overrides: Vec<String>,
    /// Everything that the command line added to the spec's text, needed to repeat the run.
    pub options: Shared<serde_json::Value>,
    /// The seed of all randomness in this run.
    pub seed: u64,
    /// The reasons why the run is shortened; empty for a full run.
    pub cut: Vec<String>,
    /// The published results to compare with.
    pub claims: Vec<Claim>,
    /// The data.
    pub data: Shared<DataFacts>,
    /// The sizes of the sets.
    pub split: SplitFacts,
    /// The leakage audit before the training.
    pub audit: Audit,
    /// The model.
    pub model: ModelFacts,
    /// Where the predictions come from, if another program made them. Such a run has no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
    /// The search that the run belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<OfSearch>,
    /// The program that ran.
    pub code: CodeFacts,
    /// Scores on the training examples, after the fit; absent if the model is a program, which is not
    /// asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub train: Option<Scores>,
    /// Scores on the validation examples; absent if there are none.
    pub valid: Option<Scores>,
    /// Scores on the test examples; absent if the run is a trial of a search, which never sees them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<Scores>,
    /// Wall times.
    pub timings: Timings,
    /// Hashes that a repetition must reproduce.
    pub outputs: Outputs,
    /// SHA-256 of every other file of the run, by its path in the run's folder.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of this record with an empty seal.
    pub seal: String,
}

impl Record {
    /// The beginning of the id of the record's run, up to the hash.
    #[must_use]
    pub fn start_of_id(&self) -> String {
        let name = self.experiment.replace('/', ".");
        format!("{name}.{}.seed-{}.", self.data.dataset, self.seed)
    }

    /// Wall time of the run in seconds. Unknown if another program made the predictions and did not say.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        let seconds = self.timings.total_s;
        (self.foreign.is_none() || seconds > 0.0).then_some(seconds)
    }

    /// Returns the set that `predictions.csv` is about: the test set, or the validation set of a trial.
    #[must_use]
    pub fn scored_set(&self) -> SplitName {
        if self.is_trial() { SplitName::Valid } else { SplitName::Test }
    }

    /// Returns the scores of the predictions in `predictions.csv`: on [`Self::scored_set`].
    ///
    /// # Panics
    /// If the record has neither, which no record that was read has.
    #[must_use]
    pub fn scored(&self) -> &Scores {
        let scores = if self.is_trial() { &self.valid } else { &self.test };
        scores.as_ref().expect("a record without scores is not read")
    }

    /// Returns whether the run is a trial of a search: its test examples were withheld.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        self.search.as_ref().is_some_and(OfSearch::is_trial)
    }

    /// Computes the seal.
    #[must_use]
    pub fn make_seal(&self) -> String {
        let unsealed = Self { seal: String::new(), ..self.clone() };
        sha256_hex(&serde_json::to_vec(&unsealed).expect("a record is plain data"))
    }
}

/// Hashes of the outputs of a run, equal in every repetition with the same code version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Hash of the numbers of all epochs, except their times.
    pub curves: String,
    /// Hash of the model's files.
    pub model: String,
    /// Hash of the test examples' probabilities.
    pub predictions: String,
}

/// A published figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// A metric on the test set, by its name in specs: `accuracy`, `macro_f1`, ...
    pub metric: String,
    /// The figure, e.g. 0.838.
    pub value: f64,
    /// The publication and the place in it.
    pub source: String,
    /// The dataset it was measured on.
    pub dataset: String,
    /// Number of runs that it is the mean of, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_runs: Option<usize>,
    /// Number of test examples in each of those runs, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_test: Option<usize>,
    /// The standard deviation of those runs over seeds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed_sd: Option<f64>,
    /// The margin within which ours and the figure count as equal; the default where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
}

/// The data of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// The dataset used.
    pub dataset: String,
    /// The dataset in the spec, which differs from `dataset` if a stand-in was used.
    pub asked: String,
    /// Whether encore generated it.
    pub synthetic: bool,
    /// SHA-256 of the dataset's index.
    pub hash: String,
    /// SHA-256 of the features: dataset, settings, extractor version.
    pub features_hash: String,
    /// Shape of one example, e.g. `[130, 13]`.
    pub shape: Vec<usize>,
    /// What the model tells of an example; left out if it is a class.
    #[serde(default, skip_serializing_if = "Task::is_classes")]
    pub task: Task,
    /// The classes, in the order of their numbers; or the tags; or the name of the number.
    pub classes: Vec<String>,
    /// Number of tracks, or rows of a table.
    pub n_tracks: usize,
    /// Number of examples in all sets.
    pub n_examples: usize,
    /// Skipped tracks, with reasons.
    pub excluded: Vec<Excluded>,
    /// Further notes about the data.
    pub notes: Vec<String>,
}

/// The sizes of the sets; their members are in `split.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitFacts {
    /// Description, e.g. `random by segment, stratified, 30 % test, 30 % of the rest valid`.
    pub protocol: String,
    /// Number of training examples.
    pub n_train: usize,
    /// Number of validation examples.
    pub n_valid: usize,
    /// Number of test examples.
    pub n_test: usize,
    /// Number of tracks with test examples: independent recordings that the test score is based on.
    pub n_test_tracks: usize,
    /// Number of test examples whose track also has training or validation examples: a leak.
    pub n_leaking: usize,
    /// SHA-256 of the published lists or columns used; absent if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources_hash: Option<String>,
}

/// Relations that make test or validation examples known before they are scored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Number of test examples that leak in any way.
    pub n_leaking: usize,
    /// The leaks, by kind; kinds without a leak are left out.
    pub leaks: Vec<Leak>,
    /// The searches that were skipped, with reasons.
    pub unchecked: Vec<String>,
}

impl Audit {
    /// Returns the number of test examples that leak in this way.
    #[must_use]
    pub fn n_test(&self, kind: LeakKind) -> usize {
        self.leaks.iter().find(|leak| leak.kind == kind).map_or(0, |leak| leak.n_test)
    }
}

/// One kind of leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// The kind.
    pub kind: LeakKind,
    /// Number of test examples that are related to training or validation examples.
    pub n_test: usize,
    /// Number of validation examples that are related to training examples.
    pub n_valid: usize,
    /// Some of them, with the examples that they are related to.
    pub named: Vec<String>,
}

/// The relation between two examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// The same example is in both sets.
    SameExample,
    /// They are segments of one track.
    SameTrack,
    /// Their tracks belong to one group, e.g. have the same artist.
    SameGroup,
    /// Another track has exactly the same numbers.
    SameNumbers,
    /// Another track has nearly the same numbers.
    NearNumbers,
}

impl LeakKind {
    /// Returns words to follow a count of examples: `have their track in train or valid`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SameExample => "are themselves in train or valid",
            Self::SameTrack => "have their track in train or valid",
            Self::SameGroup => "have their group in train or valid",
            Self::SameNumbers => "are equal to an example of another track in train or valid",
            Self::NearNumbers => {
                "are nearly equal to an example of another track in train or valid"
            }
        }
    }
}

/// The model of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The name in the list of models, e.g. `cnn`.
    pub name: String,
    /// Number of parameters.
    pub n_parameters: usize,
    /// Number of epochs run; absent for models without epochs.
    pub n_epochs: Option<usize>,
    /// Maximum number of epochs in the spec.
    pub max_epochs: Option<usize>,
    /// The epoch whose weights were kept.
    pub kept_epoch: Option<usize>,
    /// The origin of imported weights; absent for a model that was trained here.
    pub imported: Option<Imported>,
    /// Notes, e.g. that the solver did not converge.
    pub notes: Vec<String>,
    /// The program that is the model; absent for the models of encore.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandFacts>,
    /// The runs that an ensemble consists of; empty for other models.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberRun>,
}

/// A run of an ensemble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRun {
    /// Its id.
    pub run: String,
    /// SHA-256 of its predictions.
    pub predictions: String,
}

/// A program that is the model. The resolved spec has its line and the hashes of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandFacts {
    /// Number of threads that it was told to use. With another number it may compute other bits.
    pub n_threads: usize,
    /// Whether the program could not read the dataset, the records and secrets.
    pub is_blind: bool,
    /// Why it could, e.g. because the kernel has no Landlock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_blind_because: Option<String>,
}

/// What a run is in a search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfSearch {
    /// The id of the study. A run that several studies share names the first.
    pub study: String,
    /// What the run is in it.
    #[serde(flatten)]
    pub part: PartOfSearch,
}

impl OfSearch {
    /// Returns whether the run is a trial, whose test examples are withheld.
    #[must_use]
    pub fn is_trial(&self) -> bool {
        matches!(self.part, PartOfSearch::Trial { .. })
    }
}

/// What a run is in a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartOfSearch {
    /// It tries some settings, and its test examples are withheld.
    Trial {
        /// The number of the trial.
        number: usize,
        /// The epoch after which it was stopped, if that is not the last one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<usize>,
    },
    /// It is the spec as it is, to compare the winner with: on the same test set, with the same fresh seed.
    Base,
    /// It repeats the chosen trial with a fresh seed, and is tested.
    Winner {
        /// Number of trials that the settings were chosen from when the run was made.
        n_trials: usize,
    },
}

/// Predictions that another program made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// The name of the model, if one was given. Runs of different models are kept apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The file of predictions.
    pub predictions: ForeignFile,
    /// The file of training curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epochs: Option<ForeignFile>,
    /// The file of the sets that were used. Absent if they are those of the spec, as far as encore was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<ForeignFile>,
}

/// A file that another program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignFile {
    /// Its name.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The origin of imported weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The name of the file.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// The program whose layout it has, e.g. `PyTorch`.
    pub layout: String,
}

/// The program that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFacts {
    /// Version of `encore`.
    pub version: String,
    /// Raised with every change after which the same run gives different bits.
    pub code_version: u32,
    /// The device that the model was computed on, e.g. `cpu (avx512)`.
    pub device: String,
    /// The commit of the working tree in which it ran, if there is one.
    pub git_commit: Option<String>,
    /// Whether that tree had uncommitted changes.
    pub git_dirty: Option<bool>,
}

/// Wall times in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// When the run started, RFC 3339, UTC.
    pub started: String,
    /// How often it was interrupted and resumed.
    pub n_resumed: usize,
    /// Time for computing or loading the features.
    pub features_s: f64,
    /// Time of the fit.
    pub fit_s: f64,
    /// Total time.
    pub total_s: f64,
}
