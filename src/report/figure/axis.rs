//! A plane with axes: where numbers become places on the paper.

use super::canvas::{Align, Figure, GREY, INK, PALE, Point, Text};

const TICK_SIZE: f64 = 13.0;
const LABEL_SIZE: f64 = 14.0;

/// A range of numbers along one axis and where its ticks are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    pub(super) label: String,
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
    is_power: bool,
}

impl Axis {
    /// Widens a range to whole steps of 1, 2 or 5 times a power of ten, about `n_steps` of them.
    pub(super) fn nice(label: &str, low: f64, high: f64, n_steps: usize) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        let step = nice_step((high - low) / n_steps as f64);
        Self {
            label: label.to_owned(),
            low: (low / step + 1e-9).floor() * step,
            high: (high / step - 1e-9).ceil() * step,
            step,
            is_power: false,
        }
    }

    /// Epochs from 1 to `n`: whole numbers only.
    pub(super) fn epochs(n: usize) -> Self {
        let (low, high) = if n <= 1 { (0.5, 1.5) } else { (1.0, n as f64) };
        let step = nice_step((high - low) / 7.0).max(1.0);
        Self { label: "epoch".to_owned(), low, high, step, is_power: false }
    }

    /// Powers of ten, given and placed by their decimal logarithms.
    pub(super) fn powers(label: &str, low: f64, high: f64) -> Self {
        let (low, high) = (low.floor(), high.ceil().max(low.floor() + 1.0));
        Self { label: label.to_owned(), low, high, step: 1.0, is_power: true }
    }

    /// The ticks, each with its label.
    pub(super) fn ticks(&self) -> Vec<(f64, String)> {
        let decimals = (-self.step.log10() - 1e-9).ceil().max(0.0) as usize;
        let first = (self.low / self.step - 1e-9).ceil() as i64;
        let last = (self.high / self.step + 1e-9).floor() as i64;
        let tick = |i: i64| {
            let value = i as f64 * self.step;
            let label =
                if self.is_power { format!("1e{i}") } else { format!("{value:.decimals$}") };
            (value, label)
        };
        (first..=last).map(tick).collect()
    }
}

/// The least of 1, 2, 5 times a power of ten that is at least `rough`.
fn nice_step(rough: f64) -> f64 {
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
        for (value, label) in self.up.ticks() {
            let (_, y) = self.place(self.across.low, value);
            figure.line(vec![(self.left, y), (self.right, y)], PALE, 1.0);
            let text = Text::new(label, (self.left - 8.0, y), TICK_SIZE).colour(GREY);
            figure.text(text.align(Align::Right));
        }
        self.frame_below(figure);
        figure.line(vec![(self.left, self.top), (self.left, self.bottom)], INK, 1.0);
        let middle = (self.left - 50.0, f64::midpoint(self.top, self.bottom));
        let label = Text::new(&self.up.label, middle, LABEL_SIZE);
        figure.text(label.align(Align::Centre).upwards());
    }

    /// Draws the lower axis alone.
    pub(super) fn frame_below(&self, figure: &mut Figure) {
        for (value, label) in self.across.ticks() {
            let (x, _) = self.place(value, self.up.low);
            figure.line(vec![(x, self.bottom), (x, self.bottom + 4.0)], INK, 1.0);
            let text = Text::new(label, (x, self.bottom + 15.0), TICK_SIZE).colour(GREY);
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
        axis.ticks().into_iter().map(|(_, label)| label).collect()
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
    fn epochs_are_whole_numbers_whatever_their_count() {
        assert_eq!(labels(&Axis::epochs(1)), ["1"]);
        assert_eq!(labels(&Axis::epochs(3)), ["1", "2", "3"]);
        assert_eq!(labels(&Axis::epochs(250)), ["50", "100", "150", "200", "250"]);
    }
}
