//! Recordings that belong to no dataset: the files of a folder that a model is used on.

use std::path::{Path, PathBuf};

use super::DatasetError;
use super::recordings::{below, is_other, others_note};

/// The files below a folder that are recordings by their names, sorted, and a note about the other files.
/// Hidden files do not count.
///
/// # Errors
/// Where the folder can't be read.
pub fn recordings_in(folder: &Path) -> Result<(Vec<PathBuf>, Option<String>), DatasetError> {
    let all =
        below(folder).map_err(|source| DatasetError::Io { path: folder.to_owned(), source })?;
    let (others, found): (Vec<PathBuf>, Vec<PathBuf>) =
        all.into_iter().partition(|path| is_other(path));
    Ok((found, others_note(&others)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn covers_and_hidden_files_are_not_recordings() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        fs::create_dir(place("album")).unwrap();
        for name in ["b.wav", "album/a.mp3", "album/cover.jpg", ".hidden.wav"] {
            fs::write(place(name), "").unwrap();
        }
        let (found, note) = recordings_in(folder.path()).unwrap();
        assert_eq!(found, [place("album/a.mp3"), place("b.wav")]);
        assert_eq!(note.as_deref(), Some("1 file is not a recording and was skipped: 1 jpg"));
        assert!(recordings_in(&place("none")).is_err());
    }
}
