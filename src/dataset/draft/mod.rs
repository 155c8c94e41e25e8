//! A manifest for a user's own collection: a folder of recordings per genre, or a list of paths and labels.
//!
//! | file | job |
//! |---|---|
//! | `folder` | folders of genres, also with artists and albums in them -> a manifest |
//! | `list` | a CSV file with paths and labels -> a manifest |
//! | `text` | what both write, and the sample rates that they find |

mod folder;
mod list;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use super::DatasetError;

pub use list::names_recordings;
pub use text::{Draft, DraftOptions};

/// Lists of published datasets, from the dataset's folder.
const KNOWN_LISTS: [&str; 2] = ["meta/esc50.csv", "metadata/UrbanSound8K.csv"];

/// Looks at a folder of genre folders or at a list and writes a manifest for it.
///
/// # Errors
/// If the path is neither; the error says what was expected and what was found.
pub fn draft(title: &str, path: &Path, options: &DraftOptions) -> Result<Draft, DatasetError> {
    let path =
        path.canonicalize().map_err(|source| DatasetError::Io { path: path.to_owned(), source })?;
    if !path.is_dir() {
        return list::draft(title, &path, options);
    }
    let known = KNOWN_LISTS.iter().map(|list| path.join(list)).find(|list| list.is_file());
    known.map_or_else(
        || folder::draft(title, &path, options),
        |list| list::draft(title, &list, options),
    )
}
