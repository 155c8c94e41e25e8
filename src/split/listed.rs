//! `[split.listed]`: a published split, given as lists of tracks (one per line) or as a column with
//! each track's set.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Items, Split, SplitError};
use crate::schema::{Fields, Text};
use crate::vocab::{Sha256, SplitName};

/// Maximum number of missing tracks that are listed by name.
const MOST_NAMES: usize = 5;

/// A published split: the set of every track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The column with the names of sets; without it, the sets are files of tracks.
    column: Option<String>,
    /// The path of a file from the working folder, or the name of a set in the column.
    train: String,
    valid: Option<String>,
    test: String,
}

impl Listed {
    pub(super) fn read(fields: &mut Fields) -> Self {
        if fields.is_given("column") {
            return Self::read_column(fields);
        }
        let listed = Self {
            column: None,
            train: fields.required("train", &Text),
            valid: fields.optional("valid", &Text),
            test: fields.required("test", &Text),
        };
        for (key, path) in [
            ("train", Some(&listed.train)),
            ("valid", listed.valid.as_ref()),
            ("test", Some(&listed.test)),
        ] {
            if path.is_some_and(|path| !path.is_empty() && !Path::new(path).is_file()) {
                fields.fault_at(
                    key,
                    &format!("must be a file of tracks, found {:?}", path.expect("some")),
                );
            }
        }
        listed
    }

    /// Reads the names of the sets, by default train, valid and test. Two sets with the same name
    /// are one set: `test = "valid"` scores the validation set, and no set is used for validation.
    fn read_column(fields: &mut Fields) -> Self {
        let column = fields.required("column", &Text);
        let train = fields.with_default("train", &Text, "train".to_owned());
        let test = fields.with_default("test", &Text, "test".to_owned());
        let valid = fields.optional("valid", &Text).or_else(|| {
            let is_free = train != "valid" && test != "valid" && !fields.is_given("valid");
            is_free.then(|| "valid".to_owned())
        });
        let same = |a: &str, b: &str| a == b && !a.is_empty();
        if same(&train, &test) {
            fields.fault_at("test", &format!("must differ from train, found {test:?}"));
        }
        if let Some(valid) = valid.as_ref().filter(|v| same(v, &train) || same(v, &test)) {
            let message = format!("must differ from train and test, found {valid:?}");
            fields.fault_at("valid", &message);
        }
        Self { column: Some(column), train, valid, test }
    }

    /// Returns whether there is a validation set.
    pub(super) fn has_valid(&self) -> bool {
        self.valid.is_some()
    }

    /// Returns the column of the sets.
    pub(super) fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }

    fn sets(&self) -> impl Iterator<Item = (SplitName, &str)> {
        let sets = [
            (SplitName::Train, Some(&self.train)),
            (SplitName::Valid, self.valid.as_ref()),
            (SplitName::Test, Some(&self.test)),
        ];
        sets.into_iter().filter_map(|(set, name)| Some((set, name?.as_str())))
    }

    pub(super) fn describe(&self) -> String {
        let valid = self.valid.as_deref().unwrap_or("none");
        let (train, test) = (&self.train, &self.test);
        match &self.column {
            None => format!("published lists: train {train}, valid {valid}, test {test}"),
            Some(column) if self.sets().all(|(set, name)| set.as_str() == name) => {
                format!("as published ({column})")
            }
            Some(column) => {
                format!("as published ({column}): train `{train}`, valid `{valid}`, test `{test}`")
            }
        }
    }

    /// Returns the SHA-256 of the files' contents; nothing if a column is used. An unreadable file
    /// is reported when the examples are divided.
    pub(super) fn files_hash(&self) -> Option<String> {
        self.column.is_none().then(|| {
            let add = |hash: Sha256, (set, path): (SplitName, &str)| {
                hash.piece(set.as_str()).piece(std::fs::read(path).unwrap_or_default())
            };
            self.sets().fold(Sha256::new(), add).hex()
        })
    }

    pub(super) fn divide(&self, items: Items) -> Result<Split, SplitError> {
        let mut split = Split { train: vec![], valid: vec![], test: vec![], notes: vec![] };
        let set_of = match &self.column {
            None => self.sets_of_files()?,
            Some(column) => self.sets_of_column(items, column, &mut split.notes)?,
        };
        let mut unlisted = BTreeSet::new();
        for (row, id) in items.ids.iter().enumerate() {
            match set_of.get(&id.track) {
                Some(SplitName::Train) => split.train.push(row),
                Some(SplitName::Valid) => split.valid.push(row),
                Some(SplitName::Test) => split.test.push(row),
                None => {
                    unlisted.insert(id.track.as_str());
                }
            }
        }
        if !unlisted.is_empty() && self.column.is_none() {
            split.notes.push(format!("{} tracks are in no list and are not used", unlisted.len()));
        }
        split.notes.extend(absent(items, &set_of));
        Ok(split)
    }

    fn sets_of_files(&self) -> Result<BTreeMap<String, SplitName>, SplitError> {
        let mut set_of: BTreeMap<String, SplitName> = BTreeMap::new();
        for (set, path) in self.sets() {
            let text = std::fs::read_to_string(path)
                .map_err(|error| SplitError::List(format!("{path}: {error}")))?;
            for track in text.lines().filter_map(track) {
                if let Some(other) = set_of.insert(track.clone(), set).filter(|other| *other != set)
                {
                    let message = format!("{path}: {track} is also in the {other} list");
                    return Err(SplitError::List(message));
                }
            }
        }
        Ok(set_of)
    }

    /// Assigns sets by a column; tracks outside the sets are counted by their cell.
    fn sets_of_column(
        &self,
        items: Items,
        column: &str,
        notes: &mut Vec<String>,
    ) -> Result<BTreeMap<String, SplitName>, SplitError> {
        let cells = items.column(column)?;
        let set = |cell: &str| self.sets().find(|(_, name)| *name == cell).map(|(set, _)| set);
        let mut others: BTreeMap<&str, usize> = BTreeMap::new();
        let tracks: BTreeSet<&str> = items.ids.iter().map(|id| id.track.as_str()).collect();
        for track in tracks {
            let cell = cells.get(track).map_or("", String::as_str);
            if set(cell).is_none() {
                *others.entry(cell).or_default() += 1;
            }
        }
        notes.extend(others.into_iter().map(|(cell, n)| match cell {
            "" => format!("{n} tracks are in no set of {column} and are not used"),
            _ => format!("{n} tracks are `{cell}` in {column} and are not used"),
        }));
        Ok(cells.iter().filter_map(|(track, cell)| Some((track.clone(), set(cell)?))).collect())
    }
}

