//! What a column may be, by its name and its cells.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::chosen::stem;
use super::super::recipe::MAX_NUMBERS;
use crate::table::{Cells, ColumnSurvey, Survey, is_missing_word, key, list, quoted};

/// Words for a column of labels, the likeliest first.
pub(super) const LABELS: [&str; 11] = [
    "label",
    "genre",
    "genres",
    "target",
    "class",
    "category",
    "style",
    "playlist_genre",
    "track_genre",
    "music_genre",
    "genre_top",
];
/// Words for a column of names.
pub(super) const IDS: [&str; 10] = [
    "id",
    "track_id",
    "song_id",
    "uri",
    "track_uri",
    "spotify_id",
    "isrc",
    "filename",
    "file",
    "path",
];
/// Our track columns, and other words for them.
pub(super) const COLUMNS: [(&str, &[&str]); 4] = [
    (
        "artist",
        &["artist", "artists", "artist_name", "artist_names", "artist_name_s", "track_artist"],
    ),
    ("album", &["album", "album_name", "album_id", "track_album_id", "track_album_name"]),
    ("split", &["split", "set", "subset"]),
    ("fold", &["fold"]),
];
/// The most different labels that a column may have to be proposed as the label.
pub(super) const MAX_LABELS: usize = 500;

/// In a table with fewer rows, whole numbers may all differ without being identifiers.
const MANY_ROWS: usize = 1000;

/// Columns that may be labels, the likeliest first.
pub(super) fn candidates(survey: &Survey) -> Vec<&ColumnSurvey> {
    let place = |column: &ColumnSurvey| {
        let name = plain(&column.name);
        let by_name = LABELS.iter().position(|word| *word == name);
        by_name.or_else(|| name.contains("genre").then_some(LABELS.len()))
    };
    let is_repeated = |column: &&ColumnSurvey| {
        let n = column.counts.as_ref().map_or(0, BTreeMap::len);
        (1..=MAX_LABELS).contains(&n) && (n * 2 <= column.n_filled || separator(column).is_some())
    };
    let mut named: Vec<(usize, &ColumnSurvey)> =
        survey.columns.iter().filter_map(|column| Some((place(column)?, column))).collect();
    named.sort_by_key(|(place, _)| *place);
    let mut found: Vec<&ColumnSurvey> =
        named.into_iter().map(|(_, column)| column).filter(|column| column.n_filled > 0).collect();
    // Other texts follow that have few values.
    let is_text = |column: &&ColumnSurvey| {
        column.cells == Cells::Texts
            && is_repeated(column)
            && column
                .counts
                .as_ref()
                .is_some_and(|counts| (2..=MAX_NUMBERS).contains(&counts.len()))
            && COLUMNS.iter().all(|(_, words)| !words.contains(&plain(&column.name).as_str()))
    };
    let more: Vec<&ColumnSurvey> = survey.columns.iter().filter(is_text).collect();
    for column in more {
        if !found.iter().any(|known| known.name == column.name) {
            found.push(column);
        }
    }
    found
}

/// How the cells of a column of labels are lists, as `first_of_list` says it.
pub(super) fn separator(column: &ColumnSurvey) -> Option<String> {
    let counts = column.counts.as_ref()?;
    let n: usize = counts.values().sum();
    let share = |is_meant: &dyn Fn(&str) -> bool| {
        counts.iter().filter(|(cell, _)| is_meant(cell)).map(|(_, n)| n).sum::<usize>() * 5
            >= n.max(1)
    };
    if share(&|cell| cell.starts_with("['") || cell.starts_with("[\"")) {
        return Some("true".to_owned());
    }
    let separators = [',', ';', '|'];
    let found = separators.into_iter().find(|separator| share(&|cell| cell.contains(*separator)));
    found.map(|separator| quoted(&separator.to_string()))
}

/// Words for a missing value among a column's labels.
pub(super) fn missing_labels(column: &ColumnSurvey) -> Vec<&str> {
    let labels = column.counts.iter().flat_map(|counts| counts.keys());
    labels.map(String::as_str).filter(|label| is_missing_word(label)).collect()
}

