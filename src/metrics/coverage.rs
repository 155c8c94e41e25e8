//! Simulated experiments with a known truth: how often the intervals of `estimate` contain it.

use statrs::distribution::{ContinuousCDF, Normal};

use super::evidence::{Evidence, Published};
use super::{Clustered, Estimate, Scale};
use crate::vocab::{Rng, Seed};

const N_EXPERIMENTS: u64 = 1_000;

/// How the test sets of the seeds are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Test {
    /// All tracks, the same for every seed.
    Fixed,
    /// 3 of 10 tracks, drawn again for every seed.
    Tracks,
    /// 3 of 10 segments, drawn again for every seed: nearly every track is in every test set.
    Segments,
}

/// A simulated experiment. A segment is right if a sum of normal variables exceeds a threshold. The
/// sum has a part of the seed, a part of the track, a part of the pair, and the rest. The total
/// variance is 1.
#[derive(Debug, Clone, Copy)]
struct World {
    n_tracks: usize,
    n_segments: usize,
    truth: f64,
    /// Variances of the parts of the seed, the track, and the pair.
    parts: [f64; 3],
    test: Test,
}

impl World {
    /// Simulates `k` runs; also returns the accuracy of the first run's model on all possible
    /// tracks.
    fn runs(&self, k: usize, rng: &mut Rng) -> (Vec<Clustered>, f64) {
        let normal = Normal::standard();
        let [seed, track, both] = self.parts;
        let rest = (1.0 - seed - track - both).sqrt();
        let threshold = normal.inverse_cdf(self.truth);
        let of_track: Vec<f64> = (0..self.n_tracks).map(|_| track.sqrt() * rng.normal()).collect();
        let mut first = None;
        let mut run = || {
            let level = threshold + seed.sqrt() * rng.normal();
            first.get_or_insert(normal.cdf(level / (1.0 - seed).sqrt()));
            let counts = self.test_counts(rng);
            let right = |(of_track, n): (&f64, usize)| {
                let p = normal.cdf((level + of_track + both.sqrt() * rng.normal()) / rest);
                let right = (0..n).filter(|_| rng.uniform() < p).count();
                (n > 0).then_some((right as f64, n as f64))
            };
            Clustered::of_sums(&of_track.iter().zip(counts).map(right).collect::<Vec<_>>())
        };
        let runs = (0..k).map(|_| run()).collect();
        (runs, first.unwrap())
    }

    /// Draws how many segments of every track are tested.
    fn test_counts(&self, rng: &mut Rng) -> Vec<usize> {
        let (n, each) = (self.n_tracks, self.n_segments);
        let mut order: Vec<usize> = match self.test {
            Test::Fixed => return vec![each; n],
            Test::Tracks => (0..n).collect(),
            Test::Segments => (0..n * each).map(|segment| segment / each).collect(),
        };
        rng.shuffle(&mut order);
        let mut counts = vec![0; n];
        let weight = if self.test == Test::Tracks { each } else { 1 };
        order[..order.len() * 3 / 10].iter().for_each(|track| counts[*track] += weight);
        counts
    }
}

const FEW: World =
    World { n_tracks: 30, n_segments: 5, truth: 0.7, parts: [0.005, 0.1, 0.1], test: Test::Fixed };
const MANY: World = World { n_tracks: 200, ..FEW };
/// Segments of one track are nearly all right or nearly all wrong.
const ALIKE: [f64; 3] = [0.005, 0.6, 0.2];
/// Seeds differ only by chance.
const CALM: [f64; 3] = [0.0, 0.3, 0.1];
/// Seeds matter more than the choice of tracks.
const WILD: [f64; 3] = [0.03, 0.1, 0.1];

