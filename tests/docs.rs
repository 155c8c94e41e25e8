//! Runs the commands in the documentation, as a reader would.
//!
//! Every `sh` block of `README.md` and `docs/*.md` runs in a fresh project with synthetic data, the blocks of a
//! page in their order. A `console` block needs a network, real data or a long training: of it, only the
//! subcommands and flags are checked.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Pages with the number of their `sh` and `console` blocks. A new block is a new number here.
const PAGES: &[(&str, usize, usize)] = &[
    ("README.md", 4, 2),
    ("docs/augment.md", 1, 0),
    ("docs/commands.md", 0, 3),
    ("docs/curves.md", 3, 1),
    ("docs/data.md", 7, 6),
    ("docs/ensembles.md", 0, 1),
    ("docs/exports.md", 3, 1),
    ("docs/foreign.md", 2, 1),
    ("docs/json.md", 1, 0),
    ("docs/keys.md", 0, 0),
    ("docs/manifests.md", 0, 0),
    ("docs/nets.md", 0, 0),
    ("docs/onnx.md", 0, 0),
    ("docs/predict.md", 1, 2),
    ("docs/projects.md", 3, 0),
    ("docs/records.md", 4, 0),
    ("docs/robust.md", 0, 2),
    ("docs/runs.md", 4, 0),
    ("docs/serve.md", 2, 1),
    ("docs/similar.md", 3, 2),
    ("docs/specs.md", 4, 0),
    ("docs/speed.md", 0, 1),
    ("docs/spotify.md", 0, 1),
    ("docs/statistics.md", 2, 1),
    ("docs/sweeps.md", 0, 1),
    ("docs/targets.md", 1, 1),
    ("docs/training.md", 3, 4),
];
const PROGRAM: &str = env!("CARGO_BIN_EXE_encore");

#[test]
fn every_command_of_the_documentation_works() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<String> = fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"))
        .map(|name| format!("docs/{name}"))
        .chain(["README.md".to_owned()])
        .collect();
    pages.sort();
    let known: Vec<&str> = PAGES.iter().map(|(page, ..)| *page).collect();
    assert_eq!(pages, known, "every page is listed in PAGES");
    for &(page, n_sh, n_console) in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let (sh, console) = (blocks(&text, "sh"), blocks(&text, "console"));
        assert_eq!((sh.len(), console.len()), (n_sh, n_console), "{page}: blocks seen");
        let project = project(root);
        for block in &sh {
            let output = run(project.path(), block);
            assert!(output.status.success(), "{page}\n{block}\n{}", stderr(&output));
        }
        for line in console.iter().flat_map(|block| block.lines()) {
            check(project.path(), line).unwrap_or_else(|fault| panic!("{page}: {line}\n{fault}"));
        }
    }
}

/// The tables of these pages have a row for every key that the readers ask for, and no other.
#[test]
fn the_pages_of_keys_list_every_key() {
    let project =
        ["project", "project.title", "project.text", "project.groups", "project.groups[].title"];
    let spec = encore::experiment::Spec::keys().into_keys();
    let spec =
        spec.chain(project.map(str::to_owned)).chain(["project.groups[].experiments".to_owned()]);
    let spec: Vec<String> = spec.filter(|key| key != "project").collect();
    lists_all("docs/keys.md", &spec, 200);
    let manifest: Vec<String> = encore::dataset::Manifest::keys().into_keys().collect();
    lists_all("docs/manifests.md", &manifest, 80);
}

