//! Whether the probabilities are meant: errors of calibration.

use super::most_likely;

/// Bins of the calibration error, all of the same width.
pub const CALIBRATION_BINS: usize = 15;

/// Expected calibration error of the most likely class, `[0, 1]`: how far, on average, the fraction
/// right lies from the probability that was said. `probabilities` is `[n_examples, n_classes]`.
///
/// Examples are binned by their highest probability into 15 bins of equal width, lower ends
/// included, 1 in the last; bins weigh by their examples. Few examples make it too large: it is to
/// be compared between models on the same test set, not with 0.
///
/// # Panics
/// If the lengths don't fit each other.
///
/// # Source
/// Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3.
#[must_use]
pub fn calibration_error(actual: &[usize], probabilities: &[f32], n_classes: usize) -> f64 {
    assert_eq!(actual.len() * n_classes, probabilities.len(), "a probability per class");
    let mut gaps = [0.0; CALIBRATION_BINS];
    let predicted = most_likely(probabilities, n_classes);
    for (example, (&actual, predicted)) in actual.iter().zip(predicted).enumerate() {
        let confidence = f64::from(probabilities[example * n_classes + predicted]);
        let bin = (confidence * CALIBRATION_BINS as f64) as usize;
        let right = if actual == predicted { 1.0 } else { 0.0 };
        gaps[bin.min(CALIBRATION_BINS - 1)] += right - confidence;
    }
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / actual.len().max(1) as f64
}

/// Every example's Brier score, `[0, 2]`: squared distances of the classes' probabilities from 1
/// for the actual class and 0 for the others, summed. `probabilities` is `[n_examples, n_classes]`.
///
/// # Panics
/// If the lengths don't fit each other.
///
/// # Source
/// Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78,
/// 1950; scikit-learn 1.9, `brier_score_loss` with `scale_by_half=False`.
#[must_use]
pub fn brier_scores(actual: &[usize], probabilities: &[f32], n_classes: usize) -> Vec<f64> {
    assert_eq!(actual.len() * n_classes, probabilities.len(), "a probability per class");
    let score = |(&actual, row): (&usize, &[f32])| {
        let wanted = |class| if class == actual { 1.0 } else { 0.0 };
        row.iter().enumerate().map(|(class, &p)| (f64::from(p) - wanted(class)).powi(2)).sum()
    };
    actual.iter().zip(probabilities.chunks_exact(n_classes.max(1))).map(score).collect()
}
