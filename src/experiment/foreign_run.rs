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
use super::foreign_rows::{Header, Row, named, read, some};
use super::inputs::Inputs;
use super::model_inputs::ModelInputs;
use super::plan::Plan;
use super::record_run::{Made, Predicted, Told, record_predictions};
use super::run::{claim, refuse_leaks};
use crate::features::Examples;
use crate::metrics;
use crate::model::command::{ROW_SUM_TOLERANCE, epoch_of};
use crate::record::{Epoch, Foreign, ForeignFile, Run, RunWriter, StoreError};
use crate::split::Split;
use crate::vocab::{Sha256, sha256_hex};

/// Files of another program.
#[derive(Debug, Clone, Default)]
pub struct PredictionFiles {
    /// A CSV file with the columns `track`, `segment` and `p_CLASS` for every class.
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
/// If the predictions are not for exactly the test examples of the spec, a row has no probabilities, a file
/// can't be read, data or store can't be used, or the split leaks and that is forbidden.
pub fn import_predictions(
    plan: &Plan,
    seed: u64,
    files: &PredictionFiles,
    forbid_leaks: bool,
    workspace: Workspace,
) -> Result<Run, RunError> {
    let inputs = Inputs::load(plan, workspace)?;
    let task = inputs.examples.targets.task();
    if !task.is_classes() {
        return Err(RunError::Incompatible(format!(
            "{}: the spec asks for {}; predictions made elsewhere can only be imported for classes",
            plan.name,
            task.words()
        )));
    }
    let AuditedSplit { split, .. } = AuditedSplit::unaudited(plan, &inputs, seed)?;
    let (split, of_split) = match &files.split {
        None => (split, None),
        Some(path) => used_split(path, &inputs.examples, split)?,
    };
    let (test, predictions) = probabilities(&files.predictions, &inputs.examples, &split.test)?;
    let (epochs, of_epochs) = match &files.epochs {
        None => (vec![], None),
        Some(path) => epochs(path).map(|(epochs, file)| (epochs, Some(file)))?,
    };
    let protocol = of_split.as_ref().map(|ForeignFile { file, .. }| {
        let spec = plan.spec.split.describe();
        format!("test set: {spec}; training and validation sets: those of {file}")
    });
    let seconds = epochs.iter().map(|epoch| epoch.seconds).sum();
    let facts =
        Foreign { model: files.model.clone(), predictions, epochs: of_epochs, split: of_split };
    let code = code_facts(workspace.project);
    let context =
        RunContext { workspace, code: &code, checkpoint_every: Duration::MAX, forbid_leaks };
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
    let fold = Fold { plan, inputs: &inputs, seed, audited, model_inputs };
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
        notes: vec![],
        foreign: Some(Told { facts, protocol, seconds }),
    };
    let predicted = Predicted { train: None, valid: None, test };
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

/// Remembers the line of an example, which may occur once.
fn once(lines: &mut BTreeMap<usize, usize>, row: &Row, examples: &Examples) -> Result<(), String> {
    match lines.insert(row.example, row.line) {
        None => Ok(()),
        Some(first) => {
            let name = named(&examples.ids[row.example]);
            Err(format!("{name} is on line {first} already"))
        }
    }
}

/// Refuses a test set that is not that of the spec. Both are in ascending order.
fn same_test(
    path: &Path,
    examples: &Examples,
    spec: &[usize],
    found: &[usize],
) -> Result<(), RunError> {
    let without = |of: &[usize], other: &[usize]| -> Vec<usize> {
        of.iter().copied().filter(|row| other.binary_search(row).is_err()).collect()
    };
    let (missing, more) = (without(spec, found), without(found, spec));
    let mut faults = vec![];
    if !missing.is_empty() {
        let s = if missing.len() == 1 { "" } else { "s" };
        faults.push(format!("lacks {}", some(&missing, &format!("test example{s}"), examples)));
    }
    if !more.is_empty() {
        let s = if more.len() == 1 { "" } else { "s" };
        let what = format!("example{s} outside the test set");
        faults.push(format!("has {}", some(&more, &what, examples)));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(RunError::Incompatible(format!(
        "{}: {}; expected exactly the {} test examples of this spec and seed\n\
         hint: encore split SPEC --seed N --out DIR writes them; import with the same --seed",
        path.display(),
        faults.join("; "),
        spec.len()
    )))
}

/// The columns of a file of predictions.
struct Columns {
    /// Of each class.
    classes: Vec<usize>,
    actual: Option<usize>,
    predicted: Option<usize>,
}

impl Columns {
    fn find(header: &Header, classes: &[String]) -> Result<Self, String> {
        let of = |class: &String| header.column(&format!("p_{class}"));
        let found = classes.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let is_other = |(i, name): &(usize, &str)| !found.contains(i) && name.starts_with("p_");
        if let Some((_, name)) = header.names().enumerate().find(is_other) {
            let class = &name[2..];
            return Err(format!(
                "has a column `{name}`, and the dataset has no class `{class}`; expected one column `p_CLASS` \
                 for each of the {} classes",
                classes.len()
            ));
        }
        let (actual, predicted) = (header.find("actual")?, header.find("predicted")?);
        Ok(Self { classes: found, actual, predicted })
    }
}

/// The probabilities of the test examples in their order, row-major `[n_test, n_classes]`.
fn probabilities(
    path: &Path,
    examples: &Examples,
    test: &[usize],
) -> Result<(Vec<f32>, ForeignFile), RunError> {
    let n_classes = examples.classes.len();
    let mut all = vec![0.0; test.len() * n_classes];
    let (mut lines, mut outside) = (BTreeMap::new(), BTreeMap::new());
    let columns = |header: &Header| Columns::find(header, &examples.classes);
    let file = read(path, examples, columns, |columns, row: &Row| {
        // Those outside are counted, so that a wrong seed is told from a wrong row.
        let Ok(place) = test.binary_search(&row.example) else {
            return once(&mut outside, row, examples);
        };
        once(&mut lines, row, examples)?;
        let into = &mut all[place * n_classes..][..n_classes];
        probabilities_of(row, columns, examples, into)
    })?;
    let mut found: Vec<usize> = lines.into_keys().chain(outside.into_keys()).collect();
    found.sort_unstable();
    same_test(path, examples, test, &found)?;
    Ok((all, file))
}

/// Reads and checks the probabilities of one row.
fn probabilities_of(
    row: &Row,
    columns: &Columns,
    examples: &Examples,
    into: &mut [f32],
) -> Result<(), String> {
    let classes = &examples.classes;
    let tolerance = ROW_SUM_TOLERANCE as f32;
    for ((class, &column), p) in classes.iter().zip(&columns.classes).zip(into.iter_mut()) {
        let cell = row.text(column);
        let number: Option<f32> = cell.trim().parse().ok();
        let is_fit = |p: &f32| (-tolerance..=1.0 + tolerance).contains(p);
        *p = number.filter(is_fit).ok_or_else(|| {
            format!("p_{class}: expected a probability in [0, 1], found {cell:?}")
        })?;
    }
    let sum: f64 = into.iter().copied().map(f64::from).sum();
    if (sum - 1.0).abs() > ROW_SUM_TOLERANCE {
        return Err(format!(
            "the probabilities sum to {sum:.6}, expected 1 within {ROW_SUM_TOLERANCE}"
        ));
    }
    // Rounding may leave a probability just outside.
    into.iter_mut().for_each(|p| *p = p.clamp(0.0, 1.0));
    let says = |column: Option<usize>| column.map(|column| row.text(column));
    let is = |text: &str, class: usize| text == classes[class] || text.trim() == classes[class];
    let label = examples.targets.classes()[row.example];
    if let Some(actual) = says(columns.actual).filter(|actual| !is(actual, label)) {
        return Err(format!(
            "actual: the class is {:?} in the dataset, found {actual:?}",
            classes[label]
        ));
    }
    let most = metrics::most_likely(into, classes.len())[0];
    let is_most = |text: &str| (0..classes.len()).any(|c| is(text, c) && into[c] >= into[most]);
    if let Some(predicted) = says(columns.predicted).filter(|text| !is_most(text)) {
        return Err(format!(
            "predicted: the most probable class is {:?}, found {predicted:?}; encore scores the most probable \
             class, so the columns of the probabilities may be mixed up\n\
             hint: leave the column `predicted` out if it is meant to be another class",
            classes[most]
        ));
    }
    Ok(())
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
