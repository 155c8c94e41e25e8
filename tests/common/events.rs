//! Waiting for events of the program. No test waits for a fixed time, because a busy machine would
//! change what it tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// A program without any progress for this long hangs.
const PATIENCE: Duration = Duration::from_mins(5);
/// Time between two checks.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// Waits for an event and returns its value.
pub fn wait_for<T>(event: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {event}");
        thread::sleep(POLL_INTERVAL);
    }
}

/// Waits until a condition is true.
pub fn wait_until(event: &str, mut is_so: impl FnMut() -> bool) {
    wait_for(event, || is_so().then_some(()));
}

/// Waits until a program has changed the files of a folder `nth` times, or has ended; returns the
/// number of changes. After each change, a kill can leave something unfinished.
pub fn wait_for_change(child: &mut Child, folder: &Path, nth: usize) -> usize {
    let mut n_seen = 0;
    let mut before = sizes_and_times(folder);
    wait_for("a change of files", || {
        let has_ended = child.try_wait().unwrap().is_some();
        let now = sizes_and_times(folder);
        if now != before {
            n_seen += 1;
            before = now;
        }
        (has_ended || n_seen >= nth).then_some(())
    });
    n_seen
}

/// Waits until a program has ended, but at most this long.
pub fn wait_for_end(child: &mut Child, at_most: Duration) -> Option<ExitStatus> {
    let begin = Instant::now();
    loop {
        let status = child.try_wait().unwrap();
        if status.is_some() || begin.elapsed() >= at_most {
            return status;
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Lists all files below a folder. Files that disappear meanwhile are left out.
fn sizes_and_times(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(below).into_iter().flatten().flatten() {
            let Ok(file) = entry.metadata() else { continue };
            if file.is_dir() {
                folders.push(entry.path());
            } else {
                found.insert(entry.path(), (file.len(), file.modified().unwrap()));
            }
        }
    }
    found
}
