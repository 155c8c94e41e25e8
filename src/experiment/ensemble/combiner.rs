//! What makes one prediction of those of all members.

use std::path::Path;

use super::super::error::RunError;
use crate::model::{self, Combination, Ensemble, Fitted, FittedModel, ModelError, Stack};
use crate::vocab::Outputs;

/// A fitted combination of members.
pub(in super::super) struct Combiner {
    outputs: Outputs,
    stack: Option<FittedStack>,
}

struct FittedStack {
    stack: Stack,
    model: Box<dyn FittedModel>,
    n_parameters: usize,
    notes: Vec<String>,
}

impl Combiner {
    /// The mean, which has nothing to fit.
    pub(super) fn mean(outputs: Outputs) -> Self {
        Self { outputs, stack: None }
    }

    /// A fitted stack.
    pub(super) fn stack(stack: Stack, fitted: Fitted, outputs: Outputs) -> Self {
        let Fitted { model, n_parameters, notes, .. } = fitted;
        Self { outputs, stack: Some(FittedStack { stack, model, n_parameters, notes }) }
    }

    /// Reads back what [`Self::save`] wrote.
    pub(in super::super) fn load(
        ensemble: &Ensemble,
        n_members: usize,
        outputs: Outputs,
        folder: &Path,
    ) -> Result<Self, ModelError> {
        let stack = match ensemble.by {
            Combination::Mean => None,
            Combination::Logistic { c } => {
                let stack = Stack::new(c, n_members, outputs);
                let model = stack.load(folder)?;
                Some(FittedStack { stack, model, n_parameters: 0, notes: vec![] })
            }
        };
        Ok(Self { outputs, stack })
    }

    /// Writes the regression of a stack into a folder; of a mean, nothing.
    pub(super) fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.stack.as_ref().map_or(Ok(()), |fitted| fitted.model.save(folder))
    }

    /// What one model says, from what all members say of the same examples, each row-major `[n, n_outputs]`.
    pub(in super::super) fn combine(&self, members: &[Vec<f32>]) -> Result<Vec<f32>, RunError> {
        let Some(FittedStack { stack, model, .. }) = &self.stack else {
            return Ok(model::combined(members, self.outputs));
        };
        let n = members.first().map_or(0, |member| member.len() / self.outputs.n);
        let rows: Vec<usize> = (0..n).collect();
        Ok(stack.predict(model.as_ref(), members, &rows)?)
    }

    /// The number of parameters of a stack that was fitted here.
    pub(super) fn n_parameters(&self) -> usize {
        self.stack.as_ref().map_or(0, |fitted| fitted.n_parameters)
    }

    /// What the solver of a stack said.
    pub(super) fn notes(&self) -> &[String] {
        self.stack.as_ref().map_or(&[], |fitted| &fitted.notes)
    }
}
