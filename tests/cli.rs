//! The program as a user meets it: a project in a temporary folder, commands, their words and codes.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::project;

fn encore(project: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_encore"));
    command.current_dir(project).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn edit(project: &Path, file: &str, from: &str, to: &str) {
    let path = project.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} lacks {from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn every_spec_and_manifest_of_ours_is_well_declared() {
    let home = project();
    let output = encore(home.path(), &["check"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let n = fs::read_dir(home.path().join("experiments")).unwrap().count();
    assert_eq!(stdout(&output), format!("{n} experiments and 5 datasets are well declared\n"));
    assert!(n >= 11);
}

#[test]
fn all_faults_of_a_spec_are_said_at_once_with_line_range_and_nearest_name() {
    let home = project();
    let spec = "experiments/cnn-3.toml";
    edit(home.path(), spec, "n_mfcc = 13", "n_mfc = 13");
    edit(home.path(), spec, "test = 0.30", "test = 1.3");
    edit(home.path(), spec, "batch_size = 32", "batch_size = \"32\"");
    edit(home.path(), spec, "kernel = [2, 2]", "kernel = [2, 40]");
    edit(home.path(), spec, "optimizer.adam", "optimizer.adm");
    let output = encore(home.path(), &["run", "cnn-3"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    for part in [
        "experiments/cnn-3.toml:11: features.mfcc.n_mfc is no known key, did you mean `n_mfcc`?",
        "experiments/cnn-3.toml:18: split.random.test must be a number in (0, 1), got 1.3",
        "training.batch_size must be an integer in [1, ",
        "got the text \"32\"",
        "experiments/cnn-3.toml:25: model.cnn.blocks[2].kernel",
        "did you mean `adam`?",
    ] {
        assert!(said.contains(part), "{part}\nis not in\n{said}");
    }
}

#[test]
fn wrong_names_are_usage_and_missing_data_is_missing_data() {
    let home = project();
    for (arguments, code, words) in [
        (vec!["run", "cnn3"], 2, "`cnn3` is no known experiment, did you mean `cnn-3`?"),
        (vec!["run", "cnn-3", "--data", "gtzn"], 2, "did you mean `gtzan`?"),
        (vec!["run", "cnn-3", "--data", "synth-songs"], 2, "the experiment wants audio"),
        (
            vec!["run", "cnn-3", "--set", "training.epochs=0"],
            2,
            "--set training.epochs=0: training.epochs",
        ),
        (
            vec!["run", "baseline-audio", "--data", "gtzan"],
            3,
            "hint: encore data import gtzan PATH",
        ),
        (vec!["run", "cnn-3", "--device", "gpu"], 2, "device must be one of cpu, wgpu, cuda"),
        (vec!["data", "import", "synth-songs", "."], 2, "needs no import"),
        (vec!["data", "import", "gtzan", "."], 3, "no folder of a genre"),
        (vec!["compare", "cnn-2", "cnn-3"], 3, "hint: encore run cnn-2"),
        (vec!["compare", "cnn-20", "cnn-2"], 2, "did you mean cnn-2?"),
        (vec!["compare", "cnn-2"], 2, "2 values required"),
        (vec!["new", "cnn-3", "--from", "dnn"], 2, "there is already an experiment `cnn-3`"),
    ] {
        let output = encore(home.path(), &arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_run_leaves_a_record_and_is_found_again() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 400");
    let run = ["run", "spotify-logistic-final", "baseline-spotify", "--seeds", "7"];
    let first = encore(home.path(), &run);
    assert!(first.status.success(), "{}", stderr(&first));
    assert!(
        stdout(&first)
            .contains("synth-songs (synthetic, made by encore) in place of spotify-songs")
    );
    let runs: Vec<_> = fs::read_dir(home.path().join("reports/runs")).unwrap().collect();
    assert_eq!(runs.len(), 2);
    for folder in runs {
        let folder = folder.unwrap().path();
        let record = fs::read_to_string(folder.join("record.json")).unwrap();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap();
        assert_eq!(record["seed"], 7);
        assert_eq!(record["data"]["synthetic"], true);
        assert_eq!(record["test"]["n"], 120);
        let predictions = fs::read_to_string(folder.join("predictions.csv")).unwrap();
        assert_eq!(predictions.lines().count(), 121);
        let members = fs::read_to_string(folder.join("split.csv")).unwrap();
        assert_eq!(members.lines().count(), 401);
        assert!(fs::read_dir(folder.join("model")).unwrap().count() > 0);
    }
    let again = encore(home.path(), &run);
    assert!(stderr(&again).contains("found, done before"), "{}", stderr(&again));
    let compared = encore(home.path(), &["compare", run[1], run[2]]);
    assert!(compared.status.success(), "{}", stderr(&compared));
    for part in [
        "accuracy per example",
        "model.majority: absent -> {}",
        "(1 seed pair on the same 120 tracks)",
        "McNemar, exact, seed 7: ",
    ] {
        assert!(stdout(&compared).contains(part), "{part}\nis not in\n{}", stdout(&compared));
    }
    let page = encore(home.path(), &["report"]);
    assert!(page.status.success(), "{}", stderr(&page));
    let text = fs::read_to_string(home.path().join("reports/README.md")).unwrap();
    assert!(text.contains("spotify-logistic-final") && text.contains("synthetic"), "{text}");
}

#[test]
fn a_new_experiment_is_one_file_and_runs() {
    let home = project();
    edit(home.path(), "datasets/synth-songs.toml", "n_rows = 8576", "n_rows = 300");
    let new = encore(home.path(), &["new", "mine", "--from", "spotify-dense"]);
    assert!(new.status.success(), "{}", stderr(&new));
    let run = encore(home.path(), &["run", "mine", "--seeds", "1", "--set", "training.epochs=2"]);
    assert!(run.status.success(), "{}", stderr(&run));
    let list = stdout(&encore(home.path(), &["list"]));
    let line = list.lines().find(|line| line.starts_with("mine ")).unwrap();
    assert!(line.contains("on synth-songs, seed 1") && line.contains("cut down"), "{line}");
}
