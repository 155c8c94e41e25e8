//! Reads tracks from lists. Rows without a track are reported with file and line, or counted by
//! reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::super::recordings::Candidate;
use super::super::{DatasetError, IndexedFile, Manifest, UNLABELED};
use super::head::Head;
use super::{Label, ListFile, Reading, Template, named};
use crate::delimited::{Record, records};
use crate::record::Excluded;
use crate::vocab::sha256_hex;

/// A row with a track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) id: String,
    pub(super) genre: String,
    /// The path relative to the folder of recordings.
    pub(super) path: String,
    /// The cells of the track columns, in order, and the tags; empty if unknown.
    pub(super) columns: Vec<String>,
}

/// The content of the lists.
#[derive(Default)]
pub(super) struct Listed {
    pub(super) tracks: Vec<Track>,
    /// The list files.
    pub(super) files: Vec<IndexedFile>,
    /// The paths in all rows, including excluded ones.
    pub(super) paths: BTreeSet<String>,
    pub(super) excluded: Vec<Excluded>,
    pub(super) notes: Vec<String>,
}

/// The state while rows are read.
#[derive(Default)]
struct Found {
    listed: Listed,
    /// Where each id and each path occurred first.
    ids: BTreeMap<String, String>,
    first: BTreeMap<String, String>,
    /// Dropped rows by reason.
    out: BTreeMap<String, Vec<String>>,
}

impl Track {
    pub(super) fn candidate(&self, audio: &str) -> Candidate {
        let folder = if audio == "." { Path::new("") } else { Path::new(audio) };
        let (track, genre) = (self.id.clone(), self.genre.clone());
        Candidate { track, genre, path: folder.join(&self.path) }
    }
}

impl Reading {
    /// Reads all lists in a dataset's folder.
    pub(super) fn rows(
        &self,
        from: &Path,
        manifest: &Manifest,
        wanted: Wanted,
    ) -> Result<Listed, DatasetError> {
        let mut found = Found::default();
        for list in &self.lists {
            let path = from.join(&list.file);
            if !path.is_file() {
                let message =
                    format!("list {} not found\nhint: {}", list.file, manifest.how_to_get);
                return Err(DatasetError::Layout { path: from.to_owned(), message });
            }
            let bytes = std::fs::read(&path)
                .map_err(|source| DatasetError::Io { path: path.clone(), source })?;
            let n_rows = self
                .read_list(list, &bytes, wanted, &mut found)
                .map_err(|message| DatasetError::Layout { path, message })?;
            found.listed.files.push(IndexedFile {
                track: list.file.clone(),
                genre: String::new(),
                path: PathBuf::from(&list.file),
                sha256: sha256_hex(&bytes),
                n_samples: n_rows,
                decoder_version: 1,
            });
        }
        for (reason, rows) in found.out {
            found.listed.excluded.extend(named(&rows, "rows", &reason));
        }
        Ok(found.listed)
    }

    /// Reads one list; returns its number of rows.
    fn read_list(
        &self,
        list: &ListFile,
        bytes: &[u8],
        wanted: Wanted,
        found: &mut Found,
    ) -> Result<usize, String> {
        let mut records = records(bytes, self.delimiter).peekable();
        let mut header = vec![];
        for _ in 0..self.header_rows {
            header.push(records.next().ok_or("has no rows")??);
        }
        if self.header_rows == 0 {
            let first = records.peek().ok_or("has no rows")?.clone()?;
            let cells = (1..=first.cells.len()).map(|i| i.to_string()).collect();
            header.push(Record { line: first.line, cells });
        }
        let head = Head::new(&header, &list.set);
        self.check_columns(&head, wanted)?;
        let (mut n_rows, mut n_others) = (0, 0);
        for record in records {
            let record = record?;
            n_rows += 1;
            let place = format!("{}:{}", list.file, record.line);
            match self.row(&head, &record, &place, wanted, found)? {
                Row::Track => {}
                Row::Other => n_others += 1,
                Row::Out(reason, what) => {
                    found.out.entry(reason).or_default().push(format!("{place}{what}"));
                }
            }
        }
        if n_others > 0 {
            let columns: Vec<&str> = self.only.iter().map(|(column, _)| column.as_str()).collect();
            let (file, columns) = (&list.file, columns.join(" and "));
            let note = format!("{file}: {n_others} of {n_rows} rows are excluded by {columns}");
            found.listed.notes.push(note);
        }
        Ok(n_rows)
    }

    fn check_columns(&self, head: &Head, wanted: Wanted) -> Result<(), String> {
        let labels = [Some(&self.label), wanted.tags];
        let of_labels = labels.into_iter().flatten().map(|label| &label.from);
        let templates = self.id.iter().chain([&self.path]).chain(of_labels);
        let templates = templates.chain(self.track_columns.iter().map(|(_, template)| template));
        let only = self.only.iter().map(|(column, _)| column.as_str());
        for column in templates.flat_map(Template::columns).chain(only) {
            head.check(column)?;
        }
        let several = labels.into_iter().flatten().filter(|label| label.several);
        for label in several.filter_map(|label| label.from.bare_column()) {
            if head.columns.get(label).is_none_or(|&column| column + 1 != head.n_columns) {
                return Err(format!(
                    "must have the column `{label}`, with several labels, as its last"
                ));
            }
        }
        Ok(())
    }

