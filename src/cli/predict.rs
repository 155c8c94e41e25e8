//! `predict`.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use super::arguments::Predict;
use super::prediction_output::{Destination, Form, PredictionOutput};
use super::{Done, Failure, Project, json, output, signals, trust};
use crate::dataset::recordings_in;
use crate::experiment::{
    self, Answer, Guess, Item, Plan, PredictError, PredictedRow, Predictor, RowCounts, RowPredictor,
};
use crate::metrics::Metric;
use crate::record::{Foreign, FromCapsule, PartOfSearch, Run};
use crate::vocab::Scores;

/// Rows that can't be used and are named; all are counted.
const N_NAMED: usize = 20;

/// Predicts the class, the tags or the number of every recording, or of every row of a table.
pub(super) fn predict(project: &Project, arguments: &Predict) -> Done {
    let with = arguments.with.as_deref();
    if let (None, Some(table)) = (with, arguments.files.iter().find(|file| is_table(file))) {
        let table = table.display();
        return Err(Failure::Usage(format!(
            "{table} is a table, and --with is missing: it names the experiment or run to predict with\n\
             hint: encore list shows the experiments"
        )));
    }
    let run = chosen(project, with, arguments.trust)?;
    if run.record.spec["features"].get("table").is_some() {
        rows(project, &run, arguments)
    } else {
        recordings(project, &run, arguments)
    }
}

/// The run to predict with, whose model is there and may be used.
pub(super) fn chosen(project: &Project, with: Option<&str>, trust: bool) -> Result<Run, Failure> {
    let named: Vec<String> = with.iter().map(|name| (*name).to_owned()).collect();
    let (current, others) = project.recorded(&named)?;
    let run = choose(current, others, with)?;
    if let Some(reason) = without_model(&run) {
        return Err(Failure::Data(format!("{} has no model: {reason}", run.id)));
    }
    if run.record.spec.pointer("/model/command").is_some() {
        let plan = Plan::of_run(&run, &experiment::catalogue_of(&run, &project.catalogue()?)?)?;
        trust::ask(project, &[&plan], trust)?;
    }
    Ok(run)
}

fn say_note(note: Option<&str>) {
    if let Some(note) = note {
        eprintln!("note: {note}");
    }
}

/// Whether a file is a table by its name.
fn is_table(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".csv", ".tsv", ".parquet"].iter().any(|end| name.ends_with(end))
}

/// The model, in one line.
pub(super) fn heading(run: &Run) -> String {
    let record = &run.record;
    let synthetic = if record.data.synthetic { ", which is synthetic" } else { "" };
    let (metric, score) = (Metric::main(record.data.task).words(), record.scored().main());
    let unit = if record.spec.get("segments").is_some() { " per segment" } else { "" };
    let (id, dataset) = (&run.id, &record.data.dataset);
    let set = if record.is_trial() { "validation" } else { "test" };
    let search = match record.search.as_ref().map(|search| search.part) {
        Some(PartOfSearch::Winner { n_trials }) => {
            format!(", with settings chosen from {n_trials} trials")
        }
        _ => String::new(),
    };
    format!("{id}, trained on {dataset}{synthetic}{search}; its {set} {metric} is {score:.3}{unit}")
}

