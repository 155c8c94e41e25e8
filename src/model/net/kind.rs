//! The kinds of layers, and the arrays of their parameters.

use serde::Serialize;

use crate::kernels::geometry::ConvGeometry;

/// Height (time), width (coefficient) and channels; a flat row of `n` numbers is `[1, 1, n]`.
pub(super) type Shape = [usize; 3];

/// Steps of a convolution's windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Steps {
    /// Rows and columns between two windows.
    #[serde(skip_serializing_if = "is_one")]
    pub(super) stride: [usize; 2],
    /// Rows and columns between two values of a window.
    #[serde(skip_serializing_if = "is_one")]
    pub(super) dilation: [usize; 2],
    /// Whether the input is padded with zeros so that there are `ceil(input / stride)` windows
    /// ('same'). Otherwise the windows are wholly inside the input ('valid').
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) same: bool,
}

impl Default for Steps {
    fn default() -> Self {
        Self { stride: [1; 2], dilation: [1; 2], same: false }
    }
}

fn is_one(sides: &[usize; 2]) -> bool {
    *sides == [1; 2]
}

/// The constants of a normalization.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Norm {
    /// Constant added to a variance before taking its root.
    #[serde(skip_serializing_if = "is_kerass_epsilon")]
    pub(super) epsilon: f64,
    /// Fraction of the moving statistics that is kept at each step.
    #[serde(skip_serializing_if = "is_kerass_momentum")]
    pub(super) momentum: f64,
}

impl Default for Norm {
    /// Returns Keras's constants.
    fn default() -> Self {
        Self { epsilon: 1e-3, momentum: 0.99 }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn is_kerass_epsilon(epsilon: &f64) -> bool {
    *epsilon == Norm::default().epsilon
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
fn is_kerass_momentum(momentum: &f64) -> bool {
    *momentum == Norm::default().momentum
}

/// What becomes of each channel's values at all positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Summary {
    Mean,
    Max,
    /// The means, then the largest values.
    MeanMax,
    /// A weighted mean. The weights are softmax of a learned product with the position's channels.
    Attention,
}

/// The function of a layer, as in Keras. A layer reads what the layer before it gives, apart from
/// [`Kind::Branch`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Kind {
    /// Convolution plus a bias.
    Conv {
        filters: usize,
        kernel: [usize; 2],
        #[serde(flatten)]
        steps: Steps,
    },
    /// Convolution of each channel with a kernel of its own, plus a bias.
    DepthwiseConv {
        kernel: [usize; 2],
        #[serde(flatten)]
        steps: Steps,
    },
    /// `max(x, 0)`.
    Relu,
    /// `x P(X <= x)` of a standard normal X.
    Gelu,
    /// `x sigmoid(x)`.
    Silu,
    /// Standardizes each channel over batch and positions. The moving variance follows the batch's
    /// biased variance, as in Keras 3.
    BatchNorm(Norm),
    /// Standardizes each coefficient of each channel over batch and time, without a learned scale.
    /// Nothing is trained before it.
    BandNorm(Norm),
    /// Largest value of each window; padded to `ceil(input / stride)` ('same').
    MaxPool { size: [usize; 2], stride: [usize; 2] },
    /// Mean of the values of each window that are inside the input; padded as for the largest.
    AveragePool { size: [usize; 2], stride: [usize; 2] },
    /// In training, sets a fraction of the values to 0 and scales the others by `1 / (1 - rate)`.
    Dropout { rate: f64 },
    /// Makes channels of the coefficients: `[time, 1, coefficients * channels]`.
    Fold,
    /// Makes one row of all positions.
    Summarize { by: Summary },
    /// Gives what an earlier layer gives, or the net's input if there is no `from`.
    Branch { from: Option<usize> },
    /// Adds what an earlier layer gives, or the net's input if there is no `from`.
    Add { from: Option<usize> },
    /// Flattens the values into one row, ordered by time, coefficient, channel.
    Flatten,
    /// A matrix and a bias; `l2 * sum(kernel^2)` is added to the loss.
    Dense { units: usize, l2: f64 },
}

/// The initial values of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// Uniform in `[-limit, limit)` with `limit = sqrt(6 / (fan_in + fan_out))`.
    ///
    /// # Source
    /// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    /// networks", AISTATS 2010, equation 16.
    Glorot {
        /// Number of inputs of one output value.
        fan_in: usize,
        /// Number of outputs that one input value affects.
        fan_out: usize,
    },
}

/// One array of parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Parameter {
    /// The name in the saved file, e.g. `conv_1.kernel`.
    pub(super) name: String,
    /// Keras's layout: `[height, width, in, out]` or `[in, out]`.
    pub(super) shape: Vec<usize>,
    /// The initial values.
    pub(super) start: Start,
    /// Whether the optimizer updates it; the layer itself updates moving statistics.
    pub(super) trainable: bool,
    /// Weight of the squared values in the loss.
    pub(super) l2: f64,
    /// Whether the optimizer's weight decay is applied to it.
    pub(super) decays: bool,
}

impl Parameter {
    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns whether it is a kernel, not a bias, a scale or a statistic.
    pub(super) fn is_kernel(&self) -> bool {
        self.trainable && self.shape.len() > 1
    }
}

impl Kind {
    /// Creates a convolution of the windows that are wholly inside the input, each next to the last.
    #[cfg(test)]
    pub(super) fn conv(filters: usize, kernel: [usize; 2]) -> Self {
        Self::Conv { filters, kernel, steps: Steps::default() }
    }

