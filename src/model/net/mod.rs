//! Neural nets: layer lists in Keras's semantics, trained by our own loop.
//!
//! | file | its one job |
//! |---|---|
//! | `dense`, `cnn` | read `[model.dense]` and `[model.cnn]` into a list of layers |
//! | `layer` | layers, their shapes and arrays |
//! | `weights` | the values: drawn, saved, loaded |
//! | `batches`, `fit` | shuffling and augmentation; epochs and early stopping |
//! | `engine` | what the loop asks of whoever computes |
//! | `burn` | the engine that computes with burn: any net on any device, and what the other is checked against |
//! | `fused` | the engine that computes with our own kernels: much faster |
//! | `range_test` | the loss at every learning rate |
//! | `import` | weights of Keras and PyTorch |
//! | `snapshot` | a training half-way, as bytes |
//!
//! All randomness is keyed by the job's seed and drawn here, never by burn, whose generator is
//! shared by the whole process.

mod batches;
mod burn;
pub(super) mod cnn;
pub(super) mod dense;
mod engine;
mod fit;
mod fused;
mod import;
mod layer;
mod range_test;
mod snapshot;
mod weights;

use std::path::Path;

use super::files::{Array, write_json};
use super::scaler::Scaler;
use super::{
    Classifier, Device, Examples, FitInput, Fitted, Layout, Model, ModelError, Probe, RangeTest,
    Training, TrainingObserver,
};
use crate::kernels::loss::softmax;
use batches::Batches;
use burn::BurnEngine;
pub(super) use burn::has_device;
use engine::Engine;
use fused::FusedEngine;
use layer::{Kind, Net, Shape};
use weights::Weights;

/// The arrays of a saved net.
const FILE: &str = "model.safetensors";
/// Its layers, for whoever reads the arrays with another program.
const ARCHITECTURE: &str = "architecture.json";

/// A checked net of any kind, all but its last layer, whose width is the number of classes.
struct NetModel {
    /// How an example's shape is seen by the first layer.
    input: fn(&[usize]) -> Result<Shape, String>,
    hidden: Vec<Kind>,
    standardize: bool,
    training: Training,
}

impl NetModel {
    fn net(&self, shape: &[usize], n_classes: usize) -> Result<Net, String> {
        let mut kinds = self.hidden.clone();
        kinds.push(Kind::Dense { units: n_classes, l2: 0.0 });
        Net::new((self.input)(shape)?, &kinds)
    }
}

impl NetModel {
    /// Checks a job; the net for it, and the scaler fitted to its training examples.
    fn prepare(&self, job: &FitInput) -> Result<(Net, Option<Scaler>), ModelError> {
        job.train.check_for_fit()?;
        job.valid.check_for_predict(job.train.shape)?;
        if !job.valid.is_empty() {
            job.valid.check_for_fit()?;
        }
        let net = self.net(job.train.shape, job.train.n_classes).map_err(ModelError::Examples)?;
        Ok((net, self.standardize.then(|| Scaler::fit(&job.train))))
    }

    /// On the CPU the fused kernels where they know all that is asked for, burn's operations else.
    fn engine(&self, net: &Net, weights: Weights, device: Device) -> Box<dyn Engine> {
        let Training { optimizer, clip_norm, batch_size, .. } = self.training;
        let max_batch = batch_size.max(fit::CHUNK);
        let fused = match device {
            Device::Cpu => FusedEngine::new(net, &weights, optimizer, clip_norm, max_batch),
            #[cfg(any(feature = "wgpu", feature = "cuda"))]
            _ => None,
        };
        match fused {
            Some(engine) => Box::new(engine),
            None => Box::new(BurnEngine::new(net.clone(), weights, optimizer, clip_norm, device)),
        }
    }
}

impl Model for NetModel {
    fn fit(&self, job: &FitInput, watch: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        let (net, scaler) = self.prepare(job)?;
        let weights = Weights::start(&net, job.seed);
        let mut engine = self.engine(&net, weights, job.device);
        let ended = fit::train(engine.as_mut(), &net, job, &self.training, scaler.as_ref(), watch)?;
        let n_parameters = net.n_parameters();
        let weights = engine.weights();
        let shape = job.train.shape.to_vec();
        Ok(Fitted {
            classifier: Box::new(NetClassifier { net, weights, scaler, shape }),
            n_parameters,
            kept_epoch: Some(ended.kept_epoch),
            notes: ended.notes,
        })
    }

