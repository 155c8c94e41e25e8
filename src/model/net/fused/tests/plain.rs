//! A whole net, layer by layer, in simple `f64` code.

use super::super::super::engine::DropoutKey;
use super::*;
use crate::kernels::dropout::{Rate, dropout};
use crate::kernels::geometry::{ConvGeometry, PoolGeometry};
use crate::kernels::reference::{convolution, dot, max_pool};

/// A parameter's values, by its index.
pub(super) type Values<'a> = &'a dyn Fn(usize) -> Vec<f64>;

/// Computes the training loss of a net; `targets` are `[n, n_classes]`.
pub(super) fn plain_loss(
    net: &Net,
    batch: &Batch,
    targets: &[f32],
    key: DropoutKey,
    value: Values<'_>,
) -> f64 {
    let n = batch.n;
    let input = wide(&batch.inputs);
    let (mut given, mut penalty): (Vec<Vec<f64>>, f64) = (vec![], 0.0);
    for (layer, unit) in net.layers.iter().zip(net.dropout_units()) {
        let of = |from: Option<usize>| from.map_or(&input, |at| &given[at]).clone();
        let mut x = of(given.len().checked_sub(1));
        let part = |part: usize| value(layer.first + part);
        let ([height, width, channels], len): (_, usize) =
            (layer.input, layer.input.iter().product());
        match layer.kind {
            Kind::Conv { .. } => {
                let g = ConvGeometry { n, ..layer.kind.geometry(layer.input).unwrap() };
                let unused = vec![0.0; n * g.output_len()];
                x = convolution(&g, &x, &part(0), &part(1), &unused).output;
            }
            Kind::DepthwiseConv { .. } => {
                let g = ConvGeometry { n, ..layer.kind.geometry(layer.input).unwrap() };
                let one = ConvGeometry { c_in: 1, c_out: 1, stored: [1; 2], ..g };
                let mut all = vec![0.0; n * g.output_len()];
                for c in 0..channels {
                    let of_channel = |values: &[f64]| {
                        values.iter().skip(c).step_by(channels).copied().collect::<Vec<_>>()
                    };
                    let (kernel, bias) = (of_channel(&part(0)), [part(1)[c]]);
                    let unused = vec![0.0; n * one.output_len()];
                    let out = convolution(&one, &of_channel(&x), &kernel, &bias, &unused).output;
                    all.iter_mut().skip(c).step_by(channels).zip(out).for_each(|(a, o)| *a = o);
                }
                x = all;
            }
            Kind::Relu => x.iter_mut().for_each(|v| *v = v.max(0.0)),
            Kind::Gelu => x.iter_mut().for_each(|v| *v *= 0.5 * libm::erfc(-*v * 0.5_f64.sqrt())),
            Kind::Silu => x.iter_mut().for_each(|v| *v /= 1.0 + (-*v).exp()),
            Kind::BatchNorm(norm) => {
                normalize(&mut x, channels, norm.epsilon, (&part(0), &part(1)));
            }
            Kind::BandNorm(norm) => {
                let bands = width * channels;
                normalize(&mut x, bands, norm.epsilon, (&vec![1.0; bands], &vec![0.0; bands]));
            }
            Kind::MaxPool { size, stride } => {
                x = max_pool(&PoolGeometry { n, height, width, channels, size, stride }, &x).0;
            }
            Kind::AveragePool { size, stride } => {
                x = mean_pool(&PoolGeometry { n, height, width, channels, size, stride }, &x);
            }
            Kind::Dropout { rate } => {
                let rate = Rate::new(rate as f32).unwrap();
                for (row, x) in x.chunks_mut(len).enumerate() {
                    let mut ones = vec![1.0; len];
                    dropout(Isa::best(), rate, key.example(unit, row), &mut ones);
                    x.iter_mut().zip(wide(&ones)).for_each(|(v, m)| *v *= m);
                }
            }
            Kind::Summarize { by } => {
                let kernel = if by == Summary::Attention { part(0) } else { vec![] };
                let rows = x.chunks(len).map(|x| summary(x, channels, by, &kernel));
                x = rows.collect::<Vec<_>>().concat();
            }
            Kind::Branch { from } => x = of(from),
            Kind::Add { from } => x.iter_mut().zip(of(from)).for_each(|(x, more)| *x += more),
            Kind::Fold | Kind::Flatten => {}
            Kind::Dense { units, l2 } => {
                let (kernel, bias) = (part(0), part(1));
                penalty += l2 * kernel.iter().map(|w| w * w).sum::<f64>();
                let product = |i: usize| {
                    let row = x[i / units * len..][..len].iter().enumerate();
                    bias[i % units]
                        + row.map(|(k, v)| v * kernel[k * units + i % units]).sum::<f64>()
                };
                x = (0..n * units).map(product).collect();
            }
        }
        given.push(x);
    }
    let cross = |(row, targets): (&[f64], &[f32])| -> f64 {
        let log_sum = row.iter().map(|z| z.exp()).sum::<f64>().ln();
        row.iter().zip(targets).map(|(z, &t)| f64::from(t) * (log_sum - z)).sum()
    };
    let (n_classes, x) = (net.n_outputs(), given.pop().unwrap());
    x.chunks(n_classes).zip(targets.chunks(n_classes)).map(cross).sum::<f64>() / n as f64 + penalty
}

