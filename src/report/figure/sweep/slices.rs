//! The score against each parameter, a panel each.

use super::super::axis::Plane;
use super::super::canvas::{Figure, GREY, Text};
use super::view::{View, WIDTH, Way};
use crate::report::words::counted;

/// Panels, at most, and with many trials, whose dots make a page large.
const MOST: [usize; 2] = [12, 6];
/// More trials are many.
const MANY: usize = 300;
/// Panels in a row.
const N_BESIDE: usize = 3;
const ROW: f64 = 216.0;

/// Draws the panels and says how they are read; none if no trial has a score.
pub(super) fn draw(view: &View) -> Option<(Figure, String)> {
    let mut shown = view.by_importance();
    if view.scored.is_empty() || shown.is_empty() {
        return None;
    }
    let most = MOST[usize::from(view.trials.trials.len() > MANY)];
    let n_all = shown.len();
    shown.truncate(most);
    let metric = view.trials.metric;
    let height = 12.0 + shown.len().div_ceil(N_BESIDE) as f64 * ROW;
    let title = format!("slices: {metric} against each parameter");
    let mut figure = Figure::new(title, WIDTH, height as u32);
    for (number, &parameter) in shown.iter().enumerate() {
        let (row, column) = (number / N_BESIDE, number % N_BESIDE);
        let (left, top) = (74.0 + 268.0 * column as f64, 38.0 + ROW * row as f64);
        let label = if column == 0 { metric } else { "" };
        let plane = Plane {
            left,
            top,
            right: left + 214.0,
            bottom: top + 134.0,
            across: view.axis(parameter, Way::Across(214.0)),
            up: view.score_axis(label, 4),
        };
        figure.text(Text::new(&view.names[parameter], (left, top - 16.0), 13.0).bold().fit(214.0));
        plane.frame(&mut figure);
        let mut n_off = 0;
        for is_winner in [false, true] {
            for (trial, score) in &view.scored {
                if view.is_winner(trial) != is_winner {
                    continue;
                }
                let Some(place) = view.place(trial, parameter) else {
                    n_off += 1;
                    continue;
                };
                view.dot(&mut figure, plane.place(place, view.shown(*score)), trial);
            }
        }
        if n_off > 0 {
            let words = format!("not active in {}", counted(n_off, "trial"));
            let at = (left, plane.bottom + 35.0);
            figure.text(Text::new(words, at, 12.0).color(GREY).fit(214.0));
        }
    }
    let more = if n_all > most {
        format!("; the {most} parameters that matter most of {n_all}")
    } else {
        String::new()
    };
    let stopped = if view.scored.iter().any(|(trial, _)| trial.is_stopped()) {
        "; hollow: stopped early"
    } else {
        ""
    };
    let chosen = if view.trials.winner.is_some() { "; diamond: the chosen trial" } else { "" };
    let words = format!("{metric} against each parameter{stopped}{chosen}{more}{}", view.beyond());
    Some((figure, words))
}
