//! Softmax and categorical cross-entropy over rows of logits.
//!
//! Exponentials and logarithms are those of `libm`: their bits do not depend on the system's library.

/// What one batch came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tally {
    /// Sum over the examples of `-ln p(label)`, or of what their targets make of it.
    pub(super) loss: f64,
    /// How many examples have their largest logit at their label.
    pub(super) n_right: usize,
}

/// Probabilities of rows of logits, `[n, n_classes]`, each row summing to 1.
pub(super) fn softmax(logits: &[f32], n_classes: usize) -> Vec<f32> {
    let mut probabilities = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(n_classes) {
        let (max, sum) = max_and_sum(row);
        probabilities.extend(row.iter().map(|x| (libm::exp(f64::from(*x) - max) / sum) as f32));
    }
    probabilities
}

/// The loss of a batch and its gradient by the logits, as of the *mean* over the batch.
///
/// `targets` is `[n, n_classes]`, or empty where all weight is on the labels.
pub(super) fn cross_entropy(
    logits: &[f32],
    labels: &[usize],
    targets: &[f32],
    n_classes: usize,
) -> (Tally, Vec<f32>) {
    let n = labels.len() as f64;
    let mut tally = Tally { loss: 0.0, n_right: 0 };
    let mut gradient = Vec::with_capacity(logits.len());
    for (index, (row, label)) in logits.chunks_exact(n_classes).zip(labels).enumerate() {
        let (max, sum) = max_and_sum(row);
        let target = |class: usize| match targets.get(index * n_classes + class) {
            Some(weight) => f64::from(*weight),
            None => f64::from(u8::from(class == *label)),
        };
        let weight: f64 = (0..n_classes).map(target).sum();
        for (class, x) in row.iter().enumerate() {
            tally.loss += target(class) * (libm::log(sum) + max - f64::from(*x));
            let share = libm::exp(f64::from(*x) - max) / sum;
            gradient.push(((weight * share - target(class)) / n) as f32);
        }
        tally.n_right += usize::from(largest(row) == *label);
    }
    (tally, gradient)
}

/// Largest logit, and the sum of `exp(logit - largest)`.
fn max_and_sum(row: &[f32]) -> (f64, f64) {
    let max = row.iter().fold(f64::NEG_INFINITY, |max, x| max.max(f64::from(*x)));
    (max, row.iter().map(|x| libm::exp(f64::from(*x) - max)).sum())
}

/// The place of the largest value, the first of equals.
fn largest(row: &[f32]) -> usize {
    (1..row.len()).fold(0, |best, place| if row[place] > row[best] { place } else { best })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_logits_cost_the_log_of_the_number_of_classes() {
        let (tally, gradient) = cross_entropy(&[5.0, 5.0, 5.0, 5.0], &[1], &[], 4);
        assert!((tally.loss - 4.0_f64.ln()).abs() < 1e-12);
        assert_eq!(tally.n_right, 0);
        assert_eq!(gradient, [0.25, -0.75, 0.25, 0.25]);
    }

    #[test]
    fn gradient_is_of_the_mean_and_large_logits_do_not_overflow() {
        let (tally, gradient) = cross_entropy(&[1000.0, 0.0, 0.0, 0.0], &[0, 1], &[], 2);
        assert!((tally.loss - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!(tally.n_right, 1);
        assert_eq!(gradient, [0.0, 0.0, 0.25, -0.25]);
        assert_eq!(softmax(&[1000.0, 0.0, 0.0, 0.0], 2), [1.0, 0.0, 0.5, 0.5]);
    }
    #[test]
    fn soft_targets_share_the_loss_and_weigh_it() {
        // p = 1/4, 3/4: twice 0.25 * ln 4 + 0.75 * ln (4/3).
        let logits = [0.0, 3.0_f32.ln()];
        let (tally, gradient) = cross_entropy(&logits, &[1], &[0.5, 1.5], 2);
        let wanted = 2.0 * (0.25 * 4.0_f64.ln() + 0.75 * (4.0_f64 / 3.0).ln());
        assert!((tally.loss - wanted).abs() < 1e-6);
        assert!(gradient.iter().all(|x| x.abs() < 1e-6), "the targets are what is predicted");
        assert_eq!(tally.n_right, 1);
    }
}
