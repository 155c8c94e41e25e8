//! What must give the same bits: threads, levels of instructions, a training that stops and goes on.

use super::*;

/// Five steps of the small net on batches of `n`; everything that they leave.
fn trained(n: usize, n_threads: usize, isa: Isa, clip_norm: Option<f64>) -> (State, Vec<Score>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
    pool.install(|| {
        let mut net = Net::new(Plan::new(&small(), INPUT, 64).unwrap(), Optimizer::adam(1e-2), 5);
        net.set_isa(isa);
        net.set_clip_norm(clip_norm);
        let features = random(77, 80 * 104);
        let labels: Vec<usize> = (0..n).map(|i| i % 3).collect();
        let step = |step: usize| {
            let rows: Vec<usize> = (0..n).map(|i| (i * 7 + step) % 80).collect();
            let reversed = [true, false, true];
            let batch = Batch { features: &features, rows: &rows, reversed: &reversed };
            net.train_step(&batch, &Targets::one_hot(&labels), step as u64)
        };
        let scores = (0..5).map(step).collect();
        (net.state, scores)
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
fn a_norm_of_many_pieces_is_one_number() {
    // What rounding to f32 would hide from the test above.
    let layers = [dense(250, Activation::Relu, 0.0, 0.0), dense(90, Activation::Linear, 0.0, 0.0)];
    let mut state = State::new(&Plan::new(&layers, [25, 10, 1], 1).unwrap(), 1);
    let n = state.gradients.len();
    state.gradients.copy_from_slice(&random(3, n));
    let norm = |n_threads, isa| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
        pool.install(|| state.gradient_norm(isa))
    };
    let plain = wide(&state.gradients).iter().map(|g| g * g).sum::<f64>().sqrt();
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
    assert!((baseline.1[4].loss - best.1[4].loss).abs() < 1e-2, "{baseline:?}, {best:?}");
}

#[test]
fn target_rows_of_one_hot_labels_change_no_bit() {
    let (features, labels) = (random(7, 8 * 104), [0, 1, 2, 0]);
    let rows: Vec<f32> = (0..12).map(|i| f32::from(labels[i / 3] == i % 3)).collect();
    let step = |rows: &[f32]| {
        let mut net = still(&small(), 4);
        net.set_optimizer(Optimizer::sgd(0.1));
        let batch = Batch { features: &features, rows: &[5, 1, 4, 7], reversed: &[] };
        let score = net.train_step(&batch, &Targets { labels: &labels, rows }, 1);
        (net.state, score)
    };
    assert!(step(&rows) == step(&[]));
}

#[test]
fn a_restored_state_goes_on_as_if_never_stopped() {
    let (features, labels) = (random(7, 8 * 104), [0, 1, 2, 0]);
    let step = |net: &mut Net, key| {
        let batch = Batch { features: &features, rows: &[5, 1, 4, 7], reversed: &[] };
        net.train_step(&batch, &Targets::one_hot(&labels), key)
    };
    let (learning_rate, momentum, weight_decay) = (1e-2, 0.9, 0.1);
    let (beta_1, beta_2, epsilon, rho) = (0.9, 0.999, 1e-7, 0.9);
    let sgd =
        |momentum, nesterov| Optimizer::Sgd { learning_rate, momentum, nesterov, weight_decay };
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
            let mut net = Net::new(Plan::new(&small(), INPUT, 4).unwrap(), optimizer, seed);
            net.set_clip_norm(clip_norm);
            net
        };
        let mut net = fresh(1);
        step(&mut net, 1);
        step(&mut net, 2);
        let mut restored = fresh(2);
        restored.set_n_steps(net.n_steps());
        for tensor in net.plan().tensors() {
            let name = &tensor.name;
            restored.parameter_mut(name).unwrap().copy_from_slice(net.parameter(name).unwrap());
            let [first, second] = net.moments(name).unwrap();
            let [to_first, to_second] = restored.moments_mut(name).unwrap();
            to_first.copy_from_slice(first);
            to_second.copy_from_slice(second);
        }
        for key in 3..6 {
            assert_eq!(step(&mut net, key), step(&mut restored, key), "{optimizer:?}");
        }
        assert!(net.state == restored.state, "{optimizer:?}");
    }
}
