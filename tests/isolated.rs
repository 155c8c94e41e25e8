//! One bad file takes nothing else with it: damaged runs, drafts, invalid manifests, a disk that is not mounted.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{edit, encore, fails, files, ok, project, record, runs, stderr, stdout_of};

const RUN: [&str; 5] = ["run", "baseline-spotify", "spotify-logistic-final", "--seeds", "1,2"];

/// A small project with four finished runs and a page.
fn reported() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    ok(home.path(), &RUN);
    ok(home.path(), &["report"]);
    home
}

/// The lines of what a command says that begin with `skipped: `.
fn skipped(project: &Path, arguments: &[&str]) -> Vec<String> {
    let said = stderr(&ok(project, arguments));
    said.lines().filter(|line| line.starts_with("skipped: ")).map(str::to_owned).collect()
}

fn folder_of(project: &Path, experiment: &str) -> PathBuf {
    runs(project).into_iter().find(|run| record(run)["experiment"] == experiment).unwrap()
}

/// What is written over a file of a run, or nothing to remove it.
type Damage = (&'static str, Option<&'static str>);

const DAMAGES: [Damage; 6] = [
    ("predictions.csv", Some("track,segment\n")),
    ("predictions.csv", None),
    ("epochs.jsonl", Some("{\"epoch\": ")),
    ("epochs.jsonl", None),
    ("record.json", Some("{}")),
    ("record.json", None),
];

#[test]
fn a_damaged_run_is_named_and_the_others_are_reported() {
    let home = reported();
    let home = home.path();
    for (file, bytes) in DAMAGES {
        let folder = folder_of(home, "baseline-spotify");
        let copy = files(&folder);
        match bytes {
            Some(bytes) => fs::write(folder.join(file), bytes).unwrap(),
            None => fs::remove_file(folder.join(file)).unwrap(),
        }
        for command in ["list", "claims", "report"] {
            // Only the page has curves.
            let is_needed = match file {
                "record.json" => true,
                "predictions.csv" => command != "list",
                _ => command == "report",
            };
            let lines = skipped(home, &[command]);
            assert_eq!(lines.len(), usize::from(is_needed), "{command}, {file}: {lines:?}");
            for line in &lines {
                let named = format!("{}/{file}: ", folder.strip_prefix(home).unwrap().display());
                assert!(line.contains(&named) && line.contains("; copy "), "{line}");
            }
        }
        let page = fs::read_to_string(home.join("reports/README.md")).unwrap();
        assert!(page.contains("1 of 5") && page.contains("2 of 5"), "{file}: {page}");
        assert!(page.contains("1 finished run is not on this page: "), "{file}: {page}");
        let page = fs::read_to_string(home.join("reports/index.html")).unwrap();
        assert!(page.contains("Skipped runs") && page.contains(file), "{file}");
        let compare = ["compare", "baseline-spotify", "spotify-logistic-final"];
        assert_eq!(skipped(home, &compare).len(), usize::from(file != "epochs.jsonl"), "{file}");

        // The advice: copy the folder again ...
        fs::remove_dir_all(&folder).unwrap();
        for (name, bytes) in copy {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        assert_eq!(skipped(home, &["report"]), [] as [String; 0], "{file}");
        // ... or delete it and run the experiment again.
        fs::write(folder.join(file), "x").unwrap();
        fs::remove_dir_all(&folder).unwrap();
        ok(home, &RUN);
        assert_eq!(skipped(home, &["report"]), [] as [String; 0], "{file}");
        // Running it again is enough where the run is still of the spec.
        fs::write(folder.join(file), "x").unwrap();
        ok(home, &RUN);
        assert_eq!(skipped(home, &["report"]), [] as [String; 0], "{file}");
    }
}

#[test]
#[cfg(unix)]
fn files_beside_the_runs_are_ignored_and_a_link_into_nothing_is_named() {
    let home = reported();
    let store = home.path().join("reports/runs");
    fs::write(store.join("notes.txt"), "not a run").unwrap();
    assert_eq!(skipped(home.path(), &["list"]), [] as [String; 0]);
    std::os::unix::fs::symlink("/no/such/disk/run", store.join("linked.run")).unwrap();
    for command in ["list", "claims", "report"] {
        let lines = skipped(home.path(), &[command]);
        assert!(lines.len() == 1 && lines[0].contains("reports/runs/linked.run/"), "{lines:?}");
    }
}

#[test]
fn a_page_is_not_replaced_where_no_run_can_be_read() {
    let home = reported();
    let home = home.path();
    let page =
        || files(&home.join("reports")).into_iter().filter(|(name, _)| !name.contains("runs/"));
    let before: Vec<_> = page().collect();
    let (store, elsewhere) = (home.join("reports/runs"), home.join("elsewhere"));
    // The disk of the runs is away: an empty folder is left, or none, or a link into nothing.
    fs::rename(&store, &elsewhere).unwrap();
    let said = fails(home, &["report"], 3);
    assert!(said.contains("reports/runs has no valid run, but the page shows some"), "{said}");
    fs::create_dir(&store).unwrap();
    fails(home, &["report"], 3);
    fs::remove_dir(&store).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(home.join("mnt/runs"), &store).unwrap();
        for command in [vec!["report"], vec!["claims"], RUN.to_vec()] {
            let said = fails(home, &command, 3);
            assert!(said.contains("reports/runs: is a link to "), "{said}");
            assert_eq!(said.matches("connect the disk").count(), 1, "{said}");
        }
        let list = encore(home, &["list"]);
        assert!(list.status.success() && stderr(&list).lines().count() == 1, "{}", stderr(&list));
        // The advice: connect the disk.
        fs::create_dir(home.join("mnt")).unwrap();
        fs::rename(&elsewhere, home.join("mnt/runs")).unwrap();
        assert_eq!(skipped(home, &["claims"]), [] as [String; 0]);
        fs::remove_file(&store).unwrap();
        fs::rename(home.join("mnt/runs"), &elsewhere).unwrap();
    }
    // All runs are damaged.
    fs::rename(&elsewhere, &store).unwrap();
    for run in runs(home) {
        fs::remove_file(run.join("predictions.csv")).unwrap();
    }
    let said = fails(home, &["report"], 3);
    assert!(said.contains("predictions.csv: is missing"), "{said}");
    for run in runs(home) {
        fs::remove_file(run.join("record.json")).unwrap();
    }
    fails(home, &["report"], 3);
    assert!(page().eq(before), "the page was written");
    // The advice: to write an empty page, delete the results.
    fs::remove_file(home.join("reports/results.csv")).unwrap();
    ok(home, &["report"]);
}

