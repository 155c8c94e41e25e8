//! Many runs, several at a time: all features first, then every run in its own process or, for a program that
//! uses encore as a library, in this one.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::context::{RunContext, Workspace, code_facts};
use super::error::{RunError, guarded};
use super::event::{Event, RunLabel};
use super::inputs::{Inputs, SharedInputs};
use super::plan::Plan;
use super::run::run;
use super::worker::{End, Lifeline, Worker, WorkerTask};
use crate::record::{CodeFacts, Run};

/// The longest time until a request to stop is passed on.
const ATTENTION: Duration = Duration::from_millis(50);

/// The outcome of a run.
pub struct Outcome {
    /// Which run.
    pub label: RunLabel,
    /// Its record, or the error.
    pub result: Result<Run, RunError>,
}

/// How many runs are done side by side.
#[derive(Clone, Copy)]
pub struct SideBySide<'a> {
    /// The `encore` program, which is started with the command `do-run` for each of the runs at a time, and
    /// again after a run that it did not survive. Absent to do the runs in this process, each on all of its
    /// threads.
    pub program: Option<&'a Path>,
    /// Runs at a time; absent for as many as there are cores.
    pub n_jobs: Option<usize>,
    /// At most this long between two checkpoints of a training.
    pub checkpoint_every: Duration,
    /// Train nothing if the split leaks.
    pub forbid_leaks: bool,
}

/// A run that waits for its turn.
struct QueuedRun<'a> {
    plan: &'a Plan,
    id: String,
    seed: u64,
    /// The position of the seed in its plan.
    round: usize,
}

/// What runs of several queues can share, one queue after the other.
pub(super) struct Pool {
    /// Processes that wait for a run.
    idle: Mutex<Vec<Worker>>,
    /// The examples of the last plan.
    inputs: Mutex<SharedInputs>,
    /// Whether the examples stay in memory while runs go on.
    keeps_inputs: bool,
    /// The program and the working tree, as they were at the start.
    code: CodeFacts,
}

impl Pool {
    /// For one queue.
    fn once(project: &Path) -> Self {
        let (idle, inputs) = (Mutex::default(), Mutex::default());
        Self { idle, inputs, keeps_inputs: false, code: code_facts(project) }
    }

    /// For many queues whose plans have the same examples.
    pub(super) fn lasting(project: &Path) -> Self {
        Self { keeps_inputs: true, ..Self::once(project) }
    }
}

/// The common settings of a queue's runs.
struct Queue<'a> {
    workspace: Workspace<'a>,
    how: SideBySide<'a>,
    /// Threads of each run.
    n_threads: usize,
    /// The lifelines of the current runs.
    lifelines: Mutex<Vec<Arc<Lifeline>>>,
    pool: &'a Pool,
}

/// Runs every seed of every plan, some at a time, in processes of their own. Finished runs are
/// reused, and interrupted runs are resumed. Seeds go in rounds: the first one of every plan, then the
/// second one, so that every plan has a result early. In a round, ensembles come last, since they
/// consist of other runs.
///
/// A run that fails, or whose process is killed, does not affect other runs. If there are more cores
/// than runs, each run uses several threads, which changes no bit. Outcomes are in the order of
/// plans and seeds. Runs that had not started before a stop have none.
#[must_use = "the outcomes say what failed"]
pub fn run_all(plans: &[Plan], workspace: Workspace, how: SideBySide) -> Vec<Outcome> {
    run_all_in(plans, workspace, how, &Pool::once(workspace.project))
}

