//! Tar archives.

use std::cell::Cell;
use std::io::{self, Read};

use tar::EntryType;

use super::sink::{Sink, Stop, folder};

/// Bytes that may stand between two files: their heads, long names and padding.
const MAX_BETWEEN: u64 = 1 << 20;

/// Unpacks a tar archive. Calls `look` regularly to find out whether to continue.
pub(super) fn unpack(
    bytes: impl Read,
    sink: &mut Sink,
    look: &dyn Fn() -> Result<(), Stop>,
) -> Result<(), Stop> {
    let wrong = |error: io::Error| Stop::Wrong(error.to_string());
    // The reader of names keeps them in memory however long they say they are: this keeps them short.
    let budget = Cell::new(MAX_BETWEEN);
    let mut archive = tar::Archive::new(Within { bytes, budget: &budget });
    let mut n = 0;
    for entry in archive.entries().map_err(wrong)? {
        let mut entry = entry.map_err(wrong)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        // What other archives' makers leave for the archive as a whole.
        if kind != EntryType::XGlobalHeader {
            n += 1;
            let place = sink.place(&name)?;
            match (kind, place) {
                (EntryType::Directory, Some(path)) => folder(&path)?,
                (EntryType::Regular | EntryType::Continuous, Some(path)) => {
                    budget.set(u64::MAX);
                    sink.file(&path, &mut entry, look)?;
                }
                (EntryType::Regular | EntryType::Continuous | EntryType::Directory, None) => {}
                (other, _) => {
                    let what = describe(other);
                    return Err(Stop::Wrong(format!("holds {name:?}, {what}")));
                }
            }
        }
        look()?;
        // What is left of a file that is dropped is skipped before the next is found.
        budget.set(entry.size().min(sink.left()).saturating_add(MAX_BETWEEN));
    }
    if n == 0 {
        return Err(Stop::Wrong("is not a tar archive, or is empty".to_owned()));
    }
    // Behind the last file stands padding, and behind that the checksum of gzip.
    budget.set(MAX_BETWEEN);
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(wrong)?;
    Ok(())
}

fn describe(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Symlink | EntryType::Link => "a link",
        EntryType::Char | EntryType::Block => "a device",
        EntryType::Fifo => "a pipe",
        _ => "which is neither a file nor a folder",
    }
}

/// Reads no more than a budget allows.
struct Within<'a, R> {
    bytes: R,
    budget: &'a Cell<u64>,
}

impl<R: Read> Read for Within<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.budget.get()).unwrap_or(usize::MAX));
        if most == 0 && !buffer.is_empty() {
            return Err(io::Error::other("contains too much data between two files"));
        }
        let n = self.bytes.read(&mut buffer[..most])?;
        self.budget.set(self.budget.get() - n as u64);
        Ok(n)
    }
}
