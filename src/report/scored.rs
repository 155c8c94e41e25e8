//! Scores of runs from their predictions, on two levels: examples and tracks.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::ReportError;
use super::runs::Runs;
use crate::metrics::{self, Answers, Clustered, Metric};
use crate::record::{Predictions, Run};
use crate::vocab::{ExampleId, Targets, Task};

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
    /// What is true of every item.
    pub(super) targets: Targets,
    /// The predicted classes; empty if no classes were predicted.
    pub(super) predicted: Vec<usize>,
    /// Row-major `[n_items, n_outputs]`: probabilities of classes or tags, or numbers.
    pub(super) outputs: Vec<f32>,
    pub(super) n_outputs: usize,
}

impl Scored {
    /// Whether the class of every item is right.
    pub(super) fn right(&self) -> Vec<bool> {
        let actual = self.targets.classes();
        actual.iter().zip(&self.predicted).map(|(actual, said)| actual == said).collect()
    }

    /// What the model tells.
    pub(super) fn task(&self) -> Task {
        self.targets.task()
    }

    /// A metric, taken apart by tracks; `None` where the items don't define it.
    pub(super) fn score(&self, metric: Metric) -> Option<Clustered> {
        metric.score(&self.answers())
    }

    /// The main metric of the task, taken apart by tracks. [`levels`] has made sure that it is defined.
    pub(super) fn main(&self) -> Clustered {
        self.score(Metric::main(self.task())).expect("a level is scored by its main metric")
    }

    /// The mean of a value per item, taken apart by tracks.
    pub(super) fn mean(&self, values: &[f64]) -> Clustered {
        Clustered::mean(values, &self.tracks, self.n_tracks)
    }

    /// What a metric is computed from.
    pub(super) fn answers(&self) -> Answers<'_> {
        Answers {
            targets: &self.targets,
            predicted: &self.predicted,
            outputs: &self.outputs,
            n_outputs: self.n_outputs,
            tracks: &self.tracks,
            n_tracks: self.n_tracks,
        }
    }

    /// Whether another run was scored on the very same items.
    pub(super) fn has_items_of(&self, other: &Self) -> bool {
        self.tracks == other.tracks
            && self.segments == other.segments
            && self.targets == other.targets
    }
}

/// Whether items define the main metric: of tags, whether one is on some of them only.
fn define_main(targets: &Targets, n_outputs: usize) -> bool {
    let Targets::Tags(has_tag) = targets else { return true };
    let of = |tag: usize| has_tag.iter().skip(tag).step_by(n_outputs);
    (0..n_outputs).any(|tag| of(tag).any(|has| *has) && of(tag).any(|has| !has))
}

/// 1 for true, 0 for false.
pub(super) fn numbers(right: &[bool]) -> Vec<f64> {
    right.iter().map(|right| f64::from(u8::from(*right))).collect()
}

/// Numbers of tracks, by the data's hash and name: the same name means the same track on the same data only.
type Numbers = BTreeMap<String, BTreeMap<String, usize>>;

/// Examples first; then tracks, if a track has several examples anywhere and they define the main metric.
pub(super) fn levels(sides: &[&Runs]) -> Result<Vec<Level>, ReportError> {
    let sides: Vec<Vec<&Run>> = sides.iter().map(|side| side.runs.clone()).collect();
    levels_by(&sides, |_, _, run| rows(run))
}

/// The same of what `rows` says that a run predicted, by side and run, each sorted by example.
pub(super) fn levels_by(
    sides: &[Vec<&Run>],
    rows: impl Fn(usize, usize, &Run) -> Result<Predictions, ReportError>,
) -> Result<Vec<Level>, ReportError> {
    let (mut numbers, mut n_tracks) = (Numbers::new(), 0);
    let mut examples: Vec<Vec<Scored>> = vec![];
    for (number, side) in sides.iter().enumerate() {
        // The predictions of one run at a time are in memory as they were read.
        let run = |(at, run): (usize, &&Run)| {
            Ok(scored(run, &rows(number, at, run)?, &mut numbers, &mut n_tracks))
        };
        examples.push(side.iter().enumerate().map(run).collect::<Result<_, ReportError>>()?);
    }
    examples.iter_mut().flatten().for_each(|run| run.n_tracks = n_tracks);
    let all = || examples.iter().flatten();
    if all().all(|run| run.tracks.windows(2).all(|two| two[0] != two[1])) {
        return Ok(vec![Level { item: "example", sides: examples }]);
    }
    let votes: Vec<Vec<Scored>> =
        examples.iter().map(|side| side.iter().map(votes).collect()).collect();
    let has_tracks = votes.iter().flatten().all(|run| define_main(&run.targets, run.n_outputs));
    let mut levels = vec![Level { item: "segment", sides: examples }];
    if has_tracks {
        levels.push(Level { item: "track", sides: votes });
    }
    Ok(levels)
}

