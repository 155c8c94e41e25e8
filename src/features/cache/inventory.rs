//! What is in the cache, and taking it out.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::FeatureError;
use super::entry::{Entry, Recipe};
use super::work::TRACKS_PER_SHARD;
use super::{io, lock};

/// The cache of features, a folder.
#[derive(Debug, Clone)]
pub struct Cache(PathBuf);

/// One folder of the cache.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The folder's name; it begins with the features' hash.
    pub name: String,
    /// What is in it.
    pub content: Content,
    /// Bytes of all its files.
    pub n_bytes: u64,
    /// When it was last written.
    pub modified: SystemTime,
    /// Whether a running process reads it or works in it.
    pub is_in_use: bool,
}

/// What is in a folder of the cache.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Finished features.
    Whole {
        /// What they were made from, and how.
        recipe: Recipe,
        /// How many there are.
        n_examples: usize,
    },
    /// Features that are being made, or whose making was cut off.
    Partial {
        /// What they are made from, and how; absent where that can't be read.
        recipe: Option<Recipe>,
        /// Tracks that are done.
        n_tracks_done: usize,
    },
    /// Features that are not what was written: what is wrong.
    Damaged(String),
    /// Something that an earlier version or a killed process has left.
    Leftover,
}

/// What became of a folder that was to be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// So many bytes are free again.
    Freed(u64),
    /// It was left: a running process has it open.
    InUse,
}

/// A folder of the cache by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `HASH`.
    Named,
    /// `HASH.partial`.
    Partial,
    /// Anything else.
    Other,
}

impl Cache {
    /// The cache in a folder, which need not exist.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// All that is in it, by name.
    ///
    /// # Errors
    /// Where it can't be read.
    pub fn items(&self) -> Result<Vec<Item>, FeatureError> {
        if !self.0.exists() {
            return Ok(vec![]);
        }
        let _door = lock::door(&self.0)?;
        folders(&self.0)?.into_iter().map(|(name, kind)| self.item(name, kind)).collect()
    }

    /// Reads every byte of an item and holds it to its checksums.
    ///
    /// # Errors
    /// Where it is not what was written; an item that is not whole has no checksum and is no error.
    pub fn check(&self, item: &Item) -> Result<(), FeatureError> {
        let folder = self.0.join(&item.name);
        match &item.content {
            Content::Whole { .. } => match Entry::read(&folder)? {
                Some(entry) => entry.check_matrix(&folder),
                None => Ok(()),
            },
            // It is damaged: reading it says how.
            Content::Damaged(_) => Entry::read(&folder).map(drop),
            Content::Partial { .. } | Content::Leftover => Ok(()),
        }
    }

    /// Removes an item, unless a running process has it open.
    ///
    /// # Errors
    /// Where a file can't be removed.
    pub fn remove(&self, item: &Item) -> Result<Removed, FeatureError> {
        let _door = lock::door(&self.0)?;
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
            Kind::Other => Content::Leftover,
        };
        let metadata = fs::metadata(&folder).map_err(|source| io(&folder, source))?;
        let modified = metadata.modified().map_err(|source| io(&folder, source))?;
        let is_in_use = is_in_use(&folder, kind)?;
        Ok(Item { n_bytes: size(&folder)?, name, content, modified, is_in_use })
    }
}

fn partial(folder: &Path) -> Result<Content, FeatureError> {
    // A kill may have come before the recipe was written; whoever goes on writes it, and until then
    // what is being made is shown as unknown.
    let text = fs::read(folder.join("recipe.json")).unwrap_or_default();
    let recipe: Option<Recipe> = serde_json::from_slice(&text).ok();
    let is_shard = |path: &PathBuf| {
        path.extension().is_none()
            && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("shard-"))
    };
    let n_shards = paths(folder)?.iter().filter(|path| is_shard(path)).count();
    let n_tracks = recipe.as_ref().map_or(usize::MAX, |recipe| recipe.n_tracks);
    // The last shard may have fewer: it is off by those until all are there.
    let n_tracks_done = (n_shards * TRACKS_PER_SHARD).min(n_tracks);
    Ok(Content::Partial { recipe, n_tracks_done })
}

/// Whether a running process has a folder open; the door must be held.
fn is_in_use(folder: &Path, kind: Kind) -> Result<bool, FeatureError> {
    let path = match kind {
        Kind::Named => folder.join("matrix.f32"),
        Kind::Partial => folder.join("lock"),
        Kind::Other => return Ok(false),
    };
    Ok(path.exists() && lock::try_exclusive(&path)?.is_none())
}

/// The folders of a cache, by name.
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
        _ => Kind::Other,
    }
}

/// Removes what killed processes have left and nobody can use; the door must be held.
pub(super) fn sweep(cache: &Path) -> Result<(), FeatureError> {
    for (name, kind) in folders(cache)? {
        let is_left = match kind {
            Kind::Named => false,
            // What was made of it is there.
            Kind::Partial => {
                let folder = cache.join(&name);
                folder.with_extension("").exists() && !is_in_use(&folder, kind)?
            }
            Kind::Other => name.ends_with(".removed"),
        };
        if is_left {
            remove(cache, &name)?;
        }
    }
    Ok(())
}

/// Removes a folder of the cache, which never looks whole on the way; the door must be held.
pub(super) fn remove(cache: &Path, name: &str) -> Result<(), FeatureError> {
    let from = cache.join(name);
    let mut to = from.clone();
    if !name.ends_with(".removed") {
        to = cache.join(format!("{name}.removed"));
        if to.exists() {
            fs::remove_dir_all(&to).map_err(|source| io(&to, source))?;
        }
        fs::rename(&from, &to).map_err(|source| io(&from, source))?;
    }
    fs::remove_dir_all(&to).map_err(|source| io(&to, source))
}

fn paths(folder: &Path) -> Result<Vec<PathBuf>, FeatureError> {
    let entries = fs::read_dir(folder).map_err(|source| io(folder, source))?;
    entries
        .map(|entry| entry.map(|entry| entry.path()).map_err(|source| io(folder, source)))
        .collect()
}

fn size(folder: &Path) -> Result<u64, FeatureError> {
    let mut n_bytes = 0;
    for path in paths(folder)? {
        n_bytes += match fs::metadata(&path) {
            Ok(file) if file.is_dir() => size(&path)?,
            Ok(file) => file.len(),
            // A running process has given it its name meanwhile.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(source) => return Err(io(&path, source)),
        };
    }
    Ok(n_bytes)
}
