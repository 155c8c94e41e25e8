//! `[split.random]`: a seeded draw, by segment, by track or by group of tracks.

use super::by::Units;
use super::{By, Items, Split, SplitError};
use crate::schema::{Fields, Flag, Int, Real};
use crate::vocab::Seed;

/// A seeded draw of test and validation examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Random {
    /// The unit of the draw.
    pub by: By,
    /// Whether every class has the same share, as far as tracks and groups allow.
    pub stratify: bool,
    /// Fraction of the examples used for the test.
    pub test: f64,
    /// Fraction of the remaining examples used for validation.
    pub valid: f64,
    /// Whether the test set is monitored during training, as in some publications. It is never
    /// fitted on.
    pub watch_test: bool,
    /// The seed of the draw, if it is the same whatever the run's seed.
    pub seed: Option<u64>,
}

impl Random {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let share = Real::from_to_below(0.0, 1.0);
        let random = Self {
            by: By::read(fields),
            stratify: fields.required("stratify", &Flag),
            test: fields.required("test", &Real::between(0.0, 1.0)),
            valid: fields.required("valid", &share),
            watch_test: fields.with_default("watch_test", &Flag, false),
            seed: fields.optional("seed", &Int::within(0..=i64::MAX)).map(|seed| seed as u64),
        };
        if random.watch_test && random.valid > 0.0 {
            fields.fault_at("watch_test", "cannot be true if valid is above 0");
        }
        random
    }

    pub(super) fn describe(&self) -> String {
        let by = self.by.describe();
        let stratified = if self.stratify { "stratified" } else { "not stratified" };
        let valid = match (self.watch_test, self.valid > 0.0) {
            (true, _) => "the test set is watched in training".to_owned(),
            (false, true) => format!("{} of the rest valid", percent(self.valid)),
            (false, false) => "no validation set".to_owned(),
        };
        let seed =
            self.seed.map_or(String::new(), |seed| format!(", always drawn with seed {seed}"));
        format!("random by {by}, {stratified}, {} test, {valid}{seed}", percent(self.test))
    }

    pub(super) fn divide(&self, items: Items, seed: Seed) -> Result<Split, SplitError> {
        let rows: Vec<usize> = (0..items.ids.len()).collect();
        let units = self.by.units(items, &rows)?;
        let units = Units::new(units, items, self.stratify);
        let seed = self.seed.map_or(seed, Seed);
        let mut rng = seed.rng("split", &[]);
        let all: Vec<usize> = (0..units.units.len()).collect();
        let (rest, test) = units.draw(&self.by, all, self.test, &mut rng);
        let (train, valid) = units.draw(&self.by, rest, self.valid, &mut rng);
        let (train, valid, test) = (units.rows(&train), units.rows(&valid), units.rows(&test));
        let mut notes = self.by.notes(items)?;
        let valid = if self.watch_test {
            notes.push("the test set was watched in training, as the publication did".to_owned());
            test.clone()
        } else {
            valid
        };
        Ok(Split { train, valid, test, notes })
    }
}