/// Every simulated experiment, and whether its seeds matter besides the tracks. Where they do not,
/// intervals may be slightly too long.
fn worlds() -> Vec<(&'static str, bool, World)> {
    vec![
        ("few tracks", false, FEW),
        ("few tracks, alike", false, World { parts: ALIKE, ..FEW }),
        ("many tracks", true, MANY),
        ("many tracks, alike", false, World { parts: ALIKE, ..MANY }),
        ("one segment a track", true, World { n_segments: 1, ..MANY }),
        ("near 1", true, World { truth: 0.95, ..MANY }),
        ("calm seeds", false, World { parts: CALM, ..MANY }),
        ("wild seeds", true, World { parts: WILD, ..MANY }),
        ("fresh tracks", true, World { test: Test::Tracks, ..MANY }),
        ("fresh tracks, wild", true, World { test: Test::Tracks, parts: WILD, ..MANY }),
        ("fresh segments", true, World { test: Test::Segments, ..MANY }),
        ("fresh segments, calm", false, World { test: Test::Segments, parts: CALM, ..MANY }),
    ]
}

/// Tests every promise about intervals on eight runs of one experiment: its name, and whether it is
/// kept here.
fn claims(runs: &[Clustered], of_model: f64, truth: f64) -> Vec<(&'static str, bool)> {
    let mean = |k: usize| Estimate::of(&runs[..k]);
    let (first, second) = (&runs[..3], &runs[3..6]);
    let pairs: Vec<Clustered> = first.iter().zip(second).map(|(a, b)| a.minus(b)).collect();
    let repeated = |ours: &[Clustered], theirs: &[Clustered]| {
        let published = Published { n_runs: theirs.len(), ..Published::of(0.5) };
        let repetitions = Evidence::of(ours, Scale::Fraction).repetitions(&published, 0.05);
        repetitions.contains(Clustered::mean_of(theirs).value)
    };
    let is_zero_held = |difference: &Estimate| difference.interval().contains(0.0);
    let one = mean(1);
    assert!(!one.knows_seeds() && mean(3).knows_seeds());
    vec![
        // One seed can only tell how good this one model is.
        ("one seed, its model", one.fraction_interval().contains(of_model)),
        ("three seeds", mean(3).fraction_interval().contains(truth)),
        ("five seeds", mean(5).fraction_interval().contains(truth)),
        // Two identical recipes are called different in 5 of 100 cases.
        ("three pairs of seeds", is_zero_held(&Estimate::of(&pairs))),
        ("three seeds against three", is_zero_held(&Estimate::unpaired(first, second))),
        // A published figure from the same procedure is reproduced in 95 of 100 cases.
        ("three seeds against a figure", repeated(first, &runs[3..4])),
        ("five seeds against a figure", repeated(&runs[..5], &runs[5..6])),
        ("five seeds against a mean of three", repeated(&runs[..5], &runs[5..8])),
    ]
}

