//! The index of runs and their kept scores are derived: whatever happens to them, the records decide.
//! Equal splits are stored once.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{edit, ok, project, stderr, stdout};

const INDEX: &str = "reports/runs.index.json";
const SCORES: &str = "reports/runs.scores.txt";

/// A project with a small table and three finished runs.
fn with_runs() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    ok(home.path(), &["run", "spotify-logistic", "--seeds", "1,2"]);
    ok(home.path(), &["run", "baseline-spotify", "--seeds", "1"]);
    home
}

/// The folders of an experiment's runs with one seed.
fn run_folders(home: &Path, start: &str, seed: u64) -> Vec<PathBuf> {
    let folders =
        fs::read_dir(home.join("reports/runs")).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with(start) && name.contains(&format!("seed-{seed}"))
    };
    folders.filter(is_it).collect()
}

fn run_folder(home: &Path, start: &str, seed: u64) -> PathBuf {
    run_folders(home, start, seed).remove(0)
}

fn n_indexed(home: &Path) -> usize {
    let index: serde_json::Value =
        serde_json::from_slice(&fs::read(home.join(INDEX)).unwrap()).unwrap();
    index["runs"].as_object().unwrap().len()
}

/// The line of an experiment.
fn line(list: &str, experiment: &str) -> String {
    list.lines().find(|line| line.starts_with(experiment)).unwrap().to_owned()
}

#[test]
fn a_missing_damaged_or_outdated_index_changes_nothing() {
    let home = with_runs();
    let home = home.path();
    let list = || ok(home, &["list"]);
    let first = stdout(&list());
    assert!(line(&first, "spotify-logistic ").contains("seed 2"), "{first}");
    assert_eq!(n_indexed(home), 3);
    let index = fs::read(home.join(INDEX)).unwrap();
    for damaged in [&b"{"[..], b"{\"format\": 999, \"runs\": {}}", &index[..index.len() / 2]] {
        fs::write(home.join(INDEX), damaged).unwrap();
        assert_eq!(stdout(&list()), first);
        assert_eq!(fs::read(home.join(INDEX)).unwrap(), index);
    }
    // A folder where the index should be: it can't be written, and everything works.
    fs::remove_file(home.join(INDEX)).unwrap();
    fs::create_dir_all(home.join(INDEX).join("a")).unwrap();
    assert_eq!(stdout(&list()), first);
    fs::remove_dir_all(home.join(INDEX)).unwrap();
    // A run that is gone is gone from the list, and one that is damaged is named.
    list();
    fs::remove_dir_all(run_folder(home, "spotify-logistic", 2)).unwrap();
    assert!(line(&stdout(&list()), "spotify-logistic ").contains("seed 1"));
    assert_eq!(n_indexed(home), 2);
    edit(
        &run_folder(home, "spotify-logistic", 1).join("record.json"),
        "\"seed\": 1",
        "\"seed\": 7",
    );
    let output = list();
    assert!(
        stderr(&output).contains("its checksum does not match its content"),
        "{}",
        stderr(&output)
    );
    assert!(line(&stdout(&output), "spotify-logistic ").contains("not run"));
    assert_eq!(n_indexed(home), 1);
}

#[test]
fn the_index_follows_runs_that_are_made_again() {
    let home = with_runs();
    let home = home.path();
    ok(home, &["list"]);
    let folder = run_folder(home, "spotify-logistic", 2);
    fs::remove_dir_all(&folder).unwrap();
    ok(home, &["run", "spotify-logistic", "--seeds", "2"]);
    assert!(folder.exists());
    assert!(line(&stdout(&ok(home, &["list"])), "spotify-logistic ").contains("seed 2"));
    assert_eq!(n_indexed(home), 3);
}

