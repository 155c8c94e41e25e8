//! A confusion matrix that can be shown: of many classes the largest, the others together.

use super::group::Group;
use super::runs::Runs;
use super::words::count;

/// Classes that are shown at most, the others together being one of them.
const MOST_CLASSES: usize = 21;

/// The counts that are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Confused {
    /// The names of the rows and columns; `94 others` at the end, where there are others.
    pub(super) classes: Vec<String>,
    /// Test examples by actual and predicted class.
    pub(super) counts: Vec<Vec<usize>>,
    /// `the 20 largest of 114 classes, the others together`; empty where all are shown.
    pub(super) words: String,
}

impl Confused {
    /// Of a group, summed over its runs.
    pub(super) fn of(group: &Group) -> Self {
        Self::new(&group.record().data.classes, group.confusion())
    }

    /// Of runs that differ in their seed alone, summed.
    pub(super) fn of_runs(runs: &Runs) -> Self {
        Self::new(&runs.record().data.classes, runs.confusion())
    }

    fn new(classes: &[String], counts: Vec<Vec<usize>>) -> Self {
        let n = classes.len();
        if n <= MOST_CLASSES {
            return Self { classes: classes.to_vec(), counts, words: String::new() };
        }
        let size = |class: &usize| counts[*class].iter().sum::<usize>();
        let mut largest: Vec<usize> = (0..n).collect();
        // Stable: of classes of one size the first is shown.
        largest.sort_by_key(|class| std::cmp::Reverse(size(class)));
        largest.truncate(MOST_CLASSES - 1);
        largest.sort_unstable();
        // The others are the last place.
        let place = |class: usize| largest.binary_search(&class).unwrap_or(largest.len());
        let mut pooled = vec![vec![0; MOST_CLASSES]; MOST_CLASSES];
        for (actual, row) in counts.iter().enumerate() {
            for (predicted, n) in row.iter().enumerate() {
                pooled[place(actual)][place(predicted)] += n;
            }
        }
        let mut names: Vec<String> = largest.iter().map(|class| classes[*class].clone()).collect();
        names.push(format!("{} others", count(n - largest.len())));
        let words =
            format!("the {} largest of {} classes, the others together", largest.len(), count(n));
        Self { classes: names, counts: pooled, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_classes_keep_their_counts_and_no_example_is_lost() {
        let n = 30;
        let classes: Vec<String> = (0..n).map(|class| format!("class {class}")).collect();
        let counts: Vec<Vec<usize>> =
            (0..n).map(|i| (0..n).map(|j| if i == j { 10 * i } else { j % 2 }).collect()).collect();
        let shown = Confused::new(&classes, counts.clone());
        assert_eq!((shown.classes.len(), shown.counts.len()), (21, 21));
        assert_eq!(shown.classes[0], "class 10");
        assert_eq!(shown.classes[20], "10 others");
        assert_eq!(shown.words, "the 20 largest of 30 classes, the others together");
        assert_eq!((shown.counts[0][0], shown.counts[3][4]), (100, counts[13][14]));
        let sum = |counts: &[Vec<usize>]| counts.iter().flatten().sum::<usize>();
        assert_eq!(sum(&shown.counts), sum(&counts));
        let few = Confused::new(&classes[..21], vec![vec![1; 21]; 21]);
        assert_eq!((few.classes.len(), few.words.as_str()), (21, ""));
    }
}
