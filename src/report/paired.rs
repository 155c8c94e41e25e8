//! Two groups of runs: how much their main metric differs, paired where they were scored on the same items.

use std::collections::BTreeMap;

use super::scored::Scored;
use crate::metrics::{Clustered, Estimate};

/// The main metric of the second group minus that of the first.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    pub(super) estimate: Estimate,
    pub(super) is_paired: bool,
    /// Runs of each group that count.
    pub(super) n_runs: [usize; 2],
}

impl Difference {
    pub(super) fn of(first: &[Scored], second: &[Scored]) -> Self {
        let partners = partners(first, second);
        if partners.is_empty() {
            let scores = |side: &[Scored]| side.iter().map(Scored::main).collect::<Vec<_>>();
            let estimate = Estimate::unpaired(&scores(second), &scores(first));
            return Self { estimate, is_paired: false, n_runs: [first.len(), second.len()] };
        }
        let differences: Vec<Clustered> =
            partners.iter().map(|(a, b)| b.main().minus(&a.main())).collect();
        let n_runs = [partners.len(); 2];
        Self { estimate: Estimate::of(&differences), is_paired: true, n_runs }
    }
}

/// Runs of the same seed on the same items; two single runs may have other seeds. A group has one run per
/// seed, so that no run has two partners.
pub(super) fn partners<'a>(
    first: &'a [Scored],
    second: &'a [Scored],
) -> Vec<(&'a Scored, &'a Scored)> {
    if let ([a], [b]) = (first, second) {
        return if a.has_items_of(b) { vec![(a, b)] } else { vec![] };
    }
    let by_seed: BTreeMap<u64, &Scored> = second.iter().map(|run| (run.seed, run)).collect();
    let partner = |a: &'a Scored| Some((a, *by_seed.get(&a.seed)?));
    first.iter().filter_map(partner).filter(|(a, b)| a.has_items_of(b)).collect()
}
