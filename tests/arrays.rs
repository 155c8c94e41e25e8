//! Precomputed features as a dataset: imported, described, checked, trained on.

use crate::common::{self, encore, fails, printed_record as record, stdout_of as ok};
use std::fmt::Write;
use std::fs;

const MANIFEST: &str = r#"
title = "Two arrays"
licence = "none"
citation = "nobody"
how_to_get = "make it"

[arrays]
table = "tracks.csv"
n_rows = 61

[arrays.track_columns]
set = "published"
artist = "artist"

[[arrays.array]]
name = "wide"
file = "wide.npy"
shape = [2, 3]
transpose = true

[[arrays.array]]
name = "flat"
file = "flat.npy"
shape = [4]
"#;

const SPEC: &str = r#"
title = "A tree on an array"
question = "Does it run?"
dataset = "ours"
seeds = [1]

[features.array]
name = "flat"

[split.listed]
column = "set"

[model.forest]
n_trees = 5
min_samples_leaf = 1
"#;

const N: usize = 61;

/// A project with 61 rows of 61 tracks in two genres; the genre is the sign of a row's numbers. The
/// first track has a NaN in one array, and the last one is in no set.
fn project() -> tempfile::TempDir {
    let home = common::project();
    fs::write(home.path().join("datasets/ours.toml"), MANIFEST).unwrap();
    fs::write(home.path().join("experiments/ours.toml"), SPEC).unwrap();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    let mut table = "row,track,genre,published,artist\n".to_owned();
    for row in 0..N {
        let set = match row {
            60 => "",
            _ => ["train", "valid", "test"][row % 3],
        };
        writeln!(table, "{row},t{row:02},{},{set},a{}", ["x", "y"][row % 2], row / 4).unwrap();
    }
    fs::write(data.join("tracks.csv"), table).unwrap();
    let number = |i: usize, width: usize| {
        let (row, column) = (i / width, i % width);
        let sign = if row.is_multiple_of(2) { -1.0 } else { 1.0 };
        if i == 0 { f32::NAN } else { sign * (1.0 + column as f32 + row as f32 / 64.0) }
    };
    let wide: Vec<u8> = (0..N * 6).flat_map(|i| number(i + 1, 6).to_le_bytes()).collect();
    fs::write(data.join("wide.npy"), npy("<f4", "(61, 2, 3)", &wide)).unwrap();
    let flat: Vec<u8> = (0..N * 4).flat_map(|i| number(i, 4).to_le_bytes()).collect();
    fs::write(data.join("flat.npy"), npy("<f4", "(61, 4)", &flat)).unwrap();
    home
}

fn npy(dtype: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).unwrap().to_le_bytes();
    [b"\x93NUMPY\x01\x00".as_slice(), &length, header.as_bytes(), numbers].concat()
}

fn notes(record: &serde_json::Value) -> Vec<&str> {
    let notes = record["model"]["notes"].as_array().unwrap();
    notes.iter().map(|note| note.as_str().unwrap()).collect()
}

