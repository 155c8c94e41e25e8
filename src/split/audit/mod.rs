//! The leakage audit before every training.
//!
//! | file | what it finds |
//! |---|---|
//! | `exact` | examples of other tracks with the same numbers, bit by bit |
//! | `near` | examples of other tracks with nearly the same numbers |
//! | `near_rows` | the same for rows of a table |
//!
//! A test example leaks if it is related to a training or validation example, and a validation
//! example leaks if it is related to a training example. A test set that is also used for
//! validation does not leak into itself.
//!
//! Means, deviations and class counts cannot leak, because models receive the training rows only. A
//! contract test changes all other rows and expects the same model.

mod exact;
mod near;
mod near_rows;

use std::collections::{BTreeMap, BTreeSet};

use super::{Items, Split};
use crate::dataset::TrackColumn;
use crate::record::{Audit, Leak, LeakKind};

/// Maximum number of pairs that a record lists.
const N_NAMED: usize = 5;

/// The numbers of all examples.
#[derive(Debug, Clone, Copy)]
pub struct Numbers<'a> {
    /// `[n_examples, product of shape]`, row-major.
    pub values: &'a [f32],
    /// The shape of one example; time is the first axis if there is one.
    pub shape: &'a [usize],
}

impl<'a> Numbers<'a> {
    fn width(self) -> usize {
        self.shape.iter().product()
    }

    fn row(self, row: usize) -> &'a [f32] {
        &self.values[row * self.width()..(row + 1) * self.width()]
    }
}

/// A leaking row, and the seen row that it is related to.
type Pair = (usize, usize);

/// The rows to check, and the rows that were seen before.
struct Sets<'a> {
    items: Items<'a>,
    /// The groups of tracks, e.g. their artists, if known.
    groups: Option<&'a TrackColumn>,
    /// The rows to check: test or validation examples.
    targets: Vec<usize>,
    /// The rows seen before: training examples, and validation examples if the targets are test
    /// examples.
    seen: Vec<usize>,
}

impl Sets<'_> {
    fn track(&self, row: usize) -> &str {
        self.items.track(row)
    }

    /// Returns targets with a seen row that has the same key; rows without a key match nothing.
    fn sharing<K: Ord>(&self, key: impl Fn(usize) -> Option<K>) -> Vec<Pair> {
        let mut first: BTreeMap<K, usize> = BTreeMap::new();
        for &row in &self.seen {
            if let Some(key) = key(row) {
                first.entry(key).or_insert(row);
            }
        }
        let pair = |&row: &usize| Some((row, *first.get(&key(row)?)?));
        self.targets.iter().filter_map(pair).collect()
    }

    fn pairs(&self, numbers: Numbers) -> Result<Vec<(LeakKind, Vec<Pair>)>, String> {
        let track = |row: usize| Some(self.track(row));
        let same_track = self.sharing(track);
        let is_same_track: BTreeSet<usize> = same_track.iter().map(|pair| pair.0).collect();
        let mut same_group = self.sharing(|row| self.groups?.get(&self.items.ids[row].track));
        same_group.retain(|pair| !is_same_track.contains(&pair.0));
        let mut found = vec![
            (LeakKind::SameExample, self.sharing(Some)),
            (LeakKind::SameTrack, same_track),
            (LeakKind::SameGroup, same_group),
        ];
        let exact = exact::pairs(self, numbers);
        let is_exact: BTreeSet<usize> = exact.iter().map(|pair| pair.0).collect();
        let near = near::pairs(self, numbers);
        found.push((LeakKind::SameNumbers, exact));
        let mut near = near?;
        near.retain(|pair| !is_exact.contains(&pair.0));
        found.push((LeakKind::NearNumbers, near));
        Ok(found)
    }
}

