//! The processes below this one, whatever session they moved to.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

/// Rounds in which processes are killed. A process that starts others meanwhile needs several.
const N_ROUNDS: usize = 500;
const PAUSE: Duration = Duration::from_millis(10);

/// Kills all processes below this one and waits for them; returns how many still ran.
pub(super) fn end_all() -> usize {
    let mut killed = vec![];
    for _ in 0..N_ROUNDS {
        // Orphans are adopted by this process, and those that have ended must be waited for.
        while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
        let left = running();
        if left.is_empty() {
            break;
        }
        for process in left {
            if !killed.contains(&process) {
                killed.push(process);
            }
            if let Some(process) = Pid::from_raw(process) {
                // It may have ended by itself.
                let _ = kill_process(process, Signal::KILL);
            }
        }
        std::thread::sleep(PAUSE);
    }
    killed.len()
}

/// The numbers of all running processes below this one.
fn running() -> Vec<i32> {
    let mut children: BTreeMap<i32, Vec<(i32, bool)>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name of the program, in brackets, may contain anything.
        let mut rest = stat.rsplit(") ").next().unwrap_or_default().split(' ');
        let (state, parent) = (rest.next(), rest.next().and_then(|parent| parent.parse().ok()));
        let Some(parent) = parent else { continue };
        let is_running = !matches!(state, Some("Z" | "X"));
        children.entry(parent).or_default().push((process, is_running));
    }
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let (mut found, mut left) = (vec![], vec![own]);
    while let Some(parent) = left.pop() {
        for &(process, is_running) in children.get(&parent).into_iter().flatten() {
            left.push(process);
            if is_running {
                found.push(process);
            }
        }
    }
    found
}
