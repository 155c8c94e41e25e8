//! The split of one seed as files, for a program that trains elsewhere.

use std::path::{Path, PathBuf};

use super::context::Workspace;
use super::error::RunError;
use super::fold::{AuditedSplit, members};
use super::inputs::Inputs;
use super::plan::Plan;
use crate::delimited::Writer;
use crate::disk;
use crate::record::{Audit, Member};

/// The split of one seed, written for another program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedSplit {
    /// `split.csv`: `track`, `segment`, `set`, as in a run's folder.
    pub split: PathBuf,
    /// `classes.csv`: the classes in the order of their numbers, one per row.
    pub classes: PathBuf,
    /// Numbers of training, validation and test examples.
    pub n: [usize; 3],
    /// What the audit found.
    pub audit: Audit,
}

/// Writes the split of a plan's seed into a folder, which is created if needed, and audits it.
///
/// # Errors
/// If the data can't be used or a file can't be written.
pub fn export_split(
    plan: &Plan,
    seed: u64,
    folder: &Path,
    workspace: Workspace,
) -> Result<ExportedSplit, RunError> {
    let inputs = Inputs::load(plan, workspace)?;
    let AuditedSplit { split, audit } = AuditedSplit::new(plan, &inputs, seed)?;
    let (mut rows, mut classes) = (Writer::default(), Writer::default());
    rows.row(["track", "segment", "set"]);
    for Member { example, set } in members(&split, &inputs) {
        rows.row([example.track, example.segment.to_string(), set.to_string()]);
    }
    classes.row(["class"]);
    inputs.examples.classes.iter().for_each(|class| classes.row([class]));
    let failed = |path: &Path, error: std::io::Error| {
        RunError::Incompatible(format!("{}: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let write = |name: &str, rows: Writer| {
        let path = folder.join(name);
        let written = disk::write_whole(&path, rows.text().as_bytes());
        written.map_err(|error| failed(&path, error)).map(|()| path)
    };
    Ok(ExportedSplit {
        split: write("split.csv", rows)?,
        classes: write("classes.csv", classes)?,
        n: [&split.train, &split.valid, &split.test].map(Vec::len),
        audit,
    })
}
