//! Bit-exactness: threads, instruction sets, a training that stops and resumes.

use super::*;

/// Runs five steps of the small net on batches of `n` and returns the complete result.
fn trained(n: usize, n_threads: usize, isa: Isa, clip_norm: Option<f64>) -> (Arrays, Vec<Tally>) {
    trained_net(&small(false), n, n_threads, isa, clip_norm)
}

fn trained_net(
    net: &Net,
    n: usize,
    n_threads: usize,
    isa: Isa,
    clip_norm: Option<f64>,
) -> (Arrays, Vec<Tally>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
    pool.install(|| {
        let mut engine = engine(net, Optimizer::adam(1e-2), 64);
        engine.isa = isa;
        engine.clip_norm = clip_norm;
        let features = random(77, 80 * 104);
        let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let step = |step: usize| {
            let rows: Vec<usize> = (0..n).map(|i| (i * 7 + step) % 80).collect();
            engine.step(&batch(&features, &rows, &labels), key(step as u64), 1e-2)
        };
        let tallies = (0..5).map(step).collect();
        (engine.arrays, tallies)
    })
}

#[test]
fn threads_and_levels_that_fuse_change_no_bit() {
    let levels = Isa::available();
    let fused = if levels.len() > 1 { &levels[1..] } else { &levels };
    for (n, clip_norm) in [1, 7, 64].into_iter().flat_map(|n| [(n, None), (n, Some(0.1))]) {
        let first = trained(n, 1, fused[0], clip_norm);
        assert!(first.0.values.iter().all(|value| value.is_finite()));
        for (n_threads, &isa) in (1..=4).flat_map(|n| fused.iter().map(move |isa| (n, isa))) {
            let other = trained(n, n_threads, isa, clip_norm);
            assert!(first == other, "batch {n}, {n_threads} threads, {isa:?}, clip {clip_norm:?}");
        }
    }
}

#[test]
fn threads_and_levels_that_fuse_change_no_bit_of_any_layer() {
    let levels = Isa::available();
    let fused = if levels.len() > 1 { &levels[1..] } else { &levels };
    for (index, net) in varied().iter().enumerate() {
        let first = trained_net(net, 19, 1, fused[0], Some(0.1));
        assert!(first.0.values.iter().all(|value| value.is_finite()));
        for (n_threads, &isa) in (1..=3).flat_map(|n| fused.iter().map(move |isa| (n, isa))) {
            let other = trained_net(net, 19, n_threads, isa, Some(0.1));
            assert!(first == other, "net {index}, {n_threads} threads, {isa:?}");
        }
    }
}

#[test]
fn a_norm_of_many_pieces_is_one_number() {
    // Rounding to f32 would hide a difference in the test above.
    let mut arrays = Arrays::new(85_340);
    arrays.gradients = random(3, 85_340);
    let norm = |n_threads, isa| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| arrays.gradient_norm(isa, &[]))
    };
    let plain = wide(&arrays.gradients).iter().map(|g| g * g).sum::<f64>().sqrt();
    assert!((norm(1, Isa::best()) / plain - 1.0).abs() < 1e-12);
    for (n_threads, isa) in
        (1..=4).flat_map(|n| Isa::available().into_iter().map(move |isa| (n, isa)))
    {
        assert_eq!(norm(n_threads, isa), norm(1, Isa::best()), "{n_threads} threads, {isa:?}");
    }
}

#[test]
fn the_baseline_is_near() {
    let levels = Isa::available();
    let (baseline, best) = (trained(7, 1, levels[0], None), trained(7, 1, Isa::best(), None));
    let [near, loss] = [&baseline, &best].map(|(_, tallies)| tallies[4].loss / 7.0);
    assert!((near - loss).abs() < 1e-2, "{near}, {loss}");
}

#[test]
fn target_rows_of_one_hot_labels_change_no_bit() {
    let labels = [0, 1, 2, 0];
    let step = |targets: Vec<f32>| {
        let mut engine = still(&small(false), 4);
        engine.optimizer = Optimizer::sgd(0.1);
        let batch = Batch { targets, ..batch(&random(7, 8 * 104), &[5, 1, 4, 7], &labels) };
        let tally = engine.step(&batch, key(1), 0.1);
        (engine.arrays, tally)
    };
    let one_hot = (0..12).map(|i| f32::from(labels[i / 3] == i % 3)).collect();
    assert!(step(one_hot) == step(vec![]));
}

#[test]
fn a_restored_state_goes_on_as_if_never_stopped() {
    let batch = batch(&random(7, 8 * 104), &[5, 1, 4, 7], &[0, 1, 2, 0]);
    let (learning_rate, momentum, weight_decay) = (1e-2, 0.9, 0.1);
    let (beta_1, beta_2, epsilon, rho) = (0.9, 0.999, 1e-7, 0.9);
    let sgd =
        |momentum, nesterov| Optimizer::Sgd { learning_rate, momentum, nesterov, weight_decay };
    let net = small(false);
    for (optimizer, clip_norm) in [
        (Optimizer::adam(learning_rate), None),
        (Optimizer::adam(learning_rate), Some(0.1)),
        (Optimizer::Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay }, None),
        (Optimizer::RmsProp { learning_rate, rho, momentum: 0.0, epsilon }, None),
        (Optimizer::RmsProp { learning_rate, rho, momentum, epsilon }, None),
        (sgd(0.0, false), None),
        (sgd(momentum, false), None),
        (sgd(momentum, true), None),
    ] {
        let fresh = |seed| {
            let weights = Weights::start(&net, Seed(seed));
            FusedEngine::new(&net, &weights, optimizer, clip_norm, 4).unwrap()
        };
        let mut through = fresh(1);
        through.step(&batch, key(1), learning_rate);
        through.step(&batch, key(2), learning_rate);
        let mut restored = fresh(2);
        restored.set_state(&through.state());
        for seed in 3..6 {
            let [one, other] =
                [&mut through, &mut restored].map(|e| e.step(&batch, key(seed), learning_rate));
            assert_eq!(one, other, "{optimizer:?}");
        }
        // The last steps filled the gradients of both.
        assert!(through.arrays == restored.arrays, "{optimizer:?}");
    }
}
