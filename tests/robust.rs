//! Robustness: models on degraded recordings, from the command line to the page.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{edit, encore, fails, files, ok, project, record, runs, stderr, stdout_of};
use crate::json::fits;

const KNN: &str = "[model.knn]\n";
const NET: &str = "[model.dense]\nlayers = [{ units = 16 }]\n[training]\n\
    optimizer.adam = { learning_rate = 0.002 }\nbatch_size = 16\nepochs = 8\n";

fn spec(home: &Path, name: &str, dataset: &str, model: &str) {
    let text = format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"{dataset}\"\nseeds = [1, 2]\n\
         [segments]\nseconds = 3.0\nper_track = 4\n[features.mfcc_statistics]\n\
         [split.random]\nby = \"track\"\nstratify = true\ntest = 0.4\nvalid = 0.0\n{model}"
    );
    fs::write(home.join(format!("experiments/{name}.toml")), text).unwrap();
}

/// A project with finished runs of two models on few recordings.
fn home() -> tempfile::TempDir {
    let home = project();
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 3",
    );
    spec(home.path(), "near", "synth-genres", KNN);
    spec(home.path(), "net", "synth-genres", NET);
    ok(home.path(), &["run", "near", "net"]);
    home
}

fn robust(home: &Path, arguments: &[&str]) -> Value {
    let all = [&["robust"], arguments, &["--json"]].concat();
    fits("robust", &stdout_of(home, &all))
}

/// The score of a side under a degradation.
fn point<'a>(found: &'a Value, side: &str, degradation: &str) -> &'a Value {
    let points = found["points"].as_array().unwrap();
    let is_it = |it: &&Value| it["side"] == side && it["degradation"] == degradation;
    points.iter().find(is_it).unwrap_or_else(|| panic!("{side} {degradation}: {found}"))
}

fn measured(home: &Path) -> Vec<(String, Vec<u8>)> {
    let all = files(&home.join("reports/robust")).into_iter();
    all.filter(|(name, _)| Path::new(name).extension().is_some_and(|end| end == "json")).collect()
}

