//! Curves of several experiments or runs in one figure: a line for the mean over the seeds, a band for their range.

use std::path::{Path, PathBuf};

use super::compare::CompareError;
use super::compare::side::of_names;
use super::figure::{draw_overlaid, inline_overlaid};
use super::{ReportError, make};
use crate::record::{Epoch, Run};
use crate::vocab::nearest;

/// Lines that can be told from each other in one figure.
pub const MAX_LINES: usize = 10;

/// The columns of epochs that can be drawn.
pub const CURVE_METRICS: [&str; 6] =
    ["valid_accuracy", "valid_loss", "train_accuracy", "train_loss", "learning_rate", "seconds"];

/// A line of the figure: a name, and the curves of its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveLine {
    /// What the legend calls it.
    pub name: String,
    /// Its runs, one a seed.
    pub runs: Vec<RunCurve>,
}

/// The epochs of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunCurve {
    /// Its epochs.
    pub epochs: Vec<Epoch>,
    /// Optimizer steps of an epoch; `None` if that is not known.
    pub steps_per_epoch: Option<usize>,
}

impl RunCurve {
    /// The curve of a finished run.
    ///
    /// # Errors
    /// If its epochs can't be read.
    pub fn of(run: &Run) -> Result<Self, ReportError> {
        let n = run.record.split.n_train;
        let batch_size = run.record.spec["training"]["batch_size"].as_u64();
        let steps = batch_size.filter(|size| *size > 0).map(|size| n.div_ceil(size as usize));
        Ok(Self { epochs: run.epochs()?, steps_per_epoch: steps })
    }
}

/// What the lower axis counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CurveBy {
    /// Epochs.
    #[default]
    Epoch,
    /// Optimizer steps.
    Step,
    /// Seconds of training.
    Seconds,
}

impl CurveBy {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Epoch, Self::Step, Self::Seconds];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Epoch => "epoch",
            Self::Step => "step",
            Self::Seconds => "seconds",
        }
    }
}

/// How curves are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveView {
    /// One of [`CURVE_METRICS`].
    pub metric: String,
    /// What the lower axis counts.
    pub by: CurveBy,
    /// Whether the axis at the left is logarithmic.
    pub is_log: bool,
    /// Weight of the past in an exponential moving average, `[0, 1)`; 0 smooths nothing. The line that is not smoothed stays
    /// visible.
    pub smooth: f64,
}

impl Default for CurveView {
    fn default() -> Self {
        Self { metric: CURVE_METRICS[0].to_owned(), by: CurveBy::Epoch, is_log: false, smooth: 0.0 }
    }
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct CurvePlace {
    /// The place on the lower axis; of several seeds, their mean.
    pub x: f64,
    /// The mean over the seeds that have a value there.
    pub mean: f64,
    /// The least of them.
    pub low: f64,
    /// The largest.
    pub high: f64,
}

/// The points of a line.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OverlaidLine {
    /// What the legend calls it.
    pub name: String,
    /// Number of runs.
    pub n_runs: usize,
    /// Its points; only those that are finite, and above 0 on a logarithmic axis.
    pub points: Vec<CurvePlace>,
    /// The means, smoothed; empty if nothing is.
    pub smoothed: Vec<f64>,
}

/// The finished runs that names mean, as lines; names as for [`super::compare`].
///
/// # Errors
/// If a name has no finished run, or is given twice, or epochs can't be read.
pub fn curve_lines(runs: &[Run], names: &[String]) -> Result<Vec<CurveLine>, CompareError> {
    let line = |(name, runs): (String, Vec<&Run>)| {
        let runs = runs.into_iter().map(RunCurve::of).collect::<Result<_, _>>()?;
        Ok(CurveLine { name, runs })
    };
    of_names(runs, names)?.into_iter().map(line).collect()
}

