//! Runs and what they say of degraded recordings -> scores with intervals, and tests of differences.

use std::collections::{BTreeMap, BTreeSet};

use super::super::ReportError;
use super::super::runs::Runs;
use super::super::scored::{self, Level, Scored};
use super::curves::{Curve, UNDEGRADED, curves};
use crate::metrics::{Clustered, Estimate, Interval, Metric, holm};
use crate::record::{Degraded, DegradedStore, Predictions};

/// Runs under degradations.
pub(in crate::report) struct Measured {
    pub(in crate::report) metric: Metric,
    /// The names of the sides.
    pub(in crate::report) names: Vec<String>,
    /// All degradations of any side, undegraded recordings first.
    pub(in crate::report) degradations: Vec<String>,
    pub(in crate::report) curves: Vec<Curve>,
    /// By level: examples, and tracks if they have several.
    pub(in crate::report) levels: Vec<Scores>,
}

/// The scores of one level.
pub(in crate::report) struct Scores {
    /// `segment`, `example` or `track`.
    pub(in crate::report) per: &'static str,
    /// By side and degradation; absent where not every run of the side was measured.
    pub(in crate::report) scores: Vec<Vec<Option<Interval>>>,
    /// Every pair of sides under every degradation, averaged over its strengths; first undegraded.
    pub(in crate::report) tests: Vec<Test>,
    /// Items of the first run, by side and degradation.
    n_items: Vec<Vec<usize>>,
}

/// The second side minus the first.
pub(in crate::report) struct Test {
    pub(in crate::report) first: usize,
    pub(in crate::report) second: usize,
    /// The name of the curve; `none` for undegraded recordings.
    pub(in crate::report) degradation: String,
    /// Over how many strengths the scores were averaged.
    pub(in crate::report) n_strengths: usize,
    pub(in crate::report) difference: Estimate,
    pub(in crate::report) p: f64,
    /// By Holm's correction over all tests of the level.
    pub(in crate::report) adjusted_p: f64,
    pub(in crate::report) is_paired: bool,
    pub(in crate::report) n_runs: [usize; 2],
}

impl Scores {
    /// How many items the first run of a side was scored on.
    pub(in crate::report) fn n_items(&self, side: usize, degradation: usize) -> usize {
        self.n_items[side][degradation]
    }
}

impl Test {
    pub(in crate::report) fn is_significant(&self) -> bool {
        self.adjusted_p < 0.05
    }
}

impl Measured {
    /// Reads what is known of some sides, which predict the same; nothing if no side was measured.
    pub(in crate::report) fn read(
        sides: &[(String, &Runs)],
        wanted: Option<&[String]>,
        store: &DegradedStore,
    ) -> Result<Option<Self>, ReportError> {
        let metric = sides[0].1.metric();
        // By side and run: what is known, by degradation.
        let mut known: Vec<Vec<BTreeMap<String, Degraded>>> = vec![];
        for (_, side) in sides {
            let mut of_side = vec![];
            for run in &side.runs {
                let n_outputs = run.record.data.classes.len();
                let is_wanted = |text: &String| wanted.is_none_or(|wanted| wanted.contains(text));
                let all = store.all(run)?.into_iter();
                let all = all.filter(|it| is_wanted(&it.degradation));
                let usable = all.filter(|it| scored::is_enough(&it.predictions, n_outputs));
                of_side.push(usable.map(|it| (it.degradation.clone(), it)).collect());
            }
            known.push(of_side);
        }
        let has = |side: usize, text: &String| known[side].iter().all(|run| run.contains_key(text));
        let all: BTreeSet<&String> = known.iter().flatten().flat_map(BTreeMap::keys).collect();
        let is_any = |text: &&&String| (0..sides.len()).any(|side| has(side, text));
        let mut degradations: Vec<String> =
            all.iter().filter(is_any).map(|text| (**text).clone()).collect();
        degradations.sort_by_key(|text| text != UNDEGRADED);
        if degradations.iter().all(|text| text == UNDEGRADED) {
            return Ok(None);
        }
        let n = degradations.len();
        let cell = |at: usize| (at / n, &degradations[at % n]);
        let runs = |at: usize| {
            let (side, text) = cell(at);
            if has(side, text) { sides[side].1.runs.clone() } else { vec![] }
        };
        let all: Vec<_> = (0..sides.len() * n).map(runs).collect();
        let rows = |at: usize, index: usize| -> Predictions {
            let (side, text) = cell(at);
            known[side][index][text].predictions.clone()
        };
        let levels = scored::levels_by(&all, |at, index, _| {
            let mut rows = rows(at, index);
            rows.sort();
            Ok(rows)
        })?;
        let curves = curves(&degradations);
        let is_undegraded = degradations[0] == UNDEGRADED;
        let scores = |level: &Level| Scores::new(level, metric, (n, is_undegraded), &curves);
        Ok(Some(Self {
            metric,
            names: sides.iter().map(|(name, _)| name.clone()).collect(),
            levels: levels.iter().map(scores).collect(),
            degradations,
            curves,
        }))
    }

