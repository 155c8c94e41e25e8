//! Nets that tell tags or a number.

use super::super::super::tests::Silent;
use super::*;
use crate::model::net::goal::Goal;

/// Noise with two tags and a number that depend on it.
struct Told {
    matrix: Vec<f32>,
    targets: Targets,
    n_outputs: usize,
    rows: Vec<usize>,
}

impl Told {
    fn new(task: Task) -> Self {
        let Noise { matrix, rows, .. } = Noise::new();
        let first = |row: usize| matrix[row * 72];
        let (targets, n_outputs) = match task {
            Task::Tags => {
                let tags = (0..40).flat_map(|row| [first(row) > 0.0, first(row) < -0.5]);
                (Targets::Tags(tags.collect()), 2)
            }
            _ => (Targets::Numbers((0..40).map(|row| 120.0 + 30.0 * first(row)).collect()), 1),
        };
        Self { matrix, targets, n_outputs, rows }
    }

    /// Returns a fit with 30 training examples and 10 validation examples.
    fn job(&self) -> FitInput<'_> {
        let examples = |rows| Examples {
            shape: &[12, 6],
            matrix: &self.matrix,
            targets: &self.targets,
            rows,
            n_outputs: self.n_outputs,
        };
        let (train, valid) = (examples(&self.rows[..30]), examples(&self.rows[30..]));
        FitInput {
            train,
            valid,
            seed: Seed(1),
            device: Device::Cpu,
            resume: None,
            fresh: None,
            until: None,
        }
    }
}

/// Returns a training that uses every setting that the task has.
fn everything_of(task: Task) -> Training {
    Training {
        class_weights: ClassWeights::Even,
        label_smoothing: if task == Task::Tags { 0.1 } else { 0.0 },
        ..everything()
    }
}

#[test]
fn stopped_after_any_step_they_go_on_to_the_same_bits() {
    for task in [Task::Tags, Task::Number] {
        let (told, model) = (Told::new(task), small(everything_of(task)));
        let mut through = Stopper::default();
        let wanted = model.fit(&told.job(), &mut through).unwrap();
        assert_eq!(through.n_steps, 16);
        let numbers = |epochs: &[Epoch]| -> Vec<[u64; 2]> {
            epochs.iter().map(|e| [e.train_loss, e.valid_loss].map(f64::to_bits)).collect()
        };
        for stop_after in 1..=16 {
            let mut first = Stopper { stop_after: Some(stop_after), ..Stopper::default() };
            let stopped = model.fit(&told.job(), &mut first).err();
            assert!(matches!(stopped, Some(ModelError::Stopped { .. })));
            let mut second = Stopper { epochs: first.epochs, ..Stopper::default() };
            let job = FitInput { resume: first.snapshot.as_deref(), ..told.job() };
            let got = model.fit(&job, &mut second).unwrap();
            assert_eq!(saved(&got), saved(&wanted), "{task}, stopped after step {stop_after}");
            assert_eq!(numbers(&second.epochs), numbers(&through.epochs));
        }
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for task in [Task::Tags, Task::Number] {
        let (told, model) = (Told::new(task), small(everything_of(task)));
        let on = |n_threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
            pool.install(|| saved(&model.fit(&told.job(), &mut Silent).unwrap()))
        };
        assert_eq!(on(1), on(3), "{task}");
    }
}

#[test]
fn tags_are_learned_and_the_loss_of_an_epoch_is_that_of_the_predictions() {
    let (told, mut watch) = (Told::new(Task::Tags), Stopper::default());
    let fitted = small(plain()).fit(&told.job(), &mut watch).unwrap();
    let last = watch.epochs.last().unwrap();
    assert!(
        last.train_loss < 0.2 && last.train_loss < watch.epochs[0].train_loss / 2.0,
        "{last:?}"
    );
    assert!(last.train_accuracy.is_nan() && last.valid_accuracy.is_nan());
    let job = told.job();
    let p = fitted.model.predict(&job.valid).unwrap();
    let tags = (0..10).flat_map(|index| job.valid.tags(index));
    let cost = |(p, has): (&f32, &bool)| -f64::from(if *has { *p } else { 1.0 - p }).ln();
    let mean = p.iter().zip(tags).map(cost).sum::<f64>() / 20.0;
    // The loss of an epoch includes the penalties.
    let penalty = last.valid_loss - mean;
    assert!((0.0..0.1).contains(&penalty), "{mean} {last:?}");
    let logits = fitted.model.logits(&job.valid).unwrap().unwrap();
    assert!(logits.iter().zip(&p).all(|(z, p)| (1.0 / (1.0 + (-z).exp()) - p).abs() < 1e-5));
}

