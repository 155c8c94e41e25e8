//! Computes a net with burn's operations, on any device that burn supports: `flex`, its CPU
//! backend, or a graphics card.
//!
//! burn holds values only during a call. Weights are stored as plain arrays in Keras's layout and
//! converted for burn inside the graph, so that gradients come back in Keras's layout too.

use burn::tensor::module::{avg_pool2d, batch_norm, batch_norm_train, conv2d, linear, max_pool2d};
use burn::tensor::ops::{AvgPoolOptions, ConvOptions, MaxPoolOptions};
use burn::tensor::{Device as BurnDevice, Tensor, TensorData, Transaction, activation};

use super::super::Device;
use super::engine::{Batch, DropoutKey, Engine, State, StepKey, dropout_rate};
use super::layer::{Kind, Layer, Net, Norm, Shape, Summary, same_padding};
use super::weights::Weights;
use crate::kernels::dropout::dropout;
use crate::kernels::isa::Isa;
use crate::kernels::loss::Tally;
use crate::kernels::optimizer::{self, Optimizer, Parameters};

/// An [`Engine`] based on burn.
pub(super) struct BurnEngine {
    device: Device,
    net: Net,
    state: State,
    optimizer: Optimizer,
    clip_norm: Option<f64>,
}

/// The result of a training pass.
pub(super) struct Gradients {
    /// The loss without penalty, and the number of correct predictions.
    pub(super) tally: Tally,
    /// Gradients of the mean loss *and* the penalty, by parameter; empty for parameters that are
    /// not trained.
    pub(super) by_parameter: Vec<Vec<f32>>,
    /// Mean and biased variance of the batch, with the index of the moving mean.
    statistics: Vec<(usize, Vec<f32>, Vec<f32>)>,
}

impl BurnEngine {
    /// Creates an engine for the start of a training.
    pub(super) fn new(
        net: Net,
        weights: Weights,
        optimizer: Optimizer,
        clip_norm: Option<f64>,
        device: Device,
    ) -> Self {
        let zeros = || Weights(weights.0.iter().map(|values| vec![0.0; values.len()]).collect());
        let moments = [zeros(), zeros()];
        Self { device, net, state: State { weights, moments, n_steps: 0 }, optimizer, clip_norm }
    }
}

