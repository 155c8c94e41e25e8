//! One run: a plan with one seed, from examples to a record on disk.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::model_inputs::ModelInputs;
use super::record_run::record_run;
use super::training::fit;
use super::{Event, Plan, RunLabel, Workspace};
use crate::dataset::{Data, DatasetError, TrackColumns};
use crate::features::{Examples, FeatureError, Step};
use crate::kernels::isa::Isa;
use crate::model::{Device, ModelError};
use crate::record::{Audit, ClaimOutcome, CodeFacts, Excluded, Member, Run, RunClaim, StoreError};
use crate::split::{Items, Numbers, Split, SplitError, audit};
use crate::vocab::{Seed, Sha256, SplitName};

/// Raised with every change after which the same spec, data and seed come to other bits: older runs
/// are stale then. `tests/repeatable/` notices.
pub const CODE_VERSION: u32 = 2;

/// How long a run waits between two looks at a lock.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// What can go wrong with a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The dataset is not there, or has changed.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The dataset lacks what the split goes by.
    #[error("{0}")]
    Incompatible(String),
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
    #[error("the run failed: {0}")]
    Panic(String),
    /// The run's own process said what went wrong, or ended without a message.
    #[error("{0}")]
    Process(String),
    /// The split leaks, and that was forbidden.
    #[error(
        "{label}: the split leaks, which --forbid-leaks forbids: {leaks}\nhint: split by track or by group"
    )]
    Leaks {
        /// Which run.
        label: String,
        /// What leaks, in words.
        leaks: String,
    },
    /// The run was asked to stop; it is saved.
    #[error("stopped and saved; the same command resumes")]
    Stopped {
        /// The epoch that it was in; 0 before the first.
        epoch: usize,
    },
}

/// Where and how a run is done, whichever run it is.
#[derive(Clone, Copy)]
pub(super) struct RunContext<'a> {
    pub(super) setting: Workspace<'a>,
    pub(super) code: &'a CodeFacts,
    /// At most this long between two checkpoints of a training.
    pub(super) checkpoint_every: Duration,
    /// Train nothing where the split leaks.
    pub(super) forbid_leaks: bool,
}

/// The sets of one seed, and what was found in them before the training.
pub(super) struct AuditedSplit {
    pub(super) split: Split,
    pub(super) audit: Audit,
}

impl RunContext<'_> {
    pub(super) fn is_stopped(&self) -> bool {
        self.setting.stop.load(Ordering::Relaxed)
    }
}

/// The examples of a plan, shared by its seeds.
pub(super) struct Inputs {
    pub(super) examples: Examples,
    pub(super) track_columns: TrackColumns,
    pub(super) synthetic: bool,
    pub(super) data_hash: String,
    pub(super) n_tracks: usize,
    pub(super) excluded: Vec<Excluded>,
    pub(super) notes: Vec<String>,
    pub(super) cut: Vec<String>,
    pub(super) seconds: f64,
}

impl Inputs {
    pub(super) fn items(&self) -> Items<'_> {
        let Examples { ids, labels, .. } = &self.examples;
        Items { ids, labels, columns: &self.track_columns }
    }

    /// The sets of one seed, looked through for leaks.
    pub(super) fn divide(&self, plan: &Plan, seed: u64) -> Result<AuditedSplit, SplitError> {
        let split = self.split(plan, seed)?;
        let Examples { matrix, shape, .. } = &self.examples;
        let numbers = Numbers { values: matrix.as_slice(), shape };
        let audit = audit(&split, self.items(), numbers, plan.split.group(&self.track_columns));
        Ok(AuditedSplit { split, audit })
    }

    /// The sets of one seed.
    pub(super) fn split(&self, plan: &Plan, seed: u64) -> Result<Split, SplitError> {
        plan.split.divide(self.items(), Seed(seed))
    }

    pub(super) fn members(&self, split: &Split) -> Vec<Member> {
        members(&self.examples, split)
    }
}

