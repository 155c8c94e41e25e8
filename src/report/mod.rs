//! Records -> tables and figures: the report page.
//!
//! | file | what it makes |
//! |---|---|
//! | `runs` | records -> runs that differ in the seed alone |
//! | `scored` | their predictions -> what they said of examples and of tracks |
//! | `scores` | that -> accuracy, intervals, and what claims are judged by |
//! | `score_cache` | a file that keeps scores, so that predictions are read once |
//! | `claims` | a published figure -> a verdict with its reason |
//! | `ledger` | all claims with their verdicts, as text |
//! | `group` | runs that differ in the seed alone -> one row: mean, interval, verdicts |
//! | `warnings` | leaks, solvers that did not converge, classes that a set lacks |
//! | `summary` | rows -> the summary table, the headline, the warnings about leaks |
//! | `section` | one row -> its section: answer, figures, per-class table, details |
//! | `run_lines` | every run of a row in numbers, and their means |
//! | `main_scale` | the scale on which the main metric of a task is drawn |
//! | `page` | all of it -> `README.md` |
//! | `live/` | pages that a server makes for every request |
//! | `html/` | all of it -> `index.html`, for a browser: one file, no network |
//! | `tex` | the summary -> `table.tex`, for LaTeX |
//! | `results` | one line per run -> `results.csv`, `results.parquet` |
//! | `epochs` | one line per epoch of all runs -> `epochs.csv`, `epochs.parquet` |
//! | `facts` | rows -> plain data, for JSON |
//! | `run_fields` | a run -> its fields by dotted names |
//! | `all_runs` | a store -> the fields of all runs, with tags and notes; values in words |
//! | `run_table` | fields of many runs -> those that match a condition, in order |
//! | `terminal`, `footnotes` | rows -> the table that the command line prints, with its notes |
//! | `compare/` | runs against runs: metrics with intervals, differences of specs, paired tests |
//! | `robustness` | what `encore robust` shows |
//! | `robust/` | runs on degraded recordings: scores by strength with intervals, paired tests, curves |
//! | `paired` | two groups of runs -> how much they differ, paired by seed and test items |
//! | `learning/` | runs whose specs differ in the share of training tracks -> a learning curve, and a law |
//! | `ablation/` | runs of a spec and of its changes -> what each change does |
//! | `recommended` | studies of recommendations -> a table of answers |
//! | `studies`, `page_studies` | what `encore curve` and `encore ablate` show, and a page of them |
//! | `class_figures` | runs -> reliability, F1 of every class, the difference of confusion matrices |
//! | `overlay` | runs -> their curves in one figure |
//! | `draw` | figures that are drawn without a page |
//! | `data` | dataset summaries -> the section with the data plots |
//! | `figure/` | curves, confusion matrix, predicted against actual numbers, all main metrics, pictures of data -> SVG and PNG (plotters lives here only) |
//!
//! The page is written from records. Only the data plots come from elsewhere, as plain numbers
//! ([`DatasetSummary`]). The same records and numbers give the same bytes. This room must
//! never know a model, audio or a clock.

mod ablation;
mod all_runs;
mod check;
mod claims;
mod class_figures;
mod compare;
mod confused;
mod data;
mod draw;
mod epochs;
mod facts;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fake_data;
#[cfg(test)]
mod fake_studies;
#[cfg(test)]
mod fake_tasks;
mod figure;
mod footnotes;
mod group;
mod html;
mod learning;
mod ledger;
mod link;
pub mod live;
mod main_scale;
mod overlay;
mod page;
mod page_studies;
mod paired;
mod recommended;
mod results;
mod robust;
mod robustness;
mod run_fields;
mod run_lines;
mod run_table;
mod runs;
mod score_cache;
mod scored;
mod scores;
mod searches;
mod section;
mod studies;
mod summary;
mod terminal;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_tasks;
mod tex;
mod warnings;
mod words;

