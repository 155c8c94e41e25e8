//! Standardized vectors of length 1, and the nearest to one of them.

use rayon::prelude::*;

use crate::vocab::dot;

/// Vectors of a collection, ready to be compared.
///
/// Every number is standardized over the collection, to mean 0 and deviation 1, and divided by the root of the
/// size of its part, so that parts count alike. Every vector is then scaled to length 1. The similarity of
/// two is the cosine of the angle between them, in `[-1, 1]`.
#[derive(Debug, Clone)]
pub struct Vectors {
    width: usize,
    mean: Vec<f32>,
    /// What a number is multiplied by; 0 for a number that is always the same.
    scale: Vec<f32>,
    /// `[n, width]`.
    units: Vec<f32>,
}

/// One of the nearest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbor {
    /// Its place in the collection.
    pub index: usize,
    /// Cosine similarity, in `[-1, 1]`.
    pub similarity: f32,
}

impl Vectors {
    /// Standardizes the rows of `[n, width]`, whose parts have these sizes.
    ///
    /// # Panics
    /// If the sum of the parts is 0 or does not divide the number of values.
    #[must_use]
    pub fn new(rows: &[f32], parts: &[usize]) -> Self {
        let width = parts.iter().sum();
        assert!(width > 0 && rows.len().is_multiple_of(width), "rows must be whole");
        let n = (rows.len() / width).max(1) as f64;
        let mut mean = vec![0.0_f64; width];
        for row in rows.chunks_exact(width) {
            mean.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut variance = vec![0.0_f64; width];
        for row in rows.chunks_exact(width) {
            for ((sum, value), mean) in variance.iter_mut().zip(row).zip(&mean) {
                *sum += (f64::from(*value) - mean).powi(2);
            }
        }
        let sizes = parts.iter().flat_map(|&size| std::iter::repeat_n(size as f64, size));
        let scale = |(sum, size): (f64, f64)| {
            if sum > 0.0 { (1.0 / (sum / n * size).sqrt()) as f32 } else { 0.0 }
        };
        let mut vectors = Self {
            width,
            mean: mean.into_iter().map(|mean| mean as f32).collect(),
            scale: variance.into_iter().zip(sizes).map(scale).collect(),
            units: vec![],
        };
        let mut units = rows.to_vec();
        units.par_chunks_exact_mut(width).for_each(|row| vectors.standardize(row));
        vectors.units = units;
        vectors
    }

    /// Number of vectors.
    #[must_use]
    pub fn len(&self) -> usize {
        self.units.len() / self.width
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// One of the vectors, standardized.
    #[must_use]
    pub fn unit(&self, index: usize) -> &[f32] {
        &self.units[index * self.width..][..self.width]
    }

    /// Standardizes a vector that need not be in the collection, by the collection's means and deviations.
    #[must_use]
    pub fn unit_of(&self, row: &[f32]) -> Vec<f32> {
        let mut row = row.to_vec();
        self.standardize(&mut row);
        row
    }

    fn standardize(&self, row: &mut [f32]) {
        for ((value, mean), scale) in row.iter_mut().zip(&self.mean).zip(&self.scale) {
            *value = (*value - mean) * scale;
        }
        let length = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if length > 0.0 {
            row.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
        }
    }

    /// The similarities of all to a standardized vector, `[n]`.
    #[must_use]
    pub fn similarities(&self, unit: &[f32]) -> Vec<f32> {
        // Pieces of about a megabyte: long enough that handing them out costs nothing.
        let n_rows = (1_usize << 18).div_ceil(self.width);
        let mut found = vec![0.0; self.len()];
        let pieces = self.units.par_chunks(n_rows * self.width);
        found.par_chunks_mut(n_rows).zip(pieces).for_each(|(found, rows)| {
            for (found, row) in found.iter_mut().zip(rows.chunks_exact(self.width)) {
                *found = dot(unit, row);
            }
        });
        found
    }

    /// The `k` most similar to a standardized vector among those that are allowed, the most similar first.
    /// Of equally similar ones, the first in the collection comes first.
    #[must_use]
    pub fn nearest(
        &self,
        unit: &[f32],
        k: usize,
        is_allowed: impl Fn(usize) -> bool,
    ) -> Vec<Neighbor> {
        let similarities = self.similarities(unit).into_iter().enumerate();
        let allowed = similarities.filter(|(index, _)| is_allowed(*index));
        let all = allowed.map(|(index, similarity)| Neighbor { index, similarity }).collect();
        best(all, k)
    }
}

/// The `k` most similar, in order.
fn best(mut all: Vec<Neighbor>, k: usize) -> Vec<Neighbor> {
    let order = |a: &Neighbor, b: &Neighbor| {
        b.similarity.total_cmp(&a.similarity).then(a.index.cmp(&b.index))
    };
    if k == 0 {
        return vec![];
    }
    if k < all.len() {
        all.select_nth_unstable_by(k - 1, order);
        all.truncate(k);
    }
    all.sort_unstable_by(order);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Seed;

    #[test]
    fn numbers_of_any_unit_count_alike() {
        // The second column has a thousand times the unit of the first, and the third says nothing.
        let rows = [0.0, 1000.0, 7.0, 1.0, 3000.0, 7.0, 2.0, 2000.0, 7.0];
        let vectors = Vectors::new(&rows, &[3]);
        assert_eq!((vectors.len(), vectors.is_empty()), (3, false));
        let half = 0.5_f32.sqrt();
        // -1.2247, -1.2247 and 0 of the first; 0, 1.2247 of the second.
        for (found, wanted) in vectors.unit(0).iter().zip([-half, -half, 0.0]) {
            assert!((found - wanted).abs() < 1e-6, "{:?}", vectors.unit(0));
        }
        let nearest = vectors.nearest(vectors.unit(2), 5, |index| index != 2);
        assert_eq!(nearest.iter().map(|it| it.index).collect::<Vec<_>>(), [1, 0]);
        assert!(nearest[0].similarity.abs() < 1e-6 && (nearest[1].similarity + half).abs() < 1e-6);
        assert_eq!(vectors.unit_of(&rows[3..6]), vectors.unit(1));
    }

    #[test]
    fn parts_count_alike_whatever_their_size() {
        // One number against four that repeat another.
        let rows: Vec<f32> = [[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]
            .iter()
            .flat_map(|[a, b]| [*a, *b, *b, *b, *b])
            .collect();
        let vectors = Vectors::new(&rows, &[1, 4]);
        let similar = |i| vectors.similarities(vectors.unit(0))[i];
        assert!(
            similar(1).abs() < 1e-6 && similar(2).abs() < 1e-6,
            "{} {}",
            similar(1),
            similar(2)
        );
        let unequal = Vectors::new(&rows, &[5]);
        assert!(unequal.similarities(unequal.unit(0))[1] > 0.5);
    }

    #[test]
    fn the_nearest_are_those_of_a_full_sort() {
        let mut rng = Seed(1).rng("test", &[]);
        let (n, width) = (3000, 50);
        let rows: Vec<f32> = (0..n * width).map(|_| rng.normal() as f32).collect();
        let vectors = Vectors::new(&rows, &[width]);
        let query = vectors.unit_of(&rows[..width]);
        let mut all: Vec<(usize, f32)> =
            (0..n).map(|index| (index, dot(&query, vectors.unit(index)))).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let nearest = vectors.nearest(&query, 10, |index| index % 3 == 0);
        let wanted: Vec<usize> =
            all.iter().map(|it| it.0).filter(|index| index % 3 == 0).take(10).collect();
        assert_eq!(nearest.iter().map(|it| it.index).collect::<Vec<_>>(), wanted);
        assert_eq!(nearest[0].index, 0);
        assert!((nearest[0].similarity - 1.0).abs() < 1e-5);
    }

    #[test]
    fn equally_similar_ones_come_in_their_order_and_none_is_no_error() {
        let vectors = Vectors::new(&[1.0, 1.0, 1.0, -1.0, 1.0], &[1]);
        let order: Vec<usize> =
            vectors.nearest(&[1.0], 3, |_| true).iter().map(|it| it.index).collect();
        assert_eq!(order, [0, 1, 2]);
        assert!(vectors.nearest(&[1.0], 0, |_| true).is_empty());
        assert!(Vectors::new(&[], &[4]).nearest(&[0.0; 4], 3, |_| true).is_empty());
    }
}
