//! What a net learns to tell: the targets of its training, and predictions from its outputs.

use super::super::Examples;
use super::super::ModelError;
use super::super::files::Array;
use super::super::training::{ClassWeights, Training};
use crate::kernels::loss::{Loss, sigmoid, softmax};
use crate::vocab::{Outputs, Task};

/// What the outputs of a net mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Goal {
    /// The logits of classes.
    Classes,
    /// The logit of each tag.
    Tags,
    /// A standardized number.
    Number(Standard),
}

/// The mean and the standard deviation of the numbers that a net learns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Standard {
    pub(super) mean: f32,
    /// The standard deviation (divisor n), 1 where it is 0.
    pub(super) scale: f32,
}

impl Standard {
    /// Leaves numbers as they are.
    const NONE: Self = Self { mean: 0.0, scale: 1.0 };

    fn fit(train: &Examples) -> Self {
        let n = train.len().max(1) as f64;
        let numbers = || (0..train.len()).map(|index| f64::from(train.number(index)));
        let mean = numbers().sum::<f64>() / n;
        let deviation = (numbers().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        // The deviation of equal numbers is only rounding error.
        let is_constant = deviation <= 1e-12 * mean.abs() || deviation as f32 == 0.0;
        Self { mean: mean as f32, scale: if is_constant { 1.0 } else { deviation as f32 } }
    }

    fn apply(self, number: f32) -> f32 {
        ((f64::from(number) - f64::from(self.mean)) / f64::from(self.scale)) as f32
    }

    fn undo(self, output: f32) -> f32 {
        (f64::from(output) * f64::from(self.scale) + f64::from(self.mean)) as f32
    }
}

impl Goal {
    /// Returns the goal of a training, fitted to its examples.
    pub(super) fn fit(train: &Examples) -> Self {
        match train.outputs().task {
            Task::Classes => Self::Classes,
            Task::Tags => Self::Tags,
            Task::Number => Self::Number(Standard::fit(train)),
        }
    }

    /// Returns the goal of a net that another program trained, whose number is not standardized.
    pub(super) fn of_foreign(outputs: Outputs) -> Self {
        match outputs.task {
            Task::Classes => Self::Classes,
            Task::Tags => Self::Tags,
            Task::Number => Self::Number(Standard::NONE),
        }
    }

    pub(super) fn task(self) -> Task {
        match self {
            Self::Classes => Task::Classes,
            Self::Tags => Task::Tags,
            Self::Number(_) => Task::Number,
        }
    }

    pub(super) fn loss(self) -> Loss {
        match self {
            Self::Classes => Loss::SoftmaxCrossEntropy,
            Self::Tags => Loss::BinaryCrossEntropy,
            Self::Number(_) => Loss::SquaredError,
        }
    }

    /// Returns the loss of a net that has learned nothing: of a uniform guess, or of the mean.
    pub(super) fn clueless_loss(self, n_outputs: usize) -> f64 {
        match self {
            Self::Classes => (n_outputs as f64).ln(),
            Self::Tags => std::f64::consts::LN_2,
            Self::Number(_) => 1.0,
        }
    }

    /// Converts outputs, `[n, n_outputs]`, to predictions of the same shape.
    pub(super) fn predictions(self, outputs: &[f32], n_outputs: usize) -> Vec<f32> {
        match self {
            Self::Classes => softmax(outputs, n_outputs),
            Self::Tags => outputs.iter().map(|&z| sigmoid(f64::from(z)) as f32).collect(),
            Self::Number(standard) => outputs.iter().map(|&x| standard.undo(x)).collect(),
        }
    }

    /// Returns the names and shapes of the arrays in the file that belong to it.
    pub(super) fn arrays(task: Task) -> Vec<(String, Vec<usize>)> {
        match task {
            Task::Classes | Task::Tags => vec![],
            Task::Number => ["target.mean", "target.scale"].map(|x| (x.to_owned(), vec![1])).into(),
        }
    }

    /// Returns its values for the file, in the order of [`Self::arrays`].
    pub(super) fn values(&self) -> Vec<Array<'_>> {
        let Self::Number(Standard { mean, scale }) = self else { return vec![] };
        let values = [std::slice::from_ref(mean), std::slice::from_ref(scale)];
        let named = Self::arrays(Task::Number).into_iter().zip(values);
        named.map(|((name, shape), values)| Array { name, shape, values }).collect()
    }

