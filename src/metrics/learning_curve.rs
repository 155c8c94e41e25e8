//! A learner's error by the size of its training set: a power law, and what it says of more data.
//!
//! The law is `error(n) = c + a n^-b` with `c >= 0`, `a >= 0` and `b` in [0, 2]. It is fitted by generalized
//! least squares: the errors of one curve come from the same test tracks and seeds, so that they err together.
//! Their covariance has two parts:
//!
//! | part | how it is measured |
//! |---|---|
//! | tracks | products of the influences of every track on two points, each averaged over the seeds, summed |
//! | seeds | what tracks do not explain of the spread over the seeds, pooled over the points; its common part is that of the mean over the points |
//!
//! The interval of the error at any `n` is that of the profile likelihood: all values for which some law fits the
//! points nearly as well as the best one. So it has the uncertainty of the scores and of all three numbers of the
//! law. If the points clearly do not follow any such law, their covariance is enlarged by how badly they do.
//!
//! `coverage_learning.rs` counts in simulated studies how often the intervals contain the truth.
//!
//! # Source
//! Power laws of learning curves with a floor: Cortes et al., "Learning curves: asymptotic values and rate of
//! convergence", NIPS 1993; Hestness et al., "Deep learning scaling is predictable, empirically", 2017. Profile
//! likelihood: Venzon and Moolgavkar, "A method for computing profile-likelihood-based confidence intervals",
//! Applied Statistics 37, 1988. Enlarging errors by the misfit: Birge, Physical Review 40, 1932.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::estimate::ALPHA;
use super::seeds::{Seeds, quantile};
use super::{Clustered, Interval};

/// The largest exponent of a law.
const MOST_EXPONENT: f64 = 2.0;
/// Exponents that are tried.
const N_EXPONENTS: usize = 201;
/// The step between them.
const STEP: f64 = MOST_EXPONENT / (N_EXPONENTS - 1) as f64;

/// The largest part of the seeds' variance that is taken to be common to all points.
const MOST_COMMON: f64 = 0.95;

/// The errors of models that were trained on `n` tracks.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningPoint {
    /// Number of training tracks, above 0.
    pub n: f64,
    /// The error of a run for every seed, the seeds in one order for all points.
    pub errors: Vec<Clustered>,
}

/// `error(n) = floor + scale n^-exponent`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerLaw {
    /// The error that is left with endless data, at least 0.
    pub floor: f64,
    /// What is added to it at `n = 1`, at least 0.
    pub scale: f64,
    /// How fast that falls, in [0, 2].
    pub exponent: f64,
}

/// A fitted law, and all that is needed for its intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCurve {
    /// Sizes of the training sets, as parts of the largest.
    sizes: Vec<f64>,
    errors: Vec<f64>,
    /// The inverse covariance of the errors, row-major.
    precision: Vec<f64>,
    largest: f64,
    /// How much worse than the best law another one may fit.
    threshold: f64,
    /// With its scale at the largest size.
    law: PowerLaw,
    misfit: f64,
    is_lawful: bool,
    knows_seeds: bool,
}

impl PowerLaw {
    fn at(&self, size: f64) -> f64 {
        self.floor + self.scale * libm::pow(size, -self.exponent)
    }
}

impl LearningCurve {
    /// Points of different sizes that a law needs: it has three numbers.
    pub const FEWEST_POINTS: usize = 3;

