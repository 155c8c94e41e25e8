//! Neural nets: lists of layers as in Keras, trained by our own loop.
//!
//! | file | content |
//! |---|---|
//! | `dense`, `cnn`, `conv_block` | read `[model.dense]` and `[model.cnn]` into a list of layers |
//! | `kind`, `layer` | layers, their shapes and arrays |
//! | `weights` | the values: initialization, saving, loading |
//! | `goal` | classes, tags or a number: the targets of a training, predictions from outputs |
//! | `batches`, `fit` | shuffling and augmentation; epochs and early stopping |
//! | `views` | what a net sees of an example outside of training: windows, test-time augmentation |
//! | `engine` | the interface between the loop and the engines |
//! | `burn` | the engine based on burn: any net on any device; also the reference for the other engine |
//! | `fused` | the engine based on our own kernels: much faster |
//! | `range_test` | the loss at every learning rate |
//! | `embed` | the output of a layer inside a net |
//! | `import` | weights of Keras and PyTorch |
//! | `snapshot` | an unfinished training, as bytes |
//!
//! All randomness depends on the seed of the fit and is drawn here. burn's own generator is never
//! used, because the whole process shares it.

mod batches;
mod burn;
pub(super) mod cnn;
pub(super) mod conv_block;
pub(super) mod dense;
mod embed;
mod engine;
mod fit;
mod fused;
mod goal;
mod import;
mod kind;
mod layer;
mod range_test;
mod snapshot;
mod views;
mod weights;

use std::path::Path;

use super::files::{Array, file_error, read_json, write_json};
use super::scaler::Scaler;
use super::{
    Device, Examples, FitInput, Fitted, FittedModel, HiddenLayer, Layout, Model, ModelError, Probe,
    RangeTest, Training, TrainingObserver,
};
use crate::vocab::{Outputs, Task};
use burn::BurnEngine;
pub(super) use burn::has_device;
use engine::Engine;
use fused::FusedEngine;
use goal::Goal;
use layer::{Kind, Net, Shape};
use views::{CHUNK, Views};
use weights::Weights;

/// The arrays of a saved net.
const FILE: &str = "model.safetensors";
/// The layers, for other programs that read the arrays.
const ARCHITECTURE: &str = "architecture.json";

/// A checked net of any kind, without its last layer, which has a unit for each class or tag, or one for
/// a number.
struct NetModel {
    /// Converts an example's shape for the first layer.
    input: fn(&[usize]) -> Result<Shape, String>,
    /// The layers for an input shape.
    hidden: Hidden,
    standardize: bool,
    training: Training,
    warnings: Vec<String>,
}

/// Returns the layers for an input shape, or says what does not fit.
type Hidden = Box<dyn Fn(Shape) -> Result<Vec<Kind>, String> + Send + Sync>;

impl NetModel {
    fn net(&self, shape: &[usize], n_outputs: usize, goal: Goal) -> Result<Net, ModelError> {
        let net = (self.input)(&self.training.input_shape(shape)).and_then(|input| {
            let mut kinds = (self.hidden)(input)?;
            kinds.push(Kind::Dense { units: n_outputs, l2: 0.0 });
            Net::new(input, &kinds)
        });
        let mut net = Net { loss: goal.loss(), ..net.map_err(ModelError::Examples)? };
        if self.training.decay_only_kernels {
            net.decay_only_kernels();
        }
        Ok(net)
    }
}

impl NetModel {
    /// Checks the input of a fit; returns the net, and the scaler and the goal fitted to the training
    /// examples.
    fn prepare(&self, job: &FitInput) -> Result<(Net, Option<Scaler>, Goal), ModelError> {
        job.train.check_for_fit()?;
        job.valid.check_for_predict(job.train.shape)?;
        if !job.valid.is_empty() {
            job.valid.check_for_fit()?;
        }
        if self.training.crop.is_some() && self.standardize {
            let said = "a net can't both standardize columns and see windows (training.crop)";
            return Err(ModelError::Examples(said.to_owned()));
        }
        if let Some(crop) = self.training.crop
            && job.train.shape[0] < crop.frames
        {
            let (wanted, shape) = (crop.frames, job.train.shape);
            let said = format!("a window has {wanted} frames, an example of shape {shape:?} fewer");
            return Err(ModelError::Examples(said));
        }
        let goal = Goal::fit(&job.train);
        let net = self.net(job.train.shape, job.train.n_outputs, goal)?;
        Ok((net, self.standardize.then(|| Scaler::fit(&job.train)), goal))
    }

