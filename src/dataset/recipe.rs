//! The manifest's settings for a table: its columns, and the recipe for its labels.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cleaning, Numerals};
use crate::schema::{Fields, Flag, Int, Keyed, List, Node, Rule, Text, Value};
use crate::table::Texts;

/// The manifest's settings for a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Files in a folder that are read as one table: names or patterns such as `*.csv`; of none, the table is
    /// one file.
    pub files: Vec<String>,
    /// A column that holds the name of a row's file, without its extension.
    pub file_column: Option<String>,
    /// The columns that together name a row; where there are none, its line in the file does.
    pub id: Vec<String>,
    /// The numeric columns: our names and the file's.
    pub columns: Vec<(String, String)>,
    /// Patterns that choose the numeric columns by the file's names, where `columns` is empty.
    pub patterns: Vec<String>,
    /// Our names of columns of text that say more of a row, e.g. its artist, and the file's.
    pub track_columns: Vec<(String, String)>,
    /// How a row gets its label; rows of a table without labels are all `unlabeled`.
    pub label: Option<Label>,
    /// Rows that a whole copy leaves after the recipe, where the manifest says so.
    pub n_rows: Option<usize>,
    /// Its data-quality settings.
    pub cleaning: Cleaning,
    /// How its numbers are written.
    pub numerals: Numerals,
}

/// How a row gets its class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Label {
    /// The column of the label.
    pub column: String,
    /// Whether the cell is a list whose first entry counts.
    pub first_of_list: Option<ListForm>,
    /// Other names for labels.
    pub rename: Vec<(String, String)>,
    /// Labels whose rows are dropped.
    pub drop: Vec<String>,
    /// Minimum number of rows of a label; rarer labels are dropped.
    pub minimum_rows: Option<usize>,
    /// Number of most common labels to keep.
    pub commonest: Option<usize>,
    /// Whether more than [`MAX_NUMBERS`] different numbers may be labels.
    pub many_numbers: bool,
}

/// What the label recipe decides about the rows of a table.
pub(super) struct Classes {
    /// Whether each row stays.
    pub keep: Vec<bool>,
    /// How many rows do not stay, by reason.
    pub dropped: BTreeMap<String, usize>,
    /// Notes on labels that are probably not meant.
    pub notes: Vec<String>,
}

impl Classes {
    /// Of a table without labels, every row stays.
    pub(super) fn all(n_rows: usize) -> Self {
        Self { keep: vec![true; n_rows], dropped: BTreeMap::new(), notes: vec![] }
    }
}

/// How the cells of a label's column are lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListForm {
    /// As Python prints a list of texts: `['a', 'b']`.
    Python,
    /// Entries with this character between them: `a,b`; or as Python prints a list.
    Separated(char),
}

/// Different numbers that a label's column may have without a confirmation.
pub const MAX_NUMBERS: usize = 50;

