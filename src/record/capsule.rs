//! Capsules: runs in one file that can be sent and verified, without their models.
//!
//! A capsule is a tar archive in a zstd frame; `tar --zstd -xf` opens it. A skippable frame follows
//! with the SHA-256 of every byte before it, so that any change is detected.
//!
//! | file | content |
//! |---|---|
//! | `capsule.json` | format, program, compiler, and the SHA-256 of every other file |
//! | `Cargo.lock` | the version of every library that the program was built with |
//! | `runs/ID/...` | the record of each run, and the files in [`PACKED`] |
//!
//! # Source
//! The frames: RFC 8878, Zstandard Compression, sections 3.1.1 and 3.1.2.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde::{Deserialize, Serialize};

use super::error::{io, write_whole};
use super::origin::PACKED;
use super::{Run, Store, StoreError};
use crate::vocab::{Sha256, sha256_hex};

const RECORD: &str = "record.json";
const FORMAT: u32 = 1;
/// The head of a skippable frame: its magic number and the length of its content, both
/// little-endian.
const SEAL_HEAD: [u8; 8] = [0x50, 0x2A, 0x4D, 0x18, 64, 0, 0, 0];
/// Length of the head and the hexadecimal SHA-256.
const SEAL_LEN: usize = SEAL_HEAD.len() + 64;
/// Maximum size of all files, because a capsule from elsewhere is not trusted.
const MAX_BYTES: u64 = 4 << 30;
/// Bytes of `capsule.json`, at most.
const MAX_HEAD_BYTES: u64 = 64 << 20;

/// The content of `capsule.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Version of this layout.
    pub format: u32,
    /// Version of `encore`.
    pub encore: String,
    /// The compiler that built it, as it identifies itself.
    pub rustc: String,
    /// The target that it was built for.
    pub target: String,
    /// SHA-256 of every other file, by its path.
    pub files: BTreeMap<String, String>,
}

/// Packs runs into a file. The same runs give the same bytes.
///
/// # Errors
/// If a run's files are damaged, or the file can't be written.
pub fn pack(runs: &[Run], lock: &str, path: &Path) -> Result<Contents, StoreError> {
    let mut files = BTreeMap::from([("Cargo.lock".to_owned(), lock.as_bytes().to_vec())]);
    for run in runs {
        let path = run.folder.join(RECORD);
        let record = fs::read(&path).map_err(|source| io(&path, source))?;
        files.insert(format!("runs/{}/{RECORD}", run.id), record);
        for name in PACKED {
            files.insert(format!("runs/{}/{name}", run.id), run.bytes(name)?);
        }
    }
    let contents = Contents {
        format: FORMAT,
        encore: env!("CARGO_PKG_VERSION").to_owned(),
        rustc: env!("ENCORE_RUSTC").to_owned(),
        target: env!("ENCORE_TARGET").to_owned(),
        files: files.iter().map(|(name, bytes)| (name.clone(), sha256_hex(bytes))).collect(),
    };
    let head = serde_json::to_vec_pretty(&contents).expect("contents are plain data");
    let mut archive = tar::Builder::new(vec![]);
    let all = std::iter::once(("capsule.json", head.as_slice()))
        .chain(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    for (name, bytes) in all {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, bytes).map_err(|source| io(path, source))?;
    }
    let archive = archive.into_inner().map_err(|source| io(path, source))?;
    let mut bytes = compress_to_vec(archive.as_slice(), CompressionLevel::Fastest);
    let seal = sha256_hex(&bytes);
    bytes.extend(SEAL_HEAD);
    bytes.extend(seal.as_bytes());
    write_whole(path, &bytes)?;
    Ok(contents)
}

/// Unpacks a capsule into an empty folder and checks all of it: every byte of the file, the hash of every
/// packed file, every record's seal, and the hashes in the records. The memory needed does not grow with
/// what the file unpacks to.
///
/// # Errors
/// [`StoreError::Changed`] if anything differs from the packed content. Then the folder is incomplete.
pub fn unpack(path: &Path, folder: &Path) -> Result<(Contents, Vec<Run>), StoreError> {
    let damaged = |message: String| StoreError::Changed { path: path.to_owned(), message };
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let frame = sealed_frame(path, &bytes)?;
    let Unpacked { head, hashes } = write_files(path, frame, folder)?;
    let head = head.ok_or_else(|| damaged("has no capsule.json".to_owned()))?;
    let contents: Contents =
        serde_json::from_slice(&head).map_err(|error| damaged(format!("capsule.json: {error}")))?;
    if hashes != contents.files {
        let differs = |name: &&String| hashes.get(*name) != contents.files.get(*name);
        let name = hashes.keys().chain(contents.files.keys()).find(differs);
        let name = name.map_or("", String::as_str);
        return Err(damaged(format!("{name} does not match capsule.json")));
    }
    let ids: BTreeSet<&str> = hashes.keys().filter_map(|name| name.split('/').nth(1)).collect();
    let store = Store::new(folder);
    let mut runs = vec![];
    for id in ids {
        let of_capsule = |error| of_capsule(error, path, folder);
        let run = store.read(id).map_err(of_capsule)?;
        let run = run.ok_or_else(|| damaged(format!("runs/{id} has no record.json")))?;
        // These read and check them.
        run.check_packed().map_err(of_capsule)?;
        runs.push(run);
    }
    Ok((contents, runs))
}

