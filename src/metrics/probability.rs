//! The quality of predicted probabilities.

use std::cmp::Ordering;

/// What one certain mistake costs: the largest log-loss.
pub const MOST_LOG_LOSS: f64 = 15.942_385_152_878_742;

/// Returns the mean negative log-probability of the actual class, natural log; 0 if nothing was
/// scored.
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn log_loss(actual: &[usize], probabilities: &[f32], n_classes: usize) -> f64 {
    log_losses(actual, probabilities, n_classes).iter().sum::<f64>() / actual.len().max(1) as f64
}

/// Returns every example's negative log-probability of its actual class, natural log.
///
/// `probabilities` is row-major `[n_examples, n_classes]`. Each is clipped to `[e, 1 - e]`, where e
/// is the spacing of `f32` at 1, so that one certain mistake costs 15.9 and not infinity.
///
/// # Panics
/// If the lengths do not match.
///
/// # Source
/// scikit-learn 1.9, `log_loss` on float32 probabilities.
#[must_use]
pub fn log_losses(actual: &[usize], probabilities: &[f32], n_classes: usize) -> Vec<f64> {
    let clip = |p: f32| f64::from(p.clamp(f32::EPSILON, 1.0 - f32::EPSILON));
    let rows = rows(actual, probabilities, n_classes);
    rows.map(|(class, row)| -libm::log(clip(row[class]))).collect()
}

/// Returns every example's binary cross-entropy, natural log, averaged over its tags. `probabilities` is
/// row-major `[n_examples, n_tags]`, as `actual`; each is clipped as in [`log_losses`].
///
/// # Panics
/// If the lengths do not match.
///
/// # Source
/// scikit-learn 1.9, `log_loss` of each tag on float32 probabilities.
#[must_use]
pub fn tag_log_losses(actual: &[bool], probabilities: &[f32], n_tags: usize) -> Vec<f64> {
    assert_eq!(actual.len(), probabilities.len(), "a probability per tag");
    let loss = |(has_tag, p): (&bool, &f32)| {
        let p = f64::from(p.clamp(f32::EPSILON, 1.0 - f32::EPSILON));
        -libm::log(if *has_tag { p } else { 1.0 - p })
    };
    let losses: Vec<f64> = actual.iter().zip(probabilities).map(loss).collect();
    let mean = |row: &[f64]| row.iter().sum::<f64>() / n_tags as f64;
    losses.chunks_exact(n_tags.max(1)).map(mean).collect()
}

/// Returns the fraction of examples whose actual class is among the `k` most likely, `[0, 1]`; see
/// [`top_k`].
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn top_k_accuracy(actual: &[usize], probabilities: &[f32], n_classes: usize, k: usize) -> f64 {
    let hits = top_k(actual, probabilities, n_classes, k);
    hits.iter().filter(|hit| **hit).count() as f64 / actual.len().max(1) as f64
}

/// Returns, for every example, whether its actual class is among the `k` most likely.
///
/// The first of equally likely classes counts as the likelier one, as in [`most_likely`], so that
/// top-1 is the accuracy. (scikit-learn prefers the last one; only exact ties differ.)
///
/// # Panics
/// If the lengths do not match.
#[must_use]
pub fn top_k(actual: &[usize], probabilities: &[f32], n_classes: usize, k: usize) -> Vec<bool> {
    let hit = |(class, row): (usize, &[f32])| {
        let likelier = |(other, p): &(usize, &f32)| match p.total_cmp(&row[class]) {
            Ordering::Greater => true,
            Ordering::Equal => *other < class,
            Ordering::Less => false,
        };
        row.iter().enumerate().filter(likelier).count() < k
    };
    rows(actual, probabilities, n_classes).map(hit).collect()
}

/// Returns the most likely class of each row of `[n_examples, n_classes]`; the first one in a tie.
///
/// # Panics
/// If `n_classes` is 0.
#[must_use]
pub fn most_likely(probabilities: &[f32], n_classes: usize) -> Vec<usize> {
    let best = |row: &[f32]| {
        row.iter().enumerate().fold(0, |best, (class, p)| if *p > row[best] { class } else { best })
    };
    probabilities.chunks_exact(n_classes).map(best).collect()
}

fn rows<'a>(
    actual: &'a [usize],
    probabilities: &'a [f32],
    n_classes: usize,
) -> impl Iterator<Item = (usize, &'a [f32])> {
    assert_eq!(actual.len() * n_classes, probabilities.len(), "a probability per class");
    actual.iter().copied().zip(probabilities.chunks_exact(n_classes.max(1)))
}

#[cfg(test)]
mod tests {
    use super::super::golden::{ACTUAL, PREDICTED, PROBABILITIES, close};
    use super::*;

    #[test]
    fn agrees_with_scikit_learn() {
        assert_eq!(most_likely(&PROBABILITIES, 4), PREDICTED);
        for (k, wanted) in [(1, 0.7), (2, 0.9), (3, 0.9), (4, 1.0)] {
            close(top_k_accuracy(&ACTUAL, &PROBABILITIES, 4, k), wanted, 1e-15);
        }
        close(log_loss(&ACTUAL, &PROBABILITIES, 4), 2.175_930_976_867_676, 1e-6);
    }

    #[test]
    fn a_certain_mistake_costs_the_clipped_log() {
        close(log_loss(&[0], &[0.0, 1.0], 2), MOST_LOG_LOSS, 1e-12);
        close(log_loss(&[1], &[0.0, 1.0], 2), 0.0, 2e-7);
    }

    #[test]
    fn ties_go_to_the_first_class_and_top_1_is_the_accuracy() {
        let tied = [0.5, 0.5, 0.5, 0.5];
        assert_eq!(most_likely(&tied, 2), [0, 0]);
        close(top_k_accuracy(&[0, 1], &tied, 2, 1), 0.5, 0.0);
    }
}
