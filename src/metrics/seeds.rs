//! The variance due to the seeds, apart from the variance due to their test tracks.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::Clustered;

/// The variance that seeds cause in a score or in a mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seeds {
    /// Degrees of freedom of `raw`.
    pub(super) degrees_of_freedom: f64,
    /// The observed variance.
    pub(super) raw: f64,
    /// The part of it that the test tracks explain.
    pub(super) explained: f64,
}

impl Seeds {
    /// Estimates their effect on one score; `None` with only one seed.
    pub(super) fn of(runs: &[Clustered]) -> Option<Self> {
        let k = runs.len() as f64;
        let (mut raw, mut explained) = (0.0, 0.0);
        for (i, a) in runs.iter().enumerate() {
            for b in &runs[..i] {
                let difference = a.minus(b);
                raw += difference.value * difference.value;
                explained += difference.variance();
            }
        }
        let twice_pairs = k * (k - 1.0);
        let (raw, explained) = (raw / twice_pairs, explained / twice_pairs);
        (k > 1.0).then_some(Self { degrees_of_freedom: k - 1.0, raw, explained })
    }

    /// Estimates their effect on the mean of these runs.
    pub(super) fn of_mean(runs: &[Clustered]) -> Option<Self> {
        let k = runs.len() as f64;
        Self::of(runs).map(|one| Self { raw: one.raw / k, explained: one.explained / k, ..one })
    }

    /// Adds the variances for a difference, with the degrees of freedom of Welch and Satterthwaite.
    pub(super) fn plus(self, other: Self) -> Self {
        let raw = self.raw + other.raw;
        let parts = self.raw * self.raw / self.degrees_of_freedom
            + other.raw * other.raw / other.degrees_of_freedom;
        let degrees_of_freedom = if parts > 0.0 {
            raw * raw / parts
        } else {
            self.degrees_of_freedom + other.degrees_of_freedom
        };
        Self { degrees_of_freedom, raw, explained: self.explained + other.explained }
    }

    /// Returns the variance of the seeds alone.
    pub(super) fn own(&self) -> f64 {
        (self.raw - self.explained).max(0.0)
    }

    /// Returns the contribution to a squared margin, including the effect of few degrees of
    /// freedom.
    pub(super) fn margin_squared(&self, alpha: f64, z: f64) -> f64 {
        let t = quantile(alpha, self.degrees_of_freedom);
        let ratio = if self.explained > 0.0 { self.raw / self.explained } else { f64::INFINITY };
        let g = (ratio / 0.6 - 1.0).clamp(0.0, 1.0);
        z * z * self.own() + g * (t * t - z * z).max(0.0) * self.raw
    }
}

/// Returns Student's t that is exceeded, on both sides together, with probability `alpha`.
pub(super) fn quantile(alpha: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom)
        .expect("two runs or two tracks leave a degree of freedom")
        .inverse_cdf(1.0 - alpha / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    #[test]
    fn student_s_t_agrees_with_scipy() {
        close(quantile(0.05, 2.0), 4.302_652_729_749_462, 1e-9);
        close(quantile(0.05, 4.7), 2.620_726_075_353_17, 1e-9);
        close(quantile(0.05, 1000.0), 1.962_339_080_826_408_3, 1e-9);
    }
}
