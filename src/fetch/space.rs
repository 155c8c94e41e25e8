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

/// Bytes for people: `1.14 GiB`.
#[must_use]
pub fn readable(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} bytes");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.995 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{amount:.2} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_well() {
        assert_eq!(readable(1023), "1023 bytes");
        assert_eq!(readable(1536), "1.50 KiB");
        assert_eq!(readable(1_226_192_050), "1.14 GiB");
        assert_eq!(readable(100_306_112_191), "93.42 GiB");
        assert_eq!(readable((1 << 20) - 1), "1.00 MiB");
        assert_eq!(readable(1 << 62), "4194304.00 TiB");
    }

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
