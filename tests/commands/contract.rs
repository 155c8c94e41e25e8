//! What a program gets, and what becomes of what it writes.

use std::fs;

use super::{Place, SPEC};
use crate::common;

#[test]
fn a_program_is_run_recorded_verified_and_predicts() {
    let place = Place::new("");
    let program = fs::read_to_string(common::repository().join("examples/commands/centroid.sh"));
    let text = program.unwrap()
        + "\nls; cat job.json; head -n 2 *.csv; mkdir -p model/deep; echo x > model/deep/file\n";
    fs::write(place.project.join("models/program.sh"), text).unwrap();
    let spec = SPEC.replace(
        "timeout",
        "environment = [\"echo\", \"tools 1.0\"]\nsettings = { a = 1 }\ntimeout",
    );
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let run = place.run();
    let record = common::record(&run);
    let accuracy = record["test"]["accuracy"].as_f64().unwrap();
    assert!(accuracy > 0.7, "pop has more energy than rock: {accuracy}");
    assert!(record.get("train").is_none(), "a program is not asked for it");
    assert_eq!(record["model"]["name"], "command");
    let hashes = &record["spec"]["model"]["command"]["sha256"];
    assert_eq!(hashes["models/program.sh"].as_str().unwrap().len(), 64);
    for file in ["log.txt", "environment.txt", "model/means.csv", "model/deep/file"] {
        assert!(record["files"][file].is_string() && run.join(file).is_file(), "{file}");
    }
    assert_eq!(fs::read_to_string(run.join("environment.txt")).unwrap(), "tools 1.0\n");
    assert!(!run.join("job").exists() && !run.join("checkpoint-1").exists());

    // It gets everything but the labels of the test set.
    let log = Place::log(&run);
    let files: Vec<&str> =
        log.iter().map(String::as_str).take_while(|line| !line.starts_with('{')).collect();
    let wanted = [
        "checkpoint",
        "job.json",
        "model",
        "probabilities.npy",
        "test.csv",
        "tmp",
        "train.csv",
        "train_labels.npy",
        "valid.csv",
        "valid_labels.npy",
    ];
    assert_eq!(files, wanted);
    let job: serde_json::Value =
        serde_json::from_str(log.iter().find(|line| line.starts_with('{')).unwrap()).unwrap();
    assert_eq!(job["task"], "fit");
    assert_eq!(job["seed"], 1);
    assert_eq!(job["classes"], serde_json::json!(["pop", "rock"]));
    assert_eq!(job["columns"], serde_json::json!(["energy", "tempo"]));
    assert_eq!(job["test"], serde_json::json!({"n": 24, "table": "test.csv"}));
    assert_eq!(job["train"]["labels"], "train_labels.npy");
    assert_eq!((&job["settings"]["a"], &job["timeout_s"]), (&1.into(), &300.0.into()));
    assert!(log.contains(&"energy,tempo,label".to_owned()), "{log:?}");
    assert!(log.contains(&"energy,tempo".to_owned()), "{log:?}");

    // It is repeated bit by bit, and shown as any other.
    let id = run.file_name().unwrap().to_str().unwrap();
    let said = common::stdout(&place.ok(&["verify", id]));
    assert_eq!(said.matches("bit-identical").count(), 3, "{said}");
    place.ok(&["report"]);
    let page = fs::read_to_string(place.project.join("reports/README.md")).unwrap();
    assert!(page.contains("A program"), "{page}");
    let said = common::stdout(&place.ok(&["run", "try"]));
    assert!(said.contains("try"), "{said}");

    // It predicts rows that it never saw.
    fs::write(place.project.join("new.csv"), "id,energy,tempo\na,0.9,100\nb,0.05,101\n").unwrap();
    let said = common::stdout(&place.ok(&["predict", "new.csv", "--with", "try"]));
    assert!(said.contains("a,pop") && said.contains("b,rock"), "{said}");

    // A capsule never starts it.
    place.ok(&["capsule", "try", "--out", "try.tar.zst"]);
    place.program("exit 7");
    let said = common::stdout(&place.ok(&["verify", "try.tar.zst"]));
    assert!(said.contains("every byte verified"), "{said}");
}

