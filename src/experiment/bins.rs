//! Bins of a column's histograms: all classes of a dataset share one axis.

use crate::report::{ColumnSummary, Histogram, nice_step};
use crate::table::Numbers;

/// Bins of a column of many values.
const N_BINS: usize = 40;

/// A column's histograms, class by class, with the share of its variance that lies between classes.
pub(super) fn summary(
    name: &str,
    all: &Numbers,
    classes: &[Numbers],
    between_classes: f64,
) -> ColumnSummary {
    let Bins { low, high, n, is_whole } = Bins::of(all);
    let n_missing = all.n_missing();
    let histogram =
        |mine: &Numbers| Histogram { counts: mine.histogram(low, high, n), median: mine.median() };
    ColumnSummary {
        name: name.to_owned(),
        low,
        high,
        is_whole,
        n_missing,
        n_beyond: all.n() - all.n_within(low, high),
        between_classes,
        classes: classes.iter().map(histogram).collect(),
    }
}

/// Bins of equal width over all of a column's values.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Bins {
    low: f64,
    high: f64,
    n: usize,
    /// Whether each bin is one whole number.
    is_whole: bool,
}

impl Bins {
    /// Bins that fit the values of a column.
    ///
    /// A few whole numbers (keys, modes) have a bin each. Elsewhere the range is that of all values,
    /// or, where a few far ones would leave most of it empty, that of the middle 99 %.
    fn of(all: &Numbers) -> Self {
        let bins = |low, high| Self { low, high, n: N_BINS, is_whole: false };
        let Some((first, last)) = all.range() else { return Self { n: 1, ..bins(0.0, 1.0) } };
        if first == last {
            // One value has no range of its own.
            let half = (first.abs() * 0.05).max(0.5);
            return bins(first - half, first + half);
        }
        if last - first < N_BINS as f64 && all.are_whole() {
            let n = (last - first) as usize + 1;
            return Self { n, is_whole: true, ..bins(first - 0.5, last + 0.5) };
        }
        let middle = all.quantile(0.005).zip(all.quantile(0.995));
        let (mut low, mut high) = middle.unwrap_or((first, last));
        if low == high || last - first < 2.0 * (high - low) {
            (low, high) = (first, last);
        }
        // Up to a round number that is near: 0 and 1 are then on the axis.
        let step = nice_step((high - low) / 2.0);
        let near = 0.1 * (high - low);
        let (below, above) = ((low / step).floor() * step, (high / step).ceil() * step);
        let low = if low - below < near { below } else { low };
        let high = if above - high < near { above } else { high };
        bins(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ClassedRows;

    fn numbers(values: &[f64]) -> Numbers {
        ClassedRows::new(&vec![0; values.len()], [values].into_iter()).column(0)
    }

    #[test]
    fn a_few_whole_numbers_have_a_bin_each() {
        let keys = numbers(&[0.0, 11.0, 3.0, 3.0]);
        let summary = summary("key", &keys, std::slice::from_ref(&keys), 0.0);
        assert_eq!((summary.low, summary.high, summary.is_whole), (-0.5, 11.5, true));
        assert_eq!(summary.classes[0].counts, [1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    }

    #[test]
    fn missing_and_far_values_are_counted_and_not_drawn() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        values.extend([1e6, f64::NAN, f64::NAN]);
        let all = numbers(&values);
        let summary = summary("x", &all, std::slice::from_ref(&all), 0.0);
        assert_eq!((summary.low, summary.high), (0.0, 1.0));
        assert_eq!((summary.n_missing, summary.n_beyond), (2, 1));
        let drawn: usize = summary.classes[0].counts.iter().sum();
        assert_eq!(drawn + 2 + 1, values.len());
    }

    #[test]
    fn empty_and_constant_columns_have_an_axis() {
        let none = numbers(&[f64::NAN]);
        let summary_of = |all: &Numbers| summary("x", all, std::slice::from_ref(all), 0.0);
        assert_eq!((summary_of(&none).n_missing, summary_of(&none).n_beyond), (1, 0));
        for value in [30.02, 30.0, 0.0] {
            let summary = summary_of(&numbers(&[value, value]));
            assert!(summary.low < value && value < summary.high);
            // One narrow bar, not a full axis.
            let counts = &summary.classes[0].counts;
            assert_eq!((counts.len(), counts.iter().max()), (N_BINS, Some(&2)));
        }
    }
}
