//! Models, one file each, and their registry.
//!
//! A [`Model`] is a checked configuration. Fitted to [`Examples`], it becomes a [`FittedModel`]. What it tells of an
//! example, a class, tags or a number, is said by the targets of the examples.
//! Only this room uses burn, linfa and smartcore. It must never know audio files, tables on disk or
//! reports.
//!
//! To add a model: write one file with an `ENTRY`, and add it to [`MODELS`]. A program that uses encore
//! as a library calls [`register`] instead.

pub mod augment;
mod columns;
pub mod command;
mod crop;
mod design;
mod device;
mod ensemble;
mod examples;
mod files;
mod forest;
mod gradient_boosting;
mod knn;
mod linear;
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

pub use augment::{AUGMENTATIONS, Augment, Axes};
pub use columns::Metric;
pub use command::Command;
pub use crop::Crop;
pub use device::{Device, NoDevice};
pub use ensemble::{Combination, Ensemble, OpinionPool};
pub use examples::Examples;
pub use forest::Forest;
pub use gradient_boosting::{GradientBoosting, TreeRules};
pub use knn::{Knn, NeighborWeights};
pub use linear::Linear;
pub use logistic::Logistic;
pub use majority::Majority;
pub use net::cnn::{ConvHead, ConvLayout, HeadPool, cnn, cnn_with};
pub use net::conv_block::{Activation, BatchNorm, ConvBlock, Pool};
pub use net::dense::{DenseLayer, dense};
pub use preprocess::{Impute, Preprocess, Preprocessor};
pub use probe::{Probe, RangeTest, suggestion};
pub use schedule::Schedule;
pub use svm::{Svm, SvmKernel};
pub use training::{ClassWeights, EarlyStopping, Monitor, Training};

pub use crate::kernels::optimizer::Optimizer;

use std::path::Path;

use crate::schema::Fields;
use crate::vocab::{Epoch, Named, Outputs, Registry, Seed, Task};

/// Every built-in model, in the order of the documentation.
pub static MODELS: &[Entry] = &[
    majority::ENTRY,
    logistic::ENTRY,
    linear::ENTRY,
    knn::ENTRY,
    svm::ENTRY,
    forest::ENTRY,
    gradient_boosting::ENTRY,
    net::dense::ENTRY,
    net::cnn::ENTRY,
    command::ENTRY,
    ensemble::ENTRY,
];

/// The entry of a model in the list: `[model.NAME]` in a spec.
pub struct Entry {
    /// The name in specs, lower case.
    pub name: &'static str,
    /// One-sentence description.
    pub doc: &'static str,
    /// What it can learn to tell.
    pub tasks: &'static [Task],
    /// Reads the model's table.
    pub read: Reader,
}

impl Named for Entry {
    fn name(&self) -> &'static str {
        self.name
    }
}

static REGISTRY: Registry<Entry> = Registry::new(MODELS);

/// Makes your own model known to this process: specs can then contain `[model.NAME]`.
///
/// A run's ID depends on the model's name and its settings in the spec, not on its code. Put a
/// version into the settings, and raise it when the code changes. Runs of such a model take place
/// in this process; the `encore` program does not know it.
///
/// # Errors
/// If the name is taken or is not a plain name.
pub fn register(entry: &'static Entry) -> Result<(), String> {
    REGISTRY.add(entry)
}

/// Returns every model that specs can name in this process: [`MODELS`], then those that were
/// registered.
#[must_use]
pub fn all() -> Vec<&'static Entry> {
    REGISTRY.all()
}

/// A function that reads a model's table, and whether the model needs `[training]`.
///
/// The second argument is the shape of one example, e.g. `[130, 13]` (frames, coefficients) or
/// `[21]` (columns), if it is known. Impossible shapes are faults of the spec.
pub enum Reader {
    /// The model is not trained over epochs; a `[training]` table is a fault.
    AtOnce(ReadAtOnce),
    /// The model is trained over epochs, as its `[training]` table says.
    Epochs(ReadEpochs),
}

/// Reads the table of a model that is not trained over epochs.
pub type ReadAtOnce = fn(&mut Fields, Option<&[usize]>) -> Box<dyn Model>;

/// Reads the table of a model that is trained over epochs.
pub type ReadEpochs = fn(&mut Fields, Training, Option<&[usize]>) -> Box<dyn Model>;

