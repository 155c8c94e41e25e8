//! What `encore curve` and `encore ablate` show, and the studies of a page.

use std::path::{Path, PathBuf};

use super::ReportError;
use super::ablation::{self, Ablation, AblationFacts};
use super::figure;
use super::learning::{self, Curve, CurveFacts};
use super::searches;
use crate::record::Run;

/// The searches, learning curves and ablations of a page.
pub(super) struct Studies<'a> {
    pub(super) searches: Vec<searches::Section>,
    pub(super) curves: Vec<Curve<'a>>,
    pub(super) ablations: Vec<Ablation<'a>>,
}

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
