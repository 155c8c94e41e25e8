//! What changes when a file is written again.

use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// A file as the file system describes it. A file with the stamp that it had has the content that it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    n_bytes: u64,
    /// Seconds and nanoseconds since 1970.
    modified: (u64, u32),
    /// On Unix, the file's number and when anything about it changed: a program may set the time of
    /// modification, but not these.
    identity: Option<(u64, i64, i64)>,
}

impl Stamp {
    /// `None` where there is no file, or the system does not say when it was modified.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let file = fs::metadata(path).ok()?;
        let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        let modified = (since.as_secs(), since.subsec_nanos());
        #[cfg(unix)]
        let identity = {
            use std::os::unix::fs::MetadataExt;
            Some((file.ino(), file.ctime(), file.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let identity = None;
        Some(Self { n_bytes: file.len(), modified, identity })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_of_a_file_changes_its_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(Stamp::of(&path), None);
        fs::write(&path, "one").unwrap();
        let first = Stamp::of(&path);
        assert!(first.is_some() && first == Stamp::of(&path));
        fs::write(&path, "three").unwrap();
        let longer = Stamp::of(&path);
        assert_ne!(longer, first);
        // As long as before, and with the same time of modification.
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let other = folder.path().join("b");
        fs::write(&other, "seven").unwrap();
        fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), time);
        assert_eq!(Stamp::of(&path) == longer, cfg!(not(unix)));
    }
}
