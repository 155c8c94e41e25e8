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
//! | `halving` | rounds of successive halving |
//!
//! This room is pure: it must never know a spec, a file or a clock. Point `n` of a study depends on the
//! space, the method, the seed and the results of earlier batches only, never on who asks or when.

#[cfg(test)]
mod golden;
mod grid;
mod halving;
mod parzen;
mod random;
mod space;
mod suggest;
mod tpe;

pub use halving::{bracket_size, promoted, rungs};
pub use space::{Condition, Domain, Parameter, Point, Setting, Space, SpaceFault, Tried};
pub use suggest::{Method, suggest};
