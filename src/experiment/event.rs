//! Events during experiments, for the display.

use serde::{Deserialize, Serialize};

use crate::vocab::{Epoch, Task};

/// Sees what happens; called from several threads.
pub trait Observer: Sync {
    /// Sees one event.
    fn event(&self, event: &Event);
}

/// Which run an event is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RunLabel {
    /// The experiment's name.
    pub experiment: String,
    /// The dataset that is used.
    pub dataset: String,
    /// The run's seed.
    pub seed: u64,
    /// The number of the trial, if the run is one of a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trial: Option<usize>,
    /// What the command line changes of the spec: overrides, and `unset KEY`.
    pub changes: Vec<String>,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Event {
    /// Features of a dataset are being made.
    Features {
        /// The dataset.
        dataset: String,
        /// Tracks done.
        n_done: usize,
        /// Tracks in all.
        n_tracks: usize,
    },
    /// Something about a dataset's features that a reader should know, e.g. that a file was damaged.
    FeaturesNote {
        /// The dataset.
        dataset: String,
        /// In words.
        text: String,
    },
    /// Another process is at the same run: this one waits for it.
    Waiting {
        /// Which one.
        run: RunLabel,
        /// The other's process number, where it is known.
        process: Option<u32>,
    },
    /// Something about a run that a reader should know, e.g. that a file was damaged.
    Note {
        /// Which one.
        run: RunLabel,
        /// In words.
        text: String,
    },
    /// A run starts or resumes.
    Started {
        /// Which one.
        run: RunLabel,
        /// Epochs already done; above 0 if the run resumes from a checkpoint.
        n_epochs_done: usize,
        /// Maximum number of epochs; absent for models that are not trained over epochs.
        max_epochs: Option<usize>,
    },
    /// A run has finished an epoch.
    Epoch {
        /// Which one.
        run: RunLabel,
        /// Its scores.
        epoch: Epoch,
        /// Maximum number of epochs.
        max_epochs: usize,
    },
    /// A run is done and its record is on disk.
    Finished {
        /// Which one.
        run: RunLabel,
        /// What the model tells.
        task: Task,
        /// The task's main score on the test set, where that is defined: accuracy, ROC-AUC or R2.
        score: Option<f64>,
        /// Wall time of the whole run, in seconds.
        seconds: f64,
        /// Whether it was done before and only found again.
        found: bool,
    },
    /// A run was stopped and is saved.
    Stopped {
        /// Which one.
        run: RunLabel,
        /// The epoch that it was in.
        epoch: usize,
    },
    /// A run failed.
    Failed {
        /// Which one.
        run: RunLabel,
        /// Why.
        error: String,
    },
}
