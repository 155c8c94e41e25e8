//! The command line: commands, progress, exit codes. The only room that prints.

#[macro_use]
mod output;

mod arguments;
mod claims;
mod common_arguments;
mod compare;
mod data;
mod data_arguments;
mod degrade;
mod early_page;
mod editor;
mod export;
mod export_arguments;
mod failure;
mod features;
mod fetch;
mod foreign;
mod gc;
mod import_arguments;
mod import_outcome;
mod import_runs;
mod init;
mod json;
mod live_events;
mod new_data;
mod page;
mod playlist;
mod plot;
mod plot_arguments;
mod plot_compare;
mod predict;
mod prediction_output;
mod progress;
mod question;
mod result_table;
mod robust;
mod robust_arguments;
mod run_ids;
mod run_marks;
mod run_query;
mod runs;
mod runs_arguments;
mod serve;
mod serve_arguments;
mod serve_model;
mod signals;
mod similar;
mod similar_arguments;
mod song_map;
mod songs;
mod specs;
mod spotify;
mod studies;
mod study_arguments;
mod sweep;
mod sweep_arguments;
mod trust;
mod unfinished;
mod verify;
mod watch;
mod why;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{CommandFactory, FromArgMatches};

use self::arguments::{Arguments, Command};
use self::failure::{Done, Failure};
use crate::dataset::Catalogue;
use crate::experiment::{self, Library, Observer, ProjectSettings, Shrink, Versions, Workspace};
use crate::process;
use crate::record::{Run, Store};
use crate::report::{self, ReportError};
use crate::schema::Faults;

/// The project folder and the paths in it.
struct Project {
    root: PathBuf,
}

impl Project {
    /// The settings of `encore.toml`; with its faults named, the defaults.
    fn settings(&self, library: &Library) -> ProjectSettings {
        ProjectSettings::read(&self.root, library).unwrap_or_else(|Faults(faults)| {
            faults.iter().for_each(|fault| eprintln!("invalid: {fault}"));
            ProjectSettings::default()
        })
    }

    /// The specs. Names the folders that can't be read.
    fn library(&self) -> Result<Library, Failure> {
        let library = Library::open(&self.root.join("experiments"))?;
        library.unreadable().iter().for_each(say_skipped);
        Ok(library)
    }

