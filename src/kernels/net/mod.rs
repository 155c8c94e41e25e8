//! Kernels composed to a net that is trained, one step at a time, in buffers that are made once.
//!
//! A step has the same bits on any number of threads (the current rayon pool's): chunks of examples have one size,
//! and all sums over chunks one order.

mod chunk;
mod head;
mod layer;
mod plan;
mod state;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

pub use layer::{BatchNorm, ConvBlock, DenseLayer, Layer, PlanError, Pool};
pub use plan::{Plan, Start, Tensor};

use crate::kernels::convolution::CHUNK;
use crate::kernels::dropout::key_of;
use crate::kernels::isa::Isa;
use crate::kernels::loss::{Score, softmax_cross_entropy};
use crate::kernels::optimiser::Optimiser;
use crate::kernels::threads::for_each;
use chunk::{Chunk, Shared};
use head::Head;
use state::State;

/// Rows of a data set that make a batch.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// All examples, `[n_examples, height, width, channels]`.
    pub features: &'a [f32],
    /// Which examples.
    pub rows: &'a [usize],
    /// For each of `rows`, whether its height axis (time) is reversed; empty for none.
    pub reversed: &'a [bool],
}

impl Batch<'_> {
    fn copy_example(&self, index: usize, row_len: usize, x: &mut [f32]) {
        let example = &self.features[self.rows[index] * x.len()..][..x.len()];
        if self.reversed.get(index) == Some(&true) {
            let rows = x.chunks_exact_mut(row_len).zip(example.chunks_exact(row_len).rev());
            rows.for_each(|(x, row)| x.copy_from_slice(row));
        } else {
            x.copy_from_slice(example);
        }
    }
}

/// A net in training: parameters, the optimiser's state, and every buffer that a step needs.
#[derive(Clone, Debug)]
pub struct Net {
    plan: Plan,
    optimiser: Optimiser,
    state: State,
    isa: Isa,
    chunks: Vec<Chunk>,
    shared: Vec<Shared>,
    head: Head,
    spent: Vec<(String, Duration)>,
}

impl Net {
    /// A net with fresh parameters, drawn from `seed`.
    #[must_use]
    pub fn new(plan: Plan, optimiser: Optimiser, seed: u64) -> Self {
        let n_chunks = if plan.blocks.is_empty() { 0 } else { plan.max_batch.div_ceil(CHUNK) };
        let forward = (1..=plan.blocks.len()).map(|block| format!("conv_{block} forward"));
        let backward = (1..=plan.blocks.len()).map(|block| format!("conv_{block} backward"));
        let others = ["dense forward", "dense backward + update", "conv update"].map(String::from);
        Self {
            state: State::new(&plan, seed),
            isa: Isa::best(),
            chunks: (0..n_chunks).map(|_| Chunk::new(&plan)).collect(),
            shared: vec![Shared::default(); plan.blocks.len()],
            head: Head::new(&plan),
            spent: forward
                .chain(backward)
                .chain(others)
                .map(|name| (name, Duration::ZERO))
                .collect(),
            optimiser,
            plan,
        }
    }

