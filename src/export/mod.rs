//! Finished runs for the tools that people know: tables, TensorBoard, MLflow.
//!
//! | file | what it writes |
//! |---|---|
//! | `tables` | runs, epochs and predictions as typed Parquet files |
//! | `tensorboard/` | event files: scalars, hyperparameters, confusion matrices; also while runs go on |
//! | `mlflow/` | experiments and runs of an MLflow server, through its REST API |
//! | `facts` | what all of them say of a run: parameters, scores, times |
//! | `error` | what can go wrong |
//!
//! An export is derived from records alone, and the same records give the same bytes. This room must never know the
//! terminal.

mod error;
mod facts;
mod mlflow;
mod tables;
mod tensorboard;

pub use error::ExportError;
pub use mlflow::{MlflowOutcome, to_mlflow};
pub use tables::write_tables;
pub use tensorboard::{LiveEvents, write_events};
