//! Predicted and actual classes -> metrics, intervals, verdicts.
//!
//! | file | content |
//! |---|---|
//! | `confusion` | confusion matrix; accuracy, precision, recall, F1 |
//! | `probability` | log-loss, top-k accuracy |
//! | `calibration` | calibration error, Brier score |
//! | `votes` | track predictions from the segments' votes |
//! | `interval` | intervals of an accuracy from counts |
//! | `cluster` | the score of one run, split by test track |
//! | `estimate` | a mean over seeds, or a difference: interval, p-value, variance by seeds and tracks (`seeds`) |
//! | `repetition` | the range of repetitions of our runs |
//! | `paired` | McNemar's test, the paired bootstrap, Holm's correction |
//! | `verdict` | whether a published figure is within an interval |
//!
//! This room is pure: it must never know a path or a clock, and uses only the random streams that
//! it is given.

mod calibration;
mod cluster;
mod confusion;
#[cfg(test)]
mod coverage;
mod estimate;
#[cfg(test)]
mod golden;
mod interval;
mod paired;
mod probability;
mod repetition;
mod seeds;
mod verdict;
mod votes;

pub use calibration::{CALIBRATION_BINS, brier_scores, calibration_error};
pub use cluster::Clustered;
pub use confusion::{ClassScores, accuracy, confusion, macro_f1, per_class};
pub use estimate::Estimate;
pub use interval::{Interval, wilson};
pub use paired::{McNemar, bootstrap, holm, mcnemar};
pub use probability::{log_loss, log_losses, most_likely, top_k, top_k_accuracy};
pub use repetition::{Published, repetition};
pub use verdict::{Verdict, verdict};
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