fn normalize(x: &mut [f64], channels: usize, epsilon: f64, (gamma, beta): (&[f64], &[f64])) {
    let rows = (x.len() / channels) as f64;
    for k in 0..channels {
        let of_channel = || x.iter().skip(k).step_by(channels);
        let mean = of_channel().sum::<f64>() / rows;
        let variance = of_channel().map(|v| (v - mean).powi(2)).sum::<f64>() / rows;
        x.iter_mut().skip(k).step_by(channels).for_each(|v| {
            *v = gamma[k] * (*v - mean) / (variance + epsilon).sqrt() + beta[k];
        });
    }
}

fn mean_pool(g: &PoolGeometry, x: &[f64]) -> Vec<f64> {
    let ([top, left], mut means) = (g.before(), vec![]);
    for image in x.chunks(g.input_len()) {
        for (row, column) in
            (0..g.out_height()).flat_map(|row| (0..g.out_width()).map(move |column| (row, column)))
        {
            let rows = (row * g.stride[0]..row * g.stride[0] + g.size[0])
                .filter(|y| (top..top + g.height).contains(y));
            let cells: Vec<usize> = rows
                .flat_map(|y| {
                    (column * g.stride[1]..column * g.stride[1] + g.size[1])
                        .filter(|x| (left..left + g.width).contains(x))
                        .map(move |x| (y - top) * g.width + x - left)
                })
                .collect();
            means.extend((0..g.channels).map(|c| {
                cells.iter().map(|cell| image[cell * g.channels + c]).sum::<f64>()
                    / cells.len() as f64
            }));
        }
    }
    means
}

fn summary(x: &[f64], channels: usize, by: Summary, kernel: &[f64]) -> Vec<f64> {
    let of = |c: usize| x.iter().skip(c).step_by(channels).copied();
    let n = (x.len() / channels) as f64;
    let means = || (0..channels).map(|c| of(c).sum::<f64>() / n).collect::<Vec<_>>();
    let largest = || (0..channels).map(|c| of(c).fold(f64::MIN, f64::max)).collect::<Vec<_>>();
    match by {
        Summary::Mean => means(),
        Summary::Max => largest(),
        Summary::MeanMax => [means(), largest()].concat(),
        Summary::Attention => {
            let scores: Vec<f64> = x.chunks(channels).map(|row| dot(row, kernel).exp()).collect();
            let sum: f64 = scores.iter().sum();
            let share = |c: usize| of(c).zip(&scores).map(|(x, score)| x * score / sum).sum();
            (0..channels).map(share).collect()
        }
    }
}
