//! The units of a draw (segments, tracks or groups of tracks), and how some of them are drawn.

use std::collections::{BTreeMap, BTreeSet};

use super::{Items, SplitError};
use crate::schema::{Fields, OneOf, Text};
use crate::vocab::{Rng, Targets};

/// The unit of a draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// Segments are drawn independently. Those of one track may fall into different sets, which
    /// leaks.
    Segment,
    /// A track with all its segments; all rows of a table that have one id.
    Track,
    /// All tracks with the same text in a column, e.g. `artist`; a track without one is a separate
    /// group.
    Group(String),
}

impl By {
    /// Reads `by` and, for `"group"`, also `group`.
    pub(super) fn read(fields: &mut Fields) -> Self {
        let words = [("segment", 0), ("track", 1), ("group", 2)];
        let word = fields.required("by", &OneOf(&words));
        match word {
            2 => return Self::Group(fields.required("group", &Text)),
            _ if fields.is_given("group") => {
                fields.fault_at("group", "applies only with by = \"group\"");
                fields.optional("group", &Text);
            }
            _ => {}
        }
        if word == 0 { Self::Segment } else { Self::Track }
    }

    /// Returns `segment`, `track` or `group (artist)`.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Segment => "segment".to_owned(),
            Self::Track => "track".to_owned(),
            Self::Group(column) => format!("group ({column})"),
        }
    }

    /// Returns the column of the groups.
    pub(super) fn column(&self) -> Option<&str> {
        match self {
            Self::Segment | Self::Track => None,
            Self::Group(column) => Some(column),
        }
    }

    /// Groups some rows into units, in the order of the units' names.
    pub(super) fn units(
        &self,
        items: Items,
        rows: &[usize],
    ) -> Result<Vec<Vec<usize>>, SplitError> {
        if *self == Self::Segment {
            return Ok(rows.iter().map(|&row| vec![row]).collect());
        }
        let groups = match self.column() {
            Some(column) => items.column(column)?,
            None => items.columns.repeated_ids(),
        };
        // A track without a group is a unit of its own, whatever groups are called.
        let mut units: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for &row in rows {
            let track = items.ids[row].track.as_str();
            let name = groups.get(track).map_or((false, track), |group| (true, group.as_str()));
            units.entry(name).or_default().push(row);
        }
        Ok(units.into_values().collect())
    }

    /// Returns notes about the groups for the reader.
    pub(super) fn notes(&self, items: Items) -> Result<Vec<String>, SplitError> {
        let Some(column) = self.column() else {
            let ids = items.columns.repeated_ids();
            let together: BTreeSet<&String> = ids.values().collect();
            let note = format!(
                "{} rows repeat {} ids; rows of one id stay together",
                ids.len(),
                together.len()
            );
            return Ok((*self == Self::Track && !ids.is_empty())
                .then_some(note)
                .into_iter()
                .collect());
        };
        let groups = items.column(column)?;
        let tracks: BTreeSet<&str> = items.ids.iter().map(|id| id.track.as_str()).collect();
        let named: BTreeSet<&str> =
            tracks.iter().filter_map(|track| groups.get(*track)).map(String::as_str).collect();
        let n_alone = tracks.iter().filter(|track| !groups.contains_key(**track)).count();
        let mut notes =
            vec![format!("{} tracks in {} groups ({column})", tracks.len() - n_alone, named.len())];
        if n_alone > 0 {
            notes.push(format!("{n_alone} tracks without {column} are one group each"));
        }
        Ok(notes)
    }
}

/// Units of rows, with the data needed to draw some of them.
pub(super) struct Units<'a> {
    pub(super) units: Vec<Vec<usize>>,
    strata: Strata<'a>,
}

