//! The summary: one line per experiment, the headline, and warnings.

use std::collections::BTreeSet;

use super::Options;
use super::claims::Judged;
use super::group::{Group, Row, TaskRows, by_task, headings, spec_words};
use super::runs::Runs;
pub(super) use super::words::interval;
use super::words::{Markup, counted, decimals, duration, list, number, plain, signed, span, table};
use crate::metrics::{Metric, Verdict};
use crate::record::{LeakKind, Record};
use crate::vocab::Task;

/// The verdict on the claim that is shown, or `-` without one.
pub(super) fn verdict(group: &Group) -> &'static str {
    group.main_claim().map_or("-", |judged| judged.verdict.as_str())
}

/// Epochs run, or `-` for models that are fitted in one go.
pub(super) fn epochs(group: &Group) -> String {
    let epochs: Vec<usize> = group.records().filter_map(|record| record.model.n_epochs).collect();
    if epochs.is_empty() { "-".to_owned() } else { span(epochs) }
}

/// What the summary's columns of a task say. The second metric is one of tags and numbers.
pub(super) fn head(task: Task) -> Vec<String> {
    let (main, second) = match task {
        Task::Classes => ("ours", None),
        Task::Tags => ("ROC-AUC", Some("average precision")),
        Task::Number => ("R2", Some("MAE")),
    };
    let interval = |name: &str| format!("{name} [95 % interval]");
    let mut head = vec!["experiment".to_owned(), "published (source)".to_owned(), interval(main)];
    head.extend(second.map(str::to_owned));
    let rest = ["by track", "delta", "verdict", "epochs", "seeds", "time per run", "dataset"];
    head.extend(rest.map(str::to_owned));
    head
}

/// The second metric of a task, which the summary shows beside the main one.
pub(super) fn second(task: Task) -> Option<Metric> {
    match task {
        Task::Classes => None,
        Task::Tags => Some(Metric::AveragePrecision),
        Task::Number => Some(Metric::Mae),
    }
}

/// The summary tables in Markdown, one a task.
pub(super) fn markdown(rows: &[Row], options: &Options) -> String {
    let tables = by_task(rows).into_iter().map(|TaskRows { task, title, rows: of_task }| {
        let n_columns = head(task).len();
        let mut cells = vec![head(task)];
        for (row, heading) in of_task.iter().zip(headings(&of_task, options)) {
            if let Some(heading) = heading {
                let mut line = vec![String::new(); n_columns];
                line[0] = Markup::Markdown.strong(&plain(heading));
                cells.push(line);
            }
            cells.push(Line::of(row, rows, task).cells().iter().map(|cell| plain(cell)).collect());
        }
        let title = title.map_or(String::new(), |title| format!("### {title}\n\n"));
        let mut right = [6, 4, 3, 2].map(|from_end| n_columns - from_end).to_vec();
        right.extend(second(task).map(|_| 3));
        format!("{title}{}", table(&cells, &right))
    });
    tables.collect::<Vec<_>>().join("\n")
}

/// One row's cells, as text.
pub(super) struct Line {
    pub(super) experiment: String,
    pub(super) published: String,
    pub(super) ours: String,
    /// The mean of the second metric, where the task has one.
    pub(super) second: Option<String>,
    pub(super) by_track: String,
    pub(super) delta: String,
    pub(super) verdict: String,
    pub(super) epochs: String,
    pub(super) seeds: String,
    pub(super) time: String,
    pub(super) dataset: String,
}

