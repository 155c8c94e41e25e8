//! Clipping by the gradients' common norm.

use super::*;

/// A net after two steps of heavy SGD, whose parameters show the gradients' sizes, and both scores.
fn clipped(max_norm: Option<f64>) -> (Net, [Score; 2]) {
    let mut net = still(&small(), 16);
    let momentum = 0.5;
    let weight_decay = 0.0;
    net.set_optimizer(Optimizer::Sgd {
        learning_rate: 0.1,
        momentum,
        nesterov: false,
        weight_decay,
    });
    net.set_clip_norm(max_norm);
    let (features, labels) = (random(7, 16 * 104), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    let batch =
        Batch { features: &features, rows: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], reversed: &[] };
    let scores = [1, 2].map(|key| net.train_step(&batch, &Targets::one_hot(&labels), key));
    (net, scores)
}

fn norm(net: &Net) -> f64 {
    let trainable = net.plan().tensors().iter().filter(|tensor| tensor.trainable);
    let gradients = trainable.flat_map(|tensor| net.gradient(&tensor.name).unwrap());
    gradients.map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt()
}

#[test]
fn a_norm_that_is_never_reached_changes_no_bit() {
    let (free, free_scores) = clipped(None);
    let (loose, loose_scores) = clipped(Some(1e9));
    assert!(norm(&free) > 0.01);
    assert_eq!(free_scores, loose_scores);
    assert!(free.state == loose.state);
}

#[test]
fn gradients_keep_their_direction_and_have_the_asked_norm() {
    let still_step = |max_norm| {
        let mut net = still(&small(), 16);
        net.set_clip_norm(max_norm);
        let features = random(7, 16 * 104);
        let batch = Batch { features: &features, rows: &[3, 1, 2], reversed: &[] };
        net.train_step(&batch, &Targets::one_hot(&[0, 1, 2]), 1);
        net
    };
    let (free, tight) = (still_step(None), still_step(Some(0.01)));
    let scale = 0.01 / norm(&free);
    assert!(scale < 0.5, "the test must clip: {scale}");
    assert!((norm(&tight) / 0.01 - 1.0).abs() < 1e-6, "{}", norm(&tight));
    let expected: Vec<f64> = wide(&free.state.gradients).iter().map(|g| g * scale).collect();
    assert_close(&tight.state.gradients, &expected, 1e-8);
}

#[test]
fn parameters_follow_the_clipped_gradient() {
    let (net, _) = clipped(Some(0.01));
    let before = still(&small(), 16);
    for tensor in net.plan().tensors().iter().filter(|tensor| tensor.trainable) {
        // The last step's gradient g and the one before, f: velocities -0.1 f and -0.05 f - 0.1 g.
        let values = [net.parameter(&tensor.name), before.parameter(&tensor.name)];
        let [after, start] = values.map(|values| wide(values.unwrap()));
        let velocity = wide(net.moments(&tensor.name).unwrap()[0]);
        let gradient = wide(net.gradient(&tensor.name).unwrap());
        for i in 0..start.len() {
            let first = 2.0 * (velocity[i] + 0.1 * gradient[i]);
            assert!((after[i] - (start[i] + first + velocity[i])).abs() < 1e-6, "{}", tensor.name);
        }
    }
    let moved: f64 = wide(&net.state.values)
        .iter()
        .zip(wide(&before.state.values))
        .zip(net.plan().tensors().iter().flat_map(|t| vec![t.trainable; t.range.len()]))
        .filter(|(_, trainable)| *trainable)
        .map(|((after, start), _)| (after - start).powi(2))
        .sum();
    // Two steps of at most 0.1 * 0.01, the first one and a half times.
    assert!(moved.sqrt() < 0.0026, "{}", moved.sqrt());
}
