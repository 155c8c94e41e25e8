//! A plane with axes: where numbers become places on the paper.

use super::canvas::{Align, Figure, GREY, INK, PALE, Point, Text};

/// Size of the letters at ticks.
pub(super) const TICK_SIZE: f64 = 13.0;
const LABEL_SIZE: f64 = 14.0;

/// A range of numbers along one axis and where its ticks are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The ticks, each with its label.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Widens a range to whole steps of 1, 2 or 5 times a power of ten, about `n_steps` of them.
    pub(super) fn nice(label: &str, low: f64, high: f64, n_steps: usize) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let step = nice_step((high - low) / n_steps as f64);
        let (low, high) = ((low / step + 1e-9).floor() * step, (high / step - 1e-9).ceil() * step);
        Self { label: label.to_owned(), low, high, ticks: round_ticks(low, high, step) }
    }

    /// Exactly a range, `high > low`, with about `n_steps` steps of round numbers within.
    pub(super) fn within(label: &str, low: f64, high: f64, n_steps: usize) -> Self {
        let ticks = round_ticks(low, high, nice_step((high - low) / n_steps as f64));
        Self { label: label.to_owned(), low, high, ticks }
    }

    /// Exactly a range, `high > low`, with about `n_steps` steps of whole numbers within.
    pub(super) fn whole(label: &str, low: f64, high: f64, n_steps: usize) -> Self {
        let step = nice_step((high - low) / n_steps as f64).max(1.0);
        Self { label: label.to_owned(), low, high, ticks: round_ticks(low, high, step) }
    }

    /// Epochs from 1 to `n`.
    pub(super) fn epochs(n: usize) -> Self {
        let (low, high) = if n <= 1 { (0.5, 1.5) } else { (1.0, n as f64) };
        Self::whole("epoch", low, high, 7)
    }

    /// Powers of ten, given and placed by their decimal logarithms.
    pub(super) fn powers(label: &str, low: f64, high: f64) -> Self {
        let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
        let ticks = (low as i64..=high as i64).map(|i| (i as f64, format!("1e{i}"))).collect();
        Self { label: label.to_owned(), low, high, ticks }
    }

    /// Frequencies in Hz, > 0, given and placed by their binary logarithms; a tick an octave.
    pub(super) fn octaves(low_hz: f64, high_hz: f64) -> Self {
        let (low, high) = (low_hz.log2(), high_hz.log2());
        let ticks = octave_ticks_hz().map(|(hz, label)| (hz.log2(), label));
        let inside = |(at, _): &(f64, String)| (low - 1e-9..=high + 1e-9).contains(at);
        Self { label: FREQUENCY.to_owned(), low, high, ticks: ticks.filter(inside).collect() }
    }

    /// Leaves out ticks that lie nearer than `least`, a part of the axis, below another one.
    pub(super) fn thinned(mut self, least: f64) -> Self {
        let mut above = f64::INFINITY;
        let least = least * (self.high - self.low);
        let mut kept: Vec<_> = self.ticks.into_iter().rev().collect();
        kept.retain(|(at, _)| {
            let is_kept = above - at >= least;
            above = if is_kept { *at } else { above };
            is_kept
        });
        kept.reverse();
        self.ticks = kept;
        self
    }
}

/// The label of an axis of frequencies.
pub(super) const FREQUENCY: &str = "frequency, Hz";

/// Frequencies an octave apart around 1 kHz, with the names that equalisers give them: 1, 2, 4, 8,
/// 16, 31, 63, 125, 250, 500, 1K, 2K, …
pub(super) fn octave_ticks_hz() -> impl Iterator<Item = (f64, String)> {
    (-10..=9).map(|octave: i32| {
        let hz = 1000.0 * 2.0_f64.powi(octave);
        let label =
            if octave < 0 { format!("{}", hz.round()) } else { format!("{}K", 1 << octave) };
        (hz, label)
    })
}

/// The multiples of a step in a range, written with as many decimals as the step needs, and with a
/// power of ten where they would be long.
fn round_ticks(low: f64, high: f64, step: f64) -> Vec<(f64, String)> {
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    let largest = low.abs().max(high.abs());
    let exponent = if step < 1e-4 || largest >= 1e6 { largest.log10().floor() as i32 } else { 0 };
    let unit = 10.0_f64.powi(exponent);
    let decimals = (-(step / unit).log10() - 1e-9).ceil().max(0.0) as usize;
    let tick = |i: i64| {
        let value = i as f64 * step;
        let label = match (i, exponent) {
            (0, 1.. | ..0) => "0".to_owned(),
            (_, 0) => format!("{value:.decimals$}"),
            _ => format!("{:.decimals$}e{exponent}", value / unit),
        };
        (value, label)
    };
    (first..=last).map(tick).collect()
}

/// The least of 1, 2, 5 times a power of ten that is at least `rough`.
pub(crate) fn nice_step(rough: f64) -> f64 {
    let power = 10_f64.powi(rough.log10().floor() as i32);
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= rough * 0.999_999);
    step.unwrap_or(10.0) * power
}

/// A rectangle of the paper with an axis below and one at the left.
pub(super) struct Plane {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    pub(super) across: Axis,
    pub(super) up: Axis,
}

