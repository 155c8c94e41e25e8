//! An ablation as plain data, for JSON.

use serde::Serialize;

use super::super::facts::RangeFacts;
use super::super::runs::Runs;
use super::measured::{Ablation, Change};
use super::words::sentence;
use crate::metrics::Interval;

/// A spec and its changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AblationFacts {
    /// The experiment.
    pub experiment: String,
    /// The dataset that was used.
    pub dataset: String,
    /// The main metric: `accuracy`, `roc_auc` or `r2`.
    pub metric: String,
    /// What is scored: `segment` or `example`.
    pub per: String,
    /// The spec itself.
    pub base: BaseFacts,
    /// Its changes, in the order of the spec.
    pub changes: Vec<ChangeFacts>,
    /// The names of changes without runs.
    pub not_run: Vec<String>,
    /// Which changes matter, in words.
    pub sentence: String,
}

/// The runs of the spec itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BaseFacts {
    /// The ids of the runs.
    pub runs: Vec<String>,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// The main metric on test examples.
    pub score: RangeFacts,
    /// The main metric on tracks, where tracks have several test examples.
    pub score_by_track: Option<RangeFacts>,
    /// Mean time of a run in seconds.
    pub seconds: Option<f64>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeFacts {
    /// Its name.
    pub name: String,
    /// The ids of the runs.
    pub runs: Vec<String>,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// The main metric on test examples.
    pub score: RangeFacts,
    /// The main metric on tracks, where tracks have several test examples.
    pub score_by_track: Option<RangeFacts>,
    /// Mean time of a run in seconds.
    pub seconds: Option<f64>,
    /// On what the difference is measured: `segment`, `example` or `track`.
    pub per: String,
    /// The score with the change minus that without.
    pub difference: RangeFacts,
    /// The p-value of no difference.
    pub p: f64,
    /// The same by Holm's correction over all changes.
    pub adjusted_p: f64,
    /// Whether the adjusted p-value is below 0.05.
    pub is_significant: bool,
    /// Whether both were scored on the same items.
    pub is_paired: bool,
    /// Numbers of runs of the spec and of the change that count.
    pub n_runs: [usize; 2],
}

pub(in crate::report) fn facts(ablation: &Ablation) -> AblationFacts {
    let ids = |runs: &Runs| runs.runs.iter().map(|run| run.id.clone()).collect();
    let seeds = |runs: &Runs| runs.records().map(|record| record.seed).collect();
    let range = |it: Interval| RangeFacts::from(it);
    let change = |change: &Change| ChangeFacts {
        name: change.name.clone(),
        runs: ids(&change.runs),
        seeds: seeds(&change.runs),
        score: range(change.score),
        score_by_track: change.by_track.map(range),
        seconds: change.runs.seconds(),
        per: change.per.to_owned(),
        difference: range(change.difference.interval()),
        p: change.p,
        adjusted_p: change.adjusted_p,
        is_significant: change.is_significant(),
        is_paired: change.is_paired,
        n_runs: change.n_runs,
    };
    let base = &ablation.base;
    AblationFacts {
        experiment: base.experiment().to_owned(),
        dataset: base.record().data.dataset.clone(),
        metric: ablation.metric.as_str().to_owned(),
        per: ablation.per.to_owned(),
        base: BaseFacts {
            runs: ids(base),
            seeds: seeds(base),
            score: range(ablation.score),
            score_by_track: ablation.by_track.map(range),
            seconds: base.seconds(),
        },
        changes: ablation.changes.iter().map(change).collect(),
        not_run: ablation.not_run.clone(),
        sentence: sentence(ablation),
    }
}
