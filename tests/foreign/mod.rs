//! Results from elsewhere: predictions of other programs, exported splits, capsules.

mod capsules;
mod faults;
mod tasks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::common::{edit, encore, fails, ok, project, record, runs, stderr, stdout, stdout_of};
use crate::json::fits;

/// A project with a small table, and a spec with a claim about it.
fn small() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 400");
    let spec = home.path().join("experiments/spotify-dense.toml");
    edit(&spec, "\"spotify-songs\"", "\"synth-songs\"");
    edit(&spec, "epochs = 100", "epochs = 3");
    home
}

/// The same with finished runs of these seeds.
fn with_runs(seeds: &str) -> tempfile::TempDir {
    let home = small();
    ok(home.path(), &["run", "spotify-dense", "--seeds", seeds]);
    home
}

fn is_foreign(folder: &Path) -> bool {
    folder.to_string_lossy().contains(".foreign-")
}

fn native(home: &Path, seed: u64) -> PathBuf {
    let is_it = |folder: &PathBuf| {
        folder.to_string_lossy().contains(&format!(".seed-{seed}.")) && !is_foreign(folder)
    };
    runs(home).into_iter().find(is_it).unwrap()
}

fn foreign(home: &Path) -> Vec<PathBuf> {
    runs(home).into_iter().filter(|folder| is_foreign(folder)).collect()
}

/// Imports the predictions of a native run, changed.
fn import(home: &Path, seed: u64, change: impl Fn(String) -> String, more: &[&str]) -> Output {
    let text = fs::read_to_string(native(home, seed).join("predictions.csv")).unwrap();
    fs::write(home.join("theirs.csv"), change(text)).unwrap();
    let seed = seed.to_string();
    let arguments = ["import-predictions", "spotify-dense", "theirs.csv", "--seed", &seed];
    encore(home, &[&arguments[..], more].concat())
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    stdout(output)
}

fn refused(output: &Output, part: &str) {
    assert_eq!(output.status.code(), Some(3), "{part}: {}", stderr(output));
    assert!(stderr(output).contains(part), "{part}\nis not in\n{}", stderr(output));
}

/// The rows of an experiment, native ones first.
fn results(home: &Path, experiment: &str) -> Vec<Value> {
    let claims = fits("claims", &stdout_of(home, &["claims", "--json"]));
    let all = claims["results"].as_array().unwrap().iter();
    all.filter(|row| row["experiment"] == experiment).cloned().collect()
}

#[test]
fn a_native_run_that_is_exported_and_imported_has_the_same_intervals_and_verdict() {
    let home = with_runs("1,2");
    let home = home.path();
    for seed in [1, 2] {
        let of_run = |name: &str| native(home, seed).join(name).to_string_lossy().into_owned();
        let (epochs, split) = (of_run("epochs.jsonl"), of_run("split.csv"));
        let more = ["--epochs", &epochs, "--split", &split, "--json"];
        let said = done(&import(home, seed, |text| text, &more));
        let said = fits("import-predictions", &said);
        assert_eq!(said["results"][0]["foreign"], true);
    }
    let rows = results(home, "spotify-dense");
    let [ours, theirs] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!((&ours["foreign"], &theirs["foreign"]), (&false.into(), &true.into()));
    for key in
        ["seeds", "dataset", "shortened", "n_leaking", "accuracy", "accuracy_by_track", "claims"]
    {
        assert_eq!(ours[key], theirs[key], "{key}");
    }
    let verdict = ours["claims"][0]["verdict"].as_str().unwrap();
    assert!(verdict == "differs" || verdict == "inconclusive", "a verdict on numbers: {ours}");
    // What was given is what is recorded, bit by bit.
    for (folder, seed) in foreign(home).iter().zip([1, 2]) {
        let (one, other) = (record(&native(home, seed)), record(folder));
        for key in
            ["/outputs/predictions", "/outputs/curves", "/files/split.csv", "/test", "/split"]
        {
            assert_eq!(one.pointer(key).unwrap(), other.pointer(key).unwrap(), "{key}");
        }
        assert_eq!(one["audit"], other["audit"]);
        assert_eq!(other["foreign"]["predictions"]["file"], "theirs.csv");
        assert_eq!(other["foreign"]["split"], Value::Null, "it is the split of the spec");
        assert_eq!(
            (&other["model"]["name"], &other["code"]["device"]),
            (&"foreign".into(), &"elsewhere".into())
        );
        assert_eq!(fs::read_dir(folder.join("model")).unwrap().count(), 0);
    }
}

