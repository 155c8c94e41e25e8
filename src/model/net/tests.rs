//! Whole nets: arithmetic by hand, gradients by finite differences, determinism.

use super::super::Augment;
use super::super::tests::Silent;
use super::super::training::{EarlyStopping, Optimizer};
use super::engine::{Batch, StepKey};
use super::*;
use crate::vocab::{Seed, Sha256};

const KEY: StepKey = StepKey { seed: Seed(7), epoch: 1, step: 0 };

fn logits(input: Shape, kinds: &[Kind], weights: Vec<Vec<f32>>, inputs: &[f32]) -> Vec<f32> {
    let net = Net::new(input, kinds).unwrap();
    flex::logits(&net, &Weights(weights), inputs.to_vec())
}

#[test]
fn pooling_ignores_padding_and_puts_more_of_it_at_the_end() {
    // Windows start at row 0 and 2 and at column -1, 1 and 3; all values are below 0, so that a
    // padding of 0 would win.
    let input: Vec<f32> = (1..=20).map(|x| -(x as f32)).collect();
    let pool = Kind::MaxPool { size: [3, 3], stride: [2, 2] };
    let got = logits([4, 5, 1], &[pool, Kind::Flatten], vec![], &input);
    assert_eq!(got, [-1.0, -2.0, -4.0, -11.0, -12.0, -14.0]);
    // An even window at stride 1 is padded at the end only.
    let pool = Kind::MaxPool { size: [2, 2], stride: [1, 1] };
    let got = logits([2, 2, 1], &[pool, Kind::Flatten], vec![], &[-1.0, -2.0, -3.0, -4.0]);
    assert_eq!(got, [-1.0, -2.0, -3.0, -4.0]);
    // A stride larger than the window.
    let pool = Kind::MaxPool { size: [1, 1], stride: [2, 2] };
    let got = logits([3, 1, 1], &[pool, Kind::Flatten], vec![], &[-1.0, -2.0, -3.0]);
    assert_eq!(got, [-1.0, -3.0]);
}

