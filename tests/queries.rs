//! The queries of docs/records.md, in Python and R, on the files of a small project.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{edit, ok, project, repository};

/// The blocks of the page in one language.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(repository().join("docs/records.md")).unwrap();
    let begin = format!("\n```{language}\n");
    let blocks = text.split(&begin).skip(1);
    blocks.map(|block| block.split("\n```").next().unwrap().to_owned()).collect()
}

/// A project with a page of two experiments.
fn with_page() -> tempfile::TempDir {
    let home = project();
    edit(&home.path().join("datasets/synth-songs.toml"), "n_rows = 8576", "n_rows = 300");
    ok(home.path(), &["run", "spotify-logistic", "--seeds", "1,2"]);
    ok(home.path(), &["run", "spotify-dense", "--seeds", "1", "--set", "training.epochs=3"]);
    ok(home.path(), &["report", "--all-versions"]);
    home
}

/// Runs a script with `encore` on the path, and returns what it printed.
fn run(project: &Path, program: &str, option: &str, script: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_encore")).parent().map(PathBuf::from);
    let others = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(folder.into_iter().chain(env::split_paths(&others))).unwrap();
    let mut command = Command::new(program);
    let output = command.args([option, script]).current_dir(project).env("PATH", path).output();
    let output = output.unwrap_or_else(|error| panic!("{program}: {error}"));
    let [out, error] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    assert!(output.status.success(), "{script}\n{error}");
    out
}

#[test]
#[ignore = "needs Python with duckdb, pandas and pyarrow"]
fn the_queries_in_python_work() {
    let home = with_page();
    let python = env::var("ENCORE_PYTHON").unwrap_or("python3".to_owned());
    let blocks = blocks("python");
    assert_eq!(blocks.len(), 3);
    let said: Vec<String> =
        blocks.iter().map(|block| run(home.path(), &python, "-c", block)).collect();
    for (said, parts) in said.iter().zip([
        ["spotify-logistic", "spread"],
        ["spotify-logistic", "train_loss"],
        ["timings.fit_s", "spotify-dense"],
    ]) {
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?}\nis not in\n{said}");
    }
}

#[test]
#[ignore = "needs R with the package arrow"]
fn the_query_in_r_works() {
    let home = with_page();
    let blocks = blocks("r");
    assert_eq!(blocks.len(), 1);
    let said = run(home.path(), "Rscript", "-e", &blocks[0]);
    assert!(said.contains("spotify-logistic"), "{said}");
}
