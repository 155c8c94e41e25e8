//! The numbers that a training reports after each epoch.

use serde::{Deserialize, Deserializer, Serialize};

/// Loss and accuracy after one pass over the training examples, as Keras defines them.
///
/// The loss is the cross-entropy of classes; of tags, the binary cross-entropy, averaged over the tags; of a
/// number, the mean squared error, and nets count it in standard deviations of the training examples. There is
/// an accuracy of classes only. What does not exist, or a program did not report, is NaN, which JSON stores as
/// `null`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// One-based.
    pub epoch: usize,
    /// Mean loss over the epoch's batches while the weights change; dropout and penalties included.
    #[serde(deserialize_with = "null_is_nan")]
    pub train_loss: f64,
    /// Fraction right over the same batches, `[0, 1]`; NaN for tags and numbers.
    #[serde(deserialize_with = "null_is_nan")]
    pub train_accuracy: f64,
    /// Loss on the validation examples after the epoch, without dropout, penalties included; NaN if
    /// there are none.
    #[serde(deserialize_with = "null_is_nan")]
    pub valid_loss: f64,
    /// Fraction right on the validation examples, `[0, 1]`; NaN if there are none, and for tags and
    /// numbers.
    #[serde(deserialize_with = "null_is_nan")]
    pub valid_accuracy: f64,
    /// The learning rate at the epoch's last step.
    #[serde(deserialize_with = "null_is_nan")]
    pub learning_rate: f64,
    /// Wall time of the epoch, in seconds.
    pub seconds: f64,
}

fn null_is_nan<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(deserializer)?.unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_without_validation_survives_json() {
        let epoch = Epoch {
            epoch: 1,
            train_loss: 0.1 + 0.2,
            train_accuracy: 1.0 / 3.0,
            valid_loss: f64::NAN,
            valid_accuracy: f64::NAN,
            learning_rate: 1e-4,
            seconds: 0.5,
        };
        let text = serde_json::to_string(&epoch).unwrap();
        let back: Epoch = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (back.train_loss, back.train_accuracy),
            (epoch.train_loss, epoch.train_accuracy)
        );
        assert!(back.valid_loss.is_nan() && back.valid_accuracy.is_nan());
    }
}
