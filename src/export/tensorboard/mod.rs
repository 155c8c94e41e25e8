//! Event files that TensorBoard shows.
//!
//! | file | what it does |
//! |---|---|
//! | `protobuf` | fields of a message -> bytes |
//! | `record` | messages -> records of an event file, with their checksums |
//! | `events` | epochs, scores, hyperparameters and figures -> events |
//! | `live` | epochs of runs that go on, as they end |
//!
//! # Source
//! The messages `Event`, `Summary` and `HParamsPluginData` of TensorFlow and TensorBoard; the record format of TensorFlow.

mod events;
mod live;
mod protobuf;
mod record;

pub use live::LiveEvents;

use std::path::{Path, PathBuf};

use self::events::{FILE, end, header, of_epoch};
use super::error::{ExportError, io};
use super::facts::began_s;
use crate::disk;
use crate::record::Run;

/// Writes an event file for each run, in a folder of its id: its curves by epoch, its scores, its hyperparameters and its
/// confusion matrix. The times are those of the record, so that the same runs give the same bytes. Returns the folders.
///
/// # Errors
/// If a run can't be read or a file can't be written.
pub fn write_events(runs: &[Run], folder: &Path) -> Result<Vec<PathBuf>, ExportError> {
    let mut written = vec![];
    for run in runs {
        let mut bytes = header(began_s(run));
        let mut at_s = began_s(run);
        for epoch in run.epochs()? {
            at_s += epoch.seconds;
            bytes.extend(of_epoch(&epoch, at_s));
        }
        bytes.extend(end(run)?);
        let of_run = folder.join(&run.id);
        std::fs::create_dir_all(&of_run).map_err(io(&of_run))?;
        let path = of_run.join(FILE);
        disk::write_changed(&path, &bytes).map_err(io(&path))?;
        written.push(of_run);
    }
    Ok(written)
}
