//! A comparison as plain data, for JSON.

use serde::Serialize;

use super::super::facts::RangeFacts;
use super::super::scored::{Level, Scored};
use super::pair::Pair;
use super::side::Side;
use crate::metrics::{Clustered, Metric};
use crate::record::spec_differences;
use crate::vocab::Task;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SideFacts {
    /// The experiment's name, or a run's experiment and seed.
    pub name: String,
    /// The dataset that was used.
    pub dataset: String,
    /// The ids of the runs.
    pub runs: Vec<String>,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// Whether another program made the predictions.
    pub foreign: bool,
    /// Number of runs that are left out: on other data, by another spec, cut otherwise or foreign.
    pub n_left_out: usize,
    /// Mean accuracy per level; empty if no classes were predicted.
    pub accuracy: Vec<LevelFacts>,
    /// The mean of the main metric per level.
    pub scores: Vec<ScoreFacts>,
    /// Lines of the spec that differ from the first side's.
    pub spec_differences: Vec<String>,
}

/// The accuracy on one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LevelFacts {
    /// `segment`, `example` or `track`.
    pub per: String,
    /// With its 95 % interval.
    pub accuracy: RangeFacts,
}

/// The main metric on one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreFacts {
    /// `segment`, `example` or `track`.
    pub per: String,
    /// `accuracy`, `roc_auc` or `r2`.
    pub metric: String,
    /// With its 95 % interval.
    pub score: RangeFacts,
}

/// Two sides against each other, on one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestFacts {
    /// `segment`, `example` or `track`.
    pub per: String,
    /// The name of the first side.
    pub first: String,
    /// The name of the second.
    pub second: String,
    /// The main metric: `accuracy`, `roc_auc` or `r2`.
    pub metric: String,
    /// The main metric of the second minus that of the first, with its 95 % interval.
    pub difference: RangeFacts,
    /// The p-value of no difference.
    pub p: f64,
    /// The same by Holm's correction over all pairs.
    pub adjusted_p: f64,
    /// Whether the adjusted p-value is below 0.05.
    pub is_significant: bool,
    /// Whether both were scored on the same items.
    pub is_paired: bool,
    /// Numbers of runs of the first and of the second side that count.
    pub n_runs: [usize; 2],
    /// Number of test tracks.
    pub n_tracks: usize,
}

/// A comparison: as text, and as data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// The text, of at most 100 columns.
    #[serde(skip)]
    pub text: String,
    /// What is compared.
    pub sides: Vec<SideFacts>,
    /// Every pair on every level.
    pub tests: Vec<TestFacts>,
}

impl Comparison {
    pub(super) fn new(text: String, sides: &[Side], levels: &[Level], tests: &[Vec<Pair>]) -> Self {
        let side = |(i, side): (usize, &Side)| SideFacts {
            name: side.name.clone(),
            dataset: side.runs.record().data.dataset.clone(),
            runs: side.runs.runs.iter().map(|run| run.id.clone()).collect(),
            seeds: side.runs.records().map(|record| record.seed).collect(),
            foreign: side.runs.is_foreign(),
            n_left_out: side.n_left_out,
            accuracy: match side.runs.task() {
                Task::Classes => levels.iter().map(|level| accuracy(level, i)).collect(),
                Task::Tags | Task::Number => vec![],
            },
            scores: levels.iter().map(|level| score(level, i)).collect(),
            spec_differences: match i {
                0 => vec![],
                _ => spec_differences(&sides[0].runs.record().spec, &side.runs.record().spec),
            },
        };
        let test = |level: &Level, pair: &Pair| TestFacts {
            per: level.item.to_owned(),
            first: sides[pair.first].name.clone(),
            second: sides[pair.second].name.clone(),
            metric: sides[pair.first].runs.metric().as_str().to_owned(),
            difference: pair.difference.interval().into(),
            p: pair.p,
            adjusted_p: pair.adjusted_p,
            is_significant: pair.is_significant(),
            is_paired: pair.paired.is_some(),
            n_runs: pair.n_runs,
            n_tracks: pair.difference.n_tracks,
        };
        let tests = levels
            .iter()
            .zip(tests)
            .flat_map(|(level, pairs)| pairs.iter().map(move |pair| test(level, pair)));
        let tests = tests.collect();
        Self { text, sides: sides.iter().enumerate().map(side).collect(), tests }
    }
}

fn accuracy(level: &Level, side: usize) -> LevelFacts {
    let ScoreFacts { per, score: accuracy, .. } = score(level, side);
    LevelFacts { per, accuracy }
}

fn score(level: &Level, side: usize) -> ScoreFacts {
    let runs = &level.sides[side];
    let scores: Vec<Clustered> = runs.iter().map(Scored::main).collect();
    let metric = Metric::main(runs[0].task());
    ScoreFacts {
        per: level.item.to_owned(),
        metric: metric.as_str().to_owned(),
        score: metric.interval(&scores).into(),
    }
}
