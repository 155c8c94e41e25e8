//! Predictions of a run whose model is a program: a job with `task = "predict"`.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::super::error::RunError;
use super::super::plan::Plan;
use super::hidden;
use super::place::{folder_of, nothing_written};
use super::sets::{RECORDINGS, segments_text, table_text};
use crate::audio::{Waveform, write_wav};
use crate::dataset::Catalogue;
use crate::disk;
use crate::features::{Features, Segments};
use crate::model::command::{
    Head, Input, Names, Place, Task, answer_files, follow, read_predictions,
};
use crate::model::{self, Command, FittedModel, ModelError};
use crate::record::{Run, Store, spec_differences};
use crate::table::write_npy;
use crate::vocab::Outputs;

/// The model of a run: one of encore's, or a program.
pub(in super::super) enum Trained {
    /// A model of encore's.
    Own(Box<dyn FittedModel>),
    /// A program.
    Program(Box<ProgramPredictor>),
}

/// A program with the model that it left in a record.
pub(in super::super) struct ProgramPredictor {
    command: Command,
    seed: u64,
    outputs: Outputs,
    classes: Vec<String>,
    /// The folder of the model in the record.
    model: PathBuf,
    project: PathBuf,
    hidden: Vec<PathBuf>,
    store: Store,
    /// The columns of a table, if the program gets one.
    columns: Option<Vec<String>>,
    note: Option<String>,
}

/// A recording that is to be predicted, with the segments that give an example.
pub(in super::super) struct Recorded<'a> {
    pub(in super::super) waveform: &'a Waveform,
    pub(in super::super) segments: Segments,
    pub(in super::super) taken: &'a [u32],
}

impl Trained {
    /// Loads the model of a run; `plan` is that of the run.
    pub(in super::super) fn load(
        plan: &Plan,
        run: &Run,
        catalogue: &Catalogue,
    ) -> Result<Self, RunError> {
        let (folder, classes) = (run.folder.join("model"), run.record.data.classes.clone());
        let outputs = Outputs { task: plan.spec.target.task(), n: classes.len() };
        let Some(command) = plan.spec.model.command() else {
            return Ok(Self::Own(plan.spec.model.load(&folder, &plan.spec.shape, outputs)?));
        };
        let at = |path: &Path, error: io::Error| {
            RunError::Incompatible(format!("{}: {error}", path.display()))
        };
        let project = catalogue.project().map_err(|error| at(Path::new("datasets"), error))?;
        let store = Store::new(project.join("reports").join("runs"));
        let hidden = hidden::of(catalogue, &store, &project)?;
        // The program of today reads what the one of the run wrote.
        let changed = spec_differences(&run.record.spec, &plan.resolved);
        let changed: Vec<&str> = changed
            .iter()
            .filter_map(|line| line.strip_prefix("model.command.sha256.")?.split(": ").next())
            .collect();
        let note = (!changed.is_empty()).then(|| {
            format!("the program has changed since the run was trained: {}", changed.join(", "))
        });
        let columns = match &plan.spec.features {
            Features::Table(columns) if command.input == Input::Table => Some(columns.names()),
            _ => None,
        };
        Ok(Self::Program(Box::new(ProgramPredictor {
            command: command.clone(),
            seed: run.record.seed,
            outputs,
            classes,
            model: folder,
            project,
            hidden,
            store,
            columns,
            note,
        })))
    }

    /// What a reader of the predictions should know.
    pub(in super::super) fn note(&self) -> Option<&str> {
        match self {
            Self::Own(_) => None,
            Self::Program(program) => program.note.as_deref(),
        }
    }
}

impl ProgramPredictor {
    /// Whether the program gets rows of a table before any preprocessing.
    pub(in super::super) fn wants_table(&self) -> bool {
        self.command.input == Input::Table
    }

