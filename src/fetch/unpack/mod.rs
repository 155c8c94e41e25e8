//! Safe unpacking: no path outside the folder, no link, no device, and a limit on the size.

mod sink;
mod tar;
mod zip;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use self::sink::{Bounds, Sink, Stop};
use super::error::io as at;
use super::{Event, FetchContext, FetchError, Packing, Remote, Step, Unpacked, space};

/// Times its own length that an archive may hold, where nothing else is declared. Music hardly shrinks,
/// text of numbers by four.
const MAX_RATIO: u64 = 50;
/// What every archive may hold.
const LEAST_BOUND: u64 = 1 << 20;
/// Files and folders of one archive, at most.
const MAX_ENTRIES: u64 = 1_000_000;

/// Unpacks an archive into an existing folder.
///
/// # Errors
/// Where the archive is damaged, holds a link, a device or a path that leads out of the folder, is larger
/// than `remote.unpacked_bytes` when unpacked, the disk is full, or `context.stop` is set. The folder is
/// then incomplete.
pub fn unpack(
    remote: &Remote,
    packing: Packing,
    archive: &Path,
    into: &Path,
    context: &FetchContext,
) -> Result<Unpacked, FetchError> {
    let file = File::open(archive).map_err(|source| at(archive, source))?;
    let length = file.metadata().map_err(|source| at(archive, source))?.len();
    let default = length.saturating_mul(MAX_RATIO).max(LEAST_BOUND);
    let bounds = Bounds { bytes: remote.unpacked_bytes.unwrap_or(default), n_entries: MAX_ENTRIES };
    let room = |needed: u64| {
        let what = || format!("what {} holds", remote.file);
        space::require(into, needed, what, context.free)
    };
    let progress = |n: u64| {
        let (step, file, whole) = (Step::Unpack, remote.file.as_str(), Some(length));
        (context.tell)(Event::Progress { step, file, n, whole });
    };
    let tell = |n: u64| {
        // The last of its bytes may be read long before the last of its files is written.
        progress(n.min(length.saturating_sub(1)));
        if context.is_stopped() { Err(Stop::Interrupted) } else { Ok(()) }
    };
    let mut sink = Sink::new(into, bounds);
    let done = match packing {
        Packing::Zip => zip::unpack(file, &mut sink, &tell, &room),
        Packing::Tar | Packing::TarGz => {
            room(remote.unpacked_bytes.unwrap_or(length))?;
            let counted = Counted { file, n: std::rc::Rc::default() };
            let n_read = counted.n.clone();
            let tell = || tell(n_read.get());
            if packing == Packing::Tar {
                tar::unpack(counted, &mut sink, &tell)
            } else {
                tar::unpack(MultiGzDecoder::new(io::BufReader::new(counted)), &mut sink, &tell)
            }
        }
    };
    match done {
        Ok(()) => {
            progress(length);
            Ok(sink.into_unpacked())
        }
        Err(Stop::Interrupted) => Err(FetchError::Stopped { n: length, path: archive.to_owned() }),
        Err(Stop::Wrong(message)) => Err(FetchError::Archive { path: archive.to_owned(), message }),
        Err(Stop::Disk(error)) => Err(error),
    }
}

/// A file that counts the bytes read.
struct Counted {
    file: File,
    n: std::rc::Rc<std::cell::Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.n.set(self.n.get() + n as u64);
        Ok(n)
    }
}

/// Creates an empty folder, or empties an existing one.
pub(super) fn empty_folder(folder: &Path) -> Result<(), FetchError> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|source| at(folder, source))?;
    }
    fs::create_dir_all(folder).map_err(|source| at(folder, source))
}

#[cfg(test)]
mod tests;
