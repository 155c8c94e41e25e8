//! The training loop: epochs, early stopping, what is reported.

use std::time::Instant;

use super::super::scaler::Scaler;
use super::super::training::{EarlyStopping, Training};
use super::super::{Examples, Flow, Job, ModelError, Watch};
use super::batches::Batches;
use super::engine::{Engine, StepKey};
use super::loss::cross_entropy;
use super::weights::Weights;
use crate::vocab::Epoch;

/// Examples at a time where no gradient is needed.
pub(super) const CHUNK: usize = 64;

/// How a training ended; the engine holds the kept weights.
#[derive(Debug, PartialEq)]
pub(super) struct Ended {
    /// The one-based epoch whose weights were kept.
    pub(super) kept_epoch: usize,
    /// For the reader of the record.
    pub(super) notes: Vec<String>,
}

/// Trains to the end, to an early stop, or until the watch says stop.
///
/// # Errors
/// Where the loss is no number any more, the watch asks to stop, or early stopping has nothing to
/// watch.
pub(super) fn train(
    engine: &mut dyn Engine,
    job: &Job,
    training: &Training,
    scaler: Option<&Scaler>,
    watch: &mut dyn Watch,
) -> Result<Ended, ModelError> {
    if training.early_stopping.is_some() && job.valid.is_empty() {
        let said = "training.early_stopping watches the valid loss, but no example is in valid";
        return Err(ModelError::Examples(said.to_owned()));
    }
    let mut patience = training.early_stopping.map(Patience::new);
    for epoch in 1..=training.epochs {
        let report = one_epoch(engine, job, training, scaler, epoch)?;
        if watch.epoch(&report) == Flow::Stop {
            return Err(ModelError::Stopped { epoch });
        }
        if let Some(patience) = &mut patience
            && patience.is_over(&report, engine)
        {
            return Ok(patience.end(engine, epoch, true));
        }
    }
    Ok(match &mut patience {
        Some(patience) => patience.end(engine, training.epochs, false),
        None => Ended { kept_epoch: training.epochs, notes: vec![] },
    })
}

fn one_epoch(
    engine: &mut dyn Engine,
    job: &Job,
    training: &Training,
    scaler: Option<&Scaler>,
    epoch: usize,
) -> Result<Epoch, ModelError> {
    let began = Instant::now();
    let Training { batch_size, augment, .. } = training;
    let batches = Batches::shuffled(job.train, scaler, *batch_size, augment, job.seed, epoch);
    let (mut loss, mut n_right) = (0.0, 0);
    for (step, batch) in batches.iter().enumerate() {
        let tally = engine.step(batch, StepKey { seed: job.seed, epoch, step });
        loss += tally.loss;
        n_right += tally.n_right;
        check(loss, epoch)?;
    }
    let n = job.train.len() as f64;
    let (valid_loss, valid_accuracy) = evaluate(engine, job.valid, scaler);
    if !job.valid.is_empty() {
        check(valid_loss, epoch)?;
    }
    Ok(Epoch {
        epoch,
        train_loss: loss / n,
        train_accuracy: n_right as f64 / n,
        valid_loss,
        valid_accuracy,
        seconds: began.elapsed().as_secs_f64(),
    })
}

/// Mean loss, penalty included, and accuracy; both NaN where there is no example.
fn evaluate(engine: &mut dyn Engine, examples: Examples, scaler: Option<&Scaler>) -> (f64, f64) {
    let (mut loss, mut n_right) = (0.0, 0);
    for batch in Batches::in_order(examples, scaler, CHUNK).iter() {
        let logits = engine.logits(batch.inputs);
        let (tally, _) = cross_entropy(&logits, &batch.labels, examples.n_classes);
        loss += tally.loss;
        n_right += tally.n_right;
    }
    let n = examples.len() as f64;
    (loss / n + engine.penalty(), n_right as f64 / n)
}

fn check(loss: f64, epoch: usize) -> Result<(), ModelError> {
    if loss.is_finite() { Ok(()) } else { Err(ModelError::Diverged { epoch, loss }) }
}

/// Remembers the best epoch.
struct Patience {
    rule: EarlyStopping,
    best_loss: f64,
    best_epoch: usize,
    best_weights: Option<Weights>,
}

impl Patience {
    fn new(rule: EarlyStopping) -> Self {
        Self { rule, best_loss: f64::INFINITY, best_epoch: 0, best_weights: None }
    }

    /// Takes note of an epoch; true where the last better one is too far back.
    fn is_over(&mut self, report: &Epoch, engine: &dyn Engine) -> bool {
        if report.valid_loss < self.best_loss - self.rule.min_delta {
            self.best_loss = report.valid_loss;
            self.best_epoch = report.epoch;
            if self.rule.restore_best {
                self.best_weights = Some(engine.weights());
            }
        }
        report.epoch - self.best_epoch >= self.rule.patience
    }