impl Plane {
    /// The place of a pair of numbers.
    pub(super) fn place(&self, x: f64, y: f64) -> Point {
        let part = |value: f64, axis: &Axis| (value - axis.low) / (axis.high - axis.low);
        (
            self.left + part(x, &self.across) * (self.right - self.left),
            self.bottom - part(y, &self.up) * (self.bottom - self.top),
        )
    }

    /// Draws grid, ticks and labels.
    pub(super) fn frame(&self, figure: &mut Figure) {
        for (value, _) in &self.up.ticks {
            let (_, y) = self.place(self.across.low, *value);
            figure.line(vec![(self.left, y), (self.right, y)], PALE, 1.0);
        }
        self.frame_left(figure);
        self.frame_below(figure);
    }

    /// Draws ticks and labels around an image: no grid, and a line on every side.
    pub(super) fn frame_image(&self, figure: &mut Figure) {
        for (value, _) in &self.up.ticks {
            let (_, y) = self.place(self.across.low, *value);
            figure.line(vec![(self.left - 4.0, y), (self.left, y)], INK, 1.0);
        }
        self.frame_left(figure);
        self.frame_below(figure);
        let corner = (self.right, self.top);
        figure.line(vec![(self.left, self.top), corner, (self.right, self.bottom)], INK, 1.0);
    }

    /// Draws the axis at the left alone.
    pub(super) fn frame_left(&self, figure: &mut Figure) {
        for (value, label) in &self.up.ticks {
            let (_, y) = self.place(self.across.low, *value);
            let text = Text::new(label, (self.left - 8.0, y), TICK_SIZE).color(GREY);
            figure.text(text.align(Align::Right));
        }
        figure.line(vec![(self.left, self.top), (self.left, self.bottom)], INK, 1.0);
        let middle = (self.left - 50.0, f64::midpoint(self.top, self.bottom));
        let label = Text::new(&self.up.label, middle, LABEL_SIZE);
        figure.text(label.align(Align::Centre).upwards());
    }

    /// Draws the lower axis alone.
    pub(super) fn frame_below(&self, figure: &mut Figure) {
        for (value, label) in &self.across.ticks {
            let (x, _) = self.place(*value, self.up.low);
            figure.line(vec![(x, self.bottom), (x, self.bottom + 4.0)], INK, 1.0);
            let text = Text::new(label, (x, self.bottom + 15.0), TICK_SIZE).color(GREY);
            figure.text(text.align(Align::Centre));
        }
        figure.line(vec![(self.left, self.bottom), (self.right, self.bottom)], INK, 1.0);
        let middle = (f64::midpoint(self.left, self.right), self.bottom + 37.0);
        figure.text(Text::new(&self.across.label, middle, LABEL_SIZE).align(Align::Centre));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks.iter().map(|(_, label)| label.clone()).collect()
    }

    #[test]
    fn ticks_are_round_numbers_around_the_data() {
        let axis = Axis::nice("accuracy", 0.13, 0.92, 5);
        assert_eq!(labels(&axis), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let axis = Axis::nice("loss", 0.0, 23.4, 5);
        assert_eq!(labels(&axis), ["0", "5", "10", "15", "20", "25"]);
        let axis = Axis::nice("accuracy", 0.51, 0.53, 5);
        assert_eq!(labels(&axis), ["0.510", "0.515", "0.520", "0.525", "0.530"]);
    }

    #[test]
    fn very_small_and_very_large_numbers_have_a_power_of_ten() {
        let axis = Axis::within("", -1e-6, 4e-6, 5);
        assert_eq!(labels(&axis), ["-1e-6", "0", "1e-6", "2e-6", "3e-6", "4e-6"]);
        let axis = Axis::within("", 1e6, 2e6, 2);
        assert_eq!(labels(&axis), ["1.0e6", "1.5e6", "2.0e6"]);
        assert_eq!(labels(&Axis::within("", 0.0, 400_000.0, 2)), ["0", "200000", "400000"]);
    }

    #[test]
    fn epochs_are_whole_numbers_whatever_their_count() {
        assert_eq!(labels(&Axis::epochs(1)), ["1"]);
        assert_eq!(labels(&Axis::epochs(3)), ["1", "2", "3"]);
        assert_eq!(labels(&Axis::epochs(250)), ["50", "100", "150", "200", "250"]);
    }

    #[test]
    fn octaves_are_the_reports_ticks_as_far_as_they_fit() {
        let axis = Axis::octaves(1.0, 11_025.0);
        let wanted = "2 4 8 16 31 63 125 250 500 1K 2K 4K 8K".split(' ').collect::<Vec<_>>();
        assert_eq!(labels(&axis), wanted);
        assert_eq!(labels(&Axis::octaves(0.9, 3.0)), ["1", "2"]);
        // 2 kHz lies an octave over 1 kHz wherever the axis starts.
        let at = |label: &str| axis.ticks.iter().find(|(_, found)| found == label).unwrap().0;
        assert!((at("2K") - at("1K") - 1.0).abs() < 1e-12);
    }

    #[test]
    fn crowded_ticks_are_left_out_from_the_top_down() {
        let ticks = [0.0, 0.1, 0.5, 0.55, 1.0].map(|at| (at, at.to_string())).to_vec();
        let axis = Axis { label: String::new(), low: 0.0, high: 1.0, ticks };
        assert_eq!(labels(&axis.thinned(0.2)), ["0.1", "0.55", "1"]);
    }
}
