//! One run, finished or going on; its notes; its files; the examples that it gets most wrong.

use std::collections::BTreeSet;

use super::answer::{Answer, Missing, Pages, guarded};
use super::http::{Reply, Request, StatusCode};
use super::site::Site;
use crate::experiment::{DataChoice, Options, Plan};
use crate::record::{Predictions, Run, Unfinished, spec_differences};
use crate::report::live::{RunPage, address, escape, unfinished_part};

/// Examples on the page of the most wrong answers.
const N_WRONG: usize = 24;
/// Files of a run that are shown; no other file is.
const FILES: [(&str, &str); 5] = [
    ("record.json", "application/json"),
    ("spec.toml", "text/plain; charset=utf-8"),
    ("epochs.jsonl", "text/plain; charset=utf-8"),
    ("predictions.csv", "text/plain; charset=utf-8"),
    ("split.csv", "text/plain; charset=utf-8"),
];

/// A run by its id.
fn find(site: &Site, id: &str) -> Result<Option<Run>, Missing> {
    if !is_id(id) {
        return Err(unknown(id));
    }
    site.store.read(id).map_err(|error| Missing::Wrong(error.to_string()))
}

/// Whether a text can be the name of a run's folder, and leads nowhere else.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id != "." && id != ".." && !id.contains(['/', '\\', ':', '\0'])
}

fn unknown(id: &str) -> Missing {
    Missing::Unknown(format!("there is no run {id}"))
}

pub(super) fn run(pages: &Pages, id: &str) -> Answer {
    let site = &pages.0;
    let Some(run) = find(site, id)? else { return unfinished(pages, id) };
    let notes = site.store.notes(id).map_err(|error| Missing::Wrong(error.to_string()))?;
    let parent =
        parent(site, &run.record.experiment, &run.record.spec_hash, &run.record.timings.started);
    let parent = parent.map(|it| {
        let lines = spec_differences(&it.record.spec, &run.record.spec);
        (it.id, lines)
    });
    let page = RunPage {
        run: &run,
        notes: &notes,
        archived: site.store.is_archived(id),
        parent: parent.as_ref().map(|(id, lines)| (id.as_str(), lines.clone())),
        has_wrong: run.record.test.is_some() && run.record.data.task == crate::vocab::Task::Classes,
    };
    let html = page.html(site.guard.token()).map_err(|error| Missing::Wrong(error.to_string()))?;
    Ok(pages.page(id, "", &html))
}

/// The latest run of an experiment by another version of its spec that began before a time.
fn parent(site: &Site, experiment: &str, spec_hash: &str, before: &str) -> Option<Run> {
    let known = site.known();
    let text = |run: &crate::record::RunFields, name: &str| {
        run.get(name).and_then(serde_json::Value::as_str).map(str::to_owned)
    };
    let mut earlier: Vec<(String, String)> = (known.table.runs.iter())
        .filter(|run| text(run, "experiment").as_deref() == Some(experiment))
        .filter(|run| text(run, "spec_hash").is_some_and(|hash| hash != spec_hash))
        .filter_map(|run| Some((text(run, "started")?, run.id.clone())))
        .filter(|(started, _)| started.as_str() < before)
        .collect();
    drop(known);
    earlier.sort();
    let (_, id) = earlier.pop()?;
    site.store.read(&id).ok().flatten()
}

fn unfinished(pages: &Pages, id: &str) -> Answer {
    let site = &pages.0;
    let wrong = |error: crate::record::StoreError| Missing::Wrong(error.to_string());
    let Some(run) = site.store.unfinished_run(id).map_err(wrong)? else { return Err(unknown(id)) };
    let epochs = site.store.unfinished_epochs(id).map_err(wrong)?;
    let log = site.store.unfinished_log(id).map_err(wrong)?;
    let spec = spec_of(site, &run);
    let parent = (spec.as_ref().zip(run.facts.as_ref())).and_then(|(spec, facts)| {
        // The end of time: any finished run is an earlier one.
        let parent = parent(site, &facts.experiment, &facts.spec_hash, "9999")?;
        let lines = spec_differences(&parent.record.spec, spec);
        Some((parent.id, lines))
    });
    let parent = parent.as_ref().map(|(id, lines)| (id.as_str(), lines.clone()));
    let html = unfinished_part(&run, &epochs, log.as_deref(), spec.as_ref(), parent);
    Ok(pages.page(id, "", &html))
}

/// The resolved spec of a run that goes on, if the spec's file still says the same.
fn spec_of(site: &Site, run: &Unfinished) -> Option<serde_json::Value> {
    let facts = run.facts.as_ref()?;
    let (library, catalogue) = site.specs().ok()?;
    let data = DataChoice::Named(facts.dataset.clone());
    let options = Options { data, ..Options::default() };
    let plan = Plan::read(&facts.experiment, &library, &catalogue, &options).ok()?;
    (plan.spec_hash == facts.spec_hash).then_some(plan.resolved)
}

