//! Pages with tags and numbers beside classes.

use std::fs;
use std::path::{Path, PathBuf};

use super::fake_tasks::{claim, mixed, number_run, number_run_with, tags_run, tags_run_of};
use super::tests::{options, page};
use super::*;
use crate::metrics::Metric;
use crate::record::{Claim, TagsPrediction};
use crate::vocab::{ExampleId, Scores, Task};

fn names() -> Options {
    options(&["cnn-3", "tagger", "tagger-weak", "tempo", "tempo-bad", "not-run"])
}

/// With `ENCORE_LOOK=FOLDER` the page stays there to be looked at.
#[test]
fn a_page_of_all_tasks_has_a_table_for_each() {
    let temporary = tempfile::tempdir().unwrap();
    let root = std::env::var_os("ENCORE_LOOK").map_or(temporary.path().into(), PathBuf::from);
    let runs = mixed(&root.join("mixed-runs"));
    let written = write(&runs, &names(), &root.join("mixed")).unwrap();
    let text = fs::read_to_string(&written.readme).unwrap();
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is not in\n{text}"));
    let (classes, tags, numbers) =
        (place("### Classes\n"), place("### Tags\n"), place("### Numbers\n"));
    assert!(classes < place("| not-run ") && place("| not-run ") < tags && tags < numbers);
    let first = |task: Task| runs.iter().find(|run| run.record.data.task == task).unwrap();
    let auc = first(Task::Tags).record.scored().tags().unwrap();
    assert_eq!(auc.n_left_out(), 1);
    for part in [
        "| ROC-AUC [95 % interval] | average precision | by track ",
        "| R2 [95 % interval]",
        " |  MAE | by track ",
        "averaged over 8 of 9 tags (the others are on all or on no test examples). The average \
         precision is 0.",
        "By track, with the mean probability of its test segments, the ROC-AUC is 0.",
        " Equal probabilities for all examples give 0.500.",
        "By track, with the mean prediction of its test segments, R2 is 0.",
        " Always predicting the mean of the test examples gives 0.000.",
        "Per tag, over the test sets of 3 seeds:\n",
        "| tag                   | test examples with it | ROC-AUC [95 % interval] |",
        "| instrument---theremin |                     0 |                       - |",
        "ROC-AUC of each run:\n",
        "R2 of each run:\n",
        "- **ROC-AUC**: area under the ROC curve of every tag",
        "- **R2**: the share of the variance",
        "](figures/roc-auc.svg)",
        "](figures/r2.svg)",
        "](figures/tempo-scatter.svg)",
        "![tempo: loss over the epochs](figures/tempo-curves.svg)",
        "Published mae: 11.0 (paper, table 2): **",
        "Published average_precision: 0.100 (paper, table 2): **differs**",
    ] {
        place(part);
    }
    let html = fs::read_to_string(&written.page).unwrap();
    for part in [
        "<figcaption>Test ROC-AUC: ",
        "<figcaption>Test R2: ",
        "<span>Tags: all experiments with their published figures</span>",
        "<span>Per tag, over the test sets of 3 seeds</span>",
        "aria-label=\"tempo: predicted against actual numbers\"",
        "<title>tagger: loss over the epochs</title>",
        "<dt>R2</dt>",
    ] {
        assert!(html.contains(part), "{part}");
    }
    assert_eq!(html.matches("<table class=\"matrix\">").count(), 9, "of classes only");
    assert!(!html.contains("NaN") && !text.contains("NaN"));
    let tex = fs::read_to_string(&written.tex).unwrap();
    assert_eq!(tex.matches("\\begin{tabular}").count(), 3);
    assert!(
        written.table.text.contains("ROC-AUC [95 %]") && written.table.text.contains("R2 [95 %]")
    );
    let widest = written.table.text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{}", written.table.text);
    // The same records give the same bytes.
    let again = write(&runs, &names(), &root.join("mixed-again")).unwrap();
    assert!(fs::read(&again.readme).unwrap() == text.as_bytes());
    for (a, b) in written.figures.iter().zip(&again.figures) {
        assert!(fs::read(a).unwrap() == fs::read(b).unwrap(), "{}", a.display());
    }
}

#[test]
fn a_page_of_one_task_needs_no_headings() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [number_run(folder.path(), "tempo", 1, 15.0)];
    let text = page(&runs, &options(&["tempo", "later"]), &folder.path().join("page"));
    assert!(!text.contains("### Numbers") && !text.contains("accuracies.svg"));
    assert!(
        !text.contains("- **ours**") && text.contains("- **R2**") && text.contains("- **verdict**")
    );
    let first = text.lines().find(|line| line.starts_with("| experiment")).unwrap();
    assert!(first.contains("| R2 [95 % interval]"), "{first}");
    assert_eq!(text.matches("| not run ").count(), 1);
}

