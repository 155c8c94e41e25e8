//! The layers of a net: their shapes and the arrays of their parameters.
//!
//! A [`Net`] is a plain list of layers with compatible shapes. It contains no values and no
//! arithmetic: an [`Engine`](super::engine::Engine) computes it.

use serde::Serialize;

use crate::kernels::loss::Loss;

/// Height (time), width (coefficient) and channels; a flat row of `n` numbers is `[1, 1, n]`.
pub(super) type Shape = [usize; 3];

/// Constant added to a variance before taking its root (Keras's default).
pub(super) const BATCH_NORM_EPSILON: f64 = 1e-3;
/// Fraction of the moving statistics that is kept at each step (Keras's default).
pub(super) const BATCH_NORM_MOMENTUM: f32 = 0.99;

/// The function of a layer, as in Keras.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Kind {
    /// Convolution of the windows that are wholly inside the input ('valid'), stride 1, plus a
    /// bias.
    Conv { filters: usize, kernel: [usize; 2] },
    /// `max(x, 0)`.
    Relu,
    /// Standardizes each channel over batch and positions. The moving variance follows the batch's
    /// biased variance, as in Keras 3.
    BatchNorm,
    /// Largest value of each window; padded to `ceil(input / stride)` ('same').
    MaxPool { size: [usize; 2], stride: [usize; 2] },
    /// In training, sets a fraction of the values to 0 and scales the others by `1 / (1 - rate)`.
    Dropout { rate: f64 },
    /// Flattens the values into one row, ordered by time, coefficient, channel.
    Flatten,
    /// A matrix and a bias; `l2 * sum(kernel^2)` is added to the loss.
    Dense { units: usize, l2: f64 },
}

/// A layer at its position in a net.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Layer {
    #[serde(flatten)]
    pub(super) kind: Kind,
    /// Shape of one example before the layer.
    pub(super) input: Shape,
    /// Shape of one example after the layer.
    pub(super) output: Shape,
    /// Index of this layer's first array in [`Net::parameters`].
    #[serde(skip)]
    pub(super) first: usize,
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
}

/// Layers with compatible shapes.
#[derive(Debug, Clone)]
pub(super) struct Net {
    pub(super) layers: Vec<Layer>,
    pub(super) parameters: Vec<Parameter>,
    /// The loss of the last layer's numbers.
    pub(super) loss: Loss,
}

impl Net {
    /// Connects layers in sequence. The net tells classes until its loss is changed.
    ///
    /// # Errors
    /// If a kernel is larger than its input.
    pub(super) fn new(input: Shape, kinds: &[Kind]) -> Result<Self, String> {
        let mut net = Self { layers: vec![], parameters: vec![], loss: Loss::default() };
        let mut shape = input;
        for kind in kinds {
            let output = kind.output(shape)?;
            let first = net.parameters.len();
            let number =
                1 + net.layers.iter().filter(|layer| layer.kind.name() == kind.name()).count();
            net.parameters.extend(kind.parameters(shape, number));
            net.layers.push(Layer { kind: kind.clone(), input: shape, output, first });
            shape = output;
        }
        Ok(net)
    }

    /// Returns how many numbers one example must have.
    pub(super) fn width(&self) -> usize {
        self.layers.first().map_or(0, |layer| layer.input.iter().product())
    }

    /// Returns the number of outputs: the units of the last layer.
    pub(super) fn n_outputs(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.output.iter().product())
    }

    /// Returns the number of parameters, moving statistics included, as Keras counts them.
    pub(super) fn n_parameters(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// Returns the contribution of the penalties to the loss: the sum of `l2 * sum(w^2)` over the
    /// parameters.
    pub(super) fn penalty<'a>(&self, values: impl Iterator<Item = &'a [f32]>) -> f64 {
        let penalized = self.parameters.iter().zip(values).filter(|(p, _)| p.l2 > 0.0);
        let square = |w: &f32| f64::from(*w).powi(2);
        penalized.map(|(p, values)| p.l2 * values.iter().map(square).sum::<f64>()).sum()
    }
}

