//! All integration tests, in one binary: they are linked once, and what they share is in `common`.
//!
//! `cargo test --release --test integration page::` runs those of one module.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod architecture;
mod arrays;
mod audit;
mod cli;
mod common;
mod fetch;
mod golden_features;
mod gtzan_statistics;
mod gtzan_tracks;
mod keras_reference;
mod loaders;
mod mfcc_reference;
mod page;
mod repeatable;
mod segments;
mod spotify;
mod tables;
