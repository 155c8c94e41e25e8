//! Further information about tracks besides their genre: named text columns, e.g. the artist or the
//! set in a published split.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DatasetError, built_in};
use crate::schema::{Fields, Keyed, List, Text};
use crate::table::Csv;
use crate::vocab::{Sha256, nearest, quoted_list};

/// The cells of one column, by track; a track without a cell belongs to none of its groups and
/// sets.
pub type TrackColumn = BTreeMap<String, String>;

/// Named text columns about tracks, which may cover more or fewer tracks than the dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TrackColumns {
    columns: BTreeMap<String, TrackColumn>,
    /// Rows of a table that repeat an id: their names, which are unique, and the id.
    #[serde(skip)]
    repeated_ids: TrackColumn,
}

impl TrackColumns {
    /// Adds the cells of a column; empty cells are ignored.
    ///
    /// # Errors
    /// If two rows give different cells for one track; the message contains both.
    pub fn add<'a>(
        &mut self,
        column: &str,
        cells: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), String> {
        let known = self.columns.entry(column.to_owned()).or_default();
        for (track, cell) in cells {
            if cell.is_empty() {
                continue;
            }
            let before = known.insert(track.to_owned(), cell.to_owned());
            if let Some(before) = before.filter(|before| before != cell) {
                return Err(format!(
                    "{track} has both `{before}` and `{cell}` in the column {column}"
                ));
            }
        }
        Ok(())
    }

    /// Returns one column.
    ///
    /// # Errors
    /// If there is none; the message suggests the nearest existing column.
    pub fn column(&self, name: &str) -> Result<&TrackColumn, String> {
        self.columns
            .get(name)
            .ok_or_else(|| no_column(name, self.columns.keys().map(String::as_str)))
    }

    /// Returns the SHA-256 of one column's cells; the hash of no cells if the column does not
    /// exist.
    #[must_use]
    pub fn hash(&self, column: &str) -> String {
        hash_of(column, self.columns.get(column))
    }

    /// Remembers that a row, by its unique name, has an id that other rows have too.
    pub(super) fn add_repeated_id(&mut self, row: &str, id: &str) {
        self.repeated_ids.insert(row.to_owned(), id.to_owned());
    }

    /// The ids of rows that repeat one, by the rows' unique names; empty where no row does.
    #[must_use]
    pub fn repeated_ids(&self) -> &TrackColumn {
        &self.repeated_ids
    }

    /// SHA-256 of the ids that are repeated; nothing where none is.
    #[must_use]
    pub fn repeated_ids_hash(&self) -> Option<String> {
        let ids = &self.repeated_ids;
        (!ids.is_empty()).then(|| hash_of("repeated ids", Some(ids)))
    }

    pub(super) fn extend(&mut self, more: Self) {
        self.columns.extend(more.columns);
        self.repeated_ids.extend(more.repeated_ids);
    }
}

fn hash_of(name: &str, column: Option<&TrackColumn>) -> String {
    let start = Sha256::new().piece(name);
    let cells = column.into_iter().flatten();
    cells.fold(start, |hash, (track, cell)| hash.piece(track).piece(cell)).hex()
}

/// Says that a dataset lacks a column, with what it has.
#[must_use]
pub fn no_column<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match (nearest(name, known.clone()), known.clone().next()) {
        (Some(near), _) => {
            format!("has no column `{name}` among its track columns; did you mean `{near}`?")
        }
        (None, Some(_)) => {
            format!("has no column `{name}` among its track columns; it has {}", quoted_list(known))
        }
        (None, None) => format!("has no track columns, so `{name}` does not exist"),
    }
}

/// Reads `track_columns = { artist = "Artist" }` of a layout with a table: our names and the
/// file's.
pub(super) fn read_named(fields: &mut Fields) -> Vec<(String, String)> {
    fields.with_default("track_columns", &Keyed(Text), vec![])
}

/// `[track_columns]`: a CSV file beside the manifest, with one line per track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackFile {
    /// The path relative to the manifest's folder.
    pub file: String,
    /// The columns to use. The file also needs the column `track`, the track of each line.
    pub columns: Vec<String>,
}

