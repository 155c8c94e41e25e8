//! Scores of runs from their predictions, on two levels: examples and tracks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ReportError;
use super::runs::Runs;
use crate::metrics::{self, Answers, Clustered};
use crate::record::{Prediction, Run};

/// The predictions of all sides for the items of one level.
pub(super) struct Level {
    /// What an item is: `segment`, `example` or `track`.
    pub(super) item: &'static str,
    /// A run each, for every side.
    pub(super) sides: Vec<Vec<Scored>>,
}

/// The predictions of one run for its test items.
pub(super) struct Scored {
    pub(super) seed: u64,
    /// Track of every item, numbered over all sides; items are in the order of their names.
    pub(super) tracks: Vec<usize>,
    /// Segment of every item within its track; a track's vote has 0.
    pub(super) segments: Vec<u32>,
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
        self.tracks == other.tracks
            && self.segments == other.segments
            && self.actual == other.actual
    }
}

/// 1 for true, 0 for false.
pub(super) fn numbers(right: &[bool]) -> Vec<f64> {
    right.iter().map(|right| f64::from(u8::from(*right))).collect()
}

/// Numbers of tracks, by the data's hash and name: the same name means the same track on the same data only.
type Numbers = BTreeMap<String, BTreeMap<String, usize>>;

/// Examples first; then tracks, if a track has several examples anywhere.
pub(super) fn levels(sides: &[&Runs]) -> Result<Vec<Level>, ReportError> {
    let (mut numbers, mut n_tracks) = (Numbers::new(), 0);
    let mut examples: Vec<Vec<Scored>> = vec![];
    for side in sides {
        // The predictions of one run at a time are in memory as they were read.
        let run = |run: &&Run| Ok(scored(run, &rows(run)?, &mut numbers, &mut n_tracks));
        examples.push(side.runs.iter().map(run).collect::<Result<_, ReportError>>()?);
    }
    examples.iter_mut().flatten().for_each(|run| run.n_tracks = n_tracks);
    let all = || examples.iter().flatten();
    if all().all(|run| run.tracks.windows(2).all(|two| two[0] != two[1])) {
        return Ok(vec![Level { item: "example", sides: examples }]);
    }
    let votes = examples.iter().map(|side| side.iter().map(votes).collect()).collect();
    let segments = Level { item: "segment", sides: examples };
    Ok(vec![segments, Level { item: "track", sides: votes }])
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

/// The items of a run; new tracks get the next numbers.
fn scored(run: &Run, rows: &[Prediction], numbers: &mut Numbers, n_tracks: &mut usize) -> Scored {
    let record = &run.record;
    if !numbers.contains_key(&record.data.hash) {
        numbers.insert(record.data.hash.clone(), BTreeMap::new());
    }
    let numbers = numbers.get_mut(&record.data.hash).expect("it was inserted");
    let number = |row: &Prediction| {
        numbers.get(&row.example.track).copied().unwrap_or_else(|| {
            numbers.insert(row.example.track.clone(), *n_tracks);
            *n_tracks += 1;
            *n_tracks - 1
        })
    };
    Scored {
        seed: record.seed,
        tracks: rows.iter().map(number).collect(),
        segments: rows.iter().map(|row| row.example.segment).collect(),
        n_tracks: 0,
        actual: rows.iter().map(|row| row.actual).collect(),
        predicted: rows.iter().map(|row| row.predicted).collect(),
        probabilities: rows.iter().flat_map(|row| row.probabilities.iter().copied()).collect(),
        n_classes: record.data.classes.len(),
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
    Scored {
        seed: run.seed,
        segments: vec![0; of_track.len()],
        tracks: of_track.iter().map(|(item, _)| run.tracks[*item]).collect(),
        n_tracks: run.n_tracks,
        actual: of_track.iter().map(|(item, _)| run.actual[*item]).collect(),
        predicted: metrics::most_likely(&probabilities, run.n_classes),
        probabilities,
        n_classes: run.n_classes,
    }
}
