//! The arguments of `split` and `import-predictions`.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(super) struct SplitArguments {
    /// Experiment, or path to a spec
    pub name: String,
    #[command(flatten)]
    pub which: Which,
    /// Output folder, created if missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

#[derive(Args)]
pub(super) struct ImportPredictions {
    /// Experiment, or path to a spec
    pub name: String,
    /// CSV file, a row per test example: track, segment, p_CLASS (or p_TAG) of each, or predicted
    pub file: PathBuf,
    #[command(flatten)]
    pub which: Which,
    /// Training curves: one JSON object per line, with epoch, train_loss, ...
    #[arg(long, value_name = "FILE")]
    pub epochs: Option<PathBuf>,
    /// Sets that were used, if they are not the spec's: CSV file with track, segment, set
    #[arg(long, value_name = "FILE")]
    pub split: Option<PathBuf>,
    /// Name of the model; predictions of different models are never averaged
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,
    /// Refuse predictions if test examples leak into training: same track, group, or a copy
    #[arg(long)]
    pub forbid_leaks: bool,
}

/// Which split of a spec.
#[derive(Args)]
pub(super) struct Which {
    /// Seed of the split [default: first seed of the spec]
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Dataset to use; auto is the spec's dataset if imported, else synthetic data
    #[arg(long, default_value = "auto", value_name = "auto|embedded|NAME")]
    pub data: String,
    /// Replace a value of the spec, e.g. split.random.test=0.2
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
