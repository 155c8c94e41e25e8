//! What a net consists of.

use std::fmt;

use crate::kernels::dropout::Rate;
use crate::kernels::product::Activation;

/// One layer, or block of layers, of a net.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// A convolutional block; all of them come first.
    Conv(ConvBlock),
    /// A dense layer, on the flattened image if it is the first.
    Dense(DenseLayer),
}

/// Convolution ('valid', stride 1) + ReLU, then batch normalisation, max-pooling ('same') and dropout, each if asked.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvBlock {
    /// Channels of the result.
    pub filters: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Batch normalisation.
    pub batch_norm: Option<BatchNorm>,
    /// Max-pooling.
    pub pool: Option<Pool>,
    /// Dropout; `Rate::default()` drops nothing.
    pub dropout: Rate,
}

/// Constants of a batch normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub epsilon: f32,
    /// What running statistics keep at a step, in [0, 1].
    pub momentum: f32,
}

/// Keras's: epsilon 1e-3, momentum 0.99.
impl Default for BatchNorm {
    fn default() -> Self {
        Self { epsilon: 1e-3, momentum: 0.99 }
    }
}

/// A max-pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Height and width of a window.
    pub size: [usize; 2],
    /// Steps between windows.
    pub stride: [usize; 2],
}

/// A dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct DenseLayer {
    /// Outputs.
    pub units: usize,
    /// ReLU, or none for the last layer, whose outputs are logits.
    pub activation: Activation,
    /// The loss gains `l2 * sum(kernel^2)`.
    pub l2: f32,
    /// Dropout behind the activation (behind ReLU only).
    pub dropout: Rate,
}

/// Why layers make no net.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// There must be a last dense layer without activation: its outputs are the logits.
    NoLogits,
    /// A convolutional block stands behind a dense layer.
    ConvBehindDense {
        /// Which layer, from 0.
        layer: usize,
    },
    /// A count, size or stride is 0, or a pooling window has more than 255 values.
    BadSize {
        /// Which layer, from 0.
        layer: usize,
    },
    /// A kernel is larger than the image that reaches it.
    KernelTooLarge {
        /// Which layer, from 0.
        layer: usize,
        /// Height and width of the image.
        image: [usize; 2],
    },
    /// Dropout behind a layer without ReLU, whose zeros would not tell what was dropped.
    DropoutWithoutRelu {
        /// Which layer, from 0.
        layer: usize,
    },
    /// The input's shape or the batch is empty.
    NoInput,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoLogits => write!(f, "the last layer must be dense without activation"),
            Self::ConvBehindDense { layer } => {
                write!(f, "layer {layer}: a convolution cannot follow a dense layer")
            }
            Self::BadSize { layer } => write!(
                f,
                "layer {layer}: sizes and strides must be at least 1, pooling windows at most 255 values"
            ),
            Self::KernelTooLarge { layer, image: [height, width] } => {
                write!(
                    f,
                    "layer {layer}: the kernel must fit the {height} x {width} image that reaches it"
                )
            }
            Self::DropoutWithoutRelu { layer } => {
                write!(f, "layer {layer}: dropout must follow a ReLU")
            }
            Self::NoInput => write!(f, "input shape and batch size must be at least 1"),
        }
    }
}

impl std::error::Error for PlanError {}
