//! One run: a plan with one seed, from examples to a record on disk.

use std::time::Duration;

use super::command;
use super::context::{RunContext, Workspace};
use super::ensemble;
use super::error::RunError;
use super::event::{Event, RunLabel};
use super::fit::fit;
use super::fold::{AuditedSplit, Fold};
use super::inputs::Inputs;
use super::plan::Plan;
use super::record_run::record_run;
use crate::disk;
use crate::record::{Audit, ClaimOutcome, Run, RunClaim, RunWriter, StoreError};

/// How often a waiting run looks at a lock.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Does or resumes a run, or finds the finished one, in which case the flag is true.
///
/// Where another process is at the same run, waits for it and finds what it made.
pub(super) fn run(
    plan: &Plan,
    inputs: &Inputs,
    seed: u64,
    context: RunContext,
) -> Result<(Run, bool), RunError> {
    let id = inputs.run_id(plan, seed);
    let Workspace { store, observer, .. } = context.workspace;
    let claim = claim(&id, &plan.label(seed), context)?;
    match store.read_whole(&id) {
        Ok(Some(run)) => {
            refuse_leaks(&plan.label(seed), &run.record.audit, context)?;
            store.tidy(&run)?;
            return Ok((run, true));
        }
        Ok(None) => {}
        Err(error @ StoreError::Damaged { .. }) => {
            let text = format!("{error}").lines().next().unwrap_or_default().to_owned();
            let text = format!("{text}; the run will be repeated");
            observer.event(&Event::Note { run: plan.label(seed), text });
        }
        Err(error) => return Err(error.into()),
    }
    Ok((anew(plan, inputs, seed, claim, context)?, false))
}

/// Waits while another process makes the run, as far as locks tell.
pub(super) fn claim(id: &str, label: &RunLabel, context: RunContext) -> Result<RunClaim, RunError> {
    let mut has_said = false;
    loop {
        if context.workspace.is_stopped() {
            return Err(RunError::Stopped { epoch: 0 });
        }
        match context.workspace.store.claim(id)? {
            ClaimOutcome::Ours(claim) => {
                if let Some(text) = disk::notice() {
                    context.workspace.observer.event(&Event::Note { run: label.clone(), text });
                }
                return Ok(claim);
            }
            ClaimOutcome::Busy { process } => {
                if !has_said {
                    context
                        .workspace
                        .observer
                        .event(&Event::Waiting { run: label.clone(), process });
                    has_said = true;
                }
                std::thread::sleep(POLL_INTERVAL);
            }
        }
    }
}

/// Fits, scores and records one run, from its last good checkpoint if there is one.
fn anew(
    plan: &Plan,
    inputs: &Inputs,
    seed: u64,
    claim: RunClaim,
    context: RunContext,
) -> Result<Run, RunError> {
    let audited = AuditedSplit::new(plan, inputs, seed)?;
    refuse_leaks(&plan.label(seed), &audited.audit, context)?;
    let (mut writer, found, notes) = RunWriter::begin(claim)?;
    for text in notes {
        context.workspace.observer.event(&Event::Note { run: plan.label(seed), text });
    }
    writer.facts(&plan.facts(seed))?;
    writer.spec(&plan.text)?;
    writer.manifest(&plan.spec.dataset.source)?;
    let fold = Fold::new(plan, inputs, seed, audited)?;
    writer.members(&fold.members())?;
    if let Some(command) = plan.spec.model.command() {
        return command::run(&fold, command, found, writer, context);
    }
    if let Some(members) = plan.spec.model.ensemble() {
        return ensemble::run(&fold, members, writer, context);
    }
    let trained = fit(&fold, found, &mut writer, context)?;
    record_run(&fold, &trained, writer, context)
}

/// Rejects a run whose split leaks, if the user forbids leaks.
pub(super) fn refuse_leaks(
    label: &RunLabel,
    audit: &Audit,
    context: RunContext,
) -> Result<(), RunError> {
    if !context.forbid_leaks || audit.n_leaking == 0 {
        return Ok(());
    }
    let leaks = audit.leaks.iter().filter(|leak| leak.n_test > 0);
    let leaks: Vec<String> = leaks
        .map(|leak| {
            let named = leak.named.first().map_or(String::new(), |named| format!(", e.g. {named}"));
            format!("{} test examples {}{named}", leak.n_test, leak.kind.words())
        })
        .collect();
    let RunLabel { experiment, dataset, seed, .. } = label;
    let label = format!("{experiment} on {dataset} seed {seed}");
    Err(RunError::Leaks { label, leaks: leaks.join("; ") })
}
