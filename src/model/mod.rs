//! Models, one file each, and their registry.
//!
//! A [`Model`] is a checked configuration. Fitted to [`Examples`], it becomes a [`Classifier`]. burn,
//! linfa and smartcore are used in this room only. It must never know audio files, tables on disk or
//! reports.
//!
//! To add a model: write one file with an `ENTRY`, and add it to [`MODELS`]. A program that uses encore
//! as a library calls [`register`] instead.

mod columns;
mod device;
mod examples;
mod files;
mod forest;
mod gradient_boosting;
mod knn;
mod logistic;
mod majority;
mod net;
mod preprocess;
mod probe;
mod scaler;
mod schedule;
mod svm;
mod training;
mod tree;

pub use columns::Metric;
pub use device::{Device, NoDevice};
pub use examples::Examples;
pub use forest::Forest;
pub use gradient_boosting::{GradientBoosting, TreeRules};
pub use knn::{Knn, NeighborWeights};
pub use logistic::Logistic;
pub use majority::Majority;
pub use net::cnn::{ConvBlock, cnn};
pub use net::dense::{DenseLayer, dense};
pub use preprocess::{Impute, Preprocess, Preprocessor};
pub use probe::{Probe, RangeTest, suggestion};
pub use schedule::Schedule;
pub use svm::{Svm, SvmKernel};
pub use training::{Augment, ClassWeights, EarlyStopping, Monitor, Training};

pub use crate::kernels::optimizer::Optimizer;

use std::path::Path;

use crate::schema::Fields;
use crate::vocab::{Epoch, Named, Registry, Seed};

/// Every model that a spec can name, in the order of the documentation.
pub static MODELS: &[Entry] = &[
    majority::ENTRY,
    logistic::ENTRY,
    knn::ENTRY,
    svm::ENTRY,
    forest::ENTRY,
    gradient_boosting::ENTRY,
    net::dense::ENTRY,
    net::cnn::ENTRY,
];

/// A model's line in the list: `[model.NAME]` in a spec.
pub struct Entry {
    /// The name in specs, lower case.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub doc: &'static str,
    /// How its table is read.
    pub read: Reader,
}

impl Named for Entry {
    fn name(&self) -> &'static str {
        self.name
    }
}

static REGISTRY: Registry<Entry> = Registry::new(MODELS);

/// Makes a model of your own known to this process: specs can then say `[model.NAME]`.
///
/// A run's ID depends on the model's name and its settings in the spec, not on its code: put a version
/// into the settings, and raise it when the code changes. Runs of such a model are made in this process;
/// the `encore` program does not know it.
///
/// # Errors
/// Where the name is taken or is not a plain name.
pub fn register(entry: &'static Entry) -> Result<(), String> {
    REGISTRY.add(entry)
}

/// Every model that specs can name in this process: [`MODELS`], then those that were registered.
#[must_use]
pub fn all() -> Vec<&'static Entry> {
    REGISTRY.all()
}

/// How a model's table is read, and whether it wants `[training]`.
///
/// The second argument is the shape of one example, e.g. `[130, 13]` (frames, coefficients) or
/// `[21]` (columns), where it is known: impossible shapes are faults of the spec.
pub enum Reader {
    /// Not trained over epochs; a `[training]` table is a fault.
    AtOnce(ReadAtOnce),
    /// Trained over epochs by a `[training]` table.
    Epochs(ReadEpochs),
}

/// Reads the table of a model that is not trained over epochs.
pub type ReadAtOnce = fn(&mut Fields, Option<&[usize]>) -> Box<dyn Model>;

/// Reads the table of a model that is trained over epochs.
pub type ReadEpochs = fn(&mut Fields, Training, Option<&[usize]>) -> Box<dyn Model>;

/// A checked configuration, ready to be fitted.
pub trait Model: Send + Sync {
    /// Fits the model. The same job gives the same bits.
    ///
    /// # Errors
    /// Where the examples can't be learned from, or the loss stops being a number.
    fn fit(&self, job: &FitInput, watch: &mut dyn TrainingObserver) -> Result<Fitted, ModelError>;

    /// Reads back what [`Classifier::save`] wrote into a folder.
    ///
    /// # Errors
    /// Where the files are missing, damaged or of another shape.
    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        n_classes: usize,
    ) -> Result<Box<dyn Classifier>, ModelError>;

    /// At most so many epochs, of a model that is read without `[training]` and has some all the same.
    fn max_epochs(&self) -> Option<usize> {
        None
    }

    /// Takes weights that another program trained, from a safetensors file; what must be fitted
    /// besides (means and scales) is fitted to the job's training examples.
    ///
    /// # Errors
    /// Where the file is of another net, or the model has no weights to be imported.
    fn import(&self, _job: &FitInput, _file: &Path, _layout: Layout) -> Result<Fitted, ModelError> {
        Err(ModelError::Examples("weights can be imported into nets only".to_owned()))
    }

    /// A short training with a rising learning rate.
    ///
    /// # Errors
    /// Where the examples can't be learned from, or the model has no learning rate.
    fn range_test(&self, _job: &FitInput, _test: RangeTest) -> Result<Vec<Probe>, ModelError> {
        let said = "the model is not trained over epochs and has no learning rate";
        Err(ModelError::Examples(said.to_owned()))
    }
}