    /// Returns the shape after this layer.
    ///
    /// # Errors
    /// If a kernel is larger than the input.
    pub(super) fn output(&self, [height, width, channels]: Shape) -> Result<Shape, String> {
        if let Some(geometry) = self.geometry([height, width, channels]) {
            if !geometry.fits() {
                let (span, [kh, kw]) = ([geometry.span(0), geometry.span(1)], geometry.kernel);
                let spanning = if span == [kh, kw] {
                    String::new()
                } else {
                    format!(" and spans {span:?} with its dilation")
                };
                return Err(format!(
                    "is [{kh}, {kw}]{spanning}, larger than the [{height}, {width}] that is left \
                     of the input here"
                ));
            }
            return Ok([geometry.out_height(), geometry.out_width(), geometry.c_out]);
        }
        Ok(match *self {
            Self::MaxPool { stride: [sh, sw], .. } | Self::AveragePool { stride: [sh, sw], .. } => {
                [height.div_ceil(sh), width.div_ceil(sw), channels]
            }
            Self::Fold => [height, 1, width * channels],
            Self::Summarize { by: Summary::MeanMax } => [1, 1, 2 * channels],
            Self::Summarize { .. } => [1, 1, channels],
            Self::Flatten => [1, 1, height * width * channels],
            Self::Dense { units, .. } => [1, 1, units],
            _ => [height, width, channels],
        })
    }

    /// Returns the shapes of a convolution.
    pub(super) fn geometry(&self, input: Shape) -> Option<ConvGeometry> {
        let (kernel, filters, steps) = match *self {
            Self::Conv { filters, kernel, steps } => (kernel, filters, steps),
            Self::DepthwiseConv { kernel, steps } => (kernel, input[2], steps),
            _ => return None,
        };
        let Steps { stride, dilation, same } = steps;
        let valid =
            ConvGeometry { stride, dilation, ..ConvGeometry::valid(input, filters, kernel) };
        let padding = |axis: usize| {
            let (before, after) = same_padding(input[axis], valid.span(axis), stride[axis]);
            [before, after]
        };
        Some(if same { ConvGeometry { padding: [padding(0), padding(1)], ..valid } } else { valid })
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::DepthwiseConv { .. } => "depthwise_conv",
            Self::Relu => "relu",
            Self::Gelu => "gelu",
            Self::Silu => "silu",
            Self::BatchNorm(_) => "batch_norm",
            Self::BandNorm(_) => "band_norm",
            Self::MaxPool { .. } => "max_pool",
            Self::AveragePool { .. } => "average_pool",
            Self::Fold => "fold",
            Self::Summarize { by: Summary::Attention } => "attention",
            Self::Summarize { .. } => "summarize",
            Self::Branch { .. } => "branch",
            Self::Add { .. } => "add",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Dense { .. } => "dense",
        }
    }

    /// Returns the arrays of this layer, which is the `number`-th of its kind.
    pub(super) fn parameters(&self, [_, width, channels]: Shape, number: usize) -> Vec<Parameter> {
        let make = |part: &str, shape: &[usize], start, trainable, l2| Parameter {
            name: format!("{}_{number}.{part}", self.name()),
            shape: shape.to_vec(),
            start,
            trainable,
            l2,
            decays: true,
        };
        match *self {
            Self::Conv { filters, kernel: [kh, kw], .. } => {
                let glorot =
                    Start::Glorot { fan_in: kh * kw * channels, fan_out: kh * kw * filters };
                vec![
                    make("kernel", &[kh, kw, channels, filters], glorot, true, 0.0),
                    make("bias", &[filters], Start::Zeros, true, 0.0),
                ]
            }
            Self::DepthwiseConv { kernel: [kh, kw], .. } => {
                let glorot = Start::Glorot { fan_in: kh * kw, fan_out: kh * kw };
                vec![
                    make("kernel", &[kh, kw, channels, 1], glorot, true, 0.0),
                    make("bias", &[channels], Start::Zeros, true, 0.0),
                ]
            }
            // All positions have the same share in the beginning.
            Self::Summarize { by: Summary::Attention } => {
                vec![make("kernel", &[channels, 1], Start::Zeros, true, 0.0)]
            }
            Self::BandNorm(_) => vec![
                make("moving_mean", &[width, channels], Start::Zeros, false, 0.0),
                make("moving_variance", &[width, channels], Start::Ones, false, 0.0),
            ],
            Self::Dense { units, l2 } => {
                let glorot = Start::Glorot { fan_in: channels, fan_out: units };
                vec![
                    make("kernel", &[channels, units], glorot, true, l2),
                    make("bias", &[units], Start::Zeros, true, 0.0),
                ]
            }
            Self::BatchNorm(_) => vec![
                make("gamma", &[channels], Start::Ones, true, 0.0),
                make("beta", &[channels], Start::Zeros, true, 0.0),
                make("moving_mean", &[channels], Start::Zeros, false, 0.0),
                make("moving_variance", &[channels], Start::Ones, false, 0.0),
            ],
            _ => vec![],
        }
    }
}

/// Returns the padding before and after one axis with which there are `ceil(input / stride)` windows.
///
/// # Source
/// TensorFlow's 'SAME': an odd element goes to the end.
pub(super) fn same_padding(input: usize, size: usize, stride: usize) -> (usize, usize) {
    let total = ((input.div_ceil(stride) - 1) * stride + size).saturating_sub(input);
    (total / 2, total - total / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_odd_one_at_the_end() {
        assert_eq!(same_padding(128, 3, 2), (0, 1));
        assert_eq!(same_padding(11, 3, 2), (1, 1));
        assert_eq!(same_padding(4, 2, 2), (0, 0));
        assert_eq!(same_padding(5, 2, 2), (0, 1));
        assert_eq!(same_padding(5, 1, 2), (0, 0));
        assert_eq!(same_padding(4, 2, 1), (0, 1));
    }
}
