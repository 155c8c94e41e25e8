//! The folder of specs.

use std::path::{Path, PathBuf};

use crate::schema::{Fault, Faults};
use crate::vocab::{is_plain_name, name_hint};

/// The specs of encore's own repository, which are part of the program, as (file, text).
static BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/specs.rs"));

/// All specs of an `experiments/` folder.
#[derive(Debug, Clone)]
pub struct Library {
    folder: PathBuf,
    names: Vec<String>,
    /// Sub-folders that can't be read.
    unreadable: Vec<Fault>,
}

impl Library {
    /// Lists the specs of a folder, its sub-folders included: `honest/cnn-3` is a name. Hidden files
    /// and folders are ignored. [`Self::unreadable`] has the sub-folders that can't be read.
    ///
    /// # Errors
    /// Where the folder can't be read.
    pub fn open(folder: &Path) -> Result<Self, Faults> {
        let (mut names, mut unreadable) = (vec![], vec![]);
        list(folder, "", &mut names, &mut unreadable).map_err(|error| {
            let message = format!(
                "cannot be read: {error}\nhint: run encore in a project, or make one: encore init"
            );
            Faults(vec![Fault { origin: folder.display().to_string(), line: 0, message }])
        })?;
        names.sort();
        Ok(Self { folder: folder.to_owned(), names, unreadable })
    }

    /// Sub-folders that can't be read, with the reasons.
    #[must_use]
    pub fn unreadable(&self) -> &[Fault] {
        &self.unreadable
    }

    /// The experiments' names, sorted.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The file of an experiment: by name, or by a path to a spec.
    ///
    /// # Errors
    /// A sentence that names the nearest known experiment.
    pub fn find(&self, name: &str) -> Result<(String, PathBuf), String> {
        if self.names.iter().any(|known| known == name) {
            return Ok((name.to_owned(), self.folder.join(format!("{name}.toml"))));
        }
        let path = Path::new(name);
        if path.extension().is_some_and(|extension| extension == "toml") && path.is_file() {
            return Ok((self.name_of(path), path.to_owned()));
        }
        if built_in(name).is_some() {
            return Err(format!(
                "experiment `{name}` is built into encore, but not part of this project\n\
                 hint: encore new {name} --from {name}"
            ));
        }
        Err(unknown(name, self.names.iter().map(String::as_str)))
    }

    /// The name and the text of a spec: one of the folder, by name or by a path to it, or a built-in one.
    ///
    /// # Errors
    /// Where there is none, or it can't be read.
    pub fn text(&self, name: &str) -> Result<(String, String), String> {
        match (self.find(name), built_in(name)) {
            (Ok((name, path)), _) => match std::fs::read_to_string(&path) {
                Ok(text) => Ok((name, text)),
                Err(error) => Err(format!("{}: {error}", path.display())),
            },
            (Err(_), Some(text)) => Ok((name.to_owned(), text.to_owned())),
            (Err(_), None) => {
                let built_in = BUILT_IN.iter().filter_map(|(file, _)| file.strip_suffix(".toml"));
                Err(unknown(name, self.names.iter().map(String::as_str).chain(built_in)))
            }
        }
    }

    /// The name of a spec's file, however its path was typed: a spec of the folder has its usual name,
    /// any other that of its file.
    fn name_of(&self, path: &Path) -> String {
        let file = path.file_name().map_or(path, Path::new);
        // Links are followed as far as the file's own name: a linked spec is one of the folder.
        let inside = || {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
            let inside = parent.strip_prefix(self.folder.canonicalize().ok()?).ok()?.join(file);
            Some(inside.with_extension("").to_string_lossy().into_owned())
        };
        let is_same = |name: &&String| {
            let known = self.folder.join(format!("{name}.toml")).canonicalize();
            matches!((known, path.canonicalize()), (Ok(known), Ok(typed)) if known == typed)
        };
        inside()
            .filter(|name| self.names.contains(name))
            .or_else(|| self.names.iter().find(is_same).cloned())
            .unwrap_or_else(|| file.with_extension("").to_string_lossy().into_owned())
    }

    /// Where a new experiment's file goes.
    ///
    /// # Errors
    /// Where the name is taken or makes no file name.
    pub fn new_file(&self, name: &str) -> Result<PathBuf, String> {
        if !name.split('/').all(is_plain_name) {
            return Err(format!("invalid name `{name}`: use letters, digits, `-`, `_` and `.`"));
        }
        if self.names.iter().any(|known| known == name) {
            return Err(format!("experiment `{name}` already exists"));
        }
        Ok(self.folder.join(format!("{name}.toml")))
    }
}

