//! One Gaussian of each song's frames, compared by the symmetric Kullback-Leibler divergence: the usual
//! baseline of music similarity.
//!
//! # Source
//! Mandel and Ellis, "Song-level features and support vector machines for music classification", ISMIR
//! 2005.

/// A Gaussian with a full covariance.
#[derive(Debug, Clone)]
pub struct Gaussian {
    mean: Vec<f64>,
    /// `[width, width]`.
    covariance: Vec<f64>,
    inverse: Vec<f64>,
}

impl Gaussian {
    /// Fits a Gaussian to frames, `[n_frames, width]`. A little is added to the variances of frames that
    /// do not vary in every direction.
    ///
    /// # Panics
    /// If there is no frame.
    #[must_use]
    pub fn fit(frames: &[f32], width: usize) -> Self {
        let n = (frames.len() / width) as f64;
        assert!(n > 0.0, "a Gaussian needs a frame");
        let mut mean = vec![0.0; width];
        for frame in frames.chunks_exact(width) {
            mean.iter_mut().zip(frame).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut covariance = vec![0.0; width * width];
        let mut centered = vec![0.0; width];
        for frame in frames.chunks_exact(width) {
            for ((to, value), mean) in centered.iter_mut().zip(frame).zip(&mean) {
                *to = f64::from(*value) - mean;
            }
            for (row, a) in covariance.chunks_exact_mut(width).zip(&centered) {
                row.iter_mut().zip(&centered).for_each(|(sum, b)| *sum += a * b);
            }
        }
        covariance.iter_mut().for_each(|sum| *sum /= n);
        let mut more = 1e-6;
        loop {
            for i in 0..width {
                covariance[i * width + i] += more;
            }
            if let Some(inverse) = inverse(&covariance, width) {
                return Self { mean, covariance, inverse };
            }
            more *= 10.0;
        }
    }

    /// The sum of both Kullback-Leibler divergences.
    ///
    /// # Panics
    /// If the widths differ.
    #[must_use]
    pub fn divergence(&self, other: &Self) -> f64 {
        let width = self.mean.len();
        assert_eq!(width, other.mean.len(), "both must have one width");
        // The trace of a product of symmetric matrices.
        let trace = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let apart: Vec<f64> = self.mean.iter().zip(&other.mean).map(|(a, b)| a - b).collect();
        let mut distance = 0.0;
        for i in 0..width {
            for j in 0..width {
                let at = i * width + j;
                distance += apart[i] * (self.inverse[at] + other.inverse[at]) * apart[j];
            }
        }
        let traces =
            trace(&self.covariance, &other.inverse) + trace(&other.covariance, &self.inverse);
        0.5 * (traces + distance) - width as f64
    }
}

/// The inverse of a symmetric positive definite matrix, by Cholesky's decomposition; nothing if it is not.
fn inverse(matrix: &[f64], width: usize) -> Option<Vec<f64>> {
    let mut lower = vec![0.0; width * width];
    for i in 0..width {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i * width + k] * lower[j * width + k]).sum();
            let rest = matrix[i * width + j] - known;
            if i != j {
                lower[i * width + j] = rest / lower[j * width + j];
            } else if rest > 1e-12 {
                lower[i * width + i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    // Column by column: lower times its transpose times x is a unit vector.
    let mut inverse = vec![0.0; width * width];
    let mut x = vec![0.0; width];
    for column in 0..width {
        for i in 0..width {
            let known: f64 = (0..i).map(|k| lower[i * width + k] * x[k]).sum();
            let unit = if i == column { 1.0 } else { 0.0 };
            x[i] = (unit - known) / lower[i * width + i];
        }
        for i in (0..width).rev() {
            let known: f64 = (i + 1..width).map(|k| lower[k * width + i] * x[k]).sum();
            x[i] = (x[i] - known) / lower[i * width + i];
        }
        (0..width).for_each(|i| inverse[i * width + column] = x[i]);
    }
    Some(inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Seed;

    #[test]
    fn of_one_dimension_it_is_the_formula() {
        // Means 1 and 4, variances 1 and 4.
        let (a, b) = (Gaussian::fit(&[0.0, 2.0], 1), Gaussian::fit(&[2.0, 6.0], 1));
        // 1/4 + 4/1 of the traces, 9 (1 + 1/4) of the means, half of it, less 1.
        let wanted = 0.5 * (0.25 + 4.0 + 9.0 * 1.25) - 1.0;
        assert!((a.divergence(&b) - wanted).abs() < 1e-4, "{}", a.divergence(&b));
        assert!((b.divergence(&a) - wanted).abs() < 1e-4);
        assert!(a.divergence(&a).abs() < 1e-9);
    }

    #[test]
    fn the_inverse_times_the_covariance_is_one() {
        let mut rng = Seed(3).rng("test", &[]);
        let frames: Vec<f32> =
            (0..5 * 200).map(|i| (rng.normal() * f64::from(1 + i % 5)) as f32).collect();
        let Gaussian { covariance, inverse, .. } = Gaussian::fit(&frames, 5);
        for i in 0..5 {
            for j in 0..5 {
                let product: f64 = (0..5).map(|k| covariance[i * 5 + k] * inverse[k * 5 + j]).sum();
                assert!((product - f64::from(u8::from(i == j))).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn frames_that_do_not_vary_are_no_error() {
        let still = Gaussian::fit(&[3.0; 40], 4);
        let other = Gaussian::fit(&[3.0, 3.0, 3.0, 4.0], 4);
        assert!(still.divergence(&other).is_finite() && still.divergence(&other) > 0.0);
    }
}
