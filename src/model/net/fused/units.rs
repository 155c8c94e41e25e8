//! The units of a whole batch: chunks run in parallel and synchronize between passes.

use std::ops::Range;

use rayon::prelude::*;

use super::super::engine::DropoutKey;
use super::arrays::Arrays;
use super::buffers::{CHUNK, Pass, Shared};
use super::chunk::Chunk;
use super::image::copy_rows;
use super::plan::{NormPlan, Plan, Work};
use crate::kernels::isa::Isa;

/// Buffers of the units.
#[derive(Clone, Debug)]
pub(super) struct Units {
    chunks: Vec<Chunk>,
    shared: Vec<Shared>,
}

impl Units {
    pub(super) fn new(plan: &Plan) -> Self {
        let n_chunks = if plan.units.is_empty() { 0 } else { plan.max_batch.div_ceil(CHUNK) };
        let chunks = (0..n_chunks).map(|index| Chunk::new(plan, index)).collect();
        Self { chunks, shared: vec![Shared::default(); plan.units.len()] }
    }

    /// Runs all units, from a batch's inputs to `flat`, the input of the first dense layer. A key
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
        let Some(last) = plan.units.len().checked_sub(1) else {
            flat[..inputs.len()].copy_from_slice(inputs);
            return;
        };
        let n = inputs.len() / plan.input.len();
        let chunks = &mut self.chunks[..n.div_ceil(CHUNK)];
        for (index, chunk) in chunks.iter_mut().enumerate() {
            chunk.n = (n - index * CHUNK).min(CHUNK);
        }
        for (index, unit) in plan.units.iter().enumerate() {
            let turns = key.is_some() && unit.source.wants_gradient;
            prepare(&unit.work, &mut self.shared[index], arrays, turns);
            let pass = Pass { isa, plan, values: &arrays.values, inputs, key };
            let shared = &self.shared;
            for_each(chunks, |chunk| {
                if let Some(before) = index.checked_sub(1) {
                    chunk.finish(&pass, before, &shared[before]);
                }
                chunk.forward(&pass, index, &shared[index]);
            });
            if let Some(norm) = unit.work.norm() {
                if key.is_some() {
                    add_up(&mut self.shared[index], chunks, index);
                }
                meet_forward(norm, &mut self.shared[index], arrays, n, key.is_some());
            }
        }
        let pass = Pass { isa, plan, values: &arrays.values, inputs, key };
        let image = plan.last_image();
        for (chunk, flat) in chunks.iter_mut().zip(flat.chunks_mut(CHUNK * image.n_values())) {
            chunk.finish(&pass, last, &self.shared[last]);
            for (example, flat) in flat.chunks_exact_mut(image.n_values()).take(chunk.n).enumerate()
            {
                let out = &chunk.units[last].out[image.at(example)];
                copy_rows(out, image.stored, image.channels, flat);
            }
        }
    }

    /// Runs backward from the gradient of `flat` through all units, and fills their gradients.
    pub(super) fn backward(
        &mut self,
        isa: Isa,
        plan: &Plan,
        arrays: &mut Arrays,
        inputs: &[f32],
        d_flat: &[f32],
    ) {
        let Some(last) = plan.units.len().checked_sub(1) else { return };
        let n = inputs.len() / plan.input.len();
        let chunks = &mut self.chunks[..n.div_ceil(CHUNK)];
        let image = plan.last_image();
        let pass = Pass { isa, plan, values: &arrays.values, inputs, key: None };
        for (chunk, d_flat) in chunks.iter_mut().zip(d_flat.chunks(CHUNK * image.n_values())) {
            for (example, d_flat) in d_flat.chunks_exact(image.n_values()).take(chunk.n).enumerate()
            {
                let d_out = &mut chunk.units[last].d_out[image.at(example)];
                copy_rows(d_flat, image.channels, image.stored, d_out);
            }
            chunk.backward_sums(&pass, last, &self.shared[last]);
        }
        for (index, unit) in plan.units.iter().enumerate().rev() {
            if let Some(NormPlan { learned: Some(learned), n_rows, .. }) = unit.work.norm() {
                add_up(&mut self.shared[index], chunks, index);
                meet_backward(learned, &mut self.shared[index], arrays, n * n_rows);
            } else if let Work::Block(_) | Work::MaxPool(_) = &unit.work {
                self.shared[index].slopes.set_to_one(unit.image.stored);
            }
            let (shared, values) = (&self.shared, &arrays.values);
            let pass = Pass { isa, plan, values, inputs, key: None };
            for_each(chunks, |chunk| {
                chunk.backward(&pass, index, &shared[index]);
                if let Some(before) = index.checked_sub(1) {
                    chunk.backward_sums(&pass, before, &shared[before]);
                }
            });
            for (part, range) in unit.work.summed().into_iter().enumerate() {
                let total = &mut arrays.gradients[range];
                total.fill(0.0);
                for chunk in &*chunks {
                    add(total, &chunk.units[index].gradients[part]);
                }
            }
        }
    }
}

