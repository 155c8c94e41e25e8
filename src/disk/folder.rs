//! Folders that get or lose their name by a single rename.

use std::fs::{self};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::unique_name;
use super::whole::{parent, sync_file, sync_folder};

/// The outcome of publishing a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// The folder has its final name.
    Ours,
    /// A folder with this name existed already. Neither folder was changed.
    Already,
}

/// Gives a finished folder its final name by one rename, after all of its files are on disk. If
/// several processes publish under one name, exactly one succeeds, without any lock.
///
/// # Errors
/// If the folder can't be flushed or renamed.
pub fn publish(attempt: &Path, name: &Path) -> io::Result<Published> {
    flush(attempt)?;
    publish_flushed(attempt, name)
}

/// Publishes a folder whose files the caller has already flushed; see [`publish`].
///
/// # Errors
/// If the folder can't be renamed.
pub fn publish_flushed(attempt: &Path, name: &Path) -> io::Result<Published> {
    fs::create_dir_all(parent(name))?;
    let renamed = match fs::rename(attempt, name) {
        // The final name may be on another disk, e.g. behind a symbolic link.
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            let copy = parent(name).join(format!(".{}", unique_name()));
            let copied = copy_folder(attempt, &copy).and_then(|()| flush(&copy));
            let moved = copied.and_then(|()| fs::rename(&copy, name));
            if moved.is_err() {
                let _ = fs::remove_dir_all(&copy);
            }
            moved.and_then(|()| remove_folder(attempt))
        }
        other => other,
    };
    match renamed {
        Ok(()) => {
            sync_folder(parent(name))?;
            Ok(Published::Ours)
        }
        // Operating systems report different errors here; what matters is that the folder exists.
        Err(_) if attempt.is_dir() && name.is_dir() => Ok(Published::Already),
        Err(error) => Err(error),
    }
}

/// Moves a folder into another one by one rename, under the name `NAME.HOST-PID-RANDOM.removed`, so
/// that it never looks complete while it is deleted. Returns its new path, or nothing if it no
/// longer exists.
///
/// # Errors
/// If the folder can't be renamed.
pub fn set_aside(folder: &Path, within: &Path) -> io::Result<Option<PathBuf>> {
    let name = folder.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let name = format!("{name}.{}.removed", unique_name());
    let mut aside = within.join(&name);
    let renamed = match fs::rename(folder, &aside) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => {
            aside = folder.with_file_name(format!(".{name}"));
            fs::rename(folder, &aside)
        }
        other => other,
    };
    match renamed {
        Ok(()) => Ok(Some(aside)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Removes a folder and its contents. A folder that does not exist, or that another process removes
/// at the same time, is not an error.
///
/// # Errors
/// If a file can't be removed.
pub fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound && folder.exists() => Err(error),
        _ => Ok(()),
    }
}

/// Size of a file, or of all files in a folder, in bytes. What another process removes meanwhile counts 0.
///
/// # Errors
/// If a folder can't be read.
pub fn size(path: &Path) -> io::Result<u64> {
    let of_contents = || {
        let file = fs::symlink_metadata(path)?;
        if !file.is_dir() {
            return Ok(file.len());
        }
        let sizes = fs::read_dir(path)?.map(|entry| size(&entry?.path()));
        sizes.sum::<io::Result<u64>>()
    };
    match of_contents() {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        other => other,
    }
}

/// Waits until the files of a folder and its sub-folders are on disk.
///
/// # Errors
/// If one can't be read or flushed.
pub(super) fn flush(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            flush(&entry.path())?;
        } else if kind.is_file() {
            sync_file(&entry.path())?;
        }
    }
    sync_folder(folder)
}

/// Copies a folder with all of its files. They are not flushed.
///
/// # Errors
/// If a file can't be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            fs::copy(entry.path(), &to)?;
        }
    }
    Ok(())
}

/// The paths of all entries of a folder; none if there is no such folder.
///
/// # Errors
/// If the folder can't be read.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
        other => other?.map(|entry| Ok(entry?.path())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(home: &Path, content: &str) -> PathBuf {
        let folder = home.join(unique_name());
        fs::create_dir_all(folder.join("inner")).unwrap();
        for name in ["a", "inner/b"] {
            fs::write(folder.join(name), content).unwrap();
        }
        folder
    }

    #[test]
    fn of_many_publishers_one_wins_and_its_folder_is_whole() {
        let home = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let name = home.path().join(format!("deep/{round}"));
            let attempts: Vec<PathBuf> =
                (0..4).map(|i| attempt(home.path(), &format!("{round}-{i}"))).collect();
            let start = std::sync::Barrier::new(attempts.len());
            let outcomes: Vec<Published> = std::thread::scope(|scope| {
                let publish_one = |attempt| {
                    start.wait();
                    publish(attempt, &name).unwrap()
                };
                let threads: Vec<_> = attempts
                    .iter()
                    .map(|attempt| scope.spawn(move || publish_one(attempt)))
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let winners = (0..4).filter(|i| outcomes[*i] == Published::Ours).collect::<Vec<_>>();
            let [winner] = winners[..] else { panic!("{outcomes:?}") };
            for file in ["a", "inner/b"] {
                let text = fs::read_to_string(name.join(file)).unwrap();
                assert_eq!(text, format!("{round}-{winner}"), "one whole folder");
            }
            for (i, attempt) in attempts.iter().enumerate() {
                assert_eq!(attempt.exists(), i != winner, "the others keep theirs");
            }
        }
    }

    #[test]
    fn a_file_under_the_final_name_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        let ours = attempt(home.path(), "x");
        fs::write(home.path().join("name"), "a file").unwrap();
        assert!(publish(&ours, &home.path().join("name")).is_err());
        assert!(publish(&home.path().join("gone"), &home.path().join("other")).is_err());
    }

    #[test]
    fn a_folder_is_set_aside_once_and_removed_without_an_error_if_it_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a");
        fs::create_dir(&folder).unwrap();
        let aside = set_aside(&folder, home.path()).unwrap().unwrap();
        assert!(aside.is_dir() && !folder.exists());
        assert_eq!(set_aside(&folder, home.path()).unwrap(), None);
        remove_folder(&aside).unwrap();
        remove_folder(&aside).unwrap();
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_copied_folder_is_the_same() {
        let home = tempfile::tempdir().unwrap();
        let ours = attempt(home.path(), "x");
        assert_eq!((size(&ours).unwrap(), size(&ours.join("a")).unwrap()), (2, 1));
        assert_eq!(size(&home.path().join("none")).unwrap(), 0);
        copy_folder(&ours, &home.path().join("copy")).unwrap();
        assert_eq!(fs::read_to_string(home.path().join("copy/inner/b")).unwrap(), "x");
    }
}
