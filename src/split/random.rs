//! `[split.random]`: a seeded draw, by segment or by track.

use std::collections::BTreeMap;

use super::{Items, Split};
use crate::schema::{Fields, Flag, OneOf, Real};
use crate::vocab::{Rng, Seed};

/// A seeded draw of test and validation examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Random {
    /// What is drawn as a whole.
    pub by: By,
    /// Whether every class gives the same share.
    pub stratify: bool,
    /// The share that is scored.
    pub test: f64,
    /// The share of what the test set leaves that is watched.
    pub valid: f64,
    /// Whether the test set is watched in training, as some publications do. It is never fitted on.
    pub watch_test: bool,
}

/// What is drawn as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Every segment by itself: the segments of a track fall into different sets, which leaks.
    Segment,
    /// A track with all its segments.
    Track,
}

impl Random {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let share = Real::from_to_below(0.0, 1.0);
        let random = Self {
            by: fields.required("by", &OneOf(&[("segment", By::Segment), ("track", By::Track)])),
            stratify: fields.required("stratify", &Flag),
            test: fields.required("test", &Real::between(0.0, 1.0)),
            valid: fields.required("valid", &share),
            watch_test: fields.or("watch_test", &Flag, false),
        };
        if random.watch_test && random.valid > 0.0 {
            fields.fault_at("watch_test", "can't be true where valid is above 0");
        }
        random
    }

    pub(super) fn describe(&self) -> String {
        let by = match self.by {
            By::Segment => "segment",
            By::Track => "track",
        };
        let stratified = if self.stratify { "stratified" } else { "not stratified" };
        let percent = |share: f64| format!("{} %", (share * 1e4).round() / 100.0);
        let valid = match (self.watch_test, self.valid > 0.0) {
            (true, _) => "the test set is watched in training".to_owned(),
            (false, true) => format!("{} of the rest valid", percent(self.valid)),
            (false, false) => "no validation set".to_owned(),
        };
        format!("random by {by}, {stratified}, {} test, {valid}", percent(self.test))
    }

    pub(super) fn divide(&self, items: Items, seed: Seed) -> Split {
        let units = self.units(items);
        let classes: Vec<usize> = units.iter().map(|rows| items.labels[rows[0]]).collect();
        let mut rng = seed.rng("split", &[]);
        let all: Vec<usize> = (0..units.len()).collect();
        let (rest, test) = self.draw(all, &classes, self.test, &mut rng);
        let (train, valid) = self.draw(rest, &classes, self.valid, &mut rng);
        let rows = |chosen: Vec<usize>| -> Vec<usize> {
            chosen.into_iter().flat_map(|unit| units[unit].iter().copied()).collect()
        };
        let (train, valid, test) = (rows(train), rows(valid), rows(test));
        let mut notes = vec![];
        let valid = if self.watch_test {
            notes.push("the test set was watched in training, as the publication did".to_owned());
            test.clone()
        } else {
            valid
        };
        Split { train, valid, test, notes }
    }

    /// Rows that are drawn as a whole.
    fn units(&self, items: Items) -> Vec<Vec<usize>> {
        match self.by {
            By::Segment => (0..items.ids.len()).map(|row| vec![row]).collect(),
            By::Track => {
                let mut tracks: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
                for (row, id) in items.ids.iter().enumerate() {
                    tracks.entry(&id.track).or_default().push(row);
                }
                tracks.into_values().collect()
            }
        }
    }

    /// Divides units into those that stay and `ceil(share * n)` that are drawn, as scikit-learn does.
    fn draw(
        &self,
        mut units: Vec<usize>,
        classes: &[usize],
        share: f64,
        rng: &mut Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        rng.shuffle(&mut units);
        let n_drawn = (share * units.len() as f64 - 1e-9).ceil().max(0.0) as usize;
        if !self.stratify {
            let stay = units.split_off(n_drawn);
            return (stay, units);
        }
        let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for unit in units {
            by_class.entry(classes[unit]).or_default().push(unit);
        }
        let sizes: Vec<usize> = by_class.values().map(Vec::len).collect();
        let (mut stay, mut drawn) = (vec![], vec![]);
        for (mut members, quota) in by_class.into_values().zip(quotas(&sizes, n_drawn)) {
            stay.extend(members.split_off(quota));
            drawn.extend(members);
        }
        (stay, drawn)
    }
}

/// Shares `total` among groups in proportion to their sizes, by largest remainder.
fn quotas(sizes: &[usize], total: usize) -> Vec<usize> {
    let all: usize = sizes.iter().sum();
    let exact = |size: usize| size as f64 * total as f64 / all.max(1) as f64;
    let mut quotas: Vec<usize> = sizes.iter().map(|&size| exact(size).floor() as usize).collect();
    let remainder = |&group: &usize| exact(sizes[group]).fract();
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by(|a, b| remainder(b).total_cmp(&remainder(a)).then(a.cmp(b)));
    let missing = total - quotas.iter().sum::<usize>();
    for &group in order.iter().take(missing) {
        quotas[group] += 1;
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::tests::{Owned, examples};

    const REPORT: Random =
        Random { by: By::Segment, stratify: true, test: 0.3, valid: 0.3, watch_test: false };

    fn count(examples: &Owned, rows: &[usize], class: usize) -> usize {
        rows.iter().filter(|&&row| examples.labels[row] == class).count()
    }

    #[test]
    fn gives_the_reports_numbers() {
        // 9,986 segments: 4,893 / 2,097 / 2,996.
        let mut examples = examples(10, 100, 10);
        examples.ids.truncate(9_986);
        examples.labels.truncate(9_986);
        let split = REPORT.divide(examples.items(), Seed(1));
        assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [4_893, 2_097, 2_996]);
        for class in 0..9 {
            assert!(count(&examples, &split.test, class).abs_diff(300) <= 1);
        }
    }

    #[test]
    fn every_row_serves_once_and_the_seed_decides() {
        let examples = examples(3, 10, 4);
        let split = REPORT.divide(examples.items(), Seed(1));
        let mut all: Vec<usize> =
            [&split.train, &split.valid, &split.test].into_iter().flatten().copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..120).collect::<Vec<_>>());
        assert_eq!(split, REPORT.divide(examples.items(), Seed(1)));
        assert_ne!(split, REPORT.divide(examples.items(), Seed(2)));
        assert!(split.n_leaking(examples.items()) > 30);
    }

    #[test]
    fn by_track_no_track_is_in_two_sets() {
        let examples = examples(3, 10, 4);
        let split = Random { by: By::Track, ..REPORT }.divide(examples.items(), Seed(1));
        assert_eq!(split.n_leaking(examples.items()), 0);
        assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [56, 28, 36]);
        let track = |&row: &usize| examples.ids[row].track.clone();
        let valid: Vec<String> = split.valid.iter().map(track).collect();
        assert!(!split.train.iter().any(|row| valid.contains(&track(row))));
    }

    #[test]
    fn a_watched_test_set_is_said_and_does_not_leak_into_itself() {
        let examples = examples(2, 20, 1);
        let random = Random { valid: 0.0, watch_test: true, stratify: false, test: 0.25, ..REPORT };
        let split = random.divide(examples.items(), Seed(1));
        assert_eq!([split.train.len(), split.valid.len(), split.test.len()], [30, 10, 10]);
        assert_eq!(split.n_leaking(examples.items()), 0);
        assert_eq!(split.notes.len(), 1);
    }

    #[test]
    fn quotas_add_up() {
        assert_eq!(quotas(&[5, 3, 2], 5), [3, 1, 1]);
        assert_eq!(quotas(&[1, 1, 1], 2), [1, 1, 0]);
    }
}
