//! `[model.ensemble]`: several finished runs as one model.
//!
//! ```toml
//! [model.ensemble]
//! of = ["beyond/cnn-4-track", "beyond/stats-logistic"]    # experiments, or ids of single runs
//! by = "mean"             # the default; or "logistic", with:
//! c = 0.1                 # scikit-learn's C of the regression
//! ```
//!
//! The members are trained by runs of their own. `mean` takes the mean of their log-probabilities. `logistic`, a
//! stack, is a logistic regression on these, fitted on the validation examples, which no member
//! was trained on (Wolpert, "Stacked generalization", Neural Networks 5, 1992). This module knows what the
//! members put out and does not know where that comes from.

use std::path::Path;

use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Logistic, Model, ModelError, Reader,
    TrainingObserver,
};
use crate::schema::{Fields, List, OneOf, Real, Text};
use crate::vocab::{Outputs, Targets, Task};

/// The nearest that a probability comes to 0 or 1 before its logarithm is taken.
const LEAST: f64 = 1e-7;

/// The `c` of a stack, unless the spec says otherwise.
const DEFAULT_C: f64 = 0.1;

/// The most iterations of the solver of a stack.
const MAX_ITERATIONS: usize = 1000;

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "ensemble",
    doc: "Several finished runs of one split as one model: the mean of their log-probabilities, or a logistic \
          regression on these that is fitted on the validation set.",
    tasks: &Task::ALL,
    read: Reader::AtOnce(|fields, _| Box::new(Ensemble::read(fields))),
};

/// The settings of an ensemble.
#[derive(Debug, Clone, PartialEq)]
pub struct Ensemble {
    /// The members: names of experiments, or ids of runs; at least two.
    pub of: Vec<String>,
    /// How they become one.
    pub by: Combination,
}

/// How the members of an ensemble become one model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Combination {
    /// The mean of log-probabilities; of tags, of log-odds; of numbers, of the numbers.
    Mean,
    /// A logistic regression on log-probabilities, or log-odds of tags.
    Logistic {
        /// scikit-learn's C: a smaller one is a stronger penalty.
        c: f64,
    },
}

impl Ensemble {
    fn read(fields: &mut Fields) -> Self {
        let of = fields.required("of", &List::of_some(Text));
        if !fields.is_exploring() && fields.is_given("of") {
            if of.len() == 1 {
                fields.fault_at("of", "needs at least two members");
            }
            let twice = of.iter().enumerate().find(|(place, name)| of[..*place].contains(name));
            if let Some((_, name)) = twice {
                fields.fault_at("of", &format!("has `{name}` twice"));
            }
        }
        let is_stack =
            fields.with_default("by", &OneOf(&[("mean", false), ("logistic", true)]), false);
        let by = if is_stack {
            Combination::Logistic { c: fields.with_default("c", &Real::positive(), DEFAULT_C) }
        } else {
            if fields.optional("c", &Real::positive()).is_some() && !fields.is_exploring() {
                fields.fault_at("c", "has no effect without by = \"logistic\"");
            }
            Combination::Mean
        };
        Self { of, by }
    }
}

impl Model for Ensemble {
    /// The members come from the records, which only a run has.
    fn fit(&self, _: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        Err(no_members())
    }

    fn load(&self, _: &Path, _: &[usize], _: Outputs) -> Result<Box<dyn FittedModel>, ModelError> {
        Err(no_members())
    }

    fn ensemble(&self) -> Option<&Ensemble> {
        Some(self)
    }
}

fn no_members() -> ModelError {
    let said = "an ensemble is made of finished runs and can't be fitted otherwise";
    ModelError::Examples(said.to_owned())
}

/// The logistic regression of a stack.
pub struct Stack {
    regression: Logistic,
    n_members: usize,
    outputs: Outputs,
}

impl Stack {
    /// A stack of so many members, each with these outputs: of classes or tags.
    #[must_use]
    pub fn new(c: f64, n_members: usize, outputs: Outputs) -> Self {
        let regression = Logistic {
            alpha: 1.0 / c,
            max_iterations: MAX_ITERATIONS,
            tolerance: 1e-4,
            standardize: true,
        };
        Self { regression, n_members, outputs }
    }

