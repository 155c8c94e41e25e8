//! `[model.logistic]`: multinomial logistic regression by linfa's L-BFGS.
//!
//! linfa stalls on columns of very different scale without saying so. So columns are standardised
//! for the fit wherever that does not change the problem (no penalty: an exact change of variables,
//! mapped back afterwards) or the spec asks for it; and the gradient at the solution is measured here,
//! by our own arithmetic, and said.
//!
//! # Source
//! Objective as scikit-learn's: C times the sum of log losses plus half the squared weights.

use std::path::Path;

use linfa::traits::Fit;
use linfa_logistic::MultiLogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::file::{check_width, read_json, write_json};
use super::{Classifier, Entry, Examples, Fitted, Job, Model, ModelError, Reader, Watch};
use crate::schema::{Fields, Flag, Int, OneOf, Real};

pub(super) const ENTRY: Entry = Entry {
    name: "logistic",
    doc: "multinomial logistic regression, with an L2 penalty or without",
    read: Reader::AtOnce(|fields, _| Box::new(Logistic::read(fields))),
};

const FILE: &str = "logistic.json";

/// A gradient below this, per example and in standardised columns, counts as converged.
const CONVERGED: f64 = 1e-4;

struct Logistic {
    /// linfa's alpha, 1 / C of scikit-learn; 0 without a penalty.
    alpha: f64,
    max_iterations: usize,
    tolerance: f64,
    standardize: bool,
}

/// Coefficients in the units of the columns as they were given.
#[derive(Serialize, Deserialize)]
struct Coefficients {
    /// `[n_columns][n_classes]`.
    weights: Vec<Vec<f64>>,
    /// `[n_classes]`.
    intercepts: Vec<f64>,
}

impl Logistic {
    fn read(fields: &mut Fields) -> Self {
        let penalty = OneOf(&[("none", false), ("l2", true)]);
        let has_penalty = fields.or("penalty", &penalty, false);
        let c = match (has_penalty, fields.is_given("c")) {
            (true, _) => Some(fields.or("c", &Real::positive(), 1.0)),
            (false, true) => {
                fields.optional("c", &Real::positive());
                fields.fault_at("c", "makes no sense without penalty = \"l2\"");
                None
            }
            (false, false) => None,
        };
        Self {
            alpha: c.map_or(0.0, |c| 1.0 / c),
            max_iterations: fields.or("max_iterations", &Int::within(1..=1_000_000), 1_000),
            tolerance: fields.or("tolerance", &Real::positive(), 1e-6),
            standardize: fields.or("standardize", &Flag, false),
        }
    }
}

impl Model for Logistic {
    fn fit(&self, job: &Job, _watch: &mut dyn Watch) -> Result<Fitted, ModelError> {
        let train = &job.train;
        check(train)?;
        let (n, width, n_classes) = (train.len(), train.width(), train.n_classes);
        let scale = if self.standardize || self.alpha == 0.0 {
            Scale::of(train)
        } else {
            Scale { means: vec![0.0; width], deviations: vec![1.0; width] }
        };
        let x = Array2::from_shape_fn((n, width), |(row, column)| {
            (f64::from(train.example(row)[column]) - scale.means[column]) / scale.deviations[column]
        });
        let y = Array1::from_shape_fn(n, |row| train.label(row));
        let fitted = MultiLogisticRegression::default()
            .alpha(self.alpha)
            .max_iterations(self.max_iterations as u64)
            // linfa's objective is a sum over examples, and so is its gradient.
            .gradient_tolerance(self.tolerance * n as f64)
            .fit(&linfa::Dataset::new(x.clone(), y))
            .map_err(|error| ModelError::Examples(format!("linfa refused: {error}")))?;
        // linfa numbers the classes that it saw; a class without examples keeps a probability of 0.
        let mut weights = Array2::zeros((width, n_classes));
        let mut intercepts = Array1::from_elem(n_classes, f64::NEG_INFINITY);
        for (column, &class) in fitted.classes().iter().enumerate() {
            weights.column_mut(class).assign(&fitted.params().column(column));
            intercepts[class] = fitted.intercept()[column];
        }
        let gradient = largest_gradient(&x, train, &weights, &intercepts, self.alpha);
        let measure = format!("largest gradient {gradient:.1e} per example");
        let note = if gradient <= CONVERGED {
            format!("the solver converged: {measure}")
        } else {
            let n = self.max_iterations;
            format!("the solver did NOT converge within {n} iterations: {measure}")
        };
        let coefficients = scale.back(&weights, &intercepts);
        Ok(Fitted {
            classifier: Box::new(coefficients),
            n_parameters: (width + 1) * n_classes,
            kept_epoch: None,
            notes: vec![note],
        })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        n_classes: usize,
    ) -> Result<Box<dyn Classifier>, ModelError> {
        let coefficients: Coefficients = read_json(folder, FILE)?;
        check_width(coefficients.weights.len(), shape.iter().product())?;
        check_width(coefficients.intercepts.len(), n_classes)?;
        Ok(Box::new(coefficients))
    }
}

