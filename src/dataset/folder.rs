//! Layout `[folder]`: one folder of recordings per genre.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{DatasetError, Index, IndexedFile, Manifest};
use crate::audio;
use crate::record::Excluded;
use crate::schema::{Fields, Int, List, Real, Text};
use crate::vocab::{quoted_list, sha256_hex};

/// What the manifest says of a folder-per-genre dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Folder {
    /// Sub-folders in which the genre folders may lie; the first that has one wins.
    pub roots: Vec<String>,
    /// The genres: folder names, and classes in this order.
    pub genres: Vec<String>,
    /// What the recordings are resampled to where they differ.
    pub sample_rate_hz: u32,
    /// Shorter recordings are kept out.
    pub minimum_s: f64,
    /// How many tracks a whole copy has.
    pub n_tracks: usize,
}

impl Folder {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            roots: fields.or("roots", &List::of_some(Text), vec![".".to_owned()]),
            genres: fields.required("genres", &List::of_some(Text)),
            sample_rate_hz: fields.required("sample_rate_hz", &Int::within(1_000..=384_000)) as u32,
            minimum_s: fields.or("minimum_s", &Real::not_negative(), 0.0),
            n_tracks: fields.required("n_tracks", &Int::within(1..=10_000_000)),
        }
    }

    /// Decodes and hashes every file below the genre folders.
    pub(super) fn index(
        &self,
        manifest: &Manifest,
        from: &Path,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Index, DatasetError> {
        let root = self.find_root(from)?;
        let mut notes = vec![];
        let candidates = self.candidates(&root, &mut notes)?;
        let n_done = AtomicUsize::new(0);
        let examine = |(genre, path): &(String, PathBuf)| {
            let outcome = self.examine(&root, genre, path);
            progress(n_done.fetch_add(1, Ordering::Relaxed) + 1, candidates.len());
            outcome
        };
        let outcomes: Vec<_> = candidates.par_iter().map(examine).collect();
        let mut files: BTreeMap<String, IndexedFile> = BTreeMap::new();
        let mut excluded = vec![];
        for outcome in outcomes {
            match outcome {
                Err(out) => excluded.push(out),
                Ok(file) if files.contains_key(&file.track) => excluded.push(Excluded {
                    name: file.path.display().to_string(),
                    reason: format!("there is another file of the track {}", file.track),
                }),
                Ok(file) => {
                    files.insert(file.track.clone(), file);
                }
            }
        }
        let files: Vec<IndexedFile> = files.into_values().collect();
        notes.extend(duplicates(&files));
        notes.extend(self.counts(&files));
        notes.extend(absent_known_faults(manifest, &files, &excluded));
        if files.is_empty() {
            let message =
                format!("no file of {} can be used: {}", candidates.len(), first(&excluded));
            return Err(DatasetError::Layout { path: root, message });
        }
        Ok(Index { dataset: manifest.name.clone(), root, files, excluded, notes })
    }

    fn find_root(&self, from: &Path) -> Result<PathBuf, DatasetError> {
        let has_genre = |root: &Path| self.genres.iter().any(|genre| root.join(genre).is_dir());
        let tried = || self.roots.iter().map(|root| from.join(root)).chain([from.to_owned()]);
        tried().find(|root| has_genre(root)).and_then(|root| root.canonicalize().ok()).ok_or_else(
            || DatasetError::Layout {
                path: from.to_owned(),
                message: format!(
                    "no folder of a genre ({}) is here or in {}",
                    self.genres.join(", "),
                    quoted_list(self.roots.iter().map(String::as_str))
                ),
            },
        )
    }

    /// Every visible file of every genre folder, sorted; what is passed over is noted.
    fn candidates(
        &self,
        root: &Path,
        notes: &mut Vec<String>,
    ) -> Result<Vec<(String, PathBuf)>, DatasetError> {
        let list = |folder: &Path| -> Result<Vec<PathBuf>, DatasetError> {
            let io = |source| DatasetError::Io { path: folder.to_owned(), source };
            let entries = fs::read_dir(folder).map_err(io)?;
            let paths: Result<Vec<PathBuf>, _> =
                entries.map(|entry| entry.map(|entry| entry.path())).collect();
            let mut paths = paths.map_err(io)?;
            paths.sort();
            Ok(paths)
        };
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for path in list(root)? {
            if path.is_dir() && !self.genres.contains(&name(&path)) && !name(&path).starts_with('.')
            {
                notes.push(format!("the folder {} is no genre of this dataset", name(&path)));
            }
        }
        let mut candidates = vec![];
        let mut n_hidden = 0;
        for genre in &self.genres {
            let folder = root.join(genre);
            if !folder.is_dir() {
                notes.push(format!("the genre {genre} is missing: there is no folder {genre}"));
                continue;
            }
            for path in list(&folder)? {
                if name(&path).starts_with('.') {
                    n_hidden += 1;
                } else {
                    candidates.push((genre.clone(), path));
                }
            }
        }
        if n_hidden > 0 {
            notes.push(format!("{n_hidden} hidden files were passed over"));
        }
        Ok(candidates)
    }

    fn examine(&self, root: &Path, genre: &str, path: &Path) -> Result<IndexedFile, Excluded> {
        let below_root = path.strip_prefix(root).unwrap_or(path);
        let out = |reason: String| Excluded { name: below_root.display().to_string(), reason };
        if !path.is_file() {
            return Err(out("is no file".to_owned()));
        }
        let bytes = fs::read(path).map_err(|error| out(error.to_string()))?;
        let waveform = audio::decode(path).map_err(|error| {
            let text = error.to_string();
            let own = text.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&text);
            out(own.lines().next().unwrap_or_default().to_owned())
        })?;
        if waveform.duration_s() < self.minimum_s {
            let (is, least) = (waveform.duration_s(), self.minimum_s);
            return Err(out(format!("is {is:.2} s long, {least} s are needed")));
        }
        let ratio = f64::from(self.sample_rate_hz) / f64::from(waveform.sample_rate_hz);
        Ok(IndexedFile {
            track: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            genre: genre.to_owned(),
            path: below_root.to_owned(),
            sha256: sha256_hex(&bytes),
            n_samples: (waveform.samples.len() as f64 * ratio).ceil() as usize,
        })
    }

    fn counts(&self, files: &[IndexedFile]) -> Option<String> {
        if files.len() == self.n_tracks {
            return None;
        }
        let count = |genre: &String| files.iter().filter(|file| &file.genre == genre).count();
        let per_genre: Vec<String> =
            self.genres.iter().map(|genre| format!("{genre} {}", count(genre))).collect();
        let (has, whole) = (files.len(), self.n_tracks);
        Some(format!("{has} of the {whole} tracks of a whole copy: {}", per_genre.join(", ")))
    }
}

