//! The input of a model: some rows of a feature matrix, with their labels.

use super::ModelError;

/// Rows of a feature matrix, by index, in order. Copies nothing.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// The shape of one example, e.g. `[130, 13]`.
    pub shape: &'a [usize],
    /// The whole matrix, row-major, `[n_rows, product of shape]`.
    pub matrix: &'a [f32],
    /// The class of every row of the matrix, in `0..n_classes`.
    pub labels: &'a [usize],
    /// The indices of the rows.
    pub rows: &'a [usize],
    /// The number of classes.
    pub n_classes: usize,
}

impl<'a> Examples<'a> {
    /// Returns the number of examples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Returns whether there are no examples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns how many numbers one example has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// Returns the numbers of an example.
    #[must_use]
    pub fn example(&self, index: usize) -> &'a [f32] {
        let width = self.width();
        &self.matrix[self.rows[index] * width..][..width]
    }

    /// Returns the class of an example.
    #[must_use]
    pub fn label(&self, index: usize) -> usize {
        self.labels[self.rows[index]]
    }

    /// Checks that a model can be fitted on these examples.
    ///
    /// # Errors
    /// If there is no example, or one contains a NaN, an infinity or an unknown class.
    pub fn check_for_fit(&self) -> Result<(), ModelError> {
        if self.is_empty() || self.width() == 0 {
            return Err(ModelError::Examples("no training examples".to_owned()));
        }
        self.check_numbers()?;
        for index in 0..self.len() {
            let label = self.label(index);
            if label >= self.n_classes {
                let said = format!(
                    "example {index} has class {label}, but there are {} classes",
                    self.n_classes
                );
                return Err(ModelError::Examples(said));
            }
        }
        Ok(())
    }

    /// Returns the classes that occur, ascending.
    ///
    /// # Errors
    /// In the cases of [`Self::check_for_fit`], and if all examples are of one class.
    pub fn classes_for_fit(&self) -> Result<Vec<usize>, ModelError> {
        self.check_for_fit()?;
        let mut is_seen = vec![false; self.n_classes];
        self.rows.iter().for_each(|row| is_seen[self.labels[*row]] = true);
        let classes: Vec<usize> = (0..self.n_classes).filter(|class| is_seen[*class]).collect();
        if let [only] = classes[..] {
            let said = format!("all training examples are of class {only}");
            return Err(ModelError::Examples(said));
        }
        Ok(classes)
    }

    /// Checks that there are few enough examples for a model whose time grows with their square.
    ///
    /// # Errors
    /// If there are more than `max_rows`; `why` says what takes the time.
    pub(super) fn check_max_rows(&self, max_rows: usize, why: &str) -> Result<(), ModelError> {
        if self.len() <= max_rows {
            return Ok(());
        }
        let said = format!(
            "{} training examples exceed max_rows ({max_rows}): {why}\n\
             hint: raise max_rows if you accept the time",
            self.len()
        );
        Err(ModelError::Examples(said))
    }

    /// Checks that a model that was fitted on examples of `shape` can predict these.
    ///
    /// # Errors
    /// If their shape differs, or one contains a NaN or an infinity.
    pub fn check_for_predict(&self, shape: &[usize]) -> Result<(), ModelError> {
        if self.shape != shape {
            let said = format!(
                "the model was fitted on examples of shape {shape:?}, found {:?}",
                self.shape
            );
            return Err(ModelError::Examples(said));
        }
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), ModelError> {
        for index in 0..self.len() {
            if let Some(place) = self.example(index).iter().position(|x| !x.is_finite()) {
                let got = self.example(index)[place];
                let said = format!("example {index} contains {got} at position {place}");
                return Err(ModelError::Examples(said));
            }
        }
        Ok(())
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

    #[test]
    fn what_cannot_be_learned_from_is_named() {
        let matrix = [0.0, 1.0, 2.0, f32::NAN];
        let examples =
            Examples { shape: &[2], matrix: &matrix, labels: &[0, 5], rows: &[0, 1], n_classes: 2 };
        let said = |result: Result<(), ModelError>| result.unwrap_err().to_string();
        assert_eq!(said(examples.check_for_fit()), "example 1 contains NaN at position 1");
        assert_eq!(
            said(Examples { matrix: &[0.0; 4], ..examples }.check_for_fit()),
            "example 1 has class 5, but there are 2 classes"
        );
        let one = Examples { matrix: &[0.0; 4], labels: &[1, 1], ..examples };
        assert_eq!(
            one.classes_for_fit().unwrap_err().to_string(),
            "all training examples are of class 1"
        );
        let two = Examples { labels: &[2, 0], n_classes: 4, ..one };
        assert_eq!(two.classes_for_fit().unwrap(), [0, 2]);
        assert_eq!(
            said(Examples { rows: &[], ..examples }.check_for_fit()),
            "no training examples"
        );
        assert_eq!(
            said(examples.check_for_predict(&[3])),
            "the model was fitted on examples of shape [3], found [2]"
        );
    }
}
