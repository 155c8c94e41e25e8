//! Batch normalization over all axes except the channels.
//!
//! # Source
//! Ioffe and Szegedy, "Batch Normalization", 2015; epsilon, momentum and the biased variance as in Keras 3's
//! `BatchNormalization`. The gradient of `x` is `gamma * inverse * (d - mean(d) - x_hat * mean(d * x_hat))`.

use crate::kernels::isa::{Isa, Level, Work, fma};
use crate::kernels::pooling::Slopes;
use crate::kernels::product::lanes;

/// Number of rows that are summed in `f32` before they are added to an `f64` sum.
const ROWS_IN_F32: usize = 32;

/// Each channel's mean, variance and scale.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Mean.
    pub mean: Vec<f32>,
    /// Biased variance.
    pub variance: Vec<f32>,
    /// `1 / sqrt(variance + epsilon)`.
    pub inverse: Vec<f32>,
}

impl Statistics {
    /// Sets the statistics from a batch's [`add_sums`] over `n_rows` rows.
    pub fn set_from_sums(&mut self, sums: &[f64], n_rows: usize, epsilon: f32) {
        let (first, second) = sums.split_at(sums.len() / 2);
        let mean = |i: usize| first[i] / n_rows as f64;
        let variance = |i: usize| (second[i] / n_rows as f64 - mean(i) * mean(i)).max(0.0);
        fill(&mut self.mean, first.len(), |i| mean(i) as f32);
        fill(&mut self.variance, first.len(), |i| variance(i) as f32);
        fill(&mut self.inverse, first.len(), |i| {
            (1.0 / (variance(i) + f64::from(epsilon)).sqrt()) as f32
        });
    }

    /// Sets the statistics to the moving ones, for inference.
    pub fn set_from_moving(&mut self, mean: &[f32], variance: &[f32], epsilon: f32) {
        fill(&mut self.mean, mean.len(), |i| mean[i]);
        fill(&mut self.variance, mean.len(), |i| variance[i]);
        fill(&mut self.inverse, mean.len(), |i| 1.0 / (variance[i] + epsilon).sqrt());
    }

    /// Updates `moving = momentum * moving + (1 - momentum) * batch`, for mean and variance.
    pub fn update_moving(&self, momentum: f32, mean: &mut [f32], variance: &mut [f32]) {
        for (moving, batch) in [(mean, &self.mean), (variance, &self.variance)] {
            for (moving, &batch) in moving.iter_mut().zip(batch) {
                *moving = momentum * *moving + (1.0 - momentum) * batch;
            }
        }
    }

    /// Expresses the normalization as one line per channel.
    pub fn line(&self, gamma: &[f32], beta: &[f32], line: &mut Line) {
        fill(&mut line.scale, gamma.len(), |i| gamma[i] * self.inverse[i]);
        fill(&mut line.shift, gamma.len(), |i| {
            beta[i] - self.mean[i] * (gamma[i] * self.inverse[i])
        });
    }

    /// Expresses the backward pass as one line per channel, from [`add_gradient_sums`] over a batch
    /// of `n_rows` rows.
    pub fn slopes(&self, gamma: &[f32], sums: &[f64], n_rows: usize, slopes: &mut Slopes) {
        let (of_d, of_d_x_hat) = sums.split_at(sums.len() / 2);
        let n = n_rows as f64;
        let a = |i: usize| f64::from(gamma[i]) * f64::from(self.inverse[i]);
        let c = |i: usize| -a(i) * f64::from(self.inverse[i]) * of_d_x_hat[i] / n;
        fill(&mut slopes.a, gamma.len(), |i| a(i) as f32);
        fill(&mut slopes.b, gamma.len(), |i| {
            (-a(i) * of_d[i] / n - c(i) * f64::from(self.mean[i])) as f32
        });
        fill(&mut slopes.c, gamma.len(), |i| c(i) as f32);
    }
}

