//! The supervisor's own process: starts a program, follows it, ends all that is left of it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::message::{End, Order, Status};
#[cfg(unix)]
use super::signal_group;

/// How often the program is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// Time that a program has to end after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// Time to write the rest of the output after all processes have ended.
const REST: Duration = Duration::from_secs(5);

/// What the other process wants: to go on, an orderly end, an end at once.
static WISH: AtomicU8 = AtomicU8::new(GO_ON);
const GO_ON: u8 = 0;
const STOP: u8 = 1;
const KILL: u8 = 2;

/// Does the order on the standard input, and says on the standard output how it goes, in JSON, a line
/// each. The input stays open as long as the program is needed.
///
/// # Errors
/// If the input holds no order.
pub fn supervise() -> Result<(), String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line).map_err(|error| error.to_string())?;
    let order: Order = serde_json::from_str(&line)
        .map_err(|error| format!("standard input is not an order: {error}"))?;
    std::thread::spawn(|| {
        let mut line = String::new();
        // The input ends when the other process has ended.
        let is_orderly = io::stdin().read_line(&mut line).is_ok() && line.trim() == "stop";
        WISH.store(if is_orderly { STOP } else { KILL }, Ordering::Relaxed);
        if is_orderly {
            let _ = io::stdin().read_line(&mut String::new());
        }
    });
    let said = match follow(&order) {
        Ok(end) => Status::Ended(end),
        Err(message) => Status::NotStarted(message),
    };
    say(&said);
    Ok(())
}

fn say(status: &Status) {
    let mut text = serde_json::to_string(status).expect("a status is plain data");
    text.push('\n');
    // A process that hears no more has also closed the input, which ends the program.
    let _ = io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush());
}

/// Starts the program and waits until it and all of its processes have ended.
fn follow(order: &Order) -> Result<End, String> {
    let said = |what: &str, error: io::Error| format!("{what}: {error}");
    let program = find(order)?;
    let log = OpenOptions::new().create(true).append(true).open(&order.log);
    let log = log.map_err(|error| said(&order.log.display().to_string(), error))?;
    let (output, input) = io::pipe().map_err(|error| said("a pipe", error))?;
    let max_bytes = order.max_log_bytes;
    let (sender, is_written) = channel();
    std::thread::spawn(move || {
        keep(output, log, max_bytes);
        let _ = sender.send(());
    });
    // After this, orphans of the program become children of this process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    #[cfg(target_os = "linux")]
    let not_blind = {
        // The program is started by way of this one.
        let mut access = order.access.clone();
        access.shown.extend(std::env::current_exe());
        super::sandbox::restrict(&access)
    };
    #[cfg(not(target_os = "linux"))]
    let not_blind = Some("this system has no Landlock".to_owned());
    let started = start(order, &program, input);
    let mut child = started.map_err(|error| said(&order.run[0], error))?;
    say(&Status::Started { process: child.id(), not_blind });
    let status = wait(&mut child);
    let n_left = end_all(&child);
    let _ = is_written.recv_timeout(REST);
    let status = status.map_err(|error| said("the program can't be waited for", error))?;
    Ok(End { code: status.code(), signal: signal(status), n_left })
}

/// The file of the program, so that one that does not exist is told apart from one that fails.
fn find(order: &Order) -> Result<PathBuf, String> {
    let name = &order.run[0];
    let path = Path::new(name);
    if path.components().count() > 1 {
        let path = order.folder.join(path);
        return if path.is_file() { Ok(path) } else { Err(format!("`{name}` does not exist")) };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let mut found = std::env::split_paths(&folders).map(|folder| folder.join(path));
    found.find(|path| is_program(path)).ok_or_else(|| format!("`{name}` not found in PATH"))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file() || path.with_extension("exe").is_file()
}

fn start(order: &Order, program: &Path, output: io::PipeWriter) -> io::Result<Child> {
    // On Linux this program is replaced by the other one, after it has asked the kernel to be killed
    // together with the supervisor.
    #[cfg(target_os = "linux")]
    let mut command = {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("exec-command").arg(std::process::id().to_string()).arg("--").arg(program);
        command
    };
    #[cfg(not(target_os = "linux"))]
    let mut command = Command::new(program);
    command.args(&order.run[1..]).current_dir(&order.folder).stdin(Stdio::null());
    for name in &order.unset {
        command.env_remove(name);
    }
    command.envs(order.set.iter().map(|(name, value)| (name, value)));
    command.stderr(output.try_clone()?).stdout(output);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Becomes the program `run`; the process whose number is `parent` must be the supervisor. Returns only
/// if that fails: why.
#[must_use]
pub fn replace_by(parent: u32, run: &[String]) -> String {
    let Some((program, arguments)) = run.split_first() else { return "no program".to_owned() };
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Signal, getppid, set_parent_process_death_signal};
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        let number = getppid().map(|parent| parent.as_raw_nonzero().get());
        // It may have ended before the signal was asked for.
        if number.and_then(|number| u32::try_from(number).ok()) != Some(parent) {
            return "its supervisor has ended".to_owned();
        }
        super::sandbox::keep_signals_inside();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = parent;
    #[cfg(unix)]
    let error =
        std::os::unix::process::CommandExt::exec(Command::new(program).args(arguments)).to_string();
    #[cfg(not(unix))]
    let error = format!("unsupported here ({} arguments)", arguments.len());
    format!("cannot start {program}: {error}")
}

/// Waits until the program has ended, by itself or because that was wished.
fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    let mut asked: Option<Instant> = None;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        match (WISH.load(Ordering::Relaxed), asked) {
            (GO_ON, _) => {}
            (STOP, None) => {
                ask_to_end(child);
                asked = Some(Instant::now());
            }
            (STOP, Some(begin)) if begin.elapsed() < GRACE => {}
            _ => {
                child.kill()?;
                return child.wait();
            }
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

fn ask_to_end(child: &mut Child) {
    #[cfg(unix)]
    signal_group(child.id(), rustix::process::Signal::TERM);
    #[cfg(not(unix))]
    let _ = child.kill();
}

/// Ends what is left of the program; returns the number of processes that still ran.
#[cfg(target_os = "linux")]
fn end_all(_child: &Child) -> usize {
    super::descendants::end_all()
}

/// Ends what is left of the program in its group. How many processes that are is unknown here.
#[cfg(not(target_os = "linux"))]
fn end_all(child: &Child) -> usize {
    #[cfg(unix)]
    signal_group(child.id(), rustix::process::Signal::KILL);
    let _ = child;
    0
}

fn signal(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal = status.code().and(None);
    signal
}

/// Appends the program's output to its log, up to a number of bytes. Reads the rest all the same, so
/// that the program never waits.
fn keep(mut output: impl Read, mut log: File, max_bytes: u64) {
    let mut left = max_bytes.saturating_sub(log.metadata().map_or(0, |file| file.len()));
    let mut buffer = [0; 1 << 14];
    loop {
        let n = match output.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) => n as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        if left == 0 {
            continue;
        }
        let kept = n.min(left);
        left -= kept;
        // A full disk shows elsewhere: the log must not end the program.
        let _ = log.write_all(&buffer[..kept as usize]);
        if left == 0 {
            let _ = writeln!(log, "\n[the log ends here: it has {max_bytes} bytes]");
        }
    }
}
