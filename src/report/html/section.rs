//! One row's section: the answer, the curves, the classes, every run, and how it was made.

use std::path::Path;

use super::overview::verdict;
use super::table::{Cell, Table};
use super::{matrix, spec};
use crate::report::ReportError;
use crate::report::figure::{inline_curves, inline_scatter};
use crate::report::group::{Group, Row, spec_words};
use crate::report::link::link;
use crate::report::page::n_rows_of;
use crate::report::run_lines;
use crate::report::section::{answer, facts, leak_sentence, per_class};
use crate::report::summary::{FOREIGN, leaks};
use crate::report::warnings::not_blind;
use crate::report::words::{Markup, escaped};
use crate::vocab::Task;

/// The section, which a link finds by its anchor. `folder` is where the page lies.
pub(super) fn html(
    group: &Group,
    rows: &[Row],
    anchor: &str,
    folder: &Path,
) -> Result<String, ReportError> {
    let record = group.record();
    let mut text = format!(
        "<section class=\"experiment\" id=\"{anchor}\" aria-labelledby=\"{anchor}-title\">\n\
         <h2 id=\"{anchor}-title\"><span class=\"name\">{}</span> {}</h2>\n",
        escaped(&group.name()),
        escaped(&record.title)
    );
    if !record.question.trim().is_empty() {
        text += &format!("<p class=\"question\">{}</p>\n", escaped(&record.question));
    }
    text += &tags(group, rows);
    text += &format!("<p>{}</p>\n", answer(group, Markup::Html));
    if group.is_foreign() {
        let foreign = "Foreign predictions";
        text +=
            &format!("<div class=\"note\"><p><strong>{foreign}:</strong> {FOREIGN}.</p></div>\n");
    }
    text += &leaking(group);
    if let Some(warning) = not_blind(group) {
        let warning = escaped(&warning);
        text +=
            &format!("<div class=\"note bad\"><p><strong>Warning: {warning}.</strong></p></div>\n");
    }
    text += &curves(group)?;
    text += &match group.task() {
        Task::Classes => {
            format!("<div class=\"two\">{}{}</div>\n", matrix::html(group), classes(group))
        }
        Task::Tags => classes(group),
        Task::Number => scatter(group),
    };
    text += &runs(group, folder);
    text += &made(group);
    Ok(text + "</section>\n")
}

/// What the audit found before the training; empty if nothing.
fn leaking(group: &Group) -> String {
    let found: String =
        leaks(group).iter().map(|leak| format!("<li>{}</li>", escaped(leak))).collect();
    if found.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"note bad\"><p><strong>Warning: {}</strong></p><ul>{found}</ul></div>\n",
        leak_sentence(group)
    )
}

/// Dataset, seeds and verdict at a glance.
fn tags(group: &Group, rows: &[Row]) -> String {
    let mut tags = vec![escaped(&group.dataset_words())];
    if n_rows_of(rows, group.experiment()) > 1 {
        tags.extend(spec_words(group, rows).map(|spec| escaped(&spec)));
    }
    tags.push(match group.unit() {
        "fold" => group.seeds_words(),
        _ => format!("seeds: {}", group.seeds_words()),
    });
    let mut html: String = tags.iter().map(|tag| format!("<li class=\"tag\">{tag}</li>")).collect();
    if let Some(judged) = group.main_claim() {
        html += &format!("<li>{}</li>", verdict(judged.verdict.as_str()));
    }
    format!("<ul class=\"tags\">{html}</ul>\n")
}

fn curves(group: &Group) -> Result<String, ReportError> {
    let epochs = group.runs.iter().map(|run| run.epochs()).collect::<Result<Vec<_>, _>>()?;
    let panels = inline_curves(group, &epochs);
    if panels.is_empty() {
        return Ok(String::new());
    }
    let seeds = match group.runs.len() {
        1 => String::new(),
        _ => format!(" <span>line: mean of {}, band: range</span>", group.counted()),
    };
    Ok(format!(
        "<figure class=\"curves\"><figcaption>Over the epochs: <span class=\"key\"><svg class=\"plot\" \
         aria-hidden=\"true\" width=\"22\" height=\"10\"><line class=\"l vermilion\" stroke-width=\"2\" \
         x2=\"22\" y1=\"5\" y2=\"5\"/></svg> training</span> <span class=\"key\"><svg class=\"plot\" \
         aria-hidden=\"true\" width=\"22\" height=\"10\"><line class=\"l blue\" stroke-width=\"2.6\" \
         x2=\"22\" y1=\"5\" y2=\"5\"/></svg> validation</span>{seeds}</figcaption>\n\
         <div class=\"panels\">{}</div></figure>\n",
        panels.concat()
    ))
}

/// Every class or tag.
fn classes(group: &Group) -> String {
    let Some(each) = per_class(group) else { return String::new() };
    let line = |(name, numbers): (&str, Vec<(f64, String)>)| {
        let numbers = numbers.into_iter().map(|(value, text)| {
            Cell::number(&text).by(Some(value).filter(|value| value.is_finite()))
        });
        std::iter::once(Cell::text(name)).chain(numbers).collect()
    };
    let alone = format!("Per {}, on the test examples", each.head[0]);
    let table = Table {
        caption: &each.over.unwrap_or(alone),
        head: each.head,
        rows: each.rows.into_iter().map(line).collect(),
        is_sortable: true,
    };
    table.html()
}

/// Predicted against actual numbers.
fn scatter(group: &Group) -> String {
    let (figure, words) = inline_scatter(group);
    format!(
        "<figure class=\"curves\"><figcaption>{}</figcaption>\n<div class=\"panels\">{figure}</div>\
         </figure>\n",
        escaped(&words)
    )
}

fn runs(group: &Group, folder: &Path) -> String {
    let lines = run_lines::lines(group);
    let (head, lines) = lines.split_first().expect("the first line is the head");
    let line = |(i, line): (usize, &Vec<String>)| {
        let (record, numbers) = line.split_last().expect("a line has cells");
        let mut cells: Vec<Cell> = numbers.iter().map(|cell| Cell::number(cell)).collect();
        // The line of the means is no run's.
        cells.push(match group.runs.get(i) {
            Some(run) => {
                let link = format!("{}/record.json", link(&run.folder, folder));
                Cell::html(format!("<a href=\"{link}\">{}</a>", escaped(record)))
            }
            None => Cell::text(record),
        });
        cells
    };
    let table = Table {
        caption: &format!("{}, and its record", run_lines::title(group)),
        head: &head.iter().map(String::as_str).collect::<Vec<_>>(),
        rows: lines.iter().enumerate().map(line).collect(),
        is_sortable: false,
    };
    table.html()
}

fn made(group: &Group) -> String {
    let record = group.record();
    let mut all = facts(group, Markup::Html);
    let code = |hash: &str| Markup::Html.code(hash);
    all.push((
        "hashes",
        format!(
            "spec {}<br>data {}<br>features {}",
            code(&record.spec_hash),
            code(&record.data.hash),
            code(&record.data.features_hash)
        ),
    ));
    let facts: String =
        all.iter().map(|(what, text)| format!("<dt>{what}</dt><dd>{text}</dd>\n")).collect();
    format!(
        "<details><summary>Details</summary>\n<dl>{facts}</dl>\n\
         <h3>The spec, resolved: overrides applied, defaults filled in</h3>\n\
         <pre>{}</pre>\n</details>\n",
        escaped(&spec::text(&record.spec))
    )
}