    /// Fits a law; nothing for points of fewer than three sizes, or if the errors do not vary with the tracks.
    ///
    /// # Panics
    /// If a size is not above 0, or the points have different numbers of runs, or none.
    #[must_use]
    pub fn fit(points: &[LearningPoint]) -> Option<Self> {
        let k = points.len();
        assert!(points.iter().all(|point| point.n > 0.0), "a training set has tracks");
        let mut distinct: Vec<f64> = points.iter().map(|point| point.n).collect();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        if distinct.len() < Self::FEWEST_POINTS {
            return None;
        }
        let largest = distinct[distinct.len() - 1];
        let means: Vec<Clustered> =
            points.iter().map(|point| Clustered::mean_of(&point.errors)).collect();
        let n_tracks = means.iter().map(Clustered::n_tracks).min().unwrap_or(0);
        let z = quantile(ALPHA, n_tracks.max(2) as f64 - 1.0);
        let mut covariance = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..k {
                covariance[i * k + j] = common(&means[i], &means[j]);
            }
        }
        let knows_seeds = add_seeds(points, z, &mut covariance);
        let mean_variance = (0..k).map(|i| covariance[i * k + i]).sum::<f64>() / k as f64;
        // Points that err in exactly the same way leave no doubt of their differences, which is too much.
        (0..k).for_each(|i| covariance[i * k + i] += 1e-6 * mean_variance);
        let precision = inverse(&covariance, k)?;
        let mut curve = Self {
            sizes: points.iter().map(|point| point.n / largest).collect(),
            errors: means.iter().map(|mean| mean.value).collect(),
            precision,
            largest,
            threshold: z * z,
            law: PowerLaw { floor: 0.0, scale: 0.0, exponent: 0.0 },
            misfit: 0.0,
            is_lawful: true,
            knows_seeds,
        };
        (curve.law, curve.misfit) = curve.best();
        let freedom = distinct.len() - Self::FEWEST_POINTS;
        if freedom > 0 {
            let chi = ChiSquared::new(freedom as f64).expect("there is a degree of freedom");
            if curve.misfit > chi.inverse_cdf(1.0 - ALPHA) {
                curve.is_lawful = false;
                curve.threshold *= curve.misfit / freedom as f64;
            }
        }
        Some(curve)
    }

    /// Returns the fitted law.
    #[must_use]
    pub fn law(&self) -> PowerLaw {
        let scale = self.law.scale * libm::pow(self.largest, self.law.exponent);
        PowerLaw { scale, ..self.law }
    }

    /// Returns whether the points are as near to the law as chance allows, as far as their number can tell.
    #[must_use]
    pub fn is_lawful(&self) -> bool {
        self.is_lawful
    }

    /// Returns whether the points have two seeds or more. If not, intervals are about the trained models only.
    #[must_use]
    pub fn knows_seeds(&self) -> bool {
        self.knows_seeds
    }

    /// Returns the error of a learner with `n` training tracks, and its 95 % interval. Beyond the points it is
    /// an extrapolation.
    ///
    /// # Panics
    /// If `n` is not above 0.
    #[must_use]
    pub fn at(&self, n: f64) -> Interval {
        assert!(n > 0.0, "a training set has tracks");
        let size = n / self.largest;
        let mean = self.law.at(size);
        let rays = self.rays(size);
        let fits = |value: f64| self.least_misfit(&rays, value) - self.misfit <= self.threshold;
        // No law is far above the largest error, and none below 0.
        let highest = self.errors.iter().copied().fold(mean, f64::max);
        let mut beyond = 2.0 * highest + 1e-9;
        while fits(beyond) && beyond < 1e6 * (highest + 1.0) {
            beyond *= 2.0;
        }
        let low = if fits(0.0) { 0.0 } else { border(&fits, mean, 0.0) };
        Interval { mean, low: low.min(mean), high: border(&fits, mean, beyond).max(mean) }
    }

    /// The best law for each exponent, and the best of these, with their misfit.
    fn best(&self) -> (PowerLaw, f64) {
        let laws = (0..N_EXPONENTS).map(|i| self.best_with(i as f64 * STEP));
        let best = laws.min_by(|a, b| a.1.total_cmp(&b.1)).expect("exponents are tried");
        // Between the tried ones, by thirds.
        let (mut low, mut high) =
            ((best.0.exponent - STEP).max(0.0), (best.0.exponent + STEP).min(MOST_EXPONENT));
        for _ in 0..40 {
            let third = (high - low) / 3.0;
            if self.best_with(low + third).1 < self.best_with(high - third).1 {
                high -= third;
            } else {
                low += third;
            }
        }
        let refined = self.best_with(f64::midpoint(low, high));
        if refined.1 < best.1 { refined } else { best }
    }

    /// The best law with an exponent: both of its numbers free, or one of them 0.
    fn best_with(&self, exponent: f64) -> (PowerLaw, f64) {
        let powers: Vec<f64> = self.sizes.iter().map(|size| libm::pow(*size, -exponent)).collect();
        let ones = vec![1.0; powers.len()];
        let (pp, po, oo) = (
            self.product(&powers, &powers),
            self.product(&powers, &ones),
            self.product(&ones, &ones),
        );
        let (py, oy) = (self.product(&powers, &self.errors), self.product(&ones, &self.errors));
        let determinant = pp * oo - po * po;
        let free = ((oo * py - po * oy) / determinant, (pp * oy - po * py) / determinant);
        let tried = [free, (py / pp, 0.0), (0.0, oy / oo), (0.0, 0.0)];
        let law = |(scale, floor): (f64, f64)| {
            let rest: Vec<f64> = (powers.iter().zip(&self.errors))
                .map(|(power, error)| error - floor - scale * power)
                .collect();
            (PowerLaw { floor, scale, exponent }, self.product(&rest, &rest))
        };
        let is_allowed = |(scale, floor): &(f64, f64)| {
            (scale.is_finite() && floor.is_finite()) && *scale >= 0.0 && *floor >= 0.0
        };
        let laws = tried.into_iter().filter(is_allowed).map(law);
        laws.min_by(|a, b| a.1.total_cmp(&b.1)).expect("0 and 0 are allowed")
    }

    /// The laws with each exponent as lines through one value at a size: how the errors change with the scale.
    fn rays(&self, size: f64) -> Vec<Ray> {
        let ray = |exponent: f64| {
            let power = libm::pow(size, -exponent);
            let slopes: Vec<f64> =
                self.sizes.iter().map(|own| libm::pow(*own, -exponent) - power).collect();
            let weights: Vec<f64> =
                self.precision.chunks(slopes.len()).map(|row| dot(row, &slopes)).collect();
            Ray { power, steep: dot(&weights, &slopes), weights }
        };
        (0..N_EXPONENTS).map(|i| ray(i as f64 * STEP)).collect()
    }

    /// How well the best of the laws fits that have a value at the size of the rays.
    fn least_misfit(&self, rays: &[Ray], value: f64) -> f64 {
        let rests: Vec<f64> = self.errors.iter().map(|error| error - value).collect();
        let of_rays = rays.iter().map(|Ray { power, weights, steep }| {
            let along = dot(weights, &rests);
            let scale = if *steep > 0.0 { along / steep } else { 0.0 };
            // The floor is what is left of the value, and not below 0.
            let scale = scale.clamp(0.0, (value / power).max(0.0));
            scale * (scale * steep - 2.0 * along)
        });
        self.product(&rests, &rests) + of_rays.fold(0.0, f64::min)
    }

    /// `a' P b` with the precision `P`.
    fn product(&self, a: &[f64], b: &[f64]) -> f64 {
        self.precision.chunks(b.len()).zip(a).map(|(row, a)| a * dot(row, b)).sum()
    }
}

