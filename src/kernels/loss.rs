//! Losses of the last layer's numbers: softmax cross-entropy, binary cross-entropy, squared error.
//!
//! It is computed in `f64` with libm's functions, whose bits do not depend on the platform's C
//! library.

use crate::kernels::optimizer::{TINY, flushed};

/// The loss of a batch and its number of correct predictions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sum over the rows of the loss: in nats for a cross-entropy.
    pub loss: f64,
    /// Number of rows whose largest logit (the first in a tie) is the label's; 0 without labels.
    pub n_right: usize,
}

/// How the numbers of the last layer are compared with the targets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Loss {
    /// One class out of several: [`softmax_cross_entropy`].
    #[default]
    SoftmaxCrossEntropy,
    /// Several yes or no: [`binary_cross_entropy`].
    BinaryCrossEntropy,
    /// Numbers: [`squared_error`].
    SquaredError,
}

impl Loss {
    /// Computes the loss and its gradient; `outputs` and `d_outputs` are `[n, n_outputs]`.
    ///
    /// # Panics
    /// In the cases of the three functions.
    pub fn compute(
        self,
        outputs: &[f32],
        targets: &Targets<'_>,
        n_outputs: usize,
        d_outputs: &mut [f32],
    ) -> Tally {
        match self {
            Self::SoftmaxCrossEntropy => {
                softmax_cross_entropy(outputs, targets, n_outputs, d_outputs)
            }
            Self::BinaryCrossEntropy => {
                binary_cross_entropy(outputs, targets.rows, n_outputs, d_outputs)
            }
            Self::SquaredError => squared_error(outputs, targets.rows, n_outputs, d_outputs),
        }
    }
}

/// The targets of a batch's rows.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// Each row's class, which decides whether a prediction is correct, `[n]`; empty if there are no
    /// classes.
    pub labels: &'a [usize],
    /// Weights of the classes, at least 0, `[n, n_classes]`. A row's sum is the weight of its
    /// example (1, or the weight of its class). If empty, the label has all the weight, 1. Without
    /// classes, what the outputs should be, `[n, n_outputs]`.
    pub rows: &'a [f32],
}

impl<'a> Targets<'a> {
    /// Creates targets with weight 1 on each row's label.
    #[must_use]
    pub const fn one_hot(labels: &'a [usize]) -> Self {
        Self { labels, rows: &[] }
    }
}

/// Computes the loss, `sum_i sum_c t_ic * -ln softmax(logits_i)_c`, and the gradient of its mean
/// over the rows, `(w_i * softmax(logits_i) - t_i) / n`, where `w_i` is the sum of row `t_i`.
/// `logits` and `d_logits` are `[n, n_classes]`.
///
/// # Panics
/// If a label is not a class, or there are target rows but not one per label.
pub fn softmax_cross_entropy(
    logits: &[f32],
    targets: &Targets<'_>,
    n_classes: usize,
    d_logits: &mut [f32],
) -> Tally {
    let (n, soft) = (targets.labels.len(), targets.rows);
    assert!(soft.is_empty() || soft.len() == n * n_classes, "a target row for each label");
    let mut tally = Tally::default();
    let (mut exponentials, mut one_hot) = (vec![0.0; n_classes], vec![0.0; n_classes]);
    let rows = logits.chunks_exact(n_classes).zip(d_logits.chunks_exact_mut(n_classes));
    for (i, ((row, d_row), &label)) in rows.zip(targets.labels).enumerate() {
        assert!(label < n_classes, "a label is a class");
        let (largest, sum) = exponentials_of(row, &mut exponentials);
        let log_sum = libm::log(sum) + f64::from(largest);
        one_hot.fill(0.0);
        one_hot[label] = 1.0;
        let target = soft.chunks_exact(n_classes).nth(i).unwrap_or(&one_hot);
        let weight: f64 = target.iter().map(|&t| f64::from(t)).sum();
        for (class, (d, &t)) in d_row.iter_mut().zip(target).enumerate() {
            let t = f64::from(t);
            *d = flushed(((weight * exponentials[class] / sum - t) / n as f64) as f32, TINY);
            if t > 0.0 {
                tally.loss += t * (log_sum - f64::from(row[class]));
            }
        }
        tally.n_right += usize::from(row.iter().position(|&logit| logit == largest) == Some(label));
    }
    tally
}

