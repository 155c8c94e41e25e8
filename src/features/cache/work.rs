//! Features in the making: a folder of shards, one for every few tracks, that several processes fill.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use super::super::{AudioFeature, Extractor, FeatureError, OnStep, Step};
use super::entry::{Entry, Recipe, TrackRows, write_synced};
use super::inventory::{remove, sweep};
use super::reuse::Reuse;
use super::{io, lock, shard};
use crate::dataset::AudioData;
use crate::record::sync_folder;

/// So few that many cores have something to do, a kill loses little and little waits in memory.
pub(super) const TRACKS_PER_SHARD: usize = 8;

/// How long a process waits between two looks at what others are at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

struct Work<'a> {
    audio: &'a AudioData,
    feature: &'a dyn AudioFeature,
    recipe: &'a Recipe,
    watch: &'a OnStep<'a>,
    cache: &'a Path,
    folder: PathBuf,
    /// What each track is.
    contents: Vec<String>,
    n_done: AtomicUsize,
    is_stopped: AtomicBool,
    /// Shared by all processes at this work: while one has it, the folder stays.
    lock: File,
}

/// What came of a look at a shard.
#[derive(PartialEq)]
enum Taken {
    Made,
    Found,
    /// Another process is at it.
    Busy,
}

/// Makes features, goes on with them, or waits for others that are at the last of them.
pub(super) fn make(
    audio: &AudioData,
    feature: &dyn AudioFeature,
    recipe: &Recipe,
    cache: &Path,
    watch: &OnStep,
) -> Result<(), FeatureError> {
    fs::create_dir_all(cache).map_err(|source| io(cache, source))?;
    let (lock, note) = join(recipe, cache)?;
    if let Some(note) = note {
        watch(Step::Note(note));
    }
    let Some(lock) = lock else { return Ok(()) };
    let work = Work {
        audio,
        feature,
        recipe,
        watch,
        cache,
        folder: folder(recipe, cache),
        contents: audio.tracks.iter().map(crate::dataset::Track::content_hash).collect(),
        n_done: AtomicUsize::new(0),
        is_stopped: AtomicBool::new(false),
        lock,
    };
    work.fill()?;
    while !work.put_together()? {
        // A shard was damaged.
        work.fill()?;
    }
    work.leave()
}

fn folder(recipe: &Recipe, cache: &Path) -> PathBuf {
    cache.join(format!("{}.partial", recipe.folder_name()))
}

/// The lock of the work's folder, or nothing where the features are there by now; and what was damaged.
fn join(recipe: &Recipe, cache: &Path) -> Result<(Option<File>, Option<String>), FeatureError> {
    let _door = lock::door(cache)?;
    sweep(cache)?;
    let note = match super::open(&cache.join(recipe.folder_name()), recipe) {
        Ok(Some(_)) => return Ok((None, None)),
        Ok(None) => None,
        Err(error @ FeatureError::Damaged { .. }) => {
            remove(cache, recipe.folder_name())?;
            Some(format!("{error}; the features are made anew"))
        }
        Err(error) => return Err(error),
    };
    let folder = folder(recipe, cache);
    fs::create_dir_all(&folder).map_err(|source| io(&folder, source))?;
    let lock = lock::shared(&folder.join("lock"))?;
    let text = serde_json::to_vec(recipe).expect("a recipe is plain data");
    write_synced(&folder.join("recipe.json"), &text)?;
    Ok((Some(lock), note))
}

