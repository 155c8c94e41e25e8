//! Many runs, several at a time: a plan's features first, then its seeds side by side.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::run::{Prepared, code_facts, id, label, prepare, run};
use super::{Event, Observer, Plan, RunError, RunLabel};
use crate::dataset::Catalogue;
use crate::record::{Run, Store};

/// What became of a run.
pub struct Outcome {
    /// Which run.
    pub label: RunLabel,
    /// Its record, or why there is none.
    pub result: Result<Run, RunError>,
}

/// Runs every seed of every plan, `n_jobs` at a time, each on one core; finished ones are found again.
///
/// A run that fails takes nothing else with it. Outcomes come in the order of plans and seeds.
pub fn run_all(
    plans: &[Plan],
    catalogue: &Catalogue,
    store: &Store,
    project: &Path,
    n_jobs: usize,
    observer: &dyn Observer,
) -> Vec<Outcome> {
    let code = code_facts(project);
    let mut jobs = VecDeque::new();
    let mut outcomes = vec![];
    for plan in plans {
        match guarded(|| prepare(plan, catalogue, observer)) {
            Ok(prepared) => {
                let prepared = Arc::new(prepared);
                jobs.extend(plan.seeds.iter().map(|&seed| (plan, Arc::clone(&prepared), seed)));
            }
            Err(error) => {
                let run = label(plan, plan.seeds[0]);
                observer.event(&Event::Failed { run: run.clone(), error: error.to_string() });
                outcomes.push(Outcome { label: run, result: Err(error) });
            }
        }
    }
    let order: Vec<RunLabel> = jobs.iter().map(|(plan, _, seed)| label(plan, *seed)).collect();
    let jobs = Mutex::new(jobs);
    let done = Mutex::new(vec![]);
    let work = || {
        // One core per run: two runs side by side get more done than one run on two cores.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
        let pool = pool.expect("a pool of one thread can always be made");
        loop {
            let job = jobs.lock().expect("no holder of the queue panics").pop_front();
            let Some((plan, prepared, seed)) = job else { break };
            let outcome = pool.install(|| one(plan, &prepared, seed, &code, store, observer));
            done.lock().expect("no holder of the list panics").push(outcome);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..n_jobs.max(1) {
            scope.spawn(work);
        }
    });
    let mut done = done.into_inner().expect("no holder of the list panics");
    done.sort_by_key(|outcome: &Outcome| order.iter().position(|label| *label == outcome.label));
    outcomes.extend(done);
    outcomes
}

fn one(
    plan: &Plan,
    prepared: &Prepared,
    seed: u64,
    code: &crate::record::CodeFacts,
    store: &Store,
    observer: &dyn Observer,
) -> Outcome {
    let label = label(plan, seed);
    let start = Instant::now();
    let found = store.find(&id(plan, prepared, seed)).ok().flatten();
    let is_found = found.is_some();
    let result = match found {
        Some(run) => Ok(run),
        None => {
            let max_epochs = plan.max_epochs;
            observer.event(&Event::Started { run: label.clone(), max_epochs });
            guarded(|| run(plan, prepared, seed, code, store, observer))
        }
    };
    observer.event(&match &result {
        Ok(run) => Event::Finished {
            run: label.clone(),
            accuracy: run.record.test.accuracy,
            seconds: start.elapsed().as_secs_f64(),
            found: is_found,
        },
        Err(error) => Event::Failed { run: label.clone(), error: error.to_string() },
    });
    Outcome { label, result }
}

/// Turns a panic into an error, so that the other runs go on.
fn guarded<T>(work: impl FnOnce() -> Result<T, RunError>) -> Result<T, RunError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(RunError::Panic(text.unwrap_or_else(|| "without a word".to_owned())))
    })
}
