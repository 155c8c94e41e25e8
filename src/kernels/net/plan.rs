//! Layers checked and laid out: shapes, windows, and where every parameter lies.

use std::ops::Range;

use crate::kernels::convolution::Convolution;
use crate::kernels::dense::Dense;
use crate::kernels::dropout::Rate;
use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::net::layer::{BatchNorm, ConvBlock, DenseLayer, Layer, PlanError, Pool};
use crate::kernels::pooling::Pooling;
use crate::kernels::product::Activation;

/// Products of one value above which a convolution's results are kept for the backward pass: below, computing them
/// again is quicker than to write and read them.
const WORTH_KEEPING: usize = 48;

/// A checked net: its only constructor is [`Plan::new`].
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) input_len: usize,
    pub(super) row_len: usize,
    pub(super) max_batch: usize,
    pub(super) blocks: Vec<BlockPlan>,
    pub(super) dense: Vec<DensePlan>,
    pub(super) tensors: Vec<Tensor>,
}

/// A parameter's name, shape and place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Such as `conv_1.kernel`.
    pub name: String,
    /// As Keras stores it.
    pub shape: Vec<usize>,
    /// Whether the optimizer moves it (moving statistics are not moved).
    pub trainable: bool,
    /// How its values begin.
    pub start: Start,
    pub(super) range: Range<usize>,
}

/// How a parameter's values begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform in +-sqrt(6 / (fan_in + fan_out)).
    ///
    /// # Source
    /// Glorot and Bengio, 2010, equation 16.
    Glorot {
        /// Inputs of one output.
        fan_in: usize,
        /// Outputs of one input.
        fan_out: usize,
    },
}

#[derive(Clone, Debug)]
pub(super) struct BlockPlan {
    pub convolution: Convolution,
    pub pooling: Pooling,
    pub norm: Option<NormPlan>,
    pub dropout: Rate,
    pub kernel: Range<usize>,
    pub bias: Range<usize>,
    pub keeps_activations: bool,
}

#[derive(Clone, Debug)]
pub(super) struct NormPlan {
    pub constants: BatchNorm,
    pub gamma: Range<usize>,
    pub beta: Range<usize>,
    pub mean: Range<usize>,
    pub variance: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct DensePlan {
    pub dense: Dense,
    pub layer: DenseLayer,
    pub kernel: Range<usize>,
    pub bias: Range<usize>,
}

impl Plan {
    /// Checks layers on images of shape `[height, width, channels]` in batches of at most `max_batch`.
    ///
    /// # Errors
    /// When the layers do not fit each other: [`PlanError`].
    pub fn new(layers: &[Layer], input: [usize; 3], max_batch: usize) -> Result<Self, PlanError> {
        if input.contains(&0) || max_batch == 0 {
            return Err(PlanError::NoInput);
        }
        let mut plan = Self {
            input_len: input.iter().product(),
            row_len: input[1] * input[2],
            max_batch,
            blocks: Vec::new(),
            dense: Vec::new(),
            tensors: Vec::new(),
        };
        let mut shape = input;
        for (index, layer) in layers.iter().enumerate() {
            match layer {
                Layer::Conv(_) if !plan.dense.is_empty() => {
                    return Err(PlanError::ConvBehindDense { layer: index });
                }
                Layer::Conv(block) => shape = plan.add_block(index, block, shape)?,
                Layer::Dense(layer) => {
                    let n_in =
                        plan.dense.last().map_or(shape.iter().product(), |d| d.dense.n_out());
                    plan.add_dense(index, layer, n_in)?;
                }
            }
        }
        match plan.dense.last() {
            Some(last) if last.layer.activation == Activation::Linear => Ok(plan),
            _ => Err(PlanError::NoLogits),
        }
    }

    /// The parameters, in the layers' order.
    #[must_use]
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Values of one example.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.input_len
    }

