//! Predicted against actual numbers, with the diagonal where both are equal.

use super::axis::{Axis, Plane};
use super::canvas::{BLUE, Figure, GREY};
use crate::report::group::Group;
use crate::report::words::count;

/// Draws the points of a group's first run.
pub(super) fn figure(group: &Group) -> Figure {
    let name = group.experiment();
    let title = format!("{name}: predicted against actual numbers of the test examples");
    let mut figure = Figure::new(title, 620, 640);
    figure.heading(&format!("{name}: predicted against actual"), &words(group));
    Square { left: 76.0, top: 70.0, side: 510.0, radius: 2.6 }.draw(&mut figure, group);
    figure
}

/// The same for a page with its own heading.
pub(super) fn panel(group: &Group) -> Figure {
    let title = format!("{}: predicted against actual numbers", group.experiment());
    let mut figure = Figure::new(title, 430, 408);
    Square { left: 66.0, top: 14.0, side: 336.0, radius: 2.2 }.draw(&mut figure, group);
    figure
}

/// `tempo: 1,000 of 2,500 test examples of songs, seed 1; line: predicted = actual`.
pub(super) fn words(group: &Group) -> String {
    let (n, record) = (group.more.points.len(), group.record());
    let of = match record.scored().n() {
        all if all > n => format!("{} of {}", count(n), count(all)),
        _ => count(n),
    };
    format!(
        "{}: {of} test examples of {}, {} {}; line: predicted = actual",
        record.data.classes.first().map_or("", String::as_str),
        group.dataset_words(),
        group.unit(),
        record.seed
    )
}

struct Square {
    left: f64,
    top: f64,
    side: f64,
    radius: f64,
}

impl Square {
    fn draw(&self, figure: &mut Figure, group: &Group) {
        let all = || group.more.points.iter().flatten().copied().map(f64::from);
        let low = all().fold(f64::INFINITY, f64::min);
        let high = all().fold(f64::NEG_INFINITY, f64::max);
        let axis = |label: &str| Axis::nice(label, low, high, 5);
        let plane = Plane {
            left: self.left,
            top: self.top,
            right: self.left + self.side,
            bottom: self.top + self.side,
            across: axis("actual"),
            up: axis("predicted"),
        };
        plane.frame(figure);
        let [from, to] = [plane.across.low, plane.across.high].map(|end| plane.place(end, end));
        figure.dashes(from, to, GREY, 1.2);
        for [actual, predicted] in &group.more.points {
            let place = plane.place(f64::from(*actual), f64::from(*predicted));
            figure.dot(place, self.radius, BLUE);
        }
    }
}
