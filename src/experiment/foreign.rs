//! A run from weights that another program trained, and the search for a learning rate.

use std::path::Path;
use std::time::Duration;

use super::context::{RunContext, Workspace, code_facts};
use super::error::RunError;
use super::fit::{Trained, TrainingHistory};
use super::fold::{AuditedSplit, Fold};
use super::inputs::Inputs;
use super::plan::Plan;
use super::record_run::record_run;
use super::run::claim;
use crate::model::{Layout, Probe, RangeTest};
use crate::record::{Imported, Run, RunWriter};
use crate::vocab::sha256_hex;

/// Scores foreign weights on a plan's test examples and records it, as a run that says where they come
/// from. It stands apart from the runs that were trained here.
///
/// # Errors
/// Where the file does not fit the net, or data or store can't be used.
pub fn import_weights(
    mut plan: Plan,
    seed: u64,
    file: &Path,
    layout: Layout,
    workspace: Workspace,
) -> Result<Run, RunError> {
    let bytes = std::fs::read(file)
        .map_err(|error| RunError::Incompatible(format!("{}: {error}", file.display())))?;
    let sha256 = sha256_hex(&bytes);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let inputs = Inputs::load(&plan, workspace)?;
    let code = code_facts(workspace.project);
    let (checkpoint_every, forbid_leaks) = (Duration::MAX, false);
    let context = RunContext {
        workspace,
        members: workspace.store,
        code: &code,
        checkpoint_every,
        forbid_leaks,
    };
    let id = format!("{}.imported-{}", inputs.run_id(&plan, seed), &sha256[..8]);
    let layout_name = layout.name().to_owned();
    plan.cut.push(format!("weights imported from {name} ({layout_name}), not trained here"));
    let fold = Fold::new(&plan, &inputs, seed, AuditedSplit::new(&plan, &inputs, seed)?)?;
    let fitted = plan
        .spec
        .model
        .import(&fold.fit_input(), file, layout)
        .map_err(|error| RunError::Incompatible(error.to_string()))?;
    let claim = claim(&id, &plan.label(seed), context)?;
    let (mut writer, _, _) = RunWriter::begin(claim)?;
    writer.spec(&plan.text)?;
    writer.manifest(&plan.spec.dataset.source)?;
    writer.members(&fold.members())?;
    let imported = Some(Imported { file: name, sha256, layout: layout_name });
    let trained = Trained { fitted, history: TrainingHistory::nothing(), imported };
    record_run(&fold, &trained, writer, context)
}

/// A learning-rate range test on a plan's training examples.
///
/// # Errors
/// Where the data can't be used or the model has no learning rate.
pub fn range_test(
    plan: &Plan,
    seed: u64,
    test: RangeTest,
    workspace: Workspace,
) -> Result<Vec<Probe>, RunError> {
    let inputs = Inputs::load(plan, workspace)?;
    let fold = Fold::new(plan, &inputs, seed, AuditedSplit::unaudited(plan, &inputs, seed)?)?;
    Ok(plan.spec.model.range_test(&fold.fit_input(), test)?)
}
