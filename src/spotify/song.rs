//! Responses for a playlist -> rows of the table, and the dropped entries.

use std::collections::BTreeSet;

use super::item::{Item, Track};
use super::journal::Journal;
use super::{Features, Source};
use crate::table::{Values, python_list};

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    /// Spotify's id of the track.
    pub id: String,
    /// The track's name.
    pub name: String,
    /// The album's name.
    pub album: String,
    /// The first artist's name, or, where it has none, its id.
    pub artist: String,
    /// The first artist's popularity, 0 to 100, where the API still gives it.
    pub artist_popularity: Option<u64>,
    /// The first artist's genres as Spotify lists them, words joined by `_`; one at least.
    pub genres: Vec<String>,
    /// The track's popularity, 0 to 100, where the API still gives it.
    pub popularity: Option<u64>,
    /// What it sounds like; the key is known.
    pub features: Features,
}

/// A place of the playlist that has no row in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// Its place, from 1.
    pub place: usize,
    /// Spotify's id of the track, empty where there is none.
    pub id: String,
    /// What it is called, empty where nothing is known.
    pub name: String,
    /// Why: one of few.
    pub reason: &'static str,
}

/// A track that is not a repetition, by its position from 1.
pub(super) fn first_tracks(journal: &Journal) -> (Vec<(usize, &Track)>, Vec<Dropped>) {
    let mut seen = BTreeSet::new();
    let (mut tracks, mut dropped) = (vec![], vec![]);
    let items = journal.pages.iter().flat_map(|page| &page.items);
    for (place, item) in (1..).zip(items) {
        let mut out = |id: &str, name: &str, reason| {
            dropped.push(Dropped { place, id: id.to_owned(), name: name.to_owned(), reason });
        };
        match item {
            Item::Track(track) if seen.insert(&track.id) => tracks.push((place, track)),
            Item::Track(track) => out(&track.id, &track.name, "is a duplicate of an earlier track"),
            Item::Local(name) => out("", name, "is a local file"),
            Item::Episode(name) => out("", name, "is an episode of a podcast"),
            Item::Gone => out("", "", "was removed from Spotify"),
        }
    }
    (tracks, dropped)
}

/// The genres of a track's first artist, or why there are none.
pub(super) fn genres_of<'a>(
    journal: &'a Journal,
    track: &Track,
) -> Result<&'a [String], &'static str> {
    let Some(id) = &track.artist_id else { return Err("has no artist with an id") };
    match journal.artists.get(id) {
        Some(artist) if !artist.is_there => Err("has a first artist that was deleted"),
        Some(artist) if !artist.genres.is_empty() => Ok(&artist.genres),
        _ => Err("has a first artist without a genre"),
    }
}

/// Returns all rows and all dropped entries, in the order of the playlist.
pub(super) fn songs(journal: &Journal, source: Source) -> (Vec<Song>, Vec<Dropped>) {
    let (tracks, mut dropped) = first_tracks(journal);
    let mut songs = vec![];
    for (place, track) in tracks {
        match song(journal, source, track) {
            Ok(song) => songs.push(song),
            Err(reason) => {
                let (id, name) = (track.id.clone(), track.name.clone());
                dropped.push(Dropped { place, id, name, reason });
            }
        }
    }
    dropped.sort_by_key(|out| out.place);
    (songs, dropped)
}

fn song(journal: &Journal, source: Source, track: &Track) -> Result<Song, &'static str> {
    let genres = genres_of(journal, track)?;
    let features = journal.features.get(&(source, track.id.clone()));
    let features = features.and_then(Option::as_ref).ok_or("has no audio features")?;
    if features.key < 0 {
        return Err("has no detected key");
    }
    let artist_id = track.artist_id.as_deref().unwrap_or_default();
    let artist = if track.artist.is_empty() { artist_id } else { &track.artist };
    Ok(Song {
        id: track.id.clone(),
        name: track.name.clone(),
        album: track.album.clone(),
        artist: artist.to_owned(),
        artist_popularity: journal.artists.get(artist_id).and_then(|artist| artist.popularity),
        genres: genres.iter().map(|genre| genre.replace(' ', "_")).collect(),
        popularity: track.popularity,
        features: features.clone(),
    })
}

/// The table's columns, named as in the report's.
pub(super) fn columns(songs: &[Song]) -> Vec<(&'static str, Values)> {
    let texts = |of: &dyn Fn(&Song) -> String| Values::Texts(songs.iter().map(of).collect());
    let numbers = |of: &dyn Fn(&Features) -> f64| {
        Values::Numbers(songs.iter().map(|song| of(&song.features)).collect())
    };
    let counts = |of: &dyn Fn(&Song) -> Option<u64>| Values::Counts(songs.iter().map(of).collect());
    vec![
        ("artist_name", texts(&|song| song.artist.clone())),
        ("id", texts(&|song| song.id.clone())),
        ("track_name", texts(&|song| song.name.clone())),
        ("album_name", texts(&|song| song.album.clone())),
        ("danceability", numbers(&|of| of.danceability)),
        ("energy", numbers(&|of| of.energy)),
        ("key", Values::Integers(songs.iter().map(|song| song.features.key).collect())),
        ("loudness", numbers(&|of| of.loudness)),
        ("mode", counts(&|song| Some(song.features.mode))),
        ("speechiness", numbers(&|of| of.speechiness)),
        ("acousticness", numbers(&|of| of.acousticness)),
        ("instrumentalness", numbers(&|of| of.instrumentalness)),
        ("liveness", numbers(&|of| of.liveness)),
        ("valence", numbers(&|of| of.valence)),
        ("tempo", numbers(&|of| of.tempo)),
        ("time_signature", counts(&|song| song.features.time_signature)),
        ("artist_pop", counts(&|song| song.artist_popularity)),
        ("genres", texts(&|song| song.genres.join(" "))),
        ("track_pop", counts(&|song| song.popularity)),
        ("genres_list", texts(&|song| python_list(song.genres.iter().map(String::as_str)))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Table, csv_bytes, parquet_bytes};

    #[test]
    fn both_files_of_a_collection_are_read_as_one_table() {
        let song = |i: u32| Song {
            id: format!("id{i}"),
            name: "a, \"b\"\nc".to_owned(),
            album: String::new(),
            artist: "É".to_owned(),
            artist_popularity: None,
            genres: vec!["r&b".to_owned(), "children's_music".to_owned()],
            popularity: Some(7),
            features: Features {
                danceability: 0.1 * f64::from(i),
                energy: 1.0 / 3.0,
                key: i64::from(i),
                loudness: -7.25,
                mode: 1,
                speechiness: 1e-7,
                acousticness: 0.0,
                instrumentalness: 1.0,
                liveness: 0.5,
                valence: 0.25,
                tempo: 120.123,
                time_signature: (i == 0).then_some(4),
            },
        };
        let columns = columns(&[song(0), song(1), song(2)]);
        let read = |bytes: Vec<u8>| {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), bytes).unwrap();
            let texts = ["id", "genres_list", "artist_name", "track_name"];
            Table::read_csv(file.path(), &texts, &super::super::features::NEEDED).unwrap()
        };
        let (csv, parquet) = (read(csv_bytes(&columns)), read(parquet_bytes(&columns)));
        assert_eq!((&csv.texts, &csv.numbers), (&parquet.texts, &parquet.numbers));
        assert_eq!(&parquet.texts["genres_list"][0], "['r&b', \"children's_music\"]");
        assert_eq!(parquet.numbers["speechiness"], [1e-7; 3]);
    }
}
