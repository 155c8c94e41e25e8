//! The part of a dataset that its figures show, where it has too many classes or columns for all.

use super::Columns;
use crate::report::words::count;

/// The same data with at most so many classes and columns: the largest classes, and the columns that differ
/// most between classes, in their original order. Also describes the selection; empty if all are shown.
pub(super) fn largest(
    data: &Columns,
    most_classes: usize,
    most_columns: usize,
) -> (Columns, String) {
    let sizes: Vec<f64> = data.counts.iter().map(|n| *n as f64).collect();
    let shares: Vec<f64> = data.columns.iter().map(|column| column.between_classes).collect();
    let (classes, columns) = (first(&sizes, most_classes), first(&shares, most_columns));
    let mut words = vec![];
    if columns.len() < data.n_columns {
        let (n, of) = (columns.len(), count(data.n_columns));
        words.push(format!("the {n} of {of} columns that differ most between classes"));
    }
    if classes.len() < data.classes.len() {
        words.push(format!(
            "the {} largest of {} classes",
            classes.len(),
            count(data.classes.len())
        ));
    }
    let part = Columns {
        classes: of(&classes, &data.classes),
        counts: of(&classes, &data.counts),
        columns: of(&columns, &data.columns)
            .into_iter()
            .map(|mut column| {
                column.classes = of(&classes, &column.classes);
                column
            })
            .collect(),
        correlations: of(&columns, &data.correlations)
            .iter()
            .map(|row| of(&columns, row))
            .collect(),
        ..data.clone()
    };
    (part, words.join(", "))
}

/// Some of a list.
fn of<T: Clone>(places: &[usize], all: &[T]) -> Vec<T> {
    places.iter().map(|place| all[*place].clone()).collect()
}

/// The places of the largest values, of equal ones the first, in ascending order.
fn first(values: &[f64], n: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..values.len()).collect();
    // Stable: equal values stay in their order.
    places.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    places.truncate(n);
    places.sort_unstable();
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake_data;

    #[test]
    fn the_largest_classes_and_the_most_different_columns_stay_in_their_order() {
        let columns = [
            ("same", vec![1.0; 6]),
            ("class", vec![2.0, 0.0, 2.0, 2.0, 1.0, 1.0]),
            ("noise", vec![1.0, 2.0, 2.0, 1.0, 1.0, 2.0]),
        ];
        let columns = columns.map(|(name, values)| (name.to_owned(), values)).to_vec();
        let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
        let data =
            fake_data::columns_of("x", "row", classes, &[2, 0, 2, 2, 1, 1], &columns, vec![]);
        let (part, words) = largest(&data, 2, 2);
        assert_eq!((part.classes.join(" "), part.counts), ("b c".to_owned(), vec![2, 3]));
        let names: Vec<&str> = part.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["class", "noise"]);
        assert!(part.columns.iter().all(|column| column.classes.len() == 2));
        assert_eq!(part.correlations.len(), 2);
        assert_eq!(part.correlations[0][1], data.correlations[1][2]);
        assert_eq!(
            words,
            "the 2 of 3 columns that differ most between classes, the 2 largest of 3 classes"
        );
        assert_eq!(largest(&data, 3, 3), (data, String::new()));
    }
}
