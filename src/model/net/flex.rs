//! Computes a net with burn's CPU backend `flex`.
//!
//! burn holds values only within one call: weights live as plain arrays in Keras's layout and are
//! laid out for burn inside the graph, so that gradients come back in Keras's layout too.

use burn::tensor::module::{batch_norm, batch_norm_train, conv2d, linear, max_pool2d};
use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::engine::{Batch, DropoutMask, Engine, State, StepKey};
use super::layer::{
    BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, Kind, Layer, Net, Shape, same_padding,
};
use super::loss::{Tally, cross_entropy};
use super::weights::Weights;
use crate::kernels::isa::Isa;
use crate::kernels::optimizer::{self, Optimizer, Parameters};

/// An [`Engine`] on flex.
pub(super) struct FlexEngine {
    net: Net,
    state: State,
    optimizer: Optimizer,
    clip_norm: Option<f64>,
}

/// What a training pass gives.
pub(super) struct Gradients {
    /// Loss without penalty, and how many were right.
    pub(super) tally: Tally,
    /// Of the mean loss *and* the penalty, by parameter; empty where nothing is to be moved.
    pub(super) by_parameter: Vec<Vec<f32>>,
    /// Mean and biased variance of the batch, with the index of the layer's first parameter.
    statistics: Vec<(usize, Vec<f32>, Vec<f32>)>,
}

impl FlexEngine {
    /// An engine at the start of a training.
    pub(super) fn new(
        net: Net,
        weights: Weights,
        optimizer: Optimizer,
        clip_norm: Option<f64>,
    ) -> Self {
        let zeros = || Weights(weights.0.iter().map(|values| vec![0.0; values.len()]).collect());
        let moments = [zeros(), zeros()];
        Self { net, state: State { weights, moments, n_steps: 0 }, optimizer, clip_norm }
    }
}

impl Engine for FlexEngine {
    fn step(&mut self, batch: &Batch, key: StepKey, learning_rate: f64) -> Tally {
        let penalty = batch.labels.len() as f64 * self.penalty();
        let mut found = gradients(&self.net, &self.state.weights, batch, key);
        if let Some(max_norm) = self.clip_norm {
            clip(&mut found.by_parameter, max_norm);
        }
        let State { weights, moments: [first, second], n_steps } = &mut self.state;
        *n_steps += 1;
        let constants = self.optimizer.with_learning_rate(learning_rate).at_step(*n_steps);
        for (index, gradients) in found.by_parameter.iter_mut().enumerate() {
            if self.net.parameters[index].trainable {
                let parameters = Parameters {
                    values: &mut weights.0[index],
                    gradients,
                    first: &mut first.0[index],
                    second: &mut second.0[index],
                };
                // The penalty's gradient is in already.
                let _none = optimizer::update(Isa::best(), &constants, 0.0, parameters);
            }
        }
        for (first, mean, variance) in found.statistics {
            blend(&mut weights.0[first + 2], &mean);
            blend(&mut weights.0[first + 3], &variance);
        }
        Tally { loss: found.tally.loss + penalty, ..found.tally }
    }

    fn logits(&mut self, inputs: Vec<f32>) -> Vec<f32> {
        logits(&self.net, &self.state.weights, inputs)
    }

    fn penalty(&self) -> f64 {
        self.state.weights.penalty(&self.net)
    }

    fn weights(&self) -> Weights {
        self.state.weights.clone()
    }

    fn set_weights(&mut self, weights: &Weights) {
        self.state.weights = weights.clone();
    }

    fn state(&self) -> State {
        self.state.clone()
    }

    fn set_state(&mut self, state: &State) {
        self.state = state.clone();
    }
}

/// Scales gradients so that their common norm is at most `max_norm`.
fn clip(gradients: &mut [Vec<f32>], max_norm: f64) {
    let squares = gradients.iter().flatten().map(|g| f64::from(*g).powi(2));
    let norm = squares.sum::<f64>().sqrt();
    if norm > max_norm {
        let factor = (max_norm / norm) as f32;
        gradients.iter_mut().flatten().for_each(|g| *g *= factor);
    }
}

/// Logits `[n, n_classes]` of inputs `[n, width]`, as [`Engine::logits`].
pub(super) fn logits(net: &Net, weights: &Weights, inputs: Vec<f32>) -> Vec<f32> {
    let device = Device::flex();
    let parameters: Vec<_> = weights.0.iter().map(|w| tensor(w.clone(), &device)).collect();
    let input = input(net, inputs, &device);
    into_vec(forward(net, &parameters, input, None).logits)
}

/// One training pass: dropout on, statistics of the batch.
pub(super) fn gradients(net: &Net, weights: &Weights, batch: &Batch, key: StepKey) -> Gradients {
    let device = Device::flex().autodiff();
    let parameters: Vec<_> = net
        .parameters
        .iter()
        .zip(&weights.0)
        .map(|(parameter, values)| {
            let leaf = tensor(values.clone(), &device);
            if parameter.trainable { leaf.require_grad() } else { leaf }
        })
        .collect();
    let input = input(net, batch.inputs.clone(), &device);
    let passed = forward(net, &parameters, input, Some(key));
    let logits = into_vec(passed.logits.clone().inner());
    let (tally, by_logit) = cross_entropy(&logits, &batch.labels, &batch.targets, net.n_classes());
    // The sum of logits * constants has the wanted gradient, whatever the loss is.
    let shape = passed.logits.dims();
    let by_logit = Tensor::<2>::from_data(TensorData::new(by_logit, shape), &device);
    let mut tape = (passed.logits * by_logit).sum().backward();
    let by_parameter = net
        .parameters
        .iter()
        .zip(&parameters)
        .zip(&weights.0)
        .map(|((parameter, leaf), values)| {
            let Some(gradient) = leaf.grad_remove(&mut tape) else { return vec![] };
            let mut gradient = into_vec(gradient);
            if parameter.l2 > 0.0 {
                let factor = (2.0 * parameter.l2) as f32;
                gradient.iter_mut().zip(values).for_each(|(g, w)| *g += factor * w);
            }
            gradient
        })
        .collect();
    Gradients { tally, by_parameter, statistics: passed.statistics }
}

