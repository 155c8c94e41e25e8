//! Pooling of a whole image into one row: the mean, the largest value or a weighted mean of each
//! channel over all positions.

use crate::kernels::isa::{Isa, Level, Work, fma};
use crate::kernels::product::lanes;

/// Computes each channel's mean over the positions of `x`, `[n_positions, n_channels]`.
pub fn mean(isa: Isa, x: &[f32], out: &mut [f32]) {
    let share = 1.0 / (x.len() / out.len()) as f32;
    isa.run(Weighted { x, weight: |_| share, out });
}

/// Computes `out = sum weights[position] x[position]`.
pub fn weighted(isa: Isa, x: &[f32], weights: &[f32], out: &mut [f32]) {
    isa.run(Weighted { x, weight: |position: usize| weights[position], out });
}

/// Adds `weights[position] * d`, the backward pass of [`weighted`] and [`mean`], to `d_x`.
pub fn spread(isa: Isa, d: &[f32], weight: impl Fn(usize) -> f32, d_x: &mut [f32]) {
    isa.run(Spread { d, weight, d_x });
}

/// Computes each channel's largest value and its position; the first one wins a tie.
pub fn max(x: &[f32], out: &mut [f32], winners: &mut [u32]) {
    let n = out.len();
    out.copy_from_slice(&x[..n]);
    winners.fill(0);
    for (position, row) in x.chunks_exact(n).enumerate().skip(1) {
        for ((best, winner), &value) in out.iter_mut().zip(&mut *winners).zip(row) {
            if value > *best {
                *best = value;
                *winner = position as u32;
            }
        }
    }
}

/// Adds the backward pass of [`max`] to `d_x`.
pub fn max_backward(d: &[f32], winners: &[u32], d_x: &mut [f32]) {
    for (channel, (&winner, &d)) in winners.iter().zip(d).enumerate() {
        d_x[winner as usize * winners.len() + channel] += d;
    }
}

/// Computes the shares of attention of the positions of `x`: softmax of each position's product with
/// `kernel`, a number for each channel.
pub fn shares(x: &[f32], kernel: &[f32], shares: &mut [f32]) {
    for (share, row) in shares.iter_mut().zip(x.chunks_exact(kernel.len())) {
        *share = product(row, kernel);
    }
    let largest = shares.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for share in &mut *shares {
        let exponential = libm::exp(f64::from(*share - largest));
        *share = exponential as f32;
        sum += exponential;
    }
    let scale = (1.0 / sum) as f32;
    shares.iter_mut().for_each(|share| *share *= scale);
}

/// Adds to `d_x` and `d_kernel` the backward pass of the [`weighted`] mean by [`shares`]. `slopes` is
/// space for a number per position.
pub fn attention_backward(
    isa: Isa,
    (x, kernel, shares): (&[f32], &[f32], &[f32]),
    d: &[f32],
    slopes: &mut [f32],
    (d_x, d_kernel): (&mut [f32], &mut [f32]),
) {
    let n = kernel.len();
    for (slope, row) in slopes.iter_mut().zip(x.chunks_exact(n)) {
        *slope = product(row, d);
    }
    let mean: f64 = shares.iter().zip(&*slopes).map(|(a, s)| f64::from(*a) * f64::from(*s)).sum();
    for (slope, share) in slopes.iter_mut().zip(shares) {
        *slope = share * (*slope - mean as f32);
    }
    spread(isa, d, |position| shares[position], d_x);
    spread(isa, kernel, |position| slopes[position], d_x);
    for (row, &slope) in x.chunks_exact(n).zip(&*slopes) {
        d_kernel.iter_mut().zip(row).for_each(|(d, x)| *d += slope * x);
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() as f32
}

struct Weighted<'a, W: Fn(usize) -> f32> {
    x: &'a [f32],
    weight: W,
    out: &'a mut [f32],
}

