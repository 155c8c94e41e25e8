//! The common part of importing recordings: every file is decoded, measured and hashed, and faults
//! are reported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::{IndexedFile, Manifest};
use crate::audio;
use crate::record::Excluded;
use crate::schema::{Fields, Int, Real};
use crate::vocab::sha256_hex;

/// Called with the number of finished files and the total.
pub(super) type Progress<'a> = &'a (dyn Fn(usize, usize) + Sync);

/// Maximum number of items that are listed by name; the rest is counted.
pub(super) const MOST_NAMES: usize = 20;

/// Requirements on a dataset's recordings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demands {
    /// The sample rate; other recordings are resampled.
    pub sample_rate_hz: u32,
    /// Minimum length; shorter recordings are skipped.
    pub minimum_s: f64,
}

impl Demands {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            sample_rate_hz: fields.required("sample_rate_hz", &Int::within(1_000..=384_000)) as u32,
            minimum_s: fields.with_default("minimum_s", &Real::not_negative(), 0.0),
        }
    }
}

/// A file that may be a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) track: String,
    pub(super) genre: String,
    /// The path relative to the dataset's root.
    pub(super) path: PathBuf,
}

/// What came of the files of an import.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// The valid ones, by track.
    pub(super) files: Vec<IndexedFile>,
    /// The others, with their faults.
    pub(super) excluded: Vec<Excluded>,
    /// What is odd about valid files.
    pub(super) notes: Vec<String>,
}

/// A valid file, and what is odd about it.
struct Valid {
    file: IndexedFile,
    notes: Vec<String>,
    is_silent: bool,
}

/// Decodes and hashes files.
pub(super) fn examine(
    root: &Path,
    candidates: &[Candidate],
    demands: Demands,
    progress: Progress,
) -> Examined {
    let n_done = AtomicUsize::new(0);
    let examine = |candidate: &Candidate| {
        let outcome = examine_one(root, candidate, demands);
        progress(n_done.fetch_add(1, Ordering::Relaxed) + 1, candidates.len());
        outcome
    };
    let outcomes: Vec<_> = candidates.par_iter().map(examine).collect();
    let mut files: BTreeMap<String, IndexedFile> = BTreeMap::new();
    let (mut excluded, mut odd, mut silent) = (vec![], vec![], vec![]);
    for outcome in outcomes {
        match outcome {
            Err(out) => excluded.push(out),
            Ok(Valid { file, .. }) if files.contains_key(&file.track) => excluded.push(Excluded {
                name: file.path.display().to_string(),
                reason: format!("another file has the same track name, {}", file.track),
            }),
            Ok(Valid { file, notes, is_silent }) => {
                odd.extend(notes.iter().map(|note| format!("{}: {note}", file.path.display())));
                if is_silent {
                    silent.push(file.track.clone());
                }
                files.insert(file.track.clone(), file);
            }
        }
    }
    let mut notes: Vec<String> = odd.iter().take(MOST_NAMES).cloned().collect();
    if odd.len() > MOST_NAMES {
        notes.push(format!("{} more files have such notes", odd.len() - MOST_NAMES));
    }
    if !silent.is_empty() {
        notes.push(format!("nothing but silence: {}", some_names(&silent)));
    }
    Examined { files: files.into_values().collect(), excluded, notes }
}

fn examine_one(root: &Path, candidate: &Candidate, demands: Demands) -> Result<Valid, Excluded> {
    let path = root.join(&candidate.path);
    let out = |reason: String| Excluded { name: candidate.path.display().to_string(), reason };
    if !path.is_file() {
        return Err(out("is not a file".to_owned()));
    }
    let bytes = fs::read(&path).map_err(|error| out(error.to_string()))?;
    let recording = audio::read(&path, None).map_err(|error| {
        let text = error.to_string();
        let own = text.strip_prefix(&format!("{}: ", path.display())).unwrap_or(&text);
        out(own.lines().next().unwrap_or_default().to_owned())
    })?;
    let waveform = &recording.waveform;
    if waveform.duration_s() < demands.minimum_s {
        let (is, least) = (waveform.duration_s(), demands.minimum_s);
        return Err(out(format!("is {is:.2} s long; at least {least} s are needed")));
    }
    let ratio = f64::from(demands.sample_rate_hz) / f64::from(waveform.sample_rate_hz);
    let file = IndexedFile {
        track: candidate.track.clone(),
        genre: candidate.genre.clone(),
        path: candidate.path.clone(),
        sha256: sha256_hex(&bytes),
        n_samples: (waveform.samples.len() as f64 * ratio).ceil() as usize,
        decoder_version: recording.decoder_version,
    };
    Ok(Valid { file, is_silent: waveform.is_silent(), notes: recording.notes })
}

/// Explains why no file of an import is valid.
pub(super) fn none_good(n: usize, excluded: &[Excluded], otherwise: &str) -> String {
    let why = match excluded.first() {
        None => otherwise.to_owned(),
        Some(out) => format!("e.g. {} {}", out.name, out.reason),
    };
    format!("none of the {n} files is valid: {why}")
}

/// Lists the first names, and counts the others.
pub(super) fn some_names<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(MOST_NAMES).map(AsRef::as_ref).collect();
    let more = match names.len() - shown.len() {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    shown.join(", ") + &more
}