#[test]
fn other_bits_with_equal_scores_are_told_apart_from_other_scores() {
    // The probability of the second class is 1e-9, in a repetition 2e-9.
    let body = |again: &str| {
        format!(
            "once() {{ rows $n '\\000\\000\\200\\077\\137\\160\\211\\060'; }}\n\
             case $ENCORE_JOB in *verify*) once() {{ {again}; }};; esac\n\
             {{ head $n 2; once; }} > probabilities.npy"
        )
    };
    let place = Place::new(&body("rows $n '\\000\\000\\200\\077\\137\\160\\011\\061'"));
    let run = place.run();
    let id = run.file_name().unwrap().to_str().unwrap();
    let said = common::stdout(&place.ok(&["verify", id]));
    assert!(said.contains("predictions  DIFFERENT") && said.contains("model        bit"), "{said}");
    assert!(said.contains("equal within 0.01: the largest difference is 0.000000"), "{said}");
    assert!(said.contains("the bits differ, which is up to the program"), "{said}");
    let told = common::stdout(&place.ok(&["verify", id, "--json"]));
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["data"]["identical"]["predictions"], false);
    assert_eq!(told["data"]["score_difference"], 0.0);

    // Another class for half of the examples.
    place.program(&body("rows 12 \"$first\"; rows 12 '\\000\\000\\000\\000\\000\\000\\200\\077'"));
    place.ok(&["run", "try"]);
    let other = common::runs(&place.project).into_iter().find(|it| *it != run).unwrap();
    let id = other.file_name().unwrap().to_str().unwrap();
    let said = place.fails(&["verify", id], 4);
    assert!(said.contains("differs"), "{said}");
}

#[test]
fn the_files_of_a_program_are_part_of_the_runs_identity() {
    let place = Place::new("answer");
    let before = place.run();
    place.program("answer # changed");
    let said = common::stdout(&place.ok(&["run", "try", "--why"]));
    assert!(
        said.contains("to repeat")
            && said.contains("spec: model.command.sha256.models/program.sh: "),
        "{said}"
    );
    let id = before.file_name().unwrap().to_str().unwrap();
    let said = place.fails(&["verify", id], 3);
    assert!(
        said.contains("the program has changed since") && said.contains("models/program.sh"),
        "{said}"
    );
    place.ok(&["run", "try"]);
    assert_eq!(common::runs(&place.project).len(), 2);
    let said = common::stdout(&place.ok(&["list"]));
    assert_eq!(said.matches("try").count(), 1, "the older run is of another version: {said}");
    // Neither the time that it may take nor the description of the environment decides a result.
    let spec = SPEC.replace("5m", "6m") + "environment = [\"true\"]\n";
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let said = common::stdout(&place.ok(&["run", "try", "--why"]));
    assert!(said.contains("try on mine seed 1: done"), "{said}");
    // A pattern without a file is a fault, found before anything runs.
    let spec = SPEC.replace("models/*.sh", "models/*.py");
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let said = place.fails(&["check"], 2);
    assert!(said.contains("model.command.files: `models/*.py` matches no file in "), "{said}");
    let spec = SPEC.replace("\"table\"\n", "\"paths\"\n");
    fs::write(place.project.join("experiments/try.toml"), spec).unwrap();
    let said = place.fails(&["check"], 2);
    assert!(
        said.contains(
            "model.command.input is `paths`, which needs audio, but the dataset is a table"
        ),
        "{said}"
    );
}