#[test]
fn hidden_files_are_ignored_and_drafts_are_named() {
    let home = reported();
    let home = home.path();
    let (wanted, n) = (stdout_of(home, &["list"]), stdout_of(home, &["check"]));
    for folder in ["experiments", "datasets"] {
        let folder = home.join(folder);
        for name in ["._x.toml", ".#x.toml", "x.toml~", "#x.toml#", ".x.toml.swp", "x.toml.orig"] {
            fs::write(folder.join(name), b"\0\x05\x16\x07 no toml").unwrap();
        }
        for hidden in [".ipynb_checkpoints", ".git"] {
            fs::create_dir(folder.join(hidden)).unwrap();
            fs::write(folder.join(hidden).join("x-checkpoint.toml"), "title = ").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("me@host.123:456", folder.join(".#y.toml")).unwrap();
    }
    assert_eq!(stdout_of(home, &["list"]), wanted);
    assert_eq!(stdout_of(home, &["check"]), n);
    for command in ["list", "claims", "report"] {
        assert_eq!(skipped(home, &[command]), [] as [String; 0]);
    }
    // A draft has a line in the list, which names its fault, and stops nothing.
    fs::write(home.join("experiments/draft.toml"), "title = \"to be don").unwrap();
    let list = stdout_of(home, &["list"]);
    let line = list.lines().find(|line| line.starts_with("draft ")).unwrap();
    assert!(line.contains("invalid: experiments/draft.toml:1"), "{line}");
    let lines = skipped(home, &["claims"]);
    assert!(lines.len() == 1 && lines[0].contains("experiments/draft.toml:1"), "{lines:?}");
    ok(home, &["report"]);
    ok(home, &RUN);
    assert!(fails(home, &["check"], 2).contains("experiments/draft.toml:1"));
}

#[test]
fn one_invalid_manifest_is_named_and_the_others_are_used() {
    let home = reported();
    let home = home.path();
    let manifest = home.join("datasets/synth-genres.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, format!("{text}\ntracks = 3\nmore = 1\n")).unwrap();
    for command in [&["list"][..], &["claims"], &["report"], &["data", "list"], &RUN] {
        let lines = skipped(home, command);
        let own: Vec<&String> =
            lines.iter().filter(|line| line.contains("synth-genres.toml:")).collect();
        assert_eq!(own.len(), 1, "{command:?}: {lines:?}");
        assert!(own[0].ends_with("; 1 more fault: encore check"), "{own:?}");
    }
    let said = fails(home, &["check"], 2);
    assert!(
        said.contains("tracks is an unknown key") && said.contains("more is an unknown key"),
        "{said}"
    );
    // What needs it says why it can't be used.
    for command in [&["run", "cnn-1"][..], &["data", "describe", "synth-genres"]] {
        let said = fails(home, command, 2);
        assert!(said.contains("the manifest of dataset `synth-genres` is invalid"), "{said}");
    }
    fs::write(&manifest, text).unwrap();
    assert_eq!(skipped(home, &["list"]), [] as [String; 0]);
}

/// A record whose seal is of more fields than are known here.
fn resealed(record: &str) -> String {
    record.replace("\"seal\": \"", "\"seal\": \"0")
}

#[test]
fn a_record_of_a_newer_encore_is_named_and_never_replaced() {
    let home = reported();
    let home = home.path();
    let folder = folder_of(home, "baseline-spotify");
    let path = folder.join("record.json");
    let text = fs::read_to_string(&path).unwrap();
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version));
    for (newer, words) in [
        (text.replace("\"format\": 3", "\"format\": 4"), "is a record of format 4, written by "),
        (
            resealed(&text.replacen("\"seed\"", "\"mood\": \"blue\",\n  \"seed\"", 1)),
            "has the unknown field `mood`",
        ),
        (
            resealed(&text.replacen("\"timings\": {", "\"timings\": {\"idle_s\": 1,", 1)),
            "has the unknown field `timings.idle_s`",
        ),
        (
            text.replace(&version, "\"version\": \"99.0.0\""),
            "is a record of a newer encore, written by 99.0.0",
        ),
    ] {
        assert_ne!(newer, text);
        fs::write(&path, newer).unwrap();
        let before = files(&folder);
        for command in ["list", "claims", "report"] {
            let lines = skipped(home, &[command]);
            assert!(lines.len() == 1 && lines[0].contains(words), "{command}: {lines:?}");
        }
        let said = fails(home, &RUN, 3);
        assert!(said.contains(words) && said.contains("use the newer encore"), "{said}");
        assert_eq!(files(&folder), before);
        let id = folder.file_name().unwrap().to_str().unwrap();
        assert!(fails(home, &["verify", id], 3).contains(words));
    }
    // A changed value is damage, and the run is repeated.
    fs::write(&path, text.replacen("\"seed\": ", "\"seed\": 1", 1)).unwrap();
    ok(home, &RUN);
    assert_eq!(skipped(home, &["report"]), [] as [String; 0]);
}

