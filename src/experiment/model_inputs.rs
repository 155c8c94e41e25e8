//! What the models of one seed see: the examples' numbers, as preprocessing leaves them that was fitted on
//! the training rows of that seed.

use super::Plan;
use crate::features::Examples;
use crate::model::{self, Device, FitInput, ModelError, Preprocessor};
use crate::split::Split;
use crate::vocab::Seed;

/// The examples of one seed.
pub(super) struct ModelInputs<'a> {
    examples: &'a Examples,
    split: &'a Split,
    preprocessed: Option<Preprocessed>,
    device: Device,
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
    pub(super) fn new(
        plan: &Plan,
        examples: &'a Examples,
        split: &'a Split,
    ) -> Result<Self, ModelError> {
        let device = plan.device();
        let raw = Self { examples, split, preprocessed: None, device };
        let Some(preprocess) = &plan.preprocess else { return Ok(raw) };
        let preprocessor = preprocess.fit(&raw.view(&split.train))?;
        let matrix = preprocessor.apply(examples.matrix.as_slice())?;
        let shape = [preprocessor.width()];
        Ok(Self { preprocessed: Some(Preprocessed { preprocessor, matrix, shape }), ..raw })
    }

    /// Some rows, as a model sees them.
    pub(super) fn view<'b>(&'b self, rows: &'b [usize]) -> model::Examples<'b> {
        let (shape, matrix) = match &self.preprocessed {
            None => (self.examples.shape.as_slice(), self.examples.matrix.as_slice()),
            Some(Preprocessed { shape, matrix, .. }) => (shape.as_slice(), matrix.as_slice()),
        };
        let Examples { labels, classes, .. } = self.examples;
        model::Examples { shape, matrix, labels, rows, n_classes: classes.len() }
    }

    /// What a fit of one seed works from.
    pub(super) fn job(&self, seed: u64) -> FitInput<'_> {
        let [train, valid] = [&self.split.train, &self.split.valid].map(|rows| self.view(rows));
        FitInput { train, valid, seed: Seed(seed), device: self.device, resume: None }
    }

    /// Writes the preprocessing beside the model's files.
    ///
    /// # Errors
    /// Where its file can't be written.
    pub(super) fn save(&self, folder: &std::path::Path) -> Result<(), ModelError> {
        self.preprocessed.as_ref().map_or(Ok(()), |made| made.preprocessor.save(folder))
    }

    /// What was imputed, and which levels training never saw.
    pub(super) fn notes(&self) -> Vec<String> {
        let Some(made) = &self.preprocessed else { return vec![] };
        let raw = ModelInputs { preprocessed: None, ..*self };
        let Split { train, valid, test, .. } = self.split;
        let sets = [("train", train), ("valid", valid), ("test", test)];
        made.preprocessor.notes(&sets.map(|(set, rows)| (set, raw.view(rows))))
    }
}
