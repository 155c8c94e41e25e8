//! A logistic regression for each tag.

use std::path::Path;

use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::design::{Standardized, design};
use super::super::examples::said_of_constant_tags;
use super::super::files::{file_error, read_json, write_json};
use super::super::{Examples, FitInput, Fitted, FittedModel, ModelError};
use super::{FILE, Logistic};
use crate::kernels::loss::sigmoid;

/// The fitted model for the original columns, as it is saved.
#[derive(Serialize, Deserialize)]
struct Saved {
    shape: Vec<usize>,
    tags: Vec<Tag>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Tag {
    /// The weight of each column, and the intercept.
    Fitted { weights: Vec<f64>, intercept: f64 },
    /// All training examples have it, 1, or none, 0.
    Rate(f64),
}

/// What the solver found for a tag.
enum Found {
    Weights { weights: Array1<f64>, intercept: f64, gradient: f64 },
    Rate(f64),
}

pub(super) fn fit(model: &Logistic, job: &FitInput) -> Result<Fitted, ModelError> {
    job.train.check_for_fit()?;
    let mut x = design(&job.train);
    let columns = model.standardize.then(|| Standardized::new(&mut x));
    let found = (0..job.train.n_outputs)
        .into_par_iter()
        .map(|tag| solve(model, &x, &job.train, tag))
        .collect::<Result<Vec<Found>, ModelError>>()?;
    let constant = said_of_constant_tags(&job.train.constant_tags(), job.train.n_outputs);
    let notes = verdict(model, &found).into_iter().chain(constant).collect();
    let raw = |found: Found| match found {
        Found::Rate(rate) => Tag::Rate(rate),
        Found::Weights { weights, intercept, .. } => {
            let (weights, intercepts) =
                (weights.insert_axis(Axis(1)), Array1::from_elem(1, intercept));
            let (weights, intercepts) = match &columns {
                Some(columns) => columns.to_raw_units(weights, intercepts),
                None => (weights, intercepts),
            };
            Tag::Fitted { weights: weights.into_iter().collect(), intercept: intercepts[0] }
        }
    };
    let tags: Vec<Tag> = found.into_iter().map(raw).collect();
    let n_of = |tag: &Tag| match tag {
        Tag::Fitted { weights, .. } => weights.len() + 1,
        Tag::Rate(_) => 0,
    };
    let n_parameters = tags.iter().map(n_of).sum();
    let model = Box::new(Saved { shape: job.train.shape.to_vec(), tags });
    Ok(Fitted { model, n_parameters, kept_epoch: None, notes })
}

/// Fits one tag.
fn solve(
    model: &Logistic,
    x: &Array2<f64>,
    train: &Examples,
    tag: usize,
) -> Result<Found, ModelError> {
    let labels = Array1::from_shape_fn(train.len(), |index| train.tags(index)[tag]);
    if labels.iter().all(|has| *has == labels[0]) {
        return Ok(Found::Rate(f64::from(u8::from(labels[0]))));
    }
    let n = train.len() as f64;
    let solved = LogisticRegression::<f64>::default()
        .alpha(model.alpha)
        .max_iterations(model.max_iterations as u64)
        .gradient_tolerance(model.tolerance * n)
        .check()
        .map_err(|error| ModelError::Examples(error.to_string()))?
        .fit(&DatasetBase::new(x.view(), labels.clone()))
        .map_err(|error| {
            ModelError::Examples(format!("the solver failed on tag {tag}: {error}"))
        })?;
    // The solver models the probability of the class that it calls positive.
    let sign = if solved.labels().pos.class { 1.0 } else { -1.0 };
    let (weights, intercept) = (solved.params() * sign, solved.intercept() * sign);
    let mut residual = x.dot(&weights) + intercept;
    for (residual, has) in residual.iter_mut().zip(&labels) {
        *residual = sigmoid(*residual) - f64::from(u8::from(*has));
    }
    let by_weight = x.t().dot(&residual) + &weights * model.alpha;
    let parts = by_weight.iter().copied().chain([residual.sum()]);
    // `f64::max` would ignore a NaN.
    let largest = parts.fold(0.0, |max, part| if part.abs() <= max { max } else { part.abs() });
    Ok(Found::Weights { weights, intercept, gradient: largest / n })
}

/// Says whether the solver converged for all tags, and where it is furthest from that.
fn verdict(model: &Logistic, found: &[Found]) -> Option<String> {
    let (mut n_fitted, mut n_failed, mut worst) = (0_usize, 0_usize, None::<(usize, f64)>);
    for (tag, found) in found.iter().enumerate() {
        if let Found::Weights { gradient, .. } = found {
            n_fitted += 1;
            n_failed += usize::from(gradient.is_nan() || *gradient > model.tolerance);
            if worst.is_none_or(|(_, most)| gradient.is_nan() || *gradient > most) {
                worst = Some((tag, *gradient));
            }
        }
    }
    let (tag, gradient) = worst?;
    let said = match n_failed {
        0 => format!("converged for {n_fitted} tags"),
        n => format!("did NOT converge for {n} of {n_fitted} tags"),
    };
    Some(model.said_of(&said, gradient, &format!(" (tag {tag}, counted from 0)")))
}

/// Reads a model of `n_tags` tags.
pub(super) fn load(
    path: &Path,
    shape: &[usize],
    n_tags: usize,
) -> Result<Box<dyn FittedModel>, ModelError> {
    let saved: Saved = read_json(path)?;
    let width: usize = shape.iter().product();
    let is_sound = |tag: &Tag| match tag {
        Tag::Fitted { weights, .. } => weights.len() == width,
        Tag::Rate(rate) => (0.0..=1.0).contains(rate),
    };
    if saved.shape == shape && saved.tags.len() == n_tags && saved.tags.iter().all(is_sound) {
        return Ok(Box::new(saved));
    }
    Err(file_error(path, format!("is not a model of {n_tags} tags and shape {shape:?}")))
}

impl FittedModel for Saved {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let of = |(example, tag): (&[f32], &Tag)| match tag {
            Tag::Rate(rate) => *rate as f32,
            Tag::Fitted { weights, intercept } => {
                let products = example.iter().zip(weights).map(|(x, w)| f64::from(*x) * w);
                sigmoid(intercept + products.sum::<f64>()) as f32
            }
        };
        let rows = (0..examples.len()).map(|index| examples.example(index));
        Ok(rows.flat_map(|row| self.tags.iter().map(move |tag| of((row, tag)))).collect())
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Model;
    use crate::model::tests::{Silent, job};
    use crate::vocab::Targets;

