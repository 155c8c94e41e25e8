//! A run from predictions that another program made.
//!
//! The predictions must be for exactly the test examples of the spec. Everything else is done as for a run
//! of encore: audit, scores, record, verdict. The record says that they are foreign.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::{RunContext, Workspace, code_facts};
use super::error::RunError;
use super::event::Event;
use super::fit::TrainingHistory;
use super::fold::{AuditedSplit, Fold};
use super::foreign_predictions::predictions;
use super::foreign_rows::{Header, Row, once, read, same_test};
use super::inputs::Inputs;
use super::model_inputs::ModelInputs;
use super::plan::Plan;
use super::record_run::{Made, Predicted, Told, record_predictions};
use super::run::{claim, refuse_leaks};
use crate::features::Examples;
use crate::model::command::epoch_of;
use crate::record::{Epoch, Foreign, ForeignFile, Run, RunWriter, StoreError};
use crate::split::Split;
use crate::vocab::{Sha256, sha256_hex};

/// Files of another program.
#[derive(Debug, Clone, Default)]
pub struct PredictionFiles {
    /// A CSV file with the columns `track`, `segment` and `p_CLASS` for every class, `p_TAG` for every tag, or
    /// `predicted` for a number.
    pub predictions: PathBuf,
    /// Training curves as JSON lines.
    pub epochs: Option<PathBuf>,
    /// The sets that were used, if they are not those of the spec: `track`, `segment`, `set`.
    pub split: Option<PathBuf>,
    /// The name of the model. Runs of different models are kept apart.
    pub model: Option<String>,
}

/// Makes predictions that were made elsewhere a run. The same files make the same run, once.
///
/// # Errors
/// If the predictions are not for exactly the test examples of the spec, a row has no probabilities or no
/// number, a file can't be read, data or store can't be used, or the split leaks and that is forbidden.
pub fn import_predictions(
    plan: &Plan,
    seed: u64,
    files: &PredictionFiles,
    forbid_leaks: bool,
    workspace: Workspace,
) -> Result<Run, RunError> {
    let inputs = Inputs::load(plan, workspace)?;
    let AuditedSplit { split, .. } = AuditedSplit::unaudited(plan, &inputs, seed)?;
    let (split, of_split) = match &files.split {
        None => (split, None),
        Some(path) => used_split(path, &inputs.examples, split)?,
    };
    let (test, predictions) = predictions(&files.predictions, &inputs.examples, &split.test)?;
    let (epochs, of_epochs) = match &files.epochs {
        None => (vec![], None),
        Some(path) => epochs(path).map(|(epochs, file)| (epochs, Some(file)))?,
    };
    let protocol = of_split.as_ref().map(|ForeignFile { file, .. }| {
        let spec = plan.spec.protocol();
        format!("test set: {spec}; training and validation sets: those of {file}")
    });
    let seconds = epochs.iter().map(|epoch| epoch.seconds).sum();
    let facts =
        Foreign { model: files.model.clone(), predictions, epochs: of_epochs, split: of_split };
    let code = code_facts(workspace.project);
    let context = RunContext {
        workspace,
        members: workspace.store,
        code: &code,
        checkpoint_every: Duration::MAX,
        forbid_leaks,
    };
    let of_files = hash(&facts);
    let id = format!("{}.foreign-{}", inputs.run_id(plan, seed), &of_files[..8]);
    let claim = claim(&id, &plan.label(seed), context)?;
    match workspace.store.read_whole(&id) {
        Ok(None) => {}
        Ok(Some(run)) => {
            // Files of other names may have the same content.
            if run.record.foreign.as_ref().map(hash) != Some(of_files) {
                return Err(RunError::Incompatible(format!(
                    "run {id} has other predictions, and hashes that begin alike\n\
                     hint: encore runs remove {id}"
                )));
            }
            refuse_leaks(&plan.label(seed), &run.record.audit, context)?;
            return Ok(run);
        }
        Err(error @ StoreError::Damaged { .. }) => {
            let text = error.to_string().lines().next().unwrap_or_default().to_owned();
            let text = format!("{text}; the predictions are imported again");
            workspace.observer.event(&Event::Note { run: plan.label(seed), text });
        }
        Err(error) => return Err(error.into()),
    }
    let audited = AuditedSplit::audited(split, plan, &inputs);
    refuse_leaks(&plan.label(seed), &audited.audit, context)?;
    if workspace.is_stopped() {
        return Err(RunError::Stopped { epoch: 0 });
    }
    let model_inputs = ModelInputs::raw(&inputs.examples);
    let fold = Fold { plan, inputs: &inputs, seed, audited, model_inputs, fresh: None };
    let (mut writer, _, _) = RunWriter::begin(claim)?;
    writer.spec(&plan.text)?;
    writer.manifest(&plan.spec.dataset.source)?;
    writer.members(&fold.members())?;
    let made = Made {
        n_parameters: 0,
        has_epochs: !epochs.is_empty(),
        kept_epoch: None,
        imported: None,
        command: None,
        members: vec![],
        notes: vec![],
        foreign: Some(Told { facts, protocol, seconds }),
    };
    let predicted = Predicted { train: None, valid: None, scored: test };
    let history = TrainingHistory { epochs, ..TrainingHistory::nothing() };
    record_predictions(&fold, &predicted, made, &history, writer, context)
}

