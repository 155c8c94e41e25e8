//! The output of a layer inside a net: what the net knows of an example before it decides.
//!
//! It is computed by the reference engine, from the layers up to that one.

use super::batches::Batches;
use super::goal::TargetRows;
use super::layer::{Kind, Layer, Net};
use super::{FittedNet, burn, fit};
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

/// Computes the output of a layer, `[examples, width]`: flattened by time, coefficient, channel.
pub(super) fn embed(
    fitted: &FittedNet,
    examples: &Examples,
    layer: &str,
) -> Result<Vec<f32>, ModelError> {
    examples.check_for_predict(&fitted.shape)?;
    let known = layers(&fitted.net);
    let index = known.iter().position(|it| it.name == layer);
    let index = index.ok_or_else(|| ModelError::unknown_layer(layer, &known))?;
    let mut net = fitted.net.clone();
    net.layers.truncate(index + 1);
    let output = net.layers[index].output;
    let flat = [1, 1, output.iter().product()];
    if output != flat {
        let first = net.parameters.len();
        net.layers.push(Layer { kind: Kind::Flatten, input: output, output: flat, first });
    }
    let mut outputs = Vec::with_capacity(examples.len() * flat[2]);
    let none = TargetRows::None;
    for batch in Batches::in_order(*examples, fitted.scaler.as_ref(), &none, fit::CHUNK).iter() {
        outputs.extend(burn::outputs(&net, &fitted.weights, batch.inputs, Device::Cpu));
    }
    Ok(outputs)
}
