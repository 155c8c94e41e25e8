//! What a manifest says of a table's dirt: how cells are divided, which stand for a missing number, what
//! becomes of odd cells and of repeated rows.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::rows::Rows;
use crate::schema::{Fields, Keyed, List, Node, OneOf, Real, Rule, Text, Value};
use crate::table::{NumberColumn, OddCells, Table};

/// What becomes of repeated rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duplicates {
    /// All rows stay; repeated ones are counted.
    Keep,
    /// Of rows that are equal in every column used, the first stays.
    DropExact,
    /// Of rows with the same id, the first stays.
    DropId,
}

/// What a manifest says of dirt. An empty cell is always missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Cleaning {
    /// What divides cells.
    pub delimiter: char,
    /// Cells that stand for a missing number.
    pub missing: Missing,
    /// The least and largest number by our names of columns; others are odd.
    pub range: Vec<(String, Vec<f64>)>,
    /// What becomes of cells that are no numbers, nor declared as missing.
    pub odd_cells: OddCells,
    /// What becomes of repeated rows.
    pub duplicates: Duplicates,
}

/// Cells that stand for a missing number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// In every column of numbers.
    Anywhere(Vec<String>),
    /// By our names of columns.
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
    /// Reads the fields beside `columns`, whose names it checks its own against.
    pub(super) fn read(fields: &mut Fields, columns: &[(String, String)], has_id: bool) -> Self {
        let delimiters = [(",", ','), (";", ';'), ("\t", '\t'), ("|", '|')];
        let odd_cells = [("error", OddCells::Error), ("missing", OddCells::Missing)];
        let duplicates = [
            ("keep", Duplicates::Keep),
            ("drop_exact", Duplicates::DropExact),
            ("drop_id", Duplicates::DropId),
        ];
        let cleaning = Self {
            delimiter: fields.or("delimiter", &OneOf(&delimiters), ','),
            missing: fields.or("missing", &Markers, Missing::Anywhere(vec![])),
            range: fields.or("range", &Keyed(List::of_exactly(2, any_number())), vec![]),
            odd_cells: fields.or("odd_cells", &OneOf(&odd_cells), OddCells::Error),
            duplicates: fields.or("duplicates", &OneOf(&duplicates), Duplicates::Keep),
        };
        let known: Vec<&str> = columns.iter().map(|(ours, _)| ours.as_str()).collect();
        let of_missing = match &cleaning.missing {
            Missing::Anywhere(_) => vec![],
            Missing::In(columns) => columns.iter().map(|(name, _)| name).collect(),
        };
        let of_range = cleaning.range.iter().map(|(name, _)| name).collect();
        for (key, names) in [("missing", of_missing), ("range", of_range)] {
            for name in names {
                if !known.contains(&name.as_str()) {
                    let said = format!("names `{name}`, which is not among columns");
                    fields.fault_at(key, &said);
                }
            }
        }
        if let Some((name, bounds)) = cleaning.range.iter().find(|(_, b)| b[0] > b[1]) {
            let said = format!("must go from the least to the largest, got {bounds:?} at `{name}`");
            fields.fault_at("range", &said);
        }
        if cleaning.duplicates == Duplicates::DropId && !has_id {
            fields.fault_at("duplicates", "can't be \"drop_id\" where no id is given");
        }
        cleaning
    }

    /// How a column of numbers is read; our name of it, and the file's.
    pub(super) fn column(&self, ours: &str, theirs: &str) -> NumberColumn {
        let missing = match &self.missing {
            Missing::Anywhere(markers) => markers.clone(),
            Missing::In(columns) => {
                let found = columns.iter().find(|(name, _)| name == ours);
                found.map_or(vec![], |(_, markers)| markers.clone())
            }
        };
        let range = self.range.iter().find(|(name, _)| name == ours);
        let range = range.map(|(_, bounds)| [bounds[0], bounds[1]]);
        NumberColumn { name: theirs.to_owned(), key: ours.to_owned(), missing, range }
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

/// Rows, of some, that are equal to an earlier one of them in every column used.
pub(super) fn exact_duplicates(table: &Table, rows: &[usize]) -> BTreeSet<usize> {
    let texts: Vec<&Vec<String>> = table.texts.values().collect();
    let numbers: Vec<&Vec<f64>> = table.numbers.values().collect();
    let hash = |row: usize| {
        let mut hasher = DefaultHasher::new();
        texts.iter().for_each(|cells| cells[row].hash(&mut hasher));
        numbers.iter().for_each(|cells| cells[row].to_bits().hash(&mut hasher));
        hasher.finish()
    };
    let is_equal = |a: usize, b: usize| {
        texts.iter().all(|cells| cells[a] == cells[b])
            && numbers.iter().all(|cells| cells[a].to_bits() == cells[b].to_bits())
    };
    let mut hashed: Vec<(u64, usize)> = rows.iter().map(|&row| (hash(row), row)).collect();
    hashed.sort_unstable();
    let mut again = BTreeSet::new();
    for same in hashed.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
        let mut firsts: Vec<usize> = vec![];
        for &(_, row) in same {
            if firsts.iter().any(|&first| is_equal(first, row)) {
                again.insert(row);
            } else {
                firsts.push(row);
            }
        }
    }
    again
}

