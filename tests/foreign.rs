//! Results from elsewhere: predictions of other programs, exported splits, capsules.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use encore::record::Record;
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
fn a_row_that_cannot_be_meant_is_refused_with_its_line() {
    let home = with_runs("1,2");
    let home = home.path();
    let line = |text: &str, n: usize| text.lines().nth(n).unwrap().to_owned();
    let without = |text: String| {
        let gone = line(&text, 3);
        text.replace(&format!("{gone}\n"), "")
    };
    let twice = |text: String| format!("{text}{}\n", line(&text, 3));
    let cell = |text: String, column: usize, value: &str| {
        let row = line(&text, 1);
        let mut cells: Vec<&str> = row.split(',').collect();
        cells[column] = value;
        text.replacen(&row, &cells.join(","), 1)
    };
    let cases: [(&dyn Fn(String) -> String, &str); 15] = [
        (&without, "lacks 1 test example, e.g. `"),
        (&twice, "segment 0 is on line 4 already"),
        (&|text| cell(text, 0, "nobody"), "line 2: the dataset has no example `nobody` segment 0"),
        (
            &|text| cell(text, 1, "1.5"),
            "segment: expected a whole number of at least 0, found \"1.5\"",
        ),
        (&|text| cell(text, 4, "NaN"), "expected a probability in [0, 1], found \"NaN\""),
        (&|text| cell(text, 4, "2.5"), "expected a probability in [0, 1], found \"2.5\""),
        (&|text| cell(text, 4, ""), "expected a probability in [0, 1], found \"\""),
        (&|text| cell(text, 4, "0.9"), "line 2: the probabilities sum to "),
        (&|text| cell(text, 2, "polka"), "found \"polka\""),
        (&|text| cell(text, 3, "polka"), "the columns of the probabilities may be mixed up"),
        (&|text| text.replacen("p_", "q_", 1), "has no column `p_"),
        (&|text| text.replace(',', ";"), "commas must divide the cells"),
        (&|text| format!("{text}1,2\n"), "expected 12 cells as in the header, found 2"),
        (
            &|text| text.replace("track,segment,actual", "track,p_polka,actual"),
            "has no class `polka`",
        ),
        (&|_| String::new(), "is empty"),
    ];
    let n_before = runs(home).len();
    for (change, part) in cases {
        refused(&import(home, 1, change, &[]), part);
    }
    // Another seed has other test examples.
    let text = fs::read_to_string(native(home, 2).join("predictions.csv")).unwrap();
    let output = import(home, 1, |_| text.clone(), &[]);
    refused(&output, "examples outside the test set, e.g. ");
    refused(&output, "import with the same --seed");
    refused(&import(home, 1, |text| text, &["--epochs", "none.jsonl"]), "none.jsonl: ");
    for (epochs, part) in [
        ("", "has no epoch"),
        ("{\"epoch\": 2}\n", "line 1: expected epoch 1, found 2"),
        ("{\"epoch\": 1, \"train_loss\": NaN}\n", "line 1: "),
        (
            "\n{\"epoch\": 1, \"valid_accuracy\": 85.3}\n",
            "line 2: valid_accuracy: expected a fraction",
        ),
    ] {
        fs::write(home.join("curves.jsonl"), epochs).unwrap();
        refused(&import(home, 1, |text| text, &["--epochs", "curves.jsonl"]), part);
    }
    assert_eq!(runs(home).len(), n_before);
    let attempts = home.join("reports/attempts");
    assert_eq!(fs::read_dir(attempts).unwrap().count(), 0, "nothing is left");
    // What an epoch does not say is unknown.
    fs::write(home.join("curves.jsonl"), "{\"epoch\": 1, \"seconds\": 1.5}\n{\"epoch\": 2}")
        .unwrap();
    done(&import(home, 1, |text| text, &["--epochs", "curves.jsonl"]));
    let record = record(&foreign(home).pop().unwrap());
    assert_eq!(
        (&record["model"]["n_epochs"], &record["timings"]["total_s"]),
        (&2.into(), &1.5.into())
    );
    ok(home, &["report"]);
}

