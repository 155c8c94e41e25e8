//! Runs, epochs and predictions as typed Parquet files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::{ExportError, io};
use super::facts::{CURVES, text};
use crate::disk;
use crate::record::{Depth, Predictions, Run, RunFields, Store};
use crate::report::finished_runs;
use crate::table::{Values, parquet_bytes};

/// Writes `runs.parquet`, `epochs.parquet` and `predictions.parquet` into a folder, which is created if needed. Returns
/// their paths.
///
/// A run is a row with every field that `encore runs` knows, by its dotted name: its spec, scores, hashes, times, tags. A
/// column is whole numbers, numbers, flags or texts; lists are JSON; what a run lacks is null. Predictions of classes and of
/// tags have a column `probability.NAME` for each class or tag.
///
/// # Errors
/// If a run can't be read or a file can't be written.
pub fn write_tables(
    store: &Store,
    runs: &[Run],
    folder: &Path,
) -> Result<Vec<PathBuf>, ExportError> {
    std::fs::create_dir_all(folder).map_err(io(folder))?;
    let ids: BTreeSet<&str> = runs.iter().map(|run| run.id.as_str()).collect();
    let (mut fields, _) = finished_runs(store, Depth::Records)?;
    fields.retain(|run| ids.contains(run.id.as_str()));
    let mut written = vec![];
    for (name, columns) in [
        ("runs", run_columns(&fields)),
        ("epochs", epoch_columns(runs)?),
        ("predictions", prediction_columns(runs)?),
    ] {
        let columns: Vec<(&str, Values)> =
            columns.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
        let path = folder.join(format!("{name}.parquet"));
        disk::write_changed(&path, &parquet_bytes(&columns)).map_err(io(&path))?;
        written.push(path);
    }
    Ok(written)
}

type Columns = Vec<(String, Values)>;

fn run_columns(runs: &[RunFields]) -> Columns {
    let names: BTreeSet<&str> = runs
        .iter()
        .flat_map(|run| run.own.keys().chain(run.shared.keys()))
        .map(String::as_str)
        .collect();
    // What a run is called stands first.
    let first = ["id", "experiment", "dataset", "seed", "state"];
    let others = names.iter().copied().filter(|name| !first.contains(name));
    let all = first.into_iter().filter(|name| names.contains(name)).chain(others);
    let column = |name: &str| {
        let cells: Vec<Option<&Value>> = runs.iter().map(|run| run.get(name)).collect();
        typed(&cells).map(|values| (name.to_owned(), values))
    };
    all.filter_map(column).collect()
}

/// A column of one type; `None` if every cell is empty.
fn typed(cells: &[Option<&Value>]) -> Option<Values> {
    let known = || cells.iter().flatten();
    known().next()?;
    Some(if known().all(|value| value.is_u64()) {
        Values::Counts(cells.iter().map(|cell| cell.and_then(Value::as_u64)).collect())
    } else if known().all(|value| value.is_number()) {
        let number = |cell: Option<&Value>| cell.and_then(Value::as_f64).unwrap_or(f64::NAN);
        Values::Numbers(cells.iter().copied().map(number).collect())
    } else if known().all(|value| value.is_boolean()) {
        Values::MaybeFlags(cells.iter().map(|cell| cell.and_then(Value::as_bool)).collect())
    } else {
        Values::MaybeTexts(cells.iter().map(|cell| cell.map(text)).collect())
    })
}

fn epoch_columns(runs: &[Run]) -> Result<Columns, ExportError> {
    let (mut ids, mut number) = (vec![], vec![]);
    let mut curves: Vec<Vec<f64>> = vec![vec![]; CURVES.len()];
    for run in runs {
        let epochs = run.epochs()?;
        ids.push((run.id.clone(), epochs.len()));
        number.extend(epochs.iter().map(|epoch| Some(epoch.epoch as u64)));
        for (curve, (_, of)) in curves.iter_mut().zip(CURVES) {
            curve.extend(epochs.iter().map(of));
        }
    }
    let mut columns = vec![
        ("run".to_owned(), Values::Repeated(ids)),
        ("epoch".to_owned(), Values::Counts(number)),
    ];
    let curves = CURVES.iter().zip(curves);
    columns.extend(curves.map(|((name, _), values)| ((*name).to_owned(), Values::Numbers(values))));
    Ok(columns)
}

/// The names of all classes or tags that runs of a kind have, in the order in which they come.
fn names(runs: &[(&Run, Predictions)]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    let mut seen = BTreeSet::new();
    let all = runs.iter().filter(|(_, it)| !matches!(it, Predictions::Number(_)));
    for name in all.flat_map(|(run, _)| &run.record.data.classes) {
        if seen.insert(name.clone()) {
            names.push(name.clone());
        }
    }
    names
}

