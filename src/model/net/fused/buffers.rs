//! What the units of a few examples read and write.

use super::super::engine::DropoutKey;
use super::image::Image;
use super::plan::Plan;
use crate::kernels::batch_norm::{Line, Statistics};
use crate::kernels::isa::Isa;
use crate::kernels::pooling::Slopes;

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

/// The data that all chunks share in one step of one unit.
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

/// One unit's buffers.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    /// What the unit gives: framed images.
    pub(super) out: Vec<f32>,
    /// The gradient of that.
    pub(super) d_out: Vec<f32>,
    /// Sums for the normalization, or for its gradient.
    pub(super) sums: Vec<f64>,
    /// The gradients of [`Work::summed`].
    pub(super) gradients: Vec<Vec<f32>>,
    /// Results of a convolution: of all examples, or of one if they are computed again in the
    /// backward pass.
    pub(super) activations: Vec<f32>,
    /// Values before the normalization that pooling chose.
    pub(super) pooled: Vec<f32>,
    /// The place of each window's largest value, and marks of dropped values.
    pub(super) argmax: Vec<u8>,
    /// One example's gradient before the convolution, framed by zeros.
    pub(super) framed: Vec<f32>,
    /// One example's gradient without zeros in between, or factors of one example.
    pub(super) spare: Vec<f32>,
    /// The position of each channel's largest value.
    pub(super) winners: Vec<u32>,
    /// The shares of attention.
    pub(super) shares: Vec<f32>,
}

/// The images that a unit reads, and their gradients.
pub(super) struct Read<'a> {
    pub(super) image: &'a Image,
    pub(super) values: &'a [f32],
    pub(super) gradients: Option<&'a mut [f32]>,
    /// Whether gradients are added to what is there.
    pub(super) adds: bool,
}
