//! A run from weights that another program trained, and the search for a learning rate.

use std::path::Path;
use std::time::Duration;

use super::model_inputs::ModelInputs;
use super::record_run::record_run;
use super::run::{RunContext, RunError, claim, code_facts, id, label, prepare};
use super::training::TrainingHistory;
use super::{Plan, Workspace};
use crate::model::{Layout, ModelError, Probe, RangeTest};
use crate::record::{Imported, Run};
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
    setting: Workspace,
) -> Result<Run, RunError> {
    let bytes = std::fs::read(file).map_err(|error| {
        let (path, message) = (file.display().to_string(), error.to_string());
        ModelError::File { path, message }
    })?;
    let sha256 = sha256_hex(&bytes);
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let prepared = prepare(&plan, setting)?;
    let code = code_facts(setting.project);
    let around =
        RunContext { setting, code: &code, checkpoint_every: Duration::MAX, forbid_leaks: false };
    let id = format!("{}.imported-{}", id(&plan, &prepared, seed), &sha256[..8]);
    let divided = prepared.divide(&plan, seed)?;
    let split = &divided.split;
    let seen = ModelInputs::new(&plan, &prepared.examples, split)?;
    let fitted = plan.model.import(&seen.job(seed), file, layout)?;
    let claim = claim(&id, &label(&plan, seed), around)?;
    let (mut writer, _, _) = setting.store.begin(claim)?;
    writer.spec(&plan.text)?;
    writer.members(&prepared.members(split))?;
    let layout = layout.name().to_owned();
    plan.cut.push(format!("weights imported from {name} ({layout}), not trained here"));
    let imported = Some(Imported { file: name, sha256, layout });
    let nothing = TrainingHistory::nothing();
    record_run(&plan, &prepared, seed, &divided, &seen, writer, &fitted, nothing, imported, around)
}

/// A learning-rate range test on a plan's training examples.
///
/// # Errors
/// Where the data can't be used or the model has no learning rate.
pub fn range_test(
    plan: &Plan,
    seed: u64,
    test: RangeTest,
    setting: Workspace,
) -> Result<Vec<Probe>, RunError> {
    let prepared = prepare(plan, setting)?;
    let split = prepared.split(plan, seed)?;
    let seen = ModelInputs::new(plan, &prepared.examples, &split)?;
    Ok(plan.model.range_test(&seen.job(seed), test)?)
}
