//! What a program may read and write, as folders and files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// What a program may read and write. Everything else is out of its reach where [`Access::is_enforced`]
/// and the kernel allow that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Folders and files that it may read and run, except for what is hidden in them.
    pub readable: Vec<PathBuf>,
    /// Folders and files that it may read although they lie inside of what is hidden.
    pub shown: Vec<PathBuf>,
    /// Folders and files that it may also write. They may lie inside of what is hidden.
    pub writable: Vec<PathBuf>,
    /// Folders and files that it must not read, wherever they lie.
    pub hidden: Vec<PathBuf>,
    /// False to restrict nothing.
    pub is_enforced: bool,
}

impl Access {
    /// The paths to allow for reading: those of [`Self::readable`] without links. A folder with something
    /// hidden in it is replaced by its entries, so that the folder itself can't be listed.
    #[must_use]
    pub fn allowed(&self) -> Vec<PathBuf> {
        let hidden: Vec<PathBuf> =
            self.hidden.iter().filter_map(|path| path.canonicalize().ok()).collect();
        let mut allowed = vec![];
        self.readable.iter().for_each(|path| add(path, &hidden, &mut allowed));
        allowed.extend(self.shown.iter().filter_map(|path| path.canonicalize().ok()));
        allowed.sort();
        allowed.dedup();
        allowed
    }
}

fn add(path: &Path, hidden: &[PathBuf], allowed: &mut Vec<PathBuf>) {
    // What does not exist, or leads nowhere, needs no permission.
    let Ok(path) = path.canonicalize() else { return };
    if hidden.iter().any(|hidden| path.starts_with(hidden)) {
        return;
    }
    if hidden.iter().any(|hidden| hidden.starts_with(&path)) {
        let entries = std::fs::read_dir(&path).into_iter().flatten().flatten();
        // A link to a folder above would lead round in circles.
        let entries = entries
            .map(|entry| entry.path())
            .filter(|entry| entry.canonicalize().is_ok_and(|target| !path.starts_with(target)));
        entries.for_each(|entry| add(&entry, hidden, allowed));
        return;
    }
    allowed.push(path);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_folder_with_something_hidden_is_allowed_entry_by_entry() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path().canonicalize().unwrap();
        for folder in ["project/models", "project/datasets/gtzan", "project/a/b/secret", "lib"] {
            fs::create_dir_all(home.join(folder)).unwrap();
        }
        fs::write(home.join("project/a/b/open"), "").unwrap();
        #[cfg(unix)]
        for (target, link) in [("datasets", "project/link"), ("..", "project/a/up")] {
            std::os::unix::fs::symlink(target, home.join(link)).unwrap();
        }
        let access = Access {
            readable: ["project", "lib", "missing"].map(|path| home.join(path)).to_vec(),
            shown: vec![],
            writable: vec![],
            hidden: ["project/datasets", "project/a/b/secret", "gone"]
                .map(|path| home.join(path))
                .to_vec(),
            is_enforced: true,
        };
        let wanted = ["lib", "project/a/b/open", "project/models"].map(|path| home.join(path));
        assert_eq!(access.allowed(), wanted);
        let all = Access { readable: vec![home.join("project/datasets/gtzan")], ..access };
        assert_eq!(all.allowed(), Vec::<PathBuf>::new(), "nothing hidden is ever allowed");
    }
}
