//! What a spec's split asks of its dataset and of its seeds.

use crate::dataset::{Manifest, no_column};
use crate::schema::{Fields, Int, List, Node, Rule, Text, Value};
use crate::split::Protocol;
use crate::vocab::seed_range;

/// Reads `[split]` and `seeds`, which are the folds where there are some. Columns that the dataset that
/// the spec asks for does not have are faults.
pub(super) fn read(fields: &mut Fields, asked: &Manifest) -> (Option<Protocol>, Vec<u64>) {
    let split = Protocol::read(fields);
    for (field, column) in split.iter().flat_map(Protocol::columns) {
        // An empty name is a fault already.
        if !column.is_empty() && !asked.track_columns().any(|known| known == column) {
            let said = no_column(column, asked.track_columns());
            let name = &asked.name;
            fields
                .fault_at("split", &format!("names a column ({field}), but dataset {name} {said}"));
        }
    }
    let rule = Seeds::some();
    let seeds = match split.as_ref().and_then(Protocol::n_folds) {
        None => fields.required("seeds", &rule),
        // Folds have no seeds, and any other split needs some.
        Some(_) if fields.is_exploring() => fields.optional("seeds", &rule).unwrap_or_default(),
        Some(n_folds) => {
            if fields.is_given("seeds") {
                let said = "cannot be used with split.k_fold: every fold is a seed";
                fields.fault_at("seeds", said);
            }
            fields.with_default("seeds", &rule, (1..=n_folds as u64).collect())
        }
    };
    (split, seeds)
}

/// Why the dataset that is used can't be split, although the spec's dataset can: a stand-in, or a dataset from
/// the command line, may lack a column.
pub(super) fn unfit(split: &Protocol, used: &Manifest, asked: &str) -> Option<String> {
    let has = |column: &str| used.track_columns().any(|known| known == column);
    let (_, column) = split.columns().into_iter().find(|(_, column)| !has(column))?;
    let used = &used.name;
    Some(format!(
        "the split needs the column `{column}` of {asked}, but {used} has no such column\n\
         hint: encore data import {asked} PATH, then run it on {asked}"
    ))
}

/// A list of seeds, or a range of them.
pub(super) struct Seeds(List<Int>);

impl Seeds {
    /// At least one seed.
    pub(super) fn some() -> Self {
        Self(List::of_some(Int::within(0..=i64::MAX)))
    }
}

impl Rule for Seeds {
    type Made = Vec<u64>;

    fn allowed(&self) -> String {
        format!("{}, or a range like \"1..5\"", self.0.allowed())
    }

    fn check(&self, node: &Node) -> Result<Self::Made, Option<String>> {
        match &node.value {
            Value::Text(text) => seed_range(text).map_err(|said| Some(format!("is wrong: {said}"))),
            _ => Ok(self.0.check(node)?.into_iter().map(|seed| seed as u64).collect()),
        }
    }

    fn keep(&self, made: &Self::Made) -> serde_json::Value {
        made.clone().into()
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "anyOf": [self.0.schema(), Text.schema()] })
    }

    fn stand_in(&self) -> Self::Made {
        vec![0]
    }
}
