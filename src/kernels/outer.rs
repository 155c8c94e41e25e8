//! The product in every weight gradient: the rows of a forward product times the gradients of their
//! outputs.

use crate::kernels::isa::{Isa, Level, Tile, Work, fma};
use crate::kernels::product::{Place, SHORT, Segments, lanes};

/// Number of places processed together, so that their inputs and gradients stay in the first-level
/// cache.
const PLACES: usize = 128;

/// Computes `d_weights[k][c] += sum over places of input[row k of place] * d_output[place.output +
/// c]`, in the order of the places.
#[derive(Debug)]
pub struct Outer<'a> {
    /// The input of the rows.
    pub input: &'a [f32],
    /// The rows.
    pub places: &'a [Place],
    /// The segments of a row.
    pub segments: Segments,
    /// Gradients of the rows' outputs.
    pub d_output: &'a [f32],
    /// Number of outputs of a row.
    pub n_out: usize,
    /// `[n_weights, n_out]`; the result is added.
    pub d_weights: &'a mut [f32],
}

impl Outer<'_> {
    /// Computes the product with an instruction set.
    pub fn run(self, isa: Isa) {
        isa.run(self);
    }

    #[inline(always)]
    fn column<L: Level, const LANES: usize>(&mut self, column: usize) {
        if self.segments.n == [3, 1] && self.segments.len == SHORT && LANES >= 16 {
            self.window::<L, LANES>(column);
            return;
        }
        for segment in self.segments.offsets() {
            let len = self.segments.len;
            let mut k = 0;
            if matches!(L::TILE, Tile::Wide) && LANES >= 32 {
                while k + 12 <= len {
                    self.tile::<L, 12, LANES>(segment, k, column);
                    k += 12;
                }
                while k + 9 <= len {
                    self.tile::<L, 9, LANES>(segment, k, column);
                    k += 9;
                }
            } else if LANES >= 16 {
                while k + 6 <= len {
                    self.tile::<L, 6, LANES>(segment, k, column);
                    k += 6;
                }
            }
            while k + 4 <= len {
                self.tile::<L, 4, LANES>(segment, k, column);
                k += 4;
            }
            while LANES >= 16 && k + 3 <= len {
                self.tile::<L, 3, LANES>(segment, k, column);
                k += 3;
            }
            while k < len {
                self.tile::<L, 1, LANES>(segment, k, column);
                k += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<L: Level, const ROWS: usize, const LANES: usize>(
        &mut self,
        (offset, first): (usize, usize),
        k: usize,
        column: usize,
    ) {
        let row = first + k;
        let mut sums = [[0.0; LANES]; ROWS];
        for r in 0..ROWS {
            sums[r] = lanes(self.d_weights, (row + r) * self.n_out + column);
        }
        let input = &self.input[offset + k..];
        let d_output = &self.d_output[column..];
        for place in self.places {
            let values = &input[place.input as usize..][..ROWS];
            let gradient: [f32; LANES] = lanes(d_output, place.output as usize);
            for r in 0..ROWS {
                // The value is read here instead of in an array above, so that it is broadcast from
                // memory and not shuffled out of a vector.
                let value = values[r];
                for lane in 0..LANES {
                    sums[r][lane] = fma::<L>(value, gradient[lane], sums[r][lane]);
                }
            }
        }
        for r in 0..ROWS {
            let first = (row + r) * self.n_out + column;
            self.d_weights[first..first + LANES].copy_from_slice(&sums[r]);
        }
    }
}

impl Outer<'_> {
    /// Computes the gradients of a whole window of three short rows in one pass.
    #[inline(always)]
    fn window<L: Level, const LANES: usize>(&mut self, column: usize) {
        let (n_out, mut offsets, mut rows) = (self.n_out, [0; 3], [0; 3]);
        for (segment, (offset, row)) in self.segments.offsets().enumerate() {
            (offsets[segment], rows[segment]) = (offset, row);
        }
        let mut sums = [[[0.0; LANES]; SHORT]; 3];
        for segment in 0..3 {
            for k in 0..SHORT {
                sums[segment][k] = lanes(self.d_weights, (rows[segment] + k) * n_out + column);
            }
        }
        let d_output = &self.d_output[column..];
        for place in self.places {
            let gradient: [f32; LANES] = lanes(d_output, place.output as usize);
            for segment in 0..3 {
                let at = place.input as usize + offsets[segment];
                let values = &self.input[at..at + SHORT];
                for k in 0..SHORT {
                    let value = values[k];
                    for lane in 0..LANES {
                        sums[segment][k][lane] =
                            fma::<L>(value, gradient[lane], sums[segment][k][lane]);
                    }
                }
            }
        }
        for segment in 0..3 {
            for k in 0..SHORT {
                let first = (rows[segment] + k) * n_out + column;
                self.d_weights[first..first + LANES].copy_from_slice(&sums[segment][k]);
            }
        }
    }
}

impl Work for Outer<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: Level>(mut self) {
        for places in self.places.chunks(PLACES) {
            self.places = places;
            self.columns::<L>();
        }
    }
}

impl Outer<'_> {
    #[inline(always)]
    fn columns<L: Level>(&mut self) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::product::dense_places;
    use crate::kernels::reference::{assert_close, random};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_shape_is_the_plain_product(n in 1_usize..12, n_in in 1_usize..40, n_out in 1_usize..70, key: u64) {
            let (x, d) = (random(key, n * n_in), random(key ^ 1, n * n_out));
            let before = random(key ^ 2, n_in * n_out);
            let expected: Vec<f64> = (0..n_in * n_out)
                .map(|i| f64::from(before[i])
                    + (0..n).map(|row| f64::from(x[row * n_in + i / n_out]) * f64::from(d[row * n_out + i % n_out])).sum::<f64>())
                .collect();
            let places = dense_places(n, n_in, n_out);
            let mut of_levels = Vec::new();
            for isa in Isa::available() {
                let mut d_weights = before.clone();
                Outer { input: &x, places: &places, segments: Segments::one(n_in), d_output: &d, n_out,
                    d_weights: &mut d_weights }.run(isa);
                assert_close(&d_weights, &expected, 1e-5);
                of_levels.push(d_weights);
            }
            prop_assert!(of_levels.iter().skip(1).all(|level| *level == of_levels[1]));
        }
    }
}