/// What tells one import from another.
fn hash(facts: &Foreign) -> String {
    let Foreign { model, predictions, epochs, split } = facts;
    let of = |file: &Option<ForeignFile>| file.as_ref().map_or("", |it| &it.sha256).to_owned();
    let model = model.as_deref().unwrap_or_default();
    let hash = Sha256::new().piece(model).piece(&predictions.sha256);
    hash.piece(of(epochs)).piece(of(split)).hex()
}

/// The sets that were used elsewhere. The test set must be that of the spec. An example may be in several sets:
/// the audit finds that.
fn used_split(
    path: &Path,
    examples: &Examples,
    spec: Split,
) -> Result<(Split, Option<ForeignFile>), RunError> {
    // The lines of every example's rows by set.
    let mut sets: [BTreeMap<usize, usize>; 3] = Default::default();
    let set = |header: &Header| header.column("set");
    let file = read(path, examples, set, |&set, row: &Row| {
        let text = row.text(set);
        let place = match text.trim() {
            "train" => 0,
            "valid" => 1,
            "test" => 2,
            other => {
                return Err(format!("set: expected train, valid or test, found {other:?}"));
            }
        };
        once(&mut sets[place], row, examples)
    })?;
    let [train, valid, test] = sets.map(|rows| rows.into_keys().collect::<Vec<usize>>());
    same_test(path, examples, &spec.test, &test)?;
    let wrong = |message: &str| RunError::Incompatible(format!("{}: {message}", path.display()));
    if train.is_empty() {
        return Err(wrong("has no training example"));
    }
    if train == spec.train && valid == spec.valid {
        return Ok((spec, None));
    }
    let n_used = |split: &Split| split.train.len() + split.valid.len();
    let mut used = Split { train, valid, test, notes: spec.notes.clone() };
    used.notes.push(format!(
        "training and validation sets are those of {}: {} examples, where the spec has {}",
        file.file,
        n_used(&used),
        n_used(&spec)
    ));
    Ok((used, Some(file)))
}

/// Curves as JSON lines. What a line does not say is unknown.
fn epochs(path: &Path) -> Result<(Vec<Epoch>, ForeignFile), RunError> {
    let wrong = |message: String| RunError::Incompatible(format!("{}: {message}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let mut epochs: Vec<Epoch> = vec![];
    for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let epoch = epoch_of(line).and_then(|epoch| checked(epoch, epochs.len() + 1));
        epochs.push(epoch.map_err(|message| wrong(format!("line {}: {message}", i + 1)))?);
    }
    if epochs.is_empty() {
        return Err(wrong("has no epoch".to_owned()));
    }
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((epochs, ForeignFile { file, sha256: sha256_hex(&bytes) }))
}

/// An epoch whose numbers can be drawn.
fn checked(epoch: Epoch, expected: usize) -> Result<Epoch, String> {
    if epoch.epoch != expected {
        return Err(format!("expected epoch {expected}, found {}", epoch.epoch));
    }
    for (name, value) in
        [("train_accuracy", epoch.train_accuracy), ("valid_accuracy", epoch.valid_accuracy)]
    {
        if !(value.is_nan() || (0.0..=1.0).contains(&value)) {
            return Err(format!("{name}: expected a fraction in [0, 1], found {value}"));
        }
    }
    if epoch.seconds < 0.0 {
        return Err(format!("seconds: expected at least 0, found {}", epoch.seconds));
    }
    Ok(epoch)
}
