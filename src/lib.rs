//! `encore` repeats a published machine-learning result from a declared spec and says whether it
//! holds. `ARCHITECTURE.md` shows the whole house.

pub mod audio;
pub mod cli;
pub mod dataset;
pub mod delimited;
pub mod experiment;
pub mod features;
pub mod fetch;
pub mod kernels;
pub mod metrics;
pub mod model;
pub mod record;
pub mod report;
pub mod schema;
pub mod split;
pub mod spotify;
pub mod table;
pub mod vocab;
