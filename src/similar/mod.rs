//! Recordings as vectors of numbers: nearest neighbors, playlists, a map, and how good they are.
//!
//! | file | content |
//! |---|---|
//! | `collection` | songs and their vectors in one file, by the hash of their content |
//! | `vectors` | standardized vectors of length 1; the nearest to one, exactly |
//! | `playlist` | songs that are like others and differ among themselves |
//! | `precision` | how many of the nearest have the genre |
//! | `gaussian` | the older way: a Gaussian of each song's MFCCs |
//! | `tsne` | vectors on a plane, so that neighbors stay neighbors |
//!
//! This room must never know what the vectors were computed from.

mod collection;
mod gaussian;
mod playlist;
mod precision;
mod tsne;
mod vectors;

pub use collection::{Collection, CollectionError, Opened, Song, Unreadable};
pub use gaussian::Gaussian;
pub use playlist::{Wish, playlist};
pub use precision::{Labels, chance, precision};
pub use tsne::{Layout, tsne};
pub use vectors::{Neighbor, Vectors};
