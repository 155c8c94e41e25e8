//! What the drafts of folders and lists have in common.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::super::DatasetError;
use crate::audio;

/// The rate at which recordings are read unless told otherwise, as librosa does.
pub(super) const DEFAULT_RATE_HZ: u32 = 22_050;

/// A manifest that was written for a collection, and where the collection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The manifest.
    pub text: String,
    /// What to import.
    pub folder: PathBuf,
    /// What was found: counts, sample rates, what a reader should know.
    pub notes: Vec<String>,
}

/// What a user says about a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DraftOptions {
    /// The rate at which to read the recordings, in Hz; 22,050 if not given.
    pub sample_rate_hz: Option<u32>,
    /// Folders above each file: 1 for GENRE, 2 for GENRE/ARTIST, 3 for GENRE/ARTIST/ALBUM; detected if
    /// not given.
    pub depth: Option<usize>,
}

impl DraftOptions {
    pub(super) fn rate_hz(&self) -> u32 {
        self.sample_rate_hz.unwrap_or(DEFAULT_RATE_HZ)
    }

    /// Reads the headers of all recordings and says which sample rates they have.
    ///
    /// # Errors
    /// Where none of them can be read: why not, for the first one.
    pub(super) fn rate_notes(
        &self,
        paths: &[PathBuf],
        place: &Path,
    ) -> Result<Vec<String>, DatasetError> {
        let rates: Vec<_> = paths.par_iter().map(audio::sample_rate_hz).collect();
        let (mut n_files, mut n_unread, mut first) = (BTreeMap::<u32, usize>::new(), 0, None);
        for rate in rates {
            match rate {
                Ok(rate) => *n_files.entry(rate).or_default() += 1,
                Err(error) => {
                    n_unread += 1;
                    first = first.or(Some(error));
                }
            }
        }
        let Some(&highest) = n_files.keys().next_back() else {
            return Err(first.map_or_else(
                || DatasetError::Layout {
                    path: place.to_owned(),
                    message: "contains no names of recordings".to_owned(),
                },
                DatasetError::Audio,
            ));
        };
        let rate = self.rate_hz();
        let found = n_files.iter().map(|(rate, n)| format!("{rate} Hz ({})", files(*n)));
        let found = found.collect::<Vec<_>>().join(", ");
        let hint = if self.sample_rate_hz.is_some() { "" } else { "; --sample-rate changes that" };
        let mut notes = vec![format!("sample rates found: {found}; read at {rate} Hz{hint}")];
        if highest < rate {
            notes.push(format!(
                "no file has more than {highest} Hz, so reading at {rate} Hz adds nothing; consider \
                 --sample-rate {highest}"
            ));
        }
        if let Some(error) = first {
            let error = error.to_string();
            let why = error.lines().next().unwrap_or_default();
            notes.push(format!("{} cannot be read, e.g. {why}", files(n_unread)));
        }
        Ok(notes)
    }
}

/// A number of files, in words.
pub(super) fn files(n: usize) -> String {
    format!("{n} file{}", if n == 1 { "" } else { "s" })
}

/// The keys that every manifest begins with.
pub(super) fn head(title: &str, folder: &Path) -> String {
    format!(
        "title = {}\nlicence = \"not stated\"\ncitation = \"not stated\"\nhow_to_get = {}\n\n",
        quoted(title),
        quoted(&format!("the collection was in {}", folder.display()))
    )
}

/// A text as TOML writes it, which is as JSON does.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list of texts as TOML writes it.
pub(super) fn quoted_array<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    format!("[{}]", texts.into_iter().map(quoted).collect::<Vec<_>>().join(", "))
}
