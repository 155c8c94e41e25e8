//! Computes a net with the fused kernels of the room `kernels`.
//!
//! | file | content |
//! |---|---|
//! | `plan`, `planner` | the net's layers grouped into the units that the kernels compute |
//! | `image` | how images and parameters lie in memory |
//! | `arrays` | parameters, gradients and moments, one slice each |
//! | `block`, `simple` | the units of an example: convolutional blocks, all others |
//! | `chunk`, `units` | the units of a few examples, of a batch |
//! | `buffers` | what the units of a few examples read and write |
//! | `head` | the dense layers |
//!
//! A net with a layer that the kernels do not support uses [`BurnEngine`](super::burn::BurnEngine),
//! which computes the same with burn's operations.
//!
//! A step has the same bits on any number of threads of the current rayon pool: chunks have a fixed
//! size, and sums over chunks have a fixed order.

mod arrays;
mod block;
mod buffers;
mod chunk;
mod head;
mod image;
mod plan;
mod planner;
mod simple;
mod units;

use super::engine::{Batch, DropoutKey, Engine, State, StepKey};
use super::layer::Net;
use super::weights::Weights;
use crate::kernels::isa::Isa;
use crate::kernels::loss::Tally;
use crate::kernels::optimizer::Optimizer;
use arrays::Arrays;
use head::Head;
use plan::Plan;
use units::Units;

/// An [`Engine`] based on our own kernels, with every buffer that a step needs.
#[derive(Clone, Debug)]
pub(super) struct FusedEngine {
    net: Net,
    plan: Plan,
    arrays: Arrays,
    units: Units,
    head: Head,
    optimizer: Optimizer,
    clip_norm: Option<f64>,
    isa: Isa,
}

impl FusedEngine {
    /// Creates an engine for the start of a training; `None` if the kernels do not support a layer.
    pub(super) fn new(
        net: &Net,
        weights: &Weights,
        optimizer: Optimizer,
        clip_norm: Option<f64>,
        max_batch: usize,
    ) -> Option<Self> {
        let plan = planner::plan(net, max_batch)?;
        let mut engine = Self {
            arrays: Arrays::new(plan.n_values()),
            units: Units::new(&plan),
            head: Head::new(&plan),
            isa: Isa::best(),
            net: net.clone(),
            plan,
            optimizer,
            clip_norm,
        };
        engine.set_weights(weights);
        Some(engine)
    }

    /// Creates an engine that only predicts.
    pub(super) fn for_prediction(net: &Net, weights: &Weights, max_batch: usize) -> Option<Self> {
        Self::new(net, weights, Optimizer::rms_prop(0.001), None, max_batch)
    }

    /// Computes the outputs from the inputs of a batch; a key means training.
    fn forward(&mut self, inputs: &[f32], key: Option<DropoutKey>) {
        let Self { plan, arrays, units, head, isa, .. } = self;
        units.forward(*isa, plan, arrays, inputs, key, &mut head.rows[0]);
        head.forward(*isa, plan, &arrays.values, inputs.len() / self.net.width(), key);
    }

    /// Splits the slice of all parameters into one array each.
    fn cut(&self, values: &[f32]) -> Weights {
        Weights(self.plan.slots.iter().map(|slot| slot.cut(values)).collect())
    }
}

/// Joins the arrays into one slice, the inverse of [`FusedEngine::cut`].
fn join(values: &mut [f32], plan: &Plan, weights: &Weights) {
    for (slot, array) in plan.slots.iter().zip(&weights.0) {
        slot.join(array, values);
    }
}

impl Engine for FusedEngine {
    fn step(&mut self, batch: &Batch, key: StepKey, learning_rate: f64) -> Tally {
        let (n, n_outputs) = (batch.n, self.net.n_outputs());
        assert!((1..=self.plan.max_batch).contains(&n), "a batch has 1 to max_batch rows");
        self.forward(&batch.inputs, Some(key.dropout()));
        let Self { net, plan, arrays, units, head, optimizer, clip_norm, isa } = self;
        let isa = *isa;
        let outputs = &head.rows[plan.dense.len()][..n * n_outputs];
        let d_outputs = &mut head.d_rows[plan.dense.len()][..n * n_outputs];
        let tally = net.loss.compute(outputs, &batch.goals(), n_outputs, d_outputs);
        arrays.n_steps += 1;
        let constants = optimizer.with_learning_rate(learning_rate).at_step(arrays.n_steps);
        // The norm needs all gradients, so dense layers can only be updated at once without
        // clipping.
        let at_once = clip_norm.is_none().then_some(&constants);
        let penalty = head.backward(isa, plan, arrays, n, at_once);
        units.backward(isa, plan, arrays, &batch.inputs, &head.d_rows[0]);
        if let Some(max_norm) = *clip_norm {
            arrays.clip(isa, &plan.slots, max_norm);
        }
        // Dense layers are last, and so are their parameters.
        let first_dense = plan.dense[0].kernel.start;
        for (parameter, slot) in net.parameters.iter().zip(&plan.slots) {
            let has_moved = at_once.is_some() && slot.range.start >= first_dense;
            if parameter.trainable && !has_moved {
                arrays.update(isa, &constants.decaying(parameter.decays), slot.range.clone());
            }
        }
        Tally { loss: (tally.loss / n as f64 + penalty) * n as f64, ..tally }
    }

    fn outputs(&mut self, inputs: Vec<f32>) -> Vec<f32> {
        let (width, n_outputs) = (self.net.width(), self.net.n_outputs());
        let mut outputs = Vec::with_capacity(inputs.len() / width * n_outputs);
        for part in inputs.chunks(self.plan.max_batch * width) {
            self.forward(part, None);
            let last = &self.head.rows[self.plan.dense.len()];
            outputs.extend_from_slice(&last[..part.len() / width * n_outputs]);
        }
        outputs
    }

    fn penalty(&self) -> f64 {
        let values = self.plan.slots.iter().map(|slot| &self.arrays.values[slot.range.clone()]);
        self.net.penalty(values)
    }

    fn weights(&self) -> Weights {
        self.cut(&self.arrays.values)
    }

    fn set_weights(&mut self, weights: &Weights) {
        join(&mut self.arrays.values, &self.plan, weights);
    }

    fn state(&self) -> State {
        let moments = [0, 1].map(|which| self.cut(&self.arrays.moments[which]));
        State { weights: self.weights(), moments, n_steps: self.arrays.n_steps }
    }

    fn set_state(&mut self, state: &State) {
        self.set_weights(&state.weights);
        for (held, moments) in self.arrays.moments.iter_mut().zip(&state.moments) {
            join(held, &self.plan, moments);
        }
        self.arrays.n_steps = state.n_steps;
    }
}

#[cfg(test)]
mod tests;
