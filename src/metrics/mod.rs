//! Predicted and actual classes -> metrics, intervals, verdicts.
//!
//! | file | content |
//! |---|---|
//! | `confusion` | confusion matrix; accuracy, precision, recall, F1 |
//! | `probability` | log-loss, top-k accuracy |
//! | `ranking` | areas under the ROC and precision-recall curves |
//! | `metric` | the metrics that a published figure may be about, by name |
//! | `calibration` | calibration error, Brier score |
//! | `votes` | track predictions from the segments' votes |
//! | `interval` | intervals of an accuracy from counts |
//! | `cluster` | the score of one run, split by test track |
//! | `estimate` | a mean over seeds, or a difference: interval, p-value, variance by seeds and tracks (`seeds`) |
//! | `evidence` | ours minus a published figure, with the uncertainty of both; the range of repetitions |
//! | `paired` | McNemar's test, the paired bootstrap, Holm's correction |
//! | `verdict` | a published figure -> reproduced, differs or inconclusive |
//!
//! This room is pure: it must never know a path or a clock, and uses only the random streams that
//! it is given.

mod calibration;
mod cluster;
mod confusion;
#[cfg(test)]
mod coverage;
mod estimate;
mod evidence;
#[cfg(test)]
mod golden;
mod interval;
mod metric;
mod paired;
mod probability;
mod ranking;
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
pub use metric::{Answers, Metric};
pub use paired::{McNemar, bootstrap, holm, mcnemar};
pub use probability::{MOST_LOG_LOSS, log_loss, log_losses, most_likely, top_k, top_k_accuracy};
pub use ranking::{average_precision, roc_auc};
pub use verdict::{DEFAULT_MARGIN, Judgment, Plan, Verdict, judge};
pub use votes::{Votes, pool, track_votes};

use crate::vocab::Scores;

/// Computes the scores from class numbers and probabilities, row-major `[n_examples, n_classes]`.
///
/// # Panics
/// If the lengths do not match or a class number is not below `n_classes`.
#[must_use]
pub fn scores(
    actual: &[usize],
    predicted: &[usize],
    probabilities: &[f32],
    n_classes: usize,
) -> Scores {
    let confusion = confusion(actual, predicted, n_classes);
    Scores {
        n: actual.len(),
        accuracy: accuracy(&confusion),
        macro_f1: macro_f1(&confusion),
        log_loss: log_loss(actual, probabilities, n_classes),
        confusion,
    }
}
