//! Layout `[table]`: a CSV file, a row per example, and the recipe that makes its labels.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{DatasetError, Index, IndexedFile, Manifest, TrackColumns, track_columns};
use crate::record::Excluded;
use crate::schema::{Fields, Flag, Int, Keyed, List, Text};
use crate::table::Table;
use crate::vocab::sha256_hex;

/// What the manifest says of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The columns that together name a row.
    pub id: Vec<String>,
    /// Our names of the numeric columns, and the file's.
    pub columns: Vec<(String, String)>,
    /// Our names of columns of text that say more of a row, e.g. its artist, and the file's.
    pub track_columns: Vec<(String, String)>,
    /// How a row gets its class.
    pub label: Label,
    /// Rows that a whole copy leaves after the recipe.
    pub n_rows: usize,
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
    /// Only so many of the commonest labels are kept.
    pub commonest: Option<usize>,
}

/// Rows that passed the recipe, in the file's order.
pub(super) struct Labelled {
    pub ids: Vec<String>,
    pub labels: Vec<String>,
    pub columns: BTreeMap<String, Vec<f64>>,
    pub track_columns: TrackColumns,
    pub excluded: Vec<Excluded>,
    pub notes: Vec<String>,
}

impl Rows {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            id: fields.required("id", &List::of_some(Text)),
            columns: fields.required("columns", &Keyed(Text)),
            track_columns: track_columns::read_named(fields),
            n_rows: fields.required("n_rows", &Int::within(1..=1_000_000_000)),
            label: fields.required_table("label", Label::read).unwrap_or_else(|| Label {
                column: String::new(),
                first_of_list: false,
                drop: vec![],
                minimum_rows: None,
                commonest: None,
            }),
        }
    }

    pub(super) fn index(&self, manifest: &Manifest, from: &Path) -> Result<Index, DatasetError> {
        let io = |source| DatasetError::Io { path: from.to_owned(), source };
        if from.is_dir() {
            return Err(DatasetError::Layout {
                path: from.to_owned(),
                message: "is a folder; this dataset is one CSV file".to_owned(),
            });
        }
        let labelled = self.labelled(from)?;
        let sha256 = sha256_hex(&fs::read(from).map_err(io)?);
        let name = from.file_name().unwrap_or_default();
        let file = IndexedFile {
            track: name.to_string_lossy().into_owned(),
            genre: String::new(),
            path: name.into(),
            sha256,
            n_samples: labelled.ids.len(),
        };
        Ok(Index {
            dataset: manifest.name.clone(),
            root: from.parent().unwrap_or(from).to_owned(),
            files: vec![file],
            excluded: labelled.excluded,
            notes: labelled.notes,
            listing: None,
        })
    }

    /// Reads the file and applies the recipe; what is left out is counted by reason.
    pub(super) fn labelled(&self, path: &Path) -> Result<Labelled, DatasetError> {
        let more = self.track_columns.iter().map(|(_, theirs)| theirs);
        let texts: BTreeSet<&str> =
            self.id.iter().chain([&self.label.column]).chain(more).map(String::as_str).collect();
        let texts: Vec<&str> = texts.into_iter().collect();
        let theirs: Vec<&str> = self.columns.iter().map(|(_, theirs)| theirs.as_str()).collect();
        let table = Table::read_csv(path, &texts, &theirs)?;
        let all: Vec<String> =
            table.texts[&self.label.column].iter().map(|cell| self.label.of(cell)).collect();
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let kept = self.label.kept(&all);
        let usable = |&row: &usize| {
            let odd = self.columns.iter().find(|(_, theirs)| table.numbers[theirs][row].is_nan());
            let reason = match (kept.contains(&all[row]), odd) {
                (false, _) if all[row].is_empty() => "have no label".to_owned(),
                (false, _) => "have a label that the recipe leaves out".to_owned(),
                (true, Some((ours, _))) => format!("have no number as {ours}"),
                (true, None) => return true,
            };
            *reasons.entry(reason).or_default() += 1;
            false
        };
        let rows: Vec<usize> = (0..all.len()).filter(usable).collect();
        if rows.is_empty() {
            let message = format!("no row of {} can be used: {reasons:?}", all.len());
            return Err(DatasetError::Layout { path: path.to_owned(), message });
        }
        let (ids, notes) = self.ids(&table, &rows);
        let mut track_columns = TrackColumns::default();
        for (ours, theirs) in &self.track_columns {
            let cells = rows.iter().map(|&row| table.texts[theirs][row].as_str());
            let added = track_columns.add(ours, ids.iter().map(String::as_str).zip(cells));
            added.expect("every row has a name of its own");
        }
        let column = |(ours, theirs): &(String, String)| {
            (ours.clone(), rows.iter().map(|&row| table.numbers[theirs][row]).collect())
        };
        let excluded = reasons
            .into_iter()
            .map(|(reason, n)| Excluded { name: format!("{n} of {} rows", all.len()), reason });
        Ok(Labelled {
            ids,
            labels: rows.iter().map(|&row| all[row].clone()).collect(),
            columns: self.columns.iter().map(column).collect(),
            track_columns,
            excluded: excluded.collect(),
            notes,
        })
    }

    /// A name per row; rows of one name are told apart by `#2`, `#3`, … and counted in a note.
    fn ids(&self, table: &Table, rows: &[usize]) -> (Vec<String>, Vec<String>) {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let name = |&row: &usize| {
            let parts: Vec<&str> =
                self.id.iter().map(|column| table.texts[column][row].as_str()).collect();
            let id = parts.join(" / ");
            let n = seen.entry(id.clone()).or_default();
            *n += 1;
            if *n == 1 { id } else { format!("{id} #{n}") }
        };
        let ids: Vec<String> = rows.iter().map(name).collect();
        let n_again: usize = seen.values().map(|n| n - 1).sum();
        let columns = self.id.join(" and ");
        let note = format!("{n_again} rows repeat the {columns} of another row and are kept");
        (ids, if n_again > 0 { vec![note] } else { vec![] })
    }
}

