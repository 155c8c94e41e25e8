//! The fit of one run: from its last checkpoint, watched, saved as it goes.

use std::time::{Instant, SystemTime};

use super::run::{RunContext, RunError, label};
use super::{Event, Plan, RunLabel};
use crate::model::{FitInput, Fitted, Flow, ModelError, Next, TrainingObserver};
use crate::record::{Checkpoint, Epoch, RunWriter, StoreError};

/// What a fit leaves besides the model.
pub(super) struct TrainingHistory {
    pub(super) epochs: Vec<Epoch>,
    pub(super) started: String,
    pub(super) n_resumed: usize,
    /// Of all processes that were at it, and of this one.
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
    plan: &Plan,
    job: &FitInput,
    found: Option<Checkpoint>,
    writer: &mut RunWriter,
    around: RunContext,
) -> Result<(Fitted, TrainingHistory), RunError> {
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
        around.setting.observer.event(&Event::Started {
            run: run.clone(),
            n_epochs_done,
            max_epochs,
        });
        let snapshot = std::mem::take(&mut state.snapshot);
        let resume = (!snapshot.is_empty()).then_some(snapshot.as_slice());
        let job = FitInput { resume, ..*job };
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
                    TrainingHistory { epochs, started, n_resumed, fit_s, own_fit_s, start },
                ));
            }
            Err(ModelError::Stopped { epoch }) => return Err(RunError::Stopped { epoch }),
            Err(ModelError::Snapshot(said)) if resume.is_some() => {
                let text = format!("the checkpoint cannot be used ({said}); the run starts again");
                around.setting.observer.event(&Event::Note { run: label(plan, job.seed.0), text });
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
    plan: &'a Plan,
    run: RunLabel,
    around: RunContext<'a>,
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
        self.state.epochs.push(*epoch);
        let (run, epoch) = (self.run.clone(), *epoch);
        let max_epochs = self.plan.max_epochs.unwrap_or(epoch.epoch);
        self.around.setting.observer.event(&Event::Epoch { run, epoch, max_epochs });
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
