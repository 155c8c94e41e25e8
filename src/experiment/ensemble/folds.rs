//! The fit of a stack, with validation scores of examples that it was not fitted on.

use std::collections::BTreeMap;

use super::super::error::RunError;
use super::super::fold::Fold;
use crate::model::OpinionPool;
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
) -> Result<(OpinionPool, Vec<String>, Option<Vec<f32>>), RunError> {
    let outputs = fold.outputs();
    let rows = &fold.audited.split.valid;
    let targets = fold.inputs.examples.targets.of_rows(rows, outputs.n);
    let all: Vec<usize> = (0..rows.len()).collect();
    let pool = OpinionPool::fit(c, members, &targets, &all, outputs)?;
    let weights: Vec<String> = pool.weights().iter().map(|weight| format!("{weight:.2}")).collect();
    let (units, named) = units(fold);
    let folds = folds_of(&units, &targets, fold.seed);
    let mut notes = vec![
        format!("the weights of the members are {}", weights.join(", ")),
        format!("the stack is fitted on {} validation examples", rows.len()),
    ];
    if folds.len() < 2 {
        notes[1] += ", all of one track or group, so that it has no validation scores";
        return Ok((pool, notes, None));
    }
    notes[1] += &format!(
        "; its validation scores are of {} folds of them by {named}, each predicted by a stack of the others",
        folds.len()
    );
    let mut said = vec![f32::NAN; rows.len() * outputs.n];
    for held_out in &folds {
        let is_left = |place: &usize| held_out.binary_search(place).is_err();
        let train: Vec<usize> = all.iter().copied().filter(is_left).collect();
        let told = OpinionPool::fit(c, members, &targets, &train, outputs)?.predict(members);
        for place in held_out {
            let row = place * outputs.n..(place + 1) * outputs.n;
            said[row.clone()].copy_from_slice(&told[row]);
        }
    }
    Ok((pool, notes, Some(said)))
}

/// The group or track of every validation example: examples of one stay in one fold. With them what it is.
fn units<'a>(fold: &'a Fold) -> (Vec<&'a str>, &'a str) {
    let inputs = fold.inputs;
    let column = fold.plan.spec.split.group(&inputs.track_columns);
    let groups = column.and_then(|column| inputs.track_columns.column(column).ok());
    let repeated = inputs.track_columns.repeated_ids();
    let unit = |&row: &usize| -> &'a str {
        let track = &inputs.examples.ids[row].track;
        let group = groups.and_then(|groups| groups.get(track));
        group.or_else(|| repeated.get(track)).unwrap_or(track)
    };
    let named = column.filter(|_| groups.is_some()).unwrap_or("track");
    (fold.audited.split.valid.iter().map(unit).collect(), named)
}

/// Places of examples by fold, ascending. Every class is spread evenly over the folds.
fn folds_of(units: &[&str], targets: &Targets, seed: u64) -> Vec<Vec<usize>> {
    let mut by_unit: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, unit) in units.iter().enumerate() {
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
        let folds = folds_of(&units, &targets, 1);
        let mut seen: Vec<usize> = folds.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..n).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.iter().filter(|place| **place < 50).count(), 10);
            assert!(fold.chunks(2).all(|pair| pair[0] / 2 == pair[1] / 2), "{fold:?}");
        }
        assert_eq!(folds_of(&units, &targets, 1), folds);
        assert_ne!(folds_of(&units, &targets, 2), folds);
        assert_eq!(folds_of(&units[..6], &targets, 1).len(), 3);
    }
}