#[test]
fn the_order_of_test_examples_says_nothing() {
    let place = Place::new("answer; tail -n +2 test.csv");
    let run = place.run();
    let seen: Vec<String> = Place::log(&run);
    let table = fs::read_to_string(place.data.join("mine.csv")).unwrap();
    let numbers = |id: &str| {
        let line = table.lines().find(|line| line.split(',').next() == Some(id)).unwrap();
        line.split(',').skip(2).collect::<Vec<_>>().join(",")
    };
    let split = fs::read_to_string(run.join("split.csv")).unwrap();
    let of_split: Vec<String> = split
        .lines()
        .filter(|line| line.ends_with(",test"))
        .map(|line| numbers(line.split(',').next().unwrap()))
        .collect();
    assert_eq!(seen.len(), of_split.len());
    assert_ne!(seen, of_split);
    let sorted = |rows: &[String]| {
        let mut rows = rows.to_vec();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&seen), sorted(&of_split), "they are the same examples");
}

#[test]
fn a_program_is_started_only_after_it_was_permitted() {
    let place = Place::new("answer");
    let said = place.fails(&["run", "try"], 2);
    assert!(
        said.contains("the spec `try` starts the program `sh models/program.sh`, and the project ")
            && said.contains("is not trusted yet\nhint: ")
            && said.contains("--trust"),
        "{said}"
    );
    assert!(!place.project.join("reports").exists(), "nothing was started");
    let said = place.fails(&["reproduce", "--only", "try"], 2);
    assert!(said.contains("is not trusted yet"), "{said}");
    // The variable is for one command, the flag for the project.
    let output = place.command(&["run", "try"]).env("ENCORE_TRUST", "1").output().unwrap();
    assert!(output.status.success(), "{}", common::stderr(&output));
    let run = common::runs(&place.project).remove(0);
    let id = run.file_name().unwrap().to_str().unwrap();
    let said = place.fails(&["verify", id], 2);
    assert!(said.contains("is not trusted yet"), "{said}");
    fs::write(place.project.join("new.csv"), "id,energy,tempo\na,0.9,100\n").unwrap();
    let said = place.fails(&["predict", "new.csv", "--with", "try"], 2);
    assert!(said.contains("is not trusted yet"), "{said}");
    place.ok(&["verify", id, "--trust"]);
    place.ok(&["verify", id]);
    let kept = place.home.join(".local/state/encore/trusted.json");
    assert!(fs::read_to_string(kept).unwrap().contains("project"));
    // What a copy of the project brings along is no permission.
    let copy = place.project.with_file_name("copy");
    let copied = std::process::Command::new("cp").arg("-r").args([&place.project, &copy]).status();
    assert!(copied.unwrap().success());
    let output = place.command(&["--project", copy.to_str().unwrap(), "verify", id]).output();
    let said = common::stderr(&output.unwrap());
    assert!(said.contains("is not trusted yet"), "{said}");
}

#[test]
fn epochs_feed_the_curves_and_what_cannot_be_read_is_noted() {
    let place = Place::new(
        "for e in 1 2 3; do echo \"{\\\"epoch\\\": $e, \\\"train_loss\\\": 0.$e}\" >> epochs.jsonl; done\n\
         echo 'not json' >> epochs.jsonl\n\
         echo '{\"epoch\": 2, \"train_loss\": 0.7, \"valid_accuracy\": 0.5}' >> epochs.jsonl\n\
         { head $(($(wc -l < valid.csv) - 1)) 2; rows $(($(wc -l < valid.csv) - 1)) \"$first\"; } > valid_probabilities.npy\n\
         answer",
    );
    let run = place.run();
    let record = common::record(&run);
    // The second epoch 2 replaces the first, and what came after it.
    assert_eq!(record["model"]["n_epochs"], 2);
    let lines = fs::read_to_string(run.join("epochs.jsonl")).unwrap();
    let epochs: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((epochs.len(), &epochs[1]["train_loss"]), (2, &0.7.into()));
    assert!(epochs[0]["valid_loss"].is_null());
    let notes = record["model"]["notes"].to_string();
    assert!(
        notes.contains("1 line of epochs.jsonl can't be used, the first is line 4: "),
        "{notes}"
    );
    assert!(record["valid"]["accuracy"].as_f64().unwrap() > 0.3, "{}", record["valid"]);
    place.ok(&["report"]);
}
