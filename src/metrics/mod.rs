//! Predicted and actual classes, tags or numbers -> metrics, intervals, verdicts.
//!
//! | file | content |
//! |---|---|
//! | `confusion` | confusion matrix; accuracy, precision, recall, F1 |
//! | `probability` | log-loss, top-k accuracy |
//! | `ranking` | areas under the ROC and precision-recall curves |
//! | `regression` | R2, absolute and squared errors |
//! | `metric` | the metrics that a published figure may be about, by name |
//! | `calibration` | calibration error, Brier score |
//! | `votes` | track predictions from the segments' votes |
//! | `interval` | intervals of an accuracy from counts |
//! | `cluster` | the score of one run, split by test track |
//! | `mean` | the mean of independent values, with its interval |
//! | `estimate` | a mean over seeds, or a difference: interval, p-value, variance by seeds and tracks (`seeds`) |
//! | `evidence` | ours minus a published figure, with the uncertainty of both; the range of repetitions |
//! | `learning_curve` | errors by the number of training tracks -> a power law, with the uncertainty of what it says of more data |
//! | `paired` | McNemar's test, the paired bootstrap, Holm's correction |
//! | `optimism` | how much the validation score of the best of many trials promises too much |
//! | `verdict` | a published figure -> reproduced, differs or inconclusive |
//!
//! This room is pure: it must never know a path or a clock, and uses only the random streams that
//! it is given.

mod calibration;
mod cluster;
mod confusion;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod coverage_learning;
#[cfg(test)]
mod coverage_search;
#[cfg(test)]
mod coverage_tasks;
mod estimate;
mod evidence;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_tasks;
mod interval;
mod learning_curve;
mod mean;
mod metric;
mod optimism;
mod paired;
mod probability;
mod ranking;
mod regression;
mod seeds;
#[cfg(test)]
mod simulation;
mod verdict;
mod votes;

pub use calibration::{CALIBRATION_BINS, MOST_BRIER_SCORE, brier_scores, calibration_error};
pub use cluster::Clustered;
pub use confusion::{ClassScores, accuracy, confusion, macro_f1, per_class};
pub use estimate::Estimate;
pub use evidence::{DEFAULT_LOSS_SPREAD, DEFAULT_SEED_SPREAD, Evidence, Published, Scale};
pub use interval::{Interval, wilson};
pub use learning_curve::{LearningCurve, LearningPoint, PowerLaw};
pub use mean::mean_interval;
pub use metric::{Answers, Metric};
pub use optimism::{optimism, seed_luck};
pub use paired::{McNemar, bootstrap, holm, mcnemar};
pub use probability::{
    MOST_LOG_LOSS, log_loss, log_losses, most_likely, tag_log_losses, top_k, top_k_accuracy,
};
pub use ranking::{areas_of, average_precision, roc_auc};
pub use regression::{absolute_errors, r2, r2_by_track, squared_errors};
pub use verdict::{DEFAULT_MARGIN, DEFAULT_RELATIVE_MARGIN, Judgment, Plan, Verdict, judge};
pub use votes::{TrackOutputs, Votes, mean_rows, pool, pool_tracks, pooled, track_votes};

use crate::vocab::{
    ClassificationScores, RegressionScores, Scores, TagScores, TaggingScores, Targets,
};

/// Computes the scores of what a model puts out, row-major `[n_examples, n_outputs]`: probabilities of classes
/// or tags, or numbers. The class with the highest probability is the predicted one.
///
/// # Panics
/// If the lengths do not match or a class number is not below `n_outputs`.
#[must_use]
pub fn scores(targets: &Targets, outputs: &[f32], n_outputs: usize) -> Scores {
    match targets {
        Targets::Classes(actual) => {
            let predicted = most_likely(outputs, n_outputs);
            Scores::Classes(classification_scores(actual, &predicted, outputs, n_outputs))
        }
        Targets::Tags(actual) => {
            let losses = tag_log_losses(actual, outputs, n_outputs);
            let tags = ranking::of_tags(targets, outputs, n_outputs);
            Scores::Tags(TaggingScores {
                n: losses.len(),
                roc_auc: mean_of_tags(&tags, |tag| tag.roc_auc),
                average_precision: mean_of_tags(&tags, |tag| tag.average_precision),
                log_loss: mean(&losses),
                tags,
            })
        }
        Targets::Numbers(actual) => Scores::Number(RegressionScores {
            n: actual.len(),
            r2: r2(actual, outputs),
            mae: mean(&absolute_errors(actual, outputs)),
            mse: mean(&squared_errors(actual, outputs)),
        }),
    }
}

/// Computes the scores from class numbers and probabilities, row-major `[n_examples, n_classes]`.
///
/// # Panics
/// If the lengths do not match or a class number is not below `n_classes`.
#[must_use]
pub fn classification_scores(
    actual: &[usize],
    predicted: &[usize],
    probabilities: &[f32],
    n_classes: usize,
) -> ClassificationScores {
    let confusion = confusion(actual, predicted, n_classes);
    ClassificationScores {
        n: actual.len(),
        accuracy: accuracy(&confusion),
        macro_f1: macro_f1(&confusion),
        log_loss: log_loss(actual, probabilities, n_classes),
        confusion,
    }
}

/// The mean over the tags that have a score.
fn mean_of_tags(tags: &[TagScores], score: impl Fn(&TagScores) -> Option<f64>) -> Option<f64> {
    let scores: Vec<f64> = tags.iter().filter_map(score).collect();
    (!scores.is_empty()).then(|| mean(&scores))
}

/// 0 of no value.
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}
