//! The page for a browser, `index.html`: one self-contained file without network access.
//!
//! | file | what it makes |
//! |---|---|
//! | `overview` | headline, data, leaks, summary, claims |
//! | `strips` | all accuracies at a glance |
//! | `section` | one row -> its section |
//! | `robust` | scores of degraded recordings |
//! | `studies` | searches, learning curves and ablations |
//! | `data` | the datasets' pictures |
//! | `matrix` | a confusion matrix as a shaded table |
//! | `spec` | a resolved spec as text |
//! | `table` | escaped cells -> a table that a reader can sort |
//! | `style.css`, `script.js` | what is put into the page: its summaries, on screens light and dark and on paper; sorting |
//!
//! It has the text of `README.md`, and more details on each row. The page works without its script,
//! which only sorts tables and unfolds sections that are linked or printed.

mod data;
mod matrix;
mod overview;
mod robust;
mod section;
mod spec;
mod strips;
mod studies;
mod table;

pub(super) use self::matrix::{difference as confusion_difference, html as confusion_matrix};
pub(super) use self::spec::text as spec_text;
pub(super) use self::studies::searches as searches_section;
pub(super) use self::table::{Cell, Table, scrolling};

use std::path::Path;

use super::group::{Group, Row};
use super::page::how_to_read;
use super::page_studies::Studies;
use super::robust::Section;
use super::words::escaped;
use super::{DatasetSummary, Options, ReportError};

pub(super) const STYLE: &str = include_str!("style.css");
pub(super) const SCRIPT: &str = include_str!("script.js");

/// What the page's own parts are called, so that no experiment is.
const RESERVED: [&str; 12] = [
    "top",
    "leaks",
    "summary",
    "claims",
    "experiments",
    "reading",
    "recommended",
    "searches",
    "learning-curves",
    "ablations",
    "robustness",
    "data",
];

/// Nothing may be loaded, and nothing but what stands in the page runs.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// Returns the text of the page. `folder` is its folder.
///
/// # Errors
/// Where a run's curves can't be read.
pub(super) fn text(
    rows: &[Row],
    options: &Options,
    robust: &[Section],
    all: &Studies,
    folder: &Path,
) -> Result<String, ReportError> {
    let anchors = anchors(rows);
    let title = escaped(&options.title);
    let about = match options.text.trim() {
        "" => String::new(),
        text => format!("<p>{}</p>\n", escaped(text)),
    };
    let (leaks, strips) = (overview::leaks(rows, &anchors), strips::html(rows, &anchors));
    let mut sections = String::new();
    for (row, anchor) in rows.iter().zip(&anchors) {
        if let Row::Ran(group) = row {
            sections += &section::html(group, rows, anchor, folder)?;
        }
    }
    let pictures = data::html(rows, options)?;
    let robust = robust::html(robust);
    let (curves, ablations) = (studies::curves(&all.curves), studies::ablations(&all.ablations));
    let searches = studies::searches(&all.searches);
    let recommended = studies::recommended(all);
    let has = [&leaks, &recommended, &searches, &curves, &ablations, &robust, &pictures, &sections]
        .map(|it| !it.is_empty());
    let navigation = navigation(has);
    let (headline, data, made_from) =
        (overview::headline(rows), overview::data(rows), overview::made_from(rows));
    let (summary, claims) =
        (overview::table(rows, &anchors, options), overview::claims(rows, &anchors));
    let contents = contents(rows, &anchors);
    let pending = overview::pending(&options.pending);
    let skipped = format!("{}{}", overview::foreign(rows), overview::skipped(&options.skipped));
    let reading: String = how_to_read(rows)
        .iter()
        .map(|(term, text)| format!("<dt>{term}</dt><dd>{text}</dd>\n"))
        .collect();
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body id=\"top\">\n<a class=\"skip\" href=\"#main\">Skip to the summary</a>\n\
         <header>\n<p class=\"kicker\">encore report</p>\n<h1>{title}</h1>\n{about}{headline}\
         <p>Every row is an experiment that is declared in a spec: a repetition of a published one, or our own. All \
         results are computed from the records of the runs.</p>\n{pending}{data}{skipped}{made_from}\
         {navigation}</header>\n<main id=\"main\">\n{leaks}\
         <section id=\"summary\" aria-labelledby=\"summary-title\">\n\
         <h2 id=\"summary-title\">Summary</h2>\n{strips}{summary}</section>\n\
         <section id=\"claims\" aria-labelledby=\"claims-title\">\n\
         <h2 id=\"claims-title\">Claims</h2>\n{claims}</section>\n\
         <section id=\"reading\" aria-labelledby=\"reading-title\">\n\
         <h2 id=\"reading-title\">How to read this</h2>\n<dl>{reading}</dl></section>\n\
         {recommended}{searches}{curves}{ablations}{robust}{pictures}{contents}{sections}</main>\n\
         <footer><p>The same data in other formats: <a href=\"README.md\">README.md</a> (plain text, with the \
         figures as files), <a href=\"results.csv\">results.csv</a> and \
         <a href=\"results.parquet\">results.parquet</a> (one row per run), \
         <a href=\"epochs.csv\">epochs.csv</a> and \
         <a href=\"epochs.parquet\">epochs.parquet</a> (one row per epoch), \
         <a href=\"table.tex\">table.tex</a> (the summary for LaTeX).</p>\
         <p><a href=\"#top\">Back to the top</a></p></footer>\n\
         <script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    ))
}

