//! Plots of a dataset's columns.
//!
//! | file | what it shows |
//! |---|---|
//! | `counts` | how many examples each class has |
//! | `histograms` | every column's values, class by class |
//! | `correlations` | which columns go together |

mod correlations;
mod counts;
mod histograms;
#[cfg(test)]
mod tests;

use super::canvas::Figure;

/// A dataset's numeric columns by class, ready to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// The dataset's name.
    pub name: String,
    /// What one example is, e.g. `row` or `track`.
    pub unit: &'static str,
    /// The classes, in the order of their numbers.
    pub classes: Vec<String>,
    /// The class of every example.
    pub labels: Vec<usize>,
    /// Named columns, a number per example. What is not finite counts as missing: it is said, not drawn.
    pub columns: Vec<(String, Vec<f64>)>,
    /// Notes for the reader: skipped examples with reasons.
    pub notes: Vec<String>,
}

const WIDTH: u32 = 720;

/// The figures, each with the end of its file's name: class counts, histograms where there are
/// columns, correlations where there are at least two.
pub(super) fn figures(data: &Columns) -> Vec<(&'static str, Figure)> {
    let mut figures = vec![("counts", counts::figure(data))];
    if !data.columns.is_empty() {
        figures.push(("histograms", histograms::figure(data)));
    }
    if data.columns.len() > 1 {
        figures.push(("correlations", correlations::figure(data)));
    }
    figures
}