#[test]
fn arrays_are_imported_described_and_trained_on_and_a_change_is_noticed() {
    let home = project();
    let home = home.path();
    assert!(fails(home, &["run", "ours"], 3).contains("encore data import ours PATH"));
    let said = ok(home, &["data", "import", "ours", "data"]);
    assert!(
        said.contains("1 rows of flat contain numbers that are not finite")
            && said.contains("row 0 (t00)"),
        "{said}"
    );
    let said = ok(home, &["data", "describe", "ours"]);
    for words in [
        "columns     artist, set",
        "flat: [4] per row",
        "wide: [3, 2] per row",
        "61 rows in 2 classes",
    ] {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    assert!(ok(home, &["data", "list"]).contains("arrays"));
    assert!(ok(home, &["data", "check", "ours"]).contains("ours has not changed"));

    let words = ok(home, &["run", "ours"]);
    let flat = record(home, &words);
    assert_eq!(flat["data"]["n_examples"], 60);
    assert_eq!(
        flat["data"]["excluded"][0]["reason"],
        "row 0 of flat.npy contains NaN at position 0"
    );
    assert_eq!((&flat["split"]["n_train"], &flat["split"]["n_test"]), (&19.into(), &20.into()));
    assert_eq!(flat["split"]["protocol"], "as published (set)");
    assert_eq!(flat["test"]["accuracy"], 1.0);
    assert!(notes(&flat).contains(&"1 tracks are in no set of set and are not used"));
    let wide = record(home, &ok(home, &["run", "ours", "--set", "features.array.name=\"wide\""]));
    assert_eq!(wide["data"]["shape"], serde_json::json!([3, 2]));
    assert_eq!(wide["data"]["n_examples"], 61);

    let mut bytes = fs::read(home.join("data/wide.npy")).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    fs::write(home.join("data/wide.npy"), bytes).unwrap();
    assert!(
        fails(home, &["data", "check", "ours"], 3)
            .contains("has changed since its import: wide.npy")
    );
    // The unchanged array still gives the existing run.
    let again = encore(home, &["run", "ours"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("already done"));
}

#[test]
fn a_faulty_copy_is_named_with_what_was_allowed() {
    let home = project();
    let home = home.path();
    let table = fs::read_to_string(home.join("data/tracks.csv")).unwrap();
    for (from, to, words) in [
        ("1,t01,y", "x,t01,y", "row must be a whole number, found \"x\""),
        ("1,t01,y", "2,t01,y", "row 2 is listed twice"),
        ("1,t01,y", "70,t01,y", "has 61 rows, and the table names row 70"),
        ("1,t01,y", "1,t00,y", "t00 is both x and y"),
        ("row,track", "line,track", "the column row is missing"),
    ] {
        fs::write(home.join("data/tracks.csv"), table.replacen(from, to, 1)).unwrap();
        let said = fails(home, &["data", "import", "ours", "data"], 3);
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    fs::write(home.join("data/tracks.csv"), &table).unwrap();
    fs::write(home.join("data/flat.npy"), npy("<f4", "(61, 1)", &[0; 244])).unwrap();
    let said = fails(home, &["data", "import", "ours", "data"], 3);
    assert!(
        said.contains("expected rows of shape [4] (flat in the manifest), found [1]"),
        "{said}"
    );
}

#[test]
fn folds_and_groups_of_a_column_become_runs_and_their_mean() {
    let home = project();
    let home = home.path();
    ok(home, &["data", "import", "ours", "data"]);
    let folds = SPEC.replace("seeds = [1]\n", "").replace(
        "[split.listed]\ncolumn = \"set\"",
        "[split.k_fold]\nk = 3\nrepeats = 2\nby = \"group\"\ngroup = \"artist\"\nstratify = true\nvalid = 0.0",
    );
    fs::write(home.join("experiments/folds.toml"), &folds).unwrap();
    let words = ok(home, &["run", "folds"]);
    let runs: Vec<&str> = words.lines().filter(|line| line.starts_with("reports/runs/")).collect();
    assert_eq!(runs.len(), 6);
    let mut tested = vec![];
    for (i, run) in runs.iter().enumerate() {
        let split = fs::read_to_string(home.join(run).join("split.csv")).unwrap();
        let test = split.lines().filter(|line| line.ends_with(",test"));
        if i < 3 {
            tested.extend(test.map(str::to_owned));
        }
        let record = record(home, run);
        let note = format!("fold {} of 3, repetition {}", i % 3 + 1, i / 3 + 1);
        assert!(notes(&record).contains(&note.as_str()), "{record}");
        assert_eq!(
            record["split"]["protocol"],
            "3 folds by group (artist), stratified, no validation set"
        );
    }
    tested.sort();
    tested.dedup();
    assert_eq!(tested.len(), 60, "every example is scored once a repetition");
    // More repetitions are new runs, and the existing ones are found.
    fs::write(home.join("experiments/folds.toml"), folds.replace("repeats = 2", "repeats = 1"))
        .unwrap();
    let output = encore(home, &["run", "folds"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("already done").count(), 3, "{said}");
    let with_seeds = format!("seeds = [1]\n{folds}");
    fs::write(home.join("experiments/folds.toml"), with_seeds).unwrap();
    assert!(fails(home, &["run", "folds"], 2).contains("seeds cannot be used with split.k_fold"));
}

#[test]
fn what_a_dataset_lacks_is_said_before_anything_runs() {
    let home = project();
    let home = home.path();
    ok(home, &["data", "import", "ours", "data"]);
    let spec = home.join("experiments/ours.toml");
    fs::write(&spec, SPEC.replace("\"set\"", "\"sets\"")).unwrap();
    assert!(fails(home, &["check"], 2).contains(
        "experiments/ours.toml:10: split names a column (listed.column), but dataset ours has \
         no column `sets` among its track columns; did you mean `set`?"
    ));
    fs::write(&spec, SPEC.replace("name = \"flat\"", "name = \"flatt\"")).unwrap();
    assert!(fails(home, &["check"], 2).contains("found \"flatt\", did you mean `flat`?"));
    fs::write(&spec, SPEC).unwrap();
    // The stand-in for GTZAN is generated music, without artists or published sets.
    let ours = common::repository();
    for name in ["forest-filtered", "cnn-3-folds"] {
        let from = ours.join(format!("experiments/honest/{name}.toml"));
        fs::copy(from, home.join(format!("experiments/{name}.toml"))).unwrap();
    }
    ok(home, &["check"]);
    let said = fails(home, &["run", "forest-filtered", "--seeds", "1"], 3);
    assert!(
        said.contains(
            "the split needs the column `filtered` of gtzan, but synth-genres has no such column"
        ),
        "{said}"
    );
    let said = fails(home, &["run", "cnn-3-folds", "--data", "ours"], 2);
    assert!(said.contains("dataset ours is arrays, but the experiment needs audio"), "{said}");
}

#[test]
fn statistics_over_the_frames_of_an_array_train_a_model() {
    let home = project();
    let home = home.path();
    ok(home, &["data", "import", "ours", "data"]);
    let spec = home.join("experiments/ours.toml");
    let of = |features: &str| {
        SPEC.replace(
            "[features.array]\nname = \"flat\"\n",
            &format!("[features.band_statistics]\n{features}"),
        )
    };
    let features = "array = \"wide\"\nframe_rate = 12.0\n";
    fs::write(&spec, of(features)).unwrap();
    let first = record(home, &ok(home, &["run", "ours"]));
    // Six statistics of two bands, among them one correlation and seven rates, and four of two MFCCs.
    assert_eq!(first["spec"]["features"]["band_statistics"]["n_groups"], 2);
    assert_eq!(first["data"]["shape"], serde_json::json!([4 * 2 + 1 + 2 * 7 + 4 * 2]), "{first}");
    assert_eq!(first["test"]["accuracy"], 1.0, "{first}");
    // Other settings are other features, and so another run.
    fs::write(&spec, of(&format!("{features}mfcc = [\"mean\"]\n"))).unwrap();
    let second = record(home, &ok(home, &["run", "ours"]));
    assert_ne!(second["data"]["features_hash"], first["data"]["features_hash"]);

    let said = |features: &str| {
        fs::write(&spec, of(features)).unwrap();
        fails(home, &["check"], 2)
    };
    let missing = said("");
    assert!(missing.contains("array is missing; expected `wide` or `flat`"), "{missing}");
    assert!(missing.contains("frame_rate is missing; expected the number of frames"), "{missing}");
    let flat = said("array = \"flat\"\nframe_rate = 12.0\n");
    assert!(flat.contains("must be an array of frames by bands, found `flat`"), "{flat}");
    let slow = said("array = \"wide\"\nframe_rate = 11.0\n");
    assert!(slow.contains("from 0 to half the frame rate (5.5000)"), "{slow}");
    let unknown = said("array = \"wider\"\nframe_rate = 12.0\n");
    assert!(unknown.contains("found \"wider\", did you mean `wide`?"), "{unknown}");
    let audio = said("array = \"wide\"\nframe_rate = 12.0\nn_mels = 2\n");
    assert!(audio.contains("n_mels is an unknown key"), "{audio}");
}