/// A checked configuration, ready to be fitted.
pub trait Model: Send + Sync {
    /// Fits the model. The same input gives the same bits.
    ///
    /// # Errors
    /// If the examples are unsuitable for training, or the loss is no longer finite.
    fn fit(&self, job: &FitInput, watch: &mut dyn TrainingObserver) -> Result<Fitted, ModelError>;

    /// Returns what is allowed in the configuration, but hardly wanted.
    fn warnings(&self) -> Vec<String> {
        vec![]
    }

    /// Loads a model that [`FittedModel::save`] wrote into a folder.
    ///
    /// # Errors
    /// If files are missing, damaged or of a different shape.
    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError>;

    /// Returns the maximum number of epochs of a model that has epochs but no `[training]` table.
    fn max_epochs(&self) -> Option<usize> {
        None
    }

    /// Returns the settings of a program that is the model. Such a model is neither fitted nor loaded in
    /// this process.
    fn command(&self) -> Option<&Command> {
        None
    }

    /// Returns the settings of an ensemble of finished runs. It is neither fitted nor loaded from examples
    /// alone.
    fn ensemble(&self) -> Option<&Ensemble> {
        None
    }

    /// Imports weights that another program trained, from a safetensors file. The means and scales
    /// that the model also needs are fitted to the training examples. A number is taken as the net puts
    /// it out, not standardized.
    ///
    /// # Errors
    /// If the file belongs to a different net, or the model has no weights to import.
    fn import(&self, _job: &FitInput, _file: &Path, _layout: Layout) -> Result<Fitted, ModelError> {
        Err(ModelError::Examples("only nets can import weights".to_owned()))
    }

    /// Runs a short training with a rising learning rate.
    ///
    /// # Errors
    /// If the examples are unsuitable for training, or the model has no learning rate.
    fn range_test(&self, _job: &FitInput, _test: RangeTest) -> Result<Vec<Probe>, ModelError> {
        let said = "the model is not trained over epochs and has no learning rate";
        Err(ModelError::Examples(said.to_owned()))
    }
}

/// How a file from another program names and lays out its arrays.
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
    /// Returns the name of the program.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Keras => "Keras",
            Self::PyTorch => "PyTorch",
        }
    }
}

/// The input of a fit.
pub struct FitInput<'a> {
    /// Training examples.
    pub train: Examples<'a>,
    /// Validation examples, never fitted on; may be empty.
    pub valid: Examples<'a>,
    /// Seed of all randomness: weights, shuffling, dropout, augmentation.
    pub seed: Seed,
    /// Compute device of nets; other models use the CPU.
    pub device: Device,
    /// The snapshot to resume from: the last bytes given to [`TrainingObserver::keep`].
    pub resume: Option<&'a [u8]>,
    /// What computes the training examples of each epoch, if they are not the same in all. `train` has them
    /// unchanged.
    pub fresh: Option<&'a dyn FreshExamples>,
    /// The epoch after which the fit ends, if that is not its last one: it then asks the observer to keep
    /// a snapshot, from which the fit can go on with the bits of one that never ended.
    pub until: Option<usize>,
}

/// Training examples that are computed again in every epoch, for models that are trained over epochs.
pub trait FreshExamples: Sync {
    /// Computes the training example of an index, as it is in an epoch (one-based), into `out`, which has
    /// the length of an example. The same epoch and index give the same numbers.
    ///
    /// # Errors
    /// If it can't be computed any more.
    fn compute(&self, epoch: usize, index: usize, out: &mut [f32]) -> Result<(), ModelError>;
}

/// The result of a fit.
pub struct Fitted {
    /// The trained model.
    pub model: Box<dyn FittedModel>,
    /// Number of fitted parameters; 0 for models without parameters.
    pub n_parameters: usize,
    /// The one-based epoch whose weights were kept, for models trained over epochs.
    pub kept_epoch: Option<usize>,
    /// Notes for the reader of the record, e.g. whether the solver converged and how closely.
    pub notes: Vec<String>,
}

/// A trained model.
pub trait FittedModel: Send + Sync {
    /// Predicts, row-major `[examples.len(), n_outputs]`: the probabilities of the classes, which sum to 1 in a
    /// row; the probability of each tag; or the number.
    ///
    /// # Errors
    /// If the shape of the examples differs from those the model was fitted on.
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError>;

