//! Which runs and which claims count: those of the specs as they are now, however a run was asked for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{edit, encore, fails, ok, project, record, runs, stderr, stdout_of};

const NAME: &str = "spotify-logistic-final";

/// A project whose experiment [`NAME`] is about small data that are there, and has a claim about them.
fn home() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 400");
    edit(&spec(home.path()), "\"spotify-songs\"", "\"synth-songs\"");
    home
}

fn spec(home: &Path) -> PathBuf {
    home.join(format!("experiments/{NAME}.toml"))
}

/// The text of a command on one line.
fn said(home: &Path, arguments: &[&str]) -> String {
    stdout_of(home, arguments).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The line of `list` about an experiment.
fn listed(home: &Path, name: &str) -> String {
    let list = stdout_of(home, &["list"]);
    list.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap().to_owned()
}

/// The accuracies of all runs of a model.
fn accuracies(home: &Path, model: &str) -> Vec<f64> {
    let records = runs(home).into_iter().map(|folder| record(&folder));
    let of_model = records.filter(|record| record["model"]["name"] == model);
    of_model.map(|record| record["test"]["accuracy"].as_f64().unwrap()).collect()
}

#[test]
fn claims_are_those_of_the_spec_as_it_is_now() {
    let home = home();
    let home = home.path();
    ok(home, &["run", NAME, "--seeds", "1..2"]);
    assert_eq!(runs(home).len(), 2);
    edit(&spec(home), "value = 0.532", "value = 0.999");
    edit(&spec(home), "source = \"final notebook", "source = \"second edition");
    edit(&spec(home), "title    = \"", "title    = \"Anew: ");
    ok(home, &["report"]);
    let page = fs::read_to_string(home.join("reports/README.md")).unwrap();
    let html = fs::read_to_string(home.join("reports/index.html")).unwrap();
    for text in [said(home, &["claims"]), page.clone(), html.clone()] {
        assert!(text.contains("0.999") && text.contains("second edition"), "{text}");
        assert!(!text.contains("final notebook, logistic"), "{text}");
        assert!(!text.contains("0.532 ("), "{text}");
    }
    assert!(page.contains("Anew: ") && html.contains("Anew: "));
    assert!(listed(home, NAME).contains(" 0.999 "), "{}", listed(home, NAME));
    // A claim that is gone from the spec is judged no more.
    let text = fs::read_to_string(spec(home)).unwrap();
    fs::write(spec(home), text.split("[[claims]]").next().unwrap()).unwrap();
    assert!(!said(home, &["claims"]).contains(NAME));
    // Without its spec an experiment has the claims that it was last run with.
    fs::remove_file(spec(home)).unwrap();
    assert!(said(home, &["claims"]).contains("accuracy 0.532 (final notebook"));
}

#[test]
fn after_a_change_and_back_the_runs_of_the_change_are_history() {
    let home = home();
    let home = home.path();
    let first = fs::read_to_string(spec(home)).unwrap();
    ok(home, &["run", NAME, "--seeds", "1..3"]);
    let mean = accuracies(home, "logistic").iter().sum::<f64>() / 3.0;
    let first = first.replace("value = 0.532", &format!("value = {mean:.3}"));
    // The change: a model that learns nothing.
    let start = first.find("[model.logistic]").unwrap();
    let end = first.find("[[claims]]").unwrap();
    let changed = format!("{}[model.majority]\n{}", &first[..start], &first[end..]);
    fs::write(spec(home), &changed).unwrap();
    let before = listed(home, NAME);
    assert!(before.contains("not run as the spec is now; before: 0."), "{before}");
    assert!(before.contains("another version of the spec (model.logistic"), "{before}");
    let claims = said(home, &["claims"]);
    assert!(claims.split("not run: ").nth(1).unwrap().contains(NAME), "{claims}");
    // To compare, the runs that there are will do, and it is said what they are.
    ok(home, &["run", "baseline-spotify", "--seeds", "1..3"]);
    let compared = said(home, &["compare", NAME, "baseline-spotify"]);
    assert!(compared.contains(&format!("- {NAME}: another version of the spec (")), "{compared}");
    ok(home, &["run", NAME, "--seeds", "1..3"]);
    assert!(fails(home, &["claims", "--strict"], 4).contains(NAME));
    let majority = accuracies(home, "majority");
    assert_eq!(majority.len(), 6, "of two experiments");

    fs::write(spec(home), &first).unwrap();
    let claims = said(home, &["claims", "--strict"]);
    let shown = |accuracy: f64| format!("{accuracy:.3}");
    assert!(claims.contains(&format!("ours {}", shown(mean))), "{claims}");
    assert!(claims.contains("3 runs of other versions of the specs are not shown"), "{claims}");
    assert_eq!(claims.matches(&format!("{NAME} on ")).count(), 1, "{claims}");
    ok(home, &["report", "--strict"]);
    let results = fs::read_to_string(home.join("reports/results.csv")).unwrap();
    assert_eq!(results.lines().count(), 1 + 3 + 3, "{results}");
    let line = listed(home, NAME);
    assert!(!line.contains("another version") && line.contains("seed 3"), "{line}");
    let compared = said(home, &["compare", NAME, "baseline-spotify"]);
    assert!(compared.contains("model.logistic"), "{compared}");
    assert!(compared.contains("3 runs of other versions"), "{compared}");

    // All of them, on demand: shown and not judged.
    let all = said(home, &["claims", "--strict", "--all-versions"]);
    assert_eq!(all.matches(&format!("{NAME} on ")).count(), 2, "{all}");
    assert!(all.contains("not comparable") && all.contains("another version of the spec"), "{all}");
    ok(home, &["report", "--all-versions", "--strict"]);
    let results = fs::read_to_string(home.join("reports/results.csv")).unwrap();
    assert_eq!(results.lines().count(), 1 + 3 + 3 + 3, "{results}");
    assert_eq!(results.matches("another version of the spec").count(), 3, "{results}");
    let list = stdout_of(home, &["list", "--all-versions"]);
    let other = list.lines().find(|line| line.contains(&format!("    {NAME}@"))).unwrap();
    assert!(other.contains("another version of the spec (model."), "{other}");
    let both = said(home, &["compare", NAME, "--all-versions"]);
    assert!(both.contains(&format!("spec, {NAME} -> {NAME}@")), "{both}");
    // A single run is named by its id, whatever its version.
    let is_it = |run: &PathBuf| {
        let record = record(run);
        record["model"]["name"] == "majority" && record["experiment"] == NAME
    };
    let id = runs(home).into_iter().find(is_it);
    let id = id.unwrap().file_name().unwrap().to_string_lossy().into_owned();
    ok(home, &["compare", NAME, &id]);
    let one = fails(home, &["compare", "baseline-spotify", "--all-versions"], 2);
    assert!(one.contains("baseline-spotify has runs of one version only"), "{one}");
    let version = other.trim().split(':').next().unwrap();
    assert_eq!(said(home, &["compare", NAME, version]), both);
}

#[test]
fn a_run_is_shortened_if_its_resolved_spec_is_not_the_one_of_the_file() {
    let home = home();
    let home = home.path();
    let spec = home.join("experiments/spotify-dense.toml");
    edit(&spec, "\"spotify-songs\"", "\"synth-songs\"");
    let run = |more: &[&str]| ok(home, &[&["run", "spotify-dense"], more].concat());
    run(&["--seeds", "1", "--set", "training.epochs=3"]);
    let line = listed(home, "spotify-dense");
    assert!(line.contains("shortened run (3 of 100 epochs)"), "{line}");
    assert_eq!(record(&runs(home)[0])["cut"][0], "set training.epochs=3");
    // The same value in the file: the same run, in one row with others, in full.
    edit(&spec, "epochs = 100", "epochs = 3");
    let again = run(&["--seeds", "1..2"]);
    assert!(stderr(&again).contains("already done"), "{}", stderr(&again));
    assert_eq!(runs(home).len(), 2);
    let text = said(home, &["report"]);
    assert_eq!(text.matches("spotify-dense synth-songs").count(), 1, "{text}");
    assert!(!text.contains("shortened"), "{text}");
    assert!(!listed(home, "spotify-dense").contains("shortened"));
    // Overrides that decide nothing, or say what the file says.
    let more =
        ["--seeds", "3", "--set", "title=x", "--set", "training.epochs=3e0", "--set", "seeds=7..9"];
    let own = run(&more);
    let printed = String::from_utf8_lossy(&own.stdout).into_owned();
    assert!(!printed.contains("shortened") && !printed.contains("another version"), "{printed}");
    let newest = runs(home).into_iter().find(|run| record(run)["seed"] == 3).unwrap();
    assert_eq!(record(&newest)["cut"], serde_json::json!([]));
    assert_eq!(said(home, &["report"]).matches("shortened").count(), 0);
    let html = fs::read_to_string(home.join("reports/results.csv")).unwrap();
    assert_eq!(html.matches("spotify-dense").count(), 2 * 3, "{html}");
}

#[test]
fn an_override_replaces_values_tables_items_and_ranges_of_seeds() {
    let home = home();
    let home = home.path();
    let run = |set: &[&str]| {
        let before = runs(home);
        let set: Vec<&str> = set.iter().flat_map(|set| ["--set", *set]).collect();
        ok(home, &[&["run", "spotify-dense", "--set", "training.epochs=1e0"][..], &set].concat());
        let new: Vec<PathBuf> =
            runs(home).into_iter().filter(|run| !before.contains(run)).collect();
        new.iter().map(|folder| record(folder)).collect::<Vec<_>>()
    };
    let seeds = run(&["seeds=1..2"]);
    assert_eq!(seeds.len(), 2, "both ends are included");
    assert_eq!(seeds[0]["spec"]["training"]["epochs"], 1);
    assert_eq!(seeds[0]["data"]["shape"], serde_json::json!([21]));
    let one_hot = run(&["seeds=[1]", "features.table.one_hot={}"]);
    assert_eq!(one_hot[0]["data"]["shape"], serde_json::json!([11]));
    let item = run(&["seeds=[1]", "model.dense.layers[0].units=8"]);
    let layers = &item[0]["spec"]["model"]["dense"]["layers"];
    assert_eq!((&layers[0]["units"], &layers[1]["units"]), (&8.into(), &30.into()));
    let model = run(&["seeds=[1]", "model={dense={layers=[{units=5}]}}"]);
    assert_eq!(model[0]["spec"]["model"]["dense"]["layers"].as_array().unwrap().len(), 1);
    for (set, words) in [
        ("model.dense.layers[2].units=8", "model.dense.layers has 2 items, found [2]"),
        ("training.epochs=1.5", "training.epochs must be an integer"),
        ("seeds=5..1", "the range of seeds `5..1` ends before it starts"),
        ("seeds=1..", "expected a range of seeds like 1..5"),
        ("model={dense", "is not valid TOML"),
    ] {
        let error = fails(home, &["run", "spotify-dense", "--set", set], 2);
        assert!(error.contains(&format!("--set {set}: ")) && error.contains(words), "{error}");
    }
    assert!(fails(home, &["run", NAME, "--seeds", "3..1"], 2).contains("ends before it starts"));
}

#[test]
fn an_experiment_has_one_name_however_its_path_is_typed() {
    let home = home();
    let home = home.path();
    let inner = home.join("experiments/honest");
    fs::create_dir(&inner).unwrap();
    fs::copy(spec(home), inner.join("dnn.toml")).unwrap();
    let run = |folder: &Path, arguments: &[&str]| {
        let output = encore(folder, &[arguments, &["--seeds", "1"]].concat());
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
        stderr(&output)
    };
    run(home, &["run", "honest/dnn"]);
    let absolute = inner.join("dnn.toml").to_string_lossy().into_owned();
    for (folder, arguments) in [
        (home, vec!["run", "experiments/honest/dnn.toml"]),
        (home, vec!["run", "./experiments/../experiments/honest/dnn.toml"]),
        (home, vec!["run", &absolute]),
        (&inner, vec!["run", "dnn.toml", "--project", "../.."]),
        (&inner, vec!["run", &absolute, "--project", "../.."]),
        (&inner, vec!["run", "honest/dnn", "--project", "../.."]),
    ] {
        let said = run(folder, &arguments);
        assert!(said.contains("honest/dnn seed 1: ") && said.contains("already done"), "{said}");
    }
    assert_eq!(runs(home).len(), 1);
    // Another experiment whose name reads the same as a folder's.
    fs::copy(spec(home), home.join("experiments/honest.dnn.toml")).unwrap();
    assert!(!run(home, &["run", "honest.dnn"]).contains("already done"));
    let names: Vec<String> =
        runs(home).iter().map(|run| record(run)["experiment"].to_string()).collect();
    assert_eq!(names.len(), 2);
    assert!(names.contains(&"\"honest.dnn\"".to_owned()), "{names:?}");
}

#[test]
fn predictions_and_capsules_use_the_runs_of_the_current_version() {
    let home = home();
    let home = home.path();
    ok(home, &["run", NAME, "--seeds", "1"]);
    let first = runs(home)[0].file_name().unwrap().to_string_lossy().into_owned();
    let header = "danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,\
        liveness,valence,tempo\n0.5,0.5,1,-7,1,0.1,0.1,0.1,0.1,0.5,120\n";
    fs::write(home.join("new.csv"), header).unwrap();
    edit(&spec(home), "max_iterations = 10000", "max_iterations = 9999");
    // Without a run of the current version, both say what they use.
    let output = ok(home, &["predict", "new.csv", "--with", NAME]);
    let note = format!("{NAME} has no finished run of the current version of its spec");
    assert!(stderr(&output).contains(&note), "{}", stderr(&output));
    assert!(!stderr(&ok(home, &["predict", "new.csv", "--with", &first])).contains(&note));
    let output = ok(home, &["capsule", NAME, "-o", "a.tar.zst"]);
    assert!(stderr(&output).contains(&note), "{}", stderr(&output));
    assert!(!stderr(&ok(home, &["capsule", &first, "-o", "a.tar.zst"])).contains(&note));

    ok(home, &["run", NAME, "--seeds", "1"]);
    let second = runs(home).into_iter().map(|run| run.file_name().unwrap().to_owned());
    let second = second.map(|name| name.to_string_lossy().into_owned()).find(|id| *id != first);
    let output = ok(home, &["predict", "new.csv", "--with", NAME]);
    let told = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(told.contains(&second.unwrap()) && !told.contains(&note), "{told}");
    let packed = stdout_of(home, &["capsule", NAME, "-o", "b.tar.zst"]);
    assert!(packed.contains(": 1 runs, "), "{packed}");
}
