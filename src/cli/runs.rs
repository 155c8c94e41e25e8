//! `reproduce`, `run` and `report`.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::arguments::{Report, Reproduce, Run};
use super::common_arguments::Common;
use super::early_page::EarlyPage;
use super::live_events::WithEvents;
use super::page::{Page, QUICK, Source};
use super::progress::Progress;
use super::result_table::{say_table, strict};
use super::{Done, Failure, Project, from_whole, json, signals, trust, versions, why};
use crate::dataset::{Catalogue, Manifest};
use crate::experiment::{
    Blame, DataChoice, Observer, Options, Outcome, Plan, PlanError, ProjectSettings, RunError,
    RunLabel, Shrink, SideBySide, run_all,
};
use crate::model::NoDevice;
use crate::record::Store;
use crate::report;
use crate::schema::Faults;

/// Seeds of each spec without flags on the embedded corpora: everything within an hour on two cores.
const N_EMBEDDED_SEEDS: usize = 3;

/// Runs the report's experiments and writes the page.
pub(super) fn reproduce(project: &Project, arguments: &Reproduce) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let settings = ProjectSettings::read(&project.root, &library)?;
    let names = match arguments.only.as_slice() {
        [] => settings.to_reproduce(&library),
        only => only.to_vec(),
    };
    if names.is_empty() {
        return Err(Failure::Usage(
            "the project has no experiments\nhint: encore new NAME --from cnn-3 copies a built-in one"
                .to_owned(),
        ));
    }
    let mut options = options(&arguments.common, vec![], vec![])?;
    if arguments.quick {
        options.shrink = QUICK;
    }
    let (mut plans, mut left_out) = (vec![], vec![]);
    let mut faults = vec![];
    for name in &names {
        let read = |options: &Options| Plan::read(name, &library, &catalogue, options);
        let plan = match read(&options) {
            // A dataset named by `--data` is for the experiments of its kind; the others choose theirs.
            Err(PlanError::OtherKind(_)) => {
                read(&Options { data: DataChoice::Auto, ..options.clone() })
            }
            plan => plan,
        };
        match plan {
            Ok(mut plan) => {
                if !arguments.quick && !arguments.full && plan.spec.dataset.is_embedded() {
                    plan.keep_seeds(N_EMBEDDED_SEEDS);
                }
                let can_run = !arguments.only.is_empty() || plan.unfit().is_none();
                if can_run { &mut plans } else { &mut left_out }.push(plan);
            }
            Err(PlanError::Spec(found)) => faults.extend(found.0),
            Err(error) => return Err(error.into()),
        }
    }
    if !faults.is_empty() {
        return Err(Faults(faults).into());
    }
    say_data(&catalogue, &plans);
    say_left_out(&left_out);
    let page = Page::of(project, arguments.quick, false, false);
    let source =
        Source { settings: &settings, library: &library, catalogue: &catalogue, page: &page };
    let progress = Progress::new(n_runs(&plans));
    let early = EarlyPage::new(&plans, &progress);
    let outcomes = early.written_by(&source, || {
        execute(project, &catalogue, &page.store(), &plans, &arguments.common, &early)
    })?;
    let shown = source.write(&early.pending()).and_then(|written| written.say(arguments.strict));
    failures(outcomes)?;
    shown
}

/// Runs some experiments and shows their table.
pub(super) fn run(project: &Project, arguments: &Run) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let options = options(&arguments.common, arguments.set.clone(), arguments.unset.clone())?;
    let mut plans = vec![];
    for name in &arguments.names {
        plans.push(Plan::read(name, &library, &catalogue, &options)?);
    }
    if arguments.why {
        return why::say(project, &catalogue, &plans);
    }
    say_data(&catalogue, &plans);
    let (store, progress) = (project.store(), Progress::new(n_runs(&plans)));
    let outcomes = execute(project, &catalogue, &store, &plans, &arguments.common, &progress)?;
    let runs: Vec<_> =
        outcomes.iter().filter_map(|outcome| outcome.result.as_ref().ok()).cloned().collect();
    let folders: Vec<PathBuf> = runs.iter().map(|run| run.folder.clone()).collect();
    // What was asked for is shown, and labelled where it is not what the specs say.
    let runs = versions(runs, &library, &catalogue, Shrink::default()).all();
    let order = plans.iter().map(|plan| plan.name.clone()).collect();
    let options = report::Options::in_order(order);
    let table = from_whole(runs, &options, report::table)?;
    say_table(&table);
    for folder in folders {
        println!("{}", folder.display());
    }
    failures(outcomes)?;
    strict(&table, arguments.strict)
}

