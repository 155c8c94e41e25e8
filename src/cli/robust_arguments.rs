//! The arguments of `robust`.

use clap::Args;

#[derive(Args)]
pub(super) struct Robust {
    /// Experiments (all their finished runs) or run ids; differences between several are tested
    #[arg(required = true)]
    pub names: Vec<String>,
    /// Degradation and strengths, e.g. "white_noise snr_db=40,20,0"; repeat for several [default: nine kinds]
    #[arg(long = "with", value_name = "DEGRADATION")]
    pub with: Vec<String>,
    /// Number of threads [default: ENCORE_JOBS, or number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Start the programs that are the runs' models; remembered for this project
    #[arg(long)]
    pub trust: bool,
}
