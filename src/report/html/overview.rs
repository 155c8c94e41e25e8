//! The head of the page: headline, summary, claims, leaks.

use super::table::{Cell, Table};
use crate::record::CodeFacts;
use crate::report::Options;
use crate::report::group::{Group, Row, TaskRows, by_task, headings, spec_words};
use crate::report::summary::{self, LeakingRow};
use crate::report::words::{Markup, counted, escaped, fraction, list, short, signed};
use crate::vocab::Task;

/// Summarizes the rows in one sentence.
pub(super) fn headline(rows: &[Row]) -> String {
    format!("<p class=\"lead\">{}</p>\n", summary::headline(rows, Markup::Html))
}

/// Tells whether the data are real or synthetic.
pub(super) fn data(rows: &[Row]) -> String {
    let synthetic = summary::data_sentence(rows, Markup::Html);
    if !synthetic.is_empty() {
        return note("Synthetic data", &synthetic);
    }
    let mut names: Vec<String> = rows
        .iter()
        .filter_map(Row::group)
        .map(|group| Markup::Html.code(&group.record().data.dataset))
        .collect();
    names.sort();
    names.dedup();
    match names.as_slice() {
        [] => String::new(),
        _ => format!("<p>All rows use real data: {}.</p>\n", list(&names)),
    }
}

/// Counts the rows whose predictions another program made.
pub(super) fn foreign(rows: &[Row]) -> String {
    match summary::foreign_sentence(rows, Markup::Html) {
        text if text.is_empty() => text,
        text => note("Foreign predictions", &text),
    }
}

/// Names the finished runs that are not on the page.
pub(super) fn skipped(lines: &[String]) -> String {
    match summary::skipped(lines, Markup::Html) {
        text if text.is_empty() => text,
        text => note("Skipped runs", &text),
    }
}

/// Tells how many runs are still to come.
pub(super) fn pending(pending: &[(String, usize)]) -> String {
    match summary::pending(pending, Markup::Html) {
        text if text.is_empty() => text,
        text => note("Not finished yet", &text),
    }
}

fn note(title: &str, html: &str) -> String {
    format!("<div class=\"note\"><p><strong>{title}.</strong> {html}</p></div>\n")
}

/// A verdict that says itself by word, sign and color.
pub(super) fn verdict(verdict: &str) -> String {
    let (class, sign) = match verdict {
        "reproduced" => ("good", "✓"),
        "differs" => ("bad", "≠"),
        "inconclusive" => ("open", "?"),
        "not comparable" => ("apart", "∼"),
        _ => return escaped(verdict),
    };
    format!(
        "<span class=\"verdict {class}\"><span aria-hidden=\"true\">{sign}</span> {verdict}</span>"
    )
}

/// A link to a row's section.
pub(super) fn to_section(name: &str, anchor: &str) -> String {
    format!("<a href=\"#{anchor}\">{}</a>", escaped(name))
}

/// A row's name, linked to its section, with its dataset below.
fn named(group: &Group, rows: &[Row], anchor: &str) -> String {
    let spec = spec_words(group, rows).map_or(String::new(), |spec| format!(", {spec}"));
    named_as(group, anchor, &format!("{}{spec}", group.dataset_short()))
}

/// A row's name, linked to its section, with words below.
fn named_as(group: &Group, anchor: &str, below: &str) -> String {
    format!("{} <small>{}</small>", to_section(&group.name(), anchor), escaped(below))
}

/// The summary, a table a task and a row each.
pub(super) fn table(rows: &[Row], anchors: &[String], options: &Options) -> String {
    let of_task = |of_task: TaskRows| {
        let TaskRows { task, title, rows: of_task } = of_task;
        let line = |row: &&Row| summary_line(row, rows, anchors, task);
        let head = summary::head(task);
        // The dataset, the last column elsewhere, stands under the name here.
        let head: Vec<&str> = head.iter().take(head.len() - 1).map(String::as_str).collect();
        let caption = match title {
            None => "All experiments with their published figures".to_owned(),
            Some(title) => format!("{title}: all experiments with their published figures"),
        };
        let table = Table {
            caption: &caption,
            head: &head,
            rows: of_task.iter().map(line).collect(),
            is_sortable: true,
        };
        table.html_in_groups(&headings(&of_task, options))
    };
    by_task(rows).into_iter().map(of_task).collect()
}

