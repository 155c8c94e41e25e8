//! The power spectrum of one windowed frame of real samples.
//!
//! A real frame of even length is transformed as half as many complex numbers. Separating the two
//! halves and squaring is one pass here, which the compiler vectorizes. Compared with `realfft`,
//! this saves about 1 us of the 3.6 us for the MFCCs of a frame of 2048.

use std::{f64::consts::TAU, fmt, sync::Arc};

use rustfft::{Fft, FftPlanner, num_complex::Complex32};

/// A plan for frames of one length.
#[derive(Clone)]
pub(super) struct Transform {
    n_fft: usize,
    /// Has length `n_fft / 2` if `n_fft` is even, otherwise `n_fft`.
    fft: Arc<dyn Fft<f32>>,
    /// `cos` and `sin` of `2 pi k / n_fft`, for k from 1 to below a quarter turn.
    cosines: Vec<f32>,
    sines: Vec<f32>,
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transform({})", self.n_fft)
    }
}

/// Buffers of a transform; they adapt to the plan that uses them.
#[derive(Debug, Clone, Default)]
pub(super) struct TransformBuffers {
    packed: Vec<Complex32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Transform {
    /// Creates a plan for frames of `n_fft` >= 1 samples.
    pub(super) fn new(n_fft: usize) -> Self {
        let is_even = n_fft.is_multiple_of(2);
        let n_complex = if is_even { n_fft / 2 } else { n_fft };
        let n_pairs = if is_even { (n_complex - 1) / 2 } else { 0 };
        let angle = |k: usize| TAU * k as f64 / n_fft as f64;
        Self {
            n_fft,
            fft: FftPlanner::new().plan_fft_forward(n_complex),
            cosines: (1..=n_pairs).map(|k| angle(k).cos() as f32).collect(),
            sines: (1..=n_pairs).map(|k| angle(k).sin() as f32).collect(),
        }
    }

    /// Computes `|X|^2` of `frame * window`, both `[n_fft]`, into `power`, `[n_fft / 2 + 1]`.
    pub(super) fn power(
        &self,
        buffers: &mut TransformBuffers,
        frame: &[f32],
        window: &[f32],
        power: &mut [f32],
    ) {
        let TransformBuffers { packed, spectrum, scratch } = buffers;
        let n_complex = self.fft.len();
        packed.resize(n_complex, Complex32::default());
        spectrum.resize(n_complex, Complex32::default());
        scratch.resize(self.fft.get_outofplace_scratch_len(), Complex32::default());
        if n_complex == self.n_fft {
            for ((number, sample), weight) in packed.iter_mut().zip(frame).zip(window) {
                *number = Complex32::new(sample * weight, 0.0);
            }
            self.fft.process_outofplace_with_scratch(packed, spectrum, scratch);
            for (power, bin) in power.iter_mut().zip(spectrum.iter()) {
                *power = bin.norm_sqr();
            }
            return;
        }
        let pairs = frame.as_chunks::<2>().0.iter().zip(window.as_chunks::<2>().0);
        for (number, (samples, weights)) in packed.iter_mut().zip(pairs) {
            *number = Complex32::new(samples[0] * weights[0], samples[1] * weights[1]);
        }
        self.fft.process_outofplace_with_scratch(packed, spectrum, scratch);
        self.unpack(spectrum, power);
    }

    /// Computes the power spectrum of real samples from the transform Z of their even and odd
    /// samples, taken as real and imaginary parts.
    ///
    /// With `E = Z[k] + conj Z[n-k]`, `O = -i (Z[k] - conj Z[n-k])` and `T = exp(-2 pi i k / n_fft) O`
    /// the bins k and n-k are `(E + T) / 2` and the conjugate of `(E - T) / 2`.
    fn unpack(&self, spectrum: &[Complex32], power: &mut [f32]) {
        let n = spectrum.len();
        let n_pairs = self.cosines.len();
        let first = spectrum[0];
        power[0] = (first.re + first.im) * (first.re + first.im);
        power[n] = (first.re - first.im) * (first.re - first.im);
        if n.is_multiple_of(2) {
            power[n / 2] = spectrum[n / 2].norm_sqr();
        }
        let low = &spectrum[1..=n_pairs];
        let high = &spectrum[n - n_pairs..];
        let (power_low, power_high) = power[1..n].split_at_mut(n_pairs);
        let n_middle = power_high.len() - n_pairs;
        let power_high = &mut power_high[n_middle..];
        // Bins are processed four at a time, from both ends, then the remaining ones in the middle.
        let (low_blocks, low_rest) = low.as_chunks::<4>();
        let (high_rest, high_blocks) = high.as_rchunks::<4>();
        let (power_low_blocks, power_low_rest) = power_low.as_chunks_mut::<4>();
        let (power_high_rest, power_high_blocks) = power_high.as_rchunks_mut::<4>();
        let (cosine_blocks, cosine_rest) = self.cosines.as_chunks::<4>();
        let (sine_blocks, sine_rest) = self.sines.as_chunks::<4>();
        let inputs = low_blocks.iter().zip(high_blocks.iter().rev());
        let turns = cosine_blocks.iter().zip(sine_blocks);
        let outputs = power_low_blocks.iter_mut().zip(power_high_blocks.iter_mut().rev());
        for (((low, high), (cosines, sines)), (power_low, power_high)) in
            inputs.zip(turns).zip(outputs)
        {
            unpack_block(low, high, cosines, sines, power_low, power_high);
        }
        for i in 0..low_rest.len() {
            let mirrored = low_rest.len() - 1 - i;
            let (mut one_low, mut one_high) = ([0.0], [0.0]);
            unpack_block(
                &[low_rest[i]],
                &[high_rest[mirrored]],
                &[cosine_rest[i]],
                &[sine_rest[i]],
                &mut one_low,
                &mut one_high,
            );
            [power_low_rest[i]] = one_low;
            [power_high_rest[mirrored]] = one_high;
        }
    }
}

/// Processes `N` bins from below and their mirror images, which are in reverse order.
#[inline]
fn unpack_block<const N: usize>(
    low: &[Complex32; N],
    high: &[Complex32; N],
    cosines: &[f32; N],
    sines: &[f32; N],
    power_low: &mut [f32; N],
    power_high: &mut [f32; N],
) {
    let low_re: [f32; N] = std::array::from_fn(|i| low[i].re);
    let low_im: [f32; N] = std::array::from_fn(|i| low[i].im);
    let high_re: [f32; N] = std::array::from_fn(|i| high[N - 1 - i].re);
    let high_im: [f32; N] = std::array::from_fn(|i| high[N - 1 - i].im);
    let mut mirrored = [0.0; N];
    for i in 0..N {
        let (even_re, even_im) = (low_re[i] + high_re[i], low_im[i] - high_im[i]);
        let (odd_re, odd_im) = (low_im[i] + high_im[i], high_re[i] - low_re[i]);
        let turned_re = cosines[i] * odd_re + sines[i] * odd_im;
        let turned_im = cosines[i] * odd_im - sines[i] * odd_re;
        let (sum_re, sum_im) = (even_re + turned_re, even_im + turned_im);
        let (rest_re, rest_im) = (even_re - turned_re, even_im - turned_im);
        power_low[i] = 0.25 * (sum_re * sum_re + sum_im * sum_im);
        mirrored[i] = 0.25 * (rest_re * rest_re + rest_im * rest_im);
    }
    mirrored.reverse();
    *power_high = mirrored;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computes the spectrum by its definition, in double precision.
    fn power_by_definition(frame: &[f32]) -> Vec<f64> {
        let n = frame.len();
        (0..=n / 2)
            .map(|k| {
                let angle = |i: usize| TAU * ((i * k) % n) as f64 / n as f64;
                let sum = |part: fn(f64) -> f64| {
                    frame.iter().enumerate().map(|(i, x)| f64::from(*x) * part(angle(i))).sum()
                };
                let (re, im): (f64, f64) = (sum(f64::cos), sum(f64::sin));
                re * re + im * im
            })
            .collect()
    }

    #[test]
    fn every_length_equals_the_definition() {
        for n_fft in [2, 3, 4, 5, 6, 7, 8, 10, 16, 30, 64, 101, 400] {
            let frame: Vec<f32> = (0..n_fft).map(|i| ((i * i * 7 + 3) % 11) as f32 - 4.5).collect();
            let window: Vec<f32> = (0..n_fft).map(|i| 1.0 + (i % 3) as f32).collect();
            let mut power = vec![0.0; n_fft / 2 + 1];
            Transform::new(n_fft).power(
                &mut TransformBuffers::default(),
                &frame,
                &window,
                &mut power,
            );
            let windowed: Vec<f32> = frame.iter().zip(&window).map(|(x, w)| x * w).collect();
            let wanted = power_by_definition(&windowed);
            let total: f64 = wanted.iter().sum();
            for (k, (got, wanted)) in power.iter().zip(&wanted).enumerate() {
                let error = (f64::from(*got) - wanted).abs();
                assert!(error < 1e-5 * total, "n_fft {n_fft}, bin {k}: {got}, {wanted}");
            }
        }
    }
}
