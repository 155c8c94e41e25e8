//! Layout `[folder]`: one folder of recordings per genre, perhaps with folders of artists and albums in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::recordings::{self, Candidate, Demands, Examined, Progress, entries, name};
use super::{AudioData, DatasetError, Index, IndexedFile, Manifest, TrackColumns};
use crate::audio::DECODER_VERSION;
use crate::record::Excluded;
use crate::schema::{Fields, Flag, Int, List, Text};
use crate::vocab::quoted_list;

/// The levels of folders that `encore data new` writes.
pub(super) const LEVELS: [&str; 3] = ["genre", "artist", "album"];

/// What the manifest says of a folder-per-genre dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Folder {
    /// Subfolders that may contain the genre folders; the first one that does is used.
    pub roots: Vec<String>,
    /// The genres: folder names, in the order of the classes. If absent, all folders, sorted.
    pub genres: Option<Vec<String>>,
    /// What the folders above a file are called, from the outermost: `genre`, then columns of tracks. With more
    /// than one level, files are tracks however deep they lie, and are named by their whole path.
    pub levels: Vec<String>,
    /// Whether a track is named `GENRE.FILE` and not by its file alone, whose name may be there twice.
    pub genre_in_track: bool,
    /// Requirements on the recordings.
    pub demands: Demands,
    /// Number of tracks in a complete copy.
    pub n_tracks: usize,
}

impl Folder {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            roots: fields.with_default("roots", &List::of_some(Text), vec![".".to_owned()]),
            genres: fields.optional("genres", &List::of_some(Text)),
            levels: read_levels(fields),
            genre_in_track: fields.with_default("genre_in_track", &Flag, false),
            demands: Demands::read(fields),
            n_tracks: fields.required("n_tracks", &Int::within(1..=10_000_000)),
        }
    }

    /// Decodes and hashes every file below the genre folders.
    pub(super) fn index(
        &self,
        manifest: &Manifest,
        from: &Path,
        progress: Progress,
    ) -> Result<Index, DatasetError> {
        let root = self.find_root(from)?;
        let mut notes = vec![];
        let genres = self.genres_in(&root)?;
        let mut skipped = vec![];
        let candidates = self.candidates(&root, &genres, &mut notes, &mut skipped)?;
        let examined = recordings::examine(&root, &candidates, self.demands, progress);
        let Examined { files, mut excluded, notes: of_files } = examined;
        excluded.extend(skipped);
        if files.is_empty() {
            let message =
                recordings::none_good(candidates.len(), &excluded, "the genre folders are empty");
            return Err(DatasetError::Layout { path: root, message });
        }
        notes.extend(of_files);
        notes.extend(recordings::duplicates(&files));
        notes.extend(recordings::counts(&files, &genres, self.n_tracks));
        notes.extend(recordings::absent_known_faults(manifest, &files, &excluded));
        Ok(Index {
            dataset: manifest.name.clone(),
            root,
            files,
            excluded,
            notes,
            listing: None,
            decoder_version: Some(DECODER_VERSION),
        })
    }

    /// Loads the dataset from the index that an import of this folder wrote.
    pub(super) fn load(&self, manifest: &Manifest, index: &Index) -> AudioData {
        let genres = self.genres.clone().unwrap_or_else(|| recordings::genres_of(&index.files));
        let rate = self.demands.sample_rate_hz;
        let mut audio = AudioData::from_index(manifest, genres, rate, self.n_tracks, index);
        audio.track_columns = self.columns_of(&index.files);
        audio
    }

    /// What the folders below the genre are called, for every track. An album is told apart from others of
    /// its name by its artist.
    fn columns_of(&self, files: &[IndexedFile]) -> TrackColumns {
        let mut columns = TrackColumns::default();
        for (i, level) in self.levels.iter().enumerate().skip(1) {
            let cell = |file: &IndexedFile| {
                let folders: Vec<_> =
                    file.path.parent()?.iter().map(OsStr::to_string_lossy).collect();
                folders.get(1..=i).map(|names| names.join("/"))
            };
            let cells: Vec<String> =
                files.iter().map(|file| cell(file).unwrap_or_default()).collect();
            let cells =
                files.iter().zip(&cells).map(|(file, cell)| (file.track.as_str(), cell.as_str()));
            columns.add(level, cells).expect("every track has a name of its own");
        }
        columns
    }

    fn find_root(&self, from: &Path) -> Result<PathBuf, DatasetError> {
        let has_genre = |root: &Path| match &self.genres {
            Some(genres) => genres.iter().any(|genre| root.join(genre).is_dir()),
            None => entries(root).is_ok_and(|(paths, _)| paths.iter().any(|path| path.is_dir())),
        };
        let tried = || self.roots.iter().map(|root| from.join(root)).chain([from.to_owned()]);
        let root = tried().find(|root| has_genre(root)).and_then(|root| root.canonicalize().ok());
        root.ok_or_else(|| {
            let genres = self.genres.iter().map(|genres| format!(" ({})", genres.join(", ")));
            let (genres, roots) = (genres.collect::<String>(), self.roots.iter());
            let roots = quoted_list(roots.map(String::as_str));
            let message = format!("no genre folder{genres} here or in {roots}");
            DatasetError::Layout { path: from.to_owned(), message }
        })
    }

    /// Returns the declared genres, or all folders.
    fn genres_in(&self, root: &Path) -> Result<Vec<String>, DatasetError> {
        match &self.genres {
            Some(genres) => Ok(genres.clone()),
            None => {
                let (paths, _) = visible(root)?;
                Ok(paths.iter().filter(|path| path.is_dir()).map(|path| name(path)).collect())
            }
        }
    }

    /// Lists every recording of every genre folder, sorted, and notes what is skipped.
    fn candidates(
        &self,
        root: &Path,
        genres: &[String],
        notes: &mut Vec<String>,
        skipped: &mut Vec<Excluded>,
    ) -> Result<Vec<Candidate>, DatasetError> {
        for path in visible(root)?.0 {
            if path.is_dir() && !genres.contains(&name(&path)) {
                let shown = recordings::shown(&path);
                notes.push(format!("the folder {shown} is not a genre of this dataset"));
            }
        }
        let mut candidates = vec![];
        let (mut n_all_hidden, mut others) = (0, vec![]);
        for genre in genres {
            let folder = root.join(genre);
            if !folder.is_dir() {
                notes.push(format!("the genre {genre} is missing: no folder {genre}"));
                continue;
            }
            let (mut paths, n_hidden) = visible(&folder)?;
            n_all_hidden += n_hidden;
            if self.levels.len() > 1 {
                paths = recordings::below(&folder)
                    .map_err(|source| DatasetError::Io { path: folder.clone(), source })?;
            }
            for path in paths {
                let below = path.strip_prefix(root).unwrap_or(&path);
                if below.to_str().is_none() {
                    skipped.push(Excluded {
                        name: recordings::shown(below),
                        reason: "its name is not valid UTF-8; rename it".to_owned(),
                    });
                } else if !path.is_dir() && recordings::is_other(&path) {
                    others.push(path);
                } else {
                    let (track, path) = (self.track(genre, below), below.to_owned());
                    candidates.push(Candidate { track, genre: genre.clone(), path });
                }
            }
        }
        notes.extend(recordings::others_note(&others));
        if n_all_hidden > 0 {
            notes.push(format!("{n_all_hidden} hidden files were skipped"));
        }
        Ok(candidates)
    }

    /// The name of a track from its path below the root.
    fn track(&self, genre: &str, path: &Path) -> String {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if self.levels.len() > 1 {
            let folders = path.parent().into_iter().flat_map(Path::iter);
            let folders = folders.map(OsStr::to_string_lossy);
            return folders.chain([stem]).collect::<Vec<_>>().join(".");
        }
        if self.genre_in_track { format!("{genre}.{stem}") } else { stem.into_owned() }
    }
}

