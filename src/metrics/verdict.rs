//! Verdicts on published figures.

use super::Interval;

/// The verdict on a published figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The figure is within the 95 % interval.
    Reproduced,
    /// The figure is outside the 95 % interval.
    Differs {
        /// Our mean minus the published figure: above 0 if ours is higher.
        by: f64,
    },
    /// The runs and the figure are about different things.
    NotComparable {
        /// The difference, as a clause: `the figure is about gtzan, the runs are about
        /// synth-genres`.
        reason: String,
    },
}

impl Verdict {
    /// Returns the verdict in one or two words: `reproduced`, `differs` or `not comparable`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Differs { .. } => "differs",
            Self::NotComparable { .. } => "not comparable",
        }
    }
}

/// Compares a published figure with an interval: reproduced or differs.
///
/// Use the interval of [`super::repetition`], because the published figure also comes from a run on
/// a test set and varies. The interval of our mean would treat the figure as exact, and a faithful
/// repetition would differ more often than 5 times in 100. The caller decides whether the two may
/// be compared at all.
#[must_use]
pub fn verdict(claimed: f64, interval: &Interval) -> Verdict {
    if interval.contains(claimed) {
        Verdict::Reproduced
    } else {
        Verdict::Differs { by: interval.mean - claimed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn within_is_reproduced_outside_differs_with_its_side() {
        let interval = Interval { mean: 0.5, low: 0.45, high: 0.55 };
        assert_eq!(verdict(0.55, &interval), Verdict::Reproduced);
        assert_eq!(verdict(0.75, &interval), Verdict::Differs { by: -0.25 });
        assert_eq!(verdict(0.25, &interval), Verdict::Differs { by: 0.25 });
    }
}