    /// Creates it from the values in a file.
    pub(super) fn from_values(task: Task, values: &[Vec<f32>]) -> Self {
        match (task, values) {
            (Task::Number, [mean, scale]) => {
                Self::Number(Standard { mean: mean[0], scale: scale[0] })
            }
            (Task::Tags, _) => Self::Tags,
            _ => Self::Classes,
        }
    }

    /// Returns the targets of examples that are not trained on.
    pub(super) fn plain(self) -> TargetRows {
        match self {
            Self::Classes => TargetRows::Labels,
            Self::Tags => TargetRows::Tags([0.0, 1.0]),
            Self::Number(standard) => TargetRows::Number(standard),
        }
    }

    /// Returns the targets of a training.
    ///
    /// # Errors
    /// If a setting is not for such targets, or the number of weights differs from the number of
    /// classes.
    pub(super) fn of_training(
        self,
        training: &Training,
        train: Examples,
    ) -> Result<TargetRows, ModelError> {
        if let Some((key, said)) = training.unsuitable(self.task()).first() {
            return Err(ModelError::Examples(format!("training.{key} {said}")));
        }
        let smoothing = training.label_smoothing;
        match self {
            Self::Classes => Ok(match class_rows(training, train)? {
                rows if rows.is_empty() => TargetRows::Labels,
                rows => TargetRows::Classes(rows),
            }),
            // Keras's: a share of every target is one half.
            Self::Tags => {
                let half = smoothing / 2.0;
                Ok(TargetRows::Tags([half as f32, (1.0 - smoothing + half) as f32]))
            }
            Self::Number(_) => Ok(self.plain()),
        }
    }
}

/// The targets of examples, as a loss sees them.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TargetRows {
    /// The class of an example has all the weight.
    Labels,
    /// One row per class, `[n_classes, n_classes]`: the targets of an example of that class.
    Classes(Vec<f32>),
    /// The target of a tag that an example does not have, and of one that it has.
    Tags([f32; 2]),
    /// The standardized number.
    Number(Standard),
}

impl TargetRows {
    /// Returns the labels of some examples, and their rows.
    pub(super) fn gather(&self, examples: &Examples, indices: &[usize]) -> (Vec<usize>, Vec<f32>) {
        let labels = || indices.iter().map(|&index| examples.label(index)).collect::<Vec<usize>>();
        match self {
            Self::Labels => (labels(), vec![]),
            Self::Classes(rows) => {
                let (labels, n_classes) = (labels(), examples.n_outputs);
                let row = |label: &usize| &rows[label * n_classes..][..n_classes];
                let rows = labels.iter().flat_map(row).copied().collect();
                (labels, rows)
            }
            Self::Tags(values) => {
                let tags = indices.iter().flat_map(|&index| examples.tags(index));
                (vec![], tags.map(|&tag| values[usize::from(tag)]).collect())
            }
            Self::Number(standard) => {
                let number = |&index: &usize| standard.apply(examples.number(index));
                (vec![], indices.iter().map(number).collect())
            }
        }
    }
}