    /// The scores of items, and those by track if there are some.
    pub(in crate::report) fn score(
        &self,
        level: usize,
        side: usize,
        at: usize,
    ) -> Option<&Interval> {
        self.levels.get(level)?.scores[side][at].as_ref()
    }
}

impl Scores {
    fn new(
        level: &Level,
        metric: Metric,
        (n, is_undegraded): (usize, bool),
        curves: &[Curve],
    ) -> Self {
        let n_sides = level.sides.len() / n;
        let of = |side: usize, at: usize| &level.sides[side * n + at];
        let main = |runs: &[Scored]| runs.iter().map(Scored::main).collect::<Vec<Clustered>>();
        let interval = |side: usize, at: usize| {
            let runs = of(side, at);
            (!runs.is_empty()).then(|| metric.interval(&main(runs)))
        };
        let by_side = |side: usize| (0..n).map(|at| interval(side, at)).collect();
        let n_of = |side: usize| {
            (0..n).map(|at| of(side, at).first().map_or(0, |run| run.tracks.len())).collect()
        };
        let undegraded = is_undegraded.then(|| (UNDEGRADED.to_owned(), vec![0]));
        let strengths = |curve: &Curve| {
            let of_curve = curve.points.iter().filter(|point| point.label != UNDEGRADED);
            (curve.name.clone(), of_curve.map(|point| point.index).collect::<Vec<_>>())
        };
        let all: Vec<(String, Vec<usize>)> =
            undegraded.into_iter().chain(curves.iter().map(strengths)).collect();
        let mut tests: Vec<Test> = vec![];
        for (name, points) in &all {
            for first in 0..n_sides {
                for second in first + 1..n_sides {
                    let has = |at: &&usize| {
                        [first, second].iter().all(|side| !of(*side, **at).is_empty())
                    };
                    let points: Vec<usize> = points.iter().filter(has).copied().collect();
                    if points.is_empty() {
                        continue;
                    }
                    let runs = [first, second]
                        .map(|side| points.iter().map(|at| of(side, *at).as_slice()).collect());
                    tests.push(Test::new([first, second], name, runs));
                }
            }
        }
        let adjusted = holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>());
        tests.iter_mut().zip(adjusted).for_each(|(test, p)| test.adjusted_p = p);
        Self {
            per: level.item,
            scores: (0..n_sides).map(by_side).collect(),
            n_items: (0..n_sides).map(n_of).collect(),
            tests,
        }
    }
}

impl Test {
    /// Tests the mean over some strengths; every side has its runs for each of them.
    fn new([first, second]: [usize; 2], name: &str, [a, b]: [Vec<&[Scored]>; 2]) -> Self {
        // A run of each, over all strengths.
        let mean = |side: &[&[Scored]], run: usize| {
            Clustered::mean_of(&side.iter().map(|runs| runs[run].main()).collect::<Vec<_>>())
        };
        let partners = partners(&a, &b);
        let (n_first, n_second) = (a[0].len(), b[0].len());
        let (difference, n_runs) = if partners.is_empty() {
            let all = |side: &[&[Scored]], n: usize| {
                (0..n).map(|run| mean(side, run)).collect::<Vec<_>>()
            };
            (Estimate::unpaired(&all(&b, n_second), &all(&a, n_first)), [n_first, n_second])
        } else {
            let differences: Vec<Clustered> =
                partners.iter().map(|&(one, two)| mean(&b, two).minus(&mean(&a, one))).collect();
            (Estimate::of(&differences), [partners.len(); 2])
        };
        let p = difference.p_value();
        Self {
            first,
            second,
            degradation: name.to_owned(),
            n_strengths: a.len(),
            difference,
            p,
            adjusted_p: p,
            is_paired: !partners.is_empty(),
            n_runs,
        }
    }
}

/// Runs of the same seed on the same items under every strength; two single runs may have other seeds.
fn partners(a: &[&[Scored]], b: &[&[Scored]]) -> Vec<(usize, usize)> {
    let has_items =
        |one: usize, two: usize| a.iter().zip(b).all(|(a, b)| a[one].has_items_of(&b[two]));
    let seeds: BTreeMap<u64, usize> =
        b[0].iter().enumerate().map(|(at, run)| (run.seed, at)).collect();
    let single = a[0].len() == 1 && b[0].len() == 1;
    let partner = |(one, run): (usize, &Scored)| {
        let two = if single { Some(0) } else { seeds.get(&run.seed).copied() };
        two.filter(|two| has_items(one, *two)).map(|two| (one, two))
    };
    a[0].iter().enumerate().filter_map(partner).collect()
}
