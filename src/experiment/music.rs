//! The songs of a dataset or of a folder as vectors, kept in a file and updated.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, UNIX_EPOCH};

use rayon::prelude::*;

use super::embed::Embedder;
use super::predict::PredictError;
use crate::audio::{self, Waveform};
use crate::dataset::{AudioData, Catalogue, Cut, Data, DatasetError, TrackColumn, recordings_in};
use crate::similar::{Collection, CollectionError, Opened, Song, Unreadable};
use crate::vocab::{Sha256, sha256_hex};

/// Recordings between two looks at whether to stop.
const PIECE: usize = 32;
/// How often what is finished is saved.
const SAVE_EVERY: Duration = Duration::from_secs(30);
/// The track column with the artists.
const ARTIST: &str = "artist";

/// Where songs are.
pub enum Music {
    /// The recordings of a dataset.
    Dataset {
        /// The dataset.
        data: Box<AudioData>,
        /// The artists of its tracks, where it has them.
        artists: Option<TrackColumn>,
    },
    /// All recordings below a folder.
    Folder(PathBuf),
}

/// What can go wrong with songs.
#[derive(Debug, thiserror::Error)]
pub enum MusicError {
    /// The dataset can't be used, or the folder can't be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The file of vectors can't be used.
    #[error(transparent)]
    Collection(#[from] CollectionError),
    /// A recording can't be used.
    #[error(transparent)]
    Predict(#[from] PredictError),
    /// What was asked for is not there.
    #[error("{0}")]
    Usage(String),
    /// There is no music.
    #[error("{0}")]
    NoMusic(String),
    /// Stopped; what was finished is kept.
    #[error("stopped; finished songs are kept, and the same command resumes")]
    Stopped,
}

/// The songs with their vectors.
pub struct Songs {
    /// The songs.
    pub collection: Collection,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// Songs whose vectors were computed now.
    pub n_new: usize,
}

/// A file or track that may become a song.
struct Item {
    song: Song,
    track: Option<usize>,
}

/// Told the finished and all recordings; says whether to go on.
pub type OnSong<'a> = dyn Fn(usize, usize) -> bool + Sync + 'a;

impl Music {
    /// Opens a dataset by its name, or a folder by its path.
    ///
    /// # Errors
    /// If it is neither, or the dataset is not one of recordings or can't be loaded.
    pub fn open(catalogue: &Catalogue, named: &str) -> Result<Self, MusicError> {
        let path = Path::new(named);
        let manifest = match catalogue.find(named) {
            Ok(manifest) => manifest,
            Err(_) if path.is_dir() => return Ok(Self::Folder(path.to_owned())),
            Err(_) if path.exists() => {
                let said = format!("{named} is not a folder; give a dataset or a folder of music");
                return Err(MusicError::Usage(said));
            }
            Err(said) => {
                return Err(MusicError::Usage(format!("{named}: no such folder; {said}")));
            }
        };
        let mut data = catalogue.load(manifest, Cut::default())?;
        let columns = data.take_track_columns(&[ARTIST]);
        match data {
            Data::Audio(data) => {
                let artists = columns.column(ARTIST).ok().cloned();
                Ok(Self::Dataset { data: Box::new(data), artists })
            }
            Data::Table(_) => {
                Err(MusicError::Usage(format!("dataset {named} is a table, not audio")))
            }
            Data::Arrays(_) => {
                Err(MusicError::Usage(format!("dataset {named} is arrays, not audio")))
            }
        }
    }

    /// The name of the dataset, or the folder.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Dataset { data, .. } => data.name.clone(),
            Self::Folder(folder) => folder.display().to_string(),
        }
    }

    /// What tells it from other places.
    fn identity(&self) -> String {
        match self {
            Self::Dataset { data, .. } => format!("dataset {}", data.name),
            Self::Folder(folder) => {
                let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
                format!("folder {}", folder.display())
            }
        }
    }

    /// All files or tracks, by name.
    fn items(&self, notes: &mut Vec<String>) -> Result<Vec<Item>, MusicError> {
        match self {
            Self::Dataset { data, artists } => {
                let item = |(index, track): (usize, &crate::dataset::Track)| Item {
                    song: Song {
                        content: track.content_hash(),
                        name: track.id.clone(),
                        path: track.path().map(Path::to_owned),
                        seconds: track.n_samples as f64 / f64::from(data.sample_rate_hz),
                        artist: artists
                            .as_ref()
                            .and_then(|artists| artists.get(&track.id).cloned()),
                        title: None,
                        genre: Some(data.classes[track.class].clone()),
                        stamp: None,
                    },
                    track: Some(index),
                };
                Ok(data.tracks.iter().enumerate().map(item).collect())
            }
            Self::Folder(folder) => {
                let (files, note) = recordings_in(folder)?;
                notes.extend(note);
                if files.is_empty() {
                    let folder = folder.display();
                    let said = format!("{folder}: no recordings in this folder");
                    return Err(MusicError::NoMusic(said));
                }
                let item = |path: PathBuf| {
                    let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                    let (stamp, content) = (stamp(&path), String::new());
                    let (path, seconds) = (Some(path), 0.0);
                    let (artist, title, genre) = (None, None, None);
                    let song = Song { content, name, path, seconds, artist, title, genre, stamp };
                    Item { song, track: None }
                };
                Ok(files.into_iter().map(item).collect())
            }
        }
    }

