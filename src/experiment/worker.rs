//! Runs in a separate process, one after the other, and the messages between both processes.
//!
//! The process reads one line of JSON for each run, does the run and writes an event a line. Its input
//! stays open as long as the parent wants it to continue. When the input closes, for whatever reason, the run
//! saves its state and stops. So a killed parent leaves no run behind. Runs with equal features share the
//! examples.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::context::{RunContext, Workspace};
use super::error::{Blame, RunError, guarded};
use super::event::{Event, Observer};
use super::inputs::SharedInputs;
use super::options::Options;
use super::plan::Plan;
use super::run::run;
use crate::dataset::Catalogue;
use crate::disk;
use crate::process;
use crate::record::{CodeFacts, Store};

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
    /// The program and the working tree, as they were when the command started.
    pub(super) code: CodeFacts,
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

/// A process that does runs, one after the other.
pub(super) struct Worker {
    child: Child,
    lifeline: Arc<Lifeline>,
    output: Lines<BufReader<ChildStdout>>,
    /// The last of what it wrote to its error output.
    errors: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a process; `program` is this program's own file.
    pub(super) fn start(program: &Path) -> std::io::Result<Self> {
        let mut child = Command::new(program)
            .arg("do-run")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().expect("it was asked for just above");
        let output = child.stdout.take().expect("it was asked for just above");
        let said = child.stderr.take().expect("it was asked for just above");
        let errors = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&errors);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(said).lines().map_while(Result::ok) {
                let mut all = kept.lock().expect("no holder of the lines panics");
                // The last words are what counts.
                if all.len() > 10_000 {
                    all.clear();
                }
                all.push_str(&line);
                all.push('\n');
            }
        });
        let lifeline = Arc::new(Lifeline(Mutex::new(Some(input))));
        let output = BufReader::new(output).lines();
        Ok(Self { child, lifeline, output, errors, reader: Some(reader) })
    }

    /// What keeps the process working.
    pub(super) fn lifeline(&self) -> Arc<Lifeline> {
        Arc::clone(&self.lifeline)
    }

    /// Gives the process a task, passes its events on, and says how the run ended. Without the process, it
    /// has ended too.
    pub(super) fn does(
        mut self,
        task: &WorkerTask,
        observer: &dyn Observer,
    ) -> std::io::Result<(End, Option<Self>)> {
        self.errors.lock().expect("no holder of the lines panics").clear();
        let mut line = serde_json::to_string(task).expect("a task is plain data");
        line.push('\n');
        // A process that has just ended says below how.
        if let Some(input) = &mut *self.lifeline.0.lock().expect("no holder of the input panics") {
            let _ = input.write_all(line.as_bytes());
        }
        for line in self.output.by_ref().map_while(Result::ok) {
            let end = match serde_json::from_str(&line) {
                // Every process of a command finds out by itself that a file system has no locks.
                Ok(Line::Event(Event::Note { text, .. } | Event::FeaturesNote { text, .. }))
                    if !disk::is_new_note(&text) =>
                {
                    continue;
                }
                Ok(Line::Event(event)) => {
                    observer.event(&event);
                    continue;
                }
                // A line cut off by a kill.
                Err(_) => continue,
                Ok(Line::Done { found }) => End::Done { found },
                Ok(Line::Stopped { epoch }) => End::Stopped { epoch },
                Ok(Line::Leaks { label, leaks }) => End::Leaks { label, leaks },
                Ok(Line::Failed { message, blame }) => End::Failed { message, blame },
            };
            return Ok((end, Some(self)));
        }
        let status = self.child.wait()?;
        let _ = self.reader.take().map(JoinHandle::join);
        let errors = self.errors.lock().expect("no holder of the lines panics");
        Ok((End::Failed { message: silent_end(status, &errors), blame: Blame::Program }, None))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.lifeline.cut();
        // It has nothing left to do; where it can't be waited for, it has ended.
        let _ = self.child.wait();
        let _ = self.reader.take().map(JoinHandle::join);
    }
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

/// Does the runs that the input describes, a line each, until it ends. The signal handler sets `stop`.
///
/// # Errors
/// If a line is not a task. Errors of the runs themselves go to the output as events.
pub fn do_runs(stop: &'static AtomicBool) -> Result<(), String> {
    let speaker = Arc::new(Speaker(Mutex::new(std::io::stdout())));
    let is_indivisible = Arc::new(AtomicBool::new(false));
    let (of_thread, indivisible) = (Arc::clone(&speaker), Arc::clone(&is_indivisible));
    let (sender, tasks) = mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
        // The input ends when the parent wants an end, or has ended.
        stop.store(true, Ordering::Relaxed);
        if indivisible.load(Ordering::Relaxed) {
            // The fit would go on to its end, for minutes, and has nothing to save before.
            of_thread.say(&Line::Stopped { epoch: 0 });
            std::process::exit(0);
        }
    });
    let mut shared = SharedInputs::default();
    let mut pool: Option<(usize, rayon::ThreadPool)> = None;
    for line in tasks {
        let task: WorkerTask = serde_json::from_str(&line)
            .map_err(|error| format!("standard input is not a run task: {error}"))?;
        if task.may_start_programs {
            let encore = std::env::current_exe().map_err(|error| error.to_string())?;
            process::permit(&encore);
        }
        if pool.as_ref().is_none_or(|(n_threads, _)| *n_threads != task.n_threads) {
            let made = rayon::ThreadPoolBuilder::new().num_threads(task.n_threads).build();
            pool = Some((task.n_threads, made.map_err(|error| error.to_string())?));
        }
        let (_, threads) = pool.as_ref().expect("it was made just above");
        let end = guarded(|| {
            threads.install(|| one(&task, &mut shared, stop, &is_indivisible, &*speaker))
        });
        is_indivisible.store(false, Ordering::Relaxed);
        speaker.say(&match end {
            Ok(found) => Line::Done { found },
            Err(RunError::Stopped { epoch }) => Line::Stopped { epoch },
            Err(RunError::Leaks { label, leaks }) => Line::Leaks { label, leaks },
            Err(error) => Line::Failed { message: error.to_string(), blame: error.blame() },
        });
    }
    Ok(())
}

/// Does the run. Raises `is_indivisible` where the model is fitted in one go.
fn one(
    task: &WorkerTask,
    shared: &mut SharedInputs,
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
    let inputs = shared.load(&plan, workspace)?;
    if inputs.run_id(&plan, task.seed) != task.id {
        shared.forget();
        let message = "the data changed before the run started; start it again".to_owned();
        return Err(process(Blame::Data)(message));
    }
    let context = RunContext {
        workspace,
        members: &store,
        code: &task.code,
        checkpoint_every: task.checkpoint_every,
        forbid_leaks: task.forbid_leaks,
    };
    run(&plan, inputs, task.seed, context).map(|(_, found)| found)
}
