//! Experiments and runs of an MLflow server.
//!
//! | file | what it does |
//! |---|---|
//! | `api` | requests to the server and their errors |
//!
//! A run of the server belongs to a run of ours by its tag `encore.run_id`. Its last tag, `encore.seal`, is written when
//! everything else is there: a run with it is left as it is, and one without is written anew. So an export that was
//! interrupted is completed by the next one, and no metric is doubled.
//!
//! # Source
//! MLflow's REST API 2.0.

mod api;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use self::api::Server;
use super::error::{ExportError, io};
use super::facts::{CURVES, began_s, parameters, scores, text};
use crate::record::{Run, Store};
use crate::report::confusion_png;

/// What one request may hold.
const MAX_METRICS: usize = 1000;
const MAX_PARAMETERS: usize = 100;
/// Characters of a parameter's value.
const MAX_VALUE: usize = 6000;

/// What an export to MLflow did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct MlflowOutcome {
    /// Runs that were written.
    pub written: Vec<String>,
    /// Runs that were there already.
    pub there: Vec<String>,
    /// Runs whose files the server does not take, because it keeps files elsewhere.
    pub without_files: Vec<String>,
}

/// Writes runs to a server: their experiments, parameters, curves, scores, tags, notes, figures and files.
/// `told` hears of every run that is done.
///
/// # Errors
/// If the server can't be reached or refuses something, or a run can't be read. What was written before stays.
pub fn to_mlflow(
    address: &str,
    store: &Store,
    runs: &[Run],
    stop: &AtomicBool,
    told: &dyn Fn(&str, bool),
) -> Result<MlflowOutcome, ExportError> {
    let server = Server::connect(address)?;
    let mut experiments: BTreeMap<String, String> = BTreeMap::new();
    let mut outcome = MlflowOutcome::default();
    for run in runs {
        if stop.load(Ordering::Relaxed) {
            return Err(ExportError::Stopped);
        }
        let name = &run.record.experiment;
        let experiment = match experiments.get(name) {
            Some(id) => id.clone(),
            None => {
                let id = server.experiment(name)?;
                experiments.insert(name.clone(), id.clone());
                id
            }
        };
        let known = server.runs_of(&experiment, &run.id)?;
        let is_whole =
            |(_, seal): &&(String, Option<String>)| seal.as_deref() == Some(&run.record.seal);
        let is_there = known.iter().any(|it| is_whole(&it));
        for (incomplete, _) in known.iter().filter(|it| !is_whole(it)) {
            server.post("runs/delete", &json!({ "run_id": incomplete }))?;
        }
        if is_there {
            outcome.there.push(run.id.clone());
        } else {
            if !write(&server, &experiment, store, run)? {
                outcome.without_files.push(run.id.clone());
            }
            outcome.written.push(run.id.clone());
        }
        told(&run.id, !is_there);
    }
    Ok(outcome)
}

/// Writes one run; returns whether the server took its files.
fn write(server: &Server, experiment: &str, store: &Store, run: &Run) -> Result<bool, ExportError> {
    let record = &run.record;
    let start = (began_s(run) * 1000.0) as u64;
    let end = start + (record.timings.total_s * 1000.0) as u64;
    let notes = store.notes(&run.id)?;
    let mut tags = vec![
        json!({ "key": "encore.run_id", "value": run.id }),
        json!({ "key": "encore.dataset", "value": record.data.dataset }),
        json!({ "key": "encore.spec_hash", "value": record.spec_hash }),
        json!({ "key": "mlflow.source.name", "value": "encore" }),
    ];
    tags.extend(
        notes
            .tags
            .iter()
            .map(|tag| json!({ "key": format!("tag.{}", name(tag)), "value": "true" })),
    );
    if !notes.note.is_empty() {
        tags.push(json!({ "key": "mlflow.note.content", "value": notes.note }));
    }
    let run_name = format!("{} seed {}", record.experiment, record.seed);
    let created = server.post(
        "runs/create",
        &json!({ "experiment_id": experiment, "start_time": start, "run_name": run_name, "tags": tags }),
    )?;
    let info = &created["run"]["info"];
    let (Some(id), Some(artifacts)) = (info["run_id"].as_str(), info["artifact_uri"].as_str())
    else {
        return Err(server.strange("runs/create", &created));
    };
    let parameters: Vec<Value> = (parameters(run)?.iter())
        .map(|(key, value)| {
            let value: String = text(value).chars().take(MAX_VALUE).collect();
            json!({ "key": name(key), "value": value })
        })
        .collect();
    for batch in parameters.chunks(MAX_PARAMETERS) {
        server.post("runs/log-batch", &json!({ "run_id": id, "params": batch }))?;
    }
    for batch in metrics(run, start, end)?.chunks(MAX_METRICS) {
        server.post("runs/log-batch", &json!({ "run_id": id, "metrics": batch }))?;
    }
    let takes_files = files(server, artifacts, run)?;
    server.post(
        "runs/update",
        &json!({ "run_id": id, "status": "FINISHED", "end_time": end, "run_name": run_name }),
    )?;
    let seal = json!({ "run_id": id, "tags": [{ "key": "encore.seal", "value": record.seal }] });
    server.post("runs/log-batch", &seal)?;
    Ok(takes_files)
}

/// The curves by epoch, each value at the end of its epoch, and the scores at the end of the run.
fn metrics(run: &Run, start: u64, end: u64) -> Result<Vec<Value>, ExportError> {
    let mut metrics = vec![];
    let mut at = start as f64;
    for epoch in run.epochs()? {
        at += 1000.0 * epoch.seconds;
        for (key, of) in CURVES {
            let value = of(&epoch);
            if value.is_finite() {
                let at = at as u64;
                metrics.push(
                    json!({ "key": key, "value": value, "timestamp": at, "step": epoch.epoch }),
                );
            }
        }
    }
    let step = run.record.model.n_epochs.unwrap_or(0);
    let score =
        |(key, value)| json!({ "key": key, "value": value, "timestamp": end, "step": step });
    metrics.extend(scores(run).into_iter().map(score));
    Ok(metrics)
}

/// Sends the files of a run, its figure and its model; returns whether the server takes files.
fn files(server: &Server, artifacts: &str, run: &Run) -> Result<bool, ExportError> {
    let Some(folder) = artifacts.strip_prefix("mlflow-artifacts:/") else { return Ok(false) };
    let folder = folder.trim_matches('/');
    let send = |name: &str, bytes: &[u8]| server.put(&format!("{folder}/{name}"), bytes);
    if let Some(figure) = confusion_png(run)? {
        send("confusion.png", &figure.png)?;
    }
    let read = |path: &Path| std::fs::read(path).map_err(io(path));
    let names = std::iter::once("record.json").chain(run.record.files.keys().map(String::as_str));
    for name in names {
        let path = run.folder.join(name);
        // The model of an imported run may not be there.
        if path.exists() {
            send(name, &read(&path)?)?;
        }
    }
    Ok(true)
}

/// A name with the characters that MLflow allows: `blocks[0].filters` becomes `blocks.0.filters`.
fn name(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        match c {
            '[' => text.push('.'),
            ']' => {}
            c if c.is_ascii_alphanumeric() || "_-. /:".contains(c) => text.push(c),
            _ => text.push('_'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_characters_that_the_server_allows() {
        assert_eq!(name("model.cnn.blocks[0].filters"), "model.cnn.blocks.0.filters");
        assert_eq!(name("labels.\"hip hop\""), "labels._hip hop_");
    }
}
