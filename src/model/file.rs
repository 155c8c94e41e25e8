//! A model's files on disk: JSON for the small ones.

use std::fs;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ModelError;

/// Writes one JSON file into a model's folder.
pub(super) fn write_json<T: Serialize>(
    folder: &Path,
    name: &str,
    value: &T,
) -> Result<(), ModelError> {
    let path = folder.join(name);
    let error = |message: String| ModelError::File { path: path.display().to_string(), message };
    let text = serde_json::to_string(value).map_err(|e| error(e.to_string()))?;
    fs::write(&path, text).map_err(|e| error(e.to_string()))
}

/// Reads what [`write_json`] wrote.
pub(super) fn read_json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T, ModelError> {
    let path = folder.join(name);
    let error = |message: String| ModelError::File { path: path.display().to_string(), message };
    let text = fs::read_to_string(&path).map_err(|e| error(e.to_string()))?;
    serde_json::from_str(&text).map_err(|e| error(e.to_string()))
}

/// The error of a model that was fitted on examples of another shape than it is asked for.
pub(super) fn check_width(fitted: usize, asked: usize) -> Result<(), ModelError> {
    if fitted == asked {
        return Ok(());
    }
    let message = format!("the model was fitted on {fitted} numbers an example, got {asked}");
    Err(ModelError::Examples(message))
}