/// How a file of foreign weights names and lays out its arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `kernel` `[height, width, in, out]` or `[in, out]`, `bias`, `gamma`, `beta`, `moving_mean`,
    /// `moving_variance`; flattened with the channels last.
    Keras,
    /// `weight` `[out, in, height, width]` or `[out, in]`, `bias`, `running_mean`, `running_var`;
    /// flattened with the channels first.
    PyTorch,
}

impl Layout {
    /// Whose it is.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keras => "Keras",
            Self::PyTorch => "PyTorch",
        }
    }
}

/// What a fit works from.
pub struct FitInput<'a> {
    /// Fitted on.
    pub train: Examples<'a>,
    /// Watched, never fitted on; may be empty.
    pub valid: Examples<'a>,
    /// Keys all randomness: weights, shuffling, dropout, augmentation.
    pub seed: Seed,
    /// Compute device of nets; other models use the CPU.
    pub device: Device,
    /// The snapshot to resume from: the last bytes given to [`TrainingObserver::keep`].
    pub resume: Option<&'a [u8]>,
}

/// What a fit leaves.
pub struct Fitted {
    /// The trained model.
    pub classifier: Box<dyn Classifier>,
    /// Numbers that were fitted; 0 where the word has no meaning.
    pub n_parameters: usize,
    /// The one-based epoch whose weights were kept, for models trained over epochs.
    pub kept_epoch: Option<usize>,
    /// What a reader should know, e.g. that the solver did or did not converge, with its measure.
    pub notes: Vec<String>,
}

/// A trained model.
pub trait Classifier: Send + Sync {
    /// Probabilities, row-major `[examples.len(), n_classes]`, each row summing to 1.
    ///
    /// # Errors
    /// Where the examples have another shape than those it was fitted on.
    fn predict_proba(&self, examples: &Examples) -> Result<Vec<f32>, ModelError>;

    /// The logits that the probabilities are the softmax of, of the same shape; nothing where the
    /// model has none.
    ///
    /// # Errors
    /// As [`Self::predict_proba`].
    fn logits(&self, _examples: &Examples) -> Result<Option<Vec<f32>>, ModelError> {
        Ok(None)
    }

    /// Writes the model's files into an existing folder.
    ///
    /// # Errors
    /// Where a file can't be written.
    fn save(&self, folder: &Path) -> Result<(), ModelError>;
}

/// Sees a training as it goes; may have it saved, and may end it.
pub trait TrainingObserver {
    /// Sees one finished epoch.
    fn epoch(&mut self, epoch: &Epoch) -> Flow;

    /// Asked after every step; must be quick.
    fn next(&mut self) -> Next {
        Next::Go
    }

    /// Keeps a snapshot, as asked for by [`Self::next`]: all that a training needs to go on and end
    /// with the same bits, together with the epochs seen so far.
    fn keep(&mut self, _snapshot: Vec<u8>) -> Flow {
        Flow::Continue
    }
}

/// An observer that sees nothing and lets every training go on.
impl TrainingObserver for () {
    fn epoch(&mut self, _: &Epoch) -> Flow {
        Flow::Continue
    }
}

/// What a [`TrainingObserver`] wants after an epoch or a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop now: the fit ends with [`ModelError::Stopped`].
    Stop,
}

/// The decision of a [`TrainingObserver`] after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Go on.
    Go,
    /// Give a snapshot and continue.
    Save,
    /// Give a snapshot and end with [`ModelError::Stopped`].
    SaveAndStop,
}

/// What can go wrong in fitting, saving and loading.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The examples can't be learned from.
    #[error("{0}")]
    Examples(String),
    /// The loss was no number any more.
    #[error(
        "the loss became {loss} in epoch {epoch}\nhint: a smaller training.optimizer learning_rate usually helps; encore lr-find looks for one"
    )]
    Diverged {
        /// One-based.
        epoch: usize,
        /// What it became.
        loss: f64,
    },
    /// The loss of an epoch was out of all proportion.
    #[error(
        "the loss diverged: {loss:.1} in epoch {epoch}, after {least:.3} at best\nhint: a smaller training.optimizer learning_rate or training.clip_norm usually helps; encore lr-find looks for a rate"
    )]
    RanAway {
        /// One-based.
        epoch: usize,
        /// Mean over the epoch.
        loss: f64,
        /// The least mean of an epoch before it.
        least: f64,
    },
    /// The [`TrainingObserver`] asked to stop.
    #[error("stopped in epoch {epoch}")]
    Stopped {
        /// The epoch that was under way or has just ended, one-based.
        epoch: usize,
    },
    /// A snapshot is not of this training.
    #[error("the snapshot cannot be used: {0}")]
    Snapshot(String),
    /// A file of the model can't be read or written.
    #[error("{path}: {message}")]
    File {
        /// Which file.
        path: String,
        /// What happened.
        message: String,
    },
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
