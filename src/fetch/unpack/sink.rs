//! Where an archive's files go: the one place that turns names into paths and writes.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use super::super::error::io as at;
use super::super::{FetchError, Unpacked, readable};

/// What an archive may hold.
pub(super) struct Bounds {
    pub bytes: u64,
    /// Files and folders, also those that are dropped.
    pub n_entries: u64,
}

/// What ends the unpacking.
pub(super) enum Stop {
    /// The user stopped it.
    Interrupted,
    /// The archive is invalid, with the reason.
    Wrong(String),
    /// The disk.
    Disk(FetchError),
}

impl From<FetchError> for Stop {
    fn from(error: FetchError) -> Self {
        Self::Disk(error)
    }
}

/// Writes below one folder.
pub(super) struct Sink<'a> {
    into: &'a Path,
    bounds: Bounds,
    n_entries: u64,
    unpacked: Unpacked,
}

impl<'a> Sink<'a> {
    pub(super) fn new(into: &'a Path, bounds: Bounds) -> Self {
        Self { into, bounds, n_entries: 0, unpacked: Unpacked::default() }
    }

    pub(super) fn into_unpacked(self) -> Unpacked {
        self.unpacked
    }

    /// Bytes that may still come.
    pub(super) fn left(&self) -> u64 {
        self.bounds.bytes - self.unpacked.bytes
    }

    /// Counts one more entry, and says where it goes: nowhere for what a mac adds, and for the folder
    /// itself.
    pub(super) fn place(&mut self, name: &str) -> Result<Option<PathBuf>, Stop> {
        self.n_entries += 1;
        if self.n_entries > self.bounds.n_entries {
            let most = self.bounds.n_entries;
            return Err(Stop::Wrong(format!("contains more than {most} files and folders")));
        }
        let below = inner(name).map_err(|why| Stop::Wrong(format!("holds {name:?}, {why}")))?;
        if is_of_mac(&below) {
            self.unpacked.n_dropped += 1;
            return Ok(None);
        }
        Ok(Some(self.into.join(&below)).filter(|_| !below.as_os_str().is_empty()))
    }

    /// Writes a file. Calls `look` regularly to find out whether to continue.
    pub(super) fn file(
        &mut self,
        path: &Path,
        content: &mut dyn Read,
        look: &dyn Fn() -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let disk = |source| Stop::Disk(at(path, source));
        folder(path.parent().unwrap_or(self.into))?;
        let name = || path.strip_prefix(self.into).unwrap_or(path).display().to_string();
        let mut file = match OpenOptions::new().write(true).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Stop::Wrong(format!("holds {:?} twice", name())));
            }
            other => other.map_err(disk)?,
        };
        let mut buffer = vec![0; 1 << 17];
        loop {
            let n = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) => return Err(Stop::Wrong(format!("{:?}: {error}", name()))),
            };
            if n as u64 > self.left() {
                let most = readable(self.bounds.bytes);
                return Err(Stop::Wrong(format!("contains more than {most}, at {:?}", name())));
            }
            file.write_all(&buffer[..n]).map_err(disk)?;
            self.unpacked.bytes += n as u64;
            look()?;
        }
        self.unpacked.n_files += 1;
        Ok(())
    }
}

/// Makes a folder, and those above it.
pub(super) fn folder(path: &Path) -> Result<(), Stop> {
    fs::create_dir_all(path).map_err(|source| Stop::Disk(at(path, source)))
}

/// The path below the folder that a name in an archive stands for, or why it may not be.
fn inner(name: &str) -> Result<PathBuf, &'static str> {
    if name.contains(['\\', '\0']) {
        return Err("whose name no file may have");
    }
    let mut below = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            // `C:` is a plain name on this system and a drive on others.
            Component::Normal(part) if part.to_string_lossy().contains(':') => {
                return Err("whose name no file may have");
            }
            Component::Normal(part) => below.push(part),
            Component::CurDir => {}
            Component::ParentDir => return Err("a path out of the folder"),
            Component::RootDir | Component::Prefix(_) => return Err("a path from the root"),
        }
    }
    Ok(below)
}

/// What a mac lays beside files, which would look like one more of them.
fn is_of_mac(path: &Path) -> bool {
    path.components().any(|part| {
        let part = part.as_os_str().to_string_lossy();
        part.starts_with("._") || part == "__MACOSX" || part == ".DS_Store"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_into_the_folder_or_nowhere() {
        assert_eq!(inner("./genres/blues/a.au"), Ok(PathBuf::from("genres/blues/a.au")));
        assert_eq!(inner("./"), Ok(PathBuf::new()));
        assert_eq!(inner("a//b/"), Ok(PathBuf::from("a/b")));
        for wrong in ["../a", "a/../../b", "a/..", "/etc/passwd", "..\\a", "C:/a", "a\0b"] {
            assert!(inner(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_a_mac_adds_is_known() {
        for name in ["._a.au", "genres/._blues/a", "__MACOSX/a", "a/.DS_Store"] {
            assert!(is_of_mac(Path::new(name)), "{name}");
        }
        assert!(!is_of_mac(Path::new("genres/a._b.au")));
    }
}
