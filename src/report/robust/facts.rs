//! What was measured as plain data, for JSON.

use serde::Serialize;

use super::super::facts::RangeFacts;
use super::super::runs::Runs;
use super::curves::UNDEGRADED;
use super::measured::{Measured, Test};
use crate::metrics::Interval;

/// An experiment or a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RobustSide {
    /// The experiment's name, or a run's experiment and seed.
    pub name: String,
    /// The dataset that was used.
    pub dataset: String,
    /// The ids of the runs.
    pub runs: Vec<String>,
    /// Their seeds.
    pub seeds: Vec<u64>,
}

/// The scores of one side under one degradation.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RobustPoint {
    /// The name of the side.
    pub side: String,
    /// The degradation with its parameters, or `none`.
    pub degradation: String,
    /// The main metric: `accuracy`, `roc_auc` or `r2`.
    pub metric: String,
    /// It on the test examples.
    pub score: RangeFacts,
    /// It on tracks, where tracks have several test examples.
    pub score_by_track: Option<RangeFacts>,
    /// Test examples of the first run that were scored.
    pub n_examples: usize,
}

/// The difference of two sides under one kind of degradation, averaged over its strengths.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RobustTest {
    /// `segment`, `example` or `track`.
    pub per: String,
    /// The kind of degradation, or `none`.
    pub degradation: String,
    /// Number of strengths.
    pub n_strengths: usize,
    /// The name of the first side.
    pub first: String,
    /// The name of the second.
    pub second: String,
    /// The second minus the first, with its 95 % interval.
    pub difference: RangeFacts,
    /// The p-value of no difference.
    pub p: f64,
    /// The same by Holm's correction over all tests of this level.
    pub adjusted_p: f64,
    /// Whether the adjusted p-value is below 0.05.
    pub is_significant: bool,
    /// Whether both were scored on the same items.
    pub is_paired: bool,
    /// Numbers of runs of the first and of the second side that count.
    pub n_runs: [usize; 2],
}

pub(in crate::report) fn side(name: &str, runs: &Runs) -> RobustSide {
    RobustSide {
        name: name.to_owned(),
        dataset: runs.record().data.dataset.clone(),
        runs: runs.runs.iter().map(|run| run.id.clone()).collect(),
        seeds: runs.records().map(|record| record.seed).collect(),
    }
}

pub(in crate::report) fn points(measured: &Measured) -> Vec<RobustPoint> {
    let range = |interval: &Interval| RangeFacts::from(*interval);
    let mut points = vec![];
    for (at, degradation) in measured.degradations.iter().enumerate() {
        for (side, name) in measured.names.iter().enumerate() {
            let Some(score) = measured.score(0, side, at) else { continue };
            points.push(RobustPoint {
                side: name.clone(),
                degradation: degradation.clone(),
                metric: measured.metric.as_str().to_owned(),
                score: range(score),
                score_by_track: measured.score(1, side, at).map(range),
                n_examples: measured.levels[0].n_items(side, at),
            });
        }
    }
    points
}

pub(in crate::report) fn tests(measured: &Measured) -> Vec<RobustTest> {
    let test = |per: &str, test: &Test| RobustTest {
        per: per.to_owned(),
        degradation: test.degradation.clone(),
        n_strengths: if test.degradation == UNDEGRADED { 0 } else { test.n_strengths },
        first: measured.names[test.first].clone(),
        second: measured.names[test.second].clone(),
        difference: test.difference.interval().into(),
        p: test.p,
        adjusted_p: test.adjusted_p,
        is_significant: test.is_significant(),
        is_paired: test.is_paired,
        n_runs: test.n_runs,
    };
    let of_level = measured.levels.iter();
    of_level.flat_map(|level| level.tests.iter().map(|it| test(level.per, it))).collect()
}
