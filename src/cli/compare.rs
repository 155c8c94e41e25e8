//! `compare`.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{Done, Failure, Project, json, say_hidden, say_skipped, versions};
use crate::experiment::{Library, Shrink};
use crate::record::Run;
use crate::report::{self, CompareError};
use crate::vocab::nearest;

/// Digits of a spec's hash that name a version.
const SHORT: usize = 8;

/// The runs that names mean.
fn named(runs: &[Run], names: &[String]) -> Vec<Run> {
    let is_named = |run: &&Run| names.iter().any(|name| is_meant(run, name));
    runs.iter().filter(is_named).cloned().collect()
}

/// Whether a name is a run's, its experiment's, or that of a version of its experiment.
fn is_meant(run: &Run, name: &str) -> bool {
    let is_version = |(experiment, _): (&str, &str)| run.record.experiment == experiment;
    run.is_named(name) || name.rsplit_once('@').is_some_and(is_version)
}

/// Holds experiments or runs against each other.
pub(super) fn compare(project: &Project, names: &[String], all_versions: bool) -> Done {
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let runs = project.finished_and(names)?;
    let runs = versions(runs, &library, &catalogue, Shrink::default()).with_searches();
    let names: Vec<String> = if all_versions {
        names.iter().flat_map(|name| versions_of(name, &runs)).collect()
    } else {
        names.to_vec()
    };
    let is_known = |name: &String| runs.iter().any(|run| run.is_named(name)) || !all_versions;
    if let Some(name) = names.first().filter(|name| names.len() == 1 && is_known(name)) {
        let more = if all_versions {
            format!("{name} has runs of one version only")
        } else {
            "with --all-versions one experiment is enough".to_owned()
        };
        return Err(Failure::Usage(format!("2 values required by `compare`, found 1; {more}")));
    }
    let compared = match report::comparison(&runs, &names) {
        Err(CompareError::Report(error)) if error.is_of_run() => {
            let (whole, damaged) = report::whole(named(&runs, &names), None);
            damaged.iter().for_each(say_skipped);
            let is_enough = names.iter().all(|name| whole.iter().any(|run| is_meant(run, name)));
            if damaged.is_empty() || !is_enough {
                return Err(error.into());
            }
            report::comparison(&whole, &names)
        }
        other => other,
    };
    match compared {
        Ok(comparison) => {
            print!("{}", comparison.text);
            json::put("sides", &comparison.sides);
            json::put("tests", &comparison.tests);
            json::put("n_other_versions_hidden", 0);
            // An experiment without a run of the current version is compared by its others.
            let (current, others): (Vec<&Run>, Vec<&Run>) =
                runs.iter().partition(|run| run.other_version.is_none());
            let current: BTreeSet<&String> =
                current.into_iter().map(|run| &run.record.experiment).collect();
            let is_left_out = |run: &&&Run| {
                let experiment = &run.record.experiment;
                let is_version = |name: &String| name.starts_with(&format!("{experiment}@"));
                let is_named = names.contains(experiment) && !names.iter().any(is_version);
                is_named && !run.is_of_study && current.contains(experiment)
            };
            if !all_versions {
                say_hidden(others.iter().filter(is_left_out).count());
            }
            Ok(())
        }
        Err(error) => Err(failure(error, &library, &runs)),
    }
}

/// What to tell of runs that can't be compared.
pub(super) fn failure(error: CompareError, library: &Library, runs: &[Run]) -> Failure {
    match error {
        CompareError::NoRun(name) => {
            if library.names().contains(&name) {
                return Failure::Data(format!(
                    "no finished run of `{name}`\nhint: encore run {name}"
                ));
            }
            let known = library.names().iter().chain(runs.iter().map(|run| &run.id));
            let hint = match nearest(&name, known.map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "encore list shows the experiments".to_owned(),
            };
            Failure::Usage(format!("unknown experiment or run `{name}`; {hint}"))
        }
        CompareError::Incompatible(message) => Failure::Usage(message),
        CompareError::Report(error) => error.into(),
    }
}

/// An experiment's versions that have runs, as names for `compare`: the current one, then the others,
/// the latest first. Any other name stays what it is.
fn versions_of(name: &str, runs: &[Run]) -> Vec<String> {
    let mut mine: Vec<&Run> = runs.iter().filter(|run| run.record.experiment == name).collect();
    mine.sort_by_key(|run| Reverse(&run.record.timings.started));
    let version = |run: &&Run| match run.other_version {
        _ if run.record.foreign.is_some() => format!("{name}@foreign"),
        None => name.to_owned(),
        Some(_) => format!("{name}@{}", run.record.spec_hash.get(..SHORT).unwrap_or_default()),
    };
    let mut versions: Vec<String> = mine.iter().map(version).collect();
    versions.sort_by_key(|version| version != name);
    let mut seen = BTreeSet::new();
    versions.retain(|version| seen.insert(version.clone()));
    if versions.is_empty() { vec![name.to_owned()] } else { versions }
}
