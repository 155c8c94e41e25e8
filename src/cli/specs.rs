//! `list`, `check` and `new`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Done, Failure, Project, say_skipped, unfinished, width};
use crate::dataset::Catalogue;
use crate::experiment::{Library, Options, Plan, PlanError, Shrink, Versions, derive_spec};
use crate::record::Run;
use crate::report;
use crate::schema::{Fault, Faults};

/// One line per experiment: dataset, claim, latest result. Below it, other versions of its spec
/// where they are asked for, and its unfinished runs.
pub(super) fn list(project: &Project, all_versions: bool) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    // Without its runs, a list still names the experiments.
    let runs = match project.store().latest() {
        Ok((runs, damaged)) => {
            damaged.iter().for_each(say_skipped);
            runs
        }
        Err(error) => {
            say_skipped(error);
            vec![]
        }
    };
    // Specs that can't be read have a line of their own.
    let versions = Versions::of(runs, &library, &catalogue, Shrink::default());
    let begun = project.store().unfinished().unwrap_or_else(|error| {
        say_skipped(error);
        vec![]
    });
    let wide = width("experiment", library.names().iter().map(String::as_str));
    let datasets = catalogue.manifests().map(|manifest| manifest.name.as_str());
    let dataset = width("dataset", datasets);
    let (of_names, of_datasets) = ("experiment", "dataset");
    println!("{of_names:wide$} {of_datasets:dataset$} published seeds latest result");
    for name in library.names() {
        let plan = match Plan::read(name, &library, &catalogue, &Options::default()) {
            Ok(plan) => plan,
            Err(error) => {
                println!(
                    "{name:wide$} invalid: {}",
                    error.to_string().lines().next().unwrap_or_default()
                );
                continue;
            }
        };
        let claim =
            plan.spec.claims.first().map_or("-".to_owned(), |claim| format!("{:.3}", claim.value));
        let (asked, n_seeds) = (&plan.spec.asked, plan.spec.seeds.len());
        println!(
            "{name:wide$} {asked:dataset$} {claim:9} {n_seeds:<5} {}",
            latest(&versions, name)
        );
        if all_versions {
            others(&versions, name).iter().for_each(|line| println!("    {line}"));
        }
        for line in unfinished::lines(&begun, name, &plan.spec_hash) {
            println!("{:wide$} {line}", "");
        }
    }
    Ok(())
}

/// The latest result of the current spec; where there is none, that of another version.
fn latest(versions: &Versions, name: &str) -> String {
    if let Some(run) = runs_of(&versions.current, name).first() {
        let verdict = report::verdict(&versions.current, name).unwrap_or_else(|error| {
            say_skipped(error);
            None
        });
        let verdict = verdict.map_or(String::new(), |verdict| format!("; {}", verdict.as_str()));
        return format!("{}{verdict}", result(run));
    }
    let others = runs_of(&versions.others, name);
    match others.first() {
        None => format!("not run; encore run {name}"),
        Some(run) => format!("not run as the spec is now; before: {}", result(run)),
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

/// An experiment's runs, the latest first.
fn runs_of<'a>(runs: &'a [Run], name: &str) -> Vec<&'a Run> {
    let mut mine: Vec<&Run> = runs.iter().filter(|run| run.record.experiment == name).collect();
    mine.sort_by_key(|run| Reverse((&run.record.timings.started, run.record.seed)));
    mine
}

fn result(run: &Run) -> String {
    let record = &run.record;
    let (accuracy, dataset, seed) = (record.test.accuracy, &record.data.dataset, record.seed);
    let cut = match (&run.other_version, record.cut.is_empty()) {
        (Some(words), _) => format!(", {words}"),
        (None, false) => ", shortened run".to_owned(),
        (None, true) => String::new(),
    };
    format!("{accuracy:.3} on {dataset}, seed {seed}, {}{cut}", &record.timings.started[..10])
}

/// Checks every manifest and spec, and says all faults at once.
pub(super) fn check(project: &Project) -> Done {
    // Their faults are reported below, together.
    let library = Library::open(&project.root.join("experiments"))?;
    let catalogue = Catalogue::open(&project.root.join("datasets"))?;
    let mut faults: Vec<Fault> = catalogue.invalid().flat_map(|faults| faults.0.clone()).collect();
    faults.extend_from_slice(library.unreadable());
    let mut warnings = vec![];
    for name in library.names() {
        match Plan::read(name, &library, &catalogue, &Options::default()) {
            Ok(plan) => {
                let found = plan.spec.features.warnings();
                warnings.extend(found.iter().map(|warning| format!("{}: {warning}", plan.origin)));
            }
            Err(PlanError::Spec(found)) => faults.extend(found.0),
            Err(error) => {
                faults.push(Fault { origin: name.clone(), line: 0, message: error.to_string() });
            }
        }
    }
    if !faults.is_empty() {
        return Err(Faults(faults).into());
    }
    for warning in warnings {
        println!("warning: {warning}");
    }
    let (n_specs, n_datasets) = (library.names().len(), catalogue.manifests().count());
    println!("{n_specs} experiments and {n_datasets} datasets are valid");
    Ok(())
}

/// Writes a new spec.
pub(super) fn new(project: &Project, name: &str, from: &str) -> Done {
    let library = project.library()?;
    let (from, path) = library.find(from).map_err(Failure::Usage)?;
    let file = library.new_file(name).map_err(Failure::Usage)?;
    let text = derive_spec(&std::fs::read_to_string(path)?, &from, name);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    crate::disk::write_whole(&file, text.as_bytes())?;
    println!("wrote {}; edit it, then: encore run {name}", file.display());
    Ok(())
}
