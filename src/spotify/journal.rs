//! The journal: every response as a JSON line, on disk before the next request.
//!
//! A kill can damage only the last line, which is removed and requested again. One process at a time uses a
//! journal. Where locks do not ensure that, each process uses its own (`own_journal`).

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;
use super::features::Batch;
use super::item::Page;
use super::own_journal;
use super::{Features, Source, SpotifyError};
use crate::disk;

/// Version of the lines.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "got", rename_all = "snake_case")]
pub(super) enum Line {
    /// The first line: whose journal it is.
    Start {
        format: u32,
        playlist: String,
        at_s: u64,
    },
    /// Title and version of the playlist at the start of the collection.
    Playlist {
        name: String,
        snapshot_id: String,
    },
    Page(Page),
    /// All pages, and the version was still that of the start.
    AllItems,
    Artists {
        artists: Vec<Artist>,
    },
    Features {
        source: Source,
        features: Batch,
    },
    /// A refusal: not asked again by the same asker.
    Closed(Closed),
    /// From here on, endpoints that refused are asked again.
    AskAgain,
    /// Nothing is asked before this time.
    ComeBack {
        endpoint: String,
        until_s: u64,
    },
}

/// What is kept of an artist; nothing known of one that was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Artist {
    pub id: String,
    pub is_there: bool,
    pub genres: Vec<String>,
    pub popularity: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closed {
    pub endpoint: String,
    pub asker: String,
    pub code: u16,
    pub message: String,
    pub at_s: u64,
}

/// An open journal, and all that its lines say.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// The file, where it is of this process alone.
    own: Option<PathBuf>,
    pub(super) begun_s: u64,
    pub(super) playlist: Option<(String, String)>,
    pub(super) pages: Vec<Page>,
    pub(super) has_all_items: bool,
    pub(super) artists: BTreeMap<String, Artist>,
    pub(super) features: BTreeMap<(Source, String), Option<Features>>,
    pub(super) come_back: Option<(String, u64)>,
    closed: Vec<Closed>,
}

impl Journal {
    /// Opens the journal of a playlist, or begins it.
    ///
    /// # Errors
    /// Where it is another playlist's or another version's, damaged, or open elsewhere.
    pub fn open(path: &Path, playlist: &str, now_s: u64) -> Result<Self, SpotifyError> {
        let io = |source| SpotifyError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(io)?;
        if !disk::lock_file(&file, path).map_err(io)? {
            let message = "is in use by another encore process; wait until it ends";
            return Err(SpotifyError::Journal {
                path: path.to_owned(),
                message: message.to_owned(),
            });
        }
        let excludes_others = disk::is_locked(path);
        let own = if excludes_others { None } else { Some(own_journal::begin(path).map_err(io)?) };
        if let Some(own) = &own {
            file = OpenOptions::new().read(true).write(true).open(own).map_err(io)?;
        }
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).map_err(io)?;
        // What follows the last line break was torn by a kill.
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64).map_err(io)?;
        file.seek(SeekFrom::End(0)).map_err(io)?;
        let mut journal = Self {
            path: path.to_owned(),
            file,
            own,
            begun_s: now_s,
            playlist: None,
            pages: vec![],
            has_all_items: false,
            artists: BTreeMap::new(),
            features: BTreeMap::new(),
            come_back: None,
            closed: vec![],
        };
        let mut lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n').enumerate();
        match lines.next() {
            None => {
                journal.add(Line::Start {
                    format: FORMAT,
                    playlist: playlist.to_owned(),
                    at_s: now_s,
                })?;
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
                disk::sync_folder(folder.unwrap_or(Path::new("."))).map_err(io)?;
            }
            Some((_, first)) => journal.begun_s = journal.check_start(first, playlist)?,
        }
        for (i, line) in lines {
            let line = serde_json::from_slice(line).map_err(|error| {
                journal.fault(&format!(
                    "line {} is damaged ({error}); remove the file to start again",
                    i + 1
                ))
            })?;
            if matches!(&line, Line::Page(page) if page.offset != journal.n_items()) {
                let message = "does not continue the page before; remove the file to start again";
                return Err(journal.fault(&format!("line {} {message}", i + 1)));
            }
            journal.learn(line);
        }
        Ok(journal)
    }

    fn check_start(&self, line: &[u8], playlist: &str) -> Result<u64, SpotifyError> {
        match serde_json::from_slice(line) {
            Ok(Line::Start { format, .. }) if format != FORMAT => Err(self.fault(&format!(
                "has format {format}, expected {FORMAT}; remove the file to start again"
            ))),
            Ok(Line::Start { playlist: other, .. }) if other != playlist => Err(self.fault(&format!(
                "belongs to the playlist {other}, not to {playlist}; choose another --out, or remove the file"
            ))),
            Ok(Line::Start { at_s, .. }) => Ok(at_s),
            _ => Err(self.fault("is not a journal of a collection; choose another --out, or remove the file")),
        }
    }

    fn fault(&self, message: &str) -> SpotifyError {
        SpotifyError::Journal { path: self.path.clone(), message: message.to_owned() }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of playlist entries received.
    pub(super) fn n_items(&self) -> usize {
        self.pages.iter().map(|page| page.items.len()).sum()
    }

    /// Writes a line through to the disk, and knows it from then on.
    pub(super) fn add(&mut self, line: Line) -> Result<(), SpotifyError> {
        let mut text = serde_json::to_string(&line).expect("a line is plain data");
        text.push('\n');
        self.file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.sync_data())
            .map_err(SpotifyError::io(&self.path))?;
        self.learn(line);
        Ok(())
    }

    fn learn(&mut self, line: Line) {
        match line {
            Line::Start { .. } => {}
            Line::Playlist { name, snapshot_id } => self.playlist = Some((name, snapshot_id)),
            Line::Page(page) => self.pages.push(page),
            Line::AllItems => self.has_all_items = true,
            Line::Artists { artists } => {
                self.artists.extend(artists.into_iter().map(|artist| (artist.id.clone(), artist)));
            }
            Line::Features { source, features } => {
                let keyed = features.into_iter().map(|(id, features)| ((source, id), features));
                self.features.extend(keyed);
            }
            Line::Closed(closed) => self.closed.push(closed),
            Line::AskAgain => self.closed.clear(),
            Line::ComeBack { endpoint, until_s } => self.come_back = Some((endpoint, until_s)),
        }
    }

    /// The latest refusal of an endpoint to an asker.
    pub(super) fn closed(&self, endpoint: &Endpoint, asker: &str) -> Option<&Closed> {
        let is_it = |closed: &&Closed| closed.endpoint == endpoint.name && closed.asker == asker;
        self.closed.iter().rev().find(is_it)
    }

    pub(super) fn has_closed(&self) -> bool {
        !self.closed.is_empty()
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            // If this fails, the file stays, and the next process on this host continues with it.
            let _ = own_journal::end(own, &self.path);
        }
    }
}
