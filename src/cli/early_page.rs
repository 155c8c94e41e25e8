//! The page while its runs are going on: rewritten after every run that ends, so that it is there early.

use std::collections::BTreeSet;
use std::sync::{Condvar, Mutex};

use super::page::Source;
use super::progress::Progress;
use crate::experiment::{Event, Observer, Plan, RunLabel};

/// Shows progress, and rewrites the page when a run has ended.
pub(super) struct EarlyPage<'a> {
    progress: &'a Progress,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The runs that have not ended, in the order of the page.
    pending: Vec<RunLabel>,
    /// Experiments without a run that has ended.
    unseen: BTreeSet<String>,
    /// Whether a run has ended since the page was written.
    is_outdated: bool,
    is_over: bool,
}

impl<'a> EarlyPage<'a> {
    /// For all seeds of some plans.
    pub(super) fn new<'b>(plans: &'b [Plan], progress: &'a Progress) -> Self {
        let labels = |plan: &Plan| plan.spec.seeds.iter().map(|&seed| plan.label(seed)).collect();
        let pending: Vec<RunLabel> =
            plans.iter().flat_map(|plan| -> Vec<_> { labels(plan) }).collect();
        let unseen = pending.iter().map(|label| label.experiment.clone()).collect();
        let state = State { pending, unseen, ..State::default() };
        Self { progress, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The experiments with the number of their runs that have not ended.
    pub(super) fn pending(&self) -> Vec<(String, usize)> {
        counted(&self.state().pending)
    }

    /// Does what runs everything, and meanwhile rewrites the page whenever a run has ended. The last page is left
    /// to the caller.
    pub(super) fn written_by<T>(&self, source: &Source, work: impl FnOnce() -> T) -> T {
        std::thread::scope(|scope| {
            scope.spawn(|| self.keep_writing(source));
            // However the work ends, the thread above must end too.
            let _over = OverAtEnd(self);
            work()
        })
    }

    fn keep_writing(&self, source: &Source) {
        let (mut was_complete, mut last_error) = (self.state().unseen.is_empty(), String::new());
        loop {
            let mut state = self.state();
            while !state.is_outdated && !state.is_over {
                state = self.changed.wait(state).expect("no holder of the state panics");
            }
            if state.is_over {
                return;
            }
            state.is_outdated = false;
            let (pending, is_complete) = (counted(&state.pending), state.unseen.is_empty());
            drop(state);
            match source.write(&pending) {
                Ok(written) if is_complete && !was_complete && !pending.is_empty() => {
                    was_complete = true;
                    let page = written.page().display();
                    self.progress.line(&format!(
                        "every experiment has a result: {page}; more seeds make it more precise"
                    ));
                }
                Ok(_) => {}
                // The runs go on; the last page will show them.
                Err(error) => {
                    let error = format!("the page was not written yet: {}", error.into_parts().1);
                    if error != last_error {
                        self.progress.line(&error);
                    }
                    last_error = error;
                }
            }
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no holder of the state panics")
    }
}

/// Ends the writing when this is dropped.
struct OverAtEnd<'a, 'b>(&'a EarlyPage<'b>);

impl Drop for OverAtEnd<'_, '_> {
    fn drop(&mut self) {
        self.0.state().is_over = true;
        self.0.changed.notify_all();
    }
}

impl Observer for EarlyPage<'_> {
    fn event(&self, event: &Event) {
        self.progress.event(event);
        let (Event::Finished { run, .. } | Event::Failed { run, .. }) = event else { return };
        let mut state = self.state();
        state.pending.retain(|label| label != run);
        state.unseen.remove(&run.experiment);
        // A run that was found is on the page already, or comes on it with the next one.
        if matches!(event, Event::Finished { found: false, .. }) {
            state.is_outdated = true;
            self.changed.notify_all();
        }
    }
}

/// Experiments in the order of their first run, each with the number of its runs.
fn counted(labels: &[RunLabel]) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = vec![];
    for label in labels {
        match counts.iter_mut().find(|(name, _)| *name == label.experiment) {
            Some((_, n)) => *n += 1,
            None => counts.push((label.experiment.clone(), 1)),
        }
    }
    counts
}
