//! The convolutional blocks of a whole batch: chunks side by side, and what is between them, where all chunks meet.

use std::time::Instant;

use crate::kernels::convolution::CHUNK;
use crate::kernels::net::Net;
use crate::kernels::net::chunk::{Chunk, Shared};
use crate::kernels::threads::for_each;

impl Net {
    /// What a block's forward pass reads besides its parameters.
    pub(super) fn prepare(&mut self, block: usize, training: bool) {
        let (plan, shared) = (&self.plan.blocks[block], &mut self.shared[block]);
        shared.direction.clear();
        shared.direction.resize(plan.bias.len(), 1.0);
        if let Some(norm) = &plan.norm {
            let gammas = &self.state.values[norm.gamma.clone()];
            for (direction, &gamma) in shared.direction.iter_mut().zip(gammas) {
                *direction = if gamma == 0.0 { 0.0 } else { gamma.signum() };
            }
        }
        if training && block > 0 {
            shared.turned.resize(plan.kernel.len(), 0.0);
            plan.convolution.turn(&self.state.values[plan.kernel.clone()], &mut shared.turned);
        }
    }

    /// The chunks' sums become the batch's statistics.
    pub(super) fn meet_forward(&mut self, block: usize, n: usize, training: bool) {
        let (plan, shared) = (&self.plan.blocks[block], &mut self.shared[block]);
        let Some(norm) = &plan.norm else { return };
        let values = &mut self.state.values;
        let epsilon = norm.constants.epsilon;
        if training {
            add_up(shared, &self.chunks[..n.div_ceil(CHUNK)], block);
            let n_rows = n * plan.convolution.geometry().output_len() / plan.bias.len();
            shared.statistics.set_from_sums(&shared.sums, n_rows, epsilon);
            let (mean, variance) =
                values[norm.mean.start..norm.variance.end].split_at_mut(norm.mean.len());
            shared.statistics.update_moving(norm.constants.momentum, mean, variance);
        } else {
            let (mean, variance) = (&values[norm.mean.clone()], &values[norm.variance.clone()]);
            shared.statistics.set_from_moving(mean, variance, epsilon);
        }
        shared.statistics.line(
            &values[norm.gamma.clone()],
            &values[norm.beta.clone()],
            &mut shared.line,
        );
    }

    /// From the head's gradient back through all blocks.
    pub(super) fn backward(&mut self, n: usize) {
        let isa = self.isa;
        let (n_blocks, n_chunks) = (self.plan.blocks.len(), n.div_ceil(CHUNK));
        let flat_len = self.plan.dense[0].dense.n_in();
        let Some(last) = n_blocks.checked_sub(1) else { return };
        for (chunk, d_flat) in
            self.chunks[..n_chunks].iter_mut().zip(self.head.d_rows[0].chunks(CHUNK * flat_len))
        {
            chunk.blocks[last].d_out[..chunk.n * flat_len]
                .copy_from_slice(&d_flat[..chunk.n * flat_len]);
            chunk.backward_sums(isa, last, &self.plan.blocks[last], &self.shared[last]);
        }
        for block in (0..n_blocks).rev() {
            let start = Instant::now();
            self.meet_backward(block, n);
            let (plan, shared, values) = (&self.plan.blocks, &self.shared, &self.state.values);
            for_each(&mut self.chunks[..n_chunks], |_, chunk| {
                chunk.backward(isa, block, &plan[block], &shared[block], values);
                if let Some(before) = block.checked_sub(1) {
                    chunk.backward_sums(isa, before, &plan[before], &shared[before]);
                }
            });
            let gradients = &mut self.state.gradients;
            for range in [&plan[block].kernel, &plan[block].bias] {
                gradients[range.clone()].fill(0.0);
            }
            for chunk in &self.chunks[..n_chunks] {
                add(&mut gradients[plan[block].kernel.clone()], &chunk.blocks[block].d_kernel);
                add(&mut gradients[plan[block].bias.clone()], &chunk.blocks[block].d_bias);
            }
            self.spent[n_blocks + block].1 += start.elapsed();
        }
    }

    /// The chunks' sums become gradients of gamma and beta, and the lines of the backward pass.
    fn meet_backward(&mut self, block: usize, n: usize) {
        let (plan, shared) = (&self.plan.blocks[block], &mut self.shared[block]);
        let Some(norm) = &plan.norm else {
            for (slope, value) in [
                (&mut shared.slopes.a, 1.0),
                (&mut shared.slopes.b, 0.0),
                (&mut shared.slopes.c, 0.0),
            ] {
                slope.clear();
                slope.resize(plan.bias.len(), value);
            }
            return;
        };
        add_up(shared, &self.chunks[..n.div_ceil(CHUNK)], block);
        let n_rows = n * plan.convolution.geometry().output_len() / plan.bias.len();
        let gamma = &self.state.values[norm.gamma.clone()];
        shared.statistics.slopes(gamma, &shared.sums, n_rows, &mut shared.slopes);
        let (of_beta, of_gamma) = shared.sums.split_at(plan.bias.len());
        for (range, sums) in [(&norm.beta, of_beta), (&norm.gamma, of_gamma)] {
            let gradients = &mut self.state.gradients[range.clone()];
            gradients.iter_mut().zip(sums).for_each(|(gradient, &sum)| *gradient = sum as f32);
        }
    }
}

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
