//! How what several members say becomes one prediction.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::super::ModelError;
use super::super::files::{file_error, read_json, write_json};
use super::likelihood::{Likelihood, logarithm};
use crate::kernels::loss::{sigmoid, softmax_row};
use crate::vocab::{Outputs, Targets, Task};

const FILE: &str = "weights.json";

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
        let weights = Likelihood::new(c, members, targets, rows, outputs).best();
        let weights = weights.ok_or_else(|| {
            ModelError::Examples("the weights of the stack do not converge".to_owned())
        })?;
        Ok(Self { weights, outputs })
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
            Task::Classes => sums.chunks_exact_mut(n_outputs).for_each(softmax_row),
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

#[cfg(test)]
mod tests {
    use super::super::likelihood::members;
    use super::*;

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

    #[test]
    fn a_stack_learns_whom_to_believe_and_comes_back() {
        for task in [Task::Classes, Task::Tags] {
            let (members, targets, outputs) = members(task);
            let all: Vec<usize> = (0..60).collect();
            let pool = OpinionPool::fit(100.0, &members, &targets, &all, outputs).unwrap();
            let [knows, guesses] = pool.weights() else { panic!("two members") };
            assert!(*knows > 1.0 && guesses.abs() < 0.1, "{pool:?}");
            // Nothing nearby is better.
            let likelihood = Likelihood::new(100.0, &members, &targets, &all, outputs);
            let least = likelihood.at(pool.weights()).loss;
            for (a, b) in [(1e-3, 0.0), (-1e-3, 0.0), (0.0, 1e-3), (0.0, -1e-3)] {
                assert!(likelihood.at(&[knows + a, guesses + b]).loss > least, "{task}");
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
}
