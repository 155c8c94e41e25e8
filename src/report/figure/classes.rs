//! Behind accuracies of classes: reliability, F1 of every class, the difference of two confusion matrices.

use plotters::style::RGBColor;

use super::axis::{Axis, Plane};
use super::bar::bar;
use super::canvas::{Align, BLUE, Figure, GREEN, GREY, INK, PALE, PURPLE, Text, VERMILION};
use super::color::ColorMap;
use crate::report::class_figures::{ClassF1, ConfusionDifference, Reliability};
use crate::report::facts::RangeFacts;
use crate::report::words::{count, counted, fraction};

const COLORS: [RGBColor; 4] = [BLUE, VERMILION, GREEN, PURPLE];
/// From orange over white to blue.
const WORSE_TO_BETTER: [RGBColor; 7] = [
    RGBColor(0xB3, 0x58, 0x06),
    RGBColor(0xE0, 0x82, 0x14),
    RGBColor(0xFD, 0xC8, 0x8F),
    RGBColor(0xFF, 0xFF, 0xFF),
    RGBColor(0xA9, 0xCE, 0xE5),
    RGBColor(0x53, 0x9D, 0xCC),
    RGBColor(0x12, 0x60, 0xA5),
];

/// How sure models are, against how often they are right.
pub(super) fn reliability(sides: &[Reliability]) -> Figure {
    let title = "How sure the models are, and how often they are right";
    let top = 70.0 + 22.0 * sides.len() as f64;
    let mut figure = Figure::new(title, 640, (top + 440.0 + 60.0) as u32);
    figure.heading(title, "below the dashed line a model is too sure; 95 % intervals by track");
    let plane = Plane {
        left: 82.0,
        top,
        right: 600.0,
        bottom: top + 440.0,
        across: Axis::within("highest probability", 0.0, 1.0, 5),
        up: Axis::within("share that is right", 0.0, 1.0, 5),
    };
    plane.frame(&mut figure);
    figure.dashes(plane.place(0.0, 0.0), plane.place(1.0, 1.0), GREY, 1.2);
    let most = sides.iter().flat_map(|side| &side.bins).map(|bin| bin.n).max().unwrap_or(1) as f64;
    for (i, side) in sides.iter().enumerate() {
        let color = COLORS[i % COLORS.len()];
        let line =
            side.bins.iter().map(|bin| plane.place(bin.confidence, bin.right.mean)).collect();
        figure.line(line, color, 1.6);
        for bin in &side.bins {
            let [low, high] =
                [bin.right.low, bin.right.high].map(|it| plane.place(bin.confidence, it));
            figure.line(vec![low, high], color, 1.4);
            // The area of a point is its number of examples.
            let radius = 2.0 + 6.0 * (bin.n as f64 / most).sqrt();
            figure.dot(plane.place(bin.confidence, bin.right.mean), radius, color);
        }
        let y = 70.0 + 22.0 * (i as f64 + 0.3);
        figure.dot((92.0, y), 5.0, color);
        let n: usize = side.bins.iter().map(|bin| bin.n).sum();
        let words = format!(
            "{}: calibration error {}, {} test examples, {}",
            side.name,
            fraction(side.calibration_error),
            count(n),
            counted(side.n_runs, "run")
        );
        figure.text(Text::new(words, (106.0, y), 13.0).fit(500.0));
    }
    figure
}

