//! The training loop: steps, epochs, early stopping, reports and snapshots.

use std::time::Instant;

use super::super::scaler::Scaler;
use super::super::training::{EarlyStopping, Training};
use super::super::{Examples, FitInput, Flow, ModelError, Next, TrainingObserver};
use super::batches::{Batches, Recipe};
use super::engine::{Batch, Engine, StepKey};
use super::goal::Goal;
use super::layer::Net;
use super::snapshot::{self, Best, Progress};
use super::views::{CHUNK, Views};
use super::weights::Weights;
use crate::vocab::Epoch;

/// An epoch has diverged if its mean training loss exceeds the lowest earlier one, or the loss of a
/// uniform guess if that is higher, by more than this factor.
const RUN_AWAY: f64 = 100.0;

/// How a training ended; the engine holds the kept weights.
#[derive(Debug, PartialEq)]
pub(super) struct TrainingOutcome {
    /// The one-based epoch whose weights were kept.
    pub(super) kept_epoch: usize,
    /// Notes for the reader of the record.
    pub(super) notes: Vec<String>,
}

/// Trains until the last epoch, an early stop, or the observer's request. Resumes from the input's
/// snapshot if there is one.
///
/// # Errors
/// If the loss is no longer finite or diverges, the observer stops the training, early stopping has
/// nothing to monitor, or the snapshot belongs to a different training.
pub(super) fn train(
    engine: &mut dyn Engine,
    net: &Net,
    job: &FitInput,
    training: &Training,
    (scaler, goal): (Option<&Scaler>, Goal),
    watch: &mut dyn TrainingObserver,
) -> Result<TrainingOutcome, ModelError> {
    if let Some(rule) = training.early_stopping
        && rule.monitor.is_of_valid()
        && job.valid.is_empty()
    {
        let monitor = rule.monitor.name();
        let said = format!("training.early_stopping watches {monitor}, but no example is in valid");
        return Err(ModelError::Examples(said));
    }
    let targets = goal.of_training(training, job.train)?;
    let recipe = Recipe::new(training, &targets, job);
    let (progress, best_weights, average) = match job.resume {
        None => (Progress::start(), None, training.ema.map(|_| engine.weights())),
        Some(bytes) => {
            let found = snapshot::decode(net, bytes)?;
            engine.set_state(&found.state);
            (found.progress, found.best_weights, found.average)
        }
    };
    if average.is_some() != training.ema.is_some() {
        let said = "it belongs to a training with another ema".to_owned();
        return Err(ModelError::Snapshot(said));
    }
    let mut trainer = Trainer {
        engine,
        net,
        job,
        training,
        scaler,
        goal,
        recipe,
        progress,
        best_weights,
        average,
    };
    trainer.run(watch)
}

struct Trainer<'a> {
    engine: &'a mut dyn Engine,
    net: &'a Net,
    job: &'a FitInput<'a>,
    training: &'a Training,
    scaler: Option<&'a Scaler>,
    goal: Goal,
    recipe: Recipe<'a>,
    progress: Progress,
    best_weights: Option<Weights>,
    /// The moving average of the weights.
    average: Option<Weights>,
}

