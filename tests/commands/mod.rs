//! Programs as models: what they get, what they may write, how they fail, and what they can't do.

mod audio;
mod cheats;
mod contract;
mod examples;
mod faults;
mod stopped;
mod targets;
#[cfg(target_os = "linux")]
mod trust;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common;

/// A project with a small table of its own, imported from outside, and a home folder with a secret.
pub struct Place {
    _folder: tempfile::TempDir,
    pub project: PathBuf,
    pub data: PathBuf,
    pub home: PathBuf,
}

/// What every program of the tests begins with: `answer` writes valid probabilities, all of them for the
/// first of two classes.
const PRELUDE: &str = r#"#!/bin/sh
set -eu
cd "$ENCORE_JOB"
n=$(($(wc -l < test.csv) - 1))
head() { printf '\223NUMPY\001\000\166\000'; printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': ($1, $2), }"; }
rows() { i=0; while [ $i -lt "$1" ]; do printf "$2"; i=$((i + 1)); done; }
first='\000\000\200\077\000\000\000\000'
answer() { { head $n 2; rows $n "$first"; } > probabilities.npy; }
"#;

pub const SPEC: &str = r#"title = "A program"
question = "Does it work?"
dataset = "mine"
seeds = [1]

[features.table]
columns = ["energy", "tempo"]

[split.random]
by = "track"
stratify = true
test = 0.3
valid = 0.2

[model.command]
run = ["sh", "models/program.sh"]
files = ["models/*.sh"]
input = "table"
timeout = "5m"
"#;

impl Place {
    /// A program with this body is the model of the experiment `try`.
    pub fn new(body: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let [project, data, home] = ["project", "data", "home"].map(|name| root.join(name));
        for path in [&project.join("models"), &data, &home.join(".ssh")] {
            fs::create_dir_all(path).unwrap();
        }
        for name in ["experiments", "datasets"] {
            fs::create_dir(project.join(name)).unwrap();
        }
        fs::write(home.join(".ssh/key"), "secret").unwrap();
        let mut table = "id,genre,energy,tempo\n".to_owned();
        for i in 0..80_usize {
            let (genre, shift) = if i % 2 == 0 { ("pop", 0.5) } else { ("rock", 0.0) };
            let energy = (i * 37 % 10) as f64 / 20.0 + shift;
            table += &format!("s{i},{genre},{energy},{}\n", 100 + i % 7);
        }
        fs::write(data.join("mine.csv"), table).unwrap();
        let manifest = "[table]\nid = [\"id\"]\n[table.label]\ncolumn = \"genre\"\n\
                        [table.columns]\nenergy = \"energy\"\ntempo = \"tempo\"\n";
        fs::write(project.join("datasets/mine.toml"), manifest).unwrap();
        fs::write(project.join("experiments/try.toml"), SPEC).unwrap();
        let place = Self { _folder: folder, project, data, home };
        place.program(body);
        place.ok(&["data", "import", "mine", place.data.join("mine.csv").to_str().unwrap()]);
        place
    }

    pub fn program(&self, body: &str) {
        fs::write(self.project.join("models/program.sh"), format!("{PRELUDE}{body}\n")).unwrap();
    }

    /// encore in the project, with the home folder of this place.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = common::command(&self.project, arguments);
        command.env("HOME", &self.home).env_remove("XDG_STATE_HOME").env_remove("ENCORE_TRUST");
        command
    }

    pub fn encore(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn ok(&self, arguments: &[&str]) -> Output {
        let output = self.encore(arguments);
        let said = common::stderr(&output);
        assert!(output.status.success(), "{arguments:?}: {said}");
        output
    }

    pub fn fails(&self, arguments: &[&str], code: i32) -> String {
        let output = self.encore(arguments);
        let said = common::stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        said
    }

    /// Runs the experiment, and returns the folder of its only run.
    pub fn run(&self) -> PathBuf {
        self.ok(&["run", "try", "--trust"]);
        let runs = common::runs(&self.project);
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs[0].clone()
    }

    /// The lines of the program's output.
    pub fn log(run: &Path) -> Vec<String> {
        let text = fs::read_to_string(run.join("log.txt")).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

/// Whether this kernel can hide files from a program. Where it can't, the record must say so.
pub fn is_blind(record: &serde_json::Value) -> bool {
    let command = &record["model"]["command"];
    let is_blind = command["is_blind"].as_bool().unwrap();
    assert_eq!(command["not_blind_because"].is_string(), !is_blind, "{command}");
    is_blind
}