/// What is to be spread evenly over the sets.
#[derive(Clone, Copy)]
enum Strata<'a> {
    /// All examples together.
    One,
    /// Every class: that of each example.
    Classes(&'a [usize]),
    /// Every tag, and all examples together: `[n_examples, n]`.
    Tags(&'a [bool], usize),
}

impl Strata<'_> {
    /// Calls `see` with every stratum that an example belongs to.
    fn each(self, row: usize, mut see: impl FnMut(usize)) {
        match self {
            Self::One => see(0),
            Self::Classes(labels) => see(labels[row]),
            Self::Tags(tags, n) => {
                (0..n).filter(|tag| tags[row * n + tag]).chain([n]).for_each(see);
            }
        }
    }

    fn n(self) -> usize {
        match self {
            Self::One => 1,
            Self::Classes(labels) => labels.iter().max().map_or(1, |most| most + 1),
            Self::Tags(_, n) => n + 1,
        }
    }
}

impl<'a> Units<'a> {
    /// Units of some examples. With `stratify`, their classes or tags are spread evenly; numbers never are.
    pub(super) fn new(units: Vec<Vec<usize>>, items: Items<'a>, stratify: bool) -> Self {
        let strata = match items.targets {
            Targets::Classes(labels) if stratify => Strata::Classes(labels),
            Targets::Tags(tags) if stratify => {
                Strata::Tags(tags, tags.len() / items.ids.len().max(1))
            }
            _ => Strata::One,
        };
        Self { units, strata }
    }

    /// Returns the rows of some units.
    pub(super) fn rows(&self, chosen: &[usize]) -> Vec<usize> {
        chosen.iter().flat_map(|&unit| self.units[unit].iter().copied()).collect()
    }

    /// Splits some units into those that stay and a share that is drawn.
    ///
    /// For segments and tracks, `ceil(share * n)` units are drawn, as in scikit-learn, stratified
    /// by largest remainder. Groups differ in size, so they are visited in random order, and each
    /// one is taken or put back if that brings the drawn examples of the classes (without
    /// `stratify`, of all classes together) nearer to their share. Units with
    /// tags are divided tag by tag, the rarest first.
    pub(super) fn draw(
        &self,
        by: &By,
        mut units: Vec<usize>,
        share: f64,
        rng: &mut Rng,
    ) -> (Vec<usize>, Vec<usize>) {
        rng.shuffle(&mut units);
        if matches!(self.strata, Strata::Tags(..)) {
            return self.draw_tags(units, share);
        }
        if by.column().is_some() {
            return self.draw_groups(units, share);
        }
        let n_drawn = (share * units.len() as f64 - 1e-9).ceil().max(0.0) as usize;
        let Strata::Classes(labels) = self.strata else {
            let stay = units.split_off(n_drawn);
            return (stay, units);
        };
        let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for unit in units {
            by_class.entry(labels[self.units[unit][0]]).or_default().push(unit);
        }
        let sizes: Vec<usize> = by_class.values().map(Vec::len).collect();
        let (mut stay, mut drawn) = (vec![], vec![]);
        for (mut members, quota) in by_class.into_values().zip(quotas(&sizes, n_drawn)) {
            stay.extend(members.split_off(quota));
            drawn.extend(members);
        }
        (stay, drawn)
    }

    /// Divides units with tags: for the tag that the fewest examples still have, each of its units, in the
    /// given order, goes to where more of that tag is still to come, or else more examples. Units without
    /// tags fill up the shares.
    ///
    /// # Source
    /// Sechidis, Tsoumakas and Vlahavas, "On the stratification of multi-label data", ECML PKDD 2011.
    fn draw_tags(&self, units: Vec<usize>, share: f64) -> (Vec<usize>, Vec<usize>) {
        let mut left = self.totals(&units);
        let all = left.len() - 1;
        let mut wanted: [Vec<f64>; 2] =
            [1.0 - share, share].map(|share| left.iter().map(|n| share * n).collect());
        let strata: Vec<Vec<(usize, f64)>> =
            (0..self.units.len()).map(|unit| self.strata(unit).collect()).collect();
        let mut open: Vec<usize> = units.clone();
        let mut is_drawn = vec![false; self.units.len()];
        while !open.is_empty() {
            let rarest = (0..all).filter(|&tag| left[tag] > 0.5);
            let tag = rarest.min_by(|a, b| left[*a].total_cmp(&left[*b])).unwrap_or(all);
            let (now, later): (Vec<usize>, Vec<usize>) =
                open.into_iter().partition(|&unit| strata[unit].iter().any(|(of, _)| *of == tag));
            open = later;
            for unit in now {
                let more = |stratum: usize| wanted[1][stratum].total_cmp(&wanted[0][stratum]);
                is_drawn[unit] = more(tag).then(more(all)).is_gt();
                for &(stratum, n) in &strata[unit] {
                    wanted[usize::from(is_drawn[unit])][stratum] -= n;
                    left[stratum] -= n;
                }
            }
        }
        let (drawn, stay) = units.into_iter().partition(|&unit| is_drawn[unit]);
        (stay, drawn)
    }

