//! The convolutional blocks of a whole batch: chunks run in parallel and synchronize between
//! passes.

use rayon::prelude::*;

use super::super::engine::DropoutKey;
use super::super::layer::BATCH_NORM_EPSILON;
use super::arrays::Arrays;
use super::chunk::{CHUNK, Chunk, Pass, Shared};
use super::plan::{BlockPlan, Plan};
use crate::kernels::isa::Isa;

/// Buffers of the convolutional blocks.
#[derive(Clone, Debug)]
pub(super) struct Blocks {
    chunks: Vec<Chunk>,
    shared: Vec<Shared>,
}

impl Blocks {
    pub(super) fn new(plan: &Plan) -> Self {
        let n_chunks = if plan.blocks.is_empty() { 0 } else { plan.max_batch.div_ceil(CHUNK) };
        let chunks = (0..n_chunks).map(|index| Chunk::new(plan, index)).collect();
        Self { chunks, shared: vec![Shared::default(); plan.blocks.len()] }
    }

    /// Runs all blocks, from a batch's inputs to `flat`, the input of the first dense layer. A key
    /// means training, which also updates the moving statistics.
    pub(super) fn forward(
        &mut self,
        isa: Isa,
        plan: &Plan,
        arrays: &mut Arrays,
        inputs: &[f32],
        key: Option<DropoutKey>,
        flat: &mut [f32],
    ) {
        let Some(last) = plan.blocks.len().checked_sub(1) else {
            flat[..inputs.len()].copy_from_slice(inputs);
            return;
        };
        let n = inputs.len() / plan.blocks[0].convolution.geometry().input_len();
        let chunks = &mut self.chunks[..n.div_ceil(CHUNK)];
        for (index, chunk) in chunks.iter_mut().enumerate() {
            chunk.n = (n - index * CHUNK).min(CHUNK);
        }
        for (block, block_plan) in plan.blocks.iter().enumerate() {
            prepare(block_plan, &mut self.shared[block], arrays, key.is_some() && block > 0);
            let pass = Pass { isa, plan, values: &arrays.values, inputs, key };
            let shared = &self.shared;
            for_each(chunks, |chunk| {
                if let Some(before) = block.checked_sub(1) {
                    chunk.finish(&pass, before, &shared[before]);
                }
                chunk.forward(&pass, block, &shared[block]);
            });
            if key.is_some() {
                add_up(&mut self.shared[block], chunks, block);
            }
            meet_forward(block_plan, &mut self.shared[block], arrays, n, key.is_some());
        }
        let pass = Pass { isa, plan, values: &arrays.values, inputs, key };
        let flat_len = plan.blocks[last].pooling.geometry().output_len();
        for (chunk, flat) in chunks.iter_mut().zip(flat.chunks_mut(CHUNK * flat_len)) {
            chunk.finish(&pass, last, &self.shared[last]);
            let len = chunk.n * flat_len;
            flat[..len].copy_from_slice(&chunk.blocks[last].out[..len]);
        }
    }

    /// Runs backward from the gradient of `flat` through all blocks, and fills their gradients.
    pub(super) fn backward(
        &mut self,
        isa: Isa,
        plan: &Plan,
        arrays: &mut Arrays,
        inputs: &[f32],
        d_flat: &[f32],
    ) {
        let Some(last) = plan.blocks.len().checked_sub(1) else { return };
        let n = inputs.len() / plan.blocks[0].convolution.geometry().input_len();
        let chunks = &mut self.chunks[..n.div_ceil(CHUNK)];
        let flat_len = plan.blocks[last].pooling.geometry().output_len();
        let pass = Pass { isa, plan, values: &arrays.values, inputs, key: None };
        for (chunk, d_flat) in chunks.iter_mut().zip(d_flat.chunks(CHUNK * flat_len)) {
            let len = chunk.n * flat_len;
            chunk.blocks[last].d_out[..len].copy_from_slice(&d_flat[..len]);
            chunk.backward_sums(&pass, last, &self.shared[last]);
        }
        for (block, block_plan) in plan.blocks.iter().enumerate().rev() {
            add_up(&mut self.shared[block], chunks, block);
            meet_backward(block_plan, &mut self.shared[block], arrays, n);
            let (shared, values) = (&self.shared, &arrays.values);
            let pass = Pass { isa, plan, values, inputs, key: None };
            for_each(chunks, |chunk| {
                chunk.backward(&pass, block, &shared[block]);
                if let Some(before) = block.checked_sub(1) {
                    chunk.backward_sums(&pass, before, &shared[before]);
                }
            });
            let BlockPlan { kernel, bias, .. } = block_plan;
            for range in [kernel, bias] {
                arrays.gradients[range.clone()].fill(0.0);
            }
            for chunk in &*chunks {
                add(&mut arrays.gradients[kernel.clone()], &chunk.blocks[block].d_kernel);
                add(&mut arrays.gradients[bias.clone()], &chunk.blocks[block].d_bias);
            }
        }
    }
}

