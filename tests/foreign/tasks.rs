//! Predictions of tags and of a number that were made elsewhere.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{done, foreign, refused, results};
use crate::common::{encore, files, ok, record, runs, stdout_of};
use crate::json::fits;
use crate::targets::{NET, NUMBER, TAGS, home, spec};

/// What is done to the text of a file.
type Change<'a> = &'a dyn Fn(&str) -> String;

/// The tasks, each with a claim.
const TASKS: [(&str, &str, bool, &str); 2] =
    [("tags", TAGS, true, "roc_auc"), ("number", NUMBER, false, "r2")];

/// A project with a net for each task.
fn with_nets() -> tempfile::TempDir {
    let home = home();
    for (name, target, stratify, metric) in TASKS {
        let claim = format!("[[claims]]\nmetric = \"{metric}\"\nvalue = 0.7\nsource = \"us\"\n");
        spec(home.path(), name, target, stratify, &format!("{NET}{claim}"));
    }
    home
}

/// The same with finished runs.
fn with_runs() -> tempfile::TempDir {
    let home = with_nets();
    ok(home.path(), &["run", "tags", "number"]);
    home
}

fn native_of(home: &Path, experiment: &str, seed: u64) -> std::path::PathBuf {
    let is_it = |folder: &std::path::PathBuf| {
        let id = folder.file_name().unwrap().to_string_lossy();
        id.starts_with(&format!("{experiment}.songs.seed-{seed}.")) && !super::is_foreign(folder)
    };
    runs(home).into_iter().find(is_it).unwrap()
}

/// Imports the predictions of a run with seed 1, changed.
fn import(
    home: &Path,
    experiment: &str,
    change: impl Fn(&str) -> String,
    more: &[&str],
) -> std::process::Output {
    let text = fs::read_to_string(native_of(home, experiment, 1).join("predictions.csv")).unwrap();
    fs::write(home.join("theirs.csv"), change(&text)).unwrap();
    let arguments = ["import-predictions", experiment, "theirs.csv", "--seed", "1"];
    encore(home, &[&arguments[..], more].concat())
}

/// Applies a change to the cells of every row; it gets the column's name and the cell.
fn cells(text: &str, change: impl Fn(&str, &str) -> Option<String>) -> String {
    let names: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let line = |(n, line): (usize, &str)| {
        let kept = line.split(',').zip(&names).filter_map(|(cell, name)| {
            let changed = change(name, if n == 0 { "" } else { cell })?;
            Some(if n == 0 && changed.is_empty() { (*name).to_owned() } else { changed })
        });
        kept.collect::<Vec<_>>().join(",") + "\n"
    };
    text.lines().enumerate().map(line).collect()
}

#[test]
fn native_runs_of_tags_and_numbers_come_back_with_the_same_intervals_and_verdict() {
    let home = with_runs();
    let home = home.path();
    for (name, ..) in TASKS {
        for seed in ["1", "2"] {
            let folder = native_of(home, name, seed.parse().unwrap());
            let of_run = |file: &str| folder.join(file).to_string_lossy().into_owned();
            let out = format!("of-{name}-{seed}");
            ok(home, &["split", name, "--seed", seed, "--out", &out]);
            let split = fs::read_to_string(home.join(&out).join("split.csv")).unwrap();
            assert_eq!(split, fs::read_to_string(of_run("split.csv")).unwrap());
            let (predictions, epochs) = (of_run("predictions.csv"), of_run("epochs.jsonl"));
            let split = format!("{out}/split.csv");
            let import = ["import-predictions", name, &predictions, "--seed", seed];
            let more = ["--epochs", &epochs, "--split", &split, "--json"];
            let said = fits("import-predictions", &stdout_of(home, &[&import[..], &more].concat()));
            assert_eq!(said["results"][0]["foreign"], true);
        }
        let rows = results(home, name);
        let [ours, theirs] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((&ours["foreign"], &theirs["foreign"]), (&false.into(), &true.into()));
        for key in
            ["seeds", "task", "metric", "n_leaking", "score", "score_by_track", "other_scores"]
        {
            assert_eq!(ours[key], theirs[key], "{key}");
        }
        assert_eq!(ours["claims"], theirs["claims"]);
        assert_ne!(ours["claims"][0]["verdict"], Value::Null);
    }
    let imported = foreign(home);
    assert_eq!(imported.len(), 4);
    for folder in imported {
        let theirs = record(&folder);
        let experiment = theirs["experiment"].as_str().unwrap();
        let ours = native_of(home, experiment, theirs["seed"].as_u64().unwrap());
        let bytes = |folder: &Path| fs::read(folder.join("predictions.csv")).unwrap();
        assert_eq!(bytes(&ours), bytes(&folder));
        let ours = record(&ours);
        for key in
            ["/outputs/predictions", "/outputs/curves", "/files/split.csv", "/test", "/split"]
        {
            assert_eq!(ours.pointer(key).unwrap(), theirs.pointer(key).unwrap(), "{key}");
        }
        assert_eq!(ours["audit"], theirs["audit"]);
        assert_eq!(ours["data"]["task"], theirs["data"]["task"]);
    }
    // They are shown and compared like any other.
    ok(home, &["report"]);
    let page = fs::read_to_string(home.join("reports/README.md")).unwrap();
    assert!(page.contains("foreign: tags") && page.contains("foreign: number"), "{page}");
    let compared = ["compare", "number", "number@foreign", "--json"];
    let compared = fits("compare", &stdout_of(home, &compared));
    assert_eq!(compared["tests"][0]["difference"]["mean"], 0.0);
}

