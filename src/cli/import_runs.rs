//! `split`, `import-predictions` and `import-capsule`: runs that were made elsewhere.

use std::path::Path;

use super::foreign::plan;
use super::import_arguments::{ImportPredictions, SplitArguments, Which};
use super::progress::Progress;
use super::result_table::say_table;
use super::{Done, Failure, Project, json, versions};
use crate::experiment::{self, PredictionFiles, Shrink, VerifyError};
use crate::record::{Adopted, StoreError};
use crate::report;

/// Writes the split of a spec for another program, and says what leaks.
pub(super) fn split(project: &Project, arguments: &SplitArguments) -> Done {
    let (catalogue, store, progress) = (project.catalogue()?, project.store(), Progress::new(1));
    let SplitArguments { name, which: Which { seed, data, set }, out } = arguments;
    let (plan, seed) = plan(project, &catalogue, name, data, set, *seed)?;
    let workspace = project.workspace(&catalogue, &store, &progress);
    let written = experiment::export_split(&plan, seed, out, workspace)?;
    let [n_train, n_valid, n_test] = written.n;
    println!("seed {seed}: {n_train} training, {n_valid} validation and {n_test} test examples");
    let leaks = written.audit.leaks.iter().filter(|leak| leak.n_test > 0);
    let leaks: Vec<String> =
        leaks.map(|leak| format!("{} test examples {}", leak.n_test, leak.kind.words())).collect();
    for leak in &leaks {
        println!("warning: the split leaks: {leak}");
    }
    let [split, classes] =
        [&written.split, &written.classes].map(|path| path.display().to_string());
    println!("{split}\n{classes}");
    json::put("seed", seed);
    json::put("n_train", n_train);
    json::put("n_valid", n_valid);
    json::put("n_test", n_test);
    json::put("leaks", leaks);
    json::put("split", split);
    json::put("classes", classes);
    Ok(())
}

/// Makes predictions of another program a run, and shows its row.
pub(super) fn import_predictions(project: &Project, arguments: &ImportPredictions) -> Done {
    let ImportPredictions { name, file, which, epochs, split, model, forbid_leaks } = arguments;
    let Which { seed, data, set } = which;
    if let Some(model) = model.as_ref().filter(|it| it.trim().is_empty() || it.trim() != *it) {
        return Err(Failure::Usage(format!(
            "--model: expected a name without outer spaces, found {model:?}"
        )));
    }
    let (library, catalogue) = (project.library()?, project.catalogue()?);
    let (store, progress) = (project.store(), Progress::new(1));
    let (plan, seed) = plan(project, &catalogue, name, data, set, *seed)?;
    let files = PredictionFiles {
        predictions: file.clone(),
        epochs: epochs.clone(),
        split: split.clone(),
        model: model.clone(),
    };
    let workspace = project.workspace(&catalogue, &store, &progress);
    let run = experiment::import_predictions(&plan, seed, &files, *forbid_leaks, workspace)?;
    let (id, folder) = (run.id.clone(), run.folder.display().to_string());
    run.record.model.notes.iter().for_each(|note| println!("{note}"));
    json::put("notes", &run.record.model.notes);
    // It is labelled where it is not what the spec says.
    let runs = versions(vec![run], &library, &catalogue, Shrink::default()).all();
    let options = report::Options::in_order(vec![plan.name.clone()]);
    say_table(&report::table(&runs, &options)?);
    println!("{folder}");
    json::put("id", id);
    json::put("folder", folder);
    Ok(())
}

/// Checks a capsule and adds its runs. A run that is here with other results stays as it is.
pub(super) fn import_capsule(project: &Project, file: &Path) -> Done {
    let adopted =
        experiment::import_capsule(file, &project.store()).map_err(|error| match error {
            // A file that can't be read is not encore's fault.
            VerifyError::Store(StoreError::Io { path, source }) if path == file => {
                Failure::Data(format!("{}: {source}", path.display()))
            }
            error => error.into(),
        })?;
    let (mut added, mut known, mut differing, mut unreadable) = (vec![], vec![], vec![], vec![]);
    for (id, adopted) in adopted {
        match adopted {
            Adopted::Added => {
                println!("added {id}");
                added.push(id);
            }
            Adopted::Known => {
                println!("known {id}");
                known.push(id);
            }
            Adopted::Differs(what) => {
                println!("differs {id}: {what}; the run here stays");
                differing.push(id);
            }
            Adopted::Unreadable(error) => {
                println!("not added {id}: the run here cannot be read");
                let reason = error.to_string().lines().next().unwrap_or_default().to_owned();
                unreadable.push(format!(
                    "{reason}\nhint: encore runs remove {id}, then import the capsule again"
                ));
            }
        }
    }
    json::put("added", added);
    json::put("known", known);
    json::put("differing", &differing);
    if !unreadable.is_empty() {
        return Err(Failure::Data(unreadable.join("\n")));
    }
    if !differing.is_empty() {
        return Err(Failure::Differs(format!(
            "{}: the results of {} differ from those here",
            file.display(),
            differing.join(", ")
        )));
    }
    Ok(())
}
