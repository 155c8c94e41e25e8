//! Predictions and splits that are not what they must be.

use std::collections::BTreeMap;
use std::fs;

use super::{done, foreign, import, native, refused, with_runs};
use crate::common::{ok, record, runs, stderr, stdout_of};
use crate::json::fits;

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
