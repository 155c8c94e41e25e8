//! A space of settings -> the points to try, and what the results say about the settings.
//!
//! | file | content |
//! |---|---|
//! | `space` | parameters, their domains and conditions; points |
//! | `grid` | every point of a grid, by number |
//! | `random` | independent points |
//! | `suggest` | the next point: grid, random or TPE |
//! | `tpe` | the tree-structured Parzen estimator |
//! | `parzen` | densities of settings as sums of kernels |
//! | `trials` | the trials of a study as figures show them |
//! | `importance`, `forest` | which parameters matter, by functional ANOVA on a forest |
//! | `halving` | rounds of successive halving |
//!
//! This room is pure: it must never know a spec, a file or a clock. Point `n` of a study depends on the
//! space, the method, the seed and the results of earlier batches only, never on who asks or when.

mod forest;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_importance;
mod grid;
mod halving;
mod importance;
mod parzen;
mod random;
mod space;
mod suggest;
mod tpe;
mod trials;

pub use halving::{bracket_size, promoted, rungs};
pub use importance::{importance, surface};
pub use space::{Condition, Domain, Parameter, Point, Setting, Space, SpaceFault, Tried};
pub use suggest::{Method, suggest, suggest_batch};
pub use trials::{TrialPoint, Trials};
