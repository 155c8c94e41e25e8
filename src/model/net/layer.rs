//! The layers of a net: their shapes and the arrays of their parameters.
//!
//! A [`Net`] is a plain list of layers with compatible shapes. Each reads what the layer before it
//! gives; shortcuts name an earlier layer. A net contains no values and no arithmetic: an
//! [`Engine`](super::engine::Engine) computes it.

use serde::Serialize;

pub(super) use super::kind::{Kind, Norm, Parameter, Shape, Start, Steps, Summary, same_padding};
use crate::kernels::loss::Loss;

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
    /// If a kernel is larger than its input, or two shapes that are added differ.
    pub(super) fn new(input: Shape, kinds: &[Kind]) -> Result<Self, String> {
        let mut net = Self { layers: vec![], parameters: vec![], loss: Loss::default() };
        for kind in kinds {
            let shape_of = |from: Option<usize>| from.map_or(input, |at| net.layers[at].output);
            let before = match *kind {
                Kind::Branch { from } => shape_of(from),
                _ => shape_of(net.layers.len().checked_sub(1)),
            };
            if let Kind::Add { from } = *kind
                && shape_of(from) != before
            {
                let (shortcut, path) = (shape_of(from), before);
                return Err(format!("adds the shape {shortcut:?} to the shape {path:?}"));
            }
            let output = kind.output(before)?;
            let first = net.parameters.len();
            let number =
                1 + net.layers.iter().filter(|layer| layer.kind.name() == kind.name()).count();
            net.parameters.extend(kind.parameters(before, number));
            net.layers.push(Layer { kind: kind.clone(), input: before, output, first });
        }
        Ok(net)
    }

    /// Leaves biases, scales and shifts out of weight decay.
    pub(super) fn decay_only_kernels(&mut self) {
        self.parameters.iter_mut().for_each(|parameter| parameter.decays = parameter.is_kernel());
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

    /// Returns the momentum of the moving statistics that begin at a parameter.
    pub(super) fn momentum(&self, parameter: usize) -> f64 {
        let owner = self.layers.iter().rfind(|layer| layer.first <= parameter);
        match owner.map(|layer| &layer.kind) {
            Some(Kind::BatchNorm(norm) | Kind::BandNorm(norm)) => norm.momentum,
            _ => Norm::default().momentum,
        }
    }

    /// Returns the key of each layer's draws if it is a dropout: the number of the last layer with a
    /// kernel before it, from 0. Further dropouts after the same kernel have keys of their own.
    pub(super) fn dropout_units(&self) -> Vec<usize> {
        let (mut n_kernels, mut n_since) = (0_usize, 0_usize);
        let mut unit = |layer: &Layer| {
            match layer.kind {
                Kind::Conv { .. } | Kind::DepthwiseConv { .. } | Kind::Dense { .. } => {
                    (n_kernels, n_since) = (n_kernels + 1, 0);
                }
                Kind::Dropout { .. } => n_since += 1,
                _ => {}
            }
            n_kernels.saturating_sub(1) + (1 << 20) * n_since.saturating_sub(1)
        };
        self.layers.iter().map(&mut unit).collect()
    }

    /// Returns the contribution of the penalties to the loss: the sum of `l2 * sum(w^2)` over the
    /// parameters.
    pub(super) fn penalty<'a>(&self, values: impl Iterator<Item = &'a [f32]>) -> f64 {
        let penalized = self.parameters.iter().zip(values).filter(|(p, _)| p.l2 > 0.0);
        let square = |w: &f32| f64::from(*w).powi(2);
        penalized.map(|(p, values)| p.l2 * values.iter().map(square).sum::<f64>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_and_numbered_by_kind() {
        let kinds = [
            Kind::conv(2, [3, 3]),
            Kind::BatchNorm(Norm::default()),
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