fn summary_line(row: &Row, rows: &[Row], anchors: &[String], task: Task) -> Vec<Cell> {
    let line = summary::Line::of(row, rows, task);
    let group = row.group();
    let name = match group {
        Some(group) => Cell::html(named(group, rows, anchor_of(group, rows, anchors))),
        None => Cell::text(&line.experiment),
    };
    let published = match group.and_then(Group::main_claim) {
        Some(judged) => {
            let (value, source) =
                (escaped(&judged.published_words()), escaped(&judged.claim.source));
            Cell::html(format!("{value} <small>{source}</small>")).by(judged.claim.value)
        }
        None => Cell::text("-"),
    };
    let longest = group.and_then(|group| {
        group.records().filter_map(|record| record.model.n_epochs).max().map(|n| n as f64)
    });
    let mut cells =
        vec![name, published, Cell::interval(&line.ours, group.map(|group| group.main.mean))];
    cells.extend(line.second.map(|text| {
        let mean = group.zip(summary::second(task)).and_then(|(group, metric)| group.other(metric));
        Cell::number(&text).by(mean.map(|interval| interval.mean))
    }));
    cells.extend([
        Cell::interval(&line.by_track, group.and_then(|group| group.by_track).map(|it| it.mean)),
        Cell::number(&line.delta).by(group.and_then(Group::delta)),
        Cell::html(verdict(&line.verdict)),
        Cell::number(&line.epochs).by(longest),
        Cell::number(&line.seeds).by(group.map(|group| group.runs.len() as f64)),
        Cell::number(&line.time).by(group.and_then(|group| group.seconds())),
    ]);
    cells
}

/// Every claim of every row with its verdict and why; empty without any. Without anchors, rows have no sections to lead to.
pub(super) fn claims(rows: &[Row], anchors: &[String]) -> String {
    let mut lines = vec![];
    for (i, row) in rows.iter().enumerate() {
        let Some(group) = row.group() else { continue };
        for judged in &group.judged {
            let claim = judged.claim;
            lines.push(vec![
                match anchors.get(i) {
                    Some(anchor) => Cell::html(to_section(&group.name(), anchor)),
                    None => Cell::text(&group.name()),
                },
                Cell::text(&claim.metric),
                Cell::number(&judged.value_words()).by(claim.value),
                Cell::text(&claim.source),
                Cell::text(&claim.dataset),
                Cell::interval(&judged.ours_words(), judged.ours.map(|ours| ours.mean)),
                Cell::html(verdict(judged.verdict.as_str())),
                Cell::text(&judged.why()),
            ]);
        }
    }
    if lines.is_empty() {
        return "<p>No published result has been tested yet.</p>\n".to_owned();
    }
    let head = [
        "experiment",
        "claim",
        "value",
        "source",
        "dataset",
        "ours [95 % interval]",
        "verdict",
        "why",
    ];
    let caption = "All published figures with their verdicts";
    Table { caption, head: &head, rows: lines, is_sortable: true }.html()
}

