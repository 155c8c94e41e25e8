//! A program as seen by the process that needs it.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::message::{End, Order, Status};

static SUPERVISOR: OnceLock<PathBuf> = OnceLock::new();

/// Permits this process to start programs of specs. `encore` is the program's own file, which supervises
/// them. Whoever calls this has made sure that the user trusts the project.
pub fn permit(encore: &Path) {
    // The same file every time.
    let _ = SUPERVISOR.set(encore.to_owned());
}

/// Whether programs may be started, because [`permit`] was called.
#[must_use]
pub fn is_permitted() -> bool {
    SUPERVISOR.get().is_some()
}

/// A program that was started. When this is dropped, the program ends at once.
#[derive(Debug)]
pub struct Supervised {
    supervisor: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Status>,
    /// The program's process number, once it is known.
    process: Option<u32>,
    has_ended: bool,
}

impl Supervised {
    /// Starts a program.
    ///
    /// # Errors
    /// If it is not permitted, or the supervisor can't be started.
    pub fn start(order: &Order) -> io::Result<Self> {
        let encore = SUPERVISOR.get().ok_or_else(|| {
            io::Error::new(io::ErrorKind::PermissionDenied, "no program may be started here")
        })?;
        // If the program kills the supervisor, this process adopts what is left.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        let mut command = Command::new(encore);
        command.arg("do-command").stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C is for the process that needs the program; it passes on that the program has to end.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut supervisor = command.spawn()?;
        let mut input = supervisor.stdin.take().expect("it was asked for just above");
        let output = supervisor.stdout.take().expect("it was asked for just above");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let Ok(status) = serde_json::from_str(&line) else { continue };
                if sender.send(status).is_err() {
                    break;
                }
            }
        });
        let mut line = serde_json::to_string(order).expect("an order is plain data");
        line.push('\n');
        let told = input.write_all(line.as_bytes());
        let this = Self { supervisor, input: Some(input), lines, process: None, has_ended: false };
        told.map(|()| this)
    }

    /// Waits for what happens next; nothing if nothing does in that time.
    pub fn next(&mut self, patience: Duration) -> Option<Status> {
        let status = match self.lines.recv_timeout(patience) {
            Ok(status) => status,
            Err(RecvTimeoutError::Timeout) => return None,
            // The supervisor was killed, which ends the program too.
            Err(RecvTimeoutError::Disconnected) => {
                self.end_all();
                Status::Ended(End { signal: Some(9), ..End::default() })
            }
        };
        match status {
            Status::Started { process, .. } => self.process = Some(process),
            Status::Ended(_) | Status::NotStarted(_) => self.has_ended = true,
        }
        Some(status)
    }

    /// Asks the program to end. If it does not within seconds, it is killed.
    pub fn stop(&mut self) {
        if let Some(mut input) = self.input.take() {
            // If nobody listens, it has ended.
            let _ = input.write_all(b"stop\n");
        }
    }

    /// Kills what is left of a program whose supervisor was killed.
    fn end_all(&self) {
        #[cfg(unix)]
        if let Some(process) = self.process {
            super::signal_group(process, rustix::process::Signal::KILL);
        }
        #[cfg(target_os = "linux")]
        super::descendants::end_all();
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.input.take());
        if !self.has_ended {
            while !matches!(self.next(Duration::from_secs(10)), None | Some(Status::Ended(_))) {}
        }
        // A supervisor that does not end by itself within that time hangs.
        if self.has_ended || self.supervisor.kill().is_ok() {
            let _ = self.supervisor.wait();
        }
    }
}
