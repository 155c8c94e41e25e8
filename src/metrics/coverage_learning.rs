//! Simulated learning curves with a known law: how often the intervals of `learning_curve` contain the truth.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{Clustered, LearningCurve, LearningPoint};
use crate::vocab::{Rng, Seed};

const N_STUDIES: u64 = 1_000;
const SIZES: [f64; 4] = [70.0, 140.0, 350.0, 700.0];

/// A simulated study. A segment is wrong if a sum of normal variables exceeds a threshold, which the law gives. The
/// sum has a part of the track, common to all sizes and seeds, one of the track and the model, one of the
/// seed, common to all sizes, one of the model, and the rest. The total variance is 1.
#[derive(Debug, Clone, Copy)]
struct Study {
    n_tracks: usize,
    n_segments: usize,
    n_seeds: usize,
    /// Floor, the part that falls, at 700 tracks, and exponent.
    law: [f64; 3],
    /// Variances of the parts: track, track and model, seed, model.
    parts: [f64; 4],
    /// How many times the variance of the model is at the smallest size that at the largest.
    unequal: f64,
    /// Whether every seed has test tracks of its own.
    is_fresh: bool,
}

impl Study {
    fn error(&self, n: f64) -> f64 {
        let [floor, falls, exponent] = self.law;
        floor + falls * (n / 700.0).powf(-exponent)
    }

    fn points(&self, rng: &mut Rng) -> Vec<LearningPoint> {
        let normal = Normal::standard();
        let [track, both, seed, model] = self.parts;
        let n_all = if self.is_fresh { 3 * self.n_tracks } else { self.n_tracks };
        let of_track: Vec<f64> = (0..n_all).map(|_| track.sqrt() * rng.normal()).collect();
        let mut errors: Vec<Vec<Clustered>> = vec![vec![]; SIZES.len()];
        for _ in 0..self.n_seeds {
            let of_seed = seed.sqrt() * rng.normal();
            let mut order: Vec<usize> = (0..n_all).collect();
            if self.is_fresh {
                rng.shuffle(&mut order);
            }
            for (i, n) in SIZES.into_iter().enumerate() {
                let growth = self.unequal.powf(1.0 - i as f64 / (SIZES.len() - 1) as f64);
                let model = model * growth;
                let rest = (1.0 - track - both - seed - model).sqrt();
                let level =
                    normal.inverse_cdf(self.error(n)) + of_seed + model.sqrt() * rng.normal();
                let mut sums = vec![None; n_all];
                for &track in &order[..self.n_tracks] {
                    let p =
                        normal.cdf((level + of_track[track] + both.sqrt() * rng.normal()) / rest);
                    let wrong = (0..self.n_segments).filter(|_| rng.uniform() < p).count();
                    sums[track] = Some((wrong as f64, self.n_segments as f64));
                }
                errors[i].push(Clustered::of_sums(&sums));
            }
        }
        SIZES.into_iter().zip(errors).map(|(n, errors)| LearningPoint { n, errors }).collect()
    }
}

const USUAL: Study = Study {
    n_tracks: 200,
    n_segments: 3,
    n_seeds: 3,
    law: [0.15, 0.2, 0.4],
    parts: [0.3, 0.1, 0.002, 0.004],
    unequal: 1.0,
    is_fresh: false,
};

fn studies() -> Vec<(&'static str, Study)> {
    vec![
        ("usual", USUAL),
        ("two seeds", Study { n_seeds: 2, ..USUAL }),
        ("five seeds", Study { n_seeds: 5, ..USUAL }),
        ("many tracks", Study { n_tracks: 1_000, n_segments: 1, ..USUAL }),
        ("few tracks", Study { n_tracks: 60, ..USUAL }),
        ("no floor", Study { law: [0.0, 0.35, 0.3], ..USUAL }),
        ("low error", Study { law: [0.01, 0.04, 0.5], ..USUAL }),
        ("steep", Study { law: [0.2, 0.05, 1.0], ..USUAL }),
        ("slow", Study { law: [0.1, 0.3, 0.1], ..USUAL }),
        ("flat", Study { law: [0.3, 0.0, 0.5], ..USUAL }),
        ("calm seeds", Study { parts: [0.3, 0.1, 0.0, 0.0], ..USUAL }),
        ("wild seeds", Study { parts: [0.2, 0.1, 0.01, 0.02], ..USUAL }),
        ("smaller sets are wilder", Study { unequal: 4.0, ..USUAL }),
        ("fresh tracks", Study { is_fresh: true, ..USUAL }),
    ]
}

/// How often the truth is in the interval at the largest size and at ten times that, and the mean width.
fn counts(name: &str, study: &Study) -> ([usize; 2], f64) {
    let (mut held, mut width) = ([0; 2], 0.0);
    for number in 0..N_STUDIES {
        let points = study.points(&mut Seed(number).rng(name, &[]));
        let curve = LearningCurve::fit(&points).unwrap();
        for (held, n) in held.iter_mut().zip([700.0, 7_000.0]) {
            let interval = curve.at(n);
            *held += usize::from(interval.contains(study.error(n)));
            width = if n > 700.0 { width + interval.high - interval.low } else { width };
        }
    }
    (held, width / N_STUDIES as f64)
}

/// Of 1,000 intervals, at the largest size and at ten times that: usual 961 and 975; five seeds 958 and 967; two seeds
/// 965 and 970; many tracks 963 and 969; few tracks 957 and 981; no floor 958 and 955; steep 975 and 966; slow 972 and
/// 969; flat 960 and 961; calm seeds 963 and 986; wild seeds 968 and 978; smaller sets are wilder 982 and 974;
/// fresh tracks 968 and 972; low error 985 and 976. So they are a little too long, rather than too short: what seeds
/// do is known from few of them, and the bounds of the law leave less room than the test of a law takes.
#[test]
fn of_1000_studies_950_to_990_are_held_at_ten_times_the_data() {
    let mut faults = vec![];
    for (name, study) in studies() {
        let (held, width) = counts(name, &study);
        if held.iter().any(|held| !(950..=990).contains(held)) {
            faults.push(format!("{name}: {held:?} of 1,000"));
        }
        // As long as the truth can tell anything.
        if width > 0.35 {
            faults.push(format!("{name}: a mean width of {width}"));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
