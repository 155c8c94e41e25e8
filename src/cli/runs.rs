//! `reproduce`, `run` and `report`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::arguments::{Report, Reproduce, Run};
use super::common_arguments::{Common, Strict};
use super::progress::Progress;
use super::{
    Done, Failure, Project, from_whole, json, one_line, say_hidden, say_skipped, signals,
    summaries, trust, versions, why,
};
use crate::dataset::{Catalogue, Cut, Manifest};
use crate::experiment::{
    Blame, DataChoice, Library, Options, Outcome, Plan, PlanError, ProjectSettings, ROBUST_VERSION,
    RunError, RunLabel, Shrink, SideBySide, run_all,
};
use crate::model::NoDevice;
use crate::record::{self, Store};
use crate::report;
use crate::schema::Faults;

/// `--quick`: all of it in under three minutes on two cores.
const QUICK: Shrink = Shrink {
    max_epochs: Some(15),
    max_seeds: Some(1),
    data: Cut { tracks_per_genre: Some(10), n_rows: Some(2_000) },
};

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
    let progress = Progress::new(n_runs(&plans));
    let outcomes =
        execute(project, &catalogue, &page.store(), &plans, &arguments.common, &progress)?;
    let written = write(&settings, &library, &catalogue, &page, arguments.strict);
    failures(outcomes)?;
    written
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
    write(&project.settings(&library), &library, &project.catalogue()?, &page, arguments.strict)
}

/// A page and the runs that it shows.
struct Page {
    folder: PathBuf,
    /// How its runs are smaller than their specs.
    shrink: Shrink,
    /// Whether it shows runs of other versions of the specs.
    all_versions: bool,
    /// Whether it shows archived runs.
    archived: bool,
}

impl Page {
    fn of(project: &Project, is_quick: bool, all_versions: bool, archived: bool) -> Self {
        let (folder, shrink) = if is_quick {
            (project.reports().join("quick"), QUICK)
        } else {
            (project.reports(), Shrink::default())
        };
        Self { folder, shrink, all_versions, archived }
    }

