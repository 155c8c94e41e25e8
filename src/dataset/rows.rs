//! Layout `[table]`: a CSV or Parquet file with one row per example, and the recipe for its labels.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::chosen::{Choice, stem};
use super::duplicates::{names, repeated, told_apart};
use super::index::file_sha256;
use super::recipe::{Classes, Label, Rows, too_many_numbers};
use super::{
    Cleaning, DatasetError, Index, IndexedFile, Manifest, Numerals, TrackColumns, UNLABELED,
    track_columns,
};
use crate::record::Excluded;
use crate::schema::{Fields, Int, List, Text};
use crate::table::{Csv, Table, header_of};

/// Rows that passed the recipe, in the order of the file.
pub(super) struct Labeled {
    pub ids: Vec<String>,
    pub labels: Vec<String>,
    /// NaN for missing numbers.
    pub columns: BTreeMap<String, Vec<f64>>,
    /// Our names of these columns and the file's, in the manifest's order or the file's.
    pub chosen: Vec<(String, String)>,
    pub track_columns: TrackColumns,
    /// How many of the rows each file has.
    pub n_of_files: Vec<usize>,
    pub excluded: Vec<Excluded>,
    pub notes: Vec<String>,
}

impl Labeled {
    /// Returns the number of rows with a missing number, by column; complete columns are left out.
    pub(super) fn n_missing(&self) -> BTreeMap<&str, usize> {
        let count = |values: &Vec<f64>| values.iter().filter(|x| x.is_nan()).count();
        let counts = self.columns.iter().map(|(name, values)| (name.as_str(), count(values)));
        counts.filter(|(_, n)| *n > 0).collect()
    }
}