impl Engine for BurnEngine {
    fn step(&mut self, batch: &Batch, key: StepKey, learning_rate: f64) -> Tally {
        let penalty = batch.n as f64 * self.penalty();
        let mut found = gradients(&self.net, &self.state.weights, batch, key, self.device);
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
                let constants = constants.decaying(self.net.parameters[index].decays);
                // The gradient already includes the penalty.
                let _none = optimizer::update(Isa::best(), &constants, 0.0, parameters);
            }
        }
        for (first, mean, variance) in found.statistics {
            let momentum = self.net.momentum(first) as f32;
            blend(&mut weights.0[first], &mean, momentum);
            blend(&mut weights.0[first + 1], &variance, momentum);
        }
        Tally { loss: found.tally.loss + penalty, ..found.tally }
    }

    fn outputs(&mut self, inputs: Vec<f32>) -> Vec<f32> {
        outputs(&self.net, &self.state.weights, inputs, self.device)
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

/// Scales all gradients so that their global norm is at most `max_norm`.
fn clip(gradients: &mut [Vec<f32>], max_norm: f64) {
    let squares = gradients.iter().flatten().map(|g| f64::from(*g).powi(2));
    let norm = squares.sum::<f64>().sqrt();
    if norm > max_norm {
        let factor = (max_norm / norm) as f32;
        gradients.iter_mut().flatten().for_each(|g| *g *= factor);
    }
}

/// Returns burn's name for a device.
fn on(device: Device) -> BurnDevice {
    match device {
        Device::Cpu => BurnDevice::flex(),
        #[cfg(feature = "wgpu")]
        Device::Wgpu => BurnDevice::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        #[cfg(feature = "cuda")]
        Device::Cuda => BurnDevice::cuda(burn::tensor::DeviceIndex::Default),
    }
}

/// Returns whether burn finds such a device on this machine.
pub(in super::super) fn has_device(device: Device) -> bool {
    match device {
        Device::Cpu => true,
        #[cfg(feature = "wgpu")]
        Device::Wgpu => !BurnDevice::enumerate(burn::tensor::DeviceType::Wgpu).is_empty(),
        #[cfg(feature = "cuda")]
        Device::Cuda => !BurnDevice::enumerate(burn::tensor::DeviceType::Cuda).is_empty(),
    }
}

/// Computes outputs `[n, n_outputs]` from inputs `[n, width]`, like [`Engine::outputs`].
pub(super) fn outputs(net: &Net, weights: &Weights, inputs: Vec<f32>, device: Device) -> Vec<f32> {
    let device = on(device);
    let parameters: Vec<_> = weights.0.iter().map(|w| tensor(w.clone(), &device)).collect();
    let input = input(net, inputs, &device);
    into_vec(forward(net, &parameters, input, None).outputs)
}

/// Runs one training pass, with dropout and the statistics of the batch.
pub(super) fn gradients(
    net: &Net,
    weights: &Weights,
    batch: &Batch,
    key: StepKey,
    device: Device,
) -> Gradients {
    let device = on(device).autodiff();
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
    let outputs = into_vec(passed.outputs.clone().inner());
    let mut by_output = vec![0.0; outputs.len()];
    let tally = net.loss.compute(&outputs, &batch.goals(), net.n_outputs(), &mut by_output);
    // The sum of outputs * constants has the required gradient, whatever the loss is.
    let shape = passed.outputs.dims();
    let by_output = Tensor::<2>::from_data(TensorData::new(by_output, shape), &device);
    let mut tape = (passed.outputs * by_output).sum().backward();
    // All results are read together, because every read waits for the device.
    let mut wanted = Transaction::default();
    let mut moved = vec![];
    for (index, leaf) in parameters.iter().enumerate() {
        if let Some(gradient) = leaf.grad_remove(&mut tape) {
            wanted = wanted.register(gradient);
            moved.push(index);
        }
    }
    for (_, mean, variance) in &passed.statistics {
        wanted = wanted.register(mean.clone()).register(variance.clone());
    }
    let mut read = wanted.execute().into_iter().map(values);
    let mut by_parameter = vec![vec![]; parameters.len()];
    for (index, mut gradient) in moved.into_iter().zip(&mut read) {
        let l2 = net.parameters[index].l2;
        if l2 > 0.0 {
            let factor = (2.0 * l2) as f32;
            gradient.iter_mut().zip(&weights.0[index]).for_each(|(g, w)| *g += factor * w);
        }
        by_parameter[index] = gradient;
    }
    let mut next = || read.next().expect("all that was registered is read");
    let statistics = passed.statistics.iter().map(|(first, ..)| (*first, next(), next())).collect();
    Gradients { tally, by_parameter, statistics }
}

struct Passed {
    outputs: Tensor<2>,
    statistics: Vec<(usize, Tensor<1>, Tensor<1>)>,
}

/// Applies the layers in order; every image is `[n, channels, height, width]`.
fn forward(
    net: &Net,
    parameters: &[Tensor<1>],
    input: Tensor<4>,
    training: Option<StepKey>,
) -> Passed {
    let n = input.dims()[0];
    let key = training.map(StepKey::dropout);
    let (mut statistics, units) = (vec![], net.dropout_units());
    let mut given: Vec<Tensor<4>> = vec![];
    for (layer, unit) in net.layers.iter().zip(units) {
        let of = |from: Option<usize>| from.map_or(&input, |at| &given[at]).clone();
        let x = of(given.len().checked_sub(1));
        let held = &parameters[layer.first..];
        let part = |part: usize| held[part].clone();
        given.push(match layer.kind {
            Kind::Conv { kernel: [kh, kw], .. } => {
                let kernel = part(0).reshape([kh, kw, layer.input[2], layer.output[2]]);
                convolve(x, kernel.permute([3, 2, 0, 1]), part(1), layer, 1)
            }
            Kind::DepthwiseConv { kernel: [kh, kw], .. } => {
                let channels = layer.input[2];
                let kernel = part(0).reshape([kh, kw, channels, 1]);
                convolve(x, kernel.permute([2, 3, 0, 1]), part(1), layer, channels)
            }
            Kind::Relu => activation::relu(x),
            Kind::Gelu => activation::gelu(x),
            Kind::Silu => activation::silu(x),
            Kind::BatchNorm(Norm { epsilon, .. }) if training.is_some() => {
                let made = batch_norm_train(x, part(0), part(1), epsilon);
                statistics.push((layer.first + 2, made.mean.inner(), made.variance.inner()));
                made.output
            }
            Kind::BatchNorm(Norm { epsilon, .. }) => {
                batch_norm(x, part(0), part(1), part(2), part(3), epsilon)
            }
            Kind::BandNorm(norm) => {
                let [height, width, channels] = layer.input;
                // A band is a channel of the normalization.
                let n_bands = width * channels;
                let bands = x.permute([0, 3, 1, 2]).reshape([n, n_bands, height, 1]);
                let level = |value: f32| tensor(vec![value; n_bands], &bands.device());
                let (one, zero) = (level(1.0), level(0.0));
                let normal = if training.is_some() {
                    let made = batch_norm_train(bands, one, zero, norm.epsilon);
                    statistics.push((layer.first, made.mean.inner(), made.variance.inner()));
                    made.output
                } else {
                    batch_norm(bands, one, zero, part(0), part(1), norm.epsilon)
                };
                normal.reshape([n, width, channels, height]).permute([0, 2, 3, 1])
            }
            Kind::MaxPool { size, stride } => pool(x, layer, size, stride),
            Kind::AveragePool { size, stride } => average(x, layer, size, stride),
            Kind::Dropout { rate } => match key {
                Some(key) => {
                    let mask = mask(key, unit, rate, n, layer.input, &x.device());
                    x * mask
                }
                None => x,
            },
            Kind::Fold => {
                let [height, width, channels] = layer.input;
                x.permute([0, 3, 1, 2]).reshape([n, width * channels, height, 1])
            }
            Kind::Summarize { by } => {
                let [height, width, channels] = layer.input;
                let rows = x.reshape([n, channels, height * width]);
                summarize(rows, by, held).reshape([n, layer.output[2], 1, 1])
            }
            Kind::Branch { from } => of(from),
            Kind::Add { from } => x + of(from),
            Kind::Flatten => x.permute([0, 2, 3, 1]).reshape([n, layer.output[2], 1, 1]),
            Kind::Dense { units, .. } => {
                let kernel = part(0).reshape([layer.input[2], units]);
                let flat = x.reshape([n, layer.input[2]]);
                linear(flat, kernel, Some(part(1))).reshape([n, units, 1, 1])
            }
        });
    }
    let outputs = given.pop().unwrap_or(input).reshape([n, net.n_outputs()]);
    Passed { outputs, statistics }
}

fn convolve(
    x: Tensor<4>,
    kernel: Tensor<4>,
    bias: Tensor<1>,
    layer: &Layer,
    groups: usize,
) -> Tensor<4> {
    let geometry = layer.kind.geometry(layer.input).expect("the layer is a convolution");
    let [[top, bottom], [left, right]] = geometry.padding;
    let x =
        if geometry.padding == [[0; 2]; 2] { x } else { x.pad((left, right, top, bottom), 0.0) };
    let options = ConvOptions::new(geometry.stride, [0, 0], geometry.dilation, groups);
    conv2d(x, kernel, Some(bias), options)
}

/// Makes one row of all positions of `x`, `[n, channels, positions]`.
fn summarize(x: Tensor<3>, by: Summary, held: &[Tensor<1>]) -> Tensor<2> {
    let [n, channels, _] = x.dims();
    let mean = |x: Tensor<3>| x.mean_dim(2).reshape([n, channels]);
    let max = |x: Tensor<3>| x.max_dim(2).reshape([n, channels]);
    match by {
        Summary::Mean => mean(x),
        Summary::Max => max(x),
        Summary::MeanMax => Tensor::cat(vec![mean(x.clone()), max(x)], 1),
        Summary::Attention => {
            let kernel = held[0].clone().reshape([1, channels, 1]);
            let shares = activation::softmax((x.clone() * kernel).sum_dim(1), 2);
            (x * shares).sum_dim(2).reshape([n, channels])
        }
    }
}

/// Applies mean pooling with 'same' padding, where padding does not count.
fn average(x: Tensor<4>, layer: &Layer, size: [usize; 2], stride: [usize; 2]) -> Tensor<4> {
    let padding = [0, 1].map(|axis| same_padding(layer.input[axis], size[axis], stride[axis]));
    let options = AvgPoolOptions::new(size).with_stride(stride).with_padding_pairs(padding);
    avg_pool2d(x, options.with_count_include_pad(false))
}

/// Applies max-pooling with 'same' padding, where padding never wins.
fn pool(x: Tensor<4>, layer: &Layer, size: [usize; 2], stride: [usize; 2]) -> Tensor<4> {
    let padding = [0, 1].map(|axis| same_padding(layer.input[axis], size[axis], stride[axis]));
    let options = MaxPoolOptions::new(size).with_stride(stride);
    // burn copies the input to pad it unevenly. Its ceiling mode, where a window may extend past
    // the end, gives the same result without a copy if it has the same number of windows.
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

/// Returns the factors of dropout, drawn by the kernels so that they match the fused engine's.
fn mask(
    key: DropoutKey,
    unit: usize,
    rate: f64,
    n: usize,
    [height, width, channels]: Shape,
    device: &BurnDevice,
) -> Tensor<4> {
    let len = height * width * channels;
    let mut values = vec![1.0; n * len];
    for (example, values) in values.chunks_exact_mut(len).enumerate() {
        dropout(Isa::best(), dropout_rate(rate), key.example(unit, example), values);
    }
    let data = TensorData::new(values, [n, height, width, channels]);
    Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2])
}