/// The points of some lines.
///
/// # Errors
/// A sentence: the metric is unknown, there are too many lines, or one of them has no such points.
pub fn overlaid(lines: &[CurveLine], view: &CurveView) -> Result<Vec<OverlaidLine>, String> {
    let Some(value) = value_of(&view.metric) else {
        let near = nearest(&view.metric, CURVE_METRICS);
        let hint = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(format!(
            "unknown metric `{}`, expected one of {}{hint}",
            view.metric,
            CURVE_METRICS.join(", ")
        ));
    };
    if lines.len() > MAX_LINES {
        return Err(format!("at most {MAX_LINES} lines fit into a figure, found {}", lines.len()));
    }
    if !(0.0..1.0).contains(&view.smooth) {
        return Err(format!("the smoothing must be in [0, 1), found {}", view.smooth));
    }
    lines.iter().map(|line| one(line, view, value)).collect()
}

fn one(
    line: &CurveLine,
    view: &CurveView,
    value: fn(&Epoch) -> f64,
) -> Result<OverlaidLine, String> {
    let name = &line.name;
    if line.runs.iter().all(|run| run.epochs.is_empty()) {
        return Err(format!("{name} has no curves: its model is not trained over epochs"));
    }
    if view.by == CurveBy::Step && line.runs.iter().any(|run| run.steps_per_epoch.is_none()) {
        return Err(format!("the steps of {name} are not known; draw its curves by epoch"));
    }
    let places: Vec<Vec<f64>> = line.runs.iter().map(|run| places(run, view.by)).collect();
    let n_epochs = line.runs.iter().map(|run| run.epochs.len()).max().unwrap_or(0);
    let mut points = vec![];
    for i in 0..n_epochs {
        let there: Vec<(f64, f64)> = (line.runs.iter().zip(&places))
            .filter_map(|(run, places)| Some((*places.get(i)?, value(run.epochs.get(i)?))))
            .filter(|(_, value)| value.is_finite() && (!view.is_log || *value > 0.0))
            .collect();
        if there.is_empty() {
            continue;
        }
        let mean =
            |of: fn(&(f64, f64)) -> f64| there.iter().map(of).sum::<f64>() / there.len() as f64;
        points.push(CurvePlace {
            x: mean(|it| it.0),
            mean: mean(|it| it.1),
            low: there.iter().map(|it| it.1).fold(f64::INFINITY, f64::min),
            high: there.iter().map(|it| it.1).fold(f64::NEG_INFINITY, f64::max),
        });
    }
    if points.is_empty() {
        return Err(format!("{name} has no {}", view.metric));
    }
    let smoothed = if view.smooth > 0.0 { smoothed(&points, view.smooth) } else { vec![] };
    Ok(OverlaidLine { name: name.clone(), n_runs: line.runs.len(), points, smoothed })
}

/// Where the epochs of a run are on the lower axis.
fn places(run: &RunCurve, by: CurveBy) -> Vec<f64> {
    let mut seconds = 0.0;
    let place = |epoch: &Epoch| match by {
        CurveBy::Epoch => epoch.epoch as f64,
        CurveBy::Step => (epoch.epoch * run.steps_per_epoch.unwrap_or(0)) as f64,
        CurveBy::Seconds => {
            seconds += epoch.seconds;
            seconds
        }
    };
    run.epochs.iter().map(place).collect()
}

/// The exponential moving average of the means, without the pull of a start at 0.
fn smoothed(points: &[CurvePlace], weight: f64) -> Vec<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    let next = |point: &CurvePlace| {
        sum = weight * sum + (1.0 - weight) * point.mean;
        weights = weight * weights + (1.0 - weight);
        sum / weights
    };
    points.iter().map(next).collect()
}

fn value_of(metric: &str) -> Option<fn(&Epoch) -> f64> {
    Some(match metric {
        "train_loss" => |epoch| epoch.train_loss,
        "valid_loss" => |epoch| epoch.valid_loss,
        "train_accuracy" => |epoch| epoch.train_accuracy,
        "valid_accuracy" => |epoch| epoch.valid_accuracy,
        "learning_rate" => |epoch| epoch.learning_rate,
        "seconds" => |epoch| epoch.seconds,
        _ => return None,
    })
}

