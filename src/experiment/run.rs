//! One run: a plan with one seed, from examples to a record on disk.

use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime};

use super::{Event, Observer, Plan, RunLabel};
use crate::dataset::{Catalogue, Data, DatasetError};
use crate::features::{Examples, FeatureError};
use crate::metrics;
use crate::model::{self, Classifier, Flow, Job, ModelError, Watch};
use crate::record::{
    CodeFacts, DataFacts, Epoch, Excluded, Member, ModelFacts, Prediction, Record, Run, RunWriter,
    Scores, SplitFacts, Store, StoreError, Timings,
};
use crate::split::{Items, Split, SplitError};
use crate::vocab::{Seed, Sha256, SplitName};

/// Version of the record's layout.
const RECORD_FORMAT: u32 = 1;

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The dataset is not there, or has changed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// Features can't be made.
    #[error(transparent)]
    Features(#[from] FeatureError),
    /// The examples can't be divided.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The fit failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The record can't be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The run broke down in a way that should not be.
    #[error("the run broke down: {0}")]
    Panic(String),
}

/// The examples of a plan, shared by its seeds.
pub(super) struct Prepared {
    examples: Examples,
    synthetic: bool,
    data_hash: String,
    n_tracks: usize,
    excluded: Vec<Excluded>,
    notes: Vec<String>,
    cut: Vec<String>,
    seconds: f64,
}