/// Computes the loss, `sum_i mean_k -(t_ik ln p_ik + (1 - t_ik) ln (1 - p_ik))` with
/// `p = sigmoid(logit)`, and the gradient of its mean over the rows, `(p_ik - t_ik) / (n n_tags)`.
/// `logits`, `targets`, each in `[0, 1]`, and `d_logits` are `[n, n_tags]`.
///
/// # Source
/// Keras's `BinaryCrossentropy(from_logits=True)`: the mean over the tags, then over the examples.
///
/// # Panics
/// If there is not one target for each logit.
pub fn binary_cross_entropy(
    logits: &[f32],
    targets: &[f32],
    n_tags: usize,
    d_logits: &mut [f32],
) -> Tally {
    elementwise(logits, targets, n_tags, d_logits, |z, t| {
        // ln(1 + e^z) - t z, without an overflow for a large z.
        let decay = libm::exp(-z.abs());
        let loss = z.max(0.0) - t * z + libm::log1p(decay);
        (loss, sigmoid_of(z, decay) - t)
    })
}

/// Computes the loss, `sum_i mean_k (x_ik - t_ik)^2`, and the gradient of its mean over the rows.
/// `outputs`, `targets` and `d_outputs` are `[n, n_outputs]`.
///
/// # Panics
/// If there is not one target for each output.
pub fn squared_error(
    outputs: &[f32],
    targets: &[f32],
    n_outputs: usize,
    d_outputs: &mut [f32],
) -> Tally {
    elementwise(outputs, targets, n_outputs, d_outputs, |x, t| ((x - t) * (x - t), 2.0 * (x - t)))
}

/// Sums a loss over all outputs, divided by their number in a row; `of` returns the loss of an output
/// and its slope.
fn elementwise(
    outputs: &[f32],
    targets: &[f32],
    n_outputs: usize,
    d_outputs: &mut [f32],
    of: impl Fn(f64, f64) -> (f64, f64),
) -> Tally {
    assert_eq!(outputs.len(), targets.len(), "a target for each output");
    let all = outputs.len() as f64;
    let mut sum = 0.0;
    for ((&x, &t), d) in outputs.iter().zip(targets).zip(d_outputs) {
        let (loss, slope) = of(f64::from(x), f64::from(t));
        sum += loss;
        *d = flushed((slope / all) as f32, TINY);
    }
    Tally { loss: sum / n_outputs as f64, n_right: 0 }
}

/// Returns the probability that belongs to a logit, in `[0, 1]`.
#[must_use]
pub fn sigmoid(logit: f64) -> f64 {
    sigmoid_of(logit, libm::exp(-logit.abs()))
}

/// Computes `sigmoid(z)`; `decay` is `exp(-|z|)`.
fn sigmoid_of(z: f64, decay: f64) -> f64 {
    if z < 0.0 { decay / (1.0 + decay) } else { 1.0 / (1.0 + decay) }
}

/// Replaces a row of logits by its probabilities, which sum to 1.
pub fn softmax_row(row: &mut [f64]) {
    let max = row.iter().fold(f64::NEG_INFINITY, |max, x| max.max(*x));
    let mut sum = 0.0;
    for x in &mut *row {
        *x = libm::exp(*x - max);
        sum += *x;
    }
    row.iter_mut().for_each(|x| *x /= sum);
}

/// Returns the probabilities of rows of logits, `[n, n_classes]`; each row sums to 1.
#[must_use]
pub fn softmax(logits: &[f32], n_classes: usize) -> Vec<f32> {
    let mut probabilities = Vec::with_capacity(logits.len());
    let mut exponentials = vec![0.0; n_classes];
    for row in logits.chunks_exact(n_classes) {
        let (_, sum) = exponentials_of(row, &mut exponentials);
        probabilities.extend(exponentials.iter().map(|exponential| (exponential / sum) as f32));
    }
    probabilities
}