    /// Fits the regression to some examples of those that the members predicted; `members` are as in [`combined`], and
    /// `targets` is what is true of every example.
    ///
    /// # Errors
    /// If the examples are of one class, or the solver fails.
    pub fn fit(
        &self,
        members: &[Vec<f32>],
        targets: &Targets,
        rows: &[usize],
    ) -> Result<Fitted, ModelError> {
        let (matrix, shape) = (self.inputs(members), self.shape());
        let n_outputs = self.outputs.n;
        let train = Examples { shape: &shape, matrix: &matrix, targets, rows, n_outputs };
        let valid = Examples { rows: &[], ..train };
        let (seed, device) = (crate::vocab::Seed(0), super::Device::Cpu);
        let input = FitInput { train, valid, seed, device, resume: None, fresh: None };
        self.regression.fit(&input, &mut ())
    }

    /// Loads a regression that was saved into a folder.
    ///
    /// # Errors
    /// If its file is missing, damaged or of other members.
    pub fn load(&self, folder: &Path) -> Result<Box<dyn FittedModel>, ModelError> {
        self.regression.load(folder, &self.shape(), self.outputs)
    }

    /// What a fitted regression says of some examples of those that the members predicted.
    ///
    /// # Errors
    /// If there are other members.
    pub fn predict(
        &self,
        fitted: &dyn FittedModel,
        members: &[Vec<f32>],
        rows: &[usize],
    ) -> Result<Vec<f32>, ModelError> {
        let (matrix, shape, targets) =
            (self.inputs(members), self.shape(), Targets::Classes(vec![]));
        let n_outputs = self.outputs.n;
        let matrix = matrix.as_slice();
        fitted.predict(&Examples { shape: &shape, matrix, targets: &targets, rows, n_outputs })
    }

    fn shape(&self) -> [usize; 1] {
        [self.n_members * self.outputs.n]
    }

    /// Row-major `[n, n_members * n_outputs]`.
    fn inputs(&self, members: &[Vec<f32>]) -> Vec<f32> {
        let n_outputs = self.outputs.n;
        let n = members.first().map_or(0, |member| member.len() / n_outputs);
        let row = |example: usize| {
            members.iter().flat_map(move |member| &member[example * n_outputs..][..n_outputs])
        };
        let task = self.outputs.task;
        (0..n).flat_map(row).map(|&output| logarithm(output, task) as f32).collect()
    }
}

/// The mean of what the members of an ensemble say; each is row-major `[n, n_outputs]`, of the same examples. Of
/// classes, the mean of log-probabilities, normalized (the logarithmic opinion pool); of tags, the mean of
/// log-odds; of numbers, the mean.
///
/// # Panics
/// If there is no member, or they differ in length.
#[must_use]
pub fn combined(members: &[Vec<f32>], outputs: Outputs) -> Vec<f32> {
    let Outputs { task, n: n_outputs } = outputs;
    assert!(members.iter().all(|member| member.len() == members[0].len()), "the same examples");
    let mean = |place: usize| {
        let said = members.iter().map(|member| logarithm(member[place], task));
        said.sum::<f64>() / members.len() as f64
    };
    let mut means: Vec<f64> = (0..members[0].len()).map(mean).collect();
    match task {
        Task::Classes => means.chunks_exact_mut(n_outputs).for_each(|row| {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|x| *x = libm::exp(*x - most));
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|x| *x /= total);
        }),
        Task::Tags => means.iter_mut().for_each(|x| *x = 1.0 / (1.0 + libm::exp(-*x))),
        Task::Number => {}
    }
    means.into_iter().map(|x| x as f32).collect()
}

