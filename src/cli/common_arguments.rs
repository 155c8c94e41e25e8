//! The arguments that several commands share.

use std::path::PathBuf;

use clap::Args;

use crate::vocab::seed_range;

/// What `--strict` is about.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Strict {
    /// Claims that differ
    Differs,
    /// Claims that differ or are inconclusive
    Conclusive,
}

/// Arguments shared by all commands that train.
#[derive(Args)]
pub(super) struct Common {
    /// Dataset to use; auto is the spec's dataset if imported, else synthetic data
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Seeds to run instead of the spec's, e.g. 1,2,3 or 1..3 (the last included)
    #[arg(long, value_delimiter = ',', value_name = "N,...", value_parser = seeds)]
    pub seeds: Vec<Seeds>,
    /// Number of concurrent runs, each a separate process [default: ENCORE_JOBS, or number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Compute device for nets; wgpu and cuda need the Cargo features of these names
    #[arg(long, default_value = "cpu", value_name = "cpu|wgpu|cuda")]
    pub device: String,
    /// Time between checkpoints [s]; 0 saves after every step
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub checkpoint_every: u32,
    /// Refuse to train if test examples leak into training: same track, group, or a copy
    #[arg(long)]
    pub forbid_leaks: bool,
    /// Write event files for TensorBoard into this folder, epoch by epoch
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
    /// Start the programs that specs name as models; remembered for this project
    #[arg(long)]
    pub trust: bool,
}

/// Some of the seeds to run.
#[derive(Debug, Clone)]
pub(super) struct Seeds(pub Vec<u64>);

pub(super) fn seeds(text: &str) -> Result<Seeds, String> {
    if text.contains("..") {
        return seed_range(text).map(Seeds);
    }
    let seed = text.parse().map_err(|_| "expected a seed or a range of seeds like 1..5".to_owned());
    seed.map(|seed| Seeds(vec![seed]))
}
