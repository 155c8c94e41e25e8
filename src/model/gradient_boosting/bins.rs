//! Binned columns: a split is searched among a few bounds instead of all values.

use rayon::prelude::*;

use super::super::Examples;

/// Maximum number of bins of a column.
pub(super) const MAX_BINS: usize = 255;

/// The training examples, with each number replaced by the number of its bin.
pub(super) struct Bins {
    /// Number of examples.
    pub(super) n: usize,
    /// Bounds between the bins of each column, ascending. A value belongs to the first bin whose
    /// bound it does not exceed.
    pub(super) bounds: Vec<Vec<f64>>,
    /// `[width][n]`.
    codes: Vec<u8>,
}

impl Bins {
    /// Divides every column into at most `max_bins` bins.
    ///
    /// If a column has few distinct values, each of them is a bin. Otherwise, bins contain about
    /// the same number of examples. Bounds lie half-way between neighboring values, or on a value
    /// that falls on both sides.
    ///
    /// # Source
    /// `HistGradientBoostingClassifier` of scikit-learn 1.9.
    pub(super) fn new(examples: &Examples, max_bins: usize) -> Self {
        let (n, width) = (examples.len(), examples.width());
        let made: Vec<(Vec<f64>, Vec<u8>)> = (0..width)
            .into_par_iter()
            .map(|column| {
                let values: Vec<f32> =
                    (0..n).map(|index| examples.example(index)[column]).collect();
                let bounds = bounds(&values, max_bins);
                let code = |x: &f32| bounds.partition_point(|bound| *bound < f64::from(*x)) as u8;
                let codes = values.iter().map(code).collect();
                (bounds, codes)
            })
            .collect();
        let (bounds, codes): (Vec<_>, Vec<_>) = made.into_iter().unzip();
        Self { n, bounds, codes: codes.concat() }
    }

    /// Returns the bins of one column, `[n]`.
    pub(super) fn column(&self, column: usize) -> &[u8] {
        &self.codes[column * self.n..][..self.n]
    }
}

fn bounds(values: &[f32], max_bins: usize) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().map(|x| f64::from(*x)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct = sorted.clone();
    distinct.dedup();
    let middle = |a: f64, b: f64| 0.5 * (a + b);
    if distinct.len() <= max_bins {
        return distinct.windows(2).map(|pair| middle(pair[0], pair[1])).collect();
    }
    let mut bounds: Vec<f64> = (1..max_bins)
        .map(|bin| {
            // The number of values below the bound if all bins were equal.
            let (below, rest) = (sorted.len() * bin / max_bins, sorted.len() * bin % max_bins);
            if rest > 0 { sorted[below] } else { middle(sorted[below - 1], sorted[below]) }
        })
        .collect();
    bounds.dedup();
    bounds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Targets;

    #[test]
    fn bounds_lie_between_values_or_between_equal_shares() {
        assert_eq!(bounds(&[3.0, 1.0, 1.0, 2.0], 3), [1.5, 2.5]);
        assert_eq!(bounds(&[7.0, 7.0], 3), [0.0; 0]);
        // Eight values in four bins: two each. Nine values: those up to 2.25, 4.5 and 6.75 of them.
        let values: Vec<f32> = (0_u8..9).map(f32::from).collect();
        assert_eq!(bounds(&values[..8], 4), [1.5, 3.5, 5.5]);
        assert_eq!(bounds(&values, 4), [2.0, 4.0, 6.0]);
        // Half of all values are equal: bounds that coincide become one.
        assert_eq!(bounds(&[1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 5.0], 4), [1.0, 1.5, 3.5]);
    }

    #[test]
    fn a_value_on_a_bound_lies_below_it() {
        let examples = Examples {
            shape: &[2],
            matrix: &[0.0, 5.0, 1.0, 5.0, 2.0, 5.0, 9.0, 9.0],
            targets: &Targets::Classes(vec![0; 4]),
            rows: &[2, 0, 1],
            n_outputs: 1,
        };
        let bins = Bins::new(&examples, 2);
        assert_eq!(bins.bounds, [vec![1.0], vec![]]);
        assert_eq!(bins.column(0), [1, 0, 0]);
        assert_eq!(bins.column(1), [0, 0, 0]);
    }
}
