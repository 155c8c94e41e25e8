//! Advisory locks, on file systems that have them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Lock {
    /// It is ours until it is dropped or the process ends, however it ends.
    Held(Held),
    /// Another process has it.
    Busy {
        /// Its number, where the file says it.
        process: Option<u32>,
    },
    /// The file system has no locks. Go on without: [`notice`] has the words for the user.
    Unsupported,
}

/// A lock that this process has.
#[derive(Debug)]
pub struct Held {
    _file: File,
    path: PathBuf,
}

impl Held {
    /// Whether the lock keeps others of this host away: on some file systems every lock succeeds.
    #[must_use]
    pub fn excludes_others(&self) -> bool {
        is_locked(&self.path)
    }

    /// Removes the lock's file and gives the lock back. A process that waits for the lock notices that
    /// the file is gone and takes a new one.
    pub fn remove(self) {
        // On Windows an open file can't be removed: it stays, empty of meaning.
        let _ = fs::remove_file(&self.path);
    }
}

/// What the user is told once if a file system has no locks.
static NOTICE: Mutex<Notice> = Mutex::new(Notice::None);

enum Notice {
    None,
    Waiting(String),
    Shown,
}

/// Returns the notice that a file system has no locks: once in a process, and only after a lock was
/// asked for there.
#[must_use]
pub fn notice() -> Option<String> {
    let mut notice = NOTICE.lock().expect("no holder of the notice panics");
    if !matches!(*notice, Notice::Waiting(_)) {
        return None;
    }
    match std::mem::replace(&mut *notice, Notice::Shown) {
        Notice::Waiting(text) => Some(text),
        Notice::None | Notice::Shown => None,
    }
}

/// Asks for the lock of a file, which is made if need be and says who has it; does not wait.
///
/// # Errors
/// Where the file can't be opened.
pub fn lock(path: &Path) -> io::Result<Lock> {
    loop {
        let open =
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
        let mut file = open?;
        match attempt(&file, path)? {
            Attempt::Ours => {}
            Attempt::Unsupported => return Ok(Lock::Unsupported),
            Attempt::Busy => {
                let mut text = String::new();
                // The number is only shown: a lock whose owner can't be read is a lock all the same.
                let _ = file.read_to_string(&mut text);
                return Ok(Lock::Busy { process: text.trim().parse().ok() });
            }
        }
        // The owner before may have removed the file after we opened it: a lock on it excludes nobody.
        if !is_still(&file, path) {
            continue;
        }
        let text = format!("{}\n", std::process::id());
        // Who has the lock is only shown: a full disk does not matter here.
        let _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        return Ok(Lock::Held(Held { _file: file, path: path.to_owned() }));
    }
}

/// Asks for the lock of an open file with content of its own, which lasts as long as the file is open.
/// True where nobody else has it; also where the file system has no locks.
///
/// # Errors
/// Where the lock can't be asked for.
pub fn lock_file(file: &File, path: &Path) -> io::Result<bool> {
    Ok(!matches!(attempt(file, path)?, Attempt::Busy))
}

/// Whether a process has the lock of a file now. False where the file does not exist or the file system
/// has no locks.
#[must_use]
pub fn is_locked(path: &Path) -> bool {
    let file = OpenOptions::new().write(true).open(path);
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

enum Attempt {
    Ours,
    Busy,
    Unsupported,
}

fn attempt(file: &File, path: &Path) -> io::Result<Attempt> {
    match file.try_lock() {
        Ok(()) => Ok(Attempt::Ours),
        Err(TryLockError::WouldBlock) => Ok(Attempt::Busy),
        Err(TryLockError::Error(error)) if is_unsupported(&error) => {
            let mut notice = NOTICE.lock().expect("no holder of the notice panics");
            if matches!(*notice, Notice::None) {
                let folder = super::whole::parent(path).display();
                *notice = Notice::Waiting(format!(
                    "the file system of {folder} has no locks ({error}): encore goes on without; \
                     two processes with the same work may both do it, and the results stay the same"
                ));
            }
            Ok(Attempt::Unsupported)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether an error says that there are no locks here, and not that something is broken.
fn is_unsupported(error: &io::Error) -> bool {
    if error.kind() == ErrorKind::Unsupported {
        return true;
    }
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        let none = [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOTSUP];
        error.raw_os_error().is_some_and(|code| none.iter().any(|e| e.raw_os_error() == code))
    }
    #[cfg(not(unix))]
    false
}

/// Whether an open file is the one at a path.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Whether an open file is the one at a path: here an open file can't be removed.
#[cfg(not(unix))]
fn is_still(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(path: &Path) -> Held {
        let Lock::Held(held) = lock(path).unwrap() else { panic!("nobody has it") };
        held
    }

    #[test]
    fn a_lock_is_given_once_and_says_who_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let ours = held(&path);
        assert!(ours.excludes_others());
        let Lock::Busy { process } = lock(&path).unwrap() else { panic!("it is taken") };
        assert_eq!(process, Some(std::process::id()));
        drop(ours);
        held(&path).remove();
        assert!(!path.exists());
        assert!(lock(&folder.path().join("none/lock")).is_err());
    }

    #[test]
    fn a_lock_on_a_removed_file_excludes_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let ours = held(&path);
        fs::remove_file(&path).unwrap();
        let other = held(&path);
        assert!(path.exists());
        drop((ours, other));
    }

    #[test]
    fn an_open_file_with_content_is_locked_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        fs::write(&path, "lines").unwrap();
        let [one, two] = [(); 2].map(|()| File::open(&path).unwrap());
        assert!(lock_file(&one, &path).unwrap());
        assert!(!lock_file(&two, &path).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "lines");
    }

    #[test]
    #[cfg(unix)]
    fn only_errors_that_mean_no_locks_are_taken_for_it() {
        use rustix::io::Errno;
        for (errno, expected) in [
            (Errno::NOSYS, true),
            (Errno::NOLCK, true),
            (Errno::OPNOTSUPP, true),
            (Errno::NOTSUP, true),
            (Errno::IO, false),
            (Errno::BADF, false),
            (Errno::ACCESS, false),
        ] {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            assert_eq!(is_unsupported(&error), expected, "{error}");
        }
    }
}
