//! The weights of members that make what is true of some examples the most likely.

use ndarray::{Array1, Array2};

use super::super::linear::{decompose, substitute};
use crate::kernels::loss::{sigmoid, softmax_row};
use crate::vocab::{Outputs, Targets, Task};

/// The nearest that a probability comes to 0 or 1 before its logarithm is taken.
const LEAST: f64 = 1e-7;

/// The most steps of the solver.
const MAX_ITERATIONS: usize = 100;

/// The largest step of a weight that counts as converged.
const TOLERANCE: f64 = 1e-8;

/// Halvings of a step that leads too far.
const MAX_HALVINGS: usize = 33;

/// The likelihood of some examples by the weights of the members, with a penalty `sum_m (w_m - 1/n)^2 / (2 c)`.
pub(super) struct Likelihood<'a> {
    c: f64,
    /// What each member says, as logarithms.
    logs: Vec<Vec<f64>>,
    targets: &'a Targets,
    rows: &'a [usize],
    n_outputs: usize,
}

/// What is known at some weights.
pub(super) struct Point {
    /// The penalty minus the logarithm of the likelihood.
    pub(super) loss: f64,
    /// Its gradient.
    pub(super) slope: Array1<f64>,
    /// Its second derivatives.
    pub(super) bend: Array2<f64>,
}

impl<'a> Likelihood<'a> {
    /// Of the examples `rows` of those that the members predicted, each row-major `[n, n_outputs]`: classes or tags.
    pub(super) fn new(
        c: f64,
        members: &[Vec<f32>],
        targets: &'a Targets,
        rows: &'a [usize],
        outputs: Outputs,
    ) -> Self {
        let logs = |member: &Vec<f32>| member.iter().map(|x| logarithm(*x, outputs.task)).collect();
        let logs = members.iter().map(logs).collect();
        Self { c, logs, targets, rows, n_outputs: outputs.n }
    }

    /// The weights of the least loss, by Newton's method from those of the mean; nothing if it does not converge.
    pub(super) fn best(&self) -> Option<Vec<f64>> {
        let mut weights = vec![self.of_mean(); self.logs.len()];
        let mut here = self.at(&weights);
        for _ in 0..MAX_ITERATIONS {
            let mut lower = here.bend;
            decompose(&mut lower)?;
            let step = substitute(&lower, here.slope);
            if step.iter().all(|part| part.abs() <= TOLERANCE) {
                return Some(weights);
            }
            // A full step may go too far where the curvature changes much.
            let shares = std::iter::successors(Some(1.0), |share| Some(share / 2.0));
            let better = shares.take(1 + MAX_HALVINGS).find_map(|share| {
                let next: Vec<f64> =
                    weights.iter().zip(&step).map(|(w, step)| w - share * step).collect();
                let there = self.at(&next);
                (there.loss <= here.loss).then_some((next, there))
            });
            // Otherwise nothing is better any more, to the last digit.
            let Some(better) = better else { return Some(weights) };
            (weights, here) = better;
        }
        None
    }

    /// The weight of a member in the mean.
    fn of_mean(&self) -> f64 {
        1.0 / self.logs.len() as f64
    }

    /// The loss and its derivatives at some weights.
    pub(super) fn at(&self, weights: &[f64]) -> Point {
        let n = weights.len();
        let apart = Array1::from_iter(weights.iter().map(|weight| weight - self.of_mean()));
        let mut point = Point {
            loss: apart.dot(&apart) / (2.0 * self.c),
            slope: apart / self.c,
            bend: Array2::eye(n) / self.c,
        };
        for &row in self.rows {
            let start = row * self.n_outputs;
            let logs: Vec<&[f64]> =
                self.logs.iter().map(|member| &member[start..][..self.n_outputs]).collect();
            let sum = |output: usize| logs.iter().zip(weights).map(|(x, w)| w * x[output]).sum();
            let mut p: Vec<f64> = (0..self.n_outputs).map(sum).collect();
            match self.targets {
                Targets::Classes(classes) => {
                    softmax_row(&mut p);
                    point.add_class(&p, &logs, classes[row]);
                }
                Targets::Tags(tags) => {
                    p.iter_mut().for_each(|odds| *odds = sigmoid(*odds));
                    point.add_tags(&p, &logs, &tags[start..][..self.n_outputs]);
                }
                Targets::Numbers(_) => unreachable!("numbers have no likelihood here"),
            }
        }
        point
    }
}

impl Point {
    /// Adds an example of a class, whose probabilities are `p`.
    fn add_class(&mut self, p: &[f64], logs: &[&[f64]], label: usize) {
        self.loss -= libm::log(p[label].max(f64::MIN_POSITIVE));
        let mean = |x: &&[f64]| p.iter().zip(*x).map(|(p, x)| p * x).sum::<f64>();
        let means: Vec<f64> = logs.iter().map(mean).collect();
        for (a, x) in logs.iter().enumerate() {
            self.slope[a] += means[a] - x[label];
            for (b, y) in logs.iter().enumerate() {
                let both: f64 = p.iter().zip(x.iter().zip(*y)).map(|(p, (x, y))| p * x * y).sum();
                self.bend[[a, b]] += both - means[a] * means[b];
            }
        }
    }

    /// Adds an example with some of the tags, whose probabilities are `p`.
    fn add_tags(&mut self, p: &[f64], logs: &[&[f64]], tags: &[bool]) {
        for (tag, (&p, &has)) in p.iter().zip(tags).enumerate() {
            let right = if has { p } else { 1.0 - p };
            self.loss -= libm::log(right.max(f64::MIN_POSITIVE));
            for (a, x) in logs.iter().enumerate() {
                self.slope[a] += (p - f64::from(u8::from(has))) * x[tag];
                for (b, y) in logs.iter().enumerate() {
                    self.bend[[a, b]] += p * (1.0 - p) * x[tag] * y[tag];
                }
            }
        }
    }
}

/// The logarithm of a probability, the log-odds of a tag, or the number itself.
pub(super) fn logarithm(output: f32, task: Task) -> f64 {
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
pub(super) use tests::members;

#[cfg(test)]
mod tests {
    use super::*;

    /// 60 examples: the first member knows class or tags and is modest, the second guesses and is sure of it.
    pub(in super::super) fn members(task: Task) -> ([Vec<f32>; 2], Targets, Outputs) {
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
    fn second_derivatives_are_those_of_the_gradient() {
        for task in [Task::Classes, Task::Tags] {
            let (members, targets, outputs) = members(task);
            let rows = [0, 3, 7, 20, 41];
            let likelihood = Likelihood::new(2.0, &members, &targets, &rows, outputs);
            let at = [0.7, -0.2];
            let here = likelihood.at(&at);
            for m in 0..2 {
                let h = 1e-5;
                let moved = |by: f64| {
                    let mut weights = at;
                    weights[m] += by;
                    likelihood.at(&weights)
                };
                let (more, less) = (moved(h), moved(-h));
                assert!(
                    ((more.loss - less.loss) / (2.0 * h) - here.slope[m]).abs() < 1e-5,
                    "{task}"
                );
                for k in 0..2 {
                    let found = (more.slope[k] - less.slope[k]) / (2.0 * h);
                    assert!((found - here.bend[[k, m]]).abs() < 1e-5, "{task}");
                }
            }
        }
    }
}