fn lists_all(page: &str, known: &[String], at_least: usize) {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let (mut sections, mut listed) = (vec![], vec![]);
    let section = |title: &str| match title.trim_matches('`') {
        title if title.starts_with("[[") => format!("{}[].", title.trim_matches(['[', ']'])),
        title if title.starts_with('[') => format!("{}.", title.trim_matches(['[', ']'])),
        _ => String::new(),
    };
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            sections = title.split(", ").map(section).collect();
        }
        if let Some(row) = line.strip_prefix("| `") {
            let (key, meaning) = row.split_once("` |").unwrap();
            for section in &sections {
                assert!(meaning.trim().len() > 5, "{section}{key} has no meaning");
                listed.push(format!("{section}{key}"));
            }
        }
    }
    listed.sort();
    assert!(known.len() > at_least, "{page}: {}", known.len());
    let missing: Vec<&String> = known.iter().filter(|key| !listed.contains(key)).collect();
    let unknown: Vec<&String> = listed.iter().filter(|key| !known.contains(key)).collect();
    assert_eq!((missing, unknown), (vec![], vec![]), "{page}: keys without a row, rows of no key");
    assert_eq!(listed.len(), known.len(), "{page}: rows listed twice");
}

#[test]
fn a_wrong_subcommand_or_flag_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let said = |line: &str| check(folder.path(), line);
    assert_eq!(said("$ encore reproduce --quick     # a comment"), Ok(()));
    assert_eq!(said("$ cargo run --release -- run cnn-3 --seeds 1"), Ok(()));
    assert_eq!(said("$ cargo test --release"), Ok(()));
    assert!(said("$ encore reproduce --qick").unwrap_err().contains("--qick"));
    assert!(said("$ encore dat list").unwrap_err().contains("dat"));
    assert!(said("$ cargo run --release -- run cnn-3 --seeds one").unwrap_err().contains("one"));
    assert!(said("encore list").unwrap_err().contains("`$ `"));
}

/// Returns the contents of all fenced blocks with this info string.
fn blocks(text: &str, info: &str) -> Vec<String> {
    let (mut blocks, mut open): (Vec<String>, Option<bool>) = (vec![], None);
    for line in text.lines() {
        match (line.strip_prefix("```"), open) {
            (Some(found), None) => {
                open = Some(found == info);
                if found == info {
                    blocks.push(String::new());
                }
            }
            (Some(_), Some(_)) => open = None,
            (None, Some(true)) => *blocks.last_mut().unwrap() += &format!("{line}\n"),
            (None, _) => {}
        }
    }
    assert_eq!(open, None, "a block is never closed");
    blocks
}

/// Runs a block as a shell script with `encore` on the path; it stops at the first command that
/// fails.
fn run(project: &Path, script: &str) -> Output {
    let folders = Path::new(PROGRAM).parent().map(PathBuf::from).into_iter();
    let others = env::var_os("PATH").unwrap_or_default();
    let path: OsString = env::join_paths(folders.chain(env::split_paths(&others))).unwrap();
    let mut command = Command::new("sh");
    command.args(["-euc", script]).current_dir(project).env("PATH", path).output().unwrap()
}

/// Checks the subcommand and flags of a console line: with `--help` at its end, a command does
/// nothing else.
fn check(folder: &Path, line: &str) -> Result<(), String> {
    let line = line.strip_prefix("$ ").ok_or("a console line begins with `$ `")?;
    let line = line.split(" #").next().unwrap().trim();
    let words: Vec<&str> = line.split_whitespace().collect();
    let arguments = match words.as_slice() {
        ["encore", arguments @ ..] | ["cargo", "run", "--release", "--", arguments @ ..] => {
            arguments
        }
        ["cargo" | "export", ..] => return Ok(()),
        _ => return Err("expected a command of encore or cargo".to_owned()),
    };
    let mut command = Command::new(PROGRAM);
    let output = command.current_dir(folder).args(arguments).arg("--help").output().unwrap();
    if output.status.success() { Ok(()) } else { Err(stderr(&output)) }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Creates a project with the committed experiments and datasets, and nothing imported.
fn project(root: &Path) -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    for folder in ["experiments", "datasets"] {
        copy(&root.join(folder), &project.path().join(folder));
    }
    project
}

/// Copies the TOML and CSV files of a folder and its subfolders.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        let is_ignored = ["imported", "downloads", "cache"].iter().any(|name| path.ends_with(name));
        if path.is_dir() && !is_ignored {
            copy(&path, &target);
        } else if path.extension().is_some_and(|kind| kind == "toml" || kind == "csv") {
            fs::copy(&path, target).unwrap();
        }
    }
}
