//! What `encore robust` shows, and the section of `README.md`.

use std::path::{Path, PathBuf};

use super::ReportError;
use super::compare::CompareError;
use super::compare::side::{self, Side};
use super::figure::{self, Drawn};
use super::robust::{self, ABOUT, Measured, RobustPoint, RobustSide, RobustTest, Section};
use super::words::{plain, table};
use crate::record::{DegradedStore, Run};

/// Robustness as text and as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Robustness {
    /// The text, of at most 100 columns.
    pub text: String,
    /// What was measured.
    pub sides: Vec<RobustSide>,
    /// Every side under every degradation.
    pub points: Vec<RobustPoint>,
    /// Every pair of sides under every kind of degradation.
    pub tests: Vec<RobustTest>,
    /// The figure as SVG; the PNG is next to it.
    pub figure: PathBuf,
}

/// The runs that names mean: for an experiment, those that [`super::compare()`] would compare.
///
/// # Errors
/// As [`super::compare()`].
pub fn meant<'a>(runs: &'a [Run], names: &[String]) -> Result<Vec<&'a Run>, CompareError> {
    let sides = side::choose(runs, names)?;
    let mut meant: Vec<&Run> = sides.iter().flat_map(|side| side.runs.runs.clone()).collect();
    meant.sort_by(|a, b| a.id.cmp(&b.id));
    meant.dedup_by(|a, b| a.id == b.id);
    Ok(meant)
}

/// Scores experiments or runs under the degradations that were measured, with the differences between them,
/// and draws the curves into a folder, which is created if needed.
///
/// # Errors
/// As [`super::compare()`], and if nothing was measured or the figure can't be written.
pub fn robustness(
    runs: &[Run],
    names: &[String],
    degradations: &[String],
    store: &DegradedStore,
    folder: &Path,
) -> Result<Robustness, CompareError> {
    let sides = side::choose(runs, names)?;
    let named: Vec<_> = sides.iter().map(|side| (side.name.clone(), &side.runs)).collect();
    let measured = Measured::read(&named, Some(degradations), store)?.ok_or_else(|| {
        CompareError::Incompatible(
            "no degradation leaves two test tracks of every run to score".to_owned(),
        )
    })?;
    std::fs::create_dir_all(folder)
        .map_err(|source| ReportError::Io { path: folder.to_owned(), source })?;
    let figure = figure::draw_robust(&measured, &names.join("-vs-"), folder)?;
    Ok(Robustness {
        text: robust::text(&measured),
        sides: sides.iter().map(|Side { name, runs, .. }| robust::side(name, runs)).collect(),
        points: robust::points(&measured),
        tests: robust::tests(&measured),
        figure,
    })
}

/// The section in Markdown; empty if nothing was measured.
pub(super) fn markdown(sections: &[Section], drawn: &Drawn) -> String {
    if sections.is_empty() {
        return String::new();
    }
    let mut parts = vec!["## Robustness\n".to_owned(), format!("{ABOUT}\n")];
    for (i, section) in sections.iter().enumerate() {
        parts.push(drawn.robust_image(i));
        let mut cells = vec![section.head().iter().map(|cell| plain(cell)).collect::<Vec<_>>()];
        for (degradation, strength, scores) in section.lines() {
            let mut line = vec![plain(&degradation), plain(&strength)];
            line.extend(scores.iter().map(|score| section.words(score.as_ref())));
            cells.push(line);
        }
        parts.push(table(&cells, &[]));
    }
    parts.join("\n")
}
