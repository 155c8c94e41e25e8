//! The programs in `examples/commands/`. Those that need Python are ignored; `.ci/run` runs them where it
//! can install what they import.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{self, edit};

/// A small project with the examples in it.
fn project() -> tempfile::TempDir {
    let home = common::project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 600");
    let genres = home.path().join("datasets/synth-genres.toml");
    edit(&genres, "tracks_per_genre = 40", "tracks_per_genre = 2");
    let folder = home.path().join("examples/commands");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(common::repository().join("examples/commands")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    home
}

/// Runs an example with one seed; returns its folder.
fn run(project: &Path, name: &str, more: &[&str]) -> PathBuf {
    let spec = format!("examples/commands/{name}.toml");
    run_in(project, &[&["run", &spec, "--seeds", "1"], more].concat())
}

/// Starts a run, with the programs of `ENCORE_TEST_PYTHON` on the path; returns its folder.
fn run_in(project: &Path, arguments: &[&str]) -> PathBuf {
    let mut command = common::command(project, arguments);
    command.env("ENCORE_TRUST", "1");
    if let Ok(bin) = std::env::var("ENCORE_TEST_PYTHON") {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{bin}:{path}"));
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", common::stderr(&output));
    let printed = common::stdout(&output);
    let folder = printed.lines().rev().find(|line| line.starts_with("reports/runs/")).unwrap();
    project.join(folder)
}

fn accuracy(run: &Path) -> f64 {
    common::record(run)["test"]["accuracy"].as_f64().unwrap()
}

#[test]
fn every_example_is_a_valid_spec() {
    let home = project();
    let mut n_seen = 0;
    for entry in fs::read_dir(home.path().join("examples/commands")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            let path = path.strip_prefix(home.path()).unwrap().to_str().unwrap();
            let said = common::stdout(&common::ok(home.path(), &["run", path, "--why"]));
            assert!(said.contains("to run, not finished yet"), "{path}: {said}");
            n_seen += 1;
        }
    }
    assert_eq!(n_seen, 3);
}

#[test]
#[cfg(unix)]
fn the_shell_program_learns() {
    let home = project();
    let run = run(home.path(), "centroid", &[]);
    let record = common::record(&run);
    let classes = record["data"]["classes"].as_array().unwrap().len();
    let accuracy = accuracy(&run);
    assert!(accuracy > 1.5 / classes as f64, "{accuracy} of {classes} classes");
}

#[test]
#[ignore = "needs Python with scikit-learn; ENCORE_TEST_PYTHON is the folder of its programs"]
fn python_scikit_learn_is_as_good_as_our_forest() {
    let home = project();
    let theirs = run(home.path(), "sklearn-forest", &[]);
    let spec =
        fs::read_to_string(home.path().join("examples/commands/sklearn-forest.toml")).unwrap();
    let (rest, _) = spec.split_once("[model.command]").unwrap();
    let forest = "[model.forest]\nn_trees = 200\nmin_samples_leaf = 2\n";
    fs::write(home.path().join("experiments/ours.toml"), format!("{rest}{forest}")).unwrap();
    let said = common::stdout_of(home.path(), &["run", "ours", "--seeds", "1"]);
    let ours = common::printed_record(home.path(), &said)["test"]["accuracy"].as_f64().unwrap();
    let theirs = accuracy(&theirs);
    // 180 test rows: two standard errors of a difference are about 0.1.
    assert!((ours - theirs).abs() < 0.1, "ours {ours}, theirs {theirs}");
    let spec = "examples/commands/sklearn-forest.toml";
    fs::copy(home.path().join(spec), home.path().join("experiments/sklearn-forest.toml")).unwrap();
}

#[test]
#[ignore = "needs Python with scikit-learn; ENCORE_TEST_PYTHON is the folder of its programs"]
fn python_scikit_learn_is_a_model_in_a_project_of_init_alone() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    common::ok(home, &["init", "--example", "tables"]);
    let script = common::repository().join("examples/commands/sklearn_forest.py");
    fs::copy(script, home.join("mine.py")).unwrap();
    let spec = fs::read_to_string(home.join("experiments/forest.toml")).unwrap();
    let (rest, _) = spec.split_once("[model.forest]").unwrap();
    let model = "[model.command]\nrun = [\"python3\", \"mine.py\"]\n\
                 settings = { n_estimators = 50, min_samples_leaf = 2 }\n";
    fs::write(home.join("experiments/mine.toml"), format!("{rest}{model}")).unwrap();
    let folder = run_in(home, &["run", "mine", "--seeds", "1"]);
    let record = common::record(&folder);
    assert!(record["test"]["accuracy"].as_f64().unwrap() > 0.3, "{}", record["test"]);
    assert!(!record["spec"]["model"]["command"]["sha256"]["mine.py"].is_null());
    let page = common::stdout_of(home, &["report"]);
    assert!(page.lines().any(|line| line.starts_with("mine ")), "{page}");
}

#[test]
#[ignore = "needs Python with PyTorch; ENCORE_TEST_PYTHON is the folder of its programs"]
fn python_pytorch_trains_cnn_2_within_our_interval() {
    let home = common::project();
    let folder = home.path().join("examples/commands");
    fs::create_dir_all(&folder).unwrap();
    for name in ["torch_cnn_2.py", "torch-cnn-2.toml"] {
        fs::copy(common::repository().join("examples/commands").join(name), folder.join(name))
            .unwrap();
    }
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 10",
    );
    let theirs = run(
        home.path(),
        "torch-cnn-2",
        &["--set", "model.command.epochs=30", "--set", "model.command.settings.learning_rate=1e-3"],
    );
    let arguments = [
        "run",
        "cnn-2",
        "--seeds",
        "1",
        "--set",
        "training.epochs=30",
        "--set",
        "training.optimizer.adam.learning_rate=1e-3",
    ];
    let said = common::stdout_of(home.path(), &arguments);
    let ours = common::printed_record(home.path(), &said)["test"]["accuracy"].as_f64().unwrap();
    let record = common::record(&theirs);
    assert_eq!(record["model"]["n_epochs"], 30);
    assert!(record["files"]["model/net.pt"].is_string());
    let n = record["test"]["n"].as_f64().unwrap();
    let theirs = accuracy(&theirs);
    // The 95 % interval of a difference of two accuracies on the same number of examples.
    let margin = 1.96 * (ours * (1.0 - ours) / n + theirs * (1.0 - theirs) / n).sqrt() + 0.03;
    assert!((ours - theirs).abs() < margin, "ours {ours}, theirs {theirs}, margin {margin}");
}
