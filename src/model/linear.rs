//! `[model.linear]`: linear regression, with a penalty on large weights.
//!
//! ```toml
//! [model.linear]
//! alpha = 1.0             # weight of the penalty; 0 for plain least squares
//! standardize = true      # columns to mean 0 and deviation 1; false is the default
//! ```
//!
//! Minimizes `sum((y - x w - b)^2) + alpha sum(w^2)`. This is scikit-learn's `Ridge(alpha)`, whose
//! default is 1 too, or its `LinearRegression` with `alpha = 0`. The intercept `b` is never penalized.
//! Without a penalty, many weights can fit equally well, for instance if columns depend on each other:
//! then the smallest ones for standardized columns are taken.
//!
//! The equations are solved directly, by a Cholesky decomposition with refinement: of the columns, or of
//! the examples if there are fewer. smartcore 0.7.0 always takes the columns, whose matrix would have
//! 2 GB for a log-mel spectrogram of 16,640 numbers.

use std::path::Path;

use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::design::{Standardized, design};
use super::files::{file_error, read_json, write_json};
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver,
};
use crate::schema::{Fields, Flag, Real};
use crate::vocab::{Outputs, Task};

const FILE: &str = "linear.json";

/// The largest number of equations: their matrix has 3.2 GB.
const MAX_EQUATIONS: usize = 20_000;

/// Without a penalty, this share of the mean diagonal is added to the diagonal, so that the decomposition
/// exists. Refinement removes its effect.
const SUPPORT: f64 = 1e-10;

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "linear",
    doc: "Linear regression by least squares, with an L2 penalty as in ridge regression, solved \
          directly.",
    tasks: &[Task::Number],
    read: Reader::AtOnce(|fields, _| Box::new(Linear::read(fields))),
};

/// The settings of a linear regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linear {
    /// Weight of the sum of the squared weights relative to the sum of the squared errors, at least 0.
    pub alpha: f64,
    /// Whether columns are scaled to mean 0 and standard deviation 1 before the fit. Without a penalty
    /// they always are: the predictions do not depend on it.
    pub standardize: bool,
}

impl Default for Linear {
    fn default() -> Self {
        Self { alpha: 1.0, standardize: false }
    }
}

impl Linear {
    fn read(fields: &mut Fields) -> Self {
        Self {
            alpha: fields.with_default("alpha", &Real::not_negative(), 1.0),
            standardize: fields.with_default("standardize", &Flag, false),
        }
    }
}

impl Model for Linear {
    fn fit(&self, job: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        if job.train.outputs().task != Task::Number {
            return Err(job.train.unknown_task("linear", ENTRY.tasks));
        }
        job.train.check_for_fit()?;
        let (n, width) = (job.train.len(), job.train.width());
        if n.min(width) > MAX_EQUATIONS {
            return Err(ModelError::Examples(format!(
                "linear solves at most {MAX_EQUATIONS} equations, one for each example or column, \
                 found {n} training examples of {width} columns\n\
                 hint: use fewer columns, or [model.dense] with layers = []"
            )));
        }
        let mut x = design(&job.train);
        let columns = (self.standardize || self.alpha == 0.0).then(|| Standardized::new(&mut x));
        let means = x.mean_axis(Axis(0)).expect("there is an example to train on");
        x -= &means;
        let y = Array1::from_shape_fn(n, |index| f64::from(job.train.number(index)));
        let mean = y.sum() / n as f64;
        let weights = self.solve(&x, &(y - mean))?;
        let intercept = mean - means.dot(&weights);
        let (weights, intercepts) = (weights.insert_axis(Axis(1)), Array1::from_elem(1, intercept));
        let (weights, intercepts) = match columns {
            Some(columns) => columns.to_raw_units(weights, intercepts),
            None => (weights, intercepts),
        };
        let saved = Saved {
            shape: job.train.shape.to_vec(),
            weights: weights.into_iter().collect(),
            intercept: intercepts[0],
        };
        Ok(Fitted {
            model: Box::new(saved),
            n_parameters: width + 1,
            kept_epoch: None,
            notes: vec![],
        })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let path = folder.join(FILE);
        let saved: Saved = read_json(&path)?;
        let width: usize = shape.iter().product();
        let is_one = outputs == Outputs { task: Task::Number, n: 1 };
        if is_one && saved.shape == shape && saved.weights.len() == width {
            return Ok(Box::new(saved));
        }
        Err(file_error(&path, format!("is not a model of a number and shape {shape:?}")))
    }
}

