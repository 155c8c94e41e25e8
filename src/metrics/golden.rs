//! Comparison with scikit-learn, statsmodels and scipy; `tests/golden/make_metrics.py` computed the
//! numbers.

use serde_json::Value;

use super::*;
use crate::vocab::Seed;

// Ten examples and four classes; the last class is neither present nor predicted.
pub(super) const ACTUAL: [usize; 10] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
pub(super) const PREDICTED: [usize; 10] = [0, 0, 1, 1, 2, 1, 2, 0, 2, 2];
#[rustfmt::skip]
pub(super) const PROBABILITIES: [f32; 40] = [
    0.70, 0.20, 0.05, 0.05,
    0.40, 0.30, 0.20, 0.10,
    0.00, 0.97, 0.02, 0.01,
    0.25, 0.50, 0.15, 0.10,
    0.10, 0.35, 0.45, 0.10,
    0.30, 0.60, 0.05, 0.05,
    0.05, 0.15, 0.75, 0.05,
    0.50, 0.10, 0.30, 0.10,
    0.00, 0.00, 1.00, 0.00,
    0.20, 0.25, 0.45, 0.10,
];

/// Whether two numbers agree to within `tolerance`.
pub(super) fn close(got: f64, wanted: f64, tolerance: f64) {
    assert!((got - wanted).abs() <= tolerance, "got {got}, wanted {wanted} +- {tolerance}");
}

#[test]
fn scores_agree_with_scikit_learn() {
    let Scores::Classes(scores) = scores(&Targets::Classes(ACTUAL.to_vec()), &PROBABILITIES, 4)
    else {
        panic!("classes were scored")
    };
    assert_eq!(scores.n, 10);
    close(scores.accuracy, 0.7, 1e-15);
    close(scores.macro_f1, 0.694_444_444_444_444_4, 1e-15);
    close(scores.log_loss, 2.175_930_976_867_676, 1e-6); // scikit-learn sums in f32 here
}

const N_CLASSES: usize = 4;
const N_TRACKS: usize = 40;

/// Two models on 200 examples of 40 tracks.
struct File(Value);

impl File {
    fn read() -> Self {
        let text = include_str!("../../tests/golden/metrics.json");
        Self(serde_json::from_str(text).unwrap())
    }

    fn classes(&self, key: &str) -> Vec<usize> {
        self.0[key].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
    }

    fn models(&self) -> impl Iterator<Item = (&Value, Vec<f32>)> {
        let models = self.0["models"].as_array().unwrap().iter();
        models.map(|model| (model, numbers(&model["probabilities"]).map(|p| p as f32).collect()))
    }
}

fn numbers(value: &Value) -> impl Iterator<Item = f64> {
    value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap())
}

fn is_right(actual: &[usize], predicted: &[usize]) -> Vec<bool> {
    actual.iter().zip(predicted).map(|(a, p)| a == p).collect()
}

fn fractions(right: &[bool]) -> Vec<f64> {
    right.iter().map(|right| f64::from(u8::from(*right))).collect()
}

/// Probabilities are four-decimal `f32` here and `f64` there, which adds up to 1e-7.
#[test]
fn scores_of_two_models_agree() {
    let file = File::read();
    let (actual, tracks) = (file.classes("actual"), file.classes("tracks"));
    let mut n_models = 0;
    for (wanted, p) in file.models() {
        n_models += 1;
        let wanted = |key: &str| wanted[key].as_f64().unwrap();
        let predicted = most_likely(&p, N_CLASSES);
        let right = fractions(&is_right(&actual, &predicted));
        let accuracy = Clustered::mean(&right, &tracks, N_TRACKS);
        close(accuracy.value, wanted("accuracy"), 1e-12);
        close(accuracy.variance(), wanted("accuracy_variance"), 1e-12);
        let f1 = Clustered::macro_f1(&actual, &predicted, &tracks, N_CLASSES, N_TRACKS);
        close(f1.value, wanted("macro_f1"), 1e-12);
        close(f1.variance(), wanted("macro_f1_variance"), 1e-12);
        let loss = Clustered::mean(&log_losses(&actual, &p, N_CLASSES), &tracks, N_TRACKS);
        close(loss.value, wanted("log_loss"), 1e-7);
        close(loss.variance(), wanted("log_loss_variance"), 1e-7);
        close(top_k_accuracy(&actual, &p, N_CLASSES, 2), wanted("top_2"), 1e-12);
        let brier = brier_scores(&actual, &p, N_CLASSES);
        close(brier.iter().sum::<f64>() / 200.0, wanted("brier"), 1e-7);
        close(calibration_error(&actual, &p, N_CLASSES), wanted("calibration_error"), 1e-12);
        let targets = Targets::Classes(actual.clone());
        let auc = roc_auc(&targets, &p, N_CLASSES, &tracks, N_TRACKS).unwrap();
        close(auc.value, wanted("roc_auc"), 1e-12);
        let precision = average_precision(&targets, &p, N_CLASSES, &tracks, N_TRACKS).unwrap();
        close(precision.value, wanted("average_precision"), 1e-12);
        // The infinitesimal jackknife is near the one that leaves out a track: both of 40 tracks.
        for (score, key) in [(auc, "roc_auc"), (precision, "average_precision")] {
            let ratio = score.variance() / wanted(&format!("{key}_jackknife"));
            assert!((0.75..1.1).contains(&ratio), "{key}: {ratio}");
        }
    }
    assert_eq!(n_models, 2);
}

