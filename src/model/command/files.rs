//! The files that a program consists of, found by patterns.
//!
//! `*` stands for any part of a name, `?` for one character, `**` for any number of folders. Patterns
//! find no hidden files, unless they name the dot.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::schema::{Node, Rule, Value};
use crate::vocab::{is_path_inside, sha256_hex};

/// Files of one program, at most: a pattern that finds more finds data, not code.
const MAX_FILES: usize = 10_000;

/// A pattern of files in the project.
pub(super) struct Pattern;

impl Rule for Pattern {
    type Made = String;

    fn allowed(&self) -> String {
        "a pattern of files, e.g. \"models/*.py\"".to_owned()
    }

    fn check(&self, node: &Node) -> Result<String, Option<String>> {
        match &node.value {
            Value::Text(text) if is_path_inside(text) => Ok(text.clone()),
            Value::Text(text) => {
                Err(Some(format!("must be paths in the project, without `..`, found `{text}`")))
            }
            _ => Err(None),
        }
    }

    fn keep(&self, made: &String) -> serde_json::Value {
        made.as_str().into()
    }

    fn schema(&self) -> serde_json::Value {
        serde_json::json!({ "type": "string" })
    }

    fn stand_in(&self) -> String {
        String::new()
    }
}

/// Finds the files of all patterns and those that arguments name; the SHA-256 of each by its path.
pub(super) fn find(
    project: &Path,
    patterns: &[String],
    arguments: &[String],
) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    for pattern in patterns {
        let mut parts: Vec<&str> = pattern.split('/').collect();
        if parts.last() == Some(&"**") {
            parts.push("*");
        }
        let n_before = found.len();
        let mut n_again = 0;
        let mut add = |path: &str| {
            n_again += usize::from(found.contains_key(path));
            insert(project, path, &mut found)
        };
        walk(project, "", &parts, &mut add)?;
        if found.len() == n_before && n_again == 0 {
            return Err(format!("`{pattern}` matches no file in {}", shown(project)));
        }
    }
    for argument in arguments {
        let path = argument.strip_prefix("./").unwrap_or(argument);
        if is_path_inside(path) && project.join(path).is_file() {
            insert(project, path, &mut found)?;
        }
    }
    Ok(found)
}

fn shown(project: &Path) -> String {
    if project.as_os_str().is_empty() { ".".to_owned() } else { project.display().to_string() }
}

fn insert(project: &Path, path: &str, found: &mut BTreeMap<String, String>) -> Result<(), String> {
    if found.contains_key(path) {
        return Ok(());
    }
    if found.len() == MAX_FILES {
        return Err(format!("matches more than {MAX_FILES} files"));
    }
    let bytes = fs::read(project.join(path)).map_err(|error| format!("{path}: {error}"))?;
    found.insert(path.to_owned(), sha256_hex(&bytes));
    Ok(())
}

/// Calls `add` for every file below a folder that the parts of a pattern match.
fn walk(
    project: &Path,
    folder: &str,
    parts: &[&str],
    add: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<(), String> {
    let Some((part, rest)) = parts.split_first() else { return Ok(()) };
    let path =
        |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    if !part.contains(['*', '?']) {
        // A fixed name is looked up, so that a large folder is not listed for it.
        let path = path(part);
        return match project.join(&path) {
            full if rest.is_empty() && full.is_file() => add(&path),
            full if !rest.is_empty() && full.is_dir() => walk(project, &path, rest, add),
            _ => Ok(()),
        };
    }
    if *part == "**" {
        walk(project, folder, rest, add)?;
    }
    let here = project.join(folder);
    let entries = fs::read_dir(if here.as_os_str().is_empty() { Path::new(".") } else { &here });
    let mut names: Vec<String> = entries
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.') || part.starts_with('.'))
        .collect();
    names.sort();
    for name in names {
        let path = path(&name);
        let full = project.join(&path);
        if *part == "**" {
            // Links could lead round in circles.
            if full.is_dir() && !full.is_symlink() && name != "__pycache__" {
                walk(project, &path, parts, add)?;
            }
        } else if matches(part.as_bytes(), name.as_bytes()) {
            match rest.is_empty() {
                true if full.is_file() => add(&path)?,
                false if full.is_dir() => walk(project, &path, rest, add)?,
                _ => {}
            }
        }
    }
    Ok(())
}

/// Whether a name matches a pattern of `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|start| matches(rest, &name[start..])),
        (Some((b'?', rest)), Some((_, name))) => matches(rest, name),
        (Some((letter, rest)), Some((first, name))) => letter == first && matches(rest, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_found_by_patterns_and_as_arguments() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a.py", "m/b.py", "m/c.txt", "m/deep/d.py", "m/.hidden.py", "m/x/y/e.py"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        let found = |patterns: &[&str], arguments: &[&str]| {
            let texts = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
            find(folder.path(), &texts(patterns), &texts(arguments))
                .map(|found| found.into_keys().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(
            found(&["m/*.py"], &["python", "./a.py", "m/c.txt", "/etc", "-x"]).unwrap(),
            "a.py m/b.py m/c.txt"
        );
        assert_eq!(found(&["**/*.py"], &[]).unwrap(), "a.py m/b.py m/deep/d.py m/x/y/e.py");
        assert_eq!(found(&["m/?.*", "m/b.py"], &[]).unwrap(), "m/b.py m/c.txt");
        assert_eq!(found(&["m/.*.py"], &[]).unwrap(), "m/.hidden.py");
        assert_eq!(found(&["m/*/d.py", "m/x/**"], &[]).unwrap(), "m/deep/d.py m/x/y/e.py");
        assert!(found(&["m/*.jl"], &[]).unwrap_err().starts_with("`m/*.jl` matches no file in "));
    }

    #[test]
    fn hashes_are_those_of_the_bytes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "x").unwrap();
        let found = find(folder.path(), &["a".to_owned()], &[]).unwrap();
        assert_eq!(found["a"], sha256_hex(b"x"));
    }
}
