//! What a record says of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::vocab::{Excluded, Scores, sha256_hex};

/// All that is small about one finished run.
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
    /// The spec as it was understood: overrides applied, defaults filled in.
    pub spec: serde_json::Value,
    /// SHA-256 of the resolved spec without its title, question, claims and seeds.
    pub spec_hash: String,
    /// `--set` overrides, as typed.
    pub overrides: Vec<String>,
    /// All that the command line added to the spec's text, to run it again.
    pub options: serde_json::Value,
    /// What keys all randomness of this run.
    pub seed: u64,
    /// Why this run is no full run of its spec, one reason each; empty for a full one.
    pub cut: Vec<String>,
    /// What the publication says, to be put to the test.
    pub claims: Vec<Claim>,
    /// What it learnt from.
    pub data: DataFacts,
    /// Who was in which set.
    pub split: SplitFacts,
    /// What was looked for before the training, so that a score is not owed to having seen the answer.
    pub audit: Audit,
    /// What was fitted.
    pub model: ModelFacts,
    /// The program that ran.
    pub code: CodeFacts,
    /// Scores on the training examples, after the fit.
    pub train: Scores,
    /// Scores on the validation examples; absent where there are none.
    pub valid: Option<Scores>,
    /// Scores on the test examples.
    pub test: Scores,
    /// How long it took.
    pub timings: Timings,
    /// What a repetition must come to, bit by bit.
    pub outputs: Outputs,
    /// SHA-256 of every other file of the run, by its path in the run's folder.
    pub files: BTreeMap<String, String>,
    /// SHA-256 of this record with an empty seal.
    pub seal: String,
}

impl Record {
    /// What the seal must be.
    #[must_use]
    pub fn make_seal(&self) -> String {
        let unsealed = Self { seal: String::new(), ..self.clone() };
        sha256_hex(&serde_json::to_vec(&unsealed).expect("a record is plain data"))
    }
}

/// Hashes of what a run has come to; equal on every repetition with the same engine version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Of all epochs' numbers but the time they took.
    pub curves: String,
    /// Of the model's files.
    pub model: String,
    /// Of the test examples' probabilities.
    pub predictions: String,
}

/// A published figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// A metric on the test set, by its name in specs: `accuracy`, `macro_f1`, ...
    pub metric: String,
    /// The figure, e.g. 0.838.
    pub value: f64,
    /// Where it stands.
    pub source: String,
    /// The dataset it was measured on.
    pub dataset: String,
    /// Runs that it is the mean of, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_runs: Option<usize>,
    /// Test examples of each of those runs, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_test: Option<usize>,
    /// The standard deviation of those runs over seeds, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed_sd: Option<f64>,
    /// The margin within which ours and the figure count as equal; the default where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
}

/// What the run learnt from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// The dataset that was used.
    pub dataset: String,
    /// The dataset that the spec asks for; another than `dataset` where a stand-in was used.
    pub asked: String,
    /// Whether the program made it.
    pub synthetic: bool,
    /// SHA-256 of the dataset's index.
    pub hash: String,
    /// SHA-256 of the features: dataset, settings, extractor version.
    pub features_hash: String,
    /// Shape of one example, e.g. `[130, 13]`.
    pub shape: Vec<usize>,
    /// The classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// Tracks, or rows of a table.
    pub n_tracks: usize,
    /// Examples in all sets.
    pub n_examples: usize,
    /// Named tracks that were kept out, with the reason.
    pub excluded: Vec<Excluded>,
    /// What else a reader should know of the data.
    pub notes: Vec<String>,
}

/// Who was in which set; the members themselves are in `split.csv`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SplitFacts {
    /// In words, e.g. `random by segment, stratified, 30 % test, 30 % of the rest valid`.
    pub protocol: String,
    /// Examples for fitting.
    pub n_train: usize,
    /// Examples for watching.
    pub n_valid: usize,
    /// Examples for scoring.
    pub n_test: usize,
    /// Tracks with test examples, i.e. independent recordings behind the test score.
    pub n_test_tracks: usize,
    /// Test examples whose track also has training or validation examples: a leak.
    pub n_leaking: usize,
    /// SHA-256 of the published lists or columns that it went by; absent where it went by none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sources_hash: Option<String>,
}

/// What tells of test or validation examples before they are scored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audit {
    /// Test examples that leak in any way.
    pub n_leaking: usize,
    /// What was found, by kind; what was looked for and not found is not here.
    pub leaks: Vec<Leak>,
    /// What could not be looked for, and why.
    pub unchecked: Vec<String>,
}

impl Audit {
    /// Test examples that leak in this way.
    #[must_use]
    pub fn n_test(&self, kind: LeakKind) -> usize {
        self.leaks.iter().find(|leak| leak.kind == kind).map_or(0, |leak| leak.n_test)
    }
}

/// One kind of leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leak {
    /// Which kind.
    pub kind: LeakKind,
    /// Test examples that training or validation examples tell of.
    pub n_test: usize,
    /// Validation examples that training examples tell of.
    pub n_valid: usize,
    /// A few of them, with what tells of them.
    pub named: Vec<String>,
}

/// How one example tells of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// It is in both sets itself.
    SameExample,
    /// They are pieces of one track.
    SameTrack,
    /// Their tracks are of one group, e.g. of one artist.
    SameGroup,
    /// Another track has the same numbers, bit by bit.
    SameNumbers,
    /// Another track has nearly the same numbers.
    NearNumbers,
}

impl LeakKind {
    /// Words that follow a count of examples: `are pieces of a track that was seen`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::SameExample => "were seen themselves",
            Self::SameTrack => "have their track in train or valid",
            Self::SameGroup => "have their group in train or valid",
            Self::SameNumbers => "are equal to an example of another track in train or valid",
            Self::NearNumbers => {
                "are nearly equal to an example of another track in train or valid"
            }
        }
    }
}

/// What was fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Its name in the list of models, e.g. `cnn`.
    pub name: String,
    /// Fitted numbers.
    pub n_parameters: usize,
    /// Epochs run; absent for models that are fitted in one go.
    pub n_epochs: Option<usize>,
    /// Epochs that the spec asks for at most.
    pub max_epochs: Option<usize>,
    /// The epoch whose weights were kept.
    pub kept_epoch: Option<usize>,
    /// Where the weights come from, for a model that was not trained here.
    pub imported: Option<Imported>,
    /// E.g. that the solver did not converge.
    pub notes: Vec<String>,
}

/// Where foreign weights come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// The file's name.
    pub file: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Whose layout it has, e.g. `PyTorch`.
    pub layout: String,
}

/// The program that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFacts {
    /// Version of `encore`.
    pub version: String,
    /// Raised with every change after which the same run gives other bits.
    pub code_version: u32,
    /// Where the model was computed, e.g. `cpu (avx512)`.
    pub device: String,
    /// The commit of the working tree it ran in, where there is one.
    pub git_commit: Option<String>,
    /// Whether that tree had uncommitted changes.
    pub git_dirty: Option<bool>,
}

/// How long it took, in seconds of wall time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Timings {
    /// When the run began, RFC 3339, UTC.
    pub started: String,
    /// How often it was cut off and has gone on.
    pub n_resumed: usize,
    /// Making or finding the features.
    pub features_s: f64,
    /// Fitting.
    pub fit_s: f64,
    /// Everything.
    pub total_s: f64,
}
