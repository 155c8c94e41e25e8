//! Which columns of a file, and which files of a folder, a manifest chooses by patterns.

use std::path::{Path, PathBuf};

use super::DatasetError;
use super::recipe::Rows;
use super::recordings::{entries, name, some_names};
use crate::schema::{Fields, Keyed, List, Node, Rule, Text, Value};

/// The value of `columns`: our names and the file's, or patterns.
#[derive(Debug, Default)]
pub(super) struct Choice {
    pub(super) columns: Vec<(String, String)>,
    pub(super) patterns: Vec<String>,
}

/// `{ tempo = "Tempo" }`, `"all"`, or `["mfcc*", "!mfcc1"]`.
pub(super) struct ChoiceRule;

impl Rule for ChoiceRule {
    type Made = Choice;

    fn allowed(&self) -> String {
        "a table whose values are each a text, \"all\", or a list of names and patterns".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Choice, Option<String>> {
        match &node.value {
            Value::Table(_) => Ok(Choice { columns: Keyed(Text).check(node)?, patterns: vec![] }),
            Value::List(_) => {
                Ok(Choice { columns: vec![], patterns: List::of_some(Text).check(node)? })
            }
            Value::Text(text) if text == "all" => {
                Ok(Choice { columns: vec![], patterns: vec!["*".to_owned()] })
            }
            _ => Err(None),
        }
    }

    fn keep(&self, made: &Choice) -> serde_json::Value {
        if made.patterns.is_empty() {
            Keyed(Text).keep(&made.columns)
        } else {
            List::of(Text).keep(&made.patterns)
        }
    }

    fn stand_in(&self) -> Choice {
        Choice::default()
    }
}

/// Whether a text matches a pattern: `*` stands for any characters, `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if pattern.get(p).is_some_and(|c| *c == '?' || *c == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((place, from)) = star {
            star = Some((place, from + 1));
            p = place + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// The names that match patterns, in their own order. A pattern after `!` removes names. Reports patterns
/// without a match.
fn chosen<'a>(patterns: &[String], names: &[&'a str]) -> Result<Vec<&'a str>, String> {
    let is_taken_out = |name: &str| {
        patterns.iter().filter_map(|pattern| pattern.strip_prefix('!')).any(|p| matches(p, name))
    };
    for pattern in patterns {
        let plain = pattern.strip_prefix('!').unwrap_or(pattern);
        if !names.iter().any(|name| matches(plain, name)) {
            return Err(pattern.clone());
        }
    }
    // Patterns that only take out begin with everything.
    let all = patterns.iter().all(|pattern| pattern.starts_with('!'));
    let is_chosen = |name: &&&str| {
        let mut wanted = patterns.iter().filter(|pattern| !pattern.starts_with('!'));
        (all || wanted.any(|pattern| matches(pattern, name))) && !is_taken_out(name)
    };
    Ok(names.iter().filter(is_chosen).copied().collect())
}

impl Rows {
    /// Reads `columns`.
    pub(super) fn read_choice(fields: &mut Fields) -> Choice {
        fields.required("columns", &ChoiceRule)
    }

    /// The numeric columns of a file with this header: our names, and the file's. Patterns choose among the
    /// columns that have no other role.
    ///
    /// # Errors
    /// If a pattern matches no column, or a setting is for a column that is not chosen.
    pub(super) fn columns_of(&self, header: &[String]) -> Result<Vec<(String, String)>, String> {
        if self.patterns.is_empty() {
            return Ok(self.columns.clone());
        }
        let has_role = |name: &str| {
            self.label.as_ref().is_some_and(|label| label.column == name)
                || self.id.iter().any(|id| id == name)
                || self.track_columns.iter().any(|(_, theirs)| theirs == name)
        };
        let free: Vec<&str> =
            header.iter().map(String::as_str).filter(|name| !has_role(name)).collect();
        let names = chosen(&self.patterns, &free).map_err(|pattern| {
            let names: Vec<String> = free.iter().map(|name| (*name).to_owned()).collect();
            let has = some_names(&names);
            format!("columns: no column matches {pattern:?}; the file has {has}")
        })?;
        let columns: Vec<(String, String)> =
            names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect();
        let set = self.cleaning.names().into_iter().chain(self.numerals.names());
        for (key, name) in set {
            if !names.contains(&name) {
                return Err(format!("{key} contains `{name}`, which is not in columns"));
            }
        }
        Ok(columns)
    }

