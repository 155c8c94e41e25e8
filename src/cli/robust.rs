//! `robust`: how good models are on degraded recordings.

use std::io::IsTerminal;

use serde_json::json;

use super::compare::failure;
use super::progress::Progress;
use super::robust_arguments::Robust;
use super::runs::jobs;
use super::{Done, Failure, Project, json, say_skipped, trust, versions};
use crate::audio::Degradation;
use crate::dataset::Catalogue;
use crate::experiment::{self, Measured, Plan, Shrink, UNDEGRADED};
use crate::record::Run;
use crate::report;

/// Measures what is missing, and shows scores, differences and the figure.
pub(super) fn robust(project: &Project, arguments: &Robust) -> Done {
    let Robust { names, with, jobs: n_jobs, trust: is_trusted } = arguments;
    let mut degradations: Vec<Degradation> = vec![];
    for text in with {
        let found = experiment::degradations(text)
            .map_err(|error| Failure::Usage(format!("--with \"{text}\": {error}")))?;
        degradations.extend(found);
    }
    if with.is_empty() {
        degradations = experiment::usual_degradations();
    }
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let (store, progress) = (project.store(), Progress::new(1));
    let runs = project.finished_and(names)?;
    let runs = versions(runs, &library, &catalogue, Shrink::default()).with_searches();
    let failed = |error| failure(error, &library, &runs);
    let meant = report::meant(&runs, names).map_err(failed)?;
    ask(project, &meant, &catalogue, *is_trusted)?;
    let workspace = project.workspace(&catalogue, &store, &progress);
    let is_terminal = std::io::stderr().is_terminal();
    let on_track = |what: &str, n_done: usize, n: usize| {
        // Lines are one a degradation.
        if is_terminal || n_done == n {
            progress.step(what, n_done, n);
        }
    };
    let measure = || experiment::measure(&meant, &degradations, workspace, &on_track);
    let Measured { notes, skipped, n_computed, n_known } = match jobs(*n_jobs)? {
        None => measure()?,
        Some(n) => {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
            pool.map_err(anyhow::Error::from)?.install(measure)?
        }
    };
    for track in &skipped {
        say_skipped(format!("{}: {}", track.name, track.reason));
    }
    notes.iter().for_each(|note| eprintln!("note: {note}"));
    let mut texts = vec![UNDEGRADED.to_owned()];
    texts.extend(degradations.iter().map(ToString::to_string));
    let stored = store.degraded(experiment::ROBUST_VERSION);
    let folder = stored.root().to_owned();
    let found = report::robustness(&runs, names, &texts, &stored, &folder).map_err(failed)?;
    print!("{}", found.text);
    println!("{n_computed} results computed, {n_known} known before");
    println!("{}", found.figure.display());
    json::put("sides", &found.sides);
    json::put("points", &found.points);
    json::put("tests", &found.tests);
    json::put(
        "skipped",
        skipped
            .iter()
            .map(|it| json!({ "name": it.name, "reason": it.reason }))
            .collect::<Vec<_>>(),
    );
    json::put("notes", notes);
    json::put("n_computed", n_computed);
    json::put("n_known", n_known);
    json::put("figure", found.figure.display().to_string());
    Ok(())
}

/// Asks before the program of a run is started.
fn ask(project: &Project, runs: &[&Run], catalogue: &Catalogue, is_trusted: bool) -> Done {
    let is_program = |run: &&&Run| run.record.spec.pointer("/model/command").is_some();
    let of_programs = runs.iter().filter(is_program).filter(|run| run.record.foreign.is_none());
    let plans =
        of_programs.map(|run| Plan::of_run(run, catalogue)).collect::<Result<Vec<_>, _>>()?;
    trust::ask(project, &plans.iter().collect::<Vec<_>>(), is_trusted)
}