impl Classifier for Coefficients {
    fn predict_proba(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        check_width(self.weights.len(), examples.width())?;
        let mut out = Vec::with_capacity(examples.len() * self.intercepts.len());
        for index in 0..examples.len() {
            let mut scores = self.intercepts.clone();
            for (&x, weights) in examples.example(index).iter().zip(&self.weights) {
                for (score, weight) in scores.iter_mut().zip(weights) {
                    *score += f64::from(x) * weight;
                }
            }
            softmax(&mut scores);
            out.extend(scores.iter().map(|&p| p as f32));
        }
        Ok(out)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(folder, FILE, self)
    }
}

/// Column means and standard deviations of the training examples.
struct Scale {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Scale {
    fn of(train: &Examples) -> Self {
        let (n, width) = (train.len() as f64, train.width());
        let column =
            |column: usize| (0..train.len()).map(move |row| f64::from(train.example(row)[column]));
        let means: Vec<f64> = (0..width).map(|j| column(j).sum::<f64>() / n).collect();
        let deviation = |j: usize| {
            let variance = column(j).map(|x| (x - means[j]).powi(2)).sum::<f64>() / n;
            // A constant column says nothing; dividing it by one keeps it at zero.
            if variance > 0.0 { variance.sqrt() } else { 1.0 }
        };
        Self { deviations: (0..width).map(deviation).collect(), means }
    }

    /// Coefficients for columns as they were given, from those for standardised ones.
    fn back(&self, weights: &Array2<f64>, intercepts: &Array1<f64>) -> Coefficients {
        let mut intercepts = intercepts.to_vec();
        let rows = weights.rows().into_iter().enumerate().map(|(j, row)| {
            let row: Vec<f64> = row.iter().map(|w| w / self.deviations[j]).collect();
            for (intercept, weight) in intercepts.iter_mut().zip(&row) {
                *intercept -= weight * self.means[j];
            }
            row
        });
        let weights = rows.collect();
        Coefficients { weights, intercepts }
    }
}

fn check(train: &Examples) -> Result<(), ModelError> {
    if train.is_empty() {
        return Err(ModelError::Examples("there are no training examples".to_owned()));
    }
    let is_odd = |&index: &usize| train.example(index).iter().any(|x| !x.is_finite());
    if let Some(index) = (0..train.len()).find(is_odd) {
        let message = format!("training example {index} has a number that is not finite");
        return Err(ModelError::Examples(message));
    }
    if (1..train.len()).all(|index| train.label(index) == train.label(0)) {
        let message = "all training examples are of one class".to_owned();
        return Err(ModelError::Examples(message));
    }
    Ok(())
}

fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    scores.iter_mut().for_each(|score| *score = (*score - largest).exp());
    let sum: f64 = scores.iter().sum();
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// The largest absolute entry of the objective's gradient, divided by the number of examples.
fn largest_gradient(
    x: &Array2<f64>,
    train: &Examples,
    weights: &Array2<f64>,
    intercepts: &Array1<f64>,
    alpha: f64,
) -> f64 {
    let mut residuals = x.dot(weights);
    for (row, mut scores) in residuals.rows_mut().into_iter().enumerate() {
        scores += intercepts;
        softmax(scores.as_slice_mut().expect("rows of a fresh product are contiguous"));
        scores[train.label(row)] -= 1.0;
    }
    let by_weight = x.t().dot(&residuals) + weights * alpha;
    let by_intercept = residuals.sum_axis(ndarray::Axis(0));
    let all = by_weight.iter().chain(&by_intercept);
    all.fold(0.0, |largest: f64, g| largest.max(g.abs())) / train.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Flow, Watch};
    use crate::schema::{Tree, read};
    use crate::vocab::{Epoch, Seed};