impl Line {
    /// The cells of a row in the table of a task.
    pub(super) fn of(row: &Row, rows: &[Row], task: Task) -> Self {
        let dash = || "-".to_owned();
        let group = match row {
            Row::Ran(group) => group,
            Row::NotRun(name, _) => {
                return Self {
                    experiment: (*name).to_owned(),
                    published: dash(),
                    ours: dash(),
                    second: second(task).map(|_| dash()),
                    by_track: dash(),
                    delta: dash(),
                    verdict: "not run".to_owned(),
                    epochs: dash(),
                    seeds: dash(),
                    time: dash(),
                    dataset: dash(),
                };
            }
        };
        let of_metric = |metric: Metric| {
            let mean = group.other(metric).map(|interval| interval.mean);
            mean.map_or_else(dash, |mean| number(mean, decimals(metric, mean)))
        };
        Self {
            experiment: group.name(),
            published: group.main_claim().map_or_else(dash, |judged| {
                format!("{} ({})", judged.published_words(), judged.claim.source)
            }),
            ours: interval(&group.main),
            second: second(task).map(of_metric),
            by_track: group.by_track.as_ref().map_or_else(dash, interval),
            delta: group.main_claim().and_then(Judged::delta_words).unwrap_or_else(dash),
            verdict: verdict(group).to_owned(),
            epochs: epochs(group),
            seeds: group.seeds_words(),
            time: group.seconds().map_or_else(dash, duration),
            dataset: match spec_words(group, rows) {
                Some(spec) => format!("{}, {spec}", group.dataset_words()),
                None => group.dataset_words(),
            },
        }
    }

    /// The cells in the order of [`head`].
    pub(super) fn cells(self) -> Vec<String> {
        let mut cells = vec![self.experiment, self.published, self.ours];
        cells.extend(self.second);
        cells.extend([self.by_track, self.delta, self.verdict, self.epochs, self.seeds]);
        cells.extend([self.time, self.dataset]);
        cells
    }
}

/// Summarizes the rows in a few sentences. An experiment with several rows counts by its first.
pub(super) fn headline(rows: &[Row], markup: Markup) -> String {
    let (mut reproduced, mut differ, mut inconclusive, mut apart) = (0, vec![], 0, 0);
    let (mut seen, mut not_run) = (vec![], 0);
    for row in rows {
        let Row::Ran(group) = row else {
            not_run += 1;
            continue;
        };
        if seen.contains(&group.experiment()) {
            continue;
        }
        seen.push(group.experiment());
        match group.main_claim().map(|judged| &judged.verdict) {
            Some(Verdict::Reproduced) => reproduced += 1,
            Some(Verdict::Differs { by }) => {
                let words = group.main_claim().and_then(Judged::delta_words);
                let by = words.unwrap_or_else(|| signed(*by));
                differ.push(format!("{} by {by}", markup.text(group.experiment())));
            }
            Some(Verdict::Inconclusive) => inconclusive += 1,
            Some(Verdict::NotComparable { .. }) => apart += 1,
            None => {}
        }
    }
    let n_claims = reproduced + differ.len() + inconclusive + apart;
    let mut parts = vec![format!("{reproduced} reproduced")];
    if differ.is_empty() {
        parts.push("0 differ".to_owned());
    } else {
        parts.push(format!("{} differ ({})", differ.len(), differ.join(", ")));
    }
    parts.push(format!("{inconclusive} inconclusive"));
    parts.push(format!("{apart} not comparable"));
    let figures = counted(n_claims, "published figure");
    let mut text = match n_claims {
        0 => "No published result has been tested yet.".to_owned(),
        _ => markup.strong(&format!("Of {figures}: {}.", list(&parts))),
    };
    if not_run > 0 {
        let all = counted(seen.len() + not_run, "experiment");
        text += &format!(" Not run: {not_run} of {all}.");
    }
    text
}

/// Names the finished runs that are not on the page; empty without any.
pub(super) fn skipped(lines: &[String], markup: Markup) -> String {
    const N_NAMED: usize = 5;
    if lines.is_empty() {
        return String::new();
    }
    let mut named: Vec<String> = lines.iter().take(N_NAMED).map(|line| markup.text(line)).collect();
    if lines.len() > N_NAMED {
        named.push(format!("{} more", lines.len() - N_NAMED));
    }
    let runs = if lines.len() == 1 { "finished run is" } else { "finished runs are" };
    format!("{} {runs} not on this page: {}.", lines.len(), named.join("; "))
}

