//! Kernels, and the rows of the kernel matrix.

use std::rc::Rc;

use super::super::columns::{Columns, Metric};

/// The kernel of two rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Kernel {
    /// The inner product.
    Linear,
    /// `exp(-gamma * squared distance)`.
    Rbf { gamma: f64 },
}

impl Kernel {
    /// Calls `see` with every row, in order, and its kernel with `query`.
    pub(super) fn each(self, columns: &Columns, query: &[f32], mut see: impl FnMut(usize, f64)) {
        match self {
            Self::Linear => columns.each(query, Metric::InnerProduct, see),
            Self::Rbf { gamma } => {
                columns.each(query, Metric::SquaredEuclidean, |row, distance| {
                    see(row, libm::exp(-gamma * distance));
                });
            }
        }
    }
}

/// The kernel matrix of some rows; the most recently used rows are cached.
pub(super) struct Gram<'a> {
    rows: &'a [f32],
    width: usize,
    columns: Columns,
    kernel: Kernel,
    /// The kernel of each row with itself.
    pub(super) diagonal: Vec<f64>,
    kept: Vec<Option<Rc<[f32]>>>,
    /// When each row was last used.
    asked: Vec<u64>,
    n_asked: u64,
    n_kept: usize,
    max_kept: usize,
}

impl<'a> Gram<'a> {
    /// Creates the matrix for rows `[n][width]`, with a cache of about `max_bytes` at most.
    pub(super) fn new(rows: &'a [f32], width: usize, kernel: Kernel, max_bytes: usize) -> Self {
        let n = rows.len() / width;
        let itself = |row: &[f32]| match kernel {
            Kernel::Linear => row.iter().map(|x| f64::from(*x) * f64::from(*x)).sum(),
            Kernel::Rbf { .. } => 1.0,
        };
        Self {
            rows,
            width,
            columns: Columns::new(rows, width),
            kernel,
            diagonal: rows.chunks_exact(width).map(itself).collect(),
            kept: vec![None; n],
            asked: vec![0; n],
            n_asked: 0,
            n_kept: 0,
            max_kept: (max_bytes / (4 * n)).max(2),
        }
    }

    /// Returns one row of the matrix, `[n]`.
    pub(super) fn row(&mut self, row: usize) -> Rc<[f32]> {
        self.n_asked += 1;
        self.asked[row] = self.n_asked;
        if let Some(kept) = &self.kept[row] {
            return Rc::clone(kept);
        }
        if self.n_kept == self.max_kept {
            let oldest = (0..self.kept.len())
                .filter(|other| self.kept[*other].is_some())
                .min_by_key(|other| self.asked[*other])
                .expect("some row is kept");
            self.kept[oldest] = None;
            self.n_kept -= 1;
        }
        let mut values = Vec::with_capacity(self.kept.len());
        let query = &self.rows[row * self.width..][..self.width];
        self.kernel.each(&self.columns, query, |_, alike| values.push(alike as f32));
        let made: Rc<[f32]> = values.into();
        self.kept[row] = Some(Rc::clone(&made));
        self.n_kept += 1;
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_whether_they_are_kept_or_made_anew() {
        let rows = [0.0, 0.0, 1.0, 2.0, 3.0, -1.0];
        for (kernel, wanted) in [
            (Kernel::Linear, [0.0, 5.0, 1.0]),
            (Kernel::Rbf { gamma: 0.1 }, [(-0.5_f32).exp(), 1.0, (-1.3_f32).exp()]),
        ] {
            let mut gram = Gram::new(&rows, 2, kernel, 0);
            for row in [1, 0, 2, 1] {
                let got = gram.row(row);
                if row == 1 {
                    let apart = got.iter().zip(wanted).map(|(a, b)| (a - b).abs());
                    assert!(apart.fold(0.0, f32::max) < 1e-6, "{got:?}");
                    assert_eq!(got[1], gram.diagonal[1] as f32);
                }
            }
            assert_eq!(gram.n_kept, 2);
        }
    }
}
