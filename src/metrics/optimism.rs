//! How much the validation score by which a trial was chosen promises too much.
//!
//! The best of `n` trials is also the luckiest. `coverage_search.rs` counts how often the intervals here, and that of
//! the score as found, contain the truth.

use super::Interval;
use super::seeds::{quantile, variance};

/// Returns how far a score as found lies above what the winner reaches on new tracks with new seeds: found
/// minus judged, with the ends of the judged score's interval. `judged` is the test score of retrained winners.
///
/// The score as found is a fact of this search, and all uncertainty is in the test score. If a model does worse on the
/// test set because its tracks are of another kind, this is part of the result.
#[must_use]
pub fn optimism(found: f64, judged: &Interval) -> Interval {
    Interval { mean: found - judged.mean, low: found - judged.high, high: found - judged.low }
}

/// Returns the part of the optimism that is the luck of the seed: the score as found minus the mean that new seeds
/// reach on the same validation tracks, with Student's 95 % interval over these seeds. `None` with fewer than two.
///
/// This says nothing about new tracks: settings that suit the validation tracks by chance suit them with new seeds too.
#[must_use]
pub fn seed_luck(found: f64, again: &[f64]) -> Option<Interval> {
    let spread = variance(&again.iter().copied())?;
    let n = again.len() as f64;
    let mean = found - again.iter().sum::<f64>() / n;
    let margin = quantile(super::estimate::ALPHA, n - 1.0) * (spread / n).sqrt();
    Some(Interval { mean, low: mean - margin, high: mean + margin })
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    #[test]
    fn optimism_is_found_minus_judged() {
        let judged = Interval { mean: 0.5, low: 0.25, high: 0.625 };
        assert_eq!(optimism(0.75, &judged), Interval { mean: 0.25, low: 0.125, high: 0.5 });
    }

    #[test]
    fn the_luck_of_the_seed_has_student_s_interval() {
        // scipy.stats.t.interval(0.95, 3, 0.0275, 0.00853913)
        let luck = seed_luck(0.055, &[0.02, 0.03, 0.01, 0.05]).unwrap();
        close(luck.mean, 0.0275, 1e-12);
        close(luck.high, 0.0275 + 0.027_175_399, 1e-6);
        assert_eq!(seed_luck(0.5, &[0.4]), None);
    }
}
