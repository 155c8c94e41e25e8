//! A list of files into one folder, by one process at a time.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::download::download;
use super::error::io as at;
use super::unpack::{empty_folder, unpack};
use super::{FetchContext, FetchError, Remote, space};
use crate::disk::{self, Held, Lock, Owner, Published};

/// The list of downloaded files, inside the folder.
const INDEX: &str = "fetched.json";

/// What was fetched into a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The files in the order of the request.
    pub files: Vec<FetchedFile>,
}

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedFile {
    /// Its name.
    pub file: String,
    /// Its address; `None` if somebody put it there.
    pub url: Option<String>,
    /// Its length.
    pub bytes: u64,
    /// Its checksum as it was found, e.g. `sha1 ade154…`: the declared kind, or else SHA-256.
    pub sum: String,
    /// What was in it, where it was unpacked.
    pub unpacked: Option<Unpacked>,
}

/// What was in an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// Files that were written.
    pub n_files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries that a mac had added (`._…`, `__MACOSX`, `.DS_Store`) and that were left out.
    pub n_dropped: u64,
}

impl Fetched {
    /// Reads what was fetched into a folder. `None` if the folder does not exist or was not fetched.
    ///
    /// # Errors
    /// If the folder holds other files than `remotes` declares.
    pub fn find(folder: &Path, remotes: &[Remote]) -> Result<Option<Self>, FetchError> {
        let path = folder.join(INDEX);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|source| at(&path, source))?,
        };
        match serde_json::from_slice::<Self>(&text) {
            Err(_) => Err(occupied(folder, "its fetched.json is damaged")),
            Ok(found) if found.is_of(remotes) => Ok(Some(found)),
            Ok(_) => Err(occupied(folder, "contains files of another download")),
        }
    }

    fn is_of(&self, remotes: &[Remote]) -> bool {
        let is_one = |(found, remote): (&FetchedFile, &Remote)| {
            let fits = |sum: &super::Sum| sum.to_string() == found.sum;
            found.file == remote.file
                && remote.sum.as_ref().is_none_or(fits)
                && found.unpacked.is_some() == remote.unpack.is_some()
        };
        self.files.len() == remotes.len() && self.files.iter().zip(remotes).all(is_one)
    }
}

/// The right to fetch into a folder. It ends with the process, however that ends. If locks exclude nobody,
/// several processes may have it: each works in its own folder, and the first one publishes.
#[derive(Debug)]
pub struct Work {
    folder: PathBuf,
    /// Where files are fetched and unpacked.
    beside: PathBuf,
    /// The folder of all processes, where `beside` is one of this process alone within it.
    shared: Option<PathBuf>,
    _lock: Option<Held>,
}

impl Work {
    /// Returns the folder for unfinished files, next to the target on the same disk.
    #[must_use]
    pub fn beside(folder: &Path) -> PathBuf {
        let mut name = folder.file_name().unwrap_or_default().to_owned();
        name.push(".fetching");
        folder.with_file_name(name)
    }

    /// Takes the right, and waits for it while another process has it.
    ///
    /// # Errors
    /// Where the folder beside can't be made, or it was asked to stop.
    pub fn begin(folder: &Path, setting: &FetchContext) -> Result<Self, FetchError> {
        let beside = Self::beside(folder);
        let path = beside.join("lock");
        let mut is_said = false;
        loop {
            fs::create_dir_all(&beside).map_err(|source| at(&beside, source))?;
            let lock = match disk::lock(&path) {
                Ok(Lock::Held(held)) => held.excludes_others().then_some(held),
                Ok(Lock::Unsupported) => {
                    disk::notice().into_iter().for_each(|text| setting.note(&text));
                    None
                }
                Ok(Lock::Busy { .. }) if setting.is_stopped() => {
                    return Err(FetchError::Stopped { n: 0, path: beside });
                }
                Ok(Lock::Busy { .. }) => {
                    if !is_said {
                        setting.note("waiting for another encore process");
                        is_said = true;
                    }
                    sleep(Duration::from_millis(100));
                    continue;
                }
                // Its owner has just ended and taken the folder away.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(at(&path, source)),
            };
            let folder = folder.to_owned();
            return Ok(match lock {
                Some(_) => Self { folder, beside, shared: None, _lock: lock },
                None => match own_folder(&beside) {
                    Ok(own) => Self { folder, beside: own, shared: Some(beside), _lock: None },
                    // Another process has just ended and taken the shared folder away.
                    Err(_) if !beside.exists() => continue,
                    Err(error) => return Err(error),
                },
            });
        }
    }