/// The function `scale * x + shift` of every channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// Factors.
    pub scale: Vec<f32>,
    /// Constants.
    pub shift: Vec<f32>,
}

fn fill(values: &mut Vec<f32>, n: usize, value: impl Fn(usize) -> f32) {
    values.clear();
    values.extend((0..n).map(value));
}

/// Adds each channel's sum of `x` and of `x^2` to `sums` (`[2, n_channels]`). `x` is
/// `[n_rows, n_channels]`.
pub fn add_sums(isa: Isa, x: &[f32], sums: &mut [f64]) {
    isa.run(Sums { x, d: None, sums });
}

/// Adds each channel's sum of `d` and of `d * x_hat` to `sums` (`[2, n_channels]`). These are the
/// gradients of beta and gamma, and the gradient of `x` needs nothing else.
pub fn add_gradient_sums(
    isa: Isa,
    d: &[f32],
    x: &[f32],
    statistics: &Statistics,
    sums: &mut [f64],
) {
    assert_eq!(d.len(), x.len(), "a gradient for each value");
    isa.run(Sums { x, d: Some((d, statistics)), sums });
}

/// Computes `out = scale * x + shift`.
pub fn apply(isa: Isa, line: &Line, x: &[f32], out: &mut [f32]) {
    isa.run(Apply { line, x, out });
}

/// Computes the gradient of `x`, `d_x = a * d + b + c * x` by the [`Slopes`] of its channel, or adds it
/// to `d_x` if `adds`.
pub fn propagate(isa: Isa, slopes: &Slopes, (x, d): (&[f32], &[f32]), adds: bool, d_x: &mut [f32]) {
    isa.run(Propagate { slopes, x, d, adds, d_x });
}

struct Propagate<'a> {
    slopes: &'a Slopes,
    x: &'a [f32],
    d: &'a [f32],
    adds: bool,
    d_x: &'a mut [f32],
}

impl Work for Propagate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.slopes.a.len();
        channel_blocks!(n, |channel, LANES| {
            let a: [f32; LANES] = lanes(&self.slopes.a, channel);
            let b: [f32; LANES] = lanes(&self.slopes.b, channel);
            let c: [f32; LANES] = lanes(&self.slopes.c, channel);
            let rows = self.x.chunks_exact(n).zip(self.d.chunks_exact(n));
            for (d_x, (x, d)) in self.d_x.chunks_exact_mut(n).zip(rows) {
                let (x, d): ([f32; LANES], [f32; LANES]) = (lanes(x, channel), lanes(d, channel));
                let mut sum: [f32; LANES] =
                    if self.adds { lanes(d_x, channel) } else { [0.0; LANES] };
                for lane in 0..LANES {
                    sum[lane] += fma::<L>(a[lane], d[lane], fma::<L>(c[lane], x[lane], b[lane]));
                }
                d_x[channel..][..LANES].copy_from_slice(&sum);
            }
        });
    }
}

struct Sums<'a> {
    x: &'a [f32],
    d: Option<(&'a [f32], &'a Statistics)>,
    sums: &'a mut [f64],
}

impl Work for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n_channels = self.sums.len() / 2;
        channel_blocks!(n_channels, |channel, LANES| {
            let (mut first, mut second) = ([0.0_f64; LANES], [0.0_f64; LANES]);
            for start in (0..self.x.len()).step_by(ROWS_IN_F32 * n_channels) {
                let end = self.x.len().min(start + ROWS_IN_F32 * n_channels);
                let x = &self.x[start..end];
                let (one, two): ([f32; LANES], [f32; LANES]) = match self.d {
                    None => squares::<L, LANES>(x, n_channels, channel),
                    Some((d, statistics)) => {
                        products::<L, LANES>(x, &d[start..end], statistics, n_channels, channel)
                    }
                };
                for lane in 0..LANES {
                    first[lane] += f64::from(one[lane]);
                    second[lane] += f64::from(two[lane]);
                }
            }
            for lane in 0..LANES {
                self.sums[channel + lane] += first[lane];
                self.sums[n_channels + channel + lane] += second[lane];
            }
        });
    }
}

