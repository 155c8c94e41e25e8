//! An index of the finished runs: who they are, without reading their records.
//!
//! The index is derived from the records and is never the source of a result: it only decides which
//! records need not be read. An entry is valid while the record's file has the [`Stamp`] that it had.
//! A missing, damaged or outdated index is rebuilt; where it can't be written, it is rebuilt every time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use super::{Record, Run, Store, StoreError};
use crate::disk;
use crate::vocab::Sha256;

/// Version of the index's layout.
const FORMAT: u32 = 2;
/// Derived texts that an index holds, at most.
const MOST_DERIVED: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    format: u32,
    runs: BTreeMap<String, Entry>,
    /// Short texts that were derived from whole groups of runs, by the hash of what they follow from.
    derived: BTreeMap<String, String>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// The record's file, when it was read.
    stamp: Stamp,
    experiment: String,
    dataset: String,
    features_hash: String,
    spec_hash: String,
    /// Why it is no full run of its spec.
    cut: Vec<String>,
    /// The foreign model whose predictions they are, or an empty text if it has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    foreign: Option<String>,
    started: String,
    seed: u64,
}

impl Entry {
    fn of(record: &Record, stamp: Stamp) -> Self {
        Self {
            stamp,
            experiment: record.experiment.clone(),
            dataset: record.data.dataset.clone(),
            features_hash: record.data.features_hash.clone(),
            spec_hash: record.spec_hash.clone(),
            cut: record.cut.clone(),
            foreign: record.foreign.as_ref().map(|it| it.model.clone().unwrap_or_default()),
            started: record.timings.started.clone(),
            seed: record.seed,
        }
    }

    /// What runs of one version of an experiment on the same features have in common.
    fn version(&self) -> (&str, &str, &str) {
        (&self.experiment, &self.features_hash, &self.spec_hash)
    }

    /// Runs with the same key differ in the seed alone.
    fn key(&self) -> (&str, &str, &str, &str, &[String], Option<&str>) {
        let Self { experiment, dataset, features_hash, spec_hash, cut, foreign, .. } = self;
        (experiment, dataset, features_hash, spec_hash, cut, foreign.as_deref())
    }
}

/// The latest runs of a store, and what the index knows of all others.
#[derive(Debug)]
pub struct Latest {
    /// The latest run of every version of every experiment on every dataset, by id.
    pub runs: Vec<Run>,
    /// What is wrong with the damaged ones.
    pub damaged: Vec<StoreError>,
    index: Index,
    store: Store,
    path: PathBuf,
    is_changed: bool,
}

impl Latest {
    /// The ids of all runs of the same version of the same experiment on the same features, this run's own
    /// among them.
    #[must_use]
    pub fn alike(&self, run: &Run) -> Vec<String> {
        let Some(entry) = self.index.runs.get(&run.id) else { return vec![run.id.clone()] };
        let is_alike = |(_, other): &(&String, &Entry)| other.version() == entry.version();
        self.index.runs.iter().filter(is_alike).map(|(id, _)| id.clone()).collect()
    }

    /// A short text that follows from these runs and from `what` alone: the one that was derived before,
    /// or a new one.
    ///
    /// # Errors
    /// Where `derive` fails; nothing is kept then.
    pub fn derived<E>(
        &mut self,
        what: &str,
        ids: &[String],
        derive: impl FnOnce() -> Result<String, E>,
    ) -> Result<String, E> {
        let mut hash = Sha256::new().piece(env!("ENCORE_SOURCE")).piece(what);
        for id in ids {
            let record = self.index.runs.get(id).map(|entry| entry.stamp);
            let predictions = Stamp::of(&self.store.folder(id).join("predictions.csv"));
            let stamps = serde_json::to_vec(&(record, predictions)).expect("stamps are plain data");
            hash = hash.piece(id).piece(stamps);
        }
        let key = hash.hex();
        if let Some(text) = self.index.derived.get(&key) {
            return Ok(text.clone());
        }
        let text = derive()?;
        self.index.derived.insert(key, text.clone());
        self.is_changed = true;
        Ok(text)
    }

    /// Writes the index if it has changed. If it can't be written, everything works, only slower.
    pub fn save(mut self) {
        if !self.is_changed {
            return;
        }
        // What is outdated would stay forever: rather derive it once more than keep it.
        if self.index.derived.len() > MOST_DERIVED {
            self.index.derived.clear();
        }
        let text = serde_json::to_vec(&self.index).expect("an index is plain data");
        self.path.parent().into_iter().for_each(disk::remove_stale);
        let _ = disk::write_whole(&self.path, &text);
    }
}

impl Store {
    /// The latest runs. Records of other runs are not read if the index knows them.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn latest(&self) -> Result<Latest, StoreError> {
        let path = self.beside("runs.index.json");
        let known = read(&path);
        let ids = self.ids()?;
        let entries: Vec<Result<Option<(String, Entry)>, StoreError>> =
            ids.into_par_iter().map(|id| self.entry(id, &known)).collect();
        let mut index =
            Index { format: FORMAT, runs: BTreeMap::new(), derived: known.derived.clone() };
        let mut damaged = vec![];
        for entry in entries {
            match entry {
                Ok(entry) => index.runs.extend(entry),
                Err(error) => damaged.push(error),
            }
        }
        let is_changed = index.runs != known.runs;
        let mut latest: BTreeMap<_, (&String, &Entry)> = BTreeMap::new();
        for (id, entry) in &index.runs {
            let found = latest.entry(entry.key()).or_insert((id, entry));
            if (&entry.started, entry.seed) > (&found.1.started, found.1.seed) {
                *found = (id, entry);
            }
        }
        let mut ids: Vec<&String> = latest.into_values().map(|(id, _)| id).collect();
        ids.sort();
        let mut runs = vec![];
        for id in ids {
            match self.read(id) {
                Ok(run) => runs.extend(run),
                Err(error) => damaged.push(error),
            }
        }
        Ok(Latest { runs, damaged, index, store: self.clone(), path, is_changed })
    }

    /// What is known of a run; read from its record if the index is outdated.
    fn entry(&self, id: String, known: &Index) -> Result<Option<(String, Entry)>, StoreError> {
        let stamp = Stamp::of(&self.folder(&id).join("record.json"));
        let old = known.runs.get(&id);
        if let Some(old) = old.filter(|old| Some(old.stamp) == stamp) {
            return Ok(Some((id, old.clone())));
        }
        let run = self.read(&id)?.ok_or_else(|| self.partial(&id))?;
        Ok(stamp.map(|stamp| (id, Entry::of(&run.record, stamp))))
    }
}

/// The index of a file; an empty one if there is none that can be used.
fn read(path: &Path) -> Index {
    let text = fs::read(path).unwrap_or_default();
    let index: Option<Index> = serde_json::from_slice(&text).ok();
    index.filter(|index| index.format == FORMAT).unwrap_or_default()
}
