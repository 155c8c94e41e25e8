//! What a run whose model is a program has besides the files of every run: the folder of its job, its output.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::StoreError;
use super::error::io;
use crate::disk::Owner;

/// Files that the record keeps: the program's output, and what describes its environment.
pub(super) const KEPT: [&str; 2] = ["log.txt", "environment.txt"];

/// The folder of a program's job in an attempt, and of its checkpoints in there.
pub(super) const JOB: &str = "job";
const JOB_CHECKPOINT: &str = "job/checkpoint";

/// Takes over what a program keeps from one start to the next, its checkpoints and its output, from the
/// latest attempt whose process has ended.
pub(super) fn take_over(attempts: &[(PathBuf, Owner)], folder: &Path) -> Result<(), StoreError> {
    let time = |path: &Path| fs::metadata(path.join(JOB_CHECKPOINT)).and_then(|it| it.modified());
    let dead = attempts.iter().filter(|(path, owner)| path != folder && owner.is_dead());
    let dead = dead.filter_map(|(path, _)| Some((time(path).ok()?, path)));
    let Some((_, latest)) = dead.max() else { return Ok(()) };
    fs::create_dir_all(folder.join(JOB)).map_err(|source| io(folder, source))?;
    for name in [JOB_CHECKPOINT, KEPT[0]] {
        let (from, to) = (latest.join(name), folder.join(name));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => other.map_err(|source| io(&from, source))?,
        }
    }
    Ok(())
}