impl Label {
    fn read(fields: &mut Fields) -> Self {
        Self {
            column: fields.required("column", &Text),
            first_of_list: fields.or("first_of_list", &Flag, false),
            drop: fields.or("drop", &List::of(Text), vec![]),
            minimum_rows: fields.optional("minimum_rows", &Int::within(1..=1_000_000)),
            commonest: fields.optional("commonest", &Int::within(2..=10_000)),
        }
    }

    fn of(&self, cell: &str) -> String {
        if self.first_of_list { first_of_list(cell).unwrap_or_default() } else { cell.to_owned() }
    }

    /// The labels that stay; ties in the count are broken by name.
    fn kept(&self, labels: &[String]) -> BTreeSet<String> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in labels.iter().filter(|label| !label.is_empty() && !self.drop.contains(label)) {
            *counts.entry(label).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.retain(|(_, n)| *n >= self.minimum_rows.unwrap_or(0));
        counts.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        counts.truncate(self.commonest.unwrap_or(usize::MAX));
        counts.into_iter().map(|(label, _)| label.to_owned()).collect()
    }
}

/// The first entry of a list as Python prints it: `['a', "b's"]` -> `a`.
fn first_of_list(cell: &str) -> Option<String> {
    let inside = cell.trim().strip_prefix('[')?.trim_start();
    let quote = inside.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (entry, _) = inside[1..].split_once(quote)?;
    Some(entry.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(label: Label) -> Rows {
        let columns = vec![("tempo".to_owned(), "Tempo".to_owned())];
        let track_columns = vec![("artist".to_owned(), "Name".to_owned())];
        Rows { id: vec!["Name".to_owned()], columns, track_columns, label, n_rows: 5 }
    }

    fn label() -> Label {
        Label {
            column: "Genres".to_owned(),
            first_of_list: true,
            drop: vec!["unknown".to_owned()],
            minimum_rows: Some(2),
            commonest: None,
        }
    }

    fn labelled(rows: &Rows, text: &str) -> Result<Labelled, DatasetError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        rows.labelled(file.path())
    }

    #[test]
    fn the_recipe_takes_the_first_entry_and_leaves_rare_ones_out() {
        let text = "Name,Genres,Tempo\n\
            x,\"['pop', 'rock']\",100\nx,\"['pop']\",110\ny,\"['rock']\",1\nz,\"['unknown']\",1\n\
            v,\"['pop']\",?\nw,[],3\n";
        let got = labelled(&rows(label()), text).unwrap();
        assert_eq!(got.ids, ["x", "x #2"]);
        assert_eq!(got.labels, ["pop", "pop"]);
        assert_eq!(got.columns["tempo"], [100.0, 110.0]);
        // Both rows are of one artist, whatever they are called.
        let artists = got.track_columns.column("artist").unwrap();
        assert_eq!((&artists["x"][..], &artists["x #2"][..]), ("x", "x"));
        let out: Vec<String> =
            got.excluded.iter().map(|out| format!("{} {}", out.name, out.reason)).collect();
        assert_eq!(
            out,
            [
                "2 of 6 rows have a label that the recipe leaves out",
                "1 of 6 rows have no label",
                "1 of 6 rows have no number as tempo",
            ]
        );
        assert_eq!(got.notes, ["1 rows repeat the Name of another row and are kept"]);
    }

    #[test]
    fn the_commonest_are_counted_before_odd_rows_go() {
        let label =
            Label { first_of_list: false, minimum_rows: None, commonest: Some(1), ..label() };
        let got = labelled(&rows(label), "Name,Genres,Tempo\na,p,1\nb,q,2\nc,q,3\n").unwrap();
        assert_eq!(got.labels, ["q", "q"]);
    }

    #[test]
    fn python_lists_are_read_with_either_quote() {
        assert_eq!(first_of_list("['r&b', 'x']").as_deref(), Some("r&b"));
        assert_eq!(first_of_list("[\"children's music\"]").as_deref(), Some("children's music"));
        assert_eq!(first_of_list("[]"), None);
        assert_eq!(first_of_list("pop"), None);
    }
}
