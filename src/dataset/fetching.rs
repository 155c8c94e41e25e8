//! Datasets by name, ready to use: downloaded from the addresses of the manifest, then imported.

use std::path::{Path, PathBuf};

use super::{Catalogue, DatasetError, Index, Manifest};
use crate::fetch::{FetchContext, FetchError, Fetched, Work};

/// A dataset that is ready to use.
#[derive(Debug)]
pub struct Ready {
    /// The download, now or earlier; absent if the dataset was imported from elsewhere.
    pub fetched: Option<Fetched>,
    /// The index that the import wrote.
    pub index: Index,
    /// Whether the dataset was already complete.
    pub was_there: bool,
}

impl Catalogue {
    /// Returns the default download folder of a dataset.
    #[must_use]
    pub fn download_folder(&self, manifest: &Manifest) -> PathBuf {
        self.place().downloads_folder().join(&manifest.name)
    }

    /// Downloads and imports a dataset; complete files are not downloaded again.
    ///
    /// Without `to`, an imported dataset is ready wherever it is; any other one is downloaded into
    /// [`Self::download_folder`]. `progress` receives the number of imported files and the total.
    ///
    /// # Errors
    /// [`DatasetError::NoAddress`] if the manifest has no address. Also if no address delivers a
    /// file, the disk is full, or the download was interrupted: the partial download is kept, and
    /// the next call resumes it.
    pub fn fetch(
        &self,
        manifest: &Manifest,
        to: Option<&Path>,
        setting: &FetchContext,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Ready, DatasetError> {
        if manifest.is_embedded() {
            return Err(DatasetError::Embedded(manifest.name.clone()));
        }
        let folder = to.map_or_else(|| self.download_folder(manifest), Path::to_owned);
        if let Some(ready) = self.ready(manifest, &folder, to.is_some())? {
            if ready.fetched.is_some() && Work::beside(&folder).exists() {
                // A process was killed after the import. What it left is as large as the download, but no
                // reason to fail.
                let _ = Work::begin(&folder, setting).and_then(Work::end);
            }
            return Ok(ready);
        }
        if manifest.fetch.is_empty() {
            return Err(DatasetError::NoAddress {
                name: manifest.name.clone(),
                how_to_get: manifest.how_to_get.clone(),
            });
        }
        let fault = |source| Self::fault(manifest, &folder, source);
        let work = Work::begin(&folder, setting).map_err(fault)?;
        // Another process may have fetched the dataset in the meantime.
        if let Some(ready) = self.ready(manifest, &folder, to.is_some())? {
            work.end().map_err(fault)?;
            return Ok(ready);
        }
        let fetched = work.fetch(&manifest.fetch, setting).map_err(fault)?;
        let from = match manifest.fetch.as_slice() {
            [only] if only.unpack.is_none() => folder.join(&only.file),
            _ => folder.clone(),
        };
        let index = self.import(manifest, &from, false, progress)?;
        work.end().map_err(fault)?;
        Ok(Ready { fetched: Some(fetched), index, was_there: false })
    }

    /// Returns the dataset if it is imported and still in its place.
    fn ready(
        &self,
        manifest: &Manifest,
        folder: &Path,
        must_be_there: bool,
    ) -> Result<Option<Ready>, DatasetError> {
        if !self.is_there(manifest) {
            return Ok(None);
        }
        let index = self.index(manifest)?;
        let is_of_folder = folder.canonicalize().is_ok_and(|folder| index.root.starts_with(folder));
        if !index.root.exists() || (must_be_there && !is_of_folder) {
            return Ok(None);
        }
        let fetched = if is_of_folder {
            Fetched::find(folder, &manifest.fetch)
                .map_err(|source| Self::fault(manifest, folder, source))?
        } else {
            None
        };
        Ok(Some(Ready { fetched, index, was_there: true }))
    }

    /// Makes the error of a failed fetch, with manual instructions if no address delivers a file.
    fn fault(manifest: &Manifest, folder: &Path, source: FetchError) -> DatasetError {
        let by_hand = match &source {
            FetchError::Unreachable { file, .. } => {
                let (name, beside) = (&manifest.name, Work::beside(folder));
                format!(
                    "\nhint: to import another copy: encore data import {name} PATH; or put {file} into {} \
                     and fetch again. {}",
                    beside.display(),
                    manifest.how_to_get
                )
            }
            _ => String::new(),
        };
        DatasetError::Fetch { source, by_hand }
    }
}
