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
mod tests {
    use super::*;
    use crate::model::augment;
    use crate::schema::{Tree, read};

    fn training(text: &str, shape: &[usize]) -> Result<Training, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        let axes = Axes { shape, has_bands: true };
        read(&tree, |fields| Training::read(fields, Some(axes)))
            .map(|(made, _)| made)
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn defaults_are_kerass() {
        let text = "optimizer.adam = { learning_rate = 1e-4 }\nbatch_size = 32\nepochs = 400\n\
                    early_stopping = { patience = 15 }\naugment = [\"time_reversal\"]";
        assert_eq!(
            training(text, &[130, 13]),
            Ok(Training {
                optimizer: Optimizer::adam(1e-4),
                schedule: Schedule::Constant,
                clip_norm: None,
                label_smoothing: 0.0,
                class_weights: ClassWeights::Even,
                mixup: 0.0,
                ema: None,
                decay_only_kernels: false,
                batch_size: 32,
                epochs: 400,
                validate_every: 1,
                early_stopping: Some(EarlyStopping {
                    monitor: Monitor::ValidLoss,
                    patience: 15,
                    min_delta: 0.0,
                    restore_best: true
                }),
                augment: augment::tests::list("[\"time_reversal\"]"),
                crop: None,
                test_time_draws: 0,
            })
        );
        let rmsprop = training("optimizer.rmsprop = {}\nbatch_size = 64\nepochs = 1", &[21]);
        assert_eq!(rmsprop.unwrap().optimizer, Optimizer::rms_prop(0.001));
    }

    #[test]
    fn everything_can_be_said() {
        let text = "optimizer.adamw = { learning_rate = 0.1 }\nbatch_size = 32\nepochs = 9\n\
                    schedule.cosine = { warmup_epochs = 2 }\nclip_norm = 1\nmixup = 0.2\n\
                    label_smoothing = 0.1\nclass_weights = [1, 2.5]\nvalidate_every = 3\n\
                    early_stopping = { patience = 2, monitor = \"valid_accuracy\" }\n\
                    ema = 0.99\ndecay_only_kernels = true";
        let read = training(text, &[21]).unwrap();
        let Optimizer::Adam { weight_decay, .. } = read.optimizer else { panic!("not Adam") };
        assert_eq!(weight_decay, 0.004);
        assert_eq!(read.schedule, Schedule::Cosine { warmup_epochs: 2, min_factor: 0.0 });
        assert_eq!((read.clip_norm, read.mixup, read.label_smoothing), (Some(1.0), 0.2, 0.1));
        assert_eq!(read.class_weights, ClassWeights::Given(vec![1.0, 2.5]));
        assert_eq!(read.validate_every, 3);
        assert_eq!((read.ema, read.decay_only_kernels), (Some(0.99), true));
        assert_eq!(read.early_stopping.unwrap().monitor, Monitor::ValidAccuracy);
        let sgd = "optimizer.sgd = { learning_rate = 0.1, momentum = 0.9, nesterov = true }\n\
                   batch_size = 1\nepochs = 1\nclass_weights = \"balanced\"\n\
                   schedule.step = { every = 10, factor = 0.5 }";
        let read = training(sgd, &[21]).unwrap();
        assert!(matches!(read.optimizer, Optimizer::Sgd { nesterov: true, .. }));
        assert_eq!(read.class_weights, ClassWeights::Balanced);
        assert_eq!(read.schedule, Schedule::Step { every: 10, factor: 0.5 });
    }

