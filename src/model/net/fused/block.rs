//! A convolutional block on a few examples: convolution, ReLU, normalization, ReLU, pooling, dropout.
//!
//! Pooling comes before the normalization: both sides of the normalization rise or fall together, so
//! that the same values win. Only those are normalized.

use super::buffers::{Buffers, CHUNK, Pass, Read, Shared};
use super::image::Image;
use super::plan::BlockPlan;
use crate::kernels::batch_norm::{add_gradient_sums, add_sums, apply};
use crate::kernels::dense::gate;
use crate::kernels::dropout::{Spots, dropout_pooled, dropout_pooled_backward};
use crate::kernels::isa::Isa;
use crate::kernels::pooling::PooledGradient;

pub(super) fn buffers(block: &BlockPlan) -> Buffers {
    let (conv, pool) = (&block.convolution, block.pooling.geometry());
    let n_kept = if block.keeps_activations { CHUNK } else { 1 };
    let conv_len = conv.geometry().output_len();
    Buffers {
        activations: vec![0.0; n_kept * conv_len],
        pooled: vec![0.0; CHUNK * pool.output_len()],
        argmax: vec![0; CHUNK * pool.output_len()],
        framed: vec![0.0; conv.framed_len()],
        spare: vec![0.0; if conv.is_dense() { 0 } else { conv_len }],
        sums: vec![0.0; 2 * conv.geometry().stored[1]],
        ..Buffers::default()
    }
}

/// Returns an example's image with the zeros around it that the convolution reads.
fn framed<'a>(block: &BlockPlan, read: &Read<'a>, example: usize) -> &'a [f32] {
    let ([before, after], at) = (block.convolution.frame(), read.image.at(example));
    &read.values[at.start - before..at.end + after]
}

/// Computes convolution, bias, ReLU and pooling of raw values; in training also the sums for
/// normalization.
pub(super) fn forward(
    pass: &Pass<'_>,
    block: &BlockPlan,
    n: usize,
    read: &Read<'_>,
    shared: &Shared,
    own: &mut Buffers,
) {
    let isa = pass.isa;
    let len = block.pooling.geometry().output_len();
    own.sums.fill(0.0);
    for example in 0..n {
        let activations = &mut own.activations[place(block, example)..];
        let activations = &mut activations[..block.convolution.geometry().output_len()];
        convolve(pass, block, framed(block, read, example), activations);
        if pass.key.is_some() && block.norm.is_some() {
            add_sums(isa, activations, &mut own.sums);
        }
        let pooled = example * len..(example + 1) * len;
        let winners = (&mut own.pooled[pooled.clone()], &mut own.argmax[pooled]);
        block.pooling.forward(isa, activations, &shared.direction, winners.0, winners.1);
    }
}

fn convolve(pass: &Pass<'_>, block: &BlockPlan, x: &[f32], activations: &mut [f32]) {
    let parameters = (&pass.values[block.kernel.clone()], &pass.values[block.bias.clone()]);
    block.convolution.forward(pass.isa, x, parameters, block.activation, activations);
}

/// Normalizes the pooled values and, in training, applies dropout.
pub(super) fn finish(
    pass: &Pass<'_>,
    (block, image): (&BlockPlan, &Image),
    (first, n): (usize, usize),
    shared: &Shared,
    own: &mut Buffers,
) {
    let isa = pass.isa;
    let examples =
        own.pooled.chunks_exact(image.len()).zip(own.argmax.chunks_exact_mut(image.len()));
    for (example, (pooled, argmax)) in examples.take(n).enumerate() {
        let out = &mut own.out[image.at(example)];
        if block.norm.is_some() {
            apply(isa, &shared.line, pooled, out);
        } else {
            out.copy_from_slice(pooled);
        }
        if block.relu_after {
            out.iter_mut().for_each(|value| *value = if *value > 0.0 { *value } else { 0.0 });
        }
        if let Some(key) = pass.key {
            let key = key.example(block.dropout_key, first + example);
            let spots = Spots { used: image.channels, stored: image.stored };
            dropout_pooled(isa, block.dropout, key, spots, out, argmax);
        }
    }
}

/// Runs dropout and the last ReLU backward, and computes the sums that the backward pass of
/// normalization needs.
pub(super) fn backward_sums(
    isa: Isa,
    (block, image): (&BlockPlan, &Image),
    n: usize,
    shared: &Shared,
    own: &mut Buffers,
) {
    let len = image.len();
    own.sums.fill(0.0);
    for example in 0..n {
        let (d_out, part) = (&mut own.d_out[image.at(example)], example * len..(example + 1) * len);
        if block.relu_after {
            // Dropped values and those that ReLU blocked are zeros of the output.
            gate(isa, &own.out[image.at(example)], block.dropout.scale(), d_out);
        } else {
            dropout_pooled_backward(isa, block.dropout, &own.argmax[part.clone()], d_out);
        }
        if block.norm.is_some() {
            add_gradient_sums(isa, d_out, &own.pooled[part], &shared.statistics, &mut own.sums);
        }
    }
}

/// Runs backward through pooling, normalization, ReLU and convolution, to the images read.
pub(super) fn backward(
    pass: &Pass<'_>,
    (block, image): (&BlockPlan, &Image),
    n: usize,
    mut read: Read<'_>,
    shared: &Shared,
    own: &mut Buffers,
) {
    let (isa, convolution) = (pass.isa, &block.convolution);
    let conv_len = convolution.geometry().output_len();
    own.gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
    let [d_kernel, d_bias] = &mut own.gradients[..] else { return };
    for example in 0..n {
        let x = framed(block, &read, example);
        let activations = &mut own.activations[place(block, example)..][..conv_len];
        if !block.keeps_activations {
            convolve(pass, block, x, activations);
        }
        let pooled = example * image.len()..(example + 1) * image.len();
        let d_pooled = &own.d_out[image.at(example)];
        let gradient = PooledGradient { d_pooled, argmax: &own.argmax[pooled] };
        let d = if convolution.is_dense() {
            &mut own.framed[convolution.frame_len()..][..conv_len]
        } else {
            &mut own.spare[..]
        };
        let before = (block.activation, &*activations);
        block.pooling.backward_through(isa, gradient, &shared.slopes, before, d, d_bias);
        convolution.kernel_gradient(isa, x, d, d_kernel);
        if let Some(gradients) = &mut read.gradients {
            if !convolution.is_dense() {
                convolution.spread(&own.spare, &mut own.framed);
            }
            let d_x = &mut gradients[read.image.at(example)];
            convolution.input_gradient(isa, &own.framed, &shared.turned, read.adds, d_x);
        }
    }
}

/// Returns the offset of an example's activations.
fn place(block: &BlockPlan, example: usize) -> usize {
    if block.keeps_activations { example * block.convolution.geometry().output_len() } else { 0 }
}
