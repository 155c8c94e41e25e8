//! Removed runs: moved into `trash/` beside the runs by one rename, until they are deleted for good.
//!
//! A removed run is `trash/ID/`; one of the same id that is removed later is `trash/ID~2/`, and so on.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::error::{StoreError, io};
use super::store::Store;
use crate::disk::{self, Published};

/// What divides an id from a number.
const NUMBER: char = '~';

/// A run in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// The run's id.
    pub id: String,
    /// Which removed run of this id it is, from 1.
    pub number: usize,
    /// Its folder.
    pub folder: PathBuf,
}

impl Store {
    fn trash(&self) -> PathBuf {
        self.beside("trash")
    }

    /// Moves a run into the trash and returns its new folder.
    ///
    /// # Errors
    /// If the folder can't be renamed.
    pub fn remove(&self, id: &str) -> Result<PathBuf, StoreError> {
        let folder = self.folder(id);
        for number in 1.. {
            let to = self.trash().join(match number {
                1 => id.to_owned(),
                number => format!("{id}{NUMBER}{number}"),
            });
            if !to.exists() && moved(&folder, &to)? {
                return Ok(to);
            }
        }
        unreachable!("there is always another number")
    }

    /// Moves the run that was removed last under an id back. Returns false if there is a run of this id
    /// again; then nothing is moved.
    ///
    /// # Errors
    /// If the folder can't be renamed.
    pub fn restore(&self, removed: &Trashed) -> Result<bool, StoreError> {
        moved(&removed.folder, &self.folder(&removed.id))
    }

    /// The removed runs, by id and number.
    ///
    /// # Errors
    /// If the trash can't be read.
    pub fn trashed(&self) -> Result<Vec<Trashed>, StoreError> {
        let trash = self.trash();
        let mut all = vec![];
        for folder in disk::entries(&trash).map_err(|source| io(&trash, source))? {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !folder.is_dir() || name.starts_with('.') {
                continue;
            }
            let numbered = name.rsplit_once(NUMBER);
            let numbered = numbered.and_then(|(id, number)| Some((id, number.parse().ok()?)));
            let (id, number) = numbered.unwrap_or((&name, 1));
            all.push(Trashed { id: id.to_owned(), number, folder });
        }
        all.sort_by(|a, b| (&a.id, a.number).cmp(&(&b.id, b.number)));
        Ok(all)
    }
}

/// Renames a folder; false if the new name is taken.
fn moved(from: &Path, to: &Path) -> Result<bool, StoreError> {
    if !from.exists() {
        return Err(io(from, ErrorKind::NotFound.into()));
    }
    if to.exists() {
        return Ok(false);
    }
    let published = disk::publish_flushed(from, to).map_err(|source| io(to, source))?;
    if let Some(folder) = from.parent() {
        disk::sync_folder(folder).map_err(|source| io(folder, source))?;
    }
    Ok(published == Published::Ours)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn removed_runs_come_back_unless_there_is_a_new_one() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("runs"));
        let make = |content: &str| {
            fs::create_dir_all(store.folder("a.b")).unwrap();
            fs::write(store.folder("a.b").join("record.json"), content).unwrap();
        };
        assert_eq!(store.trashed().unwrap(), []);
        for content in ["1", "2"] {
            make(content);
            store.remove("a.b").unwrap();
        }
        assert!(!store.folder("a.b").exists());
        let trashed = store.trashed().unwrap();
        let names: Vec<_> = trashed.iter().map(|run| (run.id.as_str(), run.number)).collect();
        assert_eq!(names, [("a.b", 1), ("a.b", 2)]);
        make("3");
        assert!(!store.restore(&trashed[1]).unwrap(), "there is a run");
        let content = || fs::read_to_string(store.folder("a.b").join("record.json")).unwrap();
        assert_eq!(content(), "3");
        store.remove("a.b").unwrap();
        assert!(store.restore(&trashed[1]).unwrap());
        assert_eq!(content(), "2");
        assert!(store.restore(&trashed[1]).is_err() && store.remove("none").is_err());
    }
}