/// Computes `exp(logit - largest)`; returns the largest logit and the sum of the exponentials.
fn exponentials_of(row: &[f32], exponentials: &mut [f64]) -> (f32, f64) {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (exponential, &logit) in exponentials.iter_mut().zip(row) {
        *exponential = libm::exp(f64::from(logit) - f64::from(largest));
        sum += *exponential;
    }
    (largest, sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, random, wide};
    use proptest::prelude::*;

    #[test]
    fn equal_logits_cost_ln_2_and_the_first_is_the_guess() {
        let mut d = [0.0; 4];
        let targets = Targets::one_hot(&[0, 1]);
        let score = softmax_cross_entropy(&[3.0, 3.0, 0.0, 0.0], &targets, 2, &mut d);
        assert!((score.loss / 2.0 - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!((score.n_right, d), (1, [-0.25, 0.25, 0.25, -0.25]));
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let one = Targets::one_hot(&[1]);
        let score = softmax_cross_entropy(&[1000.0, -1000.0], &one, 2, &mut [0.0; 2]);
        assert_eq!(score.loss, 2000.0);
        let (mut d, targets) = ([9.0; 4], Targets::one_hot(&[0, 1]));
        let score = softmax_cross_entropy(&[1000.0, 0.0, 0.0, 0.0], &targets, 2, &mut d);
        assert!((score.loss - 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!((score.n_right, d), (1, [0.0, 0.0, 0.25, -0.25]));
        assert_eq!(softmax(&[1000.0, 0.0, 0.0, 0.0], 2), [1.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn soft_targets_share_the_loss_and_weigh_it() {
        // p = 1/4, 3/4, so the loss is 0.25 * ln 4 + 0.75 * ln (4/3), for two rows.
        let (logits, mut d) = ([0.0, 3.0_f32.ln()], [9.0; 2]);
        let targets = Targets { labels: &[1], rows: &[0.5, 1.5] };
        let score = softmax_cross_entropy(&logits, &targets, 2, &mut d);
        let wanted = 2.0 * (0.25 * 4.0_f64.ln() + 0.75 * (4.0_f64 / 3.0).ln());
        assert!((score.loss - wanted).abs() < 1e-6);
        assert!(d.iter().all(|x| x.abs() < 1e-6), "the targets are what is predicted");
        assert_eq!(score.n_right, 1);
    }

    #[test]
    fn a_soft_row_by_hand() {
        // The weight is 4, divided into 1 and 3; softmax is [1/2, 1/2]. The prediction is the first
        // class, the label the second.
        let (mut d, targets) = ([0.0; 2], Targets { labels: &[1], rows: &[1.0, 3.0] });
        let score = softmax_cross_entropy(&[0.0, 0.0], &targets, 2, &mut d);
        assert!((score.loss - 4.0 * 2.0_f64.ln()).abs() < 1e-12);
        assert_eq!((score.n_right, d), (0, [1.0, -1.0]));
    }

    #[test]
    fn tags_cost_what_keras_says() {
        // keras.losses.BinaryCrossentropy(from_logits=True)([[1, 0], [0.25, 1]], [[ln 3, 0], [ln 3, -1000]]):
        // p = 3/4, 1/2 and 3/4, 0. The means of the rows are (ln 4/3 + ln 2) / 2 and
        // ((ln 4 - ln 3 / 4) + 1000) / 2.
        let ln_3 = 3.0_f32.ln();
        let mut d = [9.0; 4];
        let tally =
            binary_cross_entropy(&[ln_3, 0.0, ln_3, -1000.0], &[1.0, 0.0, 0.25, 1.0], 2, &mut d);
        let first = f64::midpoint((4.0_f64 / 3.0).ln(), 2.0_f64.ln());
        let second = f64::midpoint(4.0_f64.ln() - 0.25 * 3.0_f64.ln(), 1000.0);
        assert!((tally.loss - first - second).abs() < 1e-6, "{tally:?}");
        assert_eq!(tally.n_right, 0);
        for (d, wanted) in d.iter().zip([-0.25, 0.5, 0.5, -1.0]) {
            assert!((d - wanted / 4.0).abs() < 1e-7, "{d}, by hand {wanted} / 4");
        }
        assert_eq!([sigmoid(-1000.0), sigmoid(0.0), sigmoid(1000.0)], [0.0, 0.5, 1.0]);
    }

    #[test]
    fn numbers_cost_the_square_of_the_difference() {
        let mut d = [9.0; 2];
        let tally = squared_error(&[3.0, -1.0], &[1.0, -1.5], 1, &mut d);
        assert_eq!((tally, d), (Tally { loss: 4.25, n_right: 0 }, [2.0, 0.5]));
        let one = Targets { labels: &[], rows: &[1.0, -1.5] };
        let same = Loss::SquaredError.compute(&[3.0, -1.0], &one, 2, &mut d);
        assert_eq!((same.loss, d), (2.125, [2.0, 0.5]));
    }

    proptest! {
        #[test]
        fn gradients_of_tags_and_numbers_are_the_slopes(n in 1_usize..6, n_outputs in 1_usize..5, key: u64) {
            let outputs = random(key, n * n_outputs);
            let rows: Vec<f32> =
                random(key ^ 1, n * n_outputs).iter().map(|t| t.abs().min(1.0)).collect();
            let tag: fn(f64, f64) -> f64 = |z, t| (1.0 + z.exp()).ln() - t * z;
            let cases = [(Loss::BinaryCrossEntropy, tag), (Loss::SquaredError, |x, t| (x - t).powi(2))];
            for (loss, of) in cases {
                let mean = |outputs: &[f64]| -> f64 {
                    let pairs = outputs.iter().zip(wide(&rows));
                    pairs.map(|(&x, t)| of(x, t)).sum::<f64>() / outputs.len() as f64
                };
                let mut d = vec![0.0; outputs.len()];
                let targets = Targets { labels: &[], rows: &rows };
                let tally = loss.compute(&outputs, &targets, n_outputs, &mut d);
                prop_assert!((tally.loss / n as f64 - mean(&wide(&outputs))).abs() < 1e-9);
                let slopes: Vec<f64> = (0..outputs.len()).map(|i| {
                    let moved = |by: f64| { let mut z = wide(&outputs); z[i] += by; mean(&z) };
                    (moved(1e-5) - moved(-1e-5)) / 2e-5
                }).collect();
                assert_close(&d, &slopes, 1e-6);
            }
        }

        #[test]
        fn gradient_is_the_slope(n in 1_usize..6, n_classes in 1_usize..12, key: u64, is_soft: bool) {
            let logits = random(key, n * n_classes);
            let labels: Vec<usize> = (0..n).map(|i| (key as usize % 97 + i) % n_classes).collect();
            let soft: Vec<f32> = random(key ^ 1, n * n_classes).iter().map(|t| t.max(0.0)).collect();
            let one_hot: Vec<f32> =
                (0..n * n_classes).map(|i| f32::from(labels[i / n_classes] == i % n_classes)).collect();
            let rows = if is_soft { &soft } else { &one_hot };
            let loss = |logits: &[f64]| -> f64 {
                let of_row = |(z, t): (&[f64], &[f32])| -> f64 {
                    let log_sum = z.iter().map(|z| z.exp()).sum::<f64>().ln();
                    z.iter().zip(t).map(|(z, &t)| f64::from(t) * (log_sum - z)).sum()
                };
                logits.chunks(n_classes).zip(rows.chunks(n_classes)).map(of_row).sum::<f64>() / n as f64
            };
            let mut d = vec![0.0; logits.len()];
            let targets = Targets { labels: &labels, rows };
            let score = softmax_cross_entropy(&logits, &targets, n_classes, &mut d);
            prop_assert!((score.loss / n as f64 - loss(&wide(&logits))).abs() < 1e-9);
            let slopes: Vec<f64> = (0..logits.len()).map(|i| {
                let moved = |by: f64| { let mut z = wide(&logits); z[i] += by; loss(&z) };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            }).collect();
            assert_close(&d, &slopes, 1e-6);
            if !is_soft {
                let mut same = vec![0.0; logits.len()];
                prop_assert_eq!(softmax_cross_entropy(&logits, &Targets::one_hot(&labels), n_classes, &mut same), score);
                prop_assert_eq!(same, d);
            }
        }
    }
}
