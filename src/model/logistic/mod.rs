//! `[model.logistic]`: multinomial logistic regression; of tags, a logistic regression for each.
//!
//! ```toml
//! [model.logistic]
//! penalty = "l2"          # "none" is the default
//! c = 1.0                 # scikit-learn's C: a smaller one is a stronger penalty
//! max_iterations = 1000
//! ```
//!
//! Minimizes the sum over the examples of `-ln p(label)`, plus `sum(w^2) / (2 c)` with a penalty;
//! intercepts are never penalized. Of tags, this is done for each tag alone, as scikit-learn's
//! `OneVsRestClassifier(LogisticRegression(C=c))` does. The solver does not report whether it converged, so the gradient
//! at its solution is computed here and reported in the notes.

mod tags;

use std::path::Path;

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2, Axis};
use serde::{Deserialize, Serialize};

use super::design::{Standardized, design};
use super::files::{file_error, read_json, write_json};
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver,
};
use crate::schema::{Fields, Flag, Int, OneOf, Real};
use crate::vocab::{Outputs, Task};

const FILE: &str = "logistic.json";

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "logistic",
    doc: "Multinomial logistic regression by L-BFGS, of tags one for each, with an optional L2 \
          penalty; reports whether it converged.",
    tasks: &[Task::Classes, Task::Tags],
    read: Reader::AtOnce(read),
};

/// The settings of a logistic regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Logistic {
    /// Weight of `sum(w^2) / 2` relative to the sum of losses: scikit-learn's `1 / C`, 0 without a
    /// penalty.
    pub alpha: f64,
    /// Maximum number of iterations of the solver, at least 1.
    pub max_iterations: usize,
    /// The largest absolute gradient per example that counts as converged, above 0.
    pub tolerance: f64,
    /// Whether columns are scaled to mean 0 and standard deviation 1 before the fit.
    pub standardize: bool,
}

impl Default for Logistic {
    fn default() -> Self {
        Self { alpha: 0.0, max_iterations: 100, tolerance: 1e-4, standardize: true }
    }
}

fn read(fields: &mut Fields, _: Option<&[usize]>) -> Box<dyn Model> {
    Box::new(Logistic::read(fields))
}

impl Logistic {
    fn read(fields: &mut Fields) -> Self {
        let penalised =
            fields.with_default("penalty", &OneOf(&[("none", false), ("l2", true)]), false);
        let alpha =
            if penalised { 1.0 / fields.with_default("c", &Real::positive(), 1.0) } else { 0.0 };
        if !penalised && fields.optional("c", &Real::positive()).is_some() {
            fields.fault_at("c", "has no effect without penalty = \"l2\"");
        }
        let max_iterations =
            fields.with_default("max_iterations", &Int::within(1..=10_000_000), 100);
        let tolerance = fields.with_default("tolerance", &Real::positive(), 1e-4);
        let standardize = fields.with_default("standardize", &Flag, false);
        // Without a penalty, the scale of a column only affects the path of the solver.
        Self { alpha, max_iterations, tolerance, standardize: standardize || !penalised }
    }
}

impl Model for Logistic {
    fn fit(&self, job: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        match job.train.outputs().task {
            Task::Classes => self.fit_classes(job),
            Task::Tags => tags::fit(self, job),
            Task::Number => Err(job.train.unknown_task("logistic", ENTRY.tasks)),
        }
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        if outputs.task == Task::Tags {
            return tags::load(&folder.join(FILE), shape, outputs.n);
        }
        let n_classes = outputs.n;
        let path = folder.join(FILE);
        let saved: Saved = read_json(&path)?;
        let width = shape.iter().product::<usize>();
        let fits = saved.shape == shape
            && saved.n_classes == n_classes
            && saved.weights.len() == width
            && saved.weights.iter().all(|row| row.len() == saved.classes.len())
            && saved.intercepts.len() == saved.classes.len()
            && saved.classes.iter().all(|class| *class < n_classes);
        if fits && outputs.task == Task::Classes {
            return Ok(Box::new(saved));
        }
        let said = format!("is not a model of {n_classes} classes and shape {shape:?}");
        Err(file_error(&path, said))
    }
}