    /// Classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.dense.last().map_or(0, |last| last.dense.n_out())
    }

    /// Multiplications of one example's forward pass, in each block and dense layer.
    #[must_use]
    pub fn n_products(&self) -> Vec<usize> {
        let blocks = self.blocks.iter().map(|block| block.convolution.geometry().n_products());
        blocks.chain(self.dense.iter().map(|d| d.dense.n_in() * d.dense.n_out())).collect()
    }

    /// Whether a dense layer has it; blocks come first.
    pub(super) fn is_dense(&self, tensor: &Tensor) -> bool {
        self.dense.first().is_some_and(|first| tensor.range.start >= first.kernel.start)
    }

    pub(super) fn n_values(&self) -> usize {
        self.tensors.last().map_or(0, |tensor| tensor.range.end)
    }

    fn add_block(
        &mut self,
        layer: usize,
        block: &ConvBlock,
        [height, width, c_in]: [usize; 3],
    ) -> Result<[usize; 3], PlanError> {
        let pool = block.pool.unwrap_or(Pool { size: [1, 1], stride: [1, 1] });
        let sizes = [block.kernel, pool.size, pool.stride];
        if block.filters == 0
            || sizes.as_flattened().contains(&0)
            || pool.size[0] * pool.size[1] > 255
        {
            return Err(PlanError::BadSize { layer });
        }
        let [kh, kw] = block.kernel;
        if kh > height || kw > width {
            return Err(PlanError::KernelTooLarge { layer, image: [height, width] });
        }
        let c_out = block.filters;
        let convolution = Convolution::new(ConvGeometry {
            n: 1,
            height,
            width,
            c_in,
            c_out,
            kernel: block.kernel,
        });
        let conv = *convolution.geometry();
        let pooling = Pooling::new(PoolGeometry {
            n: 1,
            height: conv.out_height(),
            width: conv.out_width(),
            channels: c_out,
            size: pool.size,
            stride: pool.stride,
        });
        let number = self.blocks.len() + 1;
        let glorot = Start::Glorot { fan_in: kh * kw * c_in, fan_out: kh * kw * c_out };
        let kernel =
            self.add(format!("conv_{number}.kernel"), vec![kh, kw, c_in, c_out], glorot, true);
        let bias = self.add(format!("conv_{number}.bias"), vec![c_out], Start::Zeros, true);
        let norm = block.batch_norm.map(|constants| {
            let mut add = |part: &str, start, trainable| {
                self.add(format!("batch_norm_{number}.{part}"), vec![c_out], start, trainable)
            };
            NormPlan {
                constants,
                gamma: add("gamma", Start::Ones, true),
                beta: add("beta", Start::Zeros, true),
                mean: add("moving_mean", Start::Zeros, false),
                variance: add("moving_variance", Start::Ones, false),
            }
        });
        let result = [pooling.geometry().out_height(), pooling.geometry().out_width(), c_out];
        let keeps_activations = kh * kw * c_in > WORTH_KEEPING;
        let dropout = block.dropout;
        self.blocks.push(BlockPlan {
            convolution,
            pooling,
            norm,
            dropout,
            kernel,
            bias,
            keeps_activations,
        });
        Ok(result)
    }

    fn add_dense(
        &mut self,
        index: usize,
        layer: &DenseLayer,
        n_in: usize,
    ) -> Result<(), PlanError> {
        if layer.units == 0 {
            return Err(PlanError::BadSize { layer: index });
        }
        if layer.activation == Activation::Linear && !layer.dropout.is_zero() {
            return Err(PlanError::DropoutWithoutRelu { layer: index });
        }
        let (number, units) = (self.dense.len() + 1, layer.units);
        let glorot = Start::Glorot { fan_in: n_in, fan_out: units };
        let kernel = self.add(format!("dense_{number}.kernel"), vec![n_in, units], glorot, true);
        let bias = self.add(format!("dense_{number}.bias"), vec![units], Start::Zeros, true);
        let dense = Dense::new(self.max_batch, n_in, units);
        self.dense.push(DensePlan { dense, layer: layer.clone(), kernel, bias });
        Ok(())
    }

    fn add(
        &mut self,
        name: String,
        shape: Vec<usize>,
        start: Start,
        trainable: bool,
    ) -> Range<usize> {
        let first = self.n_values();
        let range = first..first + shape.iter().product::<usize>();
        self.tensors.push(Tensor { name, shape, trainable, start, range: range.clone() });
        range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(units: usize, activation: Activation) -> Layer {
        Layer::Dense(DenseLayer { units, activation, l2: 0.0, dropout: Rate::default() })
    }

    fn conv(filters: usize, kernel: [usize; 2], pool: usize) -> Layer {
        let pool = Some(Pool { size: [pool; 2], stride: [2, 2] });
        let batch_norm = Some(BatchNorm::default());
        Layer::Conv(ConvBlock { filters, kernel, batch_norm, pool, dropout: Rate::default() })
    }

    #[test]
    fn the_reports_cnn_2_has_its_parameters() {
        let layers = [
            conv(32, [3, 3], 3),
            conv(64, [3, 3], 3),
            conv(64, [2, 2], 2),
            dense(128, Activation::Relu),
            dense(10, Activation::Linear),
        ];
        let plan = Plan::new(&layers, [130, 13, 1], 64).unwrap();
        assert_eq!(plan.n_values(), 160_202);
        let trainable: usize =
            plan.tensors().iter().filter(|t| t.trainable).map(|t| t.range.len()).sum();
        assert_eq!(trainable, 159_882);
        assert_eq!(plan.dense[0].dense.n_in(), 960);
        assert_eq!(plan.tensors()[6].name, "conv_2.kernel");
        assert_eq!(plan.tensors()[6].shape, [3, 3, 32, 64]);
    }

    #[test]
    fn misfits_are_named() {
        let error = |layers: &[Layer]| Plan::new(layers, [4, 3, 1], 2).unwrap_err();
        let last = dense(2, Activation::Linear);
        assert_eq!(error(&[]), PlanError::NoLogits);
        assert_eq!(error(&[dense(2, Activation::Relu)]), PlanError::NoLogits);
        assert_eq!(
            error(&[last.clone(), conv(1, [1, 1], 1)]),
            PlanError::ConvBehindDense { layer: 1 }
        );
        assert_eq!(error(&[conv(1, [1, 1], 16), last.clone()]), PlanError::BadSize { layer: 0 });
        let too_large = PlanError::KernelTooLarge { layer: 1, image: [2, 1] };
        assert_eq!(error(&[conv(1, [2, 2], 1), conv(1, [1, 2], 1), last]), too_large);
        assert_eq!(
            too_large.to_string(),
            "layer 1: the kernel must fit the 2 x 1 image that reaches it"
        );
    }
}
