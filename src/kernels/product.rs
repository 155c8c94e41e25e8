//! The product in every forward pass: rows of the input times a matrix.
//!
//! A row consists of a few contiguous segments of the input. The rows of a convolution are its
//! windows (a segment is one row of the window, all channels); the rows of a dense layer are its
//! examples (one segment). Rows are processed in register tiles, so that each weight is loaded once
//! for up to 12 rows. Every output is one sum in the order of the weights' rows, so the tiling does
//! not change the bits.

use crate::kernels::isa::{Isa, Level, Tile, Work, fma};

/// Length of the segments whose loop is unrolled: a row of a window of three columns of one channel.
pub(super) const SHORT: usize = 3;

/// The offsets of a row's input and of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Offset of the row's first segment.
    pub input: u32,
    /// Offset of the row's first output (or, in [`outer`](super::outer), of its gradient).
    pub output: u32,
}

/// The segments of a row, and the rows of the weights that they are multiplied with: some groups of
/// segments. In a window, a group is one of its rows, and a segment one position of it, or all of
/// its positions if they lie next to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segments {
    /// Number of groups of a row, and of segments of a group.
    pub n: [usize; 2],
    /// Number of values in a segment.
    pub len: usize,
    /// Distance between the starts of two groups in the input, and between those of two segments.
    pub input_step: [usize; 2],
    /// The row of the weights for the first value.
    pub first_weight: usize,
    /// The same distances in the rows of the weights.
    pub weight_step: [usize; 2],
}

impl Segments {
    /// Creates one segment of `len` values for the first `len` rows of the weights.
    #[must_use]
    pub const fn one(len: usize) -> Self {
        Self { n: [1; 2], len, input_step: [0; 2], first_weight: 0, weight_step: [0; 2] }
    }

    /// Returns the offset of each segment in a row of the input, and its first row of the weights.
    #[inline(always)]
    pub(super) fn offsets(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.n[0]).flat_map(move |group| {
            let input = group * self.input_step[0];
            let weight = self.first_weight + group * self.weight_step[0];
            (0..self.n[1]).map(move |segment| {
                (input + segment * self.input_step[1], weight + segment * self.weight_step[1])
            })
        })
    }
}

/// Returns the places of `n_rows` dense rows with `n_in` inputs and `n_out` outputs each.
#[must_use]
pub fn dense_places(n_rows: usize, n_in: usize, n_out: usize) -> Vec<Place> {
    (0..n_rows)
        .map(|row| Place { input: (row * n_in) as u32, output: (row * n_out) as u32 })
        .collect()
}

/// The function applied to a sum before it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// `max(x, 0)`.
    Relu,
}

/// The initial value of a sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start<'a> {
    /// 0.
    Zero,
    /// The value of the output's channel, `[n_out]`.
    Bias(&'a [f32]),
    /// The current output: the sum continues.
    Output,
}

/// Computes
/// `output[place.output + c] = activation(start + sum_k input[row k of place] * weights[k][c])`.
#[derive(Debug)]
pub struct Product<'a> {
    /// The input of the rows.
    pub input: &'a [f32],
    /// The rows.
    pub places: &'a [Place],
    /// The segments of a row.
    pub segments: Segments,
    /// `[n_weights, n_out]`.
    pub weights: &'a [f32],
    /// The initial values of the sums.
    pub start: Start<'a>,
    /// Number of outputs of a row.
    pub n_out: usize,
    /// The function applied to each sum.
    pub activation: Activation,
    /// The results.
    pub output: &'a mut [f32],
}

impl Product<'_> {
    /// Computes the product with an instruction set.
    pub fn run(self, isa: Isa) {
        isa.run(self);
    }

    #[inline(always)]
    fn column<L: Level, const LANES: usize>(&mut self, column: usize) {
        let places = self.places;
        let mut next = 0;
        if matches!(L::TILE, Tile::Wide) && LANES >= 16 {
            while next + 12 <= places.len() {
                self.tile::<L, 12, LANES>(&places[next..next + 12], column);
                next += 12;
            }
        } else if LANES >= 16 {
            while next + 6 <= places.len() {
                self.tile::<L, 6, LANES>(&places[next..next + 6], column);
                next += 6;
            }
        }
        while next + 4 <= places.len() {
            self.tile::<L, 4, LANES>(&places[next..next + 4], column);
            next += 4;
        }
        if LANES >= 16 && next + 2 <= places.len() {
            self.tile::<L, 2, LANES>(&places[next..next + 2], column);
            next += 2;
        }
        while next < places.len() {
            self.tile::<L, 1, LANES>(&places[next..=next], column);
            next += 1;
        }
    }

    #[inline(always)]
    fn tile<L: Level, const ROWS: usize, const LANES: usize>(
        &mut self,
        places: &[Place],
        column: usize,
    ) {
        let segments = self.segments;
        let mut sums = match self.start {
            Start::Zero => [[0.0; LANES]; ROWS],
            Start::Bias(bias) => [lanes(bias, column); ROWS],
            Start::Output => {
                let mut sums = [[0.0; LANES]; ROWS];
                for r in 0..ROWS {
                    sums[r] = lanes(self.output, places[r].output as usize + column);
                }
                sums
            }
        };
        for (offset, first) in segments.offsets() {
            let weights = &self.weights[first * self.n_out + column..];
            if segments.len == SHORT {
                self.short::<L, ROWS, LANES>(places, offset, weights, &mut sums);
                continue;
            }
            let mut rows: [&[f32]; ROWS] = [&[]; ROWS];
            for r in 0..ROWS {
                rows[r] = &self.input[places[r].input as usize + offset..][..segments.len];
            }
            for k in 0..segments.len {
                let weight: [f32; LANES] = lanes(weights, k * self.n_out);
                for r in 0..ROWS {
                    let value = rows[r][k];
                    for lane in 0..LANES {
                        sums[r][lane] = fma::<L>(value, weight[lane], sums[r][lane]);
                    }
                }
            }
        }
        for r in 0..ROWS {
            if self.activation == Activation::Relu {
                for lane in 0..LANES {
                    sums[r][lane] = if sums[r][lane] > 0.0 { sums[r][lane] } else { 0.0 };
                }
            }
            let first = places[r].output as usize + column;
            self.output[first..first + LANES].copy_from_slice(&sums[r]);
        }
    }
}

