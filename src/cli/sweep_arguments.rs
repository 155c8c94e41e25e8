//! The arguments of `sweep`.

use clap::{Args, Subcommand};

use super::common_arguments::{Common, Seeds};

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
    #[command(flatten)]
    pub common: Common,
}

#[derive(Subcommand)]
pub(super) enum SweepCommand {
    /// Show how far the studies are
    Status {
        /// Experiments [default: all]
        names: Vec<String>,
    },
}
