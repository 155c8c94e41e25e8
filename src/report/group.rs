//! Runs that differ in nothing but the seed, and what they say together.

use std::cmp::Reverse;

use super::words::{list, short};
use super::{Options, ReportError, check::check};
use crate::metrics::{Interval, Verdict, mean_over_seeds, verdict};
use crate::record::{Claim, Record, Run};

/// Runs of one experiment on one dataset, cut alike or not at all: one row of the page.
pub(super) struct Group<'a> {
    /// By seed, one each; never empty.
    pub(super) runs: Vec<&'a Run>,
    /// Runs that were left out because a later one has the same seed.
    pub(super) n_superseded: usize,
    /// Mean accuracy on the test examples, with its interval.
    pub(super) accuracy: Interval,
    /// Independent items behind the interval: tracks where several examples come from one.
    pub(super) n_independent: usize,
    /// Every published figure with what the runs say of it.
    pub(super) judged: Vec<(&'a Claim, Verdict)>,
}

/// One line of the summary: an experiment that has runs, or one that has none.
pub(super) enum Row<'a> {
    Ran(Group<'a>),
    NotRun(&'a str),
}

impl<'a> Row<'a> {
    /// The runs, if there are any.
    pub(super) fn group(&self) -> Option<&Group<'a>> {
        match self {
            Self::Ran(group) => Some(group),
            Self::NotRun(_) => None,
        }
    }
}

/// The rows in the order of the options; experiments they don't name follow, by name. Within an
/// experiment full runs come before cut ones and real data before synthetic.
pub(super) fn rows<'a>(runs: &'a [Run], options: &'a Options) -> Result<Vec<Row<'a>>, ReportError> {
    runs.iter().try_for_each(check)?;
    let mut names: Vec<&str> = options.order.iter().map(String::as_str).collect();
    let mut others: Vec<&str> = runs.iter().map(|run| run.record.experiment.as_str()).collect();
    others.sort_unstable();
    for name in others {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut rows = vec![];
    for name in names {
        let groups = groups_of(runs, name);
        if groups.is_empty() {
            rows.push(Row::NotRun(name));
        }
        rows.extend(groups.into_iter().map(Row::Ran));
    }
    Ok(rows)
}

pub(super) fn groups_of<'a>(runs: &'a [Run], experiment: &str) -> Vec<Group<'a>> {
    // What must agree for runs to be averaged; the first three are also the order of the rows.
    let key = |run: &'a Run| {
        let Record { data, cut, spec_hash, .. } = &run.record;
        (!cut.is_empty(), data.synthetic, &data.dataset, cut, spec_hash, &data.features_hash)
    };
    let mut mine: Vec<&Run> =
        runs.iter().filter(|run| run.record.experiment == experiment).collect();
    // Of several runs with the same seed the latest comes first.
    mine.sort_by_key(|run| {
        (key(run), run.record.seed, Reverse(&run.record.timings.started), Reverse(&run.id))
    });
    mine.chunk_by(|a, b| key(a) == key(b)).map(Group::new).collect()
}

impl<'a> Group<'a> {
    pub(super) fn new(runs: &[&'a Run]) -> Self {
        let n_runs = runs.len();
        let mut runs = runs.to_vec();
        runs.dedup_by_key(|run| run.record.seed);
        let n_independent = runs
            .iter()
            .map(|run| run.record.split.n_test.min(run.record.split.n_test_tracks.max(1)))
            .min()
            .expect("a group has a run");
        let accuracies: Vec<f64> = runs.iter().map(|run| run.record.test.accuracy).collect();
        let accuracy = mean_over_seeds(&accuracies, n_independent);
        let record = &runs[0].record;
        let judged =
            record.claims.iter().map(|claim| (claim, judge(claim, record, &accuracy))).collect();
        Self { n_superseded: n_runs - runs.len(), runs, accuracy, n_independent, judged }
    }

    /// The first seed's record, for what all of them share.
    pub(super) fn record(&self) -> &'a Record {
        &self.runs[0].record
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &'a Record> + Clone + '_ {
        self.runs.iter().map(|run| &run.record)
    }

    pub(super) fn experiment(&self) -> &'a str {
        &self.record().experiment
    }

    /// The claim that the summary shows, with its verdict: the first about accuracy.
    pub(super) fn first_claim(&self) -> Option<&(&'a Claim, Verdict)> {
        self.judged.iter().find(|(claim, _)| claim.metric == "accuracy")
    }

