//! `[training]`: optimizer, schedule, loss, batches, early stopping and augmentation of a net's
//! training.

use serde_json::json;

use super::augment::{Augment, Axes, preview};
use super::crop::Crop;
use super::schedule::Schedule;
use crate::kernels::optimizer::Optimizer;
use crate::schema::{Fields, Flag, Int, List, Node, OneOf, Real, Rule, Value};
use crate::vocab::{Epoch, Seed, Task};

/// A checked `[training]` table.
#[derive(Debug, Clone, PartialEq)]
pub struct Training {
    /// The optimizer.
    pub optimizer: Optimizer,
    /// The factor of the learning rate at each step.
    pub schedule: Schedule,
    /// Maximum global norm of the gradients, penalties included. Larger gradients are scaled down
    /// to it.
    pub clip_norm: Option<f64>,
    /// Fraction of every target that is spread evenly over all classes, or over yes and no of a tag,
    /// `[0, 1)`. Not for numbers.
    pub label_smoothing: f64,
    /// Factor of each example's loss, by its class. For classes only.
    pub class_weights: ClassWeights,
    /// Mixes pairs of examples by a share drawn from Beta(`mixup`, `mixup`) for each batch; 0 for none.
    pub mixup: f64,
    /// Share of the moving average of the weights that each step keeps, [0, 1): the average is
    /// validated and kept, not the weights of the last step.
    pub ema: Option<f64>,
    /// Whether weight decay leaves biases, scales and shifts alone.
    pub decay_only_kernels: bool,
    /// Number of examples per step, at least 1; the last batch of an epoch may be smaller.
    pub batch_size: usize,
    /// Number of passes over the training examples, at least 1.
    pub epochs: usize,
    /// Number of epochs between validations; the last epoch is always validated.
    pub validate_every: usize,
    /// When to stop before the last epoch.
    pub early_stopping: Option<EarlyStopping>,
    /// Augmentations of training examples, drawn again every epoch, in the order in which they change an
    /// example.
    pub augment: Vec<Augment>,
    /// Windows of examples that the net sees instead of whole ones.
    pub crop: Option<Crop>,
    /// Number of augmented copies of an example that vote beside the unchanged one in predictions; 0 for
    /// none.
    pub test_time_draws: usize,
}

/// Weights of the classes in the loss. The loss of a batch is the weighted sum divided by its size,
/// as in Keras.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeights {
    /// All 1.
    Even,
    /// `n / (n_classes * n_of_class)` over the training examples (scikit-learn's `balanced`).
    Balanced,
    /// In the order of the class names, each in `(0, inf)`.
    Given(Vec<f64>),
}

/// Stops a training that no longer improves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStopping {
    /// The monitored number.
    pub monitor: Monitor,
    /// Number of consecutive epochs without a better value before the training stops, at least 1.
    pub patience: usize,
    /// Amount by which a value must beat the best one to count as better, `[0, inf)`.
    pub min_delta: f64,
    /// Whether the weights of the best epoch are kept instead of those of the last.
    pub restore_best: bool,
}

/// A number of an epoch that early stopping can monitor. There is an accuracy of classes only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Monitor {
    /// Lower is better.
    ValidLoss,
    /// Higher is better.
    ValidAccuracy,
    /// Lower is better.
    TrainLoss,
    /// Higher is better.
    TrainAccuracy,
}

/// Names of [`Monitor`]s in specs.
const MONITORS: &[(&str, Monitor)] = &[
    ("valid_loss", Monitor::ValidLoss),
    ("valid_accuracy", Monitor::ValidAccuracy),
    ("train_loss", Monitor::TrainLoss),
    ("train_accuracy", Monitor::TrainAccuracy),
];

impl Training {
    /// Creates a training with a constant learning rate and otherwise only the given settings.
    #[must_use]
    pub fn new(optimizer: Optimizer, batch_size: usize, epochs: usize) -> Self {
        Self {
            optimizer,
            schedule: Schedule::Constant,
            clip_norm: None,
            label_smoothing: 0.0,
            class_weights: ClassWeights::Even,
            mixup: 0.0,
            ema: None,
            decay_only_kernels: false,
            batch_size,
            epochs,
            validate_every: 1,
            early_stopping: None,
            augment: vec![],
            crop: None,
            test_time_draws: 0,
        }
    }

