//! The score against the number of training tracks, with the law and its interval up to ten times as many.

use super::axis::{Axis, Plane};
use super::canvas::{BLUE, Figure, INK, Point, Text, VERMILION};
use crate::metrics::Interval;
use crate::report::learning::{Curve, TEN_TIMES, title};

const WIDTH: u32 = 860;
/// Places where the law is drawn.
const N_PLACES: usize = 97;

/// Draws a curve, with a title.
pub(super) fn figure(curve: &Curve) -> Figure {
    let metric = curve.metric.words();
    let mut figure = Figure::new(words(curve), WIDTH, 440);
    figure.heading(
        &format!("{}: {metric} by training tracks", title(curve)),
        "mean of the seeds with its 95 % interval; all points have the same test tracks",
    );
    draw(&mut figure, curve, 96.0);
    figure
}

/// The curve alone, for a page with its own heading.
pub(super) fn panel(curve: &Curve) -> Figure {
    let mut figure = Figure::new(words(curve), WIDTH, 380);
    draw(&mut figure, curve, 36.0);
    figure
}

fn words(curve: &Curve) -> String {
    format!("Learning curve of {}", title(curve))
}

fn draw(figure: &mut Figure, curve: &Curve, top: f64) {
    let sizes: Vec<f64> = curve.points.iter().map(super::super::learning::Point::n).collect();
    let last = sizes[sizes.len() - 1].max(1.0);
    let first = sizes[0].max(1.0);
    let end = if curve.law.is_ok() { TEN_TIMES * last } else { last };
    let step = (end / first).ln() / (N_PLACES - 1) as f64;
    let band: Vec<(f64, Interval)> = (0..N_PLACES)
        .map(|i| first * (step * i as f64).exp())
        .filter_map(|n| Some((n, curve.at(n)?)))
        .collect();
    let all = curve.points.iter().map(|point| &point.score).chain(band.iter().map(|(_, it)| it));
    let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| {
        (low.min(it.low), high.max(it.high))
    });
    let plane = Plane {
        left: 72.0,
        top,
        right: 836.0,
        bottom: f64::from(figure.height) - 58.0,
        across: tracks(first / 1.15, end * 1.1),
        up: Axis::nice(curve.metric.words(), low, high, 6),
    };
    plane.frame(figure);
    let place = |n: f64, score: f64| plane.place(n.log10(), score);
    if !band.is_empty() {
        let lower: Vec<Point> = band.iter().map(|(n, it)| place(*n, it.low)).collect();
        let upper = band.iter().rev().map(|(n, it)| place(*n, it.high));
        figure.area(lower.into_iter().chain(upper).collect(), BLUE, 0.14);
        let is_measured = |(n, _): &&(f64, Interval)| *n <= last * 1.000_001;
        let line: Vec<Point> =
            band.iter().filter(is_measured).map(|(n, it)| place(*n, it.mean)).collect();
        if line.len() > 1 {
            figure.line(line, BLUE, 2.0);
        }
        let beyond: Vec<Point> = band
            .iter()
            .filter(|(n, _)| *n >= last / 1.000_001 / step.exp())
            .map(|(n, it)| place(*n, it.mean))
            .collect();
        for pair in beyond.windows(2).step_by(2) {
            figure.line(pair.to_vec(), BLUE, 2.0);
        }
    }
    for (point, n) in curve.points.iter().zip(&sizes) {
        let Interval { mean, low, high } = point.score;
        let n = n.max(1.0);
        figure.line(vec![place(n, low), place(n, high)], VERMILION, 2.0);
        for end in [low, high] {
            let (x, y) = place(n, end);
            figure.line(vec![(x - 5.0, y), (x + 5.0, y)], VERMILION, 2.0);
        }
        figure.dot(place(n, mean), 4.5, VERMILION);
    }
    legend(figure, curve, (plane.left, top - 18.0));
}

/// Numbers of tracks by their decimal logarithms: 1, 2 and 5 times the powers of ten.
fn tracks(low: f64, high: f64) -> Axis {
    let powers = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
    let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|of| of * 10.0_f64.powi(power)));
    let inside = |n: &f64| (low..=high).contains(n) && *n >= 1.0;
    let label = |n: f64| (n.log10(), crate::report::words::count(n.round() as usize));
    Axis {
        label: "training tracks".to_owned(),
        low: low.log10(),
        high: high.log10(),
        ticks: ticks.filter(inside).map(label).collect(),
    }
}

fn legend(figure: &mut Figure, curve: &Curve, (mut x, y): Point) {
    figure.dot((x + 6.0, y), 4.5, VERMILION);
    let mut entry = |figure: &mut Figure, words: &str, before: f64| {
        let text = Text::new(words, (x + before, y), 13.0).color(INK);
        x += before + text.width() + 22.0;
        figure.text(text);
        x
    };
    let at = entry(figure, "measured", 18.0);
    if curve.law.is_err() {
        return;
    }
    figure.line(vec![(at, y), (at + 24.0, y)], BLUE, 2.0);
    let at = entry(figure, "power law, with its 95 % interval", 32.0);
    figure.dashes((at, y), (at + 24.0, y), BLUE, 2.0);
    entry(figure, "extrapolated", 32.0);
}
