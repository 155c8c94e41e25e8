//! All integration tests, in one binary: they are linked once, and what they share is in `common`.
//!
//! `cargo test --release --test integration fetch::` runs those of one module. Tests that need what not every
//! machine has are ignored, with the reason; CONTRIBUTING.md says how to run them.

#![expect(clippy::unwrap_used, reason = "a test that can't go on should stop")]

mod architecture;
mod arrays;
mod audit;
mod cli;
mod common;
mod dependencies;
mod docs;
mod fetch;
mod golden_features;
mod gtzan_tracks;
mod loaders;
mod page;
mod reference;
mod repeatable;
mod segments;
mod spotify;
mod tables;
