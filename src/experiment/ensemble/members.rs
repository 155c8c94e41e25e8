//! The finished runs of an ensemble, and what they say of its examples.

use serde_json::Value;

use super::super::command::Trained;
use super::super::context::{CODE_VERSION, Workspace};
use super::super::error::RunError;
use super::super::fold::{AuditedSplit, Fold};
use super::super::inputs::Inputs;
use super::super::plan::Plan;
use super::places::Unit;
use crate::model::{Ensemble, OpinionPool};
use crate::record::{MemberRun, Run, Store};
use crate::vocab::{ExampleId, Outputs};

/// The file of a record that has the test predictions.
const PREDICTIONS: &str = "predictions.csv";

/// A member of an ensemble.
pub(super) struct Member {
    pub(super) run: Run,
    unit: Unit,
}

/// Finds the members of an ensemble, and checks that they have its split.
pub(super) fn find(
    fold: &Fold,
    ensemble: &Ensemble,
    store: &Store,
) -> Result<Vec<Member>, RunError> {
    let known = &fold.plan.resolved["model"]["ensemble"]["members"];
    let member = |name: &String| {
        let run = match known.get(name) {
            Some(known) => of_experiment(name, known, fold, store)?,
            None => of_id(name, store)?,
        };
        run.check_results()?;
        let data = &run.record.data;
        if data.hash != fold.inputs.data_hash || data.classes != fold.inputs.examples.classes {
            let (of, here) = (&data.dataset, &fold.plan.spec.dataset.name);
            return Err(RunError::Incompatible(format!(
                "member {} is not about the same data: it used {of} with the content {}, here {here} has the content \
                 {}",
                run.id,
                short(&data.hash),
                short(&fold.inputs.data_hash)
            )));
        }
        let unit = Unit::of(&run, fold)?;
        unit.check(&run, fold)?;
        Ok(Member { run, unit })
    };
    ensemble.of.iter().map(member).collect()
}

fn short(hash: &str) -> &str {
    hash.get(..8).unwrap_or(hash)
}

/// The run of an experiment with the ensemble's dataset and options, and its seed unless there is only one.
fn of_experiment(name: &str, known: &Value, fold: &Fold, store: &Store) -> Result<Run, RunError> {
    let dataset = &fold.plan.spec.dataset.name;
    let seed = known.get("seed").and_then(Value::as_u64).unwrap_or(fold.seed);
    let start = format!("{}.{dataset}.seed-{seed}.", name.replace('/', "."));
    let mut damaged = None;
    for id in store.ids()?.into_iter().filter(|id| id.starts_with(&start)) {
        let run = match store.read(&id) {
            Ok(run) => run,
            Err(error) => {
                damaged = Some(error);
                continue;
            }
        };
        let Some(run) = run else { continue };
        let record = &run.record;
        let is_same = record.experiment == name
            && known["spec_hash"] == *record.spec_hash
            && record.data.hash == fold.inputs.data_hash
            && record.code.code_version == CODE_VERSION;
        // Neither foreign predictions nor imported weights are what the spec says.
        if is_same
            && !record.is_trial()
            && record.foreign.is_none()
            && record.model.imported.is_none()
        {
            return Ok(run);
        }
    }
    if let Some(error) = damaged {
        return Err(error.into());
    }
    let ensemble = &fold.plan.name;
    let options = if fold.plan.cut.is_empty() { "" } else { ", with the options of this command" };
    // A member with one seed is run with that one by itself.
    let both = if seed == fold.seed {
        format!("{name} {ensemble} --seeds {seed}")
    } else {
        name.to_owned()
    };
    Err(RunError::Incompatible(format!(
        "its member `{name}` has no finished run on {dataset} with seed {seed} by its current spec\n\
         hint: members go first: encore run {both}{options}"
    )))
}

fn of_id(id: &str, store: &Store) -> Result<Run, RunError> {
    let run = store.read(id)?;
    run.ok_or_else(|| RunError::Incompatible(format!("its member, the run {id}, is not there")))
}

