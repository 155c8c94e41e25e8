//! Where a published figure falls if it was made as our runs were.

use super::estimate::ALPHA;
use super::seeds::{Seeds, quantile};
use super::{Clustered, Interval};

/// How a published figure came about, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// Runs that it is the mean of.
    pub n_runs: usize,
    /// Our test set's size by theirs.
    pub test_ratio: f64,
}

impl Default for Published {
    /// What is assumed of a figure that says nothing of it: one run, a test set as large as ours.
    fn default() -> Self {
        Self { n_runs: 1, test_ratio: 1.0 }
    }
}

/// Where a published figure falls, 95 times of 100, if it was made as these runs were, on the same
/// dataset, split in the same way: an interval around our mean, within `[0, 1]`.
///
/// It is longer than the interval of our mean, for the figure has luck of its own. Where a claim
/// lies outside, a faithful repetition would be that far off 5 times of 100 at most. What all runs
/// share, the dataset's tracks, does not count. With one run nothing is known of seeds; their
/// variance then counts as 0, and both test sets as drawn apart.
///
/// # Panics
/// Without a run, or for a figure of no run.
///
/// # Source
/// The prediction interval of a further mean: Hahn and Meeker, "Statistical intervals", 1991, with
/// the parts of [`super::Estimate`].
#[must_use]
pub fn repetition(runs: &[Clustered], published: &Published) -> Interval {
    assert!(published.n_runs > 0 && published.test_ratio > 0.0, "a figure is of a run and a test");
    let mean = Clustered::mean_of(runs);
    let z = quantile(ALPHA, mean.n_tracks() as f64 - 1.0);
    let squared = match Seeds::of(runs) {
        None => z * z * mean.variance() * (1.0 + published.test_ratio),
        Some(seeds) => {
            let (ours, theirs) = (1.0 / runs.len() as f64, 1.0 / published.n_runs as f64);
            z * z * seeds.explained * (ours + theirs * published.test_ratio)
                + seeds.margin_squared(ALPHA, z) * (ours + theirs)
        }
    };
    let (value, margin) = (mean.value, squared.sqrt());
    Interval {
        mean: value,
        low: (value - margin).max(0.0).min(value),
        high: (value + margin).min(1.0).max(value),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Estimate;
    use super::super::estimate::tests::seeds_only;
    use super::super::golden::close;
    use super::*;

    #[test]
    fn a_repetition_falls_further_off_than_the_mean_lies() {
        let runs = seeds_only(&[0.80, 0.82, 0.84]);
        // Student's t with 2 degrees of freedom, 4.3027, times 0.02 sqrt(1 + 1/3).
        let interval = repetition(&runs, &Published::default());
        close(interval.high - interval.mean, 4.302_652_729_7 * 0.02 * (4.0_f64 / 3.0).sqrt(), 1e-9);
        let mean_of_three = repetition(&runs, &Published { n_runs: 3, ..Published::default() });
        close(mean_of_three.high - 0.82, 4.302_652_729_7 * 0.02 * (2.0_f64 / 3.0).sqrt(), 1e-9);
        // One run: both test sets' luck, so the square root of 2 further than its own interval.
        let tracks: Vec<usize> = (0..100).collect();
        let values: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        let one = [Clustered::mean(&values, &tracks, 100)];
        let (own, further) =
            (Estimate::of(&one).interval(), repetition(&one, &Published::default()));
        close((further.high - 0.5) / (own.high - 0.5), 2.0_f64.sqrt(), 1e-12);
    }
}
