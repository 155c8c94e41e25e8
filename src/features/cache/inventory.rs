//! The inventory of the cache, and removing items from it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::FeatureError;
use super::entry::{Entry, Recipe};
use super::io;
use super::shard::TRACKS_PER_SHARD;
use crate::disk::{self, Owner};

/// The feature cache in a folder.
#[derive(Debug, Clone)]
pub struct Cache(PathBuf);

/// One folder of the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The folder's name; it begins with the features' hash.
    pub name: String,
    /// The kind of content.
    pub content: Content,
    /// Size of all its files in bytes.
    pub n_bytes: u64,
    /// When it was last written.
    pub modified: SystemTime,
    /// Whether a running process of this host is computing it. Readers of finished features are
    /// unknown, which does no harm: a mapped matrix remains readable until the end, even after it
    /// was removed.
    pub is_in_use: bool,
}

/// The content of a folder of the cache.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Finished features.
    Whole {
        /// What they were computed from, and how.
        recipe: Recipe,
        /// Number of examples.
        n_examples: usize,
    },
    /// Unfinished features, in progress or interrupted.
    Partial {
        /// What they are computed from, and how; absent if it can't be read.
        recipe: Option<Recipe>,
        /// Number of finished tracks.
        n_tracks_done: usize,
    },
    /// Damaged features, with the fault.
    Damaged(String),
    /// Left by an earlier version or a killed process.
    Leftover,
}

/// The outcome of a removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// The item was removed, which freed this many bytes.
    Freed(u64),
    /// The item was kept because a running process uses it.
    InUse,
}

/// The kind of a folder of the cache, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `HASH`.
    Named,
    /// `HASH.partial`.
    Partial,
    /// `HASH.HOST-PID-RANDOM`: the matrix that one process assembles.
    Assembly,
    /// Anything else.
    Other,
}

impl Cache {
    /// Creates the cache of a folder, which need not exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Returns all items, sorted by name.
    ///
    /// # Errors
    /// If the folder can't be read.
    pub fn items(&self) -> Result<Vec<Item>, FeatureError> {
        if !self.0.exists() {
            return Ok(vec![]);
        }
        let mut items = vec![];
        for (name, kind) in folders(&self.0)? {
            let folder = self.0.join(&name);
            match self.item(name, kind) {
                // Another process has published or removed the item in the meantime.
                Err(_) if !folder.exists() => {}
                item => items.push(item?),
            }
        }
        Ok(items)
    }

    /// Reads every byte of an item and compares it with the checksums.
    ///
    /// # Errors
    /// If the item is damaged. An unfinished item has no checksum, which is not an error.
    pub fn check(&self, item: &Item) -> Result<(), FeatureError> {
        let folder = self.0.join(&item.name);
        match &item.content {
            Content::Whole { .. } => match Entry::read(&folder)? {
                Some(entry) => entry.check_matrix(&folder),
                None => Ok(()),
            },
            // Reading the damaged item returns the error.
            Content::Damaged(_) => Entry::read(&folder).map(drop),
            Content::Partial { .. } | Content::Leftover => Ok(()),
        }
    }

    /// Removes an item, unless a running process is computing it. On Unix, processes that have
    /// mapped its matrix can read it until they end.
    ///
    /// # Errors
    /// If a file can't be removed.
    pub fn remove(&self, item: &Item) -> Result<Removed, FeatureError> {
        if is_in_use(&self.0.join(&item.name), kind(&item.name))? {
            return Ok(Removed::InUse);
        }
        remove(&self.0, &item.name)?;
        Ok(Removed::Freed(item.n_bytes))
    }

    fn item(&self, name: String, kind: Kind) -> Result<Item, FeatureError> {
        let folder = self.0.join(&name);
        let content = match kind {
            Kind::Named => match Entry::read(&folder) {
                Ok(Some(entry)) => {
                    Content::Whole { recipe: entry.recipe, n_examples: entry.n_examples }
                }
                Ok(None) => Content::Leftover,
                Err(FeatureError::Damaged { path, message }) => {
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    Content::Damaged(format!("{file} {message}"))
                }
                Err(error) => return Err(error),
            },
            Kind::Partial => partial(&folder)?,
            Kind::Assembly | Kind::Other => Content::Leftover,
        };
        let metadata = fs::metadata(&folder).map_err(|source| io(&folder, source))?;
        let modified = metadata.modified().map_err(|source| io(&folder, source))?;
        let is_in_use = is_in_use(&folder, kind)?;
        Ok(Item { n_bytes: size(&folder)?, name, content, modified, is_in_use })
    }
}