/// Prepares the values that a block's forward pass reads besides its parameters, and the rotated
/// kernel if gradients continue to an earlier block.
fn prepare(plan: &BlockPlan, shared: &mut Shared, arrays: &Arrays, turns: bool) {
    shared.direction.clear();
    shared.direction.resize(plan.bias.len(), 1.0);
    if let Some(norm) = &plan.norm {
        let gammas = &arrays.values[norm.gamma.clone()];
        for (direction, &gamma) in shared.direction.iter_mut().zip(gammas) {
            *direction = if gamma == 0.0 { 0.0 } else { gamma.signum() };
        }
    }
    if turns {
        shared.turned.resize(plan.kernel.len(), 0.0);
        plan.convolution.turn(&arrays.values[plan.kernel.clone()], &mut shared.turned);
    }
}

/// Turns the batch's sums into its statistics; outside training, uses the moving ones.
fn meet_forward(
    plan: &BlockPlan,
    shared: &mut Shared,
    arrays: &mut Arrays,
    n: usize,
    training: bool,
) {
    let Some(norm) = &plan.norm else { return };
    let (values, epsilon) = (&mut arrays.values, BATCH_NORM_EPSILON as f32);
    if training {
        let n_rows = n * plan.convolution.geometry().output_len() / plan.bias.len();
        shared.statistics.set_from_sums(&shared.sums, n_rows, epsilon);
        let (mean, variance) =
            values[norm.mean.start..norm.variance.end].split_at_mut(norm.mean.len());
        shared.statistics.update_moving(norm.momentum, mean, variance);
    } else {
        let (mean, variance) = (&values[norm.mean.clone()], &values[norm.variance.clone()]);
        shared.statistics.set_from_moving(mean, variance, epsilon);
    }
    let (gamma, beta) = (&values[norm.gamma.clone()], &values[norm.beta.clone()]);
    shared.statistics.line(gamma, beta, &mut shared.line);
}

/// Turns the batch's sums into the gradients of gamma and beta and the lines of the backward pass.
fn meet_backward(plan: &BlockPlan, shared: &mut Shared, arrays: &mut Arrays, n: usize) {
    let Some(norm) = &plan.norm else {
        let slopes = &mut shared.slopes;
        for (slope, value) in [(&mut slopes.a, 1.0), (&mut slopes.b, 0.0), (&mut slopes.c, 0.0)] {
            slope.clear();
            slope.resize(plan.bias.len(), value);
        }
        return;
    };
    let n_rows = n * plan.convolution.geometry().output_len() / plan.bias.len();
    let gamma = &arrays.values[norm.gamma.clone()];
    shared.statistics.slopes(gamma, &shared.sums, n_rows, &mut shared.slopes);
    let (of_beta, of_gamma) = shared.sums.split_at(plan.bias.len());
    for (range, sums) in [(&norm.beta, of_beta), (&norm.gamma, of_gamma)] {
        let gradients = &mut arrays.gradients[range.clone()];
        gradients.iter_mut().zip(sums).for_each(|(gradient, &sum)| *gradient = sum as f32);
    }
}

/// Adds the sums of the chunks, in order.
fn add_up(shared: &mut Shared, chunks: &[Chunk], block: usize) {
    shared.sums.clear();
    shared.sums.resize(chunks[0].blocks[block].sums.len(), 0.0);
    for chunk in chunks {
        let sums = &chunk.blocks[block].sums;
        shared.sums.iter_mut().zip(sums).for_each(|(total, &sum)| *total += sum);
    }
}

fn add(totals: &mut [f32], values: &[f32]) {
    totals.iter_mut().zip(values).for_each(|(total, &value)| *total += value);
}

/// Calls `work` with every chunk, on the threads of the current rayon pool.
fn for_each(chunks: &mut [Chunk], work: impl Fn(&mut Chunk) + Sync + Send) {
    if chunks.len() == 1 || rayon::current_num_threads() == 1 {
        chunks.iter_mut().for_each(work);
    } else {
        chunks.par_iter_mut().with_max_len(1).for_each(work);
    }
}
