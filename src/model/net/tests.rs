//! Whole nets: arithmetic by hand, gradients by finite differences, determinism.

mod goals;
mod views;

use super::super::tests::Silent;
use super::super::training::{ClassWeights, EarlyStopping, Monitor};
use super::super::{Flow, Next, Schedule, augment};
use super::engine::{Batch, StepKey};
use super::layer::Norm;
use super::*;
use crate::kernels::optimizer::Optimizer;
use crate::vocab::{Epoch, Seed, Sha256, Targets};

const KEY: StepKey = StepKey { seed: Seed(7), epoch: 1, step: 0 };

fn logits(input: Shape, kinds: &[Kind], weights: Vec<Vec<f32>>, inputs: &[f32]) -> Vec<f32> {
    let net = Net::new(input, kinds).unwrap();
    burn::outputs(&net, &Weights(weights), inputs.to_vec(), Device::Cpu)
}

#[test]
fn pooling_ignores_padding_and_puts_more_of_it_at_the_end() {
    // Windows start at rows 0 and 2 and at columns -1, 1 and 3. All values are below 0, so that a
    // padding of 0 would win.
    let input: Vec<f32> = (1..=20).map(|x| -(x as f32)).collect();
    let pool = Kind::MaxPool { size: [3, 3], stride: [2, 2] };
    let got = logits([4, 5, 1], &[pool, Kind::Flatten], vec![], &input);
    assert_eq!(got, [-1.0, -2.0, -4.0, -11.0, -12.0, -14.0]);
    // An even window with stride 1 is padded at the end only.
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
    // One input row of two channels; the kernel [1, 2, 2, 1] is 1, 10 at the first position and
    // 100, 1000 at the second.
    let kind = Kind::conv(1, [1, 2]);
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
    let kinds = [Kind::BatchNorm(Norm::default()), Kind::Flatten];
    let weights = vec![vec![2.0], vec![1.0], vec![3.0], vec![4.0 - 1e-3]];
    assert_eq!(logits([2, 1, 1], &kinds, weights.clone(), &[3.0, 5.0]), [1.0, 3.0]);

    let net = Net::new([2, 1, 1], &kinds).unwrap();
    let mut engine =
        BurnEngine::new(net, Weights(weights), Optimizer::adam(1e-9), None, Device::Cpu);
    let batch = Batch { n: 1, inputs: vec![3.0, 5.0], labels: vec![0], targets: vec![] };
    engine.step(&batch, KEY, 1e-9);
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
        Kind::conv(3, [3, 2]),
        Kind::Relu,
        Kind::BatchNorm(Norm::default()),
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
    let batch = Batch { n: 4, inputs, labels: vec![0, 1, 2, 1], targets: vec![] };
    let loss = |weights: &Weights| {
        let found = burn::gradients(&net, weights, &batch, KEY, Device::Cpu);
        found.tally.loss / 4.0 + weights.penalty(&net)
    };
    let found = burn::gradients(&net, &weights, &batch, KEY, Device::Cpu);
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

/// Standard normal noise, with three classes in turn.
struct Noise {
    matrix: Vec<f32>,
    targets: Targets,
    rows: Vec<usize>,
}

impl Noise {
    fn new() -> Self {
        let mut rng = Seed(9).rng("test", &[]);
        let matrix = (0..40 * 12 * 6).map(|_| rng.normal() as f32).collect();
        let targets = Targets::Classes((0..40).map(|i| i % 3).collect());
        Self { matrix, targets, rows: (0..40).collect() }
    }

    /// Returns a fit with 30 training examples and 10 validation examples.
    fn job(&self, seed: u64) -> FitInput<'_> {
        let examples = |rows| Examples {
            shape: &[12, 6],
            matrix: &self.matrix,
            targets: &self.targets,
            rows,
            n_outputs: 3,
        };
        let (train, valid) = (examples(&self.rows[..30]), examples(&self.rows[30..]));
        FitInput {
            train,
            valid,
            seed: Seed(seed),
            device: Device::Cpu,
            resume: None,
            fresh: None,
            until: None,
        }
    }
}

/// Every augmentation, for examples `[12, 6]`.
const ALL: &str = r#"["time_reversal", "roll", { time_stretch = { p = 0.8 } }, { eq = { sd = 0.5 } },
    { gain = { db = 0.5 } }, { shift_bands = { bands = 2 } }, { mask = { bands = 2, frames = 4, n = 2 } }, { noise = { sd = 0.1 } }, { mask = { frames = 3 } },
    { cutmix = { p = 0.5 } }]"#;

/// Returns a training that uses every random or stateful setting.
fn everything() -> Training {
    Training {
        optimizer: Optimizer::adam(1e-3),
        schedule: Schedule::Cosine { warmup_epochs: 1, min_factor: 0.1 },
        clip_norm: Some(1.0),
        label_smoothing: 0.1,
        class_weights: ClassWeights::Given(vec![1.0, 2.0, 0.5]),
        mixup: 0.3,
        ema: Some(0.9),
        decay_only_kernels: true,
        batch_size: 9,
        epochs: 4,
        validate_every: 1,
        early_stopping: Some(EarlyStopping {
            monitor: Monitor::ValidLoss,
            patience: 3,
            min_delta: 0.0,
            restore_best: true,
        }),
        augment: augment::tests::list(ALL),
        crop: None,
        test_time_draws: 0,
    }
}