impl Trainer<'_> {
    fn run(&mut self, watch: &mut dyn TrainingObserver) -> Result<TrainingOutcome, ModelError> {
        while self.progress.epoch <= self.training.epochs {
            // The snapshot is the one that was kept at the end.
            if self.job.until.is_some_and(|until| self.progress.epoch > until) {
                return Ok(self.end(self.progress.epoch - 1, false));
            }
            let report = self.one_epoch(watch)?;
            if watch.epoch(&report) == Flow::Stop {
                return Err(ModelError::Stopped { epoch: report.epoch });
            }
            let is_over = self.take_note(&report);
            let Progress { epoch, least_loss, best, .. } = self.progress;
            let least_loss = Some(least_loss.unwrap_or(f64::INFINITY).min(report.train_loss));
            self.progress = Progress { epoch: epoch + 1, least_loss, best, ..Progress::start() };
            if is_over {
                return Ok(self.end(report.epoch, true));
            }
            if self.job.until == Some(report.epoch) && report.epoch < self.training.epochs {
                if watch.keep(self.snapshot()) == Flow::Stop {
                    return Err(ModelError::Stopped { epoch: report.epoch });
                }
                return Ok(self.end(report.epoch, false));
            }
        }
        Ok(self.end(self.training.epochs, false))
    }

    /// Runs the remaining steps of the epoch, then scores the validation examples.
    fn one_epoch(&mut self, watch: &mut dyn TrainingObserver) -> Result<Epoch, ModelError> {
        let epoch = self.progress.epoch;
        let mut began = Instant::now();
        let batches = Batches::shuffled(self.job.train, self.scaler, self.recipe, epoch);
        let n_steps = batches.len();
        batches.each(self.progress.step, |batch| {
            let step = self.progress.step;
            let Training { optimizer, schedule, epochs, .. } = self.training;
            let factor = schedule.factor(epoch, step, n_steps, *epochs);
            let rate = optimizer.learning_rate() * factor;
            let tally = self.engine.step(batch, StepKey { seed: self.job.seed, epoch, step }, rate);
            self.blend((epoch - 1) * n_steps + step + 1);
            let progress = &mut self.progress;
            progress.loss += tally.loss;
            progress.n_right += tally.n_right;
            progress.learning_rate = rate;
            progress.step += 1;
            check(progress.loss, epoch)?;
            match watch.next() {
                Next::Go => {}
                next => {
                    self.progress.seconds += began.elapsed().as_secs_f64();
                    began = Instant::now();
                    let kept = watch.keep(self.snapshot());
                    if kept == Flow::Stop || next == Next::SaveAndStop {
                        return Err(ModelError::Stopped { epoch });
                    }
                }
            }
            Ok(())
        })?;
        let n = self.job.train.len() as f64;
        let train_loss = self.progress.loss / n;
        self.check_run_away(train_loss)?;
        let is_scored =
            epoch.is_multiple_of(self.training.validate_every) || epoch == self.training.epochs;
        let (valid_loss, valid_accuracy) =
            if is_scored { self.evaluate()? } else { (f64::NAN, f64::NAN) };
        Ok(Epoch {
            epoch,
            train_loss,
            train_accuracy: match self.goal {
                Goal::Classes => self.progress.n_right as f64 / n,
                Goal::Tags | Goal::Number(_) => f64::NAN,
            },
            valid_loss,
            valid_accuracy,
            learning_rate: self.progress.learning_rate,
            seconds: self.progress.seconds + began.elapsed().as_secs_f64(),
        })
    }

    /// Returns the mean loss, penalty included, and the accuracy; both are NaN if there is no
    /// example, and the accuracy is if there are no classes.
    fn evaluate(&mut self) -> Result<(f64, f64), ModelError> {
        let examples = self.job.valid;
        if examples.is_empty() {
            return Ok((f64::NAN, f64::NAN));
        }
        let views = Views::of_validation(self.training, self.scaler, examples.shape);
        let last = self.average.as_ref().map(|average| {
            let last = self.engine.weights();
            self.engine.set_weights(average);
            last
        });
        let found = evaluate(self.engine, &examples, &views, self.goal);
        if let Some(last) = last {
            self.engine.set_weights(&last);
        }
        check(found.0, self.progress.epoch)?;
        Ok(found)
    }

    /// Moves the average of the weights, moving statistics included, towards those after the
    /// `n_steps`-th step.
    ///
    /// # Source
    /// Polyak and Juditsky, 1992; the share that is kept grows with the steps as in TensorFlow's
    /// `ExponentialMovingAverage`, so that the first weights are soon forgotten.
    fn blend(&mut self, n_steps: usize) {
        let (Some(most), Some(average)) = (self.training.ema, &mut self.average) else { return };
        let n = n_steps as f64;
        let keep = most.min((1.0 + n) / (10.0 + n)) as f32;
        for (average, values) in average.0.iter_mut().zip(self.engine.weights().0) {
            for (average, value) in average.iter_mut().zip(values) {
                *average = keep * *average + (1.0 - keep) * value;
            }
        }
    }

    fn check_run_away(&self, loss: f64) -> Result<(), ModelError> {
        let clueless = self.goal.clueless_loss(self.job.train.n_outputs);
        match self.progress.least_loss {
            Some(least) if loss > RUN_AWAY * least.max(clueless) => {
                Err(ModelError::RanAway { epoch: self.progress.epoch, loss, least })
            }
            _ => Ok(()),
        }
    }

    fn snapshot(&self) -> Vec<u8> {
        let (best, average) = (self.best_weights.as_ref(), self.average.as_ref());
        snapshot::encode(self.net, &self.engine.state(), &self.progress, best, average)
    }

    /// Records an epoch; returns true if the last better one is too far back.
    fn take_note(&mut self, report: &Epoch) -> bool {
        let Some(rule) = self.training.early_stopping else { return false };
        let value = rule.monitor.of(report);
        let is_better = |best: Best| rule.monitor.gain(value, best.value) > rule.min_delta;
        // An epoch without validation has no value and does not count as better.
        if value.is_finite() && self.progress.best.is_none_or(is_better) {
            self.progress.best = Some(Best { epoch: report.epoch, value });
            if rule.restore_best {
                let weights = || self.engine.weights();
                self.best_weights = Some(self.average.clone().unwrap_or_else(weights));
            }
        }
        report.epoch - self.progress.best.map_or(0, |best| best.epoch) >= rule.patience
    }

    fn end(&mut self, last_epoch: usize, early: bool) -> TrainingOutcome {
        let mut notes = vec![];
        if let (true, Some(rule), best) = (early, self.training.early_stopping, self.progress.best)
        {
            notes.push(said_of_early_end(rule, best, last_epoch));
        }
        let kept_epoch = match (self.best_weights.take(), self.progress.best) {
            (Some(weights), Some(best)) => {
                self.engine.set_weights(&weights);
                best.epoch
            }
            _ => {
                if let Some(average) = &self.average {
                    self.engine.set_weights(average);
                }
                last_epoch
            }
        };
        TrainingOutcome { kept_epoch, notes }
    }
}

