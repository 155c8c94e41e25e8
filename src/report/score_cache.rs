//! A file that keeps the scores of runs between two reports, so that their predictions are read once.
//!
//! It is derived and never the source of a result: scores are looked up by the hash of all that they
//! follow from. That is what the records say of the data and the predictions, the stamps of the files
//! with the predictions, the metrics asked for and the source of this program. What is missing, damaged or
//! outdated is computed again. Where the file can't be written, everything is computed every time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::ReportError;
use super::runs::Runs;
use super::scores::Scores;
use crate::disk;
use crate::metrics::Metric;
use crate::record::Stamp;
use crate::vocab::{Sha256, sha256_hex};

/// Bytes that outdated scores may take before they are removed, besides twice those of the others.
const MOST_UNUSED: usize = 1 << 20;

/// The scores of a file: lines `KEY CHECKSUM JSON`.
#[derive(Debug, Default)]
pub(super) struct ScoreCache<'a> {
    path: Option<&'a Path>,
    /// Checksum and JSON by key, as they were read.
    known: BTreeMap<String, String>,
    changes: Mutex<Changes>,
}

#[derive(Debug, Default)]
struct Changes {
    used: BTreeSet<String>,
    new: BTreeMap<String, String>,
}

impl<'a> ScoreCache<'a> {
    /// Reads the file; `None` keeps nothing.
    pub(super) fn open(path: Option<&'a Path>) -> Self {
        let text = path.and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let line = |line: &str| line.split_once(' ').map(|(key, rest)| (key.into(), rest.into()));
        Self { path, known: text.lines().filter_map(line).collect(), changes: Mutex::default() }
    }

    /// The scores of some runs: those that were kept, or computed from their predictions.
    ///
    /// # Errors
    /// Where predictions can't be read.
    pub(super) fn scores(&self, runs: &Runs, metrics: &[Metric]) -> Result<Scores, ReportError> {
        let Some(key) = self.path.and_then(|_| key(runs, metrics)) else {
            return Scores::of(runs, metrics);
        };
        let scores = match self.known.get(&key).and_then(|rest| parse(rest)) {
            Some(scores) => scores,
            None => {
                let scores = Scores::of(runs, metrics)?;
                let json = serde_json::to_string(&scores).expect("scores are plain data");
                let line = format!("{} {json}", sha256_hex(json.as_bytes()));
                self.changes().new.insert(key.clone(), line);
                scores
            }
        };
        self.changes().used.insert(key);
        Ok(scores)
    }

    /// Writes the file if there are new scores.
    pub(super) fn save(self) {
        let Changes { used, new } = self.changes.into_inner().expect("no holder panics");
        let Some(path) = self.path.filter(|_| !new.is_empty()) else { return };
        let mut all = self.known;
        all.extend(new);
        let size = |is_used: bool| -> usize {
            let lines = all.iter().filter(|(key, _)| used.contains(*key) == is_used);
            lines.map(|(_, rest)| rest.len()).sum()
        };
        if size(false) > 2 * size(true) + MOST_UNUSED {
            all.retain(|key, _| used.contains(key));
        }
        let text: String = all.iter().map(|(key, rest)| format!("{key} {rest}\n")).collect();
        let _ = disk::write_whole(path, text.as_bytes());
    }

    fn changes(&self) -> std::sync::MutexGuard<'_, Changes> {
        self.changes.lock().expect("no holder panics")
    }
}

/// The hash of all that the scores follow from; `None` where a file is missing or has no stamp.
fn key(runs: &Runs, metrics: &[Metric]) -> Option<String> {
    let mut hash = Sha256::new().piece(env!("ENCORE_SOURCE"));
    for metric in metrics {
        hash = hash.piece(metric.as_str());
    }
    for run in &runs.runs {
        let record = &run.record;
        let file = run.folder.join("predictions.csv");
        let facts = (
            Stamp::of(&file)?,
            record.files.get("predictions.csv"),
            (record.seed, record.test.n),
            (&record.data.hash, &record.data.classes),
        );
        hash = hash.piece(serde_json::to_vec(&facts).expect("facts are plain data"));
    }
    Some(hash.hex())
}

/// The scores of a line, if it is what was written.
fn parse(rest: &str) -> Option<Scores> {
    let (checksum, json) = rest.split_once(' ')?;
    (checksum == sha256_hex(json.as_bytes())).then(|| serde_json::from_str(json).ok())?
}
