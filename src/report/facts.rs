//! Rows of the summary as plain data, for JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::group::{Group, Row};
use crate::metrics::{Interval, Metric};
use crate::vocab::Task;

/// A mean with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RangeFacts {
    /// The mean.
    pub mean: f64,
    /// The lower end of the 95 % interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Runs that differ in the seed alone: one row of the summary.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResultFacts {
    /// The experiment.
    pub experiment: String,
    /// The dataset that was used.
    pub dataset: String,
    /// Whether encore generated it.
    pub synthetic: bool,
    /// The ids of the runs.
    pub runs: Vec<String>,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// Why they are shortened; empty for full runs.
    pub shortened: Vec<String>,
    /// In what their spec differs from the current one, if it does.
    pub other_version: Option<String>,
    /// Whether another program made the predictions.
    pub foreign: bool,
    /// The name of its model, if one was given.
    pub foreign_model: Option<String>,
    /// Number of test examples that leak in any way, in the first run.
    pub n_leaking: usize,
    /// What the models tell: `classes`, `tags` or `number`.
    pub task: String,
    /// The task's main metric: `accuracy`, `roc_auc` or `r2`.
    pub metric: String,
    /// The main metric on test examples.
    pub score: RangeFacts,
    /// The main metric on tracks, where tracks have several test examples.
    pub score_by_track: Option<RangeFacts>,
    /// Further metrics on test examples, by name: of tags and numbers.
    pub other_scores: BTreeMap<String, RangeFacts>,
    /// Accuracy on test examples; absent if no classes were predicted.
    pub accuracy: Option<RangeFacts>,
    /// Accuracy on tracks, where tracks have several test examples.
    pub accuracy_by_track: Option<RangeFacts>,
    /// Mean time of a run in seconds. Unknown for predictions of another program that did not say.
    pub seconds: Option<f64>,
    /// Every published figure with its verdict.
    pub claims: Vec<ClaimFacts>,
}

/// A published figure with its verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClaimFacts {
    /// The metric.
    pub metric: String,
    /// The figure.
    pub value: f64,
    /// Where it was published.
    pub source: String,
    /// The dataset that it is about.
    pub dataset: String,
    /// `reproduced`, `differs`, `inconclusive` or `not comparable`.
    pub verdict: String,
    /// The reason of the verdict.
    pub why: String,
    /// Ours in the claim's metric.
    pub ours: Option<RangeFacts>,
    /// Ours minus published, where the two may be compared.
    pub difference: Option<f64>,
    /// Whether a model is better the lower the metric is; absent for a metric that this version of encore
    /// does not know.
    pub lower_is_better: Option<bool>,
}

impl From<Interval> for RangeFacts {
    fn from(Interval { mean, low, high }: Interval) -> Self {
        Self { mean, low, high }
    }
}

/// The rows that have runs.
pub(super) fn results(rows: &[Row]) -> Vec<ResultFacts> {
    rows.iter().filter_map(Row::group).map(result).collect()
}

/// The experiments without runs.
pub(super) fn not_run(rows: &[Row]) -> Vec<String> {
    let name = |row: &Row| match row {
        Row::NotRun(name, _) => Some((*name).to_owned()),
        Row::Ran(_) => None,
    };
    rows.iter().filter_map(name).collect()
}

fn result(group: &Group) -> ResultFacts {
    let record = group.record();
    let of_classes = group.task() == Task::Classes;
    let claim = |judged: &super::claims::Judged| ClaimFacts {
        metric: judged.claim.metric.clone(),
        value: judged.claim.value,
        source: judged.claim.source.clone(),
        dataset: judged.claim.dataset.clone(),
        verdict: judged.verdict.as_str().to_owned(),
        why: judged.why(),
        ours: judged.ours.map(RangeFacts::from),
        difference: judged.delta(),
        lower_is_better: Metric::named(&judged.claim.metric).map(Metric::lower_is_better),
    };
    ResultFacts {
        experiment: record.experiment.clone(),
        dataset: record.data.dataset.clone(),
        synthetic: record.data.synthetic,
        runs: group.runs.iter().map(|run| run.id.clone()).collect(),
        seeds: group.records().map(|record| record.seed).collect(),
        shortened: record.cut.clone(),
        other_version: group.other_version().map(str::to_owned),
        foreign: record.foreign.is_some(),
        foreign_model: record.foreign.as_ref().and_then(|foreign| foreign.model.clone()),
        n_leaking: record.audit.n_leaking,
        task: group.task().to_string(),
        metric: group.metric().as_str().to_owned(),
        score: group.main.into(),
        score_by_track: group.by_track.map(RangeFacts::from),
        other_scores: group
            .more
            .others
            .iter()
            .map(|(name, it)| (name.clone(), (*it).into()))
            .collect(),
        accuracy: of_classes.then(|| group.main.into()),
        accuracy_by_track: group.by_track.filter(|_| of_classes).map(RangeFacts::from),
        seconds: group.seconds(),
        claims: group.judged.iter().map(claim).collect(),
    }
}
