//! The scores of a model.

use serde::{Deserialize, Serialize};

/// The scores of a model on one set of examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Number of examples.
    pub n: usize,
    /// Fraction right, `[0, 1]`.
    pub accuracy: f64,
    /// Mean over classes of the F1 score, `[0, 1]`; a class that is neither present nor predicted
    /// counts 0.
    pub macro_f1: f64,
    /// Mean negative log-probability of the actual class, natural log, without penalties.
    pub log_loss: f64,
    /// Rows actual, columns predicted, in the order of the classes.
    pub confusion: Vec<Vec<usize>>,
}