/// Loads a plan's dataset and makes or finds its features.
pub(super) fn prepare(plan: &Plan, setting: Workspace) -> Result<Inputs, RunError> {
    let Workspace { catalogue, observer, stop, .. } = setting;
    let start = Instant::now();
    if let Some(reason) = plan.unfit() {
        return Err(RunError::Incompatible(reason));
    }
    let mut data = catalogue.load(&plan.dataset, plan.data_cut)?;
    let watch = |step: Step| {
        let dataset = plan.dataset.name.clone();
        match step {
            Step::Tracks { n_done, n_tracks } => {
                observer.event(&Event::Features { dataset, n_done, n_tracks });
            }
            Step::Note(text) => observer.event(&Event::FeaturesNote { dataset, text }),
            Step::Waiting => {}
        }
        !stop.load(Ordering::Relaxed)
    };
    let cache = catalogue.place().features_folder();
    let examples = match plan.features.examples(&data, &cache, &watch) {
        Err(FeatureError::Stopped) => return Err(RunError::Stopped { epoch: 0 }),
        other => other?,
    };
    let track_columns = data.take_track_columns();
    let (synthetic, hash, n_tracks, excluded, notes, part) = match data {
        Data::Audio(x) => (x.synthetic, x.hash, x.tracks.len(), x.excluded, x.notes, x.part),
        Data::Table(x) => (x.synthetic, x.hash, x.ids.len(), x.excluded, x.notes, x.part),
        Data::Arrays(x) => (false, x.hash, x.n_tracks, x.excluded, x.notes, x.part),
    };
    Ok(Inputs {
        excluded: excluded.into_iter().chain(examples.excluded.iter().cloned()).collect(),
        examples,
        track_columns,
        synthetic,
        data_hash: hash,
        n_tracks,
        notes,
        cut: part.into_iter().collect(),
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// The run's name: readable, and other wherever something that decides its result is other.
pub(super) fn id(plan: &Plan, prepared: &Inputs, seed: u64) -> String {
    let mut hash = Sha256::new()
        .piece(CODE_VERSION.to_le_bytes())
        .piece(&plan.spec_hash)
        .piece(&prepared.examples.hash)
        .piece(seed.to_le_bytes());
    if let Some(sources) = plan.split.sources_hash(&prepared.track_columns) {
        hash = hash.piece(sources);
    }
    if plan.device() != Device::Cpu {
        hash = hash.piece(plan.device().name());
    }
    let hash = hash.hex();
    format!("{}.{}.seed-{seed}.{}", plan.name.replace('/', "."), plan.dataset.name, &hash[..8])
}

/// Does or resumes a run, or finds it finished; true for the last.
///
/// Where another process is at the same run, waits for it and finds what it made.
pub(super) fn run(
    plan: &Plan,
    prepared: &Inputs,
    seed: u64,
    around: RunContext,
) -> Result<(Run, bool), RunError> {
    let id = id(plan, prepared, seed);
    let Workspace { store, observer, .. } = around.setting;
    let claim = claim(&id, &label(plan, seed), around)?;
    match store.read_whole(&id) {
        Ok(Some(run)) => {
            refuse_leaks(&label(plan, seed), &run.record.audit, around)?;
            store.tidy(&run)?;
            return Ok((run, true));
        }
        Ok(None) => {}
        Err(error @ StoreError::Damaged { .. }) => {
            let text = format!("{error}").lines().next().unwrap_or_default().to_owned();
            let text = format!("{text}; the run will be repeated");
            observer.event(&Event::Note { run: label(plan, seed), text });
        }
        Err(error) => return Err(error.into()),
    }
    Ok((anew(plan, prepared, seed, claim, around)?, false))
}

/// Waits for the right to write the run's folder.
pub(super) fn claim(id: &str, label: &RunLabel, around: RunContext) -> Result<RunClaim, RunError> {
    let mut has_said = false;
    loop {
        if around.is_stopped() {
            return Err(RunError::Stopped { epoch: 0 });
        }
        match around.setting.store.claim(id)? {
            ClaimOutcome::Ours(claim) => return Ok(claim),
            ClaimOutcome::Busy { process } => {
                if !has_said {
                    around.setting.observer.event(&Event::Waiting { run: label.clone(), process });
                    has_said = true;
                }
                std::thread::sleep(POLL_INTERVAL);
            }
        }
    }
}

/// Fits, scores and records one run, from its last good checkpoint if there is one.
fn anew(
    plan: &Plan,
    prepared: &Inputs,
    seed: u64,
    claim: RunClaim,
    around: RunContext,
) -> Result<Run, RunError> {
    let divided = prepared.divide(plan, seed)?;
    let split = &divided.split;
    refuse_leaks(&label(plan, seed), &divided.audit, around)?;
    let (mut writer, found, notes) = around.setting.store.begin(claim)?;
    for text in notes {
        around.setting.observer.event(&Event::Note { run: label(plan, seed), text });
    }
    writer.spec(&plan.text)?;
    writer.members(&prepared.members(split))?;
    let seen = ModelInputs::new(plan, &prepared.examples, split)?;
    let (fitted, watched) = fit(plan, &seen.job(seed), found, &mut writer, around)?;
    record_run(plan, prepared, seed, &divided, &seen, writer, &fitted, watched, None, around)
}

/// Returns an error if the split leaks and `--forbid-leaks` was given.
fn refuse_leaks(label: &RunLabel, audit: &Audit, around: RunContext) -> Result<(), RunError> {
    if !around.forbid_leaks || audit.n_leaking == 0 {
        return Ok(());
    }
    let leaks = audit.leaks.iter().filter(|leak| leak.n_test > 0);
    let leaks: Vec<String> = leaks
        .map(|leak| {
            let named = leak.named.first().map_or(String::new(), |named| format!(", e.g. {named}"));
            format!("{} test examples {}{named}", leak.n_test, leak.kind.words())
        })
        .collect();
    let RunLabel { experiment, dataset, seed } = label;
    let label = format!("{experiment} on {dataset} seed {seed}");
    Err(RunError::Leaks { label, leaks: leaks.join("; ") })
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
