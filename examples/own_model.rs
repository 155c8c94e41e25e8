//! Registers a model of its own, the nearest class mean, and runs it from a spec like any other.
//!
//!     cargo run --release --example own_model

#![expect(clippy::print_stdout, reason = "an example shows its result")]

use std::error::Error;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use encore::dataset::Catalogue;
use encore::experiment::{Event, Observer, Options, Plan, SideBySide, Workspace, run_all};
use encore::model::{
    self, Entry, Examples, FitInput, Fitted, FittedModel, Model, ModelError, Reader,
    TrainingObserver,
};
use encore::record::Store;
use encore::schema::Real;
use encore::vocab::{Outputs, Task};

/// `[model.nearest_mean]`, with one setting.
static NEAREST_MEAN: Entry = Entry {
    name: "nearest_mean",
    doc: "The class whose mean is nearest: softmax of the negative squared distances.",
    tasks: &[Task::Classes],
    read: Reader::AtOnce(|fields, _shape| {
        let sharpness = fields.with_default("sharpness", &Real::positive(), 1.0);
        Box::new(NearestMean { sharpness })
    }),
};

struct NearestMean {
    sharpness: f64,
}

/// The fitted model: the mean of every class, `[n_classes, width]`.
struct Means {
    sharpness: f64,
    width: usize,
    means: Vec<f64>,
}

impl Model for NearestMean {
    fn fit(
        &self,
        input: &FitInput,
        _observer: &mut dyn TrainingObserver,
    ) -> Result<Fitted, ModelError> {
        let train = &input.train;
        train.check_for_fit()?;
        let width = train.width();
        let mut counts = vec![0.0; train.n_outputs];
        let mut means = vec![0.0; train.n_outputs * width];
        for index in 0..train.len() {
            let class = train.label(index);
            counts[class] += 1.0;
            let sums = &mut means[class * width..][..width];
            sums.iter_mut().zip(train.example(index)).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        for (sums, count) in means.chunks_mut(width).zip(&counts) {
            // A class that training never sees keeps its mean at 0.
            sums.iter_mut().for_each(|sum| *sum /= f64::max(*count, 1.0));
        }
        let n_parameters = means.len();
        let model = Box::new(Means { sharpness: self.sharpness, width, means });
        Ok(Fitted { model, n_parameters, kept_epoch: None, notes: vec![] })
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let n_classes = outputs.n;
        let path = folder.join("means.json");
        let fault =
            |message: String| ModelError::File { path: path.display().to_string(), message };
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let means: Vec<f64> =
            serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        let width: usize = shape.iter().product();
        if means.len() != n_classes * width {
            return Err(fault(format!(
                "expected {n_classes} means of {width} numbers, found {} numbers",
                means.len()
            )));
        }
        Ok(Box::new(Means { sharpness: self.sharpness, width, means }))
    }
}

impl FittedModel for Means {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        let mut probabilities = vec![];
        for index in 0..examples.len() {
            let example = examples.example(index);
            let closeness = |mean: &[f64]| {
                let squares = mean.iter().zip(example).map(|(m, x)| (m - f64::from(*x)).powi(2));
                -self.sharpness * squares.sum::<f64>() / self.width as f64
            };
            let scores: Vec<f64> = self.means.chunks(self.width).map(closeness).collect();
            let best = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let shares: Vec<f64> = scores.iter().map(|score| (score - best).exp()).collect();
            let sum: f64 = shares.iter().sum();
            probabilities.extend(shares.iter().map(|share| (share / sum) as f32));
        }
        Ok(probabilities)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let path = folder.join("means.json");
        let text = serde_json::to_string(&self.means).expect("numbers are plain data");
        std::fs::write(&path, text).map_err(|error| {
            let (path, message) = (path.display().to_string(), error.to_string());
            ModelError::File { path, message }
        })
    }
}

const SPEC: &str = r#"
title    = "The nearest class mean on standardized song features"
question = "How far do means alone get?"
dataset  = "spotify-songs"
seeds    = [1]

[features.table]
columns = ["danceability", "energy", "loudness", "acousticness", "valence", "tempo"]

[preprocess]
standardize = true

[split.random]
by = "track"
stratify = true
test = 0.25
valid = 0.0

[model.nearest_mean]
sharpness = 2.0
"#;

struct Silent;

impl Observer for Silent {
    fn event(&self, _event: &Event) {}
}

fn main() -> Result<(), Box<dyn Error>> {
    model::register(&NEAREST_MEAN)?;
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalogue = Catalogue::open(&project.join("datasets"))?;
    let name = "nearest-mean".to_owned();
    let plan =
        Plan::from_text(name, "own_model.rs", SPEC.to_owned(), &catalogue, &Options::default())?;
    let store = Store::new(std::env::temp_dir().join("encore-example-own-model/runs"));
    let stop = AtomicBool::new(false);
    let workspace =
        Workspace { catalogue: &catalogue, store: &store, project, stop: &stop, observer: &Silent };
    let here = SideBySide {
        program: None,
        n_jobs: Some(1),
        checkpoint_every: Duration::from_secs(10),
        forbid_leaks: false,
    };
    for outcome in run_all(&[plan], workspace, here) {
        let record = outcome.result?.record;
        println!("{}: test accuracy {:.3}", record.title, record.scored().main());
    }
    Ok(())
}
