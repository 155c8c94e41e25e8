//! One run: a plan with one seed, from examples to a record on disk.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::{Event, Observer, Plan, RunLabel};
use crate::dataset::{Catalogue, Data, DatasetError};
use crate::features::{Examples, FeatureError};
use crate::kernels::isa::Isa;
use crate::metrics;
use crate::model::{self, Classifier, Device, Fitted, Flow, Job, ModelError, Next, Watch};
use crate::record::{
    Asked, Checkpoint, CodeFacts, DataFacts, Epoch, Excluded, Imported, Member, ModelFacts,
    Outputs, Prediction, RECORD_FORMAT, Record, Run, RunClaim, RunWriter, Scores, SplitFacts,
    Store, StoreError, Timings,
};
use crate::split::{Items, Split, SplitError};
use crate::vocab::{Seed, Sha256, SplitName};

/// Raised with every change after which the same spec, data and seed come to other bits: older runs
/// are stale then. `tests/repeatable.rs` notices.
pub const CODE_VERSION: u32 = 2;

/// How long a run waits between two looks at a lock.
const PATIENCE: Duration = Duration::from_millis(200);

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
    /// The run's own process said what went wrong, or ended without a word.
    #[error("{0}")]
    Process(String),
    /// The run was asked to stop; it is saved.
    #[error("stopped and saved: the same command goes on from there")]
    Stopped {
        /// The epoch that it was in; 0 before the first.
        epoch: usize,
    },
}

/// Where and how a run is done, whichever run it is.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) code: &'a CodeFacts,
    pub(super) store: &'a Store,
    pub(super) observer: &'a dyn Observer,
    /// Set from outside: save and stop.
    pub(super) stop: &'a AtomicBool,
    /// At most this long between two checkpoints of a training.
    pub(super) checkpoint_every: Duration,
}

impl Surroundings<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
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

impl Prepared {
    pub(super) fn features_hash(&self) -> &str {
        &self.examples.hash
    }

    /// The sets of one seed.
    pub(super) fn split(&self, plan: &Plan, seed: u64) -> Result<Split, SplitError> {
        let Examples { ids, labels, .. } = &self.examples;
        plan.split.divide(Items { ids, labels }, Seed(seed))
    }

    /// What a fit of one seed works from.
    pub(super) fn job<'a>(&'a self, plan: &Plan, split: &'a Split, seed: u64) -> Job<'a> {
        let [train, valid] = [&split.train, &split.valid].map(|rows| view(&self.examples, rows));
        Job { train, valid, seed: Seed(seed), device: plan.device(), resume: None }
    }

    pub(super) fn members(&self, split: &Split) -> Vec<Member> {
        members(&self.examples, split)
    }

    pub(super) fn data_hash(&self) -> &str {
        &self.data_hash
    }
}

/// Loads a plan's dataset and makes or finds its features.
pub(super) fn prepare(
    plan: &Plan,
    catalogue: &Catalogue,
    observer: &dyn Observer,
    stop: &AtomicBool,
) -> Result<Prepared, RunError> {
    let start = Instant::now();
    let data = catalogue.load(&plan.dataset, plan.data_cut)?;
    let progress = |n_done: usize, n_tracks: usize| {
        let dataset = plan.dataset.name.clone();
        observer.event(&Event::Features { dataset, n_done, n_tracks });
        !stop.load(Ordering::Relaxed)
    };
    let cache = catalogue.place().features_folder();
    let examples = match plan.features.examples(&data, &cache, &progress) {
        Err(FeatureError::Stopped) => return Err(RunError::Stopped { epoch: 0 }),
        other => other?,
    };
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
    let mut hash = Sha256::new()
        .piece(CODE_VERSION.to_le_bytes())
        .piece(&plan.spec_hash)
        .piece(&prepared.examples.hash)
        .piece(seed.to_le_bytes());
    if plan.device() != Device::Cpu {
        hash = hash.piece(plan.device().name());
    }
    let hash = hash.hex();
    format!("{}.{}.seed-{seed}.{}", plan.name.replace('/', "."), plan.dataset.name, &hash[..8])
}

