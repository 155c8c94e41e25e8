//! Layout `[listed]`: recordings anywhere below a folder, and lists (CSV or tab-separated files) with
//! their paths, genres and track columns.
//!
//! | file | content |
//! |---|---|
//! | `template` | a path, a name or a label from the cells of a row |
//! | `head` | a list's header: which cell of a row is what |
//! | `rows` | the lists -> tracks, and the faults of the other rows |

mod head;
mod rows;
mod template;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::recordings::{self, Demands, Examined, MOST_NAMES, Progress};
use super::{AudioData, DatasetError, Index, Listing, Manifest, TrackColumns};
use crate::audio::DECODER_VERSION;
use crate::record::Excluded;
use crate::schema::{Fields, Flag, Int, Keyed, List, OneOf, Text};
use crate::vocab::sha256_hex;
use rows::{Listed as Rows, Track, Wanted};
use template::TemplateText;

pub use template::Template;

/// The track column of the tags.
const TAGS: &str = "tags";

/// The manifest's settings for a dataset with lists.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Subfolders that may contain the recordings; the first existing one is used. Paths are
    /// relative to it.
    pub audio: Vec<String>,
    /// The genres, in the order of the classes. If absent, all genres in the lists, sorted.
    pub genres: Option<Vec<String>>,
    /// Requirements on the recordings.
    pub demands: Demands,
    /// Number of tracks in a complete copy, if the lists alone do not tell.
    pub n_tracks: Option<usize>,
    /// How a track gets its tags, which are its track column `tags`, with commas between them.
    pub tags: Option<Label>,
    /// How the rows are read.
    pub reading: Reading,
}

/// How the rows of lists become tracks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The delimiter of cells.
    pub delimiter: u8,
    /// Number of header rows, whose cells, joined by a point, name the columns. Without any, the
    /// columns are `1`, `2`, …
    pub header_rows: usize,
    /// The name of the track. If absent, its path without extension, with points for slashes.
    pub id: Option<Template>,
    /// The path of the recording, relative to the folder of recordings.
    pub path: Template,
    /// How the track gets its genre; of tracks without classes, the default.
    pub label: Label,
    /// Filters: only rows whose cells in these columns have one of the values are used.
    pub only: Vec<(String, Vec<String>)>,
    /// The track columns, by our names.
    pub track_columns: Vec<(String, Template)>,
    /// Replacements for values in a track column or in `label`.
    pub rename: Vec<(String, Vec<(String, String)>)>,
    /// The files, in this order.
    pub lists: Vec<ListFile>,
}

/// How a row gets its genre.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Label {
    /// The template of the label.
    pub from: Template,
    /// Whether this column and all columns after it are labels; exactly one must be a genre of the
    /// dataset.
    pub several: bool,
    /// The prefix of labels, which genres do not have; a label without it is ignored.
    pub prefix: String,
}

/// One list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFile {
    /// Its path relative to the dataset's folder.
    pub file: String,
    /// Additional columns with the same cell in every row, e.g. `split = "train"`.
    pub set: Vec<(String, String)>,
}