    /// Takes units in the given order and puts some back, as long as that lowers the squared
    /// distance of the classes' drawn shares from `share`, summed over classes.
    fn draw_groups(&self, units: Vec<usize>, share: f64) -> (Vec<usize>, Vec<usize>) {
        let totals = self.totals(&units);
        let mut drawn_of = vec![0.0; totals.len()];
        let mut is_drawn = vec![false; self.units.len()];
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for &unit in &units {
                let sign = if is_drawn[unit] { -1.0 } else { 1.0 };
                let growth = |(class, n): (usize, f64)| {
                    let surplus = drawn_of[class] - share * totals[class];
                    n * (n + 2.0 * sign * surplus) / totals[class].powi(2)
                };
                // The decrease must exceed rounding errors, so that the loop ends.
                if self.strata(unit).map(growth).sum::<f64>() < -1e-9 {
                    self.strata(unit).for_each(|(class, n)| drawn_of[class] += sign * n);
                    is_drawn[unit] = !is_drawn[unit];
                    goes_on = true;
                }
            }
        }
        let (drawn, stay) = units.into_iter().partition(|&unit| is_drawn[unit]);
        (stay, drawn)
    }

    /// Assigns every unit to one of `k` folds.
    ///
    /// The largest units come first, equal ones in random order. Each goes into the fold that keeps
    /// the classes (without `stratify`, all examples together) most evenly spread over the folds.
    ///
    /// # Source
    /// The greedy method of scikit-learn's `StratifiedGroupKFold`. The spread is the variance of
    /// the classes' shares, summed over classes; scikit-learn uses the mean of standard deviations.
    pub(super) fn folds(&self, k: usize, rng: &mut Rng) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.units.len()).collect();
        rng.shuffle(&mut order);
        let totals = self.totals(&order);
        let weight = |&unit: &usize| -> f64 {
            self.strata(unit).map(|(class, n)| (n / totals[class]).powi(2)).sum()
        };
        let mut weighted: Vec<(f64, usize)> = order.iter().map(|u| (weight(u), *u)).collect();
        weighted.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut held = vec![vec![0.0; totals.len()]; k];
        let mut sizes = vec![0; k];
        let mut folds = vec![0; self.units.len()];
        for (_, unit) in weighted {
            // The variance grows by twice this value plus a constant that is the same for every
            // fold.
            let growth = |fold: usize| -> f64 {
                let part = |(class, n): (usize, f64)| held[fold][class] * n / totals[class].powi(2);
                self.strata(unit).map(part).sum()
            };
            let better = |a: &usize, b: &usize| {
                growth(*a).total_cmp(&growth(*b)).then(sizes[*a].cmp(&sizes[*b]))
            };
            let fold = (0..k).min_by(better).expect("there are at least two folds");
            self.strata(unit).for_each(|(class, n)| held[fold][class] += n);
            sizes[fold] += self.units[unit].len();
            folds[unit] = fold;
        }
        folds
    }

    /// Returns the number of rows per stratum in a unit.
    fn strata(&self, unit: usize) -> impl Iterator<Item = (usize, f64)> {
        let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
        for &row in &self.units[unit] {
            self.strata.each(row, |stratum| *counts.entry(stratum).or_default() += 1.0);
        }
        counts.into_iter()
    }

    fn totals(&self, units: &[usize]) -> Vec<f64> {
        let mut totals = vec![0.0; self.strata.n()];
        for &unit in units {
            self.strata(unit).for_each(|(class, n)| totals[class] += n);
        }
        totals
    }
}