#[test]
fn foreign_runs_stand_apart_and_have_no_model() {
    let home = with_runs("1");
    let home = home.path();
    done(&import(home, 1, |text| text, &[]));
    // A reader sees it on every page and in every list.
    let text = stdout_of(home, &["report"]);
    assert!(text.contains("foreign: spotify-dense"), "{text}");
    let foot = "foreign, another program made the predictions";
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(foot), "{text}");
    for file in ["README.md", "index.html"] {
        let page = fs::read_to_string(home.join("reports").join(file)).unwrap();
        for part in [
            "1 row is",
            "foreign: spotify-dense",
            "synth-songs (synthetic), foreign",
            "Foreign predictions",
        ] {
            assert!(page.contains(part), "{file} lacks {part}");
        }
        assert!(page.contains("predictions made elsewhere; files theirs.csv"), "{file}");
    }
    let csv = fs::read_to_string(home.join("reports/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 3);
    let found =
        stdout_of(home, &["runs", "--where", "foreign", "--columns", "id,seconds", "--csv"]);
    let (_, line) = found.trim_end().rsplit_once('\n').unwrap();
    let id = line.strip_suffix(',').expect("the time is unknown").to_owned();
    assert!(id.contains(".foreign-"), "{found}");
    let list = fits("list", &stdout_of(home, &["list", "--json"]));
    let list = list["experiments"].as_array().unwrap();
    let dense = list.iter().find(|it| it["name"] == "spotify-dense").unwrap();
    assert_eq!(dense["latest"]["is_foreign"], false, "though the foreign run is later");
    // Compared like any other, and with the native run of the same experiment.
    let names = ["compare", "spotify-dense", "spotify-dense@foreign", "--json"];
    let compared = fits("compare", &stdout_of(home, &names));
    assert_eq!(compared["sides"][1]["foreign"], true);
    assert_eq!(compared["tests"][0]["difference"]["mean"], 0.0);
    let text = stdout_of(home, &["compare", "spotify-dense", &id]);
    assert!(text.contains("spotify-dense seed 1, foreign"), "{text}");
    // It can't be repeated or used to predict.
    let said = fails(home, &["verify", &id], 3);
    assert!(
        said.contains("were imported from theirs.csv; there is no training to repeat"),
        "{said}"
    );
    fs::write(home.join("new.csv"), "energy\n1\n").unwrap();
    let said = fails(home, &["predict", "new.csv", "--with", &id], 3);
    assert!(said.contains("has no model: its predictions were imported from theirs.csv"), "{said}");
    // By the name of the experiment, the trained model is used: the file lacks its columns.
    let said = stderr(&encore(home, &["predict", "new.csv", "--with", "spotify-dense"]));
    assert!(said.contains("danceability"), "{said}");
    // It is a run like any other for what people do with runs.
    ok(home, &["runs", "tag", &id, "--add", "theirs"]);
    ok(home, &["runs", "archive", &id]);
    assert_eq!(results(home, "spotify-dense").len(), 1);
    ok(home, &["runs", "restore", &id]);
    ok(home, &["runs", "remove", &id]);
    assert_eq!(runs(home).len(), 1);
    ok(home, &["runs", "restore", &id]);
    ok(home, &["capsule", &id, "--out", "theirs.tar.zst"]);
    ok(home, &["verify", "theirs.tar.zst"]);
}

#[test]
fn a_foreign_run_is_not_the_run_of_its_spec() {
    let home = with_runs("2");
    let home = home.path();
    done(&import(home, 2, |text| text, &[]));
    fs::remove_dir_all(native(home, 2)).unwrap();
    let said = stdout_of(home, &["run", "spotify-dense", "--seeds", "2", "--why"]);
    assert!(said.contains("to run") || said.contains("never"), "{said}");
    let said = stdout_of(home, &["list"]);
    assert!(said.contains("foreign, seed 2"), "{said}");
    ok(home, &["run", "spotify-dense", "--seeds", "2"]);
    assert!(native(home, 2).join("model/model.safetensors").is_file());
    // The same files again make no second run, whatever they are called; other files do.
    let n_runs = runs(home).len();
    done(&import(home, 2, |text| text, &[]));
    let bytes = fs::read(home.join("theirs.csv")).unwrap();
    fs::write(home.join("other.csv"), bytes).unwrap();
    ok(home, &["import-predictions", "spotify-dense", "other.csv", "--seed", "2"]);
    assert_eq!(runs(home).len(), n_runs);
    // One whose files are damaged is imported again.
    let folder = foreign(home).pop().unwrap();
    fs::write(folder.join("predictions.csv"), "track\n").unwrap();
    let output = import(home, 2, |text| text, &[]);
    assert!(stderr(&output).contains("imported again"), "{}", stderr(&output));
    done(&output);
    assert!(fs::read_to_string(folder.join("predictions.csv")).unwrap().lines().count() > 50);
    assert_eq!(runs(home).len(), n_runs);
    // Different models are different rows, and a model's name is part of the run.
    done(&import(home, 2, |text| text, &["--model", "resnet"]));
    let rows = results(home, "spotify-dense");
    let models: Vec<(&Value, &Value)> =
        rows.iter().map(|row| (&row["foreign"], &row["foreign_model"])).collect();
    let (no, yes, none, resnet) = (false.into(), true.into(), Value::Null, "resnet".into());
    assert_eq!(models, [(&no, &none), (&yes, &none), (&yes, &resnet)]);
    assert!(stdout_of(home, &["claims"]).contains("synth-songs (synthetic), foreign (resnet)"));
}

#[test]
fn a_file_may_be_written_by_anything_that_writes_csv() {
    let home = with_runs("1");
    let home = home.path();
    // The rows in another order, the columns too, without `predicted`, with spaces, a byte order mark, CRLF.
    let rewritten = |text: String| {
        let rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let line = |row: &Vec<String>| {
            let ps: Vec<String> = row[4..].iter().rev().map(|p| format!(" {p}")).collect();
            format!("{},x,{}\r\n", ps.join(","), row[0])
        };
        let others: String = rows[1..].iter().rev().map(line).collect();
        format!("\u{FEFF}{}{others}", line(&rows[0]))
    };
    done(&import(home, 1, rewritten, &[]));
    let folder = foreign(home).pop().unwrap();
    let (ours, theirs) = (record(&native(home, 1)), record(&folder));
    assert_eq!(ours["outputs"]["predictions"], theirs["outputs"]["predictions"]);
    let bytes = fs::read(folder.join("predictions.csv")).unwrap();
    assert_eq!(bytes, fs::read(native(home, 1).join("predictions.csv")).unwrap());
}

#[test]
fn segments_tracks_and_odd_names_are_kept() {
    let home = project();
    let home = home.path();
    // A dataset of a user's own, with commas, quotes and line breaks in classes and ids.
    let rows: String = (0..60)
        .map(|i| {
            let class = ["\"rock, hard\"", "\"say \"\"yes\"\"\"", " pop "][i % 3];
            format!("\"a, {i}\",{class},{}\n", (i * 7 % 10) as f64 / 10.0)
        })
        .collect();
    fs::write(home.join("mine.csv"), format!("id,genre,energy\n{rows}")).unwrap();
    ok(home, &["data", "new", "odd", "mine.csv"]);
    ok(home, &["data", "import", "odd", "mine.csv"]);
    ok(home, &["run", "odd", "--seeds", "1"]);
    let folder = native(home, 1);
    let predictions = folder.join("predictions.csv").to_string_lossy().into_owned();
    done(&encore(home, &["import-predictions", "odd", &predictions, "--seed", "1"]));
    let bytes = |folder: &Path| fs::read(folder.join("predictions.csv")).unwrap();
    assert_eq!(bytes(&folder), bytes(&foreign(home)[0]));
    // Recordings have segments, and tracks with a vote.
    edit(&home.join("datasets/synth-genres.toml"), "tracks_per_genre = 40", "tracks_per_genre = 3");
    let arguments = ["baseline-audio", "--data", "embedded", "--set", "seeds=[3]"];
    ok(home, &[&["run"], &arguments[..]].concat());
    let folder = native(home, 3);
    let predictions = folder.join("predictions.csv").to_string_lossy().into_owned();
    let import = ["import-predictions", "baseline-audio", &predictions, "--data", "embedded"];
    done(&encore(home, &[&import[..], &["--set", "seeds=[3]"]].concat()));
    let rows = results(home, "baseline-audio");
    assert_eq!(rows.len(), 2);
    assert!(rows[0]["accuracy_by_track"].is_object());
    for key in ["accuracy", "accuracy_by_track", "claims"] {
        assert_eq!(rows[0][key], rows[1][key], "{key}");
    }
    // Without the segment, a row could be about any of them.
    let text = fs::read_to_string(&predictions).unwrap().replacen(",segment,", ",piece,", 1);
    fs::write(home.join("theirs.csv"), text).unwrap();
    let output =
        encore(home, &["import-predictions", "baseline-audio", "theirs.csv", "--seed", "3"]);
    refused(&output, "has no column `segment`");
}