impl Linear {
    /// Returns the weights of centered columns for a centered target.
    fn solve(&self, x: &Array2<f64>, y: &Array1<f64>) -> Result<Array1<f64>, ModelError> {
        let (n, width) = x.dim();
        let solution = if width <= n {
            solve(&x.t().dot(x), &x.t().dot(y), self.alpha)
        } else {
            // The weights are sums of examples: w = x' a with (x x' + alpha) a = y.
            solve(&x.dot(&x.t()), y, self.alpha).map(|of_examples| x.t().dot(&of_examples))
        };
        solution.ok_or_else(|| {
            ModelError::Examples(
                "the columns are too large to compute with their squares".to_owned(),
            )
        })
    }
}

/// Solves `(matrix + alpha) v = wanted` for a symmetric matrix without negative eigenvalues; of many
/// solutions, the smallest. `None` if the numbers are too large.
///
/// # Source
/// Iterated Tikhonov regularization: Engl, Hanke and Neubauer, "Regularization of inverse problems", 1996,
/// section 5.1. With a penalty, it is the usual iterative refinement.
fn solve(matrix: &Array2<f64>, wanted: &Array1<f64>, alpha: f64) -> Option<Array1<f64>> {
    let n = wanted.len();
    let mean = matrix.diag().sum() / n as f64;
    let support = if alpha > 0.0 { alpha } else { SUPPORT * mean };
    // All columns are constant.
    if mean == 0.0 {
        return Some(Array1::zeros(n));
    }
    let mut lower = matrix.clone();
    lower.diag_mut().map_inplace(|x| *x += support);
    decompose(&mut lower)?;
    let mut solution = Array1::<f64>::zeros(n);
    let mut last = f64::INFINITY;
    for _ in 0..50 {
        let rest = wanted - &matrix.dot(&solution) - &solution * alpha;
        let step = substitute(&lower, rest);
        let size = step.dot(&step).sqrt();
        // It is as close as rounding allows once steps no longer shrink.
        if size >= 0.5 * last {
            break;
        }
        solution += &step;
        last = size;
    }
    solution.iter().all(|x| x.is_finite()).then_some(solution)
}

/// Replaces a symmetric positive definite matrix by the lower triangle of its Cholesky decomposition.
pub(super) fn decompose(matrix: &mut Array2<f64>) -> Option<()> {
    for i in 0..matrix.nrows() {
        let (done, mut rest) = matrix.view_mut().split_at(Axis(0), i);
        let mut row = rest.row_mut(0);
        let row = row.as_slice_mut()?;
        for j in 0..i {
            let other = done.row(j).to_slice()?;
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let square = row[i] - dot(&row[..i], &row[..i]);
        if !(square > 0.0 && square.is_finite()) {
            return None;
        }
        row[i] = square.sqrt();
    }
    Some(())
}

/// Solves `lower lower' v = wanted`.
pub(super) fn substitute(lower: &Array2<f64>, mut wanted: Array1<f64>) -> Array1<f64> {
    let n = wanted.len();
    for i in 0..n {
        let sum: f64 = (0..i).map(|j| lower[[i, j]] * wanted[j]).sum();
        wanted[i] = (wanted[i] - sum) / lower[[i, i]];
    }
    for i in (0..n).rev() {
        let value = wanted[i] / lower[[i, i]];
        wanted[i] = value;
        for j in 0..i {
            wanted[j] -= lower[[i, j]] * value;
        }
    }
    wanted
}

/// The inner product, in eight sums, which the compiler computes side by side.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (whole_a, rest_a) = a.as_chunks::<8>();
    let (whole_b, rest_b) = b.as_chunks::<8>();
    for (a, b) in whole_a.iter().zip(whole_b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}

/// The fitted model for the original columns, as it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    shape: Vec<usize>,
    /// One for each column.
    weights: Vec<f64>,
    intercept: f64,
}

