//! Comparison of tags and numbers with scikit-learn and statsmodels; `tests/golden/make_tasks.py` computed the
//! numbers.

use serde_json::Value;

use super::golden::close;
use super::*;
use crate::vocab::Targets;

const N_TRACKS: usize = 40;
const N_TAGS: usize = 5;

fn file() -> Value {
    serde_json::from_str(include_str!("../../tests/golden/tasks.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
}

/// The value and the variance of a metric.
fn scored(
    metric: Metric,
    targets: &Targets,
    outputs: &[f32],
    n: usize,
    tracks: &[usize],
) -> [f64; 2] {
    let answers =
        Answers { targets, predicted: &[], outputs, n_outputs: n, tracks, n_tracks: N_TRACKS };
    let score = metric.score(&answers).unwrap();
    [score.value, score.variance()]
}

#[test]
fn scores_of_tags_agree() {
    let file = file();
    let tracks: Vec<usize> = numbers(&file["tracks"]).iter().map(|n| *n as usize).collect();
    let wanted = &file["tags"];
    let targets = Targets::Tags(numbers(&wanted["actual"]).iter().map(|n| *n == 1.0).collect());
    let p: Vec<f32> = numbers(&wanted["probabilities"]).iter().map(|p| *p as f32).collect();
    let number = |key: &str| wanted[key].as_f64().unwrap();
    let Scores::Tags(scores) = scores(&targets, &p, N_TAGS) else { panic!("tags were scored") };
    assert_eq!((scores.n, scores.tags.len(), scores.n_left_out()), (tracks.len(), N_TAGS, 2));
    close(scores.roc_auc.unwrap(), number("roc_auc"), 1e-12);
    close(scores.average_precision.unwrap(), number("average_precision"), 1e-12);
    // Probabilities are two-decimal `f32` here and `f64` there.
    close(scores.log_loss, number("log_loss"), 1e-7);
    for (tag, wanted) in scores.tags.iter().zip(wanted["each"].as_array().unwrap()) {
        assert_eq!(wanted[0].as_u64(), Some(tag.n_positive as u64));
        for (got, wanted) in
            [tag.roc_auc, tag.average_precision].iter().zip([&wanted[1], &wanted[2]])
        {
            assert_eq!(got.is_some(), wanted.is_number());
            close(got.unwrap_or(0.0), wanted.as_f64().unwrap_or(0.0), 1e-12);
        }
    }
    let of = |metric| scored(metric, &targets, &p, N_TAGS, &tracks);
    assert_eq!(of(Metric::RocAuc)[0], scores.roc_auc.unwrap());
    let [loss, variance] = of(Metric::LogLoss);
    close(loss, scores.log_loss, 1e-15);
    close(variance, number("log_loss_variance"), 1e-7);
    // The infinitesimal jackknife is near the one that leaves out a track: both of 40 tracks.
    for (metric, key) in [
        (Metric::RocAuc, "roc_auc_jackknife"),
        (Metric::AveragePrecision, "average_precision_jackknife"),
    ] {
        let ratio = of(metric)[1] / number(key);
        assert!((0.75..1.1).contains(&ratio), "{metric:?}: {ratio}");
    }
    for metric in [Metric::RocAucByTrack, Metric::AveragePrecisionByTrack] {
        close(of(metric)[0], number(metric.as_str()), 1e-12);
    }
}

#[test]
fn scores_of_numbers_agree() {
    let file = file();
    let tracks: Vec<usize> = numbers(&file["tracks"]).iter().map(|n| *n as usize).collect();
    let wanted = &file["number"];
    let f32s =
        |key: &str| -> Vec<f32> { numbers(&wanted[key]).iter().map(|x| *x as f32).collect() };
    let (actual, predicted) = (f32s("actual"), f32s("predicted"));
    let number = |key: &str| wanted[key].as_f64().unwrap();
    let targets = Targets::Numbers(actual.clone());
    let Scores::Number(scores) = scores(&targets, &predicted, 1) else {
        panic!("numbers were scored")
    };
    assert_eq!(scores.n, tracks.len());
    for (got, key) in [(scores.r2, "r2"), (scores.mae, "mae"), (scores.mse, "mse")] {
        close(got / number(key), 1.0, 1e-12);
    }
    let of = |metric| scored(metric, &targets, &predicted, 1, &tracks);
    for (metric, key) in [(Metric::Mae, "mae_variance"), (Metric::Mse, "mse_variance")] {
        close(of(metric)[1] / number(key), 1.0, 1e-9);
    }
    let ratio = of(Metric::R2)[1] / number("r2_jackknife");
    assert!((0.75..1.1).contains(&ratio), "{ratio}");
    for metric in [Metric::R2ByTrack, Metric::MaeByTrack, Metric::MseByTrack] {
        close(of(metric)[0] / number(metric.as_str()), 1.0, 1e-9);
    }
    let constant = numbers(&wanted["r2_constant"]);
    assert_eq!([r2(&[2.5; 3], &[2.5; 3]), r2(&[2.5; 3], &[2.5, 2.5, 3.0])], constant[..]);
}
