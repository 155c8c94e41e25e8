//! A comparison as the command line prints it.

use std::ops::Range;

use super::super::scored::{Level, Scored};
use super::super::summary::{FOREIGN, interval, leaking};
use super::super::words::{
    MOST_COLUMNS, aligned, counted, fraction, list, metric_interval, wrapped,
};
use super::pair::Pair;
use super::sentence;
use super::side::Side;
use crate::metrics::{
    Clustered, Estimate, MOST_BRIER_SCORE, Metric, brier_scores, calibration_error,
};
use crate::record::{OfSearch, PartOfSearch, Record, spec_differences};
use crate::vocab::Task;

/// Columns that the labels of the table take.
const LABELS: usize = 22;
/// Columns that a cell takes, with the space before it: `  0.838 [0.832, 0.844]`.
const CELL: usize = 23;

/// Everything.
pub(super) fn text(sides: &[Side], levels: &[Level], tests: &[Vec<Pair>]) -> String {
    let mut text = sides.iter().map(head).collect::<String>();
    text.push('\n');
    let longest = sides.iter().map(|side| side.name.chars().count() + 2).max().unwrap_or(0);
    let n_beside = ((MOST_COLUMNS - LABELS) / longest.max(CELL)).max(1);
    for start in (0..sides.len()).step_by(n_beside) {
        let range = start..(start + n_beside).min(sides.len());
        text += &table(&sides[range.clone()], levels, range);
        text.push('\n');
    }
    for other in &sides[1..] {
        text += &differences(&sides[0], other);
        text.push('\n');
    }
    for (level, pairs) in levels.iter().zip(tests) {
        for pair in pairs {
            text += &sentence::test(sides, level, pair, pairs.len());
        }
        text.push('\n');
    }
    (text + &notes(sides)).trim_end().to_owned() + "\n"
}

/// What a side is.
fn head(side: &Side) -> String {
    let record = side.runs.record();
    let seeds: Vec<String> = side.runs.records().map(|record| record.seed.to_string()).collect();
    let seeds = match seeds.as_slice() {
        [seed] => format!("one seed, {seed}"),
        seeds => format!("seeds {}", list(seeds)),
    };
    let (data, protocol) = (side.runs.dataset_words(), &record.split.protocol);
    let search = search(record);
    wrapped("", "    ", &format!("{}: {seeds}, on {data}; split {protocol}{search}", side.name))
}

/// What a run is in a search, behind a semicolon; empty for other runs.
fn search(record: &Record) -> String {
    let Some(OfSearch { study, part }) = &record.search else { return String::new() };
    match part {
        PartOfSearch::Trial { number, .. } => {
            format!("; trial {number} of {study}, scored on its validation examples")
        }
        PartOfSearch::Base => format!("; the spec as it is, in {study}"),
        PartOfSearch::Winner { n_trials } => {
            format!("; settings chosen from {n_trials} trials of {study}")
        }
    }
}

/// The metrics of some sides, a line each.
fn table(sides: &[Side], levels: &[Level], range: Range<usize>) -> String {
    let mut lines = vec![vec![String::new()]];
    lines[0].extend(sides.iter().map(|side| side.name.clone()));
    let task = levels[0].sides[0][0].task();
    let main = Metric::main(task);
    for level in levels {
        let scores: Vec<Estimate> =
            level.sides[range.clone()].iter().map(|side| estimate(side, Scored::main)).collect();
        let mut line = |label: String, cell: &dyn Fn(&Estimate) -> String| {
            lines.push([label].into_iter().chain(scores.iter().map(cell)).collect());
        };
        line(format!("{} per {}", main.words(), level.item), &|of| interval(&main.interval_of(of)));
        line("  error by test tracks".to_owned(), &|of| fraction(of.tracks_error()));
        line("  error by seeds".to_owned(), &|of| {
            of.seeds_error().map_or("unknown: one seed".to_owned(), fraction)
        });
    }
    let mut line = |label: &str, cell: &dyn Fn(&[Scored]) -> String| {
        let mut line = vec![label.to_owned()];
        line.extend(levels[0].sides[range.clone()].iter().map(|side| cell(side)));
        lines.push(line);
    };
    let others: &[Metric] = match task {
        Task::Classes => &[Metric::MacroF1, Metric::Top2Accuracy, Metric::LogLoss],
        Task::Tags => &[Metric::AveragePrecision, Metric::LogLoss],
        Task::Number => &[Metric::Mae, Metric::Mse],
    };
    for metric in others {
        line(metric.words(), &|side| {
            let runs: Option<Vec<Clustered>> = side.iter().map(|run| run.score(*metric)).collect();
            runs.map_or("-".to_owned(), |runs| metric_interval(*metric, &metric.interval(&runs)))
        });
    }
    if task == Task::Classes {
        line("Brier score", &|side| {
            interval(&estimate(side, brier).loss_interval(MOST_BRIER_SCORE))
        });
        line("calibration error", &|side| {
            let error = |run: &Scored| {
                calibration_error(run.targets.classes(), &run.outputs, run.n_outputs)
            };
            fraction(side.iter().map(error).sum::<f64>() / side.len() as f64)
        });
    }
    aligned(&lines)
}

