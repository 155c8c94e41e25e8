//! The whole page, `README.md`: a forge shows it, and it reads as plain text.

use std::path::Path;

use super::Options;
use super::figure::Drawn;
use super::group::{Group, Row, spec_words};
use super::words::{Markup, plain};
use super::{data, section, summary};

/// What the columns and figures mean.
pub(super) const HOW_TO_READ: [(&str, &str); 4] = [
    (
        "ours",
        "mean accuracy on the test examples over the seeds, with its 95 % interval. The interval \
         counts the seeds' variance and the size of the test set (Welch and Satterthwaite; with \
         one seed Wilson's, which counts the test set alone). Where several test examples come \
         from one track they are not independent, and the interval counts tracks: rather too wide \
         than too narrow.",
    ),
    (
        "verdict",
        "reproduced if the published figure lies within our interval, else differs; not comparable \
         if the data are other ones or the run was cut. A published figure is taken as exact, \
         though it too was one draw: the test is strict with it.",
    ),
    ("delta", "ours minus published, where the two may be compared."),
    (
        "curves",
        "training values are means over the epoch's batches, while the weights still move and with \
         dropout on; validation values are measured after the epoch, with dropout off.",
    ),
];

/// The page's text. `folder` is where it will lie.
pub(super) fn text(rows: &[Row], drawn: &Drawn, options: &Options, folder: &Path) -> String {
    let mut parts = vec![
        format!("# {}\n", plain(&options.title)),
        lines(&[
            summary::headline(rows, Markup::Markdown),
            summary::data_sentence(rows, Markup::Markdown),
        ]),
        summary::markdown(rows),
        summary::reasons(rows),
        summary::leak_warning(rows),
        drawn.overview_image(),
        format!("How to read this:\n\n{}", how_to_read()),
        "The same with sortable tables, for a browser: [index.html](index.html). One line per run: \
         [results.csv](results.csv), [results.parquet](results.parquet); the summary for LaTeX: \
         [table.tex](table.tex). Every figure is beside its SVG as PNG too. This page is made from \
         the runs' records alone, but for the pictures of the data.\n"
            .to_owned(),
        data::text(rows, drawn, options),
    ];
    let mut last = "";
    for (i, row) in rows.iter().enumerate() {
        let Row::Ran(group) = row else { continue };
        if last != group.experiment() {
            parts.push(heading(group));
        }
        last = group.experiment();
        if n_rows_of(rows, last) > 1 {
            let spec = spec_words(group, rows).map_or(String::new(), |spec| format!(", {spec}"));
            let words = plain(&group.dataset_words());
            parts.push(format!("### {}: {words}{spec}\n", plain(last)));
        }
        parts.push(section::text(group, drawn, i, folder));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn how_to_read() -> String {
    HOW_TO_READ.iter().map(|(term, text)| format!("- **{term}**: {text}\n")).collect()
}

fn heading(group: &Group) -> String {
    let record = group.record();
    let question = match record.question.trim() {
        "" => String::new(),
        question => format!("\n*{}*\n", plain(question)),
    };
    format!("## {}: {}\n{question}", plain(&record.experiment), plain(&record.title))
}

/// Paragraph of the lines that are not empty.
fn lines(lines: &[String]) -> String {
    lines.iter().filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
}

pub(super) fn n_rows_of(rows: &[Row], experiment: &str) -> usize {
    rows.iter().filter_map(Row::group).filter(|group| group.experiment() == experiment).count()
}
