//! `features list | clean`.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde_json::json;

use super::data_arguments::Features as Command;
use super::{Done, Failure, Project, finished, json};
use crate::features::{Cache, Content, FeatureError, Item, Recipe, Removed};
use crate::record::Store;

/// Digits of a hash that are shown; `clean` takes as few as make it the only one.
const SHOWN: usize = 12;

pub(super) fn features(project: &Project, command: &Command) -> Done {
    let cache = Cache::new(project.catalogue()?.place().features_folder());
    let items = cache.items()?;
    match command {
        Command::List { check } => list(project, &cache, &items, *check),
        Command::Clean { hashes, partial, all } => {
            let chosen = if *all {
                items.iter().collect()
            } else if *partial {
                let is_whole = |item: &&Item| matches!(item.content, Content::Whole { .. });
                items.iter().filter(|item| !is_whole(item)).collect()
            } else {
                choose(&items, hashes)?
            };
            clean(&cache, &chosen)
        }
    }
}

fn list(project: &Project, cache: &Cache, items: &[Item], check: bool) -> Done {
    json::put("items", json!([]));
    json::put("bytes", items.iter().map(|item| item.n_bytes).sum::<u64>());
    if items.is_empty() {
        println!("the feature cache is empty; the first run fills it");
        return Ok(());
    }
    let mut n_runs: BTreeMap<String, usize> = BTreeMap::new();
    for store in [project.store(), Store::new(project.reports().join("quick/runs"))] {
        for run in finished(&store.with_archived())? {
            *n_runs.entry(run.record.data.features_hash.clone()).or_default() += 1;
        }
    }
    let mut faults = vec![];
    println!(
        "{:SHOWN$}  {:16} {:>18} {:>10} {:>8} {:>5}  state",
        "hash", "dataset", "shape", "size", "age", "runs"
    );
    for item in items {
        let (recipe, n_examples, mut state) = match &item.content {
            Content::Whole { recipe, n_examples } => {
                (Some(recipe), Some(*n_examples), "complete".to_owned())
            }
            Content::Partial { recipe, n_tracks_done } => {
                let n =
                    recipe.as_ref().map_or("?".to_owned(), |recipe| recipe.n_tracks.to_string());
                (recipe.as_ref(), None, format!("unfinished, {n_tracks_done} of {n} tracks"))
            }
            Content::Damaged(fault) => {
                let hash = &item.name[..item.name.len().min(SHOWN)];
                (None, None, format!("damaged: {fault}; encore features clean {hash}"))
            }
            Content::Leftover => (None, None, format!("left over: {}", item.name)),
        };
        if item.is_in_use {
            state.push_str(", in use");
        }
        let mut is_valid = None;
        if check {
            match cache.check(item) {
                Ok(()) if n_examples.is_some() => {
                    is_valid = Some(true);
                    state.push_str(", checksum valid");
                }
                Ok(()) => {}
                Err(error @ FeatureError::Damaged { .. }) => {
                    is_valid = Some(false);
                    state.push_str(", wrong checksum");
                    faults.push(error.to_string());
                }
                Err(error) => return Err(error.into()),
            }
        }
        let runs = recipe.map_or(0, |recipe| n_runs.get(&recipe.hash).copied().unwrap_or(0));
        json::push(
            "items",
            json!({
                "name": item.name, "dataset": recipe.map(|recipe| &recipe.dataset),
                "n_examples": n_examples, "example_shape": recipe.map(|recipe| &recipe.shape),
                "settings": recipe.map(|recipe| &recipe.settings), "bytes": item.n_bytes,
                "age_seconds": item.modified.elapsed().unwrap_or_default().as_secs(),
                "n_runs": runs, "is_in_use": item.is_in_use, "state": state,
                "is_checksum_valid": is_valid,
            }),
        );
        println!(
            "{:SHOWN$}  {:16} {:>18} {:>10} {:>8} {runs:>5}  {state}",
            &item.name[..item.name.len().min(SHOWN)],
            recipe.map_or("-", |recipe| &recipe.dataset),
            recipe.map_or_else(|| "-".to_owned(), |recipe| shape(n_examples, &recipe.shape)),
            size(item.n_bytes),
            age(item.modified),
        );
        if let Some(recipe) = recipe {
            println!("{:SHOWN$}  {}", "", settings(recipe));
        }
    }
    println!("{} in all", size(items.iter().map(|item| item.n_bytes).sum()));
    if faults.is_empty() {
        return Ok(());
    }
    let faults = faults.join("\n");
    Err(Failure::Data(format!(
        "{faults}\nhint: encore features clean HASH; the next run computes it again"
    )))
}

