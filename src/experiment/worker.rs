//! One run in a separate process, and the messages between both processes.
//!
//! The run's process reads one line of JSON, then does the run and writes an event a line. Its input
//! stays open as long as the parent wants it to continue. When the input closes, for whatever reason, the run
//! saves its state and stops. So a killed parent leaves no run behind.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::{RunContext, Workspace, code_facts};
use super::error::{Blame, RunError, guarded};
use super::event::{Event, Observer};
use super::inputs::Inputs;
use super::options::Options;
use super::plan::Plan;
use super::run::run;
use crate::dataset::Catalogue;
use crate::disk;
use crate::process;
use crate::record::Store;

/// The run that a process is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WorkerTask {
    pub(super) name: String,
    pub(super) origin: String,
    pub(super) text: String,
    pub(super) options: Options,
    pub(super) seed: u64,
    /// The run's name as the parent knows it: data or code must not have changed in between.
    pub(super) id: String,
    pub(super) project: PathBuf,
    pub(super) store: PathBuf,
    pub(super) n_threads: usize,
    pub(super) checkpoint_every: Duration,
    pub(super) forbid_leaks: bool,
    /// Whether the run may start the program that its spec names.
    pub(super) may_start_programs: bool,
}

/// A line that a run's process writes.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Event(Event),
    /// The run is done, or was found done.
    Done {
        found: bool,
    },
    Stopped {
        epoch: usize,
    },
    /// The split leaks, and that was forbidden.
    Leaks {
        label: String,
        leaks: String,
    },
    Failed {
        message: String,
        blame: Blame,
    },
}

/// How a run's process ended.
pub(super) enum End {
    Done { found: bool },
    Stopped { epoch: usize },
    Leaks { label: String, leaks: String },
    Failed { message: String, blame: Blame },
}

/// The input of a run's process, which works while its input is open.
#[derive(Debug)]
pub(super) struct Lifeline(Mutex<Option<ChildStdin>>);

impl Lifeline {
    /// Makes the process save and stop.
    pub(super) fn cut(&self) {
        drop(self.0.lock().expect("no holder of the input panics").take());
    }
}

/// Starts a process on a task; `program` is this program's own file.
pub(super) fn start(program: &Path, task: &WorkerTask) -> std::io::Result<(Child, Lifeline)> {
    let mut child = Command::new(program)
        .arg("do-run")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().expect("it was asked for just above");
    let mut line = serde_json::to_string(task).expect("a task is plain data");
    line.push('\n');
    input.write_all(line.as_bytes())?;
    Ok((child, Lifeline(Mutex::new(Some(input)))))
}

/// Passes a process's events on until it ends; how it did.
pub(super) fn follow(child: &mut Child, observer: &dyn Observer) -> std::io::Result<End> {
    let output = child.stdout.take().expect("it was asked for at the start");
    let errors = child.stderr.take().expect("it was asked for at the start");
    let errors = std::thread::spawn(move || {
        let lines = BufReader::new(errors).lines().map_while(Result::ok);
        lines.fold(String::new(), |mut all, line| {
            // The last words are what counts.
            if all.len() > 10_000 {
                all.clear();
            }
            all.push_str(&line);
            all.push('\n');
            all
        })
    });
    let mut end = None;
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            // Every process of a command finds out by itself that a file system has no locks.
            Ok(Line::Event(Event::Note { text, .. } | Event::FeaturesNote { text, .. }))
                if !disk::is_new_note(&text) => {}
            Ok(Line::Event(event)) => observer.event(&event),
            Ok(Line::Done { found }) => end = Some(End::Done { found }),
            Ok(Line::Stopped { epoch }) => end = Some(End::Stopped { epoch }),
            Ok(Line::Leaks { label, leaks }) => end = Some(End::Leaks { label, leaks }),
            Ok(Line::Failed { message, blame }) => end = Some(End::Failed { message, blame }),
            // A line cut off by a kill.
            Err(_) => {}
        }
    }
    let status = child.wait()?;
    let errors = errors.join().unwrap_or_default();
    let silent = || End::Failed { message: silent_end(status, &errors), blame: Blame::Program };
    Ok(end.unwrap_or_else(silent))
}