#[test]
fn a_file_of_tags_or_numbers_needs_no_more_than_the_predictions() {
    let home = with_runs();
    let home = home.path();
    // Without what is true; a number under each of its names.
    let only = |text: &str| {
        cells(text, |name, cell| {
            (!name.starts_with("tag_")).then(|| format!("{cell} ").trim_end().to_owned())
        })
    };
    done(&import(home, "tags", only, &[]));
    let named = |as_what: &'static str| {
        move |text: &str| {
            let text = cells(text, |name, cell| (name != "actual").then(|| cell.to_owned()));
            text.replacen("predicted", as_what, 1)
        }
    };
    for name in ["predicted", "prediction", "liked", " predicted "] {
        done(&import(home, "number", named(name), &["--model", &format!("of {}", name.trim())]));
    }
    for folder in foreign(home) {
        let theirs = record(&folder);
        let ours = record(&native_of(home, theirs["experiment"].as_str().unwrap(), 1));
        assert_eq!(ours["outputs"]["predictions"], theirs["outputs"]["predictions"]);
    }
    assert_eq!(foreign(home).len(), 5);
    // A rounded number that is true is no fault.
    let rounded = |text: &str| {
        cells(text, |name, cell| match (name, cell.parse::<f32>()) {
            ("actual", Ok(number)) => Some(format!("{:.5}", number * 1.0005)),
            _ => Some(cell.to_owned()),
        })
    };
    done(&import(home, "number", rounded, &["--model", "rounded"]));
}

