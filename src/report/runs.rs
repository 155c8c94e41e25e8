//! Runs that differ in nothing but the seed, and what their records have in common.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::words::{counted, list};
use crate::metrics::Metric;
use crate::record::{Record, Run};
use crate::vocab::Task;

/// Runs of one experiment on one dataset with the same length, all of encore or all of one foreign model.
pub(super) struct Runs<'a> {
    /// By seed, one each; never empty.
    pub(super) runs: Vec<&'a Run>,
    /// Runs that were left out because a later one has the same seed.
    pub(super) n_superseded: usize,
}

/// An experiment's runs, those together that may be averaged: runs of encore before foreign ones, the current
/// version of the spec before others, full runs before cut ones, real data before synthetic.
pub(super) fn runs_of<'a>(runs: &'a [Run], experiment: &str) -> Vec<Runs<'a>> {
    groups(runs.iter().filter(|run| run.record.experiment == experiment).collect())
}

/// The runs of every experiment by its name, each as [`runs_of`] has them.
pub(super) fn by_experiment(runs: &[Run]) -> BTreeMap<&str, Vec<Runs<'_>>> {
    let mut found: BTreeMap<&str, Vec<&Run>> = BTreeMap::new();
    for run in runs {
        found.entry(&run.record.experiment).or_default().push(run);
    }
    found.into_iter().map(|(name, mine)| (name, groups(mine))).collect()
}

/// The runs of one experiment, those together that may be averaged.
fn groups(mut mine: Vec<&Run>) -> Vec<Runs<'_>> {
    // Of several runs with the same seed the latest comes first.
    mine.sort_by_key(|run| {
        (key(run), run.record.seed, Reverse(&run.record.timings.started), Reverse(&run.id))
    });
    mine.chunk_by(|a, b| key(a) == key(b)).map(Runs::new).collect()
}

/// What must agree for runs to be averaged; the first are also the order of the rows.
fn key(run: &Run) -> impl Ord + '_ {
    let Record { data, cut, spec_hash, foreign, .. } = &run.record;
    let is_full = (run.other_version.is_some(), !cut.is_empty());
    let foreign = foreign.as_ref().map(|foreign| &foreign.model);
    (foreign, is_full, data.synthetic, &data.dataset, cut, spec_hash, &data.features_hash)
}

