//! `sweep`: searches good settings of an experiment, and shows how far searches are.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::live_events::WithEvents;
use super::progress::Progress;
use super::runs::{jobs, options, say_data};
use super::sweep_arguments::{Sweep, SweepCommand};
use super::{Done, Failure, Project, json, say_skipped, trust};
use crate::experiment::{self, Observer, Plan, SideBySide, SweepError, SweepOptions, check_sweep};
use crate::record::{EndedRun, Run, Store, Study};
use crate::report;

/// Does the studies of some experiments, or what is missing of them.
pub(super) fn sweep(project: &Project, arguments: &Sweep) -> Done {
    if let Some(SweepCommand::Status { names }) = &arguments.command {
        return status(project, names);
    }
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let mut options = options(&arguments.common, arguments.set.clone(), vec![])?;
    let seeds = options.seeds.take();
    let final_seeds: Vec<u64> =
        arguments.final_seeds.iter().flat_map(|seeds| seeds.0.clone()).collect();
    let final_seeds = (!final_seeds.is_empty()).then_some(final_seeds);
    let mut plans = vec![];
    for name in &arguments.names {
        let mut plan = Plan::read(name, &library, &catalogue, &options)?;
        check_sweep(&plan, &catalogue).map_err(crate::experiment::PlanError::Spec)?;
        if let Some(sweep) = plan.spec.sweep.as_mut() {
            if let Some(seeds) = &seeds {
                sweep.seeds.clone_from(seeds);
            }
            if let Some(seeds) = &final_seeds {
                sweep.final_seeds.clone_from(seeds);
            }
            if let Some(seed) = sweep.final_seeds.iter().find(|seed| sweep.seeds.contains(seed)) {
                return Err(Failure::Usage(format!(
                    "the seeds that the winner of {name} is judged on must be fresh, but {seed} is also a seed \
                     of its trials\nhint: --final-seeds, --seeds"
                )));
            }
        }
        plans.push(plan);
    }
    say_data(&catalogue, &plans);
    trust::ask(project, &plans.iter().collect::<Vec<_>>(), arguments.common.trust)?;
    let store = project.store();
    store.check_link()?;
    let how = SideBySide {
        program: Some(&std::env::current_exe()?),
        n_jobs: jobs(arguments.common.jobs)?,
        checkpoint_every: Duration::from_secs(arguments.common.checkpoint_every.into()),
        forbid_leaks: arguments.common.forbid_leaks,
    };
    let n_trials = arguments.trials.map(|n| n as usize);
    let sweep_options = SweepOptions { n_trials, retry: arguments.retry };
    json::put("studies", json!([]));
    let mut without_winner = vec![];
    for plan in &plans {
        let progress = Progress::new(experiment::n_runs_of(plan, sweep_options));
        let events = arguments.common.tensorboard.as_ref();
        let events =
            events.map(|folder| with_events(plan, &store, &progress, folder)).transpose()?;
        let observer: &dyn Observer = events.as_ref().map_or(&progress, |events| events);
        let workspace = project.workspace(&catalogue, &store, observer);
        let study = experiment::sweep(plan, sweep_options, workspace, how).map_err(failure)?;
        events.map_or(Ok(()), WithEvents::end)?;
        say(&store, &study)?;
        if study.parts.iter().any(|part| part.winner.is_none()) {
            without_winner.push(study.experiment);
        }
    }
    if without_winner.is_empty() {
        return Ok(());
    }
    let names = without_winner.join(", ");
    Err(Failure::Internal(anyhow::anyhow!(
        "every trial failed: {names}\nhint: encore sweep NAME --retry does failed trials again"
    )))
}

/// Event files for the trials of a study and for the runs of its winner.
fn with_events<'a>(
    plan: &Plan,
    store: &'a Store,
    progress: &'a Progress,
    folder: &Path,
) -> Result<WithEvents<'a>, Failure> {
    let sweep = plan.spec.sweep.iter().flat_map(|it| it.seeds.iter().chain(&it.final_seeds));
    let seeds = plan.spec.seeds.iter().chain(sweep).copied().collect();
    let wanted = vec![(plan.name.clone(), plan.spec.dataset.name.clone(), seeds)];
    WithEvents::new(progress, store, wanted, folder)
}

fn failure(error: SweepError) -> Failure {
    match error {
        SweepError::Usage(message) => Failure::Usage(message),
        SweepError::Plan(error) => error.into(),
        SweepError::Run(error) => error.into(),
        SweepError::Store(error) => error.into(),
        error @ SweepError::Stopped => Failure::Stopped(error.to_string()),
    }
}

