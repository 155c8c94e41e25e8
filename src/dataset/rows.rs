//! Layout `[table]`: a CSV or Parquet file, a row per example, and the recipe that makes its labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::duplicates::{names, repeated, told_apart};
use super::index::file_sha256;
use super::recipe::{Label, Rows};
use super::{Cleaning, DatasetError, Index, IndexedFile, Manifest, TrackColumns, track_columns};
use crate::record::Excluded;
use crate::schema::{Fields, Int, Keyed, List, Text};
use crate::table::{Csv, Table};

/// Rows that passed the recipe, in the file's order.
pub(super) struct Labeled {
    pub ids: Vec<String>,
    pub labels: Vec<String>,
    /// NaN where a number is missing.
    pub columns: BTreeMap<String, Vec<f64>>,
    pub track_columns: TrackColumns,
    pub excluded: Vec<Excluded>,
    pub notes: Vec<String>,
}

impl Labeled {
    /// Rows with a missing number, by column; columns without are not there.
    pub(super) fn n_missing(&self) -> BTreeMap<&str, usize> {
        let count = |values: &Vec<f64>| values.iter().filter(|x| x.is_nan()).count();
        let counts = self.columns.iter().map(|(name, values)| (name.as_str(), count(values)));
        counts.filter(|(_, n)| *n > 0).collect()
    }
}