/// Returns the training targets of each class, `[n_classes, n_classes]`; empty if they are the
/// plain labels.
fn class_rows(training: &Training, train: Examples) -> Result<Vec<f32>, ModelError> {
    let n_classes = train.n_outputs;
    let weights: Vec<f64> = match &training.class_weights {
        ClassWeights::Even => vec![1.0; n_classes],
        ClassWeights::Given(weights) if weights.len() != n_classes => {
            return Err(ModelError::Examples(format!(
                "training.class_weights must be {n_classes} numbers, one per class in the order of \
                 their names, found {}",
                weights.len()
            )));
        }
        ClassWeights::Given(weights) => weights.clone(),
        ClassWeights::Balanced => {
            let mut counts = vec![0_usize; n_classes];
            (0..train.len()).for_each(|index| counts[train.label(index)] += 1);
            let balanced = train.len() as f64 / n_classes as f64;
            counts.iter().map(|&count| balanced / count.max(1) as f64).collect()
        }
    };
    let smoothing = training.label_smoothing;
    if smoothing == 0.0 && !training.mixes_targets() && training.class_weights == ClassWeights::Even
    {
        return Ok(vec![]);
    }
    let row = |class: usize| {
        let weight = weights[class];
        let elsewhere = weight * smoothing / n_classes as f64;
        let at =
            move |other| elsewhere + if other == class { weight * (1.0 - smoothing) } else { 0.0 };
        (0..n_classes).map(move |other| at(other) as f32)
    };
    Ok((0..n_classes).flat_map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Targets;

    fn training(text: &str) -> Training {
        let text =
            format!("{text}\noptimizer.sgd = {{ learning_rate = 1 }}\nbatch_size = 2\nepochs = 1");
        let tree = crate::schema::Tree::parse("x.toml", &text).unwrap();
        crate::schema::read(&tree, |fields| Training::read(fields, None)).unwrap().0
    }

    fn examples<'a>(targets: &'a Targets, rows: &'a [usize], n_outputs: usize) -> Examples<'a> {
        Examples { shape: &[1], matrix: &[0.0; 4], targets, rows, n_outputs }
    }

    #[test]
    fn targets_are_smoothed_and_weighted() {
        let (targets, rows) = (Targets::Classes(vec![0, 1, 2, 3]), [0, 1, 1, 1]);
        let of =
            |text: &str| Goal::Classes.of_training(&training(text), examples(&targets, &rows, 4));
        let rows = |text: &str| match of(text).unwrap() {
            TargetRows::Classes(rows) => rows,
            other => panic!("{other:?}"),
        };
        assert_eq!(of("").unwrap(), TargetRows::Labels);
        assert_eq!(rows("label_smoothing = 0.2")[..4], [0.85, 0.05, 0.05, 0.05]);
        // 4 examples, 4 classes: class 0 has one example, class 1 has three.
        let balanced = rows("class_weights = \"balanced\"");
        assert_eq!(balanced[..8], [1.0, 0.0, 0.0, 0.0, 0.0, 1.0 / 3.0, 0.0, 0.0]);
        let both = rows("class_weights = [2, 1, 1, 1]\nlabel_smoothing = 0.2");
        assert_eq!(both[..4], [1.7, 0.1, 0.1, 0.1]);
        let said = of("class_weights = [2, 1]").unwrap_err().to_string();
        assert!(said.contains("must be 4 numbers") && said.contains("found 2"), "{said}");
    }

    #[test]
    fn tags_are_smoothed_towards_a_half_as_in_keras() {
        let targets = Targets::Tags(vec![true, false, false, false, true, true]);
        let examples = examples(&targets, &[0, 1, 2], 2);
        let of = |text: &str| {
            let rows = Goal::Tags.of_training(&training(text), examples).unwrap();
            rows.gather(&examples, &[2, 0]).1
        };
        assert_eq!(of(""), [1.0, 1.0, 1.0, 0.0]);
        // keras: y (1 - 0.2) + 0.5 * 0.2.
        assert_eq!(of("label_smoothing = 0.2"), [0.9, 0.9, 0.9, 0.1]);
        assert_eq!(Goal::Tags.plain().gather(&examples, &[1]).1, [0.0, 0.0]);
        assert_eq!(Goal::Tags.predictions(&[0.0, -1e4, 1e4], 3), [0.5, 0.0, 1.0]);
    }

    #[test]
    fn numbers_are_standardized_and_come_back() {
        let targets = Targets::Numbers(vec![90.0, 110.0, 130.0, 1e9]);
        let train = examples(&targets, &[0, 1, 2], 1);
        let goal = Goal::fit(&train);
        let deviation = (800.0_f64 / 3.0).sqrt() as f32;
        assert_eq!(goal, Goal::Number(Standard { mean: 110.0, scale: deviation }));
        let rows = goal.of_training(&training("mixup = 0.2"), train).unwrap();
        let (_, outputs) = rows.gather(&train, &[2, 1, 0]);
        assert!((outputs[0] - 20.0 / deviation).abs() < 1e-6 && outputs[1] == 0.0, "{outputs:?}");
        let back = goal.predictions(&outputs, 1);
        assert!(back.iter().zip([130.0, 110.0, 90.0]).all(|(a, b)| (a - b).abs() < 1e-4));
        // Equal numbers keep their scale.
        let equal = Targets::Numbers(vec![7.0; 4]);
        let goal = Goal::fit(&examples(&equal, &[0, 1, 2], 1));
        assert_eq!(goal, Goal::Number(Standard { mean: 7.0, scale: 1.0 }));
    }

    #[test]
    fn what_is_for_other_targets_is_refused() {
        let targets = Targets::Numbers(vec![1.0, 2.0, 3.0, 4.0]);
        let train = examples(&targets, &[0, 1], 1);
        let goal = Goal::fit(&train);
        let said = |text: &str| goal.of_training(&training(text), train).unwrap_err().to_string();
        assert!(said("label_smoothing = 0.1").starts_with("training.label_smoothing is for"));
        assert!(said("class_weights = \"balanced\"").starts_with("training.class_weights is for"));
    }
}