/// Shows a study.
fn say(store: &Store, study: &Study) -> Done {
    let mut runs: Vec<Run> = vec![];
    let winners = study.parts.iter().filter_map(|part| part.winner.as_ref());
    for id in winners.flat_map(|it| it.runs.iter().chain(&it.base)) {
        match store.read(id) {
            Ok(run) => runs.extend(run),
            Err(error) => say_skipped(error),
        }
    }
    let by_id: BTreeMap<&str, &Run> = runs.iter().map(|run| (run.id.as_str(), run)).collect();
    let facts = report::study_facts(study, &by_id)?;
    println!(
        "study {}: {} by {} search, chosen by {}",
        study.id,
        if study.n_trials == 1 {
            "1 trial".to_owned()
        } else {
            format!("{} trials", study.n_trials)
        },
        study.search,
        study.metric
    );
    print!("{}", report::study_text(study, &facts));
    json::push("studies", object(study, &facts));
    Ok(())
}

/// A study as JSON: what it came to, and every trial.
fn object(study: &Study, facts: &report::StudyFacts) -> serde_json::Value {
    let mut object = serde_json::to_value(facts).expect("facts are plain data");
    let trials = study.parts.iter().flat_map(|part| {
        part.trials.iter().map(|trial| {
            json!({
                "fold": part.fold, "number": trial.number, "settings": trial.settings,
                "score": trial.score, "error": trial.error, "stopped_after": trial.stopped_after,
                "runs": trial.runs, "fit_s": trial.fit_s,
            })
        })
    });
    object["trials"] = trials.collect();
    object
}

/// Draws the figures of an experiment's studies, each into its own folder unless there is another one.
pub(super) fn plot_sweep(
    project: &Project,
    name: &str,
    out: Option<&Path>,
) -> Result<Vec<PathBuf>, Failure> {
    let store = project.store();
    let (studies, damaged) = store.studies()?;
    damaged.iter().for_each(say_skipped);
    let studies: Vec<Study> = studies.into_iter().filter(|it| it.experiment == name).collect();
    if studies.is_empty() {
        return Err(no_study(name));
    }
    let mut drawn = vec![];
    for study in &studies {
        let folder = match out {
            None => store.study_folder(&study.id).join("figures"),
            Some(out) if studies.len() == 1 => out.to_owned(),
            Some(out) => out.join(&study.id),
        };
        drawn.extend(report::draw_study(study, &folder)?);
    }
    Ok(drawn)
}

fn no_study(name: &str) -> Failure {
    Failure::Usage(format!("no study of `{name}`\nhint: encore sweep {name} starts one"))
}

/// Shows how far the studies are, without reading a run.
fn status(project: &Project, names: &[String]) -> Done {
    let store = project.store();
    let (studies, damaged) = store.studies()?;
    damaged.iter().for_each(say_skipped);
    let studies: Vec<Study> = studies
        .into_iter()
        .filter(|study| names.is_empty() || names.contains(&study.experiment))
        .collect();
    if let Some(name) = names.iter().find(|name| !studies.iter().any(|it| it.experiment == **name))
    {
        return Err(no_study(name));
    }
    if studies.is_empty() {
        println!("no studies; encore sweep NAME starts one");
    }
    let mut objects = vec![];
    for study in &studies {
        let ended = store.ended_runs(&study.id);
        println!("{}: {}", study.id, state(study, &ended));
        objects.push(json!({
            "id": study.id, "experiment": study.experiment, "dataset": study.dataset,
            "n_trials": study.n_trials * study.parts.len(), "n_tried": study.n_tried(),
            "n_failed": study.parts.iter().flat_map(|it| &it.trials).filter(|it| it.error.is_some()).count(),
            "n_runs_since": ended.len(), "is_finished": study.is_finished,
            "best": best(study).map(|(trial, score)| json!({ "number": trial, "score": score })),
        }));
    }
    json::put("studies", objects);
    Ok(())
}

fn state(study: &Study, ended: &[EndedRun]) -> String {
    let (n, all) = (study.n_tried(), study.n_trials * study.parts.len());
    let mut words = match (study.is_finished, ended.is_empty()) {
        (true, true) => format!("finished, {n} trials"),
        (_, true) => format!("{n} of {all} trials are done"),
        (_, false) => {
            format!("{n} of {all} trials are done, {} runs have ended since", ended.len())
        }
    };
    let failed = study.parts.iter().flat_map(|it| &it.trials).filter(|it| it.error.is_some());
    let failed = failed.count() + ended.iter().filter(|run| run.error.is_some()).count();
    if failed > 0 {
        words += &format!(", {failed} failed");
    }
    if let Some((trial, score)) = best(study) {
        words += &format!("; best so far: trial {trial}, {} {score:.4}", study.metric);
    }
    words
}

/// The best trial so far that went on to the end.
fn best(study: &Study) -> Option<(usize, f64)> {
    let whole = study.parts.iter().flat_map(|part| &part.trials);
    let whole = whole.filter(|trial| trial.stopped_after.is_none());
    let scored = whole.filter_map(|trial| Some((trial.number, trial.score?)));
    let sign = if study.higher_is_better { 1.0 } else { -1.0 };
    scored.reduce(|best, other| if sign * other.1 > sign * best.1 { other } else { best })
}
