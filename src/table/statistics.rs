//! Statistics of columns of numbers by class, by polars. A number that is not finite is missing.

use polars::prelude::{
    BooleanChunked, ChunkAgg, ChunkCompareIneq, ChunkFilter, ChunkQuantile, Column, DataFrame,
    Float64Chunked, IntoColumn, NamedFrom, NewChunkedArray, QuantileMethod, Series,
};

/// The column of the classes; those of numbers are called after their places.
const CLASS: &str = "class";

/// Rows of numbers, each row with its class.
#[derive(Debug, Clone)]
pub(crate) struct ClassedRows(DataFrame);

/// One column of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Numbers(Float64Chunked);

/// The share of a column's variance that lies between classes, `[0, 1]`; 0 where it does not vary.
///
/// # Source
/// The correlation ratio: Pearson 1905; it orders columns as ANOVA's F does.
pub(crate) fn between_classes(values: &[f64], classes: &[usize], n_classes: usize) -> f64 {
    let finite = || values.iter().zip(classes).filter(|(value, _)| value.is_finite());
    let mut of_class = vec![(0.0, 0.0); n_classes];
    for (value, &class) in finite() {
        of_class[class].0 += value;
        of_class[class].1 += 1.0;
    }
    let (sum, n) = of_class.iter().fold((0.0, 0.0), |all, part| (all.0 + part.0, all.1 + part.1));
    if n == 0.0 {
        return 0.0;
    }
    let mean = sum / n;
    let all: f64 = finite().map(|(value, _)| (value - mean) * (value - mean)).sum();
    let parts = of_class.iter().filter(|(_, n)| *n > 0.0);
    let between: f64 = parts.map(|(sum, n)| n * (sum / n - mean) * (sum / n - mean)).sum();
    // Rounding leaves a trace of variance in columns of one value.
    if all > n * (mean * 1e-12).powi(2) { (between / all).min(1.0) } else { 0.0 }
}

impl ClassedRows {
    /// The class of every row, and columns of as many numbers.
    ///
    /// # Panics
    /// If columns differ in length.
    pub(crate) fn new<'a>(classes: &[usize], columns: impl Iterator<Item = &'a [f64]>) -> Self {
        let classes: Vec<u64> = classes.iter().map(|class| *class as u64).collect();
        let mut all: Vec<Column> = vec![Series::new(CLASS.into(), classes).into()];
        for (place, values) in columns.enumerate() {
            let known = values.iter().map(|number| number.is_finite().then_some(*number));
            let name = place.to_string().into();
            all.push(Float64Chunked::from_iter_options(name, known).into_column());
        }
        Self(DataFrame::new_infer_height(all).expect("columns have one length"))
    }

    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.0.height()
    }

    /// The rows in which no number is missing.
    pub(crate) fn complete(&self) -> Self {
        Self(self.0.drop_nulls::<String>(None).expect("all columns are there"))
    }

    /// The rows of every class, `[n_classes]`, in the order of the classes.
    pub(crate) fn by_class(&self, n_classes: usize) -> Vec<Self> {
        let mut parts = vec![Self(self.0.clear()); n_classes];
        for part in self.0.partition_by([CLASS], true).expect("every row has a class") {
            let class =
                part.column(CLASS).and_then(Column::u64).expect("classes are whole numbers");
            if let Some(class) = class.first() {
                parts[class as usize] = Self(part);
            }
        }
        parts
    }

    /// A column by its place.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn column(&self, place: usize) -> Numbers {
        let column = self.0.column(&place.to_string()).and_then(Column::f64);
        Numbers(column.expect("there is such a column of numbers").clone())
    }

    /// Pearson's correlation of every pair of columns, `[n_columns, n_columns]`, each `[-1, 1]`, over the rows
    /// that have both numbers; none where one of them does not vary there.
    ///
    /// # Source
    /// K. Pearson, 1895; as pandas' `DataFrame.corr` for columns with missing values.
    pub(crate) fn correlations(&self) -> Vec<Vec<Option<f64>>> {
        let columns: Vec<Numbers> = (0..self.0.width() - 1).map(|i| self.column(i)).collect();
        let mut all = vec![vec![None; columns.len()]; columns.len()];
        for (i, a) in columns.iter().enumerate() {
            for (j, b) in columns.iter().enumerate().skip(i) {
                let r = a.correlation(b);
                (all[i][j], all[j][i]) = (r, r);
            }
        }
        all
    }
}

impl Numbers {
    /// Numbers that are not missing.
    pub(crate) fn n(&self) -> usize {
        self.0.len() - self.0.null_count()
    }

    /// Numbers that are missing.
    pub(crate) fn n_missing(&self) -> usize {
        self.0.null_count()
    }

