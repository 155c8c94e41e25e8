//! The index that an import writes: which files there are, and which were skipped and why.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{DatasetError, TrackColumns};
use crate::audio;
use crate::disk;
use crate::record::Excluded;
use crate::vocab::Sha256;

/// The places where a `datasets/` folder keeps everything except its manifests.
#[derive(Debug, Clone)]
pub struct Place(PathBuf);

impl Place {
    /// Returns the places under a `datasets/` folder.
    #[must_use]
    pub fn new(datasets: &Path) -> Self {
        Self(datasets.to_owned())
    }

    /// The project's folder, without links. A path of an index that is not absolute starts here.
    fn project(&self) -> std::io::Result<PathBuf> {
        Ok(self.0.canonicalize()?.parent().map_or_else(PathBuf::new, Path::to_owned))
    }

    /// The index of one imported dataset.
    #[must_use]
    pub fn index_file(&self, name: &str) -> PathBuf {
        self.0.join("imported").join(format!("{name}.json"))
    }

    /// Returns the folder of a dataset that was imported with a copy.
    #[must_use]
    pub fn data_folder(&self, name: &str) -> PathBuf {
        self.0.join("imported").join(name)
    }

    /// Returns the folder of downloaded datasets, one subfolder each.
    #[must_use]
    pub fn downloads_folder(&self) -> PathBuf {
        self.0.join("downloads")
    }

    /// Returns the folder of the feature cache.
    #[must_use]
    pub fn features_folder(&self) -> PathBuf {
        self.0.join("cache")
    }
}

/// An imported dataset: its valid files, and the skipped ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Name of the manifest.
    pub dataset: String,
    /// The folder that paths are relative to.
    pub root: PathBuf,
    /// The valid files, sorted by track.
    pub files: Vec<IndexedFile>,
    /// The skipped files, with reasons.
    pub excluded: Vec<Excluded>,
    /// Notes for the user: missing genres, duplicates, counts.
    pub notes: Vec<String>,
    /// The content of the lists of a listed dataset, besides names and genres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<Listing>,
    /// Version of the decoder that checked the recordings; none in an index of an older encore, whose
    /// decoder was version 1, and for tables and arrays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoder_version: Option<u32>,
}

/// The content of the lists of a listed dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// SHA-256 of the layout with which the lists were read.
    pub layout: String,
    /// Number of tracks in the lists, valid or not.
    pub n_tracks: usize,
    /// Further columns about the valid tracks.
    pub track_columns: TrackColumns,
}

/// A valid file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexedFile {
    /// The track; for a table or a list, the name of the file.
    pub track: String,
    /// The genre; empty for a table or a list, whose rows have labels.
    pub genre: String,
    /// The path relative to the root.
    pub path: PathBuf,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// Number of samples at the dataset's sample rate; for a table or a list, number of rows.
    pub n_samples: usize,
    /// The first version of the decoder that gives these samples: 1, unless an older encore read the
    /// recording wrongly. It is part of what the recording is, so that no features of the wrong samples
    /// are used.
    #[serde(default = "first_version", skip_serializing_if = "is_first_version")]
    pub decoder_version: u32,
}

/// The decoder version of a file that is no recording, or that was always read as it is now.
const fn first_version() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_first_version(version: &u32) -> bool {
    *version == first_version()
}

/// SHA-256 of a file, read piece by piece.
pub(super) fn file_sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; 1 << 20];
    let mut hash = Sha256::new();
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hash.hex()),
            n => hash = hash.bytes(&piece[..n]),
        }
    }
}

impl IndexedFile {
    /// SHA-256 of what the file is to encore: of its bytes, and of the decoder's version if that counts.
    #[must_use]
    pub fn content_hash(&self) -> String {
        if is_first_version(&self.decoder_version) {
            return self.sha256.clone();
        }
        Sha256::new().piece(&self.sha256).piece(self.decoder_version.to_le_bytes()).hex()
    }
}

/// Where an indexed folder is now. Earlier versions of encore saved all paths as absolute ones: of those
/// that are gone, the part from `datasets` on may be in this project.
fn find_root(project: &Path, root: PathBuf) -> PathBuf {
    if root.is_relative() {
        return project.join(root);
    }
    if !root.exists() {
        let inside = root.components().skip_while(|part| part.as_os_str() != "datasets");
        let inside = inside.collect::<PathBuf>();
        let moved = project.join(&inside);
        if !inside.as_os_str().is_empty() && moved.exists() {
            return moved;
        }
    }
    root
}