/// Says how a process ended that had no last word.
fn silent_end(status: ExitStatus, errors: &str) -> String {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let how = match signal {
        Some(9) => "was killed (signal 9), perhaps out of memory".to_owned(),
        Some(signal) => format!("was terminated by signal {signal}"),
        None => format!("exited with {status}"),
    };
    let said = errors.trim();
    let said = if said.is_empty() { String::new() } else { format!("; last output: {said}") };
    format!(
        "the run's process {how}{said}\nhint: the same command resumes from its last checkpoint"
    )
}

/// Writes events and the end to the output, a line each.
struct Speaker(Mutex<std::io::Stdout>);

impl Speaker {
    fn say(&self, line: &Line) {
        let mut text = serde_json::to_string(line).expect("a line is plain data");
        text.push('\n');
        let mut output = self.0.lock().expect("no holder of the output panics");
        // A parent that hears no more has also closed the input, which stops the run.
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }
}

impl Observer for Speaker {
    fn event(&self, event: &Event) {
        self.say(&Line::Event(event.clone()));
    }
}

/// Does the run that the input describes. The signal handler sets `stop`.
///
/// # Errors
/// If the input is not a task. Errors of the run itself go to the output as an event.
pub fn do_run(stop: &'static AtomicBool) -> Result<(), String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| error.to_string())?;
    let task: WorkerTask = serde_json::from_str(&line)
        .map_err(|error| format!("standard input is not a run task: {error}"))?;
    let speaker = Arc::new(Speaker(Mutex::new(std::io::stdout())));
    let is_indivisible = Arc::new(AtomicBool::new(false));
    let (of_thread, indivisible) = (Arc::clone(&speaker), Arc::clone(&is_indivisible));
    std::thread::spawn(move || {
        // Nothing more is ever sent: the input ends when the parent wants an end, or has ended.
        let _ = std::io::stdin().read_line(&mut String::new());
        stop.store(true, Ordering::Relaxed);
        if indivisible.load(Ordering::Relaxed) {
            // The fit would go on to its end, for minutes, and has nothing to save before.
            of_thread.say(&Line::Stopped { epoch: 0 });
            std::process::exit(0);
        }
    });
    if task.may_start_programs {
        let encore = std::env::current_exe().map_err(|error| error.to_string())?;
        process::permit(&encore);
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(task.n_threads).build();
    let pool = pool.map_err(|error| error.to_string())?;
    let end = guarded(|| pool.install(|| one(&task, stop, &is_indivisible, &*speaker)));
    speaker.say(&match end {
        Ok(found) => Line::Done { found },
        Err(RunError::Stopped { epoch }) => Line::Stopped { epoch },
        Err(RunError::Leaks { label, leaks }) => Line::Leaks { label, leaks },
        Err(error) => Line::Failed { message: error.to_string(), blame: error.blame() },
    });
    Ok(())
}

/// Does the run. Raises `is_indivisible` where the model is fitted in one go.
fn one(
    task: &WorkerTask,
    stop: &AtomicBool,
    is_indivisible: &AtomicBool,
    observer: &dyn Observer,
) -> Result<bool, RunError> {
    let process = |blame: Blame| move |message: String| RunError::Process { message, blame };
    let catalogue = Catalogue::open(&task.project.join("datasets"))
        .map_err(|faults| process(Blame::Usage)(faults.to_string()))?;
    let (name, text) = (task.name.clone(), task.text.clone());
    let plan = Plan::from_text(name, &task.origin, text, &catalogue, &task.options)
        .map_err(|error| process(Blame::Usage)(error.to_string()))?;
    // A program is told to stop, and may save its state.
    let in_one_go = plan.spec.max_epochs.is_none() && plan.spec.model.command().is_none();
    is_indivisible.store(in_one_go, Ordering::Relaxed);
    let store = Store::new(&task.store);
    let workspace =
        Workspace { catalogue: &catalogue, store: &store, project: &task.project, stop, observer };
    let inputs = Inputs::load(&plan, workspace)?;
    if inputs.run_id(&plan, task.seed) != task.id {
        let message = "the data changed before the run started; start it again".to_owned();
        return Err(process(Blame::Data)(message));
    }
    let context = RunContext {
        workspace,
        members: &store,
        code: &code_facts(&task.project),
        checkpoint_every: task.checkpoint_every,
        forbid_leaks: task.forbid_leaks,
    };
    run(&plan, &inputs, task.seed, context).map(|(_, found)| found)
}
