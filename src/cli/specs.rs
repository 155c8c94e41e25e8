//! `list`, `check` and `new`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Done, Failure, Project, json, say_skipped, unfinished, width};
use crate::dataset::Catalogue;
use crate::experiment::{
    Library, Options, Plan, PlanError, ProjectSettings, Shrink, Versions, check_sweep, derive_spec,
};
use crate::metrics::Metric;
use crate::record::{Latest as Index, Run, Store};
use crate::report::{self, ReportError};
use crate::schema::{Fault, Faults};
use crate::vocab::Task;

/// One line per experiment: dataset, claim, latest result. Below it, other versions of its spec
/// where they are asked for, and its unfinished runs.
pub(super) fn list(project: &Project, archived: bool, all_versions: bool) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    // Without its runs, a list still names the experiments.
    let store = project.store_with(archived);
    let mut index = store.latest().inspect_err(|error| say_skipped(error)).ok();
    let runs = index.as_mut().map_or(vec![], |index| {
        index.damaged.iter().for_each(say_skipped);
        std::mem::take(&mut index.runs)
    });
    // Specs that can't be read have a line of their own.
    let label = |runs| Versions::of(runs, &library, &catalogue, Shrink::default());
    let versions = label(runs);
    let begun = project.store().unfinished().unwrap_or_else(|error| {
        say_skipped(error);
        vec![]
    });
    let wide = width("experiment", library.names().iter().map(String::as_str));
    let datasets = catalogue.manifests().map(|manifest| manifest.name.as_str());
    let dataset = width("dataset", datasets);
    let (of_names, of_datasets) = ("experiment", "dataset");
    println!("{of_names:wide$} {of_datasets:dataset$} published seeds latest result");
    json::put("experiments", json!([]));
    for name in library.names() {
        let plan = match Plan::read(name, &library, &catalogue, &Options::default()) {
            Ok(plan) => plan,
            Err(error) => {
                let fault = error.to_string().lines().next().unwrap_or_default().to_owned();
                println!("{name:wide$} invalid: {fault}");
                json::push("experiments", experiment(name, Some(&fault)));
                continue;
            }
        };
        let claim =
            plan.spec.claims.first().map_or("-".to_owned(), |claim| format!("{:.3}", claim.value));
        let (asked, n_seeds) = (&plan.spec.asked, plan.spec.seeds.len());
        let latest =
            Latest::of(&versions, name, |run| verdict(run, &store, index.as_mut()?, label));
        println!("{name:wide$} {asked:dataset$} {claim:9} {n_seeds:<5} {}", latest.text(name));
        let others = if all_versions { others(&versions, name) } else { vec![] };
        others.iter().for_each(|line| println!("    {line}"));
        let unfinished = unfinished::lines(&begun, name, &plan.spec_hash);
        for line in &unfinished {
            println!("{:wide$} {line}", "");
        }
        let mut object = experiment(name, None);
        object["dataset"] = json!(asked);
        object["published"] = json!(plan.spec.claims.first().map(|claim| claim.value));
        object["n_seeds"] = json!(n_seeds);
        object["latest"] = latest.object();
        object["verdict"] = json!(latest.verdict);
        object["other_versions"] = json!(others);
        object["unfinished"] = json!(unfinished);
        json::push("experiments", object);
    }
    if let Some(index) = index {
        index.save();
    }
    Ok(())
}

/// The verdict on the experiment's published figure by all runs that are like this one; the index keeps
/// it, so that their predictions are read once.
fn verdict(
    run: &Run,
    store: &Store,
    index: &mut Index,
    label: impl FnOnce(Vec<Run>) -> Versions,
) -> Option<String> {
    let claims = serde_json::to_string(&run.record.claims).expect("claims are plain data");
    let ids = index.alike(run);
    let derive = || {
        let mut runs = vec![];
        for id in &ids {
            runs.extend(store.read(id)?);
        }
        let verdict = report::verdict(&label(runs).current, &run.record.experiment)?;
        Ok(verdict.map_or(String::new(), |verdict| verdict.as_str().to_owned()))
    };
    let verdict =
        index.derived(&claims, &ids, derive).inspect_err(|error: &ReportError| say_skipped(error));
    verdict.ok().filter(|verdict| !verdict.is_empty())
}

/// An experiment as JSON, with nothing known of it but a fault.
fn experiment(name: &str, fault: Option<&str>) -> Value {
    json!({
        "name": name, "fault": fault, "dataset": null, "published": null, "n_seeds": null,
        "latest": null, "verdict": null, "other_versions": [], "unfinished": [],
    })
}

/// The latest result of the current spec; where there is none, that of another version.
struct Latest<'a> {
    run: Option<&'a Run>,
    is_current: bool,
    verdict: Option<String>,
}

impl<'a> Latest<'a> {
    fn of(
        versions: &'a Versions,
        name: &str,
        verdict: impl FnOnce(&Run) -> Option<String>,
    ) -> Self {
        let others = runs_of(&versions.others, name);
        // A foreign run is not a state of the experiment while there is a run of encore.
        let is_native = |run: &&Run| run.record.foreign.is_none();
        let current = runs_of(&versions.current, name).first().copied();
        if let Some(run) = current.filter(|run| is_native(run) || !others.iter().any(is_native)) {
            let verdict = report::first_run(&versions.current, name).and_then(verdict);
            return Self { run: Some(run), is_current: true, verdict };
        }
        Self { run: others.first().copied(), is_current: false, verdict: None }
    }

