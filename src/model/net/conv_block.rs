//! One block of `[model.cnn]`: convolution, activation, normalization, pooling, dropout.

use serde_json::json;

use super::layer::{Kind, Norm, Shape, Steps};
use crate::schema::{Fields, Flag, Int, List, Node, OneOf, Real, Rule, Value};

/// One block of a convolutional net. [`ConvBlock::new`] has the defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConvBlock {
    /// Whether the coefficients become channels before the block.
    pub fold: bool,
    /// Number of filters, at least 1; `None` gives every channel a kernel of its own.
    pub filters: Option<usize>,
    /// Height (frames) and width (coefficients) of the kernel, each at least 1.
    pub kernel: [usize; 2],
    /// Steps of the kernel, each at least 1.
    pub conv_stride: [usize; 2],
    /// Steps between the values that the kernel reads, each at least 1.
    pub dilation: [usize; 2],
    /// Whether the input is padded with zeros so that each value has a window.
    pub same_padding: bool,
    /// Number of convolutions in a row, at least 1, each with activation and normalization.
    pub convolutions: usize,
    /// Whether the block's input is added before the last activation.
    pub residual: bool,
    /// The function of each value.
    pub activation: Activation,
    /// Where each channel is normalized over batch and positions.
    pub batch_norm: BatchNorm,
    /// Constant added to a variance before taking its root, greater than 0.
    pub batch_norm_epsilon: f64,
    /// Fraction of the moving statistics that each step keeps, in [0, 1).
    pub batch_norm_momentum: f64,
    /// The pooling.
    pub pool: Option<Pool>,
    /// Fraction of the values that each training step drops, in [0, 1).
    pub dropout: f64,
}

/// Pooling by windows, 'same'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// Height and width of a window, each at least 1.
    pub size: [usize; 2],
    /// Steps between windows, each at least 1.
    pub stride: [usize; 2],
    /// Whether the mean of a window is taken, and not its largest value.
    pub is_mean: bool,
}

/// The function of each value of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x P(X <= x)` of a standard normal X.
    Gelu,
    /// `x sigmoid(x)`.
    Silu,
    /// `x`.
    None,
}

/// Whether a block normalizes, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchNorm {
    /// Not at all.
    No,
    /// Between convolution and activation.
    BeforeActivation,
    /// Between activation and pooling.
    AfterActivation,
}

const ACTIVATIONS: &[(&str, Activation)] = &[
    ("relu", Activation::Relu),
    ("gelu", Activation::Gelu),
    ("silu", Activation::Silu),
    ("none", Activation::None),
];

impl ConvBlock {
    /// Creates a convolution of the windows that are wholly inside the input, with ReLU and nothing
    /// else.
    #[must_use]
    pub fn new(filters: usize, kernel: [usize; 2]) -> Self {
        let Norm { epsilon, momentum } = Norm::default();
        Self {
            fold: false,
            filters: Some(filters),
            kernel,
            conv_stride: [1; 2],
            dilation: [1; 2],
            same_padding: false,
            convolutions: 1,
            residual: false,
            activation: Activation::Relu,
            batch_norm: BatchNorm::No,
            batch_norm_epsilon: epsilon,
            batch_norm_momentum: momentum,
            pool: None,
            dropout: 0.0,
        }
    }

    /// Appends the block's layers to a net whose last layer has the shape `input`.
    pub(super) fn append(&self, input: Shape, net: &mut Vec<Kind>) {
        if self.fold {
            net.push(Kind::Fold);
        }
        let start = net.len().checked_sub(1);
        let channels = if self.fold { input[1] * input[2] } else { input[2] };
        let [conv_stride, once] = [self.conv_stride, [1; 2]];
        for number in 1..=self.convolutions {
            let stride = if number == 1 { conv_stride } else { once };
            net.push(self.convolution(self.filters, self.kernel, stride, self.dilation));
            // The sum comes before the last activation.
            if !self.residual || number < self.convolutions {
                self.append_normalized(net);
            } else if self.batch_norm != BatchNorm::No {
                net.push(Kind::BatchNorm(self.norm()));
            }
        }
        if self.residual {
            let is_same = self.filters.is_none_or(|n| n == channels) && conv_stride == once;
            if is_same {
                net.push(Kind::Add { from: start });
            } else {
                let path = net.len().checked_sub(1);
                net.push(Kind::Branch { from: start });
                let filters = self.filters.unwrap_or(channels);
                net.push(self.convolution(Some(filters), once, conv_stride, once));
                if self.batch_norm != BatchNorm::No {
                    net.push(Kind::BatchNorm(self.norm()));
                }
                net.push(Kind::Add { from: path });
            }
            net.extend(self.activation());
        }
        net.extend(self.pool.map(|Pool { size, stride, is_mean }| {
            if is_mean {
                Kind::AveragePool { size, stride }
            } else {
                Kind::MaxPool { size, stride }
            }
        }));
        net.extend((self.dropout > 0.0).then_some(Kind::Dropout { rate: self.dropout }));
    }

    fn convolution(
        &self,
        filters: Option<usize>,
        kernel: [usize; 2],
        stride: [usize; 2],
        dilation: [usize; 2],
    ) -> Kind {
        let steps = Steps { stride, dilation, same: self.same_padding };
        match filters {
            Some(filters) => Kind::Conv { filters, kernel, steps },
            None => Kind::DepthwiseConv { kernel, steps },
        }
    }

    fn append_normalized(&self, net: &mut Vec<Kind>) {
        let norm = || Kind::BatchNorm(self.norm());
        net.extend((self.batch_norm == BatchNorm::BeforeActivation).then(norm));
        net.extend(self.activation());
        net.extend((self.batch_norm == BatchNorm::AfterActivation).then(norm));
    }