pub use ablation::{AblationFacts, BaseFacts, ChangeFacts};
pub use all_runs::{all_runs, default_columns, exact, finished_runs, short, unfinished_runs};
pub use class_figures::{
    ClassF1, ConfusionDifference, Reliability, ReliabilityBin, class_f1, confusion_difference,
    plot_confusion_difference, plot_f1, plot_reliability, reliability,
};
pub use compare::{
    CompareError, Comparison, LevelFacts, ScoreFacts, SideFacts, TestFacts, compare, comparison,
};
pub use draw::{
    Picture, confusion_png, draw_augmentations, draw_map, draw_rates, draw_sheet, draw_study,
    draw_summary, draw_sweep,
};
pub use facts::{ClaimFacts, RangeFacts, ResultFacts};
pub(crate) use figure::nice_step;
pub use figure::{
    AugmentRow, AugmentSheet, ColumnSummary, Columns, Frames, Histogram, MapPoint, RatePoint,
    SPECTROGRAM_FLOOR_DB, SPECTRUM_FLOOR_DB, Segment,
};
pub use learning::{CurveFacts, CurvePoint, ForecastFacts, LawFacts};
pub use overlay::{
    CURVE_METRICS, CurveBy, CurveLine, CurvePlace, CurveView, MAX_LINES, OverlaidLine, RunCurve,
    curve_lines, draw_overlay, overlaid, overlaid_svg,
};
pub use robust::{RobustPoint, RobustSide, RobustTest};
pub use robustness::{Robustness, meant, robustness};
pub use run_fields::{needs_predictions, run_fields, unfinished_fields};
pub use run_table::{RunTable, Selection};
pub use searches::{
    StudyFacts, StudyPartFacts, WinnerFacts, settings_words, study_facts, study_text,
};
pub use studies::{AblationReport, CurveReport, ablation_report, curve_report};

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use self::group::Row;
use self::page_studies::Studies;
use self::score_cache::ScoreCache;
use crate::disk;
use crate::metrics::Verdict;
use crate::record::{DegradedStore, Run, StoreError, Study};
use crate::table::{Values, csv_bytes, parquet_bytes};
use crate::vocab::Task;

/// What the page is to show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// The page's first heading.
    pub title: String,
    /// A paragraph below it; empty for none.
    pub text: String,
    /// The summary's rows in groups: a heading each, and the experiments below it. Experiments of no
    /// group stand last, below a heading of their own.
    pub groups: Vec<(String, Vec<String>)>,
    /// Experiments in the order of the page; those without a run are listed as not run, and
    /// experiments that are not named here follow by name.
    pub order: Vec<String>,
    /// What the models of experiments without a run are to tell, where it is known.
    pub tasks: BTreeMap<String, Task>,
    /// Names of datasets, each with what it is like; the page has a section of their pictures.
    pub data: Vec<(String, DatasetSummary)>,
    /// The file that keeps the scores of the runs, so that the next report need not read their predictions
    /// again ([`crate::record::Store::scores`]); `None` keeps nothing.
    pub scores: Option<PathBuf>,
    /// What models say of degraded recordings ([`crate::record::Store::degraded`]), for the page's section on
    /// robustness; `None` leaves it out.
    pub degraded: Option<DegradedStore>,
    /// Searches for good settings ([`crate::record::Store::studies`]), for a section of their own.
    pub studies: Vec<Study>,
    /// The runs of their winners.
    pub winners: Vec<Run>,
    /// Why finished runs are not on the page, one line each, e.g. because their files are damaged.
    pub skipped: Vec<String>,
    /// Experiments whose runs are still going on or waiting, each with how many, in the order of the page.
    pub pending: Vec<(String, usize)>,
}

impl Options {
    /// Rows in an order, without groups, for a table without a page.
    #[must_use]
    pub fn in_order(order: Vec<String>) -> Self {
        Self { order, ..Self::default() }
    }
}

/// What is drawn of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub enum DatasetSummary {
    /// A segment of one of its tracks: five figures.
    Segment(Segment),
    /// Its columns by class: class counts, histograms, correlations.
    Columns(Columns),
}

/// What was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The page as a forge shows it.
    pub readme: PathBuf,
    /// The page as a browser shows it.
    pub page: PathBuf,
    /// One line per run, as CSV.
    pub results: PathBuf,
    /// The same as Parquet.
    pub parquet: PathBuf,
    /// One line per epoch of all runs, as CSV.
    pub epochs: PathBuf,
    /// The same as Parquet.
    pub epochs_parquet: PathBuf,
    /// The summary for LaTeX.
    pub tex: PathBuf,
    /// Every figure, SVG and PNG.
    pub figures: Vec<PathBuf>,
    /// The summary for a terminal.
    pub table: Table,
}