    struct Silent;

    impl Watch for Silent {
        fn epoch(&mut self, _: &Epoch) -> Flow {
            Flow::Continue
        }
    }

    fn logistic(text: &str) -> Logistic {
        read(&Tree::parse("x.toml", text).unwrap(), Logistic::read).unwrap().0
    }

    /// Two columns, the second a thousand times larger; three noisy classes.
    fn problem() -> (Vec<f32>, Vec<usize>) {
        let mut rng = Seed(5).rng("test", &[]);
        let (mut x, mut y) = (vec![], vec![]);
        for i in 0..600 {
            let class = i % 3;
            let place = [(0.0, 0.0), (1.0, 0.5), (-0.5, 1.0)][class];
            x.push((place.0 + rng.normal()) as f32);
            x.push((1_000.0 * (place.1 + rng.normal()) - 5_000.0) as f32);
            y.push(class);
        }
        (x, y)
    }

    fn fit(logistic: &Logistic, x: &[f32], y: &[usize]) -> (Fitted, f64) {
        let rows: Vec<usize> = (0..y.len()).collect();
        let train = Examples { shape: &[2], matrix: x, labels: y, rows: &rows, n_classes: 3 };
        let job = Job { train, valid: Examples { rows: &[], ..train }, seed: Seed(1) };
        let fitted = logistic.fit(&job, &mut Silent).unwrap();
        let p = fitted.classifier.predict_proba(&train).unwrap();
        let loss = (0..y.len()).map(|i| -f64::from(p[i * 3 + y[i]]).ln()).sum::<f64>();
        (fitted, loss / y.len() as f64)
    }

    #[test]
    fn badly_scaled_columns_converge_to_the_same_optimum_as_scaled_ones() {
        let (x, y) = problem();
        let scaled: Vec<f32> =
            x.chunks(2).flat_map(|row| [row[0], (row[1] + 5_000.0) / 1_000.0]).collect();
        let (raw, raw_loss) = fit(&logistic(""), &x, &y);
        let (_, scaled_loss) = fit(&logistic(""), &scaled, &y);
        assert!((raw_loss - scaled_loss).abs() < 1e-5, "{raw_loss} {scaled_loss}");
        assert!(raw_loss < 0.95, "{raw_loss}");
        assert!(raw.notes[0].starts_with("the solver converged"), "{:?}", raw.notes);
    }

    #[test]
    fn a_stall_is_said() {
        let (x, y) = problem();
        let (fitted, _) = fit(&logistic("max_iterations = 1"), &x, &y);
        assert!(fitted.notes[0].starts_with("the solver did NOT converge"), "{:?}", fitted.notes);
    }

    #[test]
    fn a_penalty_shrinks_the_weights() {
        let (x, y) = problem();
        let spread = |text: &str| {
            let (fitted, _) = fit(&logistic(text), &x, &y);
            let example = Examples {
                shape: &[2],
                matrix: &[3.0, -3_000.0],
                labels: &[0],
                rows: &[0],
                n_classes: 3,
            };
            let p = fitted.classifier.predict_proba(&example).unwrap();
            p.iter().copied().fold(0.0, f32::max)
        };
        let l2 = "penalty = \"l2\"\nc = 0.001\nstandardize = true";
        assert!(spread(l2) < spread("") - 0.1);
    }

    #[test]
    fn c_without_a_penalty_is_a_fault() {
        let tree = Tree::parse("x.toml", "c = 1.0").unwrap();
        let faults = read(&tree, Logistic::read).err().unwrap();
        assert_eq!(faults.to_string(), "x.toml:1: c makes no sense without penalty = \"l2\"");
    }
}
