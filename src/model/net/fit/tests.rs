use super::super::super::training::{ClassWeights, Monitor};
use super::super::super::{Device, Schedule};
use super::super::engine::State;
use super::*;
use crate::kernels::loss::Tally;
use crate::kernels::optimizer::Optimizer;
use crate::vocab::{self, Seed};

/// An engine whose only weight counts the steps; `losses[step]` is the validation loss after a
/// step.
struct Scripted {
    weights: Weights,
    losses: Vec<f32>,
    l2: f64,
}

impl Scripted {
    fn new(losses: &[f32]) -> Self {
        Self { weights: Weights(vec![vec![0.0]]), losses: losses.to_vec(), l2: 0.0 }
    }
}

impl Engine for Scripted {
    fn step(&mut self, batch: &Batch, _: StepKey, _: f64) -> Tally {
        let loss = batch.labels.len() as f64 * (1.0 + self.penalty());
        self.weights.0[0][0] += 1.0;
        Tally { loss, n_right: 1 }
    }

    fn outputs(&mut self, inputs: Vec<f32>) -> Vec<f32> {
        // Label 0 costs ln(1 + e^x), which is about x for large x.
        let loss = self.losses[self.weights.0[0][0] as usize - 1];
        inputs.iter().flat_map(|_| [0.0, loss]).collect()
    }

    fn penalty(&self) -> f64 {
        self.l2 * f64::from(self.weights.0[0][0]).powi(2)
    }

    fn weights(&self) -> Weights {
        self.weights.clone()
    }

    fn set_weights(&mut self, weights: &Weights) {
        self.weights = weights.clone();
    }

    fn state(&self) -> State {
        let none = || Weights(vec![]);
        State { weights: self.weights.clone(), moments: [none(), none()], n_steps: 0 }
    }

    fn set_state(&mut self, state: &State) {
        self.weights = state.weights.clone();
    }
}

#[derive(Default)]
struct Seen {
    epochs: Vec<Epoch>,
    stop_at: Option<usize>,
}

impl TrainingObserver for Seen {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        self.epochs.push(*epoch);
        if self.stop_at == Some(epoch.epoch) { Flow::Stop } else { Flow::Continue }
    }
}

fn run(
    engine: &mut Scripted,
    early_stopping: Option<EarlyStopping>,
    seen: &mut Seen,
) -> Result<TrainingOutcome, ModelError> {
    let examples = Examples {
        shape: &[1],
        matrix: &[1.0, 2.0, 3.0],
        targets: &vocab::Targets::Classes(vec![0, 0, 0]),
        rows: &[0, 1, 2],
        n_outputs: 2,
    };
    let training = Training {
        optimizer: Optimizer::rms_prop(0.1),
        schedule: Schedule::Constant,
        clip_norm: None,
        label_smoothing: 0.0,
        class_weights: ClassWeights::Even,
        mixup: 0.0,
        ema: None,
        decay_only_kernels: false,
        batch_size: 3,
        epochs: engine.losses.len(),
        validate_every: 1,
        early_stopping,
        augment: vec![],
        crop: None,
        test_time_draws: 0,
    };
    let job = FitInput {
        train: examples,
        valid: examples,
        seed: Seed(1),
        device: Device::Cpu,
        resume: None,
        fresh: None,
        until: None,
    };
    let net = Net::new([1, 1, 1], &[]).unwrap();
    train(engine, &net, &job, &training, (None, Goal::Classes), seen)
}

#[test]
fn early_stopping_waits_its_patience_and_restores_the_best() {
    let losses = [30.0, 20.0, 25.0, 20.0, 21.0, 10.0];
    let rule = EarlyStopping {
        monitor: Monitor::ValidLoss,
        patience: 3,
        min_delta: 0.0,
        restore_best: true,
    };
    let mut engine = Scripted::new(&losses);
    let mut seen = Seen::default();
    let ended = run(&mut engine, Some(rule), &mut seen).unwrap();
    assert_eq!((ended.kept_epoch, seen.epochs.len()), (2, 5));
    assert_eq!(engine.weights, Weights(vec![vec![2.0]]));
    assert_eq!(
        ended.notes,
        ["stopped early after epoch 5: for 3 epochs no valid_loss was better than the 20.0000 of \
          epoch 2"]
    );
    let last = EarlyStopping { restore_best: false, ..rule };
    let mut engine = Scripted::new(&losses);
    let ended = run(&mut engine, Some(last), &mut Seen::default()).unwrap();
    assert_eq!((ended.kept_epoch, engine.weights), (5, Weights(vec![vec![5.0]])));
}

