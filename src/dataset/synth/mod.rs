//! Two corpora that the program makes itself, so that a fresh machine without network runs the
//! whole table: `genres` (music in ten styles) and `songs` (a table of eleven features).
//!
//! Both are synthetic. They are no recordings and no measurements of real music; they show what
//! the program does, not what music is, and every page that shows them says so. They follow from
//! a seed to the last bit, on any machine. This folder knows nothing of features or models.

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