/// Returns the simplest training.
fn plain() -> Training {
    Training {
        optimizer: Optimizer::adam(1e-2),
        schedule: Schedule::Constant,
        clip_norm: None,
        label_smoothing: 0.0,
        class_weights: ClassWeights::Even,
        mixup: 0.0,
        ema: None,
        decay_only_kernels: false,
        batch_size: 9,
        epochs: 30,
        validate_every: 1,
        early_stopping: None,
        augment: vec![],
        crop: None,
        test_time_draws: 0,
    }
}

fn small(training: Training) -> NetModel {
    let hidden = vec![
        Kind::conv(8, [3, 3]),
        Kind::Relu,
        Kind::BatchNorm(Norm::default()),
        Kind::MaxPool { size: [3, 3], stride: [2, 2] },
        Kind::Dropout { rate: 0.2 },
        Kind::Flatten,
        Kind::Dense { units: 16, l2: 0.001 },
        Kind::Relu,
    ];
    let input = |shape: &[usize]| Ok([shape[0], shape[1], 1]);
    let hidden = Box::new(move |_| Ok(hidden.clone()));
    NetModel { input, hidden, standardize: true, training, warnings: vec![] }
}

/// Returns the hash of the saved file.
fn saved(fitted: &Fitted) -> String {
    let folder = tempfile::tempdir().unwrap();
    fitted.model.save(folder.path()).unwrap();
    Sha256::new().piece(std::fs::read(folder.path().join(FILE)).unwrap()).hex()
}

fn trained(seed: u64) -> String {
    saved(&small(everything()).fit(&Noise::new().job(seed), &mut Silent).unwrap())
}

/// Records every epoch, and stops with a snapshot after a given step, counted from 1.
#[derive(Default)]
struct Stopper {
    stop_after: Option<usize>,
    n_steps: usize,
    epochs: Vec<Epoch>,
    snapshot: Option<Vec<u8>>,
}

impl TrainingObserver for Stopper {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        self.epochs.push(Epoch { seconds: 0.0, ..*epoch });
        Flow::Continue
    }

    fn next(&mut self) -> Next {
        self.n_steps += 1;
        if self.stop_after == Some(self.n_steps) { Next::SaveAndStop } else { Next::Go }
    }

    fn keep(&mut self, snapshot: Vec<u8>) -> Flow {
        self.snapshot = Some(snapshot);
        Flow::Continue
    }
}

#[test]
fn a_training_stopped_after_any_step_goes_on_to_the_same_bits() {
    let (noise, model) = (Noise::new(), small(everything()));
    let mut through = Stopper::default();
    let wanted = model.fit(&noise.job(1), &mut through).unwrap();
    // Four epochs of four steps.
    assert_eq!(through.n_steps, 16);
    for stop_after in 1..=16 {
        let mut first = Stopper { stop_after: Some(stop_after), ..Stopper::default() };
        let Err(ModelError::Stopped { epoch }) = model.fit(&noise.job(1), &mut first) else {
            panic!("it was to stop after step {stop_after}");
        };
        assert_eq!(epoch, stop_after.div_ceil(4));
        let mut second = Stopper { epochs: first.epochs, ..Stopper::default() };
        let job = FitInput { resume: first.snapshot.as_deref(), ..noise.job(1) };
        let got = model.fit(&job, &mut second).unwrap();
        assert_eq!(saved(&got), saved(&wanted), "stopped after step {stop_after}");
        assert_eq!((got.kept_epoch, &got.notes), (wanted.kept_epoch, &wanted.notes));
        assert_eq!(second.epochs, through.epochs, "stopped after step {stop_after}");
    }
}

#[test]
fn the_average_of_the_weights_is_validated_and_kept() {
    let noise = Noise::new();
    let fit = |ema| {
        let mut watch = Stopper::default();
        let model = small(Training { ema, epochs: 6, ..plain() });
        let fitted = model.fit(&noise.job(1), &mut watch).unwrap();
        (saved(&fitted), watch.epochs)
    };
    let (last, slow) = (fit(None), fit(Some(0.99)));
    assert_eq!(fit(Some(0.0)), last, "an average that keeps nothing is the last weights");
    assert_ne!(slow.0, last.0);
    for (slow, last) in slow.1.iter().zip(&last.1) {
        assert_eq!(slow.train_loss, last.train_loss, "the steps are the same");
        assert_ne!(slow.valid_loss, last.valid_loss);
    }
    // A snapshot without the average is not one of this training.
    let mut watch = Stopper { stop_after: Some(2), ..Stopper::default() };
    assert!(small(plain()).fit(&noise.job(1), &mut watch).is_err());
    let job = FitInput { resume: watch.snapshot.as_deref(), ..noise.job(1) };
    let error = small(Training { ema: Some(0.9), ..plain() }).fit(&job, &mut Silent).err();
    assert!(matches!(error, Some(ModelError::Snapshot(_))));
}

