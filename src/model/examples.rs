//! What a model sees: some rows of a feature matrix, with their labels.

/// Rows of a feature matrix, by index, in the order in which they count. Copies nothing.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// The shape of one example, e.g. `[130, 13]`.
    pub shape: &'a [usize],
    /// The whole matrix, row-major, `[n_rows, product of shape]`.
    pub matrix: &'a [f32],
    /// The class of every row of the matrix, in `0..n_classes`.
    pub labels: &'a [usize],
    /// Which rows are meant.
    pub rows: &'a [usize],
    /// How many classes there are.
    pub n_classes: usize,
}

impl<'a> Examples<'a> {
    /// How many examples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many numbers one example has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The `index`-th example's numbers.
    #[must_use]
    pub fn example(&self, index: usize) -> &'a [f32] {
        let width = self.width();
        &self.matrix[self.rows[index] * width..][..width]
    }

    /// The `index`-th example's class.
    #[must_use]
    pub fn label(&self, index: usize) -> usize {
        self.labels[self.rows[index]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_looked_up_in_the_matrix() {
        let examples = Examples {
            shape: &[2],
            matrix: &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            labels: &[0, 1, 0],
            rows: &[2, 1],
            n_classes: 2,
        };
        assert_eq!(examples.len(), 2);
        assert_eq!(examples.example(0), [4.0, 5.0]);
        assert_eq!(examples.label(1), 1);
    }
}
