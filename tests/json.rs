//! Every command that prints a result has a JSON form with the shape that docs/json.md describes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::common::{edit, encore, ok, project, repository, runs, stderr, stdout, stdout_of};

/// Commands whose results other tests compare with their shapes, and where.
const ELSEWHERE: [(&str, &str); 16] = [
    ("ablate", "tests/curves.rs"),
    ("curve", "tests/curves.rs"),
    ("plot curve", "tests/curves.rs"),
    ("plot augment", "tests/augment.rs"),
    ("data fetch", "tests/fetch/program.rs"),
    ("robust", "tests/robust.rs"),
    ("plot sweep", "tests/sweeps.rs"),
    ("sweep", "tests/sweeps.rs"),
    ("sweep status", "tests/sweeps.rs"),
    ("export mlflow", "tests/export/mod.rs"),
    ("export parquet", "tests/export/mod.rs"),
    ("export tensorboard", "tests/export/mod.rs"),
    ("serve", "tests/serve/mod.rs"),
    ("serve-model", "tests/serve/model.rs"),
    ("spotify collect", "tests/spotify/program.rs"),
    ("spotify login", "tests/spotify/program.rs"),
];

/// The shapes of docs/json.md, by name; commands begin with `encore `.
fn shapes() -> BTreeMap<String, Value> {
    let text = fs::read_to_string(repository().join("docs/json.md")).unwrap();
    let mut shapes = BTreeMap::new();
    for block in text.split("\n```shape ").skip(1) {
        let (name, rest) = block.split_once('\n').unwrap();
        let shape = rest.split("\n```").next().unwrap();
        let shape = serde_json::from_str(shape).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(shapes.insert(name.to_owned(), shape).is_none(), "{name} has two shapes");
    }
    shapes
}

/// Says where a value differs from a shape.
fn fault(
    shapes: &BTreeMap<String, Value>,
    shape: &Value,
    value: &Value,
    at: &str,
) -> Option<String> {
    let inside = |key: &str| format!("{at}.{key}");
    match (shape, value) {
        (Value::String(name), value) => {
            let (name, may_be_null) =
                name.strip_suffix('?').map_or((name.as_str(), false), |it| (it, true));
            let is_right = match name {
                "any" => true,
                _ if may_be_null && value.is_null() => true,
                "text" => value.is_string(),
                "number" => value.is_number(),
                "flag" => value.is_boolean(),
                part => {
                    let shape = shapes.get(part).unwrap_or_else(|| panic!("no shape {part}"));
                    return fault(shapes, shape, value, at);
                }
            };
            (!is_right).then(|| format!("{at}: expected {name}, found {value}"))
        }
        (Value::Array(shape), Value::Array(items)) => {
            let items = items.iter().enumerate();
            let mut faults = items
                .filter_map(|(i, item)| fault(shapes, &shape[0], item, &inside(&i.to_string())));
            faults.next()
        }
        (Value::Object(shape), Value::Object(_)) if shape.contains_key("FIELD") => None,
        (Value::Object(shape), Value::Object(object)) => {
            let plain = |key: &str| key.strip_suffix('?').unwrap_or(key).to_owned();
            let known: BTreeSet<String> = shape.keys().map(|key| plain(key)).collect();
            if let Some(more) = object.keys().find(|key| !known.contains(*key)) {
                return Some(format!("{}: not described", inside(more)));
            }
            shape.iter().find_map(|(key, shape)| {
                let name = plain(key);
                match object.get(&name) {
                    None => Some(format!("{}: missing", inside(&name))),
                    Some(Value::Null) if key.ends_with('?') => None,
                    Some(value) => fault(shapes, shape, value, &inside(&name)),
                }
            })
        }
        (shape, value) => Some(format!("{at}: expected {shape}, found {value}")),
    }
}

/// Compares the result of a command with its documented shape, and returns it.
pub fn fits(command: &str, output: &str) -> Value {
    let document: Value =
        serde_json::from_str(output).unwrap_or_else(|error| panic!("{command}: {error}\n{output}"));
    let keys: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["command", "data", "encore", "error", "format"], "{command}");
    assert_eq!((&document["format"], &document["error"]), (&1.into(), &Value::Null), "{output}");
    let name = document["command"].as_str().unwrap().to_owned();
    assert!(command.starts_with(&name), "{command} calls itself {name}");
    let shapes = shapes();
    let shape = &shapes.get(&format!("encore {command}")).unwrap_or_else(|| panic!("{command}"));
    if let Some(fault) = fault(&shapes, shape, &document["data"], "data") {
        panic!("{command}: {fault}");
    }
    document["data"].clone()
}

/// All commands with their subcommands, as the help lists them.
fn commands(home: &Path, above: &[&str]) -> Vec<String> {
    let help = stdout_of(home, &[above, &["--help"]].concat());
    let Some((_, list)) = help.split_once("\nCommands:\n") else { return vec![above.join(" ")] };
    let mut all = vec![];
    // `runs` is a command of its own, too.
    let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap();
    if !usage.ends_with("<COMMAND>") {
        all.push(above.join(" "));
    }
    for line in list.lines().take_while(|line| !line.is_empty()) {
        // Continued lines are indented more.
        let Some(name) = line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) else {
            continue;
        };
        let name = name.split_whitespace().next().unwrap();
        if name != "help" {
            all.extend(commands(home, &[above, &[name]].concat()));
        }
    }
    all
}

