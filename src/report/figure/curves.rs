//! Accuracy and loss over the epochs, training against validation, side by side.

use plotters::style::RGBColor;

use super::axis::{Axis, Plane};
use super::canvas::{Align, BLUE, Figure, GREY, INK, Point, Text, VERMILION, WHITE};
use crate::metrics::Verdict;
use crate::record::Epoch;
use crate::report::group::Group;
use crate::report::summary::interval;
use crate::report::words::fraction;

const WIDTH: u32 = 860;
const HEIGHT: u32 = 392;

/// One quantity on one set over the epochs, over the seeds that still trained at each.
struct Curve {
    color: RGBColor,
    width: f64,
    mean: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

/// Draws the curves of a group; `epochs` has one list per run.
pub(super) fn figure(group: &Group, epochs: &[Vec<Epoch>]) -> Figure {
    let record = group.record();
    let of_classes = has_accuracy(epochs);
    let what = if of_classes { "accuracy and loss" } else { "loss" };
    let title = format!("{}: {what} over the epochs", record.experiment);
    let mut figure = Figure::new(title, WIDTH, HEIGHT);
    let over = group.counted();
    figure.heading(
        &format!("{}: {}", record.experiment, record.title),
        &format!(
            "{}, {over}; test {} {}",
            group.dataset_words(),
            group.metric().words(),
            interval(&group.main)
        ),
    );
    let claim = group.claim_of_main().filter(|_| of_classes);
    let published_words = claim.map(|judged| match judged.verdict {
        Verdict::NotComparable { .. } => "published test accuracy, not comparable",
        _ => "published test accuracy",
    });
    legend(&mut figure, group, published_words);

    let half = |left: f64| Half { left, top: 100.0, right: left + 338.0, bottom: 334.0 };
    if of_classes {
        half(72.0).accuracy(&mut figure, epochs, claim.map(|judged| judged.claim.value));
        half(500.0).loss(&mut figure, epochs);
    } else {
        Half { right: 838.0, ..half(72.0) }.loss(&mut figure, epochs);
    }
    figure
}

/// Whether the epochs have accuracies: those of models of tags and numbers have none.
fn has_accuracy(epochs: &[Vec<Epoch>]) -> bool {
    let has = |epoch: &Epoch| epoch.train_accuracy.is_finite() || epoch.valid_accuracy.is_finite();
    epochs.iter().flatten().any(has)
}

/// Accuracy alone, where there is one, and loss alone, for a page with its own heading and legend.
pub(super) fn panels(experiment: &str, claim: Option<f64>, epochs: &[Vec<Epoch>]) -> Vec<Figure> {
    let half = Half { left: 62.0, top: 24.0, right: 414.0, bottom: 252.0 };
    let panel = |what: &str| Figure::new(format!("{experiment}: {what} over the epochs"), 430, 308);
    let mut panels = vec![];
    if has_accuracy(epochs) {
        let mut accuracy = panel("accuracy");
        half.accuracy(&mut accuracy, epochs, claim);
        panels.push(accuracy);
    }
    let mut loss = panel("loss");
    half.loss(&mut loss, epochs);
    panels.push(loss);
    panels
}

/// Where one of the two quantities is drawn.
struct Half {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Half {
    fn plane(&self, epochs: &[Vec<Epoch>], up: Axis) -> Plane {
        let n_epochs = epochs.iter().map(Vec::len).max().unwrap_or(0);
        let &Self { left, top, right, bottom } = self;
        Plane { left, top, right, bottom, across: Axis::epochs(n_epochs), up }
    }

    fn accuracy(&self, figure: &mut Figure, epochs: &[Vec<Epoch>], claim: Option<f64>) {
        let curves = [
            Curve::new(epochs, VERMILION, 1.6, |epoch| epoch.train_accuracy),
            Curve::new(epochs, BLUE, 1.8, |epoch| epoch.valid_accuracy),
        ];
        let (low, high) = accuracy_range(&curves, claim);
        let plane = self.plane(epochs, Axis::nice("accuracy", low, high, 5));
        plane.frame(figure);
        draw(figure, &plane, &curves);
        if let Some(claim) = claim {
            published(figure, &plane, &curves, claim);
        }
    }

