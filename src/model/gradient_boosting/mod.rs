//! `[model.gradient_boosting]`: gradient boosting on binned columns.
//!
//! ```toml
//! [model.gradient_boosting]
//! n_estimators = 300      # rounds, each a tree for every class
//! learning_rate = 0.05
//! max_leaf_nodes = 31
//! n_iter_no_change = 20   # stop once so many rounds brought no lower valid loss; no stop if left out
//! ```
//!
//! Each round grows a regression tree for every class (one tree for two classes) that corrects the
//! errors of the softmax of the scores; its leaves take a Newton step. To learn tags, each has its own trees,
//! which correct the errors of the sigmoid of its score; to learn a number, a round is one tree, which
//! corrects the squared error. Names, meanings and defaults
//! are those of scikit-learn's `HistGradientBoostingClassifier` (one for each tag) and
//! `HistGradientBoostingRegressor` (their `max_iter` is `n_estimators`),
//! and `subsample` is that of its `GradientBoostingClassifier`; tests compare the predictions.
//! A round counts as an epoch: a fit can stop and resume between rounds.
//!
//! The trees are implemented here. smartcore 0.7.0 supports squared errors only, and its regression
//! trees sort values where ours count bins: growing 600 of them with depth 6 takes six times as
//! long as our whole fit on the same 24,805 rows of 12 columns.

use std::path::Path;
use std::time::Instant;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::examples::said_of_constant_tags;
use super::files::{file_error, read_json, write_json};
use super::tree::Tree;
use super::{
    Entry, Examples, FitInput, Fitted, FittedModel, Flow, Model, ModelError, Next, Reader,
    TrainingObserver,
};
use crate::schema::{Fields, Int, Real};
use crate::vocab::{Epoch, Outputs, Task};
use bins::{Bins, MAX_BINS};
pub use grow::TreeRules;
use grow::grow;
use scores::Scores;

mod bins;
mod grow;
mod scores;

const FILE: &str = "gradient_boosting.json";

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "gradient_boosting",
    doc: "Gradient boosting: in each round a small tree for every class or tag, or one for a number, \
          corrects what the trees before it got wrong; with optional early stopping.",
    tasks: &Task::ALL,
    read: Reader::AtOnce(read),
};

/// The settings of gradient boosting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientBoosting {
    /// Maximum number of rounds, at least 1.
    pub n_estimators: usize,
    /// Limits on the trees.
    pub rules: TreeRules,
    /// Maximum number of bins of a column, in [2, 255].
    pub max_bins: usize,
    /// Fraction of the training examples used for the trees of each round, in (0, 1].
    pub subsample: f64,
    /// Number of rounds without a lower validation loss after which the fit ends; no early stop if
    /// absent.
    pub n_iter_no_change: Option<usize>,
    /// Amount by which a validation loss must be lower to count as better, at least 0.
    pub tol: f64,
}

impl Default for GradientBoosting {
    fn default() -> Self {
        Self {
            n_estimators: 100,
            rules: TreeRules::default(),
            max_bins: MAX_BINS,
            subsample: 1.0,
            n_iter_no_change: None,
            tol: 0.0,
        }
    }
}

fn read(fields: &mut Fields, _: Option<&[usize]>) -> Box<dyn Model> {
    Box::new(GradientBoosting::read(fields))
}

impl GradientBoosting {
    fn read(fields: &mut Fields) -> Self {
        let n_estimators = fields.with_default("n_estimators", &Int::within(1..=100_000), 100);
        let rules = TreeRules {
            learning_rate: fields.with_default("learning_rate", &Real::positive(), 0.1),
            max_leaf_nodes: fields.with_default("max_leaf_nodes", &Int::within(2..=65_535), 31),
            max_depth: fields.optional("max_depth", &Int::within(1..=65_535)),
            min_samples_leaf: fields.with_default(
                "min_samples_leaf",
                &Int::within(1..=1_000_000),
                20,
            ),
            l2_regularization: fields.with_default("l2_regularization", &Real::not_negative(), 0.0),
        };
        let max_bins = fields.with_default("max_bins", &Int::within(2..=MAX_BINS as i64), MAX_BINS);
        let subsample = fields.with_default("subsample", &Real::from_to(0.0, 1.0), 1.0);
        if subsample == 0.0 {
            fields.fault_at("subsample", "must be above 0: a tree needs examples");
        }
        let n_iter_no_change = fields.optional("n_iter_no_change", &Int::within(1..=100_000));
        let tol = if n_iter_no_change.is_some() {
            fields.with_default("tol", &Real::not_negative(), 1e-7)
        } else {
            if fields.optional("tol", &Real::not_negative()).is_some() {
                fields.fault_at("tol", "has no effect without n_iter_no_change");
            }
            0.0
        };
        Self { n_estimators, rules, max_bins, subsample, n_iter_no_change, tol }
    }

