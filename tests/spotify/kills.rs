//! A collection that is killed at random moments gives the same bytes as an uninterrupted one.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use super::*;
use crate::common::{self, events::wait_for_change};

const N_KILLS: usize = 100;
/// Approximate number of starts until everything is downloaded.
const LIVES: usize = 12;
/// Number of further starts, which write the table.
const WRITTEN: usize = 4;

fn start(folder: &Path, api: &Api) -> Command {
    let collect = ["spotify", "collect", PLAYLIST, "--out", "big.parquet"];
    let mut command = common::command(folder, &collect);
    command.args(["--accept-terms", "--token", "token.json", "--credentials", "spotify.env"]);
    command.args(["--api-url", &format!("{}/v1", api.url()), "--auth-url", &api.url()]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn home() -> tempfile::TempDir {
    let home = common::project();
    api::write_private(&home.path().join("spotify.env"), api::CREDENTIALS);
    home
}

/// Returns all output files of a collection, without the time at which it started.
fn left(folder: &Path) -> Vec<Vec<u8>> {
    let mut left: Vec<Vec<u8>> = ["big.csv", "big.parquet", "big.dropped.csv"]
        .iter()
        .map(|name| fs::read(folder.join(name)).unwrap())
        .collect();
    let manifest = fs::read_to_string(folder.join("datasets/big.toml")).unwrap();
    let lines: Vec<&str> = manifest.lines().filter(|line| !line.starts_with("citation")).collect();
    left.push(lines.join("\n").into_bytes());
    left
}

#[test]
fn killed_at_a_hundred_random_moments_it_ends_with_the_same_table() {
    let world = Arc::new(api::World::of(10_000));
    // The server signals when it has sent this many replies.
    let alarm = Arc::new((AtomicUsize::new(usize::MAX), AtomicUsize::new(0)));
    let (ring, rung) = mpsc::channel();
    let (inside, ring) = (alarm.clone(), Mutex::new(ring));
    let api = Api::with(world, move |_, _, _| {
        if inside.1.fetch_add(1, Ordering::SeqCst) + 1 == inside.0.load(Ordering::SeqCst) {
            ring.lock().unwrap().send(()).unwrap();
        }
        None
    });
    let calm = home();
    assert!(start(calm.path(), &api).status().unwrap().success());
    let n_answers = alarm.1.load(Ordering::SeqCst);
    let wanted = left(calm.path());
    // The files that a start writes when nothing is left to download.
    let mut child = start(calm.path(), &api).spawn().unwrap();
    let n_writes = wait_for_change(&mut child, calm.path(), usize::MAX);
    assert!(child.wait().unwrap().success());
    assert_eq!(String::from_utf8_lossy(&wanted[0]), api.world.expected(From::Spotify).0);
    let mut random = Seed(11).rng("kills", &[]);
    let (mut n_starts, mut n_asking, mut n_writing) = (0, 0, 0);
    while n_asking + n_writing < N_KILLS {
        let stormy = home();
        let csv = stormy.path().join("big.csv");
        let mut n_written = 0;
        while n_asking + n_writing < N_KILLS && n_written < WRITTEN {
            n_starts += 1;
            assert!(
                n_starts < 3 * N_KILLS,
                "only {n_asking} and {n_writing} of {n_starts} kills hit"
            );
            // Each start downloads the token, the version and some of the rest. Once everything is
            // downloaded, it is killed while it replaces the table.
            let is_collected = csv.exists();
            let at = if is_collected { 2 } else { 1 + random.below(2 * n_answers / LIVES) };
            if is_collected {
                fs::remove_file(&csv).unwrap();
                n_written += 1;
            }
            alarm.1.store(0, Ordering::SeqCst);
            alarm.0.store(at, Ordering::SeqCst);
            while rung.try_recv().is_ok() {}
            let mut child = start(stormy.path(), &api).spawn().unwrap();
            // A process that ended by itself is not waited for.
            while rung.recv_timeout(Duration::from_millis(5)).is_err()
                && child.try_wait().unwrap().is_none()
            {}
            if is_collected {
                let nth = 1 + random.below(n_writes.max(1));
                wait_for_change(&mut child, stormy.path(), nth);
            }
            child.kill().unwrap();
            let is_hit = child.wait().unwrap().signal() == Some(9);
            *(if is_collected { &mut n_writing } else { &mut n_asking }) += usize::from(is_hit);
        }
        alarm.0.store(usize::MAX, Ordering::SeqCst);
        assert!(start(stormy.path(), &api).status().unwrap().success());
        assert!(left(stormy.path()) == wanted, "another table");
        let names = fs::read_dir(stormy.path()).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
        assert_eq!(names.filter(|name| name.ends_with(".partial")).count(), 0);
    }
    println!("{n_asking} kills hit while asking, {n_writing} while writing, of {n_starts} starts");
    assert!(n_asking >= N_KILLS / 2 && n_writing >= 1, "{n_asking} and {n_writing}");
}