struct Passed {
    logits: Tensor<2>,
    statistics: Vec<(usize, Vec<f32>, Vec<f32>)>,
}

/// Walks the layers; `x` is `[n, channels, height, width]` all the way.
fn forward(
    net: &Net,
    parameters: &[Tensor<1>],
    mut x: Tensor<4>,
    training: Option<StepKey>,
) -> Passed {
    let n = x.dims()[0];
    let mut statistics = vec![];
    for (index, layer) in net.layers.iter().enumerate() {
        let held = &parameters[layer.first..];
        x = match layer.kind {
            Kind::Conv { filters, kernel: [kh, kw] } => {
                let kernel = held[0].clone().reshape([kh, kw, layer.input[2], filters]);
                let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
                conv2d(x, kernel.permute([3, 2, 0, 1]), Some(held[1].clone()), options)
            }
            Kind::Relu => activation::relu(x),
            Kind::BatchNorm if training.is_some() => {
                let made =
                    batch_norm_train(x, held[0].clone(), held[1].clone(), BATCH_NORM_EPSILON);
                let (mean, variance) = (made.mean.inner(), made.variance.inner());
                statistics.push((layer.first, into_vec(mean), into_vec(variance)));
                made.output
            }
            Kind::BatchNorm => {
                let [gamma, beta, mean, variance] = [0, 1, 2, 3].map(|part| held[part].clone());
                batch_norm(x, gamma, beta, mean, variance, BATCH_NORM_EPSILON)
            }
            Kind::MaxPool { size, stride } => pool(x, layer, size, stride),
            Kind::Dropout { rate } => match training {
                Some(key) if rate > 0.0 => {
                    let mask = DropoutMask::new(key, index, rate);
                    let mask = channels_first(&mask, n, layer.input);
                    let data = TensorData::new(mask, x.dims());
                    let mask = Tensor::<4>::from_data(data, &x.device());
                    x * mask
                }
                _ => x,
            },
            Kind::Flatten => x.permute([0, 2, 3, 1]).reshape([n, layer.output[2], 1, 1]),
            Kind::Dense { units, .. } => {
                let kernel = held[0].clone().reshape([layer.input[2], units]);
                let flat = x.reshape([n, layer.input[2]]);
                linear(flat, kernel, Some(held[1].clone())).reshape([n, units, 1, 1])
            }
        };
    }
    Passed { logits: x.reshape([n, net.n_classes()]), statistics }
}

/// Max-pooling 'same', where padding never wins.
fn pool(x: Tensor<4>, layer: &Layer, size: [usize; 2], stride: [usize; 2]) -> Tensor<4> {
    let padding = [0, 1].map(|axis| same_padding(layer.input[axis], size[axis], stride[axis]));
    let options = MaxPoolOptions::new(size).with_stride(stride);
    // burn copies the input to pad it unevenly. A window that runs over the end in its ceiling
    // mode gives the same without a copy, wherever it then counts the windows as we do.
    let counts_alike = [0, 1].iter().all(|&axis| {
        let padded = layer.input[axis] + 2 * padding[axis].0;
        padded >= size[axis]
            && (padded - size[axis]).div_ceil(stride[axis]) + 1 == layer.output[axis]
    });
    let options = if counts_alike {
        options.with_padding(padding.map(|(before, _)| before)).with_ceil_mode(true)
    } else {
        options.with_padding_pairs(padding)
    };
    max_pool2d(x, options)
}

/// Lays a mask, numbered in the order `[n, height, width, channels]`, out for burn.
fn channels_first(mask: &DropoutMask, n: usize, [height, width, channels]: Shape) -> Vec<f32> {
    let positions = height * width;
    let mut values = Vec::with_capacity(n * positions * channels);
    for example in 0..n {
        for channel in 0..channels {
            for position in 0..positions {
                let number = (example * positions + position) * channels + channel;
                values.push(mask.at(number as u64));
            }
        }
    }
    values
}

fn input(net: &Net, inputs: Vec<f32>, device: &Device) -> Tensor<4> {
    let [height, width, channels] = net.layers[0].input;
    let n = inputs.len() / net.width();
    let data = TensorData::new(inputs, [n, height, width, channels]);
    Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2])
}

fn tensor(values: Vec<f32>, device: &Device) -> Tensor<1> {
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn into_vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("every tensor of this room is f32")
}

fn blend(moving: &mut [f32], batch: &[f32]) {
    for (moving, batch) in moving.iter_mut().zip(batch) {
        *moving = BATCH_NORM_MOMENTUM * *moving + (1.0 - BATCH_NORM_MOMENTUM) * batch;
    }
}
