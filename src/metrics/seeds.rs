//! The variance due to the seeds, apart from the variance due to their test tracks.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use super::Clustered;

/// The variance that seeds cause in a score or in a mean.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Seeds {
    /// Degrees of freedom of `raw`.
    pub(super) degrees_of_freedom: f64,
    /// The observed variance.
    pub(super) raw: f64,
    /// The part of it that the test tracks explain.
    pub(super) explained: f64,
}

impl Seeds {
    /// Estimates their effect on one score; `None` with only one seed.
    ///
    /// The variance over the seeds is half the mean square of the difference of two seeds, over all
    /// pairs. The time grows with the seeds, not with their pairs. A track that a seed did not score
    /// does not influence that seed's score.
    pub(super) fn of(runs: &[Clustered]) -> Option<Self> {
        let raw = variance(&runs.iter().map(|run| run.value))?;
        let n_tracks = runs.iter().map(|run| run.influences.len()).max().unwrap_or(0);
        let of_track = |track: usize| {
            variance(
                &runs.iter().map(|run| run.influences.get(track).copied().flatten().unwrap_or(0.0)),
            )
        };
        let explained = (0..n_tracks).filter_map(of_track).sum();
        Some(Self { degrees_of_freedom: runs.len() as f64 - 1.0, raw, explained })
    }

    /// Estimates their effect on the mean of these runs.
    pub(super) fn of_mean(runs: &[Clustered]) -> Option<Self> {
        let k = runs.len() as f64;
        Self::of(runs).map(|one| Self { raw: one.raw / k, explained: one.explained / k, ..one })
    }

    /// Adds the variances for a difference, with the degrees of freedom of Welch and Satterthwaite.
    pub(super) fn plus(self, other: Self) -> Self {
        let raw = self.raw + other.raw;
        let parts = self.raw * self.raw / self.degrees_of_freedom
            + other.raw * other.raw / other.degrees_of_freedom;
        let degrees_of_freedom = if parts > 0.0 {
            raw * raw / parts
        } else {
            self.degrees_of_freedom + other.degrees_of_freedom
        };
        Self { degrees_of_freedom, raw, explained: self.explained + other.explained }
    }

    /// Returns the variance of the seeds alone.
    pub(super) fn own(&self) -> f64 {
        (self.raw - self.explained).max(0.0)
    }

    /// Returns the contribution to a squared margin, including the effect of few degrees of
    /// freedom.
    pub(super) fn margin_squared(&self, alpha: f64, z: f64) -> f64 {
        self.squared_by(alpha, z, [0.6, 1.2])
    }

    /// Returns the same for the difference to a further run.
    pub(super) fn further_squared(&self, alpha: f64, z: f64) -> f64 {
        let are_two = self.degrees_of_freedom < 1.5;
        self.squared_by(alpha, z, if are_two { [0.05, 0.1] } else { [0.5, 1.0] })
    }

    /// Student's t does not count up to the first ratio of raw to explained, and in full from the
    /// second on.
    fn squared_by(&self, alpha: f64, z: f64, [from, to]: [f64; 2]) -> f64 {
        let t = quantile(alpha, self.degrees_of_freedom);
        let g = ((self.ratio() - from) / (to - from)).clamp(0.0, 1.0);
        z * z * self.own() + g * (t * t - z * z).max(0.0) * self.raw
    }

    /// Returns raw divided by explained.
    fn ratio(&self) -> f64 {
        if self.explained > 0.0 { self.raw / self.explained } else { f64::INFINITY }
    }

    /// Returns the factor of a squared margin by tracks, 0.8 to 1: below 1 if seeds agree better than
    /// their tracks suggest.
    pub(super) fn agreement(&self) -> f64 {
        (0.8 + 0.2 * self.ratio()).min(1.0)
    }
}

/// The sample variance; exactly 0 where all values are equal, `None` below two values.
pub(super) fn variance(values: &(impl ExactSizeIterator<Item = f64> + Clone)) -> Option<f64> {
    let n = values.len() as f64;
    let first = values.clone().next()?;
    let shifted = || values.clone().map(|value| value - first);
    let mean = shifted().sum::<f64>() / n;
    (n > 1.0)
        .then(|| shifted().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0))
}

/// Returns Student's t that is exceeded, on both sides together, with probability `alpha`.
pub(super) fn quantile(alpha: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom)
        .expect("two runs or two tracks leave a degree of freedom")
        .inverse_cdf(1.0 - alpha / 2.0)
}

/// Returns the quantile of the standard normal distribution that is exceeded, on both sides together, with probability `alpha`.
pub(super) fn normal_quantile(alpha: f64) -> f64 {
    Normal::standard().inverse_cdf(1.0 - alpha / 2.0)
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;
    use crate::vocab::Seed;

    /// The definition: half the squared difference of two seeds, over all pairs.
    fn of_pairs(runs: &[Clustered]) -> (f64, f64) {
        let (mut raw, mut explained) = (0.0, 0.0);
        for (i, a) in runs.iter().enumerate() {
            for b in &runs[..i] {
                let difference = a.minus(b);
                raw += difference.value * difference.value;
                explained += difference.variance();
            }
        }
        let k = runs.len() as f64;
        (raw / (k * (k - 1.0)), explained / (k * (k - 1.0)))
    }

    #[test]
    fn the_variance_over_seeds_is_the_mean_over_their_pairs() {
        for (n_seeds, n_tracks) in [(2, 5), (3, 40), (17, 60)] {
            let mut rng = Seed(n_seeds).rng("runs", &[]);
            let mut run = |n_tracks: usize| {
                let values: Vec<f64> = (0..2 * n_tracks).map(|_| rng.uniform()).collect();
                // Every seed scores tracks of its own choice, some of them several times.
                let tracks: Vec<usize> = values.iter().map(|_| rng.below(n_tracks)).collect();
                Clustered::mean(&values, &tracks, n_tracks)
            };
            let runs: Vec<Clustered> =
                (0..n_seeds as usize).map(|seed| run(n_tracks + seed % 2)).collect();
            assert!(runs.iter().flat_map(|run| &run.influences).any(Option::is_none));
            let seeds = Seeds::of(&runs).unwrap();
            let (raw, explained) = of_pairs(&runs);
            close(seeds.raw / raw, 1.0, 1e-12);
            close(seeds.explained / explained, 1.0, 1e-12);
            assert_eq!(seeds.degrees_of_freedom, n_seeds as f64 - 1.0);
        }
    }

    #[test]
    fn equal_seeds_have_no_variance_at_all_and_one_seed_knows_none() {
        let run = Clustered::mean(&[0.1, 0.3, 0.7], &[0, 1, 2], 3);
        let seeds = Seeds::of(&vec![run.clone(); 7]).unwrap();
        assert_eq!((seeds.raw, seeds.explained), (0.0, 0.0));
        assert_eq!(Seeds::of(&[run]), None);
        assert_eq!(Seeds::of(&[]), None);
    }

    #[test]
    fn student_s_t_agrees_with_scipy() {
        close(quantile(0.05, 2.0), 4.302_652_729_749_462, 1e-9);
        close(quantile(0.05, 4.7), 2.620_726_075_353_17, 1e-9);
        close(quantile(0.05, 1000.0), 1.962_339_080_826_408_3, 1e-9);
    }
}