fn first(excluded: &[Excluded]) -> String {
    match excluded.first() {
        None => "the genre folders are empty".to_owned(),
        Some(out) => format!("e.g. {} {}", out.name, out.reason),
    }
}

/// Files with the same bytes are said, and kept: which of the two is right is not ours to judge.
fn duplicates(files: &[IndexedFile]) -> Vec<String> {
    let mut by_hash: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        by_hash.entry(&file.sha256).or_default().push(&file.track);
    }
    let same = by_hash.into_values().filter(|tracks| tracks.len() > 1);
    same.map(|tracks| format!("the same recording bit for bit: {}", tracks.join(", "))).collect()
}

fn absent_known_faults(
    manifest: &Manifest,
    files: &[IndexedFile],
    excluded: &[Excluded],
) -> Vec<String> {
    let absent = |track: &str| {
        !files.iter().any(|file| file.track == track)
            && excluded.iter().any(|out| out.name.contains(track))
    };
    let known = manifest.known_faults.iter().filter(|known| absent(&known.track));
    known
        .map(|known| format!("{} is kept out, as expected: {}", known.track, known.fault))
        .collect()
}

#[cfg(test)]
mod tests {
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
        assert_eq!(index.excluded[0].reason, "is 0.10 s long, 0.5 s are needed");
        assert_eq!(
            index.notes,
            [
                "the folder z is no genre of this dataset",
                "the genre c is missing: there is no folder c",
                "1 hidden files were passed over",
                "the same recording bit for bit: a.1, b.1",
                "2 of the 9 tracks of a whole copy: a 1, b 1, c 0",
                "b.2 is kept out, as expected: was always broken",
            ]
        );
        assert_eq!(catalogue.index(manifest).unwrap(), index);
        assert!(index.root.ends_with("genres"));
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
        assert!(
            text.contains("no folder of a genre (a, b, c) is here or in `genres` or `.`"),
            "{text}"
        );
    }
}
