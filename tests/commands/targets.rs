//! Programs that tell tags or a number.

use std::fmt::Write;
use std::fs;

use super::{Place, SPEC};
use crate::common;

/// More of the prelude: `one` begins an array `[n]`; `file` names what the program writes.
const ONE: &str = "one() { printf '\\223NUMPY\\001\\000\\166\\000'; \
    printf '%-117s\\n' \"{'descr': '<f4', 'fortran_order': False, 'shape': ($1,), }\"; }\n";

/// The number is 1.
const ONES: &str = "'\\000\\000\\200\\077'";

/// A place whose table has a number, `liked`, and two tags, which a program is to tell.
fn place(target: &str, body: &str) -> Place {
    let place = Place::new("");
    let mut table = "id,energy,tempo,liked,loud,quiet\n".to_owned();
    for i in 0..80_usize {
        let energy = (i * 37 % 10) as f64 / 10.0;
        let (loud, quiet) = (u8::from(energy > 0.4), u8::from(energy < 0.3));
        writeln!(table, "s{i},{energy},{},{},{loud},{quiet}", 100 + i % 7, energy * 2.0).unwrap();
    }
    fs::write(place.data.join("songs.csv"), table).unwrap();
    let manifest = "[table]\nid = [\"id\"]\n[table.columns]\nenergy = \"energy\"\n\
                    tempo = \"tempo\"\nliked = \"liked\"\nloud = \"loud\"\nquiet = \"quiet\"\n";
    fs::write(place.project.join("datasets/songs.toml"), manifest).unwrap();
    let spec = SPEC
        .replace("\"mine\"", "\"songs\"")
        .replace("stratify = true", "stratify = false")
        .replace("[features.table]", &format!("[target]\n{target}\n\n[features.table]"));
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    place.ok(&["data", "import", "songs", place.data.join("songs.csv").to_str().unwrap()]);
    program(&place, body);
    place
}

fn program(place: &Place, body: &str) {
    place.program(&format!("{ONE}{body}"));
}

/// What the program printed: `job.json`, and all of it.
fn told(run: &std::path::Path) -> (serde_json::Value, Vec<String>) {
    let log = Place::log(run);
    let job = log.iter().find(|line| line.starts_with('{')).expect("it printed its job");
    (serde_json::from_str(job).unwrap(), log)
}

/// Prints the job, the heads of the tables and that of the training targets. `head` is another function here.
const SHOW: &str = "cat job.json\nif [ -e train.csv ]; then\n\
    for set in train valid test; do sed 1q $set.csv; done\n\
    dd bs=100 count=1 < train_labels.npy 2>/dev/null | LC_ALL=C tr -dc '[:print:]'; echo; fi\n";

