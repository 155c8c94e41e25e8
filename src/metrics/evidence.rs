//! Ours minus a published figure, with the uncertainty of both.
//!
//! A published figure varies for the same reasons as our runs: test tracks and seeds. With `k` runs of ours, `n` published ones and the published test set `1 / ratio` of ours,
//! the squared half-width of the interval of ours minus published is
//!
//! `z^2 b (p1 (1 - p1) / n1 + p2 (1 - p2) / n2) + (1 / k + 1 / n) S`
//!
//! | part | what it is |
//! |---|---|
//! | `n1`, `n2` | effective tracks behind ours and behind the published figure: as many independent tracks as would have the cluster-robust variance of our runs. At 0 and 1 that variance is 0. Therefore a tenth of a track that is right or wrong as a whole is added to the measured and to the independent variance, so that at 0 and 1 `n1` is the number of tracks |
//! | `p1`, `p2` | ours and the published figure, each with one effective track right and one wrong added (Agresti and Caffo) |
//! | `S` | seeds: `z^2` times the spread that tracks don't explain, and for few seeds `g (t^2 - z^2) s^2`, where `s^2` is the raw variance of the runs' scores. `g` rises from 0 to 1 while `s^2` rises from 0.5 to 1.0 times what tracks explain |
//! | `b` | 1, or down to 0.8 if the seeds agree better than their test tracks suggest. Together with `g` it keeps the rate of false alarms near 5 % whether seeds matter or not |
//!
//! One run does not show the effect of seeds. `S` is then `t^2` times the squared assumed spread: 0.02
//! as if from 4 degrees of freedom, or the claim's own spread, taken as known. Near 0 and 1, seeds can
//! spread to one side only. There `S` is at least what the default spread gives (in full up to 0.01 from the end, not at all from 0.03 on).
//!
//! If all runs were scored on the same tracks, the published figure is assumed to be measured on them
//! too, unless its claim gives another number. Tracks then count by what seeds change on them, but at
//! least as much as half a track.
//!
//! A loss has no upper limit. It is judged on the logarithmic scale, with Student's t for the tracks. R2
//! is judged by the share that it leaves unexplained, 1 - R2, as a loss. Where a loss is 0, nothing is
//! known of its logarithm, and every verdict is inconclusive.
//!
//! `simulation.rs` counts how often the verdicts are wrong.
//!
//! # Source
//! The prediction interval of a further mean: Hahn and Meeker, "Statistical intervals", 1991. Added
//! successes and failures: Agresti and Caffo, "Simple and effective confidence intervals for
//! proportions and differences of proportions", American Statistician 54, 2000. Effective numbers:
//! Korn and Graubard, Survey Methodology 24, 1998. `g`, `b` and the default spread are ours.

use serde::{Deserialize, Serialize};

use super::seeds::{Seeds, normal_quantile, quantile};
use super::{Clustered, Interval};

/// The assumed standard deviation over seeds if there is only one run. For a loss, it is
/// [`DEFAULT_LOSS_SPREAD`] times the loss; for R2, that times 1 - R2.
pub const DEFAULT_SEED_SPREAD: f64 = 0.02;
/// As [`DEFAULT_SEED_SPREAD`], as a share of a loss.
pub const DEFAULT_LOSS_SPREAD: f64 = 0.05;
/// Degrees of freedom of the default spread.
const DEFAULT_DEGREES_OF_FREEDOM: f64 = 4.0;
/// Distances from 0 or 1 between which the default spread fades out.
const NEAR_THE_END: [f64; 2] = [0.01, 0.03];
/// Effective tracks added as right, and as many as wrong.
const ADDED: f64 = 1.0;
/// The weight of a track that is right or wrong as a whole in the ratio of variances.
const WHOLE_TRACK: f64 = 0.1;
/// The least sum of squared influences, in squared tracks: half a track. With runs that all agree, one
/// track more or less is then no difference.
const LEAST: f64 = 0.25;

/// The values that a metric can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scale {
    /// `[0, 1]`: accuracies, F1, areas under curves.
    Fraction,
    /// Above 0: losses and errors.
    Positive,
    /// At most 1, without a lower limit: R2.
    AtMostOne,
}

impl Scale {
    /// Returns how far a score is from a perfect one, where that is what is judged; else the score itself.
    fn judged(self, value: f64) -> f64 {
        match self {
            Self::Fraction | Self::Positive => value,
            Self::AtMostOne => 1.0 - value,
        }
    }

