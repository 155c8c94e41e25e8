//! Adam and RMSprop in Keras's formulas, with the L2 penalty's gradient folded in.

use crate::kernels::isa::{Isa, Level, Work};

/// How parameters follow their gradients.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimiser {
    /// `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= a m / (sqrt(v) + epsilon)` with
    /// `a = learning_rate sqrt(1 - b2^t) / (1 - b1^t)`, `t` from 1.
    ///
    /// # Source
    /// Kingma and Ba, 2015, section 2's closing formula, as in Keras.
    Adam {
        /// Step size.
        learning_rate: f64,
        /// Decay of the mean.
        beta_1: f64,
        /// Decay of the mean square.
        beta_2: f64,
        /// Keeps the divisor from 0.
        epsilon: f64,
    },
    /// `v = rho v + (1 - rho) g^2; p -= learning_rate g / sqrt(v + epsilon)`.
    ///
    /// # Source
    /// Keras 3, `RMSprop`, without momentum.
    RmsProp {
        /// Step size.
        learning_rate: f64,
        /// Decay of the mean square.
        rho: f64,
        /// Keeps the divisor from 0.
        epsilon: f64,
    },
}

impl Optimiser {
    /// Keras's Adam: betas 0.9 and 0.999, epsilon 1e-7.
    #[must_use]
    pub const fn adam(learning_rate: f64) -> Self {
        Self::Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// Keras's RMSprop: rho 0.9, epsilon 1e-7.
    #[must_use]
    pub const fn rms_prop(learning_rate: f64) -> Self {
        Self::RmsProp { learning_rate, rho: 0.9, epsilon: 1e-7 }
    }

    /// The constants of step `t`, from 1.
    #[must_use]
    pub fn at_step(self, t: u64) -> Constants {
        match self {
            Self::Adam { learning_rate, beta_1, beta_2, epsilon } => {
                let power = t.min(i32::MAX as u64) as i32;
                let rate =
                    learning_rate * (1.0 - beta_2.powi(power)).sqrt() / (1.0 - beta_1.powi(power));
                Constants {
                    rate: rate as f32,
                    keep_first: beta_1 as f32,
                    gain_first: (1.0 - beta_1) as f32,
                    keep_second: beta_2 as f32,
                    gain_second: (1.0 - beta_2) as f32,
                    outside_root: epsilon as f32,
                    inside_root: 0.0,
                }
            }
            Self::RmsProp { learning_rate, rho, epsilon } => Constants {
                rate: learning_rate as f32,
                keep_first: 0.0,
                gain_first: 1.0,
                keep_second: rho as f32,
                gain_second: (1.0 - rho) as f32,
                outside_root: 0.0,
                inside_root: epsilon as f32,
            },
        }
    }
}

/// One step's constants: both optimisers are one formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Constants {
    rate: f32,
    keep_first: f32,
    gain_first: f32,
    keep_second: f32,
    gain_second: f32,
    outside_root: f32,
    inside_root: f32,
}

/// Some parameters with their gradients and the optimiser's moments, all of one length.
#[derive(Debug)]
pub struct Parameters<'a> {
    /// Values.
    pub values: &'a mut [f32],
    /// Gradients; the penalty's is added to them.
    pub gradients: &'a mut [f32],
    /// Decaying mean of gradients.
    pub first: &'a mut [f32],
    /// Decaying mean of squared gradients.
    pub second: &'a mut [f32],
}

/// Moves parameters by one step under a penalty of `l2 * sum(values^2)`; gives back the penalty before the step.
#[must_use = "the penalty is part of the loss"]
pub fn update(isa: Isa, constants: &Constants, l2: f32, parameters: Parameters<'_>) -> f64 {
    isa.run(Update { constants, l2, parameters })
}

struct Update<'a> {
    constants: &'a Constants,
    l2: f32,
    parameters: Parameters<'a>,
}

impl Work for Update<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<L: Level>(self) -> f64 {
        let (c, p) = (*self.constants, self.parameters);
        let mut penalty = 0.0;
        if self.l2 > 0.0 {
            for (values, gradients) in p.values.chunks(64).zip(p.gradients.chunks_mut(64)) {
                let mut squares = [0.0_f32; 64];
                for ((value, gradient), square) in values.iter().zip(gradients).zip(&mut squares) {
                    *gradient += 2.0 * self.l2 * value;
                    *square = value * value;
                }
                penalty += squares.iter().map(|&square| f64::from(square)).sum::<f64>();
            }
        }
        let n = p.values.len();
        let (values, gradients) = (&mut p.values[..n], &p.gradients[..n]);
        let (first, second) = (&mut p.first[..n], &mut p.second[..n]);
        for i in 0..n {
            let gradient = gradients[i];
            first[i] = c.keep_first * first[i] + c.gain_first * gradient;
            second[i] = c.keep_second * second[i] + c.gain_second * gradient * gradient;
            values[i] -= c.rate * first[i] / ((second[i] + c.inside_root).sqrt() + c.outside_root);
        }
        f64::from(self.l2) * penalty
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(optimiser: Optimiser, l2: f32, gradients: &[f32]) -> (f32, f64) {
        let (mut p, mut m, mut v, mut penalty) = ([1.0], [0.0], [0.0], 0.0);
        for (i, &g) in gradients.iter().enumerate() {
            let parameters =
                Parameters { values: &mut p, gradients: &mut [g], first: &mut m, second: &mut v };
            penalty = update(Isa::best(), &optimiser.at_step(i as u64 + 1), l2, parameters);
        }
        (p[0], penalty)
    }

    #[test]
    fn adams_first_step_is_the_learning_rate() {
        assert!((run(Optimiser::adam(0.1), 0.0, &[5.0]).0 - 0.9).abs() < 1e-6);
    }

    #[test]
    fn adams_second_step_by_hand() {
        // g = 1, -1: m = 0.1, then -0.01; v = 0.001, then 0.001999; a = 0.1 sqrt(1 - 0.999^2) / (1 - 0.81).
        let a = 0.1 * (1.0 - 0.999_f64.powi(2)).sqrt() / 0.19;
        let expected = 0.9 + a * 0.01 / (0.001_999_f64.sqrt() + 1e-7);
        assert!(
            (f64::from(run(Optimiser::adam(0.1), 0.0, &[1.0, -1.0]).0) - expected).abs() < 1e-6
        );
    }

    #[test]
    fn rms_props_first_step_is_the_learning_rate_over_root_one_minus_rho() {
        let expected = 1.0 - 0.01 / 0.1_f64.sqrt();
        assert!((f64::from(run(Optimiser::rms_prop(0.01), 0.0, &[2.0]).0) - expected).abs() < 1e-6);
    }

    #[test]
    fn a_penalty_alone_pulls_to_zero_and_is_told() {
        // Gradient 2 * 0.5 * 1; penalty 0.5 * 1^2.
        let (p, penalty) = run(Optimiser::adam(0.1), 0.5, &[0.0]);
        assert!((p - 0.9).abs() < 1e-6 && penalty == 0.5);
    }
}
