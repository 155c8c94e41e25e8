//! What a training run says of itself after each epoch.

use serde::{Deserialize, Serialize};

/// Loss and accuracy after one pass over the training examples, in Keras's sense.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// One-based.
    pub epoch: usize,
    /// Mean loss over the epoch's batches while the weights moved, dropout on, penalties included.
    pub train_loss: f64,
    /// Fraction right over the same batches, `[0, 1]`.
    pub train_accuracy: f64,
    /// Loss on the validation examples after the epoch, dropout off, penalties included.
    pub valid_loss: f64,
    /// Fraction right on the validation examples, `[0, 1]`.
    pub valid_accuracy: f64,
    /// Wall time that the epoch took, in seconds.
    pub seconds: f64,
}