    fn activation(&self) -> Option<Kind> {
        match self.activation {
            Activation::Relu => Some(Kind::Relu),
            Activation::Gelu => Some(Kind::Gelu),
            Activation::Silu => Some(Kind::Silu),
            Activation::None => None,
        }
    }

    fn norm(&self) -> Norm {
        Norm { epsilon: self.batch_norm_epsilon, momentum: self.batch_norm_momentum }
    }

    /// Reads a block. Keys that the first specs did not have are kept only where they are given, so
    /// that those specs stay what they are.
    pub(super) fn read(fields: &mut Fields) -> Self {
        let sides = List::of_exactly(2, Int::within(1..=1024));
        let pair = |sides: Vec<usize>| [sides[0], sides[1]];
        let depthwise = fields.optional("depthwise", &Flag).unwrap_or(false);
        let filter_count = Int::within(1..=65_536);
        let filters = if depthwise {
            if fields.is_given("filters") {
                let said = "can't be there with depthwise = true: every channel has one kernel; leave it out";
                fields.fault_at("filters", said);
                fields.pass_over("filters");
            }
            None
        } else {
            Some(fields.required("filters", &filter_count))
        };
        let kernel = pair(fields.required("kernel", &sides));
        let optional_pair = |fields: &mut Fields, key: &str| {
            fields.optional(key, &sides).map_or([1; 2], |sides| [sides[0], sides[1]])
        };
        let conv_stride = optional_pair(fields, "conv_stride");
        let dilation = optional_pair(fields, "dilation");
        let padding = OneOf(&[("valid", false), ("same", true)]);
        let same_padding = fields.optional("padding", &padding).unwrap_or(false);
        let convolutions = fields.optional("convolutions", &Int::within(1..=100)).unwrap_or(1);
        let residual = fields.optional("residual", &Flag).unwrap_or(false);
        let activation = fields.optional("activation", &OneOf(ACTIVATIONS));
        let defaults = Self::new(1, [1, 1]);
        let epsilon = fields.optional("batch_norm_epsilon", &Real::positive());
        let momentum = fields.optional("batch_norm_momentum", &Real::from_to_below(0.0, 1.0));
        let block = Self {
            fold: fields.optional("fold", &Flag).unwrap_or(false),
            filters,
            kernel,
            conv_stride,
            dilation,
            same_padding,
            convolutions,
            residual,
            activation: activation.unwrap_or(Activation::Relu),
            pool: read_pool(fields),
            batch_norm: fields.with_default("batch_norm", &WhereNormalized, BatchNorm::No),
            batch_norm_epsilon: epsilon.unwrap_or(defaults.batch_norm_epsilon),
            batch_norm_momentum: momentum.unwrap_or(defaults.batch_norm_momentum),
            dropout: fields.with_default("dropout", &Real::from_to_below(0.0, 1.0), 0.0),
        };
        if residual && !same_padding && (kernel != [1; 2]) {
            let said = "needs padding = \"same\", so that the input can be added to what the \
                        convolution gives";
            fields.fault_at("residual", said);
            return Self { residual: false, ..block };
        }
        block
    }

    /// Returns a warning about steps of the pooling that nobody chose.
    pub(super) fn warning(&self, is_stride_given: bool) -> Option<String> {
        let Pool { size, stride, .. } = self.pool?;
        let skips = size != stride && !is_stride_given;
        skips.then(|| {
            format!(
                "pools windows of {size:?} in steps of {stride:?}, the default; give stride = {size:?} \
                 for windows next to each other, or stride = {stride:?} if that is wanted"
            )
        })
    }
}

fn read_pool(fields: &mut Fields) -> Option<Pool> {
    let sides = List::of_exactly(2, Int::within(1..=1024));
    let pair = |sides: Vec<usize>| [sides[0], sides[1]];
    let by = OneOf(&[("max", false), ("mean", true)]);
    if !fields.is_given("pool") {
        for key in ["stride", "pool_by"] {
            if fields.is_given(key) {
                let said =
                    "is for a block with a pool; conv_stride has the steps of the convolution";
                fields.fault_at(key, said);
                fields.pass_over(key);
            }
        }
        return None;
    }
    let size = fields.optional("pool", &sides).map(pair);
    let stride = pair(fields.with_default("stride", &sides, vec![2, 2]));
    let is_mean = fields.optional("pool_by", &by).unwrap_or(false);
    size.map(|size| Pool { size, stride, is_mean })
}

/// The rule for `batch_norm`.
struct WhereNormalized;

const BEFORE: &str = "before_activation";

impl Rule for WhereNormalized {
    type Made = BatchNorm;

    fn allowed(&self) -> String {
        format!("true (after the activation), false or \"{BEFORE}\"")
    }

    fn check(&self, node: &Node) -> Result<BatchNorm, Option<String>> {
        match &node.value {
            Value::Bool(true) => Ok(BatchNorm::AfterActivation),
            Value::Bool(false) => Ok(BatchNorm::No),
            Value::Text(text) if text == BEFORE => Ok(BatchNorm::BeforeActivation),
            Value::Text(text) if text == "after_activation" => Ok(BatchNorm::AfterActivation),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &BatchNorm) -> serde_json::Value {
        match made {
            BatchNorm::No => json!(false),
            BatchNorm::AfterActivation => json!(true),
            BatchNorm::BeforeActivation => json!(BEFORE),
        }
    }

    fn schema(&self) -> serde_json::Value {
        json!({ "enum": [true, false, BEFORE, "after_activation"] })
    }

    fn stand_in(&self) -> BatchNorm {
        BatchNorm::No
    }
}