    /// Draws the rows for the trees of a round, ascending.
    fn draw(&self, job: &FitInput, round: usize) -> Vec<u32> {
        let n = job.train.len();
        let mut rows: Vec<u32> = (0..n as u32).collect();
        if self.subsample < 1.0 {
            job.seed.rng("gradient_boosting", &[round as u64]).shuffle(&mut rows);
            rows.truncate(((n as f64 * self.subsample) as usize).max(1));
            rows.sort_unstable();
        }
        rows
    }

    /// Grows the trees of one round.
    fn round(&self, bins: &Bins, rows: &[u32], scores: &Scores) -> Vec<Tree<f64>> {
        (0..scores.n_scores())
            .map(|score| grow(bins, &scores.derivatives(score), rows.to_vec(), self.rules))
            .collect()
    }
}

/// The progress of a fit.
#[derive(Debug, Serialize, Deserialize)]
struct Progress {
    boosted: Boosted,
    /// The one-based round with the lowest valid loss so far, and that loss.
    best: Option<(usize, f64)>,
}

impl Progress {
    fn new(job: &FitInput, classes: Vec<usize>, always: Vec<usize>) -> Self {
        let boosted = Boosted {
            shape: job.train.shape.to_vec(),
            task: job.train.outputs().task,
            n_classes: job.train.n_outputs,
            start: scores::start(&job.train, &classes),
            classes,
            always,
            rounds: vec![],
        };
        Self { boosted, best: None }
    }

    /// Reads the progress from the last snapshot.
    fn resume(job: &FitInput, bytes: &[u8]) -> Result<Self, ModelError> {
        let broken = |said: String| ModelError::Snapshot(said);
        let found: Self = serde_json::from_slice(bytes).map_err(|e| broken(e.to_string()))?;
        if found.boosted.is_sound(job.train.shape, job.train.outputs()) {
            return Ok(found);
        }
        Err(broken("it is of other examples".to_owned()))
    }

    /// Records a round; returns true if the last better one is too far back.
    fn take_note(&mut self, report: &Epoch, model: &GradientBoosting) -> bool {
        let Some(patience) = model.n_iter_no_change else { return false };
        if self.best.is_none_or(|(_, least)| report.valid_loss < least - model.tol) {
            self.best = Some((report.epoch, report.valid_loss));
        }
        self.best.is_some_and(|(round, _)| report.epoch - round >= patience)
    }
}

impl Model for GradientBoosting {
    fn max_epochs(&self) -> Option<usize> {
        Some(self.n_estimators)
    }

    fn fit(&self, job: &FitInput, watch: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        let (classes, constant) = learned(&job.train)?;
        if self.n_iter_no_change.is_some() && job.valid.is_empty() {
            let said = "n_iter_no_change watches the valid loss, but no example is in valid";
            return Err(ModelError::Examples(said.to_owned()));
        }
        let mut progress = match job.resume {
            Some(bytes) => Progress::resume(job, bytes)?,
            None => Progress::new(job, classes, constant[0].clone()),
        };
        let bins = Bins::new(&job.train, self.max_bins);
        let boosted = &progress.boosted;
        let [mut train, mut valid] =
            [&job.train, &job.valid].map(|examples| Scores::new(*examples, boosted));
        for trees in &boosted.rounds {
            train.add(trees);
            valid.add(trees);
        }
        let mut is_over = false;
        let last = job.until.unwrap_or(self.n_estimators).min(self.n_estimators);
        for round in boosted.rounds.len() + 1..=last {
            let began = Instant::now();
            let trees = self.round(&bins, &self.draw(job, round), &train);
            train.add(&trees);
            valid.add(&trees);
            progress.boosted.rounds.push(trees);
            let report = self.report(round, &train, &valid, began);
            if watch.epoch(&report) == Flow::Stop {
                return Err(ModelError::Stopped { epoch: round });
            }
            is_over = progress.take_note(&report, self);
            if is_over {
                break;
            }
            // The observer keeps what a longer fit needs to go on.
            let ends = round == last && last < self.n_estimators;
            match watch.next() {
                Next::Go if !ends => {}
                next => {
                    let bytes = serde_json::to_vec(&progress).expect("a progress is plain data");
                    if watch.keep(bytes) == Flow::Stop || next == Next::SaveAndStop {
                        return Err(ModelError::Stopped { epoch: round });
                    }
                }
            }
        }
        let mut fitted = self.end(progress, is_over);
        fitted.notes.extend(said_of_constant_tags(&constant, job.train.n_outputs));
        Ok(fitted)
    }

    fn load(
        &self,
        folder: &Path,
        shape: &[usize],
        outputs: Outputs,
    ) -> Result<Box<dyn FittedModel>, ModelError> {
        let path = folder.join(FILE);
        let boosted: Boosted = read_json(&path)?;
        if boosted.is_sound(shape, outputs) {
            return Ok(Box::new(boosted));
        }
        let said = format!("does not contain trees for {outputs} and shape {shape:?}");
        Err(file_error(&path, said))
    }
}