/// A run's predictions by example; refused where they are not what the record counts, or don't define the
/// main metric.
pub(super) fn rows(run: &Run) -> Result<Predictions, ReportError> {
    let mut rows = run.predictions()?;
    let (found, n_test) = (rows.len(), run.record.scored().n());
    let broken = |message: String| {
        let path = PathBuf::from(&run.folder).join("predictions.csv");
        Err(ReportError::Broken { path, message })
    };
    if found != n_test {
        let message =
            format!("expected one line for each of {n_test} test examples, found {found}");
        return broken(message);
    }
    rows.sort();
    let examples = rows.examples();
    if examples.first().map(|it| &it.track) == examples.last().map(|it| &it.track) {
        return broken("expected at least two tracks for an interval, found one".to_owned());
    }
    if !define_main(&rows.targets(), run.record.data.classes.len()) {
        let message = "expected a tag that some test examples have and others do not, found none";
        return broken(message.to_owned());
    }
    Ok(rows)
}

/// Whether predictions are of two tracks at least, and define the main metric.
pub(super) fn is_enough(rows: &Predictions, n_outputs: usize) -> bool {
    let examples = rows.examples();
    let has_others = examples.iter().any(|it| it.track != examples[0].track);
    has_others && define_main(&rows.targets(), n_outputs)
}

/// The items of a run; new tracks get the next numbers.
fn scored(run: &Run, rows: &Predictions, numbers: &mut Numbers, n_tracks: &mut usize) -> Scored {
    let record = &run.record;
    if !numbers.contains_key(&record.data.hash) {
        numbers.insert(record.data.hash.clone(), BTreeMap::new());
    }
    let numbers = numbers.get_mut(&record.data.hash).expect("it was inserted");
    let examples = rows.examples();
    let number = |example: &&ExampleId| {
        numbers.get(&example.track).copied().unwrap_or_else(|| {
            numbers.insert(example.track.clone(), *n_tracks);
            *n_tracks += 1;
            *n_tracks - 1
        })
    };
    Scored {
        seed: record.seed,
        tracks: examples.iter().map(number).collect(),
        segments: examples.iter().map(|example| example.segment).collect(),
        n_tracks: 0,
        targets: rows.targets(),
        predicted: rows.predicted(),
        outputs: rows.outputs(),
        n_outputs: record.data.classes.len(),
    }
}

/// The same run with the segments of each track pooled.
fn votes(run: &Scored) -> Scored {
    let n_outputs = run.n_outputs;
    let pooled = metrics::pool_tracks(&run.targets, &run.outputs, n_outputs, &run.tracks);
    let mut first: Vec<Option<usize>> = vec![None; run.n_tracks];
    for (item, &track) in run.tracks.iter().enumerate() {
        first[track].get_or_insert(item);
    }
    // By item, so that runs on the same tracks have them in the same order.
    let mut order: Vec<usize> = (0..pooled.tracks.len()).collect();
    order.sort_by_key(|&row| first[pooled.tracks[row]]);
    let row = |&row: &usize| &pooled.outputs[row * n_outputs..][..n_outputs];
    let outputs: Vec<f32> = order.iter().flat_map(row).copied().collect();
    let predicted = match run.task() {
        Task::Classes => metrics::most_likely(&outputs, n_outputs),
        Task::Tags | Task::Number => vec![],
    };
    Scored {
        seed: run.seed,
        segments: vec![0; order.len()],
        tracks: order.iter().map(|&row| pooled.tracks[row]).collect(),
        n_tracks: run.n_tracks,
        targets: pooled.targets.of_rows(&order, n_outputs),
        predicted,
        outputs,
        n_outputs,
    }
}