/// The members of a recorded ensemble, unchanged since it was made, and what makes one prediction of theirs.
pub(in super::super) fn recorded(ensemble: &Run) -> Result<(Vec<Run>, OpinionPool), RunError> {
    let store = Store::new(ensemble.folder.parent().unwrap_or(&ensemble.folder));
    let member = |MemberRun { run: id, predictions }: &MemberRun| {
        let run = store.read(id)?.ok_or_else(|| {
            RunError::Incompatible(format!(
                "run {} is an ensemble, and its member {id} is not there",
                ensemble.id
            ))
        })?;
        if run.record.files.get(PREDICTIONS) != Some(predictions) {
            return Err(RunError::Incompatible(format!(
                "run {} is an ensemble, and its member {id} has other predictions now",
                ensemble.id
            )));
        }
        Ok(run)
    };
    let members = ensemble.record.model.members.iter().map(member);
    let members = members.collect::<Result<Vec<_>, RunError>>()?;
    let data = &ensemble.record.data;
    let outputs = Outputs { task: data.task, n: data.classes.len() };
    let pool = OpinionPool::load(&ensemble.folder.join("model"), members.len(), outputs)?;
    Ok((members, pool))
}

impl Member {
    /// What the ensemble's record says of it.
    pub(super) fn facts(&self) -> MemberRun {
        let predictions = self.run.record.files.get(PREDICTIONS).cloned().unwrap_or_default();
        MemberRun { run: self.run.id.clone(), predictions }
    }

    /// What it says of the ensemble's test examples, as recorded.
    pub(super) fn test(&self, fold: &Fold) -> Result<Vec<f32>, RunError> {
        let predictions = self.run.predictions()?;
        let own = predictions.examples().into_iter();
        self.said(own, &predictions.outputs(), &fold.audited.split.test, fold)
    }

    /// Why it can say nothing of other examples.
    pub(super) fn without_model(&self) -> Option<String> {
        let record = &self.run.record;
        let why = if record.foreign.is_some() {
            "is of predictions that were made elsewhere"
        } else if record.model.command.is_some() {
            "is of a program"
        } else if self.run.capsule().is_some() {
            "came in a capsule, without its model"
        } else {
            return None;
        };
        Some(format!("member {} {why}", self.run.id))
    }

    /// What it says of the ensemble's validation examples, by its model.
    pub(super) fn valid(&self, fold: &Fold, workspace: Workspace) -> Result<Vec<f32>, RunError> {
        let run = &self.run;
        let plan = Plan::of_run(run, workspace.catalogue)
            .map_err(|error| RunError::Incompatible(error.to_string()))?;
        run.check_model()?;
        let Trained::Own(model) = Trained::load(&plan, run, workspace.catalogue)? else {
            let said = format!("member {} has no model of encore's", run.id);
            return Err(RunError::Incompatible(said));
        };
        let inputs = Inputs::load(&plan, workspace)?;
        if inputs.examples.hash != run.record.data.features_hash {
            return Err(RunError::Incompatible(format!(
                "member {}: its features have changed since: {} then, {} now\nhint: encore run {}",
                run.id,
                short(&run.record.data.features_hash),
                short(&inputs.examples.hash),
                run.record.experiment
            )));
        }
        let seed = run.record.seed;
        let own = Fold::new(&plan, &inputs, seed, AuditedSplit::unaudited(&plan, &inputs, seed)?)?;
        let rows = &own.audited.split.valid;
        let said = model.predict(&own.model_inputs.view(rows))?;
        let ids = rows.iter().map(|&row| &inputs.examples.ids[row]);
        self.said(ids, &said, &fold.audited.split.valid, fold)
    }

    fn said<'a>(
        &self,
        own: impl Iterator<Item = &'a ExampleId>,
        said: &[f32],
        rows: &'a [usize],
        fold: &'a Fold,
    ) -> Result<Vec<f32>, RunError> {
        let wanted = rows.iter().map(|&row| &fold.inputs.examples.ids[row]);
        self.unit
            .said(own, said, wanted, fold.outputs())
            .map_err(|message| RunError::Incompatible(format!("member {} {message}", self.run.id)))
    }
}
