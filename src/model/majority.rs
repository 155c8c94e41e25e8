//! `[model.majority]`: the baseline that ignores all features.
//!
//! ```toml
//! [model.majority]
//! ```

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{file_error, read_json, write_json};
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver,
};
use crate::vocab::{Outputs, Task};

const FILE: &str = "majority.json";

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "majority",
    doc: "Predicts the class frequencies of the training set for every example: the baseline that \
          any model has to beat.",
    tasks: &[Task::Classes],
    read: Reader::AtOnce(|_, _| Box::new(Majority)),
};

/// The baseline that predicts the class frequencies of the training set. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Majority;

#[derive(Serialize, Deserialize)]
struct Frequencies {
    /// `[n_classes]`, summing to 1.
    frequencies: Vec<f32>,
    shape: Vec<usize>,
}

impl Model for Majority {
    fn fit(&self, job: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        job.train.check_for_fit()?;
        let mut counts = vec![0_usize; job.train.n_outputs];
        for index in 0..job.train.len() {
            counts[job.train.label(index)] += 1;
        }
        let n = job.train.len() as f64;
        let frequencies = counts.iter().map(|count| (*count as f64 / n) as f32).collect();
        Ok(Fitted {
            model: Box::new(Frequencies { frequencies, shape: job.train.shape.to_vec() }),
            n_parameters: 0,
            kept_epoch: None,
            notes: vec![],
        })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let n_classes = outputs.n;
        let path = folder.join(FILE);
        let saved: Frequencies = read_json(&path)?;
        if saved.frequencies.len() != n_classes || saved.shape != shape {
            let got = format!("{} classes of shape {:?}", saved.frequencies.len(), saved.shape);
            let said = format!("must hold {n_classes} classes of shape {shape:?}, found {got}");
            return Err(file_error(&path, said));
        }
        Ok(Box::new(saved))
    }
}

impl FittedModel for Frequencies {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        Ok(self.frequencies.repeat(examples.len()))
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}