/// The summary of some runs, as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// A plain table of at most 100 columns, with its warnings below.
    pub text: String,
    /// The experiments whose runs differ from a published figure, each with by how much.
    pub differing: Vec<String>,
    /// The experiments whose runs are inconclusive about a published figure, each with its source.
    pub inconclusive: Vec<String>,
    /// The rows as data.
    pub results: Vec<ResultFacts>,
    /// The experiments without runs.
    pub not_run: Vec<String>,
}

impl Table {
    fn new(text: String, rows: &[Row]) -> Self {
        let (mut differing, mut inconclusive) = (vec![], vec![]);
        for group in rows.iter().filter_map(Row::group) {
            for judged in &group.judged {
                let metric = match judged.claim.metric.as_str() {
                    _ if judged.is_of_main() => String::new(),
                    metric => format!(" {metric}"),
                };
                let name = format!("{}{metric} ({})", group.name(), judged.claim.source);
                match &judged.verdict {
                    Verdict::Differs { .. } => {
                        let by = judged.delta_words().unwrap_or_default();
                        differing.push(format!("{name} by {by}"));
                    }
                    Verdict::Inconclusive => inconclusive.push(name),
                    Verdict::Reproduced | Verdict::NotComparable { .. } => {}
                }
            }
        }
        let (results, not_run) = (facts::results(rows), facts::not_run(rows));
        Self { text, differing, inconclusive, results, not_run }
    }
}

/// The reason why a page could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file of a run cannot be read or is inconsistent.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record contradicts itself.
    #[error(
        "{path}: {message}\nhint: copy {} again, or delete it and run the experiment again",
        path.parent().unwrap_or(path).display()
    )]
    Broken {
        /// The record's file.
        path: PathBuf,
        /// Which number does not fit.
        message: String,
    },
    /// A file or folder of the page can't be written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A figure can't be drawn or written.
    #[error("{path}: {message}")]
    Figure {
        /// Which one.
        path: PathBuf,
        /// The error of the drawing library.
        message: String,
    },
}

/// What to tell whoever looks at the PNGs that this process has drawn: that some have code points in place
/// of letters.
#[must_use]
pub fn png_notice() -> Option<&'static str> {
    figure::png_notice()
}

impl ReportError {
    /// Whether a run is to blame: without it, the others can be reported.
    #[must_use]
    pub fn is_of_run(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Broken { .. })
    }
}

/// The runs whose files can be read and are consistent, and the errors of the others. `scores` is the
/// file of [`Options::scores`]: predictions whose scores it has need not be read.
#[must_use]
pub fn whole(mut runs: Vec<Run>, scores: Option<&Path>) -> (Vec<Run>, Vec<ReportError>) {
    let cache = ScoreCache::open(scores);
    let groups = runs::by_experiment(&runs);
    let has_scores = |group: &&runs::Runs| {
        let metrics = claims::metrics(&group.record().claims);
        cache.has(group, &metrics)
    };
    let scored: BTreeSet<&str> = groups
        .values()
        .flatten()
        .filter(has_scores)
        .flat_map(|group| group.runs.iter().map(|run| run.id.as_str()))
        .collect();
    let fault = |run: &Run| {
        check::check(run)?;
        run.epochs()?;
        if !scored.contains(run.id.as_str()) {
            scored::rows(run)?;
        }
        Ok(())
    };
    let checked: Vec<Result<(), ReportError>> = runs.par_iter().map(fault).collect();
    let mut is_whole = checked.iter().map(Result::is_ok);
    runs.retain(|_| is_whole.next().unwrap_or(false));
    (runs, checked.into_iter().filter_map(Result::err).collect())
}