#[test]
fn every_command_prints_its_result_as_json_of_the_documented_shape() {
    let home = project();
    let home = home.path();
    edit(&home.join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    edit(&home.join("datasets/synth-genres.toml"), "tracks_per_genre = 40", "tracks_per_genre = 1");
    let tones = repository().join("tests/golden/mfcc_tones.wav").to_string_lossy().into_owned();
    let rows: String = (0..40).map(|i| format!("{i},{},0.{i}\n", ["a", "b"][i % 2])).collect();
    fs::write(home.join("mine.csv"), format!("id,genre,energy\n{rows}")).unwrap();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut json = |command: &str, more: &[&str]| -> Value {
        let words: Vec<&str> = command.split(' ').filter(|word| *word != "FILE").collect();
        let output = ok(home, &[&words[..], more, &["--json"]].concat());
        seen.insert(command.to_owned());
        fits(command, &stdout(&output))
    };
    json("check", &[]);
    json("list", &[]);
    let ran = json("run", &["spotify-logistic", "baseline-spotify", "--seeds", "1,2"]);
    assert_eq!(ran["stand_ins"][0]["used"], "synth-songs");
    assert_eq!(ran["results"][0]["seeds"], serde_json::json!([1, 2]));
    let id = ran["runs"][0]["id"].as_str().unwrap().to_owned();
    let states = json("run --why", &["spotify-logistic", "--seeds", "1,3"]);
    assert_eq!(
        (&states["states"][0]["state"], &states["states"][1]["state"]),
        (&"done".into(), &"to run".into())
    );
    let listed = json("list", &["--all-versions"]);
    let listed = listed["experiments"].as_array().unwrap();
    let logistic = listed.iter().find(|it| it["name"] == "spotify-logistic").unwrap();
    assert_eq!(logistic["verdict"], "not comparable");
    assert!(logistic["latest"]["accuracy"].as_f64().unwrap() > 0.0);
    let claims = json("claims", &[]);
    let results = claims["results"].as_array().unwrap();
    assert!(results.iter().any(|it| it["claims"][0]["metric"] == "accuracy"), "{results:?}");
    let compared = json("compare", &["spotify-logistic", "baseline-spotify"]);
    assert_eq!(compared["tests"][0]["n_runs"], serde_json::json!([2, 2]));
    json("report", &[]);
    json("reproduce", &["--quick", "--only", "baseline-spotify"]);
    assert_eq!(json("verify", &[&id])["identical"]["model"], true);
    json("capsule", &[&id, "--out", "one.tar.zst"]);
    assert_eq!(json("verify FILE", &["one.tar.zst"])["runs"][0], id.as_str());

    json("runs remove", &[&id]);
    assert_eq!(json("import-capsule", &["one.tar.zst"])["added"][0], id.as_str());
    json("runs remove", &[&id]);
    ok(home, &["run", "spotify-logistic", "--seeds", "1"]);
    let split = json("split", &["spotify-logistic", "--seed", "1", "--out", "theirs"]);
    assert_eq!(split["n_test"], 75);
    let theirs = home.join("reports/runs").join(&id).join("predictions.csv");
    let theirs = theirs.to_string_lossy().into_owned();
    let imported = json("import-predictions", &["spotify-logistic", &theirs, "--seed", "1"]);
    assert_eq!(imported["results"][0]["foreign"], true);

    json("lr-find", &["spotify-dense", "--steps", "20"]);
    ok(home, &["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=1"]);
    let dense =
        runs(home).into_iter().find(|it| it.to_string_lossy().contains("spotify-dense")).unwrap();
    let weights = dense.join("model/model.safetensors").to_string_lossy().into_owned();
    json("import-weights", &["spotify-dense", &weights, "--layout", "keras"]);

    let found = json("runs", &["--where", "experiment ~ 'dense'", "--columns", "id,roc_auc,tags"]);
    assert_eq!(found["runs"].as_array().unwrap().len(), 2);
    figures_of_runs(&mut json, &dense.file_name().unwrap().to_string_lossy());
    json("runs show", &[&id]);
    json("runs tag", &[&id, "--add", "best"]);
    assert_eq!(json("runs note", &[&id, "--text", "a"])["runs"][0]["tags"][0], "best");
    json("runs archive", &[&id]);
    json("runs restore", &[&id]);
    json("runs remove", &[&id]);
    assert!(!json("gc", &["--dry-run"])["items"].as_array().unwrap().is_empty());
    json("gc", &["--yes"]);

    json("new", &["mine", "--from", "spotify-dense"]);
    json("data new", &["table", "mine.csv"]);
    json("data import", &["table", "mine.csv"]);
    json("data check", &["table"]);
    json("data describe", &["table"]);
    json("data describe", &["gtzan"]);
    let datasets = json("data list", &[]);
    let states: BTreeSet<&str> = datasets["datasets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["embedded", "imported", "not imported"].into());
    json("data export", &["synth-genres", "wavs", "--tracks-per-genre", "1"]);
    json("plot audio", &[&tones, "--out", "out"]);
    plots_and_similar_music(home, &mut json);
    json("degrade", &[&tones, "--with", "gain gain_db=-6", "--out", "worse.wav"]);
    json("features list", &["--check"]);
    json("features clean", &["--all"]);
    json("init", &["new"]);
    assert!(json("schema", &["spec"])["schema"]["properties"].is_object());
    assert_eq!(json("schema", &["--out", "schemas"])["files"].as_array().unwrap().len(), 3);
    // Predictions are lines.
    ok(home, &["run", "table", "--seeds", "1"]);
    let lines = stdout_of(home, &["predict", "mine.csv", "--with", "table", "--json"]);
    assert_eq!(lines.lines().count(), 40);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["predicted"].is_string() && line["probabilities"]["a"].is_number(), "{line}");
    }

    seen.insert("predict".to_owned());
    all_are_seen(home, seen);
}

