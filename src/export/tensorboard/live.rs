//! Epochs of runs that go on, as they end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::error::{ExportError, io};
use super::events::{FILE, end, header, of_epoch};
use crate::record::Store;

/// Event files of runs that go on. They are read from the runs' own files, so that a run that is resumed has every epoch
/// once.
#[derive(Debug)]
pub struct LiveEvents {
    folder: PathBuf,
    open: BTreeMap<String, Open>,
    /// Runs whose files are complete.
    ended: BTreeSet<String>,
}

#[derive(Debug)]
struct Open {
    file: File,
    path: PathBuf,
    n_epochs: usize,
    at_s: f64,
}

impl LiveEvents {
    /// Writes into a folder, which is created if needed: a folder for each run, by its id.
    ///
    /// # Errors
    /// If the folder can't be made.
    pub fn in_folder(folder: &Path) -> Result<Self, ExportError> {
        fs::create_dir_all(folder).map_err(io(folder))?;
        Ok(Self { folder: folder.to_owned(), open: BTreeMap::new(), ended: BTreeSet::new() })
    }

    /// Adds what is new of the runs of a store that are wanted, by their experiment, dataset and seed.
    ///
    /// # Errors
    /// If runs can't be read or files can't be written.
    pub fn update(
        &mut self,
        store: &Store,
        is_wanted: impl Fn(&str, &str, u64) -> bool,
    ) -> Result<(), ExportError> {
        for run in store.unfinished()? {
            let Some(facts) = &run.facts else { continue };
            if is_wanted(&facts.experiment, &facts.dataset, facts.seed) {
                let epochs = store.unfinished_epochs(&run.id)?;
                self.add(&run.id, &epochs)?;
            }
        }
        // Those that have ended since the last time get what is left.
        let ids: Vec<String> = self.open.keys().cloned().collect();
        for id in ids {
            self.finish(store, &id)?;
        }
        Ok(())
    }

    /// Writes the rest of a run that has ended, if it has.
    fn finish(&mut self, store: &Store, id: &str) -> Result<(), ExportError> {
        let Some(run) = store.read(id)? else { return Ok(()) };
        self.add(id, &run.epochs()?)?;
        let Some(mut open) = self.open.remove(id) else { return Ok(()) };
        open.file.write_all(&end(&run)?).map_err(io(&open.path))?;
        self.ended.insert(id.to_owned());
        Ok(())
    }

    /// Writes the files of finished runs whose end was not seen, and leaves the others.
    ///
    /// # Errors
    /// If a run can't be read or its file can't be written.
    pub fn add_finished(&mut self, store: &Store, ids: &[String]) -> Result<(), ExportError> {
        for id in ids {
            if self.open.contains_key(id) {
                self.finish(store, id)?;
            } else if !self.ended.contains(id)
                && let Some(run) = store.read(id)?
            {
                super::write_events(&[run], &self.folder)?;
                self.ended.insert(id.clone());
            }
        }
        Ok(())
    }

    /// Adds the epochs of a run that its file lacks.
    fn add(&mut self, id: &str, epochs: &[crate::record::Epoch]) -> Result<(), ExportError> {
        if !self.open.contains_key(id) {
            let of_run = self.folder.join(id);
            fs::create_dir_all(&of_run).map_err(io(&of_run))?;
            let path = of_run.join(FILE);
            // What an earlier process wrote is written again: it may have been killed in the middle of a record.
            let mut file = File::create(&path).map_err(io(&path))?;
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let done: f64 = epochs.iter().map(|epoch| epoch.seconds).sum();
            let at_s = now.map_or(0.0, |now| now.as_secs_f64()) - done;
            file.write_all(&header(at_s)).map_err(io(&path))?;
            self.open.insert(id.to_owned(), Open { file, path, n_epochs: 0, at_s });
        }
        let open = self.open.get_mut(id).expect("it was put there just above");
        for epoch in epochs.iter().skip(open.n_epochs) {
            open.at_s += epoch.seconds;
            open.file.write_all(&of_epoch(epoch, open.at_s)).map_err(io(&open.path))?;
        }
        open.n_epochs = epochs.len().max(open.n_epochs);
        Ok(())
    }
}
