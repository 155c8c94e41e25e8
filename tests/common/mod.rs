//! Helpers for all tests: a project to work in, the program, its files, and waiting for events.

pub mod api;
pub mod downloads;
pub mod events;
#[cfg(unix)]
pub mod kills;
pub mod preload;
pub mod server;
pub mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The root of our own repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Creates a project with our experiments and datasets, and nothing imported.
pub fn project() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for folder in ["experiments", "datasets"] {
        fs::create_dir(home.path().join(folder)).unwrap();
        for entry in fs::read_dir(repository().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml" || extension == "csv") {
                let to = home.path().join(folder).join(path.file_name().unwrap());
                fs::copy(path, to).unwrap();
            }
        }
    }
    home
}

/// Replaces the first occurrence of a text in a file, which must contain it.
pub fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} lacks {from}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// Returns the program in a project, not yet started.
pub fn command(project: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_encore"));
    command.current_dir(project).args(arguments);
    command
}

/// Runs the program to the end.
pub fn encore(project: &Path, arguments: &[&str]) -> Output {
    command(project, arguments).output().unwrap()
}

/// Runs the program, which must succeed.
pub fn ok(project: &Path, arguments: &[&str]) -> Output {
    let output = encore(project, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    output
}

/// Runs the program, which must succeed, and returns its output.
pub fn stdout_of(project: &Path, arguments: &[&str]) -> String {
    stdout(&ok(project, arguments))
}

/// Runs the program, which must fail with an exit code, and returns its message.
pub fn fails(project: &Path, arguments: &[&str], code: i32) -> String {
    let output = encore(project, arguments);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
    error
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Lists the folders of all runs, by name.
pub fn runs(project: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(project.join("reports/runs")) else { return vec![] };
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// Reads the record in a run's folder.
pub fn record(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("record.json")).unwrap()).unwrap()
}

/// Reads the record of the last run that `encore run` printed.
pub fn printed_record(project: &Path, printed: &str) -> Value {
    let folder = printed.lines().rev().find(|line| line.starts_with("reports/runs/")).unwrap();
    record(&project.join(folder))
}

/// Lists all files below a folder, by their relative path.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let (mut files, mut folders) = (vec![], vec![folder.to_owned()]);
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                files.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Random numbers for tests: SplitMix64.
pub fn random(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Draws a random number below `n`, which must not be 0.
pub fn random_below(counter: u64, n: usize) -> usize {
    (random(counter) % n as u64) as usize
}
