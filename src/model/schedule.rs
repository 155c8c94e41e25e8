//! `[training.schedule]`: how the learning rate changes during a training.

use crate::schema::{Fields, Int, Real};

/// Learning-rate schedules: factors of the learning rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Schedule {
    /// Always 1.
    Constant,
    /// Multiplied by `factor` after every `every` epochs.
    Step {
        /// Number of epochs between two steps, at least 1.
        every: usize,
        /// `(0, 1]`.
        factor: f64,
    },
    /// Rises linearly during the first epochs, then falls to a fraction of the peak along half a
    /// cosine.
    ///
    /// # Source
    /// Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017,
    /// equation 5, without restarts; the warm-up is that of Goyal et al., "Accurate, large minibatch
    /// SGD", 2017, section 2.2.
    Cosine {
        /// Number of warm-up epochs; the first step uses one step's share of the peak.
        warmup_epochs: usize,
        /// Fraction of the peak at the last step, `[0, 1]`.
        min_factor: f64,
    },
}

impl Schedule {
    /// Reads the table.
    pub(super) fn read(fields: &mut Fields, epochs: usize) -> Option<Self> {
        if !fields.is_given("schedule") {
            fields.table("schedule", |_| ());
            return Some(Self::Constant);
        }
        fields.choice("schedule", &["constant", "step", "cosine"], |name, inner| match name {
            "constant" => Self::Constant,
            "step" => Self::Step {
                every: inner.required("every", &Int::within(1..=1_000_000)),
                factor: inner.required("factor", &Real::from_to(0.0, 1.0)),
            },
            _ => {
                let warmup_epochs =
                    inner.with_default("warmup_epochs", &Int::within(0..=1_000_000), 0);
                if warmup_epochs >= epochs && warmup_epochs > 0 {
                    inner.fault_at(
                        "warmup_epochs",
                        &format!("must be below training.epochs, {epochs}, found {warmup_epochs}"),
                    );
                }
                let min_factor = inner.with_default("min_factor", &Real::from_to(0.0, 1.0), 0.0);
                Self::Cosine { warmup_epochs, min_factor }
            }
        })
    }

    /// Returns the factor of one step: `epoch` is one-based, `step` zero-based within it.
    #[must_use]
    pub fn factor(self, epoch: usize, step: usize, steps_per_epoch: usize, epochs: usize) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Step { every, factor } => libm::pow(factor, ((epoch - 1) / every) as f64),
            Self::Cosine { warmup_epochs, min_factor } => {
                let at = (epoch - 1) * steps_per_epoch + step;
                let warmup = warmup_epochs * steps_per_epoch;
                if at < warmup {
                    return (at + 1) as f64 / warmup as f64;
                }
                let last = (epochs * steps_per_epoch - warmup).saturating_sub(1).max(1);
                let done = (at - warmup) as f64 / last as f64;
                let cosine = 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done));
                min_factor + (1.0 - min_factor) * cosine
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_fall_after_their_epochs() {
        let schedule = Schedule::Step { every: 10, factor: 0.5 };
        let factors = [1, 10, 11, 20, 21].map(|epoch| schedule.factor(epoch, 3, 7, 30));
        assert_eq!(factors, [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn cosine_warms_up_and_ends_at_its_share() {
        let schedule = Schedule::Cosine { warmup_epochs: 2, min_factor: 0.1 };
        let at = |epoch, step| schedule.factor(epoch, step, 5, 12);
        // Ten warm-up steps, then fifty from the peak to the end.
        assert!((at(1, 0) - 0.1).abs() < 1e-12);
        assert!((at(2, 4) - 1.0).abs() < 1e-12);
        assert!((at(3, 0) - 1.0).abs() < 1e-12);
        assert!((at(12, 4) - 0.1).abs() < 1e-12);
        // Half-way between steps 24 and 25 of 49: the two are symmetric about the middle.
        assert!((f64::midpoint(at(7, 4), at(8, 0)) - 0.55).abs() < 1e-3);
        let falls = (3..=12).flat_map(|epoch| (0..5).map(move |step| (epoch, step)));
        let factors: Vec<f64> = falls.map(|(epoch, step)| at(epoch, step)).collect();
        assert!(factors.windows(2).all(|pair| pair[0] > pair[1]));
    }
}