    fn end(&mut self, engine: &mut dyn Engine, last_epoch: usize, early: bool) -> Ended {
        let mut notes = vec![];
        if early {
            notes.push(format!(
                "stopped early after epoch {last_epoch}: for {} epochs no valid loss was below the \
                 {:.4} of epoch {}",
                self.rule.patience, self.best_loss, self.best_epoch
            ));
        }
        let kept_epoch = match self.best_weights.take() {
            Some(weights) => {
                engine.set_weights(weights);
                self.best_epoch
            }
            None => last_epoch,
        };
        Ended { kept_epoch, notes }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::training::Optimizer;
    use super::super::engine::Batch;
    use super::super::loss::Tally;
    use super::*;
    use crate::vocab::Seed;

    /// Its one weight counts the steps; `losses[step]` is what valid then costs.
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
        fn step(&mut self, batch: Batch, _: StepKey) -> Tally {
            let loss = batch.labels.len() as f64 * (1.0 + self.penalty());
            self.weights.0[0][0] += 1.0;
            Tally { loss, n_right: 1 }
        }

        fn logits(&mut self, inputs: Vec<f32>) -> Vec<f32> {
            // Label 0 costs ln(1 + e^x), which is x for large x.
            let loss = self.losses[self.weights.0[0][0] as usize - 1];
            inputs.iter().flat_map(|_| [0.0, loss]).collect()
        }

        fn penalty(&self) -> f64 {
            self.l2 * f64::from(self.weights.0[0][0]).powi(2)
        }

        fn weights(&self) -> Weights {
            self.weights.clone()
        }

        fn set_weights(&mut self, weights: Weights) {
            self.weights = weights;
        }
    }

    #[derive(Default)]
    struct Seen {
        epochs: Vec<Epoch>,
        stop_at: Option<usize>,
    }

    impl Watch for Seen {
        fn epoch(&mut self, epoch: &Epoch) -> Flow {
            self.epochs.push(*epoch);
            if self.stop_at == Some(epoch.epoch) { Flow::Stop } else { Flow::Continue }
        }
    }

    fn run(
        engine: &mut Scripted,
        early_stopping: Option<EarlyStopping>,
        seen: &mut Seen,
    ) -> Result<Ended, ModelError> {
        let examples = Examples {
            shape: &[1],
            matrix: &[1.0, 2.0, 3.0],
            labels: &[0, 0, 0],
            rows: &[0, 1, 2],
            n_classes: 2,
        };
        let rule =
            Optimizer::RmsProp { learning_rate: 0.1, rho: 0.9, momentum: 0.0, epsilon: 1e-7 };
        let training = Training {
            optimizer: rule,
            batch_size: 3,
            epochs: engine.losses.len(),
            early_stopping,
            augment: vec![],
        };
        let job = Job { train: examples, valid: examples, seed: Seed(1) };
        train(engine, &job, &training, None, seen)
    }

    #[test]
    fn early_stopping_waits_its_patience_and_restores_the_best() {
        let losses = [30.0, 20.0, 25.0, 20.0, 21.0, 10.0];
        let rule = EarlyStopping { patience: 3, min_delta: 0.0, restore_best: true };
        let mut engine = Scripted::new(&losses);
        let mut seen = Seen::default();
        let ended = run(&mut engine, Some(rule), &mut seen).unwrap();
        assert_eq!((ended.kept_epoch, seen.epochs.len()), (2, 5));
        assert_eq!(engine.weights, Weights(vec![vec![2.0]]));
        assert_eq!(
            ended.notes,
            ["stopped early after epoch 5: for 3 epochs no valid loss was below the 20.0000 of \
              epoch 2"]
        );
        let last = EarlyStopping { restore_best: false, ..rule };
        let mut engine = Scripted::new(&losses);
        let ended = run(&mut engine, Some(last), &mut Seen::default()).unwrap();
        assert_eq!((ended.kept_epoch, engine.weights), (5, Weights(vec![vec![5.0]])));
    }

    #[test]
    fn the_best_is_restored_at_the_regular_end_too() {
        let rule = EarlyStopping { patience: 9, min_delta: 4.0, restore_best: true };
        let mut engine = Scripted::new(&[30.0, 27.0, 20.0, 17.0]);
        let ended = run(&mut engine, Some(rule), &mut Seen::default()).unwrap();
        // 27 and 17 are not better by more than 4.
        assert_eq!(ended, Ended { kept_epoch: 3, notes: vec![] });
        assert_eq!(engine.weights, Weights(vec![vec![3.0]]));
    }

    #[test]
    fn a_watch_can_stop_and_a_lost_loss_ends_the_training() {
        let mut seen = Seen { stop_at: Some(2), ..Seen::default() };
        let stopped = run(&mut Scripted::new(&[1.0; 5]), None, &mut seen).unwrap_err();
        assert_eq!(stopped.to_string(), "stopped after epoch 2");
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
}