/// Counts the runs that are still to come; empty without any.
pub(super) fn pending(pending: &[(String, usize)], markup: Markup) -> String {
    if pending.is_empty() {
        return String::new();
    }
    let n: usize = pending.iter().map(|(_, n)| n).sum();
    let named: Vec<String> = pending
        .iter()
        .map(|(name, n)| format!("{} ({})", markup.code(name), counted(*n, "seed")))
        .collect();
    let are = if n == 1 { "is" } else { "are" };
    format!(
        "{} {are} still to come: {}. Until then, intervals are wider and rows may be missing.",
        counted(n, "run"),
        list(&named)
    )
}

/// Names the rows on synthetic data; empty without any.
pub(super) fn data_sentence(rows: &[Row], markup: Markup) -> String {
    let ran = || rows.iter().filter_map(Row::group);
    let mut names: Vec<String> = ran()
        .filter(|group| group.record().data.synthetic)
        .map(|group| markup.code(&group.record().data.dataset))
        .collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return String::new();
    }
    let which = if ran().all(|group| group.record().data.synthetic) {
        "All rows are".to_owned()
    } else {
        let n = ran().filter(|group| group.record().data.synthetic).count();
        format!("{} {}", counted(n, "row"), if n == 1 { "is" } else { "are" })
    };
    format!(
        "{which} on {} data ({}), generated by encore. Such a row shows that the experiment runs. \
         It does not test the published figure.",
        markup.strong("synthetic"),
        list(&names)
    )
}

/// Counts the rows whose predictions another program made; empty without any.
pub(super) fn foreign_sentence(rows: &[Row], markup: Markup) -> String {
    let n = rows.iter().filter_map(Row::group).filter(|group| group.is_foreign()).count();
    if n == 0 {
        return String::new();
    }
    format!(
        "{} {} {}: {FOREIGN}.",
        counted(n, "row"),
        if n == 1 { "is" } else { "are" },
        markup.strong("foreign")
    )
}

/// What it means that a row is foreign.
pub(super) const FOREIGN: &str = "another program made the predictions; encore scored them and cannot know whether that program saw the test \
     labels";

/// Lists the reasons why figures cannot be compared, in Markdown; empty without any.
pub(super) fn reasons(rows: &[Row]) -> String {
    let reasons = collect(rows, |group| match group.main_claim().map(|judged| &judged.verdict) {
        Some(Verdict::NotComparable { reason }) => vec![reason.clone()],
        _ => vec![],
    });
    if reasons.is_empty() {
        return String::new();
    }
    let lines = reasons
        .iter()
        .map(|(reason, names)| format!("- {}: {}.\n", plain(&names.join(", ")), plain(reason)));
    format!("Not comparable, with reasons:\n\n{}", lines.collect::<String>())
}

/// Collects notes on rows, each once with the experiments that it applies to.
pub(super) fn collect<T: PartialEq>(
    rows: &[Row],
    said: impl Fn(&Group) -> Vec<T>,
) -> Vec<(T, Vec<String>)> {
    let mut all: Vec<(T, Vec<String>)> = vec![];
    for row in rows {
        let Row::Ran(group) = row else { continue };
        let name = group.experiment().to_owned();
        for note in said(group) {
            match all.iter_mut().find(|(known, _)| *known == note) {
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name.clone()),
                None => all.push((note, vec![name.clone()])),
            }
        }
    }
    all
}

/// `2,996 of 2,996`, per seed where seeds differ: test examples whose track is in train or valid.
pub(super) fn leaking(group: &Runs) -> String {
    let leaking = span(group.records().map(|record| record.split.n_leaking));
    let all = span(group.records().map(|record| record.split.n_test));
    format!("{leaking} of {all}")
}

