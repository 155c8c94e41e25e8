//! Two synthetic datasets, so that a new machine without a network can run the whole report: `genres` (music in ten styles) and `songs` (a table of eleven features).
//!
//! They are not recordings or measurements of real music, and every page that shows them says so. A
//! seed determines them to the last bit on any machine. This folder must never know features or models.

mod arrange;
mod drums;
mod effects;
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

pub use genres::render_track;
pub use songs::{N_SONGS, SONG_LABELS, Song, songs};
pub use track::{N_SAMPLES, SAMPLE_RATE_HZ, SECONDS, STYLES};

/// Changes whenever a track or a row of the same seed would; part of cache hashes.
pub const VERSION: u32 = 1;