#[test]
fn results_have_columns_of_the_tasks_that_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let runs = mixed(folder.path());
    let head = |runs: &[Run], name: &str| {
        let written = write(runs, &names(), &folder.path().join(name)).unwrap();
        let csv = fs::read_to_string(written.results).unwrap();
        let columns: Vec<String> =
            csv.lines().next().unwrap().split(',').map(str::to_owned).collect();
        (columns, csv)
    };
    let of_classes: Vec<Run> =
        runs.iter().filter(|run| run.record.data.task == Task::Classes).cloned().collect();
    let (plain, _) = head(&of_classes, "plain");
    let (columns, csv) = head(&runs, "all");
    assert_eq!(columns[..plain.len()], plain);
    assert_eq!(
        columns[plain.len()..],
        ["task", "roc_auc", "average_precision", "r2", "mae", "mse"]
    );
    let run = runs.iter().find(|run| run.record.experiment == "tempo").unwrap();
    let line = csv.lines().find(|line| line.contains(&run.id)).unwrap();
    let Scores::Number(scores) = run.record.scored() else { panic!() };
    let end = format!("{},number,,,{},{},{}", run.id, scores.r2, scores.mae, scores.mse);
    assert!(line.starts_with("tempo,gtzan,1,,,,720,") && line.ends_with(&end), "{line}");
}

#[test]
fn facts_name_the_task_the_metric_and_their_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let runs =
        [tags_run(folder.path(), "tagger", 1, 2.0), number_run(folder.path(), "tempo", 1, 15.0)];
    let results = table(&runs, &names()).unwrap().results;
    let [tagger, tempo] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!((tagger.task.as_str(), tagger.metric.as_str()), ("tags", "roc_auc"));
    assert_eq!(tagger.score.mean, runs[0].record.scored().main());
    assert!(tagger.accuracy.is_none() && tagger.score_by_track.is_some());
    assert!(tagger.other_scores["average_precision"].low > 0.0);
    assert_eq!((tempo.task.as_str(), tempo.metric.as_str()), ("number", "r2"));
    let Scores::Number(scores) = runs[1].record.scored() else { panic!() };
    assert!((tempo.other_scores["mae"].mean - scores.mae).abs() < 1e-12);
    assert_eq!(tempo.claims[0].lower_is_better, Some(true));
    assert_eq!(tempo.claims[1].lower_is_better, Some(false));
}

#[test]
fn a_claim_about_an_error_has_a_relative_margin_and_its_unit_s_digits() {
    let folder = tempfile::tempdir().unwrap();
    let judged = |name: &'static str, value: f64, within: Option<f64>| {
        let runs: Vec<Run> = (1..=3)
            .map(|seed| {
                number_run_with(folder.path(), name, seed, 15.0, |record| {
                    record.claims = vec![Claim { within, ..claim("mae", value) }];
                })
            })
            .collect();
        let ledger = claims(&runs, &names()).unwrap();
        (ledger.results[0].claims[0].verdict.clone(), ledger.text.replace("\n    ", " "))
    };
    let (_, text) = judged("tempo", 11.0, None);
    let (ours, _) = text.split_once(" over 3 seeds").unwrap();
    let ours: f64 = ours.split("ours ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    let (verdict, text) = judged("tempo-1", ours, None);
    assert!(text.contains(&format!("within the margin of {:.1}", 0.1 * ours)), "{text}");
    assert_eq!(verdict, "reproduced", "{text}");
    let (verdict, text) = judged("tempo-2", ours, Some(0.2));
    assert!(verdict == "inconclusive" && text.contains("within the margin of 0.2,"), "{text}");
    let (verdict, text) = judged("tempo-3", 2.0 * ours, None);
    assert!(verdict == "differs" && text.contains("ours is below it by "), "{text}");
    let (verdict, text) = judged("tempo-4", 1e9, None);
    assert!(verdict == "differs" && text.contains("mae 1000000000 "), "{text}");
}

#[test]
fn tags_that_no_example_has_are_named_and_undefined_scores_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let run = tags_run(folder.path(), "tagger", 1, 2.0);
    let text = table(std::slice::from_ref(&run), &names()).unwrap().text;
    assert!(text.contains("no test examples of instrument---theremin"), "{text}");
    // Two tags: one on all examples, one on none.
    let rows = (0..4).map(|track| TagsPrediction {
        example: ExampleId { track: format!("t{track}"), segment: 0 },
        actual: vec![true, false],
        probabilities: vec![0.5, 0.5],
    });
    let run =
        tags_run_of(folder.path(), "undefined", 1, rows.collect(), vec!["a".into(), "b".into()]);
    assert!(run.record.scored().main().is_nan());
    let error = table(std::slice::from_ref(&run), &names()).unwrap_err();
    assert!(error.is_of_run());
    let wanted = "expected a tag that some test examples have and others do not, found none";
    assert!(error.to_string().contains(wanted), "{error}");
    let (whole, damaged) = whole(vec![run], None);
    assert_eq!((whole.len(), damaged.len()), (0, 1));
}

