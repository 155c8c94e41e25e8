//! Every column's histogram, class by class: ridges below each other, all classes on one axis.

use super::{Columns, WIDTH};
use crate::report::figure::axis::{Axis, Plane, TICK_SIZE, nice_step};
use crate::report::figure::canvas::{Align, BLUE, Figure, GREY, PALE, Point, Text, VERMILION};
use crate::report::words::count;

const N_BINS: usize = 40;
const RIDGE: f64 = 22.0;
const NAME_SIZE: f64 = 12.5;
const N_ACROSS: usize = 3;
const GAP: f64 = 26.0;
/// What a panel needs over its ridges for its title, and below them for its ticks.
const OVER: f64 = 26.0;
const BELOW: f64 = 34.0;
/// The height of a line of notes.
const NOTE: f64 = 18.0;

/// Draws a panel a column, a ridge a class; below them what is not drawn.
pub(super) fn figure(data: &Columns) -> Figure {
    let n_across = N_ACROSS.min(data.columns.len());
    let n_down = data.columns.len().div_ceil(n_across);
    let ridges = RIDGE * data.classes.len() as f64;
    let bins: Vec<Bins> = data.columns.iter().map(|(_, values)| Bins::of(values)).collect();
    let notes = notes(data, &bins);
    let top = 84.0;
    let bottom = top + n_down as f64 * (OVER + ridges + BELOW);
    let height = bottom + NOTE * notes.len() as f64 + if notes.is_empty() { 0.0 } else { 8.0 };
    let title = format!("{}: histograms by class", data.name);
    let mut figure = Figure::new(&title, WIDTH, height as u32);
    figure.heading(&title, "share of a class's values per bin, each scaled to its peak");
    figure.line(vec![(18.0, 62.0), (18.0, 74.0)], VERMILION, 2.0);
    figure.text(Text::new("median of the class", (26.0, 68.0), 12.5));

    let names = data.classes.iter().map(|name| Text::new(name, (0.0, 0.0), NAME_SIZE).width());
    let names = names.fold(40.0, f64::max).min(150.0);
    let left = 12.0 + names + 10.0;
    let width = (f64::from(WIDTH) - left - 16.0 + GAP) / n_across as f64 - GAP;
    for (i, ((name, values), bins)) in data.columns.iter().zip(&bins).enumerate() {
        let x = left + (i % n_across) as f64 * (width + GAP);
        let y = top + (i / n_across) as f64 * (OVER + ridges + BELOW) + OVER;
        if i % n_across == 0 {
            for (class, name) in data.classes.iter().enumerate() {
                let at = (left - 8.0, y + RIDGE * (class as f64 + 0.6));
                figure.text(Text::new(name, at, NAME_SIZE).align(Align::Right).fit(names));
            }
        }
        figure.text(Text::new(name, (x, y - 12.0), 13.5).bold().fit(width));
        panel(&mut figure, &data.labels, values, bins, (x, y, x + width, y + ridges));
    }
    for (i, note) in notes.into_iter().enumerate() {
        let at = (16.0, bottom + NOTE * (i as f64 + 0.5));
        figure.text(Text::new(note, at, 12.5).color(GREY).fit(f64::from(WIDTH) - 32.0));
    }
    figure
}

/// What is not drawn of which column.
fn notes(data: &Columns, bins: &[Bins]) -> Vec<String> {
    let said = data.columns.iter().zip(bins).filter_map(|((name, _), bins)| {
        let note = bins.note();
        (!note.is_empty()).then(|| format!("not drawn of {name}: {note}"))
    });
    said.collect()
}

fn panel(
    figure: &mut Figure,
    labels: &[usize],
    values: &[f64],
    bins: &Bins,
    (left, top, right, bottom): (f64, f64, f64, f64),
) {
    let mut across = bins.axis();
    // Labels at the ends stand half over the gap, those of the next panel over its other half; long
    // ones leave room for each other.
    let mut from = left - GAP / 2.0;
    across.ticks.retain(|(value, label)| {
        let x = left + (value - bins.low) / (bins.high - bins.low) * (right - left);
        let half = Text::new(label, (0.0, 0.0), TICK_SIZE).width() / 2.0;
        let is_kept = x - half > from && x + half < right + GAP / 2.0;
        from = if is_kept { x + half + 4.0 } else { from };
        is_kept
    });
    let n_classes = ((bottom - top) / RIDGE).round() as usize;
    let up = Axis::within("", 0.0, n_classes as f64, 1);
    let plane = Plane { left, top, right, bottom, across, up };
    for (value, _) in &plane.across.ticks {
        let (x, _) = plane.place(*value, 0.0);
        figure.line(vec![(x, top), (x, bottom)], PALE, 1.0);
    }
    for class in 0..n_classes {
        let labeled = labels.iter().zip(values).filter(|(label, _)| **label == class);
        let mut mine: Vec<f64> =
            labeled.map(|(_, value)| *value).filter(|value| value.is_finite()).collect();
        mine.sort_by(f64::total_cmp);
        let floor = top + RIDGE * (class as f64 + 1.0);
        ridge(figure, &plane, bins, &mine, floor);
    }
    plane.frame_below(figure);
}