    fn import(&self, job: &FitInput, file: &Path, layout: Layout) -> Result<Fitted, ModelError> {
        let (net, scaler) = self.prepare(job)?;
        let (weights, notes) = import::import(&net, file, layout)?;
        let (n_parameters, shape) = (net.n_parameters(), job.train.shape.to_vec());
        let classifier = Box::new(NetClassifier { net, weights, scaler, shape });
        Ok(Fitted { classifier, n_parameters, kept_epoch: None, notes })
    }

    fn range_test(&self, job: &FitInput, test: RangeTest) -> Result<Vec<Probe>, ModelError> {
        let (net, scaler) = self.prepare(job)?;
        let mut engine = self.engine(&net, Weights::start(&net, job.seed), job.device);
        range_test::range_test(engine.as_mut(), job, &self.training, scaler.as_ref(), test)
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        n_classes: usize,
    ) -> Result<Box<dyn Classifier>, ModelError> {
        let net = self.net(shape, n_classes).map_err(ModelError::Examples)?;
        let more = if self.standardize { scaler_arrays(net.width()) } else { vec![] };
        let (weights, rest) = Weights::load(&net, &more, &folder.join(FILE))?;
        let scaler =
            <[Vec<f32>; 2]>::try_from(rest).ok().map(|[mean, scale]| Scaler { mean, scale });
        Ok(Box::new(NetClassifier { net, weights, scaler, shape: shape.to_vec() }))
    }
}

/// The names and shapes of a scaler's arrays in the file.
fn scaler_arrays(width: usize) -> Vec<(String, Vec<usize>)> {
    ["standardize.mean", "standardize.scale"].map(|name| (name.to_owned(), vec![width])).into()
}

/// What `architecture.json` says.
#[derive(serde::Serialize)]
struct Architecture<'a> {
    file: &'a str,
    layout: &'a str,
    /// The shape of one example.
    example: &'a [usize],
    /// Whether `standardize.mean` and `standardize.scale` come before the first layer.
    standardized: bool,
    n_parameters: usize,
    layers: &'a [layer::Layer],
}

/// A trained net.
struct NetClassifier {
    net: Net,
    weights: Weights,
    scaler: Option<Scaler>,
    shape: Vec<usize>,
}

impl Classifier for NetClassifier {
    fn predict_proba(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        let logits = self.logits(examples)?.expect("a net has logits");
        Ok(softmax(&logits, self.net.n_classes()))
    }

    fn logits(&self, examples: &Examples) -> Result<Option<Vec<f32>>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let mut logits = Vec::with_capacity(examples.len() * self.net.n_classes());
        let mut engine = FusedEngine::for_prediction(&self.net, &self.weights, fit::CHUNK);
        for batch in Batches::in_order(*examples, self.scaler.as_ref(), fit::CHUNK).iter() {
            logits.extend(match &mut engine {
                Some(engine) => engine.logits(batch.inputs),
                None => burn::logits(&self.net, &self.weights, batch.inputs, Device::Cpu),
            });
        }
        Ok(Some(logits))
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let more = match &self.scaler {
            None => vec![],
            Some(scaler) => scaler_arrays(self.net.width())
                .into_iter()
                .zip([&scaler.mean, &scaler.scale])
                .map(|((name, shape), values)| Array { name, shape, values })
                .collect(),
        };
        let architecture = Architecture {
            file: FILE,
            layout: "Keras: channels last, kernels [height, width, in, out] and [in, out]",
            example: &self.shape,
            standardized: self.scaler.is_some(),
            n_parameters: self.net.n_parameters(),
            layers: &self.net.layers,
        };
        write_json(&folder.join(ARCHITECTURE), &architecture)?;
        self.weights.save(&self.net, more, &folder.join(FILE))
    }
}

#[cfg(test)]
mod tests;
