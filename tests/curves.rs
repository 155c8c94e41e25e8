//! Learning curves and ablations, from the command line to the page.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{edit, encore, fails, files, ok, project, record, runs, stdout_of};
use crate::json::fits;

/// A project with few songs.
fn songs() -> tempfile::TempDir {
    let home = project();
    let songs = home.path().join("datasets/synth-songs.toml");
    edit(&songs, "n_rows = 8576", "n_rows = 400");
    home
}

const CURVE: [&str; 6] =
    ["curve", "spotify-logistic", "--train-share", "1,0.1,0.25,0.5", "--seeds", "1,2"];

fn curve(home: &Path, arguments: &[&str]) -> Value {
    fits("curve", &stdout_of(home, &[arguments, &["--json"]].concat()))
}

/// The examples of one set of a run, as lines of `split.csv`.
fn members(run: &Path, set: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(run.join("split.csv")).unwrap();
    let end = format!(",{set}");
    text.lines().filter(|line| line.ends_with(&end)).map(str::to_owned).collect()
}

fn folder(home: &Path, id: &Value) -> PathBuf {
    home.join("reports/runs").join(id.as_str().unwrap())
}

#[test]
fn shares_are_nested_have_one_test_set_and_are_ordinary_runs() {
    let home = songs();
    let home = home.path();
    // A run of the spec itself, and one with a share, exist already.
    ok(home, &["run", "spotify-logistic", "--seeds", "1"]);
    ok(home, &["run", "spotify-logistic", "--seeds", "1", "--set", "train_share=0.1"]);
    let before = files(&home.join("reports/runs"));
    let found = curve(home, &CURVE);
    assert_eq!(runs(home).len(), 8, "two seeds of four shares");
    let after = files(&home.join("reports/runs"));
    assert!(before.iter().all(|file| after.contains(file)), "finished runs are used again");
    let points = found["curves"][0]["points"].as_array().unwrap();
    let shares: Vec<f64> = points.iter().map(|it| it["train_share"].as_f64().unwrap()).collect();
    assert_eq!(shares, [0.1, 0.25, 0.5, 1.0]);
    assert_eq!(points[0]["n_train_tracks"], 30.0, "ceil(0.1 * 300)");
    for seed in 0..2 {
        let all: Vec<PathBuf> =
            points.iter().map(|point| folder(home, &point["runs"][seed])).collect();
        for (small, large) in all.iter().zip(&all[1..]) {
            assert!(members(small, "train").is_subset(&members(large, "train")));
            assert!(members(small, "train").len() < members(large, "train").len());
            assert_eq!(members(small, "test"), members(large, "test"));
        }
        assert_eq!((members(&all[0], "train").len(), members(&all[0], "test").len()), (30, 100));
    }
    // Overrides of what a spec has anyway, so that the same command does nothing.
    let again = curve(home, &CURVE);
    assert_eq!(again["curves"], found["curves"]);
    assert!(files(&home.join("reports/runs")) == after, "nothing is repeated");
    // The protocol says so, and the run can be repeated.
    let id = points[0]["runs"][0].as_str().unwrap();
    let protocol = record(&folder(home, &points[0]["runs"][0]))["split"]["protocol"].clone();
    let protocol = protocol.as_str().unwrap();
    assert!(protocol.ends_with(", no validation set, 10 % of the training tracks"), "{protocol}");
    ok(home, &["verify", id]);
    // The law, and what ten times the data would give.
    let forecast = &found["curves"][0]["forecast"];
    assert_eq!(forecast["n_train_tracks"], 3000.0);
    assert!(found["curves"][0]["law"]["floor"].as_f64().unwrap() >= 0.0);
    let text = stdout_of(home, &CURVE);
    assert!(
        text.contains("That is an extrapolation: no run has more than 300 training tracks."),
        "{text}"
    );
    assert!(
        text.lines().all(|line| line.chars().count() <= 100 || line.starts_with("data: ")),
        "{text}"
    );
    // Two shares are no law, and one is no curve.
    let two = curve(home, &["curve", "spotify-logistic", "--train-share", "0.1,1", "--seeds", "1"]);
    assert_eq!(two["curves"][0]["law"], Value::Null);
    let why = two["curves"][0]["no_law"].as_str().unwrap();
    assert_eq!(why, "it takes at least 3 shares of the training tracks, found 2");
    let said = fails(home, &["curve", "spotify-logistic", "--train-share", "1"], 2);
    assert!(said.contains("needs at least two shares"), "{said}");
    let said = fails(home, &["curve", "spotify-logistic", "--train-share", "0,1"], 2);
    assert!(said.contains("expected a number in (0, 1]"), "{said}");
}

