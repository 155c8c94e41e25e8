//! The end of one run: scores, predictions, the model's files, the record.

use super::context::RunContext;
use super::error::RunError;
use super::event::Event;
use super::fit::{Trained, TrainingHistory};
use super::fold::{AuditedSplit, Fold};
use super::inputs::Inputs;
use super::plan::Plan;
use crate::features::Examples;
use crate::metrics;
use crate::model::Device;
use crate::record::{
    CommandFacts, DataFacts, Foreign, Imported, LeakKind, MemberRun, ModelFacts, NumberPrediction,
    Outputs, Prediction, Predictions, RECORD_FORMAT, Record, Run, RunWriter, SplitFacts,
    StoreError, TagsPrediction, Timings,
};
use crate::vocab::{Scores, Targets};

/// What a model puts out for the examples of one run, by set in the order of its split, row-major
/// `[n, n_outputs]`: probabilities, or numbers. Sets that were not predicted are absent.
pub(super) struct Predicted {
    pub(super) train: Option<Vec<f32>>,
    pub(super) valid: Option<Vec<f32>>,
    /// Of [`Fold::scored_rows`].
    pub(super) scored: Vec<f32>,
}

/// What the record says of a model, whatever made the predictions.
pub(super) struct Made {
    pub(super) n_parameters: usize,
    /// Whether there were epochs.
    pub(super) has_epochs: bool,
    pub(super) kept_epoch: Option<usize>,
    pub(super) imported: Option<Imported>,
    pub(super) command: Option<CommandFacts>,
    pub(super) members: Vec<MemberRun>,
    pub(super) notes: Vec<String>,
    /// What is told of a run whose predictions another program made.
    pub(super) foreign: Option<Told>,
}

/// What another program, or its author, says of a run.
pub(super) struct Told {
    pub(super) facts: Foreign,
    /// The split in words, if it is not that of the spec.
    pub(super) protocol: Option<String>,
    /// Seconds of all epochs.
    pub(super) seconds: f64,
}

impl Told {
    /// Says nothing of the spec's model and of this machine: neither made the predictions.
    fn mark(self, record: &mut Record) {
        "foreign".clone_into(&mut record.model.name);
        record.model.max_epochs = None;
        "elsewhere".clone_into(&mut record.code.device);
        let times = &mut record.timings;
        (times.features_s, times.fit_s, times.total_s) = (0.0, self.seconds, self.seconds);
        if let Some(protocol) = self.protocol {
            record.split.protocol = protocol;
        }
        record.foreign = Some(self.facts);
    }
}

/// Scores a fitted model, and writes the rest of the run's record.
pub(super) fn record_run(
    fold: &Fold,
    Trained { fitted, history, imported }: &Trained,
    writer: RunWriter,
    context: RunContext,
) -> Result<Run, RunError> {
    let split = &fold.audited.split;
    let model = fitted.model.as_ref();
    let predict = |rows: &[usize]| model.predict(&fold.model_inputs.view(rows));
    let predicted = Predicted {
        scored: predict(fold.scored_rows())?,
        train: Some(predict(&split.train)?),
        valid: if split.valid.is_empty() { None } else { Some(predict(&split.valid)?) },
    };
    model.save(&writer.model_folder())?;
    let made = Made {
        n_parameters: fitted.n_parameters,
        has_epochs: fitted.kept_epoch.is_some(),
        kept_epoch: fitted.kept_epoch,
        imported: imported.clone(),
        command: None,
        members: vec![],
        notes: fitted.notes.clone(),
        foreign: None,
    };
    record_predictions(fold, &predicted, made, history, writer, context)
}

