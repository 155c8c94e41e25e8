//! Comparison with PyTorch (`tests/golden/make_layers.py`).

use serde::Deserialize;

use super::super::super::cnn::tests::net;
use super::*;

#[derive(Deserialize)]
struct Golden {
    shape: Vec<usize>,
    n: usize,
    n_classes: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    spec: String,
    loss: f64,
    /// Of the trainable parameters.
    gradients: Vec<Vec<f64>>,
}

/// Returns the numbers of an array, as the script computes them.
fn values(index: usize, n: usize) -> Vec<f32> {
    (0..n).map(|i| (0.5 * (0.7 * i as f64 + 1.3 * index as f64).sin()) as f32).collect()
}

#[test]
fn losses_and_gradients_of_every_layer_are_pytorchs() {
    let text = include_str!("../../../../../tests/golden/layers.json");
    let Golden { shape, n, n_classes, cases } = serde_json::from_str(text).unwrap();
    for Case { spec, loss, gradients } in cases {
        let net = net(&spec, &shape, n_classes);
        let mut weights = Weights::start(&net, Seed(1));
        let trainable = || (0..net.parameters.len()).filter(|&i| net.parameters[i].trainable);
        for (number, index) in trainable().enumerate() {
            let parameter = &net.parameters[index];
            weights.0[index] = values(number + 1, parameter.len());
            if parameter.name.ends_with("gamma") {
                weights.0[index].iter_mut().for_each(|gamma| *gamma = gamma.abs() + 0.5);
            }
        }
        let inputs = values(0, n * net.width()).iter().map(|x| 4.0 * x).collect();
        let labels = (0..n).map(|i| i % n_classes).collect();
        let batch = Batch { n, inputs, labels, targets: vec![] };
        let sgd = Optimizer::sgd(0.1);
        let mut engine = FusedEngine::new(&net, &weights, sgd, None, 16).unwrap();
        let found = engine.step(&batch, key(1), 0.0).loss / n as f64;
        assert!((found - loss).abs() < 1e-5, "{spec}: {found}, not {loss}");
        let all = engine.cut(&engine.arrays.gradients).0;
        assert_eq!(trainable().count(), gradients.len(), "{spec}");
        for (index, expected) in trainable().zip(&gradients) {
            assert_close(&all[index], expected, 1e-5);
        }
    }
}
