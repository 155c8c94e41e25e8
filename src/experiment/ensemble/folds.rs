//! The fit of a stack, with validation scores of examples that it was not fitted on.

use std::collections::BTreeMap;

use super::super::error::RunError;
use super::super::fold::Fold;
use super::combiner::Combiner;
use crate::model::Stack;
use crate::vocab::{Seed, Targets};

/// The most folds of the validation set.
const N_FOLDS: usize = 5;

/// Fits a stack on all validation examples. What it says of them is told in folds, each by a stack that was fitted
/// on the other folds: a stack's word on the examples that it was fitted on would be too good. With it come notes for the
/// reader.
#[expect(clippy::type_complexity, reason = "the three things that every combination has")]
pub(super) fn fit_stack(
    fold: &Fold,
    c: f64,
    members: &[Vec<f32>],
) -> Result<(Combiner, Vec<String>, Option<Vec<f32>>), RunError> {
    let outputs = fold.outputs();
    let rows = &fold.audited.split.valid;
    let targets = fold.inputs.examples.targets.of_rows(rows, outputs.n);
    let all: Vec<usize> = (0..rows.len()).collect();
    let new = || Stack::new(c, members.len(), outputs);
    let fitted = new().fit(members, &targets, &all)?;
    let folds = folds_of(&units(fold), rows.len(), &targets, fold.seed);
    let mut said = vec![f32::NAN; rows.len() * outputs.n];
    let mut notes = vec![format!("the stack is fitted on {} validation examples", rows.len())];
    let mut is_told = folds.len() > 1;
    for held_out in &folds {
        let train: Vec<usize> =
            all.iter().copied().filter(|place| held_out.binary_search(place).is_err()).collect();
        // Where too few examples are left to learn from, there is no honest word on them.
        let Ok(fitted) = new().fit(members, &targets, &train) else {
            is_told = false;
            break;
        };
        let told = new().predict(fitted.model.as_ref(), members, held_out)?;
        for (row, place) in told.chunks_exact(outputs.n).zip(held_out) {
            said[place * outputs.n..][..outputs.n].copy_from_slice(row);
        }
    }
    notes[0] += &if is_told {
        format!(
            "; its validation scores are of {} folds of them, each predicted by a stack of the others",
            folds.len()
        )
    } else {
        "; these are too few for validation scores in folds".to_owned()
    };
    Ok((Combiner::stack(new(), fitted, outputs), notes, is_told.then_some(said)))
}

/// The group or track of every validation example: examples of one stay in one fold.
fn units<'a>(fold: &'a Fold) -> Vec<&'a str> {
    let inputs = fold.inputs;
    let column = fold.plan.spec.split.group(&inputs.track_columns);
    let groups = column.and_then(|column| inputs.track_columns.column(column).ok());
    let repeated = inputs.track_columns.repeated_ids();
    let unit = |&row: &usize| -> &'a str {
        let track = &inputs.examples.ids[row].track;
        let group = groups.and_then(|groups| groups.get(track));
        group.or_else(|| repeated.get(track)).unwrap_or(track)
    };
    fold.audited.split.valid.iter().map(unit).collect()
}

/// Places of examples by fold, ascending. Every class is spread evenly over the folds.
fn folds_of(units: &[&str], n: usize, targets: &Targets, seed: u64) -> Vec<Vec<usize>> {
    let mut by_unit: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, unit) in units.iter().enumerate().take(n) {
        by_unit.entry(unit).or_default().push(place);
    }
    let mut drawn: Vec<Vec<usize>> = by_unit.into_values().collect();
    Seed(seed).rng("folds of a stack", &[]).shuffle(&mut drawn);
    if let Targets::Classes(classes) = targets {
        drawn.sort_by_key(|places| classes[places[0]]);
    }
    let mut folds = vec![vec![]; N_FOLDS.min(drawn.len())];
    for (number, places) in drawn.into_iter().enumerate() {
        folds[number % N_FOLDS].extend(places);
    }
    folds.iter_mut().for_each(|fold| fold.sort_unstable());
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_stays_together_and_classes_are_spread() {
        let n = 100;
        let names: Vec<String> = (0..n).map(|place| format!("artist {}", place / 2)).collect();
        let units: Vec<&str> = names.iter().map(String::as_str).collect();
        let targets = Targets::Classes((0..n).map(|place| place / 50).collect());
        let folds = folds_of(&units, n, &targets, 1);
        let mut seen: Vec<usize> = folds.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..n).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.iter().filter(|place| **place < 50).count(), 10);
            assert!(fold.chunks(2).all(|pair| pair[0] / 2 == pair[1] / 2), "{fold:?}");
        }
        assert_eq!(folds_of(&units, n, &targets, 1), folds);
        assert_ne!(folds_of(&units, n, &targets, 2), folds);
        assert_eq!(folds_of(&units[..6], 6, &targets, 1).len(), 3);
    }
}
