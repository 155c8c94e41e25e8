//! Figures of a search for settings.
//!
//! | file | what it shows |
//! |---|---|
//! | `history` | each trial's score by number, and the best one so far |
//! | `parallel` | every trial as a line across all parameters and the score |
//! | `slices` | the score against each parameter |
//! | `contour` | the score over the two parameters that matter most |
//! | `importance` | how much each parameter explains |
//! | `view` | what they share: axes of parameters and of scores, names, colors |

mod contour;
mod history;
mod importance;
mod parallel;
mod slices;
#[cfg(test)]
mod tests;
mod view;

use super::canvas::Figure;
use crate::search::Trials;
use view::View;

/// A figure of a search.
pub(super) struct SweepFigure {
    /// The end of its file's name.
    pub(super) end: &'static str,
    /// What it shows and how it is read, for a page with its own headings.
    pub(super) title: &'static str,
    pub(super) words: String,
    /// With its title, for a file.
    pub(super) whole: Figure,
    /// Without, for a page.
    pub(super) panel: Figure,
}

/// The figures that the trials can fill, in the order of the page: always the history; the others only if
/// trials have scores; importance and contour only if importance can be told.
pub(super) fn figures(name: &str, trials: &Trials) -> Vec<SweepFigure> {
    let view = View::new(trials);
    let drawn = [
        Some(("history", "Search history", history::draw(&view))),
        parallel::draw(&view).map(|it| ("parallel", "Parallel coordinates", it)),
        slices::draw(&view).map(|it| ("slices", "Slices", it)),
        contour::draw(&view).map(|it| ("contour", "Contours of two parameters", it)),
        importance::draw(&view).map(|it| ("importance", "Importance of parameters", it)),
    ];
    let figure = |(end, title, (panel, words)): (_, &'static str, (Figure, String))| {
        let mut whole = Figure::new(&panel.title, panel.width, panel.height + HEADING as u32);
        whole.heading(&format!("{name}: {}", lower_first(title)), &words);
        whole.append(&panel, HEADING);
        SweepFigure { end, title, words, whole, panel }
    };
    drawn.into_iter().flatten().map(figure).collect()
}

/// Room for title and subtitle.
const HEADING: f64 = 56.0;

fn lower_first(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or(String::new(), |first| first.to_lowercase().chain(letters).collect())
}
