//! The end of one run: scores, predictions, the model's files, the record.

use super::model_inputs::ModelInputs;
use super::run::{AuditedSplit, Inputs, RunContext, RunError, label};
use super::training::TrainingHistory;
use super::{Event, Plan};
use crate::features::Examples;
use crate::metrics;
use crate::model::{self, Classifier, Device, Fitted, ModelError};
use crate::record::{
    DataFacts, Imported, LeakKind, ModelFacts, Outputs, Prediction, RECORD_FORMAT, Record, Run,
    RunWriter, Scores, SplitFacts, StoreError, Timings,
};

/// Scores a fitted model and writes all that is left of the run's record.
#[expect(clippy::too_many_arguments, reason = "a record is of all of these")]
pub(super) fn record_run(
    plan: &Plan,
    prepared: &Inputs,
    seed: u64,
    AuditedSplit { split, audit }: &AuditedSplit,
    seen: &ModelInputs,
    mut writer: RunWriter,
    fitted: &Fitted,
    watched: TrainingHistory,
    imported: Option<Imported>,
    around: RunContext,
) -> Result<Run, RunError> {
    let examples = &prepared.examples;
    let items = prepared.items();
    let classifier = fitted.classifier.as_ref();
    let (test, probabilities) = score(classifier, seen.view(&split.test))?;
    let train = score(classifier, seen.view(&split.train))?.0;
    let valid = if split.valid.is_empty() {
        None
    } else {
        Some(score(classifier, seen.view(&split.valid))?.0)
    };
    writer.predictions(&predictions(examples, &split.test, &probabilities), &examples.classes)?;
    classifier.save(&writer.model_folder())?;
    seen.save(&writer.model_folder())?;
    let record = Record {
        format: RECORD_FORMAT,
        experiment: plan.name.clone(),
        title: plan.title.clone(),
        question: plan.question.clone(),
        spec: plan.resolved.clone(),
        spec_hash: plan.spec_hash.clone(),
        overrides: plan.options.set.clone(),
        options: serde_json::to_value(&plan.options).expect("options are plain data"),
        seed,
        cut: plan.cut.iter().chain(&prepared.cut).cloned().collect(),
        claims: plan.claims.clone(),
        data: data_facts(plan, prepared),
        split: SplitFacts {
            protocol: plan.split.describe(),
            n_train: split.train.len(),
            n_valid: split.valid.len(),
            n_test: split.test.len(),
            n_test_tracks: split.n_test_tracks(items),
            n_leaking: audit.n_test(LeakKind::SameTrack),
            sources_hash: plan.split.sources_hash(&prepared.track_columns),
        },
        audit: audit.clone(),
        model: ModelFacts {
            name: plan.model_name.to_owned(),
            n_parameters: fitted.n_parameters,
            n_epochs: fitted.kept_epoch.map(|_| watched.epochs.len()),
            max_epochs: plan.max_epochs,
            kept_epoch: fitted.kept_epoch,
            imported,
            notes: fitted
                .notes
                .iter()
                .chain(&seen.notes())
                .chain(&split.notes)
                .chain(&audit.unchecked)
                .cloned()
                .collect(),
        },
        code: match plan.device() {
            Device::Cpu => around.code.clone(),
            #[cfg(any(feature = "wgpu", feature = "cuda"))]
            other => crate::record::CodeFacts { device: other.to_string(), ..around.code.clone() },
        },
        train,
        valid,
        test,
        timings: Timings {
            features_s: prepared.seconds,
            total_s: watched.start.elapsed().as_secs_f64() + watched.fit_s - watched.own_fit_s,
            started: watched.started,
            n_resumed: watched.n_resumed,
            fit_s: watched.fit_s,
        },
        outputs: Outputs::default(),
        files: std::collections::BTreeMap::new(),
        seal: String::new(),
    };
    let (run, note) = writer.finish(record, &watched.epochs)?;
    if let Some(text) = note {
        around.setting.observer.event(&Event::Note { run: label(plan, seed), text });
    }
    Ok(run)
}

fn score(
    classifier: &dyn Classifier,
    examples: model::Examples,
) -> Result<(Scores, Vec<f32>), ModelError> {
    let probabilities = classifier.predict_proba(&examples)?;
    let actual: Vec<usize> = (0..examples.len()).map(|index| examples.label(index)).collect();
    let predicted = metrics::most_likely(&probabilities, examples.n_classes);
    Ok((scores(&actual, &predicted, &probabilities, examples.n_classes), probabilities))
}

fn scores(
    actual: &[usize],
    predicted: &[usize],
    probabilities: &[f32],
    n_classes: usize,
) -> Scores {
    let scores = metrics::Scores::new(actual, predicted, probabilities, n_classes);
    Scores {
        n: scores.n,
        accuracy: scores.accuracy,
        macro_f1: scores.macro_f1,
        log_loss: scores.log_loss,
        confusion: scores.confusion,
    }
}

/// The test scores that a finished run's predictions come to.
pub(super) fn rescore(run: &Run) -> Result<Scores, StoreError> {
    let predictions = run.predictions()?;
    let actual: Vec<usize> = predictions.iter().map(|row| row.actual).collect();
    let predicted: Vec<usize> = predictions.iter().map(|row| row.predicted).collect();
    let probabilities: Vec<f32> =
        predictions.iter().flat_map(|row| &row.probabilities).copied().collect();
    Ok(scores(&actual, &predicted, &probabilities, run.record.data.classes.len()))
}

fn predictions(examples: &Examples, rows: &[usize], probabilities: &[f32]) -> Vec<Prediction> {
    let n_classes = examples.classes.len();
    let predicted = metrics::most_likely(probabilities, n_classes);
    let rows = rows.iter().zip(predicted).zip(probabilities.chunks(n_classes));
    rows.map(|((&row, predicted), probabilities)| Prediction {
        example: examples.ids[row].clone(),
        actual: examples.labels[row],
        predicted,
        probabilities: probabilities.to_vec(),
    })
    .collect()
}

fn data_facts(plan: &Plan, prepared: &Inputs) -> DataFacts {
    DataFacts {
        dataset: plan.dataset.name.clone(),
        asked: plan.asked.clone(),
        synthetic: prepared.synthetic,
        hash: prepared.data_hash.clone(),
        features_hash: prepared.examples.hash.clone(),
        shape: prepared.examples.shape.clone(),
        classes: prepared.examples.classes.clone(),
        n_tracks: prepared.n_tracks,
        n_examples: prepared.examples.ids.len(),
        excluded: prepared.excluded.clone(),
        notes: prepared.notes.clone(),
    }
}
