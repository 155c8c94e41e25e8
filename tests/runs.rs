//! Runs are queried, tagged, archived, removed and deleted.

use std::fs;
use std::path::Path;
use std::process::Command;

use encore::disk::unique_name;
use serde_json::{Value, json};

use crate::common::{edit, encore, fails, ok, project, record, runs, stderr, stdout, stdout_of};

/// A project with a small table and four finished runs: two experiments, seeds 1 and 2.
fn with_runs() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    ok(home.path(), &["run", "spotify-logistic", "baseline-spotify", "--seeds", "1,2"]);
    home
}

/// The ids that a query finds, in its order.
fn found(home: &Path, arguments: &[&str]) -> Vec<String> {
    let all = [&["runs", "--columns", "id", "--csv"], arguments].concat();
    stdout_of(home, &all).lines().skip(1).map(str::to_owned).collect()
}

/// The id of the run of an experiment with a seed.
fn id(home: &Path, experiment: &str, seed: u64) -> String {
    let condition = format!("experiment = '{experiment}' and seed = {seed}");
    let found = found(home, &["--archived", "--where", &condition]);
    assert_eq!(found.len(), 1, "{condition}: {found:?}");
    found[0].clone()
}

/// What a command prints with `--json`.
fn data(home: &Path, arguments: &[&str]) -> Value {
    let text = stdout_of(home, &[arguments, &["--json"]].concat());
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["error"], Value::Null);
    document["data"].clone()
}

/// An attempt of a process that has ended, and the reason of a failure.
fn add_unfinished(home: &Path) {
    let mut child = Command::new("true").spawn().unwrap();
    let ours = unique_name();
    let dead = ours.replace(&format!("-{}-", std::process::id()), &format!("-{}-", child.id()));
    child.wait().unwrap();
    let attempt = home.join(format!("reports/attempts/begun.synth-songs.seed-1.ab.{dead}"));
    fs::create_dir_all(&attempt).unwrap();
    let facts = json!({
        "experiment": "begun", "dataset": "synth-songs", "seed": 1, "spec_hash": "ab", "max_epochs": 9
    });
    fs::write(attempt.join("attempt.json"), facts.to_string()).unwrap();
    fs::write(attempt.join("epochs.jsonl"), "{}\n{}\n").unwrap();
    let mut failed = facts;
    failed["reason"] = json!("the loss diverges");
    let path = home.join("reports/attempts/broken.synth-songs.seed-1.cd.failed.json");
    fs::write(path, failed.to_string()).unwrap();
}

#[test]
fn runs_are_found_by_any_field_and_printed_as_text_csv_and_json() {
    let home = with_runs();
    let home = home.path();
    add_unfinished(home);
    let logistic = |seed| id(home, "spotify-logistic", seed);
    let condition = "dataset = \"synth-songs\" and state = \"done\" and model.logistic.max_iterations is not missing";
    assert_eq!(found(home, &["--where", condition, "--sort", "-seed"]), [logistic(2), logistic(1)]);
    assert_eq!(found(home, &["--where", "model.name = 'majority' or seed > 5"]).len(), 2);
    assert_eq!(found(home, &["--where", "state in ['failed', 'interrupted']"]).len(), 2);
    assert_eq!(
        found(home, &["--where", "state = 'failed' and error ~ 'diverges'"]),
        ["broken.synth-songs.seed-1.cd"]
    );
    assert_eq!(
        found(home, &["--where", "model.max_epochs = 9 and state = 'interrupted'"]).len(),
        1
    );
    // A score that follows from the predictions.
    let better = found(home, &["--where", "top_2_accuracy > accuracy and roc_auc > 0.5"]);
    assert!(!better.is_empty());
    // All of them sorted: runs without a score come last.
    let sorted = found(home, &["--sort", "-accuracy,id"]);
    assert_eq!(sorted.len(), 6);
    assert!(sorted[4].starts_with("begun.") && sorted[5].starts_with("broken."), "{sorted:?}");

    let accuracy = record(&home.join("reports/runs").join(logistic(1)))["test"]["accuracy"].clone();
    let arguments = ["runs", "--where", "seed = 1", "--sort", "-accuracy", "--columns"];
    let columns = "experiment,accuracy,model.n_epochs,tags";
    let of_json = data(home, &[&arguments[..], &[columns]].concat());
    let first = &of_json["runs"][0];
    assert_eq!(first["experiment"], "spotify-logistic");
    assert_eq!(first["accuracy"], accuracy);
    assert_eq!((&first["model.n_epochs"], &first["tags"]), (&Value::Null, &json!([])));
    assert_eq!(of_json["runs"][2]["accuracy"], Value::Null);
    let csv = stdout_of(home, &[&arguments[..], &[columns, "--csv"]].concat());
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], columns);
    assert_eq!(lines[1], format!("spotify-logistic,{accuracy},,"));
    let text = stdout_of(home, &arguments[..5]);
    let head: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(head, ["id", "state", "accuracy", "started", "seconds", "tags"]);
    let rounded = format!("{:.4}", accuracy.as_f64().unwrap());
    assert!(text.lines().nth(1).unwrap().contains(rounded.trim_end_matches('0')), "{text}");
    let all = stdout_of(home, &["runs", "--columns", "all", "--csv"]);
    assert!(all.lines().next().unwrap().contains(",timings.fit_s,"), "{all}");

    for (arguments, part) in [
        (
            &["--where", "acuracy > 0.5"][..],
            "column 1: unknown field `acuracy`; did you mean `accuracy`?",
        ),
        (
            &["--where", "accuracy > 0.5 and"],
            "column 19: expected a field or a value, found the end",
        ),
        (&["--where", "seed = '1'"], "column 8: `seed` holds numbers, found the text \"1\""),
        (&["--sort", "-seeed"], "--sort: unknown field `seeed`; did you mean `seed`?"),
        (
            &["--columns", "max_iterations"],
            "--columns: unknown field `max_iterations`; did you mean `model.logistic.max_iterations`?",
        ),
        (&["--csv", "--json"], "--csv and --json exclude each other"),
    ] {
        let said = fails(home, &[&["runs"], arguments].concat(), 2);
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
}

