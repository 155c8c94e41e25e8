//! Tables with data-quality problems as a user sees them: import, run, record and model.

use crate::common;
use std::fs;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
    [table]\nid = [\"id\"]\nn_rows = 121\nmissing = { tempo = [\"?\"] }\n\
    [table.track_columns]\nset = \"set\"\n[table.label]\ncolumn = \"genre\"\n\
    [table.columns]\ntempo = \"tempo\"\nkey = \"key\"\nenergy = \"energy\"\n";

const SPEC: &str = "title = \"t\"\nquestion = \"q\"\ndataset = \"dirty\"\nseeds = [1]\n\
    [features.table]\ncolumns = [\"tempo\", \"key\", \"energy\"]\n\
    [classes]\nminimum_rows = 10\n\
    [split.listed]\ncolumn = \"set\"\n\
    [model.logistic]\npenalty = \"l2\"\nmax_iterations = 1000\n";

const PREPROCESS: &str = "[preprocess]\nimpute = \"median\"\nindicator = [\"tempo\"]\n\
    one_hot = { key = 3 }\nstandardize = true\n";

/// Creates 120 songs of two genres and one of a third. Every tenth tempo is missing, and key 2 is
/// in the test set only. `test` changes numbers of the rows outside the training set.
fn table(test: f64) -> String {
    let mut text = "\u{FEFF}id,genre,set,tempo,key,energy\r\n".to_owned();
    for i in 0..120_u32 {
        let set = ["train", "train", "test", "valid"][i as usize % 4];
        let (is_train, genre) = (set == "train", i / 4 % 2);
        let noise = f64::from(i * 7919 % 101) / 101.0 + if is_train { 0.0 } else { test };
        let tempo = if i % 10 == 3 { "?".to_owned() } else { (90.0 + noise * 40.0).to_string() };
        let key = if set == "test" { 2 } else { i % 2 };
        let energy = f64::from(genre) + noise;
        text += &format!("song {i},\"genre {genre}\",{set},{tempo},{key},{energy}\r\n");
    }
    text + "rare,genre 2,train,100,0,0.5\r\n"
}

struct Home(tempfile::TempDir);

impl Home {
    fn new(manifest: &str, spec: &str, table: &str) -> Self {
        let home = common::project();
        fs::write(home.path().join("datasets/dirty.toml"), manifest).unwrap();
        fs::write(home.path().join("experiments/dirty.toml"), spec).unwrap();
        fs::write(home.path().join("dirty.csv"), table).unwrap();
        Self(home)
    }

    fn ok(&self, arguments: &[&str]) -> String {
        common::stdout_of(self.0.path(), arguments)
    }

    fn said(&self, arguments: &[&str], code: i32) -> String {
        common::fails(self.0.path(), arguments, code)
    }

    fn run(&self) -> (PathBuf, serde_json::Value) {
        self.ok(&["data", "import", "dirty", "dirty.csv"]);
        self.ok(&["run", "dirty"]);
        let runs = common::runs(self.0.path());
        let [folder] = &runs[..] else { panic!("one run was asked for: {runs:?}") };
        (folder.clone(), common::record(folder))
    }
}

fn excluded(record: &serde_json::Value) -> Vec<String> {
    let of = |out: &serde_json::Value| {
        format!("{} {}", out["name"].as_str().unwrap(), out["reason"].as_str().unwrap())
    };
    record["data"]["excluded"].as_array().unwrap().iter().map(of).collect()
}

fn model_files(folder: &Path) -> Vec<Vec<u8>> {
    ["preprocess.json", "logistic.json"]
        .map(|name| fs::read(folder.join("model").join(name)).unwrap())
        .to_vec()
}

#[test]
fn rows_with_missing_numbers_and_rare_classes_are_dropped_and_counted() {
    let home = Home::new(MANIFEST, SPEC, &table(0.0));
    let said = home.ok(&["data", "import", "dirty", "dirty.csv"]);
    assert!(said.contains("note: 12 rows have no number in tempo"), "{said}");
    let (_, record) = home.run();
    assert_eq!(
        excluded(&record),
        [
            "12 of 121 rows have no number in tempo",
            "1 of 121 rows belong to a class with fewer than 10 rows"
        ]
    );
    assert_eq!(record["data"]["n_examples"], 108);
    assert_eq!(record["data"]["classes"], serde_json::json!(["genre 0", "genre 1"]));
}

#[test]
fn imputed_rows_stay_and_the_record_counts_them_and_a_repetition_comes_to_the_same_bits() {
    let home = Home::new(MANIFEST, &format!("{SPEC}{PREPROCESS}"), &table(0.0));
    let (folder, record) = home.run();
    assert_eq!(excluded(&record), ["1 of 121 rows belong to a class with fewer than 10 rows"]);
    assert_eq!(record["data"]["n_examples"], 120);
    let notes: Vec<&str> = record["model"]["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect();
    let imputed = "tempo was missing in 6 train rows, 6 valid rows and imputed by ";
    assert!(notes.iter().any(|note| note.starts_with(imputed)), "{notes:?}");
    assert!(
        notes.contains(
            &"30 test rows have a level of key that no training row has; it is encoded as zeros"
        ),
        "{notes:?}"
    );
    // Two numbers, three keys, and whether the tempo was imputed.
    let model: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("model/logistic.json")).unwrap()).unwrap();
    assert_eq!(model["shape"], serde_json::json!([6]));
    let id = folder.file_name().unwrap().to_str().unwrap();
    assert_eq!(home.ok(&["verify", id]).matches("bit-identical").count(), 3);
}

