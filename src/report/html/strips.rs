//! All accuracies at a glance: a strip a row, on one scale.

use super::overview::to_section;
use crate::metrics::Verdict;
use crate::report::claims::Judged;
use crate::report::group::{Group, Row};
use crate::report::summary::interval;
use crate::report::words::{escaped, fraction};

/// Every row as a line: its name, its interval on a scale from 0 to 1, its numbers.
pub(super) fn html(rows: &[Row], anchors: &[String]) -> String {
    let lines: String = rows
        .iter()
        .zip(anchors)
        .filter_map(|(row, anchor)| row.group().map(|group| strip(group, anchor)))
        .collect();
    if lines.is_empty() {
        return String::new();
    }
    let ticks: String =
        (0..=5).map(|i| format!("<span>{:.1}</span>", f64::from(i) / 5.0)).collect();
    format!(
        "<figure class=\"strips\"><figcaption>Test accuracy: <span class=\"key\">{} ours with its \
         95 % interval</span> <span class=\"key\">{} published</span> <span class=\"key\">{} published, \
         not comparable</span> <span class=\"key\">{} always predicting the largest class</span>\
         </figcaption>\n<ul>{lines}</ul><div class=\"ticks\" aria-hidden=\"true\">{ticks}</div></figure>\n",
        key(
            "<line class=\"range\" x1=\"1\" x2=\"21\" y1=\"7\" y2=\"7\"/><circle class=\"ours\" cx=\"11\" \
             cy=\"7\" r=\"4\"/>"
        ),
        key("<path class=\"claim\" transform=\"translate(11 7)\" d=\"M0-6 6 0 0 6-6 0z\"/>"),
        key("<path class=\"claim open\" transform=\"translate(11 7)\" d=\"M0-5 5 0 0 5-5 0z\"/>"),
        key("<line class=\"largest\" x1=\"11\" x2=\"11\" y1=\"1\" y2=\"13\"/>")
    )
}

fn key(marks: &str) -> String {
    format!("<svg aria-hidden=\"true\" width=\"22\" height=\"14\">{marks}</svg>")
}

fn strip(group: &Group, anchor: &str) -> String {
    let percent = |value: f64| format!("{:.2}%", 100.0 * value);
    let ours = &group.accuracy;
    let [low, mean, high] = [ours.low, ours.mean, ours.high].map(percent);
    let mut marks = String::new();
    for tick in 0..=5 {
        let x = tick * 20;
        marks += &format!("<line class=\"grid\" x1=\"{x}%\" x2=\"{x}%\" y1=\"0\" y2=\"30\"/>");
    }
    let largest = percent(group.largest_class());
    marks +=
        &format!("<line class=\"largest\" x1=\"{largest}\" x2=\"{largest}\" y1=\"6\" y2=\"24\"/>");
    marks += &format!("<line class=\"range\" x1=\"{low}\" x2=\"{high}\" y1=\"19\" y2=\"19\"/>");
    for end in [&low, &high] {
        marks += &format!("<line class=\"range\" x1=\"{end}\" x2=\"{end}\" y1=\"15\" y2=\"23\"/>");
    }
    marks += &format!("<circle class=\"ours\" cx=\"{mean}\" cy=\"19\" r=\"4\"/>");
    let mut said = String::new();
    if let Some(Judged { claim, verdict, .. }) = group.accuracy_claim() {
        let open = matches!(verdict, Verdict::NotComparable { .. });
        let (class, r) = if open { ("claim open", 5) } else { ("claim", 6) };
        marks += &format!(
            "<svg x=\"{}\" y=\"9\" overflow=\"visible\"><path class=\"{class}\" \
             d=\"M0-{r} {r} 0 0 {r}-{r} 0z\"/></svg>",
            percent(claim.value)
        );
        said = format!("<span>published {}</span>", fraction(claim.value));
    }
    let dataset = escaped(&group.dataset_short());
    format!(
        "<li><div class=\"who\">{}<span>{dataset}</span></div><div class=\"numbers\"><span>{}</span>\
         {said}</div><svg class=\"strip\" aria-hidden=\"true\">{marks}</svg></li>\n",
        to_section(&group.name(), anchor),
        interval(ours)
    )
}