/// Reads `levels`, whose first is always `genre`.
fn read_levels(fields: &mut Fields) -> Vec<String> {
    let levels = fields.with_default("levels", &List::of_some(Text), vec![LEVELS[0].to_owned()]);
    if levels.first().is_some_and(|first| first != LEVELS[0]) {
        fields.fault_at("levels", "must begin with \"genre\", the outermost folder");
    }
    levels
}

fn visible(folder: &Path) -> Result<(Vec<PathBuf>, usize), DatasetError> {
    entries(folder).map_err(|source| DatasetError::Io { path: folder.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::audio::{Waveform, write_wav};
    use crate::dataset::Catalogue;

    const MANIFEST: &str = r#"
        title = "Two genres"
        licence = "none"
        citation = "nobody"
        how_to_get = "make it"
        [[known_faults]]
        track = "b.2"
        fault = "was always broken"
        [folder]
        roots = ["genres", "."]
        genres = ["a", "b", "c"]
        sample_rate_hz = 8000
        minimum_s = 0.5
        n_tracks = 9
    "#;

    fn tone(path: &Path, seconds: f64, hz: f64) {
        let n = (seconds * 8_000.0) as usize;
        let sample =
            |i: usize| (i as f64 * hz * std::f64::consts::TAU / 8_000.0).sin() as f32 * 0.5;
        let waveform = Waveform { samples: (0..n).map(sample).collect(), sample_rate_hz: 8_000 };
        write_wav(path, &waveform).unwrap();
    }

    #[test]
    fn the_good_is_indexed_and_the_bad_is_named() {
        let home = tempfile::tempdir().unwrap();
        let datasets = home.path().join("datasets");
        let music = home.path().join("music");
        for folder in ["genres/a", "genres/b", "genres/z"] {
            fs::create_dir_all(music.join(folder)).unwrap();
        }
        fs::create_dir_all(&datasets).unwrap();
        fs::write(datasets.join("two.toml"), MANIFEST).unwrap();
        tone(&music.join("genres/a/a.1.wav"), 1.0, 440.0);
        tone(&music.join("genres/a/a.2.wav"), 0.1, 440.0);
        fs::copy(music.join("genres/a/a.1.wav"), music.join("genres/b/b.1.wav")).unwrap();
        fs::write(music.join("genres/b/b.2.wav"), "no music here").unwrap();
        fs::write(music.join("genres/b/b.3.wav"), "").unwrap();
        fs::write(music.join("genres/b/._b.1.wav"), "mac").unwrap();

        let catalogue = Catalogue::open(&datasets).unwrap();
        let manifest = catalogue.find("two").unwrap();
        let index = catalogue.import(manifest, &music, false, &|_, _| {}).unwrap();
        let tracks: Vec<&str> = index.files.iter().map(|file| file.track.as_str()).collect();
        assert_eq!(tracks, ["a.1", "b.1"]);
        assert_eq!(index.files[0].n_samples, 8_000);
        let out: Vec<&str> = index.excluded.iter().map(|out| out.name.as_str()).collect();
        assert_eq!(out, ["a/a.2.wav", "b/b.2.wav", "b/b.3.wav"]);
        assert_eq!(index.excluded[0].reason, "is 0.10 s long; at least 0.5 s are needed");
        assert_eq!(
            index.notes,
            [
                "the folder z is not a genre of this dataset",
                "the genre c is missing: no folder c",
                "1 hidden files were skipped",
                "bit-identical recordings: a.1, b.1",
                "2 of the 9 tracks of a complete copy: a 1, b 1, c 0",
                "b.2 is skipped, as expected: was always broken",
            ]
        );
        assert_eq!(catalogue.index(manifest).unwrap(), index);
        assert!(index.root.ends_with("genres"));
    }

    #[test]
    fn genres_that_are_not_declared_are_the_folders_there() {
        let home = tempfile::tempdir().unwrap();
        let manifest = MANIFEST.replace("genres = [\"a\", \"b\", \"c\"]", "");
        fs::write(home.path().join("two.toml"), manifest).unwrap();
        for genre in ["z", "k", "empty", ".git"] {
            fs::create_dir_all(home.path().join("music").join(genre)).unwrap();
        }
        tone(&home.path().join("music/z/1.wav"), 1.0, 440.0);
        tone(&home.path().join("music/k/2.wav"), 1.0, 220.0);
        let catalogue = Catalogue::open(home.path()).unwrap();
        let two = catalogue.find("two").unwrap();
        let index = catalogue.import(two, &home.path().join("music"), false, &|_, _| {}).unwrap();
        assert_eq!(index.notes, ["2 of the 9 tracks of a complete copy: empty 0, k 1, z 1"]);
        let Ok(crate::dataset::Data::Audio(audio)) =
            catalogue.load(two, crate::dataset::Cut::default())
        else {
            panic!("recordings are audio");
        };
        // A folder without recordings is not a class.
        assert_eq!(audio.classes, ["k", "z"]);
    }

    #[test]
    fn a_copy_is_its_own_root_with_the_same_hash() {
        let home = tempfile::tempdir().unwrap();
        let datasets = home.path().join("datasets");
        fs::create_dir_all(home.path().join("music/a")).unwrap();
        fs::create_dir_all(&datasets).unwrap();
        fs::write(datasets.join("two.toml"), MANIFEST).unwrap();
        tone(&home.path().join("music/a/a.1.wav"), 1.0, 440.0);
        let catalogue = Catalogue::open(&datasets).unwrap();
        let manifest = catalogue.find("two").unwrap();
        let music = home.path().join("music");
        let in_place = catalogue.import(manifest, &music, false, &|_, _| {}).unwrap();
        let copied = catalogue.import(manifest, &music, true, &|_, _| {}).unwrap();
        assert_eq!(in_place.hash(), copied.hash());
        assert!(copied.root.starts_with(datasets.canonicalize().unwrap()));
        assert!(copied.root.join(&copied.files[0].path).exists());
    }

    #[test]
    fn a_folder_without_genres_says_what_was_looked_for() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("two.toml"), MANIFEST).unwrap();
        let catalogue = Catalogue::open(home.path()).unwrap();
        let manifest = catalogue.find("two").unwrap();
        let error = catalogue.import(manifest, home.path(), false, &|_, _| {}).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("no genre folder (a, b, c) here or in `genres` or `.`"), "{text}");
    }
}
