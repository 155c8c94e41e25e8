//! Datasets: manifests, indexes of imported files, and the two synthetic datasets.
//!
//! A dataset is declared in `datasets/NAME.toml` and imported once: every file is decoded, hashed and
//! indexed in place. Damaged files are skipped and listed, and never stop an import. This room must
//! never know a model.
//!
//! To add a dataset, write a manifest. To add a layout on disk, write a file here and add a line to
//! [`LAYOUTS`].

mod array_data;
mod arrays;
mod audio_data;
mod built_in;
mod catalogue;
mod chosen;
mod cleaning;
mod draft;
mod duplicates;
mod fetching;
mod folder;
mod index;
mod listed;
mod manifest;
mod new_recordings;
mod numerals;
mod recipe;
mod recordings;
mod remotes;
mod rows;
pub mod synth;
mod table_data;
mod table_draft;
mod track_columns;

pub use array_data::{ArrayData, ArrayNumbers};
pub use arrays::{ArrayFile, Arrays};
pub use audio_data::{AudioData, Track};
pub use catalogue::Catalogue;
pub use cleaning::{Cleaning, Duplicates, Missing};
pub use draft::{Draft, DraftOptions, draft, names_recordings};
pub use fetching::Ready;
pub use folder::Folder;
pub use index::{Index, IndexedFile, Listing, Place};
pub use listed::{Listed, Template};
pub use manifest::{Kind, KnownFault, LAYOUTS, Layout, Manifest};
pub use new_recordings::recordings_in;
pub use numerals::Numerals;
pub use recipe::{Label, ListForm, MAX_NUMBERS, Rows};
pub use recordings::Demands;
pub use table_data::TableData;
pub use table_draft::{NO_LABEL_HINT, TableDraft, TableWishes, draft_table, is_table};
pub use track_columns::{TrackColumn, TrackColumns, TrackFile, no_column};

use std::path::PathBuf;

use crate::audio::AudioError;
use crate::fetch::FetchError;
use crate::table::TableError;

/// The class of everything in a dataset without labels.
pub(crate) const UNLABELED: &str = "unlabeled";

/// A loaded dataset, ready for features.
pub enum Data {
    /// Labeled recordings.
    Audio(AudioData),
    /// Labeled rows of numbers.
    Table(TableData),
    /// Labeled rows of precomputed arrays.
    Arrays(ArrayData),
}

impl Data {
    /// Takes the track columns out. Those of generated recordings take time to make, and are there only if
    /// one of them is needed.
    #[must_use]
    pub fn take_track_columns(&mut self, needed: &[&str]) -> TrackColumns {
        if let Self::Audio(audio) = self
            && audio.synthetic
            && needed.iter().any(|column| synth::TRACK_COLUMNS.contains(column))
        {
            audio.add_facts();
        }
        std::mem::take(self.track_columns_mut())
    }

    fn track_columns_mut(&mut self) -> &mut TrackColumns {
        match self {
            Self::Audio(audio) => &mut audio.track_columns,
            Self::Table(table) => &mut table.track_columns,
            Self::Arrays(arrays) => &mut arrays.track_columns,
        }
    }
}

/// A smaller version of a generated dataset, for quick looks; files on disk are never cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cut {
    /// Tracks per genre of an embedded audio corpus.
    pub tracks_per_genre: Option<usize>,
    /// Rows of an embedded table.
    pub n_rows: Option<usize>,
}

/// An error about a dataset.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The dataset was never imported.
    #[error("the dataset {name} is not imported\nhint: {command}; {how_to_get}")]
    NotImported {
        /// Name of the dataset.
        name: String,
        /// The command that obtains it.
        command: String,
        /// How to obtain a copy.
        how_to_get: String,
    },
    /// The dataset can't be fetched because its manifest has no address.
    #[error(
        "no download address for {name}\nhint: {how_to_get}; then: encore data import {name} PATH"
    )]
    NoAddress {
        /// Name of the dataset.
        name: String,
        /// How to obtain a copy.
        how_to_get: String,
    },
    /// A fetch failed.
    #[error("{source}{by_hand}")]
    Fetch {
        /// The error of the download.
        source: FetchError,
        /// Manual instructions on a separate line, or nothing.
        by_hand: String,
    },
    /// The path does not contain the dataset.
    #[error("{path}: {message}")]
    Layout {
        /// The path.
        path: PathBuf,
        /// What was expected and what was found.
        message: String,
    },
    /// A file changed since the import.
    #[error("{path} has changed since it was imported\nhint: encore data import {name} {}", root.display())]
    Changed {
        /// Name of the dataset.
        name: String,
        /// The file.
        path: PathBuf,
        /// The folder of the dataset.
        root: PathBuf,
    },
    /// The dataset, or a file of it, is not where it was imported.
    #[error(
        "{path} does not exist; the dataset {name} was imported from there\n\
         hint: if it has moved: encore data import {name} PATH"
    )]
    Moved {
        /// The dataset.
        name: String,
        /// Its folder, or the file where the folder exists.
        path: PathBuf,
    },
    /// All rows of a table have one label.
    #[error("every row of {name} has the label `{class}`; a model needs two labels or more")]
    OneClass {
        /// The dataset.
        name: String,
        /// The label.
        class: String,
    },
    /// The column of labels holds numbers, and so many that they are hardly classes.
    #[error(
        "{path}: the label column {column} has {n} different numbers, and each would be a separate class\n\
         hint: name another column in [table.label], or confirm it with many_numbers = true"
    )]
    ManyNumbers {
        /// The file or folder.
        path: PathBuf,
        /// The column.
        column: String,
        /// How many different numbers it has.
        n: usize,
    },
    /// The embedded corpora need no import.
    #[error("{0} is generated by encore; there is nothing to import")]
    Embedded(String),
    /// A file or folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A recording can no longer be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A table can't be read.
    #[error(transparent)]
    Table(#[from] TableError),
}
