//! The runs of a capsule, added to a project.

use std::fs;
use std::path::Path;

use super::verify::{VerifyError, verify_capsule};
use crate::disk;
use crate::record::{Adopted, FromCapsule, Run, Store, StoreError};
use crate::vocab::sha256_hex;

/// Checks a capsule as `verify` does, and adds its runs to a store, each by one rename. Returns what became of
/// every run, by id.
///
/// # Errors
/// If a byte of the capsule differs from the packed one, or a file can't be written. Runs that were added stay.
pub fn import_capsule(path: &Path, store: &Store) -> Result<Vec<(String, Adopted)>, VerifyError> {
    let folder = store.scratch("capsule")?;
    let added = verify_capsule(path, &folder).and_then(|(_, runs)| add(path, &runs, store));
    let removed = disk::remove_folder(&folder);
    let added = added?;
    removed.map_err(|source| StoreError::Io { path: folder, source })?;
    Ok(added)
}

fn add(path: &Path, runs: &[Run], store: &Store) -> Result<Vec<(String, Adopted)>, VerifyError> {
    // A run must not take the place of another one.
    if let Some(run) = runs.iter().find(|run| !run.id.starts_with(&run.record.start_of_id())) {
        return Err(VerifyError::Other(format!(
            "{}: runs/{} has the record of another run: expected {}...",
            path.display(),
            run.id,
            run.record.start_of_id()
        )));
    }
    let bytes =
        fs::read(path).map_err(|source| StoreError::Io { path: path.to_owned(), source })?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let from = FromCapsule { file, sha256: sha256_hex(&bytes) };
    runs.iter().map(|run| Ok((run.id.clone(), store.adopt(run, &from)?))).collect()
}
