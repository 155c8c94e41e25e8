//! What was recommended, tested: the answer of every search, ablation and learning curve whose experiment lies in
//! `recommended/`, with what it cost.

use super::ablation::Change;
use super::page_studies::Studies;
use super::words::{plain, signed_interval};
use super::{ablation, learning};
use crate::record::{LeakKind, Record};

/// Where specs of recommendations lie.
const FOLDER: &str = "recommended/";

/// The heading.
pub(super) const TITLE: &str = "What the report recommends, tested";

/// What stands above the table.
pub(super) const ABOUT: &str = "Each recommendation is an experiment in `experiments/recommended/`. Brackets are 95 % intervals. The cost is \
     the time of all runs; with as many runs at a time as there are cores, it is that of one core.";

/// A recommendation that was tested.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tested {
    experiment: String,
    pub(super) question: String,
    pub(super) answer: String,
    /// What it was tested on, and what that cost.
    pub(super) by: String,
}

/// Every recommendation that was tested, by experiment.
pub(super) fn tested(studies: &Studies) -> Vec<Tested> {
    let mut all: Vec<Tested> = vec![];
    let mut add = |experiment: &str, question: &str, answer: String, by: String| {
        if experiment.starts_with(FOLDER) {
            let (experiment, question) = (experiment.to_owned(), question.to_owned());
            all.push(Tested { experiment, question, answer, by });
        }
    };
    for search in &studies.searches {
        let (study, facts) = (&search.study, &search.facts);
        let answer = search.answer().unwrap_or_else(|| "The search goes on.".to_owned());
        let by = by(&study.experiment, &study.dataset, study.synthetic, facts.fit_s);
        add(&study.experiment, &study.question, answer, by);
    }
    for it in &studies.ablations {
        let record = it.base.record();
        let runs = || it.base.records().chain(it.changes.iter().flat_map(|it| it.runs.records()));
        let difference = |change: &Change| {
            format!("{} {}", change.name, signed_interval(&change.difference.interval()))
        };
        let all: Vec<String> = it.changes.iter().map(difference).collect();
        let sentence = ablation::sentence(it);
        let answer = format!("{sentence} Differences: {}.{}", all.join("; "), leak(record));
        add(&record.experiment, &record.question, answer, by_record(record, runs()));
    }
    for curve in &studies.curves {
        let record = curve.last().runs.record();
        let runs = curve.points.iter().flat_map(|point| point.runs.records());
        // The law itself stands in the section on learning curves.
        let sentences = learning::sentences(curve);
        let said = if sentences.len() > 1 { &sentences[1..] } else { &sentences[..] };
        let answer = format!("{}{}", said.join(" "), leak(record));
        add(&record.experiment, &record.question, answer, by_record(record, runs));
    }
    all.sort();
    all
}

fn by_record<'a>(record: &Record, runs: impl Iterator<Item = &'a Record>) -> String {
    let seconds = runs.map(|record| record.timings.fit_s).sum::<f64>();
    by(&record.experiment, &record.data.dataset, record.data.synthetic, seconds)
}

fn by(experiment: &str, dataset: &str, is_synthetic: bool, seconds: f64) -> String {
    let synthetic = if is_synthetic { " (synthetic)" } else { "" };
    format!("{experiment} on {dataset}{synthetic}, {:.1} CPU-minutes", seconds / 60.0)
}

fn leak(record: &Record) -> &'static str {
    if record.audit.n_test(LeakKind::SameTrack) > 0 {
        " The split leaks: test segments have their track in training."
    } else {
        ""
    }
}

/// The section in Markdown; empty if nothing was tested.
pub(super) fn markdown(studies: &Studies) -> String {
    let all = tested(studies);
    if all.is_empty() {
        return String::new();
    }
    let line = |it: &Tested| {
        let [question, answer, by] = [&it.question, &it.answer, &it.by].map(|text| plain(text));
        format!("- **{question}** {answer} ({by})\n")
    };
    format!("## {TITLE}\n\n{ABOUT}\n\n{}", all.iter().map(line).collect::<String>())
}
