//! `schema`, `completions`, `man`: what editors and shells want to know.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use serde_json::Value;

use super::arguments::{Arguments, SchemaKind};
use super::{Done, Failure, json};
use crate::dataset::Manifest;
use crate::disk;
use crate::experiment::{ProjectSettings, Spec};

/// Pages with a row for every key: what editors show of a key is what the documentation says.
const SPEC_KEYS: &str = include_str!("../../docs/keys.md");
const MANIFEST_KEYS: &str = include_str!("../../docs/manifests.md");

const KINDS: [SchemaKind; 3] = [SchemaKind::Spec, SchemaKind::Manifest, SchemaKind::Project];

impl SchemaKind {
    fn text(self) -> String {
        format!("{:#}\n", self.schema())
    }

    fn schema(self) -> Value {
        match self {
            Self::Spec => Spec::json_schema(|path| meaning(SPEC_KEYS, path)),
            Self::Manifest => Manifest::json_schema(|path| meaning(MANIFEST_KEYS, path)),
            Self::Project => ProjectSettings::json_schema(|path| meaning(SPEC_KEYS, path)),
        }
    }

    fn file(self) -> &'static str {
        match self {
            Self::Spec => "spec.schema.json",
            Self::Manifest => "manifest.schema.json",
            Self::Project => "project.schema.json",
        }
    }

    /// The files that it is about.
    fn files(self) -> &'static str {
        match self {
            Self::Spec => "experiments/**/*.toml",
            Self::Manifest => "datasets/*.toml",
            Self::Project => "encore.toml",
        }
    }
}

/// Prints one JSON Schema, or writes all into a folder.
pub(super) fn schema(kind: Option<SchemaKind>, out: Option<&Path>) -> Done {
    json::put("schema", kind.map(SchemaKind::schema));
    let files = out.iter().flat_map(|out| KINDS.map(|kind| out.join(kind.file())));
    json::put("files", files.map(|file| file.display().to_string()).collect::<Vec<_>>());
    match (kind, out) {
        (Some(kind), None) => print!("{}", kind.text()),
        (None, Some(folder)) => {
            std::fs::create_dir_all(folder)?;
            for kind in KINDS {
                let path = folder.join(kind.file());
                disk::write_whole(&path, kind.text().as_bytes())?;
                println!("wrote {}", path.display());
            }
            println!(
                "\nfor editors that use taplo, put this into .taplo.toml in the project's folder:"
            );
            for kind in KINDS {
                let path = folder.join(kind.file());
                println!("\n[[rule]]\ninclude = [\"{}\"]", kind.files());
                println!("schema = {{ path = {:?} }}", path.display().to_string());
            }
        }
        _ => {
            let message = "name one of spec, manifest and project, or write all of them: --out DIR";
            return Err(Failure::Usage(message.to_owned()));
        }
    }
    Ok(())
}

/// Prints the completion script of a shell.
pub(super) fn completions(shell: clap_complete::Shell) {
    let mut script = vec![];
    clap_complete::generate(shell, &mut Arguments::command(), "encore", &mut script);
    let script = String::from_utf8_lossy(&script);
    json::put("script", &script);
    print!("{script}");
}

/// Writes a man page for encore and for each of its commands into a folder.
pub(super) fn man(folder: &Path) -> Done {
    std::fs::create_dir_all(folder)?;
    let mut command = Arguments::command();
    command.build();
    let mut pages = vec![];
    collect("encore", &command, &mut pages)?;
    for (name, page) in &pages {
        disk::write_whole(&folder.join(name), page)?;
    }
    println!("wrote {} man pages to {}", pages.len(), folder.display());
    let files = pages.iter().map(|(name, _)| folder.join(name).display().to_string());
    json::put("files", files.collect::<Vec<_>>());
    Ok(())
}

/// Appends the page of a command and those of its subcommands that are not hidden.
fn collect(
    name: &str,
    command: &Command,
    pages: &mut Vec<(PathBuf, Vec<u8>)>,
) -> std::io::Result<()> {
    let mut page = vec![];
    clap_mangen::Man::new(command.clone()).title(name).render(&mut page)?;
    page.flush()?;
    pages.push((format!("{name}.1").into(), page));
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        if inner.get_name() != "help" {
            collect(&format!("{name}-{}", inner.get_name()), inner, pages)?;
        }
    }
    Ok(())
}

/// What a page of keys says about the key at a path: its tables have a row for every key, below the
/// heading of the key's table. One heading may name several tables.
fn meaning(page: &str, path: &str) -> Option<String> {
    let mut sections = vec![];
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            sections = title.split(", ").map(section_of).collect();
        }
        let Some((key, meaning)) = line.strip_prefix("| `").and_then(|row| row.split_once("` |"))
        else {
            continue;
        };
        if sections.iter().any(|section| path.strip_prefix(section.as_str()) == Some(key)) {
            let meaning = meaning.trim().trim_end_matches('|').trim();
            return Some(meaning.replace('`', ""));
        }
    }
    None
}

/// The beginning of the paths of a heading's keys: `model.cnn.` of `[model.cnn]`.
fn section_of(title: &str) -> String {
    let name = title.trim_matches('`');
    let path = name.trim_matches(['[', ']']);
    match name {
        _ if name.starts_with("[[") => format!("{path}[]."),
        _ if name.starts_with('[') => format!("{path}."),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_means_what_its_row_says() {
        let page = "# P\n\n## Top level\n\n| key | meaning |\n|---|---|\n| `title` | a headline |\n\n\
                    ## `[model.cnn]`\n\n| `title` | `x` or y |\n\n## `[[claims]]`\n\n| `value` | v |\n";
        let meaning = |path: &str| meaning(page, path);
        assert_eq!(meaning("title").as_deref(), Some("a headline"));
        assert_eq!(meaning("model.cnn.title").as_deref(), Some("x or y"));
        assert_eq!(meaning("claims[].value").as_deref(), Some("v"));
        assert_eq!(meaning("claims[].title"), None);
    }
}
