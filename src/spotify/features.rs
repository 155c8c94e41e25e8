//! Audio features of tracks and their sources.

use crate::dataset::synth::SONG_COLUMNS;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::answer::Answer;
use super::endpoint::{AUDIO_FEATURES, Endpoint, TRACK_FEATURES};
use super::retry::Outcome;
use super::{Spotify, SpotifyError};

/// Who computed the features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Spotify's own.
    Spotify,
    /// ReccoBeats' open service: the same names, its own computation.
    ReccoBeats,
}

impl Source {
    /// For people.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Spotify => "Spotify",
            Self::ReccoBeats => "ReccoBeats",
        }
    }
}

/// The audio features of a track.
///
/// # Source
/// Spotify Web API, "Get Track's Audio Features".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Features {
    /// How fit to dance to, in `[0, 1]`.
    pub danceability: f64,
    /// In `[0, 1]`.
    pub energy: f64,
    /// Pitch class, 0 for C to 11; -1 where none was detected.
    pub key: i64,
    /// In dB, mostly from -60 to 0.
    pub loudness: f64,
    /// 1 for major, 0 for minor.
    pub mode: u64,
    /// In `[0, 1]`.
    pub speechiness: f64,
    /// In `[0, 1]`.
    pub acousticness: f64,
    /// In `[0, 1]`.
    pub instrumentalness: f64,
    /// In `[0, 1]`.
    pub liveness: f64,
    /// In `[0, 1]`.
    pub valence: f64,
    /// In beats per minute.
    pub tempo: f64,
    /// Beats per bar, if known.
    pub time_signature: Option<u64>,
}

/// Without which a track has no features; the columns that models learn from.
pub(super) const NEEDED: [&str; 11] = SONG_COLUMNS;

impl Features {
    /// Reads them; none where one of them is null, as services answer for tracks that they did not analyse.
    pub(super) fn read(answer: &Answer) -> Result<Option<Self>, SpotifyError> {
        for name in NEEDED {
            if answer.field(name)?.given().is_none() {
                return Ok(None);
            }
        }
        let number = |name: &str| answer.field(name)?.number();
        let time_signature = answer.field("time_signature")?.given();
        Ok(Some(Self {
            danceability: number("danceability")?,
            energy: number("energy")?,
            key: answer.field("key")?.whole(-1, 11)?,
            loudness: number("loudness")?,
            mode: answer.field("mode")?.whole(0, 1)? as u64,
            speechiness: number("speechiness")?,
            acousticness: number("acousticness")?,
            instrumentalness: number("instrumentalness")?,
            liveness: number("liveness")?,
            valence: number("valence")?,
            tempo: number("tempo")?,
            time_signature: time_signature.map(|beats| beats.count()).transpose()?,
        }))
    }
}

/// An answer, or the refusal of an endpoint that is closed.
#[derive(Debug, Clone, PartialEq)]
pub enum Answered<T> {
    /// The requested ids.
    Got(T),
    /// The endpoint is closed.
    Closed {
        /// 403, or 404 where an endpoint is gone.
        code: u16,
        /// The service's reason.
        message: String,
    },
}

impl<T> Answered<T> {
    /// Converts the result of an answer and keeps a refusal.
    pub(super) fn map<U>(self, make: impl FnOnce(T) -> U) -> Answered<U> {
        match self {
            Self::Got(got) => Answered::Got(make(got)),
            Self::Closed { code, message } => Answered::Closed { code, message },
        }
    }
}

/// The ids of the requested tracks, each with its features if it has any.
pub(super) type Batch = Vec<(String, Option<Features>)>;

/// Someone who knows audio features of Spotify's tracks.
pub trait FeatureSource {
    /// The source's name.
    fn source(&self) -> Source;

    /// The name of the asker: an endpoint may refuse one asker and answer another.
    fn asks_as(&self) -> &'static str;

    /// The endpoints to try, the best one first.
    fn endpoints(&self) -> &'static [&'static Endpoint];

    /// Asks one of the endpoints for tracks, at most its `max_ids`; every one of them is in the answer.
    ///
    /// # Errors
    /// Where no answer comes, or one that is not as documented.
    fn ask(&self, endpoint: &Endpoint, ids: &[&str]) -> Result<Answered<Batch>, SpotifyError>;
}

/// Spotify's own features: a hundred tracks at a time, or, where that is closed, one by one.
pub struct SpotifyFeatures<'a>(pub &'a Spotify<'a>);

impl FeatureSource for SpotifyFeatures<'_> {
    fn source(&self) -> Source {
        Source::Spotify
    }

    fn asks_as(&self) -> &'static str {
        self.0.asks_as()
    }

    fn endpoints(&self) -> &'static [&'static Endpoint] {
        static ALL: [&Endpoint; 2] = [&AUDIO_FEATURES, &TRACK_FEATURES];
        &ALL
    }

    fn ask(&self, endpoint: &Endpoint, ids: &[&str]) -> Result<Answered<Batch>, SpotifyError> {
        if endpoint == &TRACK_FEATURES {
            let features = match self.0.get(endpoint, &format!("audio-features/{}", ids[0]))? {
                Outcome::Got(value) => Features::read(&Answer::of(endpoint.name, &value))?,
                Outcome::Refused { code: 404, .. } => None,
                Outcome::Refused { code, message } => return closed(endpoint, code, message),
            };
            return Ok(Answered::Got(vec![(ids[0].to_owned(), features)]));
        }
        let value = match self.0.get(endpoint, &format!("audio-features?ids={}", ids.join(",")))? {
            Outcome::Got(value) => value,
            Outcome::Refused { code, message } => return closed(endpoint, code, message),
        };
        let mut found = vec![];
        for features in Answer::of(endpoint.name, &value).field("audio_features")?.list()? {
            if let Some(features) = features.given() {
                found.push((features.field("id")?.id()?, Features::read(&features)?));
            }
        }
        Ok(Answered::Got(aligned(ids, found)))
    }
}

/// Brings features into the order of the requested ids. Matches them by id, never by position.
pub(super) fn aligned(ids: &[&str], found: Batch) -> Batch {
    let mut found: BTreeMap<String, Option<Features>> = found.into_iter().collect();
    ids.iter().map(|id| ((*id).to_owned(), found.remove(*id).flatten())).collect()
}

/// 403 closes an endpoint. So does 404 for an endpoint that takes many ids: then the endpoint itself is gone.
/// Any other refusal is an error.
pub(super) fn closed<T>(
    endpoint: &Endpoint,
    code: u16,
    message: String,
) -> Result<Answered<T>, SpotifyError> {
    match code {
        403 => Ok(Answered::Closed { code, message }),
        404 | 410 if endpoint.max_ids > 1 => Ok(Answered::Closed { code, message }),
        _ => Err(refused(endpoint, code, &message)),
    }
}

/// A refusal that no waiting mends and no other endpoint makes up for.
pub(super) fn refused(endpoint: &Endpoint, code: u16, message: &str) -> SpotifyError {
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    SpotifyError::answer(endpoint.name, format!("refused with status {code}{message}"))
}
