//! Downloads that were interrupted: found and removed.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{self, Lock};

/// The end of the name of a folder of unfinished files.
const END: &str = ".fetching";

/// An unfinished download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnfinishedDownload {
    /// Its folder.
    pub folder: PathBuf,
    /// Size of its files in bytes.
    pub n_bytes: u64,
}

/// The unfinished downloads in a folder, by name. Those that a process continues are left out.
///
/// # Errors
/// If the folder can't be read.
pub fn unfinished_downloads(folder: &Path) -> io::Result<Vec<UnfinishedDownload>> {
    let mut found = vec![];
    for folder in disk::entries(folder)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_left = name.ends_with(END) || (name.contains(END) && name.ends_with(".removed"));
        if is_left && folder.is_dir() && !disk::is_locked(&folder.join("lock")) {
            found.push(UnfinishedDownload { n_bytes: disk::size(&folder)?, folder });
        }
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(found)
}

/// Removes an unfinished download. Returns false if a process continues it at this moment.
///
/// # Errors
/// If a file can't be removed.
pub fn remove_unfinished(download: &UnfinishedDownload) -> io::Result<bool> {
    let folder = &download.folder;
    let lock = match disk::lock(&folder.join("lock"))? {
        Lock::Busy { .. } => return Ok(false),
        Lock::Held(held) => Some(held),
        Lock::Unsupported => None,
    };
    // A process that waits for the lock notices that the folder is gone and makes a new one.
    let aside = disk::set_aside(folder, folder.parent().unwrap_or(Path::new(".")))?;
    drop(lock);
    aside.map_or(Ok(true), |aside| disk::remove_folder(&aside).map(|()| true))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_download_that_goes_on_is_kept() {
        let home = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let folder = home.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("a.zip.partial"), "1234").unwrap();
            folder
        };
        make("whole");
        let (left, busy) = (make("gtzan.fetching"), make("fma.fetching"));
        make("old.fetching.host-1-0123456789.removed");
        let Lock::Held(held) = disk::lock(&busy.join("lock")).unwrap() else {
            panic!("it is free")
        };
        let found = unfinished_downloads(home.path()).unwrap();
        let names: Vec<_> = found.iter().map(|it| it.folder.file_name().unwrap()).collect();
        assert_eq!(names, ["gtzan.fetching", "old.fetching.host-1-0123456789.removed"]);
        assert_eq!(found[0].n_bytes, 4);
        let of_busy = UnfinishedDownload { folder: busy.clone(), n_bytes: 4 };
        assert!(!remove_unfinished(&of_busy).unwrap() && busy.exists());
        drop(held);
        for download in found.iter().chain([&of_busy]) {
            assert!(remove_unfinished(download).unwrap());
        }
        assert!(!left.exists());
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        assert_eq!(unfinished_downloads(&home.path().join("none")).unwrap(), []);
    }
}
