//! Repetition of a finished run, with a bit-by-bit comparison.

use std::path::Path;
use std::time::Duration;

use super::context::{CODE_VERSION, RunContext, Workspace, code_facts};
use super::error::RunError;
use super::inputs::Inputs;
use super::plan::{Plan, PlanError};
use super::record_run::rescore;
use super::run::run;
use crate::disk;
use crate::metrics::Metric;
use crate::model::ModelError;
use crate::record::{Capsule, Foreign, Run, Store, StoreError, spec_differences, unpack_capsule};
use crate::vocab::Scores;

/// What a repetition came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Repetition {
    /// Whether curves, model and predictions are the same, bit by bit.
    pub curves: bool,
    /// As above.
    pub model: bool,
    /// As above.
    pub predictions: bool,
    /// The main score on the test examples, as recorded and as repeated: accuracy, ROC-AUC or R2.
    pub score: [f64; 2],
    /// The largest difference between the scores of both, if the model is a program. encore can't make a
    /// program compute the same bits.
    pub scores_apart: Option<f64>,
}

impl Repetition {
    /// The difference of scores up to which those of a program count as equal.
    pub const TOLERANCE: f64 = 0.01;

    /// Whether the model is a program whose scores are equal within the tolerance.
    #[must_use]
    pub fn is_close(&self) -> bool {
        self.scores_apart.is_some_and(|apart| apart <= Self::TOLERANCE)
    }

    /// Whether all is the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.curves && self.model && self.predictions
    }
}

/// Why a run can't be repeated.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Its spec can't be read any more.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It can't be done again.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Its files, or those of the repetition.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would be another run today.
    #[error("{0}")]
    Other(String),
}

/// Unpacks a capsule into a folder and scores its runs again, from their predictions alone.
///
/// # Errors
/// If a byte differs from the packed one, or the predictions give other scores than the record.
pub fn verify_capsule(path: &Path, folder: &Path) -> Result<(Capsule, Vec<Run>), VerifyError> {
    let (capsule, runs) = unpack_capsule(path, folder)?;
    for run in &runs {
        let (was, is) = (run.record.scored(), rescore(run)?);
        if *was != is {
            return Err(VerifyError::Other(format!(
                "{}: the predictions of {} give {}, but the record has {}",
                path.display(),
                run.id,
                words(&is),
                words(was)
            )));
        }
    }
    Ok((capsule, runs))
}

/// `accuracy 0.5, macro_f1 0.4, log_loss 1.2`.
fn words(scores: &Scores) -> String {
    let words: Vec<String> =
        scores.by_name().iter().map(|(name, value)| format!("{name} {value}")).collect();
    words.join(", ")
}

/// The largest difference between two sets of scores, of errors in units as a share of the recorded one.
/// Losses don't count: they are unbounded.
fn apart(was: &Scores, is: &Scores) -> f64 {
    let is = is.by_name();
    let difference = |(name, was): (&str, f64)| {
        let metric = Metric::named(name).filter(|metric| *metric != Metric::LogLoss)?;
        let is = is.iter().find(|(other, _)| *other == name).map_or(f64::INFINITY, |(_, is)| *is);
        let unit = if metric.has_unit() && was > 0.0 { was } else { 1.0 };
        Some((was - is).abs() / unit)
    };
    was.by_name().into_iter().filter_map(difference).fold(0.0, f64::max)
}

/// Does a finished run again, beside it, and compares the hashes of what both came to.
///
/// # Errors
/// Where data or code are not those of the run, or it fails.
pub fn verify(recorded: &Run, workspace: Workspace) -> Result<Repetition, VerifyError> {
    let Workspace { catalogue, store, project, .. } = workspace;
    let record = &recorded.record;
    if let Some(Foreign { predictions, .. }) = &record.foreign {
        return Err(VerifyError::Other(format!(
            "the predictions of {} were imported from {}; there is no training to repeat",
            recorded.id, predictions.file
        )));
    }
    if let Some(imported) = &record.model.imported {
        return Err(VerifyError::Other(format!(
            "the weights of {} were imported from {}; there is no training to repeat",
            recorded.id, imported.file
        )));
    }
    if record.code.code_version != CODE_VERSION {
        return Err(VerifyError::Other(format!(
            "{} was trained by code version {}, this is {CODE_VERSION}; the bits may differ",
            recorded.id, record.code.code_version
        )));
    }
    recorded.check_results()?;
    let plan = Plan::of_run(recorded, catalogue)?;
    if plan.spec.model.command().is_some() && plan.spec_hash != record.spec_hash {
        let differences = spec_differences(&record.spec, &plan.resolved);
        return Err(VerifyError::Other(format!(
            "the program has changed since {}, so it can't be repeated: {}",
            recorded.id,
            differences.join("; ")
        )));
    }
    let inputs = Inputs::load(&plan, workspace)?;
    let features_hash = &inputs.examples.hash;
    if *features_hash != record.data.features_hash {
        return Err(VerifyError::Other(format!(
            "dataset {} or its features have changed since {}: expected hash {}…, found {}…",
            record.data.dataset,
            recorded.id,
            &record.data.features_hash[..8],
            &features_hash[..8]
        )));
    }
    let beside = store.scratch("verify")?;
    let context = RunContext {
        workspace: Workspace { store: &Store::new(beside.join("runs")), ..workspace },
        members: store,
        code: &code_facts(project),
        // Nobody goes on from a repetition.
        checkpoint_every: Duration::MAX,
        forbid_leaks: false,
    };
    let again = || run(&plan, &inputs, record.seed, context);
    let repeated = match &record.model.command {
        // Programs compute other bits with other numbers of threads.
        Some(command) => rayon::ThreadPoolBuilder::new()
            .num_threads(command.n_threads)
            .build()
            .map_err(|error| VerifyError::Other(error.to_string()))?
            .install(again),
        None => again(),
    };
    // The message of a program that failed names its output, which stays until the next repetition.
    if !matches!(&repeated, Err(RunError::Model(ModelError::Command(_)))) {
        disk::remove_folder(&beside)
            .map_err(|source| StoreError::Io { path: beside.clone(), source })?;
    }
    let repeated = repeated?.0.record;
    let (was, is) = (&record.outputs, &repeated.outputs);
    Ok(Repetition {
        curves: was.curves == is.curves,
        model: was.model == is.model,
        predictions: was.predictions == is.predictions,
        score: [record.scored().main(), repeated.scored().main()],
        scores_apart: plan.spec.model.command().map(|_| apart(record.scored(), repeated.scored())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::scores;
    use crate::vocab::Targets;

    #[test]
    fn scores_are_apart_by_their_largest_difference_and_errors_by_a_share() {
        let numbers = Targets::Numbers(vec![0.0, 100.0, 200.0, 300.0]);
        let of = |error: f32| scores(&numbers, &[error, 100.0, 200.0, 300.0 - error], 1);
        let (was, is) = (of(10.0), of(11.0));
        assert_eq!(apart(&was, &was), 0.0);
        // The mean squared error is 21 % larger, the mean absolute one 10 %.
        assert!((apart(&was, &is) - 0.21).abs() < 1e-9, "{}", apart(&was, &is));
        assert_eq!(words(&was), "r2 0.996, mae 5, mse 50");
        let classes = |p: f32| scores(&Targets::Classes(vec![0, 1]), &[p, 1.0 - p, 0.4, 0.6], 2);
        // Other losses are no other scores.
        assert_eq!(apart(&classes(0.9), &classes(0.8)), 0.0);
        assert!((apart(&classes(0.9), &classes(0.1)) - 2.0 / 3.0).abs() < 1e-12);
    }
}