/// Figures of several runs, and what goes on.
fn figures_of_runs(json: &mut dyn FnMut(&str, &[&str]) -> Value, dense: &str) {
    let drawn = json("plot compare", &[dense, "--metric", "valid_loss"]);
    assert_eq!(drawn["lines"][0]["points"].as_array().unwrap().len(), 1);
    json("plot reliability", &["spotify-dense", "spotify-logistic"]);
    json("plot f1", &["spotify-dense"]);
    json("plot confusion", &["spotify-dense", "spotify-logistic"]);
    assert!(json("watch", &[])["n_finished"].as_u64() > Some(0));
}

/// Plots, and the commands about similar songs; `wavs` has a recording of each genre.
fn plots_and_similar_music(home: &Path, json: &mut dyn FnMut(&str, &[&str]) -> Value) {
    json("plot dataset", &["synth-songs"]);
    json("completions", &["bash"]);
    json("man", &["man"]);
    let found = json("similar", &["wavs/jazz/jazz.00000.wav", "--in", "wavs", "--k", "3"]);
    assert_eq!(found["neighbors"].as_array().unwrap().len(), 3);
    json("embed", &["statistics", "wavs/jazz", "--out", "jazz.parquet"]);
    json("playlist", &["--like", "wavs/jazz/jazz.00000.wav", "--in", "wavs", "--out", "a.m3u8"]);
    json("plot map", &["wavs"]);
    edit(&home.join("datasets/synth-genres.toml"), "tracks_per_genre = 1", "tracks_per_genre = 2");
    let scores = json("similar --evaluate", &["synth-genres"]);
    assert_eq!(scores["n_songs"], 20);
}

/// Compares the commands whose results were compared with shapes with those that docs/json.md describes,
/// and with those that there are.
fn all_are_seen(home: &Path, mut seen: BTreeSet<String>) {
    seen.extend(ELSEWHERE.map(|(command, _)| command.to_owned()));
    let described: BTreeSet<String> = shapes()
        .into_keys()
        .filter_map(|name| name.strip_prefix("encore ").map(str::to_owned))
        .collect();
    assert_eq!(seen, described, "docs/json.md describes what is tested here");
    let plain =
        |name: &String| ![" FILE", " --why", " --evaluate"].iter().any(|end| name.ends_with(end));
    let described: BTreeSet<String> = described.into_iter().filter(plain).collect();
    let all: BTreeSet<String> = commands(home, &[]).into_iter().collect();
    assert!(all.len() > 30, "{all:?}");
    assert_eq!(all, described, "every command has a JSON form, in docs/json.md and here");
    for (command, file) in ELSEWHERE {
        let text = fs::read_to_string(repository().join(file)).unwrap();
        assert!(text.contains(&format!("fits(\"{command}\"")), "{file} does not test {command}");
    }
}

/// The document that a command prints, whatever its exit code.
fn document(output: &Output) -> Value {
    serde_json::from_str(&stdout(output))
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

#[test]
fn a_failure_is_in_the_object_with_its_exit_code_and_what_was_found() {
    let home = project();
    let home = home.path();
    edit(&home.join("experiments/cnn-3.toml"), "n_mfcc = 13", "n_mfc = 13");
    let output = encore(home, &["check", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let said = document(&output);
    assert_eq!(said["error"]["code"], 2);
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("did you mean `n_mfcc`?"), "{message}");
    assert!(stderr(&output).contains(message));
    let first = &said["data"]["faults"][0];
    assert!(first["origin"].as_str().unwrap().ends_with("cnn-3.toml"), "{first}");
    assert!(first["line"].as_u64().unwrap() > 0);
    // A failure before there is any result.
    let output = encore(home, &["--json", "verify", "nothing"]);
    assert_eq!(output.status.code(), Some(3));
    let said = document(&output);
    assert_eq!((&said["data"], &said["error"]["code"]), (&Value::Null, &3.into()));
    assert_eq!(said["command"], "verify");
}
