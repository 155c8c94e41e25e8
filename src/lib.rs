//! encore tracks machine-learning experiments and checks published results. An experiment is declared in
//! a TOML file; encore runs it, records every run and compares the result with the published figure.
//! `ARCHITECTURE.md` describes the code.

pub mod audio;
pub mod cli;
pub mod dataset;
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
