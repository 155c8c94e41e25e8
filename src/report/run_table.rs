//! Fields of many runs -> the runs that match a condition, in order.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::run_fields::RUN_FIELDS;
use crate::record::{Fields, RunFields};
use crate::table::{Cell, FieldColumn, Query, sorted};
use crate::vocab::nearest;

/// Runs with all that is known of them, finished or not.
#[derive(Debug, Clone)]
pub struct RunTable {
    /// The runs.
    pub runs: Vec<RunFields>,
}

/// Which runs of a table are wanted, and in what order.
#[derive(Debug, Clone, Default)]
pub struct Selection<'a> {
    /// A condition, e.g. `accuracy > 0.8`.
    pub condition: Option<&'a str>,
    /// Fields to sort by, the most important first; those that begin with `-` descending.
    pub sort: &'a [String],
}

impl RunTable {
    /// The names of all fields that a run has, sorted.
    #[must_use]
    pub fn fields(&self) -> Vec<&str> {
        let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
        for run in &self.runs {
            names.extend(run.own.keys().map(String::as_str));
            // Most runs have the same shared fields.
            if seen.insert(std::ptr::from_ref::<Fields>(&run.shared)) {
                names.extend(run.shared.keys().map(String::as_str));
            }
        }
        names.into_iter().collect()
    }

    /// The fields that a condition and an order mention.
    ///
    /// # Errors
    /// If the condition can't be understood, with the place.
    pub fn mentioned(selection: &Selection) -> Result<Vec<String>, String> {
        let mut fields: Vec<String> =
            selection.sort.iter().map(|key| key.trim_start_matches('-').to_owned()).collect();
        if let Some(text) = selection.condition {
            let query = Query::parse(text).map_err(|error| in_where(&error.in_text(text)))?;
            fields.extend(query.fields().iter().map(|field| (*field).to_owned()));
        }
        Ok(fields)
    }

    /// The places of the runs that are wanted, in the order that is wanted.
    ///
    /// # Errors
    /// If the condition can't be understood or a field is unknown, with the place.
    pub fn select(&self, selection: &Selection) -> Result<Vec<usize>, String> {
        let mut rows: Vec<usize> = (0..self.runs.len()).collect();
        if let Some(text) = selection.condition {
            let said = |error: crate::table::QueryError| in_where(&error.in_text(text));
            let query = Query::parse(text).map_err(said)?;
            query.check(|name| self.has(name), |name| self.near(name)).map_err(said)?;
            let fields = query.fields();
            let columns: BTreeMap<String, FieldColumn> =
                fields.into_iter().map(|name| (name.to_owned(), self.column(name))).collect();
            rows = query.matching(&columns).map_err(said)?;
        }
        let mut keys = vec![];
        for key in selection.sort {
            let name = key.trim_start_matches('-');
            self.check(name, "--sort")?;
            keys.push((self.column(name), key.starts_with('-')));
        }
        Ok(sorted(&rows, &keys))
    }

    /// Refuses a field that no run has.
    ///
    /// # Errors
    /// If it is unknown, with the nearest one.
    pub fn check(&self, name: &str, option: &str) -> Result<(), String> {
        if self.has(name) {
            return Ok(());
        }
        let hint = self.near(name).map_or_else(
            || "; encore runs show RUN lists the fields".to_owned(),
            |near| format!("; did you mean `{near}`?"),
        );
        Err(format!("{option}: unknown field `{name}`{hint}"))
    }

    /// Whether a field is known. In a table without runs every field is.
    fn has(&self, name: &str) -> bool {
        self.runs.is_empty()
            || RUN_FIELDS.contains(&name)
            || self.runs.iter().any(|run| {
                let is_named = run.own.contains_key(name) || run.shared.contains_key(name);
                is_named || run.get(name).is_some()
            })
    }

    /// The field that was meant: one that ends with the name, else one that is spelled like it.
    fn near(&self, name: &str) -> Option<&str> {
        let fields = self.fields();
        let end = format!(".{name}");
        let ends = fields.iter().find(|field| field.ends_with(&end)).copied();
        ends.or_else(|| nearest(name, fields.iter().copied()))
    }

    fn column(&self, name: &str) -> FieldColumn {
        let cells: Vec<Option<Cell>> =
            self.runs.iter().map(|run| run.get(name).and_then(cell)).collect();
        FieldColumn::new(&cells)
    }
}

fn in_where(said: &str) -> String {
    format!("--where, {said}")
}

fn cell(value: &Value) -> Option<Cell> {
    match value {
        Value::Bool(flag) => Some(Cell::Flag(*flag)),
        Value::Number(number) => number.as_f64().map(Cell::Number),
        Value::String(text) => Some(Cell::Text(text.clone())),
        Value::Array(items) => Some(Cell::List(items.iter().filter_map(cell).collect())),
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table() -> RunTable {
        let fields = |value: Value| -> Fields {
            value.as_object().unwrap().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
        };
        let shared = crate::record::Shared::from(fields(json!({
            "training.optimizer.adam.learning_rate": 1e-4, "training.augment": ["time_reversal"],
            "model.cnn.kernel": [3, 5],
        })));
        let run = |id: &str, own: Value| RunFields {
            id: id.to_owned(),
            own: fields(own),
            shared: shared.clone(),
        };
        RunTable {
            runs: vec![
                run("a", json!({"id": "a", "accuracy": 0.5, "seed": 1, "tags": []})),
                run("b", json!({"id": "b", "accuracy": 0.7, "seed": 2, "tags": ["best"]})),
                run("c", json!({"id": "c", "accuracy": null, "seed": 3, "tags": []})),
            ],
        }
    }

    #[test]
    fn runs_are_selected_and_sorted_by_any_field() {
        let table = table();
        let found = |condition: &str, sort: &[&str]| -> Result<String, String> {
            let sort: Vec<String> = sort.iter().map(|key| (*key).to_owned()).collect();
            let selection = Selection { condition: Some(condition), sort: &sort };
            Ok(table.select(&selection)?.into_iter().map(|i| table.runs[i].id.clone()).collect())
        };
        assert_eq!(found("seed > 0", &["-accuracy"]).unwrap(), "bac");
        assert_eq!(found("training.optimizer.adam.learning_rate < 1e-3", &[]).unwrap(), "abc");
        assert_eq!(found("model.cnn.kernel[1] = 5 and tags contains \"best\"", &[]).unwrap(), "b");
        assert_eq!(found("accuracy is missing", &[]).unwrap(), "c");
        assert_eq!(found("note is missing", &[]).unwrap(), "abc");
        let said = found("learning_rate < 1", &[]).unwrap_err();
        let wanted = "--where, column 1: unknown field `learning_rate`; did you mean \
                      `training.optimizer.adam.learning_rate`?";
        assert!(said.starts_with(wanted), "{said}");
        let said = found("seed > 0", &["acuracy"]).unwrap_err();
        assert_eq!(said, "--sort: unknown field `acuracy`; did you mean `accuracy`?");
        let empty = RunTable { runs: vec![] };
        let selection = Selection { condition: Some("anything = 5"), sort: &[] };
        assert_eq!(empty.select(&selection), Ok(vec![]));
    }
}
