//! The whole page, `README.md`: a forge shows it, and it reads as plain text.

use std::path::Path;

use super::Options;
use super::figure::Drawn;
use super::group::{Group, Row, spec_words};
use super::words::{Markup, plain};
use super::{data, section, summary};

/// What the columns and figures mean.
pub(super) const HOW_TO_READ: [(&str, &str); 5] = [
    (
        "ours",
        "mean accuracy on the test examples over the seeds (or folds), with its 95 % interval. Test \
         tracks and seeds count apart. What the choice of test tracks does is measured from the \
         tracks themselves (cluster-robust variance: Liang and Zeger 1986), so examples of one track \
         never count as independent; what seeds do is what of their spread the tracks don't explain \
         (Searle, Casella and McCulloch 1992), by Student's t. The interval is Wilson's of that \
         variance (Korn and Graubard 1998). With one seed it is about that one trained model.",
    ),
    (
        "by track",
        "accuracy on tracks, the test segments of each voting by the mean of their log-probabilities; - \
         where every test example is a track of its own.",
    ),
    (
        "verdict",
        "reproduced if the published figure lies where a repetition of our runs would fall 95 times \
         of 100, else differs; not comparable if the data are other ones or the run was cut. That \
         range (a prediction interval: Hahn and Meeker 1991) is wider than the interval of our mean, \
         for the published figure has luck of its own: it is taken as one run on a test set as large \
         as ours, unless its claim says how many runs and test examples it is of.",
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
