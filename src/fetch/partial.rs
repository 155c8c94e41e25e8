//! A partial download: `FILE.partial`, and `.partial.json` with the source of its bytes.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk;

/// Where the bytes of a partial file came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The address that was asked last.
    pub url: String,
    /// What it called the file's content.
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// Bytes of the whole file, as far as it is known.
    pub whole: Option<u64>,
    /// From how many answers the bytes are.
    pub n_answers: u32,
}

impl Origin {
    /// What `If-Range` may say: a strong ETag, or else a date.
    pub(super) fn validator(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|etag| !etag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// A file on its way.
pub(super) struct Partial {
    path: PathBuf,
    notes: PathBuf,
    /// `None` until the first byte arrives.
    pub origin: Option<Origin>,
    /// Number of bytes present.
    pub n: u64,
}

impl Partial {
    /// Opens a partial file; bytes from an unknown source are discarded.
    pub(super) fn open(folder: &Path, file: &str) -> Self {
        let path = folder.join(format!("{file}.partial"));
        let notes = folder.join(format!("{file}.partial.json"));
        let origin = fs::read(&notes).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let n = fs::metadata(&path).map_or(0, |file| file.len());
        match origin {
            Some(origin) if n > 0 => Self { path, notes, origin: Some(origin), n },
            _ => Self { path, notes, origin: None, n: 0 },
        }
    }

    /// The path of the bytes.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Prepares the file for the bytes of a response, appended or from the start.
    pub(super) fn write_from(&mut self, at: u64, origin: Origin) -> io::Result<File> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?;
        // In this order: a kill between the two leaves no bytes under a name that is not theirs.
        file.set_len(at)?;
        let text = serde_json::to_vec(&origin).expect("an origin is plain data");
        disk::write_whole(&self.notes, &text)?;
        self.origin = Some(origin);
        self.n = at;
        let mut file = file;
        io::Seek::seek(&mut file, io::SeekFrom::Start(at))?;
        Ok(file)
    }

    /// Renames the file after it has been checked. Its origin stays until the whole download is complete.
    pub(super) fn finish(self, to: &Path) -> io::Result<()> {
        disk::finish_file(&self.path, to)
    }

    /// The address of a file that an earlier process has finished; nothing if somebody put the file there.
    pub(super) fn finished_from(&self) -> Option<String> {
        let text = if self.path.exists() { None } else { fs::read(&self.notes).ok() };
        text.and_then(|text| serde_json::from_slice::<Origin>(&text).ok()).map(|origin| origin.url)
    }

    /// Forgets all of it.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.origin = None;
        self.n = 0;
        remove(&self.path)?;
        remove(&self.notes)
    }
}

/// Removes a file that may be there or not.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn origin(etag: Option<&str>, last_modified: Option<&str>) -> Origin {
        Origin {
            url: "http://x.org/a".to_owned(),
            etag: etag.map(str::to_owned),
            last_modified: last_modified.map(str::to_owned),
            whole: Some(9),
            n_answers: 1,
        }
    }

    #[test]
    fn a_partial_file_is_found_again_with_its_origin() {
        let folder = tempfile::tempdir().unwrap();
        let mut partial = Partial::open(folder.path(), "a");
        assert_eq!((partial.n, &partial.origin), (0, &None));
        let origin = origin(Some("\"x\""), None);
        let mut file = partial.write_from(0, origin.clone()).unwrap();
        file.write_all(b"12345").unwrap();
        let mut found = Partial::open(folder.path(), "a");
        assert_eq!((found.n, &found.origin), (5, &Some(origin.clone())));
        // Going on from an earlier byte cuts what is behind.
        found.write_from(3, origin.clone()).unwrap().write_all(b"-").unwrap();
        assert_eq!(fs::read(found.path()).unwrap(), b"123-");
        // Bytes without a known source are discarded.
        fs::write(folder.path().join("a.partial.json"), "{").unwrap();
        assert_eq!(Partial::open(folder.path(), "a").n, 0);
        assert_eq!(found.finished_from(), None);
        found.write_from(0, origin.clone()).unwrap();
        found.finish(&folder.path().join("a")).unwrap();
        let next = Partial::open(folder.path(), "a");
        assert_eq!((next.n, next.finished_from()), (0, Some(origin.url)));
    }

    #[test]
    fn a_weak_etag_does_not_say_that_bytes_are_the_same() {
        assert_eq!(origin(Some("\"x\""), Some("Mon")).validator(), Some("\"x\""));
        assert_eq!(origin(Some("W/\"x\""), Some("Mon")).validator(), Some("Mon"));
        assert_eq!(origin(Some("W/\"x\""), None).validator(), None);
    }
}
