//! `[model.ensemble]`: several finished runs as one model, from the spec to predictions for new data.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{edit, encore, fails, files, ok, project, record, runs, stderr, stdout_of};
use crate::targets::{NET, NUMBER, TAGS, home as tables, spec as of_table};

const KNN: &str = "[model.knn]\nn_neighbors = 7\n";
const TREES: &str = "[model.forest]\nn_trees = 20\n";

fn ensemble(of: &[&str], more: &str) -> String {
    format!("[model.ensemble]\nof = {of:?}\n{more}")
}

/// A spec on recordings; `segments` is how many seconds of each, how often.
fn spec(home: &Path, name: &str, segments: (f64, usize), valid: f64, model: &str) {
    let (seconds, per_track) = segments;
    let text = format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"synth-genres\"\nseeds = [1, 2]\n\
         [segments]\nseconds = {seconds:?}\nper_track = {per_track}\n[features.mfcc_statistics]\n\
         [split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = {valid:?}\n{model}"
    );
    fs::write(home.join(format!("experiments/{name}.toml")), text).unwrap();
}

const SHORT: (f64, usize) = (3.0, 4);

/// A project with two models of few recordings, without a run.
fn home() -> tempfile::TempDir {
    let home = project();
    edit(
        &home.path().join("datasets/synth-genres.toml"),
        "tracks_per_genre = 40",
        "tracks_per_genre = 10",
    );
    spec(home.path(), "near", SHORT, 0.3, KNN);
    spec(home.path(), "trees", SHORT, 0.3, TREES);
    home
}

fn run_of(home: &Path, experiment: &str, seed: u64) -> PathBuf {
    let start = format!("{experiment}.synth-genres.seed-{seed}.");
    let is_it =
        |folder: &PathBuf| folder.file_name().unwrap().to_string_lossy().starts_with(&start);
    let mut found = runs(home).into_iter().filter(is_it);
    found.next_back().unwrap_or_else(|| panic!("no run {start}"))
}

fn id_of(folder: &Path) -> String {
    folder.file_name().unwrap().to_string_lossy().into_owned()
}

/// The probabilities of every test example.
fn probabilities(run: &Path) -> BTreeMap<(String, u32), Vec<f64>> {
    let text = fs::read_to_string(run.join("predictions.csv")).unwrap();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let numbers = cells[4..].iter().map(|cell| cell.parse().unwrap()).collect();
        ((cells[0].to_owned(), cells[1].parse().unwrap()), numbers)
    };
    text.lines().skip(1).map(row).collect()
}

/// The normalized mean of logarithms.
fn mean_of_logs(rows: &[Vec<f64>]) -> Vec<f64> {
    let n = rows.len() as f64;
    let mean = |k: usize| (rows.iter().map(|row| row[k].max(1e-7).ln()).sum::<f64>() / n).exp();
    let means: Vec<f64> = (0..rows[0].len()).map(mean).collect();
    let total: f64 = means.iter().sum();
    means.iter().map(|x| x / total).collect()
}

fn close(a: &[f64], b: &[f64]) {
    assert!(
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5),
        "{a:?} {b:?}"
    );
}

