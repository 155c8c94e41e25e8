//! Softmax cross-entropy.

/// A batch's loss and hits.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Rows whose largest logit (the first of equals) is the label's.
    pub n_right: usize,
}

/// The mean of `-ln softmax(logits)[label]` and its gradient, `(softmax - one_hot) / n`. `logits` and `d_logits` are
/// `[n, n_classes]`.
///
/// # Panics
/// When a label is no class.
pub fn softmax_cross_entropy(
    logits: &[f32],
    labels: &[usize],
    n_classes: usize,
    d_logits: &mut [f32],
) -> Score {
    let n = labels.len();
    let mut score = Score::default();
    let rows = logits.chunks_exact(n_classes).zip(d_logits.chunks_exact_mut(n_classes));
    for ((row, d_row), &label) in rows.zip(labels) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for (d, &logit) in d_row.iter_mut().zip(row) {
            *d = (logit - largest).exp();
            sum += *d;
        }
        for d in d_row.iter_mut() {
            *d /= sum * n as f32;
        }
        d_row[label] -= 1.0 / n as f32;
        score.loss += f64::from(sum.ln() + largest - row[label]);
        score.n_right += usize::from(row.iter().position(|&logit| logit == largest) == Some(label));
    }
    score.loss /= n as f64;
    score
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, random, wide};
    use proptest::prelude::*;

    #[test]
    fn equal_logits_cost_ln_2_and_the_first_is_the_guess() {
        let mut d = [0.0; 4];
        let score = softmax_cross_entropy(&[3.0, 3.0, 0.0, 0.0], &[0, 1], 2, &mut d);
        assert!((score.loss - 2.0_f64.ln()).abs() < 1e-6);
        assert_eq!((score.n_right, d), (1, [-0.25, 0.25, 0.25, -0.25]));
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let score = softmax_cross_entropy(&[1000.0, -1000.0], &[1], 2, &mut [0.0; 2]);
        assert_eq!(score.loss, 2000.0);
    }

    proptest! {
        #[test]
        fn gradient_is_the_slope(n in 1_usize..6, n_classes in 1_usize..12, key: u64) {
            let logits = random(key, n * n_classes);
            let labels: Vec<usize> = (0..n).map(|i| (key as usize % 97 + i) % n_classes).collect();
            let loss = |logits: &[f64]| -> f64 {
                logits.chunks(n_classes).zip(&labels)
                    .map(|(row, &label)| row.iter().map(|z| z.exp()).sum::<f64>().ln() - row[label]).sum::<f64>() / n as f64
            };
            let mut d = vec![0.0; logits.len()];
            let score = softmax_cross_entropy(&logits, &labels, n_classes, &mut d);
            prop_assert!((score.loss - loss(&wide(&logits))).abs() < 1e-5);
            let slopes: Vec<f64> = (0..logits.len()).map(|i| {
                let moved = |by: f64| { let mut z = wide(&logits); z[i] += by; loss(&z) };
                (moved(1e-5) - moved(-1e-5)) / 2e-5
            }).collect();
            assert_close(&d, &slopes, 1e-5);
        }
    }
}
