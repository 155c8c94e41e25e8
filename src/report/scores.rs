//! What the predictions of runs that differ in the seed alone come to. It follows from the files of the
//! runs, whatever a spec says today, so that it can be kept ([`super::score_cache`]).

use serde::{Deserialize, Serialize};

use super::ReportError;
use super::runs::Runs;
use super::scored::{Scored, levels};
use crate::metrics::{
    Clustered, Estimate, Evidence, Interval, Metric, calibration_error, log_loss, top_k_accuracy,
};

/// The scores of a group of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scores {
    /// Mean accuracy on the test examples, with what moves it.
    pub(super) estimate: Estimate,
    /// Accuracy on tracks, the segments of each voting; where tracks have several test examples.
    pub(super) by_track: Option<Interval>,
    /// How good each run's probabilities are.
    pub(super) probabilities: Vec<Probabilities>,
    /// The metrics that were asked for, by name.
    metrics: Vec<(String, Option<Score>)>,
}

/// How good one run's probabilities are, on its test examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Probabilities {
    pub(super) log_loss: f64,
    pub(super) top_2: f64,
    pub(super) calibration_error: f64,
}

/// One metric over all runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Score {
    /// The mean with its 95 % interval.
    pub(super) interval: Interval,
    /// What a published figure is judged by.
    pub(super) evidence: Evidence,
}

impl Scores {
    /// Reads the predictions of the runs and scores them.
    ///
    /// # Errors
    /// Where predictions can't be read.
    pub(super) fn of(runs: &Runs, metrics: &[Metric]) -> Result<Self, ReportError> {
        let levels = levels(&[runs])?;
        let accuracies = |level: usize| -> Option<Vec<Clustered>> {
            Some(levels.get(level)?.sides[0].iter().map(Scored::accuracy).collect())
        };
        let said = &levels[0].sides[0];
        let score = |metric: &Metric| (metric.as_str().to_owned(), Score::of(said, *metric));
        Ok(Self {
            estimate: Estimate::of(&accuracies(0).expect("test examples are a level")),
            by_track: accuracies(1).map(|votes| Estimate::of(&votes).fraction_interval()),
            probabilities: said.iter().map(Probabilities::of).collect(),
            metrics: metrics.iter().map(score).collect(),
        })
    }

    /// A metric that was asked for; `None` where the test examples are of one class and it needs two.
    pub(super) fn of_metric(&self, metric: Metric) -> Option<&Score> {
        self.metrics.iter().find(|(name, _)| name == metric.as_str())?.1.as_ref()
    }
}

impl Score {
    fn of(said: &[Scored], metric: Metric) -> Option<Self> {
        let scores: Vec<Clustered> =
            said.iter().map(|run| metric.score(&run.answers())).collect::<Option<_>>()?;
        let evidence = Evidence::of(&scores, metric.scale());
        Some(Self { interval: metric.interval(&scores), evidence })
    }
}

impl Probabilities {
    fn of(run: &Scored) -> Self {
        Self {
            log_loss: log_loss(&run.actual, &run.probabilities, run.n_classes),
            top_2: top_k_accuracy(&run.actual, &run.probabilities, run.n_classes, 2),
            calibration_error: calibration_error(&run.actual, &run.probabilities, run.n_classes),
        }
    }
}