/// Runs every seed of every plan as [`run_all`] does, with what an earlier queue left in the pool.
pub(super) fn run_all_in(
    plans: &[Plan],
    workspace: Workspace,
    how: SideBySide,
    pool: &Pool,
) -> Vec<Outcome> {
    let Workspace { observer, stop, .. } = workspace;
    let mut jobs = vec![];
    let mut outcomes = vec![];
    let mut shared = pool.inputs.lock().expect("no holder of the examples panics");
    for plan in plans {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        for warning in plan.spec.warnings() {
            let (dataset, text) =
                (plan.spec.dataset.name.clone(), format!("{}: {warning}", plan.name));
            observer.event(&Event::FeaturesNote { dataset, text });
        }
        match guarded(|| shared.load(plan, workspace)) {
            // The run's process looks the features up again by itself.
            Ok(inputs) => {
                workspace.store.forget_failed_inputs(&plan.facts(plan.spec.seeds[0]));
                let much = inputs.much_imputed(plan);
                for text in inputs.tracks_without().into_iter().chain(much) {
                    let dataset = plan.spec.dataset.name.clone();
                    observer.event(&Event::FeaturesNote { dataset, text });
                }
                for (round, &seed) in plan.spec.seeds.iter().enumerate() {
                    jobs.push(QueuedRun { plan, id: inputs.run_id(plan, seed), seed, round });
                }
            }
            Err(error) => {
                let seed = plan.spec.seeds[0];
                let label = plan.label(seed);
                if !matches!(error, RunError::Stopped { .. }) {
                    // The failure is reported below in any case.
                    let _ =
                        workspace.store.note_failed_inputs(plan.facts(seed), &error.to_string());
                }
                outcomes.push(Outcome { label, result: Err(error) });
            }
        }
    }
    // Where nothing is left to run, the caller has the outcomes at once.
    for Outcome { label, result } in outcomes.iter().filter(|_| !jobs.is_empty()) {
        result.as_ref().err().into_iter().for_each(|error| observer.event(&failure(label, error)));
    }
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let n_jobs = how.n_jobs.unwrap_or(n_cores).clamp(1, jobs.len().max(1));
    // Two runs at a time are faster than two runs in turn on two cores each. A single run uses all cores.
    let n_threads = (n_cores / n_jobs).max(1);
    if !pool.keeps_inputs {
        shared.forget();
    }
    drop(shared);
    let queue = Queue { workspace, how, n_threads, lifelines: Mutex::default(), pool };
    let order: Vec<RunLabel> = jobs.iter().map(|job| job.plan.label(job.seed)).collect();
    let rounds = rounds(jobs);
    let jobs = Mutex::new(VecDeque::new());
    let done = Mutex::new(vec![]);
    let is_over = AtomicBool::new(false);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let job = jobs.lock().expect("no holder of the queue panics").pop_front();
            let Some(job) = job else { break };
            let outcome = queue.one(&job);
            done.lock().expect("no holder of the list panics").push(outcome);
        }
    };
    std::thread::scope(|scope| {
        // However this ends, the thread below must end too.
        let _over = RaisedAtEnd(&is_over);
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if stop.load(Ordering::Relaxed) {
                    let lifelines = queue.lifelines.lock().expect("no holder of the list panics");
                    lifelines.iter().for_each(|lifeline| lifeline.cut());
                }
                std::thread::sleep(ATTENTION);
            }
        });
        for round in rounds {
            *jobs.lock().expect("no holder of the queue panics") = round;
            let workers: Vec<_> = (0..n_jobs).map(|_| scope.spawn(work)).collect();
            workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
        }
    });
    let mut done = done.into_inner().expect("no holder of the list panics");
    done.sort_by_key(|outcome: &Outcome| order.iter().position(|label| *label == outcome.label));
    outcomes.extend(done);
    outcomes
}

/// The runs in the order in which they start. A list begins when the one before it has ended: an ensemble
/// consists of finished runs, and those that it may need go first.
fn rounds(mut jobs: Vec<QueuedRun>) -> Vec<VecDeque<QueuedRun>> {
    let is_ensemble = |job: &QueuedRun| job.plan.spec.model.ensemble().is_some();
    // Members have the seed of their ensemble, perhaps at another place of their list.
    let mut last: BTreeMap<u64, usize> = BTreeMap::new();
    for job in &jobs {
        let round = last.entry(job.seed).or_default();
        *round = job.round.max(*round);
    }
    jobs.iter_mut().filter(|job| is_ensemble(job)).for_each(|job| job.round = last[&job.seed]);
    // The order of plans stays as it is.
    jobs.sort_by_key(|job| (job.round, is_ensemble(job)));
    let mut rounds: Vec<VecDeque<QueuedRun>> = vec![];
    for job in jobs {
        match rounds.last_mut() {
            Some(last)
                if last.back().is_some_and(|before| is_ensemble(before) == is_ensemble(&job)) =>
            {
                last.push_back(job);
            }
            _ => rounds.push([job].into()),
        }
    }
    rounds
}

