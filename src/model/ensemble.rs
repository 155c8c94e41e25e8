//! `[model.ensemble]`: several finished runs as one model.
//!
//! ```toml
//! [model.ensemble]
//! of = ["beyond/cnn-4-by-track", "beyond/stats-logistic"]    # experiments, or ids of single runs
//! by = "mean"             # the default; or "logistic", with:
//! c = 1.0                 # a smaller one pulls the weights more to those of the mean
//! ```
//!
//! The members are trained by runs of their own. `mean` takes the mean of their log-probabilities. `logistic`, a
//! stack, takes their sum with a weight for each member, fitted on the validation examples, which no member was
//! trained on (Wolpert, "Stacked generalization", Neural Networks 5, 1992). It has no weights by class: those learn
//! the few artists of a validation set by heart. This module knows what the members put out and does not know where
//! that comes from.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{file_error, read_json, write_json};
use super::{Entry, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver};
use crate::schema::{Fields, List, OneOf, Real, Text};
use crate::vocab::{Outputs, Targets, Task};

/// The nearest that a probability comes to 0 or 1 before its logarithm is taken.
const LEAST: f64 = 1e-7;

/// The `c` of a stack, unless the spec says otherwise.
const DEFAULT_C: f64 = 1.0;

/// The most steps of the solver of a stack.
const MAX_ITERATIONS: usize = 100;

/// The largest step of a weight that counts as converged.
const TOLERANCE: f64 = 1e-8;

const FILE: &str = "weights.json";

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "ensemble",
    doc: "Several finished runs of one split as one model: the mean of their log-probabilities, or with weights \
          that a logistic regression fits on the validation set.",
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
    /// The sum of log-probabilities, or log-odds of tags, with fitted weights.
    Logistic {
        /// A smaller one is a stronger penalty, which pulls the weights to those of the mean.
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

/// How much each member of an ensemble counts.
///
/// With weights `w`, the probability of class `k` is proportional to `exp(sum_m w_m ln p_mk)`; the log-odds of a tag
/// are `sum_m w_m logit(p_m)`; a number is `sum_m w_m x_m`.
#[derive(Debug, Clone, PartialEq)]
pub struct OpinionPool {
    weights: Vec<f64>,
    outputs: Outputs,
}

/// The file of fitted weights.
#[derive(Serialize, Deserialize)]
struct Saved {
    weights: Vec<f64>,
}

impl OpinionPool {
    /// So many members that count the same. Of classes, this is the logarithmic opinion pool (Genest and Zidek,
    /// "Combining probability distributions", Statistical Science 1, 1986).
    #[must_use]
    pub fn mean(n_members: usize, outputs: Outputs) -> Self {
        Self { weights: vec![1.0 / n_members as f64; n_members], outputs }
    }

    /// Fits the weights to some examples of those that the members predicted, by the greatest likelihood, with a
    /// penalty `sum_m (w_m - 1/n)^2 / (2 c)` that pulls them to those of the mean. `members` are as in [`Self::predict`],
    /// and `targets` is what is true of every example. This is a conditional logistic regression, a convex problem
    /// with one unknown for each member, solved by Newton's method.
    ///
    /// # Errors
    /// If the outputs are numbers, or the solver does not converge.
    pub fn fit(
        c: f64,
        members: &[Vec<f32>],
        targets: &Targets,
        rows: &[usize],
        outputs: Outputs,
    ) -> Result<Self, ModelError> {
        if outputs.task == Task::Number {
            let said = "a stack tells classes and tags, and these are numbers";
            return Err(ModelError::Examples(said.to_owned()));
        }
        let start = Self::mean(members.len(), outputs).weights;
        let problem = Problem { c, members, targets, rows, outputs, start: &start };
        let mut weights = start.clone();
        let (mut loss, mut slope, mut bend) = problem.at(&weights);
        for _ in 0..MAX_ITERATIONS {
            let step = solved(bend.clone(), slope.clone());
            if step.iter().all(|part| part.abs() <= TOLERANCE) {
                return Ok(Self { weights, outputs });
            }
            // A full step may go too far where the curvature changes much.
            let mut share = 1.0;
            let next = loop {
                let next: Vec<f64> =
                    weights.iter().zip(&step).map(|(w, step)| w - share * step).collect();
                let there = problem.at(&next);
                if there.0 <= loss || share < 1e-10 {
                    break (next, there);
                }
                share /= 2.0;
            };
            // Nothing is better any more, to the last digit.
            if share < 1e-10 {
                return Ok(Self { weights, outputs });
            }
            (weights, (loss, slope, bend)) = next;
        }
        Err(ModelError::Examples("the weights of the stack do not converge".to_owned()))
    }

    /// What one model says, from what all members say of the same examples; each is row-major `[n, n_outputs]`.
    ///
    /// # Panics
    /// If there are more or fewer members, or they differ in length.
    #[must_use]
    pub fn predict(&self, members: &[Vec<f32>]) -> Vec<f32> {
        let Outputs { task, n: n_outputs } = self.outputs;
        assert_eq!(members.len(), self.weights.len(), "one weight for each member");
        assert!(members.iter().all(|member| member.len() == members[0].len()), "the same examples");
        let sum = |place: usize| {
            let said = members.iter().map(|member| logarithm(member[place], task));
            said.zip(&self.weights).map(|(x, w)| w * x).sum::<f64>()
        };
        let mut sums: Vec<f64> = (0..members[0].len()).map(sum).collect();
        match task {
            Task::Classes => sums.chunks_exact_mut(n_outputs).for_each(softmax),
            Task::Tags => sums.iter_mut().for_each(|x| *x = sigmoid(*x)),
            Task::Number => {}
        }
        sums.into_iter().map(|x| x as f32).collect()
    }

    /// How much each member counts, in their order.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Writes fitted weights into a folder.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), &Saved { weights: self.weights.clone() })
    }

    /// Reads back what [`Self::save`] wrote.
    ///
    /// # Errors
    /// If the file is missing, damaged or of other members.
    pub fn load(folder: &Path, n_members: usize, outputs: Outputs) -> Result<Self, ModelError> {
        let path = folder.join(FILE);
        let Saved { weights } = read_json(&path)?;
        if weights.len() != n_members || weights.iter().any(|weight| !weight.is_finite()) {
            return Err(file_error(&path, format!("has no weights of {n_members} members")));
        }
        Ok(Self { weights, outputs })
    }
}