    /// The datasets. Names the invalid manifests.
    fn catalogue(&self) -> Result<Catalogue, Failure> {
        let catalogue = Catalogue::open(&self.root.join("datasets"))?;
        for Faults(faults) in catalogue.invalid() {
            let Some(first) = faults.first() else { continue };
            match faults.len() {
                1 => say_skipped(first),
                2 => say_skipped(format!("{first}; 1 more fault: encore check")),
                n => say_skipped(format!("{first}; {} more faults: encore check", n - 1)),
            }
        }
        Ok(catalogue)
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

    /// The finished runs of the page, and archived ones that are named by their ids. Those of searches have
    /// settings that no spec has, and are there only if they are named.
    fn finished_and(&self, names: &[String]) -> Result<Vec<Run>, Failure> {
        let (mut runs, store) = (self.finished()?, self.store());
        runs.retain(|run| run.record.search.is_none() || names.contains(&run.id));
        for name in names.iter().filter(|name| store.is_archived(name)) {
            match store.read(name) {
                Ok(run) => runs.extend(run),
                Err(error) => say_skipped(error),
            }
        }
        Ok(runs)
    }

    /// Runs as they were recorded, and archived ones that are named by their ids: those of the current versions
    /// of their specs, and all others.
    fn recorded(&self, names: &[String]) -> Result<(Vec<Run>, Vec<Run>), Failure> {
        let runs = self.finished_and(names)?;
        // Run folders can be used without any specs.
        let Ok(library) = Library::open(&self.root.join("experiments")) else {
            return Ok((runs, vec![]));
        };
        let catalogue = self.catalogue()?;
        let versions = versions(runs.clone(), &library, &catalogue, Shrink::default());
        let current: BTreeSet<String> = versions.current.into_iter().map(|run| run.id).collect();
        Ok(runs.into_iter().partition(|run| current.contains(&run.id)))
    }

    /// The store whose archived runs count too, if so asked.
    fn store_with(&self, archived: bool) -> Store {
        if archived { self.store().with_archived() } else { self.store() }
    }
}

/// The finished runs of a store; those that are damaged are named and left out.
fn finished(store: &Store) -> Result<Vec<Run>, Failure> {
    let (runs, damaged) = store.finished()?;
    damaged.iter().for_each(say_skipped);
    Ok(runs)
}

/// Makes something from runs. If the files of some are damaged, names these and makes it from the
/// others, unless there are no others. The options that `make` gets name what is left out.
fn from_whole<T>(
    runs: Vec<Run>,
    options: &report::Options,
    make: impl Fn(&[Run], &report::Options) -> Result<T, ReportError>,
) -> Result<T, Failure> {
    let error = match make(&runs, options) {
        Err(error) if error.is_of_run() => error,
        other => return Ok(other?),
    };
    let (whole, damaged) = report::whole(runs, options.scores.as_deref());
    if damaged.is_empty() || whole.is_empty() {
        return Err(error.into());
    }
    damaged.iter().for_each(say_skipped);
    let mut options = options.clone();
    options.skipped.extend(damaged.iter().map(|error| one_line(error)));
    Ok(make(&whole, &options)?)
}

/// Prints a line on the error output, each only once.
fn say_once(line: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().expect("no holder of the lines panics").insert(line.to_owned()) {
        eprintln!("{line}");
    }
}

/// Names something that is left out, with the reason and what to do, in one line; each only once.
fn say_skipped(what: impl std::fmt::Display) {
    say_once(&format!("skipped: {}", one_line(&what)));
}

/// A message with its hint in one line.
fn one_line(message: &dyn std::fmt::Display) -> String {
    message.to_string().replace("\nhint: ", "; ").replace('\n', "; ")
}

/// Runs as the current specs see them; specs that can't be read are named.
fn versions(runs: Vec<Run>, library: &Library, catalogue: &Catalogue, shrink: Shrink) -> Versions {
    let versions = Versions::of(runs, library, catalogue, shrink);
    for fault in &versions.unread {
        eprintln!("invalid: {fault}; its runs are shown as they were recorded");
    }
    versions
}

/// Whether two paths lead to the same existing file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Says how many runs are not shown because the specs are other ones now.
fn say_hidden(n_runs: usize) {
    json::put("n_other_versions_hidden", n_runs);
    if n_runs > 0 {
        let runs = if n_runs == 1 { "run" } else { "runs" };
        println!(
            "{n_runs} {runs} of other versions of the specs are not shown; see --all-versions"
        );
    }
}

/// How wide a column is that holds a title and some texts.
fn width<'a>(title: &'a str, texts: impl Iterator<Item = &'a str>) -> usize {
    texts.chain([title]).map(|text| text.chars().count()).max().unwrap_or(0)
}

/// The project folder that was given, or the nearest one from the current folder upwards.
fn project_root(given: Option<PathBuf>) -> PathBuf {
    let named = || std::env::var_os("ENCORE_PROJECT").filter(|path| !path.is_empty());
    if let Some(root) = given.or_else(|| named().map(PathBuf::from)) {
        // Paths in messages read better without a leading `./`.
        return if root == Path::new(".") { PathBuf::new() } else { root };
    }
    let depth = std::env::current_dir().map_or(1, |here| here.ancestors().count());
    let upwards = (0..depth).map(|n| std::iter::repeat_n("..", n).collect::<PathBuf>());
    let is_project = |root: &PathBuf| {
        let has_folders = || ["experiments", "datasets"].iter().all(|it| root.join(it).is_dir());
        root.join(ProjectSettings::FILE).is_file() || has_folders()
    };
    upwards.into_iter().find(is_project).unwrap_or_default()
}

