//! All runs of a store with their fields, tags and notes, and how values of fields are shown.

use serde_json::Value;

use super::ReportError;
use super::run_fields::{run_fields, unfinished_fields};
use super::run_table::RunTable;
use crate::metrics::Metric;
use crate::record::{Depth, Notes, RunFields, Shared, Store, StoreError, Unfinished};
use crate::vocab::Task;

/// All runs of a store, archived and unfinished ones too, with their tags and notes. Damaged runs
/// are left out, and the second list says why.
///
/// # Errors
/// If the folder of runs or of unfinished runs can't be read.
pub fn all_runs(store: &Store, depth: Depth) -> Result<(RunTable, Vec<String>), StoreError> {
    let (mut runs, damaged) = finished_runs(store, depth)?;
    runs.extend(unfinished_runs(&store.unfinished()?));
    Ok((RunTable { runs }, damaged))
}

/// The finished runs of a store, archived ones too, with their tags and notes. Damaged runs
/// are left out, and the second list says why.
///
/// # Errors
/// If the folder of runs can't be read.
pub fn finished_runs(
    store: &Store,
    depth: Depth,
) -> Result<(Vec<RunFields>, Vec<String>), StoreError> {
    let version = env!("ENCORE_SOURCE");
    let gathered = store.with_archived().gather(version, depth, |run| run_fields(run, depth))?;
    let (mut runs, damaged): (Vec<RunFields>, Vec<ReportError>) = gathered;
    let mut skipped: Vec<String> = damaged.iter().map(ToString::to_string).collect();
    for run in &mut runs {
        let notes = store.notes(&run.id).unwrap_or_else(|error| {
            skipped.push(error.to_string());
            Notes::default()
        });
        run.own.insert("tags".to_owned(), notes.tags.into_iter().collect());
        if !notes.note.is_empty() {
            run.own.insert("note".to_owned(), notes.note.into());
        }
        if let Some(capsule) = store.capsule(&run.id) {
            run.own.insert("capsule".to_owned(), capsule.file.into());
        }
        run.own.insert("archived".to_owned(), store.is_archived(&run.id).into());
    }
    Ok((runs, skipped))
}

/// Unfinished runs with what is known of them.
#[must_use]
pub fn unfinished_runs(runs: &[Unfinished]) -> Vec<RunFields> {
    let fields = |run: &Unfinished| RunFields {
        id: run.id.clone(),
        own: unfinished_fields(run),
        shared: Shared::default(),
    };
    runs.iter().map(fields).collect()
}

/// The columns that are shown if none are asked for, with the main metrics of the tasks of these runs.
#[must_use]
pub fn default_columns(runs: &[&RunFields]) -> Vec<&'static str> {
    let has = |task: Task| {
        runs.iter().any(|run| run.get("task").and_then(Value::as_str) == Some(task.as_str()))
    };
    let mut tasks: Vec<Task> = Task::ALL.into_iter().filter(|task| has(*task)).collect();
    if tasks.is_empty() {
        tasks.push(Task::Classes);
    }
    let mut columns = vec!["id", "state"];
    columns.extend(tasks.into_iter().map(|task| Metric::main(task).as_str()));
    columns.extend(["started", "seconds", "tags"]);
    columns
}

/// A value with all its digits; items of lists are divided by `;`.
#[must_use]
pub fn exact(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(exact).collect::<Vec<_>>().join(";"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A value for people: numbers with four significant digits.
#[must_use]
pub fn short(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => digits(number.as_f64().unwrap_or(f64::NAN)),
        Value::Array(items) => items.iter().map(short).collect::<Vec<_>>().join(", "),
        other => exact(other),
    }
}

fn digits(number: f64) -> String {
    let size = number.abs();
    if number == 0.0 || !(1e-4..1e9).contains(&size) {
        let text = format!("{number:.3e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let digits = digits.trim_end_matches('0').trim_end_matches('.');
        return if exponent == "0" { digits.to_owned() } else { format!("{digits}e{exponent}") };
    }
    let n_after = (3 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{number:.n_after$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_main_metrics_of_the_tasks_that_are_there_are_shown() {
        let run = |task: &str| RunFields {
            id: task.to_owned(),
            own: [("task".to_owned(), json!(task))].into(),
            shared: Shared::default(),
        };
        let (classes, tags, number) = (run("classes"), run("tags"), run("number"));
        let columns = |runs: &[&RunFields]| default_columns(runs).join(",");
        let plain = "id,state,accuracy,started,seconds,tags";
        assert_eq!((columns(&[]).as_str(), columns(&[&classes]).as_str()), (plain, plain));
        assert_eq!(columns(&[&number]), "id,state,r2,started,seconds,tags");
        let all = columns(&[&number, &classes, &tags, &tags]);
        assert_eq!(all, "id,state,accuracy,roc_auc,r2,started,seconds,tags");
    }

    #[test]
    fn numbers_have_four_digits_for_people_and_all_of_them_in_csv() {
        for (number, text) in [
            (0.794_166_666, "0.7942"),
            (1e-3, "0.001"),
            (1e-7, "1e-7"),
            (1.234_56e-5, "1.235e-5"),
            (104.837, "104.8"),
            (123_456.7, "123457"),
            (100.0, "100"),
            (0.0, "0"),
            (-0.5, "-0.5"),
            (1e12, "1e12"),
        ] {
            assert_eq!(digits(number), text);
        }
        let value = serde_json::json!([0.794_166_666_666_666_7, "a", 3, true]);
        assert_eq!(exact(&value), "0.7941666666666667;a;3;true");
        assert_eq!(short(&value), "0.7942, a, 3, true");
    }
}
