//! The first few coefficients of the orthonormal discrete cosine transform of type II.
//!
//! # Source
//! `scipy.fft.dct(type=2, norm="ortho")` as `librosa.feature.mfcc` uses it, with its lifter.

use std::f64::consts::PI;

use crate::vocab::dot;

/// The transform as a precomputed matrix.
///
/// Even rows of the cosine basis are symmetric and odd rows antisymmetric. Only half of each row is
/// stored, for the sums and the differences of opposite values.
#[derive(Debug, Clone)]
pub(super) struct Dct {
    n_in: usize,
    n_out: usize,
    /// `[n_out, n_half]`, row-major, with `n_half = ceil(n_in / 2)`.
    basis: Vec<f32>,
}

impl Dct {
    /// Creates the transform from `n_in` values to `n_out` coefficients, both >= 1. A `lifter`
    /// above 0 weights coefficient k (from 1) by `1 + lifter / 2 * sin(pi k / lifter)`.
    pub(super) fn new(n_in: usize, n_out: usize, lifter: f64) -> Self {
        let n = n_in as f64;
        let n_half = n_in.div_ceil(2);
        let mut basis = Vec::with_capacity(n_half * n_out);
        for k in 0..n_out {
            let norm = if k == 0 { (1.0 / n).sqrt() } else { (2.0 / n).sqrt() };
            let weight = if lifter > 0.0 {
                1.0 + lifter / 2.0 * (PI * (k + 1) as f64 / lifter).sin()
            } else {
                1.0
            };
            // The angle is reduced modulo a full turn in integers, which is exact for any k.
            let angle = |i: usize| PI * ((k * (2 * i + 1)) % (4 * n_in)) as f64 / (2.0 * n);
            basis.extend((0..n_half).map(|i| (weight * norm * angle(i).cos()) as f32));
        }
        Self { n_in, n_out, basis }
    }

    /// Returns the number of coefficients.
    pub(super) fn n_out(&self) -> usize {
        self.n_out
    }

    /// Computes `coefficients = basis * values`, from `[n_in]` to `[n_out]`. `folded` is a buffer.
    pub(super) fn apply(&self, folded: &mut Vec<f32>, values: &[f32], coefficients: &mut [f32]) {
        let n_half = self.n_in.div_ceil(2);
        folded.resize(2 * n_half, 0.0);
        let (sums, differences) = folded.split_at_mut(n_half);
        let opposite = values.iter().zip(values.iter().rev());
        for ((sum, difference), (a, b)) in sums.iter_mut().zip(&mut *differences).zip(opposite) {
            *sum = a + b;
            *difference = a - b;
        }
        if self.n_in % 2 == 1 {
            // The middle value is its own opposite and counts once.
            sums[n_half - 1] = values[n_half - 1];
        }
        let rows = self.basis.chunks_exact(n_half);
        for (k, (coefficient, row)) in coefficients.iter_mut().zip(rows).enumerate() {
            *coefficient = dot(row, if k % 2 == 0 { sums } else { differences });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transform(values: &[f32], n_out: usize, lifter: f64) -> Vec<f32> {
        let mut coefficients = vec![0.0; n_out];
        Dct::new(values.len(), n_out, lifter).apply(&mut Vec::new(), values, &mut coefficients);
        coefficients
    }

    #[test]
    fn a_constant_has_only_the_first_coefficient() {
        let coefficients = transform(&[3.0; 4], 4, 0.0);
        assert!((coefficients[0] - 6.0).abs() < 1e-6);
        assert!(coefficients[1..].iter().all(|c| c.abs() < 1e-6), "{coefficients:?}");
    }

    #[test]
    fn the_transform_keeps_the_energy() {
        let values = [1.0, -2.0, 0.5, 4.0, 0.0, 1.5];
        let energy = |values: &[f32]| values.iter().map(|v| v * v).sum::<f32>();
        assert!((energy(&transform(&values, 6, 0.0)) - energy(&values)).abs() < 1e-5);
    }

    #[test]
    fn an_odd_number_of_values_counts_the_middle_once() {
        // For 1, 2, 4, the definition gives sqrt(1/3) * 7, sqrt(2/3) * (cos 30 - 4 cos 30) and
        // sqrt(2/3) * (cos 60 - 2 + 4 cos 60).
        let wanted = [4.041_452, -2.121_32, 0.408_248];
        for (got, wanted) in transform(&[1.0, 2.0, 4.0], 3, 0.0).iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-5, "{got}, {wanted}");
        }
    }

    #[test]
    fn the_lifter_weights_each_coefficient() {
        let values = [1.0, -2.0, 0.5, 4.0];
        let (plain, liftered) = (transform(&values, 2, 0.0), transform(&values, 2, 22.0));
        for (k, (a, b)) in plain.iter().zip(&liftered).enumerate() {
            let weight = 1.0 + 11.0 * (PI * (k + 1) as f64 / 22.0).sin();
            assert!((f64::from(*a) * weight - f64::from(*b)).abs() < 1e-5);
        }
    }
}