#[test]
fn of_1000_experiments_930_to_970_are_held() {
    let mut faults = vec![];
    for (name, do_seeds_matter, world) in worlds() {
        let experiment = |experiment: u64| {
            let (runs, of_model) = world.runs(8, &mut Seed(experiment).rng(name, &[]));
            claims(&runs, of_model, world.truth)
        };
        let all: Vec<_> = (0..N_EXPERIMENTS).map(experiment).collect();
        for (i, (claim, _)) in all[0].iter().enumerate() {
            let held = all.iter().filter(|claims| claims[i].1).count();
            let most = if do_seeds_matter || i == 0 { 970 } else { 990 };
            if !(930..=most).contains(&held) {
                faults.push(format!("{name}, {claim}: {held} of 1,000"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Shows what is not promised. With one seed, the interval misses the mean over seeds if seeds
/// matter, and two seeds are too few to tell how much they matter.
#[test]
fn one_seed_says_nothing_of_others_and_two_say_little() {
    let world = World { parts: WILD, ..MANY };
    let held = |k: usize| {
        let is_held = |experiment: &u64| {
            let (runs, _) = world.runs(k, &mut Seed(*experiment).rng("wild seeds", &[k as u64]));
            Estimate::of(&runs).fraction_interval().contains(world.truth)
        };
        (0..N_EXPERIMENTS).filter(is_held).count()
    };
    let (one, two) = (held(1), held(2));
    assert!(one < 700, "one seed: {one} of 1,000");
    assert!((880..=930).contains(&two), "two seeds: {two} of 1,000");
}

/// Simulates models, not scores: nearest centroids of 4 classes, where the seed decides which
/// features are dropped. Every seed splits the same 60 tracks differently, so training sets overlap
/// and one seed's test tracks are another seed's training tracks. Variance components ignore all of
/// this.
fn centroid_runs(k: usize, rng: &mut Rng) -> Vec<Clustered> {
    const CLASSES: usize = 4;
    const WIDTH: usize = 8;
    const SEGMENTS: usize = 3;
    let n_tracks = 60;
    let mut normals =
        |n: usize, spread: f64| -> Vec<f64> { (0..n).map(|_| spread * rng.normal()).collect() };
    let of_track = normals(n_tracks * WIDTH, 0.9);
    let mut x = normals(n_tracks * SEGMENTS * WIDTH, 0.6);
    for (i, value) in x.iter_mut().enumerate() {
        let (track, feature) = (i / (SEGMENTS * WIDTH), i % WIDTH);
        let centre = if feature % CLASSES == track % CLASSES { 0.9 } else { 0.0 };
        *value += of_track[track * WIDTH + feature] + centre;
    }
    let segments = |track: usize| x[track * SEGMENTS * WIDTH..][..SEGMENTS * WIDTH].chunks(WIDTH);
    let mut run = || {
        let mut order: Vec<usize> = (0..n_tracks).collect();
        rng.shuffle(&mut order);
        let kept: Vec<bool> = (0..WIDTH).map(|_| rng.uniform() < 0.8).collect();
        let (train, test) = order.split_at(42);
        let mut centroids = vec![(0.0, [0.0; WIDTH]); CLASSES];
        for &track in train {
            let (n, sum) = &mut centroids[track % CLASSES];
            for segment in segments(track) {
                *n += 1.0;
                sum.iter_mut().zip(segment).for_each(|(sum, value)| *sum += value);
            }
        }
        let mut sums = vec![None; n_tracks];
        for &track in test {
            let distance = |segment: &[f64], class: usize| -> f64 {
                let (n, sum) = &centroids[class];
                let features = (0..WIDTH).filter(|feature| kept[*feature]);
                features.map(|i| (segment[i] - sum[i] / n).powi(2)).sum()
            };
            let said = |segment: &[f64]| {
                (0..CLASSES).min_by(|a, b| distance(segment, *a).total_cmp(&distance(segment, *b)))
            };
            let right = segments(track).filter(|it| said(it) == Some(track % CLASSES)).count();
            sums[track] = Some((right as f64, SEGMENTS as f64));
        }
        Clustered::of_sums(&sums)
    };
    (0..k).map(|_| run()).collect()
}

#[test]
fn a_learner_s_mean_over_fresh_splits_is_held_too() {
    for k in [3, 5] {
        let runs = |experiment: u64| centroid_runs(k, &mut Seed(experiment).rng("learner", &[]));
        let all: Vec<Vec<Clustered>> = (0..N_EXPERIMENTS).map(runs).collect();
        // The experiments are independent, so their mean is the truth up to a 30th of one error.
        let estimates: Vec<Estimate> = all.iter().map(|runs| Estimate::of(runs)).collect();
        let truth = estimates.iter().map(|it| it.value).sum::<f64>() / N_EXPERIMENTS as f64;
        let holds = |it: &&Estimate| it.fraction_interval().contains(truth);
        let held = estimates.iter().filter(holds).count();
        assert!((930..=970).contains(&held), "{k} seeds: {held} of 1,000 hold {truth}");
    }
}