#[test]
fn a_folder_of_specs_may_have_a_dot_in_its_name() {
    let home = reported();
    let home = home.path();
    fs::create_dir_all(home.join("experiments/v1.0")).unwrap();
    let spec = home.join("experiments/baseline-spotify.toml");
    fs::copy(spec, home.join("experiments/v1.0/base.line.toml")).unwrap();
    let name = "v1.0/base.line";
    let list = stdout_of(home, &["list"]);
    assert!(list.lines().any(|line| line.starts_with(name) && line.contains("not run")), "{list}");
    ok(home, &["run", name, "--seeds", "1"]);
    assert!(stderr(&ok(home, &["run", name, "--seeds", "1"])).contains("already done"));
    let list = stdout_of(home, &["list"]);
    assert!(list.lines().any(|line| line.starts_with(name) && line.contains("seed 1")), "{list}");
    // A link in a circle is named, and nothing is listed twice.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("..", home.join("experiments/v1.0/up")).unwrap();
        let lines = skipped(home, &["list"]);
        assert!(lines.len() == 1 && lines[0].contains("experiments/v1.0/up: "), "{lines:?}");
        assert_eq!(stdout_of(home, &["list"]), list);
    }
}

#[test]
fn a_capsule_that_can_not_be_read_is_missing_data_and_no_difference() {
    let home = reported();
    let home = home.path();
    ok(home, &["capsule", "baseline-spotify", "-o", "a.tar.zst"]);
    let bytes = fs::read(home.join("a.tar.zst")).unwrap();
    fs::write(home.join("cut.tar.zst"), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(home.join("notes.txt"), "no capsule").unwrap();
    fs::create_dir(home.join("folder.tar.zst")).unwrap();
    for file in ["none.tar.zst", "cut.tar.zst", "notes.txt", "folder.tar.zst"] {
        let said = fails(home, &["verify", file], 3);
        assert!(said.contains(file), "{said}");
    }
    let mut changed = bytes;
    changed[50] ^= 1;
    fs::write(home.join("changed.tar.zst"), changed).unwrap();
    let said = fails(home, &["verify", "changed.tar.zst"], 4);
    assert!(said.contains("is damaged or was changed") && said.contains("pack it again"), "{said}");
}
