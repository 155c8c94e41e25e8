//! Datasets: what they are (manifests), where they lie (the index that an import writes), and the
//! two corpora that the program makes itself.
//!
//! A dataset is declared in `datasets/NAME.toml`. One that lies on disk is imported once: every file
//! is decoded, hashed and indexed in place. What is damaged is named and kept out, never fatal. This
//! room must never know a model.
//!
//! To add a dataset: one manifest. To add a layout on disk: one file here and one line in [`LAYOUTS`].

mod array_data;
mod arrays;
mod audio_data;
mod catalogue;
mod cleaning;
mod duplicates;
mod folder;
mod index;
mod manifest;
mod rows;
pub mod synth;
mod table_data;
mod track_columns;

pub use array_data::{ArrayData, ArrayNumbers};
pub use arrays::{ArrayFile, Arrays};
pub use audio_data::{AudioData, Track};
pub use catalogue::Catalogue;
pub use cleaning::{Cleaning, Duplicates, Missing};
pub use folder::Folder;
pub use index::{Index, IndexedFile, Place};
pub use manifest::{Kind, KnownFault, LAYOUTS, Layout, Manifest};
pub use rows::Rows;
pub use table_data::TableData;
pub use track_columns::{TrackColumn, TrackColumns, TrackFile, no_column};

use std::path::PathBuf;

use crate::audio::AudioError;
use crate::table::TableError;

/// A dataset that is there, ready for features.
pub enum Data {
    /// Labelled recordings.
    Audio(AudioData),
    /// Labelled rows of numbers.
    Table(TableData),
    /// Labelled rows of arrays that somebody else computed.
    Arrays(ArrayData),
}

impl Data {
    /// Takes out what is known of the tracks besides their genre.
    #[must_use]
    pub fn take_track_columns(&mut self) -> TrackColumns {
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

/// How a dataset may be made smaller, for quick looks; files on disk are never cut.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Cut {
    /// Tracks per genre of an embedded audio corpus.
    pub tracks_per_genre: Option<usize>,
    /// Rows of an embedded table.
    pub n_rows: Option<usize>,
}

/// What can go wrong with datasets.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// The dataset was never imported.
    #[error(
        "the dataset {name} is not imported\nhint: encore data import {name} PATH; {how_to_get}"
    )]
    NotImported {
        /// Its name.
        name: String,
        /// Where a copy can be had.
        how_to_get: String,
    },
    /// Nothing at the path looks like the dataset.
    #[error("{path}: {message}")]
    Layout {
        /// What was looked at.
        path: PathBuf,
        /// What was missed, and what was tried.
        message: String,
    },
    /// A file changed since the import.
    #[error("{path} has changed since it was imported\nhint: encore data import {name} {}", root.display())]
    Changed {
        /// The dataset.
        name: String,
        /// The file.
        path: PathBuf,
        /// Where the dataset lies.
        root: PathBuf,
    },
    /// The embedded corpora need no import.
    #[error("{0} is made by encore itself and needs no import")]
    Embedded(String),
    /// A file or folder can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A recording can't be decoded any more.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A table can't be read.
    #[error(transparent)]
    Table(#[from] TableError),
}