/// Scores the predictions of a run, wherever they come from, and writes the rest of its record.
pub(super) fn record_predictions(
    fold: &Fold,
    predicted: &Predicted,
    made: Made,
    history: &TrainingHistory,
    mut writer: RunWriter,
    context: RunContext,
) -> Result<Run, RunError> {
    let Fold { plan, inputs, seed, audited: AuditedSplit { split, audit }, model_inputs, .. } =
        fold;
    let (examples, spec) = (&inputs.examples, &plan.spec);
    let of_set = |rows: &[usize], outputs: &[f32]| scored(examples, rows, outputs);
    let rows = fold.scored_rows();
    let test = (!plan.options.is_trial()).then(|| of_set(rows, &predicted.scored));
    let train = predicted.train.as_ref().map(|train| of_set(&split.train, train));
    let valid = predicted.valid.as_ref().map(|valid| of_set(&split.valid, valid));
    writer.predictions(&predictions(examples, rows, &predicted.scored), &examples.classes)?;
    model_inputs.save(&writer.model_folder())?;
    let mut record = Record {
        format: RECORD_FORMAT,
        experiment: plan.name.clone(),
        title: spec.title.clone(),
        question: spec.question.clone(),
        spec: plan.resolved.clone().into(),
        spec_hash: plan.spec_hash.clone(),
        overrides: plan.options.changes(),
        options: serde_json::to_value(&plan.options).expect("options are plain data").into(),
        seed: *seed,
        cut: plan.cut.iter().chain(&inputs.cut).cloned().collect(),
        claims: spec.claims.clone(),
        data: data_facts(plan, inputs).into(),
        split: SplitFacts {
            protocol: spec.protocol(),
            n_train: split.train.len(),
            n_valid: split.valid.len(),
            n_test: split.test.len(),
            n_test_tracks: split.n_test_tracks(inputs.items()),
            n_leaking: audit.n_test(LeakKind::SameTrack),
            sources_hash: spec.sources_hash(&inputs.track_columns),
        },
        audit: audit.clone(),
        model: ModelFacts {
            name: spec.model_name.to_owned(),
            n_parameters: made.n_parameters,
            n_epochs: made.has_epochs.then_some(history.epochs.len()),
            max_epochs: spec.max_epochs,
            kept_epoch: made.kept_epoch,
            imported: made.imported,
            notes: made
                .notes
                .iter()
                .chain(&model_inputs.notes(split))
                .chain(&split.notes)
                .chain(&audit.unchecked)
                .cloned()
                .collect(),
            command: made.command,
            members: made.members,
        },
        foreign: None,
        search: plan.options.search.clone(),
        code: match plan.device() {
            Device::Cpu => context.code.clone(),
            #[cfg(any(feature = "wgpu", feature = "cuda"))]
            other => crate::record::CodeFacts { device: other.to_string(), ..context.code.clone() },
        },
        train,
        valid,
        test,
        timings: Timings {
            features_s: inputs.seconds,
            total_s: history.start.elapsed().as_secs_f64() + history.fit_s - history.own_fit_s,
            started: history.started.clone(),
            n_resumed: history.n_resumed,
            fit_s: history.fit_s,
        },
        outputs: Outputs::default(),
        files: std::collections::BTreeMap::new(),
        seal: String::new(),
    };
    if let Some(told) = made.foreign {
        told.mark(&mut record);
    }
    let (run, note) = writer.finish(record, &history.epochs)?;
    if let Some(text) = note {
        context.workspace.observer.event(&Event::Note { run: plan.label(*seed), text });
    }
    Ok(run)
}

fn scored(examples: &Examples, rows: &[usize], outputs: &[f32]) -> Scores {
    let n_outputs = examples.classes.len();
    metrics::scores(&examples.targets.of_rows(rows, n_outputs), outputs, n_outputs)
}

/// The test scores that a finished run's predictions come to.
pub(super) fn rescore(run: &Run) -> Result<Scores, StoreError> {
    let predictions = run.predictions()?;
    let (targets, outputs) = (predictions.targets(), predictions.outputs());
    let n_outputs = run.record.data.classes.len();
    let scores = match &targets {
        Targets::Classes(actual) => {
            let predicted = predictions.predicted();
            Scores::Classes(metrics::classification_scores(actual, &predicted, &outputs, n_outputs))
        }
        targets => metrics::scores(targets, &outputs, n_outputs),
    };
    Ok(scores)
}

fn predictions(examples: &Examples, rows: &[usize], outputs: &[f32]) -> Predictions {
    let n_outputs = examples.classes.len();
    let each = || rows.iter().copied().zip(outputs.chunks(n_outputs));
    let id = |row: usize| examples.ids[row].clone();
    match &examples.targets {
        Targets::Classes(actual) => {
            let predicted = metrics::most_likely(outputs, n_outputs);
            let row = |((row, probabilities), predicted): ((usize, &[f32]), usize)| Prediction {
                example: id(row),
                actual: actual[row],
                predicted,
                probabilities: probabilities.to_vec(),
            };
            Predictions::Classes(each().zip(predicted).map(row).collect())
        }
        Targets::Tags(actual) => {
            let row = |(row, probabilities): (usize, &[f32])| TagsPrediction {
                example: id(row),
                actual: actual[row * n_outputs..][..n_outputs].to_vec(),
                probabilities: probabilities.to_vec(),
            };
            Predictions::Tags(each().map(row).collect())
        }
        Targets::Numbers(actual) => {
            let row = |(row, said): (usize, &[f32])| NumberPrediction {
                example: id(row),
                actual: actual[row],
                predicted: said[0],
            };
            Predictions::Number(each().map(row).collect())
        }
    }
}

fn data_facts(plan: &Plan, inputs: &Inputs) -> DataFacts {
    DataFacts {
        dataset: plan.spec.dataset.name.clone(),
        asked: plan.spec.asked.clone(),
        synthetic: inputs.synthetic,
        hash: inputs.data_hash.clone(),
        features_hash: inputs.examples.hash.clone(),
        shape: inputs.examples.shape.clone(),
        task: inputs.examples.targets.task(),
        classes: inputs.examples.classes.clone(),
        n_tracks: inputs.n_tracks,
        n_examples: inputs.examples.ids.len(),
        excluded: inputs.excluded.clone(),
        notes: inputs.notes.clone(),
    }
}