fn partial(folder: &Path) -> Result<Content, FeatureError> {
    // A process may have been killed before it wrote the recipe. The next one writes it, and until
    // then the content is shown as unknown.
    let text = fs::read(folder.join("recipe.json")).unwrap_or_default();
    let recipe: Option<Recipe> = serde_json::from_slice(&text).ok();
    let is_shard = |path: &PathBuf| {
        path.extension().is_none()
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shard-"))
    };
    let n_shards = paths(folder)?.iter().filter(|path| is_shard(path)).count();
    let n_tracks = recipe.as_ref().map_or(usize::MAX, |recipe| recipe.n_tracks);
    // The last shard may have fewer tracks, so the count is slightly too high until all shards
    // exist.
    let n_tracks_done = (n_shards * TRACKS_PER_SHARD).min(n_tracks);
    Ok(Content::Partial { recipe, n_tracks_done })
}

/// Returns whether a running process of this host is computing a folder.
fn is_in_use(folder: &Path, kind: Kind) -> Result<bool, FeatureError> {
    let owner = |path: &Path| {
        let name = path.file_name()?.to_string_lossy();
        Owner::of(name.rsplit_once('.')?.1)
    };
    let is_alive = |path: &Path| owner(path).is_some_and(|owner| owner.is_alive());
    match kind {
        Kind::Named | Kind::Other => Ok(false),
        Kind::Assembly => Ok(is_alive(folder)),
        Kind::Partial => {
            let is_worker = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem == WORKER);
            Ok(paths(folder)?.iter().filter(|path| is_worker(path)).any(|path| is_alive(path)))
        }
    }
}

/// Prefix of the files `worker.HOST-PID-RANDOM`, which show the processes that work in a folder of
/// shards.
pub(super) const WORKER: &str = "worker";

/// Returns the folders of a cache, sorted by name.
pub(super) fn folders(cache: &Path) -> Result<Vec<(String, Kind)>, FeatureError> {
    let mut folders = vec![];
    for path in paths(cache)? {
        if path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let kind = kind(&name);
            folders.push((name, kind));
        }
    }
    folders.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(folders)
}

fn kind(name: &str) -> Kind {
    let is_hash = |text: &str| text.len() == 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    match name.strip_suffix(".partial") {
        Some(hash) if is_hash(hash) => Kind::Partial,
        None if is_hash(name) => Kind::Named,
        None => match name.split_once('.') {
            Some((hash, unique)) if is_hash(hash) && Owner::of(unique).is_some() => Kind::Assembly,
            _ => Kind::Other,
        },
        _ => Kind::Other,
    }
}

/// Removes unusable folders that killed processes left.
pub(super) fn sweep(cache: &Path) -> Result<(), FeatureError> {
    for (name, kind) in folders(cache)? {
        let folder = cache.join(&name);
        let is_left = match kind {
            Kind::Named => false,
            // The finished features exist.
            Kind::Partial => {
                // Another process may be faster, so a folder that no longer exists is not left
                // over.
                folder.with_extension("").exists() && !is_in_use(&folder, kind).unwrap_or(true)
            }
            Kind::Assembly => {
                let owner = name.split_once('.').and_then(|(_, unique)| Owner::of(unique));
                owner.is_some_and(|owner| owner.is_dead())
            }
            Kind::Other => name.ends_with(".removed"),
        };
        if is_left {
            remove(cache, &name)?;
        }
    }
    Ok(())
}

/// Removes a folder of the cache, which never looks complete in between. A missing folder is not an
/// error.
pub(super) fn remove(cache: &Path, name: &str) -> Result<(), FeatureError> {
    let folder = cache.join(name);
    let aside = if name.ends_with(".removed") {
        Some(folder)
    } else {
        disk::set_aside(&folder, cache).map_err(|source| io(&folder, source))?
    };
    aside.map_or(Ok(()), |aside| disk::remove_folder(&aside).map_err(|source| io(&aside, source)))
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>, FeatureError> {
    let entries = fs::read_dir(folder).map_err(|source| io(folder, source))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(|source| io(folder, source)))
        .collect()
}

fn size(folder: &Path) -> Result<u64, FeatureError> {
    disk::size(folder).map_err(|source| io(folder, source))
}
