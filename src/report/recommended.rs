//! What was recommended, tested: the answer of every search, ablation and learning curve whose experiment lies in
//! `recommended/`, with what it cost.

use super::page_studies::Studies;
use super::words::{plain, table};
use super::{ablation, learning};
use crate::record::{LeakKind, Record};

/// Where specs of recommendations lie.
const FOLDER: &str = "recommended/";

/// The heading.
pub(super) const TITLE: &str = "What the report recommends, tested";

/// What stands above the table.
pub(super) const ABOUT: &str = "Each recommendation is an experiment in `experiments/recommended/`. Brackets are 95 % intervals. The cost is \
     the time of all runs; with as many runs at a time as there are cores, it is that of one core.";

/// What the columns say.
pub(super) const HEAD: [&str; 4] = ["recommendation", "answer", "data", "cost"];

/// A line for every recommendation that was tested; none without any.
pub(super) fn lines(studies: &Studies) -> Vec<[String; 4]> {
    let mut lines: Vec<(String, [String; 4])> = vec![];
    let mut add = |experiment: &str, line: [String; 4]| {
        if experiment.starts_with(FOLDER) {
            lines.push((experiment.to_owned(), line));
        }
    };
    for search in &studies.searches {
        let (study, facts) = (&search.study, &search.facts);
        let answer = search.answer().unwrap_or_else(|| "The search goes on.".to_owned());
        let data = data(&study.dataset, study.synthetic);
        add(&study.experiment, [study.question.clone(), answer, data, minutes(facts.fit_s)]);
    }
    for it in &studies.ablations {
        let record = it.base.record();
        let runs = || it.base.records().chain(it.changes.iter().flat_map(|it| it.runs.records()));
        let answer = format!("{}{}", ablation::sentence(it), leak(record));
        add(&record.experiment, of_record(record, answer, runs()));
    }
    for curve in &studies.curves {
        let record = curve.last().runs.record();
        let runs = curve.points.iter().flat_map(|point| point.runs.records());
        let answer = format!("{}{}", learning::sentences(curve).join(" "), leak(record));
        add(&record.experiment, of_record(record, answer, runs));
    }
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

fn of_record<'a>(
    record: &Record,
    answer: String,
    runs: impl Iterator<Item = &'a Record>,
) -> [String; 4] {
    let seconds = runs.map(|record| record.timings.fit_s).sum::<f64>();
    let data = data(&record.data.dataset, record.data.synthetic);
    [record.question.clone(), answer, data, minutes(seconds)]
}

fn data(dataset: &str, is_synthetic: bool) -> String {
    if is_synthetic { format!("{dataset} (synthetic)") } else { dataset.to_owned() }
}

fn leak(record: &Record) -> &'static str {
    if record.audit.n_test(LeakKind::SameTrack) > 0 {
        " The split leaks: test segments have their track in training."
    } else {
        ""
    }
}

fn minutes(seconds: f64) -> String {
    format!("{:.1} CPU-minutes", seconds / 60.0)
}

/// The section in Markdown; empty if nothing was tested.
pub(super) fn markdown(studies: &Studies) -> String {
    let lines = lines(studies);
    if lines.is_empty() {
        return String::new();
    }
    let mut cells = vec![HEAD.map(str::to_owned).to_vec()];
    cells.extend(lines.iter().map(|line| line.iter().map(|it| plain(it)).collect()));
    format!("## {TITLE}\n\n{ABOUT}\n\n{}", table(&cells, &[]))
}
