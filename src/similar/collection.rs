//! Songs and their vectors, in one file.
//!
//! The file is a line of JSON and the vectors behind it, as 32-bit floats in little-endian order. It is
//! derived from the songs: it may be deleted at any time, and is built again where it can't be used.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk;
use crate::vocab::sha256_hex;

/// Version of the file's layout.
const FORMAT: u32 = 1;

/// One recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Song {
    /// SHA-256 of the recording: two files with the same content are one song.
    pub content: String,
    /// The name of the track, or the path in the folder.
    pub name: String,
    /// The file; none for generated recordings.
    pub path: Option<PathBuf>,
    /// Length in seconds.
    pub seconds: f64,
    /// The artist, as the dataset or the file's tags say.
    pub artist: Option<String>,
    /// The title, as the file's tags say.
    pub title: Option<String>,
    /// The genre, as the dataset says.
    pub genre: Option<String>,
    /// Size and time of the last change of the file, by which a changed file is noticed.
    pub stamp: Option<(u64, u64)>,
}

/// A file that can't be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The path in the folder, or the track.
    pub name: String,
    /// Size and time of its last change: as long as they are the same, it is not read again.
    pub stamp: Option<(u64, u64)>,
    /// The reason.
    pub reason: String,
}

/// Songs with a vector each.
#[derive(Debug, Clone, PartialEq)]
pub struct Collection {
    /// What the vectors are, and of which place: other vectors have another key.
    pub key: String,
    /// Numbers of a vector.
    pub width: usize,
    /// The songs, by name.
    pub songs: Vec<Song>,
    /// The files that can't be used.
    pub unreadable: Vec<Unreadable>,
    /// `[songs, width]`.
    pub vectors: Vec<f32>,
}

/// What was found on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// A collection with the key.
    Found(Collection),
    /// There is no file.
    Absent,
    /// A file that can't be used, and why: it is made again.
    Unusable(String),
}

/// A file that can neither be used nor replaced.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// It can't be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A newer encore wrote it.
    #[error(
        "{path} was written by a newer encore (format {format}; this one knows {FORMAT})\n\
         hint: use that one, or delete the file: it is made again from the music"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its layout.
        format: u32,
    },
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: u32,
    key: String,
    width: usize,
    /// Of the vectors.
    sha256: String,
    songs: Vec<Song>,
    unreadable: Vec<Unreadable>,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Collection {
    /// An empty collection.
    #[must_use]
    pub fn new(key: &str, width: usize) -> Self {
        Self { key: key.to_owned(), width, songs: vec![], unreadable: vec![], vectors: vec![] }
    }

    /// The vector of a song, as it was computed.
    #[must_use]
    pub fn vector(&self, song: usize) -> &[f32] {
        &self.vectors[song * self.width..][..self.width]
    }

    /// The songs by their content.
    #[must_use]
    pub fn by_content(&self) -> BTreeMap<&str, usize> {
        self.songs.iter().enumerate().map(|(i, song)| (song.content.as_str(), i)).collect()
    }

    /// Adds a song.
    ///
    /// # Panics
    /// If the vector has another width.
    pub fn add(&mut self, song: Song, vector: &[f32]) {
        assert_eq!(vector.len(), self.width, "all vectors have one width");
        self.songs.push(song);
        self.vectors.extend_from_slice(vector);
    }

    /// Reads the collection of a key.
    ///
    /// # Errors
    /// If the file can't be read, or a newer encore wrote it.
    pub fn open(path: &Path, key: &str, width: usize) -> Result<Opened, CollectionError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Opened::Absent),
            Err(source) => return Err(CollectionError::Io { path: path.to_owned(), source }),
        };
        let unusable = |why: &str| Ok(Opened::Unusable(format!("{}: {why}", path.display())));
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            return unusable("is damaged");
        };
        let (head, rest) = (&bytes[..end], &bytes[end + 1..]);
        match serde_json::from_slice::<Version>(head) {
            Ok(Version { format }) if format > FORMAT => {
                return Err(CollectionError::Newer { path: path.to_owned(), format });
            }
            Ok(Version { format }) if format < FORMAT => {
                return unusable("was written by an older encore");
            }
            _ => {}
        }
        let Ok(head) = serde_json::from_slice::<Head>(head) else { return unusable("is damaged") };
        if head.key != key || head.width != width {
            return unusable("belongs to other music or another description");
        }
        if rest.len() != 4 * width * head.songs.len() || sha256_hex(rest) != head.sha256 {
            return unusable("is damaged");
        }
        let vectors = rest.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Ok(Opened::Found(Self {
            key: head.key,
            width,
            songs: head.songs,
            unreadable: head.unreadable,
            vectors: vectors.collect(),
        }))
    }

    /// Writes the collection; its folder is created if needed.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn save(&self, path: &Path) -> Result<(), CollectionError> {
        let io = |source| CollectionError::Io { path: path.to_owned(), source };
        let vectors: Vec<u8> = self.vectors.iter().flat_map(|value| value.to_le_bytes()).collect();
        let head = Head {
            format: FORMAT,
            key: self.key.clone(),
            width: self.width,
            sha256: sha256_hex(&vectors),
            songs: self.songs.clone(),
            unreadable: self.unreadable.clone(),
        };
        let mut bytes = serde_json::to_vec(&head).map_err(|error| io(error.into()))?;
        bytes.push(b'\n');
        bytes.extend(vectors);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        disk::write_whole(path, &bytes).map_err(io)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(name: &str) -> Song {
        Song {
            content: sha256_hex(name.as_bytes()),
            name: name.to_owned(),
            path: Some(PathBuf::from(name)),
            seconds: 1.5,
            artist: Some("A".to_owned()),
            title: None,
            genre: None,
            stamp: Some((3, 4)),
        }
    }

    #[test]
    fn it_is_read_back_and_what_can_not_be_used_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/x.songs");
        assert_eq!(Collection::open(&path, "k", 2).unwrap(), Opened::Absent);
        let mut collection = Collection::new("k", 2);
        collection.add(song("a.mp3"), &[1.0, -2.5]);
        collection.add(song("b\n.mp3"), &[f32::MIN_POSITIVE, 0.0]);
        let reason = "no audio".to_owned();
        collection.unreadable.push(Unreadable { name: "c".to_owned(), stamp: None, reason });
        collection.save(&path).unwrap();
        assert_eq!(Collection::open(&path, "k", 2).unwrap(), Opened::Found(collection.clone()));
        assert_eq!(collection.by_content()[song("b\n.mp3").content.as_str()], 1);
        assert_eq!(collection.vector(0), [1.0, -2.5]);

        let said = |key: &str, width: usize| match Collection::open(&path, key, width).unwrap() {
            Opened::Unusable(why) => why,
            other => panic!("{other:?}"),
        };
        assert!(said("other", 2).ends_with("belongs to other music or another description"));
        assert!(said("k", 3).ends_with("belongs to other music or another description"));
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(said("k", 2).ends_with("x.songs: is damaged"));
        std::fs::write(&path, "no\nmore").unwrap();
        assert!(said("k", 2).ends_with("is damaged"));
        let other = |format: &str| {
            let text = String::from_utf8_lossy(&whole).replace("\"format\":1", format);
            std::fs::write(&path, text).unwrap();
        };
        other("\"format\":0");
        assert!(said("k", 2).ends_with("was written by an older encore"));
        other("\"format\":2,\"new\":[]");
        let error = Collection::open(&path, "k", 2).unwrap_err().to_string();
        assert!(
            error.contains("written by a newer encore (format 2; this one knows 1)"),
            "{error}"
        );
    }
}
