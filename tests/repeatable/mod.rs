//! Runs as a user sees them: killed, stopped, damaged, started twice, with the same bits in the
//! end.

mod features;
#[cfg(unix)]
mod kills;
#[cfg(target_os = "linux")]
mod locks;
#[cfg(target_os = "linux")]
use crate::common::preload;

use crate::common::events::{wait_for, wait_for_change, wait_until};
#[cfg(unix)]
use crate::common::kills::{kill_all, start};
use crate::common::{self, command, edit, encore, ok, random_below, record, runs, stderr};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The six experiments of the original report, reduced in size.
const SIX: &[&str] = &["dnn", "cnn-1", "cnn-2", "cnn-3", "spotify-logistic", "spotify-dense"];

/// Creates a project with small corpora.
fn project() -> tempfile::TempDir {
    let home = common::project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 2",
    );
    home
}

/// Returns the arguments that run one experiment with one seed, saving after every step.
fn run<'a>(experiment: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut arguments = vec!["run", experiment, "--seeds", "1", "--checkpoint-every", "0"];
    if !experiment.contains("logistic") {
        arguments.extend(["--set", "training.epochs=6"]);
    }
    arguments.extend(more);
    arguments
}

/// Returns the outputs of every finished run, by name.
fn outputs(project: &Path) -> BTreeMap<String, serde_json::Value> {
    let finished = runs(project).into_iter().filter(|folder| folder.join("record.json").exists());
    finished
        .map(|folder| {
            let record = record(&folder);
            let name = record["experiment"].as_str().unwrap().to_owned();
            let mut epochs = fs::read_to_string(folder.join("epochs.jsonl")).unwrap();
            // Only the time of an epoch may differ.
            epochs =
                epochs.lines().map(|line| line.split(",\"seconds\"").next().unwrap()).collect();
            (name, serde_json::json!([record["outputs"], epochs]))
        })
        .collect()
}

#[test]
fn why_names_what_made_a_run_stale_and_verify_repeats_one() {
    let home = project();
    ok(home.path(), &run("spotify-dense", &[]));
    let why = |arguments: &[&str]| {
        let output = ok(home.path(), &[arguments, &["--why"]].concat());
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(why(&run("spotify-dense", &[])).contains("seed 1: done, spotify-dense.synth-songs"));
    let said = why(&run("spotify-dense", &["--set", "training.epochs=7"]));
    assert!(said.contains("is stale:\n    spec: training.epochs: 6 -> 7\n"), "{said}");
    assert!(why(&run("spotify-logistic", &[])).contains("not finished yet"));
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 300", "n_rows = 310");
    let said = why(&run("spotify-dense", &[]));
    assert!(said.contains("    data: "), "{said}");
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 310", "n_rows = 300");

    let id = runs(home.path())[0].file_name().unwrap().to_str().unwrap().to_owned();
    let output = ok(home.path(), &["verify", &id]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(said.matches("bit-identical").count(), 3, "{said}");
    assert_eq!(runs(home.path()).len(), 1, "the repetition leaves nothing behind");
    let output = encore(home.path(), &["verify", &id[1..]]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains(&format!("did you mean {id}?")), "{}", stderr(&output));
}

#[test]
fn jobs_and_threads_change_no_bit() {
    let homes = [project(), project()];
    let common = ["run", "cnn-2", "dnn", "--seeds", "1,2", "--set", "training.epochs=3", "--jobs"];
    for (home, jobs) in homes.iter().zip(["1", "4"]) {
        ok(home.path(), &[common.as_slice(), &[jobs]].concat());
    }
    let all = |home: &tempfile::TempDir| -> Vec<serde_json::Value> {
        runs(home.path()).iter().map(|folder| record(folder)["outputs"].clone()).collect()
    };
    assert_eq!(all(&homes[0]), all(&homes[1]));
    assert_eq!(all(&homes[0]).len(), 4);
}

/// The hashes of two small runs with `CODE_VERSION` 2 on machines with AVX2 or AVX-512: curves,
/// model and predictions. If they differ after an intended change, raise `CODE_VERSION` (older runs
/// are then stale) and write the new hashes here.
const BITS: [(&str, [&str; 3]); 2] = [
    ("cnn-2", ["cc8cc748999526c8", "edf2ed0f00be2909", "e467f8f005eac7a2"]),
    ("spotify-dense", ["b1bef069a6cbf5ba", "1ba0b9613d4e1406", "ba2c5a8f71564b3a"]),
];

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "the bits are those of AVX2 and AVX-512")]
fn the_bits_are_those_of_this_code_version_on_every_machine_with_avx2() {
    assert_eq!(encore::experiment::CODE_VERSION, 2, "new bits belong to a new version");
    let home = project();
    for (experiment, bits) in BITS {
        ok(home.path(), &run(experiment, &[]));
        let folders = runs(home.path());
        let records = folders.iter().map(|folder| record(folder));
        let record = records.into_iter().find(|record| record["experiment"] == experiment).unwrap();
        let device = record["code"]["device"].as_str().unwrap();
        assert!(
            device.contains("avx"),
            "{device}: these bits are those of AVX2 and AVX-512; leave this test out by `-- --skip avx2`"
        );
        let of = |what: &str| record["outputs"][what].as_str().unwrap()[..16].to_owned();
        let got = ["curves", "model", "predictions"].map(of);
        assert_eq!(got, bits, "{experiment}");
    }
}

