use std::path::Path;

use super::*;
use crate::metrics;
use crate::record::Prediction;
use crate::report::fake::{self, Fake, gtzan};
use crate::vocab::{ExampleId, Seed};

/// 60 tracks of two classes with 4 segments each; a model that is right on a segment with
/// probability `skill`, alike for all segments of a track. `first_track` moves the test set.
fn run(root: &Path, experiment: &'static str, seed: u64, skill: f64, first_track: usize) -> Run {
    let fake = Fake { leaks: false, claim: None, ..gtzan(experiment, seed, 0.5, 0.0) };
    let mut predictions = vec![];
    for track in first_track..first_track + 60 {
        // What is hard is hard for every model and seed.
        let hard = 0.35 * Seed(9).rng("hard", &[track as u64]).normal();
        let mut rng = Seed(seed).rng(experiment, &[track as u64]);
        for segment in 0..4 {
            let actual = track % 2;
            let p = (skill + hard + 0.1 * rng.normal()).clamp(0.01, 0.99) as f32;
            let mut probabilities = vec![1.0 - p, p];
            if actual == 0 {
                probabilities.reverse();
            }
            let predicted = metrics::most_likely(&probabilities, 2)[0];
            let example = ExampleId { track: format!("t{track}"), segment };
            predictions.push(Prediction { example, actual, predicted, probabilities });
        }
    }
    write(root, &fake, &predictions)
}

/// A run with these predictions and what follows from them.
fn write(root: &Path, fake: &Fake, predictions: &[Prediction]) -> Run {
    let mut record = fake::record(fake);
    let actual: Vec<usize> = predictions.iter().map(|row| row.actual).collect();
    let predicted: Vec<usize> = predictions.iter().map(|row| row.predicted).collect();
    let confusion = metrics::confusion(&actual, &predicted, 2);
    let accuracy = metrics::accuracy(&confusion);
    let test = fake::of_classes_mut(record.test.as_mut().unwrap());
    (test.n, test.accuracy, test.confusion) = (actual.len(), accuracy, confusion);
    (record.train, record.valid) = (Some(record.scored().clone()), None);
    record.data.classes = vec!["pop".to_owned(), "rock".to_owned()];
    record.split.n_test = actual.len();
    record.split.n_test_tracks = actual.len() / 4;
    record.split.n_leaking = 0;
    record.spec = serde_json::json!({
        "title": fake.experiment, "seeds": [1, 2, 3], "training": { "epochs": fake.experiment.len() }
    }).into();
    fake::write(root, fake, record, predictions)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// The text with its line breaks undone.
fn said(runs: &[Run], of: &[&str]) -> String {
    let text = compare(runs, &names(of)).unwrap();
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns:\n{text}");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn assert_has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
}

#[test]
fn seeds_on_the_same_test_set_are_paired_and_the_better_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = vec![];
    for seed in 1..=3 {
        runs.push(run(folder.path(), "dnn", seed, 0.6, 0));
        runs.push(run(folder.path(), "cnn-2", seed, 0.8, 0));
    }
    let text = compare(&runs, &names(&["dnn", "cnn-2"])).unwrap();
    assert_eq!(text, DNN_AGAINST_CNN_2);
    // The difference is the plain mean of the records' differences.
    let accuracy = |name: &str| {
        let of = runs.iter().filter(|run| run.record.experiment == name);
        of.map(|run| run.record.scored().main()).sum::<f64>() / 3.0
    };
    let by = format!(
        "cnn-2 is better than dnn by {:.1} points",
        100.0 * (accuracy("cnn-2") - accuracy("dnn"))
    );
    assert_has(
        &said(&runs, &["dnn", "cnn-2"]),
        &["per segment: ", &by, "(3 seed pairs on the same 60 tracks)"],
    );
    // Asked the other way round, the same is better.
    assert_has(&said(&runs, &["cnn-2", "dnn"]), &[&by, "training.epochs: 5 -> 3"]);
}

const DNN_AGAINST_CNN_2: &str = "\
dnn: seeds 1, 2 and 3, on gtzan; split random by segment, stratified, 30 % test, 30 % of the rest
    valid
cnn-2: seeds 1, 2 and 3, on gtzan; split random by segment, stratified, 30 % test, 30 % of the rest
    valid

                        dnn                   cnn-2
accuracy per segment    0.621 [0.478, 0.745]  0.803 [0.681, 0.886]
  error by test tracks  0.054                 0.046
  error by seeds        0.018                 0.009
accuracy per track      0.628 [0.481, 0.755]  0.811 [0.696, 0.890]
  error by test tracks  0.059                 0.049
  error by seeds        0.013                 0.000
macro F1                0.621 [0.477, 0.746]  0.802 [0.681, 0.886]
top-2 accuracy          1.000 [0.937, 1.000]  1.000 [0.937, 1.000]
log-loss                0.865 [0.629, 1.191]  0.444 [0.300, 0.658]
Brier score             0.522 [0.396, 0.690]  0.285 [0.196, 0.415]
calibration error       0.165                 0.055

spec, dnn -> cnn-2:
  training.epochs: 3 -> 5

