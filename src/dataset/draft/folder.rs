//! Folders of genres -> a manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::super::DatasetError;
use super::super::folder::LEVELS;
use super::super::recordings::{self, entries, some_names};
use super::text::{Draft, DraftOptions, files, head, quoted_array};

/// What is in the folders.
#[derive(Default)]
struct Found {
    /// By genre.
    recordings: BTreeMap<String, Vec<PathBuf>>,
    /// Files next to the genre folders.
    beside: Vec<String>,
    /// Covers, playlists and other files that are not recordings.
    others: Vec<PathBuf>,
    /// Files and folders whose names are not text.
    unnameable: Vec<String>,
}

/// Looks at a folder of genre folders and writes a manifest for it.
pub(super) fn draft(
    title: &str,
    folder: &Path,
    options: &DraftOptions,
) -> Result<Draft, DatasetError> {
    let mut found = Found::look(folder)?;
    let depth = options.depth.unwrap_or_else(|| found.depth(folder));
    let inner = found.keep(folder, depth);
    if found.recordings.len() < 2 {
        let found = match found.recordings.keys().next() {
            None => "none".to_owned(),
            Some(name) => format!("one ({name})"),
        };
        let message = format!(
            "expected at least two folders of recordings, one per genre, found {found}\nhint: give the \
             folder that contains the genre folders; other collections need a list: a CSV file with the \
             columns path and label"
        );
        return Err(DatasetError::Layout { path: folder.to_owned(), message });
    }
    let all: Vec<PathBuf> = found.recordings.values().flatten().cloned().collect();
    let levels = &LEVELS[..depth];
    let mut notes = found.notes(&inner);
    if depth > 1 {
        let order = levels.join("/").to_uppercase();
        let how = if options.depth.is_some() { "" } else { " (--depth changes that)" };
        notes.push(format!("read as {order}/FILE{how}"));
    }
    notes.extend(options.rate_notes(&all, folder)?);
    let stems: BTreeSet<_> = all.iter().filter_map(|path| path.file_stem()).collect();
    let mut text = head(title, folder);
    let genres = quoted_array(found.recordings.keys().map(String::as_str));
    let mut line = |text_of_line: String| {
        writeln!(text, "{text_of_line}").expect("a text can be written to");
    };
    line(format!("[folder]\ngenres = {genres}"));
    if depth > 1 {
        line(format!("levels = {}", quoted_array(levels.iter().copied())));
    } else if stems.len() < all.len() {
        line("genre_in_track = true   # files of several genres have the same name".to_owned());
    }
    line(format!("sample_rate_hz = {}\nn_tracks = {}", options.rate_hz(), all.len()));
    Ok(Draft { text, folder: folder.to_owned(), notes })
}

impl Found {
    fn look(folder: &Path) -> Result<Self, DatasetError> {
        let mut found = Self::default();
        for path in list(folder)? {
            match path.file_name().and_then(|name| name.to_str()) {
                None => found.unnameable.push(recordings::shown(&path)),
                Some(name) if !path.is_dir() => found.beside.push(name.to_owned()),
                Some(genre) => {
                    let below = recordings::below(&path)
                        .map_err(|source| DatasetError::Io { path: path.clone(), source })?;
                    for file in below {
                        if file.to_str().is_none() {
                            found.unnameable.push(recordings::shown(&file));
                        } else if recordings::is_other(&file) {
                            found.others.push(file);
                        } else {
                            found.recordings.entry(genre.to_owned()).or_default().push(file);
                        }
                    }
                }
            }
        }
        Ok(found)
    }

    /// How many folders lie above most of the files, at most three.
    fn depth(&self, folder: &Path) -> usize {
        let mut n_files = [0; LEVELS.len()];
        for path in self.recordings.values().flatten() {
            n_files[depth_of(path, folder).clamp(1, LEVELS.len()) - 1] += 1;
        }
        let n: usize = n_files.iter().sum();
        // Singles next to albums: the deeper level counts as soon as it has a tenth of the files.
        if n_files[0] * 2 >= n {
            1
        } else if n_files[2] * 10 >= n {
            3
        } else {
            2
        }
    }

    /// Drops what a genre folder has in subfolders if the files are right in it. Returns the subfolders.
    fn keep(&mut self, folder: &Path, depth: usize) -> Vec<String> {
        let mut inner = BTreeSet::new();
        if depth > 1 {
            return vec![];
        }
        for paths in self.recordings.values_mut() {
            paths.retain(|path| {
                let is_right_here = depth_of(path, folder) == 1;
                if let Some(parent) = path.parent().filter(|_| !is_right_here) {
                    let below = parent.strip_prefix(folder).unwrap_or(parent).iter().take(2);
                    inner.insert(below.collect::<PathBuf>().display().to_string());
                }
                is_right_here
            });
        }
        self.recordings.retain(|_, paths| !paths.is_empty());
        inner.into_iter().collect()
    }

    fn notes(&self, inner: &[String]) -> Vec<String> {
        let of_genre =
            |(genre, paths): (&String, &Vec<PathBuf>)| format!("{genre}: {}", files(paths.len()));
        let mut notes: Vec<String> = self.recordings.iter().map(of_genre).collect();
        if !self.beside.is_empty() {
            notes.push(format!("not in a genre folder: {}", some_names(&self.beside)));
        }
        if !inner.is_empty() {
            let some = some_names(inner);
            notes.push(format!(
                "subfolders of genre folders are skipped: {some} (--depth 2 or 3 reads them)"
            ));
        }
        notes.extend(recordings::others_note(&self.others));
        if !self.unnameable.is_empty() {
            let some = some_names(&self.unnameable);
            notes.push(format!("skipped, because the name is not valid UTF-8: {some}"));
        }
        notes
    }
}

/// Folders between the collection and a file.
fn depth_of(path: &Path, folder: &Path) -> usize {
    path.strip_prefix(folder).unwrap_or(path).components().count().saturating_sub(1)
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let listed = entries(folder).map(|(paths, _)| paths);
    listed.map_err(|source| DatasetError::Io { path: folder.to_owned(), source })
}