    /// Reads one row; an error means that the whole list is unusable.
    fn row(
        &self,
        head: &Head,
        record: &Record,
        place: &str,
        wanted: Wanted,
        found: &mut Found,
    ) -> Result<Row, String> {
        let out = |reason: &str| Ok(Row::Out(reason.to_owned(), String::new()));
        let (n, n_columns) = (record.cells.len(), head.n_columns);
        let has_several = self.label.several || wanted.tags.is_some_and(|tags| tags.several);
        if n < n_columns || (n > n_columns && !has_several) {
            return Ok(Row::Out(format!("does not have {n_columns} cells"), format!(" (has {n})")));
        }
        let cell = |column: &str| head.cell(record, column);
        let path = match self.path.fill(cell) {
            Some(path) => {
                Some(below(&path).map_err(|said| format!("line {}: {said}", record.line))?)
            }
            None => None,
        };
        if let Some(path) = &path {
            found.listed.paths.insert(path.clone());
        }
        let is_wanted = |(column, values): &(String, Vec<String>)| {
            values.iter().any(|value| value == cell(column))
        };
        if !self.only.iter().all(is_wanted) {
            return Ok(Row::Other);
        }
        let Some(path) = path else { return out("has no path") };
        let genre = match self.genre(head, record, wanted.genres) {
            Ok(genre) => genre,
            Err(reason) => return Ok(Row::Out(reason, String::new())),
        };
        let id = match &self.id {
            Some(template) => template.fill(cell),
            None => Path::new(&path).with_extension("").to_str().map(str::to_owned),
        };
        let Some(id) = id else { return out("has no name") };
        let id = id.replace(['/', '\\'], ".");
        let columns = self
            .track_columns
            .iter()
            .map(|(ours, template)| self.renamed(ours, template.fill(cell).unwrap_or_default()));
        let tags = wanted.tags.map(|tags| tags.all(head, record).join(","));
        let columns: Vec<String> = columns.chain(tags).collect();
        if [&id, &genre].into_iter().chain(&columns).any(|text| text.contains(char::is_control)) {
            return out("has a control character in a cell");
        }
        for (what, key, seen) in [("track", &id, &mut found.ids), ("path", &path, &mut found.first)]
        {
            if let Some(before) = seen.get(key) {
                let reason = format!("repeats the {what} of an earlier row");
                return Ok(Row::Out(reason, format!(" ({key}, as {before})")));
            }
            seen.insert(key.clone(), place.to_owned());
        }
        found.listed.tracks.push(Track { id, genre, path, columns });
        Ok(Row::Track)
    }

    /// Returns the genre of a row, or the reason why it has none.
    fn genre(
        &self,
        head: &Head,
        record: &Record,
        genres: Option<&[String]>,
    ) -> Result<String, String> {
        let label = &self.label;
        if !label.is_given() {
            return Ok(UNLABELED.to_owned());
        }
        let labels: BTreeSet<String> = label
            .all(head, record)
            .into_iter()
            .map(|text| self.renamed("label", text).replace(['/', '\\'], "-"))
            .collect();
        let is_ours = |text: &&String| genres.is_none_or(|genres| genres.contains(text));
        let ours: Vec<&String> = labels.iter().filter(is_ours).collect();
        match (ours.as_slice(), labels.first()) {
            ([genre], _) => Ok((*genre).clone()),
            ([], None) => Err("has no genre".to_owned()),
            ([], Some(_)) if label.several => Err("has no genre of this dataset".to_owned()),
            ([], Some(other)) => {
                Err(format!("has the genre {other}, which is not in this dataset"))
            }
            (_, _) => Err("has several genres of this dataset".to_owned()),
        }
    }

    fn renamed(&self, key: &str, text: String) -> String {
        let words = self.rename.iter().find(|(name, _)| name == key).map(|(_, words)| words);
        let word = words.and_then(|words| words.iter().find(|(theirs, _)| *theirs == text));
        word.map_or(text, |(_, ours)| ours.clone())
    }
}

impl Label {
    /// The labels of a row without their prefix.
    fn all(&self, head: &Head, record: &Record) -> Vec<String> {
        let labels: Vec<String> = match self.from.bare_column().filter(|_| self.several) {
            Some(_) => record.cells[head.n_columns - 1..].to_vec(),
            None => self.from.fill(|column| head.cell(record, column)).into_iter().collect(),
        };
        let stripped = labels.iter().filter_map(|text| text.strip_prefix(&self.prefix));
        stripped.filter(|text| !text.is_empty()).map(str::to_owned).collect()
    }
}

/// What is wanted of a row's labels.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// The genres of the dataset; if absent, all.
    pub(super) genres: Option<&'a [String]>,
    /// How a row gets its tags.
    pub(super) tags: Option<&'a Label>,
}

/// The outcome of a row.
enum Row {
    /// A track.
    Track,
    /// The manifest's filters exclude it.
    Other,
    /// Dropped: the reason, and the detail in the row.
    Out(String, String),
}

/// Normalizes a path to plain slashes without `./`, and checks that it stays below its folder.
fn below(path: &str) -> Result<String, String> {
    let path = path.replace('\\', "/");
    let mut parts = vec![];
    for part in Path::new(&path).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_string_lossy()),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                return Err(format!(
                    "the path {path:?} leaves the folder; paths must be relative to it, without `..`"
                ));
            }
        }
    }
    Ok(parts.join("/"))
}
