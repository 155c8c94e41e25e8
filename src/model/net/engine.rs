//! The interface between the training loop and the engines: one step, logits, and the state between
//! steps.

use super::weights::Weights;
use crate::kernels::dropout::{Rate, key_of};
use crate::kernels::loss::{Tally, Targets};
use crate::vocab::Seed;

/// A batch of examples.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    /// Number of examples.
    pub(super) n: usize,
    /// `[n, height, width, channels]`, row-major.
    pub(super) inputs: Vec<f32>,
    /// `[n]`: the classes that count as correct; empty if the net tells no classes.
    pub(super) labels: Vec<usize>,
    /// Of classes, `[n, n_classes]`: their weights, each row summing to the weight of its example;
    /// empty if the label has all the weight, 1. Otherwise `[n, n_outputs]`: what the outputs should
    /// be.
    pub(super) targets: Vec<f32>,
}

impl Batch {
    /// Returns the targets for the loss.
    pub(super) fn goals(&self) -> Targets<'_> {
        Targets { labels: &self.labels, rows: &self.targets }
    }
}

/// The position of a step in its training: the key of its dropout.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepKey {
    pub(super) seed: Seed,
    /// One-based.
    pub(super) epoch: usize,
    /// Zero-based within the epoch.
    pub(super) step: usize,
}

/// Everything that an engine carries from step to step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    /// In the order of the net's parameters, like the two moments.
    pub(super) weights: Weights,
    /// First and second moment of the optimizer; 0 if it has none.
    pub(super) moments: [Weights; 2],
    /// Number of steps taken.
    pub(super) n_steps: u64,
}

/// Computes a net, forward and backward.
pub(super) trait Engine {
    /// Runs forward with dropout, runs backward, and updates the weights. The tally is from before
    /// the update, and its loss includes the penalties of all examples.
    fn step(&mut self, batch: &Batch, key: StepKey, learning_rate: f64) -> Tally;

    /// Computes the outputs `[n, n_outputs]`, of classes and tags the logits, from inputs `[n, width]`, without dropout and with the
    /// moving statistics.
    fn outputs(&mut self, inputs: Vec<f32>) -> Vec<f32>;

    /// Returns the contribution of the penalties to the loss of one example.
    fn penalty(&self) -> f64;

    /// Returns the current weights.
    fn weights(&self) -> Weights;

    /// Replaces the weights.
    fn set_weights(&mut self, weights: &Weights);

    /// Returns the complete state: a new engine with this state continues bit-identical.
    fn state(&self) -> State;

    /// Continues from a state of the same net and optimizer.
    fn set_state(&mut self, state: &State);
}

/// The key of the dropout of one step. Both engines draw from it, so they drop the same values.
#[derive(Debug, Clone, Copy)]
pub(super) struct DropoutKey(u64);

impl StepKey {
    pub(super) fn dropout(self) -> DropoutKey {
        DropoutKey(self.seed.rng("dropout", &[self.epoch as u64, self.step as u64]).at(0))
    }
}

impl DropoutKey {
    /// Returns the key of one example's draws, one per value in the order
    /// `[height, width, channels]`, after the `unit`-th layer that has a kernel (zero-based).
    pub(super) fn example(self, unit: usize, example: usize) -> u64 {
        key_of(key_of(self.0, unit), example)
    }
}

/// Converts a rate for the kernels. A rate that rounds to 1 becomes the largest one below.
pub(super) fn dropout_rate(rate: f64) -> Rate {
    Rate::new((rate as f32).min(1.0 - f32::EPSILON / 2.0)).expect("a rate is in [0, 1)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_layer_and_example_has_its_own_draws() {
        let key = StepKey { seed: Seed(1), epoch: 1, step: 0 };
        let later = StepKey { step: 1, ..key };
        let places = [(key, 0, 0), (key, 0, 1), (key, 1, 0), (key, 1, 1), (later, 0, 0)];
        let mut keys = places.map(|(key, unit, example)| key.dropout().example(unit, example));
        keys.sort_unstable();
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
    }

    #[test]
    fn a_rate_stays_below_1() {
        assert_eq!(dropout_rate(0.25), Rate::new(0.25).unwrap());
        assert_eq!(dropout_rate(1.0 - 1e-12), Rate::new(1.0_f32.next_down()).unwrap());
    }
}
