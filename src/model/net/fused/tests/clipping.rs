//! Clipping by the global norm of the gradients.

use super::*;

/// Returns an engine after two large steps of SGD, whose parameters show the size of the gradients,
/// and both tallies.
fn clipped(max_norm: Option<f64>) -> (FusedEngine, [Tally; 2]) {
    let mut engine = still(&small(false), 16);
    engine.optimizer =
        Optimizer::Sgd { learning_rate: 0.1, momentum: 0.5, nesterov: false, weight_decay: 0.0 };
    engine.clip_norm = max_norm;
    let rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let batch = batch(&random(7, 16 * 104), &rows, &[0, 1, 2, 0, 1, 2, 0, 1, 2, 0]);
    let tallies = [1, 2].map(|seed| engine.step(&batch, key(seed), 0.1));
    (engine, tallies)
}

/// Returns the indices of the trainable parameters.
fn trainable(engine: &FusedEngine) -> Vec<usize> {
    let parameters = &engine.net.parameters;
    (0..parameters.len()).filter(|index| parameters[*index].trainable).collect()
}

fn norm(engine: &FusedEngine) -> f64 {
    let gradients = engine.cut(&engine.arrays.gradients).0;
    let values = trainable(engine).into_iter().flat_map(|index| gradients[index].clone());
    values.map(|g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt()
}

#[test]
fn a_norm_that_is_never_reached_changes_no_bit() {
    let (free, free_tallies) = clipped(None);
    let (loose, loose_tallies) = clipped(Some(1e9));
    assert!(norm(&free) > 0.01);
    assert_eq!(free_tallies, loose_tallies);
    assert!(free.arrays == loose.arrays);
}

#[test]
fn gradients_keep_their_direction_and_have_the_asked_norm() {
    let still_step = |max_norm| {
        let mut engine = still(&small(false), 16);
        engine.clip_norm = max_norm;
        engine.step(&batch(&random(7, 16 * 104), &[3, 1, 2], &[0, 1, 2]), key(1), 0.0);
        engine
    };
    let (free, tight) = (still_step(None), still_step(Some(0.01)));
    let scale = 0.01 / norm(&free);
    assert!(scale < 0.5, "the test must clip: {scale}");
    assert!((norm(&tight) / 0.01 - 1.0).abs() < 1e-6, "{}", norm(&tight));
    let expected: Vec<f64> = wide(&free.arrays.gradients).iter().map(|g| g * scale).collect();
    assert_close(&tight.arrays.gradients, &expected, 1e-8);
}

#[test]
fn parameters_follow_the_clipped_gradient() {
    let (engine, _) = clipped(Some(0.01));
    let [after, start] = [engine.weights(), still(&small(false), 16).weights()];
    let velocities = engine.cut(&engine.arrays.moments[0]).0;
    let gradients = engine.cut(&engine.arrays.gradients).0;
    let mut moved = 0.0;
    for index in trainable(&engine) {
        // With the last gradient g and the one before, f, the velocities are -0.1 f and -0.05 f -
        // 0.1 g.
        let of = |arrays: &[Vec<f32>]| wide(&arrays[index]);
        let [after, start] = [of(&after.0), of(&start.0)];
        let [velocity, gradient] = [of(&velocities), of(&gradients)];
        for i in 0..start.len() {
            let first = 2.0 * (velocity[i] + 0.1 * gradient[i]);
            let name = &engine.net.parameters[index].name;
            assert!((after[i] - (start[i] + first + velocity[i])).abs() < 1e-6, "{name}");
            moved += (after[i] - start[i]).powi(2);
        }
    }
    // Two steps of at most 0.1 * 0.01; the first counts one and a half times.
    assert!(moved.sqrt() < 0.0026, "{}", moved.sqrt());
}