    /// The songs with their vectors. Those in the file of an earlier call are not computed again, also if they
    /// were renamed: `folder` holds one file for each place and embedder.
    ///
    /// # Errors
    /// If there is no music, or the file can't be read or written.
    pub fn songs(
        &self,
        embedder: &Embedder,
        folder: &Path,
        watch: &OnSong,
    ) -> Result<Songs, MusicError> {
        let key = format!("{}, {}", self.identity(), embedder.key());
        let file = folder.join(format!("{}.songs", &sha256_hex(key.as_bytes())[..16]));
        let mut notes = vec![];
        let old = match Collection::open(&file, &key, embedder.width())? {
            Opened::Found(old) => old,
            Opened::Absent => Collection::new(&key, embedder.width()),
            Opened::Unusable(why) => {
                notes.push(format!("{why}; it is made again"));
                Collection::new(&key, embedder.width())
            }
        };
        let items = self.items(&mut notes)?;
        let mut work = Work::new(self, embedder, &old, items, watch);
        let done = work.all(&file);
        let Work { mut collection, n_new, n_copies, .. } = work;
        sort(&mut collection);
        if collection != old {
            collection.save(&file)?;
        }
        done?;
        if n_copies > 0 {
            notes.push(format!("{n_copies} files are copies of others and count once"));
        }
        if collection.songs.is_empty() {
            let reasons: Vec<&str> =
                collection.unreadable.iter().take(5).map(|it| it.reason.as_str()).collect();
            let said = format!("{}: no song can be used\n{}", self.name(), reasons.join("\n"));
            return Err(MusicError::NoMusic(said));
        }
        Ok(Songs { collection, notes, n_new })
    }
}

/// Size and time of the last change in nanoseconds.
fn stamp(path: &Path) -> Option<(u64, u64)> {
    let file = std::fs::metadata(path).ok()?;
    let modified = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some((file.len(), modified.as_nanos() as u64))
}

/// An update in progress.
struct Work<'a> {
    music: &'a Music,
    embedder: &'a Embedder,
    watch: &'a OnSong<'a>,
    old: &'a Collection,
    items: Vec<Item>,
    collection: Collection,
    contents: BTreeSet<String>,
    n_new: usize,
    n_copies: usize,
}

/// What became of an item.
type Made = Result<(Song, Vec<f32>), Unreadable>;

impl<'a> Work<'a> {
    fn new(
        music: &'a Music,
        embedder: &'a Embedder,
        old: &'a Collection,
        items: Vec<Item>,
        watch: &'a OnSong<'a>,
    ) -> Self {
        Self {
            music,
            embedder,
            watch,
            old,
            items,
            collection: Collection::new(&old.key, old.width),
            contents: BTreeSet::new(),
            n_new: 0,
            n_copies: 0,
        }
    }

    fn all(&mut self, file: &Path) -> Result<(), MusicError> {
        let old = self.old;
        let by_name: BTreeMap<&str, &Song> =
            old.songs.iter().map(|song| (song.name.as_str(), song)).collect();
        let unreadable: BTreeMap<&str, &Unreadable> =
            old.unreadable.iter().map(|it| (it.name.as_str(), it)).collect();
        let by_content = old.by_content();
        let items = std::mem::take(&mut self.items);
        let n_items = items.len();
        let mut saved = Instant::now();
        for (number, piece) in items.chunks(PIECE).enumerate() {
            let (embedder, music) = (self.embedder, self.music);
            // Songs that are known need no second look at their bytes.
            let hashed: Vec<Result<Song, Unreadable>> = piece
                .par_iter()
                .map(|item| identified(&item.song, &by_name, &unreadable))
                .collect();
            let mut fresh: BTreeSet<&str> = BTreeSet::new();
            let is_new: Vec<bool> = hashed
                .iter()
                .map(|song| match song {
                    Ok(song) => {
                        !self.contents.contains(&song.content)
                            && !by_content.contains_key(song.content.as_str())
                            && fresh.insert(&song.content)
                    }
                    Err(_) => false,
                })
                .collect();
            let made: Vec<Option<Made>> = (piece, &hashed, &is_new)
                .into_par_iter()
                .map(|(item, song, is_new)| match song {
                    Ok(song) if *is_new => Some(embed(music, embedder, item, song)),
                    _ => None,
                })
                .collect();
            for (song, made) in hashed.into_iter().zip(made) {
                self.n_new += usize::from(matches!(made, Some(Ok(_))));
                let known = |song: Song| {
                    let Some(&index) = by_content.get(song.content.as_str()) else {
                        return Err(None);
                    };
                    let before = &old.songs[index];
                    let (artist, title) = (
                        song.artist.clone().or_else(|| before.artist.clone()),
                        song.title.clone().or_else(|| before.title.clone()),
                    );
                    let seconds = before.seconds;
                    Ok((Song { seconds, artist, title, ..song }, old.vector(index).to_vec()))
                };
                let made: Result<(Song, Vec<f32>), Option<Unreadable>> = match (song, made) {
                    (_, Some(made)) => made.map_err(Some),
                    (Ok(song), None) => known(song),
                    (Err(reason), None) => Err(Some(reason)),
                };
                match made {
                    Ok((song, vector)) if self.contents.insert(song.content.clone()) => {
                        self.collection.add(song, &vector);
                    }
                    Ok(_) | Err(None) => self.n_copies += 1,
                    Err(Some(reason)) => self.collection.unreadable.push(reason),
                }
            }
            if saved.elapsed() > SAVE_EVERY {
                self.collection.save(file)?;
                saved = Instant::now();
            }
            if !(self.watch)(((number + 1) * PIECE).min(n_items), n_items) {
                self.keep_the_rest(&items[((number + 1) * PIECE).min(n_items)..]);
                return Err(MusicError::Stopped);
            }
        }
        Ok(())
    }

