//! Comparison of our engine with burn's.

use super::super::super::super::Device;
use super::super::super::burn::BurnEngine;
use super::super::super::cnn::tests::{CNN_2, net};
use super::*;
use crate::kernels::loss::Loss;

const ADAM: Optimizer = Optimizer::adam(1e-3);

fn batch(n: usize, width: usize, step: u64) -> Batch {
    let mut rng = Seed(7).rng("test", &[step]);
    let inputs = (0..n * width).map(|_| rng.normal() as f32).collect();
    Batch { n, inputs, labels: (0..n).map(|i| i % 10).collect(), targets: vec![] }
}

#[test]
fn three_steps_and_the_logits_after_them_equal_burns() {
    let text = CNN_2.replace(", dropout = 0.2", "").replace(", dropout = 0.1", "");
    equals_burns(&net(&text.replace(", dropout = 0.5", ""), &[40, 13], 10));
}

#[test]
fn of_tags_and_numbers_they_equal_burns() {
    for loss in [Loss::BinaryCrossEntropy, Loss::SquaredError] {
        equals_burns(&Net { loss, ..net(CNN_2, &[40, 13], 10) });
        let kinds =
            [Kind::Dense { units: 9, l2: 0.01 }, Kind::Relu, Kind::Dense { units: 10, l2: 0.0 }];
        equals_burns(&Net { loss, ..Net::new([1, 1, 7], &kinds).unwrap() });
    }
}

#[test]
fn with_dropout_and_penalties_they_equal_burns_too() {
    equals_burns(&net(CNN_2, &[40, 13], 10));
    let kinds = [
        Kind::Dense { units: 32, l2: 0.01 },
        Kind::Relu,
        Kind::Dropout { rate: 0.3 },
        Kind::Dense { units: 16, l2: 0.001 },
        Kind::Relu,
        Kind::Dropout { rate: 0.5 },
        Kind::Dense { units: 10, l2: 0.0 },
    ];
    equals_burns(&Net::new([1, 1, 70], &kinds).unwrap());
    // Images of 6 x 4 and 3 x 3 after a dropout, several channels, and a block without pooling.
    let kinds = [
        Kind::conv(5, [3, 3]),
        Kind::Relu,
        Kind::MaxPool { size: [2, 2], stride: [2, 2] },
        Kind::Dropout { rate: 0.4 },
        Kind::conv(7, [4, 2]),
        Kind::Relu,
        Kind::BatchNorm(Norm::default()),
        Kind::Dropout { rate: 0.2 },
        Kind::Flatten,
        Kind::Dense { units: 10, l2: 0.02 },
    ];
    equals_burns(&Net::new([14, 10, 2], &kinds).unwrap());
}

#[test]
fn every_layer_equals_burns() {
    for net in varied() {
        let last = Kind::Dense { units: 10, l2: 0.02 };
        let kinds: Vec<Kind> = net.layers.iter().map(|layer| layer.kind.clone()).collect();
        let (_, hidden) = kinds.split_last().unwrap();
        let mut net = Net::new(INPUT, &[hidden, &[last]].concat()).unwrap();
        equals_burns(&net);
        net.decay_only_kernels();
        equals_burns(&net);
    }
}

fn equals_burns(net: &Net) {
    let clipped = Some(0.5);
    for (optimizer, clip) in [
        (ADAM, None),
        (ADAM, clipped),
        (
            Optimizer::Sgd {
                learning_rate: 1e-2,
                momentum: 0.9,
                nesterov: true,
                weight_decay: 0.01,
            },
            clipped,
        ),
        (Optimizer::RmsProp { learning_rate: 1e-3, rho: 0.9, momentum: 0.5, epsilon: 1e-7 }, None),
    ] {
        let weights = Weights::start(net, Seed(3));
        let mut ours = FusedEngine::new(net, &weights, optimizer, clip, 64).unwrap();
        let mut burns = BurnEngine::new(net.clone(), weights, optimizer, clip, Device::Cpu);
        for step in 0..3 {
            let key = StepKey { seed: Seed(1), epoch: 1, step };
            let mut given = batch(9, net.width(), step as u64);
            if step == 2 || net.loss != Loss::SoftmaxCrossEntropy {
                given.targets = (0..90).map(|i| [0.1, 0.0, 0.4][i % 3]).collect();
            }
            let (a, b) = (ours.step(&given, key, 1e-3), burns.step(&given, key, 1e-3));
            let said = format!("{optimizer:?}, clip {clip:?}, step {step}: {a:?} {b:?}");
            assert!((a.loss - b.loss).abs() < 2e-3 * b.loss, "{said}");
        }
        let inputs = batch(5, net.width(), 9).inputs;
        let (a, b) = (ours.outputs(inputs.clone()), burns.outputs(inputs));
        let largest = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 2e-2, "{optimizer:?}, clip {clip:?}: {largest}");
    }
}

#[test]
fn both_engines_go_on_from_a_state_as_if_nothing_had_been() {
    let net = net(CNN_2, &[40, 13], 10);
    let weights = Weights::start(&net, Seed(3));
    let fused = || -> Box<dyn Engine> {
        Box::new(FusedEngine::new(&net, &weights, ADAM, None, 64).unwrap())
    };
    let burns = || -> Box<dyn Engine> {
        Box::new(BurnEngine::new(net.clone(), weights.clone(), ADAM, None, Device::Cpu))
    };
    let makers: [&dyn Fn() -> Box<dyn Engine>; 2] = [&fused, &burns];
    for make in makers {
        let step = |engine: &mut dyn Engine, step: usize| {
            let key = StepKey { seed: Seed(1), epoch: 1, step };
            engine.step(&batch(9, net.width(), step as u64), key, 1e-3)
        };
        let mut through = make();
        step(through.as_mut(), 0);
        let half_way = through.state();
        let wanted = step(through.as_mut(), 1);
        let mut resumed = make();
        resumed.set_state(&half_way);
        assert_eq!(step(resumed.as_mut(), 1), wanted);
        assert_eq!(resumed.state(), through.state());
        assert_ne!(resumed.state().moments, half_way.moments);
    }
}

#[test]
fn what_the_kernels_do_not_know_is_left_to_burn() {
    let known = |input: Shape, kinds: &[Kind]| {
        let net = Net::new(input, kinds).unwrap();
        FusedEngine::new(&net, &Weights::start(&net, Seed(3)), ADAM, None, 64).is_some()
    };
    let last = Kind::Dense { units: 2, l2: 0.0 };
    let conv = Kind::conv(1, [1, 1]);
    let pool = |side| Kind::MaxPool { size: [side; 2], stride: [2, 2] };
    let with = |pool: Kind| [conv.clone(), Kind::Relu, pool, Kind::Flatten, last.clone()];
    assert!(known([4, 3, 1], &with(pool(15))));
    assert!(!known([4, 3, 1], &with(pool(16))), "places of 256 values do not fit a byte");
    assert!(!known([1, 1, 4], &[]) && !known([1, 1, 4], &[last.clone(), Kind::Relu]));
    assert!(!known([1, 1, 4], &[last.clone(), conv.clone(), Kind::Relu, last.clone()]));
    let dropout = Kind::Dropout { rate: 0.5 };
    assert!(
        !known([1, 1, 4], &[last.clone(), dropout, last.clone()]),
        "zeros tell it behind ReLU only"
    );
    assert!(!known([1, 1, 4], &[Kind::Dense { units: 0, l2: 0.0 }, Kind::Relu, last]));
}