#[test]
fn missing_damaged_or_outdated_scores_change_no_claim_and_no_page() {
    let home = with_runs();
    let home = home.path();
    let outputs = || {
        let claims = stdout(&ok(home, &["claims"]));
        ok(home, &["report"]);
        let files = ["index.html", "README.md", "results.csv", "table.tex"];
        (claims, files.map(|file| fs::read_to_string(home.join("reports").join(file)).unwrap()))
    };
    let first = outputs();
    let scores = fs::read(home.join(SCORES)).unwrap();
    let written = || fs::metadata(home.join("reports/index.html")).unwrap().modified().unwrap();
    let before = written();
    assert!(outputs() == first);
    assert_eq!(written(), before, "a page that is what it was is not written again");
    assert_eq!(fs::read(home.join(SCORES)).unwrap(), scores, "nothing was scored again");
    for damaged in [&b"{"[..], &scores[..scores.len() / 2], b""] {
        fs::write(home.join(SCORES), damaged).unwrap();
        assert!(outputs() == first);
    }
    fs::remove_file(home.join(SCORES)).unwrap();
    fs::create_dir_all(home.join(SCORES).join("a")).unwrap();
    assert!(outputs() == first);
    fs::remove_dir_all(home.join(SCORES)).unwrap();
    outputs();
    // Another published figure, another metric, one more run: all are judged as they are now.
    let spec = home.join("experiments/spotify-logistic.toml");
    edit(&spec, "value = 0.479", "value = 0.111");
    let text = stdout(&ok(home, &["claims"]));
    assert!(text.contains("spotify-logistic on synth-songs (synthetic): accuracy 0.111"), "{text}");
    edit(&spec, "metric = \"accuracy\"", "metric = \"macro_f1\"");
    let macro_f1 = stdout(&ok(home, &["claims"]));
    assert!(macro_f1.contains("macro_f1 0.111") && macro_f1.contains("over 2 seeds"), "{macro_f1}");
    ok(home, &["run", "spotify-logistic", "--seeds", "3"]);
    assert!(stdout(&ok(home, &["claims"])).contains("over 3 seeds"));
    // A damaged run is named and left out.
    let predictions = run_folder(home, "spotify-logistic", 2).join("predictions.csv");
    let text = fs::read_to_string(&predictions).unwrap();
    fs::write(&predictions, text.replacen("0.1", "0.2", 1)).unwrap();
    for _ in 0..2 {
        let output = ok(home, &["claims"]);
        assert!(stdout(&output).contains("over 2 seeds"), "{}", stdout(&output));
        let error = stderr(&output);
        assert_eq!(error.matches("skipped: ").count(), 1, "{error}");
        assert!(error.contains("predictions.csv") && error.contains("is damaged"), "{error}");
    }
}

#[test]
#[cfg(unix)]
fn equal_splits_are_on_the_disk_once_and_every_run_has_its_own_name_for_them() {
    use std::os::unix::fs::MetadataExt;
    let home = with_runs();
    let home = home.path();
    // The same split for another model.
    ok(home, &["run", "spotify-logistic", "--seeds", "1", "--set", "model={majority={}}"]);
    let of_seed_1 = run_folders(home, "spotify-logistic", 1);
    let [a, b] = of_seed_1.as_slice() else { panic!("{of_seed_1:?}") };
    let inode = |run: &Path| fs::metadata(run.join("split.csv")).unwrap().ino();
    let other_seed = run_folder(home, "spotify-logistic", 2);
    assert_eq!(inode(a), inode(b));
    assert_ne!(inode(a), inode(&other_seed));
    // Runs don't need the folder of splits.
    fs::remove_dir_all(home.join("reports/splits")).unwrap();
    let id = a.file_name().unwrap().to_string_lossy().into_owned();
    ok(home, &["verify", &id]);
}

#[test]
#[cfg(unix)]
fn what_killed_processes_left_beside_the_splits_the_index_and_a_finished_run_is_removed() {
    let home = with_runs();
    let home = home.path();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let (ours, dead) = (format!("-{}-", std::process::id()), format!("-{}-", child.id()));
    child.wait().unwrap();
    let unique = encore::disk::unique_name().replace(&ours, &dead);
    let left = ["splits/x.csv", "runs.index.json"]
        .map(|name| home.join(format!("reports/{name}.{unique}.partial")));
    left.iter().for_each(|path| fs::write(path, "half").unwrap());
    // A process that was killed after it published a run.
    let id = run_folder(home, "spotify-logistic", 1).file_name().unwrap().to_owned();
    let lock = home.join("reports/attempts").join(id).with_added_extension("lock");
    fs::write(&lock, "1").unwrap();
    ok(home, &["run", "spotify-logistic", "--seeds", "1,7"]);
    ok(home, &["list"]);
    assert_eq!(left.map(|path| path.exists()), [false, false]);
    assert!(!lock.exists());
}