    #[test]
    fn faults_of_the_new_fields_say_what_is_allowed() {
        let text = "optimizer.sgd = { learning_rate = 0.1, momentum = 1 }\nbatch_size = 1\n\
                    epochs = 2\nschedule.cosine = { warmup_epochs = 2 }\nclip_norm = 0\n\
                    class_weights = \"even-ish\"\nearly_stopping = { patience = 1, monitor = \"loss\" }";
        assert_eq!(
            training(text, &[21]).unwrap_err(),
            "x.toml:1: optimizer.sgd.momentum must be a number in [0, 1), found 1\n\
             x.toml:4: schedule.cosine.warmup_epochs must be below training.epochs, 2, found 2\n\
             x.toml:5: clip_norm must be a number in (0, inf), found 0\n\
             x.toml:6: class_weights must be \"even\", \"balanced\" or a list of numbers in \
             (0, inf), one per class, found the text \"even-ish\"\n\
             x.toml:7: early_stopping.monitor must be `valid_loss`, `valid_accuracy`, `train_loss` \
             or `train_accuracy`, found the text \"loss\""
        );
    }

    #[test]
    fn what_is_for_classes_only_is_unsuitable_for_others() {
        let text = "optimizer.sgd = { learning_rate = 0.1 }\nbatch_size = 1\nepochs = 1\n\
                    label_smoothing = 0.1\nclass_weights = \"balanced\"\n\
                    early_stopping = { patience = 2, monitor = \"train_accuracy\" }";
        let training = training(text, &[21]).unwrap();
        let said = |task| -> Vec<String> {
            training.unsuitable(task).iter().map(|(key, said)| format!("{key} {said}")).collect()
        };
        assert!(said(Task::Classes).is_empty());
        assert_eq!(
            said(Task::Tags),
            [
                "class_weights is for classes only, but the target is tags; leave it out",
                "early_stopping can't monitor `train_accuracy`, since the target is tags; use monitor = \
                 \"train_loss\"",
            ]
        );
        assert_eq!(
            said(Task::Number)[1],
            "label_smoothing is for classes and tags only, but the target is a number; leave it out"
        );
        assert_eq!(said(Task::Number).len(), 3);
        assert!(
            Training { mixup: 1.0, ..Training::new(training.optimizer, 1, 1) }
                .unsuitable(Task::Number)
                .is_empty()
        );
    }

    #[test]
    fn a_crop_is_what_augmentations_and_the_net_see() {
        let text = |more: &str| {
            format!(
                "optimizer.rmsprop = {{}}\nbatch_size = 1\nepochs = 1\ncrop = {{ frames = 20 }}\n{more}"
            )
        };
        let mask = text("augment = [{ mask = { frames = 19 } }]\ntest_time_augmentation.draws = 3");
        let read = training(&mask, &[30, 4]).unwrap();
        assert_eq!(read.crop, Some(Crop { frames: 20, hop: 20 }));
        assert_eq!((read.input_shape(&[30, 4]), read.test_time_draws), (vec![20, 4], 3));
        assert_eq!(
            training(&text("augment = [{ mask = { frames = 20 } }]"), &[30, 4]).unwrap_err(),
            "x.toml:5: augment[0].mask.frames is 20, but an example has 20 frames, which all could be \
             masked"
        );
        assert_eq!(
            training(
                &text("augment = [\"cutmix\"]\ntest_time_augmentation = { draws = 3 }"),
                &[19, 4]
            )
            .unwrap_err(),
            "x.toml:4: crop.frames is 20, but an example has only 19 frames\n\
             x.toml:6: test_time_augmentation has no effect: training.augment has nothing that changes an \
             example by itself"
        );
    }

    #[test]
    fn faults_say_what_is_allowed() {
        let text = "optimizer.adam = { learning_rate = 0, beta_1 = 1 }\nbatch_size = 0\n\
                    augment = [\"time_reversal\"]";
        assert_eq!(
            training(text, &[21]).unwrap_err(),
            "x.toml:1: optimizer.adam.learning_rate must be a number in (0, inf), found 0\n\
             x.toml:1: optimizer.adam.beta_1 must be a number in [0, 1), found 1\n\
             x.toml:1: epochs is missing; expected an integer in [1, 1000000]\n\
             x.toml:2: batch_size must be an integer in [1, 65536], found 0\n\
             x.toml:3: augment[0].time_reversal needs a time axis: an example of shape [21] has none"
        );
    }
}
