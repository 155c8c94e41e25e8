//! The manifest of a collected table: `datasets/NAME.toml`.

use std::collections::BTreeMap;

use super::clock::date;
use super::{Collected, Song};

/// Rows a label that the report asks for.
const REPORT_MINIMUM: usize = 500;
/// Alternatives for smaller playlists.
const SMALLER_MINIMA: [usize; 6] = [200, 100, 50, 20, 10, 5];

/// Labels songs with their first genre if enough songs have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Labels {
    pub minimum_rows: usize,
    /// The labels that stay, with their songs.
    pub counts: BTreeMap<String, usize>,
}

impl Labels {
    /// The labels with at least `minimum_rows` songs. Without that setting, the report's number or the next
    /// smaller one that leaves two labels. `None` if no number does.
    pub(super) fn of(songs: &[Song], minimum_rows: Option<usize>) -> Option<Self> {
        let mut all: BTreeMap<String, usize> = BTreeMap::new();
        for song in songs {
            *all.entry(song.genres[0].clone()).or_default() += 1;
        }
        let least = |minimum_rows: usize| {
            let counts = all.iter().filter(|(_, n)| **n >= minimum_rows);
            let counts: BTreeMap<_, _> = counts.map(|(name, n)| (name.clone(), *n)).collect();
            (counts.len() >= 2).then_some(Self { minimum_rows, counts })
        };
        match minimum_rows {
            Some(minimum_rows) => least(minimum_rows),
            None => [REPORT_MINIMUM].into_iter().chain(SMALLER_MINIMA).find_map(least),
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.counts.values().sum()
    }
}

/// The first line of a manifest that a collection of this playlist wrote.
pub(super) fn first_line(playlist: &str) -> String {
    format!("# Written by `encore spotify collect {playlist}`.\n")
}

/// Reasons with how many places they keep out, the commonest first.
pub(super) fn reasons(collected: &Collected) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for out in &collected.dropped {
        *counts.entry(out.reason).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    counts
}

pub(super) fn text(collected: &Collected, labels: &Labels, table: &str, dropped: &str) -> String {
    let Collected { playlist, title, snapshot_id, n_places, n_told, songs, source, .. } = collected;
    let (date, by) = (date(collected.begun_s), source.title());
    let mut text = first_line(playlist);
    text +=
        &format!("# {} of the playlist's {n_places} places are songs of the table.\n", songs.len());
    if n_told != n_places {
        text += &format!("# Spotify reports {n_told} entries.\n");
    }
    for (reason, n) in reasons(collected) {
        text += &format!("# dropped: {n} places: {reason}\n");
    }
    text += &format!("# All dropped entries are listed in {dropped}.\n\n");
    let citation = format!(
        "Spotify Web API, playlist {playlist}, version {snapshot_id}, collection begun {date}; audio features \
         by {by}"
    );
    let fields = [
        ("title", format!("Spotify playlist {title}")),
        (
            "licence",
            "Spotify's Developer Terms and Developer Policy: not for training machine-learning or AI models \
             without Spotify's permission; not to be passed on"
                .to_owned(),
        ),
        ("citation", citation),
        ("how_to_get", format!("encore spotify collect {playlist} --out {table}")),
    ];
    for (name, value) in fields {
        text += &format!("{name} = {}\n", quoted(&value));
    }
    text += &format!(
        "\n[table]\nid = [\"id\"]\nn_rows = {}\n\n[table.track_columns]\nartist = \"artist_name\"\n\n\
         [table.label]            # the first of the genres of a song's first artist\ncolumn = \"genres_list\"\n\
         first_of_list = true\nminimum_rows = {}\n\n[table.columns]\n",
        labels.n_rows(),
        labels.minimum_rows
    );
    for name in super::features::NEEDED {
        text += &format!("{name} = \"{name}\"\n");
    }
    text
}

/// A TOML string: JSON's escapes are TOML's too.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    serde_json::to_string(&plain).expect("a text is plain data")
}
