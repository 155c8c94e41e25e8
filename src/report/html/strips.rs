//! All main metrics at a glance: a strip a row, on one scale a task.

use super::overview::to_section;
use crate::metrics::{Metric, Verdict};
use crate::report::claims::Judged;
use crate::report::group::{Group, Row};
use crate::report::main_scale::{MainScale, baseline_words};
use crate::report::summary::interval;
use crate::report::words::{escaped, fraction};
use crate::vocab::Task;

/// Every row as a line: its name, its interval on the scale of its metric, its numbers. A figure a task.
pub(super) fn html(rows: &[Row], anchors: &[String]) -> String {
    Task::ALL.into_iter().map(|task| of_task(task, rows, anchors)).collect()
}

fn of_task(task: Task, rows: &[Row], anchors: &[String]) -> String {
    let groups = || {
        let all = rows.iter().zip(anchors).filter_map(|(row, anchor)| Some((row.group()?, anchor)));
        all.filter(|(group, _)| group.task() == task)
    };
    if groups().next().is_none() {
        return String::new();
    }
    let scale = MainScale::of(groups().map(|(group, _)| group));
    let lines: String = groups().map(|(group, anchor)| strip(group, anchor, scale)).collect();
    let ticks: String = scale.ticks().map(|tick| format!("<span>{tick:.1}</span>")).collect();
    let (metric, baseline) = (Metric::main(task).words(), baseline_words(task));
    format!(
        "<figure class=\"strips\"><figcaption>Test {metric}: <span class=\"key\">{} ours with its \
         95 % interval</span> <span class=\"key\">{} published</span> <span class=\"key\">{} published, \
         not comparable</span> <span class=\"key\">{} {baseline}</span>\
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

fn strip(group: &Group, anchor: &str, scale: MainScale) -> String {
    let percent = |value: f64| format!("{:.2}%", 100.0 * scale.part(value));
    let ours = &group.main;
    let [low, mean, high] = [ours.low, ours.mean, ours.high].map(percent);
    let mut marks = String::new();
    for tick in scale.ticks() {
        let x = (100.0 * scale.part(tick)).round();
        marks += &format!("<line class=\"grid\" x1=\"{x}%\" x2=\"{x}%\" y1=\"0\" y2=\"30\"/>");
    }
    let largest = percent(group.baseline());
    marks +=
        &format!("<line class=\"largest\" x1=\"{largest}\" x2=\"{largest}\" y1=\"6\" y2=\"24\"/>");
    marks += &format!("<line class=\"range\" x1=\"{low}\" x2=\"{high}\" y1=\"19\" y2=\"19\"/>");
    for end in [&low, &high] {
        marks += &format!("<line class=\"range\" x1=\"{end}\" x2=\"{end}\" y1=\"15\" y2=\"23\"/>");
    }
    marks += &format!("<circle class=\"ours\" cx=\"{mean}\" cy=\"19\" r=\"4\"/>");
    let mut said = String::new();
    if let Some(Judged { claim, verdict, .. }) = group.claim_of_main() {
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