#[test]
fn a_share_of_1_has_the_bits_of_a_spec_without_one() {
    let home = songs();
    let home = home.path();
    let run = |more: &[&str]| {
        let words = ["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=3"];
        let found = fits("run", &stdout_of(home, &[&words, more, &["--json"]].concat()));
        folder(home, &found["runs"][0]["id"])
    };
    let (plain, whole) = (run(&[]), run(&["--set", "train_share=1"]));
    let [a, b] = [&plain, &whole].map(|folder| record(folder));
    assert_ne!(a["spec_hash"], b["spec_hash"]);
    assert_eq!((&a["outputs"], &a["test"], &a["split"]), (&b["outputs"], &b["test"], &b["split"]));
    let part = run(&["--set", "train_share=0.5"]);
    assert_ne!(record(&part)["outputs"], a["outputs"]);
}

#[test]
fn segments_of_a_track_are_left_out_together_and_the_page_shows_the_curve() {
    let home = project();
    let home = home.path();
    let genres = home.join("datasets/synth-genres.toml");
    edit(&genres, "tracks_per_genre = 40", "tracks_per_genre = 4");
    let spec = "title = \"t\"\nquestion = \"q\"\ndataset = \"synth-genres\"\nseeds = [1, 2]\n\
        [segments]\nseconds = 3.0\nper_track = 4\n[features.mfcc_statistics]\n\
        [split.random]\nby = \"segment\"\nstratify = true\ntest = 0.3\nvalid = 0.2\n[model.knn]\n";
    fs::write(home.join("experiments/near.toml"), spec).unwrap();
    let found = curve(home, &["curve", "near", "--train-share", "0.25,0.5,0.75,1"]);
    let points = found["curves"][0]["points"].as_array().unwrap();
    let [quarter, all] =
        [&points[0], &points[3]].map(|it| members(&folder(home, &it["runs"][0]), "train"));
    let track = |line: &String| line.split(',').next().unwrap().to_owned();
    let kept: BTreeSet<String> = quarter.iter().map(track).collect();
    assert_eq!(kept.len(), 10, "one track of four of each genre");
    let of_kept: BTreeSet<String> =
        all.into_iter().filter(|line| kept.contains(&track(line))).collect();
    assert_eq!(quarter, of_kept, "all training segments of a kept track");
    assert!(points[0]["score_by_track"].is_object());

    fits("report", &stdout_of(home, &["report", "--json"]));
    let shown = |arguments: &[&str]| {
        let text = stdout_of(home, arguments);
        let [page, readme] = ["index.html", "README.md"]
            .map(|name| fs::read_to_string(home.join("reports").join(name)).unwrap());
        (text, page, readme)
    };
    let (text, page, readme) = shown(&["report"]);
    assert!(
        page.contains("<section id=\"learning-curves\"")
            && page.contains("href=\"#learning-curves\"")
    );
    assert!(readme.contains("## Learning curves") && readme.contains("figures/learning-curve.svg"));
    assert!(home.join("reports/figures/learning-curve.png").is_file());
    // Its points are no history, and no rows of the page.
    assert!(!text.contains("other versions"), "{text}");
    let (_, page, readme) = shown(&["report", "--all-versions"]);
    assert!(!page.contains("train_share") && readme.contains("## Learning curves"), "{readme}");
    let list = stdout_of(home, &["list", "--all-versions"]);
    assert!(!list.contains("near@"), "{list}");
    let drawn = fits("plot curve", &stdout_of(home, &["plot", "curve", "near", "--json"]));
    assert!(home.join(drawn["files"][1].as_str().unwrap()).is_file());
    // After a change of the spec they are history.
    edit(&home.join("experiments/near.toml"), "per_track = 4", "per_track = 3");
    let list = stdout_of(home, &["list", "--all-versions"]);
    assert!(list.contains("near@"), "{list}");
    assert!(fails(home, &["plot", "curve", "near"], 3).contains("hint: encore curve near"));
    let said = fails(home, &["plot", "curve", "naer"], 2);
    assert!(said.contains("did you mean `near`?"), "{said}");
}

