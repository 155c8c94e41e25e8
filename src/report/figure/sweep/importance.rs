//! How much each parameter explains, as bars.

use super::super::canvas::{Align, BLUE, Figure, GREY, PALE, Text};
use super::view::{View, WIDTH};
use crate::report::words::counted;

/// Bars, at most.
const MOST: usize = 20;
const LINE: f64 = 27.0;
const LEFT: f64 = 290.0;
const RIGHT: f64 = 780.0;

/// Draws the bars and says how they are read; none if importance can't be told.
pub(super) fn draw(view: &View) -> Option<(Figure, String)> {
    view.importance.iter().flatten().next()?;
    let mut shown = view.by_importance();
    shown.truncate(MOST);
    let height = 20.0 + LINE * shown.len() as f64;
    let metric = view.trials.metric;
    let title = format!("importance of parameters for {metric}");
    let mut figure = Figure::new(title, WIDTH, height as u32);
    for (row, &parameter) in shown.iter().enumerate() {
        let y = 22.0 + LINE * row as f64;
        let name = Text::new(&view.names[parameter], (LEFT - 12.0, y), 13.5);
        figure.text(name.align(Align::Right).fit(LEFT - 24.0));
        let Some(share) = view.importance[parameter] else {
            let words = "not known: not active in every trial";
            figure.text(Text::new(words, (LEFT, y), 13.0).color(GREY));
            continue;
        };
        let end = LEFT + share * (RIGHT - LEFT);
        figure.rectangle((LEFT, y - 8.0), (RIGHT, y + 8.0), PALE, 0.6);
        figure.rectangle((LEFT, y - 8.0), (end.max(LEFT + 1.0), y + 8.0), BLUE, 1.0);
        figure.text(Text::new(format!("{:.0} %", 100.0 * share), (RIGHT + 10.0, y), 13.5));
    }
    let n = counted(view.scored.len(), "trial");
    let stopped = if view.scored.iter().any(|(trial, _)| trial.is_stopped()) {
        ", stopped ones with their last score"
    } else {
        ""
    };
    let words = format!("share of the variation of {metric} (functional ANOVA of {n}{stopped})");
    Some((figure, words))
}
