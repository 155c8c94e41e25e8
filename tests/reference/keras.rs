//! Compares the report's nets, with weights trained by Keras, with Keras's predictions.

use std::path::Path;

use encore::model::{Device, Examples, FitInput, Layout, MODELS, Model, Reader, Training};
use encore::schema::{self, Tree};
use encore::vocab::{Seed, Targets};

const N_ROWS: usize = 999;
const N_CLASSES: usize = 10;
const SHAPE: [usize; 2] = [130, 13];
/// Maximum difference of any logit.
const TOLERANCE: f64 = 1e-3;

const TRAINING: &str =
    "[training]\noptimizer.adam = { learning_rate = 1e-4 }\nbatch_size = 64\nepochs = 1\n";
const CNN_1: &str = "[model.cnn]\n\
     blocks = [{ filters = 32, kernel = [3, 3], pool = [3, 3] },\n\
     { filters = 64, kernel = [3, 3], pool = [3, 3] },\n\
     { filters = 64, kernel = [2, 2], pool = [2, 2] }]\n\
     dense = [{ units = 64 }]\n";
const CNN_2: &str = "[model.cnn]\n\
     blocks = [{ filters = 32, kernel = [3, 3], pool = [3, 3], batch_norm = true, dropout = 0.2 },\n\
     { filters = 64, kernel = [3, 3], pool = [3, 3], batch_norm = true, dropout = 0.1 },\n\
     { filters = 64, kernel = [2, 2], pool = [2, 2], batch_norm = true, dropout = 0.1 }]\n\
     dense = [{ units = 128, dropout = 0.5 }]\n";

#[test]
#[ignore = "needs the real data that ENCORE_TEST_DATA names"]
fn keras_weights_give_kerass_logits() {
    let folder = super::data().join("reference");
    let matrix = npy(&folder.join("gtzan-mini.mfcc13.npy"), N_ROWS * SHAPE[0] * SHAPE[1]);
    let rows: Vec<usize> = (0..N_ROWS).collect();
    let examples = Examples {
        shape: &SHAPE,
        matrix: &matrix,
        targets: &Targets::Classes(vec![0; N_ROWS]),
        rows: &rows,
        n_outputs: N_CLASSES,
    };
    for (number, spec) in [(1, CNN_1), (2, CNN_2), (3, CNN_2)] {
        let weights = folder.join(format!("report-keras-models/cnn-{number}.safetensors"));
        let none = Examples { rows: &[], ..examples };
        let job = FitInput {
            train: examples,
            valid: none,
            seed: Seed(1),
            device: Device::Cpu,
            resume: None,
            fresh: None,
            until: None,
        };
        let fitted = model(spec).import(&job, &weights, Layout::Keras).unwrap();
        let got = fitted.model.logits(&examples).unwrap().expect("a net has logits");
        let wanted = folder.join(format!("gtzan-mini.model_cnn{number}.logits.npy"));
        let wanted = npy(&wanted, N_ROWS * N_CLASSES);

        let mut largest = 0.0_f64;
        let mut n_compared = 0;
        for (got, wanted) in got.iter().zip(&wanted) {
            largest = largest.max(f64::from(got - wanted).abs());
            n_compared += 1;
        }
        println!("cnn-{number}: largest difference {largest:.2e} over {n_compared} logits");
        assert!(largest < TOLERANCE, "cnn-{number}: {largest}");
        assert_eq!(n_compared, N_ROWS * N_CLASSES);
    }
}

fn model(spec: &str) -> Box<dyn Model> {
    let tree = Tree::parse("x.toml", &format!("{spec}{TRAINING}"));
    let tree = tree.expect("the specs above are TOML");
    let entry = MODELS.iter().find(|entry| entry.name == "cnn").expect("the cnn is listed");
    let Reader::Epochs(read) = entry.read else { panic!("a net is trained over epochs") };
    let read_spec = |fields: &mut schema::Fields| {
        let training = fields.table("training", |fields| Training::read(fields, None));
        let training = training.expect("the specs above have a training table");
        fields.choice("model", &["cnn"], |_, fields| read(fields, training.clone(), Some(&SHAPE)))
    };
    schema::read(&tree, read_spec)
        .unwrap_or_else(|faults| panic!("{faults}"))
        .0
        .expect("no fault, so a model")
}

/// Reads the numbers of a little-endian f32 array in C order, ignoring the header.
fn npy(path: &Path, n: usize) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let numbers = &bytes[bytes.len() - 4 * n..];
    let (numbers, _) = numbers.as_chunks::<4>();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
