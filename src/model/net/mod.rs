//! Neural nets: lists of layers as in Keras, trained by our own loop.
//!
//! | file | content |
//! |---|---|
//! | `dense`, `cnn` | read `[model.dense]` and `[model.cnn]` into a list of layers |
//! | `layer` | layers, their shapes and arrays |
//! | `weights` | the values: initialization, saving, loading |
//! | `batches`, `fit` | shuffling and augmentation; epochs and early stopping |
//! | `engine` | the interface between the loop and the engines |
//! | `burn` | the engine based on burn: any net on any device; also the reference for the other engine |
//! | `fused` | the engine based on our own kernels: much faster |
//! | `range_test` | the loss at every learning rate |
//! | `import` | weights of Keras and PyTorch |
//! | `snapshot` | an unfinished training, as bytes |
//!
//! All randomness depends on the seed of the fit and is drawn here. burn's own generator is never
//! used, because the whole process shares it.

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
    Device, Examples, FitInput, Fitted, FittedModel, Layout, Model, ModelError, Probe, RangeTest,
    Training, TrainingObserver,
};
use crate::kernels::loss::softmax;
use crate::vocab::Outputs;
use batches::Batches;
use burn::BurnEngine;
pub(super) use burn::has_device;
use engine::Engine;
use fused::FusedEngine;
use layer::{Kind, Net, Shape};
use weights::Weights;

/// The arrays of a saved net.
const FILE: &str = "model.safetensors";
/// The layers, for other programs that read the arrays.
const ARCHITECTURE: &str = "architecture.json";

/// A checked net of any kind, without its last layer, whose width is the number of classes.
struct NetModel {
    /// Converts an example's shape for the first layer.
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
    /// Checks the input of a fit; returns the net and the scaler fitted to the training examples.
    fn prepare(&self, job: &FitInput) -> Result<(Net, Option<Scaler>), ModelError> {
        job.train.check_for_fit()?;
        job.valid.check_for_predict(job.train.shape)?;
        if !job.valid.is_empty() {
            job.valid.check_for_fit()?;
        }
        let net = self.net(job.train.shape, job.train.n_outputs).map_err(ModelError::Examples)?;
        Ok((net, self.standardize.then(|| Scaler::fit(&job.train))))
    }

    /// Chooses the engine: on the CPU our own kernels if they support everything, otherwise burn.
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
            model: Box::new(NetClassifier { net, weights, scaler, shape }),
            n_parameters,
            kept_epoch: Some(ended.kept_epoch),
            notes: ended.notes,
        })
    }

    fn import(&self, job: &FitInput, file: &Path, layout: Layout) -> Result<Fitted, ModelError> {
        let (net, scaler) = self.prepare(job)?;
        let (weights, notes) = import::import(&net, file, layout)?;
        let (n_parameters, shape) = (net.n_parameters(), job.train.shape.to_vec());
        let model = Box::new(NetClassifier { net, weights, scaler, shape });
        Ok(Fitted { model, n_parameters, kept_epoch: None, notes })
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
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let n_classes = outputs.n;
        let net = self.net(shape, n_classes).map_err(ModelError::Examples)?;
        let more = if self.standardize { scaler_arrays(net.width()) } else { vec![] };
        let (weights, rest) = Weights::load(&net, &more, &folder.join(FILE))?;
        let scaler =
            <[Vec<f32>; 2]>::try_from(rest).ok().map(|[mean, scale]| Scaler { mean, scale });
        Ok(Box::new(NetClassifier { net, weights, scaler, shape: shape.to_vec() }))
    }
}

/// Returns the names and shapes of a scaler's arrays in the file.
fn scaler_arrays(width: usize) -> Vec<(String, Vec<usize>)> {
    ["standardize.mean", "standardize.scale"].map(|name| (name.to_owned(), vec![width])).into()
}

/// The content of `architecture.json`.
#[derive(serde::Serialize)]
struct Architecture<'a> {
    file: &'a str,
    layout: &'a str,
    /// The shape of one example.
    example: &'a [usize],
    /// Whether `standardize.mean` and `standardize.scale` are applied before the first layer.
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

impl FittedModel for NetClassifier {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
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
