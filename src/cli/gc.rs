//! `gc`: removed runs, interrupted attempts and unused caches.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::question::is_agreed;
use super::run_query::table;
use super::runs_arguments::Gc;
use super::{Done, Failure, Project, json, unfinished};
use crate::features::{Cache, Content, Item, Removed};
use crate::fetch::{UnfinishedDownload, readable, remove_unfinished, unfinished_downloads};
use crate::record::{Depth, Leftover, LeftoverKind, Store};

/// Something that can be deleted, with what people are told of it.
struct Garbage {
    kind: &'static str,
    name: String,
    detail: String,
    n_bytes: u64,
    what: What,
}

enum What {
    OfStore(Store, Leftover),
    Features(Item),
    Download(UnfinishedDownload),
}

/// Lists what nobody needs, and deletes it once it is confirmed.
pub(super) fn gc(project: &Project, arguments: &Gc) -> Done {
    let place = project.catalogue()?.place();
    let cache = Cache::new(place.features_folder());
    let all = garbage(project, &cache, &place.downloads_folder())?;
    let n_bytes: u64 = all.iter().map(|item| item.n_bytes).sum();
    let width = |of: fn(&Garbage) -> &str| {
        all.iter().map(|item| of(item).chars().count()).max().unwrap_or(0)
    };
    let (kinds, names) = (width(|item| item.kind), width(|item| &item.name));
    for item in &all {
        let Garbage { kind, name, detail, n_bytes, .. } = item;
        let line = format!("{kind:kinds$}  {name:names$}  {:>9}  {detail}", readable(*n_bytes));
        println!("{}", line.trim_end());
    }
    let object = |item: &Garbage, is_deleted: bool| {
        let Garbage { kind, name, detail, n_bytes, .. } = item;
        json!({ "kind": kind, "name": name, "detail": detail, "bytes": n_bytes, "deleted": is_deleted })
    };
    json::put("bytes", n_bytes);
    json::put("freed_bytes", 0);
    json::put("items", all.iter().map(|item| object(item, false)).collect::<Vec<Value>>());
    if all.is_empty() {
        println!("nothing to delete");
        return Ok(());
    }
    println!("{} in all", readable(n_bytes));
    if arguments.dry_run {
        return Ok(());
    }
    if !arguments.yes {
        confirm()?;
    }
    let (mut n_freed, mut kept, mut objects) = (0, vec![], vec![]);
    for item in &all {
        let is_deleted = delete(item, &cache)?;
        if is_deleted {
            n_freed += item.n_bytes;
        } else {
            kept.push(item.name.as_str());
        }
        objects.push(object(item, is_deleted));
    }
    json::put("freed_bytes", n_freed);
    json::put("items", objects);
    println!("{} freed", readable(n_freed));
    if !kept.is_empty() {
        println!("in use by a running encore, kept: {}", kept.join(", "));
    }
    Ok(())
}

fn confirm() -> Done {
    if !json::is_on() && is_agreed("delete all of this? [y/N] ")? {
        return Ok(());
    }
    Err(Failure::Usage("nothing was deleted\nhint: confirm with --yes".to_owned()))
}

fn delete(item: &Garbage, cache: &Cache) -> Result<bool, Failure> {
    Ok(match &item.what {
        What::OfStore(store, leftover) => store.delete(leftover)?,
        What::Features(features) => matches!(cache.remove(features)?, Removed::Freed(_)),
        What::Download(download) => remove_unfinished(download)?,
    })
}

/// Everything that can be deleted without losing a finished run or its features.
fn garbage(project: &Project, cache: &Cache, downloads: &Path) -> Result<Vec<Garbage>, Failure> {
    let (mut all, mut features) = (vec![], BTreeSet::new());
    for store in [project.store(), Store::new(project.reports().join("quick/runs"))] {
        let runs = table(&store, Depth::Records)?.runs;
        let of = |field: &str| -> BTreeSet<String> {
            let texts = runs.iter().filter_map(|run| Some(run.get(field)?.as_str()?.to_owned()));
            texts.collect()
        };
        features.extend(of("data.features_hash"));
        let begun = store.unfinished()?;
        for leftover in store.leftovers(&of("split.hash"))? {
            let begun = begun.iter().find(|run| run.id == leftover.name);
            let (kind, detail) = match leftover.kind {
                LeftoverKind::RemovedRun => ("removed run", String::new()),
                LeftoverKind::Split => ("split", "no run has it".to_owned()),
                LeftoverKind::Attempt => {
                    ("attempt", begun.map_or("left over".to_owned(), unfinished::words))
                }
            };
            let (mut name, n_bytes) = (leftover.name.clone(), leftover.n_bytes);
            if leftover.kind == LeftoverKind::Split {
                name.truncate(12);
            }
            let what = What::OfStore(store.clone(), leftover);
            all.push(Garbage { kind, name, detail, n_bytes, what });
        }
    }
    for item in cache.items()? {
        let hash = item.name.split('.').next().unwrap_or_default();
        let detail = match &item.content {
            _ if item.is_in_use => continue,
            Content::Whole { recipe, .. } if features.contains(&recipe.hash) => continue,
            Content::Whole { recipe, .. } => format!("{}, no run uses them", recipe.dataset),
            Content::Partial { .. } => "unfinished".to_owned(),
            Content::Damaged(_) => "damaged".to_owned(),
            Content::Leftover => "left over".to_owned(),
        };
        let (kind, name) = ("features", hash.chars().take(12).collect());
        let n_bytes = item.n_bytes;
        all.push(Garbage { kind, name, detail, n_bytes, what: What::Features(item) });
    }
    for download in unfinished_downloads(downloads)? {
        let name = download.folder.file_name().unwrap_or_default().to_string_lossy();
        let name = name.split(".fetching").next().unwrap_or_default().to_owned();
        let (kind, detail) = ("download", "unfinished".to_owned());
        let n_bytes = download.n_bytes;
        all.push(Garbage { kind, name, detail, n_bytes, what: What::Download(download) });
    }
    Ok(all)
}
