//! Every column's histogram, class by class: ridges below each other, all classes on one axis.

use super::largest::largest;
use super::{ColumnSummary, Columns, Histogram, WIDTH};
use crate::report::figure::axis::{Axis, Plane, TICK_SIZE};
use crate::report::figure::canvas::{Align, BLUE, Figure, GREY, PALE, Point, Text, VERMILION};
use crate::report::words::count;

const RIDGE: f64 = 22.0;
const NAME_SIZE: f64 = 12.5;
const N_ACROSS: usize = 3;
const GAP: f64 = 26.0;
/// What a panel needs over its ridges for its title, and below them for its ticks.
const OVER: f64 = 26.0;
const BELOW: f64 = 34.0;
/// The height of a line of notes.
const NOTE: f64 = 18.0;

/// Classes and columns that are drawn at most.
const MOST_CLASSES: usize = 20;
const MOST_COLUMNS: usize = 12;
/// How many columns with notes get a line. The others are counted.
const MOST_NOTES: usize = 6;

/// Draws a panel a column, a ridge a class; below them what is not drawn.
pub(super) fn figure(data: &Columns) -> Figure {
    let (data, words) = &largest(data, MOST_CLASSES, MOST_COLUMNS);
    let n_across = N_ACROSS.min(data.columns.len());
    let n_down = data.columns.len().div_ceil(n_across);
    let ridges = RIDGE * data.classes.len() as f64;
    let mut notes: Vec<String> = data.columns.iter().filter_map(note).collect();
    if notes.len() > MOST_NOTES {
        let n_more = notes.len() - (MOST_NOTES - 1);
        notes.truncate(MOST_NOTES - 1);
        notes.push(format!("not drawn of {n_more} more columns: missing or far values"));
    }
    let top = 84.0;
    let bottom = top + n_down as f64 * (OVER + ridges + BELOW);
    let height = bottom + NOTE * notes.len() as f64 + if notes.is_empty() { 0.0 } else { 8.0 };
    let title = format!("{}: histograms by class", data.name);
    let mut figure = Figure::new(&title, WIDTH, height as u32);
    let what = "share of a class's values per bin, each scaled to its peak";
    figure.heading(&title, if words.is_empty() { what } else { words });
    if !words.is_empty() {
        figure.text(Text::new(what, (190.0, 68.0), 12.5).color(GREY));
    }
    figure.line(vec![(18.0, 62.0), (18.0, 74.0)], VERMILION, 2.0);
    figure.text(Text::new("median of the class", (26.0, 68.0), 12.5));

    let names = data.classes.iter().map(|name| Text::new(name, (0.0, 0.0), NAME_SIZE).width());
    let names = names.fold(40.0, f64::max).min(150.0);
    let left = 12.0 + names + 10.0;
    let width = (f64::from(WIDTH) - left - 16.0 + GAP) / n_across as f64 - GAP;
    for (i, column) in data.columns.iter().enumerate() {
        let x = left + (i % n_across) as f64 * (width + GAP);
        let y = top + (i / n_across) as f64 * (OVER + ridges + BELOW) + OVER;
        if i % n_across == 0 {
            for (class, name) in data.classes.iter().enumerate() {
                let at = (left - 8.0, y + RIDGE * (class as f64 + 0.6));
                figure.text(Text::new(name, at, NAME_SIZE).align(Align::Right).fit(names));
            }
        }
        figure.text(Text::new(&column.name, (x, y - 12.0), 13.5).bold().fit(width));
        panel(&mut figure, column, (x, y, x + width, y + ridges));
    }
    for (i, note) in notes.into_iter().enumerate() {
        let at = (16.0, bottom + NOTE * (i as f64 + 0.5));
        figure.text(Text::new(note, at, 12.5).color(GREY).fit(f64::from(WIDTH) - 32.0));
    }
    figure
}

/// What is not drawn of a column. `None` if everything is drawn.
fn note(column: &ColumnSummary) -> Option<String> {
    let parts = [(column.n_missing, "missing"), (column.n_beyond, "far from the others")];
    let parts = parts.into_iter().filter(|(n, _)| *n > 0);
    let parts: Vec<String> = parts.map(|(n, what)| format!("{} {what}", count(n))).collect();
    let name = &column.name;
    (!parts.is_empty()).then(|| format!("not drawn of {name}: {}", parts.join(", ")))
}

fn panel(
    figure: &mut Figure,
    column: &ColumnSummary,
    (left, top, right, bottom): (f64, f64, f64, f64),
) {
    let ColumnSummary { low, high, .. } = *column;
    let mut across = if column.is_whole {
        Axis::whole("", low, high, 4)
    } else {
        Axis::within("", low, high, 4)
    };
    // Labels at the ends stand half over the gap, those of the next panel over its other half; long
    // ones leave room for each other.
    let mut from = left - GAP / 2.0;
    across.ticks.retain(|(value, label)| {
        let x = left + (value - low) / (high - low) * (right - left);
        let half = Text::new(label, (0.0, 0.0), TICK_SIZE).width() / 2.0;
        let is_kept = x - half > from && x + half < right + GAP / 2.0;
        from = if is_kept { x + half + 4.0 } else { from };
        is_kept
    });
    let up = Axis::within("", 0.0, column.classes.len() as f64, 1);
    let plane = Plane { left, top, right, bottom, across, up };
    for (value, _) in &plane.across.ticks {
        let (x, _) = plane.place(*value, 0.0);
        figure.line(vec![(x, top), (x, bottom)], PALE, 1.0);
    }
    for (class, histogram) in column.classes.iter().enumerate() {
        ridge(figure, &plane, histogram, top + RIDGE * (class as f64 + 1.0));
    }
    plane.frame_below(figure);
}

/// Draws one class's values over a floor.
fn ridge(figure: &mut Figure, plane: &Plane, histogram: &Histogram, floor: f64) {
    figure.line(vec![(plane.left, floor), (plane.right, floor)], PALE, 1.0);
    let (low, high) = (plane.across.low, plane.across.high);
    let n = histogram.counts.len() as f64;
    let edge = |i: usize| plane.place(low + i as f64 / n * (high - low), 0.0).0;
    let Some(most) = histogram.counts.iter().max().filter(|most| **most > 0) else { return };
    let mut outline: Vec<Point> = vec![(plane.left, floor)];
    for (i, n) in histogram.counts.iter().enumerate() {
        let y = floor - *n as f64 / *most as f64 * (RIDGE - 3.0);
        outline.push((edge(i), y));
        outline.push((edge(i + 1), y));
    }
    outline.push((plane.right, floor));
    figure.area(outline, BLUE, 0.75);
    if let Some(median) = histogram.median.filter(|median| (low..=high).contains(median)) {
        let (x, _) = plane.place(median, 0.0);
        figure.line(vec![(x, floor - RIDGE + 3.0), (x, floor)], VERMILION, 2.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_drawn_is_said() {
        let whole = ColumnSummary {
            name: "tempo".to_owned(),
            low: 0.0,
            high: 1.0,
            is_whole: false,
            n_missing: 0,
            n_beyond: 0,
            between_classes: 0.0,
            classes: vec![],
        };
        assert_eq!(note(&whole), None);
        let part = ColumnSummary { n_missing: 2, n_beyond: 1, ..whole };
        let said = "not drawn of tempo: 2 missing, 1 far from the others";
        assert_eq!(note(&part).as_deref(), Some(said));
    }
}
