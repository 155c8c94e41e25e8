//! Why a run is to be done, or need not be: what of spec, data and code is other than in the runs there are.

use super::context::{CODE_VERSION, Workspace};
use super::error::RunError;
use super::event::RunLabel;
use super::inputs::Inputs;
use super::plan::Plan;
use crate::record::{Record, Run, Store, StoreError, Unfinished, spec_differences};

/// The state of a run.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// It is done.
    Done {
        /// The record's folder.
        id: String,
    },
    /// It was begun and is not finished.
    Unfinished(Unfinished),
    /// No run of this experiment with this seed was finished.
    Never,
    /// The latest such run is stale.
    Stale {
        /// That run.
        id: String,
        /// What is other now, a line each.
        because: Vec<String>,
    },
    /// Its files are damaged.
    Damaged(String),
}

/// Returns the state of every run of a plan.
///
/// # Errors
/// Where the dataset or the store can't be read.
pub fn why(plan: &Plan, workspace: Workspace) -> Result<Vec<(RunLabel, Reason)>, RunError> {
    let inputs = Inputs::load(plan, workspace)?;
    let (runs, _) = workspace.store.finished()?;
    let of_seed =
        |&seed: &u64| Ok((plan.label(seed), reason(plan, &inputs, seed, workspace.store, &runs)?));
    plan.spec.seeds.iter().map(of_seed).collect()
}

fn reason(
    plan: &Plan,
    inputs: &Inputs,
    seed: u64,
    store: &Store,
    runs: &[Run],
) -> Result<Reason, StoreError> {
    let id = inputs.run_id(plan, seed);
    match store.read_whole(&id) {
        Ok(Some(run)) => return Ok(Reason::Done { id: run.id }),
        Ok(None) => {
            if let Some(unfinished) = store.unfinished_run(&id)? {
                return Ok(Reason::Unfinished(unfinished));
            }
        }
        Err(error @ (StoreError::Damaged { .. } | StoreError::Newer { .. })) => {
            let text = error.to_string();
            return Ok(Reason::Damaged(text.lines().next().unwrap_or_default().to_owned()));
        }
        Err(error) => return Err(error),
    }
    // Neither foreign predictions nor imported weights are an earlier state of a training.
    let is_trained = |record: &Record| record.foreign.is_none() && record.model.imported.is_none();
    let same = |run: &&Run| {
        let record = &run.record;
        record.experiment == plan.name && record.seed == seed && is_trained(record)
    };
    let latest = runs.iter().filter(same).max_by_key(|run| &run.record.timings.started);
    Ok(latest.map_or(Reason::Never, |run| Reason::Stale {
        id: run.id.clone(),
        because: because(plan, inputs, run),
    }))
}

fn because(plan: &Plan, inputs: &Inputs, run: &Run) -> Vec<String> {
    let record = &run.record;
    let mut lines = vec![];
    if record.code.code_version != CODE_VERSION {
        lines.push(format!("code version: {} -> {CODE_VERSION}", record.code.code_version));
    }
    if record.data.dataset != plan.spec.dataset.name {
        lines.push(format!("data: {} -> {}", record.data.dataset, plan.spec.dataset.name));
    } else if record.data.features_hash != inputs.examples.hash {
        let is_same = record.data.hash == inputs.data_hash;
        let what = if is_same { "features, from the same data" } else { "data" };
        let (was, is) = (&record.data.features_hash[..8], &inputs.examples.hash[..8]);
        lines.push(format!("{what}: {was}… -> {is}…"));
    }
    if record.split.sources_hash != plan.spec.sources_hash(&inputs.track_columns) {
        lines.push("lists or columns of the split".to_owned());
    }
    let differences = spec_differences(&record.spec, &plan.resolved);
    // Which dataset it is has been said above.
    let spec = differences.iter().filter(|line| !line.starts_with("dataset:"));
    lines.extend(spec.map(|line| format!("spec: {line}")));
    lines
}
