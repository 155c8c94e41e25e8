//! `[split.k_fold]`: every example is scored once, by a model fitted on the other folds.
//!
//! A fold is a separate run whose seed is its number: seeds 1 to k are the folds of the first
//! repetition, k + 1 to 2 k those of the second, and so on. Every repetition draws new folds.

use std::collections::{BTreeMap, BTreeSet};

use super::by::Units;
use super::random::percent;
use super::{By, Items, Split, SplitError};
use crate::schema::{Fields, Flag, Int, Real, Text};
use crate::vocab::Seed;

/// A protocol with k folds, drawn or published.
#[derive(Debug, Clone, PartialEq)]
pub struct KFold {
    /// Number of folds.
    pub k: usize,
    /// Number of repetitions.
    pub repeats: usize,
    /// What stays together; with published folds, when the validation set is drawn.
    pub by: By,
    /// Whether every fold gets the same share of every class, as far as `by` allows.
    pub stratify: bool,
    /// Fraction of the other folds that is used for validation.
    pub valid: f64,
    /// The column with each track's published fold.
    pub column: Option<String>,
    /// The fold that every run tests, from 1, if a run's seed is that of its model alone.
    pub fold: Option<usize>,
}

impl KFold {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let k = fields.required("k", &Int::within(2..=1_000));
        Self {
            k,
            repeats: fields.with_default("repeats", &Int::within(1..=1_000), 1),
            by: By::read(fields),
            stratify: fields.required("stratify", &Flag),
            valid: fields.required("valid", &Real::from_to_below(0.0, 1.0)),
            column: fields.optional("column", &Text),
            fold: fields.optional("fold", &Int::within(1..=k.max(1) as i64)),
        }
    }

    pub(super) fn describe(&self) -> String {
        let Self { k, by, .. } = self;
        let k = self.fold.map_or(k.to_string(), |fold| format!("fold {fold} of {k}"));
        let by = by.describe();
        let stratified = if self.stratify { "stratified" } else { "not stratified" };
        let valid = if self.valid > 0.0 {
            format!("{} of the other folds valid", percent(self.valid))
        } else {
            "no validation set".to_owned()
        };
        match &self.column {
            None => format!("{k} folds by {by}, {stratified}, {valid}"),
            Some(column) if self.valid > 0.0 => {
                format!("{k} published folds ({column}), {valid} by {by}, {stratified}")
            }
            Some(column) => format!("{k} published folds ({column}), {valid}"),
        }
    }

    pub(super) fn divide(&self, items: Items, seed: Seed) -> Result<Split, SplitError> {
        let seed = self.fold.map_or(seed, |fold| Seed(fold as u64));
        let number = seed.0.checked_sub(1).ok_or_else(|| {
            SplitError::List("seed 0 is not a fold; folds are numbered from 1".to_owned())
        })?;
        let (repeat, fold) = (number / self.k as u64, (number % self.k as u64) as usize);
        let mut notes = self.by.notes(items)?;
        let mut note = format!("fold {} of {}, repetition {}", fold + 1, self.k, repeat + 1);
        let fold_of = match &self.column {
            None => self.drawn(items, Seed(repeat))?,
            Some(column) => {
                let (names, folds) = self.published(items, column, &mut notes)?;
                note += &format!(" (`{}` in {column})", names[fold]);
                folds
            }
        };
        notes.insert(0, note);
        let all = || (0..items.ids.len()).filter(|&row| fold_of[row].is_some());
        let (test, rest): (Vec<usize>, Vec<usize>) =
            all().partition(|&row| fold_of[row] == Some(fold));
        let units = self.by.units(items, &rest)?;
        let units = Units::new(units, items, self.stratify);
        let numbers: Vec<usize> = (0..units.units.len()).collect();
        let mut rng = seed.rng("split", &[]);
        let (train, valid) = units.draw(&self.by, numbers, self.valid, &mut rng);
        Ok(Split { train: units.rows(&train), valid: units.rows(&valid), test, notes })
    }

    /// Draws the fold of every row, once for all folds of a repetition.
    fn drawn(&self, items: Items, repeat: Seed) -> Result<Vec<Option<usize>>, SplitError> {
        let rows: Vec<usize> = (0..items.ids.len()).collect();
        let units = self.by.units(items, &rows)?;
        let units = Units::new(units, items, self.stratify);
        let of_unit = units.folds(self.k, &mut repeat.rng("k_fold", &[]));
        let mut folds = vec![None; items.ids.len()];
        for (unit, fold) in units.units.iter().zip(of_unit) {
            unit.iter().for_each(|&row| folds[row] = Some(fold));
        }
        Ok(folds)
    }

    /// Returns the names of the published folds and the fold of every row.
    fn published(
        &self,
        items: Items,
        column: &str,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<String>, Vec<Option<usize>>), SplitError> {
        let cells = items.column(column)?;
        let of = |row: usize| cells.get(&items.ids[row].track).map(String::as_str);
        let rows = 0..items.ids.len();
        // Folds without a track in this copy count too: a part of a dataset is divided like all of
        // it.
        let names: BTreeSet<&str> = cells.values().map(String::as_str).collect();
        let (n, k) = (names.len(), self.k);
        if n != k {
            let names = crate::vocab::quoted_list(names.into_iter().take(10));
            let message = format!("split.k_fold.k is {k}, but {column} has {n} folds: {names}");
            return Err(SplitError::List(message));
        }
        let numbers: BTreeMap<&str, usize> = names.iter().copied().zip(0..).collect();
        let without: BTreeSet<&str> = rows
            .clone()
            .filter(|&row| of(row).is_none())
            .map(|row| items.ids[row].track.as_str())
            .collect();
        if !without.is_empty() {
            notes.push(format!(
                "{} tracks are in no fold of {column} and are not used",
                without.len()
            ));
        }
        let folds = rows.map(|row| of(row).map(|name| numbers[name])).collect();
        Ok((names.into_iter().map(str::to_owned).collect(), folds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::tests::{Owned, examples, n_leaking};

    fn k_fold(by: By, column: Option<&str>) -> KFold {
        let column = column.map(str::to_owned);
        KFold { k: 3, repeats: 2, by, stratify: true, valid: 0.25, column, fold: None }
    }

    fn owned() -> Owned {
        let mut owned = examples(2, 9, 2);
        let tracks: Vec<String> = owned.ids.iter().map(|id| id.track.clone()).collect();
        for track in tracks {
            let number = track.rsplit('.').next().unwrap();
            let artist = number.parse::<usize>().unwrap() / 2;
            let fold = ["x", "y", "z", ""][artist % 4];
            owned.columns.add("artist", [(track.as_str(), artist.to_string().as_str())]).unwrap();
            owned.columns.add("fold", [(track.as_str(), fold)]).unwrap();
        }
        owned
    }

    #[test]
    fn every_row_is_scored_once_a_repetition_and_never_fitted_on_then() {
        let owned = owned();
        for by in [By::Segment, By::Track, By::Group("artist".to_owned())] {
            let k_fold = k_fold(by.clone(), None);
            let split = |seed: u64| k_fold.divide(owned.items(), Seed(seed)).unwrap();
            for repeat in 0..2 {
                let splits: Vec<Split> = (1..=3).map(|fold| split(repeat * 3 + fold)).collect();
                let mut tested: Vec<usize> =
                    splits.iter().flat_map(|split| split.test.iter().copied()).collect();
                tested.sort_unstable();
                assert_eq!(tested, (0..36).collect::<Vec<_>>(), "{by:?}");
                for split in &splits {
                    let mut all = [&split.train[..], &split.valid, &split.test].concat();
                    all.sort_unstable();
                    assert_eq!(all, (0..36).collect::<Vec<_>>(), "{by:?}");
                    assert!(!split.valid.is_empty());
                    assert_eq!(n_leaking(split, owned.items()) > 0, by == By::Segment);
                }
            }
            let sets = |seed| split(seed).test.into_iter().collect::<BTreeSet<_>>();
            assert_ne!(sets(1), sets(4), "{by:?}: each repetition draws new folds");
            assert_eq!(split(5), split(5));
        }
        let note = &k_fold(By::Track, None).divide(owned.items(), Seed(5)).unwrap().notes[0];
        assert_eq!(note, "fold 2 of 3, repetition 2");
    }

    #[test]
    fn published_folds_are_taken_as_they_are() {
        let owned = owned();
        let k_fold = k_fold(By::Group("artist".to_owned()), Some("fold"));
        let split = k_fold.divide(owned.items(), Seed(2)).unwrap();
        let column = owned.columns.column("fold").unwrap();
        let fold = |&row: &usize| column[&owned.ids[row].track].as_str();
        assert!(split.test.iter().map(fold).all(|fold| fold == "y"));
        assert!(split.train.iter().chain(&split.valid).map(fold).all(|fold| fold != "y"));
        assert_eq!(split.train.len() + split.valid.len() + split.test.len(), 28);
        assert_eq!(
            split.notes,
            [
                "fold 2 of 3, repetition 1 (`y` in fold)",
                "18 tracks in 5 groups (artist)",
                "4 tracks are in no fold of fold and are not used"
            ]
        );
        let more = KFold { k: 4, ..k_fold };
        assert_eq!(
            more.divide(owned.items(), Seed(1)).unwrap_err().to_string(),
            "split.k_fold.k is 4, but fold has 3 folds: `x`, `y` or `z`"
        );
    }

    #[test]
    fn seed_0_is_no_fold() {
        let error = k_fold(By::Track, None).divide(owned().items(), Seed(0)).unwrap_err();
        assert_eq!(error.to_string(), "seed 0 is not a fold; folds are numbered from 1");
    }
}
