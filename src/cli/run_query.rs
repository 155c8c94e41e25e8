//! `runs`: the runs that match a condition, as a table, CSV or JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::runs_arguments::Runs;
use super::{Done, Failure, Project, json, say_skipped};
use crate::delimited;
use crate::record::{Depth, RunFields, Store};
use crate::report::{
    RunTable, Selection, all_runs, default_columns, exact, needs_predictions, short,
};
use crate::vocab::without_controls;

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

/// All runs of a store as [`all_runs`] finds them. Damaged runs are named and left out.
pub(super) fn table(store: &Store, depth: Depth) -> Result<RunTable, Failure> {
    let (table, damaged) = all_runs(store, depth)?;
    damaged.iter().for_each(say_skipped);
    Ok(table)
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
