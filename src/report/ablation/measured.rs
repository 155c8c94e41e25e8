//! Runs of a spec and of its changes -> differences with intervals and p-values.

use std::cmp::Reverse;

use super::super::ReportError;
use super::super::check::check;
use super::super::paired::{Difference, partners};
use super::super::runs::{Runs, by_experiment};
use super::super::scored::{self, Level, Scored};
use crate::metrics::{Estimate, Interval, Metric, holm};
use crate::record::{Run, variants};

/// A spec and its changes.
pub(in crate::report) struct Ablation<'a> {
    /// The runs of the spec itself.
    pub(in crate::report) base: Runs<'a>,
    pub(in crate::report) metric: Metric,
    /// What is scored: `segment` or `example`.
    pub(in crate::report) per: &'static str,
    pub(in crate::report) score: Interval,
    /// The score by track, where tracks have several examples in any of the runs.
    pub(in crate::report) by_track: Option<Interval>,
    /// In the order of the spec.
    pub(in crate::report) changes: Vec<Change<'a>>,
    /// The names of changes without runs.
    pub(in crate::report) not_run: Vec<String>,
}

/// One change.
pub(in crate::report) struct Change<'a> {
    pub(in crate::report) name: String,
    pub(in crate::report) runs: Runs<'a>,
    pub(in crate::report) score: Interval,
    pub(in crate::report) by_track: Option<Interval>,
    /// On what the difference is measured: `segment`, `example` or `track`.
    pub(in crate::report) per: &'static str,
    /// The score with the change minus that without.
    pub(in crate::report) difference: Estimate,
    pub(in crate::report) is_paired: bool,
    pub(in crate::report) n_runs: [usize; 2],
    pub(in crate::report) p: f64,
    /// By Holm's correction over all changes.
    pub(in crate::report) adjusted_p: f64,
}

impl Change<'_> {
    pub(in crate::report) fn is_significant(&self) -> bool {
        self.adjusted_p < 0.05
    }
}

impl<'a> Ablation<'a> {
    /// The ablations of some runs: of every experiment, on each of its data. The spec itself is of the runs that
    /// belong to no study.
    pub(in crate::report) fn all(runs: &'a [Run]) -> Result<Vec<Self>, ReportError> {
        let mut found = vec![];
        for groups in by_experiment(runs).into_values() {
            for base in groups {
                if base.is_foreign() || base.runs[0].is_of_study {
                    continue;
                }
                found.extend(Self::of(base, runs)?);
            }
        }
        Ok(found)
    }

    /// The ablation of some runs; `None` if no change of their spec was run.
    fn of(base: Runs<'a>, runs: &'a [Run]) -> Result<Option<Self>, ReportError> {
        let record = base.record();
        let (mut sides, mut not_run) = (vec![], vec![]);
        for (name, hash) in variants(&record.spec) {
            let is_it = |run: &&Run| {
                let other = &run.record;
                let is_alike = other.experiment == record.experiment && other.cut == record.cut;
                let data = (&other.data.dataset, &other.data.hash);
                is_alike
                    && other.spec_hash == hash
                    && other.foreign.is_none()
                    && data == (&record.data.dataset, &record.data.hash)
            };
            let mut mine: Vec<&Run> = runs.iter().filter(is_it).collect();
            mine.sort_by_key(|run| {
                (run.record.seed, Reverse(&run.record.timings.started), Reverse(&run.id))
            });
            if mine.is_empty() {
                not_run.push(name.to_owned());
            } else {
                sides.push((name.to_owned(), Runs::new(&mine)));
            }
        }
        if sides.is_empty() {
            return Ok(None);
        }
        let all: Vec<&Runs> =
            std::iter::once(&base).chain(sides.iter().map(|(_, runs)| runs)).collect();
        all.iter().flat_map(|runs| &runs.runs).try_for_each(|run| check(run))?;
        let levels = scored::levels(&all)?;
        let metric = base.metric();
        let score = |level: &Level, side: usize| {
            metric.interval(&level.sides[side].iter().map(Scored::main).collect::<Vec<_>>())
        };
        let by_track = |side: usize| levels.get(1).map(|level| score(level, side));
        let mut changes: Vec<Change> = vec![];
        for (at, (name, runs)) in sides.into_iter().enumerate() {
            // With other examples, the two have only tracks in common.
            let pairs =
                |level: &&Level| !partners(&level.sides[0], &level.sides[at + 1]).is_empty();
            let level = levels.iter().find(pairs).unwrap_or(&levels[levels.len() - 1]);
            let Difference { estimate, is_paired, n_runs } =
                Difference::of(&level.sides[0], &level.sides[at + 1]);
            let p = estimate.p_value();
            changes.push(Change {
                name,
                runs,
                score: score(&levels[0], at + 1),
                by_track: by_track(at + 1),
                per: level.item,
                difference: estimate,
                is_paired,
                n_runs,
                p,
                adjusted_p: p,
            });
        }
        let adjusted = holm(&changes.iter().map(|change| change.p).collect::<Vec<_>>());
        changes.iter_mut().zip(adjusted).for_each(|(change, p)| change.adjusted_p = p);
        let (score, by_track, per) = (score(&levels[0], 0), by_track(0), levels[0].item);
        Ok(Some(Self { base, metric, per, score, by_track, changes, not_run }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{facts, sentence, text};
    use super::*;
    use crate::report::fake_studies;

    #[test]
    fn a_change_that_matters_is_told_from_one_that_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let runs = fake_studies::ablation(folder.path());
        let all = Ablation::all(&runs).unwrap();
        assert_eq!((all.len(), all[0].changes.len()), (1, 2));
        let [ema, half] = [&all[0].changes[0], &all[0].changes[1]];
        let mean = |hash: &str| {
            let mine = runs.iter().filter(|run| run.record.spec_hash == hash);
            mine.map(|run| run.record.scored().main()).sum::<f64>() / 3.0
        };
        assert!((ema.difference.value - (mean("e") - mean("base"))).abs() < 1e-12);
        assert!(ema.is_significant() && !half.is_significant());
        assert_eq!((ema.adjusted_p, half.adjusted_p), ((2.0 * ema.p).min(1.0), half.p));
        assert!(ema.is_paired && ema.n_runs == [3, 3]);
        let said = sentence(&all[0]);
        let range = ema.difference.interval();
        let words = format!(
            "Without ema the accuracy falls by {:.3} [{:.3}, {:.3}]; the other change cannot be told from noise. \
             Not run: without mixup.",
            -range.mean, -range.high, -range.low
        );
        assert_eq!(said, words);
        assert!(text(&all[0]).lines().all(|line| line.chars().count() <= 100));
        let facts = facts(&all[0]);
        assert_eq!((facts.base.runs.len(), facts.not_run), (3, vec!["without mixup".to_owned()]));
        // Runs of the spec alone, or of its changes alone, are no ablation.
        assert!(Ablation::all(&runs[..1]).unwrap().is_empty());
        assert!(Ablation::all(&runs[1..3]).unwrap().is_empty());
    }
}
