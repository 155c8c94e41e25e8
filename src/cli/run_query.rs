//! `runs`: the runs that match a condition, as a table, CSV or JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::runs_arguments::Runs;
use super::{Done, Failure, Project, json, say_skipped};
use crate::delimited;
use crate::metrics::Metric;
use crate::record::{Depth, Notes, RunFields, Shared, Store};
use crate::report::{
    ReportError, RunTable, Selection, needs_predictions, run_fields, unfinished_fields,
};
use crate::vocab::{Task, without_controls};

/// The columns that are shown if none are asked for, with the main metrics of the tasks of these runs.
fn default_columns(runs: &[&RunFields]) -> Vec<&'static str> {
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

/// Lists runs.
pub(super) fn list(project: &Project, arguments: &Runs) -> Done {
    let Runs { condition, sort, columns, csv, archived, .. } = arguments;
    if *csv && json::is_on() {
        return Err(Failure::Usage("--csv and --json exclude each other".to_owned()));
    }
    let selection = Selection { condition: condition.as_deref(), sort };
    let mut mentioned = RunTable::mentioned(&selection).map_err(Failure::Usage)?;
    // Whoever asks about archived runs means them.
    let shows_archived = *archived || mentioned.iter().any(|field| field == "archived");
    mentioned.extend(columns.iter().cloned());
    let depth = if mentioned.iter().any(|field| needs_predictions(field)) {
        Depth::Predictions
    } else {
        Depth::Records
    };
    let mut table = table(&project.store(), depth)?;
    let n_all = table.runs.len();
    if !shows_archived {
        table.runs.retain(|run| run.get("archived") != Some(&Value::Bool(true)));
    }
    let n_archived = n_all - table.runs.len();
    let rows = table.select(&selection).map_err(Failure::Usage)?;
    let all = table.fields();
    let mut shown: Vec<&str> = vec![];
    for column in columns {
        match column.as_str() {
            "all" => shown.extend(&all),
            name => {
                table.check(name, "--columns").map_err(Failure::Usage)?;
                shown.push(name);
            }
        }
    }
    let runs: Vec<&RunFields> = rows.iter().map(|row| &table.runs[*row]).collect();
    if shown.is_empty() {
        shown = default_columns(&runs);
    }
    let mut seen = BTreeSet::new();
    shown.retain(|name| seen.insert(*name));
    json::put("columns", &shown);
    json::put("n_archived_hidden", n_archived);
    json::put("runs", runs.iter().map(|run| object(run, &shown)).collect::<Vec<_>>());
    if *csv {
        print!("{}", csv_text(&runs, &shown));
        return Ok(());
    }
    print!("{}", text(&runs, &shown));
    if n_archived > 0 {
        let runs = if n_archived == 1 { "run is" } else { "runs are" };
        println!("{n_archived} archived {runs} not shown; see --archived");
    }
    Ok(())
}

/// All runs of a store, archived and unfinished ones too, with their tags and notes. Damaged runs are named
/// and left out.
pub(super) fn table(store: &Store, depth: Depth) -> Result<RunTable, Failure> {
    let version = env!("ENCORE_SOURCE");
    let gathered = store
        .with_archived()
        .gather(version, depth, |run| run_fields(run, depth).map_err(Fault))
        .map_err(Failure::from)?;
    let (mut runs, damaged) = gathered;
    damaged.iter().for_each(|Fault(error)| say_skipped(error));
    for run in &mut runs {
        let notes = store.notes(&run.id).unwrap_or_else(|error| {
            say_skipped(error);
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
    for run in store.unfinished()? {
        let own = unfinished_fields(&run);
        runs.push(RunFields { id: run.id, own, shared: Shared::default() });
    }
    Ok(RunTable { runs })
}

struct Fault(ReportError);

impl From<crate::record::StoreError> for Fault {
    fn from(error: crate::record::StoreError) -> Self {
        Self(error.into())
    }
}

/// The values of some fields; null where there is none.
fn object(run: &RunFields, fields: &[&str]) -> Map<String, Value> {
    let value = |name: &str| run.get(name).cloned().unwrap_or(Value::Null);
    fields.iter().map(|name| ((*name).to_owned(), value(name))).collect()
}

fn csv_text(runs: &[&RunFields], fields: &[&str]) -> String {
    let mut rows = delimited::Writer::default();
    rows.row(fields.iter().map(|name| (*name).to_owned()));
    for run in runs {
        rows.row(fields.iter().map(|name| run.get(name).map_or(String::new(), exact)));
    }
    rows.text()
}

fn text(runs: &[&RunFields], fields: &[&str]) -> String {
    if runs.is_empty() {
        return "no runs\n".to_owned();
    }
    let mut rows = vec![fields.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()];
    for run in runs {
        let cell = |name: &&str| match run.get(name).map(short) {
            Some(text) if !text.is_empty() => without_controls(&text, "").into_owned(),
            _ => "-".to_owned(),
        };
        rows.push(fields.iter().map(cell).collect());
    }
    let is_number = |name: &&str| {
        let mut values = runs.iter().filter_map(|run| run.get(name)).peekable();
        values.peek().is_some() && values.all(Value::is_number)
    };
    let columns: Vec<(usize, bool)> = fields
        .iter()
        .enumerate()
        .map(|(i, name)| {
            let width = rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0);
            (width, is_number(name))
        })
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&columns).map(|(cell, (width, is_right))| {
            if *is_right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        });
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A value with all its digits; items of lists are divided by `;`.
pub(super) fn exact(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(exact).collect::<Vec<_>>().join(";"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// A value for people: numbers with four significant digits.
fn short(value: &Value) -> String {
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
