//! Comparison of whole nets with a simple reference.

mod bits;
mod clipping;
mod engines;

use super::super::engine::StepKey;
use super::super::layer::{BATCH_NORM_EPSILON, Kind, Shape};
use super::*;
use crate::kernels::dropout::{Rate, dropout};
use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::loss::{Targets, softmax_cross_entropy};
use crate::kernels::reference::{assert_close, convolution, max_pool, random, wide};
use crate::vocab::Seed;

const INPUT: Shape = [13, 8, 1];

fn conv(
    filters: usize,
    kernel: [usize; 2],
    norm: bool,
    pool: Option<usize>,
    rate: f64,
) -> Vec<Kind> {
    let mut kinds = vec![Kind::Conv { filters, kernel }, Kind::Relu];
    kinds.extend(norm.then_some(Kind::BatchNorm));
    kinds.extend(pool.map(|size| Kind::MaxPool { size: [size; 2], stride: [2, 2] }));
    kinds.extend((rate > 0.0).then_some(Kind::Dropout { rate }));
    kinds
}

/// Returns a net of three blocks and two dense layers, or of the dense layers alone.
fn small(dense_only: bool) -> Net {
    let blocks = [
        conv(5, [3, 3], true, Some(3), 0.2),
        conv(18, [2, 2], false, Some(2), 0.1),
        conv(4, [2, 1], true, None, 0.0),
    ];
    let mut kinds = if dense_only { vec![] } else { blocks.concat() };
    kinds.extend([
        Kind::Flatten,
        Kind::Dense { units: 7, l2: 0.01 },
        Kind::Relu,
        Kind::Dropout { rate: 0.3 },
        Kind::Dense { units: 3, l2: 0.02 },
    ]);
    Net::new(INPUT, &kinds).unwrap()
}

fn engine(net: &Net, optimizer: Optimizer, max_batch: usize) -> FusedEngine {
    FusedEngine::new(net, &Weights::start(net, Seed(5)), optimizer, None, max_batch).unwrap()
}

/// Returns an engine with gammas and betas of both signs.
fn still(net: &Net, max_batch: usize) -> FusedEngine {
    let mut engine = engine(net, Optimizer::adam(0.0), max_batch);
    let mut weights = engine.weights();
    for (i, (parameter, values)) in net.parameters.iter().zip(&mut weights.0).enumerate() {
        let is_of_norm = parameter.name.starts_with("batch_norm") && parameter.trainable;
        if is_of_norm || parameter.name.ends_with("bias") {
            *values = random(i as u64, values.len());
        }
        if parameter.name.ends_with("gamma") {
            let signs = [1.0, -1.0].into_iter().cycle();
            values.iter_mut().zip(signs).for_each(|(gamma, sign)| *gamma = sign * gamma.abs());
        }
    }
    engine.set_weights(&weights);
    engine
}

/// Makes a batch of examples with 104 values and their labels.
fn batch(features: &[f32], rows: &[usize], labels: &[usize]) -> Batch {
    let inputs = rows.iter().flat_map(|row| &features[row * 104..][..104]).copied().collect();
    Batch { n: rows.len(), inputs, labels: labels.to_vec(), targets: vec![] }
}

fn key(seed: u64) -> StepKey {
    StepKey { seed: Seed(seed), epoch: 1, step: 0 }
}

/// Computes the training loss of a net in simple `f64` code; `targets` are `[n, n_classes]`,
/// `value` finds parameters.
fn plain_loss(
    net: &Net,
    batch: &Batch,
    targets: &[f32],
    key: DropoutKey,
    value: &dyn Fn(usize) -> Vec<f64>,
) -> f64 {
    let n = batch.labels.len();
    let (mut x, mut penalty, mut n_units) = (wide(&batch.inputs), 0.0, 0);
    for layer in &net.layers {
        let ([height, width, channels], len) = (layer.input, layer.input.iter().product());
        match layer.kind {
            Kind::Conv { filters, kernel } => {
                n_units += 1;
                let g = ConvGeometry { n, height, width, c_in: channels, c_out: filters, kernel };
                let (kernel, bias) = (value(layer.first), value(layer.first + 1));
                x = convolution(&g, &x, &kernel, &bias, &vec![0.0; n * g.output_len()]).output;
            }
            Kind::Relu => x.iter_mut().for_each(|v| *v = v.max(0.0)),
            Kind::BatchNorm => {
                let (gamma, beta) = (value(layer.first), value(layer.first + 1));
                let rows = (x.len() / channels) as f64;
                for k in 0..channels {
                    let of_channel = || x.iter().skip(k).step_by(channels);
                    let mean = of_channel().sum::<f64>() / rows;
                    let variance = of_channel().map(|v| (v - mean).powi(2)).sum::<f64>() / rows;
                    x.iter_mut().skip(k).step_by(channels).for_each(|v| {
                        *v = gamma[k] * (*v - mean) / (variance + BATCH_NORM_EPSILON).sqrt()
                            + beta[k];
                    });
                }
            }
            Kind::MaxPool { size, stride } => {
                x = max_pool(&PoolGeometry { n, height, width, channels, size, stride }, &x).0;
            }
            Kind::Dropout { rate } => {
                let rate = Rate::new(rate as f32).unwrap();
                for (row, x) in x.chunks_mut(len).enumerate() {
                    let mut ones = vec![1.0; len];
                    dropout(Isa::best(), rate, key.example(n_units - 1, row), &mut ones);
                    x.iter_mut().zip(wide(&ones)).for_each(|(v, m)| *v *= m);
                }
            }
            Kind::Flatten => {}
            Kind::Dense { units, l2 } => {
                n_units += 1;
                let (kernel, bias) = (value(layer.first), value(layer.first + 1));
                penalty += l2 * kernel.iter().map(|w| w * w).sum::<f64>();
                let product = |i: usize| {
                    let row = x[i / units * len..][..len].iter().enumerate();
                    bias[i % units]
                        + row.map(|(k, v)| v * kernel[k * units + i % units]).sum::<f64>()
                };
                x = (0..n * units).map(product).collect();
            }
        }
    }
    let cross = |(row, targets): (&[f64], &[f32])| -> f64 {
        let log_sum = row.iter().map(|z| z.exp()).sum::<f64>().ln();
        row.iter().zip(targets).map(|(z, &t)| f64::from(t) * (log_sum - z)).sum()
    };
    let n_classes = net.n_outputs();
    x.chunks(n_classes).zip(targets.chunks(n_classes)).map(cross).sum::<f64>() / n as f64 + penalty
}