/// Searches for every relation that makes a test or validation example known in advance; `group` is
/// the column of the tracks' groups, if there is one.
#[must_use]
pub fn audit(split: &Split, items: Items, numbers: Numbers, group: Option<&str>) -> Audit {
    let groups = group.and_then(|column| items.columns.column(column).ok());
    let test: BTreeSet<usize> = split.test.iter().copied().collect();
    let watched: Vec<usize> =
        split.valid.iter().copied().filter(|row| !test.contains(row)).collect();
    let of_test = Sets {
        items,
        groups,
        targets: split.test.clone(),
        seen: split.train.iter().chain(&watched).copied().collect(),
    };
    let of_valid = Sets { items, groups, targets: watched, seen: split.train.clone() };
    let has_segments = items.ids.iter().any(|id| id.segment > 0);
    let mut unchecked = vec![];
    let mut leaks: Vec<Leak> = vec![];
    let mut leaking = BTreeSet::new();
    for (sets, is_test) in [(&of_test, true), (&of_valid, false)] {
        let found = sets.pairs(numbers).unwrap_or_else(|why| {
            unchecked.push(why);
            vec![]
        });
        for (kind, pairs) in found.into_iter().filter(|(_, pairs)| !pairs.is_empty()) {
            if leaks.iter().all(|leak| leak.kind != kind) {
                leaks.push(Leak { kind, n_test: 0, n_valid: 0, named: vec![] });
            }
            let leak = leaks.iter_mut().find(|leak| leak.kind == kind).expect("it is there now");
            let set = if is_test { "test" } else { "valid" };
            if is_test {
                leak.n_test = pairs.len();
                leaking.extend(pairs.iter().map(|pair| pair.0));
            } else {
                leak.n_valid = pairs.len();
            }
            let room = N_NAMED - leak.named.len();
            let name = |row: usize| match &items.ids[row] {
                id if has_segments => format!("{} segment {}", id.track, id.segment),
                id => id.track.clone(),
            };
            let named = pairs.iter().take(room).map(|&(target, seen)| {
                let other =
                    if split.train.binary_search(&seen).is_ok() { "train" } else { "valid" };
                format!("{} ({set}) and {} ({other})", name(target), name(seen))
            });
            leak.named.extend(named);
        }
    }
    unchecked.sort();
    unchecked.dedup();
    Audit { n_leaking: leaking.len(), leaks, unchecked }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Owned, examples};
    use super::*;
    use crate::vocab::Seed;

    fn noise(owned: &Owned, width: usize) -> Vec<f32> {
        let mut rng = Seed(5).rng("test", &[]);
        (0..owned.ids.len() * width).map(|_| rng.normal() as f32).collect()
    }

    fn split(train: &[usize], valid: &[usize], test: &[usize]) -> Split {
        let [train, valid, test] = [train, valid, test].map(<[usize]>::to_vec);
        Split { train, valid, test, notes: vec![] }
    }

    fn found(audit: &Audit) -> Vec<(LeakKind, usize, usize)> {
        audit.leaks.iter().map(|leak| (leak.kind, leak.n_test, leak.n_valid)).collect()
    }

    #[test]
    fn a_clean_split_of_noise_has_no_leak() {
        let owned = examples(2, 5, 1);
        let values = noise(&owned, 4);
        let numbers = Numbers { values: &values, shape: &[4] };
        let audit =
            audit(&split(&[0, 1, 2, 3], &[4, 5], &[6, 7, 8, 9]), owned.items(), numbers, None);
        assert_eq!(audit, Audit { n_leaking: 0, leaks: vec![], unchecked: vec![] });
    }

    #[test]
    fn tracks_in_two_sets_are_counted_and_named() {
        // Two tracks of two segments: rows 0, 1 and rows 2, 3.
        let owned = examples(1, 2, 2);
        let values = noise(&owned, 4);
        let numbers = Numbers { values: &values, shape: &[4] };
        let leak = |split: &Split| audit(split, owned.items(), numbers, None);
        assert_eq!(leak(&split(&[0, 1], &[], &[2, 3])).n_leaking, 0);
        let both = leak(&split(&[0], &[1], &[2, 3]));
        assert_eq!((both.n_leaking, found(&both)), (0, vec![(LeakKind::SameTrack, 0, 1)]));
        let test = leak(&split(&[0], &[2], &[1, 3]));
        assert_eq!((test.n_leaking, found(&test)), (2, vec![(LeakKind::SameTrack, 2, 0)]));
        let wanted = "c0.0 segment 1 (test) and c0.0 segment 0 (train)";
        assert_eq!(test.leaks[0].named[0], wanted);
        assert!(test.leaks[0].named[1].ends_with("(valid)"));
    }

    #[test]
    fn another_track_of_a_group_is_counted_apart_from_the_same_track() {
        let mut owned = examples(1, 4, 2);
        owned.columns.add("artist", [("c0.0", "A"), ("c0.1", "A"), ("c0.3", "B")]).unwrap();
        let values = noise(&owned, 4);
        let numbers = Numbers { values: &values, shape: &[4] };
        // Row 1 has its track in train, rows 2 and 3 only their artist, 4 and 6 neither.
        let split = split(&[0], &[], &[1, 2, 3, 4, 6]);
        let leaks = audit(&split, owned.items(), numbers, Some("artist"));
        let wanted = [(LeakKind::SameTrack, 1, 0), (LeakKind::SameGroup, 2, 0)];
        assert_eq!((leaks.n_leaking, &found(&leaks)[..]), (3, &wanted[..]));
        assert_eq!(leaks.leaks[1].named[0], "c0.1 segment 0 (test) and c0.0 segment 0 (train)");
        assert_eq!(audit(&split, owned.items(), numbers, None).n_leaking, 1);
    }

    #[test]
    fn rows_with_missing_numbers_are_near_only_to_rows_that_lack_the_same() {
        let owned = examples(2, 10, 1);
        let mut values = noise(&owned, 12);
        let copy: Vec<f32> = values[24..36].to_vec();
        // Rows 12 and 13 are nearly row 2, rows 14 and 15 nearly row 3; a number is missing in 2,
        // 12 and 14.
        for row in [12, 13] {
            values[row * 12..][..12].copy_from_slice(&copy);
        }
        let copy: Vec<f32> = values[36..48].to_vec();
        for row in [14, 15] {
            values[row * 12..][..12].copy_from_slice(&copy);
        }
        for row in [12, 13, 14, 15] {
            values[row * 12 + 11] += 0.001;
        }
        for column in 0..3 {
            let mut values = values.clone();
            [2, 12, 14].iter().for_each(|row| values[row * 12 + column] = f32::NAN);
            let numbers = Numbers { values: &values, shape: &[12] };
            let (train, test): (Vec<usize>, Vec<usize>) = (0..20).partition(|row| *row < 10);
            let audit = audit(&split(&train, &[], &test), owned.items(), numbers, None);
            assert_eq!(found(&audit), [(LeakKind::NearNumbers, 2, 0)]);
            let wanted = ["c1.2 (test) and c0.2 (train)", "c1.5 (test) and c0.3 (train)"];
            assert_eq!(audit.leaks[0].named, wanted);
        }
    }

    #[test]
    fn a_watched_test_set_does_not_leak_into_itself_and_a_fitted_one_does() {
        let owned = examples(1, 4, 1);
        let values = noise(&owned, 4);
        let numbers = Numbers { values: &values, shape: &[4] };
        let watched = audit(&split(&[0, 1], &[2, 3], &[2, 3]), owned.items(), numbers, None);
        assert_eq!(watched.n_leaking, 0);
        let fitted = audit(&split(&[0, 1, 2], &[], &[2, 3]), owned.items(), numbers, None);
        let wanted = vec![(LeakKind::SameExample, 1, 0), (LeakKind::SameTrack, 1, 0)];
        assert_eq!((fitted.n_leaking, found(&fitted)), (1, wanted));
    }

    #[test]
    fn copies_in_other_tracks_are_found_exact_and_near() {
        for shape in [&[40_usize, 3][..], &[12]] {
            let width = shape.iter().product();
            let owned = examples(2, 10, 1);
            let mut values = noise(&owned, width);
            // Row 15 is row 2, row 16 nearly row 3.
            let copy: Vec<f32> = values[2 * width..4 * width].to_vec();
            values[15 * width..17 * width].copy_from_slice(&copy);
            for value in &mut values[16 * width..17 * width] {
                *value += 0.01;
            }
            let train: Vec<usize> = (0..10).collect();
            let test: Vec<usize> = (10..20).collect();
            let numbers = Numbers { values: &values, shape };
            let audit = audit(&split(&train, &[], &test), owned.items(), numbers, None);
            let wanted = [(LeakKind::SameNumbers, 1, 0), (LeakKind::NearNumbers, 1, 0)];
            assert_eq!(found(&audit), wanted, "{shape:?}");
            assert_eq!(audit.n_leaking, 2);
            assert_eq!(audit.leaks[1].named, ["c1.6 (test) and c0.3 (train)"]);
        }
    }
}
