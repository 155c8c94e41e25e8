//! Searches, learning curves and ablations on the browser page: figures in the page's colors, and tables.

use super::super::ablation::{self, Ablation};
use super::super::figure::{inline_ablation, inline_curve, inline_sweep};
use super::super::learning::{self, Curve};
use super::super::page_studies::Studies;
use super::super::recommended::{self, Tested};
use super::super::searches::{ABOUT, Section};
use super::escaped;
use super::table::{Cell, Table, wide_figure};

/// The cells of a line: what it is about, then estimates with their intervals, and words.
fn cells(line: &[String]) -> Vec<Cell> {
    let cell = |(column, text): (usize, &String)| {
        let mean = || text.split(' ').next().and_then(|mean| mean.parse::<f64>().ok());
        if column > 0 && text.contains('[') {
            Cell::interval(text, mean())
        } else {
            Cell::text(text)
        }
    };
    line.iter().enumerate().map(cell).collect()
}

/// The section on recommendations; empty if none was tested.
pub(super) fn recommended(all: &Studies) -> String {
    let part = |it: Tested| {
        let [question, answer, by] = [&it.question, &it.answer, &it.by].map(|text| escaped(text));
        format!("<h3>{question}</h3>\n<p>{answer}</p>\n<p class=\"made\">{by}</p>\n")
    };
    let parts = recommended::tested(all).into_iter().map(part);
    section("recommended", recommended::TITLE, recommended::ABOUT, parts)
}

/// The section on searches; empty without any.
pub(in crate::report) fn searches(searches: &[Section]) -> String {
    let part = |it: &Section| {
        let title = it.title();
        let head = it.head();
        let table = Table {
            caption: &format!("Winners: {title}"),
            head: &head.iter().map(String::as_str).collect::<Vec<_>>(),
            rows: it.lines().iter().map(|line| cells(line)).collect(),
            is_sortable: false,
        };
        let trials = it.trials();
        let figures = trials
            .iter()
            .flat_map(|it_trials| inline_sweep(&it.study.experiment, &it_trials.trials()));
        let figures: String = figures
            .map(|(title, words, svg)| {
                let figure = wide_figure(title, &svg);
                let (title, words) = (escaped(title), escaped(&words));
                format!("<h4>{title}</h4>\n<p>{words}</p>\n{figure}")
            })
            .collect();
        let answer = it.answer().map_or(String::new(), |it| format!("<p>{}</p>\n", escaped(&it)));
        format!(
            "<h3>{}</h3>\n{answer}<p>{}</p>\n{}{figures}",
            escaped(&title),
            escaped(&it.about()),
            table.html()
        )
    };
    section("searches", "Searches", ABOUT, searches.iter().map(part))
}

/// The section on learning curves; empty without any.
pub(super) fn curves(curves: &[Curve]) -> String {
    let part = |curve: &Curve| {
        let title = learning::title(curve);
        let sentences: Vec<String> =
            learning::sentences(curve).iter().map(|it| escaped(it)).collect();
        let head = learning::head(curve);
        let table = Table {
            caption: &format!("{} by training tracks: {title}", curve.metric.words()),
            head: &head.iter().map(String::as_str).collect::<Vec<_>>(),
            rows: learning::lines(curve).iter().map(|line| cells(line)).collect(),
            is_sortable: false,
        };
        format!(
            "<h3>{}</h3>\n<p>{}</p>\n{}{}",
            escaped(&title),
            sentences.join(" "),
            wide_figure(&title, &inline_curve(curve)),
            table.html()
        )
    };
    section("learning-curves", "Learning curves", learning::ABOUT, curves.iter().map(part))
}

/// The section on ablations; empty without any.
pub(super) fn ablations(ablations: &[Ablation]) -> String {
    let part = |it: &Ablation| {
        let title = ablation::title(it);
        let table = Table {
            caption: &format!("{} of every change: {title}", it.metric.words()),
            head: &ablation::HEAD,
            rows: ablation::lines(it).iter().map(|line| cells(line)).collect(),
            is_sortable: false,
        };
        format!(
            "<h3>{}</h3>\n<p>{}</p>\n{}{}",
            escaped(&title),
            escaped(&ablation::sentence(it)),
            wide_figure(&title, &inline_ablation(it)),
            table.html()
        )
    };
    section("ablations", "Ablations", ablation::ABOUT, ablations.iter().map(part))
}

/// A section; commands in backquotes become code.
fn section(id: &str, title: &str, about: &str, parts: impl Iterator<Item = String>) -> String {
    let parts: String = parts.collect();
    if parts.is_empty() {
        return String::new();
    }
    let mut about_html = String::new();
    for (i, piece) in about.split('`').enumerate() {
        let piece = escaped(piece);
        about_html += &if i % 2 == 1 { format!("<code>{piece}</code>") } else { piece };
    }
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n\
         <p>{about_html}</p>\n{parts}</section>\n"
    )
}