impl TrackFile {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            file: fields.required("file", &Text),
            columns: fields.required("columns", &List::of_some(Text)),
        }
    }

    /// Reads the file; `manifests` is the folder of the manifest. A file that is missing there is the
    /// one of this name that is part of the program.
    ///
    /// # Errors
    /// If it can't be read, lacks a column, or gives different cells for one track.
    pub fn load(&self, manifests: &Path) -> Result<TrackColumns, DatasetError> {
        let path = manifests.join(&self.file);
        let names: Vec<&str> = self.columns.iter().map(String::as_str).chain(["track"]).collect();
        let csv = Csv::plain(&names, &[]);
        let table = match built_in::file(&self.file).filter(|_| !path.exists()) {
            Some(text) => csv.read_bytes(&path, text.into())?,
            None => csv.read(&path)?,
        };
        let tracks = || table.texts["track"].iter();
        let mut all = TrackColumns::default();
        for name in &self.columns {
            let added = all.add(name, tracks().zip(table.texts[name].iter()));
            added.map_err(|message| DatasetError::Layout { path: path.clone(), message })?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Catalogue, Cut};

    #[test]
    fn a_track_has_one_cell_and_empty_ones_are_none() {
        let mut columns = TrackColumns::default();
        columns.add("artist", [("a", "X"), ("b", ""), ("a", "X")]).unwrap();
        assert_eq!(columns.column("artist").unwrap().len(), 1);
        let error = columns.add("artist", [("a", "Y")]).unwrap_err();
        assert_eq!(error, "a has both `X` and `Y` in the column artist");
        let error = columns.column("artists").unwrap_err();
        assert_eq!(
            error,
            "has no column `artists` among its track columns; did you mean `artist`?"
        );
        let error = TrackColumns::default().column("artist").unwrap_err();
        assert_eq!(error, "has no track columns, so `artist` does not exist");
    }

    #[test]
    fn the_hash_of_a_column_is_of_its_cells_alone() {
        let of = |cells: &[(&str, &str)], other: &str| {
            let mut columns = TrackColumns::default();
            columns.add("fold", cells.iter().copied()).unwrap();
            columns.add("artist", [("a", other)]).unwrap();
            columns.hash("fold")
        };
        let hash = of(&[("a", "1"), ("b", "2")], "X");
        assert_eq!(hash, of(&[("b", "2"), ("a", "1")], "Y"));
        assert_ne!(hash, of(&[("a", "1"), ("b", "1")], "X"));
    }

    #[test]
    fn any_dataset_may_have_columns_in_a_file_beside_its_manifest() {
        let home = tempfile::tempdir().unwrap();
        let manifest = |columns: &str| {
            let text = format!(
                "title = \"t\"\nlicence = \"l\"\ncitation = \"c\"\nhow_to_get = \"h\"\n\
                 [track_columns]\nfile = \"ours.csv\"\ncolumns = {columns}\n\
                 [synth_genres]\nseed = 1\ntracks_per_genre = 1\n"
            );
            std::fs::write(home.path().join("ours.toml"), text).unwrap();
            Catalogue::open(home.path()).unwrap()
        };
        let catalogue = manifest("[\"artist\", \"artist\"]");
        assert!(catalogue.find("ours").unwrap_err().contains("`ours` is invalid"));
        let said = catalogue.invalid().next().unwrap().to_string();
        assert!(said.contains("track_columns lists the column `artist` twice"), "{said}");
        assert!(said.contains("must be in the same folder, found \"ours.csv\""), "{said}");
        let file = "# by us\ntrack,artist,set\nblues.00000,B,\nelsewhere,E,train\n";
        std::fs::write(home.path().join("ours.csv"), file).unwrap();
        let catalogue = manifest("[\"artist\", \"set\"]");
        let ours = catalogue.find("ours").unwrap();
        let all: Vec<&str> = ours.track_columns().collect();
        assert_eq!(all, ["tempo_bpm", "instruments", "artist", "set"]);
        let columns = catalogue.load(ours, Cut::default()).unwrap().take_track_columns(&["artist"]);
        assert_eq!(columns.column("artist").unwrap()["blues.00000"], "B");
        assert_eq!(columns.column("set").unwrap().len(), 1);
    }
}