/// The logarithm of a probability, the log-odds of a tag, or the number itself.
fn logarithm(output: f32, task: Task) -> f64 {
    let p = f64::from(output);
    match task {
        Task::Classes => libm::log(p.max(LEAST)),
        Task::Tags => {
            let p = p.clamp(LEAST, 1.0 - LEAST);
            libm::log(p / (1.0 - p))
        }
        Task::Number => p,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn ensemble(text: &str) -> Result<Ensemble, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, Ensemble::read).map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn settings_are_read_and_faults_said() {
        let of = vec!["a".to_owned(), "b/c".to_owned()];
        let made = |by| Ok(Ensemble { of: of.clone(), by });
        assert_eq!(ensemble("of = [\"a\", \"b/c\"]"), made(Combination::Mean));
        let logistic = |c| made(Combination::Logistic { c });
        assert_eq!(ensemble("of = [\"a\", \"b/c\"]\nby = \"logistic\""), logistic(DEFAULT_C));
        assert_eq!(ensemble("of = [\"a\", \"b/c\"]\nby = \"logistic\"\nc = 2"), logistic(2.0));
        let said = ensemble("of = [\"a\"]\nc = 1.0").unwrap_err();
        assert_eq!(
            said,
            "x.toml:1: of needs at least two members\n\
             x.toml:2: c has no effect without by = \"logistic\""
        );
        let said = ensemble("of = [\"a\", \"b\", \"a\"]\nby = \"vote\"").unwrap_err();
        assert_eq!(
            said,
            "x.toml:1: of has `a` twice\n\
             x.toml:2: by must be `mean` or `logistic`, found the text \"vote\""
        );
    }

    fn close(a: &[f32], b: &[f32]) {
        assert_eq!(a.len(), b.len());
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?} {b:?}");
    }

    #[test]
    fn means_are_those_of_logarithms() {
        let outputs = |task, n| Outputs { task, n };
        // sqrt(0.9 * 0.4) : sqrt(0.1 * 0.6) = 0.6 : 0.245
        let members = [vec![0.9, 0.1, 0.0, 1.0], vec![0.4, 0.6, 0.0, 1.0]];
        let got = combined(&members, outputs(Task::Classes, 2));
        close(&got, &[0.710_102, 0.289_898, 1e-7, 1.0]);
        // odds 4 and 1/9: sqrt(4/9) = 2/3, a probability of 0.4
        let got = combined(&[vec![0.8, 1.0], vec![0.1, 1.0]], outputs(Task::Tags, 2));
        close(&got, &[0.4, 1.0]);
        let got = combined(&[vec![1.0, -2.0], vec![2.0, 4.0]], outputs(Task::Number, 1));
        close(&got, &[1.5, 1.0]);
    }

    #[test]
    fn a_stack_learns_whom_to_believe_and_comes_back() {
        // The first member knows the class, the second guesses and is sure of it.
        let n = 60;
        let labels: Vec<usize> = (0..n).map(|example| example % 3).collect();
        let rows = |sure: f32, class: fn(usize) -> usize| -> Vec<f32> {
            let row = |example: usize| {
                let rest = (1.0 - sure) / 2.0;
                (0..3).map(move |k| if k == class(example) { sure } else { rest })
            };
            (0..n).flat_map(row).collect()
        };
        let members = [rows(0.5, |example| example % 3), rows(0.99, |example| example / 7 % 3)];
        let outputs = Outputs { task: Task::Classes, n: 3 };
        let right = |said: &[f32], from: usize| {
            let most = |row: &[f32]| (0..3).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
            said.chunks(3).zip(&labels[from..]).filter(|(row, label)| most(row) == **label).count()
        };
        assert!(right(&combined(&members, outputs), 0) < 40);
        let stack = Stack::new(1.0, 2, outputs);
        let (train, test): (Vec<usize>, Vec<usize>) = ((0..30).collect(), (30..60).collect());
        let targets = Targets::Classes(labels.clone());
        let fitted = stack.fit(&members, &targets, &train).unwrap();
        let said = stack.predict(fitted.model.as_ref(), &members, &test).unwrap();
        assert_eq!(right(&said, 30), 30);
        let folder = tempfile::tempdir().unwrap();
        fitted.model.save(folder.path()).unwrap();
        let loaded = stack.load(folder.path()).unwrap();
        assert_eq!(stack.predict(loaded.as_ref(), &members, &test).unwrap(), said);
        assert!(Stack::new(1.0, 3, outputs).load(folder.path()).is_err());
    }
}