/// The figure as SVG that stands within a page with the report's style.
#[must_use]
pub fn overlaid_svg(lines: &[OverlaidLine], view: &CurveView) -> String {
    inline_overlaid(lines, view)
}

/// Draws the figure into a folder, which is created if needed. Returns the path of the SVG; the PNG is next to it.
///
/// # Errors
/// Where a file can't be written.
pub fn draw_overlay(
    lines: &[OverlaidLine],
    view: &CurveView,
    folder: &Path,
) -> Result<PathBuf, ReportError> {
    make(folder)?;
    draw_overlaid(lines, view, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: usize, valid_loss: f64, seconds: f64) -> Epoch {
        Epoch {
            epoch,
            train_loss: 1.0,
            train_accuracy: f64::NAN,
            valid_loss,
            valid_accuracy: f64::NAN,
            learning_rate: 1e-3,
            seconds,
        }
    }

    fn line(runs: &[&[(f64, f64)]]) -> CurveLine {
        let curve = |run: &&[(f64, f64)]| RunCurve {
            epochs: run.iter().enumerate().map(|(i, (loss, s))| epoch(i + 1, *loss, *s)).collect(),
            steps_per_epoch: Some(10),
        };
        CurveLine { name: "a".to_owned(), runs: runs.iter().map(curve).collect() }
    }

    fn view(by: CurveBy, is_log: bool, smooth: f64) -> CurveView {
        CurveView { metric: "valid_loss".to_owned(), by, is_log, smooth }
    }

    #[test]
    fn a_line_is_the_mean_of_the_seeds_that_still_train_and_its_band_their_range() {
        let lines = [line(&[&[(1.0, 2.0), (3.0, 2.0)], &[(2.0, 4.0)]])];
        let points = |by| overlaid(&lines, &view(by, false, 0.0)).unwrap().remove(0).points;
        let first = CurvePlace { x: 1.0, mean: 1.5, low: 1.0, high: 2.0 };
        let second = CurvePlace { x: 2.0, mean: 3.0, low: 3.0, high: 3.0 };
        assert_eq!(points(CurveBy::Epoch), [first, second]);
        assert_eq!(points(CurveBy::Step).iter().map(|it| it.x).collect::<Vec<_>>(), [10.0, 20.0]);
        assert_eq!(points(CurveBy::Seconds).iter().map(|it| it.x).collect::<Vec<_>>(), [3.0, 4.0]);
    }

    #[test]
    fn smoothing_is_a_moving_average_that_begins_at_the_first_value() {
        let lines = [line(&[&[(4.0, 1.0), (2.0, 1.0), (0.0, 1.0)]])];
        let drawn = overlaid(&lines, &view(CurveBy::Epoch, false, 0.5)).unwrap().remove(0);
        assert_eq!(drawn.smoothed[0], 4.0);
        assert!((drawn.smoothed[1] - (0.25 * 4.0 + 0.5 * 2.0) / 0.75).abs() < 1e-12);
        assert_eq!(drawn.points[2].mean, 0.0, "what is not smoothed stays");
        let log = overlaid(&lines, &view(CurveBy::Epoch, true, 0.0)).unwrap().remove(0);
        assert_eq!(log.points.len(), 2, "0 has no place on a logarithmic axis");
    }

    #[test]
    fn what_can_t_be_drawn_is_said() {
        let lines = vec![line(&[&[(1.0, 1.0)]])];
        let said = |lines: &[CurveLine], metric: &str, smooth: f64| {
            let view = CurveView { metric: metric.to_owned(), smooth, ..CurveView::default() };
            overlaid(lines, &view).unwrap_err()
        };
        assert!(said(&lines, "valid_los", 0.0).contains("did you mean `valid_loss`?"));
        assert_eq!(said(&lines, "valid_accuracy", 0.0), "a has no valid_accuracy");
        assert!(said(&lines, "valid_loss", 1.0).contains("[0, 1), found 1"));
        assert!(said(&[line(&[&[]])], "valid_loss", 0.0).contains("not trained over epochs"));
        assert!(said(&vec![lines[0].clone(); 11], "valid_loss", 0.0).contains("at most 10 lines"));
    }
}
