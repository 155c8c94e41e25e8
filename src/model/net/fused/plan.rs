//! The units that the kernels compute: those that read images, then dense layers.

use std::ops::Range;

use super::super::layer::{Norm, Summary};
use super::image::{Image, Slot};
use crate::kernels::activation::Function;
use crate::kernels::convolution::Convolution;
use crate::kernels::dense::Dense;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::dropout::Rate;
use crate::kernels::pooling::Pooling;
use crate::kernels::product::Activation;

/// The units of a net, and the place of each of its parameters in
/// [`Arrays`](super::arrays::Arrays).
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) max_batch: usize,
    /// One example of a batch.
    pub(super) input: Image,
    pub(super) units: Vec<Unit>,
    pub(super) dense: Vec<DensePlan>,
    /// In the order of [`Net::parameters`].
    pub(super) slots: Vec<Slot>,
}

/// One unit: what it computes, what it reads, what it gives.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) work: Work,
    pub(super) source: Source,
    /// What is added to the source, by [`Work::Add`].
    pub(super) other: Option<Source>,
    /// What it gives, with the zeros around it that the units which read it need.
    pub(super) image: Image,
}

/// What a unit reads, and what becomes of the gradient that it gives back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    /// The unit; `None` is the batch.
    pub(super) unit: Option<usize>,
    /// Whether the gradient is wanted: there is something trained before.
    pub(super) wants_gradient: bool,
    /// Whether the gradient is added to what later units gave; otherwise it is the first.
    pub(super) adds: bool,
}

impl Source {
    /// A unit, or the batch; [`Plan::connect`] decides on the rest.
    pub(super) fn of(unit: Option<usize>) -> Self {
        Self { unit, wants_gradient: false, adds: false }
    }
}

/// What a unit computes.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// A copy of the batch, with zeros around the images or with normalized bands.
    Input(Option<NormPlan>),
    Block(Box<BlockPlan>),
    Depthwise {
        of: Depthwise,
        kernel: Range<usize>,
        bias: Range<usize>,
    },
    Norm(NormPlan),
    Function(Function),
    MaxPool(Pooling),
    MeanPool(Pooling),
    Dropout {
        rate: Rate,
        key: usize,
    },
    Add,
    Fold,
    Summary {
        by: Summary,
        kernel: Range<usize>,
    },
}

/// Convolution, then ReLU, batch normalization, ReLU, pooling and dropout if the net has them.
#[derive(Clone, Debug)]
pub(super) struct BlockPlan {
    pub(super) convolution: Convolution,
    /// What comes right after the convolution.
    pub(super) activation: Activation,
    pub(super) norm: Option<NormPlan>,
    /// Whether ReLU comes after the normalization.
    pub(super) relu_after: bool,
    /// Windows of one value if the net has no pooling here.
    pub(super) pooling: Pooling,
    pub(super) dropout: Rate,
    pub(super) dropout_key: usize,
    pub(super) kernel: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) keeps_activations: bool,
}

#[derive(Clone, Debug)]
pub(super) struct NormPlan {
    pub(super) constants: Norm,
    /// Gamma and beta; none if there is no learned scale.
    pub(super) learned: Option<[Range<usize>; 2]>,
    pub(super) mean: Range<usize>,
    pub(super) variance: Range<usize>,
    /// Number of rows of one example that are normalized together.
    pub(super) n_rows: usize,
}

#[derive(Clone, Debug)]
pub(super) struct DensePlan {
    pub(super) dense: Dense,
    pub(super) activation: Activation,
    pub(super) l2: f32,
    pub(super) dropout: Rate,
    pub(super) dropout_key: usize,
    pub(super) kernel: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) bias_decays: bool,
}

impl Plan {
    /// Returns the number of values of all parameters, as they are stored.
    pub(super) fn n_values(&self) -> usize {
        self.slots.last().map_or(0, |slot| slot.range.end)
    }

    /// Returns the image that the dense layers read.
    pub(super) fn last_image(&self) -> &Image {
        self.units.last().map_or(&self.input, |unit| &unit.image)
    }

    /// Returns the image that a unit reads.
    pub(super) fn image(&self, source: Source) -> &Image {
        source.unit.map_or(&self.input, |unit| &self.units[unit].image)
    }

    /// Puts the zeros around images that convolutions read there, and decides which gradients are
    /// added up.
    pub(super) fn connect(&mut self) {
        let mut is_given = vec![false; self.units.len()];
        // What the last unit gives is read by the dense layers first.
        is_given.iter_mut().last().into_iter().for_each(|last| *last = true);
        for index in (0..self.units.len()).rev() {
            let unit = &mut self.units[index];
            let frame = unit.work.frame();
            for source in [Some(&mut unit.source), unit.other.as_mut()].into_iter().flatten() {
                if let Some(read) = source.unit {
                    source.adds = std::mem::replace(&mut is_given[read], true);
                }
            }
            if let Some(read) = unit.source.unit {
                let held = &mut self.units[read].image.frame;
                *held = [0, 1].map(|end| held[end].max(frame[end]));
            }
        }
        for index in 0..self.units.len() {
            let is_trained = |source: Source| {
                let unit = source.unit.map(|unit| &self.units[unit].work);
                unit.is_some_and(|work| !matches!(work, Work::Input(_)))
            };
            let Unit { source, other, .. } = &self.units[index];
            let wanted = (is_trained(*source), other.is_some_and(is_trained));
            let unit = &mut self.units[index];
            unit.source.wants_gradient = wanted.0;
            unit.other.iter_mut().for_each(|other| other.wants_gradient = wanted.1);
        }
    }
}

impl Work {
    /// Returns the zeros that the unit reads before and after an image.
    fn frame(&self) -> [usize; 2] {
        match self {
            Self::Block(block) => block.convolution.frame(),
            _ => [0; 2],
        }
    }

    /// Returns the normalization whose statistics are of the whole batch.
    pub(super) fn norm(&self) -> Option<&NormPlan> {
        match self {
            Self::Input(norm) => norm.as_ref(),
            Self::Block(block) => block.norm.as_ref(),
            Self::Norm(norm) => Some(norm),
            _ => None,
        }
    }

    /// Returns the parameters whose gradients are summed over the examples.
    pub(super) fn summed(&self) -> Vec<Range<usize>> {
        match self {
            Self::Block(block) => vec![block.kernel.clone(), block.bias.clone()],
            Self::Depthwise { kernel, bias, .. } => vec![kernel.clone(), bias.clone()],
            Self::Summary { by: Summary::Attention, kernel } => vec![kernel.clone()],
            _ => vec![],
        }
    }
}