/// The fault of an unpacked run as a fault of its capsule: nobody can repair the unpacked one.
fn of_capsule(error: StoreError, capsule: &Path, unpacked: &Path) -> StoreError {
    let path = capsule.to_owned();
    let inside = |file: &Path, message: String| {
        format!("runs/{} {message}", file.strip_prefix(unpacked).unwrap_or(file).display())
    };
    match error {
        StoreError::Damaged { path: file, message, .. } => {
            StoreError::Changed { path, message: inside(&file, message) }
        }
        StoreError::Newer { path: file, message } => {
            StoreError::Newer { path, message: inside(&file, message) }
        }
        other => other,
    }
}

/// The zstd frame of a capsule whose seal fits.
fn sealed_frame<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a [u8], StoreError> {
    let path = || path.to_owned();
    let sealed = bytes.len().checked_sub(SEAL_LEN).map(|at| bytes.split_at(at));
    let Some((frame, seal)) = sealed.filter(|(_, seal)| seal.starts_with(&SEAL_HEAD)) else {
        return Err(StoreError::NoCapsule { path: path() });
    };
    if seal[SEAL_HEAD.len()..] != *sha256_hex(frame).as_bytes() {
        let message =
            "is damaged or was changed: its checksum does not match its content".to_owned();
        return Err(StoreError::Changed { path: path(), message });
    }
    Ok(frame)
}

/// What [`write_files`] has found.
#[derive(Default)]
struct Unpacked {
    /// The bytes of `capsule.json`.
    head: Option<Vec<u8>>,
    /// SHA-256 of every other file, by its path.
    hashes: BTreeMap<String, String>,
}

/// Writes the packed files of runs into the folder, `ID/FILE`; any other file is an error.
fn write_files(path: &Path, frame: &[u8], folder: &Path) -> Result<Unpacked, StoreError> {
    let damaged = |message: String| StoreError::Changed { path: path.to_owned(), message };
    let unreadable = |error: std::io::Error| damaged(error.to_string());
    let decoder = StreamingDecoder::new(frame).map_err(|error| damaged(error.to_string()))?;
    let mut archive = tar::Archive::new(decoder.take(MAX_BYTES));
    let mut unpacked = Unpacked::default();
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.to_string_lossy().into_owned();
        if !(entry.header().entry_type().is_file() && is_known(&name)) {
            return Err(damaged(format!("holds {name:?}, which is not a file of a capsule")));
        }
        let is_head = name == "capsule.json";
        if unpacked.hashes.contains_key(&name) || (is_head && unpacked.head.is_some()) {
            return Err(damaged(format!("holds {name:?} twice")));
        }
        if is_head {
            if entry.size() > MAX_HEAD_BYTES {
                return Err(damaged(format!("has a capsule.json of {} bytes", entry.size())));
            }
            let mut head = vec![];
            entry.read_to_end(&mut head).map_err(unreadable)?;
            // A newer one may hold files that are unknown here.
            check_format(path, &head)?;
            unpacked.head = Some(head);
            continue;
        }
        let mut copy = Hashed { sum: Sha256::new(), file: None };
        if let ["runs", id, file] = name.split('/').collect::<Vec<_>>()[..] {
            let below = folder.join(id);
            let to = below.join(file);
            fs::create_dir_all(&below).map_err(|source| io(&below, source))?;
            copy.file = Some(File::create(&to).map_err(|source| io(&to, source))?);
        }
        std::io::copy(&mut entry, &mut copy)
            .map_err(|error| damaged(format!("{name}: {error}")))?;
        unpacked.hashes.insert(name, copy.sum.hex());
    }
    Ok(unpacked)
}

/// Refuses a capsule of a newer format by its `capsule.json`, which comes first.
fn check_format(path: &Path, head: &[u8]) -> Result<(), StoreError> {
    let value: Option<serde_json::Value> = serde_json::from_slice(head).ok();
    let format = value.and_then(|value| value.get("format")?.as_u64());
    match format.filter(|format| *format != u64::from(FORMAT)) {
        None => Ok(()),
        Some(format) => {
            let message =
                format!("is a capsule of format {format}, and this encore reads format {FORMAT}");
            Err(StoreError::Newer { path: path.to_owned(), message })
        }
    }
}

/// Writes to a file, if there is one, and hashes what it writes.
struct Hashed {
    sum: Sha256,
    file: Option<File>,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.sum = std::mem::take(&mut self.sum).bytes(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Returns whether a capsule may contain a file; paths that leave its folder are not allowed.
fn is_known(name: &str) -> bool {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["capsule.json" | "Cargo.lock"] => true,
        ["runs", id, file] => {
            let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            !id.is_empty()
                && !id.starts_with('.')
                && id.chars().all(is_plain)
                && (file == RECORD || PACKED.contains(&file))
        }
        _ => false,
    }
}
