//! Tags and numbers instead of classes, from the spec to the page and to new data.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{edit, fails, ok, printed_record, project, random, record, runs, stdout_of};

/// A table without labels: a number that two columns tell, and tags that follow from it.
const MANIFEST: &str = "title = \"t\"\n[table]\nid = [\"song\"]\nn_rows = 240\n\
    track_columns = { moods = \"moods\", artist = \"artist\" }\n\
    [table.columns]\nenergy = \"energy\"\ntempo = \"tempo\"\nliked = \"liked\"\nloud = \"loud\"\nquiet = \"quiet\"\n";

const FEATURES: &str =
    "[features.table]\ncolumns = [\"energy\", \"tempo\"]\n[preprocess]\nstandardize = true\n";

fn noise(i: u32, k: u32) -> f64 {
    (random(u64::from(10 * i + k)) % 10_000) as f64 / 10_000.0
}

fn table() -> String {
    let mut text = "song,artist,energy,tempo,liked,moods,loud,quiet\n".to_owned();
    for i in 0..240 {
        let (energy, tempo) = (noise(i, 1), 80.0 + 80.0 * noise(i, 2));
        let liked = 3.0 * energy - tempo / 100.0 + 0.1 * noise(i, 3);
        let liked = if i == 7 { String::new() } else { format!("{liked:.4}") };
        let loud = energy + 0.2 * noise(i, 4) > 0.6;
        let fast = tempo + 10.0 * noise(i, 5) > 120.0;
        let all = [("loud", loud), ("fast", fast), ("odd", i == 3)];
        let moods: Vec<&str> = all.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
        let moods = if moods.is_empty() { "none".to_owned() } else { moods.join("; ") };
        let (loud, quiet) = (u8::from(loud), u8::from(!loud));
        writeln!(text, "s{i},a{},{energy:.4},{tempo:.2},{liked},{moods},{loud},{quiet}", i / 3)
            .unwrap();
    }
    text
}

pub fn spec(home: &Path, name: &str, target: &str, stratify: bool, model: &str) {
    let text = format!(
        "title = \"t\"\nquestion = \"q\"\ndataset = \"songs\"\nseeds = [1, 2]\n{target}{FEATURES}\
         [split.random]\nby = \"group\"\ngroup = \"artist\"\nstratify = {stratify}\ntest = 0.4\nvalid = 0.2\n{model}"
    );
    fs::write(home.join(format!("experiments/{name}.toml")), text).unwrap();
}

pub const NUMBER: &str = "[target]\nnumber = \"liked\"\n";
pub const TAGS: &str = "[target]\ntags = [\"moods\"]\nseparator = \";\"\nminimum_tracks = 2\n";
pub const NET: &str = "[model.dense]\nlayers = [{ units = 16 }]\n[training]\n\
    optimizer.adam = { learning_rate = 0.02 }\nbatch_size = 16\nepochs = 30\n";

/// A project with the table.
pub fn home() -> tempfile::TempDir {
    let home = project();
    fs::write(home.path().join("datasets/songs.toml"), MANIFEST).unwrap();
    fs::write(home.path().join("songs.csv"), table()).unwrap();
    let said = stdout_of(home.path(), &["data", "import", "songs", "songs.csv"]);
    assert!(!said.contains("needs two labels"), "{said}");
    home
}

/// A score of the test set, averaged over the runs of an experiment.
fn score(home: &Path, experiment: &str, name: &str) -> f64 {
    let all: Vec<Value> = runs(home).iter().map(|folder| record(folder)).collect();
    let of: Vec<f64> = all
        .iter()
        .filter(|record| record["experiment"] == experiment)
        .map(|record| record["test"][name].as_f64().unwrap())
        .collect();
    assert_eq!(of.len(), 2, "{experiment}");
    of.iter().sum::<f64>() / 2.0
}

