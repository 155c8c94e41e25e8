//! Rows kept column by column, and their distances from another row.

use super::Examples;
use super::scaler::Scaler;

/// Rows whose distances are summed at a time, so that the sums stay in the nearest cache.
const BLOCK: usize = 512;

/// How far apart two rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Metric {
    /// The sum of squared differences, whose root is the Euclidean distance.
    SquaredEuclidean,
    /// The sum of absolute differences.
    Manhattan,
}

/// Some rows, column by column: `[width][n]`.
pub(super) struct Columns {
    n: usize,
    values: Vec<f32>,
}

impl Columns {
    /// From rows, `[n][width]`.
    pub(super) fn new(rows: &[f32], width: usize) -> Self {
        let n = rows.len() / width;
        let values = (0..width)
            .flat_map(|column| (0..n).map(move |row| rows[row * width + column]))
            .collect();
        Self { n, values }
    }

    /// Tells `see` every row and its distance from `query`, in the order of the rows.
    ///
    /// Differences are squared and summed as they are, in f64 and column after column: the
    /// shorter way by inner products loses the small distances to cancellation.
    pub(super) fn distances(&self, query: &[f32], metric: Metric, mut see: impl FnMut(usize, f64)) {
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
                }
            }
            sums.iter().enumerate().for_each(|(row, sum)| see(start + row, *sum));
        }
    }
}

/// All rows of some examples, `[n, width]`, standardised where there is a scaler.
pub(super) fn rows(examples: &Examples, scaler: Option<&Scaler>) -> Vec<f32> {
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
        // 1,000 points on a line, and a second column that is 3 everywhere.
        let rows: Vec<f32> = (0_u16..1000).flat_map(|x| [f32::from(x), 3.0]).collect();
        let columns = Columns::new(&rows, 2);
        for (metric, wanted) in
            [(Metric::SquaredEuclidean, [25.0, 9e4 + 16.0]), (Metric::Manhattan, [7.0, 304.0])]
        {
            let mut seen = vec![];
            columns.distances(&[700.0, 7.0], metric, |row, distance| {
                assert_eq!(row, seen.len());
                seen.push(distance);
            });
            assert_eq!([seen[703], seen[400]], wanted, "{metric:?}");
            assert_eq!(seen.len(), 1000);
        }
    }
}
