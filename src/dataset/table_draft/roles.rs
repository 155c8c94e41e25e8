//! Which column of a table is what.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::recordings::some_names;
use super::guess::{
    COLUMNS, IDS, candidates, doubt, is_index, missing_labels, named, numbers, plain, separator,
    sets, texts,
};
use super::{FILES, MINIMUM_ROWS, NO_LABEL_HINT, TableWishes};
use crate::table::{Cells, ColumnSurvey, Survey};

/// What each column of a table is for.
pub(super) struct Roles<'a> {
    pub(super) is_folder: bool,
    pub(super) patterns: Vec<String>,
    /// Whether files are the sets of a split, such as `train.csv` and `test.csv`: which is which.
    pub(super) sets: Option<Vec<(&'static str, String)>>,
    pub(super) file_column: Option<&'static str>,
    pub(super) label: String,
    pub(super) separator: Option<String>,
    pub(super) candidates: Vec<String>,
    /// Different labels that are numbers, or 0.
    pub(super) numbers: usize,
    pub(super) id: Option<&'a str>,
    pub(super) track_columns: Vec<(&'static str, &'a str)>,
    /// Our names of numeric columns, and what the file has.
    pub(super) columns: Vec<(String, &'a ColumnSurvey)>,
    /// Columns that are not used, and why.
    pub(super) left_out: Vec<(&'a str, String)>,
    pub(super) small_classes: bool,
}

impl<'a> Roles<'a> {
    pub(super) fn find(
        survey: &'a Survey,
        files: &[PathBuf],
        is_folder: bool,
        wishes: TableWishes,
    ) -> Result<Self, String> {
        let sets = if is_folder { sets(files) } else { None };
        let label = match wishes.label {
            Some(label) => {
                let found = survey.columns.iter().find(|column| column.name.trim() == label.trim());
                let names = || survey.columns.iter().map(|column| column.name.as_str());
                Some(found.ok_or_else(|| {
                    let near = crate::vocab::nearest(label, names());
                    let near =
                        near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                    let names: Vec<&str> = names().collect();
                    format!("has no column `{label}`{near}; it has {}", some_names(&names))
                })?)
            }
            None => candidates(survey).first().copied(),
        };
        let id = match wishes.id {
            Some(id) => {
                let found = survey.columns.iter().find(|column| column.name.trim() == id.trim());
                Some(found.ok_or_else(|| format!("has no column `{id}`"))?.name.as_str())
            }
            None => named(survey, &IDS, |column| column.n_filled == survey.n_rows),
        };
        // Without a column of labels, the files of a folder are the classes.
        let by_file = is_folder && files.len() > 1 && sets.is_none() && label.is_none();
        if label.is_none() && !by_file {
            let names: Vec<&str> =
                survey.columns.iter().map(|column| column.name.as_str()).collect();
            return Err(format!(
                "no column looks like one of labels; it has {}\n{NO_LABEL_HINT}",
                some_names(&names)
            ));
        }
        let file_column = match (&sets, by_file) {
            (Some(_), _) => Some("split"),
            (None, true) => Some("file"),
            (None, false) => None,
        };
        let mut roles = Self {
            is_folder,
            patterns: vec![],
            sets,
            file_column,
            label: label.map_or_else(|| "file".to_owned(), |column| column.name.clone()),
            separator: label.and_then(separator),
            candidates: candidates(survey).iter().map(|column| column.name.clone()).collect(),
            numbers: label.map_or(0, numbers),
            id,
            track_columns: vec![],
            columns: vec![],
            left_out: vec![],
            small_classes: label.is_some_and(|column| {
                column
                    .counts
                    .as_ref()
                    .is_none_or(|counts| counts.values().any(|n| *n < MINIMUM_ROWS))
            }),
        };
        let mut patterns: Vec<String> = files
            .iter()
            .filter_map(|file| {
                let name = file.file_name()?.to_string_lossy().into_owned();
                let extension =
                    FILES.iter().find(|e| name.to_lowercase().contains(&format!(".{e}")))?;
                let place = name.to_lowercase().rfind(&format!(".{extension}"))?;
                Some(format!("*{}", &name[place..]))
            })
            .collect();
        patterns.sort();
        patterns.dedup();
        roles.patterns = patterns;
        for (ours, words) in COLUMNS {
            if ours == "split" && roles.file_column == Some("split") {
                continue;
            }
            if let Some(column) = named(survey, words, |column| column.name != roles.label) {
                roles.track_columns.push((ours, column));
            }
        }
        roles.choose_columns(survey);
        Ok(roles)
    }

    /// Which columns hold numbers that a model may use.
    fn choose_columns(&mut self, survey: &'a Survey) {
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for column in &survey.columns {
            let name = column.name.as_str();
            let has_role = self.label == name
                || self.id == Some(name)
                || self.track_columns.iter().any(|(_, theirs)| *theirs == name);
            if has_role {
                continue;
            }
            let why = match &column.cells {
                Cells::None => Some("empty".to_owned()),
                Cells::Texts => Some(texts(column)),
                Cells::MostlyNumbers(n, example) => {
                    Some(format!("{n} cells are not numbers, such as {example:?}"))
                }
                _ if is_index(column) => Some("numbers the rows".to_owned()),
                _ if column.counts.as_ref().is_some_and(|c| c.len() - column.markers.len() < 2) => {
                    Some("the same in every row".to_owned())
                }
                _ => None,
            };
            if let Some(why) = why {
                self.left_out.push((name, why));
                continue;
            }
            let ours = plain(name);
            let n = known.entry(ours.clone()).or_default();
            *n += 1;
            let ours = if *n == 1 { ours } else { format!("{ours}_{n}") };
            self.columns.push((ours, column));
        }
    }

    pub(super) fn notes(&self, survey: &Survey) -> Vec<String> {
        let mut notes = vec![];
        let label = survey.columns.iter().find(|column| column.name == self.label);
        let n_labels = label.and_then(|column| column.counts.as_ref()).map(BTreeMap::len);
        notes.push(match (self.file_column, n_labels) {
            (Some("file"), _) => "label: the name of each file".to_owned(),
            (_, Some(n)) => format!("label: {}, {n} different labels", self.label),
            (_, None) => format!("label: {}", self.label),
        });
        let others: Vec<&String> =
            self.candidates.iter().filter(|name| **name != self.label).collect();
        if !others.is_empty() {
            notes.push(format!("other columns that may be labels: {}", some_names(&others)));
        }
        notes.push(match self.id {
            Some(id) => format!("id: {id}"),
            None => "no column names the rows; they are called by their line".to_owned(),
        });
        notes.push(format!(
            "numbers: {}",
            self.columns.iter().map(|(ours, _)| ours.as_str()).collect::<Vec<_>>().join(", ")
        ));
        for (ours, column) in &self.columns {
            if let Some(doubt) = doubt(column, label) {
                notes.push(format!(
                    "check {ours}: {doubt}; if so, remove it from the manifest and the spec"
                ));
            }
        }
        let dropped = label.map(missing_labels).unwrap_or_default();
        if !dropped.is_empty() {
            notes.push(format!(
                "labels that mean a missing value are dropped: {}",
                dropped.join(", ")
            ));
        }
        if let Some(sets) = &self.sets {
            let sets: Vec<String> =
                sets.iter().map(|(set, file)| format!("{file} is {set}")).collect();
            notes.push(format!("published split: {}", sets.join(", ")));
        }
        if survey.is_guess {
            let (meant, other) = if survey.decimal == ',' {
                ("decimal digits", "thousands = \",\"")
            } else {
                ("groups of three digits", "decimal = \",\"")
            };
            notes.push(format!(
                "commas in numbers are taken to separate {meant}; if not, write {other}"
            ));
        }
        for (name, why) in &self.left_out {
            notes.push(format!("not used: {name}: {why}"));
        }
        notes
    }
}