    /// Returns the logits whose softmax, or sigmoid of tags, gives the probabilities, in the same shape;
    /// nothing if the model has none.
    ///
    /// # Errors
    /// In the cases of [`Self::predict`].
    fn logits(&self, _examples: &Examples) -> Result<Option<Vec<f32>>, ModelError> {
        Ok(None)
    }

    /// Returns the layers whose outputs [`Self::embed`] computes, in order; none for models without layers.
    fn layers(&self) -> Vec<HiddenLayer> {
        vec![]
    }

    /// Computes the output of a layer, row-major `[examples.len(), width of the layer]`.
    ///
    /// # Errors
    /// In the cases of [`Self::predict`], and if there is no such layer.
    fn embed(&self, _examples: &Examples, layer: &str) -> Result<Vec<f32>, ModelError> {
        Err(ModelError::unknown_layer(layer, &self.layers()))
    }

    /// Writes the model's files into an existing folder.
    ///
    /// # Errors
    /// If a file can't be written.
    fn save(&self, folder: &Path) -> Result<(), ModelError>;
}

/// A layer of a trained net.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenLayer {
    /// Its kind and number, e.g. `dense_2`.
    pub name: String,
    /// Numbers of its output for one example.
    pub width: usize,
    /// Whether it is the last one before the net's decision.
    pub is_default: bool,
}

/// Follows a training; may request snapshots and may end it.
pub trait TrainingObserver {
    /// Receives a finished epoch.
    fn epoch(&mut self, epoch: &Epoch) -> Flow;

    /// Decides how to continue after each step; must be fast.
    fn next(&mut self) -> Next {
        Next::Go
    }

    /// Keeps a snapshot that [`Self::next`] requested. Together with the epochs so far, it contains
    /// everything needed to resume the training and finish bit-identical.
    fn keep(&mut self, _snapshot: Vec<u8>) -> Flow {
        Flow::Continue
    }
}

/// An observer that ignores everything and never stops a training.
impl TrainingObserver for () {
    fn epoch(&mut self, _: &Epoch) -> Flow {
        Flow::Continue
    }
}

/// The decision of a [`TrainingObserver`] after an epoch or a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Continue.
    Continue,
    /// Stop now: the fit ends with [`ModelError::Stopped`].
    Stop,
}

/// The decision of a [`TrainingObserver`] after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Continue.
    Go,
    /// Take a snapshot and continue.
    Save,
    /// Take a snapshot and end with [`ModelError::Stopped`].
    SaveAndStop,
}

/// An error while fitting, saving or loading a model.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The examples are unsuitable.
    #[error("{0}")]
    Examples(String),
    /// The loss is no longer finite.
    #[error(
        "the loss became {loss} in epoch {epoch}\nhint: a smaller training.optimizer learning_rate usually helps; encore lr-find looks for one"
    )]
    Diverged {
        /// The epoch, one-based.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// The loss of an epoch was far above the best one.
    #[error(
        "the loss diverged: {loss:.1} in epoch {epoch}, after {least:.3} at best\nhint: a smaller training.optimizer learning_rate or training.clip_norm usually helps; encore lr-find looks for a rate"
    )]
    RanAway {
        /// The epoch, one-based.
        epoch: usize,
        /// Mean loss of the epoch.
        loss: f64,
        /// Lowest mean loss of an earlier epoch.
        least: f64,
    },
    /// The [`TrainingObserver`] stopped the training.
    #[error("stopped in epoch {epoch}")]
    Stopped {
        /// The epoch in progress or just finished, one-based.
        epoch: usize,
    },
    /// A snapshot belongs to a different training.
    #[error("the snapshot cannot be used: {0}")]
    Snapshot(String),
    /// A program that is the model failed.
    #[error("{0}")]
    Command(String),
    /// A program that is the model may not be started.
    #[error("{0}")]
    NotTrusted(String),
    /// A file of the model can't be read or written.
    #[error("{path}: {message}")]
    File {
        /// The path of the file.
        path: String,
        /// The fault.
        message: String,
    },
}

impl ModelError {
    /// Names the layers that there are.
    fn unknown_layer(layer: &str, known: &[HiddenLayer]) -> Self {
        let known = crate::vocab::quoted_list(known.iter().map(|it| it.name.as_str()));
        Self::Examples(format!("the model has no layer `{layer}`; it has {known}"))
    }
}

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