#[test]
fn a_range_test_suggests_and_draws_and_foreign_weights_make_a_run_apart() {
    let home = project();
    let found = ok(home.path(), &["lr-find", "spotify-dense", "--steps", "60"]);
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(said.contains("the loss falls most steeply at"), "{said}");
    let drawn = fs::read_to_string(home.path().join("reports/lr-find/spotify-dense.svg")).unwrap();
    assert!(drawn.contains("learning rate") && drawn.contains("<polyline"), "{drawn}");
    let refused = encore(home.path(), &["lr-find", "spotify-logistic"]);
    assert!(stderr(&refused).contains("has no learning rate"), "{}", stderr(&refused));

    // The weights of one of our runs are imported as foreign ones, and give the same predictions.
    ok(home.path(), &run("cnn-1", &[]));
    let trained = runs(home.path())[0].clone();
    let weights = trained.join("model/model.safetensors");
    let import = ["import-weights", "cnn-1", weights.to_str().unwrap(), "--layout", "keras"];
    ok(home.path(), &import);
    let imported = runs(home.path())
        .into_iter()
        .find(|run| run.to_string_lossy().contains("imported-"))
        .unwrap();
    let (one, other) = (record(&trained), record(&imported));
    assert_eq!(one["outputs"]["predictions"], other["outputs"]["predictions"]);
    assert_eq!(other["model"]["imported"]["layout"], "Keras");
    assert!(
        other["cut"][0].as_str().unwrap().starts_with("weights imported from model.safetensors")
    );
    let refused = encore(
        home.path(),
        &["import-weights", "cnn-2", weights.to_str().unwrap(), "--layout", "keras"],
    );
    assert!(
        stderr(&refused).contains("contains nothing for `batch_norm_1.gamma`"),
        "{}",
        stderr(&refused)
    );
    let id = imported.file_name().unwrap().to_str().unwrap();
    let refused = encore(home.path(), &["verify", id]);
    assert!(stderr(&refused).contains("there is no training to repeat"), "{}", stderr(&refused));
    // The net's layers are described beside its arrays.
    let text = fs::read_to_string(trained.join("model/architecture.json")).unwrap();
    let layers: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(layers["layers"][0]["kind"], "conv");
    assert_eq!(layers["layers"][0]["output"], serde_json::json!([128, 11, 32]));
    assert_eq!(layers["example"], serde_json::json!([130, 13]));
}
