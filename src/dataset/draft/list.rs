//! A list of paths and labels -> a manifest.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::super::DatasetError;
use super::super::recordings::{entries, name, some_names};
use super::text::{Draft, DraftOptions, files, head, quoted, quoted_array};
use crate::delimited::{Record, records};

/// Words for a column of paths, the likeliest first. `slice_file_name` is UrbanSound8K's.
const PATHS: &[&str] = &[
    "path",
    "file",
    "filename",
    "file_name",
    "filepath",
    "file_path",
    "audio",
    "audio_path",
    "slice_file_name",
];
/// Words for a column of genres.
const LABELS: &[&str] = &["label", "genre", "class", "style", "category", "genre_top", "target"];
/// Words for a column of names.
const IDS: &[&str] = &["id", "track_id", "track"];
/// Our track columns, and other words for them.
const COLUMNS: &[(&str, &[&str])] = &[
    ("artist", &["artist", "artist_id", "artist_name"]),
    ("album", &["album", "album_id", "album_name"]),
    ("split", &["split", "set", "subset"]),
    ("fold", &["fold"]),
    // The recording that a clip was cut from, in ESC-50 and in UrbanSound8K.
    ("source", &["src_file", "fsid"]),
];
/// What file names may lack.
const EXTENSIONS: &[&str] = &["", ".wav", ".mp3", ".flac", ".ogg", ".m4a", ".au"];
/// Rows whose files are looked for to find out where the recordings are.
const N_TRIED: usize = 20;

/// Whether the first row of a file names columns of paths and labels, or a recording.
#[must_use]
pub fn names_recordings(list: &Path) -> bool {
    let Ok(bytes) = std::fs::read(list) else { return false };
    let first = records(&bytes, delimiter(&bytes)).next().and_then(Result::ok);
    let folder = list.parent().unwrap_or(list);
    first.is_some_and(|first| Columns::find(&first, folder).is_ok())
}

/// Looks at a list and writes a manifest for it.
pub(super) fn draft(
    title: &str,
    list: &Path,
    options: &DraftOptions,
) -> Result<Draft, DatasetError> {
    let odd = |message: String| DatasetError::Layout { path: list.to_owned(), message };
    let bytes =
        std::fs::read(list).map_err(|source| DatasetError::Io { path: list.to_owned(), source })?;
    let folder = list.parent().unwrap_or(list);
    let delimiter = delimiter(&bytes);
    let records: Result<Vec<Record>, String> = records(&bytes, delimiter).collect();
    let records = records.map_err(odd)?;
    let first = records.first().ok_or_else(|| odd("has no rows".to_owned()))?;
    let columns = Columns::find(first, folder).map_err(odd)?;
    let rows = &records[usize::from(columns.has_header)..];
    let place = Place::find(folder, &columns, rows).ok_or_else(|| {
        let (path, folder) = (columns.name(first, columns.path), folder.display());
        odd(format!(
            "no file of the column `{path}` exists, e.g. {}; paths must be relative to {folder}",
            rows.first().and_then(|row| row.cells.get(columns.path)).map_or("", String::as_str)
        ))
    })?;
    let mut n_genres = BTreeMap::<&str, usize>::new();
    for label in rows.iter().filter_map(|row| row.cells.get(columns.label)) {
        *n_genres.entry(label).or_default() += 1;
    }
    let paths = rows.iter().filter_map(|row| place.path(&columns, row));
    let (there, missing): (Vec<PathBuf>, Vec<PathBuf>) = paths.partition(|path| path.is_file());
    let mut notes: Vec<String> =
        n_genres.iter().map(|(genre, n)| format!("{genre}: {n} rows")).collect();
    if notes.len() > super::super::recordings::MOST_NAMES {
        notes = vec![format!("{} labels: {}", notes.len(), some_names(&notes))];
    }
    if !missing.is_empty() {
        let missing: Vec<String> = missing.iter().map(|path| name(path)).collect();
        notes.push(format!("{} not found: {}", files(missing.len()), some_names(&missing)));
    }
    notes.extend(columns.split_note(rows));
    notes.extend(options.rate_notes(&there, list)?);
    let layout = columns.layout(first, &place, list, delimiter, options.rate_hz());
    Ok(Draft { text: head(title, &place.root) + &layout, folder: place.root, notes })
}

/// Where the recordings of a list are.
struct Place {
    /// The dataset's folder, above the list and the recordings.
    root: PathBuf,
    /// The folder of recordings in it, if that is not the root.
    audio: Option<String>,
    /// What stands before the cell of the path.
    before: Before,
    /// What stands behind it.
    extension: &'static str,
}

/// What a recording's folder is called.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Label,
    /// A text, and the cell of the fold.
    Fold(&'static str, usize),
}

impl Place {
    /// The first place where the files of some rows are.
    fn find(folder: &Path, columns: &Columns, rows: &[Record]) -> Option<Self> {
        let fold = columns.more.iter().find(|(ours, _)| *ours == "fold").map(|(_, column)| *column);
        let folds = fold
            .into_iter()
            .flat_map(|column| ["fold", ""].map(|before| Before::Fold(before, column)));
        let befores: Vec<Before> =
            [Before::Nothing, Before::Label].into_iter().chain(folds).collect();
        for root in [Some(folder), folder.parent()].into_iter().flatten() {
            let inner = entries(root).map(|(paths, _)| paths).unwrap_or_default();
            let inner = inner.iter().filter(|path| path.is_dir() && path.to_str().is_some());
            for audio in std::iter::once(None).chain(inner.map(|path| Some(name(path)))) {
                for (&before, extension) in
                    befores.iter().flat_map(|before| EXTENSIONS.iter().map(move |e| (before, *e)))
                {
                    let place =
                        Self { root: root.to_owned(), audio: audio.clone(), before, extension };
                    let is_there =
                        |row| place.path(columns, row).is_some_and(|path| path.is_file());
                    if rows.iter().take(N_TRIED).any(is_there) {
                        return Some(place);
                    }
                }
            }
        }
        None
    }

