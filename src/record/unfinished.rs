//! Runs that are not finished: running, interrupted or failed.
//!
//! | file in `attempts/` | what it holds |
//! |---|---|
//! | `ID.HOST-PID-RANDOM/attempt.json` | the run of the attempt ([`AttemptFacts`]) |
//! | `ID.failed.json` | which run failed last time, and why; removed when the run is finished |
//! | `inputs@EXPERIMENT@DATASET@HASH.failed.json` | the same for an experiment whose data or features failed, so that its runs have no id yet |

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{StoreError, io, write_whole};
use super::store::Store;
use crate::disk::{self, Owner};
use crate::vocab::Epoch;

/// The name of an attempt's facts in its folder.
pub(super) const FACTS: &str = "attempt.json";
const FAILED: &str = ".failed.json";

/// The run that an attempt belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptFacts {
    /// The experiment's name.
    pub experiment: String,
    /// The dataset that is used.
    pub dataset: String,
    /// The run's seed.
    pub seed: u64,
    /// SHA-256 of the resolved spec, as in [`super::Record`].
    pub spec_hash: String,
    /// Epochs that the spec asks for at most. Absent for models that are fitted in one go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_epochs: Option<usize>,
}

/// The state of an unfinished run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnfinishedState {
    /// A process works on it.
    Running,
    /// Its process ended without finishing it. The next run resumes it.
    Interrupted,
    /// It failed, for this reason.
    Failed(String),
    /// It was started on another host. Whether its process still runs is unknown.
    Elsewhere {
        /// The host's name.
        host: String,
    },
}

/// A run that is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// The run's id.
    pub id: String,
    /// Which run it is. Absent if an earlier version of encore started it.
    pub facts: Option<AttemptFacts>,
    /// Number of epochs of the most advanced attempt.
    pub n_epochs: usize,
    /// Its state.
    pub state: UnfinishedState,
}

impl Unfinished {
    /// Whether it stands for all runs of an experiment, whose data or features failed before the first run.
    #[must_use]
    pub fn is_of_inputs(&self) -> bool {
        self.id.starts_with(INPUTS)
    }
}

/// The start of the ids of failed inputs. No run's id has an `@`.
const INPUTS: &str = "inputs@";

fn inputs_id(facts: &AttemptFacts) -> String {
    let hash = facts.spec_hash.get(..24).unwrap_or(&facts.spec_hash);
    format!("{INPUTS}{}@{}@{hash}", facts.experiment.replace('/', "."), facts.dataset)
}

/// A failure as it is saved.
#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    #[serde(flatten)]
    facts: AttemptFacts,
    reason: String,
}

impl Store {
    /// All runs that were started and are not finished, by id. Unreadable attempts are left out; they are
    /// removed when the run is finished.
    ///
    /// # Errors
    /// Where the folder of attempts can't be read.
    pub fn unfinished(&self) -> Result<Vec<Unfinished>, StoreError> {
        let attempts = self.attempts();
        let mut ids: BTreeMap<String, Vec<(PathBuf, Owner)>> = BTreeMap::new();
        for path in disk::entries(&attempts).map_err(|source| io(&attempts, source))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(id) = name.strip_suffix(FAILED) {
                ids.entry(id.to_owned()).or_default();
            } else if let Some((id, unique)) = name.rsplit_once('.')
                && let Some(owner) = Owner::of(unique)
                && path.join(FACTS).exists()
            {
                ids.entry(id.to_owned()).or_default().push((path, owner));
            }
        }
        let is_open = |id: &String| !self.folder(id).join("record.json").exists();
        let ids = ids.into_iter().filter(|(id, _)| is_open(id));
        Ok(ids.filter_map(|(id, attempts)| self.state(id, &attempts)).collect())
    }

    /// The state of an unfinished run. `None` if it was never started.
    ///
    /// # Errors
    /// Where the folder of attempts can't be read.
    pub fn unfinished_run(&self, id: &str) -> Result<Option<Unfinished>, StoreError> {
        let mut attempts = self.owned(id)?;
        attempts.retain(|(path, _)| path.extension().is_none_or(|end| end != "removed"));
        Ok(self.state(id.to_owned(), &attempts))
    }

    /// The epochs of an unfinished run's most advanced attempt. A line that is being written is left out.
    ///
    /// # Errors
    /// If the folder of attempts can't be read.
    pub fn unfinished_epochs(&self, id: &str) -> Result<Vec<Epoch>, StoreError> {
        let epochs = |(path, _): (PathBuf, Owner)| -> Vec<Epoch> {
            let text = fs::read_to_string(path.join("epochs.jsonl")).unwrap_or_default();
            text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
        };
        let all = self.owned(id)?.into_iter().map(epochs);
        Ok(all.max_by_key(Vec::len).unwrap_or_default())
    }

    /// The last lines that the program of an unfinished run printed, if the model is a program.
    ///
    /// # Errors
    /// If the folder of attempts can't be read.
    pub fn unfinished_log(&self, id: &str) -> Result<Option<String>, StoreError> {
        const N_LINES: usize = 100;
        let log = |(path, _): (PathBuf, Owner)| fs::read(path.join("log.txt")).ok();
        let last = self.owned(id)?.into_iter().filter_map(log).next_back();
        Ok(last.map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(N_LINES)..].join("\n")
        }))
    }

    /// Saves why a run failed, until it is finished.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn note_failure(
        &self,
        id: &str,
        facts: AttemptFacts,
        reason: &str,
    ) -> Result<(), StoreError> {
        let path = self.failure_file(id);
        let failure = Failure { facts, reason: reason.to_owned() };
        let text = serde_json::to_string(&failure).expect("a failure is plain data");
        let attempts = self.attempts();
        fs::create_dir_all(&attempts).map_err(|source| io(&attempts, source))?;
        disk::remove_stale(&attempts);
        write_whole(&path, text.as_bytes())
    }

    /// Saves why the data or features of an experiment failed, until they can be used.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn note_failed_inputs(&self, facts: AttemptFacts, reason: &str) -> Result<(), StoreError> {
        self.note_failure(&inputs_id(&facts), facts, reason)
    }

    /// Forgets that the data or features of an experiment failed.
    pub fn forget_failed_inputs(&self, facts: &AttemptFacts) {
        self.forget_failure(&inputs_id(facts));
    }

    /// Forgets that a run failed.
    pub(super) fn forget_failure(&self, id: &str) {
        // A finished run counts, whatever else there is.
        let _ = fs::remove_file(self.failure_file(id));
    }

    fn failure_file(&self, id: &str) -> PathBuf {
        self.attempts().join(format!("{id}{FAILED}"))
    }

    fn state(&self, id: String, attempts: &[(PathBuf, Owner)]) -> Option<Unfinished> {
        let failure: Option<Failure> = read(&self.failure_file(&id));
        let is_running = attempts.iter().any(|(_, owner)| owner.is_alive())
            || disk::is_locked(&self.lock_file(&id));
        let elsewhere = attempts.iter().find(|(_, owner)| !owner.is_dead() && !owner.is_alive());
        let state = match (is_running, &failure, elsewhere) {
            (true, ..) => UnfinishedState::Running,
            (false, Some(failure), _) => UnfinishedState::Failed(failure.reason.clone()),
            (false, None, Some((_, owner))) => {
                UnfinishedState::Elsewhere { host: owner.host().to_owned() }
            }
            (false, None, None) if attempts.is_empty() => return None,
            (false, None, None) => UnfinishedState::Interrupted,
        };
        let facts = attempts.iter().find_map(|(path, _)| read(&path.join(FACTS)));
        let facts = facts.or_else(|| failure.map(|failure| failure.facts));
        let n_epochs = attempts.iter().map(|(path, _)| n_epochs(path)).max().unwrap_or(0);
        Some(Unfinished { id, facts, n_epochs, state })
    }
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_str(&fs::read_to_string(path).ok()?).ok()
}