/// Laws with one exponent that have the same value at one size.
struct Ray {
    /// That size to the power of the exponent, negated.
    power: f64,
    /// The precision times the change of the errors with the scale.
    weights: Vec<f64>,
    /// How fast the misfit grows with the scale.
    steep: f64,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The last value that fits on the way from one that does to one that does not.
fn border(fits: &impl Fn(f64) -> bool, from: f64, to: f64) -> f64 {
    let (mut inside, mut outside) = (from, to);
    for _ in 0..40 {
        let middle = f64::midpoint(inside, outside);
        if fits(middle) { inside = middle } else { outside = middle }
    }
    inside
}

/// The covariance of two scores due to the choice of test tracks.
fn common(a: &Clustered, b: &Clustered) -> f64 {
    let both = a.influences.iter().zip(&b.influences);
    both.map(|(a, b)| a.unwrap_or(0.0) * b.unwrap_or(0.0)).sum()
}

/// Adds the variance that seeds cause to the covariance of the points; false with one seed.
fn add_seeds(points: &[LearningPoint], z: f64, covariance: &mut [f64]) -> bool {
    let k = points.len();
    let n_seeds = points[0].errors.len();
    assert!(points.iter().all(|point| point.errors.len() == n_seeds), "every point has every seed");
    let of_points: Option<Vec<Seeds>> =
        points.iter().map(|point| Seeds::of_mean(&point.errors)).collect();
    let Some(of_points) = of_points else { return false };
    let over_points = |seed: usize| {
        Clustered::mean_of(&points.iter().map(|it| it.errors[seed].clone()).collect::<Vec<_>>())
    };
    let of_all: Vec<Clustered> = (0..n_seeds).map(over_points).collect();
    let common = Seeds::of_mean(&of_all).map_or(0.0, |seeds| seeds.own());
    let mean = |part: fn(&Seeds) -> f64| of_points.iter().map(part).sum::<f64>() / k as f64;
    let pooled = Seeds {
        degrees_of_freedom: mean(|seeds| seeds.degrees_of_freedom) * k as f64,
        raw: mean(|seeds| seeds.raw),
        explained: mean(|seeds| seeds.explained),
    };
    let variance = pooled.margin_squared(ALPHA, z) / (z * z);
    let own = pooled.own();
    let share = if own > 0.0 { (k as f64 * common / own - 1.0) / (k as f64 - 1.0) } else { 0.0 };
    let share = share.clamp(0.0, MOST_COMMON);
    for i in 0..k {
        for j in 0..k {
            covariance[i * k + j] += variance * if i == j { 1.0 } else { share };
        }
    }
    true
}

/// The inverse of a symmetric positive definite matrix by Gauss and Jordan, row-major; nothing if it is singular.
fn inverse(matrix: &[f64], k: usize) -> Option<Vec<f64>> {
    let mut left = matrix.to_vec();
    let mut right: Vec<f64> = (0..k * k).map(|i| f64::from(u8::from(i / k == i % k))).collect();
    for pivot in 0..k {
        let divisor = left[pivot * k + pivot];
        if divisor.is_nan() || divisor <= 0.0 {
            return None;
        }
        for j in 0..k {
            left[pivot * k + j] /= divisor;
            right[pivot * k + j] /= divisor;
        }
        for i in (0..k).filter(|i| *i != pivot) {
            let factor = left[i * k + pivot];
            for j in 0..k {
                left[i * k + j] -= factor * left[pivot * k + j];
                right[i * k + j] -= factor * right[pivot * k + j];
            }
        }
    }
    Some(right)
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::*;
    use crate::vocab::Seed;

    /// Points on a law, whose tracks have small and independent influences.
    fn points(sizes: &[f64], error: impl Fn(f64) -> f64) -> Vec<LearningPoint> {
        let mut rng = Seed(1).rng("influences", &[]);
        let mut run = |value: f64| {
            let influences = (0..50).map(|_| Some(1e-3 * rng.normal())).collect();
            Clustered { value, influences }
        };
        sizes.iter().map(|&n| LearningPoint { n, errors: vec![run(error(n))] }).collect()
    }

    #[test]
    fn points_on_a_law_give_that_law() {
        let points = points(&[70.0, 140.0, 350.0, 700.0], |n| 0.1 + 2.0 * n.powf(-0.5));
        let curve = LearningCurve::fit(&points).unwrap();
        let law = curve.law();
        close(law.floor, 0.1, 1e-4);
        close(law.scale, 2.0, 1e-2);
        close(law.exponent, 0.5, 1e-3);
        for n in [70.0, 700.0, 7_000.0] {
            let interval = curve.at(n);
            close(interval.mean, 0.1 + 2.0 * n.powf(-0.5), 1e-4);
            assert!(interval.low < interval.mean && interval.mean < interval.high, "{interval:?}");
        }
        let width = |n: f64| curve.at(n).high - curve.at(n).low;
        assert!(width(70_000.0) > width(7_000.0) && width(7_000.0) > width(700.0));
        assert!(curve.is_lawful() && !curve.knows_seeds());
    }

    #[test]
    fn a_law_never_falls_below_0_and_never_rises() {
        // Straight down in the logarithm of n: below 0 soon.
        let falls = points(&[100.0, 200.0, 400.0, 800.0], |n| 0.4 - 0.12 * (n / 100.0).log2());
        let curve = LearningCurve::fit(&falls).unwrap();
        assert!(curve.at(8e6).low >= 0.0 && curve.law().floor >= 0.0, "{:?}", curve.law());
        // More data makes it worse: no law of this kind, and none is made up.
        let rises = points(&[100.0, 200.0, 400.0, 800.0], |n| 0.2 + 0.03 * (n / 100.0).log2());
        let curve = LearningCurve::fit(&rises).unwrap();
        let (now, later) = (curve.at(800.0), curve.at(8_000.0));
        assert!((now.mean - later.mean).abs() < 1e-9 && !curve.is_lawful(), "{now:?} {later:?}");
    }

    #[test]
    fn two_sizes_are_too_few() {
        let two = points(&[100.0, 100.0, 800.0], |n| n.powf(-0.5));
        assert_eq!(LearningCurve::fit(&two), None);
        assert_eq!(LearningCurve::fit(&[]), None);
    }
}
