//! How often verdicts are wrong: simulated publications and faithful repetitions of them.
//!
//! A track's segments are right with a probability of the track's own, drawn from a beta distribution
//! around the run's accuracy (correlation 0.3 between segments of one track). A run's accuracy is
//! normal around `p` with the seed spread, cut off at 0 and 1. Every run, ours or published, has a fresh
//! test set. Only the numbers of tracks with 0, 1, ... right segments are drawn, which are all that a
//! verdict depends on.
//!
//! With `N_EXPERIMENTS` experiments a cell, a rate of 7 % has a standard error of 0.4 points and one of
//! 2 % has 0.2. `docs/statistics.md` has the table that the test prints.

use super::evidence::{Evidence, Published};
use super::verdict::{DEFAULT_MARGIN, decide};
use super::{Clustered, Scale, Verdict};
use crate::vocab::{Rng, Seed};

const N_EXPERIMENTS: usize = 4_000;
const ACCURACIES: [f64; 8] = [0.3, 0.5, 0.8, 0.9, 0.95, 0.97, 0.99, 1.0];
const TRACKS: [usize; 4] = [15, 60, 290, 3_000];
const SEGMENTS: [usize; 2] = [1, 10];
const SEEDS: [usize; 3] = [1, 3, 5];
const SPREADS: [f64; 3] = [0.0, 0.01, 0.03];
/// Correlation between segments of one track.
const CORRELATION: f64 = 0.3;

/// What is known of seeds where there is one only.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Assumed {
    /// The claim's own `seed_sd`, which is right.
    Known,
    /// Nothing: the default.
    Default,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    accuracy: f64,
    n_tracks: usize,
    n_segments: usize,
    n_seeds: usize,
    spread: f64,
}

/// Shares of the experiments of one cell.
#[derive(Debug, Clone, Copy)]
struct Rates {
    /// A faithful repetition is called different.
    differs: f64,
    /// ... reproduced.
    reproduced: f64,
    /// One whose truth is twice the margin off is called reproduced.
    wrongly_reproduced: f64,
}

fn cells() -> Vec<Cell> {
    let mut cells = vec![];
    for accuracy in ACCURACIES {
        for n_tracks in TRACKS {
            for n_segments in SEGMENTS {
                for n_seeds in SEEDS {
                    for spread in SPREADS {
                        cells.push(Cell { accuracy, n_tracks, n_segments, n_seeds, spread });
                    }
                }
            }
        }
    }
    cells
}

impl Cell {
    fn rates(&self, assumed: Assumed, factorials: &[f64]) -> Rates {
        let Self { accuracy, n_tracks, n_seeds, spread, .. } = *self;
        let indices = [(100.0 * accuracy) as u64, n_tracks as u64, self.n_segments as u64];
        let name = format!("{n_seeds} seeds of spread {spread}, {assumed:?}");
        let mut rng = Seed(1).rng(&name, &indices);
        let other = if accuracy < 0.5 { accuracy + 0.1 } else { accuracy - 0.1 };
        let mut counts = [0; 3];
        for _ in 0..N_EXPERIMENTS {
            let ours: Vec<(f64, f64)> =
                (0..n_seeds).map(|_| self.run(accuracy, &mut rng, factorials)).collect();
            let evidence = Evidence::of_fresh(&ours, n_tracks as f64);
            let seed_sd = (n_seeds == 1 && assumed == Assumed::Known).then_some(spread);
            let mut verdict = |truth: f64| {
                let (value, _) = self.run(truth, &mut rng, factorials);
                let published = Published { seed_sd, ..Published::of(value) };
                decide(&evidence, &published, DEFAULT_MARGIN)
            };
            let faithful = verdict(accuracy);
            counts[0] += usize::from(matches!(faithful, Verdict::Differs { .. }));
            counts[1] += usize::from(faithful == Verdict::Reproduced);
            counts[2] += usize::from(verdict(other) == Verdict::Reproduced);
        }
        let [differs, reproduced, wrongly_reproduced] =
            counts.map(|n| n as f64 / N_EXPERIMENTS as f64);
        Rates { differs, reproduced, wrongly_reproduced }
    }

