//! Data-quality settings of a table: the delimiter, the cells that mean a missing number, and the
//! treatment of unparseable cells and repeated rows.

use crate::schema::{Fields, Keyed, List, Node, OneOf, Real, Rule, Text, Value};
use crate::table::{Notation, NumberColumn, OddCells};

/// The treatment of repeated rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// All rows are kept; repeated ones are counted.
    Keep,
    /// Of rows that are equal in every used column, the first is kept.
    DropExact,
    /// Of rows with the same id, the first is kept.
    DropId,
}

/// The data-quality settings of a manifest. An empty cell is always missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaning {
    /// The delimiter of cells.
    pub delimiter: char,
    /// The cells that mean a missing number.
    pub missing: Missing,
    /// Minimum and maximum by our column names; numbers outside count as unparseable.
    pub range: Vec<(String, Vec<f64>)>,
    /// The treatment of cells that are neither numbers nor declared as missing.
    pub odd_cells: OddCells,
    /// The treatment of repeated rows.
    pub duplicates: Duplicates,
}

/// The cells that mean a missing number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The same texts in every numeric column.
    Anywhere(Vec<String>),
    /// Texts by our column names.
    In(Vec<(String, Vec<String>)>),
}

impl Default for Cleaning {
    fn default() -> Self {
        Self {
            delimiter: ',',
            missing: Missing::Anywhere(vec![]),
            range: vec![],
            odd_cells: OddCells::Error,
            duplicates: Duplicates::Keep,
        }
    }
}

impl Cleaning {
    /// Reads the fields beside `columns`, whose names it checks its own against, if they are known yet.
    pub(super) fn read(
        fields: &mut Fields,
        columns: Option<&[(String, String)]>,
        has_id: bool,
    ) -> Self {
        let delimiters = [(",", ','), (";", ';'), ("\t", '\t'), ("|", '|')];
        let odd_cells = [("error", OddCells::Error), ("missing", OddCells::Missing)];
        let duplicates = [
            ("keep", Duplicates::Keep),
            ("drop_exact", Duplicates::DropExact),
            ("drop_id", Duplicates::DropId),
        ];
        let cleaning = Self {
            delimiter: fields.with_default("delimiter", &OneOf(&delimiters), ','),
            missing: fields.with_default("missing", &Markers, Missing::Anywhere(vec![])),
            range: fields.with_default("range", &Keyed(List::of_exactly(2, any_number())), vec![]),
            odd_cells: fields.with_default("odd_cells", &OneOf(&odd_cells), OddCells::Error),
            duplicates: fields.with_default("duplicates", &OneOf(&duplicates), Duplicates::Keep),
        };
        for (key, name) in cleaning.names() {
            if columns.is_some_and(|columns| columns.iter().all(|(ours, _)| ours != name)) {
                fields.fault_at(key, &format!("contains `{name}`, which is not in columns"));
            }
        }
        if let Some((name, bounds)) = cleaning.range.iter().find(|(_, b)| b[0] > b[1]) {
            let said = format!("must be [low, high], found {bounds:?} at `{name}`");
            fields.fault_at("range", &said);
        }
        if cleaning.duplicates == Duplicates::DropId && !has_id {
            fields.fault_at("duplicates", "cannot be \"drop_id\" without id");
        }
        cleaning
    }

    /// The columns that it names, each with the key that does.
    pub(super) fn names(&self) -> Vec<(&'static str, &str)> {
        let of_missing = match &self.missing {
            Missing::Anywhere(_) => vec![],
            Missing::In(columns) => columns.iter().map(|(name, _)| name.as_str()).collect(),
        };
        let of_range = self.range.iter().map(|(name, _)| ("range", name.as_str()));
        of_missing.into_iter().map(|name| ("missing", name)).chain(of_range).collect()
    }

    /// How a column of numbers is read; our name of it, the file's, and how its cells are written.
    pub(super) fn column(&self, ours: &str, theirs: &str, notation: Notation) -> NumberColumn {
        let missing = match &self.missing {
            Missing::Anywhere(markers) => markers.clone(),
            Missing::In(columns) => {
                let found = columns.iter().find(|(name, _)| name == ours);
                found.map_or(vec![], |(_, markers)| markers.clone())
            }
        };
        let range = self.range.iter().find(|(name, _)| name == ours);
        let range = range.map(|(_, bounds)| [bounds[0], bounds[1]]);
        NumberColumn { name: theirs.to_owned(), key: ours.to_owned(), missing, range, notation }
    }
}

fn any_number() -> Real {
    Real::between(f64::NEG_INFINITY, f64::INFINITY)
}

/// `["?", "-1"]` for every column, or `{ tempo = ["?", "0"] }`.
struct Markers;

impl Rule for Markers {
    type Made = Missing;

    fn allowed(&self) -> String {
        "a list of texts, or a table of such lists by column".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Missing, Option<String>> {
        match node.value {
            Value::List(_) => List::of(Text).check(node).map(Missing::Anywhere),
            Value::Table(_) => Keyed(List::of_some(Text)).check(node).map(Missing::In),
            _ => Err(None),
        }
    }

    fn keep(&self, made: &Missing) -> serde_json::Value {
        match made {
            Missing::Anywhere(markers) => List::of(Text).keep(markers),
            Missing::In(columns) => Keyed(List::of_some(Text)).keep(columns),
        }
    }

    fn stand_in(&self) -> Missing {
        Missing::Anywhere(vec![])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn cleaning(text: &str, has_id: bool) -> Result<Cleaning, String> {
        let columns = [("tempo".to_owned(), "T".to_owned()), ("key".to_owned(), "K".to_owned())];
        let tree = Tree::parse("x.toml", text).unwrap();
        let read = read(&tree, |fields| Cleaning::read(fields, Some(&columns), has_id));
        read.map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn markers_are_for_all_columns_or_for_some() {
        let column = |cleaning: &Cleaning, ours: &str, theirs: &str| {
            cleaning.column(ours, theirs, Notation::default())
        };
        let all = cleaning("missing = [\"?\"]\n", true).unwrap();
        assert_eq!(column(&all, "key", "K").missing, ["?"]);
        let some = "missing = { tempo = [\"?\", \"0\"] }\nrange = { key = [0, 11] }\n";
        let some = cleaning(some, true).unwrap();
        assert_eq!(column(&some, "tempo", "T").missing, ["?", "0"]);
        assert_eq!(column(&some, "key", "K").missing, [""; 0]);
        assert_eq!(column(&some, "key", "K").range, Some([0.0, 11.0]));
        assert_eq!(cleaning("", false).unwrap(), Cleaning::default());
    }

    #[test]
    fn faults_name_columns_ranges_and_what_makes_no_sense() {
        let text = "missing = { temp = [\"?\"] }\nrange = { key = [11, 0], x = [0, 1] }\n\
                    duplicates = \"drop_id\"\ndelimiter = \"x\"\n";
        assert_eq!(
            cleaning(text, false).unwrap_err(),
            "x.toml:1: missing contains `temp`, which is not in columns\n\
             x.toml:2: range contains `x`, which is not in columns\n\
             x.toml:2: range must be [low, high], found [11.0, 0.0] at `key`\n\
             x.toml:3: duplicates cannot be \"drop_id\" without id\n\
             x.toml:4: delimiter must be `,`, `;`, `\t` or `|`, found the text \"x\""
        );
        assert!(
            cleaning("missing = 3\n", true).unwrap_err().contains("a list of texts, or a table")
        );
    }
}
