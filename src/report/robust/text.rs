//! The output of `encore robust`, at most 100 columns wide.

use super::super::words::{MOST_COLUMNS, counted, fraction, metric_interval, signed, wrapped};
use super::curves::UNDEGRADED;
use super::measured::{Measured, Test};
use crate::metrics::Interval;

/// Columns of the names of degradations and strengths.
const LABELS: usize = 24;

/// Everything.
pub(in crate::report) fn text(measured: &Measured) -> String {
    let metric = measured.metric.words();
    let (first, has_tracks) = (&measured.levels[0], measured.levels.len() > 1);
    let by_track = if has_tracks { ", and by track" } else { "" };
    let mut text = wrapped("", "", &format!("{metric} per {} [95 %]{by_track}", first.per));
    text.push('\n');
    let longest = measured.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let cell = longest.max(if has_tracks { 27 } else { 20 }) + 2;
    let n_beside = ((MOST_COLUMNS - LABELS) / cell).max(1);
    let sides: Vec<usize> = (0..measured.names.len()).collect();
    for sides in sides.chunks(n_beside) {
        text += &table(measured, sides, cell);
        text.push('\n');
    }
    text += &tests(measured);
    text.trim_end().to_owned() + "\n"
}

fn table(measured: &Measured, sides: &[usize], cell: usize) -> String {
    let line = |label: &str, cells: Vec<String>| {
        let cells: String = cells.iter().map(|text| format!("  {text:<0$}", cell - 2)).collect();
        format!("{label:LABELS$}{cells}").trim_end().to_owned() + "\n"
    };
    let of_sides = |at: usize| sides.iter().map(|side| said(measured, *side, at)).collect();
    let names = sides.iter().map(|side| measured.names[*side].clone()).collect();
    let mut text = line("", names);
    if measured.degradations[0] == UNDEGRADED {
        text += &line("undegraded", of_sides(0));
    }
    for curve in &measured.curves {
        text += &format!("{} {}\n", curve.name, curve.parameter).replace(" \n", "\n");
        for point in curve.points.iter().filter(|point| point.label != UNDEGRADED) {
            text += &line(&format!("  {}", point.label), of_sides(point.index));
        }
    }
    text
}

/// `0.612 [0.553, 0.671]  0.700`.
fn said(measured: &Measured, side: usize, at: usize) -> String {
    let Some(score) = measured.score(0, side, at) else { return "-".to_owned() };
    let by_track = measured.score(1, side, at);
    let by_track = by_track.map_or(String::new(), |it| format!("  {}", fraction(it.mean)));
    format!("{}{by_track}", metric_interval(measured.metric, score))
}

/// The differences, one a line, those of examples before those by track.
fn tests(measured: &Measured) -> String {
    let mut text = String::new();
    for level in &measured.levels {
        if level.tests.is_empty() {
            continue;
        }
        let n = level.tests.len();
        let head = format!(
            "{} per {}, second minus first, averaged over the strengths of each degradation; p by Holm's \
             correction for {}",
            measured.metric.words(),
            level.per,
            counted(n, "test"),
        );
        text += &wrapped("", "  ", &head);
        let mut pair = (usize::MAX, usize::MAX);
        let mut ordered: Vec<&Test> = level.tests.iter().collect();
        ordered.sort_by_key(|test| (test.first, test.second));
        for test in ordered {
            if (test.first, test.second) != pair {
                pair = (test.first, test.second);
                let [a, b] = [test.first, test.second].map(|side| &measured.names[side]);
                text += &wrapped("", "  ", &format!("{b} minus {a} ({})", how(test)));
            }
            let Interval { mean, low, high } = test.difference.interval();
            let star = if test.is_significant() { " *" } else { "" };
            let name =
                if test.degradation == UNDEGRADED { "undegraded" } else { &test.degradation };
            let range = format!("{} [{}, {}]", signed(mean), signed(low), signed(high));
            text += &format!("  {name:22}{range}  p {:.3}{star}\n", test.adjusted_p);
        }
        text.push('\n');
    }
    text
}

fn how(test: &Test) -> String {
    let tracks = counted(test.difference.n_tracks, "track");
    let [first, second] = test.n_runs;
    let seeds = if test.difference.knows_seeds() { "" } else { "; another seed may reverse it" };
    if test.is_paired {
        return format!("{} on the same {tracks}{seeds}", counted(first, "seed pair"));
    }
    format!(
        "unpaired, as the test sets differ: {} and {}, {tracks} in all{seeds}",
        counted(first, "seed"),
        counted(second, "seed")
    )
}