impl FittedModel for Saved {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let of = |index| {
            let products = examples.example(index).iter().zip(&self.weights);
            let sum: f64 = products.map(|(x, w)| f64::from(*x) * w).sum();
            (self.intercept + sum) as f32
        };
        Ok((0..examples.len()).map(of).collect())
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tests::{Silent, job};
    use crate::vocab::{Seed, Targets};

    fn fitted(model: Linear, matrix: &[f32], width: usize, numbers: &[f32]) -> Vec<f32> {
        let rows: Vec<usize> = (0..numbers.len()).collect();
        let examples = Examples {
            shape: &[width],
            matrix,
            targets: &Targets::Numbers(numbers.to_vec()),
            rows: &rows,
            n_outputs: 1,
        };
        let fitted = model.fit(&job(examples), &mut Silent).unwrap();
        assert_eq!(fitted.n_parameters, width + 1);
        fitted.model.predict(&examples).unwrap()
    }

    #[test]
    fn least_squares_go_through_the_points_of_a_line_on_any_scale() {
        let plain = Linear { alpha: 0.0, standardize: false };
        let got = fitted(plain, &[1e6, 2e-3, 1.001e6, 4e-3, 1e6, 5e-3], 2, &[1.0, 3.0, 7.0]);
        assert!(got.iter().zip([1.0, 3.0, 7.0]).all(|(a, b)| (a - b).abs() < 1e-5), "{got:?}");
    }

    #[test]
    fn a_penalty_shrinks_the_slope() {
        // x = -1, 1, y = -1, 1: the slope is 2 / (2 + alpha).
        for standardize in [false, true] {
            let ridge = Linear { alpha: 2.0, standardize };
            assert_eq!(fitted(ridge, &[-1.0, 1.0], 1, &[4.0, 6.0]), [4.5, 5.5]);
        }
    }

    #[test]
    fn columns_that_depend_on_each_other_and_constant_ones_are_no_trouble() {
        // The second column is twice the first, the third is constant.
        let plain = Linear { alpha: 0.0, standardize: false };
        let matrix = [1.0, 2.0, 7.0, 2.0, 4.0, 7.0, 4.0, 8.0, 7.0];
        let got = fitted(plain, &matrix, 3, &[1.0, 2.0, 4.0]);
        assert!(got.iter().zip([1.0, 2.0, 4.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
        // Nothing varies: the mean.
        assert_eq!(fitted(plain, &[7.0, 7.0], 1, &[1.0, 2.0]), [1.5, 1.5]);
    }

    #[test]
    fn fewer_examples_than_columns_give_the_same_as_the_columns_do() {
        // The equations of the examples and of the columns have the same solution with a penalty.
        let mut rng = Seed(3).rng("test", &[]);
        let mut normal = |n: usize| Array1::from_shape_fn(n, |_| rng.normal());
        let mut x = normal(6 * 9).into_shape_with_order((6, 9)).unwrap();
        let y = normal(6);
        x -= &x.mean_axis(Axis(0)).unwrap();
        let by_examples = Linear { alpha: 0.3, standardize: false }.solve(&x, &y).unwrap();
        let by_columns = solve(&x.t().dot(&x), &x.t().dot(&y), 0.3).unwrap();
        assert!((by_examples - by_columns).iter().all(|x| x.abs() < 1e-12));
    }

    #[test]
    fn other_targets_are_refused() {
        let examples = Examples {
            shape: &[1],
            matrix: &[1.0, 2.0],
            targets: &Targets::Classes(vec![0, 1]),
            rows: &[0, 1],
            n_outputs: 2,
        };
        let error = Linear::default().fit(&job(examples), &mut Silent).err().unwrap();
        assert_eq!(error.to_string(), "linear learns a number, not a class");
    }
}
