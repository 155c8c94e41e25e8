//! Every trial as a line across all parameters and the score.

use super::super::axis::Axis;
use super::super::canvas::{Align, Figure, GREY, INK, Text, VERMILION, WHITE};
use super::view::{View, WIDTH, Way, rank_color};
use crate::search::TrialPoint;

/// Parameters, at most.
const MOST: usize = 8;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 316.0;
/// Where the lines of trials go in which a parameter is not active.
const OFF: f64 = 340.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 790.0;

/// Draws the lines and says how they are read; none if no trial has a score.
pub(super) fn draw(view: &View) -> Option<(Figure, String)> {
    if view.scored.is_empty() {
        return None;
    }
    let mut shown = view.by_importance();
    let n_more = shown.len().saturating_sub(MOST);
    shown.truncate(MOST);
    shown.sort_unstable();
    let metric = view.trials.metric;
    let title = format!("parallel coordinates: parameters and {metric} of each trial");
    let has_off = |parameter: &usize| {
        view.scored.iter().any(|(trial, _)| trial.point.0[*parameter].is_none())
    };
    let is_off = shown.iter().any(has_off);
    let mut figure = Figure::new(title, WIDTH, if is_off { 360 } else { 340 });
    let gap = (RIGHT - LEFT) / shown.len().max(1) as f64;
    let up = view.score_axis("", 5);
    let height = |part: f64| BOTTOM - part * (BOTTOM - TOP);
    let way = |trial: &TrialPoint, score: f64| {
        let mut points: Vec<(f64, f64)> = vec![];
        for (column, parameter) in shown.iter().enumerate() {
            points.push((
                LEFT + gap * column as f64,
                view.place(trial, *parameter).map_or(OFF, height),
            ));
        }
        let part = (view.shown(score) - up.low) / (up.high - up.low);
        points.push((RIGHT, height(part)));
        points
    };
    let n = view.scored.len();
    let width = if n > 200 { 0.5 } else { 1.2 };
    // The worst first, so that the best lie above.
    for (i, (trial, score)) in view.scored.iter().enumerate() {
        if !view.is_winner(trial) {
            figure.line(way(trial, *score), rank_color(i, n), width);
        }
    }
    if let Some((trial, score)) = view.scored.iter().find(|(trial, _)| view.is_winner(trial)) {
        figure.line(way(trial, *score), VERMILION, 2.8);
    }
    for (column, parameter) in shown.iter().enumerate() {
        let x = LEFT + gap * column as f64;
        let axis = view.axis(*parameter, Way::Upwards(BOTTOM - TOP));
        upright(&mut figure, x, &axis, &view.names[*parameter], gap);
        if has_off(parameter) {
            figure.line(vec![(x - 4.0, OFF), (x + 4.0, OFF)], INK, 1.0);
            label(&mut figure, (x + 7.0, OFF), "off", gap);
        }
    }
    upright(&mut figure, RIGHT, &up, metric, 2.0 * (f64::from(WIDTH) - RIGHT) - 10.0);
    let chosen = if view.trials.winner.is_some() { "; orange: the chosen trial" } else { "" };
    let more = if n_more > 0 {
        format!("; the {MOST} parameters that matter most of {}", n_more + MOST)
    } else {
        String::new()
    };
    let words =
        format!("a line is a trial, in a stronger color if better{chosen}{more}{}", view.beyond());
    Some((figure, words))
}

/// An axis from bottom to top, its name above.
fn upright(figure: &mut Figure, x: f64, axis: &Axis, name: &str, room: f64) {
    figure.line(vec![(x, TOP), (x, BOTTOM)], INK, 1.2);
    for (at, words) in &axis.ticks {
        let y = BOTTOM - (at - axis.low) / (axis.high - axis.low) * (BOTTOM - TOP);
        figure.line(vec![(x - 3.0, y), (x + 3.0, y)], INK, 1.0);
        label(figure, (x + 7.0, y), words, room);
    }
    let name = Text::new(name, (x, 16.0), 13.0).align(Align::Centre).fit(room - 10.0);
    figure.text(name);
}

/// Letters on their own piece of paper, since lines run below them.
fn label(figure: &mut Figure, (x, y): (f64, f64), words: &str, room: f64) {
    let text = Text::new(words, (x, y), 12.0).color(GREY).fit((room - 22.0).min(110.0));
    figure.rectangle((x - 2.0, y - 7.5), (x + text.width() + 2.0, y + 7.5), WHITE, 0.82);
    figure.text(text);
}
