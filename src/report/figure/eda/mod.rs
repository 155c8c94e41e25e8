//! Plots of a dataset's columns.
//!
//! | file | what it shows |
//! |---|---|
//! | `counts` | how many examples each class has |
//! | `histograms` | every column's values, class by class |
//! | `correlations` | which columns go together |
//! | `largest` | which classes and columns are shown where there are too many |

mod correlations;
mod counts;
mod histograms;
mod largest;
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
    /// Examples of each class, `[n_classes]`.
    pub counts: Vec<usize>,
    /// Columns of numbers that the dataset has.
    pub n_columns: usize,
    /// The columns of numbers; of many those that differ most between classes.
    pub columns: Vec<ColumnSummary>,
    /// Pearson's correlation of every pair of columns, `[n_columns, n_columns]`; none where one of them does not
    /// vary.
    pub correlations: Vec<Vec<Option<f64>>>,
    /// Notes for the reader: skipped examples with reasons.
    pub notes: Vec<String>,
}

/// One column's histograms: bins of equal width, the same for all classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnSummary {
    /// The column's name.
    pub name: String,
    /// The lower edge of the first bin.
    pub low: f64,
    /// The upper edge of the last bin.
    pub high: f64,
    /// Whether each bin is one whole number.
    pub is_whole: bool,
    /// Values that are missing.
    pub n_missing: usize,
    /// Values that lie outside of all bins.
    pub n_beyond: usize,
    /// The share of its variance that lies between classes, `[0, 1]`.
    pub between_classes: f64,
    /// One per class, `[n_classes]`.
    pub classes: Vec<Histogram>,
}

/// One class's values of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Values in each bin.
    pub counts: Vec<usize>,
    /// The median of all values; none where all are missing.
    pub median: Option<f64>,
}

impl Columns {
    /// Examples of all classes.
    #[must_use]
    pub fn n_examples(&self) -> usize {
        self.counts.iter().sum()
    }
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
