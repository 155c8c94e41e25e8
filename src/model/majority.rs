//! `[model.majority]`: says the commonest class of the training examples, whatever it is shown.
//!
//! What it scores is what a model scores that has learnt nothing but the shares of the classes.

use std::path::Path;

use super::file::{read_json, write_json};
use super::{Classifier, Entry, Examples, Fitted, Job, Model, ModelError, Reader, Watch};

pub(super) const ENTRY: Entry = Entry {
    name: "majority",
    doc: "the shares of the classes in the training examples, whatever the example",
    read: Reader::AtOnce(|_, _| Box::new(Majority)),
};

const FILE: &str = "majority.json";

struct Majority;

struct Shares(Vec<f32>);

impl Model for Majority {
    fn fit(&self, job: &Job, _watch: &mut dyn Watch) -> Result<Fitted, ModelError> {
        if job.train.is_empty() {
            return Err(ModelError::Examples("there are no training examples".to_owned()));
        }
        let mut counts = vec![0usize; job.train.n_classes];
        for index in 0..job.train.len() {
            counts[job.train.label(index)] += 1;
        }
        let share = |&n: &usize| n as f32 / job.train.len() as f32;
        Ok(Fitted {
            classifier: Box::new(Shares(counts.iter().map(share).collect())),
            n_parameters: job.train.n_classes,
            kept_epoch: None,
            notes: vec![],
        })
    }

    fn load(
        &self,
        folder: &Path,
        _shape: &[usize],
        n_classes: usize,
    ) -> Result<Box<dyn Classifier>, ModelError> {
        let shares: Vec<f32> = read_json(folder, FILE)?;
        super::file::check_width(shares.len(), n_classes)?;
        Ok(Box::new(Shares(shares)))
    }
}

impl Classifier for Shares {
    fn predict_proba(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        Ok(self.0.repeat(examples.len()))
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(folder, FILE, &self.0)
    }
}