#[test]
fn a_number_is_learned_judged_shown_and_predicted() {
    let home = home();
    let home = home.path();
    for (name, model) in [
        ("mean", "[model.majority]\n"),
        ("line", "[model.linear]\n"),
        ("near", "[model.knn]\n"),
        ("trees", "[model.forest]\nn_trees = 30\nmin_samples_leaf = 2\n"),
        ("boosted", "[model.gradient_boosting]\nn_estimators = 40\nlearning_rate = 0.1\n"),
        ("net", NET),
    ] {
        let claim = "[[claims]]\nmetric = \"r2\"\nvalue = 0.9\nsource = \"us\"\n";
        spec(home, name, NUMBER, false, &format!("{model}{claim}"));
        let printed = stdout_of(home, &["run", name]);
        assert!(printed.contains("R2") || printed.contains("r2"), "{printed}");
    }
    // The mean of the training examples tells nothing; all others know the line.
    assert!(score(home, "mean", "r2").abs() < 0.1);
    for (name, least) in
        [("line", 0.98), ("net", 0.9), ("boosted", 0.8), ("trees", 0.8), ("near", 0.6)]
    {
        let r2 = score(home, name, "r2");
        assert!((least..1.0).contains(&r2), "{name}: {r2}");
        assert!(score(home, name, "mae") < score(home, "mean", "mae"));
    }
    let first = record(&runs(home)[0]);
    assert_eq!(first["data"]["classes"], json!(["liked"]));
    assert!(first["data"]["excluded"].to_string().contains("1 of 240 rows"), "{}", first["data"]);
    // A published figure is judged, models are compared, a run is repeated.
    let claims = stdout_of(home, &["claims"]);
    assert!(claims.contains("r2 0.9"), "{claims}");
    let compared = stdout_of(home, &["compare", "line", "mean"]);
    assert!(compared.contains("R2"), "{compared}");
    let id = runs(home)[0].file_name().unwrap().to_string_lossy().into_owned();
    ok(home, &["verify", &id]);
    ok(home, &["report"]);
    let page = fs::read_to_string(home.join("reports/index.html")).unwrap();
    assert!(page.contains("R2") && !page.contains("NaN"));
    // An experiment without a run stands among those of its kind.
    spec(home, "later", TAGS, true, "[model.logistic]\n");
    let text = stdout_of(home, &["report"]);
    let (tags, numbers) = (text.find("ROC-AUC [95 %]").unwrap(), text.find("R2 [95 %]").unwrap());
    assert!((tags..numbers).contains(&text.find("later").unwrap()), "{text}");
    let best = stdout_of(home, &["runs", "--sort", "-r2", "--columns", "experiment,r2", "--csv"]);
    let names: Vec<&str> = best.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert!(names[1] == "line" && names[11..] == ["mean", "mean"], "{best}");
    // New rows need no number of their own.
    fs::write(home.join("new.csv"), "song,energy,tempo\nx,1.0,100\ny,0.0,100\n").unwrap();
    let predicted = stdout_of(home, &["predict", "new.csv", "--with", "line"]);
    let numbers: Vec<f64> = predicted
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    assert!(predicted.starts_with("song,predicted\n"), "{predicted}");
    assert!((numbers[0] - 2.05).abs() < 0.1 && (numbers[1] + 0.95).abs() < 0.1, "{numbers:?}");
    let capsule = ["capsule", "line", "--out", "line.tar.zst"];
    ok(home, &capsule);
    assert!(stdout_of(home, &["verify", "line.tar.zst"]).contains("line"));
}

#[test]
fn tags_are_learned_judged_shown_and_predicted() {
    let home = home();
    let home = home.path();
    for (name, model) in [
        ("rates", "[model.majority]\n"),
        ("lines", "[model.logistic]\n"),
        ("near", "[model.knn]\n"),
        ("trees", "[model.forest]\nn_trees = 30\nmin_samples_leaf = 2\n"),
        ("boosted", "[model.gradient_boosting]\nn_estimators = 40\nlearning_rate = 0.1\n"),
        ("net", NET),
    ] {
        spec(home, name, TAGS, true, model);
        ok(home, &["run", name]);
    }
    assert!((score(home, "rates", "roc_auc") - 0.5).abs() < 1e-9);
    for name in ["lines", "net", "boosted", "trees", "near"] {
        let auc = score(home, name, "roc_auc");
        assert!((0.85..=1.0).contains(&auc), "{name}: {auc}");
        assert!(score(home, name, "average_precision") > score(home, "rates", "average_precision"));
    }
    let first = record(&runs(home)[0]);
    assert_eq!(first["data"]["classes"], json!(["fast", "loud", "none"]));
    assert!(
        first["data"]["notes"].to_string().contains("1 tags on fewer than 2 tracks"),
        "{}",
        first["data"]
    );
    let id = runs(home)[0].file_name().unwrap().to_string_lossy().into_owned();
    ok(home, &["verify", &id]);
    assert!(stdout_of(home, &["compare", "lines", "rates"]).contains("ROC"));
    ok(home, &["report"]);
    let page = fs::read_to_string(home.join("reports/index.html")).unwrap();
    assert!(page.contains("ROC") && page.contains("loud") && !page.contains("NaN"));
    fs::write(home.join("new.csv"), "song,energy,tempo\nx,1.0,150\ny,0.0,150\n").unwrap();
    let predicted = stdout_of(home, &["predict", "new.csv", "--with", "lines"]);
    let rows: Vec<Vec<&str>> = predicted.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["song", "predicted", "p_fast", "p_loud", "p_none"]);
    assert_eq!((rows[1][1], rows[2][1]), ("fast;loud", "fast"), "{predicted}");
}