/// Draws one class's values, sorted, over a floor.
fn ridge(figure: &mut Figure, plane: &Plane, bins: &Bins, sorted: &[f64], floor: f64) {
    figure.line(vec![(plane.left, floor), (plane.right, floor)], PALE, 1.0);
    let counts = bins.count(sorted);
    let Some(most) = counts.iter().max().filter(|most| **most > 0) else { return };
    let mut outline: Vec<Point> = vec![(plane.left, floor)];
    for (i, n) in counts.iter().enumerate() {
        let y = floor - *n as f64 / *most as f64 * (RIDGE - 3.0);
        outline.push((plane.place(bins.edge(i), 0.0).0, y));
        outline.push((plane.place(bins.edge(i + 1), 0.0).0, y));
    }
    outline.push((plane.right, floor));
    figure.area(outline, BLUE, 0.75);
    let median = f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    if (bins.low..=bins.high).contains(&median) {
        let (x, _) = plane.place(median, 0.0);
        figure.line(vec![(x, floor - RIDGE + 3.0), (x, floor)], VERMILION, 2.0);
    }
}

/// Bins of equal width over all of a column's values.
#[derive(Debug, Clone, PartialEq)]
struct Bins {
    low: f64,
    high: f64,
    n: usize,
    /// Whether each bin is one whole number.
    is_whole: bool,
    n_missing: usize,
    n_beyond: usize,
}

impl Bins {
    /// Bins that fit the values of a column, those that are not finite left out.
    ///
    /// A few whole numbers (keys, modes) have a bin each. Elsewhere the range is that of all values,
    /// or, where a few far ones would leave most of it empty, that of the middle 99 %.
    fn of(values: &[f64]) -> Self {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let n_missing = values.len() - sorted.len();
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
            return Self { low: 0.0, high: 1.0, n: 1, is_whole: false, n_missing, n_beyond: 0 };
        };
        if first == last {
            // One value has no range of its own.
            let half = (first.abs() * 0.05).max(0.5);
            let (low, high) = (first - half, first + half);
            return Self { low, high, n: N_BINS, is_whole: false, n_missing, n_beyond: 0 };
        }
        let is_whole = sorted.iter().all(|value| value.fract() == 0.0);
        if is_whole && last - first < N_BINS as f64 {
            let n = (last - first) as usize + 1;
            let (low, high) = (first - 0.5, last + 0.5);
            return Self { low, high, n, is_whole, n_missing, n_beyond: 0 };
        }
        let at = |part: f64| sorted[(part * (sorted.len() - 1) as f64).round() as usize];
        let (mut low, mut high) = (at(0.005), at(0.995));
        if low == high || last - first < 2.0 * (high - low) {
            (low, high) = (first, last);
        }
        // Up to a round number that is near: 0 and 1 are then on the axis.
        let step = nice_step((high - low) / 2.0);
        let near = 0.1 * (high - low);
        let (below, above) = ((low / step).floor() * step, (high / step).ceil() * step);
        let low = if low - below < near { below } else { low };
        let high = if above - high < near { above } else { high };
        let n_beyond = sorted.iter().filter(|value| **value < low || **value > high).count();
        Self { low, high, n: N_BINS, is_whole: false, n_missing, n_beyond }
    }

    fn axis(&self) -> Axis {
        if self.is_whole {
            Axis::whole("", self.low, self.high, 4)
        } else {
            Axis::within("", self.low, self.high, 4)
        }
    }

    fn edge(&self, i: usize) -> f64 {
        self.low + i as f64 / self.n as f64 * (self.high - self.low)
    }

    /// Values in each bin, `[n]`; those beyond the range are in none. The last bin has its upper edge.
    fn count(&self, values: &[f64]) -> Vec<usize> {
        let mut counts = vec![0; self.n];
        for value in values.iter().filter(|value| (self.low..=self.high).contains(*value)) {
            let bin = (value - self.low) / (self.high - self.low) * self.n as f64;
            counts[(bin as usize).min(self.n - 1)] += 1;
        }
        counts
    }

    /// What is not drawn.
    fn note(&self) -> String {
        let said = [(self.n_missing, "missing"), (self.n_beyond, "far from the others")];
        let parts = said.into_iter().filter(|(n, _)| *n > 0);
        parts.map(|(n, what)| format!("{} {what}", count(n))).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_into_their_bins_and_the_last_edge_belongs_to_the_last() {
        let bins = Bins { low: 0.0, high: 4.0, n: 4, is_whole: false, n_missing: 0, n_beyond: 0 };
        assert_eq!(bins.count(&[0.0, 0.9, 1.0, 3.0, 4.0, 4.1, -0.1, f64::NAN]), [2, 1, 0, 2]);
    }

    #[test]
    fn a_few_whole_numbers_have_a_bin_each() {
        let bins = Bins::of(&[0.0, 11.0, 3.0, 3.0]);
        assert_eq!((bins.low, bins.high, bins.n), (-0.5, 11.5, 12));
        assert_eq!(bins.count(&[0.0, 11.0, 3.0, 3.0]), [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn missing_and_far_values_are_said_and_not_drawn() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        values.extend([1e6, f64::NAN, f64::NAN]);
        let bins = Bins::of(&values);
        assert_eq!((bins.low, bins.high), (0.0, 1.0));
        assert_eq!(bins.note(), "2 missing, 1 far from the others");
        let drawn: usize = bins.count(&values).iter().sum();
        assert_eq!(drawn + 2 + 1, values.len());
    }

    #[test]
    fn empty_and_constant_columns_have_an_axis() {
        assert_eq!(Bins::of(&[f64::NAN]).note(), "1 missing");
        for value in [30.02, 30.0, 0.0] {
            let bins = Bins::of(&[value, value]);
            assert!(bins.low < value && value < bins.high);
            // One narrow bar, not a full axis.
            let counts = bins.count(&[value, value]);
            assert_eq!((counts.len(), counts.iter().max()), (N_BINS, Some(&2)));
        }
    }
}