impl<W: Fn(usize) -> f32> Work for Weighted<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        let n = self.out.len();
        channel_blocks!(n, |channel, LANES| {
            let mut sum = [0.0; LANES];
            for (position, row) in self.x.chunks_exact(n).enumerate() {
                let (x, weight): ([f32; LANES], f32) =
                    (lanes(row, channel), (self.weight)(position));
                for lane in 0..LANES {
                    sum[lane] = fma::<L>(weight, x[lane], sum[lane]);
                }
            }
            self.out[channel..][..LANES].copy_from_slice(&sum);
        });
    }
}

struct Spread<'a, W: Fn(usize) -> f32> {
    d: &'a [f32],
    weight: W,
    d_x: &'a mut [f32],
}

impl<W: Fn(usize) -> f32> Work for Spread<'_, W> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(self) {
        for (position, row) in self.d_x.chunks_exact_mut(self.d.len()).enumerate() {
            let weight = (self.weight)(position);
            for (d_x, &d) in row.iter_mut().zip(self.d) {
                *d_x = fma::<L>(weight, d, *d_x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, dot, random, slope, wide};
    use proptest::prelude::*;

    fn plain_shares(x: &[f64], kernel: &[f64]) -> Vec<f64> {
        let scores: Vec<f64> = x.chunks(kernel.len()).map(|row| dot(row, kernel).exp()).collect();
        let sum: f64 = scores.iter().sum();
        scores.iter().map(|score| score / sum).collect()
    }

    fn plain_attention(x: &[f64], kernel: &[f64]) -> Vec<f64> {
        let shares = plain_shares(x, kernel);
        let of_channel = |c: usize| {
            x.chunks(kernel.len()).zip(&shares).map(|(row, share)| share * row[c]).sum::<f64>()
        };
        (0..kernel.len()).map(of_channel).collect()
    }

    proptest! {
        #[test]
        fn values_and_gradients_are_the_plain_ones(n in 1_usize..20, n_channels in 1_usize..40, key: u64) {
            let (x, kernel, d) = (random(key, n * n_channels), random(key ^ 1, n_channels), random(key ^ 2, n_channels));
            let (x64, kernel64, d64) = (wide(&x), wide(&kernel), wide(&d));
            for isa in Isa::available() {
                let mut out = vec![0.0; n_channels];
                mean(isa, &x, &mut out);
                let of = |c: usize| x64.iter().skip(c).step_by(n_channels);
                assert_close(&out, &(0..n_channels).map(|c| of(c).sum::<f64>() / n as f64).collect::<Vec<_>>(), 1e-5);

                let mut winners = vec![9; n_channels];
                max(&x, &mut out, &mut winners);
                assert_close(&out, &(0..n_channels).map(|c| of(c).copied().fold(f64::MIN, f64::max)).collect::<Vec<_>>(), 1e-7);
                let mut d_x = vec![0.5; x.len()];
                max_backward(&d, &winners, &mut d_x);
                for c in 0..n_channels {
                    let sum: f64 = d_x.iter().skip(c).step_by(n_channels).map(|d| f64::from(*d) - 0.5).sum();
                    prop_assert!((sum - d64[c]).abs() < 1e-5);
                    prop_assert_eq!(x[winners[c] as usize * n_channels + c], out[c]);
                }

                let mut part = vec![0.0; n];
                shares(&x, &kernel, &mut part);
                assert_close(&part, &plain_shares(&x64, &kernel64), 1e-5);
                weighted(isa, &x, &part, &mut out);
                assert_close(&out, &plain_attention(&x64, &kernel64), 1e-5);
                let (mut d_x, mut d_kernel) = (vec![0.5; x.len()], vec![0.25; n_channels]);
                attention_backward(isa, (&x, &kernel, &part), &d, &mut vec![0.0; n], (&mut d_x, &mut d_kernel));
                for i in [0, x.len() / 2, x.len() - 1] {
                    let expected = 0.5 + slope(&x64, i, 1e-5, &|x| dot(&plain_attention(x, &kernel64), &d64));
                    assert_close(&d_x[i..=i], &[expected], 1e-4);
                }
                for c in 0..n_channels {
                    let expected = 0.25 + slope(&kernel64, c, 1e-5, &|kernel| dot(&plain_attention(&x64, kernel), &d64));
                    assert_close(&d_kernel[c..=c], &[expected], 1e-4);
                }
            }
        }
    }
}
