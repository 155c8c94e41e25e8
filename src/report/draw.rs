//! Figures that are drawn into a folder of their own, without a page.

use std::path::{Path, PathBuf};

use super::figure::{self, AugmentSheet, MapPoint, RatePoint, Segment};
use super::group::{Row, rows};
use super::searches::PartTrials;
use super::{DatasetSummary, Options, ReportError, make};
use crate::record::{Run, Study};
use crate::search::Trials;
use crate::vocab::Task;

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub png: Vec<u8>,
    /// Its width in pixels.
    pub width: u32,
    /// Its height in pixels.
    pub height: u32,
}

/// The confusion matrix of a run on its test examples; `None` if it predicts no classes or has no test scores.
///
/// # Errors
/// If its predictions can't be read or the figure can't be drawn.
pub fn confusion_png(run: &Run) -> Result<Option<Picture>, ReportError> {
    if run.record.test.is_none() || run.record.data.task != Task::Classes {
        return Ok(None);
    }
    let (runs, options) = ([run.clone()], Options::default());
    let rows = rows(&runs, &options)?;
    rows.iter().find_map(Row::group).map(figure::confusion_png).transpose()
}

/// Draws the figures of a search into a folder, which is created if needed: `NAME-history`, and as far as trials have
/// scores `NAME-parallel`, `NAME-slices`, `NAME-contour` and `NAME-importance`. Returns the paths of the SVGs; the PNGs are
/// next to them.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_sweep(name: &str, trials: &Trials, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    make(folder)?;
    figure::draw_sweep(name, trials, folder)
}

/// Draws the figures of a study into a folder as [`draw_sweep`] does, those of each fold by its number.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_study(study: &Study, folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let mut drawn = vec![];
    for part in &study.parts {
        let Some(trials) = PartTrials::of(study, part) else { continue };
        let name = match part.fold {
            None => study.experiment.clone(),
            Some(fold) => format!("{}-fold-{fold}", study.experiment),
        };
        drawn.extend(draw_sweep(&name, &trials.trials(), folder)?);
    }
    Ok(drawn)
}

/// Draws a learning-rate range test of an experiment into a folder, which is created if needed. Returns the
/// path of the SVG; the PNG is next to it.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_rates(
    experiment: &str,
    points: &[RatePoint],
    suggestion: Option<f64>,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    make(folder)?;
    figure::draw_rates(experiment, points, suggestion, folder)
}

/// Draws examples before and after each augmentation of an experiment into a folder, which is created if
/// needed. Returns the path of the SVG; the PNG is next to it.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_augmentations(
    experiment: &str,
    sheet: &AugmentSheet,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    make(folder)?;
    figure::draw_augmentations(experiment, sheet, folder)
}

/// Draws songs on a plane into a folder, which is created if needed: `NAME-map`. `classes` are the names of the
/// points' classes, `words` say what the map is of. Returns the path of the SVG; the PNG is next to it.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_map(
    name: &str,
    words: &str,
    points: &[MapPoint],
    classes: &[String],
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    make(folder)?;
    figure::draw_map(name, words, points, classes, folder)
}

/// Draws the figures of a dataset or a recording into a folder, which is created if needed: `NAME-waveform`,
/// `NAME-counts` and so on. Returns the paths of the SVGs; the PNGs are next to them.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_summary(
    summary: &DatasetSummary,
    name: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    make(folder)?;
    figure::draw_summary(summary, name, folder)
}

/// Draws a segment's five figures below each other on one titled sheet into a folder, which is created if
/// needed. Returns the path of the SVG; the PNG is next to it.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_sheet(
    segment: &Segment,
    title: &str,
    name: &str,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    make(folder)?;
    figure::draw_sheet(segment, title, name, folder)
}
