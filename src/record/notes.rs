//! What people say of a finished run: tags, a note, and whether it is archived.
//!
//! | file in `runs/ID/` | content |
//! |---|---|
//! | `notes.json` | tags and note ([`Notes`]) |
//! | `archived` | its existence archives the run |
//!
//! These files are not part of the record: its seal and its checksums say nothing about them.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::{StoreError, io, write_whole};
use super::store::Store;
use crate::disk::{self, Lock};

const NOTES: &str = "notes.json";
const ARCHIVED: &str = "archived";

/// Tags and note of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes {
    /// Tags, each once.
    #[serde(default)]
    pub tags: BTreeSet<String>,
    /// Any text; empty without a note.
    #[serde(default)]
    pub note: String,
}

impl Store {
    /// Tags and note of a run; none where nobody wrote any.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn notes(&self, id: &str) -> Result<Notes, StoreError> {
        read(&self.folder(id))
    }

    /// Changes tags and note of a finished run. Two processes that do so at a time wait for each other.
    ///
    /// # Errors
    /// If the file can't be read or written.
    pub fn change_notes(
        &self,
        id: &str,
        change: impl FnOnce(&mut Notes),
    ) -> Result<Notes, StoreError> {
        let attempts = self.attempts();
        fs::create_dir_all(&attempts).map_err(|source| io(&attempts, source))?;
        let path = attempts.join(format!("{id}.notes.lock"));
        let lock = loop {
            match disk::lock(&path).map_err(|source| io(&path, source))? {
                Lock::Busy { .. } => sleep(Duration::from_millis(10)),
                Lock::Held(held) => break Some(held),
                Lock::Unsupported => break None,
            }
        };
        let folder = self.folder(id);
        let written = read(&folder).and_then(|mut notes| {
            change(&mut notes);
            write(&folder, &notes).map(|()| notes)
        });
        if let Some(lock) = lock {
            lock.remove();
        }
        written
    }

    /// Whether a run is archived.
    #[must_use]
    pub fn is_archived(&self, id: &str) -> bool {
        self.folder(id).join(ARCHIVED).exists()
    }

    /// Archives a run, or brings it back.
    ///
    /// # Errors
    /// If the file can't be written or removed.
    pub fn set_archived(&self, id: &str, is_archived: bool) -> Result<(), StoreError> {
        let path = self.folder(id).join(ARCHIVED);
        if is_archived {
            return write_whole(&path, b"");
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io(&path, error)),
            _ => disk::sync_folder(&self.folder(id)).map_err(|source| io(&path, source)),
        }
    }
}

fn read(folder: &Path) -> Result<Notes, StoreError> {
    let path = folder.join(NOTES);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Notes::default()),
        other => other.map_err(|source| io(&path, source))?,
    };
    serde_json::from_slice(&text)
        .map_err(|error| StoreError::Notes { path, message: error.to_string() })
}

fn write(folder: &Path, notes: &Notes) -> Result<(), StoreError> {
    let path = folder.join(NOTES);
    let mut text = serde_json::to_string_pretty(notes).expect("notes are plain data");
    text.push('\n');
    write_whole(&path, text.as_bytes())
}

/// Takes tags, note and archive mark of a run's folder along into one that replaces it. What can't be
/// copied is lost with the damaged folder, which is no reason to keep the damage.
pub(super) fn copy(from: &Path, to: &Path) {
    for name in [NOTES, ARCHIVED] {
        if let Ok(bytes) = fs::read(from.join(name)) {
            let _ = disk::write_whole(&to.join(name), &bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_changed_one_after_the_other_and_a_damaged_file_is_named() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("runs"));
        fs::create_dir_all(store.folder("a")).unwrap();
        assert_eq!(store.notes("a").unwrap(), Notes::default());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    store.change_notes("a", |notes| notes.tags.extend([n.to_string()])).unwrap()
                });
            }
        });
        assert_eq!(store.notes("a").unwrap().tags.len(), 8);
        assert_eq!(fs::read_dir(store.attempts()).unwrap().count(), 0, "no lock is left");
        fs::write(store.folder("a").join(NOTES), "{").unwrap();
        let said = store.notes("a").unwrap_err().to_string();
        assert!(said.contains("notes.json") && said.contains("hint: "), "{said}");
        let is_changed = store.change_notes("a", |notes| notes.note = "x".to_owned());
        assert!(is_changed.is_err(), "what cannot be read is not replaced");
    }

    #[test]
    fn a_run_is_archived_until_it_is_brought_back() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().join("runs"));
        fs::create_dir_all(store.folder("a")).unwrap();
        for _ in 0..2 {
            store.set_archived("a", true).unwrap();
            assert!(store.is_archived("a"));
        }
        assert_eq!(store.ids().unwrap(), [] as [&str; 0]);
        assert_eq!(store.with_archived().ids().unwrap(), ["a"]);
        for _ in 0..2 {
            store.set_archived("a", false).unwrap();
            assert!(!store.is_archived("a"));
        }
        assert_eq!(store.ids().unwrap(), ["a"]);
        assert!(store.set_archived("none", true).is_err());
    }
}
