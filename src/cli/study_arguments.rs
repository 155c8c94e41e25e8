//! The arguments of `curve` and `ablate`.

use clap::Args;

use super::common_arguments::Common;

#[derive(Args)]
pub(super) struct Curve {
    /// Experiment, or path to a spec
    pub name: String,
    /// Shares of the training tracks, at least two; a power law takes three
    #[arg(long, value_delimiter = ',', value_name = "SHARE,...", default_value = "0.1,0.2,0.5,1", value_parser = share)]
    pub train_share: Vec<f64>,
    /// Replace a value of the spec, e.g. training.epochs=20
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

#[derive(Args)]
pub(super) struct Ablate {
    /// Experiment, or path to a spec
    pub name: String,
    /// Replace a value of the spec and of all its changes, e.g. training.epochs=20
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    #[command(flatten)]
    pub common: Common,
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| "expected a number in (0, 1]".to_owned())
}
