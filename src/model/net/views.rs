//! What a net sees of an example outside of training: the whole of it, or windows, and copies of them
//! that are changed at random. Its outputs for an example are the mean over all views.
//!
//! The mean of logits is the vote by the mean of log-probabilities: both differ, within a view, by a
//! number that is the same for all classes and that the softmax takes away. For a tag, it is the mean of
//! its log-odds.

use super::super::Examples;
use super::super::augment::Draws;
use super::super::scaler::Scaler;
use super::super::training::Training;
use crate::vocab::Seed;

/// Number of inputs processed at a time when no gradient is needed.
pub(super) const CHUNK: usize = 64;

/// Test-time augmentations are drawn once, for all examples alike: what a model says of an example
/// depends on nothing but the example.
const SEED: Seed = Seed(0);

/// How examples of one shape are seen.
pub(super) struct Views<'a> {
    /// The first numbers of all windows in an example.
    starts: Vec<usize>,
    /// The shape of a window.
    shape: Vec<usize>,
    /// The changes of every copy beside the unchanged one.
    copies: Vec<Draws<'a>>,
    scaler: Option<&'a Scaler>,
}

impl<'a> Views<'a> {
    /// Returns how a validation sees examples: all windows, unchanged.
    pub(super) fn of_validation(
        training: &'a Training,
        scaler: Option<&'a Scaler>,
        shape: &[usize],
    ) -> Self {
        let frame: usize = shape.iter().skip(1).product();
        let starts = match training.crop {
            None => vec![0],
            Some(crop) => crop.starts(shape[0]).into_iter().map(|start| start * frame).collect(),
        };
        Self { starts, shape: training.input_shape(shape), copies: vec![], scaler }
    }

    /// Returns how a prediction sees examples: with the copies of test-time augmentation.
    pub(super) fn of_prediction(
        training: &'a Training,
        scaler: Option<&'a Scaler>,
        shape: &[usize],
    ) -> Self {
        let copy = |draw| Draws::of_epoch(&training.augment, SEED, draw);
        let copies = (1..=training.test_time_draws).map(copy).collect();
        Self { copies, ..Self::of_validation(training, scaler, shape) }
    }

    /// Computes the outputs of some examples, `[n, n_outputs]`, given what computes those of inputs.
    pub(super) fn outputs(
        &self,
        examples: &Examples,
        indices: std::ops::Range<usize>,
        mut engine: impl FnMut(Vec<f32>) -> Vec<f32>,
    ) -> Vec<f32> {
        let width: usize = self.shape.iter().product();
        let n_copies = 1 + self.copies.len();
        let n_views = self.starts.len() * n_copies;
        let view = |at: usize| {
            let example = examples.example(indices.start + at / n_views);
            let (window, copy) = (at % n_views / n_copies, at % n_copies);
            let mut input = example[self.starts[window]..][..width].to_vec();
            if let Some(draws) = copy.checked_sub(1).map(|copy| &self.copies[copy]) {
                draws.change(0, &mut input, &self.shape);
            }
            input
        };
        let n = indices.len() * n_views;
        let mut outputs = vec![];
        for first in (0..n).step_by(CHUNK) {
            let some = first..n.min(first + CHUNK);
            let mut inputs = Vec::with_capacity(some.len() * width);
            some.for_each(|at| inputs.extend(view(at)));
            if let Some(scaler) = self.scaler {
                scaler.apply(&mut inputs);
            }
            outputs.extend(engine(inputs));
        }
        if n_views == 1 { outputs } else { means(&outputs, n_views, indices.len()) }
    }
}

/// Returns the mean of every `n_views` consecutive rows.
fn means(outputs: &[f32], n_views: usize, n: usize) -> Vec<f32> {
    let n_outputs = outputs.len() / (n_views * n).max(1);
    let mut means = Vec::with_capacity(n * n_outputs);
    for rows in outputs.chunks_exact((n_views * n_outputs).max(1)) {
        means.extend((0..n_outputs).map(|output| {
            let sum: f64 = rows.iter().skip(output).step_by(n_outputs).map(|x| f64::from(*x)).sum();
            (sum / n_views as f64) as f32
        }));
    }
    means
}
