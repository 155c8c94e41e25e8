//! Songs on a plane, colored by genre.

use plotters::style::RGBColor;

use super::canvas::{Figure, GREY, INK, PALE, Text, WHITE};
use crate::report::words::count;

/// A song on the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MapPoint {
    /// Across and up, in any unit.
    pub place: [f64; 2],
    /// The number of its class.
    pub class: usize,
}

/// Colors that differ in hue and in lightness; behind the last, they are used again as diamonds, then as
/// rings.
const COLORS: [RGBColor; 10] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x7A, 0x4F, 0x2B),
    RGBColor(0x5B, 0x3A, 0x9E),
    RGBColor(0x9A, 0xB4, 0x1F),
    RGBColor(0x33, 0x33, 0x33),
];

/// Classes in the legend, at most; all points are drawn.
const MOST_NAMES: usize = 28;

const LEFT: f64 = 20.0;
const TOP: f64 = 70.0;
const SIDE: f64 = 610.0;
const LEGEND: f64 = 660.0;
const WIDTH: u32 = 860;
const LINE: f64 = 21.0;

/// Draws the points and a legend. A class without a name is called `other`.
pub(super) fn figure(name: &str, words: &str, points: &[MapPoint], classes: &[String]) -> Figure {
    let title = format!("{name}: map of songs");
    let mut figure = Figure::new(&title, WIDTH, (TOP + SIDE + 20.0) as u32);
    figure.heading(&title, words);
    figure.rectangle((LEFT, TOP), (LEFT + SIDE, TOP + SIDE), PALE, 0.35);
    let range = |axis: usize| {
        let all = points.iter().map(|point| point.place[axis]);
        let low = all.clone().fold(f64::INFINITY, f64::min);
        (low, all.fold(f64::NEG_INFINITY, f64::max))
    };
    let ((left, right), (low, high)) = (range(0), range(1));
    // One scale for both axes: distances mean the same in every direction.
    let widest = (right - left).max(high - low).max(f64::MIN_POSITIVE);
    let (middle, center) = (f64::midpoint(left, right), f64::midpoint(low, high));
    let place = |[x, y]: [f64; 2]| {
        let part = |value: f64, middle: f64| 0.5 + 0.95 * (value - middle) / widest;
        (LEFT + SIDE * part(x, middle), TOP + SIDE * (1.0 - part(y, center)))
    };
    let radius = if points.len() > 1000 { 2.6 } else { 4.2 };
    for point in points {
        mark(&mut figure, place(point.place), point.class, radius);
    }
    let mut n_points = vec![0; classes.len()];
    points.iter().for_each(|point| n_points[point.class] += 1);
    for (class, name) in classes.iter().enumerate().take(MOST_NAMES) {
        let y = TOP + 8.0 + LINE * class as f64;
        mark(&mut figure, (LEGEND, y), class, 5.0);
        let name = if name.is_empty() { "other" } else { name };
        let number = count(n_points[class]);
        let room = f64::from(WIDTH) - LEGEND - 30.0;
        figure.text(Text::new(format!("{name} ({number})"), (LEGEND + 14.0, y), 13.5).fit(room));
    }
    if classes.len() > MOST_NAMES {
        let y = TOP + 8.0 + LINE * MOST_NAMES as f64;
        let more = format!("and {} more", count(classes.len() - MOST_NAMES));
        figure.text(Text::new(more, (LEGEND + 14.0, y), 13.5).color(GREY));
    }
    figure
}

fn mark(figure: &mut Figure, at: (f64, f64), class: usize, radius: f64) {
    let color = COLORS[class % COLORS.len()];
    match class / COLORS.len() {
        0 => {
            figure.dot(at, radius + 0.8, WHITE);
            figure.dot(at, radius, color);
        }
        1 => figure.diamond(at, radius + 1.4, color, color),
        _ => {
            figure.dot(at, radius, INK);
            figure.dot(at, radius - 1.2, color);
        }
    }
}
