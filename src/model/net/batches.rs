//! Gathers examples into batches: shuffled, augmented, standardized, mixed.

use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

use super::super::augment::{Cut, Draws};
use super::super::crop::Crop;
use super::super::scaler::Scaler;
use super::super::training::Training;
use super::super::{Examples, FitInput, FreshExamples, ModelError};
use super::engine::Batch;
use super::goal::TargetRows;
use crate::vocab::{Rng, Seed};

/// Number of batches that are computed before they are needed.
const BATCHES_AHEAD: usize = 4;

/// How training examples become batches.
#[derive(Clone, Copy)]
pub(super) struct Recipe<'a> {
    pub(super) training: &'a Training,
    pub(super) targets: &'a TargetRows,
    pub(super) seed: Seed,
    /// What computes the examples of each epoch, if they are not the same in all.
    pub(super) fresh: Option<&'a dyn FreshExamples>,
}

impl<'a> Recipe<'a> {
    /// Reads the settings.
    pub(super) fn new(training: &'a Training, targets: &'a TargetRows, job: &FitInput<'a>) -> Self {
        Self { training, targets, seed: job.seed, fresh: job.fresh }
    }
}

/// The batches of one pass over some examples.
pub(super) struct Batches<'a> {
    examples: Examples<'a>,
    scaler: Option<&'a Scaler>,
    /// Indices of the examples, in order of use.
    order: Vec<usize>,
    batch_size: usize,
    targets: &'a TargetRows,
    /// What computes the examples of the epoch, if they are not those of all epochs.
    fresh: Option<(&'a dyn FreshExamples, usize)>,
    /// Chooses the window of an example by its index, if the net sees windows.
    crop: Option<(Crop, Rng)>,
    /// The shape of a window, or of a whole example.
    shape: Vec<usize>,
    /// Changes examples by their index.
    draws: Draws<'a>,
    /// The seed, the epoch and the parameter of the Beta distribution.
    mixup: Option<(Seed, usize, f64)>,
}

impl<'a> Batches<'a> {
    /// Returns all examples in an order drawn for this epoch (one-based).
    pub(super) fn shuffled(
        examples: Examples<'a>,
        scaler: Option<&'a Scaler>,
        recipe: Recipe<'a>,
        epoch: usize,
    ) -> Self {
        let Recipe { training, targets, seed, fresh } = recipe;
        let Training { batch_size, mixup, crop, .. } = *training;
        let mut order: Vec<usize> = (0..examples.len()).collect();
        seed.rng("shuffle", &[epoch as u64]).shuffle(&mut order);
        let crop = crop.map(|crop| (crop, seed.rng("crop", &[epoch as u64])));
        let shape = training.input_shape(examples.shape);
        let draws = Draws::of_epoch(&training.augment, seed, epoch);
        let mixup = (mixup > 0.0).then_some((seed, epoch, mixup));
        let fresh = fresh.map(|fresh| (fresh, epoch));
        Self { examples, scaler, order, batch_size, targets, fresh, crop, shape, draws, mixup }
    }

    /// Returns the number of batches.
    pub(super) fn len(&self) -> usize {
        self.order.len().div_ceil(self.batch_size)
    }

    /// Returns one batch; the last one may be smaller.
    ///
    /// # Errors
    /// If an example can't be computed.
    pub(super) fn batch(&self, step: usize) -> Result<Batch, ModelError> {
        let first = step * self.batch_size;
        let indices = &self.order[first..self.order.len().min(first + self.batch_size)];
        let mut batch = self.gather(indices)?;
        for (cut, mut rng) in self.draws.cuts(step, &self.shape) {
            cut_in(&mut batch, &cut, &mut rng, &self.shape);
        }
        if let Some((seed, epoch, alpha)) = self.mixup {
            let mut rng = seed.rng("mixup", &[epoch as u64, step as u64]);
            mix(&mut batch, &mut rng, alpha);
        }
        Ok(batch)
    }

