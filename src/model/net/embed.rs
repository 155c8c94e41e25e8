//! The output of a layer inside a net: what the net knows of an example before it decides.
//!
//! It is computed by the reference engine, from the layers up to that one.

use super::burn;
use super::layer::{Kind, Layer, Net};
use super::views::Views;
use super::weights::Weights;
use crate::model::{Device, Examples, HiddenLayer, ModelError};

/// The layers of a net, named by their kind and numbered within it, as their arrays are: `dense_2`.
pub(super) fn layers(net: &Net) -> Vec<HiddenLayer> {
    let name = |index: usize| {
        let name = net.layers[index].kind.name();
        let number = net.layers[..=index].iter().filter(|it| it.kind.name() == name).count();
        format!("{name}_{number}")
    };
    let last_dense = net.layers.iter().rposition(|it| matches!(it.kind, Kind::Dense { .. }));
    let decides = last_dense.unwrap_or(net.layers.len());
    // Dropout does nothing in a trained net.
    let is_hidden = |layer: &Layer| !matches!(layer.kind, Kind::Dropout { .. });
    let default = net.layers[..decides].iter().rposition(is_hidden);
    let layer = |(index, layer): (usize, &Layer)| HiddenLayer {
        name: name(index),
        width: layer.output.iter().product(),
        is_default: Some(index) == default,
    };
    net.layers.iter().enumerate().map(layer).collect()
}

/// Computes the output of a layer, `[examples, width]`: flattened by time, coefficient, channel. Of an
/// example that is seen in windows, it is their mean.
pub(super) fn embed(
    net: &Net,
    weights: &Weights,
    views: &Views<'_>,
    examples: &Examples,
    layer: &str,
) -> Result<Vec<f32>, ModelError> {
    let known = layers(net);
    let index = known.iter().position(|it| it.name == layer);
    let index = index.ok_or_else(|| ModelError::unknown_layer(layer, &known))?;
    let mut net = net.clone();
    net.layers.truncate(index + 1);
    let output = net.layers[index].output;
    let flat = [1, 1, output.iter().product()];
    if output != flat {
        let first = net.parameters.len();
        net.layers.push(Layer { kind: Kind::Flatten, input: output, output: flat, first });
    }
    Ok(views.outputs(examples, 0..examples.len(), |inputs| {
        burn::outputs(&net, weights, inputs, Device::Cpu)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::optimizer::Optimizer;
    use crate::model::net::FittedNet;
    use crate::model::net::goal::Goal;
    use crate::model::{FittedModel, Training};
    use crate::vocab::{Outputs, Seed, Targets, Task};

    fn fitted() -> FittedNet {
        let kinds = [
            Kind::conv(3, [2, 2]),
            Kind::Relu,
            Kind::MaxPool { size: [2, 2], stride: [2, 2] },
            Kind::Flatten,
            Kind::Dense { units: 4, l2: 0.0 },
            Kind::Relu,
            Kind::Dropout { rate: 0.5 },
            Kind::Dense { units: 2, l2: 0.0 },
        ];
        let net = Net::new([5, 4, 1], &kinds).unwrap();
        let weights = Weights::start(&net, Seed(3));
        let goal = Goal::of_foreign(Outputs { task: Task::Classes, n: 2 });
        let training = Training::new(Optimizer::adam(1e-3), 1, 1);
        FittedNet { net, weights, scaler: None, goal, shape: vec![5, 4], training }
    }

    #[test]
    fn the_layers_are_named_and_the_last_before_the_decision_is_the_default() {
        let layers = fitted().layers();
        let names: Vec<&str> = layers.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names.join(" "),
            "conv_1 relu_1 max_pool_1 flatten_1 dense_1 relu_2 dropout_1 dense_2"
        );
        let widths: Vec<usize> = layers.iter().map(|it| it.width).collect();
        assert_eq!(widths, [36, 36, 12, 12, 4, 4, 4, 2]);
        let default: Vec<&str> =
            layers.iter().filter(|it| it.is_default).map(|it| it.name.as_str()).collect();
        assert_eq!(default, ["relu_2"]);
    }

    #[test]
    fn each_layer_is_what_the_next_one_works_on() {
        let fitted = fitted();
        let matrix: Vec<f32> = (0..40).map(|i| ((i * 7) % 11) as f32 / 5.0 - 1.0).collect();
        let examples = Examples {
            shape: &[5, 4],
            matrix: &matrix,
            targets: &Targets::Classes(vec![]),
            rows: &[1, 0],
            n_outputs: 2,
        };
        let of = |layer: &str| fitted.embed(&examples, layer).unwrap();
        let close = |a: &[f32], b: &[f32]| {
            assert_eq!(a.len(), b.len());
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5), "{a:?} {b:?}");
        };
        close(&of("dense_2"), &fitted.logits(&examples).unwrap().unwrap());
        let (dense, relu) = (of("dense_1"), of("relu_2"));
        close(&relu, &dense.iter().map(|x| x.max(0.0)).collect::<Vec<_>>());
        close(&relu, &of("dropout_1"));
        // Time, coefficient, channel: the first filter at the second place in time of the second example.
        let conv = of("conv_1");
        let (kernel, at) = (&fitted.weights.0[0], |t: usize, c: usize| matrix[t * 4 + c]);
        let by_hand = kernel[0] * at(1, 0)
            + kernel[3] * at(1, 1)
            + kernel[6] * at(2, 0)
            + kernel[9] * at(2, 1);
        assert!((conv[36 + 3 * 3] - by_hand).abs() < 1e-5, "{} {by_hand}", conv[36 + 9]);
        let error = fitted.embed(&examples, "dens_1").unwrap_err().to_string();
        assert!(error.contains("no layer `dens_1`; it has `conv_1`, `relu_1`"), "{error}");
    }
}
