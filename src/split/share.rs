//! `train_share`: a part of the training set, for learning curves. The other sets stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use super::by::By;
use super::{Items, Protocol, Split, SplitError};
use crate::vocab::{Seed, Targets};

/// Keeps a share of the training tracks, in (0, 1], with all their training examples.
///
/// Groups that the protocol keeps together stay together. The tracks, or groups, are put into a random order, for
/// each class apart if the protocol stratifies classes, and the first `ceil(share * n)` are kept. The order
/// does not depend on the share, so that a smaller share is a part of every larger one. Where segments are
/// drawn, whole tracks of the training set are left out: those of which it has any segment.
///
/// # Errors
/// If the groups can't be read.
pub fn keep_share(
    split: Split,
    protocol: &Protocol,
    items: Items,
    share: f64,
    seed: Seed,
) -> Result<Split, SplitError> {
    let by = match protocol.by() {
        Some(group @ By::Group(_)) => group,
        _ => &By::Track,
    };
    let mut units = by.units(items, &split.train)?;
    seed.rng("train share", &[]).shuffle(&mut units);
    let labels = match items.targets {
        Targets::Classes(labels) if protocol.stratifies() => Some(labels),
        _ => None,
    };
    let mut strata: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    for unit in units {
        let class = labels.map_or(0, |labels| most_common(labels, &unit));
        strata.entry(class).or_default().push(unit);
    }
    let mut train = vec![];
    for units in strata.into_values() {
        let n = (share * units.len() as f64 - 1e-9).ceil() as usize;
        train.extend(units.into_iter().take(n).flatten());
    }
    train.sort_unstable();
    let mut notes = split.notes;
    if let Targets::Classes(labels) = items.targets {
        let classes = |rows: &[usize]| rows.iter().map(|&row| labels[row]).collect::<BTreeSet<_>>();
        let (all, kept) = (classes(&split.train).len(), classes(&train).len());
        if kept < all {
            notes.push(format!(
                "train_share leaves no training example of {} of {all} classes",
                all - kept
            ));
        }
    }
    Ok(Split { train, notes, ..split })
}

/// The class that most of the examples have; of several, the first.
fn most_common(labels: &[usize], rows: &[usize]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &row in rows {
        *counts.entry(labels[row]).or_default() += 1;
    }
    let most = counts.iter().max_by_key(|(class, n)| (**n, std::cmp::Reverse(**class)));
    most.map_or(0, |(class, _)| *class)
}

/// What a share adds to the description of a protocol: `, 10 % of the training tracks`.
#[must_use]
pub fn describe_share(share: f64) -> String {
    format!(", {} of the training tracks", super::random::percent(share))
}

#[cfg(test)]
mod tests {
    use super::super::Random;
    use super::super::tests::{Owned, examples, n_leaking};
    use super::*;

    fn random(by: By, stratify: bool) -> Protocol {
        Protocol::Random(Random {
            by,
            stratify,
            test: 0.3,
            valid: 0.2,
            watch_test: false,
            seed: None,
        })
    }

    fn shares(protocol: &Protocol, owned: &Owned, seed: u64) -> Vec<Split> {
        let whole = protocol.divide(owned.items(), Seed(seed)).unwrap();
        let keep = |share: f64| {
            keep_share(whole.clone(), protocol, owned.items(), share, Seed(seed)).unwrap()
        };
        [0.01, 0.1, 0.25, 0.5, 1.0].map(keep).to_vec()
    }

    fn tracks<'a>(owned: &'a Owned, rows: &[usize]) -> BTreeSet<&'a str> {
        rows.iter().map(|&row| owned.ids[row].track.as_str()).collect()
    }

    #[test]
    fn smaller_shares_are_parts_of_larger_ones_and_the_other_sets_stay() {
        let owned = examples(4, 25, 3);
        for protocol in
            [random(By::Track, true), random(By::Track, false), random(By::Segment, true)]
        {
            for seed in 1..=5 {
                let whole = protocol.divide(owned.items(), Seed(seed)).unwrap();
                let splits = shares(&protocol, &owned, seed);
                for (small, large) in splits.iter().zip(&splits[1..]) {
                    let large: BTreeSet<_> = large.train.iter().collect();
                    assert!(small.train.iter().all(|row| large.contains(row)));
                    assert!(small.train.len() < large.len());
                }
                assert!(
                    splits.iter().all(|it| (&it.valid, &it.test) == (&whole.valid, &whole.test))
                );
                assert_eq!(splits[4], whole, "a share of 1 is the whole training set");
                // Tracks are whole: with all the examples that the training set has of them.
                for split in &splits {
                    let kept = tracks(&owned, &split.train);
                    let all =
                        whole.train.iter().filter(|&&row| kept.contains(&*owned.ids[row].track));
                    assert_eq!(all.copied().collect::<Vec<_>>(), split.train);
                }
            }
        }
    }

    #[test]
    fn classes_keep_their_shares_and_the_seed_decides_which_tracks() {
        let owned = examples(4, 25, 1);
        let protocol = random(By::Track, true);
        let splits = shares(&protocol, &owned, 1);
        for (split, n) in splits.iter().zip([1, 2, 4, 7, 14]) {
            for class in 0..4 {
                let labels = owned.targets.classes();
                let found = split.train.iter().filter(|&&row| labels[row] == class).count();
                assert_eq!(found, n, "ceil(share * 14)");
            }
            assert!(split.notes.is_empty());
        }
        assert_ne!(splits[2].train, shares(&protocol, &owned, 2)[2].train);
        // Without strata a tiny share may leave out classes, which is noted.
        let few = shares(&random(By::Track, false), &owned, 1);
        assert_eq!(few[0].train.len(), 1);
        assert_eq!(few[0].notes, ["train_share leaves no training example of 3 of 4 classes"]);
    }

    #[test]
    fn groups_stay_whole() {
        let mut owned = examples(3, 40, 2);
        let artist = |track: &str| {
            let number: usize = track.split('.').nth(1).unwrap().parse().unwrap();
            format!("{} {}", &track[..2], number / 4)
        };
        for id in owned.ids.iter().step_by(2) {
            let artist = artist(&id.track);
            owned.columns.add("artist", [(id.track.as_str(), artist.as_str())]).unwrap();
        }
        let protocol = random(By::Group("artist".to_owned()), true);
        let whole = protocol.divide(owned.items(), Seed(1)).unwrap();
        for split in shares(&protocol, &owned, 1) {
            let groups = |rows: &[usize]| {
                rows.iter().map(|&row| artist(&owned.ids[row].track)).collect::<BTreeSet<_>>()
            };
            let kept = groups(&split.train);
            let all =
                whole.train.iter().filter(|&&row| kept.contains(&artist(&owned.ids[row].track)));
            assert_eq!(all.copied().collect::<Vec<_>>(), split.train);
            assert_eq!(n_leaking(&split, owned.items()), 0);
        }
    }
}
