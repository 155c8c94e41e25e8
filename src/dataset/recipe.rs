//! What the manifest says of a table: its columns, and the recipe that makes its labels.

use std::collections::{BTreeMap, BTreeSet};

use super::Cleaning;
use crate::schema::{Fields, Flag, Int, List, Text};

/// What the manifest says of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The columns that together name a row; where there are none, its line in the file does.
    pub id: Vec<String>,
    /// Our names of the numeric columns, and the file's.
    pub columns: Vec<(String, String)>,
    /// Our names of columns of text that say more of a row, e.g. its artist, and the file's.
    pub track_columns: Vec<(String, String)>,
    /// How a row gets its class.
    pub label: Label,
    /// Rows that a whole copy leaves after the recipe.
    pub n_rows: usize,
    /// Its data-quality settings.
    pub cleaning: Cleaning,
}

/// How a row gets its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The column it is read from.
    pub column: String,
    /// Whether the cell is a list such as `['a', 'b']` whose first entry counts.
    pub first_of_list: bool,
    /// Labels whose rows are dropped.
    pub drop: Vec<String>,
    /// Labels with fewer rows are dropped.
    pub minimum_rows: Option<usize>,
    /// Number of most common labels to keep.
    pub commonest: Option<usize>,
}

impl Label {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            column: fields.required("column", &Text),
            first_of_list: fields.with_default("first_of_list", &Flag, false),
            drop: fields.with_default("drop", &List::of(Text), vec![]),
            minimum_rows: fields.optional("minimum_rows", &Int::within(1..=1_000_000)),
            commonest: fields.optional("commonest", &Int::within(2..=10_000)),
        }
    }

    pub(super) fn of<'a>(&self, cell: &'a str) -> &'a str {
        if self.first_of_list { first_of_list(cell).unwrap_or_default() } else { cell }
    }

    /// The labels that stay; ties in the count are broken by name.
    pub(super) fn kept<'a>(&self, cells: &'a [String]) -> BTreeSet<&'a str> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in cells.iter().map(|cell| self.of(cell)).filter(|label| !label.is_empty()) {
            *counts.entry(label).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.retain(|(label, _)| self.drop.iter().all(|dropped| dropped != label));
        counts.retain(|(_, n)| *n >= self.minimum_rows.unwrap_or(0));
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counts.truncate(self.commonest.unwrap_or(usize::MAX));
        counts.into_iter().map(|(label, _)| label).collect()
    }
}

/// The first entry of a list as Python prints it: `['a', "b's"]` -> `a`.
pub(super) fn first_of_list(cell: &str) -> Option<&str> {
    let inside = cell.trim().strip_prefix('[')?.trim_start();
    let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (entry, _) = inside[1..].split_once(quote)?;
    Some(entry)
}