    /// A run's score and its variance by tracks.
    fn run(&self, truth: f64, rng: &mut Rng, factorials: &[f64]) -> (f64, f64) {
        let accuracy = (truth + self.spread * rng.normal()).clamp(0.0, 1.0);
        let counts = self.counts(accuracy, rng, factorials);
        let n = self.n_tracks as f64;
        let share = |right: usize| right as f64 / self.n_segments as f64;
        let sum = |of: &dyn Fn(f64) -> f64| -> f64 {
            counts.iter().enumerate().map(|(right, n)| *n as f64 * of(share(right))).sum()
        };
        let mean = sum(&|x| x) / n;
        (mean, sum(&|x| (x - mean).powi(2)) / (n - 1.0) / n)
    }

    /// The number of tracks with 0, 1, ... right segments.
    fn counts(&self, accuracy: f64, rng: &mut Rng, factorials: &[f64]) -> Vec<usize> {
        let mut counts = vec![0; self.n_segments + 1];
        let (mut tracks, mut rest) = (self.n_tracks, 1.0);
        for (right, probability) in beta_binomial(accuracy, self.n_segments).iter().enumerate() {
            let share = if rest > 0.0 { (probability / rest).clamp(0.0, 1.0) } else { 1.0 };
            let is_last = right == self.n_segments;
            let n = if is_last { tracks } else { binomial(tracks, share, rng, factorials) };
            counts[right] = n;
            tracks -= n;
            rest -= probability;
        }
        counts
    }
}

/// The probabilities of 0 to `n` right segments of a track.
fn beta_binomial(p: f64, n: usize) -> Vec<f64> {
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return (0..=n).map(|right| f64::from(u8::from(right == certain))).collect();
    }
    let sum = 1.0 / CORRELATION - 1.0;
    let (a, b) = (p * sum, (1.0 - p) * sum);
    let none: f64 = (0..n).map(|i| (b + i as f64) / (sum + i as f64)).product();
    let next = |probability: &mut f64, right: usize| {
        let here = *probability;
        let (j, rest) = (right as f64, n as f64 - right as f64);
        *probability *= rest / (j + 1.0) * (a + j) / (b + rest - 1.0);
        Some(here)
    };
    (0..=n).scan(none, next).collect()
}

/// How many of `n` happen: the inverse of the distribution, searched from its mode outwards.
fn binomial(n: usize, p: f64, rng: &mut Rng, factorials: &[f64]) -> usize {
    if n == 0 || p <= 0.0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    let mode = (((n + 1) as f64 * p) as usize).min(n);
    let (odds, rest) = (p / (1.0 - p), n - mode);
    let log = factorials[n] - factorials[mode] - factorials[rest];
    let top = (log + mode as f64 * p.ln() + rest as f64 * (1.0 - p).ln()).exp();
    let mut left = rng.uniform() - top;
    let (mut low, mut high) = ((mode, top), (mode, top));
    while left > 0.0 && (low.0 > 0 || high.0 < n) {
        if low.0 > 0 {
            low = (low.0 - 1, low.1 * low.0 as f64 / ((n - low.0 + 1) as f64 * odds));
            left -= low.1;
            if left <= 0.0 {
                return low.0;
            }
        }
        if high.0 < n {
            high = (high.0 + 1, high.1 * (n - high.0) as f64 * odds / (high.0 + 1) as f64);
            left -= high.1;
            if left <= 0.0 {
                return high.0;
            }
        }
    }
    mode
}

fn log_factorials() -> Vec<f64> {
    let next = |sum: &mut f64, n: usize| {
        *sum += (n.max(1) as f64).ln();
        Some(*sum)
    };
    (0..=TRACKS[TRACKS.len() - 1]).scan(0.0, next).collect()
}

/// `0.1 to 5.2 %`
fn span(rates: impl Iterator<Item = f64> + Clone) -> String {
    let (low, high) = (rates.clone().fold(1.0, f64::min), rates.fold(0.0, f64::max));
    format!("{:.1} to {:.1} %", 100.0 * low, 100.0 * high)
}

