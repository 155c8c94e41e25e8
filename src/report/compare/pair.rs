//! Two sides: by how much they differ, and whether chance explains it.

use super::super::paired::{Difference, partners};
use super::super::scored::{Level, Scored, numbers};
use crate::metrics::{Estimate, Interval, McNemar, bootstrap, mcnemar};
use crate::vocab::{Seed, Task};

/// Resamples of a bootstrap.
pub(super) const N_RESAMPLES: usize = 10_000;

/// The difference of two sides on one level.
pub(super) struct Pair {
    /// Numbers of the sides.
    pub(super) first: usize,
    pub(super) second: usize,
    /// The main metric of the second less that of the first.
    pub(super) difference: Estimate,
    /// The p-value of no difference, alone and by Holm's correction over all pairs.
    pub(super) p: f64,
    pub(super) adjusted_p: f64,
    /// What holds where test sets are equal.
    pub(super) paired: Option<Paired>,
    /// Runs of each side that count.
    pub(super) n_runs: [usize; 2],
    /// Runs that found no partner while others did, and so don't count.
    pub(super) n_alone: usize,
}

/// The results if both sides were scored on the same items.
pub(super) struct Paired {
    /// Of the difference, by resampling tracks; of classes only.
    pub(super) bootstrap: Option<Interval>,
    /// For every pair of runs, with its seed. Only for classes of items that are separate tracks.
    pub(super) mcnemar: Vec<(u64, McNemar)>,
}

impl Pair {
    pub(super) fn new(level: &Level, first: usize, second: usize) -> Self {
        let (a, b) = (&level.sides[first], &level.sides[second]);
        let Difference { estimate: difference, is_paired, n_runs } = Difference::of(a, b);
        let paired = is_paired.then(|| Paired::new(&partners(a, b), level.item != "segment"));
        let p = difference.p_value();
        let n_alone = if is_paired { a.len() + b.len() - 2 * n_runs[0] } else { 0 };
        Self { first, second, difference, p, adjusted_p: p, paired, n_runs, n_alone }
    }

    /// Whether the difference is significant after correction for the number of pairs.
    pub(super) fn is_significant(&self) -> bool {
        self.adjusted_p < 0.05
    }
}

impl Paired {
    fn new(partners: &[(&Scored, &Scored)], are_items_independent: bool) -> Self {
        if partners[0].0.task() != Task::Classes {
            return Self { bootstrap: None, mcnemar: vec![] };
        }
        let mut tracks = vec![(0.0, 0.0); partners[0].0.n_tracks];
        let mut tests = vec![];
        for (a, b) in partners {
            let (a_right, b_right) = (a.right(), b.right());
            let (before, after) = (numbers(&a_right), numbers(&b_right));
            for (item, &track) in a.tracks.iter().enumerate() {
                tracks[track].0 += after[item] - before[item];
                tracks[track].1 += 1.0;
            }
            if are_items_independent {
                tests.push((a.seed, mcnemar(&a_right, &b_right)));
            }
        }
        tracks.retain(|(_, n)| *n > 0.0);
        // The numbers of a comparison are the same every time it is made.
        let mut rng = Seed(0).rng("paired bootstrap", &[]);
        Self { bootstrap: Some(bootstrap(&tracks, N_RESAMPLES, &mut rng)), mcnemar: tests }
    }
}
