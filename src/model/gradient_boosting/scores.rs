//! The scores of every example for every class, and the loss.

use rayon::prelude::*;

use super::super::Examples;
use super::super::tree::Tree;
use super::Boosted;
use crate::kernels::loss::{sigmoid, softmax_row};
use crate::vocab::Task;

/// Number of examples whose losses are summed on one thread. It is the same on any machine, so the
/// total is too.
const CHUNK: usize = 4096;

/// Lower limit of a probability in the loss, as in the metrics.
const LEAST: f64 = f32::EPSILON as f64;

/// Returns the scores before the first round: their softmax or sigmoid gives the frequencies of `classes`,
/// which are tags if there are tags; of a number, the mean.
///
/// # Source
/// scikit-learn's `HalfMultinomialLoss`, `HalfBinomialLoss` and `HalfSquaredError`, `fit_intercept_only`.
pub(super) fn start(train: &Examples, classes: &[usize]) -> Vec<f64> {
    let n = train.len() as f64;
    match train.outputs().task {
        Task::Classes => {}
        Task::Tags => {
            let n_having = |tag: &usize| {
                (0..train.len()).filter(|&index| train.tags(index)[*tag]).count() as f64
            };
            let rates = classes.iter().map(|tag| n_having(tag) / n);
            return rates.map(|rate| libm::log(rate / (1.0 - rate))).collect();
        }
        Task::Number => {
            let sum: f64 = (0..train.len()).map(|index| f64::from(train.number(index))).sum();
            return vec![sum / n];
        }
    }
    let mut counts = vec![0_usize; train.n_outputs];
    (0..train.len()).for_each(|index| counts[train.label(index)] += 1);
    let logs: Vec<f64> =
        classes.iter().map(|class| libm::log(counts[*class] as f64 / train.len() as f64)).collect();
    if let [first, second] = logs[..] {
        return vec![second - first];
    }
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    logs.iter().map(|log| log - mean).collect()
}

/// Returns how many answers an example has: one for each class or tag that has scores, or the number.
pub(super) fn n_answers(boosted: &Boosted) -> usize {
    if boosted.task == Task::Number { 1 } else { boosted.classes.len() }
}

/// Computes the answers from the scores of an example: the probabilities, or the number.
pub(super) fn answer(task: Task, scores: &[f64], answers: &mut [f64]) {
    match task {
        Task::Classes => softmax(scores, answers),
        Task::Tags => {
            answers.iter_mut().zip(scores).for_each(|(p, score)| *p = sigmoid(*score));
        }
        Task::Number => answers.copy_from_slice(scores),
    }
}

/// Computes the probabilities from the scores of an example. A single score is that of the second
/// of two classes; the first one then has score 0.
fn softmax(scores: &[f64], probabilities: &mut [f64]) {
    match scores {
        [score] => probabilities.copy_from_slice(&[0.0, *score]),
        _ => probabilities.copy_from_slice(scores),
    }
    softmax_row(probabilities);
}

/// The scores and answers of some examples, updated after each round.
pub(super) struct Scores<'a> {
    examples: Examples<'a>,
    task: Task,
    /// The class of every example, numbered among the classes that occur in training; `None` for
    /// any other class. Empty if there are no classes.
    labels: Vec<Option<usize>>,
    /// The tags that have scores.
    tags: Vec<usize>,
    /// The tags that all training examples have.
    always: Vec<usize>,
    n_scores: usize,
    n_answers: usize,
    /// `[n][n_scores]`.
    scores: Vec<f64>,
    /// Of the classes that occur in training, of the tags that have scores, or the number,
    /// `[n][n_answers]`.
    answers: Vec<f64>,
}

impl<'a> Scores<'a> {
    /// Sets the scores before the first round.
    pub(super) fn new(examples: Examples<'a>, boosted: &Boosted) -> Self {
        let Boosted { start, classes, always, task, .. } = boosted;
        let label = |index| classes.binary_search(&examples.label(index)).ok();
        let mut one = vec![0.0; n_answers(boosted)];
        answer(*task, start, &mut one);
        let (labels, tags) = match task {
            Task::Classes => ((0..examples.len()).map(label).collect(), vec![]),
            Task::Tags | Task::Number => (vec![], classes.clone()),
        };
        Self {
            labels,
            examples,
            task: *task,
            tags,
            always: always.clone(),
            n_scores: start.len(),
            n_answers: one.len(),
            scores: start.repeat(examples.len()),
            answers: one.repeat(examples.len()),
        }
    }