/// Epochs that an attempt has done: lines of its curves.
fn n_epochs(attempt: &Path) -> usize {
    let text = fs::read_to_string(attempt.join("epochs.jsonl")).unwrap_or_default();
    text.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{ClaimOutcome, RunWriter};

    fn facts() -> AttemptFacts {
        AttemptFacts {
            experiment: "honest/dnn".to_owned(),
            dataset: "gtzan".to_owned(),
            seed: 3,
            spec_hash: "ab".to_owned(),
            max_epochs: Some(9),
        }
    }

    #[test]
    fn a_run_is_running_then_interrupted_or_failed() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("runs"));
        let id = "honest.dnn.gtzan.seed-3.0";
        let state = || {
            let all = store.unfinished().unwrap();
            assert_eq!(all.first().cloned(), store.unfinished_run(id).unwrap());
            all.into_iter().next().map(|run| (run.facts.unwrap(), run.n_epochs, run.state))
        };
        assert_eq!(state(), None);
        let ClaimOutcome::Ours(claim) = store.claim(id).unwrap() else { panic!("it is free") };
        let (mut writer, _, _) = RunWriter::begin(claim).unwrap();
        writer.facts(&facts()).unwrap();
        assert_eq!(state(), Some((facts(), 0, UnfinishedState::Running)));
        drop(writer);
        // The attempt's process has ended, as far as its name says.
        let path = store.owned(id).unwrap().remove(0).0;
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (stem, token) = name.rsplit_once('-').unwrap();
        let dead = path.with_file_name(format!(
            "{stem}-{}0",
            if token.starts_with('0') { "1" } else { "0" }.repeat(8)
        ));
        fs::rename(&path, &dead).unwrap();
        fs::write(dead.join("epochs.jsonl"), "{}\n{}\n{").unwrap();
        assert_eq!(state(), Some((facts(), 2, UnfinishedState::Interrupted)));
        store.note_failure(id, facts(), "the disk is full").unwrap();
        let failed = UnfinishedState::Failed("the disk is full".to_owned());
        assert_eq!(state(), Some((facts(), 2, failed.clone())));
        fs::remove_dir_all(&dead).unwrap();
        assert_eq!(state(), Some((facts(), 0, failed)));
        store.forget_failure(id);
        assert_eq!(state(), None);
        // An attempt of another host may still go on.
        let other = store.attempts().join(format!("{id}.elsewhere-12-0123456789"));
        fs::create_dir_all(&other).unwrap();
        let text = serde_json::to_string(&facts()).unwrap();
        fs::write(other.join(FACTS), text).unwrap();
        let elsewhere = UnfinishedState::Elsewhere { host: "elsewhere".to_owned() };
        assert_eq!(state(), Some((facts(), 0, elsewhere)));
    }
}
