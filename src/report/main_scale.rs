//! The scale on which the main metric of a task is drawn.

use super::group::Group;
use crate::vocab::Task;

/// From its lower end to 1. Values below it are drawn at the end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MainScale {
    pub(super) low: f64,
}

impl MainScale {
    /// The scale of some groups of one task: from 0, or from -1 if an R2 with its interval is below 0.
    pub(super) fn of<'a, 'b: 'a>(mut groups: impl Iterator<Item = &'a Group<'b>>) -> Self {
        Self { low: if groups.any(|group| group.main.low < 0.0) { -1.0 } else { 0.0 } }
    }

    /// A value's part of the scale, in `[0, 1]`.
    pub(super) fn part(self, value: f64) -> f64 {
        ((value - self.low) / (1.0 - self.low)).clamp(0.0, 1.0)
    }

    /// Round values from end to end.
    pub(super) fn ticks(self) -> impl Iterator<Item = f64> {
        let n = if self.low < 0.0 { 4 } else { 5 };
        (0..=n).map(move |i| self.low + f64::from(i) / f64::from(n) * (1.0 - self.low))
    }
}

/// What the mark of the baseline stands for.
pub(super) fn baseline_words(task: Task) -> &'static str {
    match task {
        Task::Classes => "always predicting the largest class",
        Task::Tags => "equal probabilities for all examples",
        Task::Number => "always predicting the mean of the test examples",
    }
}
