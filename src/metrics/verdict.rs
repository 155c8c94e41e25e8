//! Verdicts on published figures.
//!
//! | verdict | when |
//! |---|---|
//! | differs | the figure is outside the 95 % prediction interval of a repetition of our runs |
//! | reproduced | else, if the 90 % interval of ours minus published is within the margin |
//! | inconclusive | else |
//!
//! # Source
//! Two one-sided tests: Schuirmann, "A comparison of the two one-sided tests procedure and the power
//! approach for assessing the equivalence of average bioavailability", J. Pharmacokinetics and
//! Biopharmaceutics 15, 1987. Why "not significantly different" is not "reproduced": Pawel, Heyard,
//! Micheloud and Held, "Replication of null results: absence of evidence or evidence of absence?",
//! eLife 92311, 2024.

use super::Interval;
use super::evidence::{Evidence, Published};

/// The level of the prediction interval: a faithful repetition is outside in 5 of 100 cases.
const DIFFERS: f64 = 0.05;
/// The 90 % interval is two one-sided tests at 5 % each.
const EQUIVALENT: f64 = 0.10;
/// The power that "could have detected" means: 4 times of 5.
const POWER: f64 = 0.8;
/// The margin of a claim that gives none.
pub const DEFAULT_MARGIN: f64 = 0.05;
/// The margin of a claim about an error in units of its own that gives none, as a share of the published
/// figure.
pub const DEFAULT_RELATIVE_MARGIN: f64 = 0.1;
/// No plan asks for more seeds than this, or for more than this times the tracks.
const MOST: usize = 1_000;

/// The verdict on a published figure.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Ours and the published figure are equal within the margin.
    Reproduced,
    /// The figure is outside the range of repetitions of our runs.
    Differs {
        /// Our mean minus the published figure: above 0 if ours is higher.
        by: f64,
    },
    /// The runs are too few to tell.
    Inconclusive,
    /// The runs and the figure are about different things.
    NotComparable {
        /// The difference, as a clause: `the figure is about gtzan, the runs are about
        /// synth-genres`.
        reason: String,
    },
}

impl Verdict {
    /// Returns the verdict in one or two words: `reproduced`, `differs`, `inconclusive` or `not comparable`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Differs { .. } => "differs",
            Self::Inconclusive => "inconclusive",
            Self::NotComparable { .. } => "not comparable",
        }
    }
}

/// A verdict on a comparable figure, with the numbers behind it, in the metric's units.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgment {
    /// Never [`Verdict::NotComparable`]: the caller decides whether the two may be compared.
    pub verdict: Verdict,
    /// The range in which 95 of 100 repetitions of our runs fall, around our mean.
    pub repetitions: Interval,
    /// Ours minus published with its 90 % interval.
    pub difference: Interval,
    /// The margin that the 90 % interval must be within.
    pub within: f64,
    /// The smallest true difference that such runs would detect 4 times of 5.
    pub detectable: f64,
    /// What would decide an inconclusive verdict.
    pub plan: Plan,
}

/// How many more seeds or test tracks would decide, if ours and the published figure stay where they
/// are. `None` if the published figure itself is too uncertain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Plan {
    /// Further seeds, on test sets like ours.
    pub seeds: Option<usize>,
    /// Further test tracks, with the present seeds.
    pub tracks: Option<usize>,
}

/// Judges a published figure.
///
/// # Panics
/// If `within` is not above 0, or for a figure of no run or no test set.
#[must_use]
pub fn judge(evidence: &Evidence, published: &Published, within: f64) -> Judgment {
    assert!(within > 0.0, "a margin is above 0");
    let value = evidence.value();
    let by = value - published.value;
    let verdict = decide(evidence, published, within);
    let low_high = evidence.difference(published, EQUIVALENT);
    let plan = match verdict {
        Verdict::Inconclusive => plan(evidence, published, within),
        _ => Plan::default(),
    };
    Judgment {
        verdict,
        repetitions: evidence.repetitions(published, DIFFERS),
        difference: Interval { mean: by, low: low_high.0.min(by), high: low_high.1.max(by) },
        within,
        detectable: evidence.margin(published, DIFFERS)
            + evidence.margin(published, 2.0 * (1.0 - POWER)),
        plan,
    }
}

