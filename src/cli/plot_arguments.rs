//! The arguments of `plot compare`, `plot reliability`, `plot f1` and `plot confusion`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What the lower axis counts.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum By {
    Epoch,
    Step,
    Seconds,
}

#[derive(Args)]
pub(super) struct PlotCompare {
    /// Experiments or run ids
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// What to draw: valid_accuracy, valid_loss, train_accuracy, train_loss, learning_rate or seconds
    #[arg(long, value_name = "NAME", default_value = "valid_accuracy")]
    pub metric: String,
    /// What the lower axis counts
    #[arg(long, value_enum, default_value = "epoch")]
    pub by: By,
    /// Make the axis at the left logarithmic
    #[arg(long)]
    pub log: bool,
    /// Weight of the past in a moving average, in [0, 1); the line as it was stays visible
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.0)]
    pub smooth: f64,
    /// Output folder, created if missing [default: reports/figures/compare]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct PlotClasses {
    /// Experiments or run ids
    #[arg(required = true, value_name = "NAME")]
    pub names: Vec<String>,
    /// Output folder, created if missing [default: reports/figures/compare]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}