#[test]
fn a_split_is_exported_and_one_that_leaks_is_found_out() {
    let home = with_runs("1");
    let home = home.path();
    let split = ["split", "spotify-dense", "--seed", "1", "--out", "theirs/deep", "--json"];
    let exported = fits("split", &stdout_of(home, &split));
    let text = fs::read_to_string(home.join("theirs/deep/split.csv")).unwrap();
    assert_eq!(text, fs::read_to_string(native(home, 1).join("split.csv")).unwrap());
    assert_eq!(exported["n_test"], text.lines().filter(|line| line.ends_with(",test")).count());
    let classes = fs::read_to_string(home.join("theirs/deep/classes.csv")).unwrap();
    assert_eq!(classes.lines().count(), 9);
    // Whoever trained on fewer examples says so.
    let fewer: String = text
        .lines()
        .enumerate()
        .filter(|(i, line)| !(line.ends_with(",train") && i % 2 == 0))
        .map(|(_, line)| format!("{line}\n"))
        .collect();
    fs::write(home.join("fewer.csv"), fewer).unwrap();
    done(&import(home, 1, |text| text, &["--split", "fewer.csv"]));
    let folder = foreign(home).pop().unwrap();
    let found = record(&folder);
    assert!(found["split"]["n_train"].as_u64().unwrap() < exported["n_train"].as_u64().unwrap());
    assert_eq!(found["foreign"]["split"]["file"], "fewer.csv");
    let protocol = found["split"]["protocol"].as_str().unwrap();
    assert!(protocol.ends_with("training and validation sets: those of fewer.csv"), "{protocol}");
    assert!(found["model"]["notes"].to_string().contains("those of fewer.csv"));
    assert_eq!(found["audit"]["n_leaking"], record(&native(home, 1))["audit"]["n_leaking"]);
    fs::remove_dir_all(folder).unwrap();
    // Whoever trained on test examples too leaks, like any run.
    let more: String = text
        .lines()
        .filter_map(|line| line.strip_suffix(",test"))
        .take(7)
        .map(|line| format!("{line},train\n"))
        .collect();
    fs::write(home.join("more.csv"), format!("{text}{more}")).unwrap();
    let forbidden = import(home, 1, |text| text, &["--split", "more.csv", "--forbid-leaks"]);
    assert_eq!(forbidden.status.code(), Some(2), "{}", stderr(&forbidden));
    assert!(stderr(&forbidden).contains("7 test examples are themselves in train or valid"));
    assert_eq!(foreign(home).len(), 0);
    let said = done(&import(home, 1, |text| text, &["--split", "more.csv"]));
    assert!(said.contains("the split leaks, 7 of 100 test examples"), "{said}");
    let leaks: BTreeMap<String, u64> = record(&foreign(home).pop().unwrap())["audit"]["leaks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|leak| (leak["kind"].as_str().unwrap().to_owned(), leak["n_test"].as_u64().unwrap()))
        .collect();
    assert_eq!(leaks.get("same_example"), Some(&7), "{leaks:?}");
    // The test set can't be another one, and a split must be one.
    for (name, changed, part) in [
        ("moved.csv", text.replacen(",test", ",train", 1), "moved.csv: lacks 1 test example"),
        ("odd.csv", text.replacen(",test", ",holdout", 1), "expected train, valid or test"),
        ("twice.csv", format!("{text}{}", more.replace(",train", ",test")), "already"),
        ("none.csv", text.replace(",train", ",valid"), "has no training example"),
    ] {
        fs::write(home.join(name), changed).unwrap();
        let output = import(home, 1, |text| text, &["--split", name]);
        refused(&output, part);
    }
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

#[test]
fn the_runs_of_a_capsule_are_added_once_and_can_be_repeated() {
    let home = with_runs("1,2");
    let home = home.path();
    done(&import(home, 1, |text| text, &[]));
    ok(home, &["capsule", "spotify-dense", "--out", "three.tar.zst"]);
    let other = small();
    let other = other.path();
    fs::copy(home.join("three.tar.zst"), other.join("three.tar.zst")).unwrap();
    let import = ["import-capsule", "three.tar.zst", "--json"];
    let added = fits("import-capsule", &stdout_of(other, &import));
    assert_eq!(added["added"].as_array().unwrap().len(), 3);
    assert_eq!(runs(other).len(), 3);
    assert_eq!(foreign(other).len(), 1, "marked for ever");
    let columns = ["--where", "capsule is not missing", "--columns", "capsule", "--csv"];
    let found = stdout_of(other, &[&["runs"], &columns[..]].concat());
    assert_eq!(found, "capsule\nthree.tar.zst\nthree.tar.zst\nthree.tar.zst\n");
    // The same numbers as where they come from.
    assert_eq!(results(home, "spotify-dense"), results(other, "spotify-dense"));
    let again = fits("import-capsule", &stdout_of(other, &import));
    assert_eq!((again["known"].as_array().unwrap().len(), runs(other).len()), (3, 3));
    // A run without its model can be repeated and compared, but not used; `run` trains it.
    let id = native(other, 1).file_name().unwrap().to_string_lossy().into_owned();
    let verified = fits("verify", &stdout_of(other, &["verify", &id, "--json"]));
    assert_eq!(verified["identical"]["model"], true);
    let said = fails(other, &["predict", "three.tar.zst", "--with", &id], 3);
    assert!(said.contains("came in the capsule three.tar.zst\nhint: encore run"), "{said}");
    let ran = ok(other, &["run", "spotify-dense", "--seeds", "1"]);
    assert!(
        stderr(&ran).contains("without its model; the run will be repeated"),
        "{}",
        stderr(&ran)
    );
    assert!(native(other, 1).join("model/model.safetensors").is_file());
    let found = stdout_of(other, &[&["runs"], &columns[..]].concat());
    assert_eq!(found.lines().count(), 3, "the run of seed 1 is ours now");
    assert_eq!(
        fits("import-capsule", &stdout_of(other, &import))["known"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn a_capsule_never_replaces_what_is_here() {
    let home = with_runs("1,2");
    let home = home.path();
    ok(home, &["capsule", "spotify-dense", "--out", "two.tar.zst"]);
    let kept = record(&native(home, 2));
    // The run of seed 1 here has other results.
    let folder = native(home, 1);
    let path = folder.join("record.json");
    let mut changed: Record = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    changed.outputs.curves = changed.outputs.curves.chars().rev().collect();
    changed.seal = changed.make_seal();
    fs::write(&path, serde_json::to_string(&changed).unwrap()).unwrap();
    let output = encore(home, &["import-capsule", "two.tar.zst"]);
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stdout(&output).contains(": curves; the run here stays"), "{}", stdout(&output));
    assert_eq!(record(&folder)["seal"], changed.seal);
    let id = folder.file_name().unwrap().to_string_lossy().into_owned();
    // A damaged run here stays, and the other one is looked at all the same.
    fs::write(folder.join("predictions.csv"), "track\n").unwrap();
    let output = encore(home, &["import-capsule", "two.tar.zst"]);
    refused(&output, &format!("hint: encore runs remove {id}"));
    assert!(stdout(&output).contains("known "), "{}", stdout(&output));
    assert_eq!(fs::read_to_string(folder.join("predictions.csv")).unwrap(), "track\n");
    ok(home, &["runs", "remove", &id]);
    let said = stdout_of(home, &["import-capsule", "two.tar.zst"]);
    assert!(said.contains(&format!("added {id}")), "{said}");
    assert_eq!(record(&native(home, 2)), kept);
    // A capsule with a changed byte adds nothing and leaves nothing behind.
    let mut bytes = fs::read(home.join("two.tar.zst")).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(home.join("bad.tar.zst"), bytes).unwrap();
    ok(home, &["runs", "remove", &id]);
    refused(&encore(home, &["import-capsule", "bad.tar.zst"]), "is damaged or was changed");
    assert!(!folder.exists());
    refused(&encore(home, &["import-capsule", "datasets"]), "datasets");
    assert_eq!(fs::read_dir(home.join("reports/attempts")).unwrap().count(), 0);
}