    /// Passes the batches from a step on to `work`, until it fails. Where examples are computed for each epoch,
    /// another thread is some batches ahead.
    ///
    /// # Errors
    /// The first error of `work`, or that of an example that can't be computed.
    pub(super) fn each(
        &self,
        first: usize,
        mut work: impl FnMut(&Batch) -> Result<(), ModelError>,
    ) -> Result<(), ModelError> {
        if self.fresh.is_none() {
            return (first..self.len()).try_for_each(|step| work(&self.batch(step)?));
        }
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel(BATCHES_AHEAD);
            scope.spawn(move || {
                let mut batches = (first..self.len()).map(|step| self.batch(step));
                // Nobody receives after an error.
                batches.all(|batch| send.send(batch).is_ok());
            });
            receive.into_iter().try_for_each(|batch| work(&batch?))
        })
    }

    /// Returns all batches in order.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = Batch> + '_ {
        (0..self.len()).map(|step| self.batch(step).unwrap())
    }

    fn gather(&self, indices: &[usize]) -> Result<Batch, ModelError> {
        let width: usize = self.shape.iter().product();
        let mut inputs = Vec::with_capacity(indices.len() * width);
        if let Some((fresh, epoch)) = self.fresh {
            // Sound takes long: all threads compute examples, and the order is that of the batch.
            let seen: Vec<Vec<f32>> = indices
                .par_iter()
                .map(|&index| {
                    let mut example = vec![0.0; self.examples.width()];
                    fresh.compute(epoch, index, &mut example)?;
                    let mut seen = example[self.window(index)..][..width].to_vec();
                    self.draws.change(index, &mut seen, &self.shape);
                    Ok(seen)
                })
                .collect::<Result<_, ModelError>>()?;
            seen.iter().for_each(|seen| inputs.extend_from_slice(seen));
        } else {
            for &index in indices {
                let start = inputs.len();
                let example = self.examples.example(index);
                inputs.extend_from_slice(&example[self.window(index)..][..width]);
                self.draws.change(index, &mut inputs[start..], &self.shape);
            }
        }
        if let Some(scaler) = self.scaler {
            scaler.apply(&mut inputs);
        }
        let (labels, targets) = self.targets.gather(&self.examples, indices);
        Ok(Batch { n: indices.len(), inputs, labels, targets })
    }

    /// Returns the first number of what the net sees of an example.
    fn window(&self, index: usize) -> usize {
        let Some((crop, rng)) = &self.crop else { return 0 };
        let frame: usize = self.shape.iter().skip(1).product();
        crop.start(self.examples.shape[0], rng, index) * frame
    }
}

/// Mixes every example and its targets with a partner from the same batch. The label is that of the
/// larger share.
///
/// # Source
/// Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
fn mix(batch: &mut Batch, rng: &mut Rng, alpha: f64) {
    let share = rng.beta(alpha) as f32;
    let mut partners: Vec<usize> = (0..batch.n).collect();
    rng.shuffle(&mut partners);
    batch.inputs = mixed(&batch.inputs, &partners, share);
    mix_targets(batch, &partners, share);
}

/// Replaces a part of every example by that of a partner from the same batch, and mixes their targets.
fn cut_in(batch: &mut Batch, cut: &Cut, rng: &mut Rng, shape: &[usize]) {
    let mut partners: Vec<usize> = (0..batch.n).collect();
    rng.shuffle(&mut partners);
    let before = batch.inputs.clone();
    let width = before.len() / batch.n;
    for (input, &partner) in batch.inputs.chunks_exact_mut(width).zip(&partners) {
        cut.copy(&before[partner * width..][..width], input, shape);
    }
    mix_targets(batch, &partners, cut.share as f32);
}

/// Gives every example `share` of its own targets and the rest of its partner's.
fn mix_targets(batch: &mut Batch, partners: &[usize], share: f32) {
    batch.targets = mixed(&batch.targets, partners, share);
    if share < 0.5 && !batch.labels.is_empty() {
        batch.labels = partners.iter().map(|&partner| batch.labels[partner]).collect();
    }
}

