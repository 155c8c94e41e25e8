//! Two synthetic datasets, with which the whole report can run on a new machine without a network:
//! `genres` (music in ten styles) and `songs` (a table of eleven features).
//!
//! They are not recordings or measurements of real music, and every page that shows them says so.
//! They depend on their seed only, bit by bit, on any machine. This folder must never know features
//! or models.

mod arrange;
mod drums;
mod effects;
mod facts;
mod genres;
mod instruments;
mod pattern;
mod plan;
mod recipes;
mod song_classes;
mod song_names;
mod songs;
mod styles;
mod theory;
mod track;
mod voices;
mod wave;

pub use facts::{TRACK_COLUMNS, track_facts};
pub use genres::render_track;
pub use songs::{N_SONGS, SONG_COLUMNS, SONG_LABELS, Song, songs};
pub use track::{N_SAMPLES, SAMPLE_RATE_HZ, SECONDS, STYLES};

/// Version of the output: raised whenever a track or row of the same seed changes. Part of cache
/// hashes.
pub const VERSION: u32 = 1;
