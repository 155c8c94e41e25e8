//! A program at work: started, watched, timed, and its end put into words.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::epochs::{Epochs, and};
use super::watched::Watched;
use super::{Command, ModelError};
use crate::model::{Flow, Next, TrainingObserver};
use crate::process::{
    Access, End, Order, Status, Supervised, home, is_permitted, secret_variables,
};

/// Bytes of a program's output that are kept.
pub(super) const MAX_LOG_BYTES: u64 = 16 << 20;
/// Bytes of the output of `environment` that are kept.
const MAX_ENVIRONMENT_BYTES: u64 = 1 << 20;
/// The longest time that `environment` may take.
const ENVIRONMENT_TIMEOUT: Duration = Duration::from_mins(2);
/// How often the program's epochs and the wishes of the observer are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The longest time between an epoch and a note of it that survives a kill.
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// Lines of output in the message of a failure.
const LAST_LINES: usize = 10;

/// Set to `off`, programs are not restricted, and records say so.
const SWITCH: &str = "ENCORE_LANDLOCK";

/// Where a program works.
pub(crate) struct Place<'a> {
    /// The job folder; the program may write here.
    pub(crate) job: &'a Path,
    /// More that it may read: recordings made for it.
    pub(crate) readable: &'a [PathBuf],
    /// The file for its output.
    pub(crate) log: &'a Path,
    /// The project's folder, in which it is started.
    pub(crate) project: &'a Path,
    /// What it must not read.
    pub(crate) hidden: &'a [PathBuf],
    /// Threads that it should use.
    pub(crate) n_threads: usize,
    /// The seed of the run.
    pub(crate) seed: u64,
}

/// What is known after a program has ended without a fault.
pub(crate) struct Outcome {
    /// Why it could read what is hidden; nothing if it could not.
    pub(crate) not_blind: Option<String>,
    /// What a reader of the record should know.
    pub(crate) notes: Vec<String>,
}

/// Runs a program until it ends. The observer sees its epochs and can stop it.
///
/// # Errors
/// If it can't be started, fails, takes too long or is stopped.
pub(crate) fn follow(
    command: &Command,
    place: &Place,
    observer: &mut dyn TrainingObserver,
) -> Result<Outcome, ModelError> {
    let order = order(command, &command.run, place, MAX_LOG_BYTES)?;
    let before = Watched::look(place.project, place.hidden);
    // From now on, a killed run counts as started.
    let mut flow = observer.keep(vec![]);
    let mut program = Supervised::start(&order).map_err(|error| cannot_start(command, &error))?;
    let (begin, mut has_timed_out) = (Instant::now(), false);
    let mut epochs = Epochs::new(place.job.join("epochs.jsonl"));
    let (mut not_blind, mut stopped, mut last_keep) = (None, false, Instant::now());
    let end = loop {
        match program.next(POLL_INTERVAL) {
            Some(Status::Started { not_blind: why, .. }) => not_blind = why,
            Some(Status::NotStarted(message)) => {
                return Err(ModelError::Command(format!(
                    "the program `{}` can't be started: {message}",
                    command.line()
                )));
            }
            Some(Status::Ended(end)) => break end,
            None => {}
        }
        let n_before = epochs.n_read;
        flow = and(flow, epochs.pass_on(observer));
        if epochs.n_read > n_before && last_keep.elapsed() >= KEEP_EVERY {
            flow = and(flow, observer.keep(vec![]));
            last_keep = Instant::now();
        }
        match observer.next() {
            Next::Go => {}
            Next::Save => flow = and(flow, observer.keep(vec![])),
            Next::SaveAndStop => flow = and(observer.keep(vec![]), Flow::Stop),
        }
        if flow == Flow::Stop && !stopped {
            stopped = true;
            program.stop();
        } else if begin.elapsed() > command.timeout && !has_timed_out {
            has_timed_out = true;
            program.stop();
        }
    };
    if stopped || and(flow, epochs.pass_on(observer)) == Flow::Stop {
        return Err(ModelError::Stopped { epoch: epochs.last });
    }
    let said = Said { command, place, is_blind: not_blind.is_none() };
    if has_timed_out {
        let time = humantime::format_duration(command.timeout);
        return Err(
            said.failure(&format!("still ran after {time} (model.command.timeout) and was ended"))
        );
    }
    if let Some(how) = failure(end) {
        return Err(said.failure(&how));
    }
    let mut notes = epochs.notes();
    if end.n_left > 0 {
        let processes = if end.n_left == 1 { "process" } else { "processes" };
        notes.push(format!(
            "the program left {} {processes} behind, which encore ended",
            end.n_left
        ));
    }
    // A program that is restricted can't write elsewhere.
    let written = if not_blind.is_some() {
        before.changed(&Watched::look(place.project, place.hidden))
    } else {
        vec![]
    };
    if let Some(first) = written.first() {
        let more = if written.len() > 1 {
            format!(" and {} more", written.len() - 1)
        } else {
            String::new()
        };
        return Err(ModelError::Command(format!(
            "the program `{}` wrote outside of its job folder: {first}{more}\nhint: it may write to \
             $ENCORE_JOB and $TMPDIR; if something else wrote this file, run it again",
            command.line()
        )));
    }
    Ok(Outcome { not_blind, notes })
}