/// A flag that goes up when this is dropped.
struct RaisedAtEnd<'a>(&'a AtomicBool);

impl Drop for RaisedAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Queue<'_> {
    fn one(&self, job: &QueuedRun) -> Outcome {
        let Workspace { store, observer, .. } = self.workspace;
        let label = job.plan.label(job.seed);
        let began = Instant::now();
        let result = match store.read_whole(&job.id) {
            // The run's process reports the damage and repeats the run.
            Ok(Some(run)) if !self.how.forbid_leaks => {
                // Leftovers only take space, so that failing to remove them is not an error.
                let _ = store.tidy(&run);
                Ok((run, true))
            }
            _ => guarded(|| match self.how.program {
                Some(program) => self.in_worker(job, program),
                None => self.here(job),
            }),
        };
        if let Err(error) = &result
            && !matches!(error, RunError::Stopped { .. })
        {
            // The failure is reported below in any case.
            let _ = store.note_failure(&job.id, job.plan.facts(job.seed), &error.to_string());
        }
        observer.event(&match &result {
            Ok((run, found)) => Event::Finished {
                run: label.clone(),
                task: run.record.data.task,
                score: Some(run.record.scored().main()).filter(|score| score.is_finite()),
                seconds: began.elapsed().as_secs_f64(),
                found: *found,
            },
            Err(error) => failure(&label, error),
        });
        Outcome { label, result: result.map(|(run, _)| run) }
    }

    /// Does a run in this process.
    fn here(&self, job: &QueuedRun) -> Result<(Run, bool), RunError> {
        let SideBySide { checkpoint_every, forbid_leaks, .. } = self.how;
        let context = RunContext {
            workspace: self.workspace,
            members: self.workspace.store,
            code: &self.pool.code,
            checkpoint_every,
            forbid_leaks,
        };
        let inputs = Inputs::load(job.plan, self.workspace)?;
        run(job.plan, &inputs, job.seed, context)
    }

    /// Does a run in a separate process.
    fn in_worker(&self, job: &QueuedRun, program: &Path) -> Result<(Run, bool), RunError> {
        let Workspace { store, observer, project, .. } = self.workspace;
        let SideBySide { checkpoint_every, forbid_leaks, .. } = self.how;
        let QueuedRun { plan, id, seed, .. } = job;
        let task = WorkerTask {
            name: plan.name.clone(),
            origin: plan.origin.clone(),
            text: plan.text.clone(),
            options: plan.options.clone(),
            seed: *seed,
            id: id.clone(),
            project: project.to_owned(),
            store: store.root().to_owned(),
            n_threads: self.n_threads,
            checkpoint_every,
            forbid_leaks,
            code: self.pool.code.clone(),
            may_start_programs: crate::process::is_permitted(),
        };
        let process = |error: std::io::Error| {
            RunError::process(format!("{} cannot be started: {error}", program.display()))
        };
        let idle = || self.pool.idle.lock().expect("no holder of the list panics");
        let waiting = idle().pop();
        let worker = waiting.map_or_else(|| Worker::start(program), Ok).map_err(process)?;
        let lifeline = worker.lifeline();
        let lifelines = || self.lifelines.lock().expect("no holder of the list panics");
        lifelines().push(Arc::clone(&lifeline));
        let ended = worker.does(&task, observer);
        lifelines().retain(|other| !Arc::ptr_eq(other, &lifeline));
        let (end, worker) = ended.map_err(process)?;
        idle().extend(worker);
        match end {
            End::Done { found } => {
                let run = store.read(id)?;
                run.map(|run| (run, found)).ok_or_else(|| {
                    RunError::process(format!("the run's process wrote no record of {id}"))
                })
            }
            End::Stopped { epoch } => Err(RunError::Stopped { epoch }),
            End::Leaks { label, leaks } => Err(RunError::Leaks { label, leaks }),
            End::Failed { message, blame } => Err(RunError::Process { message, blame }),
        }
    }
}

fn failure(run: &RunLabel, error: &RunError) -> Event {
    let run = run.clone();
    match error {
        RunError::Stopped { epoch } => Event::Stopped { run, epoch: *epoch },
        error => Event::Failed { run, error: error.to_string() },
    }
}
