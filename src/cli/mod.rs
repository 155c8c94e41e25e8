//! The command line: commands, progress, exit codes. The only room that prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is this room's job")]

mod arguments;
mod claims;
mod compare;
mod data;
mod degrade;
mod features;
mod fetch;
mod foreign;
mod import_outcome;
mod plot;
mod predict;
mod progress;
mod runs;
mod signals;
mod specs;
mod spotify;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use self::arguments::{Arguments, Command};
use crate::dataset::{Catalogue, DatasetError};
use crate::experiment::{self, Library, Observer, PlanError, RunError, Workspace};
use crate::fetch::FetchError;
use crate::record::{Run, Store};
use crate::schema::Faults;

/// The reason why a command failed, with its exit code.
#[derive(Debug)]
enum Failure {
    /// Something broke that should not: exit code 1.
    Internal(anyhow::Error),
    /// The command line or a spec is wrong: exit code 2.
    Usage(String),
    /// Data are missing: exit code 3.
    Data(String),
    /// A claim differs, and `--strict` was given, or a repetition does: exit code 4.
    Differs(String),
    /// A service asks to come back later, all saved: exit code 5.
    Later(String),
    /// Stopped by Ctrl-C or a signal, all saved: exit code 130.
    Stopped(String),
}

type Done = Result<(), Failure>;

/// The project folder and the paths in it.
struct Project {
    root: PathBuf,
}

impl Project {
    fn library(&self) -> Result<Library, Failure> {
        Ok(Library::open(&self.root.join("experiments"))?)
    }

    fn catalogue(&self) -> Result<Catalogue, Failure> {
        Ok(Catalogue::open(&self.root.join("datasets"))?)
    }

    fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    fn store(&self) -> Store {
        Store::new(self.reports().join("runs"))
    }

    fn workspace<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        store: &'a Store,
        observer: &'a dyn Observer,
    ) -> Workspace<'a> {
        Workspace { catalogue, store, project: &self.root, stop: signals::caught(), observer }
    }

    /// The finished runs of the page; those that are damaged are named and left out.
    fn finished(&self) -> Result<Vec<Run>, Failure> {
        finished(&self.store())
    }
}

/// The finished runs of a store; those that are damaged are named and left out.
fn finished(store: &Store) -> Result<Vec<Run>, Failure> {
    let (runs, damaged) = store.finished()?;
    for error in damaged {
        eprintln!("skipped: {error}");
    }
    Ok(runs)
}

/// How wide a column is that holds a title and some texts.
fn width<'a>(title: &'a str, texts: impl Iterator<Item = &'a str>) -> usize {
    texts.chain([title]).map(|text| text.chars().count()).max().unwrap_or(0)
}

/// Runs the command line and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // Paths in messages read better without a leading `./`.
    let root = if arguments.root == Path::new(".") { PathBuf::new() } else { arguments.root };
    let project = Project { root };
    let done = match arguments.command {
        Command::Reproduce(arguments) => runs::reproduce(&project, &arguments),
        Command::Run(arguments) => runs::run(&project, &arguments),
        Command::Verify { run } => verify::verify(&project, &run),
        Command::Capsule { runs, out } => verify::capsule(&project, &runs, &out),
        Command::LrFind(arguments) => foreign::lr_find(&project, &arguments),
        Command::ImportWeights(arguments) => foreign::import_weights(&project, &arguments),
        Command::Plot(arguments) => plot::plot(&project, &arguments),
        Command::DoRun => experiment::do_run(signals::caught()).map_err(Failure::Usage),
        Command::Report(arguments) => runs::report(&project, &arguments),
        Command::Claims { strict } => claims::claims(&project, strict),
        Command::Compare { names } => compare::compare(&project, &names),
        Command::Predict(arguments) => predict::predict(&project, &arguments),
        Command::List => specs::list(&project),
        Command::Check => specs::check(&project),
        Command::New { name, from } => specs::new(&project, &name, &from),
        Command::Data(command) => data::data(&project, &command),
        Command::Features(command) => features::features(&project, &command),
        Command::Spotify(command) => spotify::spotify(&project, &command),
        Command::Degrade(arguments) => degrade::degrade(&arguments),
    };
    // Where nothing else has said it.
    if let Some(text) = crate::disk::notice() {
        eprintln!("note: {text}");
    }
    let (code, message) = match done {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Internal(error)) => (1, format!("{error:#}")),
        Err(Failure::Usage(message)) => (2, message),
        Err(Failure::Data(message)) => (3, message),
        Err(Failure::Differs(message)) => (4, message),
        Err(Failure::Later(message)) => (5, message),
        Err(Failure::Stopped(message)) => (130, message),
    };
    match code {
        5 | 130 => eprintln!("{message}"),
        _ => eprintln!("error: {message}"),
    }
    ExitCode::from(code)
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        let n = faults.0.len();
        let count = if n == 1 { String::new() } else { format!("{n} faults\n") };
        Self::Usage(format!("{count}{faults}"))
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Spec(faults) => faults.into(),
            PlanError::Usage(message) | PlanError::OtherKind(message) => Self::Usage(message),
        }
    }
}

impl From<DatasetError> for Failure {
    fn from(error: DatasetError) -> Self {
        match error {
            DatasetError::Embedded(_)
            | DatasetError::Fetch { source: FetchError::Occupied { .. }, .. } => {
                Self::Usage(error.to_string())
            }
            DatasetError::Fetch { source: FetchError::Stopped { .. }, .. } => {
                Self::Stopped(error.to_string())
            }
            DatasetError::Fetch {
                source: FetchError::Io { .. } | FetchError::Space { .. },
                ..
            } => Self::Internal(error.into()),
            _ => Self::Data(error.to_string()),
        }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Dataset(error) => error.into(),
            RunError::Incompatible(reason) => Self::Data(reason),
            error @ RunError::Leaks { .. } => Self::Usage(error.to_string()),
            error @ RunError::Stopped { .. } => Self::Stopped(error.to_string()),
            error => Self::Internal(error.into()),
        }
    }
}

/// Converts errors that are not the user's fault.
macro_rules! internal {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::Internal(error.into())
            }
        }
    )*};
}
internal!(std::io::Error, crate::record::StoreError, crate::report::ReportError, anyhow::Error);
