//! Curves of several experiments or runs: a line each, told apart by color and dashes, with a band over the seeds.

use plotters::style::RGBColor;

use super::axis::{Axis, Plane};
use super::canvas::{BLUE, Figure, GREEN, GREY, INK, PURPLE, Point, Text, VERMILION};
use crate::report::overlay::{CurveBy, CurveView, OverlaidLine};
use crate::report::words::counted;

const WIDTH: u32 = 860;
/// Height of the plane, and of a line of the legend.
const PLANE: f64 = 320.0;
const ENTRY: f64 = 22.0;
const COLORS: [RGBColor; 5] = [BLUE, VERMILION, GREEN, PURPLE, INK];
/// Lengths of a dash and of the gap behind it.
const DASH: (f64, f64) = (7.0, 4.0);

/// The figure with a title of its own.
pub(super) fn figure(lines: &[OverlaidLine], view: &CurveView) -> Figure {
    let title = words(view);
    let top = 62.0;
    let mut figure = Figure::new(&title, WIDTH, height(lines, top));
    figure.heading(&title, &caption(lines, view));
    draw(&mut figure, lines, view, top);
    figure
}

/// The figure for a page with its own heading.
pub(super) fn panel(lines: &[OverlaidLine], view: &CurveView) -> Figure {
    let mut figure = Figure::new(words(view), WIDTH, height(lines, 8.0));
    draw(&mut figure, lines, view, 8.0);
    figure
}

fn words(view: &CurveView) -> String {
    format!("{} by {}", view.metric.replace('_', " "), view.by.as_str())
}

/// What lines and bands are.
pub(super) fn caption(lines: &[OverlaidLine], view: &CurveView) -> String {
    let mut parts = vec![];
    if lines.iter().any(|line| line.n_runs > 1) {
        parts.push("line: mean of the seeds; band: their range".to_owned());
    }
    if view.smooth > 0.0 {
        parts.push(format!("thick: moving average (weight {}); thin: as it was", view.smooth));
    }
    parts.join("; ")
}

fn height(lines: &[OverlaidLine], top: f64) -> u32 {
    (top + ENTRY * lines.len() as f64 + 24.0 + PLANE + 58.0) as u32
}

fn draw(figure: &mut Figure, lines: &[OverlaidLine], view: &CurveView, top: f64) {
    let up = |value: f64| if view.is_log { value.log10() } else { value };
    let points = || lines.iter().flat_map(|line| &line.points);
    let fold = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    };
    let (low, high) = fold(&mut points().flat_map(|point| [up(point.low), up(point.high)]));
    let (first, last) = fold(&mut points().map(|point| point.x));
    let label = view.metric.replace('_', " ");
    let across = match view.by {
        CurveBy::Epoch => Axis::epochs(last as usize),
        CurveBy::Step => Axis::whole("step", 0.0, last.max(1.0), 7),
        CurveBy::Seconds => Axis::within("seconds of training", first.min(0.0), last.max(1e-3), 7),
    };
    let begin = top + ENTRY * lines.len() as f64 + 24.0;
    let plane = Plane {
        left: 82.0,
        top: begin,
        right: 838.0,
        bottom: begin + PLANE,
        across,
        up: if view.is_log {
            Axis::powers(&label, low, high)
        } else {
            Axis::nice(&label, low, high, 6)
        },
    };
    plane.frame(figure);
    let place = |x: f64, y: f64| plane.place(x, up(y));
    for (i, line) in lines.iter().enumerate() {
        let upper = line.points.iter().map(|it| place(it.x, it.high));
        let lower = line.points.iter().rev().map(|it| place(it.x, it.low));
        if line.n_runs > 1 && line.points.len() > 1 {
            figure.area(upper.chain(lower).collect(), style(i).0, 0.15);
        }
    }
    for (i, line) in lines.iter().enumerate() {
        let (color, is_dashed) = style(i);
        let mean: Vec<Point> = line.points.iter().map(|it| place(it.x, it.mean)).collect();
        let smoothed: Vec<Point> = (line.points.iter().zip(&line.smoothed))
            .map(|(it, smoothed)| place(it.x, *smoothed))
            .collect();
        if let [only] = mean.as_slice() {
            figure.dot(*only, 3.0, color);
        }
        let (main, width) = if smoothed.is_empty() { (&mean, 2.0) } else { (&smoothed, 2.8) };
        if !smoothed.is_empty() {
            stroke(figure, &mean, color, 0.7, is_dashed);
        }
        stroke(figure, main, color, width, is_dashed);
        let y = top + ENTRY * (i as f64 + 0.5);
        stroke(figure, &[(82.0, y), (112.0, y)], color, 2.4, is_dashed);
        let last = line.points.last().map_or(String::new(), |it| format!(", last {:.3}", it.mean));
        let words = format!("{} ({}{last})", line.name, counted(line.n_runs, "run"));
        figure.text(Text::new(words, (122.0, y), 13.5).fit(700.0));
    }
    if lines.is_empty() {
        figure.text(Text::new("no curves", (plane.left + 8.0, begin + 14.0), 13.0).color(GREY));
    }
}

/// The color of a line, and whether it is dashed.
fn style(i: usize) -> (RGBColor, bool) {
    (COLORS[i % COLORS.len()], i / COLORS.len() % 2 == 1)
}

fn stroke(figure: &mut Figure, points: &[Point], color: RGBColor, width: f64, is_dashed: bool) {
    if points.len() < 2 {
        return;
    }
    if !is_dashed {
        figure.line(points.to_vec(), color, width);
        return;
    }
    for dash in dashes(points) {
        figure.line(dash, color, width);
    }
}

/// The dashes of a line that may bend.
fn dashes(points: &[Point]) -> Vec<Vec<Point>> {
    let (mut all, mut dash) = (vec![], vec![points[0]]);
    let (mut is_on, mut left) = (true, DASH.0);
    for pair in points.windows(2) {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        let length = (x1 - x0).hypot(y1 - y0);
        let mut at = 0.0;
        while length - at > left {
            at += left;
            let part = at / length;
            let point = (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part);
            if is_on {
                dash.push(point);
                all.push(std::mem::take(&mut dash));
            } else {
                dash = vec![point];
            }
            is_on = !is_on;
            left = if is_on { DASH.0 } else { DASH.1 };
        }
        left -= length - at;
        if is_on {
            dash.push((x1, y1));
        }
    }
    if is_on && dash.len() > 1 {
        all.push(dash);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dashes_follow_a_line_around_its_corners() {
        let all = dashes(&[(0.0, 0.0), (5.0, 0.0), (5.0, 20.0)]);
        assert_eq!(all[0], [(0.0, 0.0), (5.0, 0.0), (5.0, 2.0)]);
        assert_eq!(all[1][0], (5.0, 6.0));
        let length: f64 = all
            .iter()
            .flat_map(|dash| dash.windows(2))
            .map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1))
            .sum();
        // 25 long: two whole dashes and gaps, and 3 of the third dash.
        assert!((length - 17.0).abs() < 1e-9, "{length}");
    }
}