    /// Predicts examples of features; of a recording, whatever the program gets of one.
    pub(in super::super) fn examples(
        &self,
        examples: &model::Examples,
        recorded: Option<&Recorded>,
    ) -> Result<Vec<f32>, RunError> {
        let n = examples.len();
        match (self.command.input, recorded) {
            (Input::Waveforms, Some(recorded)) => {
                let width = recorded.segments.n_samples(recorded.waveform.sample_rate_hz);
                let rows: Vec<Vec<f32>> = recorded
                    .ranges()
                    .map(|range| {
                        let mut row = recorded.waveform.samples[range].to_vec();
                        row.resize(width, 0.0);
                        row
                    })
                    .collect();
                self.ask(n, vec![width], Some(recorded.rate()), |job| {
                    let path = job.join("test.npy");
                    let rows = rows.iter().map(Vec::as_slice);
                    write_npy(&path, &[n, width], rows).map_err(|error| (path, error))?;
                    let path = job.join("test.csv");
                    fs::write(&path, recorded.table(None)).map_err(|error| (path, error))?;
                    Ok(Names {
                        examples: Some("test.npy".to_owned()),
                        table: Some("test.csv".to_owned()),
                        ..Names::default()
                    })
                })
            }
            (Input::Paths, Some(recorded)) => self.ask(n, vec![], Some(recorded.rate()), |job| {
                let folder = job.with_file_name(RECORDINGS);
                fs::create_dir_all(&folder).map_err(|error| (folder.clone(), error))?;
                let path = folder.join("000001.wav");
                write_wav(&path, recorded.waveform)
                    .map_err(|error| (path.clone(), io::Error::other(error.to_string())))?;
                let table = job.join("test.csv");
                fs::write(&table, recorded.table(Some(&path))).map_err(|error| (table, error))?;
                Ok(Names { table: Some("test.csv".to_owned()), ..Names::default() })
            }),
            _ => self.ask(n, examples.shape.to_vec(), None, |job| {
                let path = job.join("test.npy");
                let shape: Vec<usize> =
                    [n].into_iter().chain(examples.shape.iter().copied()).collect();
                let rows = (0..n).map(|index| examples.example(index));
                write_npy(&path, &shape, rows).map_err(|error| (path, error))?;
                Ok(Names { examples: Some("test.npy".to_owned()), ..Names::default() })
            }),
        }
    }

    /// Predicts rows of a table, row-major `[n, columns]`, before any preprocessing.
    pub(in super::super) fn rows(
        &self,
        columns: &[String],
        matrix: &[f32],
    ) -> Result<Vec<f32>, RunError> {
        let n = matrix.len() / columns.len().max(1);
        let rows = matrix.chunks_exact(columns.len()).map(|row| (row, vec![]));
        let text = table_text(columns, &[], rows);
        self.ask(n, vec![], None, |job| {
            let path = job.join("test.csv");
            fs::write(&path, &text).map_err(|error| (path, error))?;
            Ok(Names { table: Some("test.csv".to_owned()), ..Names::default() })
        })
    }

    /// Starts the program on a job of its own. `write` puts the examples there.
    fn ask(
        &self,
        n: usize,
        shape: Vec<usize>,
        sample_rate_hz: Option<u32>,
        write: impl FnOnce(&Path) -> Result<Names, (PathBuf, io::Error)>,
    ) -> Result<Vec<f32>, RunError> {
        let scratch = self.store.scratch("predict")?;
        let answer = self.ask_in(&scratch, n, shape, sample_rate_hz, write)?;
        // After a failure the output stays for the user, until the next prediction.
        let _ = disk::remove_folder(&scratch);
        Ok(answer)
    }

    fn ask_in(
        &self,
        scratch: &Path,
        n: usize,
        shape: Vec<usize>,
        sample_rate_hz: Option<u32>,
        write: impl FnOnce(&Path) -> Result<Names, (PathBuf, io::Error)>,
    ) -> Result<Vec<f32>, RunError> {
        let failed = |(path, error): (PathBuf, io::Error)| ModelError::File {
            path: path.display().to_string(),
            message: error.to_string(),
        };
        let (job, log) = (scratch.join("job"), scratch.join("log.txt"));
        for name in ["checkpoint", "tmp"] {
            folder_of(&job.join(name))?;
        }
        disk::copy_folder(&self.model, &job.join("model"))
            .map_err(|error| failed((self.model.clone(), error)))?;
        let test = Names { n, ..write(&job).map_err(failed)? };
        let n_threads = rayon::current_num_threads();
        let head = Head {
            task: Task::Predict,
            seed: self.seed,
            target: self.outputs.task,
            classes: &self.classes,
            shape,
            train: Names::default(),
            valid: Names::default(),
            test,
            sample_rate_hz,
            columns: self.columns.clone(),
            n_threads,
            n_earlier_starts: 0,
        };
        head.write(&self.command, &job)?;
        let recordings = [scratch.join(RECORDINGS)];
        let place = Place {
            job: &job,
            readable: if recordings[0].exists() { &recordings } else { &[] },
            log: &log,
            project: &self.project,
            hidden: &self.hidden,
            n_threads,
            seed: self.seed,
        };
        follow(&self.command, &place, &mut ())?;
        let [file, _] = answer_files(self.outputs.task);
        let read = read_predictions(&job.join(file), n, self.outputs);
        let read = read.map_err(|message| {
            ModelError::Command(format!("the program `{}`: {message}", self.command.line()))
        })?;
        Ok(read.ok_or_else(|| nothing_written(&self.command, self.outputs.task, &log))?)
    }
}

impl Recorded<'_> {
    fn rate(&self) -> u32 {
        self.waveform.sample_rate_hz
    }

    /// The samples of the segments that give an example.
    fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        let (rate, n) = (self.rate(), self.waveform.samples.len());
        self.taken.iter().map(move |&segment| self.segments.range(rate, n, segment as usize))
    }

    fn table(&self, path: Option<&Path>) -> String {
        segments_text(self.rate(), self.ranges(), path.map(std::iter::repeat))
    }
}