/// Finds the items whose names start with the given digits.
fn choose<'a>(items: &'a [Item], hashes: &[String]) -> Result<Vec<&'a Item>, Failure> {
    if hashes.is_empty() {
        let message =
            "nothing to clean: give hashes from `encore features list`, --partial or --all";
        return Err(Failure::Usage(message.to_owned()));
    }
    let mut chosen: Vec<&Item> = vec![];
    for hash in hashes {
        let found: Vec<&Item> = items.iter().filter(|item| item.name.starts_with(hash)).collect();
        // `HASH` and `HASH.partial` are the same features.
        let stems = |item: &&Item| item.name.split('.').next().unwrap_or_default().to_owned();
        match found.iter().map(stems).collect::<std::collections::BTreeSet<_>>().len() {
            0 => {
                let message =
                    format!("no features start with `{hash}`\nhint: encore features list");
                return Err(Failure::Usage(message));
            }
            1 => chosen.extend(found),
            n => {
                let message = format!("{n} features start with `{hash}`; give more digits");
                return Err(Failure::Usage(message));
            }
        }
    }
    chosen.dedup_by(|a, b| a.name == b.name);
    Ok(chosen)
}

fn clean(cache: &Cache, items: &[&Item]) -> Done {
    let (mut n_freed, mut freed, mut in_use) = (0, 0, vec![]);
    for item in items {
        match cache.remove(item)? {
            Removed::Freed(n_bytes) => {
                println!("removed {}, {}", item.name, size(n_bytes));
                (n_freed, freed) = (n_freed + 1, freed + n_bytes);
            }
            Removed::InUse => in_use.push(item.name.as_str()),
        }
    }
    let is_removed = |item: &&&Item| !in_use.contains(&item.name.as_str());
    let removed: Vec<&str> =
        items.iter().filter(is_removed).map(|item| item.name.as_str()).collect();
    json::put("removed", removed);
    json::put("in_use", &in_use);
    json::put("freed_bytes", freed);
    println!("{n_freed} removed, {} freed", size(freed));
    if in_use.is_empty() {
        return Ok(());
    }
    Err(Failure::Internal(anyhow::anyhow!(
        "in use by a running encore, not removed: {}\nhint: stop it, or wait until it ends",
        in_use.join(", ")
    )))
}

/// `[n_examples, ...]`
fn shape(n_examples: Option<usize>, shape: &[usize]) -> String {
    let first = n_examples.map_or("?".to_owned(), |n| n.to_string());
    let all: Vec<String> =
        std::iter::once(first).chain(shape.iter().map(ToString::to_string)).collect();
    format!("[{}]", all.join(", "))
}

/// E.g. `10 x 3 s at 22050 Hz, mfcc: n_mfcc=13 n_fft=2048`.
fn settings(recipe: &Recipe) -> String {
    let Recipe { segments, sample_rate_hz, .. } = recipe;
    let mut text =
        format!("{} x {} s at {sample_rate_hz} Hz", segments.per_track, segments.seconds);
    for (feature, fields) in recipe.settings.as_object().into_iter().flatten() {
        text.push_str(&format!(", {feature}:"));
        for (key, value) in fields.as_object().into_iter().flatten() {
            text.push_str(&format!(" {key}={value}"));
        }
    }
    text
}

fn size(n_bytes: u64) -> String {
    let n = n_bytes as f64;
    match n_bytes {
        0..1_000 => format!("{n_bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", n / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", n / 1e6),
        _ => format!("{:.1} GB", n / 1e9),
    }
}

/// How long ago, in the largest unit that fits.
fn age(modified: SystemTime) -> String {
    let seconds = modified.elapsed().unwrap_or_default().as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

impl From<FeatureError> for Failure {
    fn from(error: FeatureError) -> Self {
        match error {
            FeatureError::Dataset(error) => error.into(),
            FeatureError::Damaged { .. } | FeatureError::Mismatch(_) => {
                Self::Data(error.to_string())
            }
            error => Self::Internal(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ages_have_one_unit() {
        assert_eq!([0, 999, 1_500, 676_000_000].map(size), ["0 B", "999 B", "1.5 kB", "676.0 MB"]);
        let ago = |seconds| SystemTime::now() - std::time::Duration::from_secs(seconds);
        assert_eq!(age(ago(150)), "2 min");
        assert_eq!(age(ago(3 * 86_400 + 5)), "3 d");
    }
}