#[test]
fn rows_that_are_not_trained_on_change_nothing_that_is_fitted() {
    let spec = format!("{SPEC}{PREPROCESS}");
    let fitted = [0.0, 1000.0].map(|test| {
        let (folder, record) = Home::new(MANIFEST, &spec, &table(test)).run_files();
        (folder, record["outputs"]["predictions"].clone())
    });
    assert_eq!(fitted[0].0, fitted[1].0, "the model's files");
    assert_ne!(fitted[0].1, fitted[1].1, "the test rows are other rows");
}

impl Home {
    fn run_files(&self) -> (Vec<Vec<u8>>, serde_json::Value) {
        let (folder, record) = self.run();
        (model_files(&folder), record)
    }
}

#[test]
fn every_kind_of_dirt_has_its_message() {
    let import = ["data", "import", "dirty", "dirty.csv"];
    let said = |manifest: &str, table: &str| Home::new(manifest, SPEC, table).said(&import, 3);
    let whole = table(0.0);
    let plain = MANIFEST.replace("missing = { tempo = [\"?\"] }\n", "");
    let error = said(&plain, &whole);
    assert!(
        error.contains("dirty.csv: 12 cells are not numbers: line 5, tempo: \"?\"; "),
        "{error}"
    );
    let error =
        said(MANIFEST, &whole.replacen("tempo", "Tempo (BPM)", 1).replacen("energy", "Energy", 1));
    assert!(
        error.contains(
            "the columns energy, tempo are missing, energy may be \"Energy\", tempo may be \"Tempo (BPM)\""
        ),
        "{error}"
    );
    let error = said(MANIFEST, &whole.replacen("song 1,", "song 1,,", 1));
    assert!(
        error.contains("1 row does not have the 6 cells of the header: line 3 has 7"),
        "{error}"
    );
    let ranged = format!("{MANIFEST}[table.range]\nenergy = [0.0, 1.9]\n");
    let error = said(&ranged, &whole);
    assert!(error.contains("energy: \"1.9") && error.contains("is not in [0, 1.9]"), "{error}");
    let home = Home::new(MANIFEST, SPEC, "");
    fs::write(
        home.0.path().join("dirty.csv"),
        b"id,genre,set,tempo,key,energy\n1,Fran\xE7ais,train,1,1,1\n",
    )
    .unwrap();
    let error = home.said(&import, 3);
    assert!(error.contains("line 2 holds the byte 0xE7, which is not UTF-8"), "{error}");
}

#[test]
fn line_breaks_and_quotes_in_ids_and_labels_make_a_run_that_every_command_reads() {
    let mut text = "id,genre,set,tempo,key,energy\n".to_owned();
    for i in 0..120_u32 {
        let set = ["train", "train", "test", "valid"][i as usize % 4];
        let (genre, energy) = (i / 4 % 2, f64::from(i / 4 % 2) + f64::from(i % 7) / 10.0);
        text += &format!(
            "\"song {i}\nline two, \"\"live\"\"\",\"genre\n{genre}, \"\"x\"\"\",{set},100,0,{energy}\n"
        );
    }
    let home = Home::new(MANIFEST, SPEC, &text);
    let (folder, record) = home.run();
    assert_eq!(record["data"]["classes"].as_array().unwrap().len(), 2, "{}", record["data"]);
    let id = folder.file_name().unwrap().to_str().unwrap();
    home.ok(&["verify", id]);
    home.ok(&["report"]);
    home.ok(&["claims"]);
    home.ok(&["list"]);
    home.ok(&["capsule", "dirty", "-o", "dirty.tar.zst"]);
    home.ok(&["verify", "dirty.tar.zst"]);
}
