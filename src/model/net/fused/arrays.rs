//! The arrays that a training carries from step to step: parameters and the optimizer's moments.

use std::borrow::Cow;
use std::ops::Range;

use rayon::prelude::*;

use super::image::Slot;
use crate::kernels::isa::Isa;
use crate::kernels::optimizer::{Constants, Parameters, sum_of_squares, update};

/// Number of values that one thread takes at a time. Sums over pieces have the same order on any
/// number of threads.
const PIECE: usize = 1 << 14;

/// Values, gradients and moments of every parameter, in one slice each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrays {
    pub(super) values: Vec<f32>,
    pub(super) gradients: Vec<f32>,
    /// The optimizer's moments, `first` and `second` of [`Parameters`].
    pub(super) moments: [Vec<f32>; 2],
    pub(super) n_steps: u64,
}

impl Arrays {
    /// Creates slices of `n` zeros, for the start of a training.
    pub(super) fn new(n: usize) -> Self {
        let zeros = || vec![0.0; n];
        Self { values: zeros(), gradients: zeros(), moments: [zeros(), zeros()], n_steps: 0 }
    }

    /// Returns the slices of one parameter, for the optimizer.
    pub(super) fn parameters(&mut self, range: Range<usize>) -> Parameters<'_> {
        let [first, second] = &mut self.moments;
        Parameters {
            values: &mut self.values[range.clone()],
            gradients: &mut self.gradients[range.clone()],
            first: &mut first[range.clone()],
            second: &mut second[range],
        }
    }

    /// Updates one parameter.
    pub(super) fn update(&mut self, isa: Isa, constants: &Constants, range: Range<usize>) {
        let Parameters { values, gradients, first, second } = self.parameters(range);
        values
            .par_chunks_mut(PIECE)
            .zip(gradients.par_chunks_mut(PIECE))
            .zip(first.par_chunks_mut(PIECE))
            .zip(second.par_chunks_mut(PIECE))
            .for_each(|(((values, gradients), first), second)| {
                let piece = Parameters { values, gradients, first, second };
                let _no_penalty = update(isa, constants, 0.0, piece);
            });
    }

    /// Returns the global norm of all gradients. Zeros between the parameters' rows are left out, since
    /// the order of the sum depends on them.
    pub(super) fn gradient_norm(&self, isa: Isa, slots: &[Slot]) -> f64 {
        let gradients = if slots.iter().all(|slot| slot.row == slot.stored) {
            Cow::Borrowed(&self.gradients)
        } else {
            Cow::Owned(slots.iter().flat_map(|slot| slot.cut(&self.gradients)).collect())
        };
        let pieces = gradients.par_chunks(PIECE);
        let squares: Vec<f64> = pieces.map(|values| sum_of_squares(isa, values)).collect();
        squares.iter().sum::<f64>().sqrt()
    }

    /// Scales all gradients so that their global norm is at most `max_norm`. Gradients of
    /// parameters that are not trainable are 0.
    ///
    /// # Source
    /// Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", 2013, algorithm 1, as in
    /// Keras 3's `global_clipnorm` and PyTorch's `clip_grad_norm_`.
    pub(super) fn clip(&mut self, isa: Isa, slots: &[Slot], max_norm: f64) {
        let scale = max_norm / self.gradient_norm(isa, slots);
        if scale < 1.0 {
            let scale = scale as f32;
            self.gradients.par_chunks_mut(PIECE).for_each(|piece| {
                piece.iter_mut().for_each(|gradient| *gradient *= scale);
            });
        }
    }
}