    /// The files that are read as one table.
    ///
    /// # Errors
    /// If the path is a folder and should be a file, or the reverse, or if a pattern matches no file.
    pub(super) fn table_files(&self, from: &Path) -> Result<Vec<PathBuf>, DatasetError> {
        let odd = |message: String| DatasetError::Layout { path: from.to_owned(), message };
        match (self.files.is_empty(), from.is_dir()) {
            (true, false) => return Ok(vec![from.to_owned()]),
            (true, true) => {
                return Err(odd("is a folder; this dataset is one CSV or Parquet file\n\
                                hint: files = [\"*.csv\"] in the manifest's [table] reads all of a folder"
                    .to_owned()));
            }
            (false, false) => {
                let files = self.files.join(", ");
                return Err(odd(format!("is not a folder; this dataset is a folder with {files}")));
            }
            (false, true) => {}
        }
        let (paths, _) =
            entries(from).map_err(|source| DatasetError::Io { path: from.to_owned(), source })?;
        let mut paths: Vec<PathBuf> = paths.into_iter().filter(|path| path.is_file()).collect();
        paths.sort();
        let names: Vec<String> = paths.iter().map(|path| name(path)).collect();
        let texts: Vec<&str> = names.iter().map(String::as_str).collect();
        let files = chosen(&self.files, &texts).map_err(|pattern| {
            odd(format!("no file matches {pattern:?}; the folder has {}", some_names(&names)))
        })?;
        Ok(files.into_iter().map(|file| from.join(file)).collect())
    }
}

/// A file's name without the extensions of tables and of their packing.
pub(super) fn stem(path: &Path) -> String {
    let name = name(path);
    let cut = |name: &str, extensions: &[&str]| -> Option<String> {
        let (stem, extension) = name.rsplit_once('.')?;
        let is_known = extensions.iter().any(|known| known.eq_ignore_ascii_case(extension));
        (is_known && !stem.is_empty()).then(|| stem.to_owned())
    };
    let name = cut(&name, &["gz", "zip"]).unwrap_or(name);
    cut(&name, &["csv", "tsv", "txt", "parquet"]).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_and_take_out() {
        let of = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
            chosen(&patterns, &["mfcc1", "mfcc2", "tempo", "a*b"]).map(|names| names.join(" "))
        };
        assert_eq!(of(&["*"]).unwrap(), "mfcc1 mfcc2 tempo a*b");
        assert_eq!(of(&["mfcc?", "tempo"]).unwrap(), "mfcc1 mfcc2 tempo");
        assert_eq!(of(&["*", "!mfcc*"]).unwrap(), "tempo a*b");
        assert_eq!(of(&["!tempo"]).unwrap(), "mfcc1 mfcc2 a*b");
        assert_eq!(of(&["*e*o"]).unwrap(), "tempo");
        assert_eq!(of(&["mfc", "tempo"]), Err("mfc".to_owned()));
        assert!(matches("", "") && matches("**", "") && !matches("?", ""));
    }

    #[test]
    fn a_files_name_is_known_without_what_says_its_form() {
        for (name, wanted) in [
            ("rock.csv", "rock"),
            ("hip.hop.csv.gz", "hip.hop"),
            ("a.parquet", "a"),
            ("2000.5", "2000.5"),
            (".csv", ".csv"),
        ] {
            assert_eq!(stem(Path::new(name)), wanted);
        }
    }
}
