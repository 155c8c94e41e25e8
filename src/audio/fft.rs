//! The power spectrum of one windowed frame of real samples.

use std::{fmt, sync::Arc};

use realfft::{RealFftPlanner, RealToComplex, num_complex::Complex32};

/// A plan for frames of one length.
#[derive(Clone)]
pub(super) struct Transform {
    fft: Arc<dyn RealToComplex<f32>>,
}

impl fmt::Debug for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transform({})", self.fft.len())
    }
}

/// What a transform needs; fits itself to the plan that uses it.
#[derive(Debug, Clone, Default)]
pub(super) struct TransformBuffers {
    windowed: Vec<f32>,
    spectrum: Vec<Complex32>,
    scratch: Vec<Complex32>,
}

impl Transform {
    /// A plan for frames of `n_fft` >= 1 samples.
    pub(super) fn new(n_fft: usize) -> Self {
        Self { fft: RealFftPlanner::new().plan_fft_forward(n_fft) }
    }

    /// Writes `|X|^2` of `frame * window`, both `[n_fft]`, to `power`, `[n_fft / 2 + 1]`.
    pub(super) fn power(
        &self,
        buffers: &mut TransformBuffers,
        frame: &[f32],
        window: &[f32],
        power: &mut [f32],
    ) {
        let TransformBuffers { windowed, spectrum, scratch } = buffers;
        windowed.clear();
        windowed.extend(frame.iter().zip(window).map(|(sample, weight)| sample * weight));
        spectrum.resize(self.fft.complex_len(), Complex32::default());
        scratch.resize(self.fft.get_scratch_len(), Complex32::default());
        self.fft
            .process_with_scratch(windowed, spectrum, scratch)
            .expect("all three buffers were just given the plan's lengths");
        for (power, bin) in power.iter_mut().zip(spectrum.iter()) {
            *power = bin.norm_sqr();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    /// The definition, in double precision.
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