/// Predicts every row of a table, in its order. Names the rows that can't be used and counts them.
fn rows(project: &Project, run: &Run, arguments: &Predict) -> Done {
    let [file] = arguments.files.as_slice() else {
        return Err(Failure::Usage(format!(
            "{} predicts the rows of one table at a time, found {} files",
            run.id,
            arguments.files.len()
        )));
    };
    let predictor = RowPredictor::load(run, &project.catalogue()?)?;
    say_note(predictor.note());
    let table = predictor.open(file)?;
    let destination = Destination::open(arguments.out.as_deref(), &arguments.files)?;
    let form = if json::is_on() { Form::Json } else { Form::Csv };
    eprintln!("{}", heading(run));
    if !table.absent_ids().is_empty() {
        let absent = table.absent_ids().join(", ");
        eprintln!("note: {} has no column {absent}; rows are named by their line", file.display());
    }
    let names: Vec<String> = match table.id_columns() {
        [] => vec!["line".to_owned()],
        columns => columns.iter().map(|column| (*column).to_owned()).collect(),
    };
    let has_ids = !table.id_columns().is_empty();
    let mut output =
        PredictionOutput::new(destination, form, names, predictor.classes(), predictor.task());
    let mut n_named = 0;
    let counts = table.predict(|rows: &[PredictedRow]| {
        if output.is_closed() {
            return Err(Failure::Stopped("nobody reads the predictions".to_owned()));
        }
        if signals::caught().load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::Stopped("stopped; no predictions were kept".to_owned()));
        }
        for row in rows {
            let line = [row.line.to_string()];
            let names = if has_ids { &row.ids } else { line.as_slice() };
            let item = Item { names, line: Some(row.line), ..Item::default() };
            match &row.outcome {
                Ok((answer, outputs)) => output.add(&item, Ok((answer, outputs))),
                Err(reason) => {
                    n_named += 1;
                    if n_named <= N_NAMED {
                        eprintln!("not predicted: line {}: {reason}", row.line);
                    }
                    output.add(&item, Err(reason));
                }
            }
        }
        output.flush()
    });
    if output.is_closed() {
        return Ok(());
    }
    let counts = counts?;
    let n_predicted = counts.n_rows - counts.n_unusable;
    if n_predicted == 0 {
        let file = file.display();
        return Err(Failure::Data(match counts.n_rows {
            0 => format!("{file} has no rows"),
            n => format!("{file}: none of its {n} rows can be used"),
        }));
    }
    output.finish()?;
    summary(&counts, arguments.out.as_deref());
    Ok(())
}

/// Counts the rows.
fn summary(counts: &RowCounts, out: Option<&Path>) {
    let RowCounts { n_rows, n_unusable, imputed, unseen } = counts;
    if *n_unusable > N_NAMED {
        eprintln!("not predicted: {} more rows", n_unusable - N_NAMED);
    }
    for (column, n) in imputed {
        eprintln!("note: {column} is missing in {n} of {n_rows} rows and was imputed");
    }
    for (column, n) in unseen {
        eprintln!(
            "note: {n} of {n_rows} rows have a level of {column} that no training row has; it is \
             encoded as zeros"
        );
    }
    let empty = match n_unusable {
        0 => String::new(),
        n => format!("; {n} with an empty prediction"),
    };
    let out = out.map_or(String::new(), |out| format!(": {}", out.display()));
    eprintln!("{} of {n_rows} rows predicted{empty}{out}", n_rows - n_unusable);
}

/// Predicts every recording. Reports those that can't be read and continues with the others.
fn recordings(project: &Project, run: &Run, arguments: &Predict) -> Done {
    let predictor = Predictor::load(run, &project.catalogue()?)?;
    say_note(predictor.note());
    let files = expanded(&arguments.files)?;
    let form = match (json::is_on(), &arguments.out) {
        (true, _) => Form::Json,
        (false, Some(_)) => Form::Csv,
        (false, None) => Form::Text,
    };
    let destination = Destination::open(arguments.out.as_deref(), &files)?;
    if form == Form::Text {
        println!("{}", heading(run));
    } else {
        eprintln!("{}", heading(run));
    }
    let classes = predictor.classes();
    let mut output = PredictionOutput::new(
        destination,
        form,
        vec!["file".to_owned()],
        classes,
        predictor.task(),
    );
    let mut faults = vec![];
    for file in &files {
        if output::is_closed() || output.is_closed() {
            return Ok(());
        }
        if signals::caught().load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::Stopped("stopped; no predictions were kept".to_owned()));
        }
        let name = [file.display().to_string()];
        match predictor.guess(file) {
            Ok(guess) => {
                if form == Form::Text {
                    println!("{}", text(file, &guess, classes));
                    guess.warnings.iter().for_each(|warning| println!("  warning: {warning}"));
                } else {
                    let name = file.display();
                    guess
                        .warnings
                        .iter()
                        .for_each(|warning| eprintln!("warning: {name}: {warning}"));
                }
                let n_segments = Some(guess.n_segments);
                let item =
                    Item { names: &name, n_segments, warnings: &guess.warnings, ..Item::default() };
                output.add(&item, Ok((&guess.answer, &guess.outputs)));
            }
            Err(error) => {
                let item = Item { names: &name, ..Item::default() };
                output.add(&item, Err(&error.to_string()));
                faults.push(error.to_string());
            }
        }
        output.flush()?;
    }
    if faults.len() < files.len() {
        output.finish()?;
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::Data(faults.join("\n"))) }
}

