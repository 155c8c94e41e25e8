//! A Spotify playlist -> a typed table with its manifest, by the recipe of the report: tracks, genres of
//! each track's first artist, audio features.
//!
//! Every response is written to a journal before the next request, so that an interrupted collection
//! resumes. rspotify is used in this room only, to sign in and to send requests. Responses are read here,
//! field by field, because rspotify's models lose information that this room needs: null rows, the rest
//! of a batch with a deleted artist, the name of a field with a wrong type, numbers beyond 32 bits.
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
mod own_journal;
mod playlist;
mod private;
mod publish;
mod reccobeats;
mod retry;
mod retry_after;
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
