//! What `encore curve` and `encore ablate` show, and their sections of `README.md`.

use std::path::{Path, PathBuf};

use super::ReportError;
use super::ablation::{self, Ablation, AblationFacts};
use super::figure::{self, Drawn};
use super::learning::{self, Curve, CurveFacts};
use super::words::{plain, table};
use crate::record::Run;

/// Learning curves as text and as data.
#[derive(Debug, Clone, PartialEq)]
pub struct CurveReport {
    /// The text.
    pub text: String,
    /// The curves: one, unless the runs are on several datasets.
    pub curves: Vec<CurveFacts>,
    /// The figures as SVG; a PNG is next to each.
    pub figures: Vec<PathBuf>,
}

/// Ablations as text and as data.
#[derive(Debug, Clone, PartialEq)]
pub struct AblationReport {
    /// The text.
    pub text: String,
    /// The ablations: one, unless the runs are on several datasets.
    pub ablations: Vec<AblationFacts>,
    /// The figures as SVG; a PNG is next to each.
    pub figures: Vec<PathBuf>,
}

/// The learning curves of runs whose specs differ in `train_share` alone, drawn into a folder, which is created
/// if needed. Without runs of two shares or more there is none.
///
/// # Errors
/// Where a record contradicts itself, a run's files can't be read or a figure can't be written.
pub fn curve_report(runs: &[Run], folder: &Path) -> Result<CurveReport, ReportError> {
    let curves = Curve::all(runs.iter())?;
    super::make(folder)?;
    let draw = |curve: &Curve| {
        let runs = &curve.last().runs;
        let name = unused(runs.experiment(), &runs.record().data.dataset, curves.len());
        figure::draw_curve(curve, &name, folder)
    };
    Ok(CurveReport {
        figures: curves.iter().map(draw).collect::<Result<_, _>>()?,
        text: curves.iter().map(learning::text).collect::<Vec<_>>().join("\n"),
        curves: curves.iter().map(learning::facts).collect(),
    })
}

/// The ablations of runs: of specs with `[ablation]` and of their changes, drawn into a folder, which is created if
/// needed. Without runs of a spec and of one of its changes there is none.
///
/// # Errors
/// As [`curve_report`].
pub fn ablation_report(runs: &[Run], folder: &Path) -> Result<AblationReport, ReportError> {
    let ablations = Ablation::all(runs)?;
    super::make(folder)?;
    let draw = |it: &Ablation| {
        let name = unused(it.base.experiment(), &it.base.record().data.dataset, ablations.len());
        figure::draw_ablation(it, &name, folder)
    };
    Ok(AblationReport {
        figures: ablations.iter().map(draw).collect::<Result<_, _>>()?,
        text: ablations.iter().map(ablation::text).collect::<Vec<_>>().join("\n"),
        ablations: ablations.iter().map(ablation::facts).collect(),
    })
}

/// The name of a figure: the dataset tells apart those of one experiment.
fn unused(experiment: &str, dataset: &str, n: usize) -> String {
    if n == 1 { experiment.to_owned() } else { format!("{experiment}-{dataset}") }
}

/// The section on learning curves in Markdown; empty without any.
pub(super) fn curves_markdown(curves: &[Curve], drawn: &Drawn) -> String {
    let part = |(i, curve): (usize, &Curve)| {
        let mut cells = vec![learning::head(curve)];
        cells.extend(learning::lines(curve));
        [
            format!("### {}\n", plain(&learning::title(curve))),
            format!("{}\n", plain(&learning::sentences(curve).join(" "))),
            drawn.curve_image(i),
            table(&cells, &[0, 1]),
        ]
    };
    section("Learning curves", learning::ABOUT, curves.iter().enumerate().flat_map(part))
}

/// The section on ablations in Markdown; empty without any.
pub(super) fn ablations_markdown(ablations: &[Ablation], drawn: &Drawn) -> String {
    let part = |(i, it): (usize, &Ablation)| {
        let mut cells = vec![ablation::HEAD.map(str::to_owned).to_vec()];
        let line = |line: [String; 6]| line.iter().map(|cell| plain(cell)).collect();
        cells.extend(ablation::lines(it).into_iter().map(line));
        [
            format!("### {}\n", plain(&ablation::title(it))),
            format!("{}\n", plain(&ablation::sentence(it))),
            drawn.ablation_image(i),
            table(&cells, &[]),
        ]
    };
    section("Ablations", ablation::ABOUT, ablations.iter().enumerate().flat_map(part))
}

fn section(title: &str, about: &str, parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() {
        return String::new();
    }
    format!("## {title}\n\n{about}\n\n{}", parts.join("\n"))
}