    fn store(&self) -> Store {
        let store = Store::new(self.folder.join("runs"));
        if self.archived { store.with_archived() } else { store }
    }
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
    progress: &Progress,
) -> Result<Vec<Outcome>, Failure> {
    store.check_link()?;
    trust::ask(project, &plans.iter().collect::<Vec<_>>(), common.trust)?;
    let how = SideBySide {
        program: Some(&std::env::current_exe()?),
        n_jobs: jobs(common.jobs)?,
        checkpoint_every: Duration::from_secs(common.checkpoint_every.into()),
        forbid_leaks: common.forbid_leaks,
    };
    let outcomes = run_all(plans, project.workspace(catalogue, store, progress), how);
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

/// Prints a table of results.
pub(super) fn say_table(table: &report::Table) {
    print!("{}", table.text);
    json::put("results", &table.results);
    json::put("not_run", &table.not_run);
    json::put("differing", &table.differing);
    json::put("inconclusive", &table.inconclusive);
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

/// Writes a page from its runs, and shows its table.
fn write(
    settings: &ProjectSettings,
    library: &Library,
    catalogue: &Catalogue,
    page: &Page,
    how: Option<Strict>,
) -> Done {
    let (folder, store) = (&page.folder, page.store());
    let (runs, damaged) = store.finished()?;
    damaged.iter().for_each(say_skipped);
    keep_page(folder, &store, &runs)?;
    let mut versions = versions(runs, library, catalogue, page.shrink);
    let mut winners = std::mem::take(&mut versions.of_searches);
    winners.retain(|run| !run.record.is_trial());
    let n_hidden = if page.all_versions { 0 } else { versions.others.len() };
    let runs = if page.all_versions { versions.all() } else { versions.without_history() };
    let with_runs: BTreeSet<&str> = runs.iter().map(|run| run.record.experiment.as_str()).collect();
    let has_run = |name: &str| with_runs.contains(name);
    // Specs are read only for experiments without a run.
    let is_grouped = |name: &str| settings.grouped().any(|grouped| grouped == name);
    let names = settings.order(library);
    let plans: BTreeMap<&str, Plan> = (names.iter().map(String::as_str))
        .filter(|name| !has_run(name) && (settings.groups.is_empty() || is_grouped(name)))
        .filter_map(|name| {
            Some((name, Plan::read(name, library, catalogue, &Options::default()).ok()?))
        })
        .collect();
    let can_run = |name: &str| plans.get(name).is_none_or(|plan| plan.unfit().is_none());
    // Of the other experiments, a page with groups shows those that somebody ran.
    let is_shown = |name: &&String| {
        let is_wanted =
            || if is_grouped(name) { can_run(name) } else { settings.groups.is_empty() };
        has_run(name) || is_wanted()
    };
    let order = names.iter().filter(is_shown).cloned().collect();
    let data = summaries::summaries(catalogue, &runs, page.shrink.data);
    let scores = Some(store.scores());
    let mut skipped: Vec<String> = damaged.iter().map(|error| one_line(error)).collect();
    let tasks = plans.iter().map(|(name, plan)| ((*name).to_owned(), plan.spec.target.task()));
    let tasks = tasks.collect();
    let degraded = Some(store.degraded(ROBUST_VERSION));
    let (studies, broken) = store.studies()?;
    broken.iter().for_each(say_skipped);
    skipped.extend(broken.iter().map(|error| one_line(error)));
    let options = report::Options {
        tasks,
        data,
        scores,
        degraded,
        studies,
        winners,
        skipped,
        ..page_options(settings, order)
    };
    let written = from_whole(runs, &options, |runs, options| report::write(runs, options, folder))?;
    say_table(&written.table);
    json::put("page", written.page.display().to_string());
    say_hidden(n_hidden);
    println!("page: {}", written.page.display());
    strict(&written.table, how)
}

/// Refuses to replace a page about runs by one about nothing: their disk may not be mounted.
fn keep_page(folder: &std::path::Path, store: &Store, runs: &[record::Run]) -> Done {
    let results = folder.join("results.csv");
    let n_shown = std::fs::read_to_string(&results).map_or(0, |text| text.lines().count());
    if !runs.is_empty() || n_shown <= 1 {
        return Ok(());
    }
    Err(Failure::Data(format!(
        "{} has no valid run, but the page shows some; it was left as it is\n\
         hint: if the runs are on another disk, connect it; to write an empty page, delete {}",
        store.root().display(),
        results.display()
    )))
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

/// The options of a page: what the project's settings say.
pub(super) fn page_options(settings: &ProjectSettings, order: Vec<String>) -> report::Options {
    let groups =
        settings.groups.iter().map(|group| (group.title.clone(), group.experiments.clone()));
    report::Options {
        title: settings.title.clone(),
        text: settings.text.clone(),
        groups: groups.collect(),
        order,
        data: vec![],
        scores: None,
        degraded: None,
        studies: vec![],
        winners: vec![],
        skipped: vec![],
        tasks: BTreeMap::new(),
    }
}

/// Exit code 4 where a claim differs and `--strict` was given, or is inconclusive and
/// `--strict=conclusive` was.
pub(super) fn strict(table: &report::Table, how: Option<Strict>) -> Done {
    let Some(how) = how else { return Ok(()) };
    let mut found = vec![];
    if !table.differing.is_empty() {
        found.push(format!("claims that differ: {}", table.differing.join(", ")));
    }
    if how == Strict::Conclusive && !table.inconclusive.is_empty() {
        found.push(format!("inconclusive claims: {}", table.inconclusive.join(", ")));
    }
    if found.is_empty() { Ok(()) } else { Err(Failure::Differs(found.join("; "))) }
}
