//! The range in which a published figure is expected if its procedure was the same as ours.

use super::estimate::ALPHA;
use super::seeds::{Seeds, quantile};
use super::{Clustered, Interval};

/// How a published figure was obtained, as far as that is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// Number of runs that the figure is the mean of.
    pub n_runs: usize,
    /// Size of our test set divided by the size of theirs.
    pub test_ratio: f64,
}

impl Default for Published {
    /// The assumption about a figure without such details: one run, and a test set as large as
    /// ours.
    fn default() -> Self {
        Self { n_runs: 1, test_ratio: 1.0 }
    }
}

/// Returns the interval that contains a published figure 95 times out of 100 if its procedure was
/// the same as that of these runs, on the same dataset with the same kind of split. It lies around
/// our mean, within `[0, 1]`.
///
/// It is longer than the interval of our mean because the published figure varies too. A faithful
/// repetition falls outside at most 5 times out of 100. The dataset's tracks, which all runs share,
/// do not count. A single run tells nothing about seeds: their variance then counts as 0, and the
/// two test sets count as drawn independently.
///
/// # Panics
/// If there is no run, or if the figure is the mean of no run.
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
        // With one run, both test sets vary: the square root of 2 wider than the run's own
        // interval.
        let tracks: Vec<usize> = (0..100).collect();
        let values: Vec<f64> = (0..100).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
        let one = [Clustered::mean(&values, &tracks, 100)];
        let (own, further) =
            (Estimate::of(&one).interval(), repetition(&one, &Published::default()));
        close((further.high - 0.5) / (own.high - 0.5), 2.0_f64.sqrt(), 1e-12);
    }
}
