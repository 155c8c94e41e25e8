//! The arguments of `export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Subcommand)]
pub(super) enum Export {
    /// Write runs, epochs and predictions as typed Parquet files
    Parquet(ToFolder),
    /// Write event files for TensorBoard: curves, scores, hyperparameters, confusion matrices
    Tensorboard(ToFolder),
    /// Write runs to an MLflow server: parameters, curves, scores, tags, figures, files
    Mlflow {
        #[command(flatten)]
        which: Which,
        /// Address of the server
        #[arg(long, value_name = "URL")]
        to: String,
    },
}

/// The runs that are exported.
#[derive(Args)]
pub(super) struct Which {
    /// Experiments or run ids [default: all finished runs but trials of searches]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

#[derive(Args)]
pub(super) struct ToFolder {
    #[command(flatten)]
    pub which: Which,
    /// Output folder, created if missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}
