//! Downloads: resumed and checked files, safely unpacked archives.
//!
//! [`Work`] fetches a list of files ([`Remote`]) into one folder. Unfinished files are next to it:
//!
//! | path | what |
//! |---|---|
//! | `FOLDER.fetching/lock` | held by the process that downloads, if the file system has locks |
//! | `FOLDER.fetching/FILE.partial`, `.partial.json` | bytes so far, and whose they are |
//! | `FOLDER.fetching/FILE` | all bytes, checked |
//! | `FOLDER.fetching/unpacked.HOST-PID-RANDOM/` | what becomes the folder, one for every process |
//! | `FOLDER.fetching/HOST-PID-RANDOM/` | the same for one process alone, where locks keep nobody away |
//! | `FOLDER/` | all of it, given its name in one step; `fetched.json` says from where and what |
//!
//! This room must never know datasets.

mod attempt;
mod download;
mod error;
mod http;
mod leftovers;
mod partial;
mod readable;
mod space;
mod sum;
mod unpack;
mod work;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use error::FetchError;
pub use leftovers::{UnfinishedDownload, remove_unfinished, unfinished_downloads};
pub use readable::readable;
pub use space::free_bytes;
pub use sum::{Algorithm, Sum};
pub use unpack::unpack;
pub use work::{Fetched, FetchedFile, Unpacked, Work};

/// A file with one or more addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name on disk: one plain component.
    pub file: String,
    /// Addresses, `https://…` or `http://…`, tried in this order.
    pub urls: Vec<String>,
    /// Its length, where the publisher gives it.
    pub bytes: Option<u64>,
    /// Its checksum, where the publisher gives one.
    pub sum: Option<Sum>,
    /// The archive format; `None` if the file is used as it is.
    pub unpack: Option<Packing>,
    /// What it may hold at most when unpacked, in bytes.
    pub unpacked_bytes: Option<u64>,
}

/// How an archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// A tar archive.
    Tar,
    /// A tar archive in gzip.
    TarGz,
    /// A zip archive: stored, deflate or bzip2, also zip64.
    Zip,
}

impl Packing {
    /// What it is called in messages: `tar.gz`, `tar` or `zip`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
            Self::Zip => "zip",
        }
    }
}

/// How long is waited, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes; never for the whole.
    pub read: Duration,
    /// Times in a row that an address is asked in vain; one that brought a mebibyte is not in vain.
    pub n_tries: u32,
    /// Before the second time; doubled for each further one.
    pub pause: Duration,
    /// Between two times, at most; a server that asks for more is left.
    pub max_pause: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(20),
            read: Duration::from_mins(1),
            n_tries: 5,
            pause: Duration::from_secs(1),
            max_pause: Duration::from_mins(1),
        }
    }
}

/// What a fetch needs of its surroundings.
pub struct FetchContext<'a> {
    /// Set to stop; the bytes so far are kept.
    pub stop: &'a AtomicBool,
    /// Receives the progress.
    pub tell: &'a dyn Fn(Event),
    /// How long is waited.
    pub patience: RetryPolicy,
    /// Bytes that a disk has free, by a folder on it; [`free_bytes`] but in tests.
    pub free: &'a dyn Fn(&Path) -> io::Result<u64>,
}

impl FetchContext<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn note(&self, text: &str) {
        (self.tell)(Event::Note(text));
    }
}

/// How a fetch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// Something that a user should know.
    Note(&'a str),
    /// So many bytes of a step are done.
    Progress {
        /// Of which step.
        step: Step,
        /// Of which file.
        file: &'a str,
        /// Bytes that are done.
        n: u64,
        /// Total bytes of the step, if known.
        whole: Option<u64>,
    },
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Downloading its bytes.
    Download,
    /// Its checksum is computed.
    Check,
    /// It is unpacked.
    Unpack,
}