impl Label {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            column: fields.required("column", &Text),
            first_of_list: fields.with_default("first_of_list", &Form, None),
            rename: fields.with_default("rename", &Keyed(Text), vec![]),
            drop: fields.with_default("drop", &List::of(Text), vec![]),
            minimum_rows: fields.optional("minimum_rows", &Int::within(1..=1_000_000)),
            commonest: fields.optional("commonest", &Int::within(2..=10_000)),
            many_numbers: fields.with_default("many_numbers", &Flag, false),
        }
    }

    /// The settings that decide labels, for hashes: in the words that they had before there were more of them.
    pub(super) fn recipe(&self) -> String {
        let Self { column, first_of_list, rename, drop, minimum_rows, commonest, many_numbers: _ } =
            self;
        let is_list = first_of_list.is_some();
        let mut recipe = format!(
            "Label {{ column: {column:?}, first_of_list: {is_list:?}, drop: {drop:?}, \
             minimum_rows: {minimum_rows:?}, commonest: {commonest:?} }}"
        );
        if let Some(ListForm::Separated(separator)) = first_of_list {
            recipe += &format!(" separated by {separator:?}");
        }
        if !rename.is_empty() {
            recipe += &format!(" renamed {rename:?}");
        }
        recipe
    }

    pub(super) fn of<'a>(&'a self, cell: &'a str) -> &'a str {
        let label = match self.first_of_list {
            None => cell,
            Some(ListForm::Python) => first_of_list(cell).unwrap_or_default(),
            Some(ListForm::Separated(separator)) => {
                let entry = cell.split(separator).next().unwrap_or_default();
                let first = || unquoted(entry.trim());
                if cell.starts_with('[') {
                    first_of_list(cell).unwrap_or_default()
                } else {
                    first()
                }
            }
        };
        self.rename
            .iter()
            .find(|(theirs, _)| theirs == label)
            .map_or(label, |(_, ours)| ours.as_str())
    }

    /// Decides which rows have a label that stays.
    pub(super) fn classes(&self, cells: &Texts) -> Classes {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for cell in cells.iter() {
            *counts.entry(self.of(cell)).or_default() += 1;
        }
        let kept = self.kept(&counts);
        let keep = cells.iter().map(|cell| kept.contains_key(self.of(cell))).collect();
        let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
        for (label, n) in counts.iter().filter(|(label, _)| !kept.contains_key(**label)) {
            let reason = match *label {
                "" => "have no label",
                _ => "have a label that is excluded by the label recipe",
            };
            *dropped.entry(reason.to_owned()).or_default() += n;
        }
        Classes { keep, dropped, notes: doubtful_labels(&kept) }
    }

    /// The labels that stay, of all labels and how often they occur; ties are broken by name.
    fn kept<'a>(&self, counts: &BTreeMap<&'a str, usize>) -> BTreeMap<&'a str, usize> {
        let known = counts.iter().filter(|(label, _)| !label.is_empty());
        let mut counts: Vec<(&str, usize)> = known.map(|(label, n)| (*label, *n)).collect();
        counts.retain(|(label, _)| self.drop.iter().all(|dropped| dropped != label));
        counts.retain(|(_, n)| *n >= self.minimum_rows.unwrap_or(0));
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counts.truncate(self.commonest.unwrap_or(usize::MAX));
        counts.into_iter().collect()
    }
}

/// `true`, or the character between the entries.
struct Form;

impl Rule for Form {
    type Made = Option<ListForm>;

    fn allowed(&self) -> String {
        "true, false, `,`, `;` or `|`".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Option<ListForm>, Option<String>> {
        match &node.value {
            Value::Bool(is_list) => Ok(is_list.then_some(ListForm::Python)),
            Value::Text(text) => match text.as_str() {
                "," | ";" | "|" => Ok(text.chars().next().map(ListForm::Separated)),
                _ => Err(None),
            },
            _ => Err(None),
        }
    }

    fn keep(&self, made: &Option<ListForm>) -> serde_json::Value {
        match made {
            None => false.into(),
            Some(ListForm::Python) => true.into(),
            Some(ListForm::Separated(separator)) => separator.to_string().into(),
        }
    }

    fn stand_in(&self) -> Option<ListForm> {
        None
    }
}

/// Returns the first entry of a list in Python's notation: `['a', "b's"]` -> `a`.
pub(super) fn first_of_list(cell: &str) -> Option<&str> {
    let inside = cell.trim().strip_prefix('[')?.trim_start();
    let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (entry, _) = inside[1..].split_once(quote)?;
    Some(entry)
}

/// A text without a pair of quotes around it.
fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('\'').or_else(|| inside('"')).unwrap_or(text)
}

/// What is said of labels that are probably not meant: words for a missing value, and labels that differ in
/// case or spaces alone.
fn doubtful_labels(counts: &BTreeMap<&str, usize>) -> Vec<String> {
    let mut notes = vec![];
    let missing: Vec<&&str> =
        counts.keys().filter(|label| crate::table::is_missing_word(label)).collect();
    if !missing.is_empty() {
        let n: usize = missing.iter().map(|label| counts[**label]).sum();
        let list = crate::table::list(missing);
        notes.push(format!(
            "{n} rows have a label that usually means a missing value; drop = {list} in [table.label] drops them"
        ));
    }
    let plain = |label: &str| -> String {
        let letters = label.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '_'));
        letters.flat_map(char::to_lowercase).collect()
    };
    let mut alike: BTreeMap<String, Vec<(&str, usize)>> = BTreeMap::new();
    for (label, n) in counts {
        alike.entry(plain(label)).or_default().push((*label, *n));
    }
    for mut labels in alike.into_values().filter(|labels| labels.len() > 1) {
        labels.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let named: Vec<String> =
            labels.iter().map(|(label, n)| format!("`{label}` ({n} rows)")).collect();
        let renamed = labels[1..].iter().map(|(label, _)| {
            format!("{} = {}", crate::table::key(label), crate::table::quoted(labels[0].0))
        });
        notes.push(format!(
            "labels that differ in case or spaces only: {}; rename = {{ {} }} in [table.label] joins them",
            named.join(", "),
            renamed.collect::<Vec<_>>().join(", ")
        ));
    }
    notes
}

