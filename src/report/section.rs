//! One row's section: the answer, the figures, the classes, and how it was made.

use std::path::Path;

use super::claims::Judged;
use super::figure::Drawn;
use super::group::Group;
use super::run_lines;
use super::scores::TagRow;
use super::summary::{FOREIGN, epochs, interval, leaks};
use super::warnings::not_blind;
use super::words::{
    Markup, count, counted, duration, fraction, list, metric_interval, plain, short, span, table,
};
use crate::metrics::{self, ClassScores, Metric, Verdict};
use crate::record::{Foreign, ForeignFile, Record};
use crate::vocab::Task;

/// What a leak does to a row.
pub(super) fn leak_sentence(group: &Group) -> String {
    format!("the split leaks, so this {} is too high for new music.", group.metric().words())
}

/// Kept-out tracks that are named on the page; the record names all.
const MOST_NAMES: usize = 20;

/// The section without its heading. `folder` is where the page lies.
pub(super) fn text(group: &Group, drawn: &Drawn, row: usize, folder: &Path) -> String {
    let mut parts = vec![format!("**Answer.** {}\n", answer(group, Markup::Markdown))];
    if group.is_foreign() {
        parts.push(format!("> **Foreign predictions:** {FOREIGN}.\n"));
    }
    let leaks = leaks(group);
    if !leaks.is_empty() {
        parts.push(format!(
            "> **Warning: {}**\n>\n{}",
            leak_sentence(group),
            leaks.iter().map(|leak| format!("> - {}\n", plain(leak))).collect::<String>()
        ));
    }
    parts.extend(not_blind(group).map(|text| format!("> **Warning: {}.**\n", plain(&text))));
    parts.extend(drawn.images(row));
    if let Some(each) = per_class(group) {
        parts.push(each.over.map_or(String::new(), |title| format!("{title}:\n")));
        let head: Vec<String> = each.head.iter().map(|name| (*name).to_owned()).collect();
        let numbers: Vec<usize> = (1..head.len()).collect();
        let line = |(name, cells): (&str, Vec<(f64, String)>)| {
            std::iter::once(plain(name)).chain(cells.into_iter().map(|(_, text)| text)).collect()
        };
        let cells: Vec<Vec<String>> =
            std::iter::once(head).chain(each.rows.into_iter().map(line)).collect();
        parts.push(table(&cells, &numbers));
    }
    parts.push(how(group));
    parts.push(run_lines::text(group, folder));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// What the runs answer to the question.
pub(super) fn answer(group: &Group, markup: Markup) -> String {
    let mut text = results(group);
    let sentences: Vec<String> =
        group.judged.iter().map(|judged| sentence(group, judged, markup)).collect();
    text += &if sentences.is_empty() {
        "There is no published figure for it.".to_owned()
    } else {
        sentences.join(" ")
    };
    text += &match group.task() {
        Task::Classes => {
            format!(" Always predicting the largest class gives {}.", fraction(group.baseline()))
        }
        Task::Tags => " Equal probabilities for all examples give 0.500.".to_owned(),
        Task::Number => " Always predicting the mean of the test examples gives 0.000.".to_owned(),
    };
    text
}

/// The main metric and what stands beside it, in sentences.
fn results(group: &Group) -> String {
    let main = interval(&group.main);
    let by_track = group.by_track.as_ref().map(interval);
    let other = |metric: Metric| {
        let words =
            |interval| format!("The {} is {}. ", metric.words(), metric_interval(metric, interval));
        group.other(metric).map(words).unwrap_or_default()
    };
    let over = group.counted();
    match group.task() {
        Task::Classes => {
            let by_track = by_track.map(|words| {
                format!("By track, where the test segments of a track vote, it is {words} of the tracks. ")
            });
            format!("Over {over}, {main} of the test examples are classified correctly. ")
                + &by_track.unwrap_or_default()
        }
        Task::Tags => {
            let by_track = by_track.map(|words| {
                format!(
                    "By track, with the mean probability of its test segments, the ROC-AUC is {words}. "
                )
            });
            format!("Over {over}, the ROC-AUC is {main}, averaged over {}. ", tags_words(group))
                + &other(Metric::AveragePrecision)
                + &by_track.unwrap_or_default()
        }
        Task::Number => {
            let by_track = by_track.map(|words| {
                format!("By track, with the mean prediction of its test segments, R2 is {words}. ")
            });
            format!("Over {over}, R2 is {main}. ")
                + &other(Metric::Mae)
                + &by_track.unwrap_or_default()
        }
    }
}

/// `50 tags`, or `48 of 50 tags; the others are on all or on no test examples`.
fn tags_words(group: &Group) -> String {
    let n = group.record().data.classes.len();
    let of_tags = group.records().filter_map(|record| record.scored().tags());
    let counted_tags = of_tags.map(|scores| n - scores.n_left_out());
    if counted_tags.clone().all(|counted| counted == n) {
        return counted(n, "tag");
    }
    format!(
        "{} of {} (the others are on all or on no test examples)",
        span(counted_tags),
        counted(n, "tag")
    )
}

fn sentence(group: &Group, judged: &Judged, markup: Markup) -> String {
    let Judged { claim, verdict, .. } = judged;
    let is_weak = group.runs.len() == 1 && matches!(verdict, Verdict::Differs { .. });
    let weak =
        if is_weak { format!("; one {} is weak evidence", group.unit()) } else { String::new() };
    format!(
        "Published {}: {} ({}): {}, {}{weak}.",
        markup.text(&claim.metric),
        judged.value_words(),
        markup.text(&claim.source),
        markup.strong(verdict.as_str()),
        markup.text(&judged.why())
    )
}

/// A table with a row for every class or tag.
pub(super) struct PerClass<'a> {
    /// What the scores are over, where that is more than one run.
    pub(super) over: Option<String>,
    pub(super) head: &'static [&'static str],
    /// The name of each, and its numbers each with its text.
    pub(super) rows: Vec<(&'a str, Vec<(f64, String)>)>,
}

