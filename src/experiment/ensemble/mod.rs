//! A run whose model is an ensemble: the finished runs that it consists of, their predictions, its record.
//!
//! The members' test predictions are those of their records. What they say of the validation examples, on which a
//! stack is fitted, is computed again by their models.

mod folds;
mod members;
mod places;

pub(super) use members::recorded;

use self::members::Member;
use super::context::{RunContext, Workspace};
use super::error::RunError;
use super::event::Event;
use super::fit::TrainingHistory;
use super::fold::Fold;
use super::record_run::{Made, Predicted, record_predictions};
use crate::model::{Combination, Ensemble, OpinionPool};
use crate::record::{MemberRun, Run, RunWriter};

/// Combines the members of an ensemble, and records what comes out.
pub(super) fn run(
    fold: &Fold,
    ensemble: &Ensemble,
    writer: RunWriter,
    context: RunContext,
) -> Result<Run, RunError> {
    let Workspace { observer, .. } = context.workspace;
    let history = TrainingHistory::nothing();
    let label = fold.plan.label(fold.seed);
    observer.event(&Event::Started { run: label.clone(), n_epochs_done: 0, max_epochs: None });
    let members = members::find(fold, ensemble, context.members)?;
    let test = members.iter().map(|member| member.test(fold)).collect::<Result<Vec<_>, _>>()?;
    let mean = || OpinionPool::mean(members.len(), fold.outputs());
    let (pool, notes, of_valid) = match (ensemble.by, Valid::of(&members, fold, context.workspace)?)
    {
        (Combination::Mean, Valid::Said(valid)) => (mean(), vec![], Some(mean().predict(&valid))),
        (Combination::Mean, Valid::NoExamples) => (mean(), vec![], None),
        (Combination::Mean, Valid::Unknown(why)) => {
            (mean(), vec![format!("without validation scores: {why}")], None)
        }
        (Combination::Logistic { c }, Valid::Said(valid)) => folds::fit_stack(fold, c, &valid)?,
        (Combination::Logistic { .. }, Valid::NoExamples) => {
            let said = "a stack is fitted on validation examples, but the split has none";
            return Err(RunError::Incompatible(said.to_owned()));
        }
        (Combination::Logistic { .. }, Valid::Unknown(why)) => {
            let hint = "hint: by = \"mean\" needs no validation predictions";
            let said = format!("a stack is fitted on validation predictions, but {why}\n{hint}");
            return Err(RunError::Incompatible(said));
        }
    };
    for text in &notes {
        observer.event(&Event::Note { run: label.clone(), text: text.clone() });
    }
    pool.save(&writer.model_folder())?;
    let n_fitted = if ensemble.by == Combination::Mean { 0 } else { members.len() };
    let n_members: usize = members.iter().map(|it| it.run.record.model.n_parameters).sum();
    let made = Made {
        n_parameters: n_members + n_fitted,
        has_epochs: false,
        kept_epoch: None,
        imported: None,
        command: None,
        members: members.iter().map(Member::facts).collect::<Vec<MemberRun>>(),
        notes,
        foreign: None,
    };
    let predicted = Predicted { train: None, valid: of_valid, scored: pool.predict(&test) };
    let seconds = history.start.elapsed().as_secs_f64();
    let history = TrainingHistory { fit_s: seconds, own_fit_s: seconds, ..history };
    record_predictions(fold, &predicted, made, &history, writer, context)
}

/// What the members say of the validation examples.
enum Valid {
    /// This, each row-major `[n, n_outputs]`.
    Said(Vec<Vec<f32>>),
    /// There are none.
    NoExamples,
    /// A member can't be asked, for this reason.
    Unknown(String),
}

impl Valid {
    fn of(members: &[Member], fold: &Fold, workspace: Workspace) -> Result<Self, RunError> {
        if fold.audited.split.valid.is_empty() {
            return Ok(Self::NoExamples);
        }
        let mut all = vec![];
        for member in members {
            if workspace.is_stopped() {
                return Err(RunError::Stopped { epoch: 0 });
            }
            if let Some(why) = member.without_model() {
                return Ok(Self::Unknown(why));
            }
            all.push(member.valid(fold, workspace)?);
        }
        Ok(Self::Said(all))
    }
}
