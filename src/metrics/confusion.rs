//! The confusion matrix and the scores that follow from it.

/// Precision, recall, F1 and support of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassScores {
    /// Fraction of the examples predicted as this class that belong to it; 0 if there are none.
    pub precision: f64,
    /// Fraction of the examples of this class that were predicted as such; 0 if there are none.
    pub recall: f64,
    /// Harmonic mean of precision and recall; 0 for a class that is neither present nor predicted.
    pub f1: f64,
    /// Number of examples of this class.
    pub support: usize,
}

/// Counts examples by class, `[n_classes, n_classes]`: rows are actual, columns predicted.
///
/// # Panics
/// If the lengths differ or a class number is not below `n_classes`.
#[must_use]
pub fn confusion(actual: &[usize], predicted: &[usize], n_classes: usize) -> Vec<Vec<usize>> {
    assert_eq!(actual.len(), predicted.len(), "one prediction per example");
    let mut counts = vec![vec![0; n_classes]; n_classes];
    for (&actual, &predicted) in actual.iter().zip(predicted) {
        counts[actual][predicted] += 1;
    }
    counts
}

/// Returns the fraction right, `[0, 1]`; 0 if nothing was scored.
#[must_use]
pub fn accuracy(confusion: &[Vec<usize>]) -> f64 {
    let right = (0..confusion.len()).map(|class| confusion[class][class]).sum();
    ratio(right, confusion.iter().flatten().sum())
}

/// Computes the scores of every class, in the order of the matrix.
///
/// # Source
/// scikit-learn, `precision_recall_fscore_support` with `zero_division=0` and all labels listed.
#[must_use]
pub fn per_class(confusion: &[Vec<usize>]) -> Vec<ClassScores> {
    let score = |class: usize| {
        let right = confusion[class][class];
        let support = confusion[class].iter().sum();
        let taken = confusion.iter().map(|row| row[class]).sum();
        ClassScores {
            precision: ratio(right, taken),
            recall: ratio(right, support),
            f1: ratio(2 * right, taken + support),
            support,
        }
    };
    (0..confusion.len()).map(score).collect()
}

/// Returns the unweighted mean of the F1 scores over classes. Classes that neither occur nor are
/// predicted do not count; 0 if none is left.
///
/// # Source
/// scikit-learn 1.9, `f1_score` with `average="macro"` and no `labels`.
#[must_use]
pub fn macro_f1(confusion: &[Vec<usize>]) -> f64 {
    let classes = per_class(confusion);
    let is_predicted = |class: usize| confusion.iter().any(|row| row[class] > 0);
    let counted = classes.iter().enumerate();
    let counted = counted.filter(|(class, scores)| scores.support > 0 || is_predicted(*class));
    let f1s: Vec<f64> = counted.map(|(_, scores)| scores.f1).collect();
    f1s.iter().sum::<f64>() / f1s.len().max(1) as f64
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{ACTUAL, PREDICTED, close};
    use super::*;

    #[test]
    fn agrees_with_scikit_learn() {
        let counts = confusion(&ACTUAL, &PREDICTED, 4);
        assert_eq!(counts, [[2, 1, 0, 0], [0, 2, 1, 0], [1, 0, 3, 0], [0, 0, 0, 0]]);
        close(accuracy(&counts), 0.7, 1e-15);
        let two_thirds = 2.0 / 3.0;
        let wanted = [(two_thirds, 3), (two_thirds, 3), (0.75, 4), (0.0, 0)];
        for (class, (score, support)) in per_class(&counts).iter().zip(wanted) {
            close(class.precision, score, 1e-15);
            close(class.recall, score, 1e-15);
            close(class.f1, score, 1e-15);
            assert_eq!(class.support, support);
        }
    }

    #[test]
    fn precision_and_recall_are_not_mixed_up() {
        // Class 0 was predicted three times, twice correctly, and has four examples.
        let classes = per_class(&[vec![2, 2], vec![1, 5]]);
        close(classes[0].precision, 2.0 / 3.0, 1e-15);
        close(classes[0].recall, 0.5, 1e-15);
        close(classes[0].f1, 4.0 / 7.0, 1e-15);
    }

    #[test]
    fn macro_f1_leaves_out_classes_that_neither_occur_nor_are_predicted() {
        // 18 of 20 right, and a third class whose only row is not tested: scikit-learn says 0.899.
        let counts = vec![vec![10, 1, 0], vec![1, 8, 0], vec![0, 0, 0]];
        close(macro_f1(&counts), 0.898_989_898_989_899, 1e-12);
        // A class that is predicted but never occurs counts, with 0.
        let counts = vec![vec![10, 1, 0], vec![1, 7, 1], vec![0, 0, 0]];
        close(macro_f1(&counts), (20.0 / 22.0 + 14.0 / 17.0) / 3.0, 1e-12);
    }

    #[test]
    fn nothing_scored_is_zero_not_nan() {
        close(accuracy(&[]), 0.0, 0.0);
        close(macro_f1(&[]), 0.0, 0.0);
    }
}
