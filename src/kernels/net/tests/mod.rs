//! Whole nets against a plain statement of them.

mod bits;
mod clipping;

use super::*;
use crate::kernels::dropout::{Rate, dropout};
use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::product::Activation;
use crate::kernels::reference::{assert_close, convolution, max_pool, random, wide};

fn conv(
    filters: usize,
    kernel: [usize; 2],
    norm: bool,
    pool: Option<usize>,
    dropout: f32,
) -> Layer {
    Layer::Conv(ConvBlock {
        filters,
        kernel,
        batch_norm: norm.then(BatchNorm::default),
        pool: pool.map(|size| Pool { size: [size; 2], stride: [2, 2] }),
        dropout: Rate::new(dropout).unwrap(),
    })
}

fn dense(units: usize, activation: Activation, l2: f32, dropout: f32) -> Layer {
    Layer::Dense(DenseLayer { units, activation, l2, dropout: Rate::new(dropout).unwrap() })
}

fn small() -> Vec<Layer> {
    vec![
        conv(5, [3, 3], true, Some(3), 0.2),
        conv(18, [2, 2], false, Some(2), 0.1),
        conv(4, [2, 1], true, None, 0.0),
        dense(7, Activation::Relu, 0.01, 0.3),
        dense(3, Activation::Linear, 0.02, 0.0),
    ]
}

const INPUT: [usize; 3] = [13, 8, 1];

/// The loss of a net in training, said plainly in `f64`; `targets` are `[n, n_classes]`, `value` finds parameters.
fn plain_loss(
    layers: &[Layer],
    x: &[f32],
    n: usize,
    targets: &[f32],
    key: u64,
    value: &dyn Fn(&str) -> Vec<f64>,
) -> f64 {
    let (mut x, mut shape, mut penalty) = (wide(x), INPUT, 0.0);
    let (mut n_conv, mut n_dense) = (0, 0);
    let mut width = shape.iter().product();
    for (index, layer) in layers.iter().enumerate() {
        let mask = |rate: Rate, len: usize| -> Vec<f64> {
            (0..n)
                .flat_map(|row| {
                    let mut ones = vec![1.0; len];
                    dropout(Isa::best(), rate, key_of(key_of(key, index), row), &mut ones);
                    wide(&ones)
                })
                .collect()
        };
        match layer {
            Layer::Conv(block) => {
                n_conv += 1;
                let [height, width_, c_in] = shape;
                let g = ConvGeometry {
                    n,
                    height,
                    width: width_,
                    c_in,
                    c_out: block.filters,
                    kernel: block.kernel,
                };
                let (kernel, bias) = (
                    value(&format!("conv_{n_conv}.kernel")),
                    value(&format!("conv_{n_conv}.bias")),
                );
                x = convolution(&g, &x, &kernel, &bias, &vec![0.0; n * g.output_len()]).output;
                x.iter_mut().for_each(|v| *v = v.max(0.0));
                if let Some(norm) = block.batch_norm {
                    let (gamma, beta) = (
                        value(&format!("batch_norm_{n_conv}.gamma")),
                        value(&format!("batch_norm_{n_conv}.beta")),
                    );
                    let c = block.filters;
                    let rows = (x.len() / c) as f64;
                    for k in 0..c {
                        let mean = x.iter().skip(k).step_by(c).sum::<f64>() / rows;
                        let variance =
                            x.iter().skip(k).step_by(c).map(|v| (v - mean).powi(2)).sum::<f64>()
                                / rows;
                        x.iter_mut().skip(k).step_by(c).for_each(|v| {
                            *v = gamma[k] * (*v - mean)
                                / (variance + f64::from(norm.epsilon)).sqrt()
                                + beta[k];
                        });
                    }
                }
                shape = [g.out_height(), g.out_width(), g.c_out];
                if let Some(Pool { size, stride }) = block.pool {
                    let p = PoolGeometry {
                        n,
                        height: shape[0],
                        width: shape[1],
                        channels: shape[2],
                        size,
                        stride,
                    };
                    x = max_pool(&p, &x).0;
                    shape = [p.out_height(), p.out_width(), p.channels];
                }
                width = shape.iter().product();
                x.iter_mut().zip(mask(block.dropout, width)).for_each(|(v, m)| *v *= m);
            }
            Layer::Dense(layer) => {
                n_dense += 1;
                let (kernel, bias) = (
                    value(&format!("dense_{n_dense}.kernel")),
                    value(&format!("dense_{n_dense}.bias")),
                );
                penalty += f64::from(layer.l2) * kernel.iter().map(|w| w * w).sum::<f64>();
                let units = layer.units;
                x = (0..n * units)
                    .map(|i| {
                        let row = &x[i / units * width..][..width];
                        bias[i % units]
                            + row
                                .iter()
                                .enumerate()
                                .map(|(k, v)| v * kernel[k * units + i % units])
                                .sum::<f64>()
                    })
                    .collect();
                if layer.activation == Activation::Relu {
                    x.iter_mut().for_each(|v| *v = v.max(0.0));
                }
                width = units;
                x.iter_mut().zip(mask(layer.dropout, width)).for_each(|(v, m)| *v *= m);
            }
        }
    }
    let cross = |(row, targets): (&[f64], &[f32])| -> f64 {
        let log_sum = row.iter().map(|z| z.exp()).sum::<f64>().ln();
        row.iter().zip(targets).map(|(z, &t)| f64::from(t) * (log_sum - z)).sum()
    };
    x.chunks(width).zip(targets.chunks(width)).map(cross).sum::<f64>() / n as f64 + penalty
}

