//! Files that are either complete or absent.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::name::{Owner, unique_name};

/// The extension of temporary files.
const SUFFIX: &str = ".partial";

/// Replaces a file atomically: after a crash it contains either its old bytes or all of the new
/// ones.
///
/// The temporary file is in the same folder and is removed after an error, so that it does not
/// occupy a full disk.
///
/// # Errors
/// If the file can't be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, false)
}

/// Replaces a file like [`write_whole`], unless it has these bytes already: a page of many figures is
/// mostly what it was, and every replaced file waits for the disk.
///
/// # Errors
/// If the file can't be written.
pub fn write_changed(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_file = |file: fs::Metadata| file.is_file() && file.len() == bytes.len() as u64;
    let may_be_equal = fs::symlink_metadata(path).is_ok_and(is_file);
    if may_be_equal && fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    write_whole(path, bytes)
}

/// Replaces a file like [`write_whole`], readable by its owner only (mode 0600) from the first byte
/// on.
///
/// # Errors
/// If the file can't be written.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write(path, bytes, true)
}

fn write(path: &Path, bytes: &[u8], is_private: bool) -> io::Result<()> {
    let mut name = path.file_name().ok_or(ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}{SUFFIX}", unique_name()));
    let temporary = path.with_file_name(name);
    let written = || {
        let mut options = OpenOptions::new();
        // The name is unique, so an existing file with this name would be an attack.
        options.write(true).create_new(true);
        #[cfg(unix)]
        if is_private {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        #[cfg(not(unix))]
        let _ = is_private;
        let mut file = options.open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&temporary, path)
    };
    written().inspect_err(|_| {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
    })?;
    sync_folder(parent(path))
}

/// Writes a file and stores equal bytes only once: the file becomes a hard link to `shared`, which is
/// written first if it is missing or has other bytes. If the file system refuses the link, the file is
/// an ordinary file.
///
/// This room replaces files and never modifies them, so a link never changes another file.
///
/// # Errors
/// If the file can't be written.
pub fn write_shared(shared: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let is_whole = fs::read(shared).is_ok_and(|found| found == bytes);
    let link = || {
        if !is_whole {
            fs::create_dir_all(parent(shared))?;
            write_whole(shared, bytes)?;
        }
        fs::hard_link(shared, path)?;
        sync_folder(parent(path))
    };
    link().or_else(|_| write_whole(path, bytes))
}

/// Gives a file that was written in pieces its final name, after its bytes are on disk.
///
/// # Errors
/// If the file can't be flushed or renamed.
pub fn finish_file(written: &Path, path: &Path) -> io::Result<()> {
    sync_file(written)?;
    fs::rename(written, path)?;
    sync_folder(parent(path))
}

/// Returns the folder of a path; for a bare name, the working directory.
pub(super) fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Removes temporary files that [`write_whole`] left in a folder when its process was killed. Files
/// of running processes and of other hosts are kept. A file that can't be removed only wastes
/// space, so that is not an error.
pub fn remove_stale(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let unique = name.strip_suffix(SUFFIX).and_then(|name| name.rsplit_once('.'));
        let owner = unique.and_then(|(_, unique)| Owner::of(unique));
        if owner.is_some_and(|owner| owner.is_dead()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Waits until a file's bytes are on disk.
pub(super) fn sync_file(path: &Path) -> io::Result<()> {
    // Windows can only flush files that are open for writing.
    let file =
        if cfg!(windows) { OpenOptions::new().write(true).open(path)? } else { File::open(path)? };
    file.sync_all()
}

/// Waits until a folder's names are on disk, so that a rename survives a power failure.
///
/// # Errors
/// If the folder can't be flushed.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        // Some network file systems cannot flush folders; nothing more can be done.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        entries.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        for bytes in [&b"one"[..], b"", b"three"] {
            write_whole(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(names(folder.path()), ["a.json"]);
        // The target is a folder: the rename fails, and no temporary file remains.
        fs::create_dir_all(folder.path().join("b/c")).unwrap();
        assert!(write_whole(&folder.path().join("b"), b"x").is_err());
        assert!(write_whole(&folder.path().join("none/a"), b"x").is_err());
        let mut left = names(folder.path());
        left.sort();
        assert_eq!(left, ["a.json", "b"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_file_that_has_the_bytes_already_stays_and_any_other_is_replaced() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let inode = || fs::symlink_metadata(&path).unwrap().ino();
        write_changed(&path, b"one").unwrap();
        let first = inode();
        write_changed(&path, b"one").unwrap();
        assert_eq!(inode(), first);
        for bytes in [&b"two"[..], b"three", b""] {
            write_changed(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        // A link is replaced, whatever it leads to.
        let other = folder.path().join("b");
        fs::rename(&path, &other).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        write_changed(&path, b"").unwrap();
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
    }

    #[test]
    #[cfg(unix)]
    fn equal_bytes_are_on_the_disk_once_and_a_damaged_shared_file_is_replaced() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().unwrap();
        let shared = folder.path().join("shared/a");
        let [a, b, c] = ["a", "b", "c"].map(|name| folder.path().join(name));
        write_shared(&shared, &a, b"one").unwrap();
        write_shared(&shared, &b, b"one").unwrap();
        let inode = |path: &Path| fs::metadata(path).unwrap().ino();
        assert_eq!(inode(&a), inode(&b));
        // Somebody has cut the shared file: what was written before is cut too, and the next is whole.
        fs::write(&shared, "on").unwrap();
        write_shared(&shared, &c, b"one").unwrap();
        assert_eq!(
            (fs::read(&c).unwrap(), fs::read(&shared).unwrap()),
            (b"one".into(), b"one".into())
        );
        // A file that is there is replaced, and its bytes elsewhere stay.
        write_shared(&folder.path().join("shared/b"), &b, b"two").unwrap();
        assert_eq!((fs::read(&b).unwrap(), fs::read(&c).unwrap()), (b"two".into(), b"one".into()));
        // No folder can be made where a file is.
        write_shared(&c.join("a"), &a, b"three").unwrap();
        assert_eq!(fs::read(&a).unwrap(), b"three");
    }

    #[test]
    #[cfg(unix)]
    fn a_private_file_is_readable_by_its_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "readable by all").unwrap();
        write_private(&path, b"secret").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn readers_never_see_half_of_a_file_that_several_threads_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_whole(&path, &[0; 4_000]).unwrap();
        std::thread::scope(|scope| {
            for byte in 1..4 {
                let path = &path;
                scope.spawn(move || {
                    (0..10).for_each(|_| write_whole(path, &[byte; 4_000]).unwrap());
                });
            }
            for _ in 0..200 {
                let bytes = fs::read(&path).unwrap();
                assert_eq!(bytes.len(), 4_000);
                assert!(bytes.iter().all(|byte| *byte == bytes[0]));
            }
        });
        assert_eq!(names(folder.path()), ["a"]);
    }

    #[test]
    #[cfg(unix)]
    fn temporary_files_of_ended_processes_are_removed_and_others_stay() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let ours = unique_name();
        let dead = ours.replace(&format!("-{}-", std::process::id()), &format!("-{}-", child.id()));
        child.wait().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let kept = [format!("a.{ours}.partial"), "b.partial".to_owned(), dead.clone()];
        for name in kept.iter().chain([&format!("a.{dead}.partial")]) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        remove_stale(folder.path());
        let (mut left, mut kept) = (names(folder.path()), kept.to_vec());
        left.sort();
        kept.sort();
        assert_eq!(left, kept);
        remove_stale(&folder.path().join("none"));
    }
}