impl Rows {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let id = fields.with_default("id", &List::of(Text), vec![]);
        let columns = fields.required("columns", &Keyed(Text));
        Self {
            track_columns: track_columns::read_named(fields),
            n_rows: fields.required("n_rows", &Int::within(1..=1_000_000_000)),
            label: fields.required_table("label", Label::read).unwrap_or_else(|| Label {
                column: String::new(),
                first_of_list: false,
                drop: vec![],
                minimum_rows: None,
                commonest: None,
            }),
            cleaning: Cleaning::read(fields, &columns, !id.is_empty()),
            id,
            columns,
        }
    }

    pub(super) fn index(&self, manifest: &Manifest, from: &Path) -> Result<Index, DatasetError> {
        if from.is_dir() {
            return Err(DatasetError::Layout {
                path: from.to_owned(),
                message: "is a folder; this dataset is one CSV or Parquet file".to_owned(),
            });
        }
        let labeled = self.labeled(from)?;
        let missing = labeled.n_missing();
        let missing: Vec<String> = missing
            .into_iter()
            .map(|(column, n)| {
                format!("{n} rows have no number in {column}; they are dropped unless the spec imputes it")
            })
            .collect();
        let name = from.file_name().unwrap_or_default();
        let file = IndexedFile {
            track: name.to_string_lossy().into_owned(),
            genre: String::new(),
            path: name.into(),
            sha256: file_sha256(from)
                .map_err(|source| DatasetError::Io { path: from.to_owned(), source })?,
            n_samples: labeled.ids.len(),
            decoder_version: 1,
        };
        Ok(Index {
            dataset: manifest.name.clone(),
            root: from.parent().unwrap_or(from).to_owned(),
            files: vec![file],
            excluded: labeled.excluded,
            notes: labeled.notes.into_iter().chain(missing).collect(),
            listing: None,
            decoder_version: None,
        })
    }

    fn read_file(&self, path: &Path) -> Result<Table, DatasetError> {
        let more = self.track_columns.iter().map(|(_, theirs)| theirs);
        let texts: BTreeSet<&str> =
            self.id.iter().chain([&self.label.column]).chain(more).map(String::as_str).collect();
        let Cleaning { delimiter, odd_cells, .. } = self.cleaning;
        let column = |(ours, theirs): &(String, String)| self.cleaning.column(ours, theirs);
        let numbers = self.columns.iter().map(column).collect();
        let csv = Csv { delimiter, texts: texts.into_iter().collect(), numbers, odd_cells };
        Ok(csv.read(path)?)
    }

    /// Reads the file and applies the recipe. Counts dropped rows by reason.
    pub(super) fn labeled(&self, path: &Path) -> Result<Labeled, DatasetError> {
        let mut table = self.read_file(path)?;
        let mut notes: Vec<String> = std::mem::take(&mut table.odd)
            .into_iter()
            .map(|(column, odd)| {
                let (n, first) = (odd.n, odd.first);
                format!("{n} cells of {column} cannot be parsed and count as missing, the first at {first}")
            })
            .collect();
        let cells = &table.texts[&self.label.column];
        let n_all = cells.len();
        let kept = self.label.kept(cells);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let mut rows = vec![];
        for (row, cell) in cells.iter().enumerate() {
            let label = self.label.of(cell);
            if kept.contains(label) {
                rows.push(row);
            } else {
                let reason = match label {
                    "" => "have no label",
                    _ => "have a label that is excluded by the label recipe",
                };
                *reasons.entry(reason.to_owned()).or_default() += 1;
            }
        }
        if rows.is_empty() {
            let message = format!("none of the {n_all} rows is valid: {reasons:?}");
            return Err(DatasetError::Layout { path: path.to_owned(), message });
        }
        let rows = self.without_duplicates(&table, rows, &mut reasons, &mut notes);
        let names = names(self, &table, &rows);
        let groups = repeated(&names);
        notes.extend(self.repeated_notes(&table, &rows, &names, &groups));
        let shared: Vec<String> = groups.iter().map(|group| names[group[0]].clone()).collect();
        let ids = told_apart(names, &groups);
        let mut track_columns = TrackColumns::default();
        for (group, id) in groups.iter().zip(shared) {
            group.iter().for_each(|&row| track_columns.add_repeated_id(&ids[row], &id));
        }
        for (ours, theirs) in &self.track_columns {
            let cells = rows.iter().map(|&row| table.texts[theirs][row].as_str());
            let added = track_columns.add(ours, ids.iter().map(String::as_str).zip(cells));
            added.expect("every row has a name of its own");
        }
        let cells = &table.texts[&self.label.column];
        let labels = rows.iter().map(|&row| self.label.of(&cells[row]).to_owned()).collect();
        table.texts.clear();
        // In place: a column may be of millions of rows.
        for values in table.numbers.values_mut() {
            for (place, &row) in rows.iter().enumerate() {
                values[place] = values[row];
            }
            values.truncate(rows.len());
        }
        let excluded = reasons
            .into_iter()
            .map(|(reason, n)| Excluded { name: format!("{n} of {n_all} rows"), reason })
            .collect();
        Ok(Labeled { ids, labels, columns: table.numbers, track_columns, excluded, notes })
    }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::first_of_list;
    use super::*;
    use crate::dataset::{Duplicates, Missing};

    fn rows(label: Label) -> Rows {
        let columns = vec![("tempo".to_owned(), "Tempo".to_owned())];
        let track_columns = vec![("artist".to_owned(), "Name".to_owned())];
        let cleaning = Cleaning {
            missing: Missing::In(vec![("tempo".to_owned(), vec!["?".to_owned()])]),
            ..Cleaning::default()
        };
        Rows { id: vec!["Name".to_owned()], columns, track_columns, label, n_rows: 5, cleaning }
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

    fn labeled(rows: &Rows, text: &str) -> Result<Labeled, DatasetError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        rows.labeled(file.path())
    }

    #[test]
    fn the_recipe_takes_the_first_entry_and_leaves_rare_ones_out() {
        let text = "Name,Genres,Tempo\n\
            x,\"['pop', 'rock']\",100\nx,\"['pop']\",110\ny,\"['rock']\",1\nz,\"['unknown']\",1\n\
            v,\"['pop']\",?\nw,[],3\n";
        let got = labeled(&rows(label()), text).unwrap();
        assert_eq!(got.ids, ["x", "x #2", "v"]);
        assert_eq!(got.labels, ["pop", "pop", "pop"]);
        // A missing number stays missing, because the spec decides about its row.
        assert_eq!(got.columns["tempo"][..2], [100.0, 110.0]);
        assert_eq!(got.n_missing(), BTreeMap::from([("tempo", 1)]));
        // Both rows are of one artist, whatever they are called.
        let artists = got.track_columns.column("artist").unwrap();
        assert_eq!((&artists["x"][..], &artists["x #2"][..]), ("x", "x"));
        let ids = got.track_columns.repeated_ids();
        assert_eq!((ids.len(), &ids["x"][..], &ids["x #2"][..]), (2, "x", "x"));
        let out: Vec<String> =
            got.excluded.iter().map(|out| format!("{} {}", out.name, out.reason)).collect();
        assert_eq!(
            out,
            [
                "2 of 6 rows have a label that is excluded by the label recipe",
                "1 of 6 rows have no label",
            ]
        );
        assert_eq!(got.notes, ["1 rows repeat the Name of another row and are kept"]);
    }

    #[test]
    fn the_commonest_are_counted_before_odd_rows_go() {
        let label =
            Label { first_of_list: false, minimum_rows: None, commonest: Some(1), ..label() };
        let got = labeled(&rows(label), "Name,Genres,Tempo\na,p,1\nb,q,2\nc,q,3\n").unwrap();
        assert_eq!(got.labels, ["q", "q"]);
    }

    #[test]
    fn repeated_rows_are_counted_kept_or_dropped_as_the_manifest_says() {
        let text =
            "Name,Genres,Tempo\nx,p,1\ny,p,2\nx,q,1\nx,p,1\nx,p,3\nz,q,1\nz,q,1\nz,q,?\nz,q,?\n";
        let said = |duplicates: Duplicates| {
            let label = Label { first_of_list: false, minimum_rows: None, ..label() };
            let mut rows = rows(label);
            rows.cleaning.duplicates = duplicates;
            let got = labeled(&rows, text).unwrap();
            let out = got.excluded.iter().map(|out| format!("{} {}", out.name, out.reason));
            (got.ids.join(", "), out.collect::<Vec<_>>().join("; "), got.notes.join("; "))
        };
        let (ids, out, notes) = said(Duplicates::Keep);
        assert_eq!(
            (ids.as_str(), out.as_str()),
            ("x, y, x #2, x #3, x #4, z, z #2, z #3, z #4", "")
        );
        assert_eq!(
            notes,
            "3 rows are equal to an earlier row in every column used and are kept; \
             6 rows repeat the Name of another row and are kept; \
             1 of Name have rows with several labels: x (p, q)"
        );
        let (ids, out, notes) = said(Duplicates::DropExact);
        assert_eq!(ids, "x, y, x #2, x #3, z, z #2");
        assert_eq!(out, "3 of 9 rows are equal to an earlier row in every column used");
        assert!(notes.starts_with("3 rows repeat the Name"), "{notes}");
        let (ids, out, notes) = said(Duplicates::DropId);
        assert_eq!(
            (ids.as_str(), out.as_str()),
            ("x, y, z", "6 of 9 rows repeat the Name of an earlier row")
        );
        assert_eq!(notes, "1 of Name have rows with several labels: x (p, q)");
    }

    #[test]
    fn rows_without_an_id_are_named_by_their_line() {
        let label = Label { first_of_list: false, minimum_rows: None, ..label() };
        let rows = Rows { id: vec![], track_columns: vec![], ..rows(label) };
        let got = labeled(&rows, "Genres,Tempo\np,1\nunknown,2\np,1\n").unwrap();
        assert_eq!(got.ids, ["line 2", "line 4"]);
        assert_eq!(
            got.notes,
            ["1 rows are equal to an earlier row in every column used and are kept"]
        );
    }

    #[test]
    fn odd_cells_that_count_as_missing_are_in_a_note() {
        let label = Label { first_of_list: false, minimum_rows: None, ..label() };
        let mut rows = rows(label);
        rows.cleaning.odd_cells = crate::table::OddCells::Missing;
        let got = labeled(&rows, "Name,Genres,Tempo\na,p,1\nb,p,fast\n").unwrap();
        assert_eq!(
            got.notes,
            [
                "1 cells of tempo cannot be parsed and count as missing, the first at line 3, Tempo: \"fast\""
            ]
        );
    }

    #[test]
    fn python_lists_are_read_with_either_quote() {
        assert_eq!(first_of_list("['r&b', 'x']"), Some("r&b"));
        assert_eq!(first_of_list("[\"children's music\"]"), Some("children's music"));
        assert_eq!(first_of_list("[]"), None);
        assert_eq!(first_of_list("pop"), None);
    }
}
