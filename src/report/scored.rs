//! Scores of runs from their predictions, on two levels: examples and tracks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ReportError;
use super::runs::Runs;
use crate::metrics::{self, Answers, Clustered};
use crate::record::{Prediction, Run};
use crate::vocab::ExampleId;

/// What all sides said of the items of one level.
pub(super) struct Level {
    /// What an item is: `segment`, `example` or `track`.
    pub(super) item: &'static str,
    /// A run each, for every side.
    pub(super) sides: Vec<Vec<Scored>>,
}

/// What one run said of its test items.
pub(super) struct Scored {
    pub(super) seed: u64,
    /// The data's hash and which item it is, ascending; a track's vote has segment 0.
    pub(super) items: Vec<(String, ExampleId)>,
    /// Track of every item, numbered over all sides.
    pub(super) tracks: Vec<usize>,
    pub(super) n_tracks: usize,
    pub(super) actual: Vec<usize>,
    pub(super) predicted: Vec<usize>,
    /// Row-major `[n_items, n_classes]`.
    pub(super) probabilities: Vec<f32>,
    pub(super) n_classes: usize,
}

impl Scored {
    /// Whether every item is right.
    pub(super) fn right(&self) -> Vec<bool> {
        self.actual.iter().zip(&self.predicted).map(|(actual, said)| actual == said).collect()
    }

    /// Accuracy, taken apart by tracks.
    pub(super) fn accuracy(&self) -> Clustered {
        self.mean(&numbers(&self.right()))
    }

    /// The mean of a value per item, taken apart by tracks.
    pub(super) fn mean(&self, values: &[f64]) -> Clustered {
        Clustered::mean(values, &self.tracks, self.n_tracks)
    }

    /// What a metric is computed from.
    pub(super) fn answers(&self) -> Answers<'_> {
        Answers {
            actual: &self.actual,
            predicted: &self.predicted,
            probabilities: &self.probabilities,
            n_classes: self.n_classes,
            tracks: &self.tracks,
            n_tracks: self.n_tracks,
        }
    }

    /// Whether another run was scored on the very same items.
    pub(super) fn has_items_of(&self, other: &Self) -> bool {
        self.items == other.items && self.actual == other.actual
    }
}

/// 1 for true, 0 for false.
pub(super) fn numbers(right: &[bool]) -> Vec<f64> {
    right.iter().map(|right| f64::from(u8::from(*right))).collect()
}

/// Examples first; then tracks, if a track has several examples anywhere.
pub(super) fn levels(sides: &[&Runs]) -> Result<Vec<Level>, ReportError> {
    let mut numbers = BTreeMap::new();
    let mut predictions = vec![];
    for side in sides {
        let mut of_side = vec![];
        for run in &side.runs {
            let rows = rows(run)?;
            for row in &rows {
                // The same name means the same track on the same data only.
                let n = numbers.len();
                numbers.entry(track_key(run, row)).or_insert(n);
            }
            of_side.push((*run, rows));
        }
        predictions.push(of_side);
    }
    let examples: Vec<Vec<Scored>> = predictions
        .iter()
        .map(|side| side.iter().map(|(run, rows)| scored(run, rows, &numbers)).collect())
        .collect();
    let all = || examples.iter().flatten();
    if all().all(|run| run.items.windows(2).all(|two| two[0].1.track != two[1].1.track)) {
        return Ok(vec![Level { item: "example", sides: examples }]);
    }
    let votes = examples.iter().map(|side| side.iter().map(votes).collect()).collect();
    let segments = Level { item: "segment", sides: examples };
    Ok(vec![segments, Level { item: "track", sides: votes }])
}

fn track_key<'a>(run: &'a Run, row: &'a Prediction) -> (String, String) {
    (run.record.data.hash.clone(), row.example.track.clone())
}

/// A run's predictions by example; refused where they are not what the record counts.
pub(super) fn rows(run: &Run) -> Result<Vec<Prediction>, ReportError> {
    let mut rows = run.predictions()?;
    let (found, n_test) = (rows.len(), run.record.test.n);
    let path = || PathBuf::from(&run.folder).join("predictions.csv");
    if found != n_test {
        let message =
            format!("expected one line for each of {n_test} test examples, found {found}");
        return Err(ReportError::Broken { path: path(), message });
    }
    rows.sort_by(|a, b| a.example.cmp(&b.example));
    if rows.first().map(|row| &row.example.track) == rows.last().map(|row| &row.example.track) {
        let message = "expected at least two tracks for an interval, found one".to_owned();
        return Err(ReportError::Broken { path: path(), message });
    }
    Ok(rows)
}

fn scored(run: &Run, rows: &[Prediction], numbers: &BTreeMap<(String, String), usize>) -> Scored {
    let hash = &run.record.data.hash;
    Scored {
        seed: run.record.seed,
        items: rows.iter().map(|row| (hash.clone(), row.example.clone())).collect(),
        tracks: rows.iter().map(|row| numbers[&track_key(run, row)]).collect(),
        n_tracks: numbers.len(),
        actual: rows.iter().map(|row| row.actual).collect(),
        predicted: rows.iter().map(|row| row.predicted).collect(),
        probabilities: rows.iter().flat_map(|row| row.probabilities.iter().copied()).collect(),
        n_classes: run.record.data.classes.len(),
    }
}

/// The same run with the segments of each track voting.
fn votes(run: &Scored) -> Scored {
    let votes = metrics::track_votes(&run.tracks, &run.probabilities, run.n_classes);
    let mut first: Vec<Option<usize>> = vec![None; run.n_tracks];
    for (item, &track) in run.tracks.iter().enumerate() {
        first[track].get_or_insert(item);
    }
    let mut of_track: Vec<(usize, usize)> = votes
        .tracks
        .iter()
        .enumerate()
        .map(|(row, &track)| (first[track].expect("a vote is of items"), row))
        .collect();
    // By item, so that runs on the same tracks have them in the same order.
    of_track.sort_unstable();
    let row =
        |&(_, row): &(usize, usize)| &votes.probabilities[row * run.n_classes..][..run.n_classes];
    let probabilities: Vec<f32> = of_track.iter().flat_map(row).copied().collect();
    let id = |(hash, example): &(String, ExampleId)| {
        (hash.clone(), ExampleId { segment: 0, ..example.clone() })
    };
    Scored {
        seed: run.seed,
        items: of_track.iter().map(|(item, _)| id(&run.items[*item])).collect(),
        tracks: of_track.iter().map(|(item, _)| run.tracks[*item]).collect(),
        n_tracks: run.n_tracks,
        actual: of_track.iter().map(|(item, _)| run.actual[*item]).collect(),
        predicted: metrics::most_likely(&probabilities, run.n_classes),
        probabilities,
        n_classes: run.n_classes,
    }
}
