//! A mean over seeds, or a difference of two such means, with the separate contributions of seeds
//! and test tracks to its uncertainty.
//!
//! A score varies for two reasons: the seed (weights, order, dropout, the draw of the split) and
//! the tracks that happen to be in the test set. With `k` seeds and `T` test tracks:
//!
//! | part | how it is measured |
//! |---|---|
//! | tracks | the influence of every track, averaged over the seeds, squared, summed: a cluster-robust variance. It is right for one fixed test set, for different test sets that overlap, and for many segments per track |
//! | seeds | variance of the `k` scores, minus the part that their own test tracks explain: half the squared influence of the difference of two seeds, over all pairs |
//!
//! The margin of the 95 % interval is `sqrt(z^2 (tracks + seeds / k) + g (t^2 - z^2) s^2 / k)`.
//! Here `s^2` is the raw variance of the scores, `t` is Student's quantile for its `k - 1` degrees
//! of freedom, and `z` the one for `T - 1`. `g` rises from 0 to 1 while `s^2` rises from 0.6 to 1.2
//! times the variance that the tracks alone explain. If the seeds clearly do not matter, their few
//! degrees of freedom do not matter either.
//!
//! `coverage.rs` measures how good the intervals are, in 1,000 simulated experiments each. With
//! three or five seeds, the intervals contain the truth in 930 to 970 of them where seeds matter,
//! and in up to 990 where they hardly matter. This includes a learner whose training sets overlap.
//! With two seeds it may be 880. A single seed cannot show how much seeds matter: its interval is
//! about that one trained model, and [`Estimate::knows_seeds`] returns false.
//!
//! # Source
//! Crossed random effects by moments: Searle, Casella and McCulloch, "Variance components", 1992;
//! clusters in two ways: Cameron, Gelbach and Miller, "Robust inference with multiway clustering",
//! JBES 29, 2011; the sum of squared quantiles: Graybill and Wang, "Confidence intervals on
//! nonnegative linear combinations of variances", JASA 75, 1980; why both parts count: Bouthillier
//! et al., "Accounting for variance in machine learning benchmarks", MLSys 2021. The ramp `g` is ours.

use serde::{Deserialize, Serialize};

use super::seeds::{Seeds, quantile};
use super::{Clustered, Interval};

/// Tail probability of a two-sided 95 % interval.
pub(super) const ALPHA: f64 = 0.05;
/// The power at which a difference counts as detectable: 4 times out of 5.
const POWER: f64 = 0.8;

/// A mean over seeds, or a difference of two means, and the two parts of its variance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean, or the first mean minus the second.
    pub value: f64,
    /// Number of test tracks.
    pub n_tracks: usize,
    /// Variance due to the choice of test tracks.
    tracks: f64,
    /// Variance due to the seeds; `None` if a mean has only one seed.
    seeds: Option<Seeds>,
}

impl Estimate {
    /// Returns the mean of runs that differ in the seed. Pass the differences for a paired
    /// comparison.
    ///
    /// # Panics
    /// If there is no run.
    #[must_use]
    pub fn of(runs: &[Clustered]) -> Self {
        Self::new(&Clustered::mean_of(runs), Seeds::of_mean(runs))
    }

    /// Returns the difference between the means of two groups of unpaired runs. Tracks with the
    /// same number count as the same track on both sides.
    ///
    /// # Panics
    /// If a side has no run.
    #[must_use]
    pub fn unpaired(first: &[Clustered], second: &[Clustered]) -> Self {
        let difference = Clustered::mean_of(first).minus(&Clustered::mean_of(second));
        let seeds = Seeds::of_mean(first).zip(Seeds::of_mean(second));
        Self::new(&difference, seeds.map(|(first, second)| first.plus(second)))
    }

    fn new(mean: &Clustered, seeds: Option<Seeds>) -> Self {
        Self { value: mean.value, n_tracks: mean.n_tracks(), tracks: mean.variance(), seeds }
    }

