//! A Spotify playlist -> one typed table with its manifest, by the report's recipe: the playlist's items,
//! their tracks, the genres of each track's first artist, the tracks' audio features.
//!
//! Every answer is written into a journal before the next question, so that a collection which was killed,
//! or sent away for an hour, goes on where it was. rspotify lives in this room only: it signs in, knows the
//! addresses and sends. Answers are read here, field by field, because its models lose what this room has to
//! count or to name: rows that are null, the whole batch of artists where one was deleted, the name of a
//! field of a wrong type, the digits of a number beyond 32 bits.
//!
//! This room must never know models, reports or the terminal.

mod answer;
mod artist;
mod client;
mod clock;
mod collect;
mod credentials;
mod endpoint;
mod error;
mod features;
mod item;
mod journal;
mod login;
mod manifest;
mod playlist;
mod private;
mod publish;
mod reccobeats;
mod retry;
mod song;

pub use client::{Addresses, Spotify, checked_address};
pub use clock::{Clock, SystemClock};
pub use collect::{Collected, collect};
pub use credentials::Credentials;
pub use endpoint::Endpoint;
pub use error::SpotifyError;
pub use features::{Answered, FeatureSource, Features, Source, SpotifyFeatures};
pub use journal::{FORMAT, Journal};
pub use login::Login;
pub use playlist::parse_playlist;
pub use private::Cache;
pub use publish::{Output, Published};
pub use reccobeats::ReccoBeats;
pub use retry::{ProgressEvent, RetryPolicy};
pub use song::{Dropped, Song};

/// What Spotify's developer policy says of models, and where.
pub const POLICY: &str = "Spotify's Developer Policy (developer.spotify.com/policy, section III) says: \"Do not \
use the Spotify Platform or any Spotify Content to train a machine learning or AI model or otherwise ingest \
Spotify Content into a machine learning or AI model.\" What is collected here is such content. Whether you may \
use it, e.g. by a written permission, is yours to know.";