#[test]
fn convolution_is_a_correlation_in_kerass_layout() {
    // One input row of two channels; kernel [1, 2, 2, 1] = 1, 10 at the first place, 100, 1000 at
    // the second.
    let kind = Kind::Conv { filters: 1, kernel: [1, 2] };
    let weights = vec![vec![1.0, 10.0, 100.0, 1000.0], vec![0.5]];
    let got = logits([1, 3, 2], &[kind], weights, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(got, [1.0 + 20.0 + 300.0 + 4000.0 + 0.5, 3.0 + 40.0 + 500.0 + 6000.0 + 0.5]);
}

#[test]
fn flattening_goes_by_time_then_coefficient_then_channel() {
    let input: Vec<f32> = (0..12).map(|x| x as f32).collect();
    assert_eq!(logits([2, 3, 2], &[Kind::Flatten], vec![], &input), input);
}

#[test]
fn batch_norm_uses_moving_statistics_and_blends_in_the_batch() {
    let kinds = [Kind::BatchNorm, Kind::Flatten];
    let weights = vec![vec![2.0], vec![1.0], vec![3.0], vec![4.0 - 1e-3]];
    assert_eq!(logits([2, 1, 1], &kinds, weights.clone(), &[3.0, 5.0]), [1.0, 3.0]);

    let net = Net::new([2, 1, 1], &kinds).unwrap();
    let rule = Optimizer::Adam { learning_rate: 1e-9, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 };
    let mut engine = FlexEngine::new(net, Weights(weights), rule);
    engine.step(Batch { inputs: vec![3.0, 5.0], labels: vec![0] }, KEY);
    // Batch mean 4, biased variance 1.
    let moved = &engine.weights().0;
    assert!((moved[2][0] - (0.99 * 3.0 + 0.01 * 4.0)).abs() < 1e-6);
    assert!((moved[3][0] - (0.99 * 3.999 + 0.01 * 1.0)).abs() < 1e-6);
}

#[test]
fn dropout_is_off_outside_training() {
    let kinds = [Kind::Dropout { rate: 0.5 }, Kind::Flatten];
    assert_eq!(logits([1, 1, 4], &kinds, vec![], &[1.0, 2.0, 3.0, 4.0]), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn gradients_agree_with_finite_differences() {
    let kinds = [
        Kind::Conv { filters: 3, kernel: [3, 2] },
        Kind::Relu,
        Kind::BatchNorm,
        Kind::MaxPool { size: [3, 2], stride: [2, 2] },
        Kind::Dropout { rate: 0.3 },
        Kind::Flatten,
        Kind::Dense { units: 5, l2: 0.05 },
        Kind::Relu,
        Kind::Dense { units: 3, l2: 0.0 },
    ];
    let net = Net::new([9, 5, 2], &kinds).unwrap();
    let weights = Weights::start(&net, Seed(3));
    let mut rng = Seed(4).rng("test", &[]);
    let inputs: Vec<f32> = (0..4 * 90).map(|_| rng.normal() as f32).collect();
    let batch = Batch { inputs, labels: vec![0, 1, 2, 1] };
    let loss = |weights: &Weights| {
        let found = flex::gradients(&net, weights, batch.clone(), KEY);
        found.tally.loss / 4.0 + weights.penalty(&net)
    };
    let found = flex::gradients(&net, &weights, batch.clone(), KEY);
    let mut n_checked = 0;
    for (index, parameter) in net.parameters.iter().enumerate() {
        if !parameter.trainable {
            assert!(found.by_parameter[index].is_empty());
            continue;
        }
        for place in (0..parameter.len()).step_by(7) {
            let mut moved = weights.clone();
            let h = 1e-3_f32;
            moved.0[index][place] = weights.0[index][place] + h;
            let above = loss(&moved);
            moved.0[index][place] = weights.0[index][place] - h;
            let slope = (above - loss(&moved)) / (2.0 * f64::from(h));
            let got = f64::from(found.by_parameter[index][place]);
            assert!(
                (got - slope).abs() < 2e-3 + 0.02 * slope.abs(),
                "{} at {place}: {got}, by differences {slope}",
                parameter.name
            );
            n_checked += 1;
        }
    }
    assert!(n_checked > 15, "{n_checked}");
}

/// A few epochs of a small net with everything random in it; the hash of the saved file.
fn trained(seed: u64) -> String {
    let mut rng = Seed(9).rng("test", &[]);
    let matrix: Vec<f32> = (0..40 * 12 * 6).map(|_| rng.normal() as f32).collect();
    let labels: Vec<usize> = (0..40).map(|i| i % 3).collect();
    let rows: Vec<usize> = (0..40).collect();
    let examples =
        |rows| Examples { shape: &[12, 6], matrix: &matrix, labels: &labels, rows, n_classes: 3 };
    let training = Training {
        optimizer: Optimizer::Adam {
            learning_rate: 1e-3,
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
        },
        batch_size: 9,
        epochs: 3,
        early_stopping: Some(EarlyStopping { patience: 2, min_delta: 0.0, restore_best: true }),
        augment: vec![Augment::TimeReversal],
    };
    let hidden = vec![
        Kind::Conv { filters: 8, kernel: [3, 3] },
        Kind::Relu,
        Kind::BatchNorm,
        Kind::MaxPool { size: [3, 3], stride: [2, 2] },
        Kind::Dropout { rate: 0.2 },
        Kind::Flatten,
        Kind::Dense { units: 16, l2: 0.001 },
        Kind::Relu,
    ];
    let input = |shape: &[usize]| Ok([shape[0], shape[1], 1]);
    let model = NetModel { input, hidden, standardize: true, training };
    let job = Job { train: examples(&rows[..30]), valid: examples(&rows[30..]), seed: Seed(seed) };
    let fitted = model.fit(&job, &mut Silent).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fitted.classifier.save(folder.path()).unwrap();
    Sha256::new().piece(std::fs::read(folder.path().join(FILE)).unwrap()).hex()
}

#[test]
fn the_same_job_gives_the_same_bits_alone_beside_another_and_on_any_number_of_threads() {
    let alone = trained(1);
    assert_eq!(alone, trained(1));
    assert_ne!(alone, trained(2));
    let beside: Vec<String> = std::thread::scope(|scope| {
        let runs = [1, 2, 1].map(|seed| scope.spawn(move || trained(seed)));
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert_eq!([&beside[0], &beside[2]], [&alone, &alone]);
    for n_threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        assert_eq!(pool.install(|| trained(1)), alone, "with {n_threads} threads");
    }
}
