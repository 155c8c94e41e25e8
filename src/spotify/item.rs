//! A page of playlist items -> tracks and other items.
//!
//! # Source
//! Spotify Web API, "Get Playlist Items": `item` was `track` before February 2026; `popularity` is not given
//! to apps in development mode since then.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SpotifyError;
use super::answer::Answer;

/// One place of a playlist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Item {
    /// A track of Spotify's.
    Track(Track),
    /// A file of the user's own.
    Local(String),
    /// An episode of a podcast.
    Episode(String),
    /// A removed item.
    Gone,
}

/// What is kept of a track.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Track {
    pub id: String,
    pub name: String,
    pub album: String,
    /// The first artist's name.
    pub artist: String,
    /// The first artist's id, if it has one.
    pub artist_id: Option<String>,
    pub popularity: Option<u64>,
}

/// Places that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    pub offset: usize,
    /// Of the whole playlist.
    pub total: usize,
    pub is_last: bool,
    pub items: Vec<Item>,
}

impl Page {
    pub(super) fn read(endpoint: &str, offset: usize, value: &Value) -> Result<Self, SpotifyError> {
        let answer = Answer::of(endpoint, value);
        let next = answer.field("next")?;
        let is_last = match next.given() {
            Some(next) => next.text()?.is_empty(),
            None => true,
        };
        let total = answer.field("total")?.count()? as usize;
        let list = answer.field("items")?;
        let items = list.list()?.map(|item| Item::read(&item)).collect::<Result<Vec<_>, _>>()?;
        if items.is_empty() && !is_last {
            return Err(list.wrong("a list that is not empty while there is a next page"));
        }
        Ok(Self { offset, total, is_last, items })
    }
}

impl Item {
    fn read(answer: &Answer) -> Result<Self, SpotifyError> {
        // The API returns null rows.
        if answer.is_null() {
            return Ok(Self::Gone);
        }
        let is_local = match answer.field("is_local")?.given() {
            Some(flag) => flag.flag()?,
            None => false,
        };
        let item = match answer.field("item")?.given() {
            Some(item) => Some(item),
            None => answer.field("track")?.given(),
        };
        let Some(item) = item else { return Ok(Self::Gone) };
        let name = text_or_empty(&item, "name")?;
        let kind = text_or_empty(&item, "type")?;
        let id = item.field("id")?.given();
        match (kind.as_str(), id) {
            ("episode", _) => Ok(Self::Episode(name)),
            ("track" | "", Some(id)) if !is_local => {
                Ok(Self::Track(Track::read(&item, id.id()?, name)?))
            }
            // A track without an id is a local file, whatever the flag says.
            ("track" | "", _) => Ok(Self::Local(name)),
            _ => Err(item.field("type")?.wrong("\"track\" or \"episode\"")),
        }
    }
}

impl Track {
    fn read(item: &Answer, id: String, name: String) -> Result<Self, SpotifyError> {
        let album = match item.field("album")?.given() {
            Some(album) => text_or_empty(&album, "name")?,
            None => String::new(),
        };
        let first = item.field("artists")?.list()?.next();
        let (artist, artist_id) = match first.and_then(Answer::given) {
            Some(artist) => {
                let id = artist.field("id")?.given();
                (text_or_empty(&artist, "name")?, id.map(|id| id.id()).transpose()?)
            }
            None => (String::new(), None),
        };
        let popularity = item.field("popularity")?.given();
        let popularity = popularity.map(|popularity| popularity.count()).transpose()?;
        Ok(Self { id, name, album, artist, artist_id, popularity })
    }
}

fn text_or_empty(answer: &Answer, name: &str) -> Result<String, SpotifyError> {
    answer.field(name)?.given().map_or(Ok(String::new()), |text| text.text())
}
