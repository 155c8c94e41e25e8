//! What the training loop asks of whoever computes: one step, logits, and all that it carries from step to step.

use super::loss::Tally;
use super::weights::Weights;
use crate::vocab::{Rng, Seed};

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

/// Which values a dropout layer keeps: those whose draw is not below a bound.
///
/// Draws are numbered in the order of `[n, height, width, channels]`, whatever layout an engine has.
pub(super) struct DropoutMask {
    rng: Rng,
    bound: u64,
    /// What kept values are multiplied by.
    pub(super) scale: f32,
}

impl DropoutMask {
    /// The mask of one layer in one step; `rate` is in `[0, 1)`.
    pub(super) fn new(key: StepKey, layer: usize, rate: f64) -> Self {
        let indices = [key.epoch as u64, key.step as u64, layer as u64];
        Self {
            rng: key.seed.rng("dropout", &indices),
            bound: (rate * 2.0_f64.powi(64)) as u64,
            scale: (1.0 / (1.0 - rate)) as f32,
        }
    }

    /// 0, or [`DropoutMask::scale`].
    pub(super) fn at(&self, index: u64) -> f32 {
        if self.rng.at(index) < self.bound { 0.0 } else { self.scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_drops_its_rate_and_keeps_the_mean() {
        let key = StepKey { seed: Seed(1), epoch: 1, step: 0 };
        let mask = DropoutMask::new(key, 2, 0.2);
        let values: Vec<f32> = (0..100_000).map(|i| mask.at(i)).collect();
        let n_dropped = values.iter().filter(|x| x.to_bits() == 0).count();
        assert!((n_dropped as i64 - 20_000).abs() < 500, "{n_dropped}");
        let allowed = [0.0_f32, 1.25].map(f32::to_bits);
        assert!(values.iter().all(|x| allowed.contains(&x.to_bits())));
        let other = DropoutMask::new(StepKey { step: 1, ..key }, 2, 0.2);
        assert_ne!((0..64).map(|i| other.at(i)).collect::<Vec<_>>(), values[..64]);
    }
}