/// A net with changes to try.
fn ablated(home: &Path) {
    let net = home.join("experiments/spotify-dense.toml");
    edit(&net, "epochs = 100", "epochs = 3\nema = 0.9");
    edit(&net, "units = 30 }, { units = 30", "units = 30 }, { units = 20");
    let text = fs::read_to_string(&net).unwrap();
    let table = "\n[ablation]\nremove = [\"training.ema\"]\neach = [\"model.dense.layers\"]\n\
        [ablation.change]\n\"ten times the rate\" = \"training.optimizer.rmsprop.learning_rate=0.01\"\n";
    fs::write(net, text + table).unwrap();
}

#[test]
fn every_change_of_a_spec_is_a_run_that_can_be_repeated() {
    let home = songs();
    let home = home.path();
    ok(home, &["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=3"]);
    let hash = |home: &Path| record(&runs(home)[0])["spec_hash"].clone();
    let before = hash(home);
    // The table is no part of the spec's hash.
    let net = home.join("experiments/spotify-dense.toml");
    let text = fs::read_to_string(&net).unwrap();
    let change = "\n[ablation.change]\nslow = \"training.batch_size=32\"\n";
    fs::write(&net, format!("{text}{change}")).unwrap();
    ok(home, &["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=3"]);
    assert_eq!((runs(home).len(), hash(home)), (1, before));
    fs::write(&net, text).unwrap();

    ablated(home);
    let words = ["ablate", "spotify-dense", "--seeds", "1,2", "--jobs", "2", "--json"];
    let found = fits("ablate", &stdout_of(home, &words));
    let changes = found["ablations"][0]["changes"].as_array().unwrap();
    let names: Vec<&str> = changes.iter().map(|it| it["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "without training.ema",
            "without model.dense.layers[0]",
            "without model.dense.layers[1]",
            "ten times the rate"
        ]
    );
    assert!(changes.iter().all(|it| it["is_paired"] == true && it["per"] == "example"));
    assert!(changes.iter().all(|it| it["adjusted_p"].as_f64() >= it["p"].as_f64()));
    let score = |of: &Value| of["score"]["mean"].as_f64().unwrap();
    let base = score(&found["ablations"][0]["base"]);
    for change in changes {
        let difference = change["difference"]["mean"].as_f64().unwrap();
        assert!((difference - (score(change) - base)).abs() < 1e-12);
    }
    // A run without a key says so, is repeated as such, and is packed.
    let id = changes[0]["runs"][0].as_str().unwrap();
    let ema = record(&folder(home, &changes[0]["runs"][0]));
    assert_eq!(ema["overrides"], serde_json::json!(["unset training.ema"]));
    assert_eq!(ema["spec"]["training"].get("ema"), None);
    ok(home, &["verify", id]);
    ok(home, &["capsule", id, "--out", "one.tar.zst"]);
    ok(home, &["verify", "one.tar.zst"]);
    let same = ["run", "spotify-dense", "--seeds", "1", "--unset", "training.ema", "--why"];
    assert!(stdout_of(home, &same).contains("done"));
    // The page shows it, and not as history.
    let text = stdout_of(home, &["report"]);
    assert!(text.contains("1 run of other versions"), "that of the spec as it was: {text}");
    let page = fs::read_to_string(home.join("reports/index.html")).unwrap();
    assert!(page.contains("<section id=\"ablations\"") && page.contains("ten times the rate"));
    let readme = fs::read_to_string(home.join("reports/README.md")).unwrap();
    assert!(readme.contains("figures/ablation.svg") && readme.contains("without training.ema"));
    // With an override for all of them.
    let more = [&words[..3], &["1", "--set", "training.epochs=2", "--json"]].concat();
    let found = fits("ablate", &stdout_of(home, &more));
    assert_eq!(found["ablations"][0]["changes"].as_array().unwrap().len(), 4);
}