impl Logistic {
    fn fit_classes(&self, job: &FitInput) -> Result<Fitted, ModelError> {
        let classes = job.train.classes_for_fit()?;
        let labels = Array1::from_shape_fn(job.train.len(), |index| job.train.label(index));

        let mut x = design(&job.train);
        let columns = self.standardize.then(|| Standardized::new(&mut x));
        let n = job.train.len() as f64;
        // The solver tests the length of the gradient of the sum, which is never below its largest
        // component.
        let solver = MultiLogisticRegression::<f64>::default()
            .alpha(self.alpha)
            .max_iterations(self.max_iterations as u64)
            .gradient_tolerance(self.tolerance * n)
            .check()
            .map_err(|error| ModelError::Examples(error.to_string()))?;
        let solved = solver
            .fit(&DatasetBase::new(x.view(), labels.clone()))
            .map_err(|error| ModelError::Examples(format!("the solver failed: {error}")))?;
        let (weights, intercepts) = (solved.params().clone(), solved.intercept().clone());
        let gradient = self.gradient(&x, &labels, &classes, &weights, &intercepts);

        let n_parameters = weights.len() + intercepts.len();
        let (weights, intercepts) = match columns {
            Some(columns) => columns.to_raw_units(weights, intercepts),
            None => (weights, intercepts),
        };
        let weights = weights.rows().into_iter().map(|row| row.to_vec()).collect();
        let saved = Saved {
            shape: job.train.shape.to_vec(),
            n_classes: job.train.n_outputs,
            classes,
            weights,
            intercepts: intercepts.to_vec(),
        };
        Ok(Fitted {
            model: Box::new(saved),
            n_parameters,
            kept_epoch: None,
            notes: vec![self.verdict(gradient)],
        })
    }

    /// Returns the largest absolute component of the objective's gradient, per example, at the
    /// solution.
    fn gradient(
        &self,
        x: &Array2<f64>,
        labels: &Array1<usize>,
        classes: &[usize],
        weights: &Array2<f64>,
        intercepts: &Array1<f64>,
    ) -> f64 {
        let mut residual = x.dot(weights) + intercepts;
        for (mut row, label) in residual.rows_mut().into_iter().zip(labels) {
            softmax(row.as_slice_mut().expect("rows of a fresh array are contiguous"));
            let class = classes.binary_search(label).expect("every label is among the classes");
            row[class] -= 1.0;
        }
        let by_weight = x.t().dot(&residual) + weights * self.alpha;
        let by_intercept = residual.sum_axis(Axis(0));
        let parts = by_weight.iter().chain(&by_intercept);
        // `f64::max` would ignore a NaN.
        let largest = parts.fold(0.0, |max, part| if part.abs() <= max { max } else { part.abs() });
        largest / x.nrows() as f64
    }

    fn verdict(&self, gradient: f64) -> String {
        let said = if gradient <= self.tolerance { "converged" } else { "did NOT converge" };
        self.said_of(said, gradient, "")
    }

    /// Says whether the solver converged, and how closely; `place` says where.
    fn said_of(&self, said: &str, gradient: f64, place: &str) -> String {
        let tolerance = self.tolerance;
        let units = if self.standardize { ", columns standardized" } else { "" };
        let said = format!("{said}: largest gradient {gradient:.1e} per example{place}{units}");
        if gradient <= tolerance {
            return said;
        }
        let hint = if self.standardize { "more max_iterations" } else { "standardize = true" };
        format!(
            "{said}, above the tolerance {tolerance:.0e}, after at most {} iterations; {hint} may help",
            self.max_iterations
        )
    }
}

/// Applies softmax to one row in place, after subtracting its largest value.
fn softmax(row: &mut [f64]) {
    let max = row.iter().fold(f64::NEG_INFINITY, |max, x| max.max(*x));
    let mut sum = 0.0;
    for x in &mut *row {
        *x = (*x - max).exp();
        sum += *x;
    }
    for x in row {
        *x /= sum;
    }
}

/// The fitted model for the original columns, as it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    shape: Vec<usize>,
    n_classes: usize,
    /// The classes that occur in training, ascending; all others have probability 0.
    classes: Vec<usize>,
    /// `[width][n_seen_classes]`.
    weights: Vec<Vec<f64>>,
    /// `[n_seen_classes]`.
    intercepts: Vec<f64>,
}