#[test]
fn members_run_first_and_their_logarithms_are_averaged() {
    let home = home();
    let home = home.path();
    spec(home, "both", SHORT, 0.3, &ensemble(&["near", "trees"], ""));
    let alone = fails(home, &["run", "both", "--seeds", "1"], 3);
    let said = "its member `near` has no finished run on synth-genres with seed 1 by its current spec\n\
                hint: members go first: encore run near both --seeds 1";
    assert!(alone.contains(said), "{alone}");
    // Whatever comes first on the command line.
    ok(home, &["run", "both", "trees", "near"]);
    for seed in [1, 2] {
        let both = run_of(home, "both", seed);
        let members = ["near", "trees"].map(|name| run_of(home, name, seed));
        let [near, trees] = [0, 1].map(|place| probabilities(&members[place]));
        let said = probabilities(&both);
        assert_eq!(said.len(), near.len());
        for (example, said) in &said {
            close(said, &mean_of_logs(&[near[example].clone(), trees[example].clone()]));
        }
        let record = record(&both);
        let of: Vec<&str> = record["model"]["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["run"].as_str().unwrap())
            .collect();
        assert_eq!(of, members.each_ref().map(|run| id_of(run)));
        assert!(record["valid"]["accuracy"].is_number() && record["train"].is_null());
    }
    let both = id_of(&run_of(home, "both", 1));
    ok(home, &["verify", &both]);
    ok(home, &["report"]);
    let page = fs::read_to_string(home.join("reports/index.html")).unwrap();
    assert!(page.contains("the mean of what they say: <code>near</code> and <code>trees</code>"));
    let refused = fails(home, &["robust", &both], 2);
    assert!(refused.contains("is an ensemble, which can't be measured"), "{refused}");
    // A recording is predicted by each member, and then by both.
    ok(home, &["data", "export", "synth-genres", "songs"]);
    let song = files(&home.join("songs")).into_iter().find(|(name, _)| name.contains(".wav"));
    let song = format!("songs/{}", song.unwrap().0);
    let guess = |with: &str| -> Vec<f64> {
        let line = stdout_of(home, &["predict", &song, "--with", with, "--json"]);
        let line: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
        let all = line["probabilities"].as_object().unwrap().values();
        all.map(|p| p.as_f64().unwrap()).collect()
    };
    let [near, trees] = ["near", "trees"].map(|name| guess(&id_of(&run_of(home, name, 1))));
    close(&guess(&both), &mean_of_logs(&[near, trees]));
    // Another spec of a member is another ensemble, and the old one stays what it was.
    edit(&home.join("experiments/near.toml"), "n_neighbors = 7", "n_neighbors = 3");
    let why = stdout_of(home, &["run", "both", "--why"]);
    assert!(why.contains("spec: model.ensemble.members.near.spec_hash: "), "{why}");
    ok(home, &["run", "near", "both", "--seeds", "1"]);
    assert_eq!(runs(home).len(), 8);
    ok(home, &["verify", &both]);
    // Without a member there is no prediction.
    ok(home, &["runs", "remove", &id_of(&run_of(home, "trees", 1))]);
    let refused = fails(home, &["predict", &song, "--with", &both], 3);
    assert!(
        refused.contains("is an ensemble, and its member trees.synth-genres.seed-1."),
        "{refused}"
    );
}

#[test]
fn a_stack_is_fitted_on_validation_examples_and_scored_in_folds() {
    let home = home();
    let home = home.path();
    // The segments of the members vote for their track.
    spec(
        home,
        "stack",
        (12.0, 1),
        0.3,
        &ensemble(&["near", "trees"], "by = \"logistic\"\nc = 1.0\n"),
    );
    spec(home, "mean", (12.0, 1), 0.3, &ensemble(&["near", "trees"], ""));
    ok(home, &["run", "near", "trees", "stack", "mean", "--seeds", "1"]);
    let stack = record(&run_of(home, "stack", 1));
    let notes = stack["model"]["notes"].to_string();
    assert!(
        notes.contains(
            "the stack is fitted on 21 validation examples; its validation scores are of 5 folds of them"
        ) && notes.contains("the weights of the members are "),
        "{notes}"
    );
    let members: u64 = ["near", "trees"]
        .map(|name| record(&run_of(home, name, 1)))
        .iter()
        .fold(0, |sum, record| sum + record["model"]["n_parameters"].as_u64().unwrap());
    assert_eq!(stack["model"]["n_parameters"].as_u64().unwrap(), members + 2);
    let [near, trees] = ["near", "trees"].map(|name| probabilities(&run_of(home, name, 1)));
    for ((track, _), said) in probabilities(&run_of(home, "mean", 1)) {
        let of = |all: &BTreeMap<(String, u32), Vec<f64>>| {
            let rows = all.iter().filter(|((other, _), _)| *other == track);
            let rows: Vec<Vec<f64>> = rows.map(|(_, row)| row.clone()).collect();
            assert_eq!(rows.len(), 4);
            rows
        };
        let pool = |rows: Vec<Vec<f64>>| {
            let n = rows.len() as f64;
            let mean = |k: usize| rows.iter().map(|row| row[k].max(1e-15).ln()).sum::<f64>() / n;
            let shares: Vec<f64> = (0..10).map(|k| mean(k).exp()).collect();
            let total: f64 = shares.iter().sum();
            shares.iter().map(|x| x / total).collect::<Vec<f64>>()
        };
        close(&said, &mean_of_logs(&[pool(of(&near)), pool(of(&trees))]));
    }
    let id = id_of(&run_of(home, "stack", 1));
    ok(home, &["verify", &id]);
    ok(home, &["data", "export", "synth-genres", "songs"]);
    let said = stdout_of(home, &["predict", "songs", "--with", &id]);
    assert!(said.lines().count() > 100, "{said}");
    // A training that saw the ensemble's test examples can't be a member.
    spec(home, "late", SHORT, 0.3, KNN);
    ok(home, &["run", "near", "--seeds", "2"]);
    let other = id_of(&run_of(home, "near", 2));
    spec(home, "leak", SHORT, 0.3, &ensemble(&["trees", &other], ""));
    let refused = fails(home, &["run", "leak", "--seeds", "1"], 3);
    assert!(
        refused.contains(&format!("member {other} has another split: "))
            && refused.contains("hint: only runs of one split can be combined"),
        "{refused}"
    );
    spec(home, "short", (1.0, 4), 0.3, &ensemble(&["near", "trees"], ""));
    let refused = fails(home, &["run", "short", "--seeds", "1"], 3);
    assert!(refused.contains("has other segments: "), "{refused}");
    spec(home, "fixed", SHORT, 0.3, &ensemble(&["trees", &id_of(&run_of(home, "near", 1))], ""));
    ok(home, &["run", "fixed", "--seeds", "1"]);
}

#[test]
fn a_spec_whose_members_do_not_fit_is_refused_before_anything_runs() {
    let home = home();
    let home = home.path();
    spec(home, "no-valid", SHORT, 0.0, KNN);
    spec(home, "pair", SHORT, 0.3, &ensemble(&["near", "trees"], ""));
    let said = |of: &[&str], more: &str| {
        spec(home, "x", SHORT, 0.3, &ensemble(of, more));
        fails(home, &["run", "x"], 2)
    };
    for (of, more, expected) in [
        (vec!["near"], "", "model.ensemble.of needs at least two members"),
        (vec!["near", "near"], "", "model.ensemble.of has `near` twice"),
        (
            vec!["near", "tree"],
            "",
            "model.ensemble.of: unknown experiment `tree`; did you mean `trees`?",
        ),
        (vec!["near", "pair"], "", "`pair` is an ensemble itself; name its members instead"),
        (vec!["near", "x"], "", "`x` is an ensemble itself"),
        (
            vec!["near", "no-valid"],
            "",
            "`no-valid` splits the data in another way (split.random.valid: 0.3 -> 0.0)",
        ),
        (
            vec!["near", "spotify-logistic"],
            "",
            "`spotify-logistic` is about dataset spotify-songs, not synth-genres",
        ),
        (vec!["near", "trees"], "by = \"vote\"", "by must be `mean` or `logistic`"),
        (vec!["near", "trees"], "c = 1.0", "c has no effect without by = \"logistic\""),
    ] {
        let said = said(&of, more);
        assert!(said.contains(expected), "{said}");
    }
    spec(home, "x", SHORT, 0.3, &ensemble(&["near", "near.synth-genres.seed-1.00000000"], ""));
    ok(home, &["run", "near", "--seeds", "1"]);
    let refused = fails(home, &["run", "x", "--seeds", "1"], 3);
    assert!(
        refused.contains("its member, the run near.synth-genres.seed-1.00000000, is not there")
    );
    // Without validation examples there is nothing to fit a stack on.
    spec(home, "no-valid-2", SHORT, 0.0, TREES);
    spec(home, "y", SHORT, 0.0, &ensemble(&["no-valid", "no-valid-2"], "by = \"logistic\"\n"));
    let refused = fails(home, &["run", "no-valid", "no-valid-2", "y", "--seeds", "1"], 3);
    assert!(refused.contains("a stack is fitted on validation examples, but the split has none"));
}

#[test]
fn tags_numbers_and_predictions_made_elsewhere_are_combined() {
    let home = tables();
    let home = home.path();
    for (task, target, stratify, by) in
        [("tags", TAGS, true, "by = \"logistic\"\n"), ("number", NUMBER, false, "")]
    {
        let names = [format!("{task}-net"), format!("{task}-trees")];
        of_table(home, &names[0], target, stratify, NET);
        of_table(home, &names[1], target, stratify, "[model.forest]\nn_trees = 30\n");
        let names = [names[0].as_str(), names[1].as_str()];
        of_table(home, task, target, stratify, &ensemble(&names, by));
        ok(home, &["run", task, names[0], names[1]]);
        let predicted = |with: &str| {
            let said = stdout_of(home, &["predict", "songs.csv", "--with", with]);
            assert_eq!(said.lines().count(), 241, "{said}");
            said
        };
        assert_ne!(predicted(task), predicted(names[0]));
    }
    of_table(
        home,
        "x",
        NUMBER,
        false,
        &ensemble(&["number-net", "number-trees"], "by = \"logistic\"\n"),
    );
    let said = fails(home, &["run", "x"], 2);
    assert!(
        said.contains("model.ensemble.by is `logistic`, which tells classes and tags"),
        "{said}"
    );
    of_table(home, "x", NUMBER, false, &ensemble(&["number-net", "tags-net"], ""));
    let said = fails(home, &["run", "x"], 2);
    assert!(said.contains("`tags-net` tells another target"), "{said}");

    let of = |start: &str| {
        let is_it = |folder: &PathBuf| id_of(folder).starts_with(start);
        runs(home).into_iter().find(is_it).unwrap()
    };
    let net = of("number-net.songs.seed-1.").join("predictions.csv");
    fs::copy(net, home.join("theirs.csv")).unwrap();
    ok(
        home,
        &["import-predictions", "number-net", "theirs.csv", "--seed", "1", "--model", "theirs"],
    );
    let theirs = runs(home).into_iter().map(|run| id_of(&run)).find(|id| id.contains(".foreign-"));
    let theirs = theirs.unwrap();
    of_table(home, "mixed", NUMBER, false, &ensemble(&["number-trees", &theirs], ""));
    let said = stderr(&encore(home, &["run", "mixed", "--seeds", "1"]));
    let note = format!(
        "without validation scores: member {theirs} is of predictions that were made elsewhere"
    );
    assert!(said.contains(&note), "{said}");
    let test = |start: &str| record(&of(start))["test"].clone();
    assert_eq!(test("mixed.songs.seed-1."), test("number.songs.seed-1."));
}
