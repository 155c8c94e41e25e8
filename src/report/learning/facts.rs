//! A learning curve as plain data, for JSON.

use serde::Serialize;

use super::super::facts::RangeFacts;
use super::measured::{Curve, Point};
use super::words::is_wide;
use crate::metrics::LearningCurve;

/// A learning curve.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurveFacts {
    /// The experiment.
    pub experiment: String,
    /// The dataset that was used.
    pub dataset: String,
    /// The main metric: `accuracy`, `roc_auc` or `r2`.
    pub metric: String,
    /// What is scored: `segment` or `example`.
    pub per: String,
    /// Number of test tracks of all seeds.
    pub n_test_tracks: usize,
    /// From the smallest share to the largest.
    pub points: Vec<CurvePoint>,
    /// The law, if one can be fitted.
    pub law: Option<LawFacts>,
    /// Why no law can be fitted.
    pub no_law: Option<String>,
    /// What the law says of ten times the training tracks.
    pub forecast: Option<ForecastFacts>,
}

/// The runs with one share of the training tracks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The share, in (0, 1].
    pub train_share: f64,
    /// Mean number of training tracks.
    pub n_train_tracks: f64,
    /// The ids of the runs.
    pub runs: Vec<String>,
    /// Their seeds.
    pub seeds: Vec<u64>,
    /// The main metric on test examples.
    pub score: RangeFacts,
    /// The main metric on tracks, where tracks have several test examples.
    pub score_by_track: Option<RangeFacts>,
    /// The score minus that of the share before.
    pub gain: Option<RangeFacts>,
}

/// `1 - score = floor + scale n^-exponent`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LawFacts {
    /// What is left with endless data.
    pub floor: f64,
    /// What is added at one training track.
    pub scale: f64,
    /// How fast that falls.
    pub exponent: f64,
    /// Whether the points are as near to the law as chance allows.
    pub is_lawful: bool,
}

/// What the law says of ten times the training tracks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForecastFacts {
    /// Number of training tracks.
    pub n_train_tracks: f64,
    /// The main metric.
    pub score: RangeFacts,
    /// Whether the interval is too long to say much.
    pub is_wide: bool,
}

pub(in crate::report) fn facts(curve: &Curve) -> CurveFacts {
    let runs = &curve.last().runs;
    let point = |point: &Point| CurvePoint {
        train_share: point.share,
        n_train_tracks: point.n(),
        runs: point.runs.runs.iter().map(|run| run.id.clone()).collect(),
        seeds: point.runs.records().map(|record| record.seed).collect(),
        score: point.score.into(),
        score_by_track: point.by_track.map(RangeFacts::from),
        gain: point.gain.map(RangeFacts::from),
    };
    let law = |law: &LearningCurve| {
        let (numbers, is_lawful) = (law.law(), law.is_lawful());
        let (floor, scale, exponent) = (numbers.floor, numbers.scale, numbers.exponent);
        LawFacts { floor, scale, exponent, is_lawful }
    };
    CurveFacts {
        experiment: runs.experiment().to_owned(),
        dataset: runs.record().data.dataset.clone(),
        metric: curve.metric.as_str().to_owned(),
        per: curve.per.to_owned(),
        n_test_tracks: curve.n_test_tracks,
        points: curve.points.iter().map(point).collect(),
        law: curve.law.as_ref().ok().map(law),
        no_law: curve.law.as_ref().err().cloned(),
        forecast: curve.forecast().map(|(n_train_tracks, score)| ForecastFacts {
            n_train_tracks,
            score: score.into(),
            is_wide: is_wide(curve),
        }),
    }
}
