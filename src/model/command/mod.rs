//! `[model.command]`: a program as the model.
//!
//! ```toml
//! [model.command]
//! run = ["python", "models/train.py"]    # started in the project's folder
//! files = ["models/*.py"]                # part of the run's identity, with the files named in `run`
//! input = "features"                     # the default; or "waveforms", "paths", "table"
//! environment = ["python", "-m", "pip", "freeze"]    # its output is stored in the record
//! timeout = "2h"                         # "24h" is the default
//! epochs = 30                            # told to the program; for the progress and --quick
//! readable = ["~/pretrained"]            # more folders that the program may read
//! settings = { learning_rate = 0.001 }   # passed on to the program
//! ```
//!
//! `docs/commands.md` describes the folder that a program gets, its job. This module knows the contract:
//! what is in `job.json`, what a program may write, and how its output is checked. It does not know where
//! the examples come from.

mod answer;
mod epochs;
mod files;
mod follow;
mod job;
mod settings;
mod watched;

pub use answer::{MAX_MODEL_BYTES, MAX_MODEL_FILES};
pub use job::{Input, Task};

pub(crate) use answer::{ROW_SUM_TOLERANCE, keep_model, read_predictions};
pub(crate) use epochs::epoch_of;
pub(crate) use follow::{Outcome, Place, environment, follow, output};
pub(crate) use job::{Head, Names, answer_files};

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::{Entry, FitInput, Fitted, FittedModel, Model, ModelError, Reader, TrainingObserver};
use crate::schema::{Fields, Int, List, OneOf, Text};
use crate::vocab::{self, Outputs};

/// The entry in the list of models.
pub(super) const ENTRY: Entry = Entry {
    name: "command",
    doc: "A program in any language: encore gives it the examples without the test labels, and it \
          writes a probability for every class or tag, or the number.",
    tasks: &vocab::Task::ALL,
    read: Reader::AtOnce(|fields, _| Box::new(Command::read(fields))),
};

/// The settings of a program that is the model.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// The program and its arguments.
    pub run: Vec<String>,
    /// Patterns of the files that the program consists of, relative to the project.
    pub files: Vec<String>,
    /// What the program gets of an example.
    pub input: Input,
    /// A program whose output describes the environment, with its arguments.
    pub environment: Option<Vec<String>>,
    /// The longest time of a run, for each start.
    pub timeout: Duration,
    /// Epochs that the program trains, where it has any.
    pub epochs: Option<usize>,
    /// More folders and files that the program may read; `~` is the home folder.
    pub readable: Vec<String>,
    /// Settings of the program's own.
    pub settings: serde_json::Value,
}

impl Command {
    fn read(fields: &mut Fields) -> Self {
        let words = || List::of_some(Text);
        let files = fields.with_default("files", &List::of(files::Pattern), vec![]);
        Self {
            run: fields.required("run", &words()),
            files,
            input: fields.with_default("input", &OneOf(Input::ALL), Input::Features),
            environment: fields.optional("environment", &words()),
            timeout: fields.with_default("timeout", &settings::Time, Duration::from_hours(24)),
            epochs: fields.optional("epochs", &Int::within(1..=1_000_000)),
            readable: fields.with_default("readable", &List::of(Text), vec![]),
            settings: fields.with_default("settings", &settings::Settings, serde_json::json!({})),
        }
    }

    /// The program's line, for messages.
    #[must_use]
    pub fn line(&self) -> String {
        self.run.join(" ")
    }

    /// Finds the files of the program in a project: those of the patterns, and every argument that names
    /// a file of the project. Returns the SHA-256 of each by its path.
    ///
    /// # Errors
    /// If a pattern matches no file, or a file can't be read.
    pub fn find_files(&self, project: &Path) -> Result<BTreeMap<String, String>, String> {
        files::find(project, &self.files, &self.run)
    }
}

impl Model for Command {
    /// A program needs a job, which only a run has.
    fn fit(&self, _: &FitInput, _: &mut dyn TrainingObserver) -> Result<Fitted, ModelError> {
        Err(no_job())
    }

    fn load(&self, _: &Path, _: &[usize], _: Outputs) -> Result<Box<dyn FittedModel>, ModelError> {
        Err(no_job())
    }

    fn max_epochs(&self) -> Option<usize> {
        self.epochs
    }

    fn command(&self) -> Option<&Command> {
        Some(self)
    }
}

fn no_job() -> ModelError {
    ModelError::Command("a program is started by a run and can't be fitted otherwise".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read};

    fn command(text: &str) -> Result<(Command, serde_json::Value), String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        read(&tree, Command::read).map_err(|faults| faults.to_string())
    }

    #[test]
    fn everything_is_read_and_kept() {
        let (made, resolved) = command(
            "run = [\"python\", \"a.py\"]\nfiles = [\"models/*.py\"]\ninput = \"table\"\n\
             environment = [\"pip\", \"freeze\"]\ntimeout = \"90m\"\nepochs = 3\n\
             readable = [\"~/x\"]\nsettings = { rate = 1e-3, layers = [1, 2], deep = { on = true } }",
        )
        .unwrap();
        assert_eq!(made.line(), "python a.py");
        assert_eq!(made.input, Input::Table);
        assert_eq!(made.timeout, Duration::from_mins(90));
        assert_eq!(made.max_epochs(), Some(3));
        let settings = serde_json::json!({"rate": 1e-3, "layers": [1, 2], "deep": {"on": true}});
        assert_eq!(made.settings, settings);
        assert_eq!(resolved["timeout"], "1h 30m");
        assert_eq!(resolved["settings"], settings);
        let (made, resolved) = command("run = [\"x\"]").unwrap();
        assert_eq!((made.input, made.timeout), (Input::Features, Duration::from_hours(24)));
        assert_eq!(resolved["timeout"], "1day");
    }

    #[test]
    fn faults_say_what_is_allowed() {
        let said = command(
            "run = []\ntimeout = \"soon\"\ninput = \"pixels\"\nfiles = [\"../x.py\"]\nsettings = 3",
        );
        assert_eq!(
            said.unwrap_err(),
            "x.toml:1: run must be a list of at least one item, each a text, found 0 items\n\
             x.toml:2: timeout must be a time such as \"90s\", \"30m\" or \"2h\", found the text \"soon\"\n\
             x.toml:3: input must be `features`, `waveforms`, `paths` or `table`, found the text \"pixels\"\n\
             x.toml:4: files must be paths in the project, without `..`, found `../x.py`\n\
             x.toml:5: settings must be a table, found 3"
        );
    }
}