    /// The layers laid out.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// A parameter's values, by name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&[f32]> {
        self.range(name).map(|range| &self.state.values[range])
    }

    /// A parameter's values, to be set.
    pub fn parameter_mut(&mut self, name: &str) -> Option<&mut [f32]> {
        self.range(name).map(|range| &mut self.state.values[range])
    }

    /// A parameter's gradient at the last step, the penalty's included.
    #[must_use]
    pub fn gradient(&self, name: &str) -> Option<&[f32]> {
        self.range(name).map(|range| &self.state.gradients[range])
    }

    /// A parameter's moments (decaying mean of gradients and of their squares), for a checkpoint.
    #[must_use]
    pub fn moments(&self, name: &str) -> Option<[&[f32]; 2]> {
        self.range(name).map(|range| [&self.state.first[range.clone()], &self.state.second[range]])
    }

    /// A parameter's moments, to be restored.
    pub fn moments_mut(&mut self, name: &str) -> Option<[&mut [f32]; 2]> {
        let range = self.range(name)?;
        Some([&mut self.state.first[range.clone()], &mut self.state.second[range]])
    }

    /// Steps taken.
    #[must_use]
    pub fn n_steps(&self) -> u64 {
        self.state.n_steps
    }

    /// Restores the count of steps, which Adam's rate depends on.
    pub fn set_n_steps(&mut self, n_steps: u64) {
        self.state.n_steps = n_steps;
    }

    /// Changes the optimiser's constants, for a schedule.
    pub fn set_optimiser(&mut self, optimiser: Optimiser) {
        self.optimiser = optimiser;
    }

    /// Sets the level of instructions, to compare levels; a fresh net has the best.
    pub fn set_isa(&mut self, isa: Isa) {
        self.isa = isa;
    }

    /// Where training spent its time, by part of the step.
    #[must_use]
    pub fn spent(&self) -> &[(String, Duration)] {
        &self.spent
    }

    /// One step on a batch: forward, loss, backward, optimiser. `labels` are the rows' own, `key` decides what
    /// dropout takes. The loss is the batch's before the step, penalties included.
    ///
    /// # Panics
    /// When the batch is empty or larger than planned, or labels do not fit rows or classes.
    pub fn train_step(&mut self, batch: &Batch<'_>, labels: &[usize], key: u64) -> Score {
        let n = batch.rows.len();
        assert!((1..=self.plan.max_batch).contains(&n), "a batch has 1 to max_batch rows");
        assert_eq!(labels.len(), n, "a label for each row");
        self.forward(batch, Some(key));
        let start = Instant::now();
        let n_classes = self.plan.n_classes();
        let n_layers = self.plan.dense.len();
        let logits = &self.head.rows[n_layers][..n * n_classes];
        let d_logits = &mut self.head.d_rows[n_layers][..n * n_classes];
        let mut score = softmax_cross_entropy(logits, labels, n_classes, d_logits);
        self.state.n_steps += 1;
        let constants = self.optimiser.at_step(self.state.n_steps);
        score.loss += self.head.backward(self.isa, &self.plan, &mut self.state, n, &constants);
        let n_blocks = self.plan.blocks.len();
        self.spent[2 * n_blocks + 1].1 += start.elapsed();
        if n_blocks > 0 {
            self.backward(n);
            let start = Instant::now();
            self.update_blocks();
            self.spent[2 * n_blocks + 2].1 += start.elapsed();
        }
        score
    }

    /// The logits of rows, `[n, n_classes]`, by running statistics and without dropout.
    ///
    /// # Panics
    /// When `logits` does not fit the rows.
    pub fn predict_logits(&mut self, batch: &Batch<'_>, logits: &mut [f32]) {
        let (n_classes, max_batch) = (self.plan.n_classes(), self.plan.max_batch);
        assert_eq!(logits.len(), batch.rows.len() * n_classes, "n_classes logits for each row");
        for (index, logits) in logits.chunks_mut(max_batch * n_classes).enumerate() {
            let part = index * max_batch..index * max_batch + logits.len() / n_classes;
            let reversed = batch.reversed.get(part.clone()).unwrap_or(&[]);
            self.forward(&Batch { rows: &batch.rows[part], reversed, ..*batch }, None);
            logits.copy_from_slice(&self.head.rows[self.plan.dense.len()][..logits.len()]);
        }
    }

    /// The mean cross-entropy (without penalties) and hits of rows, as [`predict_logits`](Self::predict_logits) has
    /// them.
    ///
    /// # Panics
    /// When labels do not fit rows or classes.
    pub fn evaluate(&mut self, batch: &Batch<'_>, labels: &[usize]) -> Score {
        assert_eq!(labels.len(), batch.rows.len(), "a label for each row");
        let n_classes = self.plan.n_classes();
        let mut total = Score::default();
        let rows = batch.rows.chunks(self.plan.max_batch).zip(labels.chunks(self.plan.max_batch));
        for (index, (rows, labels)) in rows.enumerate() {
            let first = index * self.plan.max_batch;
            let reversed = batch.reversed.get(first..first + rows.len()).unwrap_or(&[]);
            self.forward(&Batch { rows, reversed, ..*batch }, None);
            let last = self.plan.dense.len();
            let logits = &self.head.rows[last][..rows.len() * n_classes];
            let unused = &mut self.head.d_rows[last][..rows.len() * n_classes];
            let score = softmax_cross_entropy(logits, labels, n_classes, unused);
            total.loss += score.loss * rows.len() as f64;
            total.n_right += score.n_right;
        }
        total.loss /= labels.len().max(1) as f64;
        total
    }

    /// Up to the logits; a key means training.
    fn forward(&mut self, batch: &Batch<'_>, key: Option<u64>) {
        let (n, isa) = (batch.rows.len(), self.isa);
        let n_blocks = self.plan.blocks.len();
        let flat_len = self.plan.dense[0].dense.n_in();
        if n_blocks == 0 {
            let flat = self.head.rows[0].chunks_exact_mut(flat_len).take(n);
            flat.enumerate().for_each(|(i, x)| batch.copy_example(i, self.plan.row_len, x));
        }
        for block in 0..n_blocks {
            let start = Instant::now();
            self.prepare(block, key.is_some());
            let (plan, shared, values) = (&self.plan, &self.shared, &self.state.values);
            for_each(&mut self.chunks[..n.div_ceil(CHUNK)], |index, chunk| {
                match block {
                    0 => chunk.gather(plan, batch, index),
                    _ => chunk.finish(
                        isa,
                        block - 1,
                        &plan.blocks[block - 1],
                        &shared[block - 1],
                        index,
                        key.map(|key| key_of(key, block - 1)),
                    ),
                }
                chunk.forward(
                    isa,
                    block,
                    &plan.blocks[block],
                    &shared[block],
                    values,
                    key.is_some(),
                );
            });
            self.meet_forward(block, n, key.is_some());
            self.spent[block].1 += start.elapsed();
        }
        let start = Instant::now();
        if let Some(last) = n_blocks.checked_sub(1) {
            let (plan, shared) = (&self.plan.blocks[last], &self.shared[last]);
            let flat = self.head.rows[0].chunks_mut(CHUNK * flat_len);
            for ((index, chunk), flat) in
                self.chunks[..n.div_ceil(CHUNK)].iter_mut().enumerate().zip(flat)
            {
                chunk.finish(isa, last, plan, shared, index, key.map(|key| key_of(key, last)));
                flat[..chunk.n * flat_len]
                    .copy_from_slice(&chunk.blocks[last].out[..chunk.n * flat_len]);
            }
        }
        self.head.forward(isa, &self.plan, &self.state.values, n, key);
        self.spent[2 * n_blocks].1 += start.elapsed();
    }

    /// What a block's forward pass reads besides its parameters.
    fn prepare(&mut self, block: usize, training: bool) {
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
    fn meet_forward(&mut self, block: usize, n: usize, training: bool) {
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
    fn backward(&mut self, n: usize) {
        let isa = self.isa;
        let (n_blocks, n_chunks) = (self.plan.blocks.len(), n.div_ceil(CHUNK));
        let flat_len = self.plan.dense[0].dense.n_in();
        let last = n_blocks - 1;
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

    fn update_blocks(&mut self) {
        let constants = self.optimiser.at_step(self.state.n_steps);
        for block in &self.plan.blocks {
            let norm = block.norm.iter().flat_map(|norm| [&norm.gamma, &norm.beta]);
            for range in [&block.kernel, &block.bias].into_iter().chain(norm) {
                self.state.update(self.isa, &constants, range.clone());
            }
        }
    }

    fn range(&self, name: &str) -> Option<std::ops::Range<usize>> {
        self.plan
            .tensors
            .iter()
            .find(|tensor| tensor.name == name)
            .map(|tensor| tensor.range.clone())
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