/// The section of one group, for a page of its own; its runs' links are relative to `folder`.
pub(super) fn run_section(
    group: &Group,
    rows: &[Row],
    folder: &Path,
) -> Result<String, ReportError> {
    section::html(group, rows, "results", folder)
}

/// The claims of some rows, for a page of their own.
pub(super) fn claims_table(rows: &[Row]) -> String {
    overview::claims(rows, &[])
}

/// The figures of a dataset, for a page of their own.
pub(super) fn data_figures(name: &str, summary: &DatasetSummary) -> Result<String, ReportError> {
    let options = Options { data: vec![(name.to_owned(), summary.clone())], ..Options::default() };
    data::html(&[], &options)
}

fn navigation(
    [leaks, recommended, searches, curves, ablations, robust, pictures, sections]: [bool; 8],
) -> String {
    let parts = [
        (leaks, "leaks", "Leaks"),
        (true, "summary", "Summary"),
        (true, "claims", "Claims"),
        (true, "reading", "How to read this"),
        (recommended, "recommended", "Recommendations, tested"),
        (searches, "searches", "Searches"),
        (curves, "learning-curves", "Learning curves"),
        (ablations, "ablations", "Ablations"),
        (robust, "robustness", "Robustness"),
        (pictures, "data", "The data"),
        (sections, "experiments", "Experiments"),
    ];
    let parts = parts.iter().filter(|(is_there, ..)| *is_there);
    let links: String =
        parts.map(|(_, id, name)| format!("<a href=\"#{id}\">{name}</a>")).collect();
    format!("<nav aria-label=\"Sections of this page\">{links}</nav>\n")
}

/// Links to every section; empty if nothing ran.
fn contents(rows: &[Row], anchors: &[String]) -> String {
    let links: String = rows
        .iter()
        .zip(anchors)
        .filter_map(|(row, anchor)| {
            let name = escaped(&row.group()?.name());
            Some(format!("<li><a href=\"#{anchor}\">{name}</a></li>"))
        })
        .collect();
    if links.is_empty() {
        return String::new();
    }
    format!(
        "<nav id=\"experiments\" aria-labelledby=\"experiments-title\">\
         <h2 id=\"experiments-title\">Experiments</h2><ul class=\"contents\">{links}</ul></nav>\n"
    )
}

/// An anchor for every row: its experiment's name, numbered where it is taken.
fn anchors(rows: &[Row]) -> Vec<String> {
    let mut taken: Vec<String> = RESERVED.iter().map(|id| format!("{id}-title")).collect();
    taken.extend(RESERVED.map(str::to_owned));
    taken.push("main".to_owned());
    let mut anchors = vec![];
    for row in rows {
        let name = row.name();
        let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' };
        let base: String = name.chars().map(safe).collect();
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        let free = |anchor: &String| {
            !taken.contains(anchor) && !taken.contains(&format!("{anchor}-title"))
        };
        let anchor = std::iter::once(base.clone())
            .chain(numbered)
            .find(free)
            .expect("one of endless numbers is free");
        taken.extend([anchor.clone(), format!("{anchor}-title")]);
        anchors.push(anchor);
    }
    anchors
}

#[cfg(test)]
mod tests;
