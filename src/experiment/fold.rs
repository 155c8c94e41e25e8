//! One seed of a plan: its split, audited for leaks, and what its model sees.

use super::error::RunError;
use super::fresh::FreshTrain;
use super::inputs::Inputs;
use super::model_inputs::ModelInputs;
use super::plan::Plan;
use crate::features::Examples;
use crate::model::{FitInput, FreshExamples};
use crate::record::{Audit, Member};
use crate::split::{Numbers, Split, SplitError, audit, keep_share};
use crate::vocab::{Outputs, Seed, SplitName};

/// One seed of a plan, ready to be fitted.
pub(super) struct Fold<'a> {
    pub(super) plan: &'a Plan,
    pub(super) inputs: &'a Inputs,
    pub(super) seed: u64,
    pub(super) audited: AuditedSplit,
    pub(super) model_inputs: ModelInputs<'a>,
    /// What computes the training examples again in every epoch.
    pub(super) fresh: Option<FreshTrain<'a>>,
}

/// The sets of one seed, and the leaks that were found in them before the training.
pub(super) struct AuditedSplit {
    pub(super) split: Split,
    pub(super) audit: Audit,
}

impl AuditedSplit {
    /// Splits the examples and looks for leaks.
    pub(super) fn new(plan: &Plan, inputs: &Inputs, seed: u64) -> Result<Self, RunError> {
        let Self { split, .. } = Self::unaudited(plan, inputs, seed)?;
        Ok(Self::audited(split, plan, inputs))
    }

    /// Looks for leaks in a split.
    pub(super) fn audited(split: Split, plan: &Plan, inputs: &Inputs) -> Self {
        let Examples { matrix, shape, .. } = &inputs.examples;
        let numbers = Numbers { values: matrix.as_slice(), shape };
        let group = plan.spec.split.group(&inputs.track_columns);
        let audit = audit(&split, inputs.items(), numbers, group);
        Self { split, audit }
    }

    /// Splits the examples, for work that scores nothing: there a leak does no harm.
    pub(super) fn unaudited(plan: &Plan, inputs: &Inputs, seed: u64) -> Result<Self, RunError> {
        let split = plan.spec.split.divide(inputs.items(), Seed(seed));
        let split = split.map_err(|error| match (error, inputs.tracks_without()) {
            (SplitError::Empty { set, why }, Some(without)) => {
                SplitError::Empty { set, why: format!("{without}; {why}") }
            }
            (error, _) => error,
        })?;
        let split = match plan.spec.train_share {
            None => split,
            Some(share) => keep_share(split, &plan.spec.split, inputs.items(), share, Seed(seed))?,
        };
        Ok(Self { split, audit: Audit::default() })
    }
}

impl<'a> Fold<'a> {
    /// Fits the preprocessing to the training examples of an audited split.
    pub(super) fn new(
        plan: &'a Plan,
        inputs: &'a Inputs,
        seed: u64,
        audited: AuditedSplit,
    ) -> Result<Self, RunError> {
        let model_inputs = ModelInputs::fit(plan, &inputs.examples, &audited.split)?;
        let fresh = FreshTrain::new(plan, inputs, &audited.split, seed)?;
        Ok(Self { plan, inputs, seed, audited, model_inputs, fresh })
    }

    /// What a model is fitted on.
    pub(super) fn fit_input(&self) -> FitInput<'_> {
        let Split { train, valid, .. } = &self.audited.split;
        let [train, valid] = [train, valid].map(|rows| self.model_inputs.view(rows));
        let (seed, device) = (Seed(self.seed), self.plan.device());
        let fresh = self.fresh.as_ref().map(|fresh| fresh as &dyn FreshExamples);
        let until = self.plan.options.until();
        FitInput { train, valid, seed, device, resume: None, fresh, until }
    }

    /// The rows that the run's predictions are about: those of the test set, which trials of a search never
    /// see, or of the validation set.
    pub(super) fn scored_rows(&self) -> &[usize] {
        let Split { valid, test, .. } = &self.audited.split;
        if self.plan.options.is_trial() { valid } else { test }
    }

    /// What a model puts out for its examples.
    pub(super) fn outputs(&self) -> Outputs {
        let Examples { targets, classes, .. } = &self.inputs.examples;
        Outputs { task: targets.task(), n: classes.len() }
    }

    /// The members of every set.
    pub(super) fn members(&self) -> Vec<Member> {
        members(&self.audited.split, self.inputs)
    }
}

/// The members of every set of a split.
pub(super) fn members(split: &Split, inputs: &Inputs) -> Vec<Member> {
    let Split { train, valid, test, .. } = split;
    let sets = [(SplitName::Train, train), (SplitName::Valid, valid), (SplitName::Test, test)];
    let member = |set, row: usize| Member { example: inputs.examples.ids[row].clone(), set };
    let of_set = |(set, rows): (SplitName, &Vec<usize>)| -> Vec<Member> {
        rows.iter().map(|&row| member(set, row)).collect()
    };
    sets.into_iter().flat_map(of_set).collect()
}