    pub(super) fn n_scores(&self) -> usize {
        self.n_scores
    }

    /// Adds the output of a round's trees.
    pub(super) fn add(&mut self, trees: &[Tree<f64>]) {
        let Self { examples, task, n_scores, n_answers, scores, answers, .. } = self;
        scores
            .par_chunks_exact_mut(*n_scores)
            .zip(answers.par_chunks_exact_mut(*n_answers))
            .enumerate()
            .for_each(|(index, (scores, answers))| {
                let example = examples.example(index);
                for (score, tree) in scores.iter_mut().zip(trees) {
                    *score += tree.answer(example);
                }
                answer(*task, scores, answers);
            });
    }

    /// Returns the first and second derivative of every example's loss with respect to one of the
    /// scores.
    pub(super) fn derivatives(&self, score: usize) -> Vec<[f32; 2]> {
        // With two classes, the single score belongs to the second one.
        let place = score + self.n_answers - self.n_scores;
        let rows = self.answers.chunks_exact(self.n_answers).map(|row| row[place]);
        let of = |p: f64, wanted: bool| {
            [(p - f64::from(u8::from(wanted))) as f32, (p * (1.0 - p)) as f32]
        };
        match self.task {
            Task::Classes => {
                let pairs = rows.zip(&self.labels);
                pairs.map(|(p, label)| of(p, *label == Some(place))).collect()
            }
            Task::Tags => {
                let tag = self.tags[place];
                let pairs = rows.enumerate();
                pairs.map(|(index, p)| of(p, self.examples.tags(index)[tag])).collect()
            }
            Task::Number => {
                let apart = |(index, x)| x - f64::from(self.examples.number(index));
                rows.enumerate().map(|pair| [apart(pair) as f32, 1.0]).collect()
            }
        }
    }

    /// Returns the mean loss and the accuracy; NaN if there is no example, and the accuracy if there are
    /// no classes. The loss is the cross-entropy, averaged over the tags, or the squared error.
    pub(super) fn assess(&self) -> (f64, f64) {
        let n = self.examples.len();
        let sums: Vec<(f64, usize)> = (0..n.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| {
                let (mut loss, mut n_right) = (0.0, 0);
                for index in chunk * CHUNK..n.min((chunk + 1) * CHUNK) {
                    let row = &self.answers[index * self.n_answers..][..self.n_answers];
                    match self.task {
                        Task::Classes => {
                            let label = self.labels[index];
                            let p = label.map_or(0.0, |label| row[label]);
                            loss -= libm::log(p.max(LEAST));
                            let most = row.iter().position(|x| row.iter().all(|y| y <= x));
                            n_right += usize::from(label.is_some() && label == most);
                        }
                        Task::Tags => loss += self.loss_of_tags(index, row),
                        Task::Number => {
                            let apart = row[0] - f64::from(self.examples.number(index));
                            loss += apart * apart;
                        }
                    }
                }
                (loss, n_right)
            })
            .collect();
        let loss = sums.iter().map(|(loss, _)| loss).sum::<f64>();
        let n_right = sums.iter().map(|(_, n)| n).sum::<usize>();
        let accuracy =
            if self.task == Task::Classes { n_right as f64 / n as f64 } else { f64::NAN };
        (loss / n as f64, accuracy)
    }

    /// Returns the mean cross-entropy of an example's tags. Those without scores count with their rate.
    fn loss_of_tags(&self, index: usize, row: &[f64]) -> f64 {
        let mut rates = vec![0.0; self.examples.n_outputs];
        self.always.iter().for_each(|tag| rates[*tag] = 1.0);
        self.tags.iter().zip(row).for_each(|(tag, p)| rates[*tag] = *p);
        let pairs = rates.iter().zip(self.examples.tags(index));
        let cost =
            |(p, has): (&f64, &bool)| -libm::log((if *has { *p } else { 1.0 - p }).max(LEAST));
        pairs.map(cost).sum::<f64>() / rates.len() as f64
    }
}
