//! The trials of a study as figures show them.

use super::space::{Point, Space, Tried};

/// The trials of a study.
#[derive(Debug, Clone, Copy)]
pub struct Trials<'a> {
    /// The space of all points.
    pub space: &'a Space,
    /// The metric by which trials are compared, e.g. `valid_accuracy`.
    pub metric: &'a str,
    /// Whether a higher score is better.
    pub higher_is_better: bool,
    /// All trials, in the order of their numbers.
    pub trials: &'a [TrialPoint],
    /// The number of the trial that was chosen.
    pub winner: Option<usize>,
}

/// One trial.
#[derive(Debug, Clone, PartialEq)]
pub struct TrialPoint {
    /// Its number, from 0.
    pub number: usize,
    /// Its settings.
    pub point: Point,
    /// Its score as the metric says it, not as a loss; `None` if it failed.
    pub score: Option<f64>,
    /// The epochs that it was trained for.
    pub n_epochs: Option<usize>,
    /// The epochs of a trial that is not stopped early.
    pub max_epochs: Option<usize>,
}

impl TrialPoint {
    /// Returns the score if it is a finite number.
    #[must_use]
    pub fn finite_score(&self) -> Option<f64> {
        self.score.filter(|score| score.is_finite())
    }

    /// Returns whether successive halving ended the trial before its last epoch.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!((self.n_epochs, self.max_epochs), (Some(n), Some(max)) if n < max)
    }
}

impl Trials<'_> {
    /// Returns the trials with losses: lower is better.
    #[must_use]
    pub fn tried(&self) -> Vec<Tried> {
        let sign = if self.higher_is_better { -1.0 } else { 1.0 };
        let of = |trial: &TrialPoint| Tried {
            point: trial.point.clone(),
            loss: trial.finite_score().map(|score| sign * score),
        };
        self.trials.iter().map(of).collect()
    }

    /// Returns whether a score is better than another one.
    #[must_use]
    pub fn is_better(&self, score: f64, than: f64) -> bool {
        if self.higher_is_better { score > than } else { score < than }
    }
}
