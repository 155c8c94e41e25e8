//! From a name to data that are ready: fetched from where the manifest says, then imported.

use std::path::{Path, PathBuf};

use super::{Catalogue, DatasetError, Index, Manifest};
use crate::fetch::{FetchContext, FetchError, Fetched, Work};

/// A dataset that is ready.
#[derive(Debug)]
pub struct Ready {
    /// What was fetched, now or before; nothing where the dataset was imported from elsewhere.
    pub fetched: Option<Fetched>,
    /// What the import says of it.
    pub index: Index,
    /// Whether the dataset was already complete.
    pub was_there: bool,
}

impl Catalogue {
    /// The default download folder of a dataset.
    #[must_use]
    pub fn download_folder(&self, manifest: &Manifest) -> PathBuf {
        self.place().downloads_folder().join(&manifest.name)
    }

    /// Downloads and imports a dataset; complete files are not downloaded again.
    ///
    /// Without `to`, a dataset that is imported is there wherever it lies, and else it is fetched into
    /// [`Self::download_folder`]. `progress` is told how many files of how many are imported.
    ///
    /// # Errors
    /// [`DatasetError::NoAddress`] where the manifest says none; where no address delivers a file, a disk is
    /// full, or it was asked to stop: what was got is kept, and the next call goes on.
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
        // Another process may have been at it meanwhile.
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

    /// The dataset where it is imported and lies where it did.
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

    /// A fetch's failure, with what to do by hand where no address delivers a file.
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
