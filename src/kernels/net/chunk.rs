//! The convolutional blocks' work on a few examples, in buffers that last the whole training.
//!
//! Between a block's convolution and its normalisation, and between that normalisation's sums and its backward pass,
//! the whole batch must meet; each method here is what can be done between two meetings.

use crate::kernels::batch_norm::{Line, Statistics, add_gradient_sums, add_sums, apply};
use crate::kernels::convolution::CHUNK;
use crate::kernels::dropout::{dropout_pooled, dropout_pooled_backward, key_of};
use crate::kernels::isa::Isa;
use crate::kernels::net::Batch;
use crate::kernels::net::plan::{BlockPlan, Plan};
use crate::kernels::pooling::{PooledGradient, Slopes};

/// What is the same for all chunks in one step of one block.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// The sign of each channel's gamma.
    pub direction: Vec<f32>,
    pub statistics: Statistics,
    pub line: Line,
    pub slopes: Slopes,
    /// The kernel turned round.
    pub turned: Vec<f32>,
    pub sums: Vec<f64>,
}

/// Up to [`CHUNK`] examples.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub n: usize,
    x: Vec<f32>,
    pub blocks: Vec<Buffers>,
}

/// One block's buffers.
#[derive(Clone, Debug)]
pub(super) struct Buffers {
    /// ReLU's results: of all examples, or of one where they are computed again.
    activations: Vec<f32>,
    pooled: Vec<f32>,
    argmax: Vec<u8>,
    /// The block's result.
    pub out: Vec<f32>,
    pub d_out: Vec<f32>,
    /// One example's gradient before ReLU, framed by zeros.
    framed: Vec<f32>,
    pub sums: Vec<f64>,
    pub d_kernel: Vec<f32>,
    pub d_bias: Vec<f32>,
}

impl Chunk {
    pub fn new(plan: &Plan) -> Self {
        Self {
            n: 0,
            x: vec![0.0; CHUNK * plan.input_len],
            blocks: plan.blocks.iter().map(Buffers::new).collect(),
        }
    }

    /// Copies this chunk's examples of a batch.
    pub fn gather(&mut self, plan: &Plan, batch: &Batch<'_>, chunk: usize) {
        let first = chunk * CHUNK;
        self.n = (batch.rows.len() - first).min(CHUNK);
        for (i, x) in self.x.chunks_exact_mut(plan.input_len).take(self.n).enumerate() {
            batch.copy_example(first + i, plan.row_len, x);
        }
    }

    /// Convolution, bias, ReLU, pooling of raw values; in training also the sums that normalisation needs.
    pub fn forward(
        &mut self,
        isa: Isa,
        block: usize,
        plan: &BlockPlan,
        shared: &Shared,
        values: &[f32],
        training: bool,
    ) {
        let (before, rest) = self.blocks.split_at_mut(block);
        let (input, own) = (before.last().map_or(&self.x, |before| &before.out), &mut rest[0]);
        let (conv, pool) = (plan.convolution.geometry(), plan.pooling.geometry());
        own.sums.fill(0.0);
        for example in 0..self.n {
            let x = &input[example * conv.input_len()..][..conv.input_len()];
            let place = if plan.keeps_activations { example * conv.output_len() } else { 0 };
            let activations = &mut own.activations[place..place + conv.output_len()];
            let (kernel, bias) = (&values[plan.kernel.clone()], &values[plan.bias.clone()]);
            plan.convolution.forward(isa, x, kernel, bias, activations);
            if training && plan.norm.is_some() {
                add_sums(isa, activations, &mut own.sums);
            }
            let pooled = example * pool.output_len()..(example + 1) * pool.output_len();
            plan.pooling.forward(
                isa,
                activations,
                &shared.direction,
                &mut own.pooled[pooled.clone()],
                &mut own.argmax[pooled],
            );
        }
    }