/// What the audits before training found, a line a kind: how many examples of all seeds, and one pair.
pub(super) fn leaks(group: &Group) -> Vec<String> {
    let kinds: BTreeSet<LeakKind> =
        group.records().flat_map(|record| &record.audit.leaks).map(|leak| leak.kind).collect();
    let of = |kind: LeakKind| {
        let of_kind = move |record: &Record| {
            record.audit.leaks.iter().find(|leak| leak.kind == kind).cloned()
        };
        let n_test = group.records().map(|record| of_kind(record).map_or(0, |leak| leak.n_test));
        let n_valid = group.records().map(|record| of_kind(record).map_or(0, |leak| leak.n_valid));
        let all = span(group.records().map(|record| record.split.n_test));
        let named =
            group.records().filter_map(of_kind).find_map(|leak| leak.named.first().cloned());
        format!(
            "{} of {all} test examples {}, and {} validation examples in train; e.g. {}",
            span(n_test),
            kind.words(),
            span(n_valid),
            named.unwrap_or_default()
        )
    };
    kinds.into_iter().map(of).collect()
}

/// Why splits that leak matter, in two sentences.
pub(super) fn leak_warning_words(leaks: &[LeakingRow]) -> [String; 2] {
    let mut tasks: Vec<Task> = leaks.iter().map(|leak| leak.group.task()).collect();
    tasks.sort_unstable();
    tasks.dedup();
    let (target, score) = match tasks.as_slice() {
        [Task::Classes] => ("genre", "accuracy"),
        [Task::Tags] => ("tags", "ROC-AUC"),
        [Task::Number] => ("number", "R2"),
        _ => ("answer", "score"),
    };
    [
        "Test examples come from tracks that also have examples in train or valid.".to_owned(),
        format!(
            "A model can recognize the recording without knowing the {target}, so this {score} is \
             too high for new music."
        ),
    ]
}

/// What the columns of the table of leaks say.
pub(super) const LEAK_HEAD: [&str; 5] =
    ["experiment", "test examples that leak", "with the leak", "split by track", "difference"];

/// A row whose split leaks, and its twin that does not leak, where that was run.
pub(super) struct LeakingRow<'a> {
    pub(super) group: &'a Group<'a>,
    pub(super) twin: Option<&'a Group<'a>>,
}

/// Every row whose split leaks.
pub(super) fn leaking_rows<'a>(rows: &'a [Row<'a>]) -> Vec<LeakingRow<'a>> {
    let groups = || rows.iter().filter_map(Row::group);
    let leak = |group: &'a Group<'a>| LeakingRow {
        group,
        twin: groups().find(|other| group.is_honest_twin(other)),
    };
    groups().filter(|group| group.leaks()).map(leak).collect()
}

impl LeakingRow<'_> {
    /// The twin's score minus the leaking one's.
    pub(super) fn difference(&self) -> Option<f64> {
        self.twin.map(|twin| twin.main.mean - self.group.main.mean)
    }

    /// The main metric before a score, unless it is the accuracy.
    fn metric_words(&self) -> String {
        match self.group.task() {
            Task::Classes => String::new(),
            Task::Tags | Task::Number => format!("{} ", self.group.metric().words()),
        }
    }

    /// The cells under [`LEAK_HEAD`], as text.
    pub(super) fn line(&self) -> [String; 5] {
        [
            format!("{}, {}", self.group.name(), self.group.dataset_short()),
            leaking(self.group),
            format!("{}{}", self.metric_words(), interval(&self.group.main)),
            self.twin.map_or("not run".to_owned(), |twin| interval(&twin.main)),
            self.difference().map_or("-".to_owned(), signed),
        ]
    }
}

/// The warning about splits that leak, with the honest figures beside; empty where none does.
pub(super) fn leak_warning(rows: &[Row]) -> String {
    let leaks = leaking_rows(rows);
    if leaks.is_empty() {
        return String::new();
    }
    let mut cells = vec![LEAK_HEAD.map(str::to_owned).to_vec()];
    cells.extend(leaks.iter().map(|leak| leak.line().map(|cell| plain(&cell)).to_vec()));
    let [what, why] = leak_warning_words(&leaks);
    format!("> **Warning: these splits leak.** {what}\n> {why}\n\n{}", table(&cells, &[1, 4]))
}
