//! The header of a list: which cell of a row belongs to which column.

use std::collections::{BTreeMap, BTreeSet};

use crate::delimited::Record;
use crate::vocab::{nearest, quoted_list};

/// The columns of one list: their names, and cells with the same value in every row.
pub(super) struct Head<'a> {
    pub(super) columns: BTreeMap<String, usize>,
    pub(super) n_columns: usize,
    /// Names that occur twice.
    twice: BTreeSet<String>,
    set: &'a [(String, String)],
}

impl<'a> Head<'a> {
    /// Creates the names from the rows of a header, joined by points.
    pub(super) fn new(rows: &[Record], set: &'a [(String, String)]) -> Self {
        let n_columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
        let name = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.cells.get(column));
            cells.filter(|cell| !cell.is_empty()).cloned().collect::<Vec<_>>().join(".")
        };
        let (mut columns, mut twice) = (BTreeMap::new(), BTreeSet::new());
        for column in 0..n_columns {
            let name = name(column);
            if columns.insert(name.clone(), column).is_some() {
                twice.insert(name);
            }
        }
        Self { columns, n_columns, twice, set }
    }

    /// Checks that the list has a column exactly once.
    pub(super) fn check(&self, column: &str) -> Result<(), String> {
        let known = || self.set.iter().map(|(name, _)| name).chain(self.columns.keys());
        let known = || known().map(String::as_str);
        if self.twice.contains(column) {
            return Err(format!("has the column `{column}` twice"));
        }
        if known().any(|name| name == column) {
            return Ok(());
        }
        let hint = match nearest(column, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", quoted_list(known())),
        };
        Err(format!("has no column `{column}`; {hint}"))
    }

    /// Returns the cell of a row in a column.
    pub(super) fn cell<'b>(&'b self, record: &'b Record, column: &str) -> &'b str {
        let set = self.set.iter().find(|(name, _)| name == column).map(|(_, cell)| cell);
        let own = || self.columns.get(column).and_then(|&column| record.cells.get(column));
        set.or_else(own).map_or("", String::as_str)
    }
}
