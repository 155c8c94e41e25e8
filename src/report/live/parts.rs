//! Claims, searches and data as pages of their own, and the report's page as a whole.

use std::path::Path;

use super::super::group::rows;
use super::super::html::{self, claims_table, data_figures, searches_section};
use super::super::page_studies::Studies;
use super::super::robust;
use super::super::searches;
use super::super::{DatasetSummary, Options, ReportError, Segment, figure};
use crate::record::Run;

/// Every published figure with its verdict and why.
///
/// # Errors
/// If the predictions of a run can't be read or a record contradicts itself.
pub fn claims_part(runs: &[Run], options: &Options) -> Result<String, ReportError> {
    let rows = rows(runs, options)?;
    Ok(format!("<section id=\"claims\">{}</section>\n", claims_table(&rows)))
}

/// The searches with their figures.
#[must_use]
pub fn searches_part(options: &Options) -> String {
    let (sections, _) = searches::sections(options);
    match searches_section(&sections) {
        html if html.is_empty() => {
            "<p>No search was made yet: <code>encore sweep</code>.</p>\n".to_owned()
        }
        html => html,
    }
}

/// The figures of a dataset.
///
/// # Errors
/// If a figure can't be drawn.
pub fn data_part(name: &str, summary: &DatasetSummary) -> Result<String, ReportError> {
    data_figures(name, summary)
}

/// The mel spectrogram of a segment, as SVG.
///
/// # Errors
/// If it can't be drawn.
pub fn mel_svg(segment: &Segment) -> Result<String, ReportError> {
    figure::mel_svg(segment)
}

/// The page that `encore report` writes, as it would be now, with links that lead to `/report/`.
///
/// # Errors
/// As [`super::super::write`].
pub fn report_page(runs: &[Run], options: &Options, folder: &Path) -> Result<String, ReportError> {
    let shown: Vec<Run> = runs.iter().filter(|run| !run.is_of_study).cloned().collect();
    let rows = rows(&shown, options)?;
    let (searches, not_read) = searches::sections(options);
    let mut options = options.clone();
    options.skipped.extend(not_read);
    let studies = Studies::of(runs, searches)?;
    let robust = robust::sections(&rows, &options)?;
    html::text(&rows, &options, &robust, &studies, folder)
}
