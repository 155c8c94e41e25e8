//! Adam, RMSprop and SGD with Keras's formulas, including the gradient of the L2 penalty.
//!
//! `g` is a gradient, `p` a parameter, and `t` the step, from 1. Weight decay is decoupled: before
//! its step, each parameter shrinks, `p -= learning_rate weight_decay p`.

mod formula;
mod work;

pub use formula::Constants;
use formula::{Adam, Nesterov, RmsProp, Rule, Sgd};
pub use work::{Parameters, TINY, add_penalty, flushed, sum_of_squares, update};

/// An optimizer and its settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// `m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= a m / (sqrt(v) + epsilon)` with
    /// `a = learning_rate sqrt(1 - b2^t) / (1 - b1^t)`. With a weight decay it is AdamW.
    ///
    /// # Source
    /// Kingma and Ba, "Adam", 2015, section 2's closing formula, as in Keras 3, `optimizers/adam.py`; the decay:
    /// Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, as in Keras 3, `optimizers/adamw.py`.
    Adam {
        /// Step size.
        learning_rate: f64,
        /// Decay of the mean, in [0, 1).
        beta_1: f64,
        /// Decay of the mean square, in [0, 1).
        beta_2: f64,
        /// Small constant that prevents a division by 0.
        epsilon: f64,
        /// Fraction of a parameter that a step of size 1 subtracts.
        weight_decay: f64,
    },
    /// `v = rho v + (1 - rho) g^2; m = momentum m + learning_rate g / sqrt(v + epsilon); p -= m`.
    ///
    /// # Source
    /// Keras 3, `optimizers/rmsprop.py`, not centered.
    RmsProp {
        /// Step size.
        learning_rate: f64,
        /// Decay of the mean square, in [0, 1).
        rho: f64,
        /// Fraction of the previous step that is kept, in [0, 1).
        momentum: f64,
        /// Small constant that prevents a division by 0.
        epsilon: f64,
    },
    /// `m = momentum m - learning_rate g; p += m`, or with Nesterov's look ahead
    /// `p += momentum m - learning_rate g`.
    ///
    /// # Source
    /// Keras 3, `optimizers/sgd.py`; Sutskever et al., "On the importance of initialization and momentum in deep
    /// learning", 2013, equations 1-4.
    Sgd {
        /// Step size.
        learning_rate: f64,
        /// Fraction of the previous step that is kept, in [0, 1).
        momentum: f64,
        /// Whether to use Nesterov's momentum, which looks one step ahead.
        nesterov: bool,
        /// Fraction of a parameter that a step of size 1 subtracts.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Creates Keras's Adam: betas 0.9 and 0.999, epsilon 1e-7, no weight decay.
    #[must_use]
    pub const fn adam(learning_rate: f64) -> Self {
        let (beta_1, beta_2, epsilon) = (0.9, 0.999, 1e-7);
        Self::Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay: 0.0 }
    }

    /// Creates Keras's RMSprop: rho 0.9, no momentum, epsilon 1e-7.
    #[must_use]
    pub const fn rms_prop(learning_rate: f64) -> Self {
        Self::RmsProp { learning_rate, rho: 0.9, momentum: 0.0, epsilon: 1e-7 }
    }

    /// Creates Keras's SGD: no momentum, no weight decay.
    #[must_use]
    pub const fn sgd(learning_rate: f64) -> Self {
        Self::Sgd { learning_rate, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }

    /// Returns the step size.
    #[must_use]
    pub const fn learning_rate(self) -> f64 {
        match self {
            Self::Adam { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. }
            | Self::Sgd { learning_rate, .. } => learning_rate,
        }
    }

    /// Returns the same optimizer with a different step size, for a schedule.
    #[must_use]
    pub const fn with_learning_rate(mut self, rate: f64) -> Self {
        match &mut self {
            Self::Adam { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. }
            | Self::Sgd { learning_rate, .. } => *learning_rate = rate,
        }
        self
    }

    /// Returns the constants of step `t`, from 1.
    #[must_use]
    pub fn at_step(self, t: u64) -> Constants {
        let (rule, decay) = match self {
            Self::Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay } => {
                let left = |beta: f64| 1.0 - libm::pow(beta, t as f64);
                let adam = Adam {
                    rate: (learning_rate * left(beta_2).sqrt() / left(beta_1)) as f32,
                    keep_first: beta_1 as f32,
                    gain_first: (1.0 - beta_1) as f32,
                    keep_second: beta_2 as f32,
                    gain_second: (1.0 - beta_2) as f32,
                    epsilon: epsilon as f32,
                };
                (Rule::Adam(adam), weight_decay)
            }
            Self::RmsProp { learning_rate, rho, momentum, epsilon } => {
                let rms_prop = RmsProp {
                    rate: learning_rate as f32,
                    keep: rho as f32,
                    gain: (1.0 - rho) as f32,
                    momentum: momentum as f32,
                    epsilon: epsilon as f32,
                };
                (Rule::RmsProp(rms_prop), 0.0)
            }
            Self::Sgd { learning_rate, momentum, nesterov, weight_decay } => {
                let sgd = Sgd { rate: learning_rate as f32, momentum: momentum as f32 };
                let rule = if nesterov { Rule::Nesterov(Nesterov(sgd)) } else { Rule::Sgd(sgd) };
                (rule, weight_decay)
            }
        };
        Constants { rule, decay: (self.learning_rate() * decay) as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::isa::Isa;
    use crate::kernels::reference::{assert_close, random};

    /// Returns one parameter, starting at 1, after each gradient, and the last penalty.
    fn run(optimizer: Optimizer, l2: f32, gradients: &[f32]) -> (Vec<f32>, f64) {
        let (mut p, mut m, mut v, mut penalty) = ([1.0], [0.0], [0.0], 0.0);
        let mut values = vec![];
        for (i, &g) in gradients.iter().enumerate() {
            let parameters =
                Parameters { values: &mut p, gradients: &mut [g], first: &mut m, second: &mut v };
            penalty = update(Isa::best(), &optimizer.at_step(i as u64 + 1), l2, parameters);
            values.push(p[0]);
        }
        (values, penalty)
    }

    #[test]
    fn adam_by_hand() {
        // For g = 5, the step is the learning rate. For g = 1, -1: m = 0.1, then -0.01; v = 0.001,
        // then 0.001999.
        assert_close(&run(Optimizer::adam(0.1), 0.0, &[5.0]).0, &[0.9], 1e-6);
        let a = 0.1 * (1.0 - 0.999_f64 * 0.999).sqrt() / 0.19;
        let second = 0.9 + a * 0.01 / (0.001_999_f64.sqrt() + 1e-7);
        assert_close(&run(Optimizer::adam(0.1), 0.0, &[1.0, -1.0]).0, &[0.9, second], 1e-6);
    }

    #[test]
    fn adam_w_shrinks_the_parameter_before_its_step() {
        let (beta_1, beta_2, epsilon) = (0.9, 0.999, 1e-7);
        let adam =
            Optimizer::Adam { learning_rate: 0.1, beta_1, beta_2, epsilon, weight_decay: 0.5 };
        // 1 - 0.1 * 0.5 * 1 - 0.1, then the same for 0.85: a constant gradient moves by the
        // learning rate.
        assert_close(&run(adam, 0.0, &[2.0, 2.0]).0, &[0.85, 0.85 * 0.95 - 0.1], 1e-6);
    }

    #[test]
    fn rms_prop_by_hand() {
        let gradients = [2.0, -1.0];
        // v = 0.4, then 0.9 * 0.4 + 0.1 = 0.46.
        let (one, two) = (0.01 * 2.0 / 0.4_f64.sqrt(), -0.01 / 0.46_f64.sqrt());
        let plain = run(Optimizer::rms_prop(0.01), 0.0, &gradients).0;
        assert_close(&plain, &[1.0 - one, 1.0 - one - two], 1e-6);
        let (rho, epsilon) = (0.9, 1e-7);
        let heavy = Optimizer::RmsProp { learning_rate: 0.01, rho, momentum: 0.5, epsilon };
        let moved = run(heavy, 0.0, &gradients).0;
        assert_close(&moved, &[1.0 - one, 1.0 - one - (0.5 * one + two)], 1e-6);
    }

    #[test]
    fn rms_props_epsilon_is_under_the_root() {
        let rho = 0.9;
        let optimizer =
            Optimizer::RmsProp { learning_rate: 0.1, rho, momentum: 0.0, epsilon: 0.15 };
        // v = 0.1, v + epsilon = 0.25.
        assert_close(&run(optimizer, 0.0, &[1.0]).0, &[1.0 - 0.1 / 0.5], 1e-6);
    }

    #[test]
    fn sgd_by_hand() {
        let sgd = |momentum, nesterov, weight_decay| {
            let optimizer = Optimizer::Sgd { learning_rate: 0.1, momentum, nesterov, weight_decay };
            run(optimizer, 0.0, &[1.0, 2.0, 0.0]).0
        };
        assert_close(&sgd(0.0, false, 0.0), &[0.9, 0.7, 0.7], 1e-6);
        // Velocities -0.1, -0.05 - 0.2, -0.125.
        assert_close(&sgd(0.5, false, 0.0), &[0.9, 0.65, 0.525], 1e-6);
        // Steps 0.5 * -0.1 - 0.1, 0.5 * -0.25 - 0.2, 0.5 * -0.125.
        assert_close(&sgd(0.5, true, 0.0), &[0.85, 0.525, 0.4625], 1e-6);
        assert_close(&sgd(0.0, true, 0.0), &[0.9, 0.7, 0.7], 1e-6);
        // A tenth is subtracted before each step.
        assert_close(&sgd(0.0, false, 1.0), &[0.8, 0.52, 0.468], 1e-6);
    }

    #[test]
    fn a_penalty_alone_pulls_to_zero_and_is_told() {
        // Gradient 2 * 0.5 * 1; penalty 0.5 * 1^2.
        let (p, penalty) = run(Optimizer::adam(0.1), 0.5, &[0.0]);
        assert_close(&p, &[0.9], 1e-6);
        assert_eq!(penalty, 0.5);
        let mut gradients = [0.25];
        assert_eq!(add_penalty(Isa::best(), 0.5, &[3.0], &mut gradients), 4.5);
        assert_eq!(gradients, [3.25]);
    }

    #[test]
    fn a_schedule_changes_the_learning_rate_alone() {
        for optimizer in [Optimizer::adam(0.1), Optimizer::rms_prop(0.1), Optimizer::sgd(0.1)] {
            let slower = optimizer.with_learning_rate(0.05);
            assert_eq!((optimizer.learning_rate(), slower.learning_rate()), (0.1, 0.05));
            assert_eq!(slower.with_learning_rate(0.1), optimizer);
        }
    }

    #[test]
    fn what_nothing_moves_any_more_becomes_0_and_not_subnormal() {
        let heavy =
            Optimizer::Sgd { learning_rate: 0.1, momentum: 0.9, nesterov: true, weight_decay: 0.0 };
        for (optimizer, l2) in
            [(Optimizer::adam(1e-2), 0.0), (Optimizer::adam(1e-2), 1e-3), (heavy, 0.5)]
        {
            let (mut p, mut m, mut v) = ([0.3], [0.0], [0.0]);
            for t in 1..120_000 {
                let mut gradients = [if t < 5 { 1e-3 } else { 0.0 }];
                let parameters = Parameters {
                    values: &mut p,
                    gradients: &mut gradients,
                    first: &mut m,
                    second: &mut v,
                };
                let _penalty = update(Isa::best(), &optimizer.at_step(t), l2, parameters);
                let all = [p[0], m[0], v[0], gradients[0]];
                assert!(all.iter().all(|x| !x.is_subnormal()), "{optimizer:?} at {t}: {all:?}");
            }
            assert_eq!(m, [0.0], "{optimizer:?}");
            assert!(l2 == 0.0 || p[0].abs() < 1e-9, "{optimizer:?}: {p:?}");
        }
    }

    #[test]
    fn every_level_gives_the_same_bits() {
        let gradients = random(1, 203);
        for optimizer in [Optimizer::adam(0.1), Optimizer::rms_prop(0.1), Optimizer::sgd(0.1)] {
            let of_levels: Vec<_> = Isa::available()
                .into_iter()
                .map(|isa| {
                    let (mut values, mut gradients) = (random(2, 203), gradients.clone());
                    let (mut first, mut second) = (random(3, 203), vec![0.5; 203]);
                    let parameters = Parameters {
                        values: &mut values,
                        gradients: &mut gradients,
                        first: &mut first,
                        second: &mut second,
                    };
                    let penalty = update(isa, &optimizer.at_step(3), 0.1, parameters);
                    (values, first, second, penalty)
                })
                .collect();
            assert!(of_levels.iter().all(|level| *level == of_levels[0]));
        }
    }
}
