//! Verdicts on published figures.

use super::Interval;

/// What the runs say of a published figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The figure is within the 95 % interval.
    Reproduced,
    /// It does not.
    Differs {
        /// Ours minus the published one: above 0 where ours is higher.
        by: f64,
    },
    /// The runs are about something else than the figure is.
    NotComparable {
        /// What else, as a clause: `the figure is about gtzan, the runs are about synth-genres`.
        reason: String,
    },
}

impl Verdict {
    /// The verdict in one to two words: `reproduced`, `differs` or `not comparable`.
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
/// The interval should be that of [`super::repetition`], since the published figure was a run on a
/// test set, with luck of its own. With the interval of our mean alone the figure is taken as exact,
/// and a faithful repetition differs more often than 5 times in 100. Whether the two may be
/// compared at all is the caller's to say.
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