/// Returns the verdict alone.
pub(super) fn decide(evidence: &Evidence, published: &Published, within: f64) -> Verdict {
    let (low, high) = evidence.difference(published, DIFFERS);
    if low > 0.0 || high < 0.0 {
        return Verdict::Differs { by: evidence.value() - published.value };
    }
    let (low, high) = evidence.difference(published, EQUIVALENT);
    if low > -within && high < within { Verdict::Reproduced } else { Verdict::Inconclusive }
}

/// Finds the fewest further seeds and tracks that decide, by doubling and bisection.
fn plan(evidence: &Evidence, published: &Published, within: f64) -> Plan {
    let decides = |more: &Evidence| decide(more, published, within) != Verdict::Inconclusive;
    let k = evidence.n_runs();
    let seeds = least(MOST, |n| decides(&evidence.with_runs(k + n)));
    // In hundredths, so that a tenth more is found too.
    let hundredths = least(100 * MOST, |n| decides(&evidence.with_tracks(1.0 + n as f64 / 100.0)));
    let tracks = hundredths.map(|n| (evidence.n_tracks() * n as f64 / 100.0).ceil() as usize);
    Plan { seeds, tracks }
}

/// Returns the least `n` from 1 to `most` for which `does` is true, if it is for all larger ones.
fn least(most: usize, does: impl Fn(usize) -> bool) -> Option<usize> {
    let (mut low, mut high) = (0, 1);
    while !does(high) {
        if high == most {
            return None;
        }
        (low, high) = (high, (2 * high).min(most));
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        if does(middle) { high = middle } else { low = middle }
    }
    Some(high)
}

#[cfg(test)]
mod tests {
    use super::super::golden::close;
    use super::super::{Clustered, Scale};
    use super::*;

    /// `k` runs on test sets of their own, of `n_tracks` tracks, with `n_right` of them right.
    fn runs(n_right: &[usize], n_tracks: usize) -> Vec<Clustered> {
        let all = n_right.len() * n_tracks;
        let one = |(run, &right): (usize, &usize)| {
            let values: Vec<f64> =
                (0..n_tracks).map(|track| f64::from(u8::from(track < right))).collect();
            let tracks: Vec<usize> = (0..n_tracks).map(|track| run * n_tracks + track).collect();
            Clustered::mean(&values, &tracks, all)
        };
        n_right.iter().enumerate().map(one).collect()
    }

    fn judged(n_right: &[usize], n_tracks: usize, value: f64) -> Judgment {
        let evidence = Evidence::of(&runs(n_right, n_tracks), Scale::Fraction);
        judge(&evidence, &Published::of(value), DEFAULT_MARGIN)
    }

    #[test]
    fn three_perfect_runs_on_15_tracks_do_not_refute_0_900() {
        let judgment = judged(&[15, 15, 15], 15, 0.9);
        assert_eq!(judgment.verdict, Verdict::Inconclusive);
        let Interval { low, mean, high } = judgment.repetitions;
        assert!((0.6..0.9).contains(&low), "{low}");
        assert_eq!((mean, high), (1.0, 1.0));
        // But not everything goes.
        assert!(
            matches!(judged(&[15, 15, 15], 15, 0.5).verdict, Verdict::Differs { by } if by == 0.5)
        );
    }

    #[test]
    fn runs_that_know_nothing_reproduce_nothing() {
        // 1 of 3 tracks right: the interval of ours is nearly 0 to 1.
        let judgment = judged(&[1], 3, 0.99);
        assert_eq!(judgment.verdict, Verdict::Inconclusive);
        assert!(judgment.difference.low < -0.8 && judgment.difference.high > -0.3);
        assert!(judgment.detectable > 0.5, "{}", judgment.detectable);
    }