#[test]
fn verdicts_are_wrong_as_rarely_as_is_claimed() {
    let factorials = log_factorials();
    let all: Vec<(Cell, Rates)> =
        cells().into_iter().map(|cell| (cell, cell.rates(Assumed::Known, &factorials))).collect();
    assert_eq!(all.len(), 576);
    let is_large = |cell: &Cell| cell.accuracy <= 0.9 && cell.n_tracks >= 60;
    for n_tracks in TRACKS {
        for n_seeds in SEEDS {
            let of = |it: &&(Cell, Rates)| it.0.n_tracks == n_tracks && it.0.n_seeds == n_seeds;
            let rows = || all.iter().filter(of);
            let low = rows().filter(|(cell, _)| cell.accuracy <= 0.9);
            println!(
                "| {n_tracks} | {n_seeds} | {} | {} | {} | {} |",
                span(low.map(|(_, it)| it.differs)),
                span(rows().filter(|it| it.0.accuracy > 0.9).map(|(_, it)| it.differs)),
                span(rows().map(|(_, it)| it.reproduced)),
                span(rows().map(|(_, it)| it.wrongly_reproduced))
            );
        }
    }
    let is_wrong = |(cell, rates): &&(Cell, Rates)| {
        rates.differs > 0.07
            || is_large(cell) && rates.differs < 0.02
            || rates.wrongly_reproduced > 0.05
    };
    let faults: Vec<&(Cell, Rates)> = all.iter().filter(is_wrong).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// One seed, and nothing said of seeds: the default spread protects up to a true one of 0.03.
#[test]
fn the_default_spread_calls_no_more_than_7_of_100_repetitions_different() {
    let factorials = log_factorials();
    for spread in SPREADS {
        let ones = cells().into_iter().filter(|cell| cell.n_seeds == 1 && cell.spread == spread);
        let rates: Vec<Rates> =
            ones.map(|cell| cell.rates(Assumed::Default, &factorials)).collect();
        assert_eq!(rates.len(), 64);
        println!("| {spread} | {} |", span(rates.iter().map(|it| it.differs)));
        assert!(rates.iter().all(|it| it.differs <= 0.07), "{spread}: {rates:#?}");
    }
}

#[test]
fn counts_are_beta_binomial() {
    let probabilities = beta_binomial(0.8, 10);
    let mean: f64 = probabilities.iter().enumerate().map(|(n, p)| n as f64 * p).sum();
    let square: f64 =
        probabilities.iter().enumerate().map(|(n, p)| (n as f64 - 8.0).powi(2) * p).sum();
    assert!((mean - 8.0).abs() < 1e-9 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    // n p q (1 + (n - 1) correlation)
    assert!((square - 1.6 * 3.7).abs() < 1e-9, "{square}");
    let (factorials, mut rng) = (log_factorials(), Seed(1).rng("binomial", &[]));
    let draws: Vec<f64> =
        (0..20_000).map(|_| binomial(60, 0.2, &mut rng, &factorials) as f64).collect();
    let mean = draws.iter().sum::<f64>() / 20_000.0;
    let variance = draws.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / 20_000.0;
    assert!((mean - 12.0).abs() < 0.1 && (variance - 9.6).abs() < 0.4, "{mean}, {variance}");
}

/// What is drawn as counts is what predictions would give.
#[test]
fn evidence_of_counts_is_that_of_predictions() {
    let scores = [[1.0, 0.5, 0.0], [1.0, 1.0, 0.5]];
    let runs = [0, 1].map(|run: usize| {
        let tracks: Vec<usize> = (3 * run..3 * run + 3).collect();
        Clustered::mean(&scores[run], &tracks, 6)
    });
    let parts = [0, 1].map(|run: usize| (runs[run].value, runs[run].variance()));
    let published = Published::of(0.8);
    let interval = |evidence: Evidence| evidence.difference(&published, 0.05);
    let (a, b) =
        (interval(Evidence::of(&runs, Scale::Fraction)), interval(Evidence::of_fresh(&parts, 3.0)));
    assert!((a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12, "{a:?} {b:?}");
}