fn prediction_columns(runs: &[Run]) -> Result<Columns, ExportError> {
    let mut all = vec![];
    for run in runs {
        all.push((run, run.predictions()?));
    }
    let names = names(&all);
    let place = |run: &Run| -> Vec<Option<usize>> {
        let of = |name: &String| run.record.data.classes.iter().position(|it| it == name);
        names.iter().map(of).collect()
    };
    let (mut ids, mut sets) = (vec![], vec![]);
    let (mut tracks, mut segments) = (vec![], vec![]);
    let (mut actual, mut predicted) = (vec![], vec![]);
    let (mut actual_number, mut predicted_number) = (vec![], vec![]);
    let mut probabilities: Vec<Vec<f64>> = vec![vec![]; names.len()];
    let mut actual_tags: Vec<Vec<Option<bool>>> = vec![vec![]; names.len()];
    for (run, predictions) in &all {
        let n = predictions.len();
        ids.push((run.id.clone(), n));
        sets.push((run.record.scored_set().as_str().to_owned(), n));
        for example in predictions.examples() {
            tracks.push(example.track.clone());
            segments.push(Some(u64::from(example.segment)));
        }
        let places = place(run);
        let class = |i: usize| run.record.data.classes.get(i).cloned();
        let mut put = |of: &dyn Fn(usize) -> (Option<bool>, f64)| {
            for (column, at) in places.iter().enumerate() {
                let (tag, probability) = at.map_or((None, f64::NAN), of);
                actual_tags[column].push(tag);
                probabilities[column].push(probability);
            }
        };
        let probability =
            |all: &[f32], i: usize| all.get(i).map_or(f64::NAN, |value| f64::from(*value));
        match predictions {
            Predictions::Classes(rows) => rows.iter().for_each(|row| {
                put(&|i| (None, probability(&row.probabilities, i)));
                actual.push(class(row.actual));
                predicted.push(class(row.predicted));
            }),
            Predictions::Tags(rows) => rows.iter().for_each(|row| {
                put(&|i| (row.actual.get(i).copied(), probability(&row.probabilities, i)));
            }),
            Predictions::Number(rows) => rows.iter().for_each(|row| {
                put(&|_| (None, f64::NAN));
                actual_number.push(f64::from(row.actual));
                predicted_number.push(f64::from(row.predicted));
            }),
        }
        // Every column has a cell for every row.
        let n_rows = tracks.len();
        actual.resize(n_rows, None);
        predicted.resize(n_rows, None);
        actual_number.resize(n_rows, f64::NAN);
        predicted_number.resize(n_rows, f64::NAN);
    }
    let has = |wanted: fn(&Predictions) -> bool| all.iter().any(|(_, it)| wanted(it));
    let mut columns: Columns = vec![
        ("run".to_owned(), Values::Repeated(ids)),
        ("set".to_owned(), Values::Repeated(sets)),
        ("track".to_owned(), Values::Texts(tracks)),
        ("segment".to_owned(), Values::Counts(segments)),
    ];
    if has(|it| matches!(it, Predictions::Classes(_))) {
        columns.push(("actual".to_owned(), Values::MaybeTexts(actual)));
        columns.push(("predicted".to_owned(), Values::MaybeTexts(predicted)));
    }
    if has(|it| matches!(it, Predictions::Number(_))) {
        columns.push(("actual_number".to_owned(), Values::Numbers(actual_number)));
        columns.push(("predicted_number".to_owned(), Values::Numbers(predicted_number)));
    }
    let has_tags = has(|it| matches!(it, Predictions::Tags(_)));
    for ((name, probabilities), tags) in names.iter().zip(probabilities).zip(actual_tags) {
        columns.push((format!("probability.{name}"), Values::Numbers(probabilities)));
        if has_tags {
            columns.push((format!("actual.{name}"), Values::MaybeFlags(tags)));
        }
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_column_has_one_type_and_nulls_where_a_run_lacks_it() {
        let of = |values: &[Value]| {
            let cells: Vec<Option<&Value>> =
                values.iter().map(|value| Some(value).filter(|it| !it.is_null())).collect();
            typed(&cells)
        };
        assert_eq!(of(&[json!(1), json!(null)]), Some(Values::Counts(vec![Some(1), None])));
        assert_eq!(of(&[json!(1), json!(0.5)]), Some(Values::Numbers(vec![1.0, 0.5])));
        assert_eq!(
            of(&[json!(null), json!(true)]),
            Some(Values::MaybeFlags(vec![None, Some(true)]))
        );
        let mixed = vec![Some("a".to_owned()), Some("[1,\"b\"]".to_owned()), None];
        assert_eq!(
            of(&[json!("a"), json!([1, "b"]), json!(null)]),
            Some(Values::MaybeTexts(mixed))
        );
        assert_eq!(of(&[json!(null)]), None);
    }
}
