//! What a training carries from step to step: parameters and the optimizer's moments.

use rayon::prelude::*;

use crate::kernels::dropout::{GOLDEN, mix};
use crate::kernels::isa::Isa;
use crate::kernels::net::plan::{Plan, Start, Tensor};
use crate::kernels::optimizer::{Constants, Parameters, sum_of_squares, update};

/// Values that one thread takes at a time; sums over pieces have one order on any number of threads.
const PIECE: usize = 1 << 14;

/// Values, gradients and moments of every parameter, in one slice each.
#[derive(Clone, Debug, PartialEq)]
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

    /// The slices of one parameter, for the optimizer.
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
        let Parameters { values, gradients, first, second } = self.parameters(range);
        values
            .par_chunks_mut(PIECE)
            .zip(gradients.par_chunks_mut(PIECE))
            .zip(first.par_chunks_mut(PIECE))
            .zip(second.par_chunks_mut(PIECE))
            .for_each(|(((values, gradients), first), second)| {
                let piece = Parameters { values, gradients, first, second };
                let _no_penalty = update(isa, constants, 0.0, piece);
            });
    }

    /// The norm of all gradients together.
    pub fn gradient_norm(&self, isa: Isa) -> f64 {
        let pieces = self.gradients.par_chunks(PIECE);
        let squares: Vec<f64> = pieces.map(|values| sum_of_squares(isa, values)).collect();
        squares.iter().sum::<f64>().sqrt()
    }

    /// Scales all gradients so that their common norm is at most `max_norm`. Those of parameters that are not trained
    /// are 0.
    pub fn clip(&mut self, isa: Isa, max_norm: f64) {
        let scale = max_norm / self.gradient_norm(isa);
        if scale < 1.0 {
            let scale = scale as f32;
            self.gradients.par_chunks_mut(PIECE).for_each(|piece| {
                piece.iter_mut().for_each(|gradient| *gradient *= scale);
            });
        }
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