impl FittedModel for Saved {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let mut probabilities = vec![0.0; examples.len() * self.n_classes];
        for (index, row) in probabilities.chunks_exact_mut(self.n_classes).enumerate() {
            let mut logits = self.intercepts.clone();
            for (x, weights) in examples.example(index).iter().zip(&self.weights) {
                for (logit, weight) in logits.iter_mut().zip(weights) {
                    *logit += f64::from(*x) * weight;
                }
            }
            softmax(&mut logits);
            for (class, probability) in self.classes.iter().zip(logits) {
                row[*class] = probability as f32;
            }
        }
        Ok(probabilities)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use crate::model::tests::Silent;
    use crate::schema::{Tree, read};
    use crate::vocab::{Seed, Targets};

    fn model(text: &str) -> Result<Logistic, String> {
        read(&Tree::parse("x.toml", text).unwrap(), Logistic::read)
            .map(|(model, _)| model)
            .map_err(|faults| faults.to_string())
    }

    fn fit(model: &Logistic, examples: Examples) -> Result<Fitted, ModelError> {
        let job = FitInput {
            train: examples,
            valid: Examples { rows: &[], ..examples },
            seed: Seed(1),
            device: crate::model::Device::Cpu,
            resume: None,
            fresh: None,
            until: None,
        };
        model.fit(&job, &mut Silent)
    }

    /// Two overlapping groups in one badly scaled column: label 1 in 1 of 4 and in 3 of 4.
    const MATRIX: [f32; 8] = [1e6, 1e6, 1e6, 1e6, 1.001e6, 1.001e6, 1.001e6, 1.001e6];
    const LABELS: [usize; 8] = [0, 0, 0, 1, 0, 1, 1, 1];

    fn examples() -> Examples<'static> {
        static TARGETS: LazyLock<Targets> = LazyLock::new(|| Targets::Classes(LABELS.to_vec()));
        Examples {
            shape: &[1],
            matrix: &MATRIX,
            targets: &TARGETS,
            rows: &[0, 1, 2, 3, 4, 5, 6, 7],
            n_outputs: 3,
        }
    }

    #[test]
    fn without_penalty_the_frequencies_of_each_group_come_back_on_raw_columns() {
        let fitted = fit(&model("tolerance = 1e-8").unwrap(), examples()).unwrap();
        assert!(fitted.notes[0].starts_with("converged: largest gradient"), "{:?}", fitted.notes);
        let got = fitted.model.predict(&examples()).unwrap();
        for (row, wanted) in [(0, 0.25), (7, 0.75)] {
            assert!((got[3 * row + 1] - wanted).abs() < 1e-4, "{got:?}");
            assert!(got[3 * row + 2] <= 0.0, "class 2 was never seen");
        }
    }

    #[test]
    fn a_penalty_is_scikit_learns() {
        // Two points x = -1, 1 of classes 0, 1: the classes' weights are -w/2 and w/2, and the
        // objective is 2 ln(1 + e^-w) + w^2 / (4 c), so that c = 1 gives w = 4 / (1 + e^w).
        let examples = Examples {
            shape: &[1],
            matrix: &[-1.0, 1.0],
            targets: &Targets::Classes(vec![0, 1]),
            rows: &[0, 1],
            n_outputs: 2,
        };
        let model = model("penalty = \"l2\"\nc = 1.0\ntolerance = 1e-9").unwrap();
        let fitted = fit(&model, examples).unwrap();
        let got = fitted.model.predict(&examples).unwrap();
        let w = f64::from(got[3] / got[2]).ln();
        assert!((w - 4.0 / (1.0 + w.exp())).abs() < 1e-5, "{w}");
    }

    #[test]
    fn no_convergence_is_said() {
        let hurried = model("max_iterations = 1\ntolerance = 1e-12").unwrap();
        let skewed = Examples { rows: &[0, 1, 2, 3, 4, 5], ..examples() };
        let notes = fit(&hurried, skewed).unwrap().notes;
        assert!(notes[0].starts_with("did NOT converge: largest gradient"), "{notes:?}");
    }

    #[test]
    fn one_class_is_refused_and_c_needs_a_penalty() {
        let one = Examples { rows: &[0, 1, 2], ..examples() };
        let error = fit(&model("").unwrap(), one).map(|_| ()).unwrap_err();
        assert_eq!(error.to_string(), "all training examples are of class 0");
        assert_eq!(
            model("c = 2").unwrap_err(),
            "x.toml:1: c has no effect without penalty = \"l2\""
        );
    }
}