impl Work<'_> {
    fn n_shards(&self) -> usize {
        self.contents.len().div_ceil(TRACKS_PER_SHARD)
    }

    fn tracks_of(&self, number: usize) -> std::ops::Range<usize> {
        let start = number * TRACKS_PER_SHARD;
        start..(start + TRACKS_PER_SHARD).min(self.contents.len())
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.join(format!("shard-{number:06}"))
    }

    /// Makes every shard that is missing, beside other processes that do the same.
    fn fill(&self) -> Result<(), FeatureError> {
        let is_missing = |&number: &usize| !self.path(number).exists();
        let mut left: Vec<usize> = (0..self.n_shards()).filter(is_missing).collect();
        let n_tracks = self.contents.len();
        let wanted = || left.iter().flat_map(|&k| &self.contents[self.tracks_of(k)]);
        let n_found = n_tracks - wanted().count();
        self.n_done.store(n_found, Ordering::Relaxed);
        if n_found > 0 {
            self.note(format!("goes on from {n_found} of {n_tracks} tracks"))?;
            self.tell(Step::Tracks { n_done: n_found, n_tracks })?;
        }
        let contents = wanted().map(String::as_str).collect();
        let (reuse, notes) = Reuse::find(self.cache, self.recipe, contents)?;
        notes.into_iter().try_for_each(|note| self.note(note))?;
        let n_known = wanted().filter(|content| reuse.has(content)).count();
        if n_known > 0 {
            let text = "are taken from features of the same settings that were made before";
            self.note(format!("{n_known} of {n_tracks} tracks {text}"))?;
        }
        let mut n_by_others = 0;
        while !left.is_empty() {
            let extractor = || {
                let Recipe { segments, sample_rate_hz, .. } = self.recipe;
                Extractor::new(*segments, self.feature, *sample_rate_hz)
            };
            let take = |extractor: &mut Extractor, &number: &usize| {
                Ok((number, self.take(number, extractor, &reuse)?))
            };
            let taken = left.par_iter().map_init(extractor, take);
            let taken: Vec<(usize, Taken)> = taken.collect::<Result<_, FeatureError>>()?;
            for (number, _) in taken.iter().filter(|(_, taken)| *taken == Taken::Found) {
                n_by_others += self.tracks_of(*number).len();
            }
            let busy = taken.iter().filter(|(_, taken)| *taken == Taken::Busy);
            left = busy.map(|(number, _)| *number).collect();
            if taken.iter().all(|(_, taken)| *taken == Taken::Busy) {
                self.wait()?;
            }
        }
        if n_by_others > 0 {
            let text = "were made by other processes at the same time";
            self.note(format!("{n_by_others} of {n_tracks} tracks {text}"))?;
        }
        Ok(())
    }

    /// Makes a shard, unless it is there or another process is at it.
    fn take(
        &self,
        number: usize,
        extractor: &mut Extractor,
        reuse: &Reuse,
    ) -> Result<Taken, FeatureError> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return Err(FeatureError::Stopped);
        }
        let path = self.path(number);
        // The lock's file stays as long as the folder, so that no two processes lock different ones.
        let Some(_claim) = lock::try_exclusive(&path.with_extension("lock"))? else {
            return Ok(Taken::Busy);
        };
        let n_tracks = self.contents.len();
        if path.exists() {
            let n = self.tracks_of(number).len();
            let n_done = self.n_done.fetch_add(n, Ordering::Relaxed) + n;
            self.tell(Step::Tracks { n_done, n_tracks })?;
            return Ok(Taken::Found);
        }
        let (mut rows, mut tracks) = (vec![], vec![]);
        for track in self.tracks_of(number) {
            let content = self.contents[track].clone();
            let segments = match reuse.rows(&content) {
                Some((known, segments)) => {
                    rows.extend_from_slice(known);
                    segments.clone()
                }
                None => {
                    let samples = self.audio.waveform(&self.audio.tracks[track])?;
                    extractor.extract(&samples, &mut rows)
                }
            };
            tracks.push(TrackRows { content, segments });
            let n_done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
            self.tell(Step::Tracks { n_done, n_tracks })?;
        }
        shard::write(&path, &tracks, &rows)?;
        Ok(Taken::Made)
    }

    /// Makes the entry of all shards, or waits for another process that does; false where shards
    /// are damaged: they are named and removed.
    fn put_together(&self) -> Result<bool, FeatureError> {
        let named = self.cache.join(self.recipe.folder_name());
        let _claim = loop {
            if let Some(claim) = lock::try_exclusive(&self.folder.join("put-together.lock"))? {
                break claim;
            }
            self.wait()?;
        };
        if named.exists() {
            return Ok(true);
        }
        let whole = self.folder.join("whole");
        let written = self.write_whole(&whole);
        if !matches!(written, Ok(true)) {
            // A full disk is not made fuller; the first error is the one to be told.
            let _ = fs::remove_dir_all(&whole);
            return written;
        }
        let _door = lock::door(self.cache)?;
        fs::rename(&whole, &named).map_err(|source| io(&named, source))?;
        sync_folder(self.cache).map_err(|source| io(self.cache, source))?;
        Ok(true)
    }

    /// Appends shard after shard: the matrix is never in memory.
    fn write_whole(&self, whole: &Path) -> Result<bool, FeatureError> {
        fs::create_dir_all(whole).map_err(|source| io(whole, source))?;
        let path = whole.join("matrix.f32");
        let mut file = BufWriter::new(File::create(&path).map_err(|source| io(&path, source))?);
        let (mut tracks, mut is_whole) = (vec![], true);
        for number in 0..self.n_shards() {
            let path_of_shard = self.path(number);
            let contents = &self.contents[self.tracks_of(number)];
            match shard::read(&path_of_shard, contents, self.recipe.width()) {
                Ok((of_shard, rows)) => {
                    file.write_all(&rows).map_err(|source| io(&path, source))?;
                    tracks.extend(of_shard);
                }
                Err(error @ FeatureError::Damaged { .. }) => {
                    is_whole = false;
                    self.note(format!("{error}; its tracks are made anew"))?;
                    fs::remove_file(&path_of_shard).map_err(|source| io(&path_of_shard, source))?;
                }
                Err(error) => return Err(error),
            }
        }
        if !is_whole {
            return Ok(false);
        }
        let written = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        written.and_then(|file| file.sync_all()).map_err(|source| io(&path, source))?;
        Entry::of_matrix(whole, self.recipe.clone(), tracks)?.write(whole)?;
        sync_folder(whole).map_err(|source| io(whole, source))?;
        Ok(true)
    }

    /// Removes the folder, unless other processes are still in it: the last one does.
    fn leave(self) -> Result<(), FeatureError> {
        let _door = lock::door(self.cache)?;
        drop(self.lock);
        sweep(self.cache)
    }

    fn wait(&self) -> Result<(), FeatureError> {
        self.tell(Step::Waiting)?;
        std::thread::sleep(POLL_INTERVAL);
        Ok(())
    }

    fn note(&self, text: String) -> Result<(), FeatureError> {
        self.tell(Step::Note(text))
    }

    fn tell(&self, step: Step) -> Result<(), FeatureError> {
        if (self.watch)(step) {
            return Ok(());
        }
        self.is_stopped.store(true, Ordering::Relaxed);
        Err(FeatureError::Stopped)
    }
}
