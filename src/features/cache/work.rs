//! Features in progress: a folder of shards, one for every few tracks, that several processes fill.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use super::super::{AudioFeature, Extractor, FeatureError, OnStep, Step};
use super::entry::{Entry, Recipe, TrackRows};
use super::inventory::{WORKER, remove, sweep};
use super::io;
use super::reuse::Reuse;
use super::shard::{self, TRACKS_PER_SHARD};
use crate::dataset::AudioData;
use crate::disk::{self, Lock, Published};

/// Time between two checks of the shards that other processes are computing.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

struct Work<'a> {
    audio: &'a AudioData,
    feature: &'a dyn AudioFeature,
    recipe: &'a Recipe,
    watch: &'a OnStep<'a>,
    cache: &'a Path,
    /// The folder of the finished features.
    named: PathBuf,
    /// The folder of the shards, shared by all processes that compute these features.
    folder: PathBuf,
    /// SHA-256 of each track's recording.
    contents: Vec<String>,
    n_done: AtomicUsize,
    /// Number of tracks that other processes computed in the meantime.
    n_by_others: AtomicUsize,
    is_stopped: AtomicBool,
}

/// The outcome of a look at a shard.
#[derive(PartialEq)]
enum Taken {
    Made,
    Found,
    /// Another process is computing it.
    Busy,
    /// The folder of shards is gone: another process has published the features, or a user has
    /// cleaned the cache.
    Gone,
}

/// A file in the folder of shards that shows that this process works there.
struct Marker(PathBuf);

impl Drop for Marker {
    fn drop(&mut self) {
        // The folder may be gone, and the marker with it.
        let _ = fs::remove_file(&self.0);
    }
}

/// Computes features, continues unfinished ones, or waits for other processes that compute the last
/// shards.
pub(super) fn make(
    audio: &AudioData,
    feature: &dyn AudioFeature,
    recipe: &Recipe,
    cache: &Path,
    watch: &OnStep,
) -> Result<(), FeatureError> {
    fs::create_dir_all(cache).map_err(|source| io(cache, source))?;
    sweep(cache)?;
    let work = Work {
        audio,
        feature,
        recipe,
        watch,
        cache,
        named: cache.join(recipe.folder_name()),
        folder: cache.join(format!("{}.partial", recipe.folder_name())),
        contents: audio.tracks.iter().map(crate::dataset::Track::content_hash).collect(),
        n_done: AtomicUsize::new(0),
        n_by_others: AtomicUsize::new(0),
        is_stopped: AtomicBool::new(false),
    };
    if work.is_published()? {
        return Ok(());
    }
    loop {
        let _marker = work.enter()?;
        // Another process may have published and removed the folder just before we created it
        // again.
        if work.is_published()? || (work.fill()? && work.assemble()?) {
            break;
        }
        // The folder is gone, a shard was damaged, or another process was faster: check again.
        if work.is_published()? {
            break;
        }
        work.n_by_others.store(0, Ordering::Relaxed);
    }
    let n_by_others = work.n_by_others.load(Ordering::Relaxed);
    if n_by_others > 0 {
        let (n_tracks, text) =
            (work.contents.len(), "were computed by other processes at the same time");
        work.note(format!("{n_by_others} of {n_tracks} tracks {text}"))?;
    }
    remove(cache, &format!("{}.partial", recipe.folder_name()))
}

