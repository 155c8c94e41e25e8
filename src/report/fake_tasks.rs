//! Made-up runs of tags and numbers, for the tests of this room.

use std::path::Path;

use super::fake::{self, Fake, gtzan};
use crate::metrics;
use crate::record::{Claim, Epoch, NumberPrediction, Predictions, Record, Run, TagsPrediction};
use crate::vocab::{ExampleId, Scores, Seed, Task};

pub(super) const TAGS: [&str; 9] = [
    "mood/theme---happy",
    "instrument---guitar",
    "genre---rock",
    "genre---electronic",
    "instrument---drums",
    "mood/theme---film",
    "vocal",
    "speed---slow & heavy",
    // On no test example.
    "instrument---theremin",
];
const N_TRACKS: usize = 240;
const N_SEGMENTS: usize = 3;

/// A run that predicts tags, the better the larger `skill`.
pub(super) fn tags_run(root: &Path, experiment: &'static str, seed: u64, skill: f64) -> Run {
    let mut rows = vec![];
    for track in 0..N_TRACKS {
        let mut rng = Seed(9).rng("tags", &[track as u64]);
        let share = |tag: usize| if tag + 1 == TAGS.len() { 0.0 } else { 0.5 / (1.0 + tag as f64) };
        let actual: Vec<bool> = (0..TAGS.len()).map(|tag| rng.uniform() < share(tag)).collect();
        let hard: Vec<f64> = TAGS.iter().map(|_| rng.normal()).collect();
        let mut rng = Seed(seed).rng(experiment, &[track as u64]);
        for segment in 0..N_SEGMENTS as u32 {
            let logit = |(has, hard): (&bool, &f64)| {
                skill * (f64::from(u8::from(*has)) - 0.7) + 0.7 * hard + 0.7 * rng.normal()
            };
            let logits: Vec<f64> = actual.iter().zip(&hard).map(logit).collect();
            rows.push(TagsPrediction {
                example: ExampleId { track: format!("t{track}"), segment },
                actual: actual.clone(),
                probabilities: logits.iter().map(|x| (1.0 / (1.0 + (-x).exp())) as f32).collect(),
            });
        }
    }
    tags_run_of(root, experiment, seed, rows, TAGS.map(str::to_owned).to_vec())
}

/// A run with these predictions.
pub(super) fn tags_run_of(
    root: &Path,
    experiment: &'static str,
    seed: u64,
    rows: Vec<TagsPrediction>,
    tags: Vec<String>,
) -> Run {
    write(root, experiment, seed, &Predictions::Tags(rows), tags, |_| {})
}

/// A run that predicts tempos in beats per minute, with errors of `error`.
pub(super) fn number_run(root: &Path, experiment: &'static str, seed: u64, error: f64) -> Run {
    number_run_with(root, experiment, seed, error, |_| {})
}

/// The same with a changed record.
pub(super) fn number_run_with(
    root: &Path,
    experiment: &'static str,
    seed: u64,
    error: f64,
    change: impl Fn(&mut Record),
) -> Run {
    let mut rows = vec![];
    for track in 0..N_TRACKS {
        let mut rng = Seed(9).rng("number", &[track as u64]);
        let (actual, hard) = (110.0 + 25.0 * rng.normal(), rng.normal());
        let mut rng = Seed(seed).rng(experiment, &[track as u64]);
        for segment in 0..N_SEGMENTS as u32 {
            let predicted =
                110.0 + 0.9 * (actual - 110.0) + error * (0.7 * hard + 0.7 * rng.normal());
            let example = ExampleId { track: format!("t{track}"), segment };
            let (actual, predicted) = (actual as f32, predicted as f32);
            rows.push(NumberPrediction { example, actual, predicted });
        }
    }
    write(root, experiment, seed, &Predictions::Number(rows), vec!["tempo".to_owned()], change)
}

/// A claim about such runs.
pub(super) fn claim(metric: &str, value: f64) -> Claim {
    Claim {
        metric: metric.to_owned(),
        value,
        source: "paper, table 2".to_owned(),
        dataset: "gtzan".to_owned(),
        n_runs: None,
        n_test: None,
        seed_sd: None,
        within: None,
    }
}

fn write(
    root: &Path,
    experiment: &'static str,
    seed: u64,
    predictions: &Predictions,
    classes: Vec<String>,
    change: impl Fn(&mut Record),
) -> Run {
    let fake =
        Fake { claim: None, leaks: false, n_epochs: 40, ..gtzan(experiment, seed, 0.5, 0.0) };
    let mut record = fake::record(&fake);
    let test = metrics::scores(&predictions.targets(), &predictions.outputs(), classes.len());
    record.data.task = test.task();
    record.data.classes = classes;
    record.title = format!("A model that tells {}", test.task().words());
    record.question = "Does it reach the published figure?".to_owned();
    record.claims = match &test {
        Scores::Tags(_) => vec![claim("roc_auc", 0.82), claim("average_precision", 0.1)],
        _ => vec![claim("mae", 11.0), claim("r2", 0.77)],
    };
    (record.split.n_test, record.split.n_test_tracks) = (test.n(), N_TRACKS.min(test.n()));
    (record.train, record.valid) = (Some(test.clone()), Some(test.clone()));
    record.test = Some(test);
    change(&mut record);
    let writer = fake::begin_any(root, &fake, predictions, &record.data.classes);
    writer.finish(record, &epochs(&fake)).unwrap().0
}

/// Epochs without accuracies.
fn epochs(fake: &Fake) -> Vec<Epoch> {
    let mut epochs = fake::epochs(fake);
    for epoch in &mut epochs {
        (epoch.train_accuracy, epoch.valid_accuracy) = (f64::NAN, f64::NAN);
    }
    epochs
}

/// Runs of all three tasks.
pub(super) fn mixed(root: &Path) -> Vec<Run> {
    let mut runs = fake::report_like(root);
    for seed in 1..=3 {
        runs.push(tags_run(root, "tagger", seed, 2.0));
        runs.push(tags_run(root, "tagger-weak", seed, 1.4));
        runs.push(number_run(root, "tempo", seed, 14.0 + seed as f64));
    }
    runs.push(number_run(root, "tempo-bad", 1, 45.0));
    assert!(Task::ALL.iter().all(|task| runs.iter().any(|run| run.record.data.task == *task)));
    runs
}
