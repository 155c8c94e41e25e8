//! Predicted and actual -> numbers, intervals, verdicts.
//!
//! | file | what it answers |
//! |---|---|
//! | `confusion` | who was taken for whom; accuracy, precision, recall, F1 from that |
//! | `probability` | how good the probabilities are: log-loss, top-k accuracy |
//! | `interval` | how far chance alone may have moved an accuracy |
//! | `verdict` | whether a published figure is within that |
//!
//! Pure: this room must never know a path, a clock or a random number.

mod confusion;
mod interval;
mod probability;
mod verdict;

pub use confusion::{ClassScores, accuracy, confusion, macro_f1, per_class};
pub use interval::{Interval, mean_over_seeds, wilson};
pub use probability::{log_loss, most_likely, top_k_accuracy};
pub use verdict::{Verdict, verdict};

/// How a model did on one set of examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Examples scored.
    pub n: usize,
    /// Fraction right, `[0, 1]`.
    pub accuracy: f64,
    /// Mean over classes of the F1 score, `[0, 1]`; a class never seen nor predicted counts 0.
    pub macro_f1: f64,
    /// Mean negative log-probability of the actual class, natural log.
    pub log_loss: f64,
    /// Rows actual, columns predicted.
    pub confusion: Vec<Vec<usize>>,
}

impl Scores {
    /// Scores from class numbers and probabilities, row-major `[n_examples, n_classes]`.
    ///
    /// # Panics
    /// If the lengths don't fit each other or a class number is not below `n_classes`.
    #[must_use]
    pub fn new(
        actual: &[usize],
        predicted: &[usize],
        probabilities: &[f32],
        n_classes: usize,
    ) -> Self {
        let confusion = confusion(actual, predicted, n_classes);
        Self {
            n: actual.len(),
            accuracy: accuracy(&confusion),
            macro_f1: macro_f1(&confusion),
            log_loss: log_loss(actual, probabilities, n_classes),
            confusion,
        }
    }
}

/// The example that `tests/golden/make_metrics.py` scores: ten examples, four classes, the last
/// of them never seen nor predicted.
#[cfg(test)]
mod golden {
    pub const ACTUAL: [usize; 10] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
    pub const PREDICTED: [usize; 10] = [0, 0, 1, 1, 2, 1, 2, 0, 2, 2];
    #[rustfmt::skip]
    pub const PROBABILITIES: [f32; 40] = [
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
    pub fn close(got: f64, wanted: f64, tolerance: f64) {
        assert!((got - wanted).abs() <= tolerance, "got {got}, wanted {wanted} +- {tolerance}");
    }

    #[test]
    fn scores_agree_with_scikit_learn() {
        let scores = super::Scores::new(&ACTUAL, &PREDICTED, &PROBABILITIES, 4);
        assert_eq!(scores.n, 10);
        close(scores.accuracy, 0.7, 1e-15);
        close(scores.macro_f1, 0.520_833_333_333_333_3, 1e-15);
        close(scores.log_loss, 2.175_930_976_867_676, 1e-6); // scikit-learn sums in f32 here
    }
}