    #[test]
    fn many_tracks_and_seeds_that_agree_reproduce() {
        let judgment = judged(&[2400, 2410, 2390, 2405, 2395], 3000, 0.795);
        assert_eq!(judgment.verdict, Verdict::Reproduced);
        assert!(judgment.difference.high < 0.05, "{:?}", judgment.difference);
        assert_eq!(judgment.plan, Plan::default());
        // A clear difference is one even within the margin.
        let judgment = judged(&[2400, 2410, 2390, 2405, 2395], 3000, 0.76);
        assert!(matches!(judgment.verdict, Verdict::Differs { by } if by > 0.0));
        assert!(judgment.difference.high < 0.06, "{:?}", judgment.difference);
    }

    #[test]
    fn what_would_decide_decides_and_one_less_does_not() {
        let evidence = Evidence::of(&runs(&[120, 117, 122], 150), Scale::Fraction);
        let published = Published { n_runs: 5, test_ratio: 0.5, ..Published::of(0.77) };
        let Judgment { verdict, plan, .. } = judge(&evidence, &published, 0.05);
        assert_eq!(verdict, Verdict::Inconclusive);
        let open = |more: &Evidence| decide(more, &published, 0.05) == Verdict::Inconclusive;
        let seeds = plan.seeds.expect("more seeds decide");
        assert!((2..30).contains(&seeds), "{seeds}");
        assert!(open(&evidence.with_runs(3 + seeds - 1)) && !open(&evidence.with_runs(3 + seeds)));
        let tracks = plan.tracks.expect("more tracks decide");
        let with = |n: usize| evidence.with_tracks(1.0 + n as f64 / 150.0);
        assert!(open(&with(tracks - 3)) && !open(&with(tracks)), "{tracks}");
        // A figure of one run on 8 tracks is never decided by our data alone.
        let published = Published { test_ratio: 20.0, ..Published::of(0.77) };
        assert_eq!(judge(&evidence, &published, 0.05).plan, Plan::default());
    }

    #[test]
    fn the_interval_of_repetitions_ends_where_figures_begin_to_differ() {
        let evidence = Evidence::of(&runs(&[54, 57, 55], 60), Scale::Fraction);
        let Interval { low, high, .. } = evidence.repetitions(&Published::of(0.9), DIFFERS);
        for (inside, outside) in [(low + 1e-6, low - 1e-6), (high - 1e-6, high + 1e-6)] {
            let verdict = |value: f64| decide(&evidence, &Published::of(value), 0.05);
            assert_eq!(verdict(inside), Verdict::Inconclusive);
            assert!(matches!(verdict(outside), Verdict::Differs { .. }));
        }
    }

    #[test]
    fn one_seed_assumes_a_spread_and_takes_the_claim_s_own() {
        let evidence = Evidence::of(&runs(&[2400], 3000), Scale::Fraction);
        let verdict = |value: f64, seed_sd: Option<f64>| {
            decide(&evidence, &Published { seed_sd, ..Published::of(value) }, 0.05)
        };
        assert_eq!(verdict(0.76, None), Verdict::Inconclusive);
        assert!(matches!(verdict(0.76, Some(0.001)), Verdict::Differs { .. }));
        assert_eq!(verdict(0.80, Some(0.001)), Verdict::Reproduced);
    }

    #[test]
    fn log_losses_stay_above_0_and_are_judged_by_their_ratio() {
        let tracks: Vec<usize> = (0..40).collect();
        let values: Vec<f64> = (0..40).map(|i| if i % 10 == 0 { 9.0 } else { 0.1 }).collect();
        let evidence = Evidence::of(&[Clustered::mean(&values, &tracks, 40)], Scale::Positive);
        let judgment = judge(&evidence, &Published::of(0.9), 0.05);
        assert_eq!(judgment.verdict, Verdict::Inconclusive);
        let Interval { low, mean, high } = judgment.repetitions;
        close(mean, 0.99, 1e-12);
        assert!(low > 0.0 && low < mean && mean < high);
        close(low * high, mean * mean, 1e-9);
    }
}
