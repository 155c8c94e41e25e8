//! Column-wise standardization, fitted on training examples only.

use super::Examples;

/// A mean and a scale for every column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scaler {
    /// Mean over the training examples, `[width]`.
    pub(super) mean: Vec<f32>,
    /// Standard deviation over the training examples (divisor n), 1 where it is 0, `[width]`.
    pub(super) scale: Vec<f32>,
}

impl Scaler {
    /// Fits to all rows of some examples, in f64.
    pub(super) fn fit(examples: &Examples) -> Self {
        let n = examples.len().max(1) as f64;
        let width = examples.width();
        let mut mean = vec![0.0_f64; width];
        for row in 0..examples.len() {
            for (sum, x) in mean.iter_mut().zip(examples.example(row)) {
                *sum += f64::from(*x);
            }
        }
        for sum in &mut mean {
            *sum /= n;
        }
        let mut square = vec![0.0_f64; width];
        for row in 0..examples.len() {
            for ((sum, x), mean) in square.iter_mut().zip(examples.example(row)).zip(&mean) {
                *sum += (f64::from(*x) - mean).powi(2);
            }
        }
        let scale = square.iter().zip(&mean).map(|(sum, mean)| {
            let deviation = (sum / n).sqrt();
            // The deviation of a constant column is only rounding error.
            if deviation > 1e-12 * mean.abs() && deviation as f32 > 0.0 {
                deviation as f32
            } else {
                1.0
            }
        });
        Self { scale: scale.collect(), mean: mean.iter().map(|x| *x as f32).collect() }
    }

    /// Standardizes rows in place; `values` is `[n, width]`.
    pub(super) fn apply(&self, values: &mut [f32]) {
        for row in values.chunks_exact_mut(self.mean.len()) {
            for ((x, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
                *x = (*x - mean) / scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Targets;

    #[test]
    fn only_the_named_rows_count_and_a_constant_column_keeps_its_scale() {
        let examples = Examples {
            shape: &[2],
            matrix: &[1.0, 7.0, 100.0, 8.0, 3.0, 7.0],
            targets: &Targets::Classes(vec![0, 0, 1]),
            rows: &[0, 2],
            n_outputs: 2,
        };
        let scaler = Scaler::fit(&examples);
        assert_eq!(scaler, Scaler { mean: vec![2.0, 7.0], scale: vec![1.0, 1.0] });
        let mut values = vec![5.0, 8.0];
        scaler.apply(&mut values);
        assert_eq!(values, [3.0, 1.0]);
    }
}