#[test]
fn columns_of_flags_are_tags_and_a_spec_s_mistakes_are_named() {
    let home = home();
    let home = home.path();
    let flags = "[target]\ntags = [\"loud\", \"quiet\"]\n";
    spec(home, "flags", flags, true, "[model.logistic]\n");
    let record = printed_record(home, &stdout_of(home, &["run", "flags", "--seeds", "1"]));
    let (loud, quiet) = (&record["test"]["tags"][0], &record["test"]["tags"][1]);
    let n = loud["n_positive"].as_u64().unwrap() + quiet["n_positive"].as_u64().unwrap();
    assert_eq!(Some(n), record["test"]["n"].as_u64(), "each row has one of the two");
    spec(home, "flags", "[target]\ntags = [\"loud\", \"tempo\"]\n", true, "[model.logistic]\n");
    let said = fails(home, &["run", "flags"], 2);
    assert!(said.contains("which is also in features.table.columns"), "{said}");
    spec(home, "flags", "[target]\ntags = [\"loud\", \"liked\"]\n", true, "[model.logistic]\n");
    let said = fails(home, &["run", "flags"], 3);
    assert!(said.contains("in the column liked, expected 0 or 1"), "{said}");
    // Without a target there is nothing to tell.
    spec(home, "flags", "", true, "[model.logistic]\n");
    let said = fails(home, &["run", "flags"], 2);
    assert!(said.contains("needs a [target], because dataset songs has no labels"), "{said}");
    spec(home, "flags", NUMBER, false, "[model.logistic]\n");
    let said = fails(home, &["run", "flags"], 2);
    assert!(said.contains("model is `logistic`, which can't learn a number; "), "{said}");
    let of_classes = "label_smoothing = 0.1\nclass_weights = \"balanced\"\n\
        early_stopping = { patience = 2, monitor = \"valid_accuracy\" }\n";
    spec(home, "flags", NUMBER, false, &format!("{NET}{of_classes}"));
    let said = fails(home, &["run", "flags"], 2);
    for part in [
        "training.class_weights is for classes only, but the target is a number; leave it out",
        "training.label_smoothing is for classes and tags only, but the target is a number",
        "training.early_stopping can't monitor `valid_accuracy`, since the target is a number; use \
         monitor = \"valid_loss\"",
    ] {
        assert!(said.contains(part), "{said}");
    }
    spec(
        home,
        "flags",
        NUMBER,
        false,
        "[model.linear]\n[[claims]]\nmetric = \"accuracy\"\nvalue = 0.5\nsource = \"us\"\n",
    );
    let said = fails(home, &["run", "flags"], 2);
    let part = "claims[0].metric is `accuracy`, which is no score of models that tell a number; ";
    assert!(said.contains(part), "{said}");
}

#[test]
fn recordings_have_tags_and_numbers_too() {
    let home = project();
    let home = home.path();
    edit(&home.join("datasets/synth-genres.toml"), "tracks_per_genre = 40", "tracks_per_genre = 8");
    for (name, target, stratify, model) in [
        ("tempo", "number = \"tempo_bpm\"", false, "[model.knn]\n"),
        ("players", "tags = [\"instruments\"]\nminimum_tracks = 4", true, "[model.knn]\n"),
    ] {
        let text = format!(
            "title = \"t\"\nquestion = \"q\"\ndataset = \"synth-genres\"\nseeds = [1]\n[target]\n{target}\n\
             [segments]\nseconds = 3.0\nper_track = 2\n[features.mfcc_statistics]\n\
             [split.random]\nby = \"track\"\nstratify = {stratify}\ntest = 0.4\nvalid = 0.0\n{model}"
        );
        fs::write(home.join(format!("experiments/{name}.toml")), text).unwrap();
        ok(home, &["run", name]);
    }
    ok(home, &["data", "export", "synth-genres", "wavs", "--tracks-per-genre", "1"]);
    let wav = fs::read_dir(home.join("wavs/metal")).unwrap().next().unwrap().unwrap().path();
    let wav = wav.to_str().unwrap();
    let tempo = stdout_of(home, &["predict", wav, "--with", "tempo"]);
    let line = tempo.lines().last().unwrap();
    assert!(line.contains(": tempo_bpm ") && line.ends_with(" segments)"), "{tempo}");
    let players: Value =
        serde_json::from_str(&stdout_of(home, &["predict", wav, "--with", "players", "--json"]))
            .unwrap();
    assert!(players["predicted"].as_array().unwrap().iter().any(|tag| tag == "drums"), "{players}");
    assert!(players["probabilities"]["drums"].as_f64().unwrap() >= 0.5);
}
