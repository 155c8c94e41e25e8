//! Artists and their genres, fifty at a time or one by one.
//!
//! # Source
//! Spotify Web API, "Get Several Artists" (removed for apps in development mode in February 2026) and "Get
//! Artist".

use std::collections::BTreeMap;

use super::answer::Answer;
use super::endpoint::{ARTIST, ARTISTS};
use super::features::{Answered, closed};
use super::journal::Artist;
use super::retry::Outcome;
use super::{Spotify, SpotifyError};

/// One artist; nothing of one that was deleted.
pub(super) fn one_artist(
    spotify: &Spotify,
    id: &str,
) -> Result<Answered<Vec<Artist>>, SpotifyError> {
    let artist = match spotify.get(&ARTIST, &format!("artists/{id}"))? {
        Outcome::Got(value) => read_artist(id, Some(Answer::of(ARTIST.name, &value)))?,
        Outcome::Refused { code: 404, .. } => read_artist(id, None)?,
        Outcome::Refused { code, message } => return closed(&ARTIST, code, message),
    };
    Ok(Answered::Got(vec![artist]))
}

/// Up to fifty artists; a deleted one is null, for which rspotify's `artists` loses all fifty.
pub(super) fn many_artists(
    spotify: &Spotify,
    ids: &[&str],
) -> Result<Answered<Vec<Artist>>, SpotifyError> {
    let value = match spotify.get(&ARTISTS, &format!("artists?ids={}", ids.join(",")))? {
        Outcome::Got(value) => value,
        Outcome::Refused { code, message } => return closed(&ARTISTS, code, message),
    };
    let mut found = BTreeMap::new();
    for artist in Answer::of(ARTISTS.name, &value).field("artists")?.list()? {
        if let Some(artist) = artist.given() {
            found.insert(artist.field("id")?.id()?, artist);
        }
    }
    ids.iter()
        .map(|id| read_artist(id, found.remove(*id)))
        .collect::<Result<_, _>>()
        .map(Answered::Got)
}

fn read_artist(id: &str, answer: Option<Answer>) -> Result<Artist, SpotifyError> {
    let Some(answer) = answer else {
        return Ok(Artist { id: id.to_owned(), is_there: false, genres: vec![], popularity: None });
    };
    // Spotify may leave both out, and says so since 2026.
    let genres = match answer.field("genres")?.given() {
        Some(genres) => genres.list()?.map(|genre| genre.text()).collect::<Result<_, _>>()?,
        None => vec![],
    };
    let popularity = answer.field("popularity")?.given();
    let popularity = popularity.map(|popularity| popularity.count()).transpose()?;
    Ok(Artist { id: id.to_owned(), is_there: true, genres, popularity })
}
