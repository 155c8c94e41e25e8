//! `verify`.

use std::path::Path;

use serde_json::{Value, json};

use super::progress::Progress;
use super::result_table::say_table;
use super::{Done, Failure, Project, json, trust};
use crate::experiment::{self, Plan, Repetition, VerifyError};
use crate::metrics::Metric;
use crate::record::{Capsule, Run, StoreError, pack_capsule};
use crate::report;
use crate::vocab::nearest;

/// The versions of all libraries that this program was built from.
const LOCK: &str = include_str!("../../Cargo.lock");

/// Packs runs into a capsule: each named run, and of each named experiment those of the current version of its
/// spec, or of other versions if there are none.
pub(super) fn capsule(project: &Project, names: &[String], out: &Path) -> Done {
    let (current, others) = project.recorded(names)?;
    let mut runs: Vec<Run> = vec![];
    for name in names {
        let mut found: Vec<&Run> = current.iter().filter(|run| run.is_named(name)).collect();
        if found.is_empty() {
            found = others.iter().filter(|run| run.is_named(name)).collect();
            if found.iter().any(|run| run.id != *name) {
                eprintln!(
                    "note: {name} has no finished run of the current version of its spec; runs of other \
                     versions are packed"
                );
            }
        }
        if found.is_empty() {
            let all = current.iter().chain(&others);
            let known = all.flat_map(|run| [run.id.as_str(), &run.record.experiment]);
            let hint = nearest(name, known)
                .map_or(String::new(), |near| format!(", did you mean {near}?"));
            return Err(Failure::Data(format!("no finished run of `{name}`{hint}")));
        }
        let is_new = |run: &&&Run| runs.iter().all(|known| known.id != run.id);
        let new: Vec<Run> = found.iter().filter(is_new).map(|run| (*run).clone()).collect();
        runs.extend(new);
    }
    let capsule = pack_capsule(&runs, LOCK, out)?;
    let size = std::fs::metadata(out)?.len();
    println!("{}: {} runs, {} files, {size} bytes", out.display(), runs.len(), capsule.files.len());
    json::put("file", out.display().to_string());
    json::put("runs", runs.iter().map(|run| &run.id).collect::<Vec<_>>());
    json::put("n_files", capsule.files.len());
    json::put("bytes", size);
    Ok(())
}

/// Checks every byte of a capsule and prints the table computed from its predictions.
fn verify_capsule(project: &Project, file: &Path) -> Done {
    let folder = project.reports().join(format!(".capsule-{}", std::process::id()));
    let checked = experiment::verify_capsule(file, &folder).map_err(|error| match error {
        VerifyError::Store(StoreError::Changed { .. }) | VerifyError::Other(_) => {
            Failure::Differs(error.to_string())
        }
        // Without a capsule that can be read, nothing was compared.
        VerifyError::Store(StoreError::Io { .. }) => Failure::Data(error.to_string()),
        error => error.into(),
    });
    let shown = checked.and_then(|(capsule, runs)| {
        let mut order: Vec<String> = runs.iter().map(|run| run.record.experiment.clone()).collect();
        order.dedup();
        say_table(&report::table(&runs, &report::Options::in_order(order))?);
        json::put("file", file.display().to_string());
        json::put("runs", runs.iter().map(|run| &run.id).collect::<Vec<_>>());
        let Capsule { encore, rustc, target, .. } = &capsule;
        json::put("packed_by", json!({ "encore": encore, "rustc": rustc, "target": target }));
        println!(
            "{}: {} runs, every byte verified, scores equal to those of the predictions; packed by encore {}, {}, {}",
            file.display(), runs.len(), capsule.encore, capsule.rustc, capsule.target
        );
        Ok(())
    });
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    shown
}

/// Repeats a finished run and compares the outputs, or checks a capsule.
pub(super) fn verify(project: &Project, id: &str, is_trusted: bool) -> Done {
    let is_path = Path::new(id).extension().is_some_and(|end| end == "zst");
    if is_path || Path::new(id).is_file() {
        return verify_capsule(project, Path::new(id));
    }
    let (store, catalogue) = (project.store(), project.catalogue()?);
    let Some(run) = store.read(id)? else {
        let runs = project.finished()?;
        let hint = match nearest(id, runs.iter().map(|run| run.id.as_str())) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("run ids are the folder names in {}", store.root().display()),
        };
        return Err(Failure::Data(format!("run `{id}` not found; {hint}")));
    };
    let is_foreign = run.record.foreign.is_some();
    if run.record.spec.pointer("/model/command").is_some() && !is_foreign {
        trust::ask(project, &[&Plan::of_run(&run, &catalogue)?], is_trusted)?;
    }
    let progress = Progress::new(1);
    let found = experiment::verify(&run, project.workspace(&catalogue, &store, &progress))?;
    let Repetition { curves, model, predictions, score: [was, is], .. } = found;
    for (what, is_same) in [("curves", curves), ("model", model), ("predictions", predictions)] {
        println!("{what:12} {}", if is_same { "bit-identical" } else { "DIFFERENT" });
    }
    let metric = Metric::main(run.record.data.task);
    println!("{:12} {was} recorded, {is} repeated", metric.words());
    json::put("id", id);
    json::put("identical", json!({ "curves": curves, "model": model, "predictions": predictions }));
    let score = json!({ "recorded": was, "repeated": is });
    json::put("metric", metric.as_str());
    json::put("accuracy", if metric == Metric::Accuracy { score.clone() } else { Value::Null });
    json::put("score", score);
    json::put("score_difference", found.scores_apart);
    if found.is_equal() {
        return Ok(());
    }
    if let (Some(apart), true) = (found.scores_apart, found.is_close()) {
        println!(
            "{:12} equal within {}: the largest difference is {apart:.6}",
            "scores",
            Repetition::TOLERANCE
        );
        println!("the bits differ, which is up to the program; the scores do not");
        return Ok(());
    }
    let code = &run.record.code;
    Err(Failure::Differs(format!(
        "the repetition of {id} differs; the run was trained by encore {} on {}",
        code.version, code.device
    )))
}

impl From<VerifyError> for Failure {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Plan(error) => error.into(),
            VerifyError::Run(error) => error.into(),
            VerifyError::Store(error) => error.into(),
            VerifyError::Other(message) => Self::Data(message),
        }
    }
}