/// The text of a built-in spec.
fn built_in(name: &str) -> Option<&'static str> {
    let file = BUILT_IN.iter().find(|(file, _)| file.strip_suffix(".toml") == Some(name));
    file.map(|(_, text)| *text)
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    format!("unknown experiment `{name}`; {}", name_hint(name, known))
}

/// Appends the names of the specs below a folder, and what can't be read there.
fn list(
    folder: &Path,
    prefix: &str,
    names: &mut Vec<String>,
    unreadable: &mut Vec<Fault>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
            continue;
        };
        // Hidden files are leftovers of editors and of copies to other systems.
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            let inside = if is_circle(folder, &path) {
                Err(std::io::Error::other("it is a link to a folder that contains it"))
            } else {
                list(&path, &format!("{prefix}{name}/"), names, unreadable)
            };
            if let Err(error) = inside {
                let origin = path.display().to_string();
                let message = format!("cannot be read: {error}");
                unreadable.push(Fault { origin, line: 0, message });
            }
        } else if let Some(stem) = name.strip_suffix(".toml") {
            names.push(format!("{prefix}{stem}"));
        }
    }
    Ok(())
}

/// Whether a path in a folder is a link to that folder or to one above it.
fn is_circle(folder: &Path, path: &Path) -> bool {
    let target = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    let folder = folder.canonicalize();
    target.is_some_and(|target| folder.is_ok_and(|folder| folder.starts_with(target)))
}

/// Derives the text of a new spec from another one, with a new title and without the claims.
#[must_use]
pub fn derive_spec(text: &str, from: &str, name: &str) -> String {
    let mut lines: Vec<String> = vec![];
    let mut in_claims = false;
    for line in text.lines() {
        if line.trim_start().starts_with('[') {
            in_claims = line.trim_start().starts_with("[[claims]]");
        }
        if in_claims {
            continue;
        }
        let key = line.split('=').next().unwrap_or_default().trim();
        match key {
            "title" => lines.push(format!("title = {:?}", format!("{name} (from {from})"))),
            "question" => lines.push("question = \"What does the change do?\"".to_owned()),
            _ => lines.push(line.to_owned()),
        }
    }
    while lines.last().is_some_and(|line| line.trim().is_empty()) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_holds_the_specs_of_the_repository() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
        let library = Library::open(&folder).unwrap();
        assert_eq!(library.names().len(), BUILT_IN.len(), "touch build.rs, then build again");
        for name in library.names() {
            let text = std::fs::read_to_string(folder.join(format!("{name}.toml"))).unwrap();
            assert_eq!(built_in(name), Some(text.as_str()), "{name}");
        }
        assert!(BUILT_IN.len() > 20);
    }

    #[test]
    fn a_new_spec_keeps_all_but_title_and_claims() {
        let text = "title = \"A\"\nseeds = [1]\n\n[[claims]]\nvalue = 1\n\n[training]\nepochs = 2\n\n\
                    [[claims]]\nvalue = 2\n";
        assert_eq!(
            derive_spec(text, "a", "b"),
            "title = \"b (from a)\"\nseeds = [1]\n\n[training]\nepochs = 2\n"
        );
    }

    #[test]
    fn names_are_found_in_sub_folders_and_by_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("honest")).unwrap();
        std::fs::write(folder.path().join("cnn-3.toml"), "").unwrap();
        std::fs::write(folder.path().join("honest/cnn-3.toml"), "").unwrap();
        let library = Library::open(folder.path()).unwrap();
        assert_eq!(library.names(), ["cnn-3", "honest/cnn-3"]);
        // However the path is typed; and through a link to the folder.
        let path = folder.path().join("honest/cnn-3.toml");
        let mut typed = vec![path.clone(), folder.path().join("./honest/../honest/cnn-3.toml")];
        #[cfg(unix)]
        {
            let link = folder.path().join("other.txt.toml");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            typed.push(link);
        }
        for path in typed {
            let found = library.find(path.to_str().unwrap()).unwrap().0;
            assert_eq!(found, "honest/cnn-3", "{}", path.display());
        }
        let elsewhere = tempfile::tempdir().unwrap();
        std::fs::write(elsewhere.path().join("mine.v2.toml"), "").unwrap();
        let path = elsewhere.path().join("mine.v2.toml");
        assert_eq!(library.find(path.to_str().unwrap()).unwrap().0, "mine.v2");
        assert_eq!(
            library.find("cnn3").unwrap_err(),
            "unknown experiment `cnn3`; did you mean `cnn-3`?"
        );
        assert!(library.new_file("../x").is_err());
        assert!(library.new_file("cnn-3").is_err());
        assert!(library.new_file("cnn-4").is_ok());
    }
}
