//! Comparison of whole nets with a simple reference.

mod bits;
mod clipping;
mod engines;
mod golden;
mod plain;

use super::super::engine::StepKey;
use super::super::layer::{Kind, Norm, Shape, Steps, Summary};
use super::*;
use crate::kernels::loss::{Targets, softmax_cross_entropy};
use crate::kernels::reference::{assert_close, random, wide};
use crate::vocab::Seed;
use plain::plain_loss;

const INPUT: Shape = [13, 8, 1];

fn conv(
    filters: usize,
    kernel: [usize; 2],
    norm: bool,
    pool: Option<usize>,
    rate: f64,
) -> Vec<Kind> {
    let mut kinds = vec![Kind::conv(filters, kernel), Kind::Relu];
    kinds.extend(norm.then_some(Kind::BatchNorm(Norm::default())));
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

/// Returns nets that together have every layer, in the orders in which they make units and in others.
fn varied() -> Vec<Net> {
    let norm = || Kind::BatchNorm(Norm { epsilon: 1e-2, momentum: 0.8 });
    let steps = |stride, dilation, same| Steps { stride, dilation, same };
    let same = steps([1; 2], [1; 2], true);
    let conv = |filters, kernel, steps| Kind::Conv { filters, kernel, steps };
    let pool = Kind::MaxPool { size: [2, 2], stride: [2, 2] };
    let dropout = |rate| Kind::Dropout { rate };
    let last = [Kind::Flatten, Kind::Dense { units: 3, l2: 0.02 }];
    // Like CNN-4: bands, 'same', normalization before ReLU, a fold, mean and max.
    let modern = vec![
        Kind::BandNorm(Norm::default()),
        conv(5, [3, 3], same),
        norm(),
        Kind::Relu,
        pool.clone(),
        conv(18, [3, 3], same),
        norm(),
        Kind::Relu,
        pool.clone(),
        dropout(0.2),
        Kind::Fold,
        conv(7, [1, 1], same),
        norm(),
        Kind::Relu,
        Kind::Summarize { by: Summary::MeanMax },
        dropout(0.3),
    ];
    // A residual block with a projection, one without, and one whose input is the net's.
    let residual = vec![
        conv(6, [3, 3], steps([2, 1], [1; 2], true)),
        norm(),
        Kind::Gelu,
        conv(6, [3, 3], same),
        norm(),
        Kind::Branch { from: None },
        conv(6, [1, 1], steps([2, 1], [1; 2], true)),
        Kind::Add { from: Some(4) },
        Kind::Silu,
        conv(6, [3, 2], same),
        Kind::Add { from: Some(8) },
        Kind::Relu,
        Kind::AveragePool { size: [3, 2], stride: [2, 2] },
        dropout(0.2),
        Kind::Summarize { by: Summary::Attention },
    ];
    let separable = vec![
        conv(4, [2, 3], steps([1, 2], [2, 1], true)),
        Kind::Silu,
        Kind::DepthwiseConv { kernel: [3, 2], steps: steps([2, 1], [1, 2], true) },
        norm(),
        Kind::Relu,
        conv(9, [1, 1], Steps::default()),
        Kind::Gelu,
        pool.clone(),
        Kind::DepthwiseConv { kernel: [2, 1], steps: Steps::default() },
        norm(),
        Kind::Summarize { by: Summary::Mean },
    ];
    // A convolution over time whose steps and dilation leave values out.
    let over_time = vec![
        Kind::Fold,
        conv(5, [3, 1], steps([2, 1], [2, 1], false)),
        Kind::Relu,
        norm(),
        dropout(0.3),
        conv(33, [2, 1], same),
        Kind::Summarize { by: Summary::Max },
    ];
    let whole = [modern, residual, separable, over_time];
    whole.map(|kinds| Net::new(INPUT, &[&kinds[..], &last].concat()).unwrap()).into()
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
        let is_drawn = parameter.name.ends_with("bias") || parameter.name.starts_with("attention");
        if is_of_norm || is_drawn {
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

#[test]
fn loss_and_every_gradient_are_the_plain_nets() {
    let old = [
        (small(false), 11, 3, false),
        (small(false), 1, 4, false),
        (small(false), 7, 6, true),
        (small(true), 9, 5, true),
    ];
    let new = varied().into_iter().map(|net| (net, 9, 7, true));
    for (net, n, seed, is_soft) in old.into_iter().chain(new) {
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
    for unit in &mut engine.plan.units {
        if let plan::Work::Block(block) = &mut unit.work {
            block.norm.iter_mut().for_each(|norm| norm.constants.momentum = 0.0);
        }
    }
    let labels = [0, 1, 2, 0, 1, 2, 0, 1, 2];
    let batch = batch(&random(7, 9 * 104), &[0, 1, 2, 3, 4, 5, 6, 7, 8], &labels);
    let trained = engine.step(&batch, key(1), 0.0).loss / 9.0;
    let (loss, _) = score(&engine.outputs(batch.inputs), &labels);
    assert!((loss - trained).abs() < 1e-6, "{loss}, in training {trained}");
}
