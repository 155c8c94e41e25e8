//! Advisory locks, on file systems that support them.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The outcome of a lock request.
#[derive(Debug)]
pub enum Lock {
    /// We hold the lock until it is dropped or the process ends, however it ends.
    Held(Held),
    /// Another process holds the lock.
    Busy {
        /// Its process number, if the file contains it.
        process: Option<u32>,
    },
    /// The file system has no locks. Continue without one; [`notice`] returns a message for the
    /// user.
    Unsupported,
}

/// A lock that this process holds.
#[derive(Debug)]
pub struct Held {
    _file: File,
    path: PathBuf,
}

impl Held {
    /// Returns whether the lock excludes other processes of this host: on some file systems every
    /// lock request succeeds.
    #[must_use]
    pub fn excludes_others(&self) -> bool {
        is_locked(&self.path)
    }

    /// Removes the lock's file and releases the lock. A process that waits for the lock notices
    /// that the file is gone and creates a new one.
    pub fn remove(self) {
        // Windows can't remove an open file; the file stays and means nothing.
        let _ = fs::remove_file(&self.path);
    }
}

/// The notice that a file system has no locks, which a command shows once.
static NOTICE: Mutex<Notice> = Mutex::new(Notice::None);

/// The words by which a notice is recognized when another process of the command passes it on.
const NOTICE_WORDS: [&str; 2] = ["the file system of ", " has no locks ("];

enum Notice {
    None,
    Waiting(String),
    Shown,
}

impl Notice {
    /// Returns whether a note is anything but a notice that was shown before, and remembers it.
    fn is_new(&mut self, note: &str) -> bool {
        let [start, words] = NOTICE_WORDS;
        if !(note.starts_with(start) && note.contains(words)) {
            return true;
        }
        !matches!(std::mem::replace(self, Self::Shown), Self::Shown)
    }
}

/// Returns whether a note from another process of this command should be shown: every note except a
/// repeated notice that a file system has no locks. The notice is shown once per command.
#[must_use]
pub fn is_new_note(note: &str) -> bool {
    NOTICE.lock().expect("no holder of the notice panics").is_new(note)
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

/// Requests the lock of a file, without waiting. The file is created if needed and contains the
/// process number of the holder.
///
/// # Errors
/// If the file can't be opened.
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
                // The process number is only informative: the lock counts even if its owner can't
                // be read.
                let _ = file.read_to_string(&mut text);
                return Ok(Lock::Busy { process: text.trim().parse().ok() });
            }
        }
        // The previous owner may have removed the file after we opened it. A lock on a removed file
        // excludes nobody.
        if !is_still(&file, path) {
            continue;
        }
        let text = format!("{}\n", std::process::id());
        // The process number is only informative, so a full disk does not matter here.
        let _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        return Ok(Lock::Held(Held { _file: file, path: path.to_owned() }));
    }
}

/// Requests the lock of an open file with other content. The lock lasts as long as the file is
/// open. Returns true if nobody else holds it, and also if the file system has no locks.
///
/// # Errors
/// If the lock can't be requested.
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
                let [start, words] = NOTICE_WORDS;
                *notice = Notice::Waiting(format!(
                    "{start}{folder}{words}{error}): encore continues without them; \
                     two processes may both do the same work, and the results stay the same"
                ));
            }
            Ok(Attempt::Unsupported)
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns whether an error means that locks are not supported, as opposed to a fault.
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

/// Returns whether an open file is still the one at a path.
#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Returns true, because an open file can't be removed here.
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
    fn a_notice_is_shown_once_and_other_notes_always() {
        let notice = "the file system of reports has no locks (os error 38): encore continues";
        let mut state = Notice::None;
        assert!(state.is_new("resumes after epoch 3") && state.is_new("resumes after epoch 3"));
        assert!(state.is_new(notice) && !state.is_new(notice));
        assert!(state.is_new("resumes after epoch 3"));
        // A process that has not shown its own notice yet leaves it to the other one.
        let mut state = Notice::Waiting(notice.to_owned());
        assert!(state.is_new(notice) && matches!(state, Notice::Shown));
        assert!(!Notice::Shown.is_new(notice));
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