/// The three most probable classes, the tags that are as probable as not, or the number, for people.
fn text(file: &Path, guess: &Guess, classes: &[String]) -> String {
    let mut ranking: Vec<usize> = (0..classes.len()).collect();
    ranking.sort_by(|a, b| guess.outputs[*b].total_cmp(&guess.outputs[*a]));
    let n = match &guess.answer {
        Answer::Class(_) => 3,
        Answer::Tags(tags) => tags.len(),
        Answer::Number(_) => 1,
    };
    let said = |&output: &usize| format!("{} {:.2}", classes[output], guess.outputs[output]);
    let said: Vec<String> = ranking.iter().take(n).map(said).collect();
    let said = if said.is_empty() { "no tag".to_owned() } else { said.join(", ") };
    format!("{}: {said} ({} segments)", file.display(), guess.n_segments)
}

/// The files, and the recordings of the folders, each folder sorted.
pub(super) fn expanded(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = vec![];
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let (found, note) = recordings_in(path)?;
        if let Some(note) = note {
            eprintln!("note: {}: {note}", path.display());
        }
        if found.is_empty() {
            return Err(Failure::Data(format!("{}: no recordings in this folder", path.display())));
        }
        files.extend(found);
    }
    Ok(files)
}

/// Why a run has no model.
pub(super) fn without_model(run: &Run) -> Option<String> {
    if let Some(Foreign { predictions, .. }) = &run.record.foreign {
        let file = &predictions.file;
        return Some(format!("its predictions were imported from {file}"));
    }
    let FromCapsule { file, .. } = run.capsule()?;
    let (experiment, seed) = (&run.record.experiment, run.record.seed);
    Some(format!(
        "it came in the capsule {file}\nhint: encore run {experiment} --seeds {seed} trains it"
    ))
}

/// The run that is named by its id, or the best of its experiment; else the best one that has learned from audio.
/// Runs of other versions of a spec are used only if the current version has none, and runs without a model
/// only if there is no other.
pub(super) fn choose(
    current: Vec<Run>,
    others: Vec<Run>,
    with: Option<&str>,
) -> Result<Run, Failure> {
    // Scores of different tasks are not comparable; the first is that of the most common task.
    let valid = |run: &Run| {
        let score = run.record.valid.as_ref().map(Scores::main).filter(|score| score.is_finite());
        (Reverse(run.record.data.task), score.unwrap_or(0.0))
    };
    let has_model = |run: &Run| without_model(run).is_none();
    let is_audio = |run: &Run| run.record.spec.get("segments").is_some();
    let is_meant = |run: &Run| match with {
        Some(name) => run.is_named(name),
        None => is_audio(run),
    };
    let is_useful = current.iter().chain(&others).any(|run| is_meant(run) && has_model(run));
    let best = |runs: Vec<Run>| {
        let wanted = runs.into_iter().filter(|run| is_meant(run) && has_model(run) == is_useful);
        wanted.max_by(|a, b| {
            let ((a_task, a), (b_task, b)) = (valid(a), valid(b));
            a_task.cmp(&b_task).then(a.total_cmp(&b))
        })
    };
    if let Some(run) = best(current) {
        return Ok(run);
    }
    let other = best(others);
    if let Some(run) = other.as_ref().filter(|run| with != Some(run.id.as_str())) {
        eprintln!(
            "note: {} has no finished run of the current version of its spec; this run is of another version",
            run.record.experiment
        );
    }
    other.ok_or_else(|| {
        let (what, experiment) = match with {
            Some(name) => (format!("of {name}"), name),
            None => ("on audio".to_owned(), "cnn-2"),
        };
        Failure::Data(format!("no finished run {what}\nhint: encore run {experiment}"))
    })
}

impl From<PredictError> for Failure {
    fn from(error: PredictError) -> Self {
        match error {
            PredictError::Plan(error) => error.into(),
            PredictError::Run(error) => error.into(),
            error @ (PredictError::Audio(_) | PredictError::Table(_)) => {
                Self::Data(error.to_string())
            }
            PredictError::Incompatible(message) => Self::Usage(message),
        }
    }
}
