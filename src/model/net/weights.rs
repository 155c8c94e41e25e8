//! The values of a net: one array for each of its parameters, in Keras's layout.

use std::path::Path;

use super::super::ModelError;
use super::super::files::{Array, read_arrays, write_arrays};
use super::layer::{Net, Parameter, Start};
use crate::vocab::Seed;

/// The values, in the order of [`Net::parameters`].
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights(pub(super) Vec<Vec<f32>>);

impl Weights {
    /// Draws the initial values of a training.
    pub(super) fn start(net: &Net, seed: Seed) -> Self {
        let draw = |(index, parameter): (usize, &Parameter)| match parameter.start {
            Start::Zeros => vec![0.0; parameter.len()],
            Start::Ones => vec![1.0; parameter.len()],
            Start::Glorot { fan_in, fan_out } => {
                let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
                let mut rng = seed.rng("weights", &[index as u64]);
                (0..parameter.len()).map(|_| rng.range(-limit, limit) as f32).collect()
            }
        };
        Self(net.parameters.iter().enumerate().map(draw).collect())
    }

    /// Returns the contribution of the penalties to the loss.
    pub(super) fn penalty(&self, net: &Net) -> f64 {
        net.penalty(self.0.iter().map(Vec::as_slice))
    }

    /// Writes the arrays, followed by additional ones that belong to the model.
    pub(super) fn save(&self, net: &Net, more: Vec<Array>, path: &Path) -> Result<(), ModelError> {
        let mut arrays = more;
        arrays.extend(net.parameters.iter().zip(&self.0).map(|(parameter, values)| Array {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            values,
        }));
        write_arrays(path, &arrays)
    }

    /// Reads the arrays of a net, then the additional ones.
    pub(super) fn load(
        net: &Net,
        more: &[(String, Vec<usize>)],
        path: &Path,
    ) -> Result<(Self, Vec<Vec<f32>>), ModelError> {
        let named = |parameter: &Parameter| (parameter.name.clone(), parameter.shape.clone());
        let wanted: Vec<_> = net.parameters.iter().map(named).chain(more.iter().cloned()).collect();
        let mut values = read_arrays(path, &wanted)?;
        let rest = values.split_off(net.parameters.len());
        Ok((Self(values), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer::Kind;
    use super::*;

    #[test]
    fn glorot_fills_its_interval_and_biases_are_zero() {
        let kinds = [Kind::conv(8, [3, 2]), Kind::Flatten, Kind::Dense { units: 20, l2: 0.0 }];
        let net = Net::new([30, 9, 4], &kinds).unwrap();
        let weights = Weights::start(&net, Seed(1));
        let largest = |values: &[f32]| values.iter().fold(0.0_f32, |max, w| max.max(w.abs()));
        // fan_in 3 * 2 * 4, fan_out 3 * 2 * 8
        let conv = (6.0_f32 / 72.0).sqrt();
        let dense = (6.0_f32 / (28 * 8 * 8 + 20) as f32).sqrt();
        for (values, limit) in [(&weights.0[0], conv), (&weights.0[2], dense)] {
            let max = largest(values);
            assert!(max <= limit && max > 0.95 * limit, "{max} of {limit}");
            let mean = values.iter().sum::<f32>() / values.len() as f32;
            assert!(mean.abs() < 0.2 * limit, "{mean} of {limit}");
        }
        assert!(weights.0[1].iter().chain(&weights.0[3]).all(|bias| *bias == 0.0));
        assert_ne!(weights, Weights::start(&net, Seed(2)));
    }

    #[test]
    fn penalty_is_kerass() {
        let kinds = [Kind::Dense { units: 1, l2: 0.001 }, Kind::Dense { units: 1, l2: 0.1 }];
        let net = Net::new([1, 1, 2], &kinds).unwrap();
        let weights = Weights(vec![vec![3.0, 4.0], vec![9.0], vec![2.0], vec![9.0]]);
        assert!((weights.penalty(&net) - (0.001 * 25.0 + 0.1 * 4.0)).abs() < 1e-12);
    }
}