/// Returns the classes or tags that have scores, and the tags that all and no examples have.
fn learned(train: &Examples) -> Result<(Vec<usize>, [Vec<usize>; 2]), ModelError> {
    match train.outputs().task {
        Task::Classes => Ok((train.classes_for_fit()?, [vec![], vec![]])),
        Task::Number => train.check_for_fit().map(|()| (vec![], [vec![], vec![]])),
        Task::Tags => {
            train.check_for_fit()?;
            let constant = train.constant_tags();
            let varies = |tag: &usize| !constant.iter().any(|tags| tags.contains(tag));
            let tags: Vec<usize> = (0..train.n_outputs).filter(varies).collect();
            if tags.is_empty() {
                let said = "every tag is on all or on none of the training examples";
                return Err(ModelError::Examples(said.to_owned()));
            }
            Ok((tags, constant))
        }
    }
}

impl GradientBoosting {
    fn report(&self, round: usize, train: &Scores, valid: &Scores, began: Instant) -> Epoch {
        let (train_loss, train_accuracy) = train.assess();
        let (valid_loss, valid_accuracy) = valid.assess();
        Epoch {
            epoch: round,
            train_loss,
            train_accuracy,
            valid_loss,
            valid_accuracy,
            learning_rate: self.rules.learning_rate,
            seconds: began.elapsed().as_secs_f64(),
        }
    }

    fn end(&self, progress: Progress, early: bool) -> Fitted {
        let Progress { mut boosted, best } = progress;
        let last = boosted.rounds.len();
        let kept = best.map_or(last, |(round, _)| round);
        boosted.rounds.truncate(kept);
        let trees = boosted.rounds.iter().flatten();
        let n_nodes: usize = trees.clone().map(|tree| tree.answer.len()).sum();
        let mut notes = vec![format!("{} trees with {n_nodes} nodes in total", trees.count())];
        if let (true, Some(patience), Some((round, loss))) = (early, self.n_iter_no_change, best) {
            notes.push(format!(
                "stopped early after round {last}: for {patience} rounds no valid loss was better \
                 than the {loss:.4} of round {round}"
            ));
        }
        Fitted { model: Box::new(boosted), n_parameters: 0, kept_epoch: Some(kept), notes }
    }
}

/// The fitted model, as it is saved.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Boosted {
    shape: Vec<usize>,
    #[serde(default, skip_serializing_if = "Task::is_classes")]
    task: Task,
    /// The number of classes or tags; 1 for a number.
    n_classes: usize,
    /// The classes that occur in training, ascending; all others have probability 0. Of tags, those that
    /// some but not all training examples have.
    classes: Vec<usize>,
    /// The tags that all training examples have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    always: Vec<usize>,
    /// The scores before the first round, one for each class that occurs. With two classes there is
    /// a single score, that of the second class relative to the first. Of tags, one for each of
    /// `classes`; of a number, one.
    start: Vec<f64>,
    /// The rounds, each with one tree for every score.
    rounds: Vec<Vec<Tree<f64>>>,
}

impl Boosted {
    fn is_sound(&self, shape: &[usize], outputs: Outputs) -> bool {
        let width = shape.iter().product();
        let n_scores = match (self.task, self.classes.len()) {
            (Task::Number, _) | (Task::Classes, 2) => 1,
            (Task::Classes | Task::Tags, n) => n,
        };
        let is_sound = |tree: &Tree<f64>| tree.is_sound(width, f64::is_finite);
        let n_least = match self.task {
            Task::Classes => 2,
            Task::Tags => 1,
            Task::Number => 0,
        };
        self.shape == shape
            && (Outputs { task: self.task, n: self.n_classes }) == outputs
            && self.classes.len() >= n_least
            && self.classes.is_sorted()
            && self.classes.iter().chain(&self.always).all(|class| *class < outputs.n)
            && self.start.len() == n_scores
            && self.rounds.iter().all(|trees| trees.len() == n_scores)
            && self.rounds.iter().flatten().all(is_sound)
    }

    /// Computes the scores of one example.
    fn scores(&self, example: &[f32]) -> Vec<f64> {
        let mut scores = self.start.clone();
        for trees in &self.rounds {
            for (score, tree) in scores.iter_mut().zip(trees) {
                *score += tree.answer(example);
            }
        }
        scores
    }
}

impl FittedModel for Boosted {
    fn predict(&self, examples: &Examples) -> Result<Vec<f32>, ModelError> {
        examples.check_for_predict(&self.shape)?;
        let mut probabilities = vec![0.0; examples.len() * self.n_classes];
        probabilities.par_chunks_exact_mut(self.n_classes).enumerate().for_each(|(index, row)| {
            let mut answers = vec![0.0; scores::n_answers(self)];
            scores::answer(self.task, &self.scores(examples.example(index)), &mut answers);
            if self.task == Task::Number {
                row[0] = answers[0] as f32;
                return;
            }
            for (class, probability) in self.classes.iter().zip(answers) {
                row[*class] = probability as f32;
            }
            self.always.iter().for_each(|tag| row[*tag] = 1.0);
        });
        Ok(probabilities)
    }

    fn save(&self, folder: &Path) -> Result<(), ModelError> {
        write_json(&folder.join(FILE), self)
    }
}

#[cfg(test)]
mod tests;