/// Reports listed tracks that do not exist in the dataset.
fn absent(items: Items, set_of: &BTreeMap<String, SplitName>) -> Option<String> {
    let tracks: BTreeSet<&str> = items.ids.iter().map(|id| id.track.as_str()).collect();
    let absent: Vec<String> = set_of
        .iter()
        .filter(|(track, _)| !tracks.contains(track.as_str()))
        .map(|(track, set)| format!("{track} ({set})"))
        .collect();
    let shown = absent.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    let more = if absent.len() > MOST_NAMES { ", …" } else { "" };
    (!absent.is_empty()).then(|| {
        format!("{} listed tracks do not exist in the dataset: {shown}{more}", absent.len())
    })
}

/// Returns the track in a line: `blues/blues.00029.wav` is `blues.00029`; nothing for comments and
/// blank lines.
fn track(line: &str) -> Option<String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let name = line.rsplit(['/', '\\']).next().unwrap_or(line);
    let stem = [".wav", ".au", ".flac", ".mp3", ".ogg"]
        .iter()
        .find_map(|extension| name.strip_suffix(extension));
    Some(stem.unwrap_or(name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};
    use crate::split::tests::{Owned, examples};

    fn list(folder: &Path, name: &str, text: &str) -> String {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    #[test]
    fn tracks_go_where_the_lists_say_and_the_rest_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let listed = Listed {
            column: None,
            train: list(folder.path(), "train", "# ours\nc0/c0.0.wav\nc0.9\n"),
            valid: None,
            test: list(folder.path(), "test", "c1/c1.0.au\n"),
        };
        let split = listed.divide(examples(2, 2, 2).items()).unwrap();
        assert_eq!(split.train, [0, 1]);
        assert_eq!(split.test, [4, 5]);
        assert_eq!(
            split.notes,
            [
                "2 tracks are in no list and are not used",
                "1 listed tracks do not exist in the dataset: c0.9 (train)"
            ]
        );
        let hash = listed.files_hash();
        list(folder.path(), "test", "c1/c1.1.au\n");
        assert_ne!(hash, listed.files_hash(), "a list that changes is another split");
    }

    #[test]
    fn a_track_in_two_lists_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let listed = Listed {
            column: None,
            train: list(folder.path(), "train", "c0.0\n"),
            valid: None,
            test: list(folder.path(), "test", "c0.0\n"),
        };
        let error = listed.divide(examples(2, 2, 2).items()).unwrap_err().to_string();
        assert!(error.ends_with("c0.0 is also in the train list"), "{error}");
    }

    fn with_column(cells: &[(&str, &str)]) -> Owned {
        let mut owned = examples(2, 3, 1);
        owned.columns.add("filtered", cells.iter().copied()).unwrap();
        owned
    }

    fn parsed(text: &str) -> Result<Listed, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, Listed::read).map(|(listed, _)| listed).map_err(|faults| faults.to_string())
    }

    #[test]
    fn a_column_says_who_is_where_and_the_rest_is_counted_by_what_it_says() {
        let owned = with_column(&[
            ("c0.0", "train"),
            ("c0.1", "valid"),
            ("c0.2", "test"),
            ("c1.0", "train"),
            ("c1.1", "none"),
            ("c9.9", "train"),
        ]);
        let listed = parsed("column = \"filtered\"").unwrap();
        let split = listed.divide(owned.items()).unwrap();
        assert_eq!((split.train, split.valid, split.test), (vec![0, 3], vec![1], vec![2]));
        assert_eq!(
            split.notes,
            [
                "1 tracks are in no set of filtered and are not used",
                "1 tracks are `none` in filtered and are not used",
                "1 listed tracks do not exist in the dataset: c9.9 (train)"
            ]
        );
        assert_eq!(listed.describe(), "as published (filtered)");
    }

    #[test]
    fn sets_may_be_called_otherwise_and_none_twice() {
        let owned = with_column(&[("c0.0", "train"), ("c0.1", "valid"), ("c0.2", "test")]);
        let listed = parsed("column = \"filtered\"\ntest = \"valid\"").unwrap();
        let split = listed.divide(owned.items()).unwrap();
        assert_eq!((split.train, split.valid, split.test), (vec![0], vec![], vec![1]));
        assert_eq!(
            listed.describe(),
            "as published (filtered): train `train`, valid `none`, test `valid`"
        );
        assert_eq!(
            parsed("column = \"filtered\"\ntrain = \"a\"\ntest = \"a\"").unwrap_err(),
            "x.toml:3: test must differ from train, found \"a\""
        );
        assert_eq!(
            parsed("column = \"filtered\"\nvalid = \"test\"").unwrap_err(),
            "x.toml:2: valid must differ from train and test, found \"test\""
        );
    }
}
