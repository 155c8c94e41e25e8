//! The folders of all runs and of all attempts: found, claimed, listed.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::{StoreError, io};
use super::shared::Pool;
use super::{Run, checkpoint};
use crate::disk::{self, Held, Lock, Owner};

/// Records that are read at a time.
const BATCH: usize = 256;

/// The folder of all runs, with one sub-folder each.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    /// Whether lists contain archived runs.
    lists_archived: bool,
}

/// Permission to do a run. If the file system has locks, one process at a time has it, which avoids
/// duplicate work. Without locks, several processes may have it; no result depends on that.
#[derive(Debug)]
pub struct Claim {
    pub(super) store: Store,
    pub(super) id: String,
    lock: Option<Held>,
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A process that waits for the lock creates a new file.
        if let Some(lock) = self.lock.take() {
            lock.remove();
        }
    }
}

/// The outcome of asking for a [`Claim`].
#[derive(Debug)]
pub enum ClaimOutcome {
    /// It is ours.
    Ours(Claim),
    /// Another process has it.
    Busy {
        /// Its process number, if it could be read.
        process: Option<u32>,
    },
}

impl Store {
    /// Creates the store of a folder, which need not exist yet.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), lists_archived: false }
    }

    /// The same store, in whose lists archived runs appear too.
    #[must_use]
    pub fn with_archived(&self) -> Self {
        Self { lists_archived: true, ..self.clone() }
    }

    /// Returns the folder of all runs.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder of a run, which need not exist.
    #[must_use]
    pub fn folder(&self, id: &str) -> PathBuf {
        self.root.join(id)
    }

    /// Returns the folder of unfinished runs, on the same disk as the finished ones: `attempts`
    /// beside `runs`.
    #[must_use]
    pub fn attempts(&self) -> PathBuf {
        self.beside("attempts")
    }

    /// The file that keeps scores of finished runs between reports. It is derived from the runs and may be
    /// deleted at any time.
    #[must_use]
    pub fn scores(&self) -> PathBuf {
        self.beside("runs.scores.txt")
    }

    /// What belongs to the runs lies beside their folder; if that is not called `runs`, hidden in it.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        if self.root.file_name().is_some_and(|root| root == "runs") {
            self.root.with_file_name(name)
        } else {
            self.root.join(format!(".{name}"))
        }
    }

    /// The folder that stores every split once: `splits` beside `runs`. Runs hold links to its files and
    /// do not need the folder itself.
    pub(super) fn splits(&self) -> PathBuf {
        self.beside("splits")
    }

    /// The folder of what a longer run needs to go on where a shorter one ended: `stopped` beside `runs`. It is
    /// derived from the runs and may be deleted at any time.
    pub(super) fn stopped(&self, name: &str) -> PathBuf {
        self.beside("stopped").join(name)
    }

    /// Forgets what longer runs would need to go on, by the start of their ids. Such runs would train from the
    /// first epoch, and come to the same bits.
    ///
    /// # Errors
    /// If a file can't be removed.
    pub fn forget_stopped(&self, start_of_id: &str) -> Result<(), StoreError> {
        let root = self.beside("stopped");
        for path in disk::entries(&root).map_err(|source| io(&root, source))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(start_of_id) {
                disk::remove_folder(&path).map_err(|source| io(&path, source))?;
            }
        }
        Ok(())
    }

    /// Returns the path of a new attempt folder: `ID.HOST-PID-RANDOM`. Only this process writes
    /// into it.
    pub(super) fn new_attempt(&self, id: &str) -> PathBuf {
        self.attempts().join(format!("{id}.{}", disk::unique_name()))
    }

    /// Returns the attempts at a run, of any process, sorted by name.
    pub(super) fn attempts_at(&self, id: &str) -> Result<Vec<PathBuf>, StoreError> {
        let attempts = self.owned(id)?.into_iter().map(|(path, _)| path);
        Ok(attempts.filter(|path| path.extension().is_none_or(|end| end != "removed")).collect())
    }

    /// Removes the attempts at a run whose processes have certainly ended. Those of running processes
    /// and of other hosts stay.
    pub(super) fn remove_dead_attempts(&self, id: &str) -> Result<(), StoreError> {
        for (path, owner) in self.owned(id)? {
            if owner.is_dead() {
                disk::remove_folder(&path).map_err(|source| io(&path, source))?;
            }
        }
        Ok(())
    }

    /// Creates a folder for work outside this store, which the process removes again. Folders of
    /// the same name that killed processes left are removed.
    ///
    /// # Errors
    /// If a folder can't be created or removed.
    pub fn scratch(&self, name: &str) -> Result<PathBuf, StoreError> {
        self.remove_dead_attempts(name)?;
        let folder = self.new_attempt(name);
        fs::create_dir_all(&folder).map_err(|source| io(&folder, source))?;
        Ok(folder)
    }

    /// What lies in the folder of attempts under a run's id, with its owners.
    pub(super) fn owned(&self, id: &str) -> Result<Vec<(PathBuf, Owner)>, StoreError> {
        let attempts = self.attempts();
        let mut owned = vec![];
        for path in disk::entries(&attempts).map_err(|source| io(&attempts, source))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.strip_suffix(".removed").unwrap_or(&name);
            let unique = name.strip_prefix(id).and_then(|rest| rest.strip_prefix('.'));
            if let Some(owner) = unique.and_then(Owner::of) {
                owned.push((path, owner));
            }
        }
        owned.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(owned)
    }

    /// Reads the finished run of this id, if there is one. Only its record is checked.
    ///
    /// # Errors
    /// If the record is damaged.
    pub fn read(&self, id: &str) -> Result<Option<Run>, StoreError> {
        Run::read_in(id, &self.folder(id))
    }

    /// Reads a run as [`Self::read`] does, and checks all of its files.
    ///
    /// # Errors
    /// If a file is missing or damaged.
    pub fn read_whole(&self, id: &str) -> Result<Option<Run>, StoreError> {
        let Some(run) = self.read(id)? else { return Ok(None) };
        run.check()?;
        Ok(Some(run))
    }

    /// Returns all finished runs, sorted by id, and the errors of damaged records. Archived runs are left
    /// out, unless this is [`Self::with_archived`].
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn finished(&self) -> Result<(Vec<Run>, Vec<StoreError>), StoreError> {
        let ids = self.ids()?;
        let (mut specs, mut options, mut data) =
            (Pool::default(), Pool::default(), Pool::default());
        let (mut runs, mut damaged) = (vec![], vec![]);
        // In batches, so that equal parts of all records are never in memory at once.
        for ids in ids.chunks(BATCH) {
            let read = |id: &String| self.read(id)?.ok_or_else(|| self.partial(id));
            let batch: Vec<Result<Run, StoreError>> = ids.par_iter().map(read).collect();
            for run in batch {
                match run {
                    Ok(mut run) => {
                        let record = &mut run.record;
                        specs.share(&record.spec_hash, &mut record.spec);
                        options.share(&record.spec_hash, &mut record.options);
                        let features = record.data.features_hash.clone();
                        data.share(&features, &mut record.data);
                        runs.push(run);
                    }
                    Err(error) => damaged.push(error),
                }
            }
        }
        Ok((runs, damaged))
    }

    /// The names of the folders that are or should be runs, sorted. Archived runs are left out, unless this is
    /// [`Self::with_archived`].
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn ids(&self) -> Result<Vec<String>, StoreError> {
        let unavailable = |error: std::io::Error| self.unavailable(error.to_string());
        let entries = match fs::read_dir(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.check_link()?;
                return Ok(vec![]);
            }
            other => other.map_err(unavailable)?,
        };
        let mut ids = vec![];
        for entry in entries {
            let entry = entry.map_err(unavailable)?;
            let id = entry.file_name().to_string_lossy().into_owned();
            // Runs are folders, or links to some. Hidden ones are half copied.
            let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
            let is_run = !id.starts_with('.') && !is_file;
            if is_run && (self.lists_archived || !self.is_archived(&id)) {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }

    /// A folder of a run without a record.
    pub(super) fn partial(&self, id: &str) -> StoreError {
        let message = "is missing; the run was copied only in part";
        StoreError::damaged(&self.folder(id), "record.json", message)
    }

    /// Refuses a folder that is a link into nothing: its disk is not mounted.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub fn check_link(&self) -> Result<(), StoreError> {
        match fs::read_link(&self.root) {
            Ok(target) if !self.root.exists() => {
                let target = target.display();
                Err(self.unavailable(format!("is a link to {target}, which does not exist")))
            }
            _ => Ok(()),
        }
    }

    fn unavailable(&self, message: String) -> StoreError {
        StoreError::Unavailable { path: self.root.clone(), message }
    }

    /// Asks for permission to make a run; does not wait.
    ///
    /// # Errors
    /// Where the folder of attempts can't be made, or the folder of runs is on a disk that is not there.
    pub fn claim(&self, id: &str) -> Result<ClaimOutcome, StoreError> {
        self.check_link()?;
        let attempts = self.attempts();
        fs::create_dir_all(&attempts).map_err(|source| io(&attempts, source))?;
        let path = self.lock_file(id);
        let lock = match disk::lock(&path).map_err(|source| io(&path, source))? {
            Lock::Busy { process } => return Ok(ClaimOutcome::Busy { process }),
            Lock::Held(held) => Some(held),
            Lock::Unsupported => None,
        };
        Ok(ClaimOutcome::Ours(Claim { store: self.clone(), id: id.to_owned(), lock }))
    }

    /// Removes what interruptions may have left of a finished run: dead attempts, a lock that nobody
    /// holds, and the checkpoints that earlier versions of encore wrote into its folder.
    ///
    /// # Errors
    /// If a file can't be removed.
    pub fn tidy(&self, run: &Run) -> Result<(), StoreError> {
        checkpoint::remove(&run.folder)?;
        self.forget_failure(&run.id);
        if self.lock_file(&run.id).exists() {
            // A claim removes its lock at the end.
            let _ = self.claim(&run.id);
        }
        self.remove_dead_attempts(&run.id)
    }

    pub(super) fn lock_file(&self, id: &str) -> PathBuf {
        self.attempts().join(format!("{id}.lock"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_claimed_once_until_the_claim_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let ClaimOutcome::Ours(claim) = store.claim("a").unwrap() else { panic!("nobody has it") };
        let ClaimOutcome::Busy { process } = store.claim("a").unwrap() else {
            panic!("it is taken")
        };
        assert_eq!(process, Some(std::process::id()));
        assert!(matches!(store.claim("b").unwrap(), ClaimOutcome::Ours(_)));
        drop(claim);
        assert!(matches!(store.claim("a").unwrap(), ClaimOutcome::Ours(_)));
        assert_eq!(fs::read_dir(store.attempts()).unwrap().count(), 0, "no lock is left");
    }
}
