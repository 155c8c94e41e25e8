//! A manifest and a first spec for a table of a user's: a CSV or Parquet file, or a folder of them.
//!
//! | file | job |
//! |---|---|
//! | `guess` | what a column may be, by its name and its cells |
//! | `roles` | which column is what |
//! | `write` | the manifest and the spec |

mod guess;
mod roles;
mod write;

use std::path::{Path, PathBuf};

use super::DatasetError;
use super::recipe::MAX_NUMBERS;
use super::recordings::entries;
use crate::table::Survey;
use roles::Roles;

/// Extensions of files that a folder is searched for.
const FILES: [&str; 3] = ["csv", "tsv", "parquet"];
/// Extensions of recordings. Lists of recordings are not tables.
const RECORDINGS: [&str; 10] =
    ["wav", "mp3", "flac", "ogg", "opus", "m4a", "au", "aif", "aiff", "wma"];
/// Rows that a class of the first spec needs.
const MINIMUM_ROWS: usize = 10;

/// The last line of the error for a table without a column that looks like one of labels.
pub const NO_LABEL_HINT: &str = "hint: --label COLUMN";

/// What a user says of a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableWishes<'a> {
    /// The column of labels.
    pub label: Option<&'a str>,
    /// The column that names rows.
    pub id: Option<&'a str>,
    /// Whether more than [`MAX_NUMBERS`] different numbers may be labels.
    pub many_numbers: bool,
}

/// A manifest and a spec that were written for a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDraft {
    /// The manifest.
    pub manifest: String,
    /// The spec.
    pub spec: String,
    /// What to import.
    pub path: PathBuf,
    /// What was found, and what a reader should know.
    pub notes: Vec<String>,
}

/// Whether a path is taken for a table: a Parquet file, or a folder with tables and without anything else.
#[must_use]
pub fn is_table(path: &Path) -> bool {
    if path.is_dir() {
        return tables_of(path).is_ok_and(|files| !files.is_empty());
    }
    let mut begin = [0; 4];
    let read = std::fs::File::open(path)
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut begin));
    read.is_ok() && begin == *b"PAR1"
}

/// The tables of a folder; none where it has folders or recordings.
fn tables_of(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (paths, _) = entries(folder)?;
    let is_other = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_dir() || RECORDINGS.contains(&extension.as_str())
    };
    if paths.iter().any(is_other) {
        return Ok(vec![]);
    }
    let is_table = |path: &PathBuf| {
        let name = path.to_string_lossy().to_lowercase();
        let name = name.trim_end_matches(".gz");
        FILES.iter().any(|extension| name.ends_with(&format!(".{extension}")))
    };
    let mut files: Vec<PathBuf> = paths.into_iter().filter(is_table).collect();
    files.sort();
    Ok(files)
}

/// Looks at a table and writes a manifest and a first spec for it.
///
/// # Errors
/// If the table can't be read, no label column is found or requested, no column is numeric, or the labels are
/// too many different numbers ([`DatasetError::ManyNumbers`]).
pub fn draft_table(
    name: &str,
    path: &Path,
    wishes: TableWishes,
) -> Result<TableDraft, DatasetError> {
    let path =
        path.canonicalize().map_err(|source| DatasetError::Io { path: path.to_owned(), source })?;
    let files = if path.is_dir() {
        let files = tables_of(&path);
        files.map_err(|source| DatasetError::Io { path: path.clone(), source })?
    } else {
        vec![path.clone()]
    };
    let first = files.first().ok_or_else(|| DatasetError::Layout {
        path: path.clone(),
        message: "expected CSV or Parquet files, found none".to_owned(),
    })?;
    let survey = Survey::of(first)?;
    if survey.n_rows == 0 {
        let message = "has a header and no rows".to_owned();
        return Err(DatasetError::Layout { path, message });
    }
    let mut notes = vec![format!(
        "{}: {} rows, {} columns",
        first.file_name().unwrap_or_default().to_string_lossy(),
        survey.n_rows,
        survey.columns.len()
    )];
    if files.len() > 1 {
        notes.push(format!(
            "{} files are read as one table; the others must have its columns",
            files.len()
        ));
    }
    let roles = Roles::find(&survey, &files, path.is_dir(), wishes)
        .map_err(|message| DatasetError::Layout { path: path.clone(), message })?;
    if roles.numbers > MAX_NUMBERS && !wishes.many_numbers {
        let (column, n) = (roles.label.clone(), roles.numbers);
        return Err(DatasetError::ManyNumbers { path, column, n });
    }
    if roles.columns.is_empty() {
        let message = format!(
            "no column holds numbers: {}",
            roles
                .left_out
                .iter()
                .map(|(name, why)| format!("{name}: {why}"))
                .collect::<Vec<_>>()
                .join("; ")
        );
        return Err(DatasetError::Layout { path, message });
    }
    notes.extend(roles.notes(&survey));
    let manifest = roles.manifest(name, &survey, &path);
    let spec = roles.spec(name, &survey);
    Ok(TableDraft { manifest, spec, path, notes })
}

#[cfg(test)]
mod tests;