/// Writes the output of the program that describes the environment into `environment.txt`, beside the log.
///
/// # Errors
/// Why there is none.
pub(crate) fn environment(command: &Command, run: &[String], place: &Place) -> Result<(), String> {
    let path = place.log.with_file_name("environment.txt");
    let place = Place { log: &path, readable: &[], ..*place };
    // An earlier start may have written it.
    let _ = fs::remove_file(&path);
    let order =
        order(command, run, &place, MAX_ENVIRONMENT_BYTES).map_err(|error| error.to_string())?;
    let mut program = Supervised::start(&order).map_err(|error| error.to_string())?;
    let begin = Instant::now();
    let end = loop {
        match program.next(POLL_INTERVAL) {
            Some(Status::NotStarted(message)) => return Err(message),
            Some(Status::Ended(end)) => break end,
            Some(Status::Started { .. }) | None => {}
        }
        if begin.elapsed() > ENVIRONMENT_TIMEOUT {
            return Err(format!("took more than {} s", ENVIRONMENT_TIMEOUT.as_secs()));
        }
    };
    match failure(end) {
        None => Ok(()),
        Some(how) => Err(format!("it {how}; {}", last_lines(&path, 2).join("; "))),
    }
}

fn cannot_start(command: &Command, error: &std::io::Error) -> ModelError {
    let line = command.line();
    if is_permitted() {
        return ModelError::Command(format!("the program `{line}` can't be started: {error}"));
    }
    ModelError::NotTrusted(format!(
        "the model is the program `{line}`, and no permission was given to start it\n\
         hint: encore run --trust, if you trust the project's code"
    ))
}

fn order(
    command: &Command,
    run: &[String],
    place: &Place,
    max_log_bytes: u64,
) -> Result<Order, ModelError> {
    let absolute = |path: &Path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        path.canonicalize()
            .map_err(|error| ModelError::Command(format!("{}: {error}", path.display())))
    };
    let (job, project) = (absolute(place.job)?, absolute(place.project)?);
    let temporary = job.join("tmp");
    let more = command.readable.iter().map(|path| match (path.strip_prefix("~/"), home()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => project.join(path),
    });
    let hidden = place.hidden.iter().filter_map(|path| std::path::absolute(path).ok());
    let hidden = hidden.chain([project.join(".git")]);
    let access = Access {
        readable: more.chain([project.clone()]).collect(),
        // These lie in a hidden folder, and may be read all the same.
        shown: place.readable.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?,
        writable: vec![job.clone()],
        hidden: hidden.collect(),
        is_enforced: std::env::var(SWITCH).map_or(true, |value| value != "off"),
    };
    let access = access.with_needs(&run[0]);
    let text = |path: &Path| path.display().to_string();
    let mut set = vec![
        ("ENCORE_JOB".to_owned(), text(&job)),
        ("PYTHONHASHSEED".to_owned(), (place.seed % (1 << 32)).to_string()),
    ];
    for name in ["TMPDIR", "TMP", "TEMP", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "JOBLIB_TEMP_FOLDER"] {
        set.push((name.to_owned(), text(&temporary)));
    }
    // Output shows up at once, nothing is written beside the code, and pip does not complain about that.
    let quiet = ["PIP_NO_CACHE_DIR", "PIP_DISABLE_PIP_VERSION_CHECK"];
    for name in ["PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"].into_iter().chain(quiet) {
        set.push((name.to_owned(), "1".to_owned()));
    }
    for name in [
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ] {
        set.push((name.to_owned(), place.n_threads.to_string()));
    }
    Ok(Order {
        run: run.to_vec(),
        folder: project,
        set,
        unset: secret_variables(),
        log: absolute(place.log.parent().unwrap_or(place.log))?
            .join(place.log.file_name().unwrap_or_default()),
        max_log_bytes,
        access,
    })
}

/// How a program failed, in words; nothing if it did not.
fn failure(End { code, signal, .. }: End) -> Option<String> {
    match (code, signal) {
        (Some(0), _) => None,
        (_, Some(9)) => Some("was killed (signal 9), perhaps out of memory".to_owned()),
        (_, Some(signal)) => Some(format!("was terminated by signal {signal}")),
        (Some(code), _) => Some(format!("exited with code {code}")),
        (None, None) => Some("ended in an unknown way".to_owned()),
    }
}

/// What is needed to put a failure into words.
struct Said<'a> {
    command: &'a Command,
    place: &'a Place<'a>,
    is_blind: bool,
}

impl Said<'_> {
    fn failure(&self, how: &str) -> ModelError {
        let mut message = format!("the program `{}` {how}", self.command.line());
        message += &output(self.place.log);
        let lines = last_lines(self.place.log, LAST_LINES).join("\n");
        let is_refused = ["Permission denied", "PermissionError", "EACCES"]
            .iter()
            .any(|words| lines.contains(words));
        message += &if self.is_blind && is_refused {
            "\nhint: it may write to $ENCORE_JOB and $TMPDIR only, and datasets, reports and secrets \
             are hidden from it; model.command.readable names more folders to read"
                .to_owned()
        } else {
            format!("\nhint: the whole output is in {}", self.place.log.display())
        };
        ModelError::Command(message)
    }
}

/// The last lines of a program's output, for a message.
pub(crate) fn output(log: &Path) -> String {
    let lines = last_lines(log, LAST_LINES);
    if lines.is_empty() {
        return "; it printed nothing".to_owned();
    }
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    format!("; its last output:{lines}")
}

fn last_lines(log: &Path, n: usize) -> Vec<String> {
    let Ok(mut file) = fs::File::open(log) else { return vec![] };
    let length = file.metadata().map_or(0, |file| file.len());
    let mut bytes = vec![];
    // A line can be long; those that matter rarely are.
    let _ = file.seek(SeekFrom::Start(length.saturating_sub(8192)));
    let _ = file.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let short = |line: &&str| line.chars().take(300).collect();
    lines[lines.len().saturating_sub(n)..].iter().map(short).collect()
}
