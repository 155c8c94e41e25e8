//! The main metric against the strength of every degradation, a panel each, a curve for every side.

use plotters::style::RGBColor;

use super::axis::{Axis, Plane};
use super::canvas::{BLUE, Figure, GREEN, GREY, INK, PURPLE, Point, Text, VERMILION};
use crate::report::robust::{Curve, Measured, UNDEGRADED};

const WIDTH: u32 = 860;
/// Panels in a row.
const N_BESIDE: usize = 3;
/// The height of a row of panels.
const ROW: f64 = 216.0;
/// The colors of the sides.
const COLORS: [RGBColor; 4] = [BLUE, VERMILION, GREEN, PURPLE];

/// Draws all curves, with a title.
pub(super) fn figure(measured: &Measured) -> Figure {
    let metric = measured.metric.words();
    let mut figure =
        Figure::new(format!("{metric} of degraded recordings"), WIDTH, height(measured, 84.0));
    let per = measured.levels[0].per;
    figure.heading(
        &format!("Robustness: {metric} of degraded recordings"),
        &format!("per test {per}; lines: mean of the seeds, bands: 95 % interval"),
    );
    draw(&mut figure, measured, 72.0);
    figure
}

/// The curves alone, for a page with its own heading.
pub(super) fn panels(measured: &Measured) -> Figure {
    let title = format!("{} of degraded recordings", measured.metric.words());
    let mut figure = Figure::new(title, WIDTH, height(measured, 28.0));
    draw(&mut figure, measured, 16.0);
    figure
}

fn height(measured: &Measured, top: f64) -> u32 {
    (top + measured.curves.len().div_ceil(N_BESIDE) as f64 * ROW) as u32
}

/// The legend at a height, and the panels below it.
fn draw(figure: &mut Figure, measured: &Measured, top: f64) {
    legend(figure, measured, top);
    let all = measured.levels[0].scores.iter().flatten().flatten();
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), score| {
        (low.min(score.low), high.max(score.high))
    });
    for (number, curve) in measured.curves.iter().enumerate() {
        let (row, column) = (number / N_BESIDE, number % N_BESIDE);
        let (left, top) = (74.0 + 268.0 * column as f64, top + 38.0 + ROW * row as f64);
        let label = if column == 0 { measured.metric.words() } else { "" };
        let plane = Plane {
            left,
            top,
            right: left + 222.0,
            bottom: top + 128.0,
            across: across(curve),
            up: Axis::nice(label, low, high, 4),
        };
        let name = Text::new(&curve.name, (left, top - 14.0), 13.0).bold().fit(222.0);
        figure.text(name);
        plane.frame(figure);
        for side in 0..measured.names.len() {
            line(figure, &plane, measured, curve, side);
        }
    }
}

/// A tick for every strength, all equally far from each other.
fn across(curve: &Curve) -> Axis {
    let n = curve.points.len();
    let ticks: Vec<(f64, String)> =
        curve.points.iter().enumerate().map(|(i, point)| (i as f64, point.label.clone())).collect();
    let high = (n - 1) as f64 + 0.3;
    let axis = Axis { label: curve.parameter.clone(), low: -0.3, high, ticks };
    // Where there are too many, those are left out whose names would touch.
    if n > 7 { axis.thinned(1.0 / 7.0) } else { axis }
}

fn line(figure: &mut Figure, plane: &Plane, measured: &Measured, curve: &Curve, side: usize) {
    let color = COLORS[side % COLORS.len()];
    let scored = curve
        .points
        .iter()
        .enumerate()
        .filter_map(|(i, point)| Some((i as f64, measured.score(0, side, point.index)?)));
    let scored: Vec<_> = scored.collect();
    let place = |x: f64, y: f64| plane.place(x, y);
    let low: Vec<Point> = scored.iter().map(|(x, score)| place(*x, score.low)).collect();
    let high = scored.iter().rev().map(|(x, score)| place(*x, score.high));
    let band: Vec<Point> = low.into_iter().chain(high).collect();
    if band.len() > 2 {
        figure.area(band, color, 0.16);
    }
    let mean: Vec<Point> = scored.iter().map(|(x, score)| place(*x, score.mean)).collect();
    for point in &mean {
        figure.dot(*point, 2.6, color);
    }
    if mean.len() > 1 {
        figure.line(mean, color, 1.8);
    }
    // The undegraded recordings stand out, wherever they are.
    let none = curve.points.iter().position(|point| point.label == UNDEGRADED);
    if let Some((x, score)) = none.and_then(|none| scored.iter().find(|(x, _)| *x == none as f64)) {
        figure.dot(place(*x, score.mean), 4.2, color);
    }
}

fn legend(figure: &mut Figure, measured: &Measured, y: f64) {
    let mut x = 18.0;
    let room = f64::from(WIDTH) / measured.names.len() as f64 - 60.0;
    for (side, name) in measured.names.iter().enumerate() {
        let color = COLORS[side % COLORS.len()];
        figure.line(vec![(x, y), (x + 24.0, y)], color, 2.2);
        figure.dot((x + 12.0, y), 3.0, color);
        let text = Text::new(name, (x + 32.0, y), 13.5).color(INK).fit(room);
        x += 32.0 + text.width() + 24.0;
        figure.text(text);
    }
    if measured.names.len() < 3 {
        let note = Text::new("large dot: undegraded", (x + 8.0, y), 12.0).color(GREY);
        figure.text(note);
    }
}