impl<'a> Runs<'a> {
    /// Runs in the order of their seeds; of several with one seed the first counts.
    pub(super) fn new(runs: &[&'a Run]) -> Self {
        let n_runs = runs.len();
        let mut runs = runs.to_vec();
        runs.dedup_by_key(|run| run.record.seed);
        Self { n_superseded: n_runs - runs.len(), runs }
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

    /// The experiment's name, behind `foreign:` if another program made the predictions.
    pub(super) fn name(&self) -> String {
        let foreign = if self.is_foreign() { "foreign: " } else { "" };
        format!("{foreign}{}", self.experiment())
    }

    /// Mean over the runs.
    pub(super) fn mean(&self, value: impl Fn(&Record) -> f64) -> f64 {
        self.records().map(value).sum::<f64>() / self.runs.len() as f64
    }

    /// Mean time of a run, if it is known of all.
    pub(super) fn seconds(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.records().map(Record::seconds).collect();
        all.map(|all| all.iter().sum::<f64>() / self.runs.len() as f64)
    }

    /// What the models tell.
    pub(super) fn task(&self) -> Task {
        self.record().data.task
    }

    /// The metric that their results are told by.
    pub(super) fn metric(&self) -> Metric {
        Metric::main(self.task())
    }

    /// The test sets' confusion matrices, summed; empty if no classes were predicted.
    pub(super) fn confusion(&self) -> Vec<Vec<usize>> {
        let mut of_runs = self.records().filter_map(|record| record.scored().classes());
        let Some(first) = of_runs.next() else { return vec![] };
        let mut sum = first.confusion.clone();
        for scores in of_runs {
            for (row, more) in sum.iter_mut().zip(&scores.confusion) {
                for (cell, more) in row.iter_mut().zip(more) {
                    *cell += more;
                }
            }
        }
        sum
    }

    /// What a model would score that knows nothing: always the test sets' largest class, the same
    /// probabilities for all examples, or the mean of the test sets' numbers.
    pub(super) fn baseline(&self) -> f64 {
        match self.task() {
            Task::Classes => self.largest_class(),
            Task::Tags => 0.5,
            Task::Number => 0.0,
        }
    }

    /// What always naming the test sets' largest class would score.
    fn largest_class(&self) -> f64 {
        let supports: Vec<usize> =
            self.confusion().iter().map(|row| row.iter().sum::<usize>()).collect();
        let all = supports.iter().sum::<usize>().max(1);
        supports.into_iter().max().unwrap_or(0) as f64 / all as f64
    }

    /// What a run is one of: a fold of a k-fold split, else a seed.
    pub(super) fn unit(&self) -> &'static str {
        if self.record().spec["split"].get("k_fold").is_some() { "fold" } else { "seed" }
    }

    /// `3 seeds` or `5 folds`.
    pub(super) fn counted(&self) -> String {
        counted(self.runs.len(), self.unit())
    }

    /// `5`, or `3 of 5` where the spec asks for more seeds than were run; of folds `5 folds`.
    pub(super) fn seeds_words(&self) -> String {
        let asked = self.record().spec["seeds"].as_array().map_or(0, Vec::len);
        let folds = if self.unit() == "fold" { " folds" } else { "" };
        match self.runs.len() {
            n if n < asked => format!("{n} of {asked}{folds}"),
            _ if folds.is_empty() => self.runs.len().to_string(),
            _ => self.counted(),
        }
    }

    /// `synth-genres (synthetic), cut: 3 of 250 epochs`.
    pub(super) fn dataset_words(&self) -> String {
        let cut = match self.record().cut.as_slice() {
            [] => String::new(),
            reasons => format!(", cut: {}", list(reasons)),
        };
        let other = self.other_version().map_or(String::new(), |words| format!(", {words}"));
        format!("{}{other}{cut}", self.data_words())
    }

    /// The same without the reasons: `synth-genres (synthetic), cut`.
    pub(super) fn dataset_short(&self) -> String {
        let is_full = self.record().cut.is_empty() && self.other_version().is_none();
        format!("{}{}", self.data_words(), if is_full { "" } else { ", cut" })
    }

    fn data_words(&self) -> String {
        let data = &self.record().data;
        let foreign = self.foreign_words().map_or(String::new(), |words| format!(", {words}"));
        format!("{}{}{foreign}", data.dataset, if data.synthetic { " (synthetic)" } else { "" })
    }

    /// `foreign`, or with the name of the model `foreign (resnet)`, if another program made the predictions.
    pub(super) fn foreign_words(&self) -> Option<String> {
        let model = &self.record().foreign.as_ref()?.model;
        Some(model.as_ref().map_or("foreign".to_owned(), |model| format!("foreign ({model})")))
    }

    /// Whether another program made the predictions.
    pub(super) fn is_foreign(&self) -> bool {
        self.record().foreign.is_some()
    }

    /// Whether another group was made by the same: encore, or one foreign model.
    fn is_made_as(&self, other: &Self) -> bool {
        self.foreign_words() == other.foreign_words()
    }

    /// In what the spec of these runs differs from the current one, where it does.
    pub(super) fn other_version(&self) -> Option<&'a str> {
        self.runs[0].other_version.as_deref()
    }

    /// Whether test examples share a track with training or validation examples.
    pub(super) fn leaks(&self) -> bool {
        self.records().any(|record| record.split.n_leaking > 0)
    }

    /// Whether another group is the same experiment split by track: named `honest/NAME` or
    /// `NAME-by-track`, on the same data, cut alike, without a leak.
    pub(super) fn is_honest_twin(&self, other: &Self) -> bool {
        let (mine, theirs) = (self.record(), other.record());
        let named = theirs.experiment == format!("honest/{}", mine.experiment)
            || theirs.experiment == format!("{}-by-track", mine.experiment);
        named
            && theirs.data.dataset == mine.data.dataset
            && theirs.data.task == mine.data.task
            && theirs.data.hash == mine.data.hash
            && theirs.cut == mine.cut
            && self.other_version() == other.other_version()
            && self.is_made_as(other)
            && !other.leaks()
    }
}
