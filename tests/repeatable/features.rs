//! Feature extraction: killed, shared between processes, listed, cleaned.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::{kill_all, project, start};
use crate::common::events::wait_for_change;
use crate::common::{command, edit, encore, ok, random_below, stderr};

/// Computes the features of the embedded corpus without running anything.
pub(super) const MAKE: &[&str] = &["run", "baseline-audio", "--seeds", "1", "--why"];

/// Creates a project with thirty tracks: four shards.
pub(super) fn thirty_tracks() -> tempfile::TempDir {
    let home = project();
    let manifest = home.path().join("datasets/synth-genres.toml");
    edit(&manifest, "tracks_per_genre = 2", "tracks_per_genre = 3");
    home
}

fn cache(project: &Path) -> PathBuf {
    project.join("datasets/cache")
}

fn folders(project: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache(project)).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = paths.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

/// Returns all files of the only entry of a cache.
pub(super) fn entry(project: &Path) -> BTreeMap<String, Vec<u8>> {
    let folders = folders(project);
    assert_eq!(folders.len(), 1, "{folders:?}");
    let files = fs::read_dir(&folders[0]).unwrap().map(|entry| entry.unwrap());
    files
        .map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            (name, fs::read(file.path()).unwrap())
        })
        .collect()
}

fn n_shards(project: &Path) -> usize {
    let is_shard = |path: PathBuf| path.extension().is_none() && path.is_file();
    let shards = |folder: PathBuf| {
        let files = fs::read_dir(folder).into_iter().flatten();
        files.filter(|file| is_shard(file.as_ref().unwrap().path())).count()
    };
    folders(project)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "partial"))
        .map(|folder| {
            let n = shards(folder.clone());
            // The lock of the folder has no extension either.
            n - usize::from(folder.join("lock").exists())
        })
        .sum()
}

#[test]
#[cfg(unix)]
fn features_killed_at_random_moments_and_made_by_two_processes_are_the_same_bytes() {
    let [calm, stormy, shared] = [0; 3].map(|_| thirty_tracks());
    let mut child = start(calm.path(), MAKE);
    let mut n_changes = wait_for_change(&mut child, &cache(calm.path()), usize::MAX) as f64;
    assert!(child.wait().unwrap().success());
    let wanted = entry(calm.path());
    assert_eq!(wanted["matrix.f32"].len(), 30 * 10 * 130 * 13 * 4);

    let (mut n_kills, mut n_half_way) = (0, 0);
    while n_kills < 4 || (n_half_way == 0 && n_kills < 20) {
        let mut child = start(stormy.path(), MAKE);
        let nth = 1 + random_below(100 + n_kills, n_changes as usize);
        wait_for_change(&mut child, &cache(stormy.path()), nth);
        kill_all(child);
        n_kills += 1;
        let is_half_way = n_shards(stormy.path()) > 0;
        n_half_way += usize::from(is_half_way);
        if folders(stormy.path()).iter().any(|folder| folder.extension().is_none()) {
            // The extraction finished despite the kill. It starts again, so that the next kill has
            // a target.
            fs::remove_dir_all(cache(stormy.path())).unwrap();
            // A busy machine shows fewer or more changes, and the kills adapt.
            n_changes = (0.8 * n_changes).max(1.0);
        } else if !is_half_way {
            n_changes *= 1.25;
        }
    }
    assert!(n_half_way >= 1, "no kill left features half-way: the test hits too little");
    ok(stormy.path(), MAKE);
    assert!(entry(stormy.path()) == wanted, "other bytes after kills");

    let children: Vec<Child> = (0..2)
        .map(|_| {
            let mut command = command(shared.path(), MAKE);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut n_not_made = 0;
    for child in children {
        let output = child.wait_with_output().unwrap();
        let said = stderr(&output);
        assert!(output.status.success(), "{said}");
        let of_the_other = |line: &str| -> Option<usize> {
            let text = line.strip_prefix("features of synth-genres: ")?;
            let is_other =
                text.contains("by other processes") || text.starts_with("continues from");
            let number = text.trim_start_matches("continues from ").split(' ').next()?;
            is_other.then(|| number.parse().unwrap())
        };
        let n: usize = said.lines().filter_map(of_the_other).sum();
        assert!(n < 30, "one process made nothing: {said}");
        n_not_made += n;
    }
    assert_eq!(n_not_made, 30, "every track is made by one of the two");
    assert!(entry(shared.path()) == wanted, "other bytes by two processes");
}

#[test]
#[cfg(unix)]
fn the_cache_is_listed_checked_and_cleaned() {
    let home = project();
    let said = |arguments: &[&str]| {
        String::from_utf8_lossy(&ok(home.path(), arguments).stdout).into_owned()
    };
    assert!(said(&["features", "list"]).contains("the feature cache is empty"));
    ok(home.path(), &["run", "baseline-audio", "--seeds", "1,2"]);
    let list = said(&["features", "list", "--check"]);
    let name = folders(home.path())[0].file_name().unwrap().to_string_lossy().into_owned();
    let line = list.lines().find(|line| line.starts_with(&name[..12])).unwrap();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(words[1..7], ["synth-genres", "[200,", "130,", "13]", "1.4", "MB"], "{line}");
    assert!(line.ends_with(" 2  complete, checksum valid"), "{line}");
    assert!(list.contains("10 x 3 s at 22050 Hz, mfcc: "), "{list}");

    let path = home.path().join("datasets/cache").join(&name).join("matrix.f32");
    super::kills::flip(&path, 0.5);
    let output = encore(home.path(), &["features", "list", "--check"]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let words = "matrix.f32: is damaged: its sha256 is";
    assert!(stderr(&output).contains(words), "{}", stderr(&output));
    for (arguments, words) in [
        (vec!["features", "clean"], "--partial or --all"),
        (vec!["features", "clean", "xyz"], "no features start with `xyz`"),
    ] {
        let output = encore(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
    assert!(said(&["features", "clean", "--partial"]).starts_with("0 removed, 0 B freed"));
    // Readers take no lock and block nobody.
    let held = fs::File::open(&path).unwrap();
    held.lock_shared().unwrap();
    let cleaned = said(&["features", "clean", &name[..6]]);
    assert!(cleaned.starts_with(&format!("removed {name}, 1.4 MB\n1 removed, ")), "{cleaned}");
    assert!(folders(home.path()).is_empty());

    // Features that a running process is computing are kept; this test pretends to be that process.
    let partial = home.path().join(format!("datasets/cache/{name}.partial"));
    fs::create_dir(&partial).unwrap();
    fs::write(partial.join(format!("worker.{}", encore::disk::unique_name())), "").unwrap();
    let output = encore(home.path(), &["features", "clean", "--all"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("in use by a running encore, not removed"),
        "{}",
        stderr(&output)
    );
    assert!(partial.exists());
}