#[test]
fn other_segments_are_compared_by_track() {
    let home = project();
    let home = home.path();
    let genres = home.join("datasets/synth-genres.toml");
    edit(&genres, "tracks_per_genre = 40", "tracks_per_genre = 3");
    let spec = "title = \"t\"\nquestion = \"q\"\ndataset = \"synth-genres\"\nseeds = [1, 2]\n\
        [segments]\nseconds = 3.0\nper_track = 4\n[features.mfcc_statistics]\n\
        [split.random]\nby = \"track\"\nstratify = true\ntest = 0.4\nvalid = 0.0\n[model.knn]\n\
        [ablation.change]\nhalf = \"segments.per_track=2\"\none = \"segments.per_track=1\"\n\
        \"three neighbors\" = \"model.knn.n_neighbors=3\"\n";
    fs::write(home.join("experiments/near.toml"), spec).unwrap();
    let found = fits("ablate", &stdout_of(home, &["ablate", "near", "--json"]));
    let changes = found["ablations"][0]["changes"].as_array().unwrap();
    let of: Vec<(&str, &str)> = changes
        .iter()
        .map(|it| (it["name"].as_str().unwrap(), it["per"].as_str().unwrap()))
        .collect();
    assert_eq!(of, [("half", "track"), ("one", "track"), ("three neighbors", "segment")]);
    assert!(changes.iter().all(|it| it["is_paired"] == true));
    let by_track = |of: &Value| of["score_by_track"]["mean"].as_f64().unwrap();
    let base = by_track(&found["ablations"][0]["base"]);
    let difference = changes[0]["difference"]["mean"].as_f64().unwrap();
    assert!((difference - (by_track(&changes[0]) - base)).abs() < 1e-12);
}

#[test]
fn faults_of_shares_and_changes_have_their_lines() {
    let home = songs();
    let home = home.path();
    let spec = home.join("experiments/spotify-logistic.toml");
    let plain = fs::read_to_string(&spec).unwrap();
    let n_lines = plain.lines().count();
    let line = |n: usize| format!("spotify-logistic.toml:{}: ", n_lines + n);
    for (end, said) in [
        (
            "[ablation]\nremove = [\n\"features.table.one_hot\",\n\"training.ema\"]\n",
            format!("{}ablation.remove[1] (training.ema): training is not in the spec", line(4)),
        ),
        (
            "[ablation]\nremove = [\"split.random.test\"]\n",
            format!("{}ablation.remove[0] (split.random.test): leaves an invalid spec: ", line(2)),
        ),
        ("[ablation]\n", format!("{}ablation names no change", line(1))),
        (
            "[ablation.change]\nsame = \"model.logistic.max_iterations=1000\"\n",
            format!("{}ablation.change.\"same\": makes the same spec as the spec itself", line(2)),
        ),
        (
            "[ablation.change]\na = \"model.logistic.max_iterations=7\"\nb = \"model.logistic.max_iterations=7\"\n",
            format!("{}ablation.change.\"b\": makes the same spec as \"a\"", line(3)),
        ),
    ] {
        fs::write(&spec, format!("{plain}{end}")).unwrap();
        let found = fails(home, &["check"], 2);
        assert!(found.contains(&said), "{said}\n{found}");
    }
    fs::write(&spec, &plain).unwrap();
    let said = fails(home, &["ablate", "spotify-logistic"], 2);
    assert!(said.contains("has no table [ablation]"), "{said}");
    for (share, end) in [("0", ", found 0"), ("1.5", ", found 1.5"), ("\"a\"", ", found the text")]
    {
        let set = format!("train_share={share}");
        let said = fails(home, &["run", "spotify-logistic", "--set", &set], 2);
        assert!(said.contains(&format!("train_share must be a number in (0, 1]{end}")), "{said}");
    }
    let said = fails(home, &["run", "spotify-logistic", "--unset", "training.ema"], 2);
    assert!(said.contains("--unset training.ema: training is not in the spec"), "{said}");
    // A tiny share that leaves no example of some classes is noted.
    let words = ["run", "spotify-logistic", "--seeds", "1", "--set", "train_share=0.01", "--json"];
    let output = encore(home, &words);
    assert!(output.status.success());
    let run = runs(home).pop().unwrap();
    let notes = record(&run)["model"]["notes"].to_string();
    assert!(notes.contains("train_share leaves no training example of "), "{notes}");
}
