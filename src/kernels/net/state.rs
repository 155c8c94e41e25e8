//! What a training carries from step to step: parameters and the optimiser's moments.

use crate::kernels::dropout::{GOLDEN, mix};
use crate::kernels::isa::Isa;
use crate::kernels::net::plan::{Plan, Start, Tensor};
use crate::kernels::optimiser::{Constants, Parameters, update};

/// Values, gradients and moments of every parameter, in one slice each.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub values: Vec<f32>,
    pub gradients: Vec<f32>,
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    pub n_steps: u64,
}

impl State {
    /// Fresh parameters, drawn from `seed`.
    pub fn new(plan: &Plan, seed: u64) -> Self {
        let n = plan.n_values();
        let mut values = vec![0.0; n];
        for (index, tensor) in plan.tensors().iter().enumerate() {
            fill(tensor, mix(seed ^ mix(index as u64)), &mut values[tensor.range.clone()]);
        }
        Self {
            values,
            gradients: vec![0.0; n],
            first: vec![0.0; n],
            second: vec![0.0; n],
            n_steps: 0,
        }
    }

    /// The slices of one parameter, for the optimiser.
    pub fn parameters(&mut self, range: std::ops::Range<usize>) -> Parameters<'_> {
        Parameters {
            values: &mut self.values[range.clone()],
            gradients: &mut self.gradients[range.clone()],
            first: &mut self.first[range.clone()],
            second: &mut self.second[range],
        }
    }

    /// Moves one parameter.
    pub fn update(&mut self, isa: Isa, constants: &Constants, range: std::ops::Range<usize>) {
        let _no_penalty = update(isa, constants, 0.0, self.parameters(range));
    }
}

fn fill(tensor: &Tensor, key: u64, values: &mut [f32]) {
    match tensor.start {
        Start::Zeros => values.fill(0.0),
        Start::Ones => values.fill(1.0),
        Start::Glorot { fan_in, fan_out } => {
            let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
            for (i, value) in values.iter_mut().enumerate() {
                let draw = mix(key.wrapping_add((i as u64 + 1).wrapping_mul(GOLDEN))) >> 11;
                *value = (limit * (2.0 * draw as f64 / (1_u64 << 53) as f64 - 1.0)) as f32;
            }
        }
    }
}