#[test]
fn a_number_is_learned_in_standard_deviations_and_told_in_its_own_unit() {
    let (told, mut watch) = (Told::new(Task::Number), Stopper::default());
    let fitted = small(plain()).fit(&told.job(), &mut watch).unwrap();
    let (first, last) = (watch.epochs[0], watch.epochs.last().unwrap());
    assert!(first.train_loss < 10.0 && last.train_loss < 0.5, "{first:?} {last:?}");
    assert!(last.train_accuracy.is_nan() && last.valid_accuracy.is_nan());
    let job = told.job();
    let got = fitted.model.predict(&job.valid).unwrap();
    let Goal::Number(standard) = Goal::fit(&job.train) else { panic!("it is a number") };
    let square = |(index, x): (usize, &f32)| {
        (f64::from(x - job.valid.number(index)) / f64::from(standard.scale)).powi(2)
    };
    let mean = got.iter().enumerate().map(square).sum::<f64>() / 10.0;
    let penalty = last.valid_loss - mean;
    assert!((0.0..0.1).contains(&penalty), "{mean} {last:?}");
    assert!(fitted.model.logits(&job.valid).unwrap().is_none(), "a number has no logits");
    // Another unit changes nothing but the unit, so far as rounding allows.
    let Targets::Numbers(numbers) = &told.targets else { panic!("it has numbers") };
    let thousandths = Targets::Numbers(numbers.iter().map(|x| x / 1024.0).collect());
    let mut job = told.job();
    (job.train.targets, job.valid.targets) = (&thousandths, &thousandths);
    let other = small(plain()).fit(&job, &mut Silent).unwrap().model.predict(&job.valid).unwrap();
    assert!(got.iter().zip(&other).all(|(a, b)| (a - 1024.0 * b).abs() < 1.0), "{got:?} {other:?}");
}

#[test]
fn mixup_mixes_numbers_and_tags() {
    for task in [Task::Tags, Task::Number] {
        let (told, mut watch) = (Told::new(task), Stopper::default());
        let last = |training, watch: &mut Stopper| {
            small(training).fit(&told.job(), watch).unwrap();
            watch.epochs.last().unwrap().train_loss
        };
        let bare = last(plain(), &mut watch);
        let mixed = last(Training { mixup: 1.0, ..plain() }, &mut Stopper::default());
        assert!(mixed > bare, "{task}: {bare} {mixed}");
    }
}

#[test]
fn settings_of_classes_are_refused_before_the_training() {
    for (training, wanted) in [
        (
            Training { class_weights: ClassWeights::Balanced, ..plain() },
            "training.class_weights is for classes only",
        ),
        (
            Training { label_smoothing: 0.1, ..plain() },
            "training.label_smoothing is for classes and tags only",
        ),
        (
            Training {
                early_stopping: Some(EarlyStopping {
                    monitor: Monitor::ValidAccuracy,
                    patience: 1,
                    min_delta: 0.0,
                    restore_best: true,
                }),
                ..plain()
            },
            "training.early_stopping can't monitor `valid_accuracy`",
        ),
    ] {
        let told = Told::new(Task::Number);
        let said = small(training).fit(&told.job(), &mut Silent).err().unwrap().to_string();
        assert!(said.starts_with(wanted), "{said}");
    }
}

#[test]
fn a_loss_that_runs_away_is_measured_by_that_of_a_net_that_knows_nothing() {
    assert!((Goal::Classes.clueless_loss(10) - 10.0_f64.ln()).abs() < 1e-12);
    assert!((Goal::Tags.clueless_loss(10) - 2.0_f64.ln()).abs() < 1e-12);
    for task in [Task::Tags, Task::Number] {
        let told = Told::new(task);
        let optimizer = Optimizer::Sgd {
            learning_rate: 1e4,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
        };
        let error = small(Training { optimizer, ..plain() }).fit(&told.job(), &mut Silent);
        let said = error.err().expect("it can't end well").to_string();
        assert!(said.contains("the loss") && said.contains("in epoch"), "{task}: {said}");
    }
}

#[test]
fn the_range_test_of_tags_and_numbers_begins_with_the_loss_of_a_net_that_knows_nothing() {
    for (task, clueless) in [(Task::Tags, 2.0_f64.ln()), (Task::Number, 1.0)] {
        let told = Told::new(task);
        let test = RangeTest { low: 1e-7, high: 1.0, n_steps: 20 };
        let probes = small(plain()).range_test(&told.job(), test).unwrap();
        let first = probes[0].loss;
        assert!((clueless / 5.0..clueless * 10.0).contains(&first), "{task}: {first}");
    }
}