    /// Reads the table; `axes` are those of one example, if they are known.
    ///
    /// Missing, out-of-range and impossible values become faults.
    pub fn read(fields: &mut Fields, axes: Option<Axes>) -> Self {
        let optimizer = fields.choice("optimizer", OPTIMIZERS, read_optimizer);
        let batch_size = fields.required("batch_size", &Int::within(1..=65_536));
        let epochs = fields.required("epochs", &Int::within(1..=1_000_000));
        let schedule = Schedule::read(fields, epochs);
        let clip_norm = fields.optional("clip_norm", &Real::positive());
        let label_smoothing =
            fields.with_default("label_smoothing", &Real::from_to_below(0.0, 1.0), 0.0);
        let class_weights = fields.with_default("class_weights", &Weighting, ClassWeights::Even);
        let mixup = fields.with_default("mixup", &Real::from_to(0.0, 100.0), 0.0);
        let ema = fields.optional("ema", &Real::from_to_below(0.0, 1.0));
        let decay_only_kernels = fields.optional("decay_only_kernels", &Flag).unwrap_or(false);
        let validate_every = fields.with_default("validate_every", &Int::within(1..=1_000_000), 1);
        let early_stopping = fields.table("early_stopping", EarlyStopping::read);
        let crop = fields.table("crop", |inner| Crop::read(inner, axes));
        let window =
            axes.map(|axes| crop.map_or(axes.shape.to_vec(), |crop| crop.shape(axes.shape)));
        let seen = axes.zip(window.as_deref()).map(|(axes, shape)| Axes { shape, ..axes });
        let augment = Augment::read_list(fields, "augment", seen);
        let test_time_draws = fields
            .table("test_time_augmentation", |inner| {
                inner.required("draws", &Int::within(1..=1000))
            })
            .unwrap_or(0);
        if test_time_draws > 0
            && augment.iter().all(Augment::mixes_targets)
            && !fields.is_exploring()
        {
            let said =
                "has no effect: training.augment has nothing that changes an example by itself";
            fields.fault_at("test_time_augmentation", said);
        }
        Self {
            optimizer: optimizer.unwrap_or(Optimizer::rms_prop(0.001)),
            schedule: schedule.unwrap_or(Schedule::Constant),
            clip_norm,
            label_smoothing,
            class_weights,
            mixup,
            ema,
            decay_only_kernels,
            batch_size,
            epochs,
            validate_every,
            early_stopping,
            augment,
            crop,
            test_time_draws,
        }
    }
}

impl Training {
    /// Returns the shape of what the net sees of examples of a shape.
    #[must_use]
    pub fn input_shape(&self, example: &[usize]) -> Vec<usize> {
        self.crop.map_or(example.to_vec(), |crop| crop.shape(example))
    }

    /// Returns what the net sees of an example of a shape in the first epoch: a window, or all of it.
    #[must_use]
    pub fn window<'b>(
        &self,
        example: &'b [f32],
        shape: &[usize],
        seed: Seed,
        index: usize,
    ) -> &'b [f32] {
        let Some(crop) = self.crop else { return example };
        let frame: usize = shape.iter().skip(1).product();
        let start = crop.start(shape[0], &seed.rng("crop", &[1]), index);
        &example[start * frame..][..crop.frames * frame]
    }

    /// Returns some windows after each augmentation, whatever its probability; then others, which are the same
    /// ones after what comes before, after all augmentations in the first epoch: `[augment.len() + 1]`
    /// `[indices.len()]`.
    #[must_use]
    pub fn preview(
        &self,
        indices: &[usize],
        [windows, others]: [&[Vec<f32>]; 2],
        shape: &[usize],
        seed: Seed,
    ) -> Vec<Vec<Vec<f32>>> {
        let shape = self.input_shape(shape);
        preview(&self.augment, indices, [windows, others], &shape, seed)
    }

    /// Returns whether examples are trained on mixtures of their targets.
    #[must_use]
    pub fn mixes_targets(&self) -> bool {
        self.mixup > 0.0 || self.augment.iter().any(Augment::mixes_targets)
    }

    /// Returns the settings that can't be used for a task: each key, and what is wrong.
    #[must_use]
    pub fn unsuitable(&self, task: Task) -> Vec<(&'static str, String)> {
        let mut found = vec![];
        if task != Task::Classes && self.class_weights != ClassWeights::Even {
            let said =
                format!("is for classes only, but the target is {}; leave it out", task.words());
            found.push(("class_weights", said));
        }
        if task == Task::Number && self.label_smoothing > 0.0 {
            let said = "is for classes and tags only, but the target is a number; leave it out";
            found.push(("label_smoothing", said.to_owned()));
        }
        if let Some(EarlyStopping { monitor, .. }) = self.early_stopping
            && task != Task::Classes
            && let Some(instead) = monitor.loss_instead()
        {
            let (monitor, instead) = (monitor.name(), instead.name());
            let words = task.words();
            let said = format!(
                "can't monitor `{monitor}`, since the target is {words}; use monitor = \"{instead}\""
            );
            found.push(("early_stopping", said));
        }
        found
    }
}

