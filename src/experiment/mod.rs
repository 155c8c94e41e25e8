//! Spec -> plan -> run -> record.
//!
//! A spec is the text as typed. A [`Plan`] is a checked spec, and only a plan can be run. This room
//! must never know the terminal; it reports [`Event`]s.

mod event;
mod foreign;
mod library;
mod model_inputs;
mod plan;
mod predict;
mod protocol;
mod queue;
mod record_run;
mod run;
mod staleness;
mod summary;
mod tables;
mod training;
mod verify;
mod worker;

pub use event::{Event, Observer, RunLabel};
pub use foreign::{import_weights, range_test};
pub use library::{Library, derive_spec};
pub use plan::{DataChoice, Options, Plan, PlanError, Shrink};
pub use predict::{Guess, Predictor};
pub use queue::{Outcome, SideBySide, run_all};
pub use run::{CODE_VERSION, RunError};
pub use staleness::{Reason, why};
pub use summary::{SummaryError, columns, segment, summarize, track_segment};
pub use verify::{Repetition, VerifyError, verify, verify_capsule};
pub use worker::do_run;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::dataset::Catalogue;
use crate::record::Store;

/// The project that runs belong to, and the observer of their events.
#[derive(Clone, Copy)]
pub struct Workspace<'a> {
    /// The datasets.
    pub catalogue: &'a Catalogue,
    /// Where records go.
    pub store: &'a Store,
    /// The project's folder.
    pub project: &'a Path,
    /// Set from outside: save all and stop.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub observer: &'a dyn Observer,
}
