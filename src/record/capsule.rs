//! Runs in one file that can be sent and checked: all but their models.
//!
//! A capsule is a tar archive in a zstd frame, `tar --zstd -xf` opens it. Behind the frame stands a
//! skippable frame with the SHA-256 of every byte before it, so that no changed byte goes unnoticed.
//!
//! | file | what it holds |
//! |---|---|
//! | `capsule.json` | format, program, compiler, and the SHA-256 of every other file |
//! | `Cargo.lock` | the version of every library that the program was built from |
//! | `runs/ID/...` | what [`FILES`] names of each run |
//!
//! # Source
//! The frames: RFC 8878, Zstandard Compression, sections 3.1.1 and 3.1.2.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde::{Deserialize, Serialize};

use super::error::{io, write_whole};
use super::{Run, Store, StoreError};
use crate::vocab::sha256_hex;

/// What is taken of a run's folder.
const FILES: &[&str] =
    &["record.json", "spec.toml", "split.csv", "predictions.csv", "epochs.jsonl"];
const FORMAT: u32 = 1;
/// A skippable frame: its magic number, then the length of what it holds, both little-endian.
const SEAL_HEAD: [u8; 8] = [0x50, 0x2A, 0x4D, 0x18, 64, 0, 0, 0];
/// The head and the hexadecimal SHA-256.
const SEAL_LEN: usize = SEAL_HEAD.len() + 64;
/// Bytes of all files together, at most: a capsule from elsewhere is not trusted.
const MAX_BYTES: u64 = 4 << 30;

/// What `capsule.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// Version of this layout.
    pub format: u32,
    /// Version of `encore`.
    pub encore: String,
    /// The compiler that built it, as it says itself.
    pub rustc: String,
    /// What it was built for.
    pub target: String,
    /// SHA-256 of every other file, by its path.
    pub files: BTreeMap<String, String>,
}

/// Packs runs into a file. The same runs give the same bytes.
///
/// # Errors
/// Where a run's files are not what was written, or the file can't be written.
pub fn pack(runs: &[Run], lock: &str, path: &Path) -> Result<Contents, StoreError> {
    let mut files = BTreeMap::from([("Cargo.lock".to_owned(), lock.as_bytes().to_vec())]);
    for run in runs {
        for name in FILES {
            let bytes = match *name {
                "record.json" => {
                    let path = run.folder.join(name);
                    fs::read(&path).map_err(|source| io(&path, source))?
                }
                _ => run.bytes(name)?,
            };
            files.insert(format!("runs/{}/{name}", run.id), bytes);
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

/// Unpacks a capsule into a folder, with nothing left out of what is checked: every byte of the file,
/// the hash of every packed file, every record's seal, and the hashes that the records hold.
///
/// # Errors
/// [`StoreError::Damaged`] where anything is not what was packed.
pub fn unpack(path: &Path, folder: &Path) -> Result<(Contents, Vec<Run>), StoreError> {
    let damaged = |message: String| StoreError::Damaged { path: path.to_owned(), message };
    let bytes = fs::read(path).map_err(|source| io(path, source))?;
    let files = files(&bytes).map_err(damaged)?;
    let head =
        files.get("capsule.json").ok_or_else(|| damaged("has no capsule.json".to_owned()))?;
    let contents: Contents =
        serde_json::from_slice(head).map_err(|error| damaged(format!("capsule.json: {error}")))?;
    if contents.format != FORMAT {
        let format = contents.format;
        let said = format!("is a capsule of format {format}, and this encore reads {FORMAT}");
        return Err(damaged(said));
    }
    let found: BTreeMap<String, String> = files
        .iter()
        .filter(|(name, _)| *name != "capsule.json")
        .map(|(name, bytes)| (name.clone(), sha256_hex(bytes)))
        .collect();
    if found != contents.files {
        let differs = |name: &&String| found.get(*name) != contents.files.get(*name);
        let name = found.keys().chain(contents.files.keys()).find(differs);
        let name = name.map_or("", String::as_str);
        return Err(damaged(format!("{name} is not what capsule.json says")));
    }
    let mut ids: Vec<&str> = vec![];
    for (name, bytes) in &files {
        let ["runs", id, file] = name.split('/').collect::<Vec<_>>()[..] else { continue };
        let below = folder.join(id);
        fs::create_dir_all(&below).map_err(|source| io(&below, source))?;
        write_whole(&below.join(file), bytes)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let store = Store::new(folder);
    let mut runs = vec![];
    for id in ids {
        let run =
            store.read(id)?.ok_or_else(|| damaged(format!("runs/{id} has no record.json")))?;
        // These read and check them.
        FILES
            .iter()
            .filter(|name| **name != "record.json")
            .try_for_each(|name| run.bytes(name).map(drop))?;
        runs.push(run);
    }
    Ok((contents, runs))
}

/// The packed files, by path; nothing that a capsule does not have is let through.
fn files(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let sealed = bytes.len().checked_sub(SEAL_LEN).map(|at| bytes.split_at(at));
    let Some((frame, seal)) = sealed.filter(|(_, seal)| seal.starts_with(&SEAL_HEAD)) else {
        return Err("is no capsule, or is cut off: it does not end with a seal".to_owned());
    };
    if seal[SEAL_HEAD.len()..] != *sha256_hex(frame).as_bytes() {
        return Err("is damaged or was changed: its seal does not fit".to_owned());
    }
    let decoder = StreamingDecoder::new(frame).map_err(|error| error.to_string())?;
    let mut archive = tar::Archive::new(decoder.take(MAX_BYTES));
    let mut files = BTreeMap::new();
    for entry in archive.entries().map_err(|error| error.to_string())? {
        let mut entry = entry.map_err(|error| error.to_string())?;
        let path: PathBuf = entry.path().map_err(|error| error.to_string())?.into_owned();
        let name = path.to_string_lossy().into_owned();
        if !(entry.header().entry_type().is_file() && is_known(&name)) {
            return Err(format!("holds {name:?}, which no capsule has"));
        }
        let mut content = vec![];
        entry.read_to_end(&mut content).map_err(|error| format!("{name}: {error}"))?;
        if files.insert(name.clone(), content).is_some() {
            return Err(format!("holds {name:?} twice"));
        }
    }
    Ok(files)
}

/// Whether a capsule may have such a file: no way leads out of its folder.
fn is_known(name: &str) -> bool {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["capsule.json" | "Cargo.lock"] => true,
        ["runs", id, file] => {
            let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            !id.starts_with('.') && id.chars().all(is_plain) && FILES.contains(&file)
        }
        _ => false,
    }
}