impl Listed {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let delimiter = OneOf(&[(",", b','), (";", b';'), ("\t", b'\t')]);
        let reading = Reading {
            delimiter: fields.with_default("delimiter", &delimiter, b','),
            header_rows: fields.with_default("header_rows", &Int::within(0..=9), 1),
            id: fields.optional("id", &TemplateText),
            path: fields.required("path", &TemplateText),
            label: fields.table("label", Label::read).unwrap_or_default(),
            only: fields.with_default("only", &Keyed(List::of_some(Text)), vec![]),
            track_columns: fields.with_default("track_columns", &Keyed(TemplateText), vec![]),
            rename: vec![],
            lists: fields.each_table("list", |list| ListFile {
                file: list.required("file", &Text),
                set: list.with_default("set", &Keyed(Text), vec![]),
            }),
        };
        if reading.lists.is_empty() {
            fields.fault_at("list", "must be a list of at least one table with a file");
        }
        let reading = reading.with_rename(fields);
        let tags = fields.table("tags", Label::read);
        if tags.is_some() && reading.track_columns.iter().any(|(ours, _)| ours == TAGS) {
            fields.fault_at("track_columns", "must not contain `tags`, which [listed.tags] fills");
        }
        if !reading.label.is_given() && fields.is_given("genres") {
            fields.fault_at("genres", "applies to a dataset with [listed.label]");
        }
        Self {
            tags,
            audio: fields.with_default("audio", &List::of_some(Text), vec![".".to_owned()]),
            genres: fields.optional("genres", &List::of_some(Text)),
            demands: Demands::read(fields),
            n_tracks: fields.optional("n_tracks", &Int::within(1..=10_000_000)),
            reading,
        }
    }

    /// Returns the names of the track columns.
    pub(super) fn track_columns(&self) -> Vec<&str> {
        let ours = self.reading.track_columns.iter().map(|(ours, _)| ours.as_str());
        ours.chain(self.tags.as_ref().map(|_| TAGS)).collect()
    }

    /// Reads the lists, then decodes and hashes every recording in them.
    pub(super) fn index(
        &self,
        manifest: &Manifest,
        from: &Path,
        progress: Progress,
    ) -> Result<Index, DatasetError> {
        let layout = |message: String| DatasetError::Layout { path: from.to_owned(), message };
        if !from.is_dir() {
            let files = self.reading.lists.iter().map(|list| list.file.as_str());
            let files: Vec<&str> = files.collect();
            let message =
                format!("is not a folder; this dataset is a folder with {}", files.join(", "));
            return Err(layout(message));
        }
        let audio = self
            .audio
            .iter()
            .find(|audio| from.join(audio).is_dir())
            .ok_or_else(|| layout(format!("no folder {} here", self.audio.join(" or "))))?;
        let wanted = Wanted { genres: self.genres.as_deref(), tags: self.tags.as_ref() };
        let rows = self.reading.rows(from, manifest, wanted)?;
        let Rows { tracks, files: lists, paths, mut excluded, mut notes } = rows;
        let n_tracks = tracks.len();
        let (there, missing): (Vec<Track>, Vec<Track>) =
            tracks.into_iter().partition(|track| from.join(audio).join(&track.path).is_file());
        let missing: Vec<String> = missing.into_iter().map(|track| track.path).collect();
        excluded.extend(named(&missing, "files", "is listed but does not exist"));
        let mut candidates: Vec<_> = there.iter().map(|track| track.candidate(audio)).collect();
        candidates.sort_by(|a, b| a.track.cmp(&b.track));
        let examined = recordings::examine(from, &candidates, self.demands, progress);
        let Examined { mut files, excluded: out, notes: of_files } = examined;
        excluded.extend(out);
        if files.is_empty() {
            let message = recordings::none_good(n_tracks, &excluded, "the lists contain no track");
            return Err(layout(message));
        }
        notes.extend(of_files);
        notes.extend(self.unlisted(from, audio, &paths)?);
        notes.extend(recordings::duplicates(&files));
        let genres = self.genres.clone().unwrap_or_else(|| recordings::genres_of(&files));
        let whole = self.n_tracks.unwrap_or(n_tracks);
        notes.extend(recordings::counts(&files, &genres, whole));
        notes.extend(recordings::absent_known_faults(manifest, &files, &excluded));
        let good: BTreeSet<&str> = files.iter().map(|file| file.track.as_str()).collect();
        let good: Vec<&Track> =
            there.iter().filter(|track| good.contains(track.id.as_str())).collect();
        let track_columns = self.columns_of(&good);
        files.extend(lists);
        Ok(Index {
            dataset: manifest.name.clone(),
            root: from.to_owned(),
            files,
            excluded,
            notes,
            listing: Some(Listing { layout: self.hash(), n_tracks, track_columns }),
            decoder_version: Some(DECODER_VERSION),
        })
    }

    /// Loads the dataset from the index that an import of these lists wrote.
    pub(super) fn load(
        &self,
        manifest: &Manifest,
        index: &Index,
    ) -> Result<AudioData, DatasetError> {
        let listing = index.listing.as_ref().filter(|listing| listing.layout == self.hash());
        let listing = listing.ok_or_else(|| DatasetError::Layout {
            path: index.root.clone(),
            message: format!(
                "was imported with another datasets/{0}.toml\nhint: encore data import {0} {1}",
                manifest.name,
                index.root.display()
            ),
        })?;
        let n_tracks = self.n_tracks.unwrap_or(listing.n_tracks);
        let rate = self.demands.sample_rate_hz;
        let genres = self.genres.clone().unwrap_or_else(|| recordings::genres_of(&index.files));
        let mut audio = AudioData::from_index(manifest, genres, rate, n_tracks, index);
        audio.track_columns = listing.track_columns.clone();
        Ok(audio)
    }

    /// Returns the SHA-256 of the reading settings, because an index is invalid after they change.
    fn hash(&self) -> String {
        let mut text = format!("{:?} {:?} {:?}", self.reading, self.genres, self.audio);
        // Datasets without tags keep the hash from before there were tags.
        if let Some(tags) = &self.tags {
            text += &format!(" {tags:?}");
        }
        sha256_hex(text.as_bytes())
    }

    fn columns_of(&self, tracks: &[&Track]) -> TrackColumns {
        let mut columns = TrackColumns::default();
        for (i, ours) in self.track_columns().into_iter().enumerate() {
            let cells = tracks.iter().map(|track| (track.id.as_str(), track.columns[i].as_str()));
            columns.add(ours, cells).expect("track names are unique");
        }
        columns
    }

    /// Reports recordings that are in no list.
    fn unlisted(
        &self,
        from: &Path,
        audio: &str,
        listed: &BTreeSet<String>,
    ) -> Result<Vec<String>, DatasetError> {
        let root = from.join(audio);
        let lists: Vec<PathBuf> =
            self.reading.lists.iter().map(|list| from.join(&list.file)).collect();
        let (mut unlisted, mut others, mut n_all_hidden) = (vec![], vec![], 0);
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let (paths, n_hidden) = recordings::entries(&folder)
                .map_err(|source| DatasetError::Io { path: folder.clone(), source })?;
            n_all_hidden += n_hidden;
            for path in paths {
                if path.is_dir() && !path.is_symlink() {
                    folders.push(path);
                    continue;
                }
                let below = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy();
                if listed.contains(below.as_ref()) || lists.contains(&path) {
                    continue;
                }
                if recordings::is_other(&path) {
                    others.push(path);
                } else {
                    unlisted.push(below.into_owned());
                }
            }
        }
        unlisted.sort();
        let mut notes = vec![];
        if !unlisted.is_empty() {
            let (n, some) = (unlisted.len(), recordings::some_names(&unlisted));
            notes.push(format!("{n} files are in no list and are not used: {some}"));
        }
        notes.extend(recordings::others_note(&others));
        if n_all_hidden > 0 {
            notes.push(format!("{n_all_hidden} hidden files were skipped"));
        }
        Ok(notes)
    }
}

