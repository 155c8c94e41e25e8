//! Calibration: whether the predicted probabilities match the fraction right.

use super::most_likely;

/// Number of bins of the calibration error, all of equal width.
pub const CALIBRATION_BINS: usize = 15;

/// Computes the expected calibration error of the most likely class, `[0, 1]`: the mean distance
/// between the predicted probability and the fraction right. `probabilities` is `[n_examples,
/// n_classes]`.
///
/// Examples are binned by their highest probability into 15 bins of equal width. A bin includes its
/// lower end, and the last one includes 1. Bins are weighted by their number of examples. The
/// estimate is too large on small test sets, so compare it between models on the same test set, not
/// with 0.
///
/// # Panics
/// If the lengths do not match.
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

/// The largest Brier score: all for one wrong class.
pub const MOST_BRIER_SCORE: f64 = 2.0;

/// Computes the Brier score of every example, `[0, 2]`: the sum over classes of the squared
/// distance between the probability and 1 (actual class) or 0 (other classes). `probabilities` is
/// `[n_examples, n_classes]`.
///
/// # Panics
/// If the lengths do not match.
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
