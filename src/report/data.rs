//! The section with the data plots.

use super::figure::Drawn;
use super::group::{Group, Row};
use super::words::{Markup, counted};
use super::{DatasetSummary, Options};

/// The section; empty where there is nothing to see.
pub(super) fn text(rows: &[Row], drawn: &Drawn, options: &Options) -> String {
    if options.data.is_empty() {
        return String::new();
    }
    let mut parts = vec!["## The data\n".to_owned()];
    for (i, (dataset, summary)) in options.data.iter().enumerate() {
        parts.push(format!("### {}\n", Markup::Markdown.text(&heading(rows, dataset))));
        parts.push(format!("{}\n", Markup::Markdown.text(&caption(summary))));
        parts.extend(drawn.summary_images(i));
    }
    parts.join("\n")
}

/// A dataset's name, and whether the program made it.
pub(super) fn heading(rows: &[Row], dataset: &str) -> String {
    let mut groups = rows.iter().filter_map(Row::group);
    let is_synthetic =
        |group: &Group| group.record().data.dataset == *dataset && group.record().data.synthetic;
    let synthetic = if groups.any(is_synthetic) { " (synthetic)" } else { "" };
    format!("{dataset}{synthetic}")
}

/// What is to be seen, in a sentence.
pub(super) fn caption(summary: &DatasetSummary) -> String {
    match summary {
        DatasetSummary::Segment(segment) => {
            format!("One segment of {}, as a waveform and as the models see it.", segment.name)
        }
        DatasetSummary::Columns(data) => format!(
            "{} in {} classes, {}.",
            counted(data.n_examples(), data.unit),
            data.classes.len(),
            counted(data.n_columns, "column")
        ),
    }
}
