//! `compare`.

use super::{Done, Failure, Project};
use crate::report::{self, CompareError};
use crate::vocab::nearest;

/// Holds experiments or runs against each other.
pub(super) fn compare(project: &Project, names: &[String]) -> Done {
    let runs = project.finished()?;
    match report::compare(&runs, names) {
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
