//! The score over the two parameters that matter most: the trials, and a smooth estimate between them.

use super::super::axis::Plane;
use super::super::canvas::{Align, Figure, GREY, INK, RAMP, Text, VERMILION, WHITE};
use super::view::{View, WIDTH, Way, short_number};
use crate::search::{Domain, surface};
use crate::vocab::Seed;

/// Cells along an axis of numbers.
const N_CELLS: usize = 32;
/// So many pixels of each cell lie below the next ones, since edges are drawn half transparent.
const SEAM: f64 = 0.7;
/// Trials with scores, at least: fewer say nothing about what lies between them.
const LEAST: usize = 8;

/// Draws the cells and says how they are read; none if it is not known what two parameters do.
pub(super) fn draw(view: &View) -> Option<(Figure, String)> {
    if view.scored.len() < LEAST {
        return None;
    }
    let known = view.by_importance().into_iter().filter(|it| view.importance[*it].is_some());
    let [across, up] = known.take(2).collect::<Vec<_>>()[..] else { return None };
    let space = view.trials.space;
    let places = |parameter: usize| -> Vec<f64> {
        let n = match &space.parameters()[parameter].domain {
            Domain::Any(values) => values.len(),
            _ => N_CELLS,
        };
        (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect()
    };
    let [x, y] = [across, up].map(places);
    let losses = surface(space, &view.tried_as_shown(), Seed(0), [across, up], [&x, &y])?;
    let sign = if view.trials.higher_is_better { -1.0 } else { 1.0 };
    let worst = losses.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    // The levels are evenly spaced from the best estimate to the worst that is not far off.
    let mut sorted = losses.clone();
    sorted.sort_by(f64::total_cmp);
    let end = worst.min(best + 3.0 * (sorted[sorted.len() / 2] - best).max(f64::MIN_POSITIVE));
    let level = |loss: f64| {
        let part = (end - loss) / (end - best).max(f64::MIN_POSITIVE);
        ((part * RAMP.len() as f64) as usize).min(RAMP.len() - 1)
    };
    let metric = view.trials.metric;
    let (names, title) = (&view.names, "contour: estimated score over two parameters");
    let mut figure = Figure::new(title, WIDTH, 430);
    let plane = Plane {
        left: 128.0,
        top: 16.0,
        right: 648.0,
        bottom: 366.0,
        across: view.axis(across, Way::Across(520.0)),
        up: view.axis(up, Way::Upwards(350.0)),
    };
    // One area a run of cells with the same level.
    for (row, losses) in losses.chunks(x.len()).enumerate() {
        let mut start = 0;
        for column in 1..=x.len() {
            let is_same = |column: usize| level(losses[column]) == level(losses[start]);
            if column < x.len() && is_same(column) {
                continue;
            }
            let part = |i: usize, n: usize| i as f64 / n as f64;
            let (left, bottom) = plane.place(part(start, x.len()), part(row, y.len()));
            let (right, top) = plane.place(part(column, x.len()), part(row + 1, y.len()));
            let (right, top) = ((right + SEAM).min(plane.right), (top - SEAM).max(plane.top));
            figure.rectangle((left, top), (right, bottom), RAMP[level(losses[start])], 1.0);
            start = column;
        }
    }
    for (trial, _) in &view.scored {
        let (Some(x), Some(y)) = (view.place(trial, across), view.place(trial, up)) else {
            continue;
        };
        if !view.is_winner(trial) {
            let at = plane.place(x, y);
            figure.dot(at, 3.0, WHITE);
            figure.dot(at, 2.0, INK);
        }
    }
    let winner = view.scored.iter().find(|(trial, _)| view.is_winner(trial));
    let place = |parameter| winner.and_then(|(trial, _)| view.place(trial, parameter));
    if let (Some(x), Some(y)) = (place(across), place(up)) {
        figure.diamond(plane.place(x, y), 8.0, VERMILION, WHITE);
    }
    plane.frame_image(&mut figure);
    let below = (f64::midpoint(plane.left, plane.right), plane.bottom + 38.0);
    let name = Text::new(&names[across], below, 14.0).align(Align::Centre);
    figure.text(name.fit(500.0));
    let beside = (16.0, f64::midpoint(plane.top, plane.bottom));
    let name = Text::new(&names[up], beside, 14.0).align(Align::Centre);
    figure.text(name.upwards().fit(340.0));
    key(&mut figure, metric, |part| sign * (end + part * (best - end)));
    let chosen = if winner.is_some() { "; diamond: the chosen one" } else { "" };
    let words = format!("dots: trials{chosen}; cells: {metric} as a forest estimates it");
    Some((figure, words))
}

/// The levels with their scores; `score` gives the one at a part of the way from the worst to the best.
fn key(figure: &mut Figure, metric: &str, score: impl Fn(f64) -> f64) {
    let (left, top) = (676.0, 44.0);
    figure.text(Text::new(metric, (left, top - 20.0), 13.0).fit(170.0));
    let n = RAMP.len();
    for (i, color) in RAMP.iter().rev().enumerate() {
        let y = top + 26.0 * i as f64;
        figure.rectangle((left, y - 9.0), (left + 24.0, y + 9.0), *color, 1.0);
        let level = n - 1 - i;
        let [from, to] = [level, level + 1].map(|end| {
            // As many digits as tell the levels apart.
            let step = (score(1.0) - score(0.0)).abs() / n as f64;
            let decimals = (1.0 - step.max(1e-300).log10().floor()).clamp(0.0, 20.0) as usize;
            let value = score(end as f64 / n as f64);
            if decimals < 6 && value.abs() < 1e5 {
                format!("{value:.decimals$}")
            } else {
                short_number(value)
            }
        });
        let words = if level == 0 { format!("{to} or worse") } else { format!("{from} to {to}") };
        figure.text(Text::new(words, (left + 32.0, y), 12.5).color(GREY).fit(138.0));
    }
}