/// Loads a plan's dataset and makes or finds its features.
pub(super) fn prepare(
    plan: &Plan,
    catalogue: &Catalogue,
    observer: &dyn Observer,
) -> Result<Prepared, RunError> {
    let start = Instant::now();
    let data = catalogue.load(&plan.dataset, plan.data_cut)?;
    let progress = |n_done: usize, n_tracks: usize| {
        let dataset = plan.dataset.name.clone();
        observer.event(&Event::Features { dataset, n_done, n_tracks });
    };
    let cache = catalogue.place().features_folder();
    let examples = plan.features.examples(&data, &cache, &progress)?;
    let (synthetic, hash, n_tracks, excluded, notes, part) = match data {
        Data::Audio(x) => (x.synthetic, x.hash, x.tracks.len(), x.excluded, x.notes, x.part),
        Data::Table(x) => (x.synthetic, x.hash, x.ids.len(), x.excluded, x.notes, x.part),
    };
    Ok(Prepared {
        excluded: excluded.into_iter().chain(examples.excluded.iter().cloned()).collect(),
        examples,
        synthetic,
        data_hash: hash,
        n_tracks,
        notes,
        cut: part.into_iter().collect(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// The run's name: readable, and other wherever something that decides its result is other.
pub(super) fn id(plan: &Plan, prepared: &Prepared, seed: u64) -> String {
    let hash = Sha256::new()
        .piece(env!("CARGO_PKG_VERSION"))
        .piece(&plan.spec_hash)
        .piece(&prepared.examples.hash)
        .piece(seed.to_le_bytes())
        .hex();
    format!("{}.{}.seed-{seed}.{}", plan.name.replace('/', "."), plan.dataset.name, &hash[..8])
}

/// Fits, scores and records one run.
pub(super) fn run(
    plan: &Plan,
    prepared: &Prepared,
    seed: u64,
    code: &CodeFacts,
    store: &Store,
    observer: &dyn Observer,
) -> Result<Run, RunError> {
    let start = Instant::now();
    let started = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let examples = &prepared.examples;
    let items = Items { ids: &examples.ids, labels: &examples.labels };
    let split = plan.split.divide(items, Seed(seed))?;
    let mut writer = store.begin(&id(plan, prepared, seed))?;
    writer.spec(&plan.text)?;
    writer.members(&members(examples, &split))?;

    let label = label(plan, seed);
    let mut watch =
        Watcher { writer: &mut writer, label, plan, observer, n_epochs: 0, error: None };
    let view = |rows| view(examples, rows);
    let job = Job { train: view(&split.train), valid: view(&split.valid), seed: Seed(seed) };
    let fit_start = Instant::now();
    let fitted = plan.model.fit(&job, &mut watch);
    let (n_epochs, error) = (watch.n_epochs, watch.error);
    if let Some(error) = error {
        return Err(error.into());
    }
    let fitted = fitted?;
    let fit_s = fit_start.elapsed().as_secs_f64();

    let classifier = fitted.classifier.as_ref();
    let (test, probabilities) = score(classifier, view(&split.test))?;
    let train = score(classifier, view(&split.train))?.0;
    let valid =
        if split.valid.is_empty() { None } else { Some(score(classifier, view(&split.valid))?.0) };
    writer.predictions(&predictions(examples, &split.test, &probabilities), &examples.classes)?;
    classifier.save(&writer.model_folder())?;
    let record = Record {
        format: RECORD_FORMAT,
        experiment: plan.name.clone(),
        title: plan.title.clone(),
        question: plan.question.clone(),
        spec: plan.resolved.clone(),
        spec_hash: plan.spec_hash.clone(),
        overrides: plan.overrides.clone(),
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
            n_leaking: split.n_leaking(items),
        },
        model: ModelFacts {
            name: plan.model_name.to_owned(),
            n_parameters: fitted.n_parameters,
            n_epochs: plan.max_epochs.map(|_| n_epochs),
            max_epochs: plan.max_epochs,
            kept_epoch: fitted.kept_epoch,
            notes: fitted.notes.into_iter().chain(split.notes).collect(),
        },
        code: code.clone(),
        train,
        valid,
        test,
        timings: Timings {
            started,
            features_s: prepared.seconds,
            fit_s,
            total_s: start.elapsed().as_secs_f64(),
        },
    };
    Ok(writer.finish(&record)?)
}

pub(super) fn label(plan: &Plan, seed: u64) -> RunLabel {
    RunLabel { experiment: plan.name.clone(), dataset: plan.dataset.name.clone(), seed }
}

/// What this program is: its version, and the commit of the folder it runs in.
pub(super) fn code_facts(folder: &Path) -> CodeFacts {
    let git = |arguments: &[&str]| -> Option<String> {
        let output = Command::new("git").arg("-C").arg(folder).args(arguments).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        output.status.success().then_some(text)
    };
    let git_commit = git(&["rev-parse", "HEAD"]);
    // The report's own page is written by every run and does not decide a result.
    let status = git(&["status", "--porcelain", "--", ".", ":!reports"]);
    CodeFacts {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git_dirty: git_commit.as_ref().and(status).map(|status| !status.is_empty()),
        git_commit,
    }
}

fn view<'a>(examples: &'a Examples, rows: &'a [usize]) -> model::Examples<'a> {
    model::Examples {
        shape: &examples.shape,
        matrix: examples.matrix.as_slice(),
        labels: &examples.labels,
        rows,
        n_classes: examples.classes.len(),
    }
}

fn score(
    classifier: &dyn Classifier,
    examples: model::Examples,
) -> Result<(Scores, Vec<f32>), ModelError> {
    let probabilities = classifier.predict_proba(&examples)?;
    let actual: Vec<usize> = (0..examples.len()).map(|index| examples.label(index)).collect();
    let predicted = metrics::most_likely(&probabilities, examples.n_classes);
    let scores = metrics::Scores::new(&actual, &predicted, &probabilities, examples.n_classes);
    let scores = Scores {
        n: scores.n,
        accuracy: scores.accuracy,
        macro_f1: scores.macro_f1,
        log_loss: scores.log_loss,
        confusion: scores.confusion,
    };
    Ok((scores, probabilities))
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

fn members(examples: &Examples, split: &Split) -> Vec<Member> {
    let sets = [
        (SplitName::Train, &split.train),
        (SplitName::Valid, &split.valid),
        (SplitName::Test, &split.test),
    ];
    let of_set = |(set, rows): (SplitName, &Vec<usize>)| -> Vec<Member> {
        rows.iter().map(|&row| Member { example: examples.ids[row].clone(), set }).collect()
    };
    sets.into_iter().flat_map(of_set).collect()
}

fn data_facts(plan: &Plan, prepared: &Prepared) -> DataFacts {
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

/// Writes every epoch into the record and tells the observer.
struct Watcher<'a> {
    writer: &'a mut RunWriter,
    label: RunLabel,
    plan: &'a Plan,
    observer: &'a dyn Observer,
    n_epochs: usize,
    error: Option<StoreError>,
}

impl Watch for Watcher<'_> {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        self.n_epochs += 1;
        if let Err(error) = self.writer.epoch(epoch) {
            self.error = Some(error);
            return Flow::Stop;
        }
        let (run, epoch) = (self.label.clone(), *epoch);
        let max_epochs = self.plan.max_epochs.unwrap_or(epoch.epoch);
        self.observer.event(&Event::Epoch { run, epoch, max_epochs });
        Flow::Continue
    }
}
