//! The fit of one run: from its last checkpoint, watched, saved as it goes.

use std::time::{Instant, SystemTime};

use super::context::RunContext;
use super::error::RunError;
use super::event::{Event, RunLabel};
use super::fold::Fold;
use crate::model::{FitInput, Fitted, Flow, ModelError, Next, TrainingObserver};
use crate::record::{Checkpoint, Epoch, Imported, RunWriter, StoreError};

/// A fitted model, with its history.
pub(super) struct Trained {
    pub(super) fitted: Fitted,
    pub(super) history: TrainingHistory,
    /// Where the weights come from, if they were not trained here.
    pub(super) imported: Option<Imported>,
}

/// The course of a fit, over all processes that worked on it.
pub(super) struct TrainingHistory {
    pub(super) epochs: Vec<Epoch>,
    pub(super) started: String,
    pub(super) n_resumed: usize,
    /// The time of all earlier processes of this run and of this one.
    pub(super) fit_s: f64,
    pub(super) own_fit_s: f64,
    /// When this process began.
    pub(super) start: Instant,
}

impl TrainingHistory {
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
pub(super) fn fit(
    fold: &Fold,
    found: Option<Checkpoint>,
    writer: &mut RunWriter,
    context: RunContext,
) -> Result<Trained, RunError> {
    let work = |input: &FitInput, observer: &mut dyn TrainingObserver| {
        fold.plan.spec.model.fit(input, observer)
    };
    let (fitted, history) = observed(fold, found, writer, context, work)?;
    Ok(Trained { fitted, history, imported: None })
}

/// Does work that an observer sees, saves and stops, from a checkpoint where there is one.
pub(super) fn observed<T>(
    fold: &Fold,
    found: Option<Checkpoint>,
    writer: &mut RunWriter,
    context: RunContext,
    work: impl Fn(&FitInput, &mut dyn TrainingObserver) -> Result<T, ModelError>,
) -> Result<(T, TrainingHistory), RunError> {
    let start = Instant::now();
    let run = fold.plan.label(fold.seed);
    let max_epochs = fold.plan.spec.max_epochs;
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
        let n_epochs_done = state.epochs.len();
        context.workspace.observer.event(&Event::Started {
            run: run.clone(),
            n_epochs_done,
            max_epochs,
        });
        let snapshot = std::mem::take(&mut state.snapshot);
        let resume = (!snapshot.is_empty()).then_some(snapshot.as_slice());
        let input = FitInput { resume, ..fold.fit_input() };
        let (base_s, last_save) = (state.fit_s, Instant::now());
        let mut watcher = Watcher {
            writer,
            run: run.clone(),
            max_epochs,
            context,
            state,
            base_s,
            start,
            last_save,
            error: None,
        };
        let done_work = work(&input, &mut watcher);
        let Watcher { state: done, error, .. } = watcher;
        if let Some(error) = error {
            return Err(error.into());
        }
        let own_fit_s = start.elapsed().as_secs_f64();
        match done_work {
            Ok(made) => {
                let Checkpoint { started, n_resumed, epochs, .. } = done;
                let fit_s = base_s + own_fit_s;
                let history =
                    TrainingHistory { epochs, started, n_resumed, fit_s, own_fit_s, start };
                return Ok((made, history));
            }
            Err(ModelError::Stopped { epoch }) => return Err(RunError::Stopped { epoch }),
            Err(ModelError::Snapshot(said)) if resume.is_some() => {
                let text = format!("the checkpoint cannot be used ({said}); the run starts again");
                context.workspace.observer.event(&Event::Note { run: run.clone(), text });
                writer.restart()?;
                state = fresh();
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Writes every epoch into the record, saves now and then, and tells the observer.
struct Watcher<'a> {
    writer: &'a mut RunWriter,
    run: RunLabel,
    max_epochs: Option<usize>,
    context: RunContext<'a>,
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

impl TrainingObserver for Watcher<'_> {
    fn epoch(&mut self, epoch: &Epoch) -> Flow {
        // A program that starts again repeats epochs: what came after them is forgotten.
        let n_before = self.state.epochs.iter().filter(|it| it.epoch < epoch.epoch).count();
        let is_again = n_before < self.state.epochs.len();
        self.state.epochs.truncate(n_before);
        self.state.epochs.push(*epoch);
        let (run, epoch) = (self.run.clone(), *epoch);
        let max_epochs = self.max_epochs.unwrap_or(epoch.epoch);
        self.context.workspace.observer.event(&Event::Epoch { run, epoch, max_epochs });
        let written = if is_again {
            let mut all = self.state.epochs.iter();
            self.writer.restart().and_then(|()| all.try_for_each(|epoch| self.writer.epoch(epoch)))
        } else {
            self.writer.epoch(&epoch)
        };
        self.go_on(written)
    }

    fn next(&mut self) -> Next {
        if self.context.workspace.is_stopped() {
            Next::SaveAndStop
        } else if self.last_save.elapsed() >= self.context.checkpoint_every {
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