    /// Normalisation of pooled values, and dropout under `key` (in training).
    pub fn finish(
        &mut self,
        isa: Isa,
        block: usize,
        plan: &BlockPlan,
        shared: &Shared,
        chunk: usize,
        key: Option<u64>,
    ) {
        let own = &mut self.blocks[block];
        let len = plan.pooling.geometry().output_len();
        let examples = own.pooled.chunks_exact(len).zip(own.out.chunks_exact_mut(len));
        let examples = examples.zip(own.argmax.chunks_exact_mut(len)).take(self.n);
        for (example, ((pooled, out), argmax)) in examples.enumerate() {
            if plan.norm.is_some() {
                apply(isa, &shared.line, pooled, out);
            } else {
                out.copy_from_slice(pooled);
            }
            if let Some(key) = key {
                dropout_pooled(
                    isa,
                    plan.dropout,
                    key_of(key, chunk * CHUNK + example),
                    out,
                    argmax,
                );
            }
        }
    }

    /// Dropout's backward pass, and the sums that normalisation's needs.
    pub fn backward_sums(&mut self, isa: Isa, block: usize, plan: &BlockPlan, shared: &Shared) {
        let own = &mut self.blocks[block];
        let len = plan.pooling.geometry().output_len();
        own.sums.fill(0.0);
        let examples = own.d_out.chunks_exact_mut(len).zip(own.argmax.chunks_exact(len));
        for ((d_out, argmax), pooled) in examples.zip(own.pooled.chunks_exact(len)).take(self.n) {
            dropout_pooled_backward(isa, plan.dropout, argmax, d_out);
            if plan.norm.is_some() {
                add_gradient_sums(isa, d_out, pooled, &shared.statistics, &mut own.sums);
            }
        }
    }

    /// Back through pooling, normalisation, ReLU and convolution, to the block before.
    pub fn backward(
        &mut self,
        isa: Isa,
        block: usize,
        plan: &BlockPlan,
        shared: &Shared,
        values: &[f32],
    ) {
        let (before, rest) = self.blocks.split_at_mut(block);
        let own = &mut rest[0];
        let (input, mut d_input) = match before.last_mut() {
            Some(before) => (&before.out, Some(&mut before.d_out)),
            None => (&self.x, None),
        };
        let (conv, pool) = (plan.convolution.geometry(), plan.pooling.geometry());
        own.d_kernel.fill(0.0);
        own.d_bias.fill(0.0);
        for example in 0..self.n {
            let inputs = example * conv.input_len()..(example + 1) * conv.input_len();
            let x = &input[inputs.clone()];
            let place = if plan.keeps_activations { example * conv.output_len() } else { 0 };
            let activations = &mut own.activations[place..place + conv.output_len()];
            if !plan.keeps_activations {
                let (kernel, bias) = (&values[plan.kernel.clone()], &values[plan.bias.clone()]);
                plan.convolution.forward(isa, x, kernel, bias, activations);
            }
            let pooled = example * pool.output_len()..(example + 1) * pool.output_len();
            let gradient = PooledGradient {
                d_pooled: &own.d_out[pooled.clone()],
                argmax: &own.argmax[pooled],
            };
            let d = &mut own.framed[plan.convolution.frame_len()..][..conv.output_len()];
            plan.pooling.backward_through(
                isa,
                gradient,
                &shared.slopes,
                activations,
                d,
                &mut own.d_bias,
            );
            plan.convolution.kernel_gradient(isa, x, d, &mut own.d_kernel);
            if let Some(d_input) = &mut d_input {
                plan.convolution.input_gradient(
                    isa,
                    &own.framed,
                    &shared.turned,
                    &mut d_input[inputs],
                );
            }
        }
    }
}

impl Buffers {
    fn new(plan: &BlockPlan) -> Self {
        let (conv, pool) = (plan.convolution.geometry(), plan.pooling.geometry());
        let n_kept = if plan.keeps_activations { CHUNK } else { 1 };
        Self {
            activations: vec![0.0; n_kept * conv.output_len()],
            pooled: vec![0.0; CHUNK * pool.output_len()],
            argmax: vec![0; CHUNK * pool.output_len()],
            out: vec![0.0; CHUNK * pool.output_len()],
            d_out: vec![0.0; CHUNK * pool.output_len()],
            framed: vec![0.0; plan.convolution.framed_len()],
            sums: vec![0.0; 2 * conv.c_out],
            d_kernel: vec![0.0; conv.kernel_len()],
            d_bias: vec![0.0; conv.c_out],
        }
    }
}