/// The fault of a file of an imported dataset that can't be read.
pub(super) fn unreadable(name: &str, root: &Path, path: &Path, source: io::Error) -> DatasetError {
    if source.kind() != io::ErrorKind::NotFound {
        return DatasetError::Io { path: path.to_owned(), source };
    }
    let path = if root.exists() { path } else { root };
    DatasetError::Moved { name: name.to_owned(), path: path.to_owned() }
}

impl Index {
    /// Rejects an index of recordings that another decoder has checked, if it read one of them otherwise.
    pub(super) fn check_decoder(&self) -> Result<(), DatasetError> {
        if self.decoder_version == Some(audio::DECODER_VERSION) {
            return Ok(());
        }
        let may_differ = |file: &&IndexedFile| {
            // A list has no genre, and is no recording.
            !file.genre.is_empty() && audio::may_decode_differently(self.root.join(&file.path))
        };
        let Some(file) = self.files.iter().find(may_differ) else { return Ok(()) };
        let (name, root, file) = (&self.dataset, self.root.display(), file.path.display());
        Err(DatasetError::Layout {
            path: self.root.clone(),
            message: format!(
                "was imported by an older encore, which lost the end of some mp3 files and half the \
                 bandwidth of HE-AAC, so {file} must be checked again\nhint: encore data import {name} {root}"
            ),
        })
    }

    /// SHA-256 over tracks, genres and contents: the same data anywhere on disk has the same hash.
    #[must_use]
    pub fn hash(&self) -> String {
        let start = Sha256::new().piece(&self.dataset);
        let add = |hash: Sha256, file: &IndexedFile| {
            hash.piece(&file.track).piece(&file.genre).piece(file.content_hash())
        };
        self.files.iter().fold(start, add).hex()
    }

    /// Copies the valid files into a folder and makes it the root.
    pub(super) fn copy_files(&mut self, folder: &Path) -> Result<(), DatasetError> {
        for file in &self.files {
            let to = folder.join(&file.path);
            let parent = to.parent().unwrap_or(folder);
            let copy =
                fs::create_dir_all(parent).and_then(|()| fs::copy(self.root.join(&file.path), &to));
            copy.map_err(|source| DatasetError::Io { path: to.clone(), source })?;
        }
        self.root = folder
            .canonicalize()
            .map_err(|source| DatasetError::Io { path: folder.to_owned(), source })?;
        Ok(())
    }

    pub(super) fn write(&self, place: &Place) -> Result<(), DatasetError> {
        let path = place.index_file(&self.dataset);
        let project =
            place.project().map_err(|source| DatasetError::Io { path: path.clone(), source })?;
        // A project can be renamed or copied: what is in it is found from where it is then.
        let root = self.root.strip_prefix(project).unwrap_or(&self.root).to_owned();
        let index = Self { root, ..self.clone() };
        // Only a path that is not text cannot be written.
        let text = serde_json::to_string_pretty(&index).map_err(|_| DatasetError::Layout {
            path: self.root.clone(),
            message: "its path is not valid UTF-8\nhint: rename the folder".to_owned(),
        })?;
        let folder = path.parent().unwrap_or(&path);
        fs::create_dir_all(folder)
            .and_then(|()| {
                disk::remove_stale(folder);
                disk::write_whole(&path, text.as_bytes())
            })
            .map_err(|source| DatasetError::Io { path, source })
    }

    pub(super) fn read(place: &Place, name: &str) -> Result<Option<Self>, DatasetError> {
        let path = place.index_file(name);
        if !path.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&path);
        let text = text.map_err(|source| DatasetError::Io { path: path.clone(), source })?;
        let mut index: Self =
            serde_json::from_str(&text).map_err(|error| DatasetError::Layout {
                path: path.clone(),
                message: format!("is damaged ({error})\nhint: encore data import {name} PATH"),
            })?;
        let project = place.project().map_err(|source| DatasetError::Io { path, source })?;
        index.root = find_root(&project, index.root);
        Ok(Some(index))
    }
}