/// A name per row of some: the cells of the columns in `rows.id`, or the line where there are none.
pub(super) fn names(rows: &Rows, table: &Table, kept: &[usize]) -> Vec<String> {
    let name = |&row: &usize| match rows.id.as_slice() {
        [] => format!("line {}", table.lines[row]),
        [column] => table.texts[column][row].clone(),
        columns => {
            let parts = columns.iter().map(|column| table.texts[column][row].as_str());
            parts.collect::<Vec<_>>().join(" / ")
        }
    };
    kept.iter().map(name).collect()
}

/// Rows of one name, each time in the order of the file; names that occur once are passed over.
pub(super) fn repeated(names: &[String]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| names[a].cmp(&names[b]));
    let groups = order.chunk_by(|&a, &b| names[a] == names[b]);
    groups.filter(|group| group.len() > 1).map(<[usize]>::to_vec).collect()
}

/// Tells rows of one name apart by `#2`, `#3`, …, passing over names that are another row's already.
pub(super) fn told_apart(mut names: Vec<String>, groups: &[Vec<usize>]) -> Vec<String> {
    if groups.is_empty() {
        return names;
    }
    let taken: BTreeSet<String> =
        names.iter().filter(|name| name.contains(" #")).cloned().collect();
    for group in groups {
        let mut n = 1;
        for &row in &group[1..] {
            let name = loop {
                n += 1;
                let name = format!("{} #{n}", names[row]);
                if !taken.contains(&name) {
                    break name;
                }
            };
            names[row] = name;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn cleaning(text: &str, has_id: bool) -> Result<Cleaning, String> {
        let columns = [("tempo".to_owned(), "T".to_owned()), ("key".to_owned(), "K".to_owned())];
        let tree = Tree::parse("x.toml", text).unwrap();
        let read = read(&tree, |fields| Cleaning::read(fields, &columns, has_id));
        read.map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    #[test]
    fn markers_are_for_all_columns_or_for_some() {
        let all = cleaning("missing = [\"?\"]\n", true).unwrap();
        assert_eq!(all.column("key", "K").missing, ["?"]);
        let some = "missing = { tempo = [\"?\", \"0\"] }\nrange = { key = [0, 11] }\n";
        let some = cleaning(some, true).unwrap();
        assert_eq!(some.column("tempo", "T").missing, ["?", "0"]);
        assert_eq!(some.column("key", "K").missing, [""; 0]);
        assert_eq!(some.column("key", "K").range, Some([0.0, 11.0]));
        assert_eq!(cleaning("", false).unwrap(), Cleaning::default());
    }

    #[test]
    fn faults_name_columns_ranges_and_what_makes_no_sense() {
        let text = "missing = { temp = [\"?\"] }\nrange = { key = [11, 0], x = [0, 1] }\n\
                    duplicates = \"drop_id\"\ndelimiter = \"x\"\n";
        assert_eq!(
            cleaning(text, false).unwrap_err(),
            "x.toml:1: missing names `temp`, which is not among columns\n\
             x.toml:2: range names `x`, which is not among columns\n\
             x.toml:2: range must go from the least to the largest, got [11.0, 0.0] at `key`\n\
             x.toml:3: duplicates can't be \"drop_id\" where no id is given\n\
             x.toml:4: delimiter must be `,`, `;`, `\t` or `|`, got the text \"x\""
        );
        assert!(
            cleaning("missing = 3\n", true).unwrap_err().contains("a list of texts, or a table")
        );
    }

    #[test]
    fn rows_of_one_name_are_told_apart_and_no_name_is_taken_twice() {
        let names = ["x", "y", "x", "x #2", "x"].map(str::to_owned).to_vec();
        let groups = repeated(&names);
        assert_eq!(groups, [[0, 2, 4]]);
        assert_eq!(told_apart(names, &groups), ["x", "y", "x #3", "x #2", "x #4"]);
    }
}
