//! Files from the network: bytes from an address into a file, resumed and checked; archives unpacked
//! safely.
//!
//! This room must never know what a dataset is.

mod sum;

pub use sum::{Algorithm, Sum};

/// A file that lies at one or more addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its name on disk: one plain component.
    pub file: String,
    /// Where it lies: `https://…` or `http://…`, tried in this order.
    pub urls: Vec<String>,
    /// Its length, where the publisher gives it.
    pub bytes: Option<u64>,
    /// Its checksum, where the publisher gives one.
    pub sum: Option<Sum>,
    /// What is in it; nothing where the file itself is what is wanted.
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