/// Every class with its precision, recall, F1 and support; every tag with its test examples and areas. None
/// of a number.
pub(super) fn per_class<'a>(group: &Group<'a>) -> Option<PerClass<'a>> {
    let names = group.record().data.classes.iter().map(String::as_str);
    let over = |what: &str| {
        let over = || format!("Per {what}, over the test sets of {}", group.counted());
        (group.runs.len() > 1).then(over)
    };
    match group.task() {
        Task::Classes => {
            let numbers = |class: ClassScores| {
                let [precision, recall, f1] =
                    [class.precision, class.recall, class.f1].map(|score| (score, fraction(score)));
                vec![precision, recall, f1, (class.support as f64, count(class.support))]
            };
            Some(PerClass {
                over: over("class"),
                head: &["class", "precision", "recall", "F1", "test examples"],
                rows: names
                    .zip(metrics::per_class(&group.confusion()).into_iter().map(numbers))
                    .collect(),
            })
        }
        Task::Tags => {
            let numbers = |(tag, row): (usize, &TagRow)| {
                let of_runs =
                    group.records().filter_map(|record| record.scored().tags()?.tags.get(tag));
                let n: usize = of_runs.map(|tag| tag.n_positive).sum();
                let mut cells = vec![(n as f64, count(n))];
                cells.extend(match &row.areas {
                    Some(areas) => areas.map(|area| (area.mean, interval(&area))),
                    None => [(f64::NAN, "-".to_owned()), (f64::NAN, "-".to_owned())],
                });
                cells
            };
            Some(PerClass {
                over: over("tag"),
                head: &[
                    "tag",
                    "test examples with it",
                    "ROC-AUC [95 % interval]",
                    "average precision [95 % interval]",
                ],
                rows: names.zip(group.more.tags.iter().enumerate().map(numbers)).collect(),
            })
        }
        Task::Number => None,
    }
}

fn how(group: &Group) -> String {
    let facts = facts(group, Markup::Markdown);
    let lines: Vec<String> =
        facts.iter().map(|(what, text)| format!("- {what}: {text}\n")).collect();
    format!("Details:\n\n{}", lines.concat())
}

