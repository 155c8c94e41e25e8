//! An index of the finished runs: who they are, without reading their records.
//!
//! The index is derived from the records and is never the source of a result: it only decides which
//! records need not be read. An entry is valid while the record's file has the length and the time of
//! modification that it had. A missing, damaged or outdated index is rebuilt; where it can't be
//! written, it is rebuilt every time.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Record, Run, Store, StoreError};
use crate::disk;

/// Version of the index's layout.
const FORMAT: u32 = 1;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Index {
    format: u32,
    runs: BTreeMap<String, Entry>,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// The record's file, when it was read.
    stamp: Stamp,
    experiment: String,
    dataset: String,
    spec_hash: String,
    /// Why it is no full run of its spec.
    cut: Vec<String>,
    started: String,
    seed: u64,
}

/// What changes when a file is written again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Stamp {
    n_bytes: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (u64, u32),
}

impl Stamp {
    /// `None` where the system does not say when a file was modified.
    fn of(file: &Metadata) -> Option<Self> {
        let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = (since.as_secs(), since.subsec_nanos());
        Some(Self { n_bytes: file.len(), modified })
    }
}

impl Entry {
    fn of(record: &Record, stamp: Stamp) -> Self {
        Self {
            stamp,
            experiment: record.experiment.clone(),
            dataset: record.data.dataset.clone(),
            spec_hash: record.spec_hash.clone(),
            cut: record.cut.clone(),
            started: record.timings.started.clone(),
            seed: record.seed,
        }
    }

    /// Runs with the same key differ in the seed, and in what has changed around them.
    fn key(&self) -> (&str, &str, &str, &[String]) {
        (&self.experiment, &self.dataset, &self.spec_hash, &self.cut)
    }
}

impl Store {
    /// The latest run of every version of every experiment on every dataset, by id, and what is wrong
    /// with the damaged ones. Records of other runs are not read if the index knows them.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn latest(&self) -> Result<(Vec<Run>, Vec<StoreError>), StoreError> {
        let path = self.index_file();
        let known = read(&path);
        let ids = self.ids()?;
        let entries: Vec<Result<Option<(String, Entry)>, StoreError>> =
            ids.into_par_iter().map(|id| self.entry(id, &known)).collect();
        let (mut index, mut damaged) = (Index { format: FORMAT, runs: BTreeMap::new() }, vec![]);
        for entry in entries {
            match entry {
                Ok(entry) => index.runs.extend(entry),
                Err(error) => damaged.push(error),
            }
        }
        if index.runs != known.runs {
            let text = serde_json::to_vec(&index).expect("an index is plain data");
            // Without it everything works, only slower.
            let _ = disk::write_whole(&path, &text);
        }
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
        Ok((runs, damaged))
    }

    /// What is known of a run; read from its record if the index is outdated.
    fn entry(&self, id: String, known: &Index) -> Result<Option<(String, Entry)>, StoreError> {
        let stamp = fs::metadata(self.folder(&id).join("record.json"));
        let stamp = stamp.ok().and_then(|file| Stamp::of(&file));
        let old = known.runs.get(&id);
        if let Some(old) = old.filter(|old| Some(old.stamp) == stamp) {
            return Ok(Some((id, old.clone())));
        }
        let run = self.read(&id)?.ok_or_else(|| self.partial(&id))?;
        Ok(stamp.map(|stamp| (id, Entry::of(&run.record, stamp))))
    }

    fn index_file(&self) -> PathBuf {
        if self.root().file_name().is_some_and(|name| name == "runs") {
            self.root().with_file_name("runs.index.json")
        } else {
            self.root().join(".index.json")
        }
    }
}

/// The index of a file; an empty one if there is none that can be used.
fn read(path: &Path) -> Index {
    let text = fs::read(path).unwrap_or_default();
    let index: Option<Index> = serde_json::from_slice(&text).ok();
    index.filter(|index| index.format == FORMAT).unwrap_or_default()
}
