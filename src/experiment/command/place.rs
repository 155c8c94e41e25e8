//! Folders of a job, and what is said where a program wrote nothing.

use std::fs;
use std::path::Path;

use super::super::error::RunError;
use crate::model::command::{answer_files, output};
use crate::model::{Command, ModelError};
use crate::vocab::Task;

/// Creates a folder of a job.
pub(super) fn folder_of(path: &Path) -> Result<(), RunError> {
    fs::create_dir_all(path).map_err(|error| {
        ModelError::File { path: path.display().to_string(), message: error.to_string() }.into()
    })
}

pub(super) fn nothing_written(command: &Command, target: Task, log: &Path) -> ModelError {
    let [file, _] = answer_files(target);
    ModelError::Command(format!(
        "the program `{}` ended without writing {file}{}\nhint: it must write the file into \
         the folder that the environment variable ENCORE_JOB names",
        command.line(),
        output(log)
    ))
}
