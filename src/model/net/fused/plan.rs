//! The units that the kernels compute: a net's layers grouped into convolutional blocks, then dense
//! layers.

use std::iter::Peekable;
use std::ops::Range;
use std::slice::Iter;

use super::super::engine::dropout_rate;
use super::super::layer::{BATCH_NORM_MOMENTUM, Kind, Layer, Net};
use crate::kernels::convolution::Convolution;
use crate::kernels::dense::Dense;
use crate::kernels::dropout::Rate;
use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::pooling::Pooling;
use crate::kernels::product::Activation;

/// Number of products per value above which a convolution's results are kept for the backward pass.
/// Below, computing them again is faster than writing and reading them.
const WORTH_KEEPING: usize = 48;

/// The largest pooling window: the place of its maximum is stored in one byte, of which one value
/// marks dropout.
const LARGEST_WINDOW: usize = 255;

/// The units of a net, and the position of each of its parameters in
/// [`Arrays`](super::arrays::Arrays).
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) max_batch: usize,
    pub(super) blocks: Vec<BlockPlan>,
    pub(super) dense: Vec<DensePlan>,
    /// In the order of [`Net::parameters`].
    pub(super) ranges: Vec<Range<usize>>,
}

/// Convolution and ReLU, then batch normalization, pooling and dropout if the net has them.
#[derive(Clone, Debug)]
pub(super) struct BlockPlan {
    pub(super) convolution: Convolution,
    /// Windows of one value if the net has no pooling here.
    pub(super) pooling: Pooling,
    pub(super) norm: Option<NormPlan>,
    pub(super) dropout: Rate,
    pub(super) kernel: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) keeps_activations: bool,
}

#[derive(Clone, Debug)]
pub(super) struct NormPlan {
    pub(super) momentum: f32,
    pub(super) gamma: Range<usize>,
    pub(super) beta: Range<usize>,
    pub(super) mean: Range<usize>,
    pub(super) variance: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct DensePlan {
    pub(super) dense: Dense,
    pub(super) activation: Activation,
    pub(super) l2: f32,
    pub(super) dropout: Rate,
    pub(super) kernel: Range<usize>,
    pub(super) bias: Range<usize>,
}

type Layers<'a> = Peekable<Iter<'a, Layer>>;

impl Plan {
    /// Groups a net's layers for batches of at most `max_batch`; `None` if a layer is not
    /// supported.
    pub(super) fn new(net: &Net, max_batch: usize) -> Option<Self> {
        let mut end = 0;
        let ranges = net.parameters.iter().map(|parameter| {
            let first = end;
            end += parameter.len();
            first..end
        });
        let ranges = ranges.collect();
        let mut plan = Self { max_batch, blocks: vec![], dense: vec![], ranges };
        let mut layers = net.layers.iter().peekable();
        while let Some(layer) = layers.next() {
            if layer.input.contains(&0) || layer.output.contains(&0) {
                return None;
            }
            match layer.kind {
                Kind::Conv { filters, kernel } if plan.dense.is_empty() && !kernel.contains(&0) => {
                    let block = plan.block(layer, filters, kernel, &mut layers)?;
                    plan.blocks.push(block);
                }
                Kind::Dense { units, l2 } if layer.input[..2] == [1, 1] => {
                    let dense = plan.dense(layer, units, l2 as f32, &mut layers)?;
                    plan.dense.push(dense);
                }
                Kind::Flatten => {}
                _ => return None,
            }
        }
        let ends_in_logits = plan.dense.last()?.activation == Activation::Linear;
        (ends_in_logits && max_batch > 0).then_some(plan)
    }

    /// Returns the number of values of all parameters.
    pub(super) fn n_values(&self) -> usize {
        self.ranges.last().map_or(0, |range| range.end)
    }

    fn block(
        &self,
        layer: &Layer,
        filters: usize,
        kernel: [usize; 2],
        layers: &mut Layers<'_>,
    ) -> Option<BlockPlan> {
        layers.next_if(|next| next.kind == Kind::Relu)?;
        let norm = layers.next_if(|next| next.kind == Kind::BatchNorm).map(|norm| {
            let [gamma, beta, mean, variance] =
                [0, 1, 2, 3].map(|part| self.ranges[norm.first + part].clone());
            NormPlan { momentum: BATCH_NORM_MOMENTUM, gamma, beta, mean, variance }
        });
        let (size, stride) = match layers.peek().map(|next| &next.kind) {
            Some(&Kind::MaxPool { size, stride }) => {
                layers.next();
                (size, stride)
            }
            _ => ([1, 1], [1, 1]),
        };
        if !(1..=LARGEST_WINDOW).contains(&(size[0] * size[1])) {
            return None;
        }
        let [height, width, c_in] = layer.input;
        let [out_height, out_width, _] = layer.output;
        Some(BlockPlan {
            convolution: Convolution::new(ConvGeometry {
                n: 1,
                height,
                width,
                c_in,
                c_out: filters,
                kernel,
            }),
            pooling: Pooling::new(PoolGeometry {
                n: 1,
                height: out_height,
                width: out_width,
                channels: filters,
                size,
                stride,
            }),
            norm,
            dropout: next_dropout(layers),
            kernel: self.ranges[layer.first].clone(),
            bias: self.ranges[layer.first + 1].clone(),
            keeps_activations: kernel[0] * kernel[1] * c_in > WORTH_KEEPING,
        })
    }

    fn dense(
        &self,
        layer: &Layer,
        units: usize,
        l2: f32,
        layers: &mut Layers<'_>,
    ) -> Option<DensePlan> {
        let relu = layers.next_if(|next| next.kind == Kind::Relu);
        let activation = if relu.is_some() { Activation::Relu } else { Activation::Linear };
        let dropout = next_dropout(layers);
        // The backward pass finds dropped values among the zeros of ReLU.
        let is_known = activation == Activation::Relu || dropout.is_zero();
        is_known.then(|| DensePlan {
            dense: Dense::new(self.max_batch, layer.input[2], units),
            activation,
            l2,
            dropout,
            kernel: self.ranges[layer.first].clone(),
            bias: self.ranges[layer.first + 1].clone(),
        })
    }
}

/// Takes the next layer if it is a dropout; otherwise returns a rate of 0.
fn next_dropout(layers: &mut Layers<'_>) -> Rate {
    match layers.peek().map(|next| &next.kind) {
        Some(&Kind::Dropout { rate }) => {
            layers.next();
            dropout_rate(rate)
        }
        _ => Rate::default(),
    }
}
