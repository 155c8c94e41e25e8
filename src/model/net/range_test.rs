//! The learning-rate range test: a short training whose rate rises at every step.

use super::super::scaler::Scaler;
use super::super::training::Training;
use super::super::{FitInput, ModelError, Probe, RangeTest};
use super::batches::{Batches, Recipe};
use super::engine::{Engine, StepKey};
use super::goal::Goal;

/// Fraction of the smoothed loss that is kept at each step.
const SMOOTHING: f64 = 0.95;
/// The test ends when the smoothed loss exceeds its minimum by this factor.
const TOO_MUCH: f64 = 4.0;

/// Trains with a rate that rises evenly on a logarithmic scale, until the loss diverges.
///
/// # Source
/// Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3, but on a
/// logarithmic scale and with the smoothed loss.
pub(super) fn range_test(
    engine: &mut dyn Engine,
    job: &FitInput,
    training: &Training,
    (scaler, goal): (Option<&Scaler>, Goal),
    test: RangeTest,
) -> Result<Vec<Probe>, ModelError> {
    let targets = goal.of_training(training, job.train)?;
    let recipe = Recipe::new(training, &targets, job);
    let n_steps = test.n_steps.max(2);
    let ratio = libm::pow(test.high / test.low, 1.0 / (n_steps - 1) as f64);
    let (mut probes, mut mean, mut weight): (Vec<Probe>, f64, f64) = (vec![], 0.0, 0.0);
    let mut least = f64::INFINITY;
    'test: for epoch in 1.. {
        let batches = Batches::shuffled(job.train, scaler, recipe, epoch);
        for step in 0..batches.len() {
            if probes.len() == n_steps {
                break 'test;
            }
            let batch = batches.batch(step)?;
            let learning_rate = test.low * libm::pow(ratio, probes.len() as f64);
            let key = StepKey { seed: job.seed, epoch, step };
            let loss = engine.step(&batch, key, learning_rate).loss / batch.n as f64;
            if !loss.is_finite() {
                break 'test;
            }
            mean = SMOOTHING * mean + (1.0 - SMOOTHING) * loss;
            weight = SMOOTHING * weight + (1.0 - SMOOTHING);
            let smoothed = mean / weight;
            least = least.min(smoothed);
            probes.push(Probe { learning_rate, loss, smoothed });
            if smoothed > TOO_MUCH * least {
                break 'test;
            }
        }
    }
    Ok(probes)
}
