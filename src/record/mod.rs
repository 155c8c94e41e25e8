//! The run store: what a run leaves on disk, and how it is found again.
//!
//! A run is one spec with one seed on one dataset. It is written in an attempt folder of its process
//! alone, `attempts/ID.HOST-PID-RANDOM/`, and published as `runs/ID/` by one rename. Whoever
//! publishes first wins; a process that comes second compares its outputs with the published run. No
//! result depends on a lock: `attempts/ID.lock` only keeps two processes from the same work.
//!
//! | file | what it holds |
//! |---|---|
//! | `record.json` | everything small ([`Record`]), with the checksums of all other files |
//! | `epochs.jsonl` | one [`Epoch`] a line, appended as the training goes |
//! | `predictions.csv` | every test example: track, segment, actual, predicted, a probability per class |
//! | `split.csv` | the members of every set |
//! | `spec.toml` | the spec's text as it was written |
//! | `dataset.toml` | the manifest of the dataset that was used |
//! | `model/` | the trained model's files |
//! | `checkpoint-1`, `checkpoint-2` | in an attempt: what the run is resumed from, written in turn |
//!
//! Nothing is trusted unseen: checkpoints carry a checksum, the record carries one of every file and
//! of itself, and what does not fit is named, not used.
//!
//! This room must never know a model or audio.

mod capsule;
mod checkpoint;
mod differences;
mod error;
mod facts;
mod parse;
mod store;
mod tables;
mod unfinished;
mod writer;

pub use capsule::{Contents as Capsule, pack as pack_capsule, unpack as unpack_capsule};
pub use checkpoint::Checkpoint;
pub use differences::spec_differences;
pub use error::StoreError;
pub use facts::{
    Audit, Claim, CodeFacts, DataFacts, Imported, Leak, LeakKind, ModelFacts, Outputs, Record,
    SplitFacts, Timings,
};
pub use parse::RECORD_FORMAT;
pub use store::{Claim as RunClaim, ClaimOutcome, Run, Store};
pub use tables::{Member, Prediction};
pub use unfinished::{AttemptFacts, Unfinished, UnfinishedState};
pub use writer::RunWriter;

pub use crate::vocab::{Epoch, Excluded};