/// The warning about splits that leak, the largest difference first; empty where none does.
pub(super) fn leaks(rows: &[Row], anchors: &[String]) -> String {
    let leaks = summary::leaking_rows(rows);
    if leaks.is_empty() {
        return String::new();
    }
    let [what, why] = summary::leak_warning_words(&leaks);
    let line = |leak: &LeakingRow| {
        let [_, n, with, without, difference] = leak.line();
        let anchor = anchor_of(leak.group, rows, anchors);
        let n_leaking = leak.group.records().map(|record| record.split.n_leaking).max();
        vec![
            Cell::html(named(leak.group, rows, anchor)),
            Cell::number(&n).by(n_leaking.map(|n| n as f64)),
            Cell::interval(&with, leak.group.main.mean),
            match leak.twin {
                Some(twin) => {
                    let anchor = anchor_of(twin, rows, anchors);
                    Cell::html(to_section(&without, anchor)).by(twin.main.mean)
                }
                None => Cell::text(&without),
            },
            Cell::number(&difference).by(leak.difference()),
        ]
    };
    let table = Table {
        caption: "The effect of the leak: the same experiments split by track",
        head: &summary::LEAK_HEAD,
        rows: leaks.iter().map(line).collect(),
        is_sortable: true,
    };
    format!(
        "<section class=\"warning\" id=\"leaks\" aria-labelledby=\"leaks-title\">\
         <h2 id=\"leaks-title\"><span aria-hidden=\"true\">⚠</span> Warning: {}</h2>\n\
         <p class=\"lead\">{}</p>\n<p>{what} {why}</p>\n{}</section>\n",
        match leaks.len() {
            1 => "a split leaks".to_owned(),
            n => format!("{n} splits leak"),
        },
        worst(&leaks),
        table.html()
    )
}

/// The row that a leak flatters most, in numbers.
fn worst(leaks: &[LeakingRow]) -> String {
    let by_difference = |a: &&LeakingRow, b: &&LeakingRow| {
        let of = |leak: &LeakingRow| leak.difference().unwrap_or(f64::INFINITY);
        of(a).total_cmp(&of(b))
    };
    let Some(leak) = leaks.iter().min_by(by_difference) else { return String::new() };
    let name = escaped(leak.group.experiment());
    let leaking = summary::leaking(leak.group);
    let with = fraction(leak.group.main.mean);
    let metric = match leak.group.task() {
        Task::Classes => "Accuracy",
        Task::Tags | Task::Number => leak.group.metric().words(),
    };
    match (leak.twin, leak.difference()) {
        (Some(twin), Some(difference)) => format!(
            "{name}: {leaking} test examples leak. {metric} {with}; split by track it is {} \
             (<strong>{}</strong>).",
            fraction(twin.main.mean),
            signed(difference)
        ),
        _ => format!(
            "{name}: {leaking} test examples leak. {metric} {with}; the same split by track was not \
             run."
        ),
    }
}

fn anchor_of<'a>(group: &Group, rows: &[Row], anchors: &'a [String]) -> &'a str {
    let at =
        rows.iter().position(|row| row.group().is_some_and(|other| std::ptr::eq(other, group)));
    &anchors[at.expect("the group is one of the rows")]
}

/// Describes the records behind the page: number, dates, program versions.
pub(super) fn made_from(rows: &[Row]) -> String {
    let records = || rows.iter().filter_map(Row::group).flat_map(|group| group.records());
    let day = |started: &str| escaped(started.get(..10).unwrap_or(started));
    let started = || records().map(|record| record.timings.started.as_str());
    let (Some(first), Some(last)) = (started().min(), started().max()) else {
        return "<p class=\"made\">No finished run yet.</p>\n".to_owned();
    };
    let when = match (day(first), day(last)) {
        (first, last) if first == last => format!("on {first}"),
        (first, last) => format!("from {first} to {last}"),
    };
    let unique = |of: &dyn Fn(&CodeFacts) -> String| {
        let mut all: Vec<String> = records().map(|record| of(&record.code)).collect();
        all.sort();
        all.dedup();
        list(&all)
    };
    let commit = |code: &CodeFacts| match &code.git_commit {
        Some(commit) => format!("commit {}", Markup::Html.code(short(commit))),
        None => "no commit".to_owned(),
    };
    format!(
        "<p class=\"made\">Based on {}, started {when} (UTC), with encore {}, {}, \
         on {}.</p>\n",
        counted(records().count(), "run"),
        unique(&|code| escaped(&code.version)),
        unique(&commit),
        unique(&|code| escaped(&code.device)),
    )
}
