//! What models learn to tell: a class, tags or a number.

use serde::{Deserialize, Serialize};

/// What a model tells of an example.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One class out of several, e.g. its genre.
    #[default]
    Classes,
    /// Each of several tags or not: multi-label classification.
    Tags,
    /// A number, e.g. its tempo: regression.
    Number,
}

impl Task {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Classes, Self::Tags, Self::Number];

    /// Returns `classes`, `tags` or `number`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Classes => "classes",
            Self::Tags => "tags",
            Self::Number => "number",
        }
    }

    /// Returns what it is in a sentence: `a class`, `tags` or `a number`.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Classes => "a class",
            Self::Tags => "tags",
            Self::Number => "a number",
        }
    }

    /// Returns whether it is the usual one, which records and job files do not mention.
    #[must_use]
    pub fn is_classes(&self) -> bool {
        *self == Self::Classes
    }
}

impl std::fmt::Display for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is true of a list of examples.
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// The class of every example, in `0..n_classes`.
    Classes(Vec<usize>),
    /// Whether an example has a tag: row-major, `[n_examples, n_tags]`.
    Tags(Vec<bool>),
    /// A finite number for every example.
    Numbers(Vec<f32>),
}

impl Targets {
    /// Returns what a model that learns from them tells.
    #[must_use]
    pub fn task(&self) -> Task {
        match self {
            Self::Classes(_) => Task::Classes,
            Self::Tags(_) => Task::Tags,
            Self::Numbers(_) => Task::Number,
        }
    }

    /// Returns the class of every example; empty if they have none.
    #[must_use]
    pub fn classes(&self) -> &[usize] {
        match self {
            Self::Classes(classes) => classes,
            Self::Tags(_) | Self::Numbers(_) => &[],
        }
    }

    /// Returns the targets of some examples, in their order; `n_outputs` is the number of tags.
    ///
    /// # Panics
    /// If a row does not exist.
    #[must_use]
    pub fn of_rows(&self, rows: &[usize], n_outputs: usize) -> Self {
        match self {
            Self::Classes(classes) => Self::Classes(rows.iter().map(|&row| classes[row]).collect()),
            Self::Tags(tags) => Self::Tags(
                rows.iter()
                    .flat_map(|&row| &tags[row * n_outputs..][..n_outputs])
                    .copied()
                    .collect(),
            ),
            Self::Numbers(numbers) => Self::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
        }
    }
}

/// What a model puts out for one example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outputs {
    /// What they tell.
    pub task: Task,
    /// The number of classes or tags; 1 for a number.
    pub n: usize,
}

/// Writes `10 classes`, `3 tags` or `1 number`.
impl std::fmt::Display for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.n, self.task)
    }
}

impl Outputs {
    /// Returns the outputs of a model that tells one of `n` classes.
    #[must_use]
    pub fn classes(n: usize) -> Self {
        Self { task: Task::Classes, n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_targets_of_some_examples_are_theirs_in_their_order() {
        let tags = Targets::Tags(vec![true, false, false, false, true, true]);
        assert_eq!(tags.of_rows(&[2, 0], 2), Targets::Tags(vec![true, true, true, false]));
        assert_eq!(Targets::Classes(vec![4, 5, 6]).of_rows(&[2, 2], 7).classes(), [6, 6]);
        assert_eq!(Targets::Numbers(vec![0.5, 1.5]).of_rows(&[1], 1), Targets::Numbers(vec![1.5]));
        assert_eq!([Task::Tags, Task::Number].map(Task::as_str), ["tags", "number"]);
    }
}
