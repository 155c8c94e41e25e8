//! The summary: one line per experiment, the headline, and warnings.

use std::collections::BTreeSet;

use super::Options;
use super::group::{Group, Row, headings, spec_words};
use super::runs::Runs;
pub(super) use super::words::interval;
use super::words::{Markup, counted, duration, list, plain, signed, span, table};
use crate::metrics::Verdict;
use crate::record::{LeakKind, Record};

/// The verdict on the claim that is shown, or `-` without one.
pub(super) fn verdict(group: &Group) -> &'static str {
    group.main_claim().map_or("-", |judged| judged.verdict.as_str())
}

/// Epochs run, or `-` for models that are fitted in one go.
pub(super) fn epochs(group: &Group) -> String {
    let epochs: Vec<usize> = group.records().filter_map(|record| record.model.n_epochs).collect();
    if epochs.is_empty() { "-".to_owned() } else { span(epochs) }
}

/// What the summary's columns say.
pub(super) const HEAD: [&str; 10] = [
    "experiment",
    "published (source)",
    "ours [95 % interval]",
    "by track",
    "delta",
    "verdict",
    "epochs",
    "seeds",
    "time per run",
    "dataset",
];

/// The summary table in Markdown.
pub(super) fn markdown(rows: &[Row], options: &Options) -> String {
    let mut cells = vec![HEAD.map(str::to_owned).to_vec()];
    for (row, heading) in rows.iter().zip(headings(rows, options)) {
        if let Some(heading) = heading {
            let mut line = [const { String::new() }; 10];
            line[0] = Markup::Markdown.strong(&plain(heading));
            cells.push(line.to_vec());
        }
        cells.push(line(row, rows).map(|cell| plain(&cell)).to_vec());
    }
    table(&cells, &[4, 6, 7, 8])
}

/// One row's cells, as text.
pub(super) fn line(row: &Row, rows: &[Row]) -> [String; 10] {
    let group = match row {
        Row::Ran(group) => group,
        Row::NotRun(name) => {
            return [name, "-", "-", "-", "-", "not run", "-", "-", "-", "-"].map(str::to_owned);
        }
    };
    let published = group.main_claim().map_or("-".to_owned(), |judged| {
        format!("{} ({})", judged.published_words(), judged.claim.source)
    });
    let dataset = match spec_words(group, rows) {
        Some(spec) => format!("{}, {spec}", group.dataset_words()),
        None => group.dataset_words(),
    };
    [
        group.name(),
        published,
        interval(&group.accuracy),
        group.by_track.as_ref().map_or("-".to_owned(), interval),
        group.delta().map_or("-".to_owned(), signed),
        verdict(group).to_owned(),
        epochs(group),
        group.seeds_words(),
        group.seconds().map_or("-".to_owned(), duration),
        dataset,
    ]
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
                differ.push(format!("{} by {}", markup.text(group.experiment()), signed(*by)));
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

/// Why a split that leaks matters, in two sentences.
pub(super) const LEAK_WARNING: [&str; 2] = [
    "Test examples come from tracks that also have examples in train or valid.",
    "A model can recognize the recording without knowing the genre, so this accuracy is too high for \
     new music.",
];

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
    /// The twin's accuracy minus the leaking one's.
    pub(super) fn difference(&self) -> Option<f64> {
        self.twin.map(|twin| twin.accuracy.mean - self.group.accuracy.mean)
    }

    /// The cells under [`LEAK_HEAD`], as text.
    pub(super) fn line(&self) -> [String; 5] {
        [
            format!("{}, {}", self.group.name(), self.group.dataset_short()),
            leaking(self.group),
            interval(&self.group.accuracy),
            self.twin.map_or("not run".to_owned(), |twin| interval(&twin.accuracy)),
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
    let [what, why] = LEAK_WARNING;
    format!("> **Warning: these splits leak.** {what}\n> {why}\n\n{}", table(&cells, &[1, 4]))
}