/// Runs the command line and returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if arguments.json {
        json::turn_on();
    }
    let project = Project { root: project_root(arguments.root) };
    let done = match arguments.command {
        Command::Init { folder, example } => init::init(&folder, example),
        Command::Reproduce(arguments) => runs::reproduce(&project, &arguments),
        Command::Run(arguments) => runs::run(&project, &arguments),
        Command::Verify { run, trust } => verify::verify(&project, &run, trust),
        Command::Capsule { runs, out } => verify::capsule(&project, &runs, &out),
        Command::LrFind(arguments) => foreign::lr_find(&project, &arguments),
        Command::ImportWeights(arguments) => foreign::import_weights(&project, &arguments),
        Command::Split(arguments) => import_runs::split(&project, &arguments),
        Command::ImportPredictions(arguments) => {
            import_runs::import_predictions(&project, &arguments)
        }
        Command::ImportCapsule { file } => import_runs::import_capsule(&project, &file),
        Command::Plot(arguments) => plot::plot(&project, &arguments),
        Command::DoRun => experiment::do_runs(signals::caught()).map_err(Failure::Usage),
        Command::Supervise => process::supervise().map_err(Failure::Usage),
        Command::Become { parent, run } => Err(Failure::Usage(process::replace_by(parent, &run))),
        Command::Report(arguments) => runs::report(&project, &arguments),
        Command::Claims { archived, strict, all_versions } => {
            claims::claims(&project, archived, strict, all_versions)
        }
        Command::Compare { names, all_versions } => {
            compare::compare(&project, &names, all_versions)
        }
        Command::Sweep(arguments) => sweep::sweep(&project, &arguments),
        Command::Curve(arguments) => studies::curve(&project, &arguments),
        Command::Ablate(arguments) => studies::ablate(&project, &arguments),
        Command::Robust(arguments) => robust::robust(&project, &arguments),
        Command::Predict(arguments) => predict::predict(&project, &arguments),
        Command::Embed(arguments) => similar::embed(&project, &arguments),
        Command::Similar(arguments) => similar::similar(&project, &arguments),
        Command::Playlist(arguments) => playlist::make_playlist(&project, &arguments),
        Command::List { archived, all_versions } => specs::list(&project, archived, all_versions),
        Command::Runs(arguments) => run_marks::runs(&project, &arguments),
        Command::Serve(arguments) => serve::serve(&project, &arguments),
        Command::ServeModel(arguments) => serve_model::serve_model(&project, &arguments),
        Command::Watch(arguments) => watch::watch(&project, &arguments),
        Command::Export(command) => export::export(&project, &command),
        Command::Gc(arguments) => gc::gc(&project, &arguments),
        Command::Check => specs::check(&project),
        Command::New { name, from } => specs::new(&project, &name, &from),
        Command::Data(command) => data::data(&project, &command),
        Command::Features(command) => features::features(&project, &command),
        Command::Spotify(command) => spotify::spotify(&project, &command),
        Command::Schema { kind, out } => editor::schema(kind, out.as_deref()),
        Command::Completions { shell } => {
            editor::completions(shell);
            Ok(())
        }
        Command::Man { folder } => editor::man(&folder),
        Command::Degrade(arguments) => degrade::degrade(&arguments),
    };
    let done = done.and_then(|()| {
        let written = output::finish();
        written
            .map_err(|error| Failure::Internal(anyhow::anyhow!("cannot write the output: {error}")))
    });
    if let Some(text) = report::png_notice() {
        eprintln!("note: {text}");
    }
    // Where nothing else has said it.
    if let Some(text) = crate::disk::notice() {
        eprintln!("note: {text}");
    }
    let failed = done.err().map(Failure::into_parts);
    // Predictions are a stream of objects, one a line.
    let command = command_name(&matches);
    if json::is_on() && command != "predict" {
        let failure = failed.as_ref().map(|(code, message)| (*code, message.as_str()));
        output::document(&json::document(&command, failure));
        if let Err(error) = output::finish() {
            eprintln!("error: cannot write the output: {error}");
            return ExitCode::from(1);
        }
    }
    let Some((code, message)) = failed else { return ExitCode::SUCCESS };
    match code {
        5 | 130 => eprintln!("{message}"),
        _ => eprintln!("error: {message}"),
    }
    ExitCode::from(code)
}

/// The command with its subcommand: `data list`.
fn command_name(matches: &clap::ArgMatches) -> String {
    let (mut names, mut matches) = (vec![], matches);
    while let Some((name, inner)) = matches.subcommand() {
        names.push(name);
        matches = inner;
    }
    names.join(" ")
}
