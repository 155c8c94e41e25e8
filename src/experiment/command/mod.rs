//! A run whose model is a program: its job folder, its answer, its record.
//!
//! Everything that the program gets is in the job folder, in the attempt of the run. The test examples are in
//! an order that the program can't know, and nothing that it gets or can read has their labels.

mod hidden;
mod order;
mod place;
mod predict;
mod sets;

pub(super) use predict::{Recorded, Trained};

use std::fs;
use std::path::Path;

use self::order::test_order;
use self::place::folder_of;
use self::sets::Sets;
use super::context::{RunContext, Workspace};
use super::error::RunError;
use super::event::Event;
use super::fit::observed;
use super::fold::Fold;
use super::record_run::{Made, Predicted, record_predictions};
use crate::disk;
use crate::model::command::{
    Head, Outcome, Place, Task, answer_files, environment, follow, keep_model, read_predictions,
};
use crate::model::{Command, ModelError};
use crate::record::{Checkpoint, CommandFacts, Run, RunWriter};

/// Runs the program of a fold, checks what it wrote, and records it.
pub(super) fn run(
    fold: &Fold,
    command: &Command,
    found: Option<Checkpoint>,
    mut writer: RunWriter,
    context: RunContext,
) -> Result<Run, RunError> {
    let (attempt, job) = (writer.folder().to_owned(), writer.job_folder());
    let work = prepare_and_run(fold, command, found, &mut writer, context);
    let (outcome, history, predicted) = match work {
        Ok(done) => done,
        Err(error) => {
            // The next start writes the examples again; checkpoints and output stay.
            clear(&job, &attempt, true);
            return Err(error);
        }
    };
    let kept = keep_model(&job.join("model"), &writer.model_folder());
    let kept = kept.map_err(|error| failed(&job.join("model"), &error))?;
    clear(&job, &attempt, false);
    let made = Made {
        n_parameters: 0,
        has_epochs: !history.epochs.is_empty(),
        kept_epoch: None,
        imported: None,
        command: Some(CommandFacts {
            n_threads: rayon::current_num_threads(),
            is_blind: outcome.not_blind.is_none(),
            not_blind_because: outcome.not_blind,
        }),
        members: vec![],
        notes: outcome.notes.into_iter().chain(kept.note).collect(),
        foreign: None,
    };
    record_predictions(fold, &predicted, made, &history, writer, context)
}

fn prepare_and_run(
    fold: &Fold,
    command: &Command,
    found: Option<Checkpoint>,
    writer: &mut RunWriter,
    context: RunContext,
) -> Result<(Outcome, super::fit::TrainingHistory, Predicted), RunError> {
    let (attempt, job) = (writer.folder().to_owned(), writer.job_folder());
    for name in ["checkpoint", "model", "tmp"] {
        folder_of(&job.join(name))?;
    }
    let order = test_order(fold);
    let sets = Sets::write(fold, command.input, &order, &attempt, context.workspace)?;
    let n_threads = rayon::current_num_threads();
    let head = Head {
        task: Task::Fit,
        seed: fold.seed,
        target: fold.inputs.examples.targets.task(),
        classes: &fold.inputs.examples.classes,
        shape: sets.shape,
        train: sets.train,
        valid: sets.valid,
        test: sets.test,
        sample_rate_hz: sets.sample_rate_hz,
        columns: sets.columns,
        n_threads,
        n_earlier_starts: found.as_ref().map_or(0, |found| found.n_resumed + 1),
    };
    head.write(command, &job)?;
    let Workspace { catalogue, store, project, .. } = context.workspace;
    let hidden = hidden::of(catalogue, store, project)?;
    let (log, readable) = (attempt.join("log.txt"), [attempt.join(sets::RECORDINGS)]);
    let place = Place {
        job: &job,
        readable: if sets.has_recordings { &readable } else { &[] },
        log: &log,
        project,
        hidden: &hidden,
        n_threads,
        seed: fold.seed,
    };
    let mut notes = vec![];
    if let Some(run) = &command.environment
        && let Err(error) = environment(command, run, &place)
    {
        notes.push(format!("the environment is unknown: `{}`: {error}", run.join(" ")));
    }
    let (outcome, history) =
        observed(fold, found, writer, context, |_, observer| follow(command, &place, observer))?;
    let predicted = answer(fold, command, &order, &job, &log)?;
    notes.extend(outcome.notes);
    for text in &notes {
        let run = fold.plan.label(fold.seed);
        context.workspace.observer.event(&Event::Note { run, text: text.clone() });
    }
    Ok((Outcome { notes, ..outcome }, history, predicted))
}

/// Reads and checks what the program wrote.
fn answer(
    fold: &Fold,
    command: &Command,
    order: &[usize],
    job: &Path,
    log: &Path,
) -> Result<Predicted, ModelError> {
    let split = &fold.audited.split;
    let outputs = fold.outputs();
    let wrong = |message: String| {
        ModelError::Command(format!("the program `{}`: {message}", command.line()))
    };
    let read = |name: &str, n: usize| read_predictions(&job.join(name), n, outputs).map_err(wrong);
    let [test_file, valid_file] = answer_files(outputs.task);
    let shuffled = read(test_file, order.len())?
        .ok_or_else(|| place::nothing_written(command, outputs.task, log))?;
    let mut test = vec![0.0; shuffled.len()];
    for (row, &place) in shuffled.chunks_exact(outputs.n).zip(order) {
        test[place * outputs.n..][..outputs.n].copy_from_slice(row);
    }
    let valid = read(valid_file, split.valid.len())?;
    Ok(Predicted { train: None, valid: valid.filter(|_| !split.valid.is_empty()), scored: test })
}

/// Removes what a program was given; `keep` leaves what it needs to go on.
fn clear(job: &Path, attempt: &Path, keep: bool) {
    // Leftovers take space and nothing else. They go with the attempt at the latest.
    let _ = disk::remove_folder(&attempt.join(sets::RECORDINGS));
    if !keep {
        let _ = disk::remove_folder(job);
        return;
    }
    for entry in fs::read_dir(job).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name() == "checkpoint" {
            continue;
        }
        let _ = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            disk::remove_folder(&path)
        } else {
            fs::remove_file(&path)
        };
    }
}

fn failed(path: &Path, error: &std::io::Error) -> RunError {
    ModelError::File { path: path.display().to_string(), message: error.to_string() }.into()
}