/// How the row was made: what, and its text in markup.
pub(super) fn facts(group: &Group, markup: Markup) -> Vec<(&'static str, String)> {
    let record = group.record();
    let Record { data, split, model, .. } = record;
    let hash = |hash: &str| markup.code(short(hash));
    let mut facts = vec![
        ("spec", format!("{}{}", hash(&record.spec_hash), overrides(record, markup))),
        (
            "data",
            format!(
                "{}, {}, {} of {}; index {}, features {}",
                markup.text(&group.dataset_words()),
                counted(data.n_tracks, "track"),
                counted(data.n_examples, "example"),
                shape(&data.shape),
                hash(&data.hash),
                hash(&data.features_hash)
            ),
        ),
        (
            "split",
            format!(
                "{}; train {}, valid {}, test {} examples",
                markup.text(&split.protocol),
                span(group.records().map(|record| record.split.n_train)),
                span(group.records().map(|record| record.split.n_valid)),
                span(group.records().map(|record| record.split.n_test)),
            ),
        ),
        ("interval", independent(group)),
        (
            "model",
            format!(
                "{}, {}{}",
                markup.text(&group.foreign_words().unwrap_or_else(|| model.name.clone())),
                origin(group, markup)
                    .or_else(|| program(record, markup))
                    .or_else(|| ensemble(record, markup))
                    .unwrap_or_else(|| counted(model.n_parameters, "parameter")),
                training(group)
            ),
        ),
        (if group.unit() == "fold" { "folds" } else { "seeds" }, seeds(group)),
        ("code", code(group, markup)),
    ];
    if let Some(seconds) = group.seconds() {
        let text = format!(
            "{} in all, {} for features, {} for fitting",
            duration(seconds),
            duration(group.mean(|record| record.timings.features_s)),
            duration(group.mean(|record| record.timings.fit_s))
        );
        facts.push(("time per run", text));
    }
    let mut unchecked: Vec<&String> =
        group.records().flat_map(|record| &record.audit.unchecked).collect();
    unchecked.sort();
    unchecked.dedup();
    facts.extend(unchecked.into_iter().map(|what| ("not audited", markup.text(what))));
    facts.extend(notes(group, markup).into_iter().map(|note| ("note", note)));
    facts.extend(skipped(record, markup).map(|names| ("skipped", names)));
    if group.n_superseded > 0 {
        let left = counted(group.n_superseded, "earlier run");
        facts.push(("left out", format!("{left}: the same seed was run again")));
    }
    facts
}

/// The files that another program wrote, of all runs.
fn origin(group: &Group, markup: Markup) -> Option<String> {
    let files = group.records().flat_map(|record| record.foreign.iter()).flat_map(|foreign| {
        let Foreign { predictions, epochs, split, .. } = foreign;
        [Some(predictions), epochs.as_ref(), split.as_ref()].into_iter().flatten()
    });
    let named = |it: &ForeignFile| {
        format!("{} ({})", markup.text(&it.file), markup.code(short(&it.sha256)))
    };
    let mut named: Vec<String> = files.map(named).collect();
    named.dedup();
    (!named.is_empty()).then(|| format!("predictions made elsewhere; files {}", list(&named)))
}

/// The program that is the model, with its arguments.
fn program(record: &Record, markup: Markup) -> Option<String> {
    let run = record.spec.pointer("/model/command/run")?.as_array()?;
    let words: Vec<&str> = run.iter().filter_map(serde_json::Value::as_str).collect();
    Some(format!("the program {}", markup.code(&words.join(" "))))
}

/// The members of an ensemble.
fn ensemble(record: &Record, markup: Markup) -> Option<String> {
    let settings = record.spec.pointer("/model/ensemble")?;
    let of = settings.get("of")?.as_array()?.iter().filter_map(serde_json::Value::as_str);
    let of: Vec<String> = of.map(|name| markup.code(name)).collect();
    let by = match settings.get("by").and_then(serde_json::Value::as_str) {
        Some("logistic") => "the weighted mean of what they say, by logistic regression",
        _ => "the mean of what they say",
    };
    let counted = counted(record.model.n_parameters, "parameter");
    Some(format!("{by}: {}; {counted}", list(&of)))
}

fn overrides(record: &Record, markup: Markup) -> String {
    if record.overrides.is_empty() {
        return String::new();
    }
    let typed: Vec<String> = record.overrides.iter().map(|text| markup.code(text)).collect();
    format!(", changed by {}", list(&typed))
}