/// Formats a share as a percentage: `30 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::tests::{Owned, examples, n_leaking};
    use crate::vocab::Targets;

    const REPORT: Random = Random {
        by: By::Segment,
        stratify: true,
        test: 0.3,
        valid: 0.3,
        watch_test: false,
        seed: None,
    };

    fn divide(random: &Random, examples: &Owned, seed: u64) -> Split {
        random.divide(examples.items(), Seed(seed)).unwrap()
    }

    fn count(examples: &Owned, rows: &[usize], class: usize) -> usize {
        rows.iter().filter(|&&row| examples.targets.classes()[row] == class).count()
    }

    #[test]
    fn gives_the_reports_numbers() {
        // 9,986 segments: 4,893 / 2,097 / 2,996.
        let mut examples = examples(10, 100, 10);
        examples.ids.truncate(9_986);
        examples.targets = Targets::Classes(examples.targets.classes()[..9_986].to_vec());
        let split = divide(&REPORT, &examples, 1);
        assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [4_893, 2_097, 2_996]);
        for class in 0..9 {
            assert!(count(&examples, &split.test, class).abs_diff(300) <= 1);
        }
    }

    #[test]
    fn every_row_serves_once_and_the_seed_decides() {
        let examples = examples(3, 10, 4);
        let split = divide(&REPORT, &examples, 1);
        let mut all: Vec<usize> =
            [&split.train, &split.valid, &split.test].into_iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..120).collect::<Vec<_>>());
        assert_eq!(split, divide(&REPORT, &examples, 1));
        assert_ne!(split, divide(&REPORT, &examples, 2));
        assert!(n_leaking(&split, examples.items()) > 30);
    }

    #[test]
    fn a_seed_of_the_split_makes_it_the_same_for_every_run() {
        let examples = examples(3, 10, 4);
        let fixed = Random { seed: Some(2), ..REPORT };
        assert_eq!(divide(&fixed, &examples, 1), divide(&REPORT, &examples, 2));
        assert_eq!(divide(&fixed, &examples, 7), divide(&fixed, &examples, 1));
        assert!(fixed.describe().ends_with(", always drawn with seed 2"), "{}", fixed.describe());
    }

    #[test]
    fn by_track_no_track_is_in_two_sets() {
        let examples = examples(3, 10, 4);
        let split = divide(&Random { by: By::Track, ..REPORT }, &examples, 1);
        assert_eq!(n_leaking(&split, examples.items()), 0);
        assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [56, 28, 36]);
        let track = |&row: &usize| examples.ids[row].track.clone();
        let valid: Vec<String> = split.valid.iter().map(track).collect();
        assert!(!split.train.iter().any(|row| valid.contains(&track(row))));
    }

    /// Ten classes of 100 tracks; artists with 1 to 28 of them, some in two classes.
    fn by_artists() -> Owned {
        let mut owned = examples(10, 100, 2);
        let mut rng = Seed(3).rng("artists", &[]);
        let (mut artist, mut left) = (0, 0);
        let tracks: Vec<String> = owned.ids.iter().step_by(2).map(|id| id.track.clone()).collect();
        for track in &tracks {
            if left == 0 {
                artist += 1;
                left = [1, 1, 2, 3, 6, 15, 28][rng.below(7)];
            }
            left -= 1;
            owned.columns.add("artist", [(track.as_str(), artist.to_string().as_str())]).unwrap();
        }
        owned
    }

    #[test]
    fn by_group_no_group_is_in_two_sets_and_classes_keep_about_their_share() {
        let examples = by_artists();
        let random = Random { by: By::Group("artist".to_owned()), ..REPORT };
        let artist =
            |&row: &usize| &examples.columns.column("artist").unwrap()[&examples.ids[row].track];
        let mut tested = std::collections::BTreeSet::new();
        for seed in 1..=10 {
            let split = divide(&random, &examples, seed);
            let sets = [&split.train, &split.valid, &split.test]
                .map(|rows| rows.iter().map(artist).collect::<std::collections::BTreeSet<_>>());
            assert!(sets[0].is_disjoint(&sets[1]) && sets[0].is_disjoint(&sets[2]));
            assert!(sets[1].is_disjoint(&sets[2]));
            let n: usize = [&split.train, &split.valid, &split.test].iter().map(|s| s.len()).sum();
            assert_eq!(n, 2_000);
            assert!(split.test.len().abs_diff(600) <= 40, "{}", split.test.len());
            for class in 0..10 {
                // 60 of 200, as near as artists with up to 28 tracks allow.
                let n = count(&examples, &split.test, class);
                assert!(n.abs_diff(60) <= 20, "class {class}, seed {seed}: {n}");
            }
            tested.extend(split.test.iter().map(artist));
        }
        // Large groups are in the test set of some seed.
        let all = examples.columns.column("artist").unwrap();
        let sizes = |artist: &str| all.values().filter(|other| *other == artist).count();
        assert!(tested.iter().any(|artist| sizes(artist) == 28));
    }

    #[test]
    fn a_watched_test_set_is_said_and_does_not_leak_into_itself() {
        let examples = examples(2, 20, 1);
        let random = Random { valid: 0.0, watch_test: true, stratify: false, test: 0.25, ..REPORT };
        let split = divide(&random, &examples, 1);
        assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [30, 10, 10]);
        assert_eq!(n_leaking(&split, examples.items()), 0);
        assert_eq!(split.notes.len(), 1);
    }
}