#[test]
fn a_snapshot_of_another_net_or_no_snapshot_is_refused() {
    let noise = Noise::new();
    let mut watch = Stopper { stop_after: Some(2), ..Stopper::default() };
    let mut other = small(everything());
    let whole = other.hidden;
    other.hidden = Box::new(move |shape| {
        let mut kinds = whole(shape)?;
        kinds.remove(2);
        Ok(kinds)
    });
    assert!(other.fit(&noise.job(1), &mut watch).is_err());
    for bytes in [watch.snapshot.unwrap(), vec![1, 2, 3]] {
        let job = FitInput { resume: Some(&bytes), ..noise.job(1) };
        let error = small(everything()).fit(&job, &mut Silent).err().unwrap();
        assert!(matches!(error, ModelError::Snapshot(_)), "{error}");
    }
}

/// Returns the last epoch, with its mean training loss and accuracy.
fn last_epoch(training: Training) -> Epoch {
    let mut watch = Stopper::default();
    small(training).fit(&Noise::new().job(1), &mut watch).unwrap();
    *watch.epochs.last().unwrap()
}

#[test]
fn every_optimizer_learns_the_noise_by_heart() {
    for optimizer in [
        Optimizer::adam(1e-2),
        Optimizer::rms_prop(5e-3),
        Optimizer::RmsProp { learning_rate: 3e-3, rho: 0.9, momentum: 0.5, epsilon: 1e-7 },
        Optimizer::Sgd { learning_rate: 0.1, momentum: 0.0, nesterov: false, weight_decay: 0.0 },
        Optimizer::Sgd { learning_rate: 0.02, momentum: 0.9, nesterov: true, weight_decay: 0.0 },
    ] {
        let last = last_epoch(Training { optimizer, ..plain() });
        assert!(last.train_accuracy > 0.8, "{optimizer:?}: {last:?}");
    }
}

#[test]
fn mixup_and_smoothing_keep_the_loss_up() {
    let bare = last_epoch(plain());
    // The lowest possible loss with a share of 0.3 over three classes is the entropy of (0.8, 0.1,
    // 0.1).
    let smooth = last_epoch(Training { label_smoothing: 0.3, ..plain() });
    assert!(bare.train_loss < 0.3 && smooth.train_loss > 0.639, "{bare:?} {smooth:?}");
    let mixed = last_epoch(Training { mixup: 1.0, ..plain() });
    assert!(mixed.train_loss > bare.train_loss + 0.2, "{bare:?} {mixed:?}");
}

#[test]
fn a_heavy_class_is_learnt_first() {
    let noise = Noise::new();
    let share = |weights: ClassWeights| {
        let training = Training { class_weights: weights, epochs: 2, ..plain() };
        let fitted = small(training).fit(&noise.job(1), &mut Silent).unwrap();
        let p = fitted.model.predict(&noise.job(1).train).unwrap();
        p.chunks(3).map(|row| row[1]).sum::<f32>() / 30.0
    };
    let (even, heavy) =
        (share(ClassWeights::Even), share(ClassWeights::Given(vec![1.0, 20.0, 1.0])));
    assert!(heavy > even + 0.2, "{even} {heavy}");
}

#[test]
fn valid_is_scored_every_so_many_epochs_and_at_the_end() {
    let mut watch = Stopper::default();
    let training = Training { validate_every: 3, epochs: 7, ..plain() };
    small(training).fit(&Noise::new().job(1), &mut watch).unwrap();
    let scored: Vec<usize> =
        watch.epochs.iter().filter(|e| e.valid_loss.is_finite()).map(|e| e.epoch).collect();
    assert_eq!(scored, [3, 6, 7]);
}

#[test]
fn epochs_tell_the_scheduled_rate() {
    let mut watch = Stopper::default();
    let schedule = Schedule::Step { every: 2, factor: 0.1 };
    small(Training { schedule, epochs: 4, ..plain() })
        .fit(&Noise::new().job(1), &mut watch)
        .unwrap();
    let rates: Vec<f64> = watch.epochs.iter().map(|epoch| epoch.learning_rate).collect();
    assert_eq!(rates[..2], [1e-2, 1e-2]);
    assert!(rates[2..].iter().all(|rate| (rate - 1e-3).abs() < 1e-15), "{rates:?}");
}

#[test]
fn a_loss_that_runs_away_ends_the_training_with_its_epoch() {
    let optimizer =
        Optimizer::Sgd { learning_rate: 1e4, momentum: 0.9, nesterov: false, weight_decay: 0.0 };
    let error = small(Training { optimizer, ..plain() }).fit(&Noise::new().job(1), &mut Silent);
    let error = error.err().expect("it can't end well").to_string();
    assert!(error.contains("the loss") && error.contains("in epoch"), "{error}");
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