fn shape(shape: &[usize]) -> String {
    let lengths: Vec<String> = shape.iter().map(|n| count(*n)).collect();
    match lengths.as_slice() {
        [one] => format!("{one} numbers"),
        _ => lengths.join(" x "),
    }
}

fn independent(group: &Group) -> String {
    let estimate = &group.estimate;
    let over = if group.by_track.is_some() {
        format!(
            "over the {} tracks behind the test examples, because examples of one track are not \
             independent",
            count(estimate.n_tracks)
        )
    } else {
        "over the test examples, each from a different track".to_owned()
    };
    let tracks = format!(
        "standard error {} by the choice of test tracks",
        fraction(estimate.tracks_error())
    );
    let unit = group.unit();
    match estimate.seeds_error() {
        Some(seeds) => format!("{over}; {tracks}, {} by {unit}s", fraction(seeds)),
        None => format!("{over}; {tracks}, by {unit}s unknown with only one"),
    }
}

/// `; epochs 98 to 134 of 250, kept 83 to 119`; nothing for models that are fitted in one go.
fn training(group: &Group) -> String {
    let model = &group.record().model;
    if model.n_epochs.is_none() {
        return String::new();
    }
    let most = model.max_epochs.map_or(String::new(), |most| format!(" of {}", count(most)));
    let kept: Vec<usize> = group.records().filter_map(|record| record.model.kept_epoch).collect();
    let kept = if kept.is_empty() { String::new() } else { format!(", kept {}", span(kept)) };
    format!("; epochs {}{most}{kept}", epochs(group))
}

/// `1, 2 and 3; seed 2 went on from a checkpoint 1 time`.
fn seeds(group: &Group) -> String {
    let all: Vec<String> = group.records().map(|record| record.seed.to_string()).collect();
    let resumed = group.records().filter(|record| record.timings.n_resumed > 0).map(|record| {
        let times = counted(record.timings.n_resumed, "time");
        format!("; seed {} resumed from a checkpoint {times}", record.seed)
    });
    list(&all) + &resumed.collect::<String>()
}

fn code(group: &Group, markup: Markup) -> String {
    let mut codes: Vec<String> = group
        .records()
        .map(|record| {
            let code = &record.code;
            let commit = code.git_commit.as_deref().map_or("no commit".to_owned(), |commit| {
                format!("commit {}", markup.code(short(commit)))
            });
            let dirty = if code.git_dirty == Some(true) { " with uncommitted changes" } else { "" };
            format!(
                "encore {}, code version {}, {commit}{dirty}, on {}",
                markup.text(&code.version),
                code.code_version,
                markup.text(&code.device)
            )
        })
        .collect();
    codes.sort();
    codes.dedup();
    codes.join("; ")
}

/// Notes on data and model, each once, with its seeds where not all have it.
fn notes(group: &Group, markup: Markup) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<String>)> = vec![];
    for record in group.records() {
        for note in record.data.notes.iter().chain(&record.model.notes) {
            let seed = record.seed.to_string();
            match notes.iter_mut().find(|(known, _)| known == note) {
                Some((_, seeds)) => seeds.push(seed),
                None => notes.push((note, vec![seed])),
            }
        }
    }
    let line = |(note, seeds): &(&str, Vec<String>)| match seeds.len() {
        n if n == group.runs.len() => markup.text(note),
        1 => format!("{} (seed {})", markup.text(note), seeds[0]),
        _ => format!("{} (seeds {})", markup.text(note), list(seeds)),
    };
    notes.iter().map(line).collect()
}

fn skipped(record: &Record, markup: Markup) -> Option<String> {
    let excluded = &record.data.excluded;
    if excluded.is_empty() {
        return None;
    }
    let named: Vec<String> = excluded
        .iter()
        .take(MOST_NAMES)
        .map(|out| format!("{} ({})", markup.text(&out.name), markup.text(&out.reason)))
        .collect();
    let rest = match excluded.len() - named.len() {
        0 => String::new(),
        n => format!(", and {} more in the record", count(n)),
    };
    Some(format!("{}: {}{rest}", count(excluded.len()), named.join(", ")))
}