    fn loss(&self, figure: &mut Figure, epochs: &[Vec<Epoch>]) {
        let curves = [
            Curve::new(epochs, VERMILION, 1.6, |epoch| epoch.train_loss),
            Curve::new(epochs, BLUE, 1.8, |epoch| epoch.valid_loss),
        ];
        let (low, high, peak) = loss_range(&curves);
        let plane = self.plane(epochs, Axis::nice("loss", low, high, 5));
        plane.frame(figure);
        draw(figure, &plane, &curves);
        if peak > plane.up.high {
            let at = (plane.left + 8.0, plane.top - 9.0);
            let note = format!("first epochs outside the scale, up to {}", short_number(peak));
            figure.text(Text::new(note, at, 12.0).color(GREY));
        }
    }
}

impl Curve {
    fn new(
        epochs: &[Vec<Epoch>],
        color: RGBColor,
        width: f64,
        value: impl Fn(&Epoch) -> f64,
    ) -> Self {
        let n_epochs = epochs.iter().map(Vec::len).max().unwrap_or(0);
        let mut curve = Self { color, width, mean: vec![], low: vec![], high: vec![] };
        for i in 0..n_epochs {
            let values: Vec<f64> = epochs.iter().filter_map(|run| run.get(i)).map(&value).collect();
            curve.mean.push(values.iter().sum::<f64>() / values.len() as f64);
            curve.low.push(values.iter().copied().fold(f64::INFINITY, f64::min));
            curve.high.push(values.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        }
        curve
    }
}

fn legend(figure: &mut Figure, group: &Group, published_words: Option<&str>) {
    let has_band = group.runs.len() > 1;
    let y = 72.0;
    let mut x = 18.0;
    let mut entry = |figure: &mut Figure, text: &str, mark: &dyn Fn(&mut Figure, f64)| {
        mark(figure, x);
        let text = Text::new(text, (x + 32.0, y), 13.5);
        x += 32.0 + text.width() + 24.0;
        figure.text(text);
    };
    for (text, color, width) in [("training", VERMILION, 2.0), ("validation", BLUE, 2.6)] {
        entry(figure, text, &|figure, x| {
            if has_band {
                figure.rectangle((x, y - 7.0), (x + 24.0, y + 7.0), color, 0.18);
            }
            figure.line(vec![(x, y), (x + 24.0, y)], color, width);
        });
    }
    if let Some(words) = published_words {
        entry(figure, words, &|figure, x| {
            figure.dashes((x, y), (x + 24.0, y), INK, 1.2);
        });
    }
    if has_band {
        let right = f64::from(WIDTH) - 16.0;
        let text = format!("line: mean of {}, band: range", group.counted());
        figure.text(Text::new(text, (right, y), 12.0).color(GREY).align(Align::Right));
    }
}

fn draw(figure: &mut Figure, plane: &Plane, curves: &[Curve]) {
    if !curves.iter().flat_map(|curve| &curve.mean).any(|value| value.is_finite()) {
        let at = (plane.left + 8.0, plane.bottom - 14.0);
        figure.text(Text::new("not recorded", at, 12.0).color(GREY));
    }
    let points = |values: &[f64]| -> Vec<Point> {
        // Epochs after which the validation examples were not scored have no point.
        let points = values.iter().enumerate().map(|(i, value)| (i as f64 + 1.0, *value));
        points.filter(|(_, value)| value.is_finite()).collect()
    };
    for curve in curves {
        let clamp = |value: f64| value.clamp(plane.up.low, plane.up.high);
        let place = |(x, y): &Point| plane.place(*x, clamp(*y));
        let (low, high) = (points(&curve.low), points(&curve.high));
        let band: Vec<Point> = high.iter().chain(low.iter().rev()).map(place).collect();
        if band.len() > 2 && curve.low != curve.high {
            figure.area(band, curve.color, 0.18);
        }
    }
    for curve in curves {
        let mean = points(&curve.mean);
        for part in below(&mean, plane.up.high) {
            let part: Vec<Point> = part.iter().map(|(x, y)| plane.place(*x, *y)).collect();
            figure.line(part, curve.color, curve.width);
        }
        if mean.len() <= 12 {
            for (x, y) in mean.iter().filter(|(_, y)| *y <= plane.up.high) {
                figure.dot(plane.place(*x, *y), 3.0, curve.color);
            }
        }
    }
}

/// The parts of a line that lie below a ceiling, cut where they meet it.
fn below(line: &[Point], ceiling: f64) -> Vec<Vec<Point>> {
    let mut parts = vec![];
    let mut part = vec![];
    for (i, &(x, y)) in line.iter().enumerate() {
        if i > 0 {
            let (x0, y0) = line[i - 1];
            if (y0 > ceiling) != (y > ceiling) {
                part.push((x0 + (ceiling - y0) / (y - y0) * (x - x0), ceiling));
            }
        }
        if y > ceiling {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push((x, y));
        }
    }
    parts.push(part);
    parts.retain(|part| part.len() > 1);
    parts
}

/// Draws the published figure as a dashed line, its label where it hides the curves least.
fn published(figure: &mut Figure, plane: &Plane, curves: &[Curve], claim: f64) {
    let (_, y) = plane.place(plane.across.low, claim);
    figure.dashes((plane.left, y), (plane.right, y), INK, 1.2);
    let text = Text::new(format!("published {}", fraction(claim)), (0.0, 0.0), 12.5);
    let (width, half) = (text.width(), 9.0);
    let hidden = |(x, y): Point| {
        let within = |(px, py): &Point| (x..=x + width).contains(px) && (py - y).abs() < half;
        let places = curves.iter().flat_map(|curve| {
            let at = |(i, value): (usize, &f64)| plane.place(i as f64 + 1.0, *value);
            curve.low.iter().enumerate().map(at).chain(curve.high.iter().enumerate().map(at))
        });
        places.filter(within).count()
    };
    let mut spots = vec![];
    for x in [
        plane.left + 6.0,
        plane.right - width - 4.0,
        f64::midpoint(plane.left, plane.right) - width / 2.0,
    ] {
        spots.extend([(x, y - 10.0), (x, y + 11.0)]);
    }
    let inside = |spot: &Point| spot.1 - half > plane.top - 12.0 && spot.1 + half < plane.bottom;
    let best = spots.into_iter().filter(inside).min_by_key(|spot| hidden(*spot));
    let (x, y) = best.unwrap_or((plane.left + 6.0, y - 10.0));
    figure.rectangle((x - 2.0, y - 7.5), (x + width + 2.0, y + 7.5), WHITE, 0.75);
    figure.text(Text { at: (x, y), ..text });
}

/// From the least to the largest accuracy that is drawn, within `[0, 1]`.
fn accuracy_range(curves: &[Curve], claim: Option<f64>) -> (f64, f64) {
    let low = curves.iter().flat_map(|curve| &curve.low).chain(&claim);
    let high = curves.iter().flat_map(|curve| &curve.high).chain(&claim);
    let low = low.copied().fold(1.0, f64::min);
    let high = high.copied().fold(0.0, f64::max);
    // A flat line needs some height around it.
    let slack = (0.05 - (high - low)).max(0.0) / 2.0;
    ((low - slack).max(0.0), (high + slack).min(1.0))
}

/// From 0 (or the least loss, where none is near 0) to a ceiling; and the largest loss.
///
/// The first epochs of unscaled features can lose a hundred times what the rest does. They are
/// let out of the scale where they would flatten it.
fn loss_range(curves: &[Curve]) -> (f64, f64, f64) {
    let from = |first: usize| {
        let late = curves.iter().flat_map(move |curve| curve.high.iter().skip(first));
        late.copied().filter(|loss| loss.is_finite()).fold(0.0, f64::max)
    };
    let n_epochs = curves.iter().map(|curve| curve.mean.len()).max().unwrap_or(0);
    let peak = from(0);
    let settled = from(n_epochs.div_ceil(25).min(n_epochs.saturating_sub(1)));
    let high = if n_epochs >= 10 && peak > 2.0 * settled { 1.15 * settled } else { peak };
    let low = curves.iter().flat_map(|curve| &curve.low).copied().fold(f64::INFINITY, f64::min);
    // Without a loss, there is no least one.
    let is_far_from_0 = low.is_finite() && !(0.0..=0.6 * high).contains(&low);
    (if is_far_from_0 { low } else { 0.0 }, high, peak)
}

fn short_number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    #[test]
    fn a_line_is_cut_where_it_meets_the_ceiling() {
        let line = [(1.0, 30.0), (2.0, 10.0), (3.0, 5.0), (4.0, 15.0), (5.0, 40.0)];
        assert_eq!(
            below(&line, 20.0),
            [vec![(1.5, 20.0), (2.0, 10.0), (3.0, 5.0), (4.0, 15.0), (4.2, 20.0)]]
        );
    }

