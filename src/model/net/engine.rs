//! What the training loop asks of whoever computes: one step, logits, and all that it carries from step to step.

use super::weights::Weights;
use crate::kernels::dropout::{Rate, key_of};
use crate::kernels::loss::Tally;
use crate::vocab::Seed;

/// Some examples, gathered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Batch {
    /// `[n, height, width, channels]`, row-major.
    pub(super) inputs: Vec<f32>,
    /// `[n]`: what a hit is counted against.
    pub(super) labels: Vec<usize>,
    /// `[n, n_classes]`: weights of the classes, each row summing to its example's weight; empty where
    /// all weight, 1, is on the label.
    pub(super) targets: Vec<f32>,
}

/// Which step of which training: keys the dropout.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepKey {
    pub(super) seed: Seed,
    /// One-based.
    pub(super) epoch: usize,
    /// Zero-based within the epoch.
    pub(super) step: usize,
}

/// All that an engine carries from step to step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    /// In the order of the net's parameters, as the two moments.
    pub(super) weights: Weights,
    /// The optimizer's first and second memory; 0 where it has none.
    pub(super) moments: [Weights; 2],
    /// Steps taken.
    pub(super) n_steps: u64,
}

/// Computes a net, forwards and backwards.
pub(super) trait Engine {
    /// Forward with dropout, backward, one move of the weights. The tally is from before the move,
    /// and its loss has the penalties of all examples in it.
    fn step(&mut self, batch: &Batch, key: StepKey, learning_rate: f64) -> Tally;

    /// Logits `[n, n_classes]` of inputs `[n, width]`: no dropout, moving statistics.
    fn logits(&mut self, inputs: Vec<f32>) -> Vec<f32>;

    /// What the penalties add to the loss of one example.
    fn penalty(&self) -> f64;

    /// The weights as they are.
    fn weights(&self) -> Weights;

    /// Puts other weights in their place.
    fn set_weights(&mut self, weights: &Weights);

    /// Everything: a fresh engine with this state goes on bit by bit as this one would.
    fn state(&self) -> State;

    /// Goes on from a state of the same net and optimizer.
    fn set_state(&mut self, state: &State);
}

/// Keys the dropout of one step. Both engines draw by it, so that they drop the same values.
#[derive(Debug, Clone, Copy)]
pub(super) struct DropoutKey(u64);

impl StepKey {
    pub(super) fn dropout(self) -> DropoutKey {
        DropoutKey(self.seed.rng("dropout", &[self.epoch as u64, self.step as u64]).at(0))
    }
}

impl DropoutKey {
    /// The key of one example's draws, one a value in the order `[height, width, channels]`, behind the `unit`-th
    /// layer that has a kernel (zero-based).
    pub(super) fn example(self, unit: usize, example: usize) -> u64 {
        key_of(key_of(self.0, unit), example)
    }
}

/// A rate as the kernels have it; one that rounds to 1 becomes the largest below.
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