    /// Keeps what is known of items that were not looked at, so that a stopped update loses nothing.
    fn keep_the_rest(&mut self, items: &[Item]) {
        let names: BTreeSet<&str> = items.iter().map(|item| item.song.name.as_str()).collect();
        for (index, song) in self.old.songs.iter().enumerate() {
            if names.contains(song.name.as_str()) && self.contents.insert(song.content.clone()) {
                self.collection.add(song.clone(), self.old.vector(index));
            }
        }
    }
}

/// The song of an item with its content: as it was, if its file has not changed, or by its bytes.
fn identified(
    song: &Song,
    by_name: &BTreeMap<&str, &Song>,
    unreadable: &BTreeMap<&str, &Unreadable>,
) -> Result<Song, Unreadable> {
    let Song { name, path, stamp, content, .. } = song;
    if stamp.is_some() {
        if let Some(before) = by_name.get(name.as_str()).filter(|before| before.stamp == *stamp) {
            return Ok(Song { path: path.clone(), ..(*before).clone() });
        }
        if let Some(before) = unreadable.get(name.as_str()).filter(|it| it.stamp == *stamp) {
            return Err((*before).clone());
        }
    }
    let song = song.clone();
    match path {
        Some(path) if content.is_empty() => {
            let failed = |error: std::io::Error| Unreadable {
                name: name.clone(),
                stamp: *stamp,
                reason: format!("{}: cannot be read: {error}", path.display()),
            };
            let content = sha256_hex(&std::fs::read(path).map_err(failed)?);
            let audio::SongTags { artist, title } = audio::song_tags(path);
            Ok(Song { content, artist, title, ..song })
        }
        _ => Ok(song),
    }
}

fn embed(music: &Music, embedder: &Embedder, item: &Item, song: &Song) -> Made {
    let made = match (music, item.track, &song.path) {
        (Music::Dataset { data, .. }, Some(track), _) => {
            let samples = data.waveform(&data.tracks[track]).map_err(|error| error.to_string());
            samples.and_then(|samples| {
                let waveform = Waveform { samples, sample_rate_hz: data.sample_rate_hz };
                let vector = embedder.samples(&song.name, &waveform);
                Ok((vector.map_err(|error| error.to_string())?, song.seconds))
            })
        }
        (_, _, Some(path)) => match embedder.file(path) {
            Ok(embedding) => Ok((embedding.vector, embedding.seconds)),
            Err(error) => Err(error.to_string()),
        },
        _ => Err(format!("{} has no file", song.name)),
    };
    let unreadable =
        |reason: String| Unreadable { name: song.name.clone(), stamp: song.stamp, reason };
    let (vector, seconds) = made.map_err(unreadable)?;
    if let Some(odd) = vector.iter().find(|value| !value.is_finite()) {
        return Err(unreadable(format!("{}: its vector contains {odd}", song.name)));
    }
    Ok((Song { seconds, ..song.clone() }, vector))
}

/// Sorts the songs by name.
fn sort(collection: &mut Collection) {
    let mut order: Vec<usize> = (0..collection.songs.len()).collect();
    order.sort_by(|a, b| collection.songs[*a].name.cmp(&collection.songs[*b].name));
    let sorted = |rows: &Collection| {
        let vectors = order.iter().flat_map(|&index| rows.vector(index)).copied().collect();
        (order.iter().map(|&index| rows.songs[index].clone()).collect(), vectors)
    };
    (collection.songs, collection.vectors) = sorted(collection);
    collection.unreadable.sort_by(|a, b| a.name.cmp(&b.name));
}

/// The hash by which a file is found among songs: that of its bytes, as a folder and as a dataset have it.
///
/// # Errors
/// If the file can't be read.
pub fn content_of(path: &Path) -> std::io::Result<[String; 2]> {
    let plain = sha256_hex(&std::fs::read(path)?);
    let version = audio::DECODER_VERSION;
    let versioned = Sha256::new().piece(&plain).piece(version.to_le_bytes()).hex();
    Ok([plain, versioned])
}
