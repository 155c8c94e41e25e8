//! The scores of every example for every class, and the loss.

use rayon::prelude::*;

use super::super::Examples;
use super::super::tree::Tree;
use super::Boosted;

/// Number of examples whose losses are summed on one thread. It is the same on any machine, so the
/// total is too.
const CHUNK: usize = 4096;

/// Lower limit of a probability in the loss, as in the metrics.
const LEAST: f64 = f32::EPSILON as f64;

/// Returns the scores before the first round: their softmax gives the class frequencies.
///
/// # Source
/// scikit-learn's `HalfMultinomialLoss` and `HalfBinomialLoss`, `fit_intercept_only`.
pub(super) fn start(train: &Examples, classes: &[usize]) -> Vec<f64> {
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

/// Computes the probabilities from the scores of an example. A single score is that of the second
/// of two classes; the first one then has score 0.
pub(super) fn softmax(scores: &[f64], probabilities: &mut [f64]) {
    match scores {
        [score] => probabilities.copy_from_slice(&[0.0, *score]),
        _ => probabilities.copy_from_slice(scores),
    }
    let max = probabilities.iter().fold(f64::NEG_INFINITY, |max, x| max.max(*x));
    let mut sum = 0.0;
    for x in &mut *probabilities {
        *x = libm::exp(*x - max);
        sum += *x;
    }
    probabilities.iter_mut().for_each(|x| *x /= sum);
}

/// The scores and probabilities of some examples, updated after each round.
pub(super) struct Scores<'a> {
    examples: Examples<'a>,
    /// The class of every example, numbered among the classes that occur in training; `None` for
    /// any other class.
    labels: Vec<Option<usize>>,
    n_scores: usize,
    n_classes: usize,
    /// `[n][n_scores]`.
    scores: Vec<f64>,
    /// Of the classes that occur in training, `[n][n_classes]`.
    probabilities: Vec<f64>,
}

impl<'a> Scores<'a> {
    /// Sets the scores before the first round.
    pub(super) fn new(examples: Examples<'a>, boosted: &Boosted) -> Self {
        let Boosted { start, classes, .. } = boosted;
        let label = |index| classes.binary_search(&examples.label(index)).ok();
        let mut one = vec![0.0; classes.len()];
        softmax(start, &mut one);
        Self {
            labels: (0..examples.len()).map(label).collect(),
            examples,
            n_scores: start.len(),
            n_classes: classes.len(),
            scores: start.repeat(examples.len()),
            probabilities: one.repeat(examples.len()),
        }
    }

    pub(super) fn n_scores(&self) -> usize {
        self.n_scores
    }

    /// Adds the output of a round's trees.
    pub(super) fn add(&mut self, trees: &[Tree<f64>]) {
        let Self { examples, n_scores, n_classes, scores, probabilities, .. } = self;
        scores
            .par_chunks_exact_mut(*n_scores)
            .zip(probabilities.par_chunks_exact_mut(*n_classes))
            .enumerate()
            .for_each(|(index, (scores, probabilities))| {
                let example = examples.example(index);
                for (score, tree) in scores.iter_mut().zip(trees) {
                    *score += tree.answer(example);
                }
                softmax(scores, probabilities);
            });
    }

    /// Returns the first and second derivative of every example's loss with respect to one of the
    /// scores.
    pub(super) fn derivatives(&self, score: usize) -> Vec<[f32; 2]> {
        // With two classes, the single score belongs to the second one.
        let class = score + self.n_classes - self.n_scores;
        let rows = self.probabilities.chunks_exact(self.n_classes).zip(&self.labels);
        rows.map(|(row, label)| {
            let p = row[class];
            let wanted = f64::from(u8::from(*label == Some(class)));
            [(p - wanted) as f32, (p * (1.0 - p)) as f32]
        })
        .collect()
    }

    /// Returns the mean loss and the accuracy; NaN if there is no example.
    pub(super) fn assess(&self) -> (f64, f64) {
        let chunks = self.probabilities.par_chunks(CHUNK * self.n_classes);
        let sums: Vec<(f64, usize)> = chunks
            .zip(self.labels.par_chunks(CHUNK))
            .map(|(rows, labels)| {
                let (mut loss, mut n_right) = (0.0, 0);
                for (row, label) in rows.chunks_exact(self.n_classes).zip(labels) {
                    let p = label.map_or(0.0, |label| row[label]);
                    loss -= libm::log(p.max(LEAST));
                    let most = row.iter().position(|x| row.iter().all(|y| y <= x));
                    n_right += usize::from(label.is_some() && *label == most);
                }
                (loss, n_right)
            })
            .collect();
        let n = self.labels.len() as f64;
        let loss = sums.iter().map(|(loss, _)| loss).sum::<f64>();
        let n_right = sums.iter().map(|(_, n)| n).sum::<usize>();
        (loss / n, n_right as f64 / n)
    }
}
