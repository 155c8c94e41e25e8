//! The loss at every learning rate of a range test.

use super::axis::{Axis, Plane};
use super::canvas::{BLUE, Figure, GREY, Point, Text, VERMILION};

/// One step: the learning rate, the batch's loss, its running mean.
pub type RatePoint = (f64, f64, f64);

/// Draws a range test; the rate's axis is logarithmic.
pub(super) fn figure(name: &str, points: &[RatePoint], suggestion: Option<f64>) -> Figure {
    let mut figure = Figure::new(format!("{name}: loss by learning rate"), 860, 420);
    let said = match suggestion {
        Some(rate) => format!("the running mean falls most steeply at {rate:.1e}"),
        None => "the running mean never falls".to_owned(),
    };
    figure.heading(&format!("{name}: learning-rate range test"), &said);
    let rates = points.iter().map(|(rate, _, _)| rate.log10());
    let (low, high) = rates.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), rate| {
        (low.min(rate), high.max(rate))
    });
    let means = points.iter().map(|(_, _, mean)| *mean);
    let top = means.fold(0.0, f64::max) * 1.05;
    let plane = Plane {
        left: 72.0,
        top: 84.0,
        right: 836.0,
        bottom: 360.0,
        across: Axis::powers("learning rate", low, high),
        up: Axis::nice("loss", 0.0, top, 5),
    };
    plane.frame(&mut figure);
    let place = |rate: f64, loss: f64| plane.place(rate.log10(), loss.min(plane.up.high));
    let line = |loss: fn(&RatePoint) -> f64| -> Vec<Point> {
        points.iter().map(|point| place(point.0, loss(point))).collect()
    };
    figure.line(line(|point| point.1), GREY, 0.6);
    figure.line(line(|point| point.2), BLUE, 2.0);
    if let Some(rate) = suggestion {
        let (x, _) = place(rate, 0.0);
        figure.dashes((x, plane.top), (x, plane.bottom), VERMILION, 1.2);
    }
    let legend = "thin: each batch's loss; thick: its running mean";
    figure.text(Text::new(legend, (plane.left, plane.top - 14.0), 12.0).color(GREY));
    figure
}