    /// Downloads, checks and unpacks all files. The folder appears only when it is complete.
    ///
    /// Complete files are not downloaded again.
    ///
    /// # Errors
    /// If a download fails, the disk is full, an archive is invalid, or the user stops it. Downloaded bytes are
    /// kept for the next time.
    pub fn fetch(&self, remotes: &[Remote], setting: &FetchContext) -> Result<Fetched, FetchError> {
        if let Some(found) = Fetched::find(&self.folder, remotes)? {
            return Ok(found);
        }
        match fs::read_dir(&self.folder).map(|mut entries| entries.next().is_some()) {
            Ok(true) => {
                return Err(occupied(&self.folder, "contains files that encore did not download"));
            }
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(at(&self.folder, source));
            }
            _ => {}
        }
        self.remove_unpacked()?;
        let unpacked = self.beside.join(format!("unpacked.{}", disk::unique_name()));
        empty_folder(&unpacked)?;
        self.require_room(remotes, setting)?;
        let mut all = vec![];
        for remote in remotes {
            let (own, shared) = (self.beside.join(&remote.file), self.shared.as_deref());
            let laid = shared.map(|shared| shared.join(&remote.file)).filter(|path| path.is_file());
            if let Some(laid) = laid.filter(|_| !own.exists()) {
                // Laid there by hand, or fetched by a process that had a lock.
                link(&laid, &own)?;
            }
            all.push(download(remote, &self.beside, setting)?);
        }
        let mut files = vec![];
        for (remote, got) in remotes.iter().zip(all) {
            let content = match remote.unpack {
                Some(packing) => Some(unpack(remote, packing, &got.path, &unpacked, setting)?),
                None => {
                    link(&got.path, &unpacked.join(&remote.file))?;
                    None
                }
            };
            files.push(FetchedFile {
                file: remote.file.clone(),
                url: got.url,
                bytes: got.n,
                sum: got.sum.to_string(),
                unpacked: content,
            });
        }
        self.name(&unpacked, Fetched { files }, remotes, setting)
    }

    /// Removes what processes that have ended have unpacked.
    fn remove_unpacked(&self) -> Result<(), FetchError> {
        disk::remove_stale(&self.beside);
        let entries = fs::read_dir(&self.beside).map_err(|source| at(&self.beside, source))?;
        for entry in entries {
            let path = entry.map_err(|source| at(&self.beside, source))?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_left = match name.strip_prefix("unpacked") {
                // Of an earlier version of encore.
                Some("") => true,
                Some(rest) => Owner::of(rest.trim_start_matches('.')).is_some_and(|o| o.is_dead()),
                None => false,
            };
            if is_left {
                disk::remove_folder(&path).map_err(|source| at(&path, source))?;
            }
        }
        Ok(())
    }

    /// Removes the folder of unfinished files.
    ///
    /// # Errors
    /// Where it can't be.
    pub fn end(self) -> Result<(), FetchError> {
        disk::remove_folder(&self.beside).map_err(|source| at(&self.beside, source))?;
        if let Some(shared) = &self.shared {
            // What else is there belongs to other processes: then the folder stays.
            let _ = fs::remove_file(shared.join("lock"));
            let _ = fs::remove_dir(shared);
        }
        Ok(())
    }

    /// Fails early if the disk has no room for the rest of the files and for their contents, as far as the
    /// sizes are known.
    fn require_room(&self, remotes: &[Remote], setting: &FetchContext) -> Result<(), FetchError> {
        let length = |path: PathBuf| fs::metadata(path).map_or(0, |file| file.len());
        let needed = remotes.iter().map(|remote| {
            let whole = remote.bytes.unwrap_or(0);
            let there = length(self.beside.join(&remote.file))
                .max(length(self.beside.join(format!("{}.partial", remote.file))));
            let unpacked = remote.unpack.map_or(0, |_| remote.unpacked_bytes.unwrap_or(whole));
            whole.saturating_sub(there).saturating_add(unpacked)
        });
        let needed = needed.fold(0, u64::saturating_add);
        let what = || "the files and what they hold".to_owned();
        space::require(&self.beside, needed, what, setting.free)
    }

    /// Gives the folder its name, all of it being on the disk. If another process was quicker, its files
    /// are compared and used.
    fn name(
        &self,
        unpacked: &Path,
        fetched: Fetched,
        remotes: &[Remote],
        setting: &FetchContext,
    ) -> Result<Fetched, FetchError> {
        let index = unpacked.join(INDEX);
        let text = serde_json::to_string_pretty(&fetched).expect("what was fetched is plain data");
        let new = OpenOptions::new().write(true).create_new(true).open(&index);
        new.and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
            .map_err(|source| at(&index, source))?;
        // A power cut after the name must not find files without their bytes; one by one takes longer.
        #[cfg(unix)]
        rustix::fs::sync();
        let published = disk::publish_flushed(unpacked, &self.folder);
        if published.map_err(|source| at(&self.folder, source))? == Published::Ours {
            return Ok(fetched);
        }
        let Some(found) = Fetched::find(&self.folder, remotes)? else {
            return Err(occupied(&self.folder, "holds files that were not fetched"));
        };
        for (ours, theirs) in fetched.files.iter().zip(&found.files) {
            if ours.sum != theirs.sum {
                let (file, ours, theirs) = (&ours.file, &ours.sum, &theirs.sum);
                setting.note(&format!(
                    "another encore fetched {file} first, and the two differ: {ours} here, {theirs} there; \
                     the other's file is used"
                ));
            }
        }
        disk::remove_folder(unpacked).map_err(|source| at(unpacked, source))?;
        Ok(found)
    }
}

/// A folder of this process alone within a shared one: that of a process that has ended, with all that it
/// fetched, or a new one.
fn own_folder(shared: &Path) -> Result<PathBuf, FetchError> {
    let own = shared.join(disk::unique_name());
    for entry in fs::read_dir(shared).map_err(|source| at(shared, source))? {
        let entry = entry.map_err(|source| at(shared, source))?;
        let owner = Owner::of(&entry.file_name().to_string_lossy());
        // If another process is quicker, the rename fails.
        if owner.is_some_and(|owner| owner.is_dead()) && fs::rename(entry.path(), &own).is_ok() {
            return Ok(own);
        }
    }
    fs::create_dir_all(&own).map_err(|source| at(&own, source))?;
    Ok(own)
}

fn occupied(folder: &Path, message: &str) -> FetchError {
    FetchError::Occupied { path: folder.to_owned(), message: message.to_owned() }
}

/// The same file under a second name, or a copy where the disk knows no such thing.
fn link(from: &Path, to: &Path) -> Result<(), FetchError> {
    fs::hard_link(from, to)
        .or_else(|_| fs::copy(from, to).map(drop))
        .map_err(|source| at(to, source))
}
