//! What each change of an ablation does to the score: a line each, with its interval.

use super::axis::{Axis, Plane};
use super::canvas::{Align, BLUE, Figure, GREY, INK, PALE, Text, VERMILION};
use crate::report::ablation::{Ablation, Change, title};
use crate::report::words::{fraction, signed_interval};

const WIDTH: u32 = 860;
const ROW: f64 = 34.0;
const NAME_SIZE: f64 = 13.5;

/// Draws all changes, with a title.
pub(super) fn figure(ablation: &Ablation) -> Figure {
    let metric = ablation.metric.words();
    let mut figure = Figure::new(words(ablation), WIDTH, height(ablation, 70.0));
    figure.heading(
        &format!("{}: what each change does to the {metric}", title(ablation)),
        &format!(
            "{metric} with the change minus {} without, 95 % intervals; colored: p below 0.05 by Holm's correction",
            fraction(ablation.score.mean)
        ),
    );
    draw(&mut figure, ablation, 70.0);
    figure
}

/// The changes alone, for a page with its own heading.
pub(super) fn panel(ablation: &Ablation) -> Figure {
    let mut figure = Figure::new(words(ablation), WIDTH, height(ablation, 12.0));
    draw(&mut figure, ablation, 12.0);
    figure
}

fn words(ablation: &Ablation) -> String {
    format!("Differences of the changes of {}", title(ablation))
}

fn height(ablation: &Ablation, top: f64) -> u32 {
    (top + ROW * ablation.changes.len() as f64 + 52.0) as u32
}

fn draw(figure: &mut Figure, ablation: &Ablation, top: f64) {
    let changes = &ablation.changes;
    let ranges: Vec<_> = changes.iter().map(|change| change.difference.interval()).collect();
    let (low, high) = ranges
        .iter()
        .fold((0.0_f64, 0.0_f64), |(low, high), range| (low.min(range.low), high.max(range.high)));
    let widths = changes.iter().map(|it| Text::new(&it.name, (0.0, 0.0), NAME_SIZE).width());
    let longest = widths.fold(80.0, f64::max).min(290.0);
    let label = format!("difference in {}", ablation.metric.words());
    let plane = Plane {
        left: 16.0 + longest + 14.0,
        top,
        right: f64::from(WIDTH) - 196.0,
        bottom: top + ROW * changes.len() as f64,
        across: Axis::nice(&label, low, high, 5),
        up: Axis::nice("", 0.0, 1.0, 1),
    };
    for (value, _) in &plane.across.ticks {
        let (x, _) = plane.place(*value, 0.0);
        figure.line(vec![(x, plane.top), (x, plane.bottom)], PALE, 1.0);
    }
    let (zero, _) = plane.place(0.0, 0.0);
    figure.line(vec![(zero, plane.top), (zero, plane.bottom)], GREY, 1.4);
    plane.frame_below(figure);
    for (i, (change, range)) in changes.iter().zip(&ranges).enumerate() {
        let y = top + ROW * (i as f64 + 0.5);
        figure.text(Text::new(&change.name, (16.0, y), NAME_SIZE).fit(longest));
        let color = color(change);
        let x = |value: f64| plane.place(value, 0.0).0;
        figure.line(vec![(x(range.low), y), (x(range.high), y)], color, 2.5);
        for end in [range.low, range.high] {
            figure.line(vec![(x(end), y - 5.0), (x(end), y + 5.0)], color, 2.0);
        }
        figure.dot((x(range.mean), y), 4.5, color);
        let numbers = Text::new(signed_interval(range), (f64::from(WIDTH) - 16.0, y), 12.5);
        figure.text(numbers.color(INK).align(Align::Right));
    }
}

/// What makes it worse, what makes it better, and what can't be told from noise.
fn color(change: &Change) -> plotters::style::RGBColor {
    match (change.is_significant(), change.difference.value < 0.0) {
        (true, true) => VERMILION,
        (true, false) => BLUE,
        (false, _) => GREY,
    }
}