#[test]
fn a_number_is_told_recorded_and_predicted() {
    let body = format!("{SHOW}mkdir -p model; {{ one $n; rows $n {ONES}; }} > predictions.npy");
    let place = place("number = \"liked\"", &body);
    let run = place.run();
    let (job, log) = told(&run);
    assert_eq!(
        (&job["target"], &job["classes"]),
        (&"number".into(), &serde_json::json!(["liked"]))
    );
    assert_eq!(job["outputs"]["predictions"], "predictions.npy");
    assert_eq!(job["outputs"]["valid_predictions"], "valid_predictions.npy");
    assert!(job["outputs"]["probabilities"].is_null(), "{job}");
    assert!(job["limits"]["row_sum_tolerance"].is_null(), "{job}");
    assert_eq!(log.iter().filter(|line| *line == "energy,tempo,liked").count(), 2, "{log:?}");
    assert!(log.contains(&"energy,tempo".to_owned()), "{log:?}");
    let n = job["train"]["n"].as_u64().unwrap();
    let head = log.iter().find(|line| line.contains("NUMPY")).unwrap();
    assert!(head.contains("'<f4'") && head.contains(&format!("({n},)")), "{head}");
    // The mean of `liked` is 0.9, and every prediction is 1.
    let record = common::record(&run);
    let mae = record["test"]["mae"].as_f64().unwrap();
    assert!((0.4..0.6).contains(&mae), "{}", record["test"]);
    // It is repeated, and predicts rows that it never saw.
    let id = run.file_name().unwrap().to_str().unwrap();
    let said = common::stdout(&place.ok(&["verify", id]));
    assert_eq!(said.matches("bit-identical").count(), 3, "{said}");
    fs::write(place.project.join("new.csv"), "id,energy,tempo\na,0.9,100\nb,0.0,101\n").unwrap();
    let said = common::stdout(&place.ok(&["predict", "new.csv", "--with", "try"]));
    assert!(said.contains("a,1") && said.contains("b,1"), "{said}");

    for (body, wanted) in [
        (
            "{ head $n 2; rows $n \"$first\"; } > probabilities.npy",
            "without writing predictions.npy",
        ),
        (
            "{ head $n 1; rows $n '\\000\\000\\200\\077'; } > predictions.npy",
            "predictions.npy must have the shape [24] (test examples), found [24, 1]",
        ),
        (
            "{ one $n; rows $n '\\000\\000\\300\\177'; } > predictions.npy",
            "predictions.npy contains NaN in row 0 (counted from 0); every prediction must be a finite",
        ),
    ] {
        program(&place, body);
        let said = place.fails(&["run", "try", "--trust"], 1);
        assert!(said.contains(wanted), "{body}\nexpected: {wanted}\nfound: {said}");
    }
}

#[test]
fn tags_are_told_recorded_and_predicted() {
    // Both tags are certain, so that rows sum to 2.
    let all = "'\\000\\000\\200\\077\\000\\000\\200\\077'";
    let body = format!("{SHOW}mkdir -p model; {{ head $n 2; rows $n {all}; }} > probabilities.npy");
    let place = place("tags = [\"loud\", \"quiet\"]", &body);
    let run = place.run();
    let (job, log) = told(&run);
    assert_eq!(job["target"], "tags");
    assert_eq!(job["classes"], serde_json::json!(["loud", "quiet"]));
    assert_eq!(job["outputs"]["probabilities"], "probabilities.npy");
    assert_eq!(log.iter().filter(|line| *line == "energy,tempo,loud,quiet").count(), 2, "{log:?}");
    assert!(log.contains(&"energy,tempo".to_owned()), "{log:?}");
    let n = job["train"]["n"].as_u64().unwrap();
    let head = log.iter().find(|line| line.contains("NUMPY")).unwrap();
    assert!(head.contains("'<f4'") && head.contains(&format!("({n}, 2)")), "{head}");
    let record = common::record(&run);
    // The same for all examples says nothing.
    let roc_auc = record["test"]["roc_auc"].as_f64().unwrap();
    assert!((roc_auc - 0.5).abs() < 1e-9, "{}", record["test"]);
    fs::write(place.project.join("new.csv"), "id,energy,tempo\na,0.9,100\nb,0.0,101\n").unwrap();
    let said = common::stdout(&place.ok(&["predict", "new.csv", "--with", "try"]));
    assert!(said.contains("loud") && said.contains("quiet"), "{said}");

    for (body, wanted) in [
        (
            "{ head $n 1; rows $n '\\000\\000\\200\\077'; } > probabilities.npy",
            "probabilities.npy must have the shape [24, 2] (test examples, tags), found [24, 1]",
        ),
        (
            "{ head $n 2; rows $n '\\000\\000\\000\\300\\000\\000\\000\\000'; } > probabilities.npy",
            "contains -2 in row 0, column 0 (counted from 0); every probability must be in [0, 1]\n\
             hint: logits need a sigmoid",
        ),
    ] {
        program(&place, body);
        let said = place.fails(&["run", "try", "--trust"], 1);
        assert!(said.contains(wanted), "{body}\nexpected: {wanted}\nfound: {said}");
    }
}