/// Writes `README.md`, `index.html`, `table.tex`, `results.csv`, `epochs.csv`, both as Parquet too, and
/// `figures/` into a folder, which is created if needed.
///
/// # Errors
/// Where a record contradicts itself, a run's curves or predictions can't be read or a file can't be
/// written.
pub fn write(runs: &[Run], options: &Options, folder: &Path) -> Result<Written, ReportError> {
    // The points of learning curves and the changes of ablations have sections of their own.
    let shown: Cow<[Run]> = if runs.iter().any(|run| run.is_of_study) {
        runs.iter().filter(|run| !run.is_of_study).cloned().collect()
    } else {
        runs.into()
    };
    let rows = group::rows(&shown, options)?;
    let (searches, not_read) = searches::sections(options);
    let mut options = Cow::Borrowed(options);
    if !not_read.is_empty() {
        options.to_mut().skipped.extend(not_read);
    }
    let options = options.as_ref();
    let studies = Studies::of(runs, searches)?;
    let figures_folder = folder.join("figures");
    make(&figures_folder)?;
    disk::remove_stale(folder);
    disk::remove_stale(&figures_folder);
    let robust = robust::sections(&rows, options)?;
    let drawn = figure::draw_all(&rows, options, &robust, &studies, &figures_folder)?;
    let readme = folder.join("README.md");
    put(&readme, page::text(&rows, &drawn, options, &robust, &studies, folder))?;
    let page = folder.join("index.html");
    put(&page, &html::text(&rows, options, &robust, &studies, folder)?)?;
    let [results, parquet] = put_table(folder, "results", &results::columns(&rows))?;
    let [epochs, epochs_parquet] = put_table(folder, "epochs", &epochs::columns(&rows)?)?;
    let tex = folder.join("table.tex");
    put(&tex, tex::table(&rows, options))?;
    let figures = drawn.files(&figures_folder);
    let table = Table::new(terminal::table(&rows, options), &rows);
    Ok(Written { readme, page, results, parquet, epochs, epochs_parquet, tex, figures, table })
}

/// The summary for a terminal, and the claims that differ; every run is scored once.
///
/// # Errors
/// Where a record contradicts itself or its predictions can't be read.
pub fn table(runs: &[Run], options: &Options) -> Result<Table, ReportError> {
    let rows = group::rows(runs, options)?;
    Ok(Table::new(terminal::table(&rows, options), &rows))
}

/// Every published figure with what the runs say of it and why, and the experiments of the options
/// that have no run, as text of at most 100 columns.
///
/// # Errors
/// Where a record contradicts itself or its predictions can't be read.
pub fn claims(runs: &[Run], options: &Options) -> Result<Table, ReportError> {
    let rows = group::rows(runs, options)?;
    Ok(Table::new(ledger::text(&rows), &rows))
}

/// The first of the runs that stand first in the table for an experiment; `None` without runs.
#[must_use]
pub fn first_run<'a>(runs: &'a [Run], experiment: &'a str) -> Option<&'a Run> {
    runs::runs_of(runs, experiment).first().and_then(|first| first.runs.first().copied())
}

/// The verdict on the published figure of one experiment that the table shows, by the runs that stand
/// first there; `None` without runs or claims.
///
/// # Errors
/// Where predictions of runs that may be compared with it can't be read.
pub fn verdict(runs: &[Run], experiment: &str) -> Result<Option<Verdict>, ReportError> {
    let groups = runs::runs_of(runs, experiment);
    let Some(first) = groups.first() else { return Ok(None) };
    let claims = &first.record().claims;
    claims::main_claim(claims, first.metric())
        .map(|index| claims::verdict(&claims[index], first))
        .transpose()
}

fn make(folder: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(folder).map_err(|source| ReportError::Io { path: folder.to_owned(), source })
}

/// Writes a table as CSV and as Parquet.
fn put_table(
    folder: &Path,
    name: &str,
    columns: &[(&str, Values)],
) -> Result<[PathBuf; 2], ReportError> {
    let [csv, parquet] = ["csv", "parquet"].map(|end| folder.join(format!("{name}.{end}")));
    put(&csv, csv_bytes(columns))?;
    put(&parquet, parquet_bytes(columns))?;
    Ok([csv, parquet])
}

fn put(path: &Path, text: impl AsRef<[u8]>) -> Result<(), ReportError> {
    disk::write_changed(path, text.as_ref())
        .map_err(|source| ReportError::Io { path: path.to_owned(), source })
}