/// What the weights of a stack are fitted to.
struct Problem<'a> {
    c: f64,
    members: &'a [Vec<f32>],
    targets: &'a Targets,
    rows: &'a [usize],
    outputs: Outputs,
    /// The weights without any examples.
    start: &'a [f64],
}

impl Problem<'_> {
    /// The loss, its gradient and its matrix of second derivatives (rows one after another) at some weights.
    fn at(&self, weights: &[f64]) -> (f64, Vec<f64>, Vec<f64>) {
        let n = weights.len();
        let (mut loss, mut slope, mut bend) = (0.0, vec![0.0; n], vec![0.0; n * n]);
        for member in 0..n {
            let apart = weights[member] - self.start[member];
            loss += apart * apart / (2.0 * self.c);
            slope[member] += apart / self.c;
            bend[member * n + member] += 1.0 / self.c;
        }
        let n_outputs = self.outputs.n;
        let log =
            |member: usize, place: usize| logarithm(self.members[member][place], self.outputs.task);
        for &row in self.rows {
            let at = |output: usize| row * n_outputs + output;
            let sum = |output: usize| (0..n).map(|m| weights[m] * log(m, at(output))).sum::<f64>();
            let mut p: Vec<f64> = (0..n_outputs).map(sum).collect();
            match self.targets {
                Targets::Classes(classes) => {
                    softmax(&mut p);
                    let label = classes[row];
                    loss -= libm::log(p[label].max(f64::MIN_POSITIVE));
                    let mean =
                        |m: usize| -> f64 { (0..n_outputs).map(|k| p[k] * log(m, at(k))).sum() };
                    let means: Vec<f64> = (0..n).map(mean).collect();
                    for a in 0..n {
                        slope[a] += means[a] - log(a, at(label));
                        for b in 0..n {
                            let both = |k: usize| p[k] * log(a, at(k)) * log(b, at(k));
                            let both: f64 = (0..n_outputs).map(both).sum();
                            bend[a * n + b] += both - means[a] * means[b];
                        }
                    }
                }
                Targets::Tags(tags) => {
                    for (output, odds) in p.into_iter().enumerate() {
                        let (p, has) = (sigmoid(odds), tags[at(output)]);
                        let right = if has { p } else { 1.0 - p };
                        loss -= libm::log(right.max(f64::MIN_POSITIVE));
                        for a in 0..n {
                            slope[a] += (p - f64::from(u8::from(has))) * log(a, at(output));
                            for b in 0..n {
                                bend[a * n + b] +=
                                    p * (1.0 - p) * log(a, at(output)) * log(b, at(output));
                            }
                        }
                    }
                }
                Targets::Numbers(_) => unreachable!("numbers are refused before"),
            }
        }
        (loss, slope, bend)
    }
}