fn said_of_early_end(rule: EarlyStopping, best: Option<Best>, last_epoch: usize) -> String {
    let EarlyStopping { monitor, patience, .. } = rule;
    let monitor = monitor.name();
    match best {
        Some(Best { epoch, value }) => format!(
            "stopped early after epoch {last_epoch}: for {patience} epochs no {monitor} was better \
             than the {value:.4} of epoch {epoch}"
        ),
        None => {
            format!("stopped early after epoch {last_epoch}: no {monitor} in {patience} epochs")
        }
    }
}

/// Computes the mean loss, penalty included, and the accuracy, NaN if there are no classes.
fn evaluate(engine: &mut dyn Engine, examples: &Examples, views: &Views, goal: Goal) -> (f64, f64) {
    let (mut loss, mut n_right) = (0.0, 0);
    let targets = goal.plain();
    for first in (0..examples.len()).step_by(CHUNK) {
        let some = first..examples.len().min(first + CHUNK);
        let (labels, targets) = targets.gather(examples, &some.clone().collect::<Vec<_>>());
        let batch = Batch { n: some.len(), inputs: vec![], labels, targets };
        let outputs = views.outputs(examples, some, |inputs| engine.outputs(inputs));
        let mut unused = vec![0.0; outputs.len()];
        let tally = goal.loss().compute(&outputs, &batch.goals(), examples.n_outputs, &mut unused);
        loss += tally.loss;
        n_right += tally.n_right;
    }
    let n = examples.len() as f64;
    let accuracy = if goal == Goal::Classes { n_right as f64 / n } else { f64::NAN };
    (loss / n + engine.penalty(), accuracy)
}

fn check(loss: f64, epoch: usize) -> Result<(), ModelError> {
    if loss.is_finite() { Ok(()) } else { Err(ModelError::Diverged { epoch, loss }) }
}

#[cfg(test)]
mod tests;