impl Rows {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let id = fields.with_default("id", &List::of(Text), vec![]);
        let Choice { columns, patterns } = Self::read_choice(fields);
        let known = patterns.is_empty().then_some(columns.as_slice());
        let rows = Self {
            files: fields.with_default("files", &List::of_some(Text), vec![]),
            file_column: fields.optional("file_column", &Text),
            track_columns: track_columns::read_named(fields),
            n_rows: fields.optional("n_rows", &Int::within(1..=1_000_000_000)),
            label: fields.table("label", Label::read),
            cleaning: Cleaning::read(fields, known, !id.is_empty()),
            numerals: Numerals::read(fields, known),
            id,
            columns,
            patterns,
        };
        if rows.file_column.is_some() && rows.files.is_empty() {
            fields.fault_at("file_column", "applies to a table of several files: add files");
        }
        rows
    }

    pub(super) fn index(&self, manifest: &Manifest, from: &Path) -> Result<Index, DatasetError> {
        let paths = self.table_files(from)?;
        let labeled = self.labeled(&paths)?;
        if let Some(label) = self.label.as_ref().filter(|label| !label.many_numbers)
            && let Some(n) = too_many_numbers(&labeled.labels)
        {
            let (path, column) = (from.to_owned(), label.column.clone());
            return Err(DatasetError::ManyNumbers { path, column, n });
        }
        let only =
            labeled.labels.first().filter(|first| labeled.labels.iter().all(|l| l == *first));
        let only = only.filter(|_| self.label.is_some()).map(|label| {
            format!("every row has the label `{label}`; a model needs two labels or more")
        });
        let missing = labeled.n_missing();
        let missing: Vec<String> = missing
            .into_iter()
            .map(|(column, n)| {
                format!("{n} rows have no number in {column}; they are dropped unless the spec imputes it")
            })
            .collect();
        let root = if from.is_dir() { from } else { from.parent().unwrap_or(from) };
        let mut files = vec![];
        for (path, &n_samples) in paths.iter().zip(&labeled.n_of_files) {
            let name = path.file_name().unwrap_or_default();
            files.push(IndexedFile {
                track: name.to_string_lossy().into_owned(),
                genre: String::new(),
                path: name.into(),
                sha256: file_sha256(path)
                    .map_err(|source| DatasetError::Io { path: path.clone(), source })?,
                n_samples,
                decoder_version: 1,
            });
        }
        let n_rows = labeled.ids.len();
        let several =
            (paths.len() > 1).then(|| format!("{n_rows} valid rows in {} files", paths.len()));
        Ok(Index {
            dataset: manifest.name.clone(),
            root: root.to_owned(),
            files,
            excluded: labeled.excluded,
            notes: several.into_iter().chain(only).chain(labeled.notes).chain(missing).collect(),
            listing: None,
            decoder_version: None,
        })
    }

    /// How a table of new rows is read: of the ids and of these numbers, by our names, whatever else it has.
    /// Numbers that the manifest does not name have the same name in the file.
    pub(super) fn new_rows<'a>(&'a self, ours: &[String]) -> Csv<'a> {
        let theirs = |name: &String| {
            let column = self.columns.iter().find(|(ours, _)| ours == name);
            let theirs = column.map_or(name, |(_, theirs)| theirs);
            self.cleaning.column(name, theirs, self.numerals.of(name))
        };
        let Cleaning { delimiter, odd_cells, .. } = self.cleaning;
        let texts = self.id.iter().map(String::as_str).collect();
        Csv { delimiter, texts, numbers: ours.iter().map(theirs).collect(), odd_cells }
    }

    fn read_file(&self, path: &Path, columns: &[(String, String)]) -> Result<Table, DatasetError> {
        let more = self.track_columns.iter().map(|(_, theirs)| theirs);
        let texts = self
            .id
            .iter()
            .chain(self.label.iter().map(|label| &label.column))
            .chain(more)
            .map(String::as_str);
        let of_file = self.file_column.as_deref();
        let texts: BTreeSet<&str> = texts.filter(|text| Some(*text) != of_file).collect();
        let Cleaning { delimiter, odd_cells, .. } = self.cleaning;
        let column = |(ours, theirs): &(String, String)| {
            self.cleaning.column(ours, theirs, self.numerals.of(ours))
        };
        let numbers = columns.iter().map(column).collect();
        let csv = Csv { delimiter, texts: texts.into_iter().collect(), numbers, odd_cells };
        let mut table = csv.read(path)?;
        if let Some(column) = of_file {
            let cells = vec![stem(path); table.lines.len()];
            table.texts.insert(column.to_owned(), cells.into_iter().collect());
        }
        Ok(table)
    }

    /// Reads the files as one table, and what its numeric columns are called.
    fn read_files(
        &self,
        paths: &[PathBuf],
    ) -> Result<(Table, Vec<(String, String)>), DatasetError> {
        let columns = match paths.first() {
            Some(path) if !self.patterns.is_empty() => {
                let header = header_of(path, self.cleaning.delimiter)?;
                let odd = |message| DatasetError::Layout { path: path.clone(), message };
                self.columns_of(&header).map_err(odd)?
            }
            _ => self.columns.clone(),
        };
        if let [path] = paths {
            return Ok((self.read_file(path, &columns)?, columns));
        }
        let mut table = Table::default();
        for path in paths {
            table.append(&file_name(path), self.read_file(path, &columns)?);
        }
        Ok((table, columns))
    }

    /// Reads the files and applies the recipe. Counts dropped rows by reason.
    pub(super) fn labeled(&self, paths: &[PathBuf]) -> Result<Labeled, DatasetError> {
        let (mut table, chosen) = self.read_files(paths)?;
        let mut notes: Vec<String> = std::mem::take(&mut table.odd)
            .into_iter()
            .map(|(column, odd)| {
                let (n, first) = (odd.n, odd.first);
                format!("{n} cells of {column} cannot be parsed and count as missing, the first at {first}")
            })
            .collect();
        let n_all = table.lines.len();
        let Classes { keep, mut dropped, notes: of_labels } = match &self.label {
            Some(label) => label.classes(&table.texts[&label.column]),
            None => Classes::all(n_all),
        };
        if !keep.contains(&true) {
            let why = dropped.iter().map(|(reason, n)| format!("{n} {reason}"));
            let message = match n_all {
                0 => "has a header and no rows".to_owned(),
                _ => format!(
                    "none of the {n_all} rows is valid: {}",
                    why.collect::<Vec<_>>().join(", ")
                ),
            };
            let path = paths.first().cloned().unwrap_or_default();
            return Err(DatasetError::Layout { path, message });
        }
        notes.extend(of_labels);
        table.filter(&keep);
        self.without_duplicates(&mut table, &mut dropped, &mut notes);
        let names = names(self, &table);
        let groups = repeated(&names);
        notes.extend(self.repeated_notes(&table, &names, &groups));
        let shared: Vec<String> = groups.iter().map(|group| names[group[0]].clone()).collect();
        let ids = told_apart(names, &groups);
        let mut track_columns = TrackColumns::default();
        for (group, id) in groups.iter().zip(shared) {
            group.iter().for_each(|&row| track_columns.add_repeated_id(&ids[row], &id));
        }
        for (ours, theirs) in &self.track_columns {
            let cells = table.texts[theirs].iter();
            let added = track_columns.add(ours, ids.iter().map(String::as_str).zip(cells));
            added.expect("row names are unique");
        }
        let labels = match &self.label {
            Some(label) => {
                let cells = table.texts[&label.column].iter();
                cells.map(|cell| label.of(cell).to_owned()).collect()
            }
            None => vec![UNLABELED.to_owned(); table.lines.len()],
        };
        let n_of_files = n_of_files(&table);
        let excluded = dropped
            .into_iter()
            .map(|(reason, n)| Excluded { name: format!("{n} of {n_all} rows"), reason })
            .collect();
        let columns = table.numbers;
        Ok(Labeled { ids, labels, columns, chosen, track_columns, n_of_files, excluded, notes })
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// How many rows each file has.
fn n_of_files(table: &Table) -> Vec<usize> {
    let begins = table.parts.iter().map(|(first, _)| *first).skip(1);
    let ends: Vec<usize> = begins.chain([table.lines.len()]).collect();
    let begins = std::iter::once(0).chain(ends.iter().copied());
    begins.zip(&ends).map(|(begin, end)| end - begin).collect()
}

#[cfg(test)]
mod tests {
    use super::super::recipe::{ListForm, first_of_list};
    use super::*;
    use crate::dataset::{Duplicates, Missing};

    fn rows(label: Label) -> Rows {
        let columns = vec![("tempo".to_owned(), "Tempo".to_owned())];
        let track_columns = vec![("artist".to_owned(), "Name".to_owned())];
        let cleaning = Cleaning {
            missing: Missing::In(vec![("tempo".to_owned(), vec!["?".to_owned()])]),
            ..Cleaning::default()
        };
        let (id, numerals) = (vec!["Name".to_owned()], Numerals::default());
        let (files, file_column, patterns) = (vec![], None, vec![]);
        let n_rows = Some(5);
        Rows {
            files,
            file_column,
            id,
            columns,
            patterns,
            track_columns,
            label: Some(label),
            n_rows,
            cleaning,
            numerals,
        }
    }

    fn label() -> Label {
        Label {
            column: "Genres".to_owned(),
            first_of_list: Some(ListForm::Python),
            drop: vec!["unknown".to_owned()],
            minimum_rows: Some(2),
            ..Label::default()
        }
    }

    fn labeled(rows: &Rows, text: &str) -> Result<Labeled, DatasetError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        rows.labeled(&[file.path().to_owned()])
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
        // Both rows have the same artist, whatever their names are.
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
            Label { first_of_list: None, minimum_rows: None, commonest: Some(1), ..label() };
        let got = labeled(&rows(label), "Name,Genres,Tempo\na,p,1\nb,q,2\nc,q,3\n").unwrap();
        assert_eq!(got.labels, ["q", "q"]);
    }

    #[test]
    fn repeated_rows_are_counted_kept_or_dropped_as_the_manifest_says() {
        let text =
            "Name,Genres,Tempo\nx,p,1\ny,p,2\nx,q,1\nx,p,1\nx,p,3\nz,q,1\nz,q,1\nz,q,?\nz,q,?\n";
        let said = |duplicates: Duplicates| {
            let label = Label { first_of_list: None, minimum_rows: None, ..label() };
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
        let label = Label { first_of_list: None, minimum_rows: None, ..label() };
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
        let label = Label { first_of_list: None, minimum_rows: None, ..label() };
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