#[test]
fn undegraded_recordings_give_what_was_recorded_and_noise_gives_less() {
    let home = home();
    let home = home.path();
    let before = files(&home.join("reports/runs"));
    let with = [
        "--with",
        "white_noise snr_db=40,-10",
        "--with",
        "gain gain_db=0",
        "--with",
        "speed factor=4",
    ];
    let found = robust(home, &[&["near", "net"], &with[..]].concat());
    let claims = fits("claims", &stdout_of(home, &["claims", "--json"]));
    for name in ["near", "net"] {
        let recorded = claims["results"].as_array().unwrap().iter();
        let recorded = recorded.clone().find(|row| row["experiment"] == name).unwrap();
        for degradation in ["none", "gain gain_db=0"] {
            let point = point(&found, name, degradation);
            assert_eq!(point["score"], recorded["score"], "{name} {degradation}");
            assert_eq!(point["score_by_track"], recorded["score_by_track"], "{name}");
        }
        let noisy = point(&found, name, "white_noise snr_db=-10");
        assert!(noisy["score"]["mean"].as_f64() < recorded["score"]["mean"].as_f64(), "{noisy}");
        // Of four segments two are left of 30 s at four times the speed.
        let n =
            |degradation: &str| point(&found, name, degradation)["n_examples"].as_u64().unwrap();
        assert_eq!(n("speed factor=4") * 2, n("none"));
    }
    assert_eq!(
        (&found["notes"], &found["skipped"]),
        (&Value::from(vec![0; 0]), &Value::from(vec![0; 0]))
    );
    assert_eq!((&found["n_computed"], &found["n_known"]), (&20.into(), &0.into()));
    // Paired tests on segments and on tracks: undegraded, noise, gain, speed.
    let tests = found["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 8);
    assert!(
        tests
            .iter()
            .all(|test| test["is_paired"] == true && test["n_runs"] == Value::from(vec![2, 2]))
    );
    let none = tests.iter().find(|test| test["degradation"] == "none").unwrap();
    let score = |name: &str| point(&found, name, "none")["score"]["mean"].as_f64().unwrap();
    let difference = none["difference"]["mean"].as_f64().unwrap();
    assert!((difference - (score("net") - score("near"))).abs() < 1e-12);
    // A second call computes what is missing only, and nothing touches the records.
    let files_before = measured(home);
    assert_eq!(files_before.len(), 20);
    let again =
        robust(home, &["near", "--with", "gain gain_db=0", "--with", "mu_law", "--jobs", "1"]);
    assert_eq!((&again["n_computed"], &again["n_known"]), (&2.into(), &4.into()));
    assert!(files_before.iter().all(|file| measured(home).contains(file)));
    assert!(files(&home.join("reports/runs")) == before, "a record was changed");
    // One of its files is damaged, and computed again.
    let (name, bytes) = &files_before[0];
    fs::write(home.join("reports/robust").join(name), &bytes[..bytes.len() / 2]).unwrap();
    let again = robust(home, &[&["near", "net"], &with[..]].concat());
    assert_eq!((&again["n_computed"], &again["points"]), (&1.into(), &found["points"]));
    assert!(files_before.iter().all(|file| measured(home).contains(file)));
    // Single runs are meant by their ids, and text is shown.
    let id = runs(home)[0].file_name().unwrap().to_string_lossy().into_owned();
    let text = stdout_of(home, &["robust", &id, "net", "--with", "gain gain_db=0"]);
    assert!(text.contains("undegraded") && text.contains("net minus near seed 1"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100 || line.contains('/')), "{text}");
    // The page shows all that was measured.
    ok(home, &["report"]);
    let page = fs::read_to_string(home.join("reports/README.md")).unwrap();
    assert!(page.contains("## Robustness") && page.contains("figures/robustness.svg"), "{page}");
    assert!(page.contains("| white_noise | snr_db -10"), "{page}");
    let page = fs::read_to_string(home.join("reports/index.html")).unwrap();
    assert!(page.contains("id=\"robustness\"") && page.contains("accuracy of degraded recordings"));
    assert!(home.join("reports/figures/robustness.png").is_file());
}

#[test]
fn what_cannot_be_measured_is_said() {
    let home = home();
    let home = home.path();
    let said = fails(home, &["robust", "near", "--with", "whit_noise snr_db=3"], 2);
    assert!(said.contains("did you mean `white_noise`?"), "{said}");
    let said = fails(home, &["robust", "near", "--with", "pitch semitones=99"], 2);
    assert!(said.contains("semitones must be a number in [-24, 24], found 99"), "{said}");
    let said = fails(home, &["robust", "nearer"], 2);
    assert!(said.contains("unknown experiment or run `nearer`; did you mean near?"), "{said}");
    let said = fails(home, &["robust", "cnn-1"], 3);
    assert!(said.contains("no finished run of `cnn-1`"), "{said}");
    ok(home, &["run", "baseline-spotify", "--seeds", "1"]);
    let said = fails(home, &["robust", "baseline-spotify"], 2);
    assert!(said.contains("which has no recordings; only recordings can be degraded"), "{said}");
    let near = |run: &PathBuf| run.to_string_lossy().contains("/near.");
    let run = runs(home).into_iter().find(near).unwrap();
    fs::write(home.join("theirs.csv"), fs::read(run.join("predictions.csv")).unwrap()).unwrap();
    ok(home, &["import-predictions", "near", "theirs.csv", "--seed", "1"]);
    let said = fails(home, &["robust", "near@foreign", "--with", "mu_law"], 2);
    assert!(said.contains("has no model: its predictions were imported from theirs.csv"), "{said}");
    // Another dataset of the same name.
    edit(&home.join("datasets/synth-genres.toml"), "tracks_per_genre = 3", "tracks_per_genre = 4");
    assert!(home.join("reports/robust").read_dir().is_err(), "nothing was measured");
}

#[test]
fn recordings_that_cannot_be_read_are_named_and_the_others_are_scored() {
    let home = home();
    let home = home.path();
    ok(home, &["data", "export", "synth-genres", "wavs", "--tracks-per-genre", "3"]);
    ok(home, &["data", "new", "mine", "wavs"]);
    ok(home, &["data", "import", "mine", "wavs"]);
    spec(home, "mine", "mine", KNN);
    ok(home, &["run", "mine", "--seeds", "1"]);
    let run = runs(home).into_iter().find(|run| run.to_string_lossy().contains("/mine.")).unwrap();
    let predictions = fs::read_to_string(run.join("predictions.csv")).unwrap();
    let track = predictions.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
    let wavs = files(&home.join("wavs"));
    let (name, bytes) = wavs
        .into_iter()
        .find(|(name, _)| name.contains(track.rsplit('/').next().unwrap()))
        .unwrap();
    fs::write(home.join("wavs").join(&name), "not a recording").unwrap();
    let arguments = ["robust", "mine", "--with", "mu_law", "--json"];
    let output = encore(home, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains(&format!("skipped: {track}: ")), "{}", stderr(&output));
    let n_test = record(&run)["test"]["n"].as_u64().unwrap();
    let found = fits("robust", &String::from_utf8_lossy(&output.stdout));
    assert_eq!(point(&found, "mine", "none")["n_examples"].as_u64().unwrap(), n_test - 4);
    assert_eq!(found["skipped"][0]["name"], track);
    // It is there again.
    fs::write(home.join("wavs").join(&name), bytes).unwrap();
    let found = robust(home, &["mine", "--with", "mu_law"]);
    assert_eq!(point(&found, "mine", "none")["n_examples"].as_u64().unwrap(), n_test);
    assert_eq!((&found["n_computed"], &found["skipped"]), (&2.into(), &Value::from(vec![0; 0])));
    fs::rename(home.join("wavs"), home.join("away")).unwrap();
    let said = fails(home, &["robust", "mine", "--with", "gain"], 3);
    assert!(said.contains("no test example of run mine."), "{said}");
}

#[test]
#[cfg(unix)]
fn a_measurement_that_is_killed_continues_where_it_was() {
    use crate::common::events::wait_for_change;
    use crate::common::kills::{kill_all, start};

    let home = home();
    let home = home.path();
    let arguments = ["robust", "near", "net", "--with", "gain", "--with", "mu_law"];
    ok(home, &arguments);
    let wanted = measured(home);
    assert_eq!(wanted.len(), 24);
    let folder = home.join("reports/robust");
    let mut n_killed = 0;
    for nth in [1, 3, 5, 9, 14, 20] {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        let mut child = start(home, &arguments);
        wait_for_change(&mut child, &folder, nth);
        n_killed += usize::from(child.try_wait().unwrap().is_none());
        kill_all(child);
        let kept: Vec<_> = measured(home);
        assert!(kept.iter().all(|file| wanted.contains(file)), "half a file after change {nth}");
        let all = [&arguments[..], &["--json"]].concat();
        let found = fits("robust", &stdout_of(home, &all));
        assert_eq!(found["n_known"].as_u64().unwrap() as usize, kept.len(), "{nth}");
        assert!(measured(home) == wanted, "after change {nth}");
    }
    assert!(n_killed > 2, "it was killed {n_killed} times");
}