#[test]
fn records_of_tags_and_numbers_that_contradict_themselves_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tagger = tags_run(folder.path(), "tagger", 1, 2.0);
    let tempo = number_run(folder.path(), "tempo", 1, 15.0);
    let said = |run: &Run, change: &dyn Fn(&mut Scores)| {
        let mut run = run.clone();
        change(run.record.test.as_mut().unwrap());
        table(&[run], &names()).unwrap_err().to_string()
    };
    let of_tags = |change: fn(&mut crate::vocab::TaggingScores)| {
        said(&tagger, &|scores| {
            let Scores::Tags(scores) = scores else { panic!() };
            change(scores);
        })
    };
    let of_number = |change: fn(&mut crate::vocab::RegressionScores)| {
        said(&tempo, &|scores| {
            let Scores::Number(scores) = scores else { panic!() };
            change(scores);
        })
    };
    assert!(
        of_tags(|it| it.roc_auc = Some(0.1)).contains("test.roc_auc must be the mean of test.tags")
    );
    assert!(
        of_tags(|it| it.tags.truncate(2)).contains("test.tags must be 9, as the tags, found 2")
    );
    let error = of_tags(|it| it.tags[8].roc_auc = Some(0.5));
    assert!(error.contains("test.tags[8].roc_auc must be there exactly if"), "{error}");
    assert!(of_tags(|it| it.tags[0].n_positive = 721).contains("must be at most test.n, 720"));
    assert!(of_number(|it| it.r2 = 1.5).contains("test.r2 must be at most 1, found 1.5"));
    assert!(of_number(|it| it.mse = 1.0).contains("test.mse must be at least test.mae squared"));
    let error = said(&tempo, &|scores| *scores = tagger.record.scored().clone());
    assert!(
        error.contains("test must have the scores of number, as data.task, found tags"),
        "{error}"
    );
}

#[test]
fn runs_have_fields_of_their_task() {
    let folder = tempfile::tempdir().unwrap();
    let tagger = tags_run(folder.path(), "tagger", 1, 2.0);
    let tempo = number_run(folder.path(), "tempo", 1, 15.0);
    let fields = |run: &Run, depth| run_fields(run, depth).unwrap().0;
    let of_tagger = fields(&tagger, crate::record::Depth::Predictions);
    for name in ["roc_auc", "average_precision", "log_loss", "train.roc_auc", "roc_auc_by_track"] {
        assert!(of_tagger[name].is_f64(), "{name}");
    }
    assert!(!of_tagger.contains_key("accuracy") && !of_tagger.contains_key("r2"));
    let of_tempo = fields(&tempo, crate::record::Depth::Records);
    for name in ["r2", "mae", "mse", "valid.mae", "test.n"] {
        assert!(of_tempo[name].is_number(), "{name}");
    }
    assert!(!of_tempo.contains_key("r2_by_track") && needs_predictions("r2_by_track"));
    assert!(fields(&tempo, crate::record::Depth::Predictions)["mae_by_track"].is_f64());
}

#[test]
fn models_of_tags_and_of_numbers_are_compared_by_their_main_metric() {
    let folder = tempfile::tempdir().unwrap();
    let runs = mixed(folder.path());
    let compared = |names: [&str; 2]| comparison(&runs, &names.map(str::to_owned));
    let tags = compared(["tagger-weak", "tagger"]).unwrap();
    let said = tags.text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "ROC-AUC per segment 0.",
        "average precision 0.",
        "ROC-AUC per track: tagger is better than tagger-weak by 0.",
        "(3 seed pairs on the same 240 tracks)",
    ] {
        assert!(said.contains(part), "{part}\nis not in\n{}", tags.text);
    }
    assert!(!said.contains("McNemar") && !said.contains("resampled") && !said.contains("points"));
    assert!(tags.sides[0].accuracy.is_empty() && tags.sides[0].scores.len() == 2);
    assert_eq!((tags.tests[0].metric.as_str(), tags.tests[0].is_paired), ("roc_auc", true));
    let numbers = compared(["tempo-bad", "tempo"]).unwrap();
    assert!(
        numbers.text.contains("R2 per segment") && numbers.text.contains("MAE"),
        "{}",
        numbers.text
    );
    assert_eq!(numbers.tests[0].metric, Metric::R2.as_str());
    let error = compared(["tagger", "tempo"]).unwrap_err().to_string();
    assert_eq!(error, "tagger predicts tags and tempo predicts a number");
}

#[test]
fn scores_that_were_kept_give_the_same_page() {
    let folder = tempfile::tempdir().unwrap();
    let runs = mixed(&folder.path().join("runs"));
    let file = folder.path().join("scores");
    let read = |written: Written| -> Vec<Vec<u8>> {
        [written.readme, written.page, written.tex].iter().map(|it| fs::read(it).unwrap()).collect()
    };
    let make = |options: &Options, at: &Path| read(write(&runs, options, at).unwrap());
    let at = folder.path().join("page");
    let plain = make(&names(), &at);
    let with = Options { scores: Some(file), ..names() };
    assert!(make(&with, &at) == plain && make(&with, &at) == plain);
}
