//! The score of one run and the influence of each track, from which intervals and tests are
//! computed.
//!
//! Segments of one track are not independent, so the sampling unit is the track, never the segment.

use super::confusion::{confusion, macro_f1};

/// The score of one run, with the part that each track contributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Clustered {
    /// The score.
    pub value: f64,
    /// How much each track influences the score, by track number; `None` for tracks that the run
    /// did not score. The sum of their squares estimates the variance due to the choice of test
    /// tracks.
    pub influences: Vec<Option<f64>>,
}

impl Clustered {
    /// Returns the mean of one value per example (1 for right and 0 for wrong gives the accuracy).
    /// Example `i` belongs to track `tracks[i]`, which is below `n_tracks`.
    ///
    /// # Panics
    /// If the lengths differ, a track's number is too large or fewer than two tracks are scored.
    ///
    /// # Source
    /// Liang and Zeger, "Longitudinal data analysis using generalized linear models", Biometrika 73,
    /// 1986 (cluster-robust variance), for a ratio of sums, with the factor T / (T - 1).
    #[must_use]
    pub fn mean(values: &[f64], tracks: &[usize], n_tracks: usize) -> Self {
        assert_eq!(values.len(), tracks.len(), "one track per value");
        let mut sums: Vec<Option<(f64, f64)>> = vec![None; n_tracks];
        for (value, &track) in values.iter().zip(tracks) {
            let (sum, n) = sums[track].get_or_insert((0.0, 0.0));
            *sum += value;
            *n += 1.0;
        }
        Self::of_sums(&sums)
    }

    /// Returns the same as [`Self::mean`], from one sum and one count per track; `None` for tracks
    /// without examples.
    ///
    /// # Panics
    /// If fewer than two tracks are scored.
    #[must_use]
    pub fn of_sums(sums: &[Option<(f64, f64)>]) -> Self {
        let scored = || sums.iter().flatten();
        let factor = enough(scored().count());
        let n: f64 = scored().map(|(_, n)| n).sum();
        let value = scored().map(|(sum, _)| sum).sum::<f64>() / n;
        let influence = |(sum, of): (f64, f64)| (sum - value * of) / n * factor;
        Self { value, influences: sums.iter().map(|sums| sums.map(influence)).collect() }
    }

    /// Returns the macro-averaged F1 score, with the influences of the jackknife that leaves out
    /// one track at a time.
    ///
    /// # Panics
    /// In the same cases as [`Self::mean`].
    ///
    /// # Source
    /// Efron and Stein, "The jackknife estimate of variance", Annals of Statistics 9, 1981.
    #[must_use]
    pub fn macro_f1(
        actual: &[usize],
        predicted: &[usize],
        tracks: &[usize],
        n_classes: usize,
        n_tracks: usize,
    ) -> Self {
        let mut of_track: Vec<Vec<usize>> = vec![vec![]; n_tracks];
        for (example, &track) in tracks.iter().enumerate() {
            of_track[track].push(example);
        }
        let all = confusion(actual, predicted, n_classes);
        let without = |examples: &Vec<usize>| {
            if examples.is_empty() {
                return None;
            }
            let mut rest = all.clone();
            examples.iter().for_each(|&example| rest[actual[example]][predicted[example]] -= 1);
            Some(macro_f1(&rest))
        };
        let left: Vec<Option<f64>> = of_track.iter().map(without).collect();
        let n = left.iter().flatten().count();
        let mean = left.iter().flatten().sum::<f64>() / n as f64;
        // (T - 1) / T is the factor of the jackknife's sum of squares.
        let factor = 1.0 / enough(n);
        let influences = left.iter().map(|rest| rest.map(|rest| (mean - rest) * factor)).collect();
        Self { value: macro_f1(&all), influences }
    }

    /// Returns the difference between two runs. A track that both runs scored counts once, with its
    /// difference, so its difficulty cancels out.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let n = self.influences.len().max(other.influences.len());
        let influence = |of: &Self, track: usize| of.influences.get(track).copied().flatten();
        let difference = |track| match (influence(self, track), influence(other, track)) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0.0) - b.unwrap_or(0.0)),
        };
        Self { value: self.value - other.value, influences: (0..n).map(difference).collect() }
    }

    /// Returns the mean over several runs.
    ///
    /// # Panics
    /// If there is no run.
    #[must_use]
    pub fn mean_of(runs: &[Self]) -> Self {
        let k = runs.len() as f64;
        let n = runs.iter().map(|run| run.influences.len()).max().expect("there is a run");
        let mut influences: Vec<Option<f64>> = vec![None; n];
        for run in runs {
            for (sum, influence) in influences.iter_mut().zip(&run.influences) {
                if let Some(influence) = influence {
                    *sum.get_or_insert(0.0) += influence / k;
                }
            }
        }
        Self { value: runs.iter().map(|run| run.value).sum::<f64>() / k, influences }
    }

    /// Returns the number of tracks that were scored.
    #[must_use]
    pub fn n_tracks(&self) -> usize {
        self.influences.iter().flatten().count()
    }

    /// Returns the variance due to the choice of test tracks.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.influences.iter().flatten().map(|influence| influence * influence).sum()
    }
}

/// Returns the square root of T / (T - 1).
fn enough(n_tracks: usize) -> f64 {
    assert!(n_tracks > 1, "how much tracks differ can't be seen from {n_tracks} of them");
    (n_tracks as f64 / (n_tracks as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;

    #[test]
    fn with_one_example_a_track_it_is_the_variance_of_a_mean() {
        let values = [1.0, 0.0, 1.0, 1.0];
        let run = Clustered::mean(&values, &[0, 1, 3, 4], 5);
        close(run.value, 0.75, 0.0);
        assert_eq!((run.influences[2], run.n_tracks()), (None, 4));
        // The sample variance is 0.25; the mean of 4 values has a quarter of it.
        close(run.variance(), 0.0625, 1e-15);
    }

    #[test]
    fn examples_that_repeat_their_track_say_nothing_new() {
        let once = Clustered::mean(&[1.0, 0.0, 1.0], &[0, 1, 2], 3);
        let thrice = Clustered::mean(
            &[1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            &[0, 0, 0, 1, 1, 1, 2, 2, 2],
            3,
        );
        close(once.variance(), thrice.variance(), 1e-15);
    }

    #[test]
    fn what_is_hard_for_both_cancels_in_a_difference() {
        let run = Clustered::mean(&[1.0, 0.0, 1.0], &[0, 1, 2], 3);
        let difference = run.minus(&run);
        assert_eq!((difference.value, difference.variance(), difference.n_tracks()), (0.0, 0.0, 3));
    }
}