/// The labels that are numbers, if all are and there are more than [`MAX_NUMBERS`].
pub(super) fn too_many_numbers(labels: &[String]) -> Option<usize> {
    let distinct: BTreeSet<&String> = labels.iter().collect();
    let are_numbers = distinct.iter().all(|label| label.parse::<f64>().is_ok());
    (distinct.len() > MAX_NUMBERS && are_numbers).then_some(distinct.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn label(text: &str) -> Result<Label, String> {
        let tree = Tree::parse("x.toml", &format!("column = \"genre\"\n{text}")).unwrap();
        read(&tree, Label::read).map(|(label, _)| label).map_err(|faults| faults.to_string())
    }

    #[test]
    fn the_first_entry_of_any_list_is_the_label() {
        let of = |form: &str, cell: &str| {
            let label = label(&format!("first_of_list = {form}\n")).unwrap();
            label.of(cell).to_owned()
        };
        for (form, cell) in [
            ("true", "['deep house', 'b']"),
            ("\",\"", "deep house,b"),
            ("\"|\"", "deep house | b"),
            ("\";\"", "deep house;b"),
            ("\";\"", " 'deep house'; 'b'".trim()),
            ("\",\"", "[\"deep house\", \"b\"]"),
            ("\",\"", "deep house"),
        ] {
            assert_eq!(of(form, cell), "deep house", "{form} {cell}");
        }
        for (form, cell) in [("\",\"", ""), ("\",\"", ",b"), ("\",\"", "[]"), ("true", "pop")] {
            assert_eq!(of(form, cell), "", "{form} {cell}");
        }
        let error = label("first_of_list = \"/\"\n").unwrap_err();
        assert!(error.contains("must be true, false, `,`, `;` or `|`"), "{error}");
    }

    #[test]
    fn settings_that_are_not_used_do_not_change_the_hash() {
        let plain = label("first_of_list = true\ndrop = [\"x\"]\nminimum_rows = 5\n").unwrap();
        assert_eq!(
            plain.recipe(),
            "Label { column: \"genre\", first_of_list: true, drop: [\"x\"], minimum_rows: Some(5), \
             commonest: None }"
        );
        let same = label("many_numbers = true\n").unwrap();
        assert_eq!(same.recipe(), label("").unwrap().recipe());
        let other = label("rename = { a = \"b\" }\nfirst_of_list = \",\"\n").unwrap();
        assert!(other.recipe().ends_with(" separated by ',' renamed [(\"a\", \"b\")]"));
        assert_eq!(other.of("a,c"), "b");
    }

    #[test]
    fn labels_that_are_probably_not_meant_are_pointed_out() {
        let counts = BTreeMap::from([
            ("Rock", 3),
            ("rock", 20),
            ("nan", 2),
            ("None", 1),
            ("hip-hop", 5),
            ("Hip Hop", 9),
        ]);
        assert_eq!(
            doubtful_labels(&counts),
            [
                "3 rows have a label that usually means a missing value; drop = [\"None\", \"nan\"] in \
                 [table.label] drops them",
                "labels that differ in case or spaces only: `Hip Hop` (9 rows), `hip-hop` (5 rows); rename = \
                 { hip-hop = \"Hip Hop\" } in [table.label] joins them",
                "labels that differ in case or spaces only: `rock` (20 rows), `Rock` (3 rows); rename = \
                 { Rock = \"rock\" } in [table.label] joins them",
            ]
        );
        assert_eq!(doubtful_labels(&BTreeMap::from([("pop", 1), ("rock", 1)])), [""; 0]);
    }

    #[test]
    fn only_many_different_numbers_need_a_confirmation() {
        let numbers = |n: usize| (0..n).map(|x| x.to_string()).collect::<Vec<_>>();
        assert_eq!(too_many_numbers(&numbers(51)), Some(51));
        assert_eq!(too_many_numbers(&numbers(50)), None);
        let mut mixed = numbers(60);
        mixed.push("pop".to_owned());
        assert_eq!(too_many_numbers(&mixed), None);
    }
}