/// Reports files with the same bytes and keeps them, as encore cannot know which one is right.
pub(super) fn duplicates(files: &[IndexedFile]) -> Vec<String> {
    let mut by_hash: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for file in files {
        by_hash.entry(&file.sha256).or_default().push(&file.track);
    }
    let same = by_hash.into_values().filter(|tracks| tracks.len() > 1);
    let same: Vec<String> = same.map(|tracks| some_names(&tracks)).collect();
    if same.len() > MOST_NAMES {
        let (n, some) = (same.len(), same[..MOST_NAMES].join("; "));
        let more = n - MOST_NAMES;
        return vec![format!("{n} recordings have bit-identical copies: {some}; and {more} more")];
    }
    same.iter().map(|tracks| format!("bit-identical recordings: {tracks}")).collect()
}

/// Returns the genres of the files, sorted; empty for lists.
pub(super) fn genres_of(files: &[IndexedFile]) -> Vec<String> {
    let genres: BTreeSet<&str> = files.iter().map(|file| file.genre.as_str()).collect();
    genres.into_iter().filter(|genre| !genre.is_empty()).map(str::to_owned).collect()
}

/// Counts the tracks of each genre if the copy is incomplete.
pub(super) fn counts(files: &[IndexedFile], genres: &[String], n_tracks: usize) -> Option<String> {
    if files.len() == n_tracks {
        return None;
    }
    let count = |genre: &String| files.iter().filter(|file| &file.genre == genre).count();
    let per_genre: Vec<String> =
        genres.iter().map(|genre| format!("{genre} {}", count(genre))).collect();
    let (has, per_genre) = (files.len(), per_genre.join(", "));
    Some(format!("{has} of the {n_tracks} tracks of a complete copy: {per_genre}"))
}

/// Reports which faults were expected.
pub(super) fn absent_known_faults(
    manifest: &Manifest,
    files: &[IndexedFile],
    excluded: &[Excluded],
) -> Vec<String> {
    let absent = |track: &str| {
        !files.iter().any(|file| file.track == track)
            && excluded.iter().any(|out| out.name.contains(track))
    };
    let known = manifest.known_faults.iter().filter(|known| absent(&known.track));
    known.map(|known| format!("{} is skipped, as expected: {}", known.track, known.fault)).collect()
}

/// Returns the visible entries of a folder, sorted, and the number of hidden ones.
pub(super) fn entries(folder: &Path) -> std::io::Result<(Vec<PathBuf>, usize)> {
    let mut paths = vec![];
    let mut n_hidden = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            n_hidden += 1;
        } else {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok((paths, n_hidden))
}

/// Returns the last part of a path as text.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A path whose name may not be text: unprintable characters and invalid bytes are escaped.
#[allow(
    clippy::unnecessary_debug_formatting,
    reason = "the quotes are removed, the escapes are wanted"
)]
pub(super) fn shown(path: &Path) -> String {
    let shown = format!("{:?}", path.file_name().unwrap_or_default());
    shown.trim_matches('"').to_owned()
}

/// All visible files below a folder, sorted. Links to folders are not followed, since they may lead back.
pub(super) fn below(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (vec![], vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for path in entries(&folder)?.0 {
            if !path.is_dir() {
                files.push(path);
            } else if !path.is_symlink() {
                folders.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Extensions of the files that lie next to music: covers, playlists, logs, checksums, tables.
const OTHERS: &[&str] = &[
    "accurip", "bmp", "csv", "cue", "db", "doc", "docx", "ffp", "gif", "htm", "html", "ico", "ini",
    "jpeg", "jpg", "json", "lnk", "log", "lrc", "m3u", "m3u8", "md", "md5", "nfo", "npy",
    "parquet", "pdf", "pls", "png", "rtf", "sfv", "sha1", "sha256", "svg", "tif", "tiff", "toml",
    "torrent", "tsv", "txt", "url", "webp", "wpl", "xml", "xspf", "yaml", "yml",
];

/// Whether a file is not a recording by its name: a cover, a playlist, a log.
pub(super) fn is_other(path: &Path) -> bool {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    extension.is_some_and(|extension| OTHERS.binary_search(&extension.as_str()).is_ok())
}

/// Counts the files that are not recordings by their kinds.
pub(super) fn others_note(paths: &[PathBuf]) -> Option<String> {
    let mut n_of: BTreeMap<String, usize> = BTreeMap::new();
    for extension in paths.iter().filter_map(|path| path.extension()) {
        *n_of.entry(extension.to_string_lossy().to_lowercase()).or_default() += 1;
    }
    let kinds: Vec<String> = n_of.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
    let kinds = kinds.join(", ");
    match paths.len() {
        0 => None,
        1 => Some(format!("1 file is not a recording and was skipped: {kinds}")),
        n => Some(format!("{n} files are not recordings and were skipped: {kinds}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_and_playlists_are_known_by_their_names() {
        assert!(OTHERS.is_sorted());
        for name in ["cover.JPG", "list.m3u8", "Thumbs.db", "a/rip.log", "x.cue"] {
            assert!(is_other(Path::new(name)), "{name}");
        }
        for name in ["song.wav", "song.mp3", "song", "song.mid", "music.zip"] {
            assert!(!is_other(Path::new(name)), "{name}");
        }
        let paths = ["a.jpg", "b.JPG", "c.m3u"].map(PathBuf::from);
        assert_eq!(
            others_note(&paths).as_deref(),
            Some("3 files are not recordings and were skipped: 2 jpg, 1 m3u")
        );
        assert_eq!(
            others_note(&paths[2..]).as_deref(),
            Some("1 file is not a recording and was skipped: 1 m3u")
        );
        assert_eq!(others_note(&[]), None);
    }
}
