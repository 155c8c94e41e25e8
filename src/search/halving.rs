//! Successive halving in synchronous rounds: many trials are trained for a few epochs, the best of them for more.
//!
//! A round ends when all of its trials have ended, so that what is promoted does not depend on timing.
//!
//! # Source
//! Jamieson, Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016.

/// Returns the epochs after which trials are compared: `min_epochs` times powers of `factor`, and `max_epochs` as the
/// last. A round that would come within the square root of `factor` of the last one is left out, because it would
/// train nearly as long and decide nearly the same.
///
/// `rungs(2, 3, 30)` is 2, 6, 30: 18 times the root of 3 is more than 30. `rungs(1, 3, 27)` is 1, 3, 9, 27.
///
/// # Panics
/// If `min_epochs` is 0 or `factor` is below 2.
#[must_use]
pub fn rungs(min_epochs: usize, factor: usize, max_epochs: usize) -> Vec<usize> {
    assert!(min_epochs > 0 && factor > 1, "no rounds of {min_epochs} epochs times {factor}");
    let (factor, max) = (factor as u128, max_epochs as u128);
    let all = std::iter::successors(Some(min_epochs as u128), |epochs| Some(epochs * factor));
    // epochs * sqrt(factor) <= max, without a root.
    let early = all.take_while(|epochs| epochs * epochs * factor <= max * max);
    early.map(|epochs| epochs as usize).chain([max_epochs]).collect()
}

/// Returns how many trials start together, so that one of them reaches the last round: `factor^(n_rungs - 1)`, at most
/// `usize::MAX`.
#[must_use]
pub fn bracket_size(n_rungs: usize, factor: usize) -> usize {
    factor.saturating_pow(u32::try_from(n_rungs.saturating_sub(1)).unwrap_or(u32::MAX))
}

/// Returns which trials of a round go on, in ascending order: of n trials, the `n / factor` ones with the lowest
/// losses, rounded up. Of equal losses, the one that comes first goes on. A trial that failed (`None`, or a loss that is
/// not finite) never does.
///
/// # Panics
/// If `factor` is 0.
#[must_use]
pub fn promoted(scores: &[Option<f64>], factor: usize) -> Vec<usize> {
    let finished = scores.iter().enumerate();
    let finished = finished.filter_map(|(i, loss)| Some((loss.filter(|it| it.is_finite())?, i)));
    let mut finished: Vec<(f64, usize)> = finished.collect();
    finished.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    finished.truncate(scores.len().div_ceil(factor));
    let mut numbers: Vec<usize> = finished.into_iter().map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_end_at_the_last_epoch_and_none_is_just_before_it() {
        assert_eq!(rungs(1, 3, 27), [1, 3, 9, 27]);
        // 18 * sqrt(3) = 31.2
        assert_eq!(rungs(2, 3, 30), [2, 6, 30]);
        assert_eq!(rungs(2, 3, 31), [2, 6, 31]);
        assert_eq!(rungs(2, 3, 32), [2, 6, 18, 32]);
        // 2 * sqrt(4) = 4 is exactly within.
        assert_eq!(rungs(2, 4, 4), [2, 4]);
        assert_eq!(rungs(2, 4, 3), [3]);
        assert_eq!(rungs(5, 3, 5), [5]);
        assert_eq!(rungs(9, 3, 5), [5]);
        assert_eq!([bracket_size(4, 3), bracket_size(1, 3), bracket_size(3, 2)], [27, 1, 4]);
        assert_eq!(bracket_size(200, 10), usize::MAX);
    }

    #[test]
    fn the_best_third_goes_on_and_what_failed_does_not() {
        let all = [Some(0.5), None, Some(0.1), Some(0.5), Some(f64::NAN), Some(0.9), Some(0.2)];
        assert_eq!(promoted(&all, 3), [0, 2, 6]);
        assert_eq!(promoted(&all, 7), [2]);
        assert_eq!(promoted(&all[..1], 3), [0]);
        assert_eq!(promoted(&[None, Some(1.0), None], 1), [1]);
        assert_eq!(promoted(&[None, None], 3), [] as [usize; 0]);
        assert_eq!(promoted(&[], 3), [] as [usize; 0]);
    }
}