/// A net whose optimizer stands still and whose gammas and betas are of both signs.
fn still(layers: &[Layer], max_batch: usize) -> Net {
    let mut net = Net::new(Plan::new(layers, INPUT, max_batch).unwrap(), Optimizer::adam(0.0), 5);
    for (i, tensor) in net.plan().tensors().to_vec().iter().enumerate() {
        if tensor.name.starts_with("batch_norm") && tensor.trainable
            || tensor.name.ends_with("bias")
        {
            let values = net.parameter_mut(&tensor.name).unwrap();
            let n = values.len();
            values.copy_from_slice(&random(i as u64, n));
            if tensor.name.ends_with("gamma") {
                let signs = [1.0, -1.0].into_iter().cycle();
                values.iter_mut().zip(signs).for_each(|(gamma, sign)| *gamma = sign * gamma.abs());
            }
        }
    }
    net
}

#[test]
fn loss_and_every_gradient_are_the_plain_nets() {
    let dense_only = small()[3..].to_vec();
    for (layers, n, key, is_soft) in [
        (small(), 11, 3, false),
        (small(), 1, 4, false),
        (small(), 7, 6, true),
        (dense_only, 9, 5, true),
    ] {
        let mut net = still(&layers, 16);
        let features = random(77, 20 * 104);
        let rows: Vec<usize> = (0..n).map(|i| i * 7 % 20).collect();
        let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let soft: Vec<f32> = random(key, n * 3).iter().map(|t| t.abs()).collect();
        let one_hot: Vec<f32> = (0..n * 3).map(|i| f32::from(labels[i / 3] == i % 3)).collect();
        let (rows_of_targets, targets) =
            if is_soft { (&soft[..], &soft) } else { (&[][..], &one_hot) };
        let batch = Batch { features: &features, rows: &rows, reversed: &[] };
        let given = Targets { labels: &labels, rows: rows_of_targets };
        let score = net.train_step(&batch, &given, key);

        let x: Vec<f32> =
            rows.iter().flat_map(|&row| features[row * 104..][..104].to_vec()).collect();
        let value = |name: &str| wide(net.parameter(name).unwrap());
        let loss = plain_loss(&layers, &x, n, targets, key, &value);
        assert!((score.loss - loss).abs() < 1e-5, "loss {}, plainly {loss}", score.loss);
        for tensor in net.plan().tensors().iter().filter(|tensor| tensor.trainable) {
            let gradient = net.gradient(&tensor.name).unwrap();
            // Odd, so that all channels have their turn. One example's normalisation by few values
            // magnifies rounding.
            let step = gradient.len().div_ceil(12) | 1;
            let places: Vec<usize> = (0..gradient.len()).step_by(step).collect();
            let slopes: Vec<f64> = places
                .iter()
                .map(|&place| {
                    let moved = |by: f64| {
                        let value = |name: &str| {
                            let mut values = value(name);
                            if name == tensor.name {
                                values[place] += by;
                            }
                            values
                        };
                        plain_loss(&layers, &x, n, targets, key, &value)
                    };
                    (moved(1e-6) - moved(-1e-6)) / 2e-6
                })
                .collect();
            let actual: Vec<f32> = places.iter().map(|&place| gradient[place]).collect();
            assert_close(&actual, &slopes, if n == 1 { 2e-4 } else { 5e-6 });
        }
    }
}

#[test]
fn it_learns_by_heart_and_predicts_what_it_learnt() {
    let layers = [conv(8, [3, 3], true, Some(2), 0.0), dense(3, Activation::Linear, 0.0, 0.0)];
    let mut net = Net::new(Plan::new(&layers, INPUT, 8).unwrap(), Optimizer::adam(1e-2), 1);
    let (features, rows) = (random(9, 20 * 104), (0..20).collect::<Vec<usize>>());
    let labels: Vec<usize> = (0..20).map(|i| i % 3).collect();
    for step in 0..200 {
        for (rows, labels) in rows.chunks(8).zip(labels.chunks(8)) {
            net.train_step(
                &Batch { features: &features, rows, reversed: &[] },
                &Targets::one_hot(labels),
                step,
            );
        }
    }
    let batch = Batch { features: &features, rows: &rows, reversed: &[] };
    let score = net.evaluate(&batch, &labels);
    assert_eq!(score.n_right, 20, "{score:?}");
    let mut logits = vec![0.0; 60];
    net.predict_logits(&batch, &mut logits);
    let again = softmax_cross_entropy(&logits, &Targets::one_hot(&labels), 3, &mut vec![0.0; 60]);
    assert!((again.loss - score.loss).abs() < 1e-6 && again.n_right == 20);
}

#[test]
fn inference_by_a_batchs_own_statistics_is_the_training_pass() {
    let mut layers = vec![
        conv(5, [3, 3], true, Some(3), 0.0),
        conv(18, [2, 2], true, Some(2), 0.0),
        dense(3, Activation::Linear, 0.0, 0.0),
    ];
    for layer in &mut layers {
        if let Layer::Conv(ConvBlock { batch_norm: Some(norm), .. }) = layer {
            norm.momentum = 0.0;
        }
    }
    let mut net = still(&layers, 16);
    let (features, rows, labels) =
        (random(7, 9 * 104), [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    let batch = Batch { features: &features, rows: &rows, reversed: &[] };
    let trained = net.train_step(&batch, &Targets::one_hot(&labels), 1);
    let score = net.evaluate(&batch, &labels);
    assert!((score.loss - trained.loss).abs() < 1e-6, "{score:?}, in training {trained:?}");
}