/// Does one run, goes on with it where it was cut off, or finds it done; true for the last.
///
/// Where another process is at the same run, waits for it and finds what it made.
pub(super) fn run(
    plan: &Plan,
    prepared: &Prepared,
    seed: u64,
    around: Surroundings,
) -> Result<(Run, bool), RunError> {
    let id = id(plan, prepared, seed);
    let Surroundings { store, observer, .. } = around;
    let claim = claim(&id, &label(plan, seed), around)?;
    match store.read_whole(&id) {
        Ok(Some(run)) => {
            store.tidy(&run)?;
            return Ok((run, true));
        }
        Ok(None) => {}
        Err(error @ StoreError::Damaged { .. }) => {
            let text = format!("{error}").lines().next().unwrap_or_default().to_owned();
            let text = format!("{text}; the run is made anew");
            observer.event(&Event::Note { run: label(plan, seed), text });
        }
        Err(error) => return Err(error.into()),
    }
    Ok((anew(plan, prepared, seed, claim, around)?, false))
}

/// Waits for the right to write the run's folder.
pub(super) fn claim(
    id: &str,
    label: &RunLabel,
    around: Surroundings,
) -> Result<RunClaim, RunError> {
    let mut has_said = false;
    loop {
        if around.is_stopped() {
            return Err(RunError::Stopped { epoch: 0 });
        }
        match around.store.claim(id)? {
            Asked::Ours(claim) => return Ok(claim),
            Asked::Busy { process } => {
                if !has_said {
                    around.observer.event(&Event::Waiting { run: label.clone(), process });
                    has_said = true;
                }
                std::thread::sleep(PATIENCE);
            }
        }
    }
}

/// Fits, scores and records one run, from its last good checkpoint if there is one.
fn anew(
    plan: &Plan,
    prepared: &Prepared,
    seed: u64,
    claim: RunClaim,
    around: Surroundings,
) -> Result<Run, RunError> {
    let split = prepared.split(plan, seed)?;
    let (mut writer, found, notes) = around.store.begin(claim)?;
    for text in notes {
        around.observer.event(&Event::Note { run: label(plan, seed), text });
    }
    writer.spec(&plan.text)?;
    writer.members(&prepared.members(&split))?;
    let job = prepared.job(plan, &split, seed);
    let (fitted, watched) = fit(plan, &job, found, &mut writer, around)?;

    conclude(plan, prepared, seed, &split, writer, &fitted, watched, None, around)
}

/// Scores a fitted model and writes all that is left of the run's record.
#[expect(clippy::too_many_arguments, reason = "a record is of all of these")]
pub(super) fn conclude(
    plan: &Plan,
    prepared: &Prepared,
    seed: u64,
    split: &Split,
    writer: RunWriter,
    fitted: &Fitted,
    watched: Watched,
    imported: Option<Imported>,
    around: Surroundings,
) -> Result<Run, RunError> {
    let examples = &prepared.examples;
    let items = Items { ids: &examples.ids, labels: &examples.labels };
    let view = |rows| view(examples, rows);
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
            n_leaking: split.n_leaking(items),
        },
        model: ModelFacts {
            name: plan.model_name.to_owned(),
            n_parameters: fitted.n_parameters,
            n_epochs: fitted.kept_epoch.map(|_| watched.epochs.len()),
            max_epochs: plan.max_epochs,
            kept_epoch: fitted.kept_epoch,
            imported,
            notes: fitted.notes.iter().chain(&split.notes).cloned().collect(),
        },
        code: match plan.device() {
            Device::Cpu => around.code.clone(),
            #[cfg(any(feature = "wgpu", feature = "cuda"))]
            other => CodeFacts { device: other.to_string(), ..around.code.clone() },
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
    Ok(writer.finish(record, &watched.epochs)?)
}

/// What a fit leaves besides the model.
pub(super) struct Watched {
    epochs: Vec<Epoch>,
    started: String,
    n_resumed: usize,
    /// Of all processes that were at it, and of this one.
    fit_s: f64,
    own_fit_s: f64,
    /// When this process began.
    start: Instant,
}

impl Watched {
    /// Nothing was trained.
    pub(super) fn nothing() -> Self {
        let (epochs, started, start) = (vec![], now(), Instant::now());
        Self { epochs, started, n_resumed: 0, fit_s: 0.0, own_fit_s: 0.0, start }
    }
}

fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

/// Fits the model, from a checkpoint where there is one and it can be used.
fn fit(
    plan: &Plan,
    job: &Job,
    found: Option<Checkpoint>,
    writer: &mut RunWriter,
    around: Surroundings,
) -> Result<(Fitted, Watched), RunError> {
    let start = Instant::now();
    let fresh = || Checkpoint {
        started: now(),
        fit_s: 0.0,
        n_resumed: 0,
        epochs: vec![],
        snapshot: vec![],
    };
    let mut state =
        found.map_or_else(fresh, |found| Checkpoint { n_resumed: found.n_resumed + 1, ..found });
    loop {
        let (run, max_epochs) = (label(plan, job.seed.0), plan.max_epochs);
        let n_epochs_done = state.epochs.len();
        around.observer.event(&Event::Started { run: run.clone(), n_epochs_done, max_epochs });
        let snapshot = std::mem::take(&mut state.snapshot);
        let resume = (!snapshot.is_empty()).then_some(snapshot.as_slice());
        let job = Job { resume, ..*job };
        let (base_s, last_save) = (state.fit_s, Instant::now());
        let mut watch =
            Watcher { writer, plan, run, around, state, base_s, start, last_save, error: None };
        let fitted = plan.model.fit(&job, &mut watch);
        let Watcher { state: seen, error, .. } = watch;
        if let Some(error) = error {
            return Err(error.into());
        }
        let own_fit_s = start.elapsed().as_secs_f64();
        match fitted {
            Ok(fitted) => {
                let Checkpoint { started, n_resumed, epochs, .. } = seen;
                let fit_s = base_s + own_fit_s;
                return Ok((
                    fitted,
                    Watched { epochs, started, n_resumed, fit_s, own_fit_s, start },
                ));
            }
            Err(ModelError::Stopped { epoch }) => return Err(RunError::Stopped { epoch }),
            Err(ModelError::Snapshot(said)) if resume.is_some() => {
                let text = format!("the checkpoint can't be used ({said}): the run starts anew");
                around.observer.event(&Event::Note { run: label(plan, job.seed.0), text });
                writer.restart()?;
                state = fresh();
            }
            Err(error) => return Err(error.into()),
        }
    }
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
        code_version: CODE_VERSION,
        device: format!("cpu ({})", Isa::best().name()),
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

/// Writes every epoch into the record, saves now and then, and tells the observer.
struct Watcher<'a> {
    writer: &'a mut RunWriter,
    plan: &'a Plan,
    run: RunLabel,
    around: Surroundings<'a>,
    /// What the next checkpoint holds, but for the snapshot and the time.
    state: Checkpoint,
    /// Time that earlier processes were at the fit, in seconds.
    base_s: f64,
    start: Instant,
    last_save: Instant,
    error: Option<StoreError>,
}

impl Watcher<'_> {
    fn go_on(&mut self, result: Result<(), StoreError>) -> Flow {
        match result {
            Ok(()) => Flow::Continue,
            Err(error) => {
                self.error = Some(error);
                Flow::Stop
            }
        }
    }
}

impl Watch for Watcher<'_> {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        self.state.epochs.push(*epoch);
        let (run, epoch) = (self.run.clone(), *epoch);
        let max_epochs = self.plan.max_epochs.unwrap_or(epoch.epoch);
        self.around.observer.event(&Event::Epoch { run, epoch, max_epochs });
        let written = self.writer.epoch(&epoch);
        self.go_on(written)
    }

    fn next(&mut self) -> Next {
        if self.around.is_stopped() {
            Next::SaveAndStop
        } else if self.last_save.elapsed() >= self.around.checkpoint_every {
            Next::Save
        } else {
            Next::Go
        }
    }

    fn keep(&mut self, snapshot: Vec<u8>) -> Flow {
        self.state.fit_s = self.base_s + self.start.elapsed().as_secs_f64();
        self.state.snapshot = snapshot;
        let written = self.writer.checkpoint(&self.state);
        self.state.snapshot = vec![];
        self.last_save = Instant::now();
        self.go_on(written)
    }
}
