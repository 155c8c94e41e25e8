//! The examples of one seed as its model sees them.

use std::path::Path;

use super::plan::Plan;
use crate::features::Examples;
use crate::model::{self, ModelError, Preprocessor};
use crate::split::Split;

/// All examples, after a preprocessing that is fitted on the training rows of one seed.
///
/// Models get examples from here alone, so no preprocessing ever sees a validation or test row.
pub(super) struct ModelInputs<'a> {
    examples: &'a Examples,
    preprocessed: Option<Preprocessed>,
}

struct Preprocessed {
    preprocessor: Preprocessor,
    matrix: Vec<f32>,
    shape: [usize; 1],
}

impl<'a> ModelInputs<'a> {
    /// Fits the spec's preprocessing, if it has some, to the training rows.
    ///
    /// # Errors
    /// Where it can't be fitted.
    pub(super) fn fit(
        plan: &Plan,
        examples: &'a Examples,
        split: &Split,
    ) -> Result<Self, ModelError> {
        let raw = Self::raw(examples);
        let Some(preprocess) = &plan.spec.preprocess else { return Ok(raw) };
        let preprocessor = preprocess.fit(&raw.view(&split.train))?;
        let matrix = preprocessor.apply(examples.matrix.as_slice())?;
        let shape = [preprocessor.width()];
        Ok(Self { preprocessed: Some(Preprocessed { preprocessor, matrix, shape }), ..raw })
    }

    /// The examples as they are, if no model of encore sees them.
    pub(super) fn raw(examples: &'a Examples) -> Self {
        Self { examples, preprocessed: None }
    }

    /// Some rows, as a model sees them.
    pub(super) fn view<'b>(&'b self, rows: &'b [usize]) -> model::Examples<'b> {
        let (shape, matrix) = match &self.preprocessed {
            None => (self.examples.shape.as_slice(), self.examples.matrix.as_slice()),
            Some(Preprocessed { shape, matrix, .. }) => (shape.as_slice(), matrix.as_slice()),
        };
        let Examples { targets, classes, .. } = self.examples;
        model::Examples { shape, matrix, targets, rows, n_outputs: classes.len() }
    }

    /// Writes the preprocessing beside the model's files.
    ///
    /// # Errors
    /// Where its file can't be written.
    pub(super) fn save(&self, folder: &Path) -> Result<(), ModelError> {
        self.preprocessed.as_ref().map_or(Ok(()), |made| made.preprocessor.save(folder))
    }

    /// What was imputed, and which levels training never saw.
    pub(super) fn notes(&self, split: &Split) -> Vec<String> {
        let Some(made) = &self.preprocessed else { return vec![] };
        let raw = Self::raw(self.examples);
        let Split { train, valid, test, .. } = split;
        let sets = [("train", train), ("valid", valid), ("test", test)];
        made.preprocessor.notes(&sets.map(|(set, rows)| (set, raw.view(rows))))
    }
}