    /// The least and the largest number; none where all are missing.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        Some((self.0.min()?, self.0.max()?))
    }

    /// The quantile for a fraction in `[0, 1]`: the nearest number of the column. `None` if all are missing.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        self.0.quantile(part, QuantileMethod::Nearest).ok().flatten()
    }

    /// The middle number, or the mean of the two in the middle; none where all are missing.
    pub(crate) fn median(&self) -> Option<f64> {
        self.0.quantile(0.5, QuantileMethod::Midpoint).ok().flatten()
    }

    /// Whether all numbers are whole ones.
    pub(crate) fn are_whole(&self) -> bool {
        self.0.iter().flatten().all(|number| number.fract() == 0.0)
    }

    /// How many numbers lie within a range, its ends included.
    pub(crate) fn n_within(&self, low: f64, high: f64) -> usize {
        self.within(low, high).len()
    }

    /// Numbers in each of `n` bins of equal width over a range, `[n]`; those outside are in none. The last bin
    /// has its upper edge.
    pub(crate) fn histogram(&self, low: f64, high: f64, n: usize) -> Vec<usize> {
        let mut counts = vec![0; n];
        for number in self.within(low, high).iter().flatten() {
            // One division at the end: a rounded quotient would put numbers on an edge into the bin below.
            let bin = (number - low) * n as f64 / (high - low);
            counts[(bin as usize).min(n - 1)] += 1;
        }
        counts
    }

    fn within(&self, low: f64, high: f64) -> Float64Chunked {
        let is_within = self.0.gt_eq(low) & self.0.lt_eq(high);
        self.0.filter(&is_within).expect("a mask of the same length")
    }

    fn correlation(&self, other: &Self) -> Option<f64> {
        let has_both: BooleanChunked = self.0.is_not_null() & other.0.is_not_null();
        let centered = |numbers: &Float64Chunked| {
            let there = numbers.filter(&has_both).expect("a mask of the same length");
            let mean = there.mean()?;
            let centered = there - mean;
            let squares = (&centered * &centered).sum()?;
            // Rounding leaves a trace of variance in columns of one value.
            let varies = squares > centered.len() as f64 * (mean * 1e-12).powi(2);
            varies.then_some((centered, squares))
        };
        let ((a, a_squares), (b, b_squares)) = (centered(&self.0)?, centered(&other.0)?);
        let r = (&a * &b).sum()? / (a_squares * b_squares).sqrt();
        Some(r.clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_between_classes_has_its_known_values() {
        let share = |values: [f64; 4]| between_classes(&values, &[0, 0, 1, 1], 3);
        assert_eq!(share([1.0, 1.0, 5.0, 5.0]), 1.0);
        assert_eq!(share([1.0, 2.0, 1.0, 2.0]), 0.0);
        // Means 1 and 3: between 4, within 4.
        assert_eq!(share([0.0, 2.0, 2.0, 4.0]), 0.5);
        assert_eq!((share([0.1; 4]), share([f64::NAN; 4])), (0.0, 0.0));
    }

    fn rows(columns: &[&[f64]]) -> ClassedRows {
        ClassedRows::new(&vec![0; columns[0].len()], columns.iter().copied())
    }

    fn numbers(values: &[f64]) -> Numbers {
        rows(&[values]).column(0)
    }

    fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
        let all = rows(&[a, b]).correlations();
        assert_eq!(all[0][1], all[1][0]);
        all[0][1]
    }

    #[test]
    fn every_row_is_in_the_part_of_its_class() {
        let rows = ClassedRows::new(&[2, 0, 2, 2], [&[1.0, 2.0, 3.0, 4.0][..]].into_iter());
        let parts = rows.by_class(4);
        assert_eq!(parts.iter().map(ClassedRows::n_rows).collect::<Vec<_>>(), [1, 0, 3, 0]);
        assert_eq!(parts[2].column(0).range(), Some((1.0, 4.0)));
        assert_eq!(parts[1].column(0).range(), None);
        let gaps = ClassedRows::new(&[0, 1], [[1.0, f64::NAN], [1.0, 1.0]].iter().map(|x| &x[..]));
        assert_eq!((gaps.n_rows(), gaps.complete().n_rows()), (2, 1));
        assert_eq!(ClassedRows::new(&[1, 1], [].into_iter()).by_class(2)[1].n_rows(), 2);
    }

    #[test]
    fn numbers_are_counted_into_their_bins_and_the_last_edge_belongs_to_the_last() {
        let numbers = numbers(&[0.0, 0.9, 1.0, 3.0, 4.0, 4.1, -0.1, f64::NAN]);
        assert_eq!(numbers.histogram(0.0, 4.0, 4), [2, 1, 0, 2]);
        assert_eq!((numbers.n_within(0.0, 4.0), numbers.n_missing()), (5, 1));
        let edges: Vec<f64> = (0..49).map(f64::from).collect();
        assert_eq!(self::numbers(&edges).histogram(0.0, 49.0, 49), [1; 49]);
    }

    #[test]
    fn medians_and_quantiles_have_their_known_values() {
        let odd = numbers(&[3.0, f64::NAN, 1.0, 2.0]);
        assert_eq!((odd.median(), odd.range()), (Some(2.0), Some((1.0, 3.0))));
        assert_eq!(numbers(&[4.0, 1.0, 3.0, 2.0]).median(), Some(2.5));
        let hundred: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let hundred = numbers(&hundred);
        assert_eq!((hundred.quantile(0.005), hundred.quantile(0.994)), (Some(1.0), Some(99.0)));
        assert!(hundred.are_whole() && !numbers(&[0.5]).are_whole());
        assert_eq!(numbers(&[f64::INFINITY]).median(), None);
    }

    #[test]
    fn correlations_have_their_known_values() {
        let a = [1.0, 2.0, 3.0, 4.0];
        assert!((correlation(&a, &[2.0, 4.0, 6.0, 8.0]).unwrap() - 1.0).abs() < 1e-12);
        assert!((correlation(&a, &[3.0, 2.0, 1.0, 0.0]).unwrap() + 1.0).abs() < 1e-12);
        // Sums of products 4, of squares 5 and 5: by hand.
        assert!((correlation(&a, &[1.0, 3.0, 2.0, 4.0]).unwrap() - 0.8).abs() < 1e-12);
    }

    #[test]
    fn pairs_with_a_gap_are_left_out_and_a_constant_has_none() {
        let a = [1.0, 2.0, f64::NAN, 3.0, 9.0];
        let b = [1.0, 2.0, 77.0, 3.0, f64::NAN];
        assert!((correlation(&a, &b).unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(correlation(&a, &[0.1; 5]), None);
        assert_eq!(correlation(&[f64::NAN], &[1.0]), None);
    }
}
