//! The order of the test examples for a program.

use super::super::fold::Fold;
use crate::vocab::{ExampleId, Seed, Sha256, Targets};

/// The order of the test examples for the program: of each, its place in the split.
///
/// The stream depends on the seed, and on the names and targets of all examples and the content of the
/// data: a program knows its seed, but none of these, so that it can't undo the order.
pub(super) fn test_order(fold: &Fold) -> Vec<usize> {
    let examples = &fold.inputs.examples;
    let data = [&*examples.hash, &*fold.inputs.data_hash];
    let n_test = fold.scored_rows().len();
    order(fold.seed, data, &examples.ids, (&examples.targets, examples.classes.len()), n_test)
}

fn order(
    seed: u64,
    data: [&str; 2],
    ids: &[ExampleId],
    (targets, n_outputs): (&Targets, usize),
    n_test: usize,
) -> Vec<usize> {
    let mut hash = data.into_iter().fold(Sha256::new(), Sha256::piece);
    for (row, id) in ids.iter().enumerate() {
        hash = hash.piece(&id.track).piece(id.segment.to_le_bytes());
        hash = match targets {
            Targets::Classes(labels) => hash.piece((labels[row] as u64).to_le_bytes()),
            Targets::Tags(tags) => {
                let tags = &tags[row * n_outputs..][..n_outputs];
                hash.piece(tags.iter().map(|tag| u8::from(*tag)).collect::<Vec<u8>>())
            }
            Targets::Numbers(numbers) => hash.piece(numbers[row].to_le_bytes()),
        };
    }
    let digest = hash.hex();
    let part =
        |start: usize| u64::from_str_radix(&digest[start..start + 16], 16).unwrap_or_default();
    let mut order: Vec<usize> = (0..n_test).collect();
    let mut rng = Seed(seed).rng("order of a program's test examples", &[part(0), part(16)]);
    rng.shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_decides_the_order() {
        let ids: Vec<ExampleId> =
            ["a", "b"].map(|track| ExampleId { track: track.to_owned(), segment: 0 }).into();
        let of = |targets: &Targets, n| order(1, ["features", "data"], &ids, (targets, n), 50);
        let classes = |labels: [usize; 2]| of(&Targets::Classes(labels.into()), 2);
        let tags = |tags: [bool; 4]| of(&Targets::Tags(tags.into()), 2);
        let numbers = |numbers: [f32; 2]| of(&Targets::Numbers(numbers.into()), 1);
        let orders = [
            classes([0, 1]),
            classes([0, 0]),
            tags([true, false, true, false]),
            tags([true, false, true, true]),
            tags([true, true, false, false]),
            numbers([0.5, 1.0]),
            numbers([0.5, 1.5]),
        ];
        for (place, order) in orders.iter().enumerate() {
            assert!(orders[..place].iter().all(|other| other != order), "{place}");
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..50).collect::<Vec<_>>());
        }
        assert_eq!(classes([0, 1]), orders[0]);
        // Recorded runs were made in this order.
        assert_eq!(orders[0][..8], [33, 16, 48, 42, 12, 41, 3, 11]);
    }
}