#[test]
fn fields_are_read_once_and_a_damaged_run_is_named() {
    let home = with_runs();
    let home = home.path();
    let first = stdout_of(home, &["runs", "--columns", "id,roc_auc"]);
    let kept = home.join("reports/runs.fields.json");
    let text = fs::read(&kept).unwrap();
    assert_eq!(stdout_of(home, &["runs", "--columns", "id,roc_auc"]), first);
    for damaged in [&b"{"[..], b"", &text[..text.len() / 2]] {
        fs::write(&kept, damaged).unwrap();
        assert_eq!(stdout_of(home, &["runs", "--columns", "id,roc_auc"]), first);
    }
    // A record that changes is read again.
    let folder = home.join("reports/runs").join(id(home, "spotify-logistic", 1));
    edit(&folder.join("record.json"), "\"seed\": 1", "\"seed\": 77");
    let output = ok(home, &["runs"]);
    assert!(
        stderr(&output).contains("its checksum does not match its content"),
        "{}",
        stderr(&output)
    );
    assert_eq!(stdout(&output).lines().count(), 4, "{}", stdout(&output));
    // One whose predictions are damaged has no scores that follow from them.
    let folder = home.join("reports/runs").join(id(home, "spotify-logistic", 2));
    fs::write(folder.join("predictions.csv"), "x").unwrap();
    fs::remove_file(&kept).unwrap();
    assert_eq!(found(home, &["--where", "experiment = 'spotify-logistic'"]).len(), 1);
    let output = ok(home, &["runs", "--columns", "id,roc_auc"]);
    assert!(stderr(&output).contains("predictions.csv"), "{}", stderr(&output));
}

