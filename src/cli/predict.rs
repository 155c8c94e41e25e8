//! `predict`.

use super::arguments::Predict;
use super::{Done, Failure, Project, output};
use crate::experiment::Predictor;
use crate::record::Run;

/// Predicts the genre of every file. Reports files that cannot be read and continues with the others.
pub(super) fn predict(project: &Project, arguments: &Predict) -> Done {
    let run = choose(project.finished()?, arguments.with.as_deref())?;
    let record = &run.record;
    let predictor = Predictor::load(&run, &project.catalogue()?)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let synthetic = if record.data.synthetic { ", which is synthetic" } else { "" };
    println!(
        "{}, trained on {}{synthetic}; its test accuracy is {:.3} per segment",
        run.id, record.data.dataset, record.test.accuracy
    );
    let mut faults = vec![];
    for file in &arguments.files {
        if output::is_closed() {
            break;
        }
        match predictor.guess(file) {
            Ok(guess) => {
                let first: Vec<String> = guess
                    .ranking
                    .iter()
                    .take(3)
                    .map(|(name, p)| format!("{name} {p:.2}"))
                    .collect();
                let n = guess.n_segments;
                println!("{}: {} ({n} segments)", file.display(), first.join(", "));
                for warning in &guess.warnings {
                    println!("  warning: {warning}");
                }
            }
            Err(error) => faults.push(error.to_string()),
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::Data(faults.join("\n"))) }
}

/// The run that is named by its id or its experiment; else the best one that has learned from audio.
fn choose(runs: Vec<Run>, with: Option<&str>) -> Result<Run, Failure> {
    let valid = |run: &Run| run.record.valid.as_ref().map_or(0.0, |scores| scores.accuracy);
    let is_audio = |run: &Run| run.record.spec.get("segments").is_some();
    let is_meant = |run: &Run| match with {
        Some(name) => run.is_named(name),
        None => is_audio(run),
    };
    let best = runs.into_iter().filter(is_meant).max_by(|a, b| valid(a).total_cmp(&valid(b)));
    best.ok_or_else(|| {
        let (what, experiment) = match with {
            Some(name) => (format!("of {name}"), name),
            None => ("on audio".to_owned(), "cnn-2"),
        };
        Failure::Data(format!("no finished run {what}\nhint: encore run {experiment}"))
    })
}
