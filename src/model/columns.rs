//! Stored rows and the distances to them.

use std::path::Path;

use super::files::{Array, read_arrays, write_arrays};
use super::scaler::Scaler;
use super::{Examples, ModelError};

/// Number of rows whose distances are summed at a time, so that the sums stay in the first-level
/// cache.
const BLOCK: usize = 512;

/// The distance between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The sum of squared differences: the square of the Euclidean distance.
    SquaredEuclidean,
    /// The sum of absolute differences.
    Manhattan,
    /// The sum of products. This is not a distance.
    InnerProduct,
}

/// Rows stored column by column: `[width][n]`.
pub(super) struct Columns {
    n: usize,
    values: Vec<f32>,
}

impl Columns {
    /// Creates the columns from rows, `[n][width]`.
    pub(super) fn new(rows: &[f32], width: usize) -> Self {
        let n = rows.len() / width;
        let values = (0..width)
            .flat_map(|column| (0..n).map(move |row| rows[row * width + column]))
            .collect();
        Self { n, values }
    }

    /// Calls `see` with every row, in order, and its distance from `query`.
    ///
    /// Squared differences are summed in f64, column after column. The faster way, by inner
    /// products, loses small distances to cancellation.
    pub(super) fn each(&self, query: &[f32], metric: Metric, mut see: impl FnMut(usize, f64)) {
        let mut sums = [0.0_f64; BLOCK];
        for start in (0..self.n).step_by(BLOCK) {
            let sums = &mut sums[..BLOCK.min(self.n - start)];
            sums.fill(0.0);
            for (x, column) in query.iter().zip(self.values.chunks_exact(self.n)) {
                let (x, column) = (f64::from(*x), &column[start..start + sums.len()]);
                let pairs = sums.iter_mut().zip(column);
                match metric {
                    Metric::SquaredEuclidean => pairs.for_each(|(sum, value)| {
                        let difference = x - f64::from(*value);
                        *sum += difference * difference;
                    }),
                    Metric::Manhattan => {
                        pairs.for_each(|(sum, value)| *sum += (x - f64::from(*value)).abs());
                    }
                    Metric::InnerProduct => {
                        pairs.for_each(|(sum, value)| *sum += x * f64::from(*value));
                    }
                }
            }
            sums.iter().enumerate().for_each(|(row, sum)| see(start + row, *sum));
        }
    }
}

/// The training examples that a model compares with.
pub(super) struct Rows {
    /// `[n][width]`, standardized where there is a scaler.
    pub(super) values: Vec<f32>,
    pub(super) columns: Columns,
    pub(super) scaler: Option<Scaler>,
}

impl Rows {
    /// Copies all examples, standardized if requested.
    pub(super) fn new(examples: &Examples, standardize: bool) -> Self {
        let scaler = standardize.then(|| Scaler::fit(examples));
        let values = gather(examples, scaler.as_ref());
        Self::from_values(values, examples.width(), scaler)
    }

    /// Creates the rows from values that are already standardized, `[n][width]`.
    pub(super) fn from_values(values: Vec<f32>, width: usize, scaler: Option<Scaler>) -> Self {
        Self { columns: Columns::new(&values, width), values, scaler }
    }

    /// Returns examples in the scale of these rows, `[examples.len()][width]`.
    pub(super) fn queries(&self, examples: &Examples) -> Vec<f32> {
        gather(examples, self.scaler.as_ref())
    }

    /// Writes the rows and the scaler as safetensors.
    pub(super) fn save(&self, path: &Path, width: usize) -> Result<(), ModelError> {
        let array = |name: &str, shape, values| Array { name: name.to_owned(), shape, values };
        let mut arrays = vec![array("rows", vec![self.columns.n, width], &self.values[..])];
        if let Some(Scaler { mean, scale }) = &self.scaler {
            arrays.push(array("mean", vec![width], mean));
            arrays.push(array("scale", vec![width], scale));
        }
        write_arrays(path, &arrays)
    }

    /// Reads `n` rows back.
    ///
    /// # Errors
    /// If the file contains a different number of rows.
    pub(super) fn load(
        path: &Path,
        n: usize,
        width: usize,
        standardize: bool,
    ) -> Result<Self, ModelError> {
        let mut wanted = vec![("rows".to_owned(), vec![n, width])];
        if standardize {
            wanted.extend(["mean", "scale"].map(|name| (name.to_owned(), vec![width])));
        }
        let mut arrays = read_arrays(path, &wanted)?.into_iter();
        let values = arrays.next().expect("it was asked for");
        let scaler = arrays.next().zip(arrays.next()).map(|(mean, scale)| Scaler { mean, scale });
        Ok(Self::from_values(values, width, scaler))
    }
}

fn gather(examples: &Examples, scaler: Option<&Scaler>) -> Vec<f32> {
    let mut rows: Vec<f32> =
        (0..examples.len()).flat_map(|index| examples.example(index)).copied().collect();
    if let Some(scaler) = scaler {
        scaler.apply(&mut rows);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_of_every_row_in_turn() {
        // 1,000 points on a line, with a second column that is 3 everywhere.
        let rows: Vec<f32> = (0_u16..1000).flat_map(|x| [f32::from(x), 3.0]).collect();
        let columns = Columns::new(&rows, 2);
        for (metric, wanted) in
            [(Metric::SquaredEuclidean, [25.0, 9e4 + 16.0]), (Metric::Manhattan, [7.0, 304.0])]
        {
            let mut seen = vec![];
            columns.each(&[700.0, 7.0], metric, |row, distance| {
                assert_eq!(row, seen.len());
                seen.push(distance);
            });
            assert_eq!([seen[703], seen[400]], wanted, "{metric:?}");
            assert_eq!(seen.len(), 1000);
        }
    }
}
