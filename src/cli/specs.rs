//! `list`, `check` and `new`.

use super::{Done, Failure, Project, say_skipped, unfinished, width};
use crate::dataset::Catalogue;
use crate::experiment::{Library, Options, Plan, PlanError, derive_spec};
use crate::record::Run;
use crate::schema::{Fault, Faults};

/// One line per experiment: dataset, claim, latest result. Below it, its unfinished runs.
pub(super) fn list(project: &Project) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    // Without its runs, a list still names the experiments.
    let runs = match project.store().finished() {
        Ok((runs, damaged)) => {
            damaged.iter().for_each(say_skipped);
            runs
        }
        Err(error) => {
            say_skipped(error);
            vec![]
        }
    };
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
        println!("{name:wide$} {asked:dataset$} {claim:9} {n_seeds:<5} {}", latest(&runs, name));
        for line in unfinished::lines(&begun, name, &plan.spec_hash) {
            println!("{:wide$} {line}", "");
        }
    }
    Ok(())
}

fn latest(runs: &[Run], name: &str) -> String {
    let of_name = runs.iter().map(|run| &run.record).filter(|record| record.experiment == name);
    let Some(record) = of_name.max_by(|a, b| a.timings.started.cmp(&b.timings.started)) else {
        return format!("not run; encore run {name}");
    };
    let (accuracy, dataset, seed) = (record.test.accuracy, &record.data.dataset, record.seed);
    let cut = if record.cut.is_empty() { String::new() } else { ", shortened run".to_owned() };
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
    std::fs::write(&file, text)?;
    println!("wrote {}; edit it, then: encore run {name}", file.display());
    Ok(())
}