/// Prepares the values that a unit's forward pass reads besides its parameters, and the rotated
/// kernel if gradients continue to an earlier unit.
fn prepare(work: &Work, shared: &mut Shared, arrays: &Arrays, turns: bool) {
    let Work::Block(block) = work else { return };
    shared.direction.clear();
    shared.direction.resize(block.bias.len(), 1.0);
    if let Some([gamma, _]) = block.norm.as_ref().and_then(|norm| norm.learned.as_ref()) {
        let gammas = &arrays.values[gamma.clone()];
        for (direction, &gamma) in shared.direction.iter_mut().zip(gammas) {
            *direction = if gamma == 0.0 { 0.0 } else { gamma.signum() };
        }
    }
    if turns {
        shared.turned.resize(block.convolution.turned_len(), 0.0);
        block.convolution.turn(&arrays.values[block.kernel.clone()], &mut shared.turned);
    }
}

/// Turns the batch's sums into its statistics; outside training, uses the moving ones.
fn meet_forward(
    norm: &NormPlan,
    shared: &mut Shared,
    arrays: &mut Arrays,
    n: usize,
    training: bool,
) {
    let (values, epsilon) = (&mut arrays.values, norm.constants.epsilon as f32);
    if training {
        shared.statistics.set_from_sums(&shared.sums, n * norm.n_rows, epsilon);
        let (mean, variance) =
            values[norm.mean.start..norm.variance.end].split_at_mut(norm.mean.len());
        shared.statistics.update_moving(norm.constants.momentum as f32, mean, variance);
    } else {
        let (mean, variance) = (&values[norm.mean.clone()], &values[norm.variance.clone()]);
        shared.statistics.set_from_moving(mean, variance, epsilon);
    }
    let Shared { statistics, line, .. } = shared;
    match &norm.learned {
        Some([gamma, beta]) => {
            statistics.line(&values[gamma.clone()], &values[beta.clone()], line);
        }
        None => {
            let n = norm.mean.len();
            statistics.line(&vec![1.0; n], &vec![0.0; n], line);
        }
    }
}

/// Turns the batch's sums into the gradients of gamma and beta and the lines of the backward pass.
fn meet_backward(
    [gamma, beta]: &[Range<usize>; 2],
    shared: &mut Shared,
    arrays: &mut Arrays,
    n_rows: usize,
) {
    let Shared { statistics, sums, slopes, .. } = shared;
    statistics.slopes(&arrays.values[gamma.clone()], sums, n_rows, slopes);
    let (of_beta, of_gamma) = sums.split_at(beta.len());
    for (range, sums) in [(beta, of_beta), (gamma, of_gamma)] {
        let gradients = &mut arrays.gradients[range.clone()];
        gradients.iter_mut().zip(sums).for_each(|(gradient, &sum)| *gradient = sum as f32);
    }
}

/// Adds the sums of the chunks, in order.
fn add_up(shared: &mut Shared, chunks: &[Chunk], unit: usize) {
    shared.sums.clear();
    shared.sums.resize(chunks[0].units[unit].sums.len(), 0.0);
    for chunk in chunks {
        let sums = &chunk.units[unit].sums;
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