impl Reading {
    /// Reads `[listed.rename]`, whose keys are `label` and the track columns.
    fn with_rename(mut self, fields: &mut Fields) -> Self {
        let keys = self.track_columns.iter().map(|(ours, _)| ours.clone());
        let keys: BTreeSet<String> = keys.chain(["label".to_owned()]).collect();
        let read = |rename: &mut Fields| {
            rename.explore_other_keys(&Keyed(Text));
            let words = keys.into_iter().map(|key| {
                let words = rename.with_default(&key, &Keyed(Text), vec![]);
                (key, words)
            });
            words.filter(|(_, words)| !words.is_empty()).collect()
        };
        self.rename = fields.table("rename", read).unwrap_or_default();
        self
    }
}

impl Label {
    /// Returns whether rows have a label.
    pub(super) fn is_given(&self) -> bool {
        *self != Self::default()
    }

    fn read(fields: &mut Fields) -> Self {
        let label = Self {
            from: fields.required("from", &TemplateText),
            several: fields.with_default("several", &Flag, false),
            prefix: fields.optional("prefix", &Text).unwrap_or_default(),
        };
        if label.several && label.from.bare_column().is_none() {
            fields.fault_at("from", "must be a single column in braces if several = true");
        }
        label
    }
}

/// Reports skipped items with the same reason: by name if they are few, otherwise by count.
fn named(names: &[String], unit: &str, reason: &str) -> Vec<Excluded> {
    let out = |name: String| Excluded { name, reason: reason.to_owned() };
    if names.len() <= MOST_NAMES {
        return names.iter().cloned().map(out).collect();
    }
    vec![out(format!("{} {unit}: {}", names.len(), recordings::some_names(names)))]
}

#[cfg(test)]
mod tests;
