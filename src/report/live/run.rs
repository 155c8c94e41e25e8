//! One run, finished or going on.

use serde_json::Value;

use super::super::figure::inline_epochs;
use super::super::group::{Group, Row, rows};
use super::super::html::{Cell, Table, run_section, spec_text};
use super::super::words::{count, escaped, fraction};
use super::super::{Options, ReportError};
use super::frame::address;
use super::runs::moment;
use crate::record::{Epoch, Notes, Run, Unfinished, UnfinishedState};

/// A finished run with what its page shows of it.
pub struct RunPage<'a> {
    /// The run.
    pub run: &'a Run,
    /// What people say of it.
    pub notes: &'a Notes,
    /// Whether it is archived.
    pub archived: bool,
    /// An earlier run of the same experiment by another version of its spec, with the differences.
    pub parent: Option<(&'a str, Vec<String>)>,
    /// Whether there is a page about the examples that it gets most wrong.
    pub has_wrong: bool,
}

impl RunPage<'_> {
    /// The content of the page. `token` is what a change has to come with.
    ///
    /// # Errors
    /// If the run's curves or predictions can't be read or contradict its record.
    pub fn html(&self, token: &str) -> Result<String, ReportError> {
        let run = self.run;
        let head = self.head();
        let notes = self.notes(token);
        let options = Options::default();
        // A trial of a search has no test scores, and so no section of results.
        let section = if run.record.test.is_some() {
            let runs = [run.clone()];
            let rows = rows(&runs, &options)?;
            let group: &Group = rows.iter().find_map(Row::group).expect("a run is a row");
            run_section(group, &rows, &run.folder)?
        } else {
            trial(run)?
        };
        let epochs = epoch_table(&run.epochs()?);
        Ok(format!("{head}{notes}{section}{}{epochs}", self.parent()))
    }

    fn head(&self) -> String {
        let run = self.run;
        let link = |path: &str, words: &str| format!("<a href=\"{path}\">{words}</a>");
        let own = |end: &str| address(&format!("/run/{}{end}", run.id), []);
        let mut links = vec![
            link(&address("/curves", [("run", run.id.as_str())]), "Curves"),
            link(&address("/compare", [("run", run.id.as_str())]), "Compare with others"),
        ];
        if self.has_wrong {
            links.push(link(&own("/wrong"), "The most wrong answers"));
        }
        let condition = format!("experiment = \"{}\"", run.record.experiment.replace('"', "\\\""));
        links.push(link(
            &address("/", [("where", condition.as_str())]),
            "All runs of the experiment",
        ));
        links.push(link(&own("/record.json"), "record.json"));
        links.extend(
            ["spec.toml", "epochs.jsonl", "predictions.csv", "split.csv"]
                .into_iter()
                .filter(|name| run.record.files.contains_key(*name))
                .map(|name| link(&own(&format!("/{name}")), name)),
        );
        let archived = if self.archived { " <span class=\"tag\">archived</span>" } else { "" };
        let started = moment(&run.record.timings.started);
        format!(
            "<p>{} with seed {} on {}, started {}.{archived}</p>\n<nav class=\"links\" aria-label=\"This run\">{}</nav>\n",
            escaped(&run.record.experiment),
            run.record.seed,
            escaped(&run.record.data.dataset),
            escaped(&started),
            links.join(" ")
        )
    }

    fn notes(&self, token: &str) -> String {
        let tags = self.notes.tags.iter().cloned().collect::<Vec<_>>().join(", ");
        let there = address(&format!("/run/{}/notes", self.run.id), []);
        let [tags, note, token] = [tags.as_str(), self.notes.note.as_str(), token].map(escaped);
        format!(
            "<form class=\"notes\" method=\"post\" action=\"{there}\">\n\
             <input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
             <label>Tags <input name=\"tags\" value=\"{tags}\" placeholder=\"best, paper\"></label>\n\
             <label class=\"wide-field\">Note <textarea name=\"note\" rows=\"2\">{note}</textarea></label>\n\
             <button>Save</button>\n</form>\n"
        )
    }

    fn parent(&self) -> String {
        let Some((id, lines)) = &self.parent else {
            return "<section><h2>What changed</h2>\n<p>No run of an earlier version of this experiment is there to \
                    compare the spec with.</p></section>\n"
                .to_owned();
        };
        let compare = address("/compare", [("run", *id), ("run", self.run.id.as_str())]);
        let there = address(&format!("/run/{id}"), []);
        format!(
            "<section><h2>What changed</h2>\n<p>Since <a href=\"{there}\">{}</a>, the last run by another version of \
             the spec (<a href=\"{compare}\">compare</a>):</p>\n{}</section>\n",
            escaped(id),
            differences(lines)
        )
    }
}

/// Lines of [`crate::record::spec_differences`] as a list.
fn differences(lines: &[String]) -> String {
    if lines.is_empty() {
        return "<p>The specs are equal.</p>\n".to_owned();
    }
    let items = lines.iter().map(|line| format!("<li><code>{}</code></li>", escaped(line)));
    format!("<ul class=\"changes\">{}</ul>\n", items.collect::<String>())
}

