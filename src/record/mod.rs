//! The run store: what a run leaves on disk, and how it is found again.
//!
//! A run is one spec with one seed on one dataset. It owns one folder:
//!
//! | file | what it holds |
//! |---|---|
//! | `record.json` | everything small ([`Record`]); written last, so a folder that has it is whole |
//! | `epochs.jsonl` | one [`Epoch`] a line, appended as the training goes |
//! | `predictions.csv` | every test example: track, segment, actual, predicted, a probability per class |
//! | `split.csv` | the members of every set |
//! | `spec.toml` | the spec's text as it was written |
//! | `model/` | the trained model's files |
//!
//! This room must never know a model or audio.

mod facts;
mod store;
mod tables;

pub use facts::{
    Claim, CodeFacts, DataFacts, Excluded, ModelFacts, Record, Scores, SplitFacts, Timings,
};
pub use store::{Run, RunWriter, Store, StoreError};
pub use tables::{Member, Prediction};

pub use crate::vocab::Epoch;
