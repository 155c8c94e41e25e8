//! The run store: the files of runs, and access to them by name.
//!
//! A run is one spec with one seed on one dataset. A process writes it in its own attempt folder,
//! `attempts/ID.HOST-PID-RANDOM/`, and publishes it as `runs/ID/` by one rename. The first process
//! to publish wins; a later one compares its outputs with the published run. No result depends on a
//! lock: `attempts/ID.lock` only avoids duplicate work.
//!
//! | file | content |
//! |---|---|
//! | `record.json` | everything small ([`Record`]), with the checksums of all other files |
//! | `epochs.jsonl` | one [`Epoch`] per line, appended during the training |
//! | `predictions.csv` | every test example: track, segment, what is true of it, what was predicted ([`Predictions`]) |
//! | `split.csv` | the members of every set |
//! | `spec.toml` | the spec's text as it was written |
//! | `dataset.toml` | the manifest of the dataset that was used |
//! | `model/` | the trained model's files, in folders if a program made some |
//! | `log.txt`, `environment.txt` | of a program that is the model: its output, the output of its `environment` |
//! | `notes.json`, `archived` | what people add later: tags, a note, a mark; no part of the record |
//! | `capsule.json` | of a run that came in a capsule: which one; no part of the record |
//! | `checkpoint-1`, `checkpoint-2` | in an attempt: what the run is resumed from, written in turn |
//!
//! `robust/ID/*.json` beside the runs: what their models say of degraded recordings ([`Degraded`]), derived from them.
//!
//! Nothing is trusted unchecked. A checkpoint contains a checksum, and the record contains one of
//! every file and of itself. A file that does not match is reported and not used.
//!
//! This room must never know a model or audio.

mod adopted;
mod capsule;
mod checkpoint;
mod degraded;
mod differences;
mod error;
mod facts;
mod gathered;
mod index;
mod leftovers;
mod notes;
mod origin;
mod parse;
mod program_files;
mod run;
mod shared;
mod stamp;
mod store;
mod studies;
mod study;
mod tables;
mod trash;
mod unfinished;
mod writer;

pub use adopted::Adopted;
pub use capsule::{Contents as Capsule, pack as pack_capsule, unpack as unpack_capsule};
pub use checkpoint::Checkpoint;
pub use degraded::{Degraded, DegradedStore};
pub(crate) use differences::IDLE_KEYS;
pub use differences::spec_differences;
pub use error::StoreError;
pub use facts::{
    Audit, Claim, CodeFacts, CommandFacts, DataFacts, Foreign, ForeignFile, Imported, Leak,
    LeakKind, MemberRun, ModelFacts, OfSearch, Outputs, PartOfSearch, Record, SplitFacts, Timings,
};
pub use gathered::{Depth, Fields, RunFields};
pub use index::Latest;
pub use leftovers::{Leftover, LeftoverKind};
pub use notes::Notes;
pub use origin::FromCapsule;
pub use parse::RECORD_FORMAT;
pub use run::Run;
pub(crate) use shared::Pool;
pub use shared::Shared;
pub(crate) use stamp::Stamp;
pub use store::{Claim as RunClaim, ClaimOutcome, Store};
pub use studies::{is_of_study, train_share, variants, without_share};
pub use study::{EndedRun, Study, StudyPart, Trial, Winner};
pub use tables::{Member, NumberPrediction, Prediction, Predictions, TagsPrediction};
pub use trash::Trashed;
pub use unfinished::{AttemptFacts, Unfinished, UnfinishedState};
pub use writer::{RunWriter, StoppedRun};

pub use crate::vocab::{Epoch, Excluded};
