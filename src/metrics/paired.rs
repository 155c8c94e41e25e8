//! Comparison of two models on the same test examples, and correction for many such tests.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::Interval;
use crate::vocab::Rng;

/// The result of McNemar's test of two classifiers on the same items.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct McNemar {
    /// Items that only the first classifier has right.
    pub only_first: usize,
    /// Items that only the second classifier has right.
    pub only_second: usize,
    /// The exact two-sided p-value of "both are right equally often".
    pub p: f64,
}

/// Runs McNemar's exact test. Items must be independent: tracks, not segments of the same tracks.
///
/// # Panics
/// If the lengths differ.
///
/// # Source
/// McNemar, "Note on the sampling error of the difference between correlated proportions",
/// Psychometrika 12, 1947; the exact form is the binomial test of the items that differ.
#[must_use]
pub fn mcnemar(first_is_right: &[bool], second_is_right: &[bool]) -> McNemar {
    assert_eq!(first_is_right.len(), second_is_right.len(), "both say something of every item");
    let count = |pair: (bool, bool)| {
        first_is_right.iter().zip(second_is_right).filter(|(a, b)| (**a, **b) == pair).count()
    };
    let (only_first, only_second) = (count((true, false)), count((false, true)));
    let n = (only_first + only_second) as u64;
    let fewer = only_first.min(only_second) as u64;
    let tail = Binomial::new(0.5, n).expect("0.5 is a probability").cdf(fewer);
    McNemar { only_first, only_second, p: (2.0 * tail).min(1.0) }
}

/// Applies Holm's correction: each p-value is adjusted so that it can be compared with the level of
/// a single test. Keeps the order.
///
/// # Source
/// Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
/// Statistics 6, 1979.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let n = p_values.len();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; n];
    let mut largest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        largest = largest.max(p_values[index] * (n - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// Computes the paired bootstrap of a difference: the 95 % percentile interval of `sum / n`, where
/// whole tracks are drawn with replacement. `tracks` contains, per track, the sum over its examples
/// of the first model's value minus the second's, and the number of its examples.
///
/// # Panics
/// If there is no track, a track has no example, or `n_resamples` is 0.
///
/// # Source
/// Efron and Tibshirani, "An introduction to the bootstrap", 1993, section 13.3; clusters as units:
/// Field and Welsh, "Bootstrapping clustered data", JRSS B 69, 2007.
#[must_use]
pub fn bootstrap(tracks: &[(f64, f64)], n_resamples: usize, rng: &mut Rng) -> Interval {
    assert!(!tracks.is_empty() && n_resamples > 0, "a bootstrap needs tracks and resamples");
    assert!(tracks.iter().all(|(_, n)| *n > 0.0), "a track that is compared has an example");
    let ratio = |(sum, n): (f64, f64)| sum / n;
    let add = |(sum, n): (f64, f64), track: &(f64, f64)| (sum + track.0, n + track.1);
    let mut resample = || {
        let drawn = (0..tracks.len()).map(|_| &tracks[rng.below(tracks.len())]);
        ratio(drawn.fold((0.0, 0.0), add))
    };
    let mut means: Vec<f64> = (0..n_resamples).map(|_| resample()).collect();
    means.sort_unstable_by(f64::total_cmp);
    let mean = ratio(tracks.iter().fold((0.0, 0.0), add));
    Interval { mean, low: percentile(&means, 0.025), high: percentile(&means, 0.975) }
}

/// Interpolates linearly between neighbors, numpy's default.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (at - below as f64)
}
