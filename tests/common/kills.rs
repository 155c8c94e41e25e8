//! Starting a command so that it can be killed together with everything that it has started.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::command;

/// Starts encore in a process group of its own, without any output.
pub fn start(project: &Path, arguments: &[&str]) -> Child {
    let mut command = command(project, arguments);
    start_group(command.stdout(Stdio::null()).stderr(Stdio::null()))
}

/// Starts a command in a process group of its own.
pub fn start_group(command: &mut Command) -> Child {
    command.process_group(0).spawn().unwrap()
}

/// Kills a process and all processes that it has started.
pub fn kill_all(mut child: Child) {
    signal_group(&child, "-9");
    child.wait().unwrap();
}

/// Sends a signal to all processes of a command; `-0` only asks. Returns whether there is one.
pub fn signal_group(child: &Child, signal: &str) -> bool {
    let group = format!("-{}", child.id());
    let mut kill = Command::new("kill");
    kill.args([signal, "--", &group]).stderr(Stdio::null()).status().unwrap().success()
}