/// Writes tags and note of a run, and leads back to its page.
pub(super) fn write_notes(site: &Site, id: &str, request: &Request) -> Answer {
    let fields: Vec<(String, String)> =
        form_urlencoded::parse(&request.body).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, it)| it);
    if !field("token").is_some_and(|token| site.guard.is_token(token)) {
        return Err(Missing::Wrong(
            "this page is older than the server; load it again, then change it".to_owned(),
        ));
    }
    if find(site, id)?.is_none() {
        return Err(unknown(id));
    }
    let tags: BTreeSet<String> = (field("tags").map_or("", String::as_str).split(','))
        .map(|tag| tag.trim().to_owned())
        .filter(|tag| !tag.is_empty())
        .collect();
    let note = field("note").map_or("", String::as_str).trim().replace("\r\n", "\n");
    let changed = site.store.change_notes(id, |notes| (notes.tags, notes.note) = (tags, note));
    changed.map_err(|error| Missing::Wrong(error.to_string()))?;
    site.renew().map_err(|error| Missing::Wrong(error.to_string()))?;
    let there = address(&format!("/run/{id}"), []);
    Ok(guarded(Reply::new(StatusCode::SEE_OTHER, "text/plain", ""), "default-src 'none'")
        .with("location", there))
}

/// A file of a run, if it is one that may be shown.
pub(super) fn file(site: &Site, id: &str, name: &str) -> Answer {
    let known = FILES.into_iter().find(|(known, _)| *known == name);
    let (Some((name, kind)), Some(run)) = (known, find(site, id)?) else {
        return Err(Missing::Unknown(format!("there is no file {name} of a run {id}")));
    };
    let bytes = std::fs::read(run.folder.join(name))
        .map_err(|error| Missing::Unknown(format!("{name} of {id}: {error}")))?;
    Ok(guarded(Reply::new(StatusCode::OK, kind, bytes), "default-src 'none'"))
}

/// The test examples whose wrong class has the highest probability, with their sound where there is one.
pub(super) fn wrong(pages: &Pages, id: &str) -> Answer {
    let Some(run) = find(&pages.0, id)? else { return Err(unknown(id)) };
    let predictions = run.predictions().map_err(|error| Missing::Wrong(error.to_string()))?;
    let Predictions::Classes(rows) = predictions else {
        return Err(Missing::Wrong(format!("run {id} predicts no classes")));
    };
    let n = rows.len();
    let mut wrong: Vec<_> = rows.into_iter().filter(|row| row.actual != row.predicted).collect();
    let n_wrong = wrong.len();
    let sure = |row: &crate::record::Prediction| {
        row.probabilities.get(row.predicted).copied().unwrap_or(0.0)
    };
    wrong.sort_by(|a, b| sure(b).total_cmp(&sure(a)).then_with(|| a.example.cmp(&b.example)));
    wrong.truncate(N_WRONG);
    let data = &run.record.data;
    let class = |i: usize| data.classes.get(i).map_or("?", String::as_str);
    let seconds = run.record.spec["segments"]["seconds"].as_f64();
    let has_sound = seconds.is_some() && run.record.cut.is_empty();
    let item = |row: &crate::record::Prediction| {
        let track = row.example.track.as_str();
        let mut html = format!(
            "<li><h2>{}</h2>\n<p>It is {}, and the model says {} with {:.0} %; for {} it has {:.0} %.</p>\n",
            escape(&match seconds {
                Some(_) => format!("{track}, segment {}", row.example.segment + 1),
                None => track.to_owned(),
            }),
            escape(class(row.actual)),
            escape(class(row.predicted)),
            100.0 * sure(row),
            escape(class(row.actual)),
            100.0 * row.probabilities.get(row.actual).copied().unwrap_or(0.0)
        );
        if let Some(seconds) = seconds.filter(|_| has_sound) {
            let start = (f64::from(row.example.segment) * seconds).to_string();
            let place = [("track", track), ("start", &start), ("seconds", &seconds.to_string())];
            let there = |end: &str| address(&format!("/data/{}/{end}", data.dataset), place);
            html += &format!(
                "<audio controls preload=\"none\" src=\"{}\"></audio>\n\
                 <img class=\"mel\" loading=\"lazy\" alt=\"Mel spectrogram of {}\" src=\"{}\">\n",
                there("sound"),
                escape(track),
                there("mel")
            );
        }
        html + "</li>\n"
    };
    let items: String = wrong.iter().map(item).collect();
    let back = address(&format!("/run/{id}"), []);
    let html = format!(
        "<p><a href=\"{back}\">{}</a> is wrong about {n_wrong} of {n} test examples. Here are those whose wrong class it \
         is most sure of.</p>\n<ul class=\"wrong\">{items}</ul>\n",
        escape(id)
    );
    Ok(pages.page("The most wrong answers", "", &html))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_leads_to_no_other_folder() {
        assert!(is_id("cnn-3.gtzan.seed-1.0a1b"));
        for id in ["", ".", "..", "../x", "a/b", "a\\b", "C:x", "a\0b"] {
            assert!(!is_id(id), "{id:?}");
        }
    }
}
