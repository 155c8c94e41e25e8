//! One line per epoch of the runs that the page counts, numbers unrounded: `epochs.csv` and `epochs.parquet`.

use super::group::Row;
use crate::record::{Epoch, Run, StoreError};
use crate::table::Values;

/// The columns of both files: runs in the order of the page, their epochs in turn. A validation loss or
/// accuracy is missing where a run has no validation set; models that are fitted in one go have no epochs.
///
/// # Errors
/// Where the epochs of a run can't be read.
pub(super) fn columns(rows: &[Row]) -> Result<Vec<(&'static str, Values)>, StoreError> {
    let mut all: Vec<(&Run, Epoch)> = vec![];
    for run in rows.iter().filter_map(Row::group).flat_map(|group| &group.runs) {
        all.extend(run.epochs()?.into_iter().map(|epoch| (*run, epoch)));
    }
    let texts = |of: fn(&Run) -> &str| {
        Values::Texts(all.iter().map(|(run, _)| of(run).to_owned()).collect())
    };
    let numbers =
        |of: fn(&Epoch) -> f64| Values::Numbers(all.iter().map(|(_, epoch)| of(epoch)).collect());
    let epoch = all.iter().map(|(_, epoch)| Some(epoch.epoch as u64)).collect();
    Ok(vec![
        ("experiment", texts(|run| &run.record.experiment)),
        ("dataset", texts(|run| &run.record.data.dataset)),
        ("seed", Values::Counts(all.iter().map(|(run, _)| Some(run.record.seed)).collect())),
        ("epoch", Values::Counts(epoch)),
        ("train_loss", numbers(|epoch| epoch.train_loss)),
        ("train_accuracy", numbers(|epoch| epoch.train_accuracy)),
        ("valid_loss", numbers(|epoch| epoch.valid_loss)),
        ("valid_accuracy", numbers(|epoch| epoch.valid_accuracy)),
        ("learning_rate", numbers(|epoch| epoch.learning_rate)),
        ("seconds", numbers(|epoch| epoch.seconds)),
        ("run", texts(|run| &run.id)),
    ])
}
