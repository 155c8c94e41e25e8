//! One line per epoch of the runs that the page counts, numbers unrounded: `epochs.csv` and `epochs.parquet`.

use super::group::Row;
use crate::record::{Epoch, StoreError};
use crate::table::Values;

/// A column of numbers: its name, and what an epoch has in it.
type NumberColumn = (&'static str, fn(&Epoch) -> f64);

const NUMBERS: [NumberColumn; 6] = [
    ("train_loss", |epoch| epoch.train_loss),
    ("train_accuracy", |epoch| epoch.train_accuracy),
    ("valid_loss", |epoch| epoch.valid_loss),
    ("valid_accuracy", |epoch| epoch.valid_accuracy),
    ("learning_rate", |epoch| epoch.learning_rate),
    ("seconds", |epoch| epoch.seconds),
];

/// The columns of both files: runs in the order of the page, their epochs in turn. A validation loss or
/// accuracy is missing where a run has no validation set; models that are fitted in one go have no epochs.
///
/// # Errors
/// Where the epochs of a run can't be read.
pub(super) fn columns(rows: &[Row]) -> Result<Vec<(&'static str, Values)>, StoreError> {
    let mut texts: [Vec<(String, usize)>; 3] = Default::default();
    let (mut seeds, mut epoch) = (vec![], vec![]);
    let mut numbers: [Vec<f64>; 6] = Default::default();
    // The epochs of one run at a time are in memory as they were read: all together are many.
    for run in rows.iter().filter_map(Row::group).flat_map(|group| &group.runs) {
        let of_run = run.epochs()?;
        let (record, n) = (&run.record, of_run.len());
        for (texts, text) in
            texts.iter_mut().zip([&record.experiment, &record.data.dataset, &run.id])
        {
            texts.push((text.clone(), n));
        }
        seeds.extend(std::iter::repeat_n(Some(record.seed), n));
        epoch.extend(of_run.iter().map(|epoch| Some(epoch.epoch as u64)));
        for (numbers, (_, of)) in numbers.iter_mut().zip(NUMBERS) {
            numbers.extend(of_run.iter().map(of));
        }
    }
    let [experiment, dataset, run] = texts.map(Values::Repeated);
    let mut columns = vec![
        ("experiment", experiment),
        ("dataset", dataset),
        ("seed", Values::Counts(seeds)),
        ("epoch", Values::Counts(epoch)),
    ];
    let numbers = NUMBERS.iter().zip(numbers);
    columns.extend(numbers.map(|((name, _), numbers)| (*name, Values::Numbers(numbers))));
    columns.push(("run", run));
    Ok(columns)
}