    /// Returns whether variances are those of the logarithm.
    fn is_logarithmic(self) -> bool {
        self != Self::Fraction
    }
}

/// A published figure and what is known of its runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Published {
    /// The figure.
    pub value: f64,
    /// The number of runs that it is the mean of.
    pub n_runs: usize,
    /// The size of our test set divided by theirs.
    pub test_ratio: f64,
    /// Whether its test set is known to differ from ours.
    pub has_other_test: bool,
    /// The standard deviation of its runs over seeds, in the metric's units.
    pub seed_sd: Option<f64>,
}

impl Published {
    /// Creates a figure with the default assumptions: one run, a test set as large as ours.
    #[must_use]
    pub fn of(value: f64) -> Self {
        Self { value, n_runs: 1, test_ratio: 1.0, has_other_test: false, seed_sd: None }
    }
}

/// A score over runs that differ only in the seed, with its variances; those of losses, and of R2, are of
/// the logarithm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    scale: Scale,
    /// As it is judged: of R2 the share that is not explained.
    value: f64,
    n_runs: usize,
    /// If the published test set was chosen as ours were.
    alike: Tracks,
    /// If it is another one, although all our runs share one.
    apart: Tracks,
    has_one_test: bool,
    seeds: Option<Seeds>,
}

/// The effect of test tracks on our mean and on one further run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Tracks {
    ours: Part,
    further: Part,
}

/// A variance and the number of tracks behind it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Part {
    variance: f64,
    n_tracks: f64,
}

impl Part {
    /// Returns the same with `factor` times the tracks.
    fn times(self, factor: f64) -> Self {
        Self { variance: self.variance / factor, n_tracks: self.n_tracks * factor }
    }

    /// Returns how many independent tracks would have this variance, for a score of `p`.
    fn effective(self, p: f64) -> f64 {
        let independent = self.n_tracks * p * (1.0 - p);
        let measured = self.n_tracks * self.n_tracks * self.variance;
        let measured = measured.max(LEAST.min(independent));
        self.n_tracks * (independent + WHOLE_TRACK) / (measured + WHOLE_TRACK)
    }
}

impl Evidence {
    /// Summarizes runs that differ only in the seed.
    ///
    /// # Panics
    /// Without a run.
    #[must_use]
    pub fn of(runs: &[Clustered], scale: Scale) -> Self {
        let k = runs.len() as f64;
        let mean = Clustered::mean_of(runs);
        let is_tested =
            |run: &Clustered, track: usize| run.influences.get(track).is_some_and(Option::is_some);
        let is_shared = |track: usize| {
            runs.iter().all(|run| is_tested(run, track) == is_tested(&runs[0], track))
        };
        let mut evidence = Self::of_parts(
            mean.value,
            runs.len(),
            Part {
                variance: runs.iter().map(Clustered::variance).sum::<f64>() / k,
                n_tracks: runs.iter().map(|run| run.n_tracks() as f64).sum::<f64>() / k,
            },
            Seeds::of(runs),
        );
        evidence.scale = scale;
        evidence.value = scale.judged(mean.value);
        evidence.has_one_test = runs.len() > 1 && (0..mean.influences.len()).all(is_shared);
        evidence.apart.ours = Part { variance: mean.variance(), n_tracks: mean.n_tracks() as f64 };
        if scale.is_logarithmic() {
            evidence.take_logarithm();
        }
        evidence
    }

    /// Summarizes runs on fresh test sets of `n_tracks` tracks each: `scores` has the score of each run
    /// and its variance by tracks.
    #[cfg(test)]
    pub(super) fn of_fresh(scores: &[(f64, f64)], n_tracks: f64) -> Self {
        let k = scores.len() as f64;
        let value = scores.iter().map(|(value, _)| value).sum::<f64>() / k;
        let variance = scores.iter().map(|(_, variance)| variance).sum::<f64>() / k;
        let seeds = (scores.len() > 1).then(|| Seeds {
            degrees_of_freedom: k - 1.0,
            raw: scores.iter().map(|(it, _)| (it - value).powi(2)).sum::<f64>() / (k - 1.0),
            explained: variance,
        });
        Self::of_parts(value, scores.len(), Part { variance, n_tracks }, seeds)
    }