impl Work<'_> {
    /// Returns whether the finished features exist. Damaged ones are reported and set aside.
    fn is_published(&self) -> Result<bool, FeatureError> {
        match super::open(&self.named, self.recipe) {
            Ok(found) => Ok(found.is_some()),
            Err(error @ FeatureError::Damaged { .. }) => {
                let aside = disk::set_aside(&self.named, self.cache);
                let Some(aside) = aside.map_err(|source| io(&self.named, source))? else {
                    return Ok(false);
                };
                // Another process may have replaced the features between the two checks.
                if matches!(super::open(&aside, self.recipe), Ok(Some(_))) {
                    disk::publish(&aside, &self.named).map_err(|source| io(&self.named, source))?;
                } else {
                    self.note(format!("{error}; the features will be computed again"))?;
                }
                disk::remove_folder(&aside).map_err(|source| io(&aside, source))?;
                Ok(self.named.exists())
            }
            Err(error) => Err(error),
        }
    }

    /// Creates the folder of shards, or joins an existing one.
    fn enter(&self) -> Result<Marker, FeatureError> {
        let marker = self.folder.join(format!("{WORKER}.{}", disk::unique_name()));
        let recipe = self.folder.join("recipe.json");
        let text = serde_json::to_vec(self.recipe).expect("a recipe is plain data");
        loop {
            fs::create_dir_all(&self.folder).map_err(|source| io(&self.folder, source))?;
            disk::remove_stale(&self.folder);
            match File::create(&marker).and_then(|_| disk::write_whole(&recipe, &text)) {
                Ok(()) => return Ok(Marker(marker)),
                Err(_) if self.is_gone() => {}
                Err(source) => return Err(io(&self.folder, source)),
            }
        }
    }

    fn is_gone(&self) -> bool {
        !self.folder.exists()
    }

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

    /// Computes every missing shard, together with other processes; returns false if the folder of
    /// shards is gone.
    fn fill(&self) -> Result<bool, FeatureError> {
        let is_missing = |&number: &usize| !self.path(number).exists();
        let mut left: Vec<usize> = (0..self.n_shards()).filter(is_missing).collect();
        let n_tracks = self.contents.len();
        let wanted = || left.iter().flat_map(|&k| &self.contents[self.tracks_of(k)]);
        let n_found = n_tracks - wanted().count();
        self.n_done.store(n_found, Ordering::Relaxed);
        if n_found > 0 {
            self.note(format!("continues from {n_found} of {n_tracks} tracks"))?;
            self.tell(Step::Tracks { n_done: n_found, n_tracks })?;
        }
        let contents = wanted().map(String::as_str).collect();
        let (reuse, notes) = Reuse::find(self.cache, self.recipe, contents)?;
        notes.into_iter().try_for_each(|note| self.note(note))?;
        let n_known = wanted().filter(|content| reuse.has(content)).count();
        if n_known > 0 {
            let text = "are reused from features with the same settings";
            self.note(format!("{n_known} of {n_tracks} tracks {text}"))?;
        }
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
            let of = |what: Taken| taken.iter().filter(move |(_, taken)| *taken == what);
            let is_gone = of(Taken::Gone).next().is_some();
            let mut by_others: Vec<usize> = of(Taken::Found).map(|(number, _)| *number).collect();
            left = of(Taken::Busy).map(|(number, _)| *number).collect();
            if is_gone {
                by_others.extend(of(Taken::Gone).map(|(number, _)| *number));
                by_others.append(&mut left);
            }
            let n = by_others.iter().map(|&number| self.tracks_of(number).len()).sum();
            self.n_by_others.fetch_add(n, Ordering::Relaxed);
            if is_gone {
                return Ok(false);
            }
            if taken.iter().all(|(_, taken)| *taken == Taken::Busy) {
                self.wait()?;
            }
        }
        Ok(true)
    }

    /// Computes a shard, unless it exists or another process is computing it.
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
        // The lock only avoids duplicate work: both processes would write the same bytes.
        let of_lock = path.with_extension("lock");
        let _lock = match disk::lock(&of_lock) {
            Ok(Lock::Busy { .. }) => return Ok(Taken::Busy),
            Ok(Lock::Held(held)) => Some(held),
            Ok(Lock::Unsupported) => {
                self.notice()?;
                None
            }
            Err(_) if self.is_gone() => return Ok(Taken::Gone),
            Err(source) => return Err(io(&of_lock, source)),
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
                    let track = &self.audio.tracks[track];
                    let samples = self.audio.waveform(track)?;
                    extractor
                        .extract(&samples, &mut rows)
                        .map_err(|source| FeatureError::Track { track: track.id.clone(), source })?
                }
            };
            tracks.push(TrackRows { content, segments });
            let n_done = self.n_done.fetch_add(1, Ordering::Relaxed) + 1;
            self.tell(Step::Tracks { n_done, n_tracks })?;
        }
        match shard::write(&path, &tracks, &rows) {
            Err(_) if self.is_gone() => Ok(Taken::Gone),
            written => written.map(|()| Taken::Made),
        }
    }

    /// Assembles all shards in a separate folder and publishes it. Returns false if shards are
    /// damaged or gone, or if the features that another process has published are damaged.
    fn assemble(&self) -> Result<bool, FeatureError> {
        let of_lock = self.folder.join("assembly.lock");
        let _lock = loop {
            match disk::lock(&of_lock) {
                Ok(Lock::Busy { .. }) => self.wait()?,
                Ok(Lock::Held(held)) => break Some(held),
                Ok(Lock::Unsupported) => {
                    self.notice()?;
                    break None;
                }
                Err(_) if self.is_gone() => return Ok(false),
                Err(source) => return Err(io(&of_lock, source)),
            }
        };
        if self.named.exists() {
            return Ok(false);
        }
        let name = format!("{}.{}", self.recipe.folder_name(), disk::unique_name());
        let attempt = self.cache.join(name);
        let published = self.write_attempt(&attempt).and_then(|entry| match entry {
            Some(entry) => self.publish(&attempt, &entry),
            None => Ok(false),
        });
        if attempt.exists() {
            // Cleaning up keeps a full disk from filling further; the first error is the one to
            // report.
            let _ = disk::remove_folder(&attempt);
        }
        published
    }

    fn publish(&self, attempt: &Path, entry: &Entry) -> Result<bool, FeatureError> {
        match disk::publish(attempt, &self.named).map_err(|source| io(&self.named, source))? {
            Published::Ours => Ok(true),
            Published::Already => match Entry::read(&self.named) {
                Ok(Some(other)) => {
                    if (&other.sha256, &other.tracks) != (&entry.sha256, &entry.tracks) {
                        let (ours, theirs) = (&entry.sha256[..8], &other.sha256[..8]);
                        self.note(format!(
                            "another process published these features first, and they differ: expected \
                             equal bits, found sha256 {ours}… here and {theirs}… published; the published \
                             ones are used"
                        ))?;
                    }
                    Ok(true)
                }
                Ok(None) | Err(FeatureError::Damaged { .. }) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }

    /// Appends shard after shard, so that the matrix is never in memory. Returns nothing if a shard
    /// is gone or damaged; a damaged one is reported and removed.
    fn write_attempt(&self, attempt: &Path) -> Result<Option<Entry>, FeatureError> {
        fs::create_dir_all(attempt).map_err(|source| io(attempt, source))?;
        let path = attempt.join("matrix.f32");
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
                    self.note(format!("{error}; its tracks will be computed again"))?;
                    // Another process may have removed the shard too.
                    let _ = fs::remove_file(&path_of_shard);
                }
                Err(_) if !path_of_shard.exists() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        if !is_whole {
            return Ok(None);
        }
        let written = file.into_inner().map_err(std::io::IntoInnerError::into_error);
        written.and_then(|file| file.sync_all()).map_err(|source| io(&path, source))?;
        let entry = Entry::of_matrix(attempt, self.recipe.clone(), tracks)?;
        entry.write(attempt)?;
        Ok(Some(entry))
    }

    /// Passes on the notice that the file system has no locks.
    fn notice(&self) -> Result<(), FeatureError> {
        disk::notice().map_or(Ok(()), |text| self.note(text))
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
