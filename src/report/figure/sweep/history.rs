//! Each trial's score by number, and the best one so far.

use super::super::axis::{Axis, Plane};
use super::super::canvas::{Align, BLUE, Figure, GREY, INK, Text, VERMILION, WHITE};
use super::view::{View, WIDTH};
use crate::report::words::counted;
use crate::search::TrialPoint;

/// Draws the history and says how it is read.
pub(super) fn draw(view: &View) -> (Figure, String) {
    let trials = view.trials;
    let n_failed = trials.trials.len() - view.scored.len();
    let n_stopped = view.scored.iter().filter(|(trial, _)| trial.is_stopped()).count();
    let metric = trials.metric;
    let mut figure = Figure::new(format!("search history: {metric} of each trial"), WIDTH, 340);
    let last = trials.trials.iter().map(|trial| trial.number).max().unwrap_or(0).max(1);
    let margin = last as f64 * 0.02;
    let mut across = Axis::whole("trial", -margin, last as f64 + margin, 8);
    across.ticks.retain(|(at, _)| *at >= 0.0);
    let plane = Plane {
        left: 78.0,
        top: 34.0,
        right: 840.0,
        bottom: 286.0,
        across,
        up: view.score_axis(metric, 5),
    };
    plane.frame(&mut figure);
    // Only trials that were not stopped early are compared, where there are such.
    let counts = |trial: &TrialPoint| n_stopped == view.scored.len() || !trial.is_stopped();
    let mut best: Option<f64> = None;
    let mut steps = vec![];
    for trial in trials.trials.iter().filter(|trial| counts(trial)) {
        let Some(score) = trial.finite_score() else { continue };
        if best.is_none_or(|best| trials.is_better(score, best)) {
            let x = trial.number as f64;
            steps.extend(best.map(|best| plane.place(x, view.shown(best))));
            steps.push(plane.place(x, view.shown(score)));
            best = Some(score);
        }
    }
    if let Some(best) = best {
        steps.push(plane.place(plane.across.high, view.shown(best)));
        figure.line(steps, INK, 1.6);
    }
    let is_winner = |number: &usize| trials.winner == Some(*number);
    let edge = if trials.higher_is_better { plane.bottom } else { plane.top };
    for trial in trials.trials.iter().filter(|trial| !is_winner(&trial.number)) {
        let x = trial.number as f64;
        if let Some(score) = trial.finite_score() {
            view.dot(&mut figure, plane.place(x, view.shown(score)), trial);
        } else {
            let (x, _) = plane.place(x, plane.up.low);
            cross(&mut figure, (x, edge));
        }
    }
    let winner = trials.trials.iter().find(|trial| is_winner(&trial.number));
    if let Some((trial, score)) = winner.and_then(|it| Some((it, it.finite_score()?))) {
        view.dot(&mut figure, plane.place(trial.number as f64, view.shown(score)), trial);
    }
    if view.scored.is_empty() {
        let middle =
            (f64::midpoint(plane.left, plane.right), f64::midpoint(plane.top, plane.bottom));
        let words =
            if trials.trials.is_empty() { "no trial has run" } else { "every trial failed" };
        figure.rectangle(
            (middle.0 - 90.0, middle.1 - 14.0),
            (middle.0 + 90.0, middle.1 + 14.0),
            WHITE,
            1.0,
        );
        figure.text(Text::new(words, middle, 16.0).align(Align::Centre));
    }
    legend(&mut figure, n_failed, n_stopped, best.is_some(), winner.is_some());
    let n = counted(trials.trials.len(), "trial");
    let words = format!("{metric} of {n} by number{}", view.beyond());
    (figure, words)
}

fn cross(figure: &mut Figure, (x, y): (f64, f64)) {
    figure.line(vec![(x - 3.5, y - 3.5), (x + 3.5, y + 3.5)], VERMILION, 1.6);
    figure.line(vec![(x - 3.5, y + 3.5), (x + 3.5, y - 3.5)], VERMILION, 1.6);
}

/// What the marks mean, as far as they occur.
fn legend(
    figure: &mut Figure,
    n_failed: usize,
    n_stopped: usize,
    has_best: bool,
    has_winner: bool,
) {
    let (mut x, y) = (82.0, 14.0);
    let mut entry = |figure: &mut Figure, words: String| {
        let text = Text::new(words, (x + 14.0, y), 13.0).color(GREY);
        let at = (x, y);
        x += 14.0 + text.width() + 26.0;
        figure.text(text);
        at
    };
    if has_best {
        let (x, y) = entry(figure, "best so far".to_owned());
        figure.line(vec![(x - 9.0, y), (x + 9.0, y)], INK, 1.6);
        let at = entry(figure, "trial".to_owned());
        figure.dot(at, 3.2, BLUE);
    }
    if n_stopped > 0 {
        let at = entry(figure, format!("stopped early ({n_stopped})"));
        figure.dot(at, 3.2, BLUE);
        figure.dot(at, 2.2, WHITE);
    }
    if n_failed > 0 {
        let at = entry(figure, format!("failed ({n_failed})"));
        cross(figure, at);
    }
    if has_winner {
        let at = entry(figure, "chosen".to_owned());
        figure.diamond(at, 6.0, VERMILION, WHITE);
    }
}
