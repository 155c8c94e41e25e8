//! What the predictions of runs that differ in the seed alone come to. It follows from the files of the
//! runs, whatever a spec says today, so that it can be kept ([`super::score_cache`]).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::ReportError;
use super::runs::Runs;
use super::scored::{Scored, levels};
use crate::metrics::{
    self, Clustered, Estimate, Evidence, Interval, Metric, calibration_error, log_loss,
    top_k_accuracy,
};
use crate::vocab::{Targets, Task};

/// The scores of a group of runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Scores {
    /// The mean of the main metric on the test examples, with what moves it.
    pub(super) estimate: Estimate,
    /// The main metric on tracks, the segments of each pooled; where tracks have several test examples.
    pub(super) by_track: Option<Interval>,
    /// How good each run's probabilities of classes are; empty for other tasks.
    pub(super) probabilities: Vec<Probabilities>,
    /// What only models of tags or numbers have.
    pub(super) more: Box<More>,
    /// The metrics that were asked for, by name.
    metrics: Vec<(String, Option<Score>)>,
}

/// What only models of tags or numbers have, on their test examples.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct More {
    /// Further metrics with their 95 % intervals, by name.
    pub(super) others: Vec<(String, Interval)>,
    /// Every tag's scores.
    pub(super) tags: Vec<TagRow>,
    /// Actual and predicted numbers of the first run, at most [`MOST_POINTS`] of them, evenly chosen.
    pub(super) points: Vec<[f32; 2]>,
}

/// Points that are kept of a run that predicts numbers.
const MOST_POINTS: usize = 1_000;

/// One tag's scores over all runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct TagRow {
    /// ROC-AUC and average precision, each the mean with its 95 % interval; `None` where a run's test
    /// examples all have the tag, or none has.
    pub(super) areas: Option<[Interval; 2]>,
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
        let main = |level: usize| -> Option<Vec<Clustered>> {
            Some(levels.get(level)?.sides[0].iter().map(Scored::main).collect())
        };
        let said = &levels[0].sides[0];
        let score = |metric: &Metric| (metric.as_str().to_owned(), Score::of(said, *metric));
        let metric = Metric::main(runs.record().data.task);
        let probabilities = said.iter().filter(|run| run.task() == Task::Classes);
        Ok(Self {
            estimate: Estimate::of(&main(0).expect("test examples are a level")),
            by_track: main(1).map(|pooled| metric.interval(&pooled)),
            probabilities: probabilities.map(Probabilities::of).collect(),
            more: Box::new(More::of(said)),
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
            said.iter().map(|run| run.score(metric)).collect::<Option<_>>()?;
        let evidence = Evidence::of(&scores, metric.scale());
        Some(Self { interval: metric.interval(&scores), evidence })
    }
}

impl More {
    fn of(said: &[Scored]) -> Self {
        let metrics: &[Metric] = match said[0].task() {
            Task::Classes => return Self::default(),
            Task::Tags => &[Metric::AveragePrecision, Metric::LogLoss],
            Task::Number => &[Metric::Mae, Metric::Mse],
        };
        let interval = |metric: Metric| {
            let runs: Vec<Clustered> =
                said.iter().map(|run| run.score(metric)).collect::<Option<_>>()?;
            Some((metric.as_str().to_owned(), metric.interval(&runs)))
        };
        Self {
            others: metrics.iter().copied().filter_map(interval).collect(),
            tags: match said[0].task() {
                Task::Tags => {
                    let tags = (0..said[0].n_outputs).into_par_iter();
                    tags.map(|tag| TagRow::of(said, tag)).collect()
                }
                Task::Classes | Task::Number => vec![],
            },
            points: points(&said[0]),
        }
    }
}

impl TagRow {
    fn of(said: &[Scored], tag: usize) -> Self {
        let areas = |run: &Scored| {
            let Scored { targets, outputs, n_outputs, tracks, n_tracks, .. } = run;
            metrics::areas_of(tag, targets, outputs, *n_outputs, tracks, *n_tracks)
        };
        let areas: Option<Vec<[Clustered; 2]>> = said.iter().map(areas).collect();
        let interval = |runs: Vec<Clustered>| Estimate::of(&runs).fraction_interval();
        let areas = areas.map(|runs| {
            let (auc, precision) =
                runs.into_iter().map(|[auc, precision]| (auc, precision)).unzip();
            [interval(auc), interval(precision)]
        });
        Self { areas }
    }
}

/// Actual and predicted numbers; none of other tasks.
fn points(run: &Scored) -> Vec<[f32; 2]> {
    let Targets::Numbers(actual) = &run.targets else { return vec![] };
    let n_steps = actual.len().div_ceil(MOST_POINTS).max(1);
    let all = actual.iter().zip(&run.outputs).map(|(actual, said)| [*actual, *said]);
    all.step_by(n_steps).collect()
}

impl Probabilities {
    fn of(run: &Scored) -> Self {
        let (actual, n_classes) = (run.targets.classes(), run.n_outputs);
        Self {
            log_loss: log_loss(actual, &run.outputs, n_classes),
            top_2: top_k_accuracy(actual, &run.outputs, n_classes, 2),
            calibration_error: calibration_error(actual, &run.outputs, n_classes),
        }
    }
}
