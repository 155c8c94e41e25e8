//! The input of a model: some rows of a feature matrix, with their targets.

use super::ModelError;
use crate::vocab::{Outputs, Targets, Task};

/// Rows of a feature matrix, by index, in order. Copies nothing.
#[derive(Clone, Copy)]
pub struct Examples<'a> {
    /// The shape of one example, e.g. `[130, 13]`.
    pub shape: &'a [usize],
    /// The whole matrix, row-major, `[n_rows, product of shape]`.
    pub matrix: &'a [f32],
    /// What is true of every row of the matrix. Predictions never read it.
    pub targets: &'a Targets,
    /// The indices of the rows.
    pub rows: &'a [usize],
    /// The number of classes or tags; 1 for numbers.
    pub n_outputs: usize,
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
    ///
    /// # Panics
    /// If the examples have no classes.
    #[must_use]
    pub fn label(&self, index: usize) -> usize {
        self.targets.classes()[self.rows[index]]
    }

    /// Returns whether an example has each of the tags.
    ///
    /// # Panics
    /// If the examples have no tags.
    #[must_use]
    pub fn tags(&self, index: usize) -> &'a [bool] {
        let Targets::Tags(tags) = self.targets else { panic!("the examples have no tags") };
        &tags[self.rows[index] * self.n_outputs..][..self.n_outputs]
    }

    /// Returns the number of an example.
    ///
    /// # Panics
    /// If the examples have no numbers.
    #[must_use]
    pub fn number(&self, index: usize) -> f32 {
        let Targets::Numbers(numbers) = self.targets else {
            panic!("the examples have no numbers")
        };
        numbers[self.rows[index]]
    }

    /// Returns one target of an example as a number: a tag is 1 or 0, a class 1 in its place.
    pub(super) fn value(&self, index: usize, output: usize) -> f32 {
        match self.targets {
            Targets::Classes(_) => f32::from(u8::from(self.label(index) == output)),
            Targets::Tags(_) => f32::from(u8::from(self.tags(index)[output])),
            Targets::Numbers(_) => self.number(index),
        }
    }

    /// Returns all targets as numbers, row-major `[len, n_outputs]`.
    pub(super) fn values(&self) -> Vec<f32> {
        let row = |index| (0..self.n_outputs).map(move |output| self.value(index, output));
        (0..self.len()).flat_map(row).collect()
    }

    /// Returns the tags that all examples have and those that none has, in two lists.
    pub(super) fn constant_tags(&self) -> [Vec<usize>; 2] {
        let mut n_having = vec![0; self.n_outputs];
        for index in 0..self.len() {
            let pairs = n_having.iter_mut().zip(self.tags(index));
            pairs.for_each(|(n, has)| *n += usize::from(*has));
        }
        let of = |wanted| (0..self.n_outputs).filter(|&tag| n_having[tag] == wanted).collect();
        [of(self.len()), of(0)]
    }

    /// Returns what a model that is fitted on them puts out.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        Outputs { task: self.targets.task(), n: self.n_outputs }
    }

    /// Checks that a model can be fitted on these examples.
    ///
    /// # Errors
    /// If there is no example, or one contains a NaN, an infinity, an unknown class or a target that is no
    /// finite number.
    pub fn check_for_fit(&self) -> Result<(), ModelError> {
        if self.is_empty() || self.width() == 0 {
            return Err(ModelError::Examples("no training examples".to_owned()));
        }
        self.check_numbers()?;
        let said = match self.targets {
            Targets::Classes(labels) => {
                let of = |index: &usize| labels[self.rows[*index]];
                let wrong = (0..self.len()).find(|index| of(index) >= self.n_outputs);
                wrong.map(|index| {
                    let (label, n) = (of(&index), self.n_outputs);
                    format!("example {index} has class {label}, but there are {n} classes")
                })
            }
            Targets::Tags(_) => None,
            Targets::Numbers(numbers) => {
                let of = |index: &usize| numbers[self.rows[*index]];
                let wrong = (0..self.len()).find(|index| !of(index).is_finite());
                wrong.map(|index| format!("example {index} has {} as its number", of(&index)))
            }
        };
        said.map_or(Ok(()), |said| Err(ModelError::Examples(said)))
    }

    /// Returns the error of a model that can't learn such targets.
    pub(super) fn unknown_task(&self, model: &str, tasks: &[Task]) -> ModelError {
        let known: Vec<&str> = tasks.iter().map(|task| task.words()).collect();
        let found = self.outputs().task.words();
        ModelError::Examples(format!("{model} learns {}, not {found}", known.join(" or ")))
    }

    /// Returns the classes that occur, ascending.
    ///
    /// # Errors
    /// In the cases of [`Self::check_for_fit`], and if all examples are of one class or have none.
    pub fn classes_for_fit(&self) -> Result<Vec<usize>, ModelError> {
        if self.outputs().task != Task::Classes {
            return Err(self.unknown_task("the model", &[Task::Classes]));
        }
        self.check_for_fit()?;
        let mut is_seen = vec![false; self.n_outputs];
        self.rows.iter().for_each(|row| is_seen[self.targets.classes()[*row]] = true);
        let classes: Vec<usize> = (0..self.n_outputs).filter(|class| is_seen[*class]).collect();
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

/// Says that the training examples of some tags are all alike; nothing if there is no such tag.
pub(super) fn said_of_constant_tags(
    [always, never]: &[Vec<usize>; 2],
    n_tags: usize,
) -> Option<String> {
    let places = |tags: &[usize]| tags.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let said = |(tags, examples, rate): (&Vec<usize>, &str, u8)| {
        let (n, places) = (tags.len(), places(tags));
        (n > 0).then(|| format!("{n} on {examples} (probability {rate}): {places}"))
    };
    let parts: Vec<String> =
        [(always, "all", 1), (never, "none", 0)].into_iter().filter_map(said).collect();
    (!parts.is_empty()).then(|| {
        format!(
            "of {n_tags} tags, counted from 0, these have the same value on all training examples: {}",
            parts.join("; ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_looked_up_in_the_matrix() {
        let examples = Examples {
            shape: &[2],
            matrix: &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            targets: &Targets::Classes(vec![0, 1, 0]),
            rows: &[2, 1],
            n_outputs: 2,
        };
        assert_eq!(examples.len(), 2);
        assert_eq!(examples.example(0), [4.0, 5.0]);
        assert_eq!(examples.label(1), 1);
    }

    #[test]
    fn what_cannot_be_learned_from_is_named() {
        let matrix = [0.0, 1.0, 2.0, f32::NAN];
        let examples = Examples {
            shape: &[2],
            matrix: &matrix,
            targets: &Targets::Classes(vec![0, 5]),
            rows: &[0, 1],
            n_outputs: 2,
        };
        let said = |result: Result<(), ModelError>| result.unwrap_err().to_string();
        assert_eq!(said(examples.check_for_fit()), "example 1 contains NaN at position 1");
        assert_eq!(
            said(Examples { matrix: &[0.0; 4], ..examples }.check_for_fit()),
            "example 1 has class 5, but there are 2 classes"
        );
        let one =
            Examples { matrix: &[0.0; 4], targets: &Targets::Classes(vec![1, 1]), ..examples };
        assert_eq!(
            one.classes_for_fit().unwrap_err().to_string(),
            "all training examples are of class 1"
        );
        let two = Examples { targets: &Targets::Classes(vec![2, 0]), n_outputs: 4, ..one };
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
