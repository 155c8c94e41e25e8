//! The summary for a terminal: plain text, at most 100 columns.

use super::Options;
use super::claims::Judged;
use super::footnotes::{self, Note};
use super::group::{Group, Row, TaskRows, by_task, headings, spec_words};
use super::summary::{FOREIGN, collect, interval, verdict};
use super::warnings::warnings;
use super::words::{MOST_COLUMNS, count, list};
use crate::metrics::Verdict;
use crate::vocab::{Task, without_controls};

fn head(task: Task) -> [String; 8] {
    let ours = match task {
        Task::Classes => "ours [95 %]",
        Task::Tags => "ROC-AUC [95 %]",
        Task::Number => "R2 [95 %]",
    };
    ["experiment", "dataset", "claim", ours, "delta", "verdict", "seeds", "time"].map(str::to_owned)
}

/// Columns that may be cut where the table is too wide, the most willing first.
const ELASTIC: [usize; 2] = [0, 1];
const RIGHT: [usize; 4] = [2, 4, 6, 7];

/// A table of every task, then their footnotes.
pub(super) fn table(rows: &[Row], options: &Options) -> String {
    let tables = by_task(rows).into_iter().map(|of_task| of_one_task(&of_task, options));
    let text = tables.collect::<Vec<_>>().join("\n");
    text + &footnotes::lines(&collect(rows, |group| notes(group, rows)))
}

fn of_one_task(TaskRows { task, rows, .. }: &TaskRows, options: &Options) -> String {
    let mut cells = vec![head(*task)];
    cells.extend(rows.iter().map(|row| line(row)));
    let widths = widths(&cells);
    let mut text = String::new();
    let headings = headings(rows, options);
    for (i, line) in cells.iter().enumerate() {
        if let Some(heading) = i.checked_sub(1).and_then(|row| headings[row]) {
            text += &format!("\n{}\n", without_controls(heading, ""));
        }
        let padded: Vec<String> = line
            .iter()
            .enumerate()
            .map(|(column, cell)| pad(cell, column, widths[column]))
            .collect();
        text += padded.join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn line(row: &Row) -> [String; 8] {
    let group = match row {
        Row::Ran(group) => group,
        Row::NotRun(name, _) => {
            let cells = [name, "", "", "", "", "not run", "", ""];
            return cells.map(str::to_owned);
        }
    };
    let record = group.record();
    let is_full = record.cut.is_empty() && group.other_version().is_none();
    let mark = if is_full { "" } else { "*" };
    let model = record.foreign.as_ref().and_then(|foreign| foreign.model.as_ref());
    [
        match model {
            Some(model) => format!("{} ({model})", group.name()),
            None => group.name(),
        },
        format!("{}{mark}", record.data.dataset),
        group.main_claim().map_or("-".to_owned(), Judged::published_words),
        interval(&group.main),
        group.main_claim().and_then(Judged::delta_words).unwrap_or_else(|| "-".to_owned()),
        verdict(group).to_owned(),
        count(group.runs.len()),
        group.seconds().map_or("-".to_owned(), rough),
    ]
}

fn notes(group: &Group, rows: &[Row]) -> Vec<Note> {
    let record = group.record();
    let mut notes = vec![];
    let mut add = |topic: &'static str, text: String| notes.push(Note { topic, text });
    let claim = group.main_claim();
    if let Some(plan) = claim.and_then(Judged::plan_words) {
        add("inconclusive", format!("inconclusive, {plan}"));
    }
    if let Some(Verdict::NotComparable { reason }) = claim.map(|judged| &judged.verdict) {
        add("not comparable", format!("not comparable, {reason}"));
    } else if record.data.synthetic {
        add("synthetic", format!("{} is synthetic", record.data.dataset));
    }
    if let Some(words) = group.other_version() {
        add("shortened", format!("* on {}, {words}", record.data.dataset));
    }
    if !record.cut.is_empty() {
        let text = format!("* on {}, shortened run: {}", record.data.dataset, list(&record.cut));
        add("shortened", text);
    }
    if group.is_foreign() {
        add("foreign", format!("foreign, {FOREIGN}"));
    }
    for (topic, text) in warnings(group) {
        add(topic, text);
    }
    if let Some(text) = honest(group, rows).filter(|_| group.leaks()) {
        add("honest", text);
    }
    if let Some(text) = spec_words(group, rows) {
        add("spec", text);
    }
    notes
}

fn honest(group: &Group, rows: &[Row]) -> Option<String> {
    let twin = rows.iter().filter_map(Row::group).find(|other| group.is_honest_twin(other))?;
    Some(format!("split by track, it reaches {}", interval(&twin.main)))
}

/// A time in one unit: the table has no room for two.
fn rough(seconds: f64) -> String {
    match seconds {
        _ if seconds < 99.5 => format!("{seconds:.0} s"),
        _ if seconds < 99.5 * 60.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// The widest cell of each column, the elastic ones cut until the table fits.
fn widths(cells: &[[String; 8]]) -> [usize; 8] {
    let widest =
        |column: usize| cells.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let mut widths = [0, 1, 2, 3, 4, 5, 6, 7].map(widest);
    for column in ELASTIC {
        let total = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
        let too_wide = total.saturating_sub(MOST_COLUMNS);
        widths[column] = widths[column].saturating_sub(too_wide).max(12.min(widths[column]));
    }
    widths
}

fn pad(cell: &str, column: usize, width: usize) -> String {
    let length = cell.chars().count();
    if length > width {
        let kept: String = cell.chars().take(width - 1).collect();
        return format!("{kept}…");
    }
    let space = " ".repeat(width - length);
    if RIGHT.contains(&column) { format!("{space}{cell}") } else { format!("{cell}{space}") }
}