per segment: cnn-2 is better than dnn by 18.2 points, 95 % 8.0 to 28.3, p = 0.013 (3 seed pairs on
  the same 60 tracks)
- tracks resampled 10,000 times, same models: 95 % 12.4 to 24.7

per track: cnn-2 is better than dnn by 18.3 points, 95 % 8.9 to 27.7, p = 0.005 (3 seed pairs on the
  same 60 tracks)
- tracks resampled 10,000 times, same models: 95 % 10.6 to 27.2
- McNemar, exact, seed 1: 9 tracks right by cnn-2 alone, 0 by dnn alone, p = 0.004
- McNemar, exact, seed 2: 12 tracks right by cnn-2 alone, 0 by dnn alone, p < 0.001
- McNemar, exact, seed 3: 12 tracks right by cnn-2 alone, 0 by dnn alone, p < 0.001
";

#[test]
fn equal_models_give_no_evidence_but_what_could_have_been_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = vec![];
    for seed in 1..=3 {
        runs.push(run(folder.path(), "dnn", seed, 0.7, 0));
        runs.push(run(folder.path(), "cnn-2", seed, 0.7, 0));
    }
    let text = said(&runs, &["dnn", "cnn-2"]);
    assert_has(
        &text,
        &[
            "no evidence of a difference between dnn and cnn-2",
            "60 tracks and 3 seeds can detect differences above",
        ],
    );
    assert!(!text.contains("is better than"), "{text}");
}

#[test]
fn the_very_same_answers_are_said_to_be_that() {
    let folder = tempfile::tempdir().unwrap();
    let first = run(folder.path(), "dnn", 1, 0.7, 0);
    let mut second = first.clone();
    (second.id, second.record.experiment) = ("other".to_owned(), "cnn-2".to_owned());
    let text = said(&[first, second], &["dnn", "cnn-2"]);
    let same = "no evidence of a difference between dnn and cnn-2: both are right on the very same";
    assert_has(&text, &[&format!("{same} segments"), &format!("{same} tracks")]);
}

#[test]
fn single_seeds_are_not_ranked_without_saying_so() {
    let folder = tempfile::tempdir().unwrap();
    let runs =
        [("dnn", 0.5), ("cnn-2", 0.9)].map(|(name, skill)| run(folder.path(), name, 1, skill, 0));
    assert_has(
        &said(&runs, &["dnn", "cnn-2"]),
        &[
            "unknown: one seed",
            "the model of cnn-2 is better than that of dnn by",
            "experiments with one seed are not ranked",
            "McNemar, exact, seed 1: ",
        ],
    );
}

#[test]
fn other_test_sets_are_compared_unpaired_and_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = vec![];
    for seed in 1..=3 {
        runs.push(run(folder.path(), "dnn", seed, 0.7, 0));
        runs.push(run(folder.path(), "cnn-2", seed, 0.7, 40));
    }
    let text = said(&runs, &["dnn", "cnn-2"]);
    assert_has(
        &text,
        &["(unpaired, as the test sets differ: 3 seeds and 3 seeds, 100 tracks in all)"],
    );
    assert!(!text.contains("McNemar") && !text.contains("resampled"), "{text}");
}

#[test]
fn runs_without_a_partner_are_counted_out_loud() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs: Vec<Run> = (1..=3).map(|seed| run(folder.path(), "dnn", seed, 0.7, 0)).collect();
    runs.extend((2..=3).map(|seed| run(folder.path(), "cnn-2", seed, 0.7, 0)));
    assert_has(
        &said(&runs, &["dnn", "cnn-2"]),
        &["2 seed pairs", "1 run without a counterpart on the same test set, not counted"],
    );
}

#[test]
fn runs_are_named_by_their_ids_and_many_pairs_are_corrected() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<Run> = (1..=2).map(|seed| run(folder.path(), "dnn", seed, 0.7, 0)).collect();
    let other = run(folder.path(), "cnn-2", 1, 0.9, 0);
    let of = [runs[0].id.clone(), runs[1].id.clone(), "cnn-2".to_owned()];
    let all = [runs, vec![other]].concat();
    let text = said(&all, &of.each_ref().map(String::as_str));
    assert_has(&text, &["dnn seed 1", "dnn seed 2", "by Holm's correction over 3 pairs"]);
    assert_eq!(text.matches("per track: ").count(), 3);
}

#[test]
fn what_can_t_be_compared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let runs = [run(folder.path(), "dnn", 1, 0.7, 0)];
    let error = |of: &[&str]| compare(&runs, &names(of)).unwrap_err();
    assert!(matches!(error(&["dnn", "cnn-9"]), CompareError::NoRun(name) if name == "cnn-9"));
    assert_eq!(error(&["dnn", "dnn"]).to_string(), "dnn cannot be compared with itself");
    let mut other = run(folder.path(), "cnn-2", 1, 0.7, 0);
    other.record.data.classes[0] = "jazz".to_owned();
    let both = [runs[0].clone(), other];
    let error = compare(&both, &names(&["dnn", "cnn-2"])).unwrap_err().to_string();
    assert_eq!(error, "dnn and cnn-2 have different classes: on gtzan and on gtzan");
}
