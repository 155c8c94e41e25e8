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
    doc: "Predicts the class frequencies of the training set for every example, the rate of each tag or \
          the mean number: the baseline that any model has to beat.",
    tasks: &Task::ALL,
    read: Reader::AtOnce(|_, _| Box::new(Majority)),
};

/// The baseline that predicts the class frequencies of the training set, the rate of each tag, or the mean
/// number. It has no settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Majority;

#[derive(Serialize, Deserialize)]
struct Frequencies {
    #[serde(default, skip_serializing_if = "Task::is_classes")]
    task: Task,
    /// The mean of every output, `[n_outputs]`: frequencies of classes sum to 1.
    frequencies: Vec<f32>,
    shape: Vec<usize>,
}

impl Model for Majority {
    fn fit(&self, job: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        job.train.check_for_fit()?;
        let mut sums = vec![0.0; job.train.n_outputs];
        for index in 0..job.train.len() {
            for (output, sum) in sums.iter_mut().enumerate() {
                *sum += f64::from(job.train.value(index, output));
            }
        }
        let n = job.train.len() as f64;
        let frequencies = sums.iter().map(|sum| (sum / n) as f32).collect();
        let (task, shape) = (job.train.outputs().task, job.train.shape.to_vec());
        Ok(Fitted {
            model: Box::new(Frequencies { task, frequencies, shape }),
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
        let path = folder.join(FILE);
        let saved: Frequencies = read_json(&path)?;
        let found = Outputs { task: saved.task, n: saved.frequencies.len() };
        if found != outputs || saved.shape != shape {
            let said = format!(
                "must hold {outputs} of shape {shape:?}, found {found} of shape {:?}",
                saved.shape
            );
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
