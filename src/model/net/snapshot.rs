//! An unfinished training as bytes: safetensors with the progress in its metadata.

use std::collections::{BTreeMap, HashMap};

use super::super::ModelError;
use super::super::files::{Array, read_f32, to_safetensors};
use super::engine::State;
use super::layer::Net;
use super::weights::Weights;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

/// Prefixes of the arrays' names: weights, the two moments, the best weights so far, the moving average
/// of the weights.
const PARTS: [&str; 5] = ["weights", "first", "second", "best", "average"];

/// The state of a training, without the engine's arrays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The epoch in progress, one-based.
    pub(super) epoch: usize,
    /// The next step of that epoch, zero-based.
    pub(super) step: usize,
    /// Sum over the epoch's steps so far.
    pub(super) loss: f64,
    pub(super) n_right: usize,
    pub(super) seconds: f64,
    /// Learning rate of the epoch's last step.
    pub(super) learning_rate: f64,
    /// The lowest mean training loss of the epochs so far.
    pub(super) least_loss: Option<f64>,
    pub(super) best: Option<Best>,
}

/// The best epoch so far, as early stopping defines it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub(super) epoch: usize,
    pub(super) value: f64,
}

impl Progress {
    pub(super) fn start() -> Self {
        Self {
            epoch: 1,
            step: 0,
            loss: 0.0,
            n_right: 0,
            seconds: 0.0,
            learning_rate: 0.0,
            least_loss: None,
            best: None,
        }
    }
}

/// A decoded snapshot.
pub(super) struct Snapshot {
    pub(super) state: State,
    pub(super) progress: Progress,
    pub(super) best_weights: Option<Weights>,
    pub(super) average: Option<Weights>,
}

/// Encodes a whole training as bytes.
pub(super) fn encode(
    net: &Net,
    state: &State,
    progress: &Progress,
    best_weights: Option<&Weights>,
    average: Option<&Weights>,
) -> Vec<u8> {
    let [first, second] = &state.moments;
    let parts = [Some(&state.weights), Some(first), Some(second), best_weights, average];
    let mut arrays = vec![];
    for (part, weights) in PARTS.into_iter().zip(parts) {
        let Some(weights) = weights else { continue };
        arrays.extend(net.parameters.iter().zip(&weights.0).map(|(parameter, values)| Array {
            name: format!("{part}.{}", parameter.name),
            shape: parameter.shape.clone(),
            values,
        }));
    }
    let progress = serde_json::to_string(progress).expect("a progress is plain data");
    let metadata = HashMap::from([
        ("progress".to_owned(), progress),
        ("n_steps".to_owned(), state.n_steps.to_string()),
    ]);
    to_safetensors(&arrays, Some(metadata)).expect("names and shapes are a net's own")
}

/// Decodes a snapshot that [`encode`] made of the same net.
///
/// # Errors
/// If the bytes belong to a different net or are not a snapshot.
pub(super) fn decode(net: &Net, bytes: &[u8]) -> Result<Snapshot, ModelError> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| broken(&error.to_string()))?;
    let (_, header) =
        SafeTensors::read_metadata(bytes).map_err(|error| broken(&error.to_string()))?;
    let metadata: BTreeMap<_, _> = header.metadata().iter().flatten().collect();
    let said = |key: &str| {
        metadata.get(&key.to_owned()).ok_or_else(|| broken(&format!("it lacks `{key}`")))
    };
    let progress = serde_json::from_str(said("progress")?).map_err(|e| broken(&e.to_string()))?;
    let n_steps = said("n_steps")?.parse().map_err(|_| broken("its step count is not a number"))?;
    let part = |part: &str| -> Result<Weights, ModelError> {
        let values = net.parameters.iter().map(|parameter| {
            let name = format!("{part}.{}", parameter.name);
            read_f32(&file, &name, &parameter.shape).map_err(|message| broken(&message))
        });
        values.collect::<Result<_, _>>().map(Weights)
    };
    let [weights, first, second, best, average] = PARTS;
    let optional = |name: &str| {
        let is_there = file.names().iter().any(|array| array.starts_with(&format!("{name}.")));
        is_there.then(|| part(name)).transpose()
    };
    let (best_weights, average) = (optional(best)?, optional(average)?);
    let moments = [part(first)?, part(second)?];
    let state = State { weights: part(weights)?, moments, n_steps };
    Ok(Snapshot { state, progress, best_weights, average })
}

fn broken(message: &str) -> ModelError {
    ModelError::Snapshot(message.to_owned())
}