impl Parameter {
    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Kind {
    /// Returns the shape after this layer.
    ///
    /// # Errors
    /// If a kernel is larger than the input.
    pub(super) fn output(&self, [height, width, channels]: Shape) -> Result<Shape, String> {
        Ok(match *self {
            Self::Conv { filters, kernel: [kh, kw] } => {
                if kh > height || kw > width {
                    return Err(format!(
                        "is [{kh}, {kw}], larger than the [{height}, {width}] that is left of \
                         the input here"
                    ));
                }
                [height - kh + 1, width - kw + 1, filters]
            }
            Self::MaxPool { stride: [sh, sw], .. } => {
                [height.div_ceil(sh), width.div_ceil(sw), channels]
            }
            Self::Flatten => [1, 1, height * width * channels],
            Self::Dense { units, .. } => [1, 1, units],
            Self::Relu | Self::BatchNorm | Self::Dropout { .. } => [height, width, channels],
        })
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "conv",
            Self::Relu => "relu",
            Self::BatchNorm => "batch_norm",
            Self::MaxPool { .. } => "max_pool",
            Self::Dropout { .. } => "dropout",
            Self::Flatten => "flatten",
            Self::Dense { .. } => "dense",
        }
    }

    /// Returns the arrays of this layer, which is the `number`-th of its kind.
    fn parameters(&self, [_, _, channels]: Shape, number: usize) -> Vec<Parameter> {
        let make = |part: &str, shape: &[usize], start, trainable, l2| Parameter {
            name: format!("{}_{number}.{part}", self.name()),
            shape: shape.to_vec(),
            start,
            trainable,
            l2,
        };
        match *self {
            Self::Conv { filters, kernel: [kh, kw] } => {
                let glorot =
                    Start::Glorot { fan_in: kh * kw * channels, fan_out: kh * kw * filters };
                vec![
                    make("kernel", &[kh, kw, channels, filters], glorot, true, 0.0),
                    make("bias", &[filters], Start::Zeros, true, 0.0),
                ]
            }
            Self::Dense { units, l2 } => {
                let glorot = Start::Glorot { fan_in: channels, fan_out: units };
                vec![
                    make("kernel", &[channels, units], glorot, true, l2),
                    make("bias", &[units], Start::Zeros, true, 0.0),
                ]
            }
            Self::BatchNorm => vec![
                make("gamma", &[channels], Start::Ones, true, 0.0),
                make("beta", &[channels], Start::Zeros, true, 0.0),
                make("moving_mean", &[channels], Start::Zeros, false, 0.0),
                make("moving_variance", &[channels], Start::Ones, false, 0.0),
            ],
            Self::Relu | Self::MaxPool { .. } | Self::Dropout { .. } | Self::Flatten => vec![],
        }
    }
}

/// Returns the padding before and after one axis with which a pool gives `ceil(input / stride)`
/// windows.
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

    #[test]
    fn layers_are_named_and_numbered_by_kind() {
        let kinds = [
            Kind::Conv { filters: 2, kernel: [3, 3] },
            Kind::BatchNorm,
            Kind::MaxPool { size: [2, 2], stride: [2, 2] },
            Kind::Flatten,
            Kind::Dense { units: 3, l2: 0.0 },
            Kind::Dense { units: 2, l2: 0.0 },
        ];
        let net = Net::new([6, 5, 1], &kinds).unwrap();
        let names: Vec<&str> = net.parameters.iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names[..3], ["conv_1.kernel", "conv_1.bias", "batch_norm_1.gamma"]);
        assert_eq!(
            names[6..],
            ["dense_1.kernel", "dense_1.bias", "dense_2.kernel", "dense_2.bias"]
        );
        let outputs: Vec<Shape> = net.layers.iter().map(|layer| layer.output).collect();
        assert_eq!(outputs, [[4, 3, 2], [4, 3, 2], [2, 2, 2], [1, 1, 8], [1, 1, 3], [1, 1, 2]]);
        assert_eq!(net.n_parameters(), 20 + 8 + 27 + 8);
    }
}
