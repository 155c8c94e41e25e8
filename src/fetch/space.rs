//! Room on disks.

use std::io;
use std::path::Path;

use super::FetchError;
use super::error::io as at;

/// Returns the free bytes on the disk of an existing folder.
///
/// # Errors
/// Where the system does not say.
#[cfg(unix)]
pub fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Nothing is known of the disk: writing will tell.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub fn free_bytes(_folder: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// Fails where a disk has less than `needed` bytes free.
pub(super) fn require(
    folder: &Path,
    needed: u64,
    what: impl FnOnce() -> String,
    free: &dyn Fn(&Path) -> io::Result<u64>,
) -> Result<(), FetchError> {
    let free = free(folder).map_err(|source| at(folder, source))?;
    if needed <= free {
        return Ok(());
    }
    Err(FetchError::Space { path: folder.to_owned(), what: what(), needed, free })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_is_too_small_is_said_with_both_figures() {
        let folder = Path::new("here");
        let what = || "a.zip".to_owned();
        assert!(require(folder, 10, what, &|_| Ok(10)).is_ok());
        let error = require(folder, 2048, what, &|_| Ok(1024)).unwrap_err();
        let said = "here: 2.00 KiB needed for a.zip, 1.00 KiB free\nhint: ";
        assert!(error.to_string().starts_with(said), "{error}");
        assert!(free_bytes(Path::new("/")).unwrap() > 0);
    }
}