#[test]
fn the_best_is_restored_at_the_regular_end_too() {
    let rule = EarlyStopping {
        monitor: Monitor::ValidLoss,
        patience: 9,
        min_delta: 4.0,
        restore_best: true,
    };
    let mut engine = Scripted::new(&[30.0, 27.0, 20.0, 17.0]);
    let ended = run(&mut engine, Some(rule), &mut Seen::default()).unwrap();
    // 27 and 17 are not better by more than 4.
    assert_eq!(ended, TrainingOutcome { kept_epoch: 3, notes: vec![] });
    assert_eq!(engine.weights, Weights(vec![vec![3.0]]));
}

#[test]
fn a_watch_can_stop_and_a_lost_loss_ends_the_training() {
    let mut seen = Seen { stop_at: Some(2), ..Seen::default() };
    let stopped = run(&mut Scripted::new(&[1.0; 5]), None, &mut seen).unwrap_err();
    assert_eq!(stopped.to_string(), "stopped in epoch 2");
    let mut engine = Scripted::new(&[1.0, f32::NAN]);
    let diverged = run(&mut engine, None, &mut Seen::default()).unwrap_err();
    assert!(matches!(diverged, ModelError::Diverged { epoch: 2, .. }), "{diverged}");
}

#[test]
fn an_epoch_reports_means_over_examples_with_the_penalty() {
    let mut engine = Scripted::new(&[50.0, 60.0]);
    engine.l2 = 0.5;
    let mut seen = Seen::default();
    run(&mut engine, None, &mut seen).unwrap();
    let [first, second] = seen.epochs[..] else { panic!("two epochs were asked for") };
    // The weight is 0 before the first step, 1 after it and 2 after the second.
    assert_eq!((first.epoch, first.train_loss, first.valid_loss), (1, 1.0, 50.5));
    assert_eq!((second.epoch, second.train_loss, second.valid_loss), (2, 1.5, 62.0));
    assert!((first.train_accuracy - 1.0 / 3.0).abs() < 1e-12);
    assert!(first.valid_accuracy < 1e-12);
}

#[test]
fn any_number_of_an_epoch_can_be_watched() {
    // The training loss rises with the penalty and the accuracy is constant: neither improves.
    for (monitor, better) in [
        (Monitor::ValidLoss, [3.0, 2.0, 1.0, 0.5]),
        (Monitor::TrainLoss, [1.0; 4]),
        (Monitor::TrainAccuracy, [1.0; 4]),
        // Every label is 0: a logit below it is right, one above it is wrong.
        (Monitor::ValidAccuracy, [1.0, -1.0, 1.0, 1.0]),
    ] {
        let rule = EarlyStopping { monitor, patience: 2, min_delta: 0.0, restore_best: true };
        let mut engine = Scripted::new(&better);
        engine.l2 = 0.5;
        let ended = run(&mut engine, Some(rule), &mut Seen::default()).unwrap();
        let wanted = match monitor {
            Monitor::ValidAccuracy => (2, "valid_accuracy was better than the 1.0000 of epoch 2"),
            Monitor::ValidLoss => (1, "valid_loss was better than the 3.5486 of epoch 1"),
            Monitor::TrainLoss => (1, "train_loss was better than the 1.0000 of epoch 1"),
            Monitor::TrainAccuracy => (1, "train_accuracy was better than the 0.3333 of epoch 1"),
        };
        assert_eq!(ended.kept_epoch, wanted.0, "{monitor:?}");
        assert!(ended.notes[0].ends_with(wanted.1), "{monitor:?}: {:?}", ended.notes);
    }
}
