//! Many runs, several at a time: all features first, then every run in a process of its own.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::job::{End, Lifeline, Task, follow, start};
use super::run::{id, label, prepare};
use super::{Event, Observer, Plan, RunError, RunLabel};
use crate::dataset::Catalogue;
use crate::record::{Run, Store};

/// How long it takes at most until a wish to stop is passed on.
const ATTENTION: Duration = Duration::from_millis(50);

/// What became of a run.
pub struct Outcome {
    /// Which run.
    pub label: RunLabel,
    /// Its record, or why there is none.
    pub result: Result<Run, RunError>,
}

/// Where and how runs are done.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The datasets.
    pub catalogue: &'a Catalogue,
    /// Where records go.
    pub store: &'a Store,
    /// The project's folder.
    pub project: &'a Path,
    /// This program's own file, started once for each run with the command `do-run`.
    pub program: &'a Path,
    /// Runs at a time; absent for as many as there are cores.
    pub n_jobs: Option<usize>,
    /// At most this long between two checkpoints of a training.
    pub checkpoint_every: Duration,
    /// Set from outside: save all and stop.
    pub stop: &'a AtomicBool,
    /// Told what happens.
    pub observer: &'a dyn Observer,
}

/// Runs every seed of every plan, some at a time, each in its own process; finished ones are found
/// again and cut-off ones go on.
///
/// A run that fails, or whose process is killed, takes nothing else with it. Cores that are more than
/// the runs are given to threads within them, which changes no bit. Outcomes come in the order of
/// plans and seeds; runs that were not begun before a stop have none.
pub fn run_all(plans: &[Plan], setting: Setting) -> Vec<Outcome> {
    let Setting { catalogue, observer, stop, .. } = setting;
    let mut jobs = VecDeque::new();
    let mut outcomes = vec![];
    for plan in plans {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        match guarded(|| prepare(plan, catalogue, observer, stop)) {
            // The run's process looks the features up again by itself.
            Ok(prepared) => {
                let named = |&seed: &u64| (plan, id(plan, &prepared, seed), seed);
                jobs.extend(plan.seeds.iter().map(named));
            }
            Err(error) => {
                let run = label(plan, plan.seeds[0]);
                observer.event(&failure(&run, &error));
                outcomes.push(Outcome { label: run, result: Err(error) });
            }
        }
    }
    let n_cores = std::thread::available_parallelism().map_or(1, usize::from);
    let n_jobs = setting.n_jobs.unwrap_or(n_cores).clamp(1, jobs.len().max(1));
    // Two runs side by side get more done than one run on two cores, one alone may have both.
    let n_threads = (n_cores / n_jobs).max(1);
    let order: Vec<RunLabel> = jobs.iter().map(|(plan, _, seed)| label(plan, *seed)).collect();
    let jobs = Mutex::new(jobs);
    let done = Mutex::new(vec![]);
    let lifelines: Mutex<Vec<Arc<Lifeline>>> = Mutex::new(vec![]);
    let is_over = AtomicBool::new(false);
    let work = || {
        while !stop.load(Ordering::Relaxed) {
            let job = jobs.lock().expect("no holder of the queue panics").pop_front();
            let Some((plan, id, seed)) = job else { break };
            let outcome = one(plan, &id, seed, n_threads, setting, &lifelines);
            done.lock().expect("no holder of the list panics").push(outcome);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                if stop.load(Ordering::Relaxed) {
                    let lifelines = lifelines.lock().expect("no holder of the list panics");
                    lifelines.iter().for_each(|lifeline| lifeline.cut());
                }
                std::thread::sleep(ATTENTION);
            }
        });
        let workers: Vec<_> = (0..n_jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().expect("a worker does not panic"));
        is_over.store(true, Ordering::Relaxed);
    });
    let mut done = done.into_inner().expect("no holder of the list panics");
    done.sort_by_key(|outcome: &Outcome| order.iter().position(|label| *label == outcome.label));
    outcomes.extend(done);
    outcomes
}

fn one(
    plan: &Plan,
    id: &str,
    seed: u64,
    n_threads: usize,
    setting: Setting,
    lifelines: &Mutex<Vec<Arc<Lifeline>>>,
) -> Outcome {
    let Setting { store, observer, .. } = setting;
    let label = label(plan, seed);
    let began = Instant::now();
    let result = match store.read_whole(id) {
        // Damage is told, and the run made anew, by the run's own process.
        Ok(Some(run)) => Ok((run, true)),
        _ => guarded(|| in_process(plan, id, seed, n_threads, setting, lifelines)),
    };
    observer.event(&match &result {
        Ok((run, found)) => Event::Finished {
            run: label.clone(),
            accuracy: run.record.test.accuracy,
            seconds: began.elapsed().as_secs_f64(),
            found: *found,
        },
        Err(error) => failure(&label, error),
    });
    Outcome { label, result: result.map(|(run, _)| run) }
}

fn in_process(
    plan: &Plan,
    id: &str,
    seed: u64,
    n_threads: usize,
    setting: Setting,
    lifelines: &Mutex<Vec<Arc<Lifeline>>>,
) -> Result<(Run, bool), RunError> {
    let task = Task {
        name: plan.name.clone(),
        origin: plan.origin.clone(),
        text: plan.text.clone(),
        options: plan.options.clone(),
        seed,
        id: id.to_owned(),
        project: setting.project.to_owned(),
        store: setting.store.root().to_owned(),
        n_threads,
        checkpoint_every: setting.checkpoint_every,
    };
    let process = |error: std::io::Error| {
        RunError::Process(format!("{} can't be started: {error}", setting.program.display()))
    };
    let (mut child, lifeline) = start(setting.program, &task).map_err(process)?;
    let lifeline = Arc::new(lifeline);
    lifelines.lock().expect("no holder of the list panics").push(Arc::clone(&lifeline));
    let end = follow(&mut child, setting.observer);
    lifelines.lock().expect("no holder of the list panics").retain(|l| !Arc::ptr_eq(l, &lifeline));
    match end.map_err(process)? {
        End::Done { found } => {
            let run = setting.store.read(id)?;
            run.map(|run| (run, found)).ok_or_else(|| {
                RunError::Process(format!("the run's process made no record of {id}"))
            })
        }
        End::Stopped { epoch } => Err(RunError::Stopped { epoch }),
        End::Failed(error) => Err(RunError::Process(error)),
    }
}

fn failure(run: &RunLabel, error: &RunError) -> Event {
    let run = run.clone();
    match error {
        RunError::Stopped { epoch } => Event::Stopped { run, epoch: *epoch },
        error => Event::Failed { run, error: error.to_string() },
    }
}

/// Turns a panic into an error, so that the other runs go on.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(RunError::Panic(text.unwrap_or_else(|| "without a word".to_owned())))
    })
}