/// Returns rows, each mixed from `share` of itself and the rest of its partner.
fn mixed(rows: &[f32], partners: &[usize], share: f32) -> Vec<f32> {
    let width = rows.len() / partners.len();
    let mut mixed = Vec::with_capacity(rows.len());
    for (row, &partner) in rows.chunks_exact(width).zip(partners) {
        let other = &rows[partner * width..][..width];
        mixed.extend(row.iter().zip(other).map(|(x, y)| share * x + (1.0 - share) * y));
    }
    mixed
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::super::{Optimizer, augment};
    use super::*;
    use crate::vocab::Targets;

    const MATRIX: [f32; 24] = {
        let mut matrix = [0.0; 24];
        let mut i = 0;
        while i < 24 {
            matrix[i] = i as f32;
            i += 1;
        }
        matrix
    };

    /// A training with some batch size, augmentations and a parameter of mixup.
    fn training(batch_size: usize, augment: &str, mixup: f64) -> Training {
        let augment = augment::tests::list(augment);
        Training { mixup, augment, ..Training::new(Optimizer::adam(0.1), batch_size, 1) }
    }

    fn recipe(training: &Training) -> Recipe<'_> {
        Recipe { training, targets: &TargetRows::Labels, seed: Seed(1), fresh: None }
    }

    fn examples(rows: &[usize]) -> Examples<'_> {
        static TARGETS: LazyLock<Targets> = LazyLock::new(|| Targets::Classes(vec![0, 1, 2, 3]));
        Examples { shape: &[3, 2], matrix: &MATRIX, targets: &TARGETS, rows, n_outputs: 4 }
    }

    #[test]
    fn every_example_comes_once_and_the_last_batch_is_smaller() {
        let plain = training(2, "[]", 0.0);
        let batches = Batches::shuffled(examples(&[0, 1, 2, 3, 1]), None, recipe(&plain), 1);
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
        let plain = training(2, "[]", 0.0);
        let order = |seed, epoch| {
            let recipe = Recipe { seed: Seed(seed), ..recipe(&plain) };
            Batches::shuffled(examples(&rows), None, recipe, epoch).order
        };
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }

    #[test]
    fn time_reversal_turns_half_of_the_examples_anew_each_epoch() {
        let rows: Vec<usize> = vec![1; 1000];
        let turned = |epoch| -> Vec<bool> {
            let training = training(7, "[\"time_reversal\"]", 0.0);
            let mut batches = Batches::shuffled(examples(&rows), None, recipe(&training), epoch);
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

    #[test]
    fn cutmix_exchanges_a_part_and_mixes_targets_by_its_size() {
        let rows = [0, 1, 2, 3];
        let eye: Vec<f32> = (0..16).map(|i| f32::from(u8::from(i % 5 == 0))).collect();
        let eye = TargetRows::Classes(eye);
        let training = training(4, "[{ cutmix = { p = 0.75, axes = \"frames\" } }]", 0.0);
        let recipe = Recipe { targets: &eye, ..recipe(&training) };
        let mut n_cut = 0;
        for epoch in 1..=60 {
            let batch = Batches::shuffled(examples(&rows), None, recipe, epoch).batch(0).unwrap();
            for (row, input) in batch.inputs.chunks(6).enumerate() {
                let targets = &batch.targets[row * 4..][..4];
                // Example k is 6 k to 6 k + 5 in order: every number tells whose it is.
                let mut counted = [0.0; 4];
                for (place, x) in input.iter().enumerate() {
                    let whose = (*x as usize) / 6;
                    assert_eq!(*x as usize % 6, place, "it stays in its place");
                    counted[whose] += 1.0 / 6.0;
                }
                assert!(
                    targets.iter().zip(counted).all(|(a, b)| (a - b).abs() < 1e-6),
                    "{input:?}"
                );
                let largest = targets.iter().copied().fold(0.0, f32::max);
                assert!(targets[batch.labels[row]] >= largest - 1e-6);
                n_cut += usize::from(largest < 1.0);
            }
        }
        assert!((20..200).contains(&n_cut), "{n_cut} of 240");
    }

    #[test]
    fn augmentations_depend_on_seed_epoch_and_example_alone() {
        let rows: Vec<usize> = (0..40).map(|i| i % 4).collect();
        let of = |seed, epoch, batch_size| {
            let augment = "[\"roll\", { noise = { sd = 1 } }, { noise = { sd = 1 } }]";
            let training = training(batch_size, augment, 0.0);
            let recipe = Recipe { seed: Seed(seed), ..recipe(&training) };
            let batches = Batches::shuffled(examples(&rows), None, recipe, epoch);
            let inputs: Vec<f32> = batches.iter().flat_map(|batch| batch.inputs).collect();
            let mut by_example = vec![vec![]; 40];
            for (index, input) in batches.order.iter().zip(inputs.chunks(6)) {
                by_example[*index] = input.to_vec();
            }
            by_example
        };
        let one = of(1, 1, 7);
        assert_eq!(one, of(1, 1, 32), "the batch does not matter");
        assert!(one.iter().zip(&of(1, 2, 7)).all(|(a, b)| a != b), "each epoch draws again");
        assert!(one.iter().zip(&of(2, 1, 7)).all(|(a, b)| a != b), "and each seed");
        assert!(one[0] != one[4], "the same numbers as another example are changed otherwise");
        // Two of a name draw different noise: their sum has twice the variance, not four times.
        let noise: Vec<f32> = (1..=200)
            .flat_map(|epoch| of(1, epoch, 7))
            .enumerate()
            .flat_map(|(i, row)| {
                let start = (i % 4 * 6) as f32;
                let sum = 6.0 * start + 15.0;
                [(row.iter().sum::<f32>() - sum) / 6.0_f32.sqrt()]
            })
            .collect();
        let variance = noise.iter().map(|x| x * x).sum::<f32>() / noise.len() as f32;
        assert!((variance - 2.0).abs() < 0.15, "{variance}");
    }

    #[test]
    fn a_crop_is_a_window_that_each_epoch_draws_for_each_example() {
        let crop = Some(Crop { frames: 2, hop: 2 });
        let training = Training { crop, ..training(7, "[]", 0.0) };
        let rows = vec![2; 600];
        let starts = |epoch| -> Vec<usize> {
            let mut batches = Batches::shuffled(examples(&rows), None, recipe(&training), epoch);
            batches.order = (0..600).collect();
            let inputs: Vec<f32> = batches.iter().flat_map(|batch| batch.inputs).collect();
            let start = |input: &[f32]| match input {
                [12.0, 13.0, 14.0, 15.0] => 0,
                [14.0, 15.0, 16.0, 17.0] => 1,
                other => panic!("no window of two frames: {other:?}"),
            };
            inputs.chunks(4).map(start).collect()
        };
        let first = starts(1);
        let n_later = first.iter().sum::<usize>();
        assert!((250..350).contains(&n_later), "{n_later}");
        assert_eq!(first, starts(1));
        assert_ne!(first, starts(2));
    }

    #[test]
    fn mixup_mixes_examples_and_their_targets_by_one_share() {
        let rows = [0, 1, 2, 3];
        let eye: Vec<f32> = (0..16).map(|i| f32::from(u8::from(i % 5 == 0))).collect();
        let eye = TargetRows::Classes(eye);
        let training = training(4, "[]", 0.4);
        let recipe = Recipe { targets: &eye, ..recipe(&training) };
        let mut shares = vec![];
        for epoch in 1..=40 {
            let batch = Batches::shuffled(examples(&rows), None, recipe, epoch).batch(0).unwrap();
            for (row, input) in batch.inputs.chunks(6).enumerate() {
                let targets = &batch.targets[row * 4..][..4];
                assert!((targets.iter().sum::<f32>() - 1.0).abs() < 1e-6);
                // Example k begins with 6 k, so the input is the mean of that over the targets.
                let mean: f32 = targets.iter().enumerate().map(|(k, t)| 6.0 * k as f32 * t).sum();
                assert!((input[0] - mean).abs() < 1e-4, "{input:?} {targets:?}");
                let largest = targets.iter().copied().fold(0.0, f32::max);
                assert!(targets[batch.labels[row]] >= largest - 1e-6);
                shares.push(largest);
            }
        }
        assert!(
            shares.iter().any(|share| *share < 0.9) && shares.iter().any(|share| *share > 0.99)
        );
    }
}