/// Writes the page from the records, with plots of the datasets that are present.
pub(super) fn report(project: &Project, arguments: &Report) -> Done {
    let Report { quick, all_versions, archived, .. } = *arguments;
    let page = Page::of(project, quick, all_versions, archived);
    let library = project.library()?;
    let (settings, catalogue) = (project.settings(&library), project.catalogue()?);
    let source =
        Source { settings: &settings, library: &library, catalogue: &catalogue, page: &page };
    source.write(&[])?.say(arguments.strict)
}

/// Parses `--data`.
pub(super) fn data_choice(data: &str) -> DataChoice {
    match data {
        "auto" => DataChoice::Auto,
        "embedded" => DataChoice::Embedded,
        name => DataChoice::Named(name.to_owned()),
    }
}

/// What the command line says of a run.
pub(super) fn options(
    common: &Common,
    set: Vec<String>,
    unset: Vec<String>,
) -> Result<Options, Failure> {
    let data = data_choice(&common.data);
    let seeds = (!common.seeds.is_empty())
        .then(|| common.seeds.iter().flat_map(|seeds| seeds.0.clone()).collect());
    let device =
        common.device.parse().map_err(|error: NoDevice| Failure::Usage(error.to_string()))?;
    Ok(Options { set, unset, data, seeds, device, ..Options::default() })
}

/// Prints every synthetic dataset that replaces a real one, with the command to get the real one.
pub(super) fn say_data(catalogue: &Catalogue, plans: &[Plan]) {
    json::put("stand_ins", json!([]));
    let mut said = vec![];
    for plan in plans {
        let (asked, used) = (&plan.spec.asked, &plan.spec.dataset.name);
        if asked == used || said.contains(asked) || !plan.spec.dataset.is_embedded() {
            continue;
        }
        let real = catalogue.find(asked).map(Manifest::command_to_get).unwrap_or_default();
        println!("data: {used} (synthetic) in place of {asked}; to use the real data: {real}");
        json::push("stand_ins", json!({ "used": used, "asked": asked }));
        said.push(asked.clone());
    }
}

/// Prints the experiments that need a dataset that is not imported.
fn say_left_out(plans: &[Plan]) {
    let names: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
    json::put("skipped", &names);
    let Some(reason) = plans.first().and_then(Plan::unfit) else { return };
    let reason = reason.lines().next().unwrap_or_default();
    println!("skipped: {}: {reason}", names.join(", "));
}

/// The number of runs of some plans.
pub(super) fn n_runs(plans: &[Plan]) -> usize {
    plans.iter().map(|plan| plan.spec.seeds.len()).sum()
}