/// Divides `total` among groups in proportion to their sizes, by largest remainder.
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
    use crate::split::tests::examples;
    use crate::vocab::Seed;

    #[test]
    fn quotas_add_up() {
        assert_eq!(quotas(&[5, 3, 2], 5), [3, 1, 1]);
        assert_eq!(quotas(&[1, 1, 1], 2), [1, 1, 0]);
    }

    #[test]
    fn folds_are_even_in_size_and_class_where_units_allow() {
        let owned = examples(3, 20, 4);
        let rows: Vec<usize> = (0..owned.ids.len()).collect();
        for (by, n) in [(By::Segment, 16), (By::Track, 16)] {
            let units = by.units(owned.items(), &rows).unwrap();
            let units = Units::new(units, owned.items(), true);
            let folds = units.folds(5, &mut Seed(1).rng("test", &[]));
            for fold in 0..5 {
                let chosen: Vec<usize> = (0..folds.len()).filter(|&u| folds[u] == fold).collect();
                for class in 0..3 {
                    let rows = units.rows(&chosen);
                    let count =
                        rows.iter().filter(|&&row| owned.targets.classes()[row] == class).count();
                    assert_eq!(count, n, "{by:?} fold {fold} class {class}");
                }
            }
        }
    }

    #[test]
    fn tags_are_spread_over_the_sets_as_far_as_tracks_allow() {
        let mut owned = examples(1, 100, 2);
        // The first tag is on half of the tracks, the second on a tenth, the third on every third.
        let tags =
            |track: usize| [track.is_multiple_of(2), track % 10 == 3, track.is_multiple_of(3)];
        owned.targets = Targets::Tags((0..200).flat_map(|row| tags(row / 2)).collect());
        let rows: Vec<usize> = (0..200).collect();
        for seed in 1..6 {
            let units = By::Track.units(owned.items(), &rows).unwrap();
            let units = Units::new(units, owned.items(), true);
            let mut rng = Seed(seed).rng("test", &[]);
            let (stay, drawn) = units.draw(&By::Track, (0..100).collect(), 0.3, &mut rng);
            assert_eq!(stay.len() + drawn.len(), 100);
            let of_unit = |unit: usize| tags(units.units[unit][0] / 2);
            let n = |tag: usize| drawn.iter().filter(|unit| of_unit(**unit)[tag]).count();
            assert_eq!(drawn.len(), 30, "seed {seed}");
            assert_eq!([n(0), n(1), n(2)], [15, 3, 10], "seed {seed}");
            let folds = units.folds(5, &mut rng);
            for fold in 0..5 {
                let of = |tag: usize| {
                    (0..100).filter(|&unit| folds[unit] == fold && of_unit(unit)[tag]).count()
                };
                assert_eq!(of(1), 2, "seed {seed}, fold {fold}");
                assert!((9..=11).contains(&of(0)), "seed {seed}, fold {fold}: {}", of(0));
            }
        }
    }

    #[test]
    fn a_track_without_a_group_is_a_unit_of_its_own() {
        let mut owned = examples(2, 3, 2);
        // Tracks c0.0 and c1.0 have the same artist; the artist of c0.1 has the name of a track.
        let cells = [("c0.0", "A"), ("c1.0", "A"), ("c0.1", "c0.2"), ("elsewhere", "B")];
        owned.columns.add("artist", cells).unwrap();
        let by = By::Group("artist".to_owned());
        let rows: Vec<usize> = (0..12).collect();
        let units = by.units(owned.items(), &rows).unwrap();
        assert_eq!(
            units,
            [[4, 5].to_vec(), vec![8, 9], vec![10, 11], vec![0, 1, 6, 7], vec![2, 3]]
        );
        assert_eq!(
            by.notes(owned.items()).unwrap(),
            ["3 tracks in 2 groups (artist)", "3 tracks without artist are one group each"]
        );
        let error = By::Group("artis".to_owned()).units(owned.items(), &rows).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the dataset has no column `artis` among its track columns; did you mean `artist`?"
        );
    }
}