    fn text(&self, name: &str) -> String {
        let verdict = self.verdict.as_ref().map_or(String::new(), |it| format!("; {it}"));
        match self.run {
            None => format!("not run; encore run {name}"),
            Some(run) if self.is_current => format!("{}{verdict}", result(run)),
            Some(run) => format!("not run as the spec is now; before: {}", result(run)),
        }
    }

    fn object(&self) -> Value {
        let Some(run) = self.run else { return Value::Null };
        let record = &run.record;
        json!({
            "id": run.id, "accuracy": record.scored().classes().map(|scores| scores.accuracy),
            "metric": Metric::main(record.data.task).as_str(), "score": record.scored().main(),
            "dataset": record.data.dataset,
            "seed": record.seed, "started": record.timings.started,
            "is_of_current_spec": self.is_current, "is_shortened": !record.cut.is_empty(),
            "is_foreign": record.foreign.is_some(),
        })
    }
}

/// The latest result of every other version, the latest version first.
fn others(versions: &Versions, name: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut runs = runs_of(&versions.others, name);
    runs.retain(|run| seen.insert(&run.record.spec_hash));
    let line = |run: &&Run| {
        let hash = run.record.spec_hash.get(..8).unwrap_or_default();
        format!("{name}@{hash}: {}", result(run))
    };
    runs.iter().map(line).collect()
}

/// An experiment's runs, those of encore before foreign ones, the latest first.
fn runs_of<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    let mut mine: Vec<&Run> = runs.iter().filter(|run| run.record.experiment == name).collect();
    mine.sort_by_key(|run| {
        let record = &run.record;
        (record.foreign.is_some(), Reverse((&record.timings.started, record.seed)))
    });
    mine
}

fn result(run: &Run) -> String {
    let record = &run.record;
    let (score, dataset, seed) = (record.scored().main(), &record.data.dataset, record.seed);
    let metric = match record.data.task {
        Task::Classes => String::new(),
        task => format!("{} ", Metric::main(task).words()),
    };
    let foreign = if record.foreign.is_some() { "foreign, " } else { "" };
    let cut = match (&run.other_version, record.cut.is_empty()) {
        (Some(words), _) => format!(", {words}"),
        (None, false) => ", shortened run".to_owned(),
        (None, true) => String::new(),
    };
    let day = &record.timings.started[..10];
    format!("{metric}{score:.3} on {dataset}, {foreign}seed {seed}, {day}{cut}")
}

/// Checks every manifest and spec, and says all faults at once.
pub(super) fn check(project: &Project) -> Done {
    // Their faults are reported below, together.
    let library = Library::open(&project.root.join("experiments"))?;
    let catalogue = Catalogue::open(&project.root.join("datasets"))?;
    let mut faults: Vec<Fault> = catalogue.invalid().flat_map(|faults| faults.0.clone()).collect();
    faults.extend_from_slice(library.unreadable());
    if let Err(Faults(found)) = ProjectSettings::read(&project.root, &library) {
        faults.extend(found);
    }
    let mut warnings = vec![];
    for name in library.names() {
        match Plan::read(name, &library, &catalogue, &Options::default()) {
            Ok(plan) => {
                if let Err(found) = check_sweep(&plan, &catalogue) {
                    faults.extend(found.0);
                }
                let found = plan.spec.warnings();
                warnings.extend(found.iter().map(|warning| format!("{}: {warning}", plan.origin)));
            }
            Err(PlanError::Spec(found)) => faults.extend(found.0),
            Err(error) => {
                faults.push(Fault { origin: name.clone(), line: 0, message: error.to_string() });
            }
        }
    }
    let own = catalogue.manifests().filter(|manifest| !catalogue.is_built_in(&manifest.name));
    let (n_specs, n_datasets) = (library.names().len(), own.count());
    let object = |Fault { origin, line, message }: &Fault| json!({ "origin": origin, "line": line, "message": message });
    json::put("faults", faults.iter().map(object).collect::<Vec<_>>());
    json::put("warnings", &warnings);
    json::put("n_experiments", n_specs);
    json::put("n_datasets", n_datasets);
    if !faults.is_empty() {
        return Err(Faults(faults).into());
    }
    for warning in warnings {
        println!("warning: {warning}");
    }
    let counted = |n: usize, noun: &str| match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    };
    let (specs, datasets) = (counted(n_specs, "experiment"), counted(n_datasets, "dataset"));
    println!("{specs} and {datasets} are valid");
    Ok(())
}

/// Writes a new spec.
pub(super) fn new(project: &Project, name: &str, from: &str) -> Done {
    let library = project.library()?;
    let (from, text) = library.text(from).map_err(Failure::Usage)?;
    let file = library.new_file(name).map_err(Failure::Usage)?;
    // Under its own name, a built-in spec stays what it is, with its claims.
    let text = if from == name { text } else { derive_spec(&text, &from, name) };
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    crate::disk::write_whole(&file, text.as_bytes())?;
    println!("wrote {}; edit it, then: encore run {name}", file.display());
    json::put("spec", file.display().to_string());
    Ok(())
}