/// Runs every seed of every plan.
pub(super) fn execute(
    project: &Project,
    catalogue: &Catalogue,
    store: &Store,
    plans: &[Plan],
    common: &Common,
    observer: &dyn Observer,
) -> Result<Vec<Outcome>, Failure> {
    store.check_link()?;
    trust::ask(project, &plans.iter().collect::<Vec<_>>(), common.trust)?;
    let how = SideBySide {
        program: Some(&std::env::current_exe()?),
        n_jobs: jobs(common.jobs)?,
        checkpoint_every: Duration::from_secs(common.checkpoint_every.into()),
        forbid_leaks: common.forbid_leaks,
    };
    let outcomes = match &common.tensorboard {
        None => run_all(plans, project.workspace(catalogue, store, observer), how),
        Some(folder) => {
            let wanted = plans.iter().map(|plan| {
                (plan.name.clone(), plan.spec.dataset.name.clone(), plan.spec.seeds.clone())
            });
            let with_events = WithEvents::new(observer, store, wanted.collect(), folder)?;
            let outcomes = run_all(plans, project.workspace(catalogue, store, &with_events), how);
            with_events.end()?;
            outcomes
        }
    };
    let object = |Outcome { label, result }: &Outcome| {
        let RunLabel { experiment, dataset, seed, changes, .. } = label;
        let run = result.as_ref().ok();
        json!({
            "experiment": experiment, "dataset": dataset, "seed": seed, "changes": changes, "id": run.map(|run| &run.id),
            "folder": run.map(|run| run.folder.display().to_string()),
            "error": result.as_ref().err().map(ToString::to_string),
        })
    };
    json::put("runs", outcomes.iter().map(object).collect::<Vec<_>>());
    Ok(outcomes)
}

/// The number of concurrent runs that `--jobs` or the environment gives.
pub(super) fn jobs(jobs: Option<u16>) -> Result<Option<usize>, Failure> {
    let given = std::env::var("ENCORE_JOBS").ok().filter(|text| !text.is_empty());
    match (jobs, given) {
        (Some(n), _) => Ok(Some(n.into())),
        (None, None) => Ok(None),
        (None, Some(text)) => match text.parse::<u16>() {
            Ok(n) if n > 0 => Ok(Some(n.into())),
            _ => Err(Failure::Usage(format!(
                "ENCORE_JOBS must be an integer in [1, {}], found {text:?}",
                u16::MAX
            ))),
        },
    }
}

/// The error of the runs that failed or were stopped.
pub(super) fn failures(outcomes: Vec<Outcome>) -> Done {
    let n_runs = outcomes.len();
    let errors = outcomes
        .into_iter()
        .filter_map(|Outcome { label, result }| result.err().map(|error| (label, error)));
    let (stopped, mut failed): (Vec<_>, Vec<_>) =
        errors.partition(|(_, error)| matches!(error, RunError::Stopped { .. }));
    if failed.is_empty() && signals::caught().load(std::sync::atomic::Ordering::Relaxed) {
        let n_saved = stopped.len();
        return Err(Failure::Stopped(format!(
            "stopped: {} runs are done, {n_saved} are saved; the same command resumes",
            n_runs - n_saved
        )));
    }
    failed.extend(stopped);
    if failed.len() == 1 {
        return Err(failed.remove(0).1.into());
    }
    let Some((_, first)) = failed.first() else { return Ok(()) };
    let blame = first.blame();
    let is_alike = failed.iter().all(|(_, error)| error.blame() == blame);
    let (n, message) = (failed.len(), reasons(&failed));
    let message = format!("{n} of {n_runs} runs failed:\n{message}");
    Err(match blame {
        Blame::Data if is_alike => Failure::Data(message),
        Blame::Usage if is_alike => Failure::Usage(message),
        _ => Failure::Internal(anyhow::anyhow!(message)),
    })
}

/// Each reason once, after the runs that failed for it.
fn reasons(failed: &[(RunLabel, RunError)]) -> String {
    let mut by_text: Vec<(String, Vec<String>)> = vec![];
    let differ = failed.windows(2).any(|two| two[0].0.changes != two[1].0.changes);
    for (RunLabel { experiment, seed, changes, .. }, error) in failed {
        let changes = match changes.as_slice() {
            changes if differ && !changes.is_empty() => format!(" ({})", changes.join(", ")),
            _ => String::new(),
        };
        let (run, text) = (format!("{experiment}{changes} seed {seed}"), error.to_string());
        match by_text.iter_mut().find(|(known, _)| *known == text) {
            Some((_, runs)) => runs.push(run),
            None => by_text.push((text, vec![run])),
        }
    }
    let lines = by_text.iter().map(|(text, runs)| format!("{}: {text}", runs.join(", ")));
    lines.collect::<Vec<_>>().join("\n")
}
