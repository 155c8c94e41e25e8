//! Kernels composed to a net that is trained, one step at a time, in buffers that are made once.
//!
//! A step has the same bits on any number of threads (the current rayon pool's): chunks of examples have one size,
//! and all sums over chunks one order.

mod access;
mod blocks;
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
use crate::kernels::loss::{Score, Targets, softmax_cross_entropy};
use crate::kernels::optimizer::Optimizer;
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

/// A net in training: parameters, the optimizer's state, and every buffer that a step needs.
#[derive(Clone, Debug)]
pub struct Net {
    plan: Plan,
    optimizer: Optimizer,
    clip_norm: Option<f64>,
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
    pub fn new(plan: Plan, optimizer: Optimizer, seed: u64) -> Self {
        let n_chunks = if plan.blocks.is_empty() { 0 } else { plan.max_batch.div_ceil(CHUNK) };
        let forward = (1..=plan.blocks.len()).map(|block| format!("conv_{block} forward"));
        let backward = (1..=plan.blocks.len()).map(|block| format!("conv_{block} backward"));
        let others =
            ["dense forward", "dense backward + update", "other updates"].map(String::from);
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
            optimizer,
            clip_norm: None,
            plan,
        }
    }

    /// One step on a batch: forward, loss, backward, optimizer. `targets` are the rows' own, `key` decides what
    /// dropout takes. The loss is the batch's before the step, penalties included.
    ///
    /// # Panics
    /// When the batch is empty or larger than planned, or targets do not fit rows or classes.
    pub fn train_step(&mut self, batch: &Batch<'_>, targets: &Targets<'_>, key: u64) -> Score {
        let n = batch.rows.len();
        assert!((1..=self.plan.max_batch).contains(&n), "a batch has 1 to max_batch rows");
        assert_eq!(targets.labels.len(), n, "a label for each row");
        self.forward(batch, Some(key));
        let start = Instant::now();
        let n_classes = self.plan.n_classes();
        let n_layers = self.plan.dense.len();
        let logits = &self.head.rows[n_layers][..n * n_classes];
        let d_logits = &mut self.head.d_rows[n_layers][..n * n_classes];
        let mut score = softmax_cross_entropy(logits, targets, n_classes, d_logits);
        self.state.n_steps += 1;
        let constants = self.optimizer.at_step(self.state.n_steps);
        // A norm is known only when all gradients are: only without it can dense layers move at once.
        let at_once = self.clip_norm.is_none().then_some(&constants);
        score.loss += self.head.backward(self.isa, &self.plan, &mut self.state, n, at_once);
        let n_blocks = self.plan.blocks.len();
        self.spent[2 * n_blocks + 1].1 += start.elapsed();
        self.backward(n);
        let start = Instant::now();
        if let Some(max_norm) = self.clip_norm {
            self.state.clip(self.isa, max_norm);
        }
        let left = self.plan.tensors.iter().filter(|tensor| tensor.trainable);
        for tensor in left.filter(|tensor| at_once.is_none() || !self.plan.is_dense(tensor)) {
            self.state.update(self.isa, &constants, tensor.range.clone());
        }
        self.spent[2 * n_blocks + 2].1 += start.elapsed();
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
            let score = softmax_cross_entropy(logits, &Targets::one_hot(labels), n_classes, unused);
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
}