#[test]
fn what_cannot_be_a_prediction_of_tags_or_a_number_is_refused_with_its_line() {
    let home = with_runs();
    let home = home.path();
    // The first row of a column gets another cell.
    let first = |column: &'static str, value: &'static str| {
        move |text: &str| {
            let row = text.lines().nth(1).unwrap();
            let place =
                text.lines().next().unwrap().split(',').position(|it| it == column).unwrap();
            let mut cells: Vec<&str> = row.split(',').collect();
            cells[place] = value;
            text.replacen(row, &cells.join(","), 1)
        }
    };
    let n_before = runs(home).len();
    let cases: [(&str, Change, &str); 19] = [
        (
            "tags",
            &first("p_loud", "1.5"),
            "line 2: p_loud: expected a probability in [0, 1], found \"1.5\"\nhint: logits need a sigmoid",
        ),
        ("tags", &first("p_loud", "nan"), "expected a probability in [0, 1], found \"nan\"\n"),
        ("tags", &first("p_loud", ""), "expected a probability in [0, 1], found \"\"\n"),
        ("tags", &first("tag_loud", "maybe"), "line 2: tag_loud: the example has "),
        (
            "tags",
            &first("track", "nobody"),
            "line 2: the dataset has no example `nobody` segment 0",
        ),
        (
            "tags",
            &|text| text.replacen("p_loud", "loud", 1),
            "has a column `loud` and no column `p_loud`; ",
        ),
        (
            "tags",
            &|text| text.replacen("p_loud", "p_lout", 1),
            "has no column `p_loud`; did you mean `p_lout`?",
        ),
        (
            "tags",
            &|text| text.replacen("tag_loud", "p_odd", 1),
            "has a column `p_odd`, and the spec has no tag `odd`; expected one column `p_TAG` for each of the 3 in \
             classes.csv",
        ),
        ("tags", &|text| text.replacen("p_fast", "p_loud", 1), "has no column `p_fast`"),
        (
            "tags",
            &|text| format!("{text}{}\n", text.lines().nth(3).unwrap()),
            "is on line 4 already",
        ),
        ("tags", &|text| text.replace(',', ";"), "commas must divide the cells"),
        (
            "number",
            &first("predicted", "loud"),
            "line 2: predicted: expected a number, found \"loud\"",
        ),
        (
            "number",
            &first("predicted", "inf"),
            "line 2: predicted: expected a number, found \"inf\"",
        ),
        (
            "number",
            &first("predicted", "1e39"),
            "line 2: predicted: expected a number, found \"1e39\"",
        ),
        ("number", &first("actual", "1000"), "line 2: actual: the number is "),
        ("number", &|text| text.replacen("predicted", "said", 1), "has no column `predicted`"),
        (
            "number",
            &|text| text.replacen("actual", "prediction", 1),
            "has the columns `predicted` and `prediction`, expected one of them",
        ),
        (
            "number",
            &|text| text.replacen("actual", "liked", 1).replacen("predicted", "said", 1),
            "the column `liked` has the numbers of the dataset, expected predictions",
        ),
        (
            "number",
            &|text| text.lines().take(5).map(|line| format!("{line}\n")).collect(),
            "test examples, e.g. ",
        ),
    ];
    for (experiment, change, part) in cases {
        refused(&import(home, experiment, change, &[]), part);
    }
    assert_eq!(runs(home).len(), n_before);
    // A split that leaks is refused as for classes.
    let split = fs::read_to_string(native_of(home, "number", 1).join("split.csv")).unwrap();
    let test =
        split.lines().find(|line| line.ends_with(",test")).unwrap().replace(",test", ",train");
    fs::write(home.join("more.csv"), format!("{split}{test}\n")).unwrap();
    let more = ["--split", "more.csv", "--forbid-leaks"];
    let output = import(home, "number", str::to_owned, &more);
    assert_eq!(output.status.code(), Some(2));
    done(&import(home, "number", str::to_owned, &more[..2]));
    assert_eq!(record(&foreign(home)[0])["foreign"]["split"]["file"], "more.csv");
}

#[test]
#[cfg(unix)]
fn an_import_that_is_killed_anywhere_leaves_nothing_that_matters() {
    use crate::common::events::wait_for_change;
    use crate::common::kills::{kill_all, start};

    let home = with_nets();
    let home = home.path();
    ok(home, &["run", "tags", "--seeds", "1"]);
    let file = native_of(home, "tags", 1).join("predictions.csv").to_string_lossy().into_owned();
    let arguments = ["import-predictions", "tags", &file, "--seed", "1"];
    ok(home, &arguments);
    let folder = foreign(home).remove(0);
    let read = || -> Vec<_> {
        let all = files(&folder);
        all.into_iter().filter(|(name, _)| name != "record.json").collect()
    };
    let (wanted, scores) = (read(), record(&folder)["test"].clone());
    let mut n_killed = 0;
    for nth in 1.. {
        fs::remove_dir_all(&folder).unwrap();
        let mut child = start(home, &arguments);
        wait_for_change(&mut child, &home.join("reports"), nth);
        let has_ended = child.try_wait().unwrap().is_some();
        kill_all(child);
        if has_ended {
            break;
        }
        n_killed += 1;
        ok(home, &arguments);
        assert!(read() == wanted, "killed after change {nth}");
        assert_eq!(record(&folder)["test"], scores);
        assert_eq!(foreign(home).len(), 1);
        let left: Vec<_> = fs::read_dir(home.join("reports/attempts")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert!(n_killed > 1, "it was killed {n_killed} times");
}
