//! A search for good settings: trials that never see the test set, and a winner that is judged on fresh seeds.
//!
//! | file | what it does |
//! |---|---|
//! | `spec` | `[sweep]` -> a checked [`Sweep`] |
//! | `space` | `[sweep.space]` -> what each parameter may be |
//! | `study` | a plan with a sweep -> trials in batches, the choice, the winner's runs; kept as a study |
//! | `batch` | the trials of one batch -> runs, with bad ones ended early |
//! | `plans` | the spec and the settings of a trial or winner -> its plan |
//! | `check` | whether every value of the space makes a valid spec |
//!
//! Every run of a part of a study has the same test set. What a trial does depends on the spec, the data and the
//! results of the batches before it, never on the number of runs at a time or on an interruption.

mod batch;
mod check;
mod plans;
mod space;
mod spec;
mod study;

pub use check::check;
pub(super) use spec::Surroundings;
pub use spec::{Halving, Sweep, ValidMetric};
pub use study::{SweepError, SweepOptions, n_runs_of, sweep};
