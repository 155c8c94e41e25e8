//! `runs show | tag | note | archive | remove | restore`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::run_ids::resolve;
use super::run_query;
use super::runs_arguments::{Ids, Runs, RunsCommand};
use super::{Done, Failure, Project, json, say_skipped};
use crate::record::{Depth, Notes, RunFields, Store, Trashed};
use crate::report::{exact, run_fields};
use crate::vocab::without_controls;

pub(super) fn runs(project: &Project, arguments: &Runs) -> Done {
    let store = project.store();
    match &arguments.command {
        None => run_query::list(project, arguments),
        Some(RunsCommand::Show(ids)) => show(&store, ids),
        Some(RunsCommand::Tag { ids, add, remove }) => tag(&store, ids, add, remove),
        Some(RunsCommand::Note { ids, text }) => note(&store, ids, text),
        Some(RunsCommand::Archive(ids)) => archive(&store, ids),
        Some(RunsCommand::Remove(ids)) => remove(&store, ids),
        Some(RunsCommand::Restore(ids)) => restore(&store, ids),
    }
}

/// The finished runs that are meant. Nothing is changed if one of them is unknown.
fn finished(store: &Store, ids: &Ids) -> Result<Vec<String>, Failure> {
    let known = store.with_archived().ids()?;
    resolve(&ids.ids, &known, "finished run").map_err(|failure| {
        let begun = store.unfinished().unwrap_or_default();
        let is_begun = |name: &String| begun.iter().any(|run| run.id == *name);
        match ids.ids.iter().find(|name| is_begun(name)) {
            Some(name) => Failure::Data(format!(
                "{name} is not finished\nhint: encore run resumes it; encore gc deletes interrupted attempts"
            )),
            None => failure,
        }
    })
}

fn show(store: &Store, ids: &Ids) -> Done {
    let table = run_query::table(store, Depth::Records)?;
    let known: Vec<String> = table.runs.iter().map(|run| run.id.clone()).collect();
    let mut shown = vec![];
    for (i, id) in resolve(&ids.ids, &known, "run")?.into_iter().enumerate() {
        let Some(mut run) = table.runs.iter().find(|run| run.id == id).cloned() else { continue };
        if let Some(whole) = store.read(&id)? {
            // All scores; without the predictions, those of the record.
            match run_fields(&whole, Depth::Predictions) {
                Ok((own, _)) => run.own.extend(own),
                Err(error) => say_skipped(error),
            }
        }
        let folder = store.folder(&id);
        let folder = folder.is_dir().then(|| folder.display().to_string());
        if i > 0 {
            println!("");
        }
        print!("{}", text(&run, folder.as_deref()));
        let fields: serde_json::Map<String, Value> =
            lines(&run).into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        shown.push(json!({ "id": id, "folder": folder, "fields": fields }));
    }
    json::put("runs", shown);
    Ok(())
}

/// Every field with a value, those of the run first.
fn lines(run: &RunFields) -> Vec<(&str, &Value)> {
    let shared = run.shared.iter().filter(|(name, _)| !run.own.contains_key(*name));
    let all = run.own.iter().chain(shared).filter(|(_, value)| !value.is_null());
    all.map(|(name, value)| (name.as_str(), value)).collect()
}

fn text(run: &RunFields, folder: Option<&str>) -> String {
    let lines = lines(run);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}\n", run.id);
    for (name, value) in folder.map(|it| ("folder", it.to_owned())).into_iter().chain(
        lines
            .into_iter()
            .filter(|(name, _)| *name != "id")
            .map(|(name, value)| (name, without_controls(&exact(value), "").into_owned()))
            .filter(|(_, value)| !value.is_empty()),
    ) {
        text += format!("  {name:width$}  {value}").trim_end();
        text.push('\n');
    }
    text
}

/// Tags are words that need no quoting in a list.
fn check_tag(tag: &str) -> Done {
    let is_odd = |c: char| c.is_control() || matches!(c, ',' | ';' | '"');
    if tag.trim().is_empty() || tag.trim() != tag || tag.contains(is_odd) {
        return Err(Failure::Usage(format!(
            "invalid tag `{tag}`: expected a text without commas, semicolons, quotes and outer spaces"
        )));
    }
    Ok(())
}

fn tag(store: &Store, ids: &Ids, add: &[String], remove: &[String]) -> Done {
    add.iter().try_for_each(|tag| check_tag(tag))?;
    change(store, ids, |notes| {
        notes.tags.extend(add.iter().cloned());
        notes.tags.retain(|tag| !remove.contains(tag));
    })
}

fn note(store: &Store, ids: &Ids, text: &str) -> Done {
    change(store, ids, |notes| text.trim().clone_into(&mut notes.note))
}

fn change(store: &Store, ids: &Ids, change: impl Fn(&mut Notes)) -> Done {
    let mut changed = vec![];
    for id in finished(store, ids)? {
        let notes = store.change_notes(&id, &change)?;
        let tags: Vec<&str> = notes.tags.iter().map(String::as_str).collect();
        let tags_words = if tags.is_empty() { "no tags".to_owned() } else { tags.join(", ") };
        let note = if notes.note.is_empty() { String::new() } else { format!("; {}", notes.note) };
        println!("{id}: {tags_words}{note}");
        changed.push(json!({ "id": id, "tags": tags, "note": notes.note }));
    }
    json::put("runs", changed);
    Ok(())
}

fn archive(store: &Store, ids: &Ids) -> Done {
    let ids = finished(store, ids)?;
    for id in &ids {
        store.set_archived(id, true)?;
        println!("archived {id}");
    }
    json::put("archived", ids);
    Ok(())
}

fn remove(store: &Store, ids: &Ids) -> Done {
    let mut removed = vec![];
    for id in finished(store, ids)? {
        let folder = store.remove(&id)?;
        println!("removed {id}; encore runs restore {id} brings it back until encore gc");
        removed.push(json!({ "id": id, "folder": folder.display().to_string() }));
    }
    json::put("removed", removed);
    Ok(())
}

fn restore(store: &Store, ids: &Ids) -> Done {
    let trashed = store.trashed()?;
    let mut known: BTreeSet<String> = trashed.iter().map(|run| run.id.clone()).collect();
    known.extend(store.with_archived().ids()?.into_iter().filter(|id| store.is_archived(id)));
    let known: Vec<String> = known.into_iter().collect();
    let mut restored = vec![];
    for id in resolve(&ids.ids, &known, "archived or removed run")? {
        let latest: Option<&Trashed> = trashed.iter().rfind(|run| run.id == id);
        match latest {
            _ if store.is_archived(&id) => store.set_archived(&id, false)?,
            Some(latest) => {
                if !store.restore(latest)? {
                    return Err(Failure::Usage(format!(
                        "{id} was not restored: there is a run of this id again\nhint: encore runs remove {id}"
                    )));
                }
            }
            None => continue,
        }
        println!("restored {id}");
        restored.push(id);
    }
    json::put("restored", restored);
    Ok(())
}
