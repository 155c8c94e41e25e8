//! `encore.toml`: what a project says about its page.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::Library;
use crate::schema::{Fault, Faults, Fields, List, Text, Tree, json_schema, read};
use crate::vocab::name_hint;

/// The title of a page whose project gives none.
const TITLE: &str = "Experiments";

/// The settings of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSettings {
    /// The page's title.
    pub title: String,
    /// A paragraph below the title; empty for none.
    pub text: String,
    /// The rows of the page, in groups. Without groups, `reproduce` runs every experiment.
    pub groups: Vec<ProjectGroup>,
}

/// Experiments that belong together on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectGroup {
    /// The heading of their rows.
    pub title: String,
    /// Their names, in the order of the page.
    pub experiments: Vec<String>,
}

impl Default for ProjectSettings {
    fn default() -> Self {
        Self { title: TITLE.to_owned(), text: String::new(), groups: vec![] }
    }
}

impl ProjectSettings {
    /// The file's name, in the project's folder.
    pub const FILE: &str = "encore.toml";

    /// Reads the settings of a project; the defaults if it has no `encore.toml`.
    ///
    /// # Errors
    /// All faults of the file, for example experiments that are not in the library.
    pub fn read(project: &Path, library: &Library) -> Result<Self, Faults> {
        let path = project.join(Self::FILE);
        let origin = path.display().to_string();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                let message = format!("cannot be read: {error}");
                return Err(Faults(vec![Fault { origin, line: 0, message }]));
            }
        };
        Self::parse(&origin, &text, library)
    }

    fn parse(origin: &str, text: &str, library: &Library) -> Result<Self, Faults> {
        let tree = Tree::parse(origin, text)?;
        let (settings, _) = read(&tree, |file| Self::read_file(file, library.names()))?;
        Ok(settings)
    }

    fn read_file(file: &mut Fields, experiments: &[String]) -> Self {
        let read = |fields: &mut Fields| Self {
            title: fields.with_default("title", &Text, TITLE.to_owned()),
            text: fields.optional("text", &Text).unwrap_or_default(),
            groups: groups(fields, experiments),
        };
        file.table("project", read).unwrap_or_default()
    }

    /// The JSON Schema of the file; `meaning` says what the key at a path means.
    #[must_use]
    pub fn json_schema(meaning: impl Fn(&str) -> Option<String>) -> serde_json::Value {
        json_schema("encore project", |file| Self::read_file(file, &[]), meaning)
    }

    /// The experiments of all groups, in order.
    pub fn grouped(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flat_map(|group| &group.experiments).map(String::as_str)
    }

    /// The order of the page: the experiments of the groups, then all others of the library by name.
    #[must_use]
    pub fn order(&self, library: &Library) -> Vec<String> {
        let others = library.names().iter().map(String::as_str);
        let others = others.filter(|name| self.grouped().all(|grouped| grouped != *name));
        self.grouped().chain(others).map(str::to_owned).collect()
    }

    /// What `reproduce` runs: the experiments of the groups or, without groups, all.
    #[must_use]
    pub fn to_reproduce(&self, library: &Library) -> Vec<String> {
        if self.groups.is_empty() {
            return library.names().to_vec();
        }
        self.grouped().map(str::to_owned).collect()
    }
}

fn groups(fields: &mut Fields, experiments: &[String]) -> Vec<ProjectGroup> {
    let mut seen: Vec<String> = vec![];
    fields.each_table("groups", |fields| {
        let group = ProjectGroup {
            title: fields.required("title", &Text),
            experiments: fields.required("experiments", &List::of_some(Text)),
        };
        for name in &group.experiments {
            if seen.contains(name) {
                fields.fault_at("experiments", &format!("names `{name}` a second time"));
            }
            seen.push(name.clone());
            if !experiments.contains(name) {
                let hint = name_hint(name, experiments.iter().map(String::as_str));
                let message = format!("names the unknown experiment `{name}`; {hint}");
                fields.fault_at("experiments", &message);
            }
        }
        group
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(names: &[&str]) -> (tempfile::TempDir, Library) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(format!("{name}.toml")), "").unwrap();
        }
        let library = Library::open(folder.path()).unwrap();
        (folder, library)
    }

    #[test]
    fn groups_say_what_is_reproduced_and_in_which_order() {
        let (folder, library) = library(&["a", "b", "c"]);
        let text = "[project]\ntitle = \"Mine\"\ntext = \"Why.\"\n\n[[project.groups]]\n\
                    title = \"G\"\nexperiments = [\"c\", \"a\"]\n";
        fs::write(folder.path().join("encore.toml"), text).unwrap();
        let settings = ProjectSettings::read(folder.path(), &library).unwrap();
        assert_eq!((settings.title.as_str(), settings.text.as_str()), ("Mine", "Why."));
        assert_eq!(settings.to_reproduce(&library), ["c", "a"]);
        for nothing in ["", "[project]\n"] {
            let settings = ProjectSettings::parse("encore.toml", nothing, &library).unwrap();
            assert_eq!(settings, ProjectSettings::default());
            assert_eq!(settings.to_reproduce(&library), ["a", "b", "c"]);
        }
        let nowhere = folder.path().join("none");
        assert_eq!(ProjectSettings::read(&nowhere, &library).unwrap(), ProjectSettings::default());
    }

    #[test]
    fn all_faults_are_reported_with_their_lines() {
        let (_folder, library) = library(&["logistic", "dense"]);
        let text = "[project]\ntitel = \"Mine\"\n\n[[project.groups]]\ntitle = \"G\"\n\
                    experiments = [\"dense\", \"logistik\", \"dense\"]\n";
        let Faults(faults) = ProjectSettings::parse("encore.toml", text, &library).unwrap_err();
        let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "encore.toml:2: project.titel is an unknown key; did you mean `title`?",
                "encore.toml:6: project.groups[0].experiments names the unknown experiment \
                 `logistik`; did you mean `logistic`?",
                "encore.toml:6: project.groups[0].experiments names `dense` a second time",
            ]
        );
    }
}