    #[test]
    fn every_tag_has_the_frequencies_of_its_groups_and_constant_ones_their_rate() {
        // Two groups in one badly scaled column. Tag 0 is on 1 of 4 and on 3 of 4 examples, tag 1 on 2 and
        // 1, tag 2 on all, tag 3 on none.
        let matrix = [1e6, 1e6, 1e6, 1e6, 1.001e6, 1.001e6, 1.001e6, 1.001e6];
        let [y, n] = [true, false];
        let tags = [
            [y, y, y, n],
            [n, y, y, n],
            [n, n, y, n],
            [n, n, y, n],
            [y, n, y, n],
            [y, y, y, n],
            [y, n, y, n],
            [n, n, y, n],
        ];
        let targets = Targets::Tags(tags.concat());
        let examples = Examples {
            shape: &[1],
            matrix: &matrix,
            targets: &targets,
            rows: &[0, 1, 2, 3, 4, 5, 6, 7],
            n_outputs: 4,
        };
        let model = Logistic { tolerance: 1e-8, ..Logistic::default() };
        let fitted = model.fit(&job(examples), &mut Silent).unwrap();
        let got = fitted.model.predict(&examples).unwrap();
        for (got, wanted) in
            got[..4].iter().chain(&got[28..]).zip([0.25, 0.5, 1.0, 0.0, 0.75, 0.25, 1.0, 0.0])
        {
            assert!((got - wanted).abs() < 1e-4, "{got}, expected {wanted}");
        }
        assert!(fitted.notes[0].starts_with("converged for 2 tags: largest"), "{:?}", fitted.notes);
        assert_eq!(
            fitted.notes[1],
            "of 4 tags, counted from 0, these have the same value on all training examples: 1 on all \
             (probability 1): 2; 1 on none (probability 0): 3"
        );
        assert_eq!(fitted.n_parameters, 4);
        let hurried = Logistic { max_iterations: 1, tolerance: 1e-12, ..Logistic::default() };
        let skewed = Examples { rows: &[0, 1, 2, 3, 4, 5], ..examples };
        let notes = hurried.fit(&job(skewed), &mut Silent).unwrap().notes;
        assert!(notes[0].starts_with("did NOT converge for"), "{notes:?}");
        assert!(notes[0].contains("(tag ") && notes[0].contains("max_iterations"), "{notes:?}");
    }
}
