//! `plot compare | reliability | f1 | confusion`.

use std::path::PathBuf;

use super::compare::failure;
use super::plot_arguments::{By, PlotClasses, PlotCompare};
use super::{Failure, Project, json, versions};
use crate::experiment::{Library, Shrink};
use crate::record::Run;
use crate::report::{self, CurveBy, CurveView, curve_lines, draw_overlay, overlaid};

/// The specs, and the runs that names can mean.
fn named(project: &Project, names: &[String]) -> Result<(Library, Vec<Run>), Failure> {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let runs = project.finished_and(names)?;
    let runs = versions(runs, &library, &catalogue, Shrink::default()).with_searches();
    Ok((library, runs))
}

/// Draws curves of experiments or runs in one figure.
pub(super) fn plot(project: &Project, arguments: &PlotCompare) -> Result<PathBuf, Failure> {
    let PlotCompare { names, metric, by, log, smooth, out } = arguments;
    let (library, runs) = named(project, names)?;
    let by = match by {
        By::Epoch => CurveBy::Epoch,
        By::Step => CurveBy::Step,
        By::Seconds => CurveBy::Seconds,
    };
    let view = CurveView { metric: metric.clone(), by, is_log: *log, smooth: *smooth };
    let lines = curve_lines(&runs, names).map_err(|error| failure(error, &library, &runs))?;
    let lines = overlaid(&lines, &view).map_err(Failure::Usage)?;
    json::put("metric", metric);
    json::put("by", view.by.as_str());
    json::put("lines", &lines);
    Ok(draw_overlay(&lines, &view, &folder(project, out.as_ref()))?)
}

fn folder(project: &Project, out: Option<&PathBuf>) -> PathBuf {
    out.cloned().unwrap_or_else(|| project.reports().join("figures").join("compare"))
}

/// Draws how sure models are, and how often they are right.
pub(super) fn plot_reliability(
    project: &Project,
    arguments: &PlotClasses,
) -> Result<PathBuf, Failure> {
    let PlotClasses { names, out } = arguments;
    let (library, runs) = named(project, names)?;
    let sides =
        report::reliability(&runs, names).map_err(|error| failure(error, &library, &runs))?;
    json::put("sides", &sides);
    Ok(report::plot_reliability(&sides, &folder(project, out.as_ref()))?)
}

/// Draws F1 of every class.
pub(super) fn plot_f1(project: &Project, arguments: &PlotClasses) -> Result<PathBuf, Failure> {
    let PlotClasses { names, out } = arguments;
    let (library, runs) = named(project, names)?;
    let sides = report::class_f1(&runs, names).map_err(|error| failure(error, &library, &runs))?;
    json::put("sides", &sides);
    Ok(report::plot_f1(&sides, &folder(project, out.as_ref()))?)
}

/// Draws the difference of two confusion matrices.
pub(super) fn plot_confusion(
    project: &Project,
    arguments: &PlotClasses,
) -> Result<PathBuf, Failure> {
    let PlotClasses { names, out } = arguments;
    let (library, runs) = named(project, names)?;
    let difference = report::confusion_difference(&runs, names);
    let difference = difference.map_err(|error| failure(error, &library, &runs))?;
    json::put("difference", &difference);
    Ok(report::plot_confusion_difference(&difference, &folder(project, out.as_ref()))?)
}