#[inline(always)]
fn squares<L: Level, const LANES: usize>(
    x: &[f32],
    n_channels: usize,
    channel: usize,
) -> ([f32; LANES], [f32; LANES]) {
    let (mut one, mut two) = ([0.0; LANES], [0.0; LANES]);
    for x in x.chunks_exact(n_channels) {
        let x: [f32; LANES] = lanes(x, channel);
        for lane in 0..LANES {
            one[lane] += x[lane];
            two[lane] = fma::<L>(x[lane], x[lane], two[lane]);
        }
    }
    (one, two)
}

#[inline(always)]
fn products<L: Level, const LANES: usize>(
    x: &[f32],
    d: &[f32],
    statistics: &Statistics,
    n_channels: usize,
    channel: usize,
) -> ([f32; LANES], [f32; LANES]) {
    let mean: [f32; LANES] = lanes(&statistics.mean, channel);
    let inverse: [f32; LANES] = lanes(&statistics.inverse, channel);
    let (mut one, mut two) = ([0.0; LANES], [0.0; LANES]);
    for (x, d) in x.chunks_exact(n_channels).zip(d.chunks_exact(n_channels)) {
        let (x, d): ([f32; LANES], [f32; LANES]) = (lanes(x, channel), lanes(d, channel));
        for lane in 0..LANES {
            one[lane] += d[lane];
            two[lane] = fma::<L>(d[lane], (x[lane] - mean[lane]) * inverse[lane], two[lane]);
        }
    }
    (one, two)
}

struct Apply<'a> {
    line: &'a Line,
    x: &'a [f32],
    out: &'a mut [f32],
}

