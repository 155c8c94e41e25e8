//! `run --why`.

use serde_json::json;

use super::progress::Progress;
use super::{Done, Project, json, unfinished};
use crate::dataset::Catalogue;
use crate::experiment::{Plan, Reason, RunLabel, why};

/// Prints the state of every run and, for stale runs, the reason.
pub(super) fn say(project: &Project, catalogue: &Catalogue, plans: &[Plan]) -> Done {
    let n_runs = plans.iter().map(|plan| plan.spec.seeds.len()).sum();
    let (store, progress) = (project.store(), Progress::new(n_runs));
    let workspace = project.workspace(catalogue, &store, &progress);
    json::put("states", json!([]));
    for plan in plans {
        for (RunLabel { experiment, dataset, seed, .. }, reason) in why(plan, workspace)? {
            let (state, id, because, words) = match reason {
                Reason::Done { id } => ("done", Some(id.clone()), vec![], format!("done, {id}")),
                Reason::Unfinished(run) => {
                    let words = unfinished::words(&run);
                    ("unfinished", Some(run.id), vec![words.clone()], words)
                }
                Reason::Never => ("to run", None, vec![], "to run, not finished yet".to_owned()),
                Reason::Damaged(what) => {
                    let words = format!("to repeat, {what}");
                    ("damaged", None, vec![what], words)
                }
                Reason::Stale { id, because } => {
                    let lines: String = because.iter().map(|it| format!("\n    {it}")).collect();
                    let words = format!("to repeat, {id} is stale:{lines}");
                    ("stale", Some(id), because, words)
                }
            };
            println!("{experiment} on {dataset} seed {seed}: {words}");
            json::push(
                "states",
                json!({
                    "experiment": experiment, "dataset": dataset, "seed": seed, "state": state,
                    "id": id, "because": because,
                }),
            );
        }
    }
    Ok(())
}
