//! Examples as rows in f64, and columns scaled for a solver.

use ndarray::{Array1, Array2, Axis};

use super::Examples;

/// Returns the examples as rows, `[n, width]`.
pub(super) fn design(examples: &Examples) -> Array2<f64> {
    Array2::from_shape_fn((examples.len(), examples.width()), |(row, column)| {
        f64::from(examples.example(row)[column])
    })
}

/// The means and standard deviations removed from the columns.
pub(super) struct Standardized {
    mean: Array1<f64>,
    scale: Array1<f64>,
}

impl Standardized {
    /// Scales columns to mean 0 and standard deviation 1, in place.
    pub(super) fn new(x: &mut Array2<f64>) -> Self {
        let mean = x.mean_axis(Axis(0)).expect("there is an example to train on");
        *x -= &mean;
        let scale = x.map_axis(Axis(0), |column| {
            (column.iter().map(|x| x * x).sum::<f64>() / column.len() as f64).sqrt()
        });
        // A constant column only contains rounding errors here: it is centered, not scaled.
        let scale = Array1::from_shape_fn(scale.len(), |column| {
            if scale[column] > 1e-12 * mean[column].abs() { scale[column] } else { 1.0 }
        });
        *x /= &scale;
        Self { mean, scale }
    }

    /// Converts coefficients, `[width, n_outputs]`, and intercepts to those of the original columns.
    pub(super) fn to_raw_units(
        &self,
        mut weights: Array2<f64>,
        mut intercepts: Array1<f64>,
    ) -> (Array2<f64>, Array1<f64>) {
        for (mut row, scale) in weights.rows_mut().into_iter().zip(&self.scale) {
            row /= *scale;
        }
        intercepts -= &self.mean.dot(&weights);
        (weights, intercepts)
    }
}
