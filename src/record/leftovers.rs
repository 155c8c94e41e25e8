//! What can be deleted without losing a finished run: removed runs, interrupted attempts, splits that no
//! run has.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{StoreError, io};
use super::store::{ClaimOutcome, Store};
use crate::disk::{self, Owner};

/// The kind of a leftover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftoverKind {
    /// A run in the trash.
    RemovedRun,
    /// An attempt whose process has ended.
    Attempt,
    /// A file of the folder of splits that no run has.
    Split,
}

/// Something that can be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// The kind.
    pub kind: LeftoverKind,
    /// The run's id, or the split's hash.
    pub name: String,
    /// The folder or file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub n_bytes: u64,
}

impl Store {
    /// Everything that can be deleted. `splits` are the hashes of the splits of all finished runs.
    /// Attempts of running processes and of other hosts are left out.
    ///
    /// # Errors
    /// If a folder can't be read.
    pub fn leftovers(&self, splits: &BTreeSet<String>) -> Result<Vec<Leftover>, StoreError> {
        let mut all = vec![];
        for run in self.trashed()? {
            all.push(Leftover {
                kind: LeftoverKind::RemovedRun,
                name: run.id,
                n_bytes: size(&run.folder)?,
                path: run.folder,
            });
        }
        for path in paths(&self.attempts())? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = name.strip_suffix(".removed").unwrap_or(&name);
            let Some((id, unique)) = name.rsplit_once('.') else { continue };
            if path.is_dir() && Owner::of(unique).is_some_and(|owner| owner.is_dead()) {
                let n_bytes = size(&path)?;
                let (kind, name) = (LeftoverKind::Attempt, id.to_owned());
                all.push(Leftover { kind, name, path, n_bytes });
            }
        }
        for path in paths(&self.splits())? {
            let hash = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let is_split = path.extension().is_some_and(|end| end == "csv") && path.is_file();
            if is_split && !splits.contains(&hash) {
                let n_bytes = size(&path)?;
                all.push(Leftover { kind: LeftoverKind::Split, name: hash, path, n_bytes });
            }
        }
        all.sort_by(|a, b| (a.kind, &a.path).cmp(&(b.kind, &b.path)));
        Ok(all)
    }

    /// Deletes a leftover. Returns false if a process resumes the attempt at this moment; then it is kept.
    ///
    /// # Errors
    /// If a file can't be deleted.
    pub fn delete(&self, leftover: &Leftover) -> Result<bool, StoreError> {
        let path = &leftover.path;
        let failed = |source| io(path, source);
        match leftover.kind {
            LeftoverKind::Split => match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
                _ => Ok(true),
            },
            LeftoverKind::RemovedRun => {
                // Its folder never looks complete while its files are deleted.
                let attempts = self.attempts();
                fs::create_dir_all(&attempts).map_err(|source| io(&attempts, source))?;
                let aside = disk::set_aside(path, &attempts).map_err(failed)?;
                aside.map_or(Ok(true), |aside| {
                    disk::remove_folder(&aside).map(|()| true).map_err(|source| io(&aside, source))
                })
            }
            LeftoverKind::Attempt => {
                let ClaimOutcome::Ours(claim) = self.claim(&leftover.name)? else {
                    return Ok(false);
                };
                let removed = disk::remove_folder(path).map_err(failed);
                drop(claim);
                removed.map(|()| true)
            }
        }
    }
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    disk::entries(folder).map_err(|source| io(folder, source))
}

fn size(path: &Path) -> Result<u64, StoreError> {
    disk::size(path).map_err(|source| io(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_needs_is_a_leftover() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("runs"));
        let attempt = |name: &str| {
            let folder = store.attempts().join(name);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("epochs.jsonl"), "12345").unwrap();
            folder
        };
        let ours = disk::unique_name();
        // The token of another process with our number: it has certainly ended.
        let (stem, token) = ours.rsplit_once('-').unwrap();
        let dead = format!("{stem}-{}0", if token.starts_with('0') { "1" } else { "0" }.repeat(8));
        attempt(&format!("a.{ours}"));
        attempt("a.elsewhere-12-0123456789");
        let left = attempt(&format!("b.c.{dead}"));
        fs::create_dir_all(store.splits()).unwrap();
        for hash in ["used", "unused"] {
            fs::write(store.splits().join(format!("{hash}.csv")), "123").unwrap();
        }
        fs::create_dir_all(store.folder("r")).unwrap();
        fs::write(store.folder("r").join("record.json"), "1234567").unwrap();
        store.remove("r").unwrap();
        let used = BTreeSet::from(["used".to_owned()]);
        let all = store.leftovers(&used).unwrap();
        let said: Vec<_> = all.iter().map(|it| (it.kind, it.name.as_str(), it.n_bytes)).collect();
        assert_eq!(
            said,
            [
                (LeftoverKind::RemovedRun, "r", 7),
                (LeftoverKind::Attempt, "b.c", 5),
                (LeftoverKind::Split, "unused", 3),
            ]
        );
        // Somebody resumes it now.
        let ClaimOutcome::Ours(claim) = store.claim("b.c").unwrap() else { panic!("it is free") };
        assert!(!store.delete(&all[1]).unwrap() && left.exists());
        drop(claim);
        for leftover in &all {
            assert!(store.delete(leftover).unwrap());
        }
        assert_eq!(store.leftovers(&used).unwrap(), []);
        assert_eq!(fs::read_dir(store.attempts()).unwrap().count(), 2, "the others are kept");
    }
}
