//! Locks on files: held by one process, or shared by several, and given back when it ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::super::FeatureError;
use super::io;

/// Waits for a lock that nobody else has.
pub(super) fn exclusive(path: &Path) -> Result<File, FeatureError> {
    let file = open(path)?;
    file.lock().map_err(|source| io(path, source))?;
    Ok(file)
}

/// Waits for a lock that others may share.
pub(super) fn shared(path: &Path) -> Result<File, FeatureError> {
    let file = open(path)?;
    file.lock_shared().map_err(|source| io(path, source))?;
    Ok(file)
}

/// Takes a lock that nobody else has; nothing where somebody has it.
pub(super) fn try_exclusive(path: &Path) -> Result<Option<File>, FeatureError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(io(path, source)),
    }
}

/// The right to give a cache's folders their names or take them away: held for moments only.
pub(super) fn door(cache: &Path) -> Result<File, FeatureError> {
    exclusive(&cache.join("lock"))
}

fn open(path: &Path) -> Result<File, FeatureError> {
    let open = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path);
    open.map_err(|source| io(path, source))
}
