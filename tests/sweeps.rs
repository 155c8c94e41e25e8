//! Searches as a user sees them: the same trials however they are run, a test set that nobody sees before the
//! choice, honest scores of the winner.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::common::{self, edit, fails, ok, stdout_of};
use crate::json::fits;

const MANIFEST: &str = "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
    [table]\nid = [\"id\"]\n[table.track_columns]\nset = \"set\"\n[table.label]\ncolumn = \"genre\"\n\
    [table.columns]\na = \"a\"\nb = \"b\"\nc = \"c\"\n";

const SPEC: &str = "title = \"Tuned\"\nquestion = \"q\"\ndataset = \"points\"\nseeds = [1]\n\
    [features.table]\ncolumns = [\"a\", \"b\", \"c\"]\n\
    [split.listed]\ncolumn = \"set\"\n\
    [model.dense]\nstandardize = true\nlayers = [{ units = 8, dropout = 0.1 }]\n\
    [training]\noptimizer.adam = { learning_rate = 1e-2 }\nbatch_size = 16\nepochs = 9\n";

const SPACE: &str = "[sweep.space]\n\
    \"training.optimizer.adam.learning_rate\" = { log = [1e-4, 1e-1] }\n\
    \"training.batch_size\" = { any = [8, 16, 32] }\n\
    \"model.dense.layers[0].dropout\" = { linear = [0.0, 0.5] }\n";

/// Three noisy genres. `test` gives the genre of a row of the test set another number.
fn table(test: impl Fn(u32) -> u32) -> String {
    let mut text = "id,genre,set,a,b,c\n".to_owned();
    for i in 0..240_u32 {
        let set = ["train", "train", "valid", "test"][i as usize % 4];
        let genre = i / 4 % 3;
        let noise = |k: u64| common::random_below(u64::from(i) * 3 + k, 1000) as f64 / 500.0;
        let told = if set == "test" { test(genre) } else { genre };
        let a = f64::from(genre) + noise(0);
        text += &format!("song {i},genre {told},{set},{a},{},{}\n", noise(1), noise(2));
    }
    text
}

/// A project with the table and a spec with a sweep.
fn home(sweep: &str, table: &str) -> tempfile::TempDir {
    let home = common::project();
    let path = home.path();
    fs::write(path.join("datasets/points.toml"), MANIFEST).unwrap();
    fs::write(path.join("experiments/tuned.toml"), format!("{SPEC}{sweep}{SPACE}")).unwrap();
    fs::write(path.join("points.csv"), table).unwrap();
    ok(path, &["data", "import", "points", "points.csv"]);
    home
}

const RANDOM: &str = "[sweep]\nsearch = \"random\"\ntrials = 6\nmetric = \"valid_loss\"\n\
                      final_seeds = [11, 12]\n";
const TPE: &str = "[sweep]\nsearch = \"tpe\"\ntrials = 15\nmetric = \"valid_accuracy\"\n\
                   final_seeds = [11, 12]\n";
const HALVING: &str = "[sweep]\nsearch = \"tpe\"\ntrials = 13\nmetric = \"valid_loss\"\n\
                       final_seeds = [11]\n[sweep.halving]\nmin_epochs = 1\n";

/// The only study of a project, without times.
fn study(home: &Path) -> Value {
    let folder = home.join("reports/studies");
    let found: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [one] = &found[..] else { panic!("one study was asked for: {found:?}") };
    let text = fs::read_to_string(one.join("study.json")).unwrap();
    let mut study = serde_json::from_str::<Value>(&text).unwrap()["study"].take();
    for part in study["parts"].as_array_mut().unwrap() {
        part["trials"].as_array_mut().unwrap().iter_mut().for_each(|it| it["fit_s"] = Value::Null);
    }
    study
}

fn trials(study: &Value) -> &[Value] {
    study["parts"][0]["trials"].as_array().unwrap()
}

#[test]
fn a_study_is_the_same_with_any_number_of_jobs_and_after_adding_trials() {
    for sweep in [TPE, HALVING] {
        let two = home(sweep, &table(|genre| genre));
        ok(two.path(), &["sweep", "tuned", "--jobs", "2"]);
        let wanted = study(two.path());
        assert!(trials(&wanted).iter().all(|trial| trial["score"].is_f64()));
        let one = home(sweep, &table(|genre| genre));
        ok(one.path(), &["sweep", "tuned", "--jobs", "1"]);
        assert_eq!(study(one.path()), wanted);
        let n = trials(&wanted).len().to_string();
        let grown = home(&sweep.replace(&n, "5"), &table(|genre| genre));
        ok(grown.path(), &["sweep", "tuned", "--jobs", "2"]);
        assert_eq!(trials(&study(grown.path())).len(), 5);
        ok(grown.path(), &["sweep", "tuned", "--trials", &n]);
        assert_eq!(study(grown.path()), wanted, "{sweep}");
        // Nothing is left to do, and nothing is done again.
        let n_runs = common::runs(grown.path()).len();
        ok(grown.path(), &["sweep", "tuned", "--trials", &n]);
        assert_eq!(common::runs(grown.path()).len(), n_runs);
    }
}

#[test]
fn a_test_set_with_other_labels_changes_no_choice() {
    let told = |test: fn(u32) -> u32| {
        let home = home(TPE, &table(test));
        let said = stdout_of(home.path(), &["sweep", "tuned"]);
        let study = study(home.path());
        let chosen = study["parts"][0]["winner"]["number"].as_u64().unwrap();
        let of_trial =
            |trial: &Value| (trial["settings"].clone(), trial["score"].as_f64().unwrap().to_bits());
        let all: Vec<_> = trials(&study).iter().map(of_trial).collect();
        let last = said.lines().last().unwrap().to_owned();
        let accuracy =
            said.lines().find(|line| line.contains("accuracy, test")).unwrap().to_owned();
        (chosen, all, last, accuracy)
    };
    let (plain, shuffled) = (told(|genre| genre), told(|genre| (genre + 1) % 3));
    assert_eq!((plain.0, &plain.1), (shuffled.0, &shuffled.1));
    assert_eq!(plain.2, shuffled.2);
    assert!(plain.2.starts_with(&format!("winner: trial {} of 15, ", plain.0)), "{}", plain.2);
    assert_ne!(plain.3, shuffled.3, "the winner is tested on the labels of the test set");
}

#[test]
fn a_trial_has_no_test_score_and_its_winner_is_tested_with_fresh_seeds() {
    let home = home(RANDOM, &table(|genre| genre));
    ok(home.path(), &["sweep", "tuned"]);
    let study = study(home.path());
    for trial in trials(&study) {
        let id = trial["runs"][0].as_str().unwrap();
        let folder = home.path().join("reports/runs").join(id);
        let record = common::record(&folder);
        assert!(record.get("test").is_none(), "{id}");
        assert_eq!(record["valid"]["log_loss"], trial["score"]);
        let rows = fs::read_to_string(folder.join("predictions.csv")).unwrap();
        let sets = fs::read_to_string(folder.join("split.csv")).unwrap();
        let of_test = |line: &&str| line.ends_with(",test");
        for name in sets.lines().filter(of_test).map(|line| line.split(',').next().unwrap()) {
            assert!(!rows.contains(&format!("{name},")), "{id} was asked about {name}");
        }
    }
    let winner = &study["parts"][0]["winner"];
    let runs = winner["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    for (run, seed) in runs.iter().zip([11, 12]) {
        let record = common::record(&home.path().join("reports/runs").join(run.as_str().unwrap()));
        assert_eq!(record["seed"], seed);
        assert_eq!(record["search"]["winner"]["n_trials"], 6);
        assert!(record["test"]["accuracy"].is_f64());
        let settings =
            trials(&study)[winner["number"].as_u64().unwrap() as usize]["settings"].clone();
        assert_eq!(record["overrides"], settings);
    }
    let page = || {
        ok(home.path(), &["report"]);
        fs::read_to_string(home.path().join("reports/README.md")).unwrap()
    };
    assert!(page().contains("6 trials by random search on points, chosen by valid_loss"));
    assert!(home.path().join("reports/figures/search-history.svg").exists());
    let files = fits("plot sweep", &stdout_of(home.path(), &["plot", "sweep", "tuned", "--json"]));
    let files = files["files"].as_array().unwrap();
    assert_eq!(files.len(), 8, "four figures, each as SVG and PNG; contours need eight trials");
    assert!(files.iter().all(|it| home.path().join(it.as_str().unwrap()).exists()));
    // Other commands know what they are.
    let trial = trials(&study)[0]["runs"][0].as_str().unwrap();
    let other = trials(&study)[1]["runs"][0].as_str().unwrap();
    let said = stdout_of(home.path(), &["compare", trial, other]);
    assert!(said.contains("scored on its validation examples"), "{said}");
    let said = fails(home.path(), &["compare", trial, runs[0].as_str().unwrap()], 2);
    assert!(said.contains("is a trial of a search, whose test examples are withheld"), "{said}");
    let said = stdout_of(home.path(), &["runs", "--where", "search.trial.number = 3"]);
    assert!(said.contains(trials(&study)[3]["runs"][0].as_str().unwrap()), "{said}");
    ok(home.path(), &["verify", trial]);
    ok(home.path(), &["capsule", trial, runs[0].as_str().unwrap(), "--out", "both.tar.zst"]);
    ok(home.path(), &["verify", "both.tar.zst"]);
    // A trial is never taken for a run of the experiment.
    let said = fails(home.path(), &["compare", "tuned", "baseline-audio"], 3);
    assert!(said.contains("tuned"), "{said}");
    let said = stdout_of(home.path(), &["list"]);
    let line = said.lines().find(|line| line.contains("tuned")).unwrap();
    assert!(!line.contains("0."), "{line}");
}

#[test]
fn a_promoted_trial_has_the_bits_of_one_that_was_never_stopped() {
    let home = home(HALVING, &table(|genre| genre));
    ok(home.path(), &["sweep", "tuned", "--jobs", "2"]);
    let study = study(home.path());
    let whole: Vec<&Value> =
        trials(&study).iter().filter(|trial| trial.get("stopped_after").is_none()).collect();
    // Two batches of nine, of which the second is not full.
    assert_eq!(whole.len(), 2);
    for trial in &whole {
        let id = trial["runs"][0].as_str().unwrap();
        let record = common::record(&home.path().join("reports/runs").join(id));
        assert!(record["timings"]["n_resumed"].as_u64().unwrap() > 0, "it went on");
        let said = stdout_of(home.path(), &["verify", id]);
        assert_eq!(said.matches("bit-identical").count(), 3, "{said}");
    }
    assert_eq!(fs::read_dir(home.path().join("reports/stopped")).unwrap().count(), 0);
    let stopped = trials(&study).iter().find(|trial| trial["stopped_after"] == 1).unwrap();
    let id = stopped["runs"][0].as_str().unwrap();
    let folder = home.path().join("reports/runs").join(id);
    assert_eq!(fs::read_to_string(folder.join("epochs.jsonl")).unwrap().lines().count(), 1);
    assert_eq!(common::record(&folder)["cut"][0], "1 of 9 epochs");
}

#[test]
fn a_failing_trial_is_a_result_and_a_study_without_any_other_says_so() {
    let home = home(RANDOM, &table(|genre| genre));
    let spec = home.path().join("experiments/tuned.toml");
    // So large a rate has no finite loss.
    edit(&spec, "{ log = [1e-4, 1e-1] }", "{ any = [1e-2, 1e30] }");
    let said = stdout_of(home.path(), &["sweep", "tuned"]);
    let n_failed = said.matches("failed: trial ").count();
    assert!((1..6).contains(&n_failed), "{said}");
    assert!(said.contains("loss"), "{said}");
    let before = study(home.path());
    ok(home.path(), &["sweep", "tuned"]);
    assert_eq!(study(home.path()), before);
    edit(&spec, "{ any = [1e-2, 1e30] }", "{ any = [1e29, 1e30] }");
    let said = fails(home.path(), &["sweep", "tuned"], 1);
    assert!(said.contains("every trial failed: tuned"), "{said}");
    let said = stdout_of(home.path(), &["sweep", "status"]);
    assert!(said.contains("6 failed"), "{said}");
}

#[test]
fn every_fold_of_a_nested_search_has_a_winner_of_its_own() {
    let nested = format!("{RANDOM}[sweep.nested]\nfolds = 3\n");
    let home = home(&nested, &table(|genre| genre));
    let spec = home.path().join("experiments/tuned.toml");
    let said = fails(home.path(), &["sweep", "tuned"], 2);
    assert!(said.contains("sweep.nested draws folds of its own"), "{said}");
    let random = "[split.random]\nby = \"track\"\nstratify = true\ntest = 0.3\nvalid = 0.3";
    edit(&spec, "[split.listed]\ncolumn = \"set\"", random);
    let said = stdout_of(home.path(), &["sweep", "tuned", "--json"]);
    let facts = fits("sweep", &said);
    let status = fits("sweep status", &stdout_of(home.path(), &["sweep", "status", "--json"]));
    assert_eq!(status["studies"][0]["n_tried"], 18);
    let facts = &facts["studies"][0];
    assert_eq!(facts["parts"].as_array().unwrap().len(), 3);
    assert_eq!(facts["trials"].as_array().unwrap().len(), 18);
    let nested = &facts["nested"];
    let of_fold = |part: &Value| part["winner"]["test"]["mean"].as_f64().unwrap();
    let folds: Vec<f64> = facts["parts"].as_array().unwrap().iter().map(of_fold).collect();
    let mean = folds.iter().sum::<f64>() / 3.0;
    // The score that decides is a loss, and folds are of equal size.
    assert!((nested["mean"].as_f64().unwrap() - mean).abs() < 1e-9, "{nested} {folds:?}");
    let study = study(home.path());
    let tested = |fold: usize| {
        let id = study["parts"][fold]["winner"]["runs"][0].as_str().unwrap();
        let sets = fs::read_to_string(home.path().join("reports/runs").join(id).join("split.csv"));
        let of_test = |line: &&str| line.ends_with(",test");
        sets.unwrap().lines().filter(of_test).map(str::to_owned).collect::<Vec<_>>()
    };
    let all: std::collections::BTreeSet<String> = (0..3).flat_map(tested).collect();
    assert_eq!(all.len(), 240, "every row is tested once");
    // Folds without a nested search would choose by rows that other folds test.
    edit(&spec, "[sweep.nested]\nfolds = 3\n", "");
    let k_fold = "[split.k_fold]\nk = 3\nby = \"track\"\nstratify = true\nvalid = 0.3";
    edit(&spec, random, k_fold);
    edit(&spec, "seeds = [1]\n", "");
    let said = fails(home.path(), &["sweep", "tuned"], 2);
    assert!(said.contains("sweep.nested is missing: the spec's split has folds"), "{said}");
}

#[test]
fn faults_of_a_sweep_have_their_lines() {
    let home = home(RANDOM, &table(|genre| genre));
    let spec = home.path().join("experiments/tuned.toml");
    let whole = fs::read_to_string(&spec).unwrap();
    let rate = "\"training.optimizer.adam.learning_rate\" = { log = [1e-4, 1e-1] }";
    let line_of =
        |text: &str, part: &str| 1 + text[..text.find(part).unwrap()].matches('\n').count();
    for (from, to, said) in [
        (
            rate,
            "\"training.optimizer.adam.rate\" = { log = [1e-4, 1e-1] }",
            "training.optimizer.adam.rate",
        ),
        (rate, "\"training.batch\" = { any = [1, 2] }", "did you mean `batch_size`?"),
        ("log = [1e-4, 1e-1]", "log = [0.0, 1e-1]", "`log` must be above 0, found 0"),
        ("log = [1e-4, 1e-1]", "log = [1e-1, 1e-4]", "`log` is empty: 0.1 is above 0.0001"),
        ("linear = [0.0, 0.5]", "linear = [0.5, 0.5]", "`linear` is empty: both ends are 0.5"),
        ("linear = [0.0, 0.5]", "linear = [0.0, 1.5]", "model.dense.layers[0].dropout"),
        ("linear = [0.0, 0.5]", "linear = [0.0, 0.5], when = {}", "a condition on nothing"),
        (
            "linear = [0.0, 0.5]",
            "linear = [0.0, 0.5], when = { \"training.epochs\" = 3 }",
            "training.epochs",
        ),
        ("\"training.batch_size\"", "training.batch_size", "stands in quotes"),
        ("any = [8, 16, 32]", "any = []", "`any` is empty"),
        ("any = [8, 16, 32]", "any = [8, 8]", "`any` has 8 twice"),
        ("any = [8, 16, 32]", "all = [8, 16]", "exactly one of `linear`, `log`, `int` or `any`"),
        ("search = \"random\"", "search = \"grid\"", "a range without `steps`"),
        (
            "metric = \"valid_loss\"",
            "metric = \"valid_r2\"",
            "no score of models that tell a class",
        ),
        ("metric = \"valid_loss\"\n", "", "sweep.metric is missing"),
        ("final_seeds = [11, 12]", "final_seeds = [1, 12]", "must be fresh, but 1 is also a seed"),
        ("trials = 6\n", "", "sweep.trials is missing"),
    ] {
        fs::write(&spec, &whole).unwrap();
        edit(&spec, from, to);
        let error = fails(home.path(), &["sweep", "tuned"], 2);
        assert!(error.contains(said), "{to}: {error}");
        if to.contains("= {") || to.contains('[') {
            let text = fs::read_to_string(&spec).unwrap();
            let line = line_of(&text, to.split(" = ").next().unwrap().trim());
            assert!(
                error.contains(&format!("tuned.toml:{line}: ")) || error.contains("sweep.space"),
                "{to}: {error}"
            );
        }
        assert!(!home.path().join("reports/studies").exists());
    }
    fs::write(&spec, &whole).unwrap();
    let error = fails(home.path(), &["sweep", "tuned", "--final-seeds", "1,2"], 2);
    assert!(error.contains("must be fresh, but 1 is also a seed of its trials"), "{error}");
    edit(&spec, "trials = 6\n", "");
    // Checked too without a search.
    let error = fails(home.path(), &["check"], 2);
    assert!(error.contains("sweep.trials is missing"), "{error}");
    fs::write(&spec, &whole).unwrap();
    let grid = "[sweep]\nsearch = \"grid\"\ntrials = 7\nmetric = \"valid_loss\"\n[sweep.space]\n\
                \"training.batch_size\" = { any = [8, 16, 32] }\n";
    fs::write(&spec, format!("{SPEC}{grid}")).unwrap();
    let error = fails(home.path(), &["sweep", "tuned"], 2);
    assert!(error.contains("sweep.trials is 7, but the grid has 3 points"), "{error}");
    fs::write(&spec, format!("{SPEC}{}", grid.replace("[8, 16, 32]", "[8]"))).unwrap();
    let error = fails(home.path(), &["sweep", "tuned"], 2);
    assert!(error.contains("sweep.space has one point"), "{error}");
    fs::write(&spec, SPEC).unwrap();
    let error = fails(home.path(), &["sweep", "tuned"], 2);
    assert!(error.contains("tuned has no [sweep]"), "{error}");
}