#[test]
fn tags_and_notes_lie_beside_the_record_and_break_nothing() {
    let home = with_runs();
    let home = home.path();
    let (one, two) = (id(home, "spotify-logistic", 1), id(home, "spotify-logistic", 2));
    let sealed = fs::read(home.join("reports/runs").join(&one).join("record.json")).unwrap();
    ok(home, &["runs", "tag", &one, &two, "--add", "best,paper"]);
    let said = stdout_of(home, &["runs", "tag", &two, "--remove", "best,none"]);
    assert_eq!(said, format!("{two}: paper\n"));
    ok(home, &["runs", "note", &one, "--text", " the one in table 2 "]);
    assert_eq!(found(home, &["--where", "tags contains 'best'"]), [one.as_str()]);
    assert_eq!(found(home, &["--where", "tags ~ 'PAPER'"]).len(), 2);
    assert_eq!(found(home, &["--where", "note ~ 'table 2'"]), [one.as_str()]);
    assert_eq!(found(home, &["--where", "tags is missing"]).len(), 2);
    let shown = data(home, &["runs", "show", &one]);
    let fields = &shown["runs"][0]["fields"];
    assert_eq!(fields["tags"], json!(["best", "paper"]));
    assert_eq!(fields["note"], "the one in table 2");
    let text = stdout_of(home, &["runs", "show", &one]);
    assert!(text.contains("  tags ") && text.contains("best;paper"), "{text}");
    assert!(
        text.contains("  model.logistic.max_iterations ") && text.contains("  roc_auc "),
        "{text}"
    );
    // The record is what it was, and its run can be verified.
    assert_eq!(fs::read(home.join("reports/runs").join(&one).join("record.json")).unwrap(), sealed);
    ok(home, &["verify", &one]);
    // Capsules hold what the seal covers.
    ok(home, &["capsule", &one, "--out", "one.tar.zst"]);
    ok(home, &["verify", "one.tar.zst"]);
    // A damaged run that is trained again keeps them.
    fs::write(home.join("reports/runs").join(&one).join("predictions.csv"), "x").unwrap();
    ok(home, &["run", "spotify-logistic", "--seeds", "1"]);
    assert_eq!(
        data(home, &["runs", "show", &one])["runs"][0]["fields"]["note"],
        "the one in table 2"
    );
    ok(home, &["runs", "note", &one, "--text", ""]);
    assert_eq!(found(home, &["--where", "note is not missing"]), [] as [&str; 0]);
    for (arguments, part) in [
        (&["tag", &one, "--add", "a;b"][..], "invalid tag `a;b`"),
        (&["tag", &one], "--add"),
        (&["note", &one], "--text"),
    ] {
        let said = fails(home, &[&["runs"], arguments].concat(), 2);
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn archived_runs_are_in_no_list_and_not_on_the_page_and_are_still_done() {
    let home = with_runs();
    let home = home.path();
    let (one, two) = (id(home, "spotify-logistic", 1), id(home, "spotify-logistic", 2));
    let line = |arguments: &[&str]| {
        let text = stdout_of(home, arguments);
        text.lines().find(|line| line.starts_with("spotify-logistic ")).unwrap().to_owned()
    };
    assert!(line(&["list"]).contains("seed 2"));
    let said = stdout_of(home, &["runs", "archive", &two]);
    assert_eq!(said, format!("archived {two}\n"));
    assert!(line(&["list"]).contains("seed 1"));
    assert!(line(&["list", "--archived"]).contains("seed 2"));
    assert_eq!(found(home, &["--where", "experiment = 'spotify-logistic'"]), [one.as_str()]);
    assert!(stdout_of(home, &["runs"]).ends_with("1 archived run is not shown; see --archived\n"));
    assert_eq!(found(home, &["--archived"]).len(), 4);
    assert_eq!(found(home, &["--where", "archived"]), [two.as_str()]);
    let rows = |arguments: &[&str]| {
        ok(home, arguments);
        let text = fs::read_to_string(home.join("reports/results.csv")).unwrap();
        text.lines().filter(|line| line.starts_with("spotify-logistic,")).count()
    };
    assert_eq!((rows(&["report"]), rows(&["report", "--archived"])), (1, 2));
    let seeds = |arguments: &[&str]| stdout_of(home, arguments).contains("over 2 seeds");
    assert!(!seeds(&["claims"]) && seeds(&["claims", "--archived"]));
    // It is not trained again, and whoever names it means it.
    let again = ok(home, &["run", "spotify-logistic", "--seeds", "2"]);
    assert!(stderr(&again).contains("already done"), "{}", stderr(&again));
    let compared = stdout_of(home, &["compare", &one, &two]);
    assert!(compared.contains("spotify-logistic seed 2"), "{compared}");
    ok(home, &["capsule", &two, "--out", "two.tar.zst"]);
    ok(home, &["verify", &two]);
    let said = stdout_of(home, &["runs", "restore", &two]);
    assert_eq!(said, format!("restored {two}\n"));
    assert!(line(&["list"]).contains("seed 2"));
}

#[test]
fn removed_runs_come_back_until_they_are_deleted() {
    let home = with_runs();
    let home = home.path();
    let (one, two) = (id(home, "spotify-logistic", 1), id(home, "baseline-spotify", 2));
    ok(home, &["runs", "tag", &one, "--add", "kept"]);
    // An unknown id changes nothing.
    let said = fails(home, &["runs", "remove", &one, "spotify-logisic"], 3);
    assert!(said.contains("no finished run `spotify-logisic`; did you mean"), "{said}");
    assert_eq!(runs(home).len(), 4);
    let said = fails(home, &["runs", "remove", "spotify-logistic.synth-songs.seed-"], 2);
    assert!(said.contains("is the beginning of 2 ids") && said.contains(&one), "{said}");
    ok(home, &["runs", "remove", "spotify-logistic.synth-songs.seed-1", &two]);
    assert_eq!(runs(home).len(), 2);
    assert_eq!(found(home, &["--archived"]).len(), 2);
    let said = stdout_of(home, &["runs", "restore", "spotify-logistic"]);
    assert_eq!(said, format!("restored {one}\n"));
    assert_eq!(found(home, &["--where", "tags contains 'kept'"]), [one.as_str()]);
    ok(home, &["verify", &one]);
    // A run that was made again in the meantime is not replaced.
    ok(home, &["runs", "remove", &one]);
    ok(home, &["run", "spotify-logistic", "--seeds", "1"]);
    let said = fails(home, &["runs", "restore", &one], 2);
    assert!(said.contains("there is a run of this id again"), "{said}");
    ok(home, &["runs", "remove", &one]);
    ok(home, &["runs", "restore", &one]);
    assert_eq!(found(home, &["--where", "tags contains 'kept'"]), [] as [&str; 0]);
    // Of the two runs with one id, one is still in the trash.
    assert_eq!(fs::read_dir(home.join("reports/trash")).unwrap().count(), 2);
    ok(home, &["gc", "--yes"]);
    assert_eq!(fs::read_dir(home.join("reports/trash")).unwrap().count(), 0);
    assert!(fails(home, &["runs", "restore", &two], 3).contains("no archived or removed run"));
}

#[test]
fn garbage_is_listed_with_its_size_and_deleted_once_confirmed() {
    let home = with_runs();
    let home = home.path();
    let kinds = |of: &Value| -> Vec<String> {
        let items = of["items"].as_array().unwrap();
        items.iter().map(|item| item["kind"].as_str().unwrap().to_owned()).collect()
    };
    let genres = home.join("datasets/synth-genres.toml");
    edit(&genres, "tracks_per_genre = 40", "tracks_per_genre = 3");
    ok(home, &["run", "baseline-audio", "--seeds", "1"]);
    assert_eq!(stdout_of(home, &["gc"]), "nothing to delete\n", "features of runs are used");
    add_unfinished(home);
    let download = home.join("datasets/downloads/gtzan.fetching");
    fs::create_dir_all(&download).unwrap();
    fs::write(download.join("gtzan.zip.partial"), vec![0; 5000]).unwrap();
    let splits = home.join("reports/splits");
    fs::write(splits.join("0123.csv"), "unused").unwrap();
    let n_splits = fs::read_dir(&splits).unwrap().count();
    let ids = ["spotify-logistic", "baseline-spotify"]
        .iter()
        .flat_map(|name| [id(home, name, 1), id(home, name, 2)])
        .chain([id(home, "baseline-audio", 1)])
        .collect::<Vec<_>>();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    // Archived runs use their features and splits.
    ok(home, &[&["runs", "archive"], &ids[..]].concat());
    let listed = data(home, &["gc", "--dry-run"]);
    assert_eq!(kinds(&listed), ["attempt", "split", "download"]);
    let attempt = &listed["items"][0];
    assert_eq!(attempt["name"], "begun.synth-songs.seed-1.ab");
    let detail = attempt["detail"].as_str().unwrap();
    assert!(detail.starts_with("interrupted, 2 of 9 epochs done"), "{detail}");
    assert_eq!((&listed["items"][2]["bytes"], &listed["freed_bytes"]), (&json!(5000), &json!(0)));
    // Without their runs, features and splits are unused.
    ok(home, &[&["runs", "restore"], &ids[..]].concat());
    ok(home, &[&["runs", "remove"], &ids[..]].concat());
    let text = stdout_of(home, &["gc", "--dry-run"]);
    for part in ["removed run  ", "features  ", "synth-genres, no run uses them", "download  "] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
    let said = fails(home, &["gc"], 2);
    assert!(said.contains("nothing was deleted\nhint: confirm with --yes"), "{said}");
    let done = data(home, &["gc", "--yes"]);
    assert!(done["items"].as_array().unwrap().iter().all(|item| item["deleted"] == true));
    assert_eq!(done["bytes"], done["freed_bytes"]);
    assert!(n_splits > 1 && fs::read_dir(&splits).unwrap().count() == 0);
    assert!(!download.exists());
    assert_eq!(stdout_of(home, &["gc"]), "nothing to delete\n");
    // Why a run failed is no garbage.
    assert_eq!(found(home, &[]), ["broken.synth-songs.seed-1.cd"]);
    let said = encore(home, &["runs", "tag", "broken.synth-songs.seed-1.cd", "--add", "x"]);
    assert!(stderr(&said).contains("is not finished"), "{}", stderr(&said));
}
