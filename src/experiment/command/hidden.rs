//! What a program must not read: everything that has, or could have, the labels of test examples.

use std::path::{Path, PathBuf};

use super::super::error::RunError;
use crate::dataset::Catalogue;
use crate::record::Store;

/// The datasets, the records and the pages, in and outside of the project.
pub(super) fn of(
    catalogue: &Catalogue,
    store: &Store,
    project: &Path,
) -> Result<Vec<PathBuf>, RunError> {
    let mut hidden = catalogue.imported_places()?;
    hidden.push(catalogue.folder().to_owned());
    hidden.push(project.join("reports"));
    // Each of these may lie on another disk.
    let place = catalogue.place();
    hidden.extend([place.features_folder(), place.downloads_folder()]);
    hidden.extend([store.root().to_owned(), store.attempts()]);
    Ok(hidden)
}