#[test]
fn precision_recall_f1_and_support_agree() {
    let file = File::read();
    let actual = file.classes("actual");
    for (wanted, p) in file.models() {
        let counts = confusion(&actual, &most_likely(&p, N_CLASSES), N_CLASSES);
        for (class, got) in per_class(&counts).iter().enumerate() {
            let got = [got.precision, got.recall, got.f1, got.support as f64];
            for (score, got) in got.into_iter().enumerate() {
                close(got, wanted["classes"][score][class].as_f64().unwrap(), 1e-12);
            }
        }
    }
}

#[test]
fn two_models_on_the_same_tracks_agree() {
    let file = File::read();
    let (actual, tracks) = (file.classes("actual"), file.classes("tracks"));
    let mut runs = vec![];
    let mut votes_right = vec![];
    for (wanted, p) in file.models() {
        let right = fractions(&is_right(&actual, &most_likely(&p, N_CLASSES)));
        let votes = track_votes(&tracks, &p, N_CLASSES);
        assert_eq!(votes.tracks, (0..N_TRACKS).collect::<Vec<_>>());
        let of_track: Vec<usize> = (0..N_TRACKS)
            .map(|track| actual[tracks.iter().position(|t| *t == track).unwrap()])
            .collect();
        let voted = is_right(&of_track, &most_likely(&votes.probabilities, N_CLASSES));
        let accuracy = fractions(&voted).iter().sum::<f64>() / N_TRACKS as f64;
        close(accuracy, wanted["track_votes_accuracy"].as_f64().unwrap(), 1e-12);
        votes_right.push(voted);
        runs.push(right);
    }
    let test = mcnemar(&votes_right[0], &votes_right[1]);
    let wanted: Vec<f64> = numbers(&file.0["mcnemar"]).collect();
    assert_eq!([test.only_first as f64, test.only_second as f64], wanted[..2]);
    close(test.p, wanted[2], 1e-12);

    let each: Vec<Clustered> =
        runs.iter().map(|right| Clustered::mean(right, &tracks, N_TRACKS)).collect();
    let difference = each[1].minus(&each[0]);
    close(difference.value, file.0["difference"].as_f64().unwrap(), 1e-12);
    close(difference.variance(), file.0["difference_variance"].as_f64().unwrap(), 1e-12);

    let mut by_track = vec![(0.0, 0.0); N_TRACKS];
    for (example, &track) in tracks.iter().enumerate() {
        by_track[track].0 += runs[1][example] - runs[0][example];
        by_track[track].1 += 1.0;
    }
    let interval = bootstrap(&by_track, 10_000, &mut Seed(1).rng("bootstrap", &[]));
    // scipy drew 200,000 different resamples: 0.004 is 4 standard errors of our ends.
    let wanted: Vec<f64> = numbers(&file.0["bootstrap"]).collect();
    close(interval.mean, difference.value, 1e-12);
    close(interval.low, wanted[0], 0.004);
    close(interval.high, wanted[1], 0.004);
}

#[test]
fn exact_tests_and_corrections_agree() {
    let file = File::read();
    let mut n_cases = 0;
    for case in file.0["mcnemar_counts"].as_array().unwrap() {
        let case: Vec<f64> = numbers(case).collect();
        let n = (case[0] + case[1]) as usize;
        let first: Vec<bool> = (0..n + 3).map(|i| i < case[0] as usize || i >= n).collect();
        let second: Vec<bool> = (0..n + 3).map(|i| i >= case[0] as usize).collect();
        let test = mcnemar(&first, &second);
        assert_eq!([test.only_first as f64, test.only_second as f64], case[..2]);
        close(test.p, case[2], 1e-12);
        n_cases += 1;
    }
    for case in file.0["holm"].as_array().unwrap() {
        let adjusted = holm(&numbers(&case[0]).collect::<Vec<_>>());
        for (got, wanted) in adjusted.iter().zip(numbers(&case[1])) {
            close(*got, wanted, 1e-12);
        }
        n_cases += 1;
    }
    assert_eq!(n_cases, 8);
}