    /// Summarizes from the effect of tracks on one run, if no two runs share a track, and of seeds.
    fn of_parts(value: f64, n_runs: usize, one: Part, seeds: Option<Seeds>) -> Self {
        let further = Part { variance: seeds.map_or(one.variance, |it| it.explained), ..one };
        Self {
            scale: Scale::Fraction,
            value,
            n_runs,
            alike: Tracks { ours: further.times(n_runs as f64), further },
            apart: Tracks { ours: one.times(n_runs as f64), further: one },
            has_one_test: false,
            seeds,
        }
    }

    /// Replaces the variances by those of the logarithm of the score.
    fn take_logarithm(&mut self) {
        if self.value <= 0.0 {
            self.value = f64::MIN_POSITIVE;
            for tracks in [&mut self.alike, &mut self.apart] {
                (tracks.ours.variance, tracks.further.variance) = (f64::INFINITY, f64::INFINITY);
            }
            return;
        }
        let share = 1.0 / (self.value * self.value);
        for tracks in [&mut self.alike, &mut self.apart] {
            tracks.ours.variance *= share;
            tracks.further.variance *= share;
        }
        if let Some(seeds) = &mut self.seeds {
            seeds.raw *= share;
            seeds.explained *= share;
        }
    }

    /// Returns the mean over the runs.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.scale.judged(self.value)
    }

    /// Returns the number of runs.
    #[must_use]
    pub fn n_runs(&self) -> usize {
        self.n_runs
    }

    /// Returns the mean number of test tracks per run.
    #[must_use]
    pub fn n_tracks(&self) -> f64 {
        self.alike.further.n_tracks
    }

    /// Returns the standard deviation over seeds that is assumed for a single run, in the metric's units.
    #[must_use]
    pub fn assumed_spread(&self, published: &Published) -> Option<f64> {
        let default = match self.scale {
            Scale::Fraction => DEFAULT_SEED_SPREAD,
            Scale::Positive | Scale::AtMostOne => DEFAULT_LOSS_SPREAD * self.value,
        };
        self.seeds.is_none().then(|| published.seed_sd.unwrap_or(default))
    }

    /// Returns what `n_runs` such runs would show, if they spread as these do (or as assumed).
    #[must_use]
    pub fn with_runs(&self, n_runs: usize) -> Self {
        let explained = self.alike.further.variance;
        let assumed = Seeds {
            degrees_of_freedom: 1.0,
            raw: self.default_spread().powi(2) + explained,
            explained,
        };
        let seeds = self.seeds.unwrap_or(assumed);
        let more = n_runs as f64 / self.n_runs as f64;
        let mut with = self.clone();
        with.n_runs = n_runs;
        with.seeds = Some(Seeds { degrees_of_freedom: n_runs as f64 - 1.0, ..seeds });
        with.alike.ours = self.alike.ours.times(more);
        if !self.has_one_test {
            with.apart.ours = self.apart.ours.times(more);
        }
        with
    }

    /// Returns what these runs would show with `factor` times the test tracks. The published figure
    /// keeps its tracks.
    #[must_use]
    pub fn with_tracks(&self, factor: f64) -> Self {
        let mut with = self.clone();
        with.alike.ours = self.alike.ours.times(factor);
        with.apart.ours = self.apart.ours.times(factor);
        with
    }

    /// Returns the interval of level `1 - alpha` of ours minus published, in the metric's units.
    pub(super) fn difference(&self, published: &Published, alpha: f64) -> (f64, f64) {
        let margin = self.margin_squared(published, alpha).sqrt();
        match self.scale {
            Scale::Fraction => {
                let [ours, theirs] = self.sides(published);
                let by = ours.0 - theirs.0;
                (by - margin, by + margin)
            }
            Scale::Positive | Scale::AtMostOne => {
                let theirs = self.scale.judged(published.value);
                let at = |factor: f64| self.value * factor - theirs;
                let (less, more) = (at(libm::exp(-margin)), at(libm::exp(margin)));
                if self.scale == Scale::Positive { (less, more) } else { (-more, -less) }
            }
        }
    }

    /// Returns half the length of this interval.
    pub(super) fn margin(&self, published: &Published, alpha: f64) -> f64 {
        let (low, high) = self.difference(published, alpha);
        (high - low) / 2.0
    }

    /// Returns the range of published figures whose interval of level `1 - alpha` contains 0:
    /// where repetitions of our runs fall.
    pub(super) fn repetitions(&self, published: &Published, alpha: f64) -> Interval {
        let mean = self.value();
        let is_told_apart = |value: f64| {
            let (low, high) = self.difference(&Published { value, ..*published }, alpha);
            low > 0.0 || high < 0.0
        };
        let (low, high) = match self.scale {
            Scale::Fraction => (end(mean, 0.0, is_told_apart), end(mean, 1.0, is_told_apart)),
            Scale::Positive | Scale::AtMostOne => {
                let factor = libm::exp(self.margin_squared(published, alpha).sqrt());
                let (less, more) = (self.value / factor, self.value * factor);
                if self.scale == Scale::Positive { (less, more) } else { (1.0 - more, 1.0 - less) }
            }
        };
        Interval { mean, low, high }
    }

    /// Returns ours and the published figure as fractions of effective tracks, with [`ADDED`] right and
    /// wrong ones, and the numbers of tracks.
    fn sides(&self, published: &Published) -> [(f64, f64); 2] {
        let Tracks { ours, further } = self.tracks(published);
        let theirs = further.times(published.n_runs as f64 / published.test_ratio);
        let p = self.value.clamp(0.0, 1.0);
        [(p, ours), (published.value, theirs)].map(|(value, part)| {
            let n = part.effective(p);
            ((n * value + ADDED) / (n + 2.0 * ADDED), n + 2.0 * ADDED)
        })
    }

    /// Returns the squared half-width of the interval of ours minus published.
    fn margin_squared(&self, published: &Published, alpha: f64) -> f64 {
        let known = normal_quantile(alpha);
        let (ours, theirs) = (1.0 / self.n_runs as f64, 1.0 / published.n_runs as f64);
        let by_tracks = match self.scale {
            Scale::Fraction => {
                let sides = self.sides(published);
                known * known * sides.iter().map(|(p, n)| p * (1.0 - p) / n).sum::<f64>()
            }
            Scale::Positive | Scale::AtMostOne => {
                let Tracks { ours, further } = self.tracks(published);
                let t = quantile(alpha, (self.n_tracks() - 1.0).max(1.0));
                t * t * (ours.variance + further.variance * published.test_ratio * theirs)
            }
        };
        let told = published.seed_sd.map(|sd| (known * sd / self.unit()).powi(2));
        let Some(seeds) = self.seeds else {
            let t = quantile(alpha, DEFAULT_DEGREES_OF_FREEDOM);
            let assumed = told.unwrap_or((t * self.default_spread()).powi(2));
            return by_tracks + assumed * (ours + theirs);
        };
        let least = (known * self.default_spread()).powi(2) * self.nearness_to_the_end();
        let by_seeds = seeds.further_squared(alpha, known).max(least);
        let agreement = if self.is_apart(published) { 1.0 } else { seeds.agreement() };
        agreement * by_tracks + by_seeds * ours + told.unwrap_or(by_seeds) * theirs
    }

    fn tracks(&self, published: &Published) -> Tracks {
        if self.is_apart(published) { self.apart } else { self.alike }
    }

    fn is_apart(&self, published: &Published) -> bool {
        self.has_one_test && published.has_other_test
    }

    /// Returns the unit of a difference on the scale of the variances.
    fn unit(&self) -> f64 {
        match self.scale {
            Scale::Fraction => 1.0,
            Scale::Positive | Scale::AtMostOne => self.value,
        }
    }

    fn default_spread(&self) -> f64 {
        match self.scale {
            Scale::Fraction => DEFAULT_SEED_SPREAD,
            Scale::Positive | Scale::AtMostOne => DEFAULT_LOSS_SPREAD,
        }
    }

    /// Returns 1 if ours is so close to 0 or 1 that seeds can hardly spread, 0 if it is far off.
    fn nearness_to_the_end(&self) -> f64 {
        if self.scale.is_logarithmic() {
            return 0.0;
        }
        let distance = self.value.min(1.0 - self.value);
        let [near, far] = NEAR_THE_END;
        ((far - distance) / (far - near)).clamp(0.0, 1.0)
    }
}

/// Returns the last value from `from` towards `to` that is not told apart, by bisection.
fn end(from: f64, to: f64, is_told_apart: impl Fn(f64) -> bool) -> f64 {
    if !is_told_apart(to) {
        return to;
    }
    let (mut inside, mut outside) = (from, to);
    for _ in 0..50 {
        let middle = f64::midpoint(inside, outside);
        if is_told_apart(middle) { outside = middle } else { inside = middle }
    }
    inside
}