/// How many different numbers a column of labels has; 0 where it has other texts.
pub(super) fn numbers(column: &ColumnSurvey) -> usize {
    match (&column.cells, &column.counts) {
        (Cells::Numbers, Some(counts)) => {
            counts.keys().filter(|label| !is_missing_word(label)).count()
        }
        (Cells::Numbers, None) => usize::MAX,
        _ => 0,
    }
}

/// Which files of a folder are which set of a split, where their names say it of all.
pub(super) fn sets(files: &[PathBuf]) -> Option<Vec<(&'static str, String)>> {
    let words: [(&str, &[&str]); 3] =
        [("train", &["train"]), ("valid", &["valid", "val", "dev"]), ("test", &["test"])];
    let set = |file: &PathBuf| {
        let name = stem(file);
        let lower = plain(&name);
        let has = |word: &str| lower.split('_').any(|part| part.starts_with(word));
        let (set, _) = words.iter().find(|(_, words)| words.iter().any(|word| has(word)))?;
        Some((*set, name))
    };
    let mut sets: Vec<(&'static str, String)> = files.iter().map(set).collect::<Option<_>>()?;
    sets.sort();
    let mut names: Vec<&str> = sets.iter().map(|(set, _)| *set).collect();
    names.dedup();
    (names.len() == sets.len() && names.contains(&"train") && names.contains(&"test"))
        .then_some(sets)
}

/// The first column with one of some names.
pub(super) fn named<'a>(
    survey: &'a Survey,
    words: &[&str],
    is_fit: impl Fn(&ColumnSurvey) -> bool,
) -> Option<&'a str> {
    let of_word = |word: &&str| {
        survey.columns.iter().find(|column| plain(&column.name) == **word && is_fit(column))
    };
    words.iter().find_map(of_word).map(|column| column.name.as_str())
}

/// Whether a column only numbers or names the rows.
pub(super) fn is_index(column: &ColumnSurvey) -> bool {
    let name = plain(&column.name);
    let says_so =
        name.starts_with("unnamed") || name == "index" || name == "id" || name.ends_with("_id");
    says_so && column.is_whole && (column.is_unique || name.ends_with("id"))
}

/// Why a column of numbers may tell a model the label, or which row it sees.
pub(super) fn doubt(column: &ColumnSurvey, label: Option<&ColumnSurvey>) -> Option<&'static str> {
    let sorted = |column: &ColumnSurvey| {
        let mut counts: Vec<usize> = column.counts.as_ref()?.values().copied().collect();
        counts.sort_unstable();
        Some(counts)
    };
    let name = plain(&column.name);
    if let Some(label) = label {
        let of_label = plain(&label.name);
        let is_named_so = name.strip_prefix(&of_label).is_some_and(|rest| rest.starts_with('_'))
            || name.strip_suffix(&of_label).is_some_and(|rest| rest.ends_with('_'));
        if is_named_so {
            return Some(
                "its name contains that of the label, so it may be derived from the label",
            );
        }
        let counts = sorted(column).filter(|counts| counts.len() > 1);
        if counts.is_some() && counts == sorted(label) {
            return Some(
                "its values are as frequent as the labels, so it may be derived from the label",
            );
        }
    }
    let is_id = name == "id" || name.ends_with("_id") || name == "index";
    if is_id || (column.is_whole && column.is_unique && column.n_filled >= MANY_ROWS) {
        return Some("may be an identifier, which a model can use to recognize a row");
    }
    None
}

/// Why a column of texts is not used, and how it could be.
pub(super) fn texts(column: &ColumnSurvey) -> String {
    match &column.counts {
        Some(counts) if counts.len() <= 24 && counts.len() * 2 <= column.n_filled => {
            let names = list(counts.keys());
            format!(
                "texts; categories = {{ {} = {names} }} would make numbers of them",
                key(&plain(&column.name))
            )
        }
        _ => "texts".to_owned(),
    }
}

/// A name in lower case, with underscores for everything but letters and digits.
pub(super) fn plain(name: &str) -> String {
    let letters = name.trim().chars().map(|c| if c.is_alphanumeric() { c } else { '_' });
    let name: String = letters.flat_map(char::to_lowercase).collect();
    let parts: Vec<&str> = name.split('_').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "column".to_owned() } else { parts.join("_") }
}
