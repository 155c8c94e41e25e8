//! The files of a project before and after a program ran.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files that are looked at to find those that a program wrote outside of its folder.
const MAX_WATCHED: usize = 50_000;

/// The files of a project that a program should leave alone, with size and time.
pub(super) struct Watched(BTreeMap<PathBuf, (u64, Option<SystemTime>)>);

impl Watched {
    pub(super) fn look(project: &Path, hidden: &[PathBuf]) -> Self {
        let mut found = BTreeMap::new();
        let here = if project.as_os_str().is_empty() { Path::new(".") } else { project };
        let hidden: Vec<PathBuf> =
            hidden.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let mut folders = vec![here.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let name = name.to_string_lossy();
                let Ok(kind) = entry.file_type() else { continue };
                if found.len() >= MAX_WATCHED {
                    return Self(found);
                }
                if kind.is_dir() {
                    // Folders of builds and editors change by themselves, and encore's own are hidden.
                    let is_hidden = path.canonicalize().is_ok_and(|path| hidden.contains(&path));
                    if !is_hidden
                        && !name.starts_with('.')
                        && !["target", "__pycache__"].contains(&&*name)
                    {
                        folders.push(path);
                    }
                } else if let Ok(file) = entry.metadata() {
                    found.insert(path, (file.len(), file.modified().ok()));
                }
            }
        }
        Self(found)
    }

    /// The files that are new or other.
    pub(super) fn changed(&self, now: &Self) -> Vec<String> {
        let is_new = |(path, facts): &(&PathBuf, &(u64, Option<SystemTime>))| {
            self.0.get(*path) != Some(*facts)
        };
        let name = |(path, _): (&PathBuf, &_)| {
            path.strip_prefix(".").unwrap_or(path).display().to_string()
        };
        now.0.iter().filter(is_new).map(name).collect()
    }
}
