//! The arguments of `sweep`.

use clap::{Args, Subcommand};

use super::common_arguments::Seeds;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Sweep {
    #[command(subcommand)]
    pub command: Option<SweepCommand>,
    /// Experiments, or paths to specs, with a [sweep]
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Replace a value of the spec, e.g. training.epochs=20; a trial's settings come after
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Number of trials instead of the spec's; more than before continue the study
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub trials: Option<u32>,
    /// Seeds that the winner is judged on instead of the spec's, e.g. 101..110
    #[arg(long, value_delimiter = ',', value_name = "N,...", value_parser = super::common_arguments::seeds)]
    pub final_seeds: Vec<Seeds>,
    /// Do failed trials again
    #[arg(long)]
    pub retry: bool,
    /// Dataset to use; auto is the spec's dataset if imported, else synthetic data
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Number of concurrent runs, each in a separate process [default: ENCORE_JOBS, or number of cores]
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
    /// Start the programs that specs name as models; remembered for this project
    #[arg(long)]
    pub trust: bool,
}

#[derive(Subcommand)]
pub(super) enum SweepCommand {
    /// Show how far the studies are
    Status {
        /// Experiments [default: all]
        names: Vec<String>,
    },
}