/// F1 of every class, a line a class.
pub(super) fn f1(sides: &[ClassF1]) -> Figure {
    let title = "F1 of every class on the test examples";
    let mut names: Vec<&str> = vec![];
    for name in sides.iter().flat_map(|side| &side.classes).map(|(name, _)| name.as_str()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let step = 14.0 + 12.0 * sides.len() as f64;
    let top = 66.0 + 22.0 * sides.len() as f64;
    let bottom = top + step * names.len() as f64;
    let mut figure = Figure::new(title, 760, (bottom + 62.0) as u32);
    figure.heading(title, "mean over the runs with its 95 % interval, by test tracks and seeds");
    let plane = Plane {
        left: 200.0,
        top,
        right: 730.0,
        bottom,
        across: Axis::within("F1", 0.0, 1.0, 5),
        up: Axis { label: String::new(), low: 0.0, high: 1.0, ticks: vec![] },
    };
    for (value, _) in &plane.across.ticks {
        let (x, _) = plane.place(*value, 0.0);
        figure.line(vec![(x, top), (x, bottom)], PALE, 1.0);
    }
    plane.frame_below(&mut figure);
    for (i, name) in names.iter().enumerate() {
        let middle = top + step * (i as f64 + 0.5);
        figure.text(Text::new(*name, (188.0, middle), 13.5).align(Align::Right).fit(180.0));
        for (j, side) in sides.iter().enumerate() {
            let Some((_, RangeFacts { mean, low, high })) =
                side.classes.iter().find(|(known, _)| known == name)
            else {
                continue;
            };
            let y = middle + 12.0 * (j as f64 - (sides.len() - 1) as f64 / 2.0);
            let at = |value: f64| (plane.place(value, 0.0).0, y);
            figure.line(vec![at(*low), at(*high)], COLORS[j % COLORS.len()], 2.2);
            figure.dot(at(*mean), 4.2, COLORS[j % COLORS.len()]);
        }
    }
    for (i, side) in sides.iter().enumerate() {
        let y = 66.0 + 22.0 * (i as f64 + 0.3);
        figure.dot((210.0, y), 4.5, COLORS[i % COLORS.len()]);
        figure.text(Text::new(&side.name, (224.0, y), 13.0).fit(500.0));
    }
    figure
}

/// How much the shares of a second confusion matrix are above those of a first one.
pub(super) fn difference(it: &ConfusionDifference) -> Figure {
    let n = it.classes.len();
    let cell = (560.0 / n.max(1) as f64).clamp(28.0, 72.0);
    let longest = it.classes.iter().map(|name| Text::new(name, (0.0, 0.0), 13.5).width());
    let longest = longest.fold(40.0, f64::max).min(190.0);
    let (left, top) = (44.0 + longest + 10.0, 86.0);
    let (right, bottom) = (left + cell * n as f64, top + cell * n as f64);
    let title = format!("{} minus {}: confusion", it.names[1], it.names[0]);
    let size =
        [(right + 100.0).max(520.0), bottom + longest + 50.0].map(|length| length.ceil() as u32);
    let mut figure = Figure::new(&title, size[0], size[1]);
    figure.heading(&title, "percent points of the actual class");
    let note = format!("Blue: {} is better there. Orange: it is worse.", it.names[1]);
    figure.text(Text::new(note, (16.0, 68.0), 12.5).color(GREY).fit(f64::from(size[0]) - 32.0));
    let most = it.points.iter().flatten().map(|by| by.abs()).fold(1.0, f64::max);
    let colors = ColorMap::through(&WORSE_TO_BETTER);
    for (i, (row, name)) in it.points.iter().zip(&it.classes).enumerate() {
        let y = top + cell * i as f64;
        for (j, by) in row.iter().enumerate() {
            let x = left + cell * j as f64;
            let better = if i == j { *by } else { -by };
            figure.rectangle(
                (x, y),
                (x + cell, y + cell),
                colors.at(0.5 + better / most / 2.0),
                1.0,
            );
            figure.line(vec![(x + cell, y), (x + cell, y + cell), (x, y + cell)], PALE, 0.5);
            let is_dark = (better / most).abs() > 0.75;
            let color = if is_dark { super::canvas::WHITE } else { INK };
            let rounded = by.round();
            let words = if rounded == 0.0 { "0".to_owned() } else { format!("{rounded:+}") };
            let text = Text::new(
                words,
                (x + cell / 2.0, y + cell / 2.0),
                if cell < 40.0 { 10.5 } else { 13.5 },
            );
            figure.text(text.color(color).align(Align::Centre));
        }
        let name = Text::new(name, (left - 8.0, y + cell / 2.0), 13.5).align(Align::Right);
        figure.text(name.fit(longest));
    }
    for (j, name) in it.classes.iter().enumerate() {
        let at = (left + cell * (j as f64 + 0.5), bottom + 8.0);
        figure.text(Text::new(name, at, 13.5).align(Align::Right).upwards().fit(longest));
    }
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    figure.line(corners.to_vec(), INK, 1.0);
    let middle = f64::midpoint(top, bottom);
    figure.text(Text::new("actual", (22.0, middle), 15.0).align(Align::Centre).upwards());
    let at = (f64::midpoint(left, right), bottom + longest + 30.0);
    figure.text(Text::new("predicted", at, 15.0).align(Align::Centre));
    let points = Axis::within("better, percent points", -most, most, 4);
    bar(&mut figure, (right + 18.0, top), bottom, &colors, &points);
    figure
}