    /// Ours minus published, where the two may be compared.
    pub(super) fn delta(&self) -> Option<f64> {
        match self.first_claim()? {
            (_, Verdict::NotComparable { .. }) => None,
            (claim, _) => Some(self.accuracy.mean - claim.value),
        }
    }

    /// Mean over the runs.
    pub(super) fn mean(&self, value: impl Fn(&Record) -> f64) -> f64 {
        self.records().map(value).sum::<f64>() / self.runs.len() as f64
    }

    /// The test sets' confusion matrices, summed.
    pub(super) fn confusion(&self) -> Vec<Vec<usize>> {
        let mut sum = self.record().test.confusion.clone();
        for record in self.records().skip(1) {
            for (row, more) in sum.iter_mut().zip(&record.test.confusion) {
                for (cell, more) in row.iter_mut().zip(more) {
                    *cell += more;
                }
            }
        }
        sum
    }

    /// What always naming the test sets' largest class would score.
    pub(super) fn largest_class(&self) -> f64 {
        let supports: Vec<usize> =
            self.confusion().iter().map(|row| row.iter().sum::<usize>()).collect();
        let all = supports.iter().sum::<usize>().max(1);
        supports.into_iter().max().unwrap_or(0) as f64 / all as f64
    }

    /// `5`, or `3 of 5` where the spec asks for more seeds than were run.
    pub(super) fn seeds_words(&self) -> String {
        let asked = self.record().spec["seeds"].as_array().map_or(0, Vec::len);
        match self.runs.len() {
            n if n < asked => format!("{n} of {asked}"),
            n => n.to_string(),
        }
    }

    /// `synth-genres (synthetic), cut: 3 of 250 epochs`.
    pub(super) fn dataset_words(&self) -> String {
        match self.record().cut.as_slice() {
            [] => self.dataset_short(),
            reasons => format!("{}: {}", self.dataset_short(), list(reasons)),
        }
    }

    /// The same without the reasons: `synth-genres (synthetic), cut`.
    pub(super) fn dataset_short(&self) -> String {
        let data = &self.record().data;
        let synthetic = if data.synthetic { " (synthetic)" } else { "" };
        let cut = if self.record().cut.is_empty() { "" } else { ", cut" };
        format!("{}{synthetic}{cut}", data.dataset)
    }

    /// Whether test examples share a track with training or validation examples.
    pub(super) fn leaks(&self) -> bool {
        self.records().any(|record| record.split.n_leaking > 0)
    }

    /// Whether another group is the same experiment split by track: named `honest/NAME` or
    /// `NAME-by-track`, on the same data, cut alike, without a leak.
    pub(super) fn is_honest_twin(&self, other: &Group) -> bool {
        let (mine, theirs) = (self.record(), other.record());
        let named = theirs.experiment == format!("honest/{}", mine.experiment)
            || theirs.experiment == format!("{}-by-track", mine.experiment);
        named
            && theirs.data.dataset == mine.data.dataset
            && theirs.data.hash == mine.data.hash
            && theirs.cut == mine.cut
            && !other.leaks()
    }
}

fn judge(claim: &Claim, record: &Record, accuracy: &Interval) -> Verdict {
    let reason = if claim.dataset != record.data.dataset {
        let synthetic = if record.data.synthetic { ", which is synthetic" } else { "" };
        format!(
            "the published figure is for {}, these runs used {}{synthetic}",
            claim.dataset, record.data.dataset
        )
    } else if !record.cut.is_empty() {
        format!("the runs were cut: {}", list(&record.cut))
    } else if !record.overrides.is_empty() {
        format!("the spec was changed: {}", list(&record.overrides))
    } else if claim.metric != "accuracy" {
        format!("no interval is known here for {}", claim.metric)
    } else {
        return verdict(claim.value, accuracy);
    };
    Verdict::NotComparable { reason }
}

/// Tells apart rows of one experiment on one dataset that were cut alike: by their spec's hash.
pub(super) fn spec_words(group: &Group, rows: &[Row]) -> Option<String> {
    let record = group.record();
    let alike = rows.iter().filter_map(Row::group).map(Group::record).filter(|other| {
        other.experiment == record.experiment
            && other.data.dataset == record.data.dataset
            && other.cut == record.cut
    });
    (alike.count() > 1).then(|| format!("spec {}", short(&record.spec_hash)))
}
