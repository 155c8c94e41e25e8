//! The arguments of `serve` and `watch`.

use std::net::IpAddr;

use clap::Args;

#[derive(Args)]
pub(super) struct Serve {
    /// Address to listen on; other computers can reach any but 127.0.0.1, with the token that is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port; 0 is any free one [default: 8737, or the next free one]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
}

#[derive(Args)]
pub(super) struct Watch {
    /// Print once and end
    #[arg(long)]
    pub once: bool,
    /// Time between two looks [s]
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub every: u32,
}

#[derive(Args)]
pub(super) struct ServeModel {
    /// Experiment or run whose model answers
    pub name: String,
    /// Address to listen on; other computers can reach any but 127.0.0.1, with the token that is printed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Port; 0 is any free one [default: 8738, or the next free one]
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Requests that are answered at a time [default: number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Requests that may wait; the next one is refused with status 503
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub waiting: u16,
    /// Largest body of a request [MB]
    #[arg(long, value_name = "MB", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub max_body: u32,
    /// Longest time for a request [s]
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    pub timeout: u32,
    /// Start the program that is the run's model; remembered for this project
    #[arg(long)]
    pub trust: bool,
}
