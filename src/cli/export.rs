//! `export`.

use super::compare::failure;
use super::export_arguments::{Export, ToFolder, Which};
use super::{Done, Failure, Project, json, say_skipped, signals};
use crate::export::{self, ExportError};
use crate::record::Run;
use crate::report::CompareError;

pub(super) fn export(project: &Project, command: &Export) -> Done {
    let store = project.store();
    match command {
        Export::Parquet(ToFolder { which, out }) => {
            let runs = runs(project, which)?;
            let files = export::write_tables(&store, &runs, out)?;
            json::put("n_runs", runs.len());
            json::put("files", files.iter().map(|it| it.display().to_string()).collect::<Vec<_>>());
            files.iter().for_each(|file| println!("{}", file.display()));
        }
        Export::Tensorboard(ToFolder { which, out }) => {
            let runs = runs(project, which)?;
            let folders = export::write_events(&runs, out)?;
            json::put("n_runs", runs.len());
            let names: Vec<String> = folders.iter().map(|it| it.display().to_string()).collect();
            json::put("folders", names);
            println!(
                "{} runs in {}; see them: tensorboard --logdir {0}",
                runs.len(),
                out.display()
            );
        }
        Export::Mlflow { which, to } => {
            let runs = runs(project, which)?;
            let told = |id: &str, is_new: bool| {
                eprintln!("{id}: {}", if is_new { "written" } else { "there already" });
            };
            let outcome = export::to_mlflow(to, &store, &runs, signals::caught(), &told)?;
            json::put("written", &outcome.written);
            json::put("there", &outcome.there);
            json::put("without_files", &outcome.without_files);
            println!(
                "{} runs written, {} there already",
                outcome.written.len(),
                outcome.there.len()
            );
            if !outcome.without_files.is_empty() {
                println!(
                    "the files of {} runs were not sent: the server keeps files elsewhere; start it with \
                     --serve-artifacts to send them",
                    outcome.without_files.len()
                );
            }
        }
    }
    Ok(())
}

/// The finished runs that are meant, by their ids.
fn runs(project: &Project, which: &Which) -> Result<Vec<Run>, Failure> {
    let Which { names } = which;
    let mut runs = project.finished_and(names)?;
    for name in names {
        if !runs.iter().any(|run| run.is_named(name)) {
            return Err(failure(CompareError::NoRun(name.clone()), &project.library()?, &runs));
        }
    }
    runs.retain(|run| {
        if names.is_empty() {
            !run.record.is_trial()
        } else {
            names.iter().any(|name| run.is_named(name))
        }
    });
    // A damaged run is named, and the others are exported.
    runs.retain(|run| match run.check_results() {
        Ok(()) => true,
        Err(error) => {
            say_skipped(error);
            false
        }
    });
    if runs.is_empty() {
        return Err(Failure::Data("no finished run to export\nhint: encore run NAME".to_owned()));
    }
    runs.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(runs)
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Store(error) => error.into(),
            ExportError::Report(error) => error.into(),
            ExportError::Io { .. } => Self::Data(error.to_string()),
            ExportError::Server { .. } => Self::Later(error.to_string()),
            ExportError::Stopped => Self::Stopped("stopped; the same command continues".to_owned()),
        }
    }
}