fn input(net: &Net, inputs: Vec<f32>, device: &BurnDevice) -> Tensor<4> {
    let [height, width, channels] = net.layers[0].input;
    let n = inputs.len() / net.width();
    let data = TensorData::new(inputs, [n, height, width, channels]);
    Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2])
}

fn tensor(values: Vec<f32>, device: &BurnDevice) -> Tensor<1> {
    let shape = [values.len()];
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn into_vec<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    values(tensor.into_data())
}

fn values(data: TensorData) -> Vec<f32> {
    data.try_into_vec().expect("every tensor of this room is f32")
}

fn blend(moving: &mut [f32], batch: &[f32], momentum: f32) {
    for (moving, batch) in moving.iter_mut().zip(batch) {
        *moving = momentum * *moving + (1.0 - momentum) * batch;
    }
}

#[cfg(all(test, any(feature = "wgpu", feature = "cuda")))]
mod tests {
    use super::super::cnn::tests::{CNN_2, net};
    use super::*;
    use crate::vocab::Seed;

    fn three_steps_and_the_logits_after_them_equal_flexs(name: &str) {
        let device: Device = name.parse().expect("this test wants such a device");
        let net = net(CNN_2, &[40, 13], 10);
        let weights = Weights::start(&net, Seed(3));
        let mut rng = Seed(7).rng("test", &[]);
        let mut inputs =
            |n: usize| -> Vec<f32> { (0..n * net.width()).map(|_| rng.normal() as f32).collect() };
        // The first steps of Adam move every weight by about the learning rate, however small the
        // gradient is. A small rate limits the growth of rounding errors.
        let rule = Optimizer::adam(1e-4);
        let engine = |device| BurnEngine::new(net.clone(), weights.clone(), rule, None, device);
        let (mut here, mut there) = (engine(Device::Cpu), engine(device));
        for step in 0..3 {
            let key = StepKey { seed: Seed(1), epoch: 1, step };
            let batch =
                Batch { n: 9, inputs: inputs(9), labels: (0..9).collect(), targets: vec![] };
            let (a, b) = (here.step(&batch, key, 1e-4), there.step(&batch, key, 1e-4));
            assert!((a.loss - b.loss).abs() < 1e-3 * a.loss, "step {step}: {a:?} {b:?}");
        }
        let inputs = inputs(5);
        let (a, b) = (here.outputs(inputs.clone()), there.outputs(inputs));
        let largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 5e-3, "{largest}");
    }

    #[test]
    #[cfg(feature = "wgpu")]
    fn wgpu_computes_what_flex_does() {
        three_steps_and_the_logits_after_them_equal_flexs("wgpu");
    }

    #[test]
    #[cfg(feature = "cuda")]
    fn cuda_computes_what_flex_does() {
        three_steps_and_the_logits_after_them_equal_flexs("cuda");
    }
}
