//! The work of the convolutional blocks on a few examples, in buffers that are reused during the
//! whole training.
//!
//! All chunks of a batch must synchronize between a block's convolution and its normalization, and
//! between the sums of that normalization's gradients and its backward pass. Each method here does
//! the work between two such points.

use super::super::engine::DropoutKey;
use super::plan::{BlockPlan, Plan};
use crate::kernels::batch_norm::{Line, Statistics, add_gradient_sums, add_sums, apply};
use crate::kernels::dropout::{dropout_pooled, dropout_pooled_backward};
use crate::kernels::isa::Isa;
use crate::kernels::pooling::{PooledGradient, Slopes};

/// Number of examples whose gradients are summed in one buffer. It does not depend on the number of
/// threads.
pub(super) const CHUNK: usize = 8;

/// The data that all chunks read in one pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass<'a> {
    pub(super) isa: Isa,
    pub(super) plan: &'a Plan,
    pub(super) values: &'a [f32],
    /// The batch, `[n, height, width, channels]`.
    pub(super) inputs: &'a [f32],
    /// The key of the dropout; present in training only.
    pub(super) key: Option<DropoutKey>,
}

/// The data that all chunks share in one step of one block.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// The sign of each channel's gamma.
    pub(super) direction: Vec<f32>,
    pub(super) statistics: Statistics,
    pub(super) line: Line,
    pub(super) slopes: Slopes,
    /// The rotated kernel.
    pub(super) turned: Vec<f32>,
    pub(super) sums: Vec<f64>,
}

/// Up to [`CHUNK`] examples.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// Index of the chunk in the batch.
    index: usize,
    pub(super) n: usize,
    pub(super) blocks: Vec<Buffers>,
}

/// One block's buffers.
#[derive(Clone, Debug)]
pub(super) struct Buffers {
    /// Output of ReLU: for all examples, or for one if it is computed again in the backward pass.
    activations: Vec<f32>,
    pooled: Vec<f32>,
    argmax: Vec<u8>,
    /// Output of the block.
    pub(super) out: Vec<f32>,
    pub(super) d_out: Vec<f32>,
    /// One example's gradient before ReLU, framed by zeros.
    framed: Vec<f32>,
    pub(super) sums: Vec<f64>,
    pub(super) d_kernel: Vec<f32>,
    pub(super) d_bias: Vec<f32>,
}

impl Chunk {
    pub(super) fn new(plan: &Plan, index: usize) -> Self {
        Self { index, n: 0, blocks: plan.blocks.iter().map(Buffers::new).collect() }
    }

    /// Computes convolution, bias, ReLU and pooling of raw values; in training also the sums for
    /// normalization.
    pub(super) fn forward(&mut self, pass: &Pass<'_>, block: usize, shared: &Shared) {
        let (isa, plan) = (pass.isa, &pass.plan.blocks[block]);
        let (conv, pool) = (plan.convolution.geometry(), plan.pooling.geometry());
        let (before, rest) = self.blocks.split_at_mut(block);
        let own = &mut rest[0];
        let input = match before.last() {
            Some(before) => &before.out,
            None => &pass.inputs[self.index * CHUNK * conv.input_len()..],
        };
        own.sums.fill(0.0);
        for example in 0..self.n {
            let x = &input[example * conv.input_len()..][..conv.input_len()];
            let activations = &mut own.activations[place(plan, example)..][..conv.output_len()];
            let (kernel, bias) =
                (&pass.values[plan.kernel.clone()], &pass.values[plan.bias.clone()]);
            plan.convolution.forward(isa, x, kernel, bias, activations);
            if pass.key.is_some() && plan.norm.is_some() {
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

    /// Normalizes the pooled values and, in training, applies dropout.
    pub(super) fn finish(&mut self, pass: &Pass<'_>, block: usize, shared: &Shared) {
        let (isa, plan) = (pass.isa, &pass.plan.blocks[block]);
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
            if let Some(key) = pass.key {
                let key = key.example(block, self.index * CHUNK + example);
                dropout_pooled(isa, plan.dropout, key, out, argmax);
            }
        }
    }

    /// Runs dropout backward and computes the sums that the backward pass of normalization needs.
    pub(super) fn backward_sums(&mut self, pass: &Pass<'_>, block: usize, shared: &Shared) {
        let (isa, plan) = (pass.isa, &pass.plan.blocks[block]);
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

    /// Runs backward through pooling, normalization, ReLU and convolution, to the previous block.
    pub(super) fn backward(&mut self, pass: &Pass<'_>, block: usize, shared: &Shared) {
        let (isa, plan) = (pass.isa, &pass.plan.blocks[block]);
        let (conv, pool) = (plan.convolution.geometry(), plan.pooling.geometry());
        let (before, rest) = self.blocks.split_at_mut(block);
        let own = &mut rest[0];
        let (input, mut d_input) = match before.last_mut() {
            Some(before) => (&before.out[..], Some(&mut before.d_out)),
            None => (&pass.inputs[self.index * CHUNK * conv.input_len()..], None),
        };
        own.d_kernel.fill(0.0);
        own.d_bias.fill(0.0);
        for example in 0..self.n {
            let inputs = example * conv.input_len()..(example + 1) * conv.input_len();
            let x = &input[inputs.clone()];
            let activations = &mut own.activations[place(plan, example)..][..conv.output_len()];
            if !plan.keeps_activations {
                let (kernel, bias) =
                    (&pass.values[plan.kernel.clone()], &pass.values[plan.bias.clone()]);
                plan.convolution.forward(isa, x, kernel, bias, activations);
            }
            let pooled = example * pool.output_len()..(example + 1) * pool.output_len();
            let gradient = PooledGradient {
                d_pooled: &own.d_out[pooled.clone()],
                argmax: &own.argmax[pooled],
            };
            let d = &mut own.framed[plan.convolution.frame_len()..][..conv.output_len()];
            let (slopes, d_bias) = (&shared.slopes, &mut own.d_bias);
            plan.pooling.backward_through(isa, gradient, slopes, activations, d, d_bias);
            plan.convolution.kernel_gradient(isa, x, d, &mut own.d_kernel);
            if let Some(d_input) = &mut d_input {
                let d_x = &mut d_input[inputs];
                plan.convolution.input_gradient(isa, &own.framed, &shared.turned, d_x);
            }
        }
    }
}

/// Returns the offset of an example's activations.
fn place(plan: &BlockPlan, example: usize) -> usize {
    if plan.keeps_activations { example * plan.convolution.geometry().output_len() } else { 0 }
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