const OPTIMIZERS: &[&str] = &["adam", "adamw", "rmsprop", "sgd"];

/// Reads an optimizer's table. Defaults are Keras's, but Adam and SGD require a learning rate.
fn read_optimizer(name: &str, fields: &mut Fields) -> Optimizer {
    let decay = Real::from_to_below(0.0, 1.0);
    let positive = Real::positive();
    match name {
        "adam" | "adamw" => Optimizer::Adam {
            learning_rate: fields.required("learning_rate", &positive),
            beta_1: fields.with_default("beta_1", &decay, 0.9),
            beta_2: fields.with_default("beta_2", &decay, 0.999),
            epsilon: fields.with_default("epsilon", &positive, 1e-7),
            weight_decay: match name {
                "adamw" => fields.with_default("weight_decay", &decay, 0.004),
                _ => 0.0,
            },
        },
        "sgd" => Optimizer::Sgd {
            learning_rate: fields.required("learning_rate", &positive),
            momentum: fields.with_default("momentum", &decay, 0.0),
            nesterov: fields.with_default("nesterov", &Flag, false),
            weight_decay: fields.with_default("weight_decay", &decay, 0.0),
        },
        _ => Optimizer::RmsProp {
            learning_rate: fields.with_default("learning_rate", &positive, 0.001),
            rho: fields.with_default("rho", &decay, 0.9),
            momentum: fields.with_default("momentum", &decay, 0.0),
            epsilon: fields.with_default("epsilon", &positive, 1e-7),
        },
    }
}

impl EarlyStopping {
    fn read(fields: &mut Fields) -> Self {
        Self {
            monitor: fields.with_default("monitor", &OneOf(MONITORS), Monitor::ValidLoss),
            patience: fields.required("patience", &Int::within(1..=1_000_000)),
            min_delta: fields.with_default("min_delta", &Real::not_negative(), 0.0),
            restore_best: fields.with_default("restore_best", &Flag, true),
        }
    }
}

impl Monitor {
    /// Returns its name in specs.
    #[must_use]
    pub fn name(self) -> &'static str {
        let named = MONITORS.iter().find(|(_, monitor)| *monitor == self);
        named.map_or("", |(name, _)| name)
    }

    /// Returns its value in an epoch; NaN if the epoch has none.
    #[must_use]
    pub fn of(self, epoch: &Epoch) -> f64 {
        match self {
            Self::ValidLoss => epoch.valid_loss,
            Self::ValidAccuracy => epoch.valid_accuracy,
            Self::TrainLoss => epoch.train_loss,
            Self::TrainAccuracy => epoch.train_accuracy,
        }
    }

    /// Returns by how much one value is better than another; negative if it is worse.
    #[must_use]
    pub fn gain(self, value: f64, other: f64) -> f64 {
        match self {
            Self::ValidLoss | Self::TrainLoss => other - value,
            Self::ValidAccuracy | Self::TrainAccuracy => value - other,
        }
    }

    /// Returns the loss of the same examples, for an accuracy.
    fn loss_instead(self) -> Option<Self> {
        match self {
            Self::ValidAccuracy => Some(Self::ValidLoss),
            Self::TrainAccuracy => Some(Self::TrainLoss),
            Self::ValidLoss | Self::TrainLoss => None,
        }
    }

    /// Returns whether it needs validation examples.
    #[must_use]
    pub fn is_of_valid(self) -> bool {
        matches!(self, Self::ValidLoss | Self::ValidAccuracy)
    }
}

/// The rule for `class_weights`.
struct Weighting;

impl Rule for Weighting {
    type Made = ClassWeights;

    fn allowed(&self) -> String {
        "\"even\", \"balanced\" or a list of numbers in (0, inf), one per class".to_owned()
    }

    fn check(&self, node: &Node) -> Result<ClassWeights, Option<String>> {
        match &node.value {
            Value::Text(text) if text == "even" => Ok(ClassWeights::Even),
            Value::Text(text) if text == "balanced" => Ok(ClassWeights::Balanced),
            Value::List(_) => List::of_some(Real::positive()).check(node).map(ClassWeights::Given),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &ClassWeights) -> serde_json::Value {
        match made {
            ClassWeights::Even => json!("even"),
            ClassWeights::Balanced => json!("balanced"),
            ClassWeights::Given(weights) => json!(weights),
        }
    }

    fn stand_in(&self) -> ClassWeights {
        ClassWeights::Even
    }
}

#[cfg(test)]
mod tests;
