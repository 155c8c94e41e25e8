//! A manifest for a collection of a user's: a folder of recordings per genre, or a list of paths and labels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::super::DatasetError;
use super::super::recordings::{entries, name, some_names};
use crate::audio;
use crate::delimited::{Record, records};

/// Words for a column of paths, the likeliest first.
const PATHS: &[&str] =
    &["path", "file", "filename", "file_name", "filepath", "file_path", "audio", "audio_path"];
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
];

/// A manifest that was written for a collection, and where that lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The manifest.
    pub text: String,
    /// What to import.
    pub folder: PathBuf,
    /// What was seen: counts, columns, what a reader should know.
    pub notes: Vec<String>,
}

/// Looks at a folder of genre folders or at a list and writes a manifest for it.
///
/// # Errors
/// Where the path is neither: what was looked for, and what was found.
pub fn draft(title: &str, path: &Path) -> Result<Draft, DatasetError> {
    let path =
        path.canonicalize().map_err(|source| DatasetError::Io { path: path.to_owned(), source })?;
    if path.is_dir() { of_folder(title, &path) } else { of_list(title, &path) }
}

fn of_folder(title: &str, folder: &Path) -> Result<Draft, DatasetError> {
    let list = |folder: &Path| {
        let listed = entries(folder).map(|(paths, _)| paths);
        listed.map_err(|source| DatasetError::Io { path: folder.to_owned(), source })
    };
    let mut files: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    let (mut beside, mut inner) = (vec![], vec![]);
    for path in list(folder)? {
        if !path.is_dir() {
            beside.push(name(&path));
            continue;
        }
        let (folders, recordings): (Vec<_>, Vec<_>) =
            list(&path)?.into_iter().partition(|path| path.is_dir());
        inner.extend(folders.iter().map(|inner| format!("{}/{}", name(&path), name(inner))));
        if !recordings.is_empty() {
            files.insert(name(&path), recordings);
        }
    }
    if files.len() < 2 {
        let found = if files.is_empty() { "none".to_owned() } else { "one".to_owned() };
        let message = format!(
            "must hold at least two folders of recordings, one a genre, got {found}\nhint: other \
             collections need a list: a CSV file with the columns path and label"
        );
        return Err(DatasetError::Layout { path: folder.to_owned(), message });
    }
    let mut notes = vec![];
    for (genre, files) in &files {
        notes.push(format!("{genre}: {} files", files.len()));
    }
    if !beside.is_empty() {
        notes.push(format!("not in a genre's folder: {}", some_names(&beside)));
    }
    if !inner.is_empty() {
        let some = some_names(&inner);
        notes.push(format!("folders within genres' folders are not looked into: {some}"));
    }
    let all = || files.values().flatten();
    let n_tracks = all().count();
    let stems: BTreeSet<_> = all().filter_map(|path| path.file_stem()).collect();
    let rate = sample_rate_hz(all(), folder)?;
    let mut text = head(title, folder);
    let genres = files.keys().map(|genre| quoted(genre)).collect::<Vec<_>>().join(", ");
    write!(text, "[folder]\ngenres = [{genres}]\n").expect("a text can be written to");
    if stems.len() < n_tracks {
        text += "genre_in_track = true   # files of several genres are called the same\n";
    }
    write!(text, "sample_rate_hz = {rate}\nn_tracks = {n_tracks}\n")
        .expect("a text can be written to");
    Ok(Draft { text, folder: folder.to_owned(), notes })
}

fn of_list(title: &str, list: &Path) -> Result<Draft, DatasetError> {
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
    let cells = |column: usize| rows.iter().filter_map(move |row| row.cells.get(column));
    let (mut n_genres, mut missing) = (BTreeMap::<&str, usize>::new(), vec![]);
    for label in cells(columns.label) {
        *n_genres.entry(label).or_default() += 1;
    }
    let paths: Vec<PathBuf> = cells(columns.path).map(|cell| folder.join(cell)).collect();
    missing.extend(paths.iter().filter(|path| !path.is_file()).map(|path| name(path)));
    if missing.len() == paths.len() {
        let (path, folder) = (columns.name(first, columns.path), folder.display());
        return Err(odd(format!(
            "no file of the column `{path}` is there, e.g. {}; paths must start from {folder}",
            cells(columns.path).next().map_or("", String::as_str)
        )));
    }
    let mut notes: Vec<String> =
        n_genres.iter().map(|(genre, n)| format!("{genre}: {n} rows")).collect();
    if !missing.is_empty() {
        notes.push(format!("{} files are not there: {}", missing.len(), some_names(&missing)));
    }
    let there = paths.iter().filter(|path| path.is_file());
    let rate = sample_rate_hz(there, list)?;
    let text = head(title, folder) + &columns.layout(first, &name(list), delimiter, rate);
    Ok(Draft { text, folder: folder.to_owned(), notes })
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
                 or have two columns and no such row, got {}",
                PATHS.join(", "),
                LABELS.join(", "),
                some_names(&first.cells)
            )),
        }
    }

    fn name(&self, first: &Record, column: usize) -> String {
        if self.has_header { first.cells[column].clone() } else { (column + 1).to_string() }
    }

    fn layout(&self, first: &Record, list: &str, delimiter: u8, rate: u32) -> String {
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
        line("path", &cell(self.path));
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
        text + &format!("\n[[listed.list]]\nfile = {}\n", quoted(list))
    }
}

/// What is the commonest of the first line's delimiters.
fn delimiter(bytes: &[u8]) -> u8 {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| line.split(|&byte| byte == delimiter).count();
    // The last of several maxima counts.
    [b';', b'\t', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

/// The rate of the first recording that can be decoded.
fn sample_rate_hz<'a>(
    paths: impl Iterator<Item = &'a PathBuf>,
    place: &Path,
) -> Result<u32, DatasetError> {
    let mut first = None;
    for path in paths.take(100) {
        match audio::decode(path) {
            Ok(waveform) => return Ok(waveform.sample_rate_hz),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.map_or_else(
        || DatasetError::Layout {
            path: place.to_owned(),
            message: "names no recording".to_owned(),
        },
        DatasetError::Audio,
    ))
}

fn head(title: &str, folder: &Path) -> String {
    format!(
        "title = {}\nlicence = \"not stated\"\ncitation = \"not stated\"\nhow_to_get = {}\n\n",
        quoted(title),
        quoted(&format!("the collection was in {}", folder.display()))
    )
}

/// A text as TOML writes it, which is as JSON does.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