impl Work for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.line.scale.len();
        channel_blocks!(n, |channel, LANES| {
            let scale: [f32; LANES] = lanes(&self.line.scale, channel);
            let shift: [f32; LANES] = lanes(&self.line.shift, channel);
            for (out, x) in self.out.chunks_exact_mut(n).zip(self.x.chunks_exact(n)) {
                let x: [f32; LANES] = lanes(x, channel);
                let mut y = [0.0; LANES];
                for lane in 0..LANES {
                    y[lane] = fma::<L>(x[lane], scale[lane], shift[lane]);
                }
                out[channel..][..LANES].copy_from_slice(&y);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, random, wide};
    use proptest::prelude::*;

    const EPSILON: f32 = 1e-3;

    /// Normalizes a batch by its own statistics and returns them. `x` and `out` are
    /// `[n_rows, n_channels]`.
    fn batch_norm_forward(
        x: &[f32],
        gamma: &[f32],
        beta: &[f32],
        epsilon: f32,
        out: &mut [f32],
    ) -> Statistics {
        let isa = Isa::best();
        let mut sums = vec![0.0; 2 * gamma.len()];
        let (mut statistics, mut line) = (Statistics::default(), Line::default());
        add_sums(isa, x, &mut sums);
        statistics.set_from_sums(&sums, x.len() / gamma.len(), epsilon);
        statistics.line(gamma, beta, &mut line);
        apply(isa, &line, x, out);
        statistics
    }

    /// Runs the backward pass of [`batch_norm_forward`]: fills `d_x` and returns the gradients of
    /// gamma and beta.
    fn batch_norm_backward(
        x: &[f32],
        gamma: &[f32],
        statistics: &Statistics,
        d_out: &[f32],
        d_x: &mut [f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let isa = Isa::best();
        let n = gamma.len();
        let mut sums = vec![0.0; 2 * n];
        add_gradient_sums(isa, d_out, x, statistics, &mut sums);
        let mut slopes = Slopes::default();
        statistics.slopes(gamma, &sums, x.len() / n, &mut slopes);
        for ((d_x, x), d) in
            d_x.chunks_exact_mut(n).zip(x.chunks_exact(n)).zip(d_out.chunks_exact(n))
        {
            for i in 0..n {
                d_x[i] = slopes.a[i] * d[i] + slopes.b[i] + slopes.c[i] * x[i];
            }
        }
        let narrow = |sums: &[f64]| sums.iter().map(|&sum| sum as f32).collect();
        (narrow(&sums[n..]), narrow(&sums[..n]))
    }

    fn plain(x: &[f64], gamma: &[f64], beta: &[f64]) -> Vec<f64> {
        let n = gamma.len();
        let rows = (x.len() / n) as f64;
        (0..x.len())
            .map(|i| {
                let column = || x.iter().skip(i % n).step_by(n);
                let mean = column().sum::<f64>() / rows;
                let variance = column().map(|v| (v - mean).powi(2)).sum::<f64>() / rows;
                gamma[i % n] * (x[i] - mean) / (variance + f64::from(EPSILON)).sqrt() + beta[i % n]
            })
            .collect()
    }

    #[test]
    fn two_rows_of_one_channel_become_plus_and_minus_one() {
        let mut out = [0.0; 2];
        let statistics = batch_norm_forward(&[1.0, 5.0], &[1.0], &[10.0], 0.0, &mut out);
        assert_eq!((out, statistics.mean[0], statistics.variance[0]), ([9.0, 11.0], 3.0, 4.0));
        let (mut mean, mut variance) = ([0.0], [1.0]);
        statistics.update_moving(0.75, &mut mean, &mut variance);
        assert_eq!((mean, variance), ([0.75], [1.75]));
    }

    #[test]
    fn a_far_mean_keeps_its_variance() {
        let x: Vec<f32> = (0..4096).map(|i| 300.0 + (i % 2) as f32).collect();
        let statistics = batch_norm_forward(&x, &[1.0], &[0.0], EPSILON, &mut vec![0.0; 4096]);
        assert!((statistics.variance[0] - 0.25).abs() < 0.01, "{}", statistics.variance[0]);
    }

    proptest! {
        #[test]
        fn values_and_gradients_are_the_plain_ones(rows in 1_usize..70, n in 1_usize..24, key: u64) {
            let x = random(key, rows * n);
            let (gamma, beta, d) = (random(key ^ 1, n), random(key ^ 2, n), random(key ^ 3, rows * n));
            let mut out = vec![0.0; x.len()];
            let statistics = batch_norm_forward(&x, &gamma, &beta, EPSILON, &mut out);
            let (x64, gamma64, beta64, d64) = (wide(&x), wide(&gamma), wide(&beta), wide(&d));
            assert_close(&out, &plain(&x64, &gamma64, &beta64), 1e-4);

            let mut d_x = vec![0.0; x.len()];
            let (d_gamma, d_beta) = batch_norm_backward(&x, &gamma, &statistics, &d, &mut d_x);
            let loss = |x: &[f64], gamma: &[f64], beta: &[f64]| -> f64 {
                plain(x, gamma, beta).iter().zip(&d64).map(|(out, d)| out * d).sum()
            };
            let slope = |values: &[f64], i: usize, f: &dyn Fn(&[f64]) -> f64| {
                let moved = |by: f64| { let mut v = values.to_vec(); v[i] += by; f(&v) };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            };
            for i in [0, x.len() / 2, x.len() - 1] {
                let expected = slope(&x64, i, &|v| loss(v, &gamma64, &beta64));
                assert_close(&d_x[i..=i], &[expected], 2e-3);
            }
            for i in 0..n {
                assert_close(&d_gamma[i..=i], &[slope(&gamma64, i, &|v| loss(&x64, v, &beta64))], 1e-3);
                assert_close(&d_beta[i..=i], &[slope(&beta64, i, &|v| loss(&x64, &gamma64, v))], 1e-3);
            }
        }
    }
}