impl Product<'_> {
    /// Adds the products of a segment of [`SHORT`] values, in the order of the loop for all others.
    #[inline(always)]
    fn short<L: Level, const ROWS: usize, const LANES: usize>(
        &self,
        places: &[Place],
        offset: usize,
        weights: &[f32],
        sums: &mut [[f32; LANES]; ROWS],
    ) {
        let mut rows: [&[f32; SHORT]; ROWS] = [&[0.0; SHORT]; ROWS];
        for r in 0..ROWS {
            let segment = &self.input[places[r].input as usize + offset..];
            rows[r] = segment.first_chunk().expect("a segment lies within the input");
        }
        for k in 0..SHORT {
            let weight: [f32; LANES] = lanes(weights, k * self.n_out);
            for r in 0..ROWS {
                for lane in 0..LANES {
                    sums[r][lane] = fma::<L>(rows[r][k], weight[lane], sums[r][lane]);
                }
            }
        }
    }
}

impl Work for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self) {
        let mut column = 0;
        if matches!(L::TILE, Tile::Wide) {
            while column + 32 <= self.n_out {
                self.column::<L, 32>(column);
                column += 32;
            }
        }
        while column + 16 <= self.n_out {
            self.column::<L, 16>(column);
            column += 16;
        }
        while column + 4 <= self.n_out {
            self.column::<L, 4>(column);
            column += 4;
        }
        while column < self.n_out {
            self.column::<L, 1>(column);
            column += 1;
        }
    }
}

/// Returns `LANES` values from `start`.
#[inline(always)]
pub(crate) fn lanes<const LANES: usize>(values: &[f32], start: usize) -> [f32; LANES] {
    *values[start..].first_chunk().expect("a block of channels lies within its row")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reference::{assert_close, random};
    use proptest::prelude::*;

    #[test]
    fn two_rows_of_two_segments() {
        // The rows are [1 2 | 4 5] and [2 3 | 5 6] of a 2 x 3 image; the weights are 1 and 2, the
        // biases 10 and -100.
        let mut output = [0.0; 4];
        Product {
            input: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            places: &[Place { input: 0, output: 0 }, Place { input: 1, output: 2 }],
            segments: Segments {
                n: [2, 1],
                len: 2,
                input_step: [3, 0],
                first_weight: 0,
                weight_step: [2, 0],
            },
            weights: &[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0],
            start: Start::Bias(&[10.0, -100.0]),
            n_out: 2,
            activation: Activation::Relu,
            output: &mut output,
        }
        .run(Isa::best());
        assert_eq!(output, [22.0, 0.0, 26.0, 0.0]);
    }

    proptest! {
        #[test]
        fn any_shape_is_the_plain_product(n in 1_usize..30, n_in in 1_usize..20, n_out in 1_usize..70, key: u64) {
            let (x, w) = (random(key, n * n_in), random(key ^ 1, n_in * n_out));
            let bias = random(key ^ 2, n_out);
            let expected: Vec<f64> = (0..n * n_out)
                .map(|i| f64::from(bias[i % n_out])
                    + (0..n_in).map(|k| f64::from(x[i / n_out * n_in + k]) * f64::from(w[k * n_out + i % n_out])).sum::<f64>())
                .collect();
            let places = dense_places(n, n_in, n_out);
            let mut of_levels = Vec::new();
            for isa in Isa::available() {
                let mut output = vec![f32::NAN; n * n_out];
                Product { input: &x, places: &places, segments: Segments::one(n_in), weights: &w, start: Start::Bias(&bias), n_out,
                    activation: Activation::Linear, output: &mut output }.run(isa);
                assert_close(&output, &expected, 1e-5);
                of_levels.push(output);
            }
            // The baseline rounds twice; all other instruction sets fuse and agree to the bit.
            prop_assert!(of_levels.iter().skip(1).all(|level| *level == of_levels[1]));
        }
    }
}
