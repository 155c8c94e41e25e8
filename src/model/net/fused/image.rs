//! How images and parameters lie in memory: each position holds its channels, and then zeros up to a
//! multiple of the width of vectors, so that every kernel works on whole vectors.

use std::ops::Range;

use super::super::layer::Shape;

/// Number of values of a vector.
const VECTOR: usize = 16;

/// Returns how many numbers a position with so many channels holds.
pub(super) fn stored(channels: usize) -> usize {
    if channels == 1 { 1 } else { channels.next_multiple_of(VECTOR) }
}

/// An image that a unit gives, for each example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) channels: usize,
    /// Numbers that a position holds.
    pub(super) stored: usize,
    /// Zeros before and after the image.
    pub(super) frame: [usize; 2],
}

impl Image {
    pub(super) fn shape(&self) -> Shape {
        [self.height, self.width, self.channels]
    }

    /// Returns the length without the frame.
    pub(super) fn len(&self) -> usize {
        self.height * self.width * self.stored
    }

    /// Returns the length with the frame.
    pub(super) fn framed_len(&self) -> usize {
        self.frame[0] + self.len() + self.frame[1]
    }

    /// Returns the length of its values alone.
    pub(super) fn n_values(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Returns the place of an example in a buffer of framed images.
    pub(super) fn at(&self, example: usize) -> Range<usize> {
        let first = example * self.framed_len() + self.frame[0];
        first..first + self.len()
    }
}

/// Copies rows of `from` numbers into rows of `to` numbers: drops the last ones, or leaves them as
/// they are.
pub(super) fn copy_rows(values: &[f32], from: usize, to: usize, copy: &mut [f32]) {
    if from == to {
        copy.copy_from_slice(values);
        return;
    }
    let n = from.min(to);
    for (copy, row) in copy.chunks_exact_mut(to).zip(values.chunks_exact(from)) {
        copy[..n].copy_from_slice(&row[..n]);
    }
}

/// The place of a parameter among all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) range: Range<usize>,
    /// Numbers of a row.
    pub(super) row: usize,
    /// Numbers that a row holds; the rest are 0 and stay so.
    pub(super) stored: usize,
}

impl Slot {
    /// Returns the parameter without the zeros.
    pub(super) fn cut(&self, all: &[f32]) -> Vec<f32> {
        let held = &all[self.range.clone()];
        let mut values = vec![0.0; held.len() / self.stored * self.row];
        copy_rows(held, self.stored, self.row, &mut values);
        values
    }

    /// Puts the parameter among all, the inverse of [`cut`](Self::cut).
    pub(super) fn join(&self, values: &[f32], all: &mut [f32]) {
        copy_rows(values, self.row, self.stored, &mut all[self.range.clone()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_widened_and_cut() {
        let slot = Slot { range: 1..9, row: 3, stored: 4 };
        let mut all = [0.0; 10];
        slot.join(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut all);
        assert_eq!(all, [0.0, 1.0, 2.0, 3.0, 0.0, 4.0, 5.0, 6.0, 0.0, 0.0]);
        assert_eq!(slot.cut(&all), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!([1, 2, 16, 17].map(stored), [1, 16, 16, 32]);
    }
}