    /// Returns whether every mean has two seeds or more. If not, intervals and tests are about the
    /// trained models only and say nothing about other seeds.
    #[must_use]
    pub fn knows_seeds(&self) -> bool {
        self.seeds.is_some()
    }

    /// Returns the standard error due to the choice of test tracks.
    #[must_use]
    pub fn tracks_error(&self) -> f64 {
        self.tracks.sqrt()
    }

    /// Returns the standard error due to the seeds; `None` if a mean has only one seed.
    #[must_use]
    pub fn seeds_error(&self) -> Option<f64> {
        self.seeds.map(|seeds| seeds.own().sqrt())
    }

    /// Returns the 95 % interval, symmetric around the value.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let margin = self.margin_squared(ALPHA).sqrt();
        Interval { mean: self.value, low: self.value - margin, high: self.value + margin }
    }

    /// Returns the 95 % interval of a fraction: within `[0, 1]`, and longer towards the middle.
    ///
    /// # Source
    /// Wilson 1927, with the number of independent items that has the same variance: Korn and
    /// Graubard, "Confidence intervals for proportions with small expected number of positive
    /// counts estimated from survey data", Survey Methodology 24, 1998. At 0 and 1 that number is
    /// `n_tracks`.
    #[must_use]
    pub fn fraction_interval(&self) -> Interval {
        let p = self.value.clamp(0.0, 1.0);
        let spread = p * (1.0 - p);
        let (squared, share) = if spread > 0.0 {
            let squared = self.margin_squared(ALPHA);
            (squared, squared / spread)
        } else {
            let z = self.z(ALPHA);
            (0.0, z * z / self.n_tracks as f64)
        };
        let centre = (p + share / 2.0) / (1.0 + share);
        let margin = (squared + share * share / 4.0).sqrt() / (1.0 + share);
        let (low, high) = (centre - margin, centre + margin);
        Interval { mean: p, low: low.clamp(0.0, p), high: high.clamp(p, 1.0) }
    }

    /// Returns the 95 % interval of a loss, between 0 and `most`, the largest loss of an example. It is
    /// symmetric on the logarithmic scale. For a loss of 0 it is Wilson's, times `most`; where `most` is
    /// infinite, nothing is known of a loss of 0, and the interval is that point.
    #[must_use]
    pub fn loss_interval(&self, most: f64) -> Interval {
        let margin = self.margin_squared(ALPHA).sqrt();
        if self.value <= 0.0 && most.is_infinite() {
            return Interval { mean: 0.0, low: 0.0, high: 0.0 };
        }
        if self.value <= 0.0 {
            let z = self.z(ALPHA);
            return Interval {
                mean: 0.0,
                low: 0.0,
                high: most * z * z / (self.n_tracks as f64 + z * z),
            };
        }
        let factor = libm::exp(margin / self.value);
        let (low, high) = (self.value / factor, (self.value * factor).min(most));
        Interval { mean: self.value, low, high: high.max(self.value) }
    }

    /// Returns the 95 % interval of an R2, at most 1. The unexplained share, 1 - R2, has the interval of a
    /// loss whose largest value is that of predicting the mean, 1, or infinite.
    #[must_use]
    pub fn r2_interval(&self) -> Interval {
        let unexplained = Self { value: (1.0 - self.value).max(0.0), ..self.clone() };
        let most = if unexplained.value > 0.0 { f64::INFINITY } else { 1.0 };
        let Interval { low, high, .. } = unexplained.loss_interval(most);
        let mean = self.value;
        Interval { mean, low: (1.0 - high).min(mean), high: (1.0 - low).max(mean) }
    }

    /// Returns the two-sided p-value of "the true value is 0": the `p` for which the interval of
    /// level `1 - p` ends at 0.
    #[must_use]
    pub fn p_value(&self) -> f64 {
        if self.value == 0.0 {
            return 1.0;
        }
        let squared = self.value * self.value;
        // Bisection on a logarithmic scale, because the size of a small p-value matters.
        let (mut low, mut high) = (1e-15_f64, 1.0);
        for _ in 0..60 {
            let middle = (low * high).sqrt();
            if self.margin_squared(middle) > squared {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }

    /// Returns the smallest true difference that such a comparison would detect 4 times out of 5,
    /// at the 5 % level. With `n` times the tracks and seeds, it is smaller by the square root of
    /// `n`.
    ///
    /// # Source
    /// Bloom, "Minimum detectable effects", Evaluation Review 19, 1995.
    #[must_use]
    pub fn detectable(&self) -> f64 {
        self.margin_squared(ALPHA).sqrt() + self.margin_squared(2.0 * (1.0 - POWER)).sqrt()
    }

    fn z(&self, alpha: f64) -> f64 {
        quantile(alpha, self.n_tracks as f64 - 1.0)
    }

    fn margin_squared(&self, alpha: f64) -> f64 {
        let z = self.z(alpha);
        z * z * self.tracks + self.seeds.map_or(0.0, |seeds| seeds.margin_squared(alpha, z))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::golden::close;
    use super::super::wilson;
    use super::*;

    /// Makes runs whose tracks have no influence, so that only Student's t over the seeds remains.
    pub(in crate::metrics) fn seeds_only(values: &[f64]) -> Vec<Clustered> {
        values.iter().map(|&value| Clustered { value, influences: vec![Some(0.0); 50] }).collect()
    }

    fn agrees(estimate: &Estimate, low: f64, high: f64, p: f64) {
        let interval = estimate.interval();
        close(interval.low, low, 1e-9);
        close(interval.high, high, 1e-9);
        close(estimate.p_value(), p, 1e-9);
    }

    #[test]
    fn seeds_alone_or_tracks_alone_are_the_t_tests_of_scipy() {
        let seeds = Estimate::of(&seeds_only(&[0.02, 0.03, 0.01, 0.05]));
        agrees(
            &seeds,
            0.000_324_691_162_039_852_24,
            0.054_675_308_837_960_15,
            0.048_566_856_559_801,
        );
        let values = [1.0, 0.0, 0.0, 1.0, 0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0];
        let tracks: Vec<usize> = (0..values.len()).collect();
        let tracks = Estimate::of(&[Clustered::mean(&values, &tracks, values.len())]);
        agrees(
            &tracks,
            -0.080_507_689_945_548_07,
            0.747_174_356_612_214_7,
            0.103_915_722_663_214_06,
        );
        assert_eq!(tracks.seeds_error(), None);
        let (first, second) = ([0.62, 0.66, 0.65], [0.60, 0.59, 0.62, 0.61]);
        let unpaired = Estimate::unpaired(&seeds_only(&first), &seeds_only(&second));
        agrees(
            &unpaired,
            -0.003_966_246_690_897_769,
            0.080_632_913_357_564_65,
            0.063_712_982_275_747_7,
        );
    }

    #[test]
    fn seeds_and_tracks_are_told_apart() {
        // Two seeds on four tracks with one example each. The seeds differ on one track.
        let tracks = [0, 1, 2, 3];
        let a = Clustered::mean(&[1.0, 1.0, 0.0, 0.0], &tracks, 4);
        let b = Clustered::mean(&[1.0, 1.0, 1.0, 0.0], &tracks, 4);
        let estimate = Estimate::of(&[a, b]);
        close(estimate.value, 0.625, 1e-15);
        // The track means are 1, 1, 0.5, 0; their sample variance, 0.229, is divided by 4.
        close(estimate.tracks_error().powi(2), 0.687_5 / 3.0 / 4.0, 1e-12);
        // The variance of 0.5 and 0.75 is 0.03125. The differences of their tracks are 0, 0, 1, 0;
        // half the variance of their mean, 0.25 / 4 / 2, explains all of it.
        close(estimate.seeds_error().unwrap(), 0.0, 1e-8);
    }

    #[test]
    fn a_fraction_of_independent_items_is_wilson_s_nearly() {
        let tracks: Vec<usize> = (0..500).collect();
        let values: Vec<f64> = (0..500).map(|i| f64::from(u8::from(i % 5 > 0))).collect();
        let interval = Estimate::of(&[Clustered::mean(&values, &tracks, 500)]).fraction_interval();
        let wanted = wilson(400, 500);
        // Student's t with 499 degrees of freedom and the factor 500 / 499 make it 0.3 % longer.
        close(interval.low, wanted.low, 2e-4);
        close(interval.high, wanted.high, 2e-4);
        let all = Estimate::of(&[Clustered::mean(&[1.0; 500], &tracks, 500)]).fraction_interval();
        close(all.low, wilson(500, 500).low, 2e-4);
        assert_eq!((all.mean, all.high), (1.0, 1.0));
    }

    #[test]
    fn a_loss_s_interval_stays_between_0_and_the_most() {
        let tracks: Vec<usize> = (0..4).collect();
        let of = |values: &[f64]| Estimate::of(&[Clustered::mean(values, &tracks, 4)]);
        let wild = of(&[4.0, 0.05, 0.1, 0.1]);
        assert!(wild.interval().low < 0.0, "the symmetric interval leaves the range");
        let interval = wild.loss_interval(15.942_385);
        assert!(0.0 < interval.low && interval.low < 1.0625 && interval.high <= 15.942_385);
        assert_eq!(interval.mean, wild.value);
        assert_eq!(of(&[1.9, 1.9, 0.1, 1.9]).loss_interval(2.0).high, 2.0);
        let calm = of(&[1.0, 1.01, 0.99, 1.0]);
        close(calm.loss_interval(2.0).high, calm.interval().high, 1e-3);
        let none = of(&[0.0; 4]).loss_interval(2.0);
        assert!(none.low == 0.0 && none.high > 1.0 && none.high < 2.0, "{none:?}");
    }

    #[test]
    fn an_r2_s_interval_stays_below_1() {
        let tracks: Vec<usize> = (0..6).collect();
        let of = |actual: &[f32; 6], said: &[f32; 6]| {
            Estimate::of(&[crate::metrics::r2_by_track(actual, said, &tracks, 6)])
        };
        let actual = [1.0, 2.0, 3.0, 4.0, 5.0, 9.0];
        let good = of(&actual, &[1.0, 2.5, 3.0, 4.0, 5.0, 8.0]);
        let interval = good.r2_interval();
        assert!(interval.low < interval.mean && interval.mean < interval.high, "{interval:?}");
        assert!(interval.high < 1.0 && interval.mean == good.value, "{interval:?}");
        // As far as a loss reaches upwards on the logarithmic scale, it reaches downwards.
        let [low, high] = [interval.low, interval.high].map(|end| 1.0 - end);
        close(low * high, (1.0 - good.value).powi(2), 1e-12);
        let perfect = of(&actual, &actual).r2_interval();
        assert!(perfect.low > 0.0 && perfect.low < 0.6 && perfect.high == 1.0, "{perfect:?}");
        assert_eq!(of(&[2.0; 6], &[3.0; 6]).r2_interval().mean, 0.0);
    }

    #[test]
    fn a_difference_that_can_be_shown_is_shown_4_times_of_5() {
        // With many seeds, the smallest detectable difference is (1.96 + 0.84) standard errors.
        let values: Vec<f64> = (0..2_000).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let estimate =
            Estimate::of(&[Clustered::mean(&values, &(0..2_000).collect::<Vec<_>>(), 2_000)]);
        close(estimate.detectable() / estimate.tracks_error(), 1.96 + 0.842, 5e-3);
        close(estimate.p_value(), 1.0, 0.0);
    }
}
