//! Gathers examples into batches: shuffled, perhaps reversed, standardised.

use super::super::Examples;
use super::super::scaler::Scaler;
use super::super::training::Augment;
use super::engine::Batch;
use crate::vocab::{Rng, Seed};

/// The batches of training examples of one epoch.
pub(super) struct Batches<'a> {
    examples: Examples<'a>,
    scaler: Option<&'a Scaler>,
    /// Which examples, in the order of use.
    order: Vec<usize>,
    batch_size: usize,
    /// Draws which examples are reversed, by their index.
    reversal: Option<Rng>,
}

impl<'a> Batches<'a> {
    /// All examples in an order drawn for this epoch (one-based).
    pub(super) fn shuffled(
        examples: Examples<'a>,
        scaler: Option<&'a Scaler>,
        batch_size: usize,
        augment: &[Augment],
        seed: Seed,
        epoch: usize,
    ) -> Self {
        let mut order: Vec<usize> = (0..examples.len()).collect();
        seed.rng("shuffle", &[epoch as u64]).shuffle(&mut order);
        let reversal = augment
            .contains(&Augment::TimeReversal)
            .then(|| seed.rng("time_reversal", &[epoch as u64]));
        Self { examples, scaler, order, batch_size, reversal }
    }

    /// All examples as they stand.
    pub(super) fn in_order(
        examples: Examples<'a>,
        scaler: Option<&'a Scaler>,
        batch_size: usize,
    ) -> Self {
        let order = (0..examples.len()).collect();
        Self { examples, scaler, order, batch_size, reversal: None }
    }

    /// The batches, the last perhaps smaller.
    pub(super) fn iter(&self) -> impl Iterator<Item = Batch> + '_ {
        self.order.chunks(self.batch_size).map(|indices| self.gather(indices))
    }

    fn gather(&self, indices: &[usize]) -> Batch {
        let mut inputs = Vec::with_capacity(indices.len() * self.examples.width());
        for &index in indices {
            let example = self.examples.example(index);
            // The highest bit of the draw: probability 0.5.
            let reversed =
                self.reversal.as_ref().is_some_and(|rng| rng.at(index as u64) >> 63 == 1);
            if reversed {
                let frame = example.len() / self.examples.shape[0];
                example.chunks_exact(frame).rev().for_each(|frame| inputs.extend_from_slice(frame));
            } else {
                inputs.extend_from_slice(example);
            }
        }
        if let Some(scaler) = self.scaler {
            scaler.apply(&mut inputs);
        }
        Batch { inputs, labels: indices.iter().map(|&index| self.examples.label(index)).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MATRIX: [f32; 24] = {
        let mut matrix = [0.0; 24];
        let mut i = 0;
        while i < 24 {
            matrix[i] = i as f32;
            i += 1;
        }
        matrix
    };

    fn examples(rows: &[usize]) -> Examples<'_> {
        Examples { shape: &[3, 2], matrix: &MATRIX, labels: &[0, 1, 2, 3], rows, n_classes: 4 }
    }

    #[test]
    fn every_example_comes_once_and_the_last_batch_is_smaller() {
        let batches = Batches::shuffled(examples(&[0, 1, 2, 3, 1]), None, 2, &[], Seed(1), 1);
        let batches: Vec<Batch> = batches.iter().collect();
        assert_eq!(batches.iter().map(|b| b.labels.len()).collect::<Vec<_>>(), [2, 2, 1]);
        let mut labels: Vec<usize> = batches.iter().flat_map(|b| b.labels.clone()).collect();
        labels.sort_unstable();
        assert_eq!(labels, [0, 1, 1, 2, 3]);
        for batch in &batches {
            for (input, label) in batch.inputs.chunks(6).zip(&batch.labels) {
                assert_eq!(input[..1], [(6 * label) as f32]);
            }
        }
    }

    #[test]
    fn orders_differ_between_epochs_and_seeds() {
        let rows: Vec<usize> = vec![0; 50];
        let order =
            |seed, epoch| Batches::shuffled(examples(&rows), None, 2, &[], Seed(seed), epoch).order;
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }

    #[test]
    fn time_reversal_turns_half_of_the_examples_anew_each_epoch() {
        let rows: Vec<usize> = vec![1; 1000];
        let turned = |epoch| -> Vec<bool> {
            let augment = [Augment::TimeReversal];
            let mut batches = Batches::shuffled(examples(&rows), None, 7, &augment, Seed(1), epoch);
            batches.order = (0..1000).collect();
            let inputs: Vec<f32> = batches.iter().flat_map(|b| b.inputs).collect();
            inputs
                .chunks(6)
                .map(|input| match input {
                    [6.0, 7.0, 8.0, 9.0, 10.0, 11.0] => false,
                    [10.0, 11.0, 8.0, 9.0, 6.0, 7.0] => true,
                    other => panic!("neither forwards nor backwards: {other:?}"),
                })
                .collect()
        };
        let first = turned(1);
        let n_turned = first.iter().filter(|turned| **turned).count();
        assert!((450..550).contains(&n_turned), "{n_turned}");
        assert_ne!(first, turned(2));
    }
}