fn estimate(side: &[Scored], score: impl Fn(&Scored) -> Clustered) -> Estimate {
    Estimate::of(&side.iter().map(score).collect::<Vec<_>>())
}

fn brier(run: &Scored) -> Clustered {
    run.mean(&brier_scores(run.targets.classes(), &run.outputs, run.n_outputs))
}

/// What the specs of two sides differ in, a line each.
fn differences(first: &Side, second: &Side) -> String {
    let (was, is) = (&first.runs.record().spec, &second.runs.record().spec);
    let lines = spec_differences(was, is);
    let head = format!("spec, {} -> {}:", first.name, second.name);
    if lines.is_empty() {
        return format!("{head} no relevant difference\n");
    }
    let lines = lines.iter().map(|line| wrapped("  ", "      ", line));
    format!("{head}\n{}", lines.collect::<String>())
}

/// What a reader must know before a difference is believed, each thing once with the sides it is of.
fn notes(sides: &[Side]) -> String {
    let mut notes: Vec<(String, Vec<&str>)> = vec![];
    for side in sides {
        for note in notes_of(side) {
            match notes.iter_mut().find(|(known, _)| *known == note) {
                Some((_, names)) => names.push(&side.name),
                None => notes.push((note, vec![&side.name])),
            }
        }
    }
    let mut lines: Vec<String> =
        notes.iter().map(|(note, names)| format!("{}: {note}", names.join(", "))).collect();
    for (is_same, what) in [
        (alike(sides, |side| &side.runs.record().data.hash), "the data"),
        (alike(sides, |side| &side.runs.record().code.code_version), "the code version"),
        (alike(sides, |side| &side.runs.record().cut), "the length of the runs"),
    ] {
        if !is_same {
            lines.push(format!("{what} differs, which may explain a difference"));
        }
    }
    lines.iter().map(|line| wrapped("- ", "  ", line)).collect()
}

fn notes_of(side: &Side) -> Vec<String> {
    let group = &side.runs;
    let mut notes = vec![];
    notes.extend(group.other_version().map(str::to_owned));
    if group.is_foreign() {
        notes.push(format!("foreign, {FOREIGN}"));
    }
    if group.leaks() {
        let leaking = leaking(group);
        notes.push(format!(
            "the split leaks, {leaking} test examples have their track in train or valid"
        ));
    }
    if group.n_superseded > 0 {
        let earlier = counted(group.n_superseded, "earlier run");
        notes.push(format!("{earlier} left out: the same seed was run again"));
    }
    if side.n_left_out > 0 {
        let others = counted(side.n_left_out, "other run");
        notes.push(format!(
            "{others} left out: other data, another spec, another length or foreign; give their \
             ids to compare them"
        ));
    }
    notes
}

fn alike<'a, T: PartialEq + 'a>(sides: &'a [Side], fact: impl Fn(&'a Side<'a>) -> &'a T) -> bool {
    sides.iter().all(|side| fact(side) == fact(&sides[0]))
}