    /// The file of a row.
    fn path(&self, columns: &Columns, row: &Record) -> Option<PathBuf> {
        let cell = |column: usize| row.cells.get(column).filter(|cell| !cell.is_empty());
        let name = format!("{}{}", cell(columns.path)?, self.extension);
        let audio = self.audio.iter().fold(self.root.clone(), |root, audio| root.join(audio));
        Some(match self.before {
            Before::Nothing => audio.join(name),
            Before::Label => audio.join(cell(columns.label)?).join(name),
            Before::Fold(before, column) => {
                audio.join(format!("{before}{}", cell(column)?)).join(name)
            }
        })
    }

    /// The path of a recording as a template of the list's columns.
    fn template(&self, columns: &Columns, first: &Record) -> String {
        let cell = |column: usize| format!("{{{}}}", columns.name(first, column));
        let name = format!("{}{}", cell(columns.path), self.extension);
        match self.before {
            Before::Nothing => name,
            Before::Label => format!("{}/{name}", cell(columns.label)),
            Before::Fold(before, column) => format!("{before}{}/{name}", cell(column)),
        }
    }
}

/// Which column of a list is what.
struct Columns {
    has_header: bool,
    path: usize,
    label: usize,
    id: Option<usize>,
    more: Vec<(&'static str, usize)>,
}

impl Columns {
    /// By the names in the first row; without any, by which cell of it is a file.
    fn find(first: &Record, folder: &Path) -> Result<Self, String> {
        let named = |words: &[&str]| {
            let of_word =
                |word: &&str| first.cells.iter().position(|cell| cell.eq_ignore_ascii_case(word));
            words.iter().find_map(of_word)
        };
        let more = || COLUMNS.iter().filter_map(|(ours, words)| Some((*ours, named(words)?)));
        let is_file = |cell: &String| !cell.is_empty() && folder.join(cell).is_file();
        match (named(PATHS), named(LABELS), first.cells.iter().position(is_file)) {
            (Some(path), Some(label), None) => {
                Ok(Self { has_header: true, path, label, id: named(IDS), more: more().collect() })
            }
            (_, _, Some(path)) if first.cells.len() == 2 => {
                Ok(Self { has_header: false, path, label: 1 - path, id: None, more: vec![] })
            }
            _ => Err(format!(
                "must begin with a row that names a column of paths ({}) and one of genres ({}), \
                 or have two columns and no such row, found {}",
                PATHS.join(", "),
                LABELS.join(", "),
                some_names(&first.cells)
            )),
        }
    }

    fn name(&self, first: &Record, column: usize) -> String {
        if self.has_header { first.cells[column].clone() } else { (column + 1).to_string() }
    }

    /// Says how to use the published split that the list has.
    fn split_note(&self, rows: &[Record]) -> Option<String> {
        let column = |name: &str| self.more.iter().find(|(ours, _)| *ours == name).map(|(_, c)| *c);
        if let Some(fold) = column("fold") {
            let folds: std::collections::BTreeSet<&String> =
                rows.iter().filter_map(|row| row.cells.get(fold)).collect();
            let k = folds.len();
            return Some(format!(
                "{k} folds; in a spec: [split.k_fold] k = {k}, by = \"track\", column = \"fold\""
            ));
        }
        let note = "a split; in a spec: [split.listed] column = \"split\"";
        column("split").map(|_| note.to_owned())
    }

    fn layout(
        &self,
        first: &Record,
        place: &Place,
        list: &Path,
        delimiter: u8,
        rate: u32,
    ) -> String {
        let cell = |column: usize| quoted(&format!("{{{}}}", self.name(first, column)));
        let mut text = "[listed]\n".to_owned();
        let mut line = |key: &str, value: &str| {
            writeln!(text, "{key} = {value}").expect("a text can be written to");
        };
        if delimiter != b',' {
            line("delimiter", &quoted(&char::from(delimiter).to_string()));
        }
        if !self.has_header {
            line("header_rows", "0");
        }
        if let Some(id) = self.id {
            line("id", &cell(id));
        }
        if let Some(audio) = &place.audio {
            line("audio", &quoted_array([audio.as_str()]));
        }
        line("path", &quoted(&place.template(self, first)));
        line("label", &format!("{{ from = {} }}", cell(self.label)));
        if !self.more.is_empty() {
            let more: Vec<String> = self
                .more
                .iter()
                .map(|(ours, column)| format!("{ours} = {}", cell(*column)))
                .collect();
            line("track_columns", &format!("{{ {} }}", more.join(", ")));
        }
        line("sample_rate_hz", &rate.to_string());
        let list = list.strip_prefix(&place.root).unwrap_or(list).to_string_lossy();
        text + &format!("\n[[listed.list]]\nfile = {}\n", quoted(&list))
    }
}

/// The most frequent delimiter of the first line.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.split(|&byte| byte == delimiter).count();
    // The last of several maxima counts.
    [b';', b'\t', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}
