//! Small facts of all finished runs, without reading their records again.
//!
//! As the index, the file is derived from the records and only decides which of them need not be read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::stamp::Stamp;
use super::{Run, Shared, Store, StoreError};
use crate::disk;
use crate::vocab::sha256_hex;

/// Values by field.
pub type Fields = BTreeMap<String, Value>;

/// What is known of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFields {
    /// The run's id.
    pub id: String,
    /// Fields of this run alone.
    pub own: Fields,
    /// Fields that many runs have in common.
    pub shared: Shared<Fields>,
}

impl RunFields {
    /// The value of a field, or with `FIELD[I]` an item of a list. A null is no value.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        let find = |name: &str| self.own.get(name).or_else(|| self.shared.get(name));
        let found = find(field).or_else(|| {
            let (list, index) = field.strip_suffix(']')?.rsplit_once('[')?;
            find(list)?.as_array()?.get(index.parse::<usize>().ok()?)
        });
        found.filter(|value| !value.is_null())
    }
}

/// How much is asked of the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Depth {
    /// What the records say.
    Records,
    /// Also what follows from the predictions.
    Predictions,
}

/// Version of the file's layout.
const FORMAT: u32 = 1;

#[derive(Default, Serialize, Deserialize)]
struct File {
    format: u32,
    /// What derived the fields.
    version: String,
    /// Shared fields by their hash.
    shared: BTreeMap<String, Shared<Fields>>,
    runs: BTreeMap<String, Entry>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    /// Of the predictions, if the fields follow from them.
    predictions: Option<Stamp>,
    depth: Depth,
    shared: String,
    own: Fields,
}

impl Store {
    /// Fields of all finished runs, by id, and what is wrong with the damaged ones. `derive` returns the
    /// fields of one run, those of its own and those that it shares with others; it is called for runs that
    /// are not known in this depth yet. `version` changes with what it returns.
    ///
    /// # Errors
    /// If the folder of runs can't be read.
    pub fn gather<E: From<StoreError> + Send>(
        &self,
        version: &str,
        depth: Depth,
        derive: impl Fn(&Run) -> Result<(Fields, Fields), E> + Sync,
    ) -> Result<(Vec<RunFields>, Vec<E>), StoreError> {
        let path = self.beside("runs.fields.json");
        let known = read(&path, version);
        let ids = self.ids()?;
        let found: Vec<(String, Found<E>)> = ids
            .into_par_iter()
            .map(|id| {
                let found = self.found(&id, &known, depth, &derive);
                (id, found)
            })
            .collect();
        let (mut file, mut damaged, mut n_new) = (File::default(), vec![], 0);
        let mut runs = vec![];
        for (id, found) in found {
            let entry = match found {
                Found::Damaged(error) => {
                    damaged.push(error);
                    continue;
                }
                Found::Known(entry) => entry,
                Found::New(stamp, predictions, own, shared) => {
                    n_new += 1;
                    let text = serde_json::to_vec(&shared).expect("fields are plain data");
                    let hash = sha256_hex(&text)[..16].to_owned();
                    file.shared.entry(hash.clone()).or_insert_with(|| shared.into());
                    Entry { stamp, predictions, depth, shared: hash, own }
                }
            };
            if let Some(shared) = known.shared.get(&entry.shared) {
                file.shared.entry(entry.shared.clone()).or_insert_with(|| shared.clone());
            }
            let shared = file.shared[&entry.shared].clone();
            runs.push(RunFields { id: id.clone(), own: entry.own.clone(), shared });
            file.runs.insert(id, entry);
        }
        if n_new > 0 || file.runs.len() != known.runs.len() {
            (file.format, file.version) = (FORMAT, version.to_owned());
            let text = serde_json::to_vec(&file).expect("fields are plain data");
            // Where it can't be written, everything works, only slower.
            let _ = disk::write_whole(&path, &text);
        }
        Ok((runs, damaged))
    }

    fn found<E: From<StoreError>>(
        &self,
        id: &str,
        known: &File,
        depth: Depth,
        derive: &impl Fn(&Run) -> Result<(Fields, Fields), E>,
    ) -> Found<E> {
        let stamp = Stamp::of(&self.folder(id).join("record.json"));
        let predictions = || Stamp::of(&self.folder(id).join("predictions.csv"));
        if let Some(entry) = known.runs.get(id)
            && Some(entry.stamp) == stamp
            && (entry.depth < Depth::Predictions || entry.predictions == predictions())
            && entry.depth >= depth
            && known.shared.contains_key(&entry.shared)
        {
            return Found::Known(entry.clone());
        }
        let run = match self.read(id) {
            Ok(Some(run)) => run,
            Ok(None) => return Found::Damaged(self.partial(id).into()),
            Err(error) => return Found::Damaged(error.into()),
        };
        let predictions = if depth == Depth::Predictions { predictions() } else { None };
        match (derive(&run), stamp) {
            (Ok((own, shared)), Some(stamp)) => Found::New(stamp, predictions, own, shared),
            (Ok(_), None) => Found::Damaged(self.partial(id).into()),
            (Err(error), _) => Found::Damaged(error),
        }
    }
}

enum Found<E> {
    Known(Entry),
    New(Stamp, Option<Stamp>, Fields, Fields),
    Damaged(E),
}

/// The file, or an empty one if there is none that can be used.
fn read(path: &Path, version: &str) -> File {
    let text = fs::read(path).unwrap_or_default();
    let file: Option<File> = serde_json::from_slice(&text).ok();
    file.filter(|file| file.format == FORMAT && file.version == version).unwrap_or_default()
}