/// Solves `matrix x = right` for a positive definite matrix, by Gaussian elimination.
fn solved(mut matrix: Vec<f64>, mut right: Vec<f64>) -> Vec<f64> {
    let n = right.len();
    for pivot in 0..n {
        for row in pivot + 1..n {
            let share = matrix[row * n + pivot] / matrix[pivot * n + pivot];
            for column in pivot..n {
                matrix[row * n + column] -= share * matrix[pivot * n + column];
            }
            right[row] -= share * right[pivot];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|column| matrix[row * n + column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row * n + row];
    }
    right
}

fn softmax(row: &mut [f64]) {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|x| *x = libm::exp(*x - most));
    let total: f64 = row.iter().sum();
    row.iter_mut().for_each(|x| *x /= total);
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-x))
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
        let combined = |members: &[Vec<f32>], task, n| {
            OpinionPool::mean(members.len(), Outputs { task, n }).predict(members)
        };
        // sqrt(0.9 * 0.4) : sqrt(0.1 * 0.6) = 0.6 : 0.245
        let members = [vec![0.9, 0.1, 0.0, 1.0], vec![0.4, 0.6, 0.0, 1.0]];
        close(&combined(&members, Task::Classes, 2), &[0.710_102, 0.289_898, 1e-7, 1.0]);
        // odds 4 and 1/9: sqrt(4/9) = 2/3, a probability of 0.4
        close(&combined(&[vec![0.8, 1.0], vec![0.1, 1.0]], Task::Tags, 2), &[0.4, 1.0]);
        close(&combined(&[vec![1.0, -2.0], vec![2.0, 4.0]], Task::Number, 1), &[1.5, 1.0]);
    }

    /// 60 examples: the first member knows class or tags and is modest, the second guesses and is sure of it.
    fn members(task: Task) -> ([Vec<f32>; 2], Targets, Outputs) {
        let (n, n_outputs) = (60, 3);
        let is = |guess: fn(usize) -> usize, example: usize, k: usize| guess(example) % 3 == k;
        let rows = |sure: f32, guess: fn(usize) -> usize| -> Vec<f32> {
            let rest = if task == Task::Classes { (1.0 - sure) / 2.0 } else { 1.0 - sure };
            let row =
                |example| (0..3).map(move |k| if is(guess, example, k) { sure } else { rest });
            (0..n).flat_map(row).collect()
        };
        // The first member is wrong on every tenth example.
        let knows: fn(usize) -> usize = |example| example + usize::from(example % 10 == 0);
        let said = [rows(0.6, knows), rows(0.99, |example| example / 7)];
        let targets = match task {
            Task::Classes => Targets::Classes((0..n).map(|example| example % 3).collect()),
            _ => Targets::Tags((0..n * 3).map(|place| place / 3 % 3 == place % 3).collect()),
        };
        (said, targets, Outputs { task, n: n_outputs })
    }

    #[test]
    fn a_stack_learns_whom_to_believe_and_comes_back() {
        for task in [Task::Classes, Task::Tags] {
            let (members, targets, outputs) = members(task);
            let all: Vec<usize> = (0..60).collect();
            let pool = OpinionPool::fit(100.0, &members, &targets, &all, outputs).unwrap();
            let [knows, guesses] = pool.weights() else { panic!("two members") };
            assert!(*knows > 1.0 && guesses.abs() < 0.1, "{pool:?}");
            // Nothing nearby is better.
            let start = [0.5, 0.5];
            let problem = Problem {
                c: 100.0,
                members: &members,
                targets: &targets,
                rows: &all,
                outputs,
                start: &start,
            };
            let (least, ..) = problem.at(pool.weights());
            for (a, b) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
                assert!(problem.at(&[knows + a, guesses + b]).0 > least, "{task}");
            }
            let folder = tempfile::tempdir().unwrap();
            pool.save(folder.path()).unwrap();
            assert_eq!(OpinionPool::load(folder.path(), 2, outputs).unwrap(), pool);
            assert!(OpinionPool::load(folder.path(), 3, outputs).is_err());
            // Without trust in the examples it is the mean.
            let pool = OpinionPool::fit(1e-9, &members, &targets, &all, outputs).unwrap();
            assert!(pool.weights().iter().all(|weight| (weight - 0.5).abs() < 1e-6), "{pool:?}");
        }
    }

    #[test]
    fn second_derivatives_are_those_of_the_gradient() {
        for task in [Task::Classes, Task::Tags] {
            let (members, targets, outputs) = members(task);
            let rows = [0, 3, 7, 20, 41];
            let start = [0.5, 0.5];
            let problem = Problem {
                c: 2.0,
                members: &members,
                targets: &targets,
                rows: &rows,
                outputs,
                start: &start,
            };
            let at = [0.7, -0.2];
            let (_, slope, bend) = problem.at(&at);
            for m in 0..2 {
                let h = 1e-5;
                let moved = |by: f64| {
                    let mut weights = at;
                    weights[m] += by;
                    problem.at(&weights)
                };
                let (more, less) = (moved(h), moved(-h));
                assert!(((more.0 - less.0) / (2.0 * h) - slope[m]).abs() < 1e-5, "{task}");
                for k in 0..2 {
                    let found = (more.1[k] - less.1[k]) / (2.0 * h);
                    assert!((found - bend[k * 2 + m]).abs() < 1e-5, "{task}");
                }
            }
        }
    }
}
