//! The whole page, `README.md`, for GitHub and GitLab; it also reads well as plain text.

use std::path::Path;

use super::Options;
use super::figure::Drawn;
use super::group::{Group, Row, spec_words};
use super::page_studies::Studies;
use super::robust::Section;
use super::words::{Markup, plain};
use super::{data, recommended, robustness, searches, section, studies, summary};
use crate::vocab::Task;

/// What the columns and figures mean.
const HOW_TO_READ: [(&str, &str); 5] = [
    (
        "ours",
        "mean accuracy on the test examples over the seeds (or folds), with its 95 % interval. The \
         variance has two parts. The choice of test tracks is measured by track (cluster-robust \
         variance: Liang and Zeger 1986), so examples of one track never count as independent. The \
         effect of seeds is the spread that the tracks do not explain (Searle, Casella and McCulloch \
         1992), with Student's t. The interval is Wilson's, with this variance (Korn and Graubard \
         1998). With one seed it describes that one trained model.",
    ),
    (
        "by track",
        "accuracy on tracks. The test segments of a track vote with the mean of their \
         log-probabilities. A dash if every test example is a separate track.",
    ),
    (
        "verdict",
        "differs if the published figure lies outside of where 95 of 100 repetitions of our runs would \
         fall. Otherwise reproduced if the 90 % interval of ours minus published lies within the \
         claim's margin, 0.05 unless it gives another (two one-sided tests: Schuirmann 1987), and \
         inconclusive if not: these runs are too few to tell. Not comparable if the dataset is another \
         one or the run was shortened. Both intervals are wider than that of our mean, because the \
         published figure has random error as well. It is treated as one run on a test set as large as \
         ours, unless its claim gives the number of runs and test examples. With one seed a standard \
         deviation of 0.02 over seeds is assumed.",
    ),
    ("delta", "ours minus published, if they are comparable."),
    (
        "curves",
        "training values are means over the batches of an epoch, while the weights change and with \
         dropout; validation values are measured after the epoch, without dropout.",
    ),
];

/// What they mean where tags or numbers were predicted; they stand before the verdict.
const HOW_TO_READ_OTHERS: [(Task, &str, &str); 2] = [
    (
        Task::Tags,
        "ROC-AUC",
        "area under the ROC curve of every tag, averaged over the tags that some test examples have and \
         others do not (macro); its average precision is the area under the precision-recall curve. The \
         mean over the seeds, with its 95 % interval: the variance by test tracks is DeLong's, summed by \
         track (Obuchowski 1997), and that by seeds as for an accuracy. By track, the probabilities of a \
         track are the mean over its test segments.",
    ),
    (
        Task::Number,
        "R2",
        "the share of the variance of the test examples' numbers that the predictions explain: 1 minus the \
         sum of squared errors over that of the squared distances from their mean. Below 0, the model is worse \
         than always predicting that mean. The variance by test tracks is that of a ratio of two sums \
         over tracks, and the interval is symmetric on the logarithmic scale of 1 - R2. MAE is the mean \
         absolute error, in the number's unit. By track, the prediction of a track is the mean over its test \
         segments. The margin of a claim about MAE or MSE is a tenth of the published figure, unless it gives \
         another, and with one seed a standard deviation of 5 % of it, or of 1 - R2, is assumed.",
    ),
];

/// The terms to explain on a page with these rows.
pub(super) fn how_to_read(rows: &[Row]) -> Vec<(&'static str, &'static str)> {
    let has = |task: Task| rows.iter().filter_map(Row::group).any(|group| group.task() == task);
    let has_others = has(Task::Tags) || has(Task::Number);
    let of_classes = |(term, _): &&(&str, &str)| {
        !["ours", "by track"].contains(term) || has(Task::Classes) || !has_others
    };
    let others = HOW_TO_READ_OTHERS.into_iter().filter(|(task, ..)| has(*task));
    let mut terms: Vec<(&str, &str)> = HOW_TO_READ.iter().filter(of_classes).copied().collect();
    let at = terms.iter().position(|(term, _)| *term == "verdict").unwrap_or(0);
    terms.splice(at..at, others.map(|(_, term, text)| (term, text)));
    terms
}

/// Returns the text of the page. `folder` is its folder.
pub(super) fn text(
    rows: &[Row],
    drawn: &Drawn,
    options: &Options,
    robust: &[Section],
    all: &Studies,
    folder: &Path,
) -> String {
    let mut parts = vec![
        format!("# {}\n", plain(&options.title)),
        lines(&[plain(options.text.trim())]),
        lines(&[
            summary::headline(rows, Markup::Markdown),
            summary::data_sentence(rows, Markup::Markdown),
            summary::foreign_sentence(rows, Markup::Markdown),
            summary::skipped(&options.skipped, Markup::Markdown),
            summary::pending(&options.pending, Markup::Markdown),
        ]),
        summary::markdown(rows, options),
        summary::reasons(rows),
        summary::leak_warning(rows),
        drawn.overview_images(),
        format!("How to read this:\n\n{}", terms(rows)),
        "For a browser, with sortable tables: [index.html](index.html). One row per run: \
         [results.csv](results.csv), [results.parquet](results.parquet); per epoch: \
         [epochs.csv](epochs.csv), [epochs.parquet](epochs.parquet). The summary for LaTeX: \
         [table.tex](table.tex). Every figure exists as SVG and PNG. Only the data plots do not come \
         from the records of the runs.\n"
            .to_owned(),
        recommended::markdown(all),
        searches::markdown(&all.searches, drawn),
        studies::curves_markdown(&all.curves, drawn),
        studies::ablations_markdown(&all.ablations, drawn),
        robustness::markdown(robust, drawn),
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

fn terms(rows: &[Row]) -> String {
    how_to_read(rows).iter().map(|(term, text)| format!("- **{term}**: {text}\n")).collect()
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