    #[test]
    fn a_scale_fits_losses_that_are_unknown_or_below_zero() {
        let range = |losses: [f64; 2]| {
            let epoch = |(i, loss): (usize, &f64)| Epoch {
                epoch: i + 1,
                train_loss: *loss,
                train_accuracy: f64::NAN,
                valid_loss: f64::NAN,
                valid_accuracy: f64::NAN,
                learning_rate: f64::NAN,
                seconds: 0.0,
            };
            let run: Vec<Epoch> = losses.iter().enumerate().map(epoch).collect();
            loss_range(&[
                Curve::new(from_ref(&run), BLUE, 1.0, |epoch| epoch.train_loss),
                Curve::new(from_ref(&run), BLUE, 1.0, |epoch| epoch.valid_loss),
            ])
        };
        assert_eq!(range([f64::NAN; 2]), (0.0, 0.0, 0.0));
        assert_eq!(range([-3.0, -4.0]), (-4.0, 0.0, 0.0));
        assert_eq!(range([4.0, 3.0]), (3.0, 4.0, 4.0));
        assert_eq!(range([4.0, 1.0]), (0.0, 4.0, 4.0));
    }

    #[test]
    fn seeds_that_stopped_early_count_while_they_train() {
        let epoch = |epoch, loss| Epoch {
            epoch,
            train_loss: loss,
            train_accuracy: 0.5,
            valid_loss: loss,
            valid_accuracy: 0.5,
            learning_rate: 1e-4,
            seconds: 1.0,
        };
        let runs = [vec![epoch(1, 2.0), epoch(2, 1.0)], vec![epoch(1, 4.0)]];
        let curve = Curve::new(&runs, BLUE, 1.0, |epoch| epoch.train_loss);
        assert_eq!(curve.mean, [3.0, 1.0]);
        assert_eq!((curve.low, curve.high), (vec![2.0, 1.0], vec![4.0, 1.0]));
    }
}
