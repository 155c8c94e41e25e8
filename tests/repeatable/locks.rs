//! File systems with unreliable locks: every lock fails, as on Lustre mounted with `noflock`, or
//! every lock succeeds, as if they were only visible on another host. No result depends on them.

use super::kills::attempts;
use super::preload::{Locks, library};
use super::*;
use crate::common::kills::start_group;

fn preloaded(library: &Path, project: &Path, arguments: &[&str]) -> Command {
    let mut command = command(project, arguments);
    command.env("LD_PRELOAD", library);
    command
}

/// Returns the output of two processes that start together with the same arguments; both succeed.
fn two(library: &Path, project: &Path, arguments: &[&str]) -> [String; 2] {
    let both = [(); 2].map(|()| {
        let mut command = preloaded(library, project, arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    });
    both.map(|child| {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    })
}

/// One notice per command where locks fail, none where they seem to succeed.
fn check_notices(said: &[String], locks: Locks) {
    for said in said {
        let n = said.matches("has no locks (").count();
        match locks {
            Locks::Fail => assert_eq!(n, 1, "{n} notices: {said}"),
            Locks::Succeed => assert_eq!(n, 0, "{said}"),
        }
        assert!(!said.contains("differ"), "{said}");
    }
}

fn two_processes_come_to_the_bits_of_one(locks: Locks) {
    let tools = tempfile::tempdir().unwrap();
    let library = library(tools.path(), locks);
    let [calm, home] = [(); 2].map(|()| features::thirty_tracks());
    ok(calm.path(), features::MAKE);
    let said = two(&library, home.path(), features::MAKE);
    check_notices(&said, locks);
    assert!(features::entry(home.path()) == features::entry(calm.path()), "other features");
    let list = preloaded(&library, home.path(), &["features", "list", "--check"]).output().unwrap();
    assert!(list.status.success(), "{}", stderr(&list));
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    assert!(list.contains("complete, checksum valid"), "{list}");

    // Enough epochs for both processes to train at the same time.
    let arguments = run("cnn-2", &["--set", "training.epochs=40"]);
    ok(calm.path(), &arguments);
    let said = two(&library, home.path(), &arguments);
    check_notices(&said, locks);
    let n = |words: &str| said.iter().filter(|said| said.contains(words)).count();
    assert_eq!(n("already done"), 0, "both train: {said:?}");
    assert_eq!(outputs(home.path()), outputs(calm.path()));
    assert_eq!(outputs(home.path()).len(), 1);
    assert_eq!(attempts(home.path()), [] as [PathBuf; 0], "both clean up");

    // A killed run is resumed, too.
    let arguments = run("cnn-1", &["--set", "training.epochs=12"]);
    ok(calm.path(), &arguments);
    let mut command = preloaded(&library, home.path(), &arguments);
    let child = start_group(command.stdout(Stdio::null()).stderr(Stdio::null()));
    wait_until("a checkpoint", || {
        attempts(home.path()).iter().any(|folder| folder.join("checkpoint-1").exists())
    });
    kill_all(child);
    let output = preloaded(&library, home.path(), &arguments).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(outputs(home.path()), outputs(calm.path()));
    assert_eq!(attempts(home.path()), [] as [PathBuf; 0]);
}

#[test]
fn without_locks_two_processes_come_to_the_bits_of_one() {
    two_processes_come_to_the_bits_of_one(Locks::Fail);
}

#[test]
fn with_locks_that_everybody_gets_two_processes_come_to_the_bits_of_one() {
    two_processes_come_to_the_bits_of_one(Locks::Succeed);
}
