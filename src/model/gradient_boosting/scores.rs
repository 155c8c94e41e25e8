//! Scores of every example for every class, and the loss.

use rayon::prelude::*;

use super::super::Examples;
use super::super::tree::Tree;
use super::Boosted;

/// Examples whose losses are summed on one thread: the same number on any machine, so that the sum
/// of the sums is the same too.
const CHUNK: usize = 4096;

/// The probability that stands in for one below it, as in the metrics.
const LEAST: f64 = f32::EPSILON as f64;

/// The scores before the first round: with them the softmax is how frequent the classes are.
///
/// # Source
/// scikit-learn's `HalfMultinomialLoss` and `HalfBinomialLoss`, `fit_intercept_only`.
pub(super) fn start(train: &Examples, classes: &[usize]) -> Vec<f64> {
    let mut counts = vec![0_usize; train.n_classes];
    (0..train.len()).for_each(|index| counts[train.label(index)] += 1);
    let logs: Vec<f64> =
        classes.iter().map(|class| libm::log(counts[*class] as f64 / train.len() as f64)).collect();
    if let [first, second] = logs[..] {
        return vec![second - first];
    }
    let mean = logs.iter().sum::<f64>() / logs.len() as f64;
    logs.iter().map(|log| log - mean).collect()
}

/// Probabilities of an example's scores; a single score is that of the second of two classes, the
/// first having 0.
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

/// The scores and probabilities of some examples, as rounds go by.
pub(super) struct Scores<'a> {
    examples: Examples<'a>,
    /// Every example's class among those that training saw; none where it saw no such example.
    labels: Vec<Option<usize>>,
    n_scores: usize,
    n_classes: usize,
    /// `[n][n_scores]`.
    scores: Vec<f64>,
    /// Of the classes seen, `[n][n_classes]`.
    probabilities: Vec<f64>,
}

impl<'a> Scores<'a> {
    /// The scores before the first round.
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

    /// Adds what a round's trees say.
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

    /// First and second derivative of every example's loss by one of the scores.
    pub(super) fn derivatives(&self, score: usize) -> Vec<[f32; 2]> {
        // The single score of two classes is that of the second.
        let class = score + self.n_classes - self.n_scores;
        let rows = self.probabilities.chunks_exact(self.n_classes).zip(&self.labels);
        rows.map(|(row, label)| {
            let p = row[class];
            let wanted = f64::from(u8::from(*label == Some(class)));
            [(p - wanted) as f32, (p * (1.0 - p)) as f32]
        })
        .collect()
    }

    /// Mean loss and accuracy; NaN where there is no example.
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
