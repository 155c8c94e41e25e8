//! `[split.listed]`: as published lists of tracks say, one track a line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{Items, Split, SplitError};
use crate::schema::{Fields, Text};
use crate::vocab::SplitName;

/// Lists of tracks, one file a set, paths from the working folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    train: String,
    valid: Option<String>,
    test: String,
}

impl Listed {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let listed = Self {
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
                    &format!("must be a file of tracks, got {:?}", path.expect("some")),
                );
            }
        }
        listed
    }

    pub(super) fn describe(&self) -> String {
        let valid = self.valid.as_deref().unwrap_or("none");
        format!("published lists: train {}, valid {valid}, test {}", self.train, self.test)
    }

    pub(super) fn divide(&self, items: Items) -> Result<Split, SplitError> {
        let sets = [
            (SplitName::Train, Some(&self.train)),
            (SplitName::Valid, self.valid.as_ref()),
            (SplitName::Test, Some(&self.test)),
        ];
        let mut set_of: BTreeMap<String, SplitName> = BTreeMap::new();
        for (set, path) in sets {
            let Some(path) = path else { continue };
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
        let mut split = Split { train: vec![], valid: vec![], test: vec![], notes: vec![] };
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
        let tracks: BTreeSet<&str> = items.ids.iter().map(|id| id.track.as_str()).collect();
        let absent = set_of.keys().filter(|track| !tracks.contains(track.as_str())).count();
        if !unlisted.is_empty() {
            split
                .notes
                .push(format!("{} tracks are in no list and serve for nothing", unlisted.len()));
        }
        if absent > 0 {
            split.notes.push(format!("{absent} listed tracks are not in the dataset"));
        }
        Ok(split)
    }
}

/// The track that a line names: `blues/blues.00029.wav` is `blues.00029`; comments and blanks none.
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
    use crate::split::tests::examples;

    fn list(folder: &Path, name: &str, text: &str) -> String {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    #[test]
    fn tracks_go_where_the_lists_say_and_the_rest_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let listed = Listed {
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
                "2 tracks are in no list and serve for nothing",
                "1 listed tracks are not in the dataset"
            ]
        );
    }

    #[test]
    fn a_track_in_two_lists_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let listed = Listed {
            train: list(folder.path(), "train", "c0.0\n"),
            valid: None,
            test: list(folder.path(), "test", "c0.0\n"),
        };
        let error = listed.divide(examples(2, 2, 2).items()).unwrap_err().to_string();
        assert!(error.ends_with("c0.0 is also in the train list"), "{error}");
    }
}