/// A trial of a search: its curves, its validation scores, its spec.
fn trial(run: &Run) -> Result<String, ReportError> {
    let scores: Vec<Vec<Cell>> = (run.record.valid.iter())
        .flat_map(crate::vocab::Scores::by_name)
        .map(|(name, value)| vec![Cell::text(name), Cell::number(&fraction(value))])
        .collect();
    let table = Table {
        caption: "On the validation examples",
        head: &["score", "value"],
        rows: scores,
        is_sortable: false,
    };
    Ok(format!(
        "<section><h2>A trial of a search</h2>\n<p>It never saw the test examples.</p>\n{}{}\
         <details><summary>The spec, resolved</summary>\n<pre>{}</pre></details></section>\n",
        figures(&run.record.experiment, &run.epochs()?),
        table.html(),
        escaped(&spec_text(&run.record.spec))
    ))
}

fn figures(experiment: &str, epochs: &[Epoch]) -> String {
    if epochs.is_empty() {
        return String::new();
    }
    let panels = inline_epochs(experiment, &[epochs.to_vec()]).concat();
    format!(
        "<figure class=\"curves\"><figcaption>Over the epochs: <span class=\"key vermilion\">training</span> \
         <span class=\"key blue\">validation</span></figcaption>\n<div class=\"panels\">{panels}</div></figure>\n"
    )
}

/// Every epoch in numbers, the last one first.
fn epoch_table(epochs: &[Epoch]) -> String {
    if epochs.is_empty() {
        return String::new();
    }
    let number = |value: f64, decimals: usize| {
        Cell::number(&if value.is_finite() {
            format!("{value:.decimals$}")
        } else {
            "-".to_owned()
        })
    };
    let line = |epoch: &Epoch| {
        vec![
            Cell::text(&count(epoch.epoch)),
            number(epoch.train_loss, 4),
            number(epoch.valid_loss, 4),
            number(epoch.train_accuracy, 3),
            number(epoch.valid_accuracy, 3),
            Cell::number(&format!("{:e}", epoch.learning_rate)),
            number(epoch.seconds, 2),
        ]
    };
    let table = Table {
        caption: "Every epoch, the last one first",
        head: &[
            "epoch",
            "train loss",
            "valid loss",
            "train accuracy",
            "valid accuracy",
            "learning rate",
            "seconds",
        ],
        rows: epochs.iter().rev().map(line).collect(),
        is_sortable: false,
    };
    format!(
        "<details class=\"epochs\"><summary>All epochs in numbers</summary>\n{}</details>\n",
        table.html()
    )
}

/// A run that is not finished: its state, its curves so far, the end of its log, and its spec with the differences from
/// the last finished run of its experiment, where they are known.
#[must_use]
pub fn unfinished_part(
    run: &Unfinished,
    epochs: &[Epoch],
    log: Option<&str>,
    spec: Option<&Value>,
    parent: Option<(&str, Vec<String>)>,
) -> String {
    let facts = run.facts.as_ref();
    let of = facts.map_or(String::new(), |facts| {
        format!(
            "{} with seed {} on {}. ",
            escaped(&facts.experiment),
            facts.seed,
            escaped(&facts.dataset)
        )
    });
    let done = match facts.and_then(|facts| facts.max_epochs) {
        Some(all) => format!(
            "<progress max=\"{all}\" value=\"{0}\">{0} of {all}</progress> epoch {0} of at most {all}{1}.",
            epochs.len(),
            left(epochs, all)
        ),
        None => String::new(),
    };
    let state = match &run.state {
        UnfinishedState::Running => "It is going on.".to_owned(),
        UnfinishedState::Interrupted => {
            "<strong>Interrupted.</strong> The next <code>encore run</code> resumes it.".to_owned()
        }
        UnfinishedState::Failed(reason) => format!(
            "<strong>Failed.</strong></p>\n<pre role=\"alert\">{}</pre>\n<p>",
            escaped(reason)
        ),
        UnfinishedState::Elsewhere { host } => format!(
            "It was started on {}; whether it goes on there is not known here.",
            escaped(host)
        ),
    };
    let experiment = facts.map_or(run.id.as_str(), |facts| facts.experiment.as_str());
    let log = log.map_or(String::new(), |log| {
        format!("<section><h2>The end of its log</h2>\n<pre>{}</pre></section>\n", escaped(log))
    });
    let changed = parent.map_or(String::new(), |(id, lines)| {
        let there = address(&format!("/run/{id}"), []);
        format!(
            "<section><h2>What changed</h2>\n<p>Since <a href=\"{there}\">{}</a>, the last finished run of the \
             experiment:</p>\n{}</section>\n",
            escaped(id),
            differences(&lines)
        )
    });
    let spec = spec.map_or(String::new(), |spec| {
        format!(
            "<details><summary>The spec, resolved</summary>\n<pre>{}</pre></details>\n",
            escaped(&spec_text(spec))
        )
    });
    format!(
        "<div id=\"run\" data-live=\"run:{}\" data-epoch=\"{}\">\n<p>{of}{state} {done}</p>\n<section>{}</section>\n{}{log}{changed}{spec}</div>\n",
        escaped(&run.id),
        epochs.len(),
        if epochs.is_empty() {
            "<p>No epoch has ended yet.</p>".to_owned()
        } else {
            figures(experiment, epochs)
        },
        epoch_table(epochs)
    )
}

/// How long the other epochs take if they are as long as the last ones.
fn left(epochs: &[Epoch], all: usize) -> String {
    let last: Vec<f64> = epochs.iter().rev().take(5).map(|epoch| epoch.seconds).collect();
    let n_left = all.saturating_sub(epochs.len());
    if last.is_empty() || n_left == 0 {
        return String::new();
    }
    let seconds = last.iter().sum::<f64>() / last.len() as f64 * n_left as f64;
    format!(", about {} left", super::super::words::duration(seconds))
}