    /// Chooses the engine: on the CPU our own kernels if they support everything, otherwise burn.
    fn engine(&self, net: &Net, weights: Weights, device: Device) -> Box<dyn Engine> {
        let Training { optimizer, clip_norm, batch_size, .. } = self.training;
        let max_batch = batch_size.max(CHUNK);
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
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    fn fit(&self, job: &FitInput, watch: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        let (net, scaler, goal) = self.prepare(job)?;
        let weights = Weights::start(&net, job.seed);
        let mut engine = self.engine(&net, weights, job.device);
        let learned = (scaler.as_ref(), goal);
        let ended = fit::train(engine.as_mut(), &net, job, &self.training, learned, watch)?;
        let n_parameters = net.n_parameters();
        let weights = engine.weights();
        let shape = job.train.shape.to_vec();
        Ok(Fitted {
            model: Box::new(FittedNet {
                net,
                weights,
                scaler,
                goal,
                shape,
                training: self.training.clone(),
            }),
            n_parameters,
            kept_epoch: Some(ended.kept_epoch),
            notes: ended.notes,
        })
    }

    fn import(&self, job: &FitInput, file: &Path, layout: Layout) -> Result<Fitted, ModelError> {
        let (net, scaler, _) = self.prepare(job)?;
        let goal = Goal::of_foreign(job.train.outputs());
        let (weights, notes) = import::import(&net, file, layout)?;
        let (n_parameters, shape) = (net.n_parameters(), job.train.shape.to_vec());
        let training = self.training.clone();
        let model = Box::new(FittedNet { net, weights, scaler, goal, shape, training });
        Ok(Fitted { model, n_parameters, kept_epoch: None, notes })
    }

    fn range_test(&self, job: &FitInput, test: RangeTest) -> Result<Vec<Probe>, ModelError> {
        let (net, scaler, goal) = self.prepare(job)?;
        let mut engine = self.engine(&net, Weights::start(&net, job.seed), job.device);
        let learned = (scaler.as_ref(), goal);
        range_test::range_test(engine.as_mut(), job, &self.training, learned, test)
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let about: About = match folder.join(ARCHITECTURE) {
            path if path.exists() => read_json(&path)?,
            _ => About::default(),
        };
        if about.target != outputs.task {
            let (tells, wanted) = (about.target.words(), outputs.task.words());
            let said = format!("is a net that tells {tells}, expected one that tells {wanted}");
            return Err(file_error(&folder.join(FILE), said));
        }
        let net = self.net(shape, outputs.n, Goal::of_foreign(outputs))?;
        let mut more = if self.standardize { scaler_arrays(net.width()) } else { vec![] };
        let n_of_scaler = more.len();
        more.extend(Goal::arrays(outputs.task));
        let (weights, mut rest) = Weights::load(&net, &more, &folder.join(FILE))?;
        let goal = Goal::from_values(outputs.task, &rest.split_off(n_of_scaler));
        let scaler =
            <[Vec<f32>; 2]>::try_from(rest).ok().map(|[mean, scale]| Scaler { mean, scale });
        let (shape, training) = (shape.to_vec(), self.training.clone());
        Ok(Box::new(FittedNet { net, weights, scaler, goal, shape, training }))
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
    /// The shape of what the net takes: one example, or a window of it.
    example: &'a [usize],
    /// Whether `standardize.mean` and `standardize.scale` are applied before the first layer.
    standardized: bool,
    /// What the outputs tell, if not classes. A number is `target.mean + target.scale * output`.
    #[serde(skip_serializing_if = "Task::is_classes")]
    target: Task,
    n_parameters: usize,
    layers: &'a [layer::Layer],
}

/// What is read back of `architecture.json`.
#[derive(Default, serde::Deserialize)]
struct About {
    #[serde(default)]
    target: Task,
}

/// A trained net.
struct FittedNet {
    net: Net,
    weights: Weights,
    scaler: Option<Scaler>,
    goal: Goal,
    /// The shape of one example.
    shape: Vec<usize>,
    /// How it was trained: what it sees of an example.
    training: Training,
}

impl FittedNet {
    /// Computes the outputs of the last layer.
    fn outputs(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let mut engine = FusedEngine::for_prediction(&self.net, &self.weights, CHUNK);
        let views = Views::of_prediction(&self.training, self.scaler.as_ref(), &self.shape);
        Ok(views.outputs(examples, 0..examples.len(), |inputs| match &mut engine {
            Some(engine) => engine.outputs(inputs),
            None => burn::outputs(&self.net, &self.weights, inputs, Device::Cpu),
        }))
    }
}

impl FittedModel for FittedNet {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        Ok(self.goal.predictions(&self.outputs(examples)?, self.net.n_outputs()))
    }

    fn logits(&self, examples: &Examples) -> Result<Option<Vec<f32>>, ModelError> {
        let outputs = self.outputs(examples)?;
        Ok((self.goal.task() != Task::Number).then_some(outputs))
    }

    fn layers(&self) -> Vec<HiddenLayer> {
        embed::layers(&self.net)
    }

    fn embed(&self, examples: &Examples, layer: &str) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let views = Views::of_validation(&self.training, self.scaler.as_ref(), &self.shape);
        embed::embed(&self.net, &self.weights, &views, examples, layer)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let mut more = match &self.scaler {
            None => vec![],
            Some(scaler) => scaler_arrays(self.net.width())
                .into_iter()
                .zip([&scaler.mean, &scaler.scale])
                .map(|((name, shape), values)| Array { name, shape, values })
                .collect(),
        };
        more.extend(self.goal.values());
        let architecture = Architecture {
            file: FILE,
            layout: "Keras: channels last, kernels [height, width, in, out] and [in, out]",
            example: &self.training.input_shape(&self.shape),
            standardized: self.scaler.is_some(),
            target: self.goal.task(),
            n_parameters: self.net.n_parameters(),
            layers: &self.net.layers,
        };
        write_json(&folder.join(ARCHITECTURE), &architecture)?;
        self.weights.save(&self.net, more, &folder.join(FILE))
    }
}

#[cfg(test)]
mod tests;