#[test]
fn loss_and_every_gradient_are_the_plain_nets() {
    for (dense_only, n, seed, is_soft) in
        [(false, 11, 3, false), (false, 1, 4, false), (false, 7, 6, true), (true, 9, 5, true)]
    {
        let net = small(dense_only);
        let mut engine = still(&net, 16);
        let rows: Vec<usize> = (0..n).map(|i| i * 7 % 20).collect();
        let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let mut batch = batch(&random(77, 20 * 104), &rows, &labels);
        let soft: Vec<f32> = random(seed, n * 3).iter().map(|t| t.abs()).collect();
        let one_hot: Vec<f32> = (0..n * 3).map(|i| f32::from(labels[i / 3] == i % 3)).collect();
        let targets = if is_soft { &soft } else { &one_hot };
        batch.targets = if is_soft { soft.clone() } else { vec![] };
        let mean = engine.step(&batch, key(seed), 0.0).loss / n as f64;

        let streams = key(seed).dropout();
        let weights = engine.weights();
        let value = |index: usize| wide(&weights.0[index]);
        let loss = plain_loss(&net, &batch, targets, streams, &value);
        assert!((mean - loss).abs() < 1e-5, "loss {mean}, plainly {loss}");
        let gradients = engine.cut(&engine.arrays.gradients).0;
        for (index, gradient) in gradients.iter().enumerate() {
            if !net.parameters[index].trainable {
                continue;
            }
            // The step is odd, so that all channels are covered. Normalizing one example by few
            // values magnifies rounding errors.
            let step = gradient.len().div_ceil(12) | 1;
            let places: Vec<usize> = (0..gradient.len()).step_by(step).collect();
            let slope = |&place: &usize| {
                let moved = |by: f64| {
                    let value = |other: usize| {
                        let mut values = value(other);
                        if other == index {
                            values[place] += by;
                        }
                        values
                    };
                    plain_loss(&net, &batch, targets, streams, &value)
                };
                (moved(1e-6) - moved(-1e-6)) / 2e-6
            };
            let slopes: Vec<f64> = places.iter().map(slope).collect();
            let actual: Vec<f32> = places.iter().map(|&place| gradient[place]).collect();
            assert_close(&actual, &slopes, if n == 1 { 2e-4 } else { 5e-6 });
        }
    }
}

/// Returns the mean loss of logits and the number of correct predictions.
fn score(logits: &[f32], labels: &[usize]) -> (f64, usize) {
    let mut unused = vec![0.0; logits.len()];
    let tally = softmax_cross_entropy(logits, &Targets::one_hot(labels), 3, &mut unused);
    (tally.loss / labels.len() as f64, tally.n_right)
}

#[test]
fn it_learns_by_heart_and_predicts_what_it_learnt() {
    let mut kinds = conv(8, [3, 3], true, Some(2), 0.0);
    kinds.extend([Kind::Flatten, Kind::Dense { units: 3, l2: 0.0 }]);
    let mut engine = engine(&Net::new(INPUT, &kinds).unwrap(), Optimizer::adam(1e-2), 8);
    let (features, rows) = (random(9, 20 * 104), (0..20).collect::<Vec<usize>>());
    let labels: Vec<usize> = (0..20).map(|i| i % 3).collect();
    for seed in 0..200 {
        for (rows, labels) in rows.chunks(8).zip(labels.chunks(8)) {
            engine.step(&batch(&features, rows, labels), key(seed), 1e-2);
        }
    }
    let (loss, n_right) = score(&engine.outputs(features), &labels);
    assert_eq!(n_right, 20, "{loss}");
}

#[test]
fn inference_by_a_batchs_own_statistics_is_the_training_pass() {
    let mut kinds = conv(5, [3, 3], true, Some(3), 0.0);
    kinds.extend(conv(18, [2, 2], true, Some(2), 0.0));
    kinds.extend([Kind::Flatten, Kind::Dense { units: 3, l2: 0.0 }]);
    let mut engine = still(&Net::new(INPUT, &kinds).unwrap(), 16);
    for norm in engine.plan.blocks.iter_mut().filter_map(|block| block.norm.as_mut()) {
        norm.momentum = 0.0;
    }
    let labels = [0, 1, 2, 0, 1, 2, 0, 1, 2];
    let batch = batch(&random(7, 9 * 104), &[0, 1, 2, 3, 4, 5, 6, 7, 8], &labels);
    let trained = engine.step(&batch, key(1), 0.0).loss / 9.0;
    let (loss, _) = score(&engine.outputs(batch.inputs), &labels);
    assert!((loss - trained).abs() < 1e-6, "{loss}, in training {trained}");
}
