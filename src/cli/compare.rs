//! `compare`.

use super::{Done, Failure, Project, say_skipped};
use crate::record::Run;
use crate::report::{self, CompareError};
use crate::vocab::nearest;

/// The runs that names mean.
fn named(runs: &[Run], names: &[String]) -> Vec<Run> {
    let is_named = |run: &&Run| names.iter().any(|name| run.is_named(name));
    runs.iter().filter(is_named).cloned().collect()
}

/// Holds experiments or runs against each other.
pub(super) fn compare(project: &Project, names: &[String]) -> Done {
    let runs = project.finished()?;
    let compared = match report::compare(&runs, names) {
        Err(CompareError::Report(error)) if error.is_of_run() => {
            let (whole, damaged) = report::whole(&named(&runs, names));
            damaged.iter().for_each(say_skipped);
            let is_enough = names.iter().all(|name| whole.iter().any(|run| run.is_named(name)));
            if damaged.is_empty() || !is_enough {
                return Err(error.into());
            }
            report::compare(&whole, names)
        }
        other => other,
    };
    match compared {
        Ok(text) => {
            print!("{text}");
            Ok(())
        }
        Err(CompareError::NoRun(name)) => {
            let library = project.library()?;
            if library.names().contains(&name) {
                return Err(Failure::Data(format!(
                    "no finished run of `{name}`\nhint: encore run {name}"
                )));
            }
            let known = library.names().iter().chain(runs.iter().map(|run| &run.id));
            let hint = match nearest(&name, known.map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "encore list shows the experiments".to_owned(),
            };
            Err(Failure::Usage(format!("unknown experiment or run `{name}`; {hint}")))
        }
        Err(CompareError::Incompatible(message)) => Err(Failure::Usage(message)),
        Err(CompareError::Report(error)) => Err(error.into()),
    }
}
