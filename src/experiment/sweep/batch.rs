//! The trials of one batch: their runs, with bad trials ended early.

use std::collections::BTreeMap;
use std::sync::Mutex;

use super::super::context::Workspace;
use super::super::event::{Event, Observer, RunLabel};
use super::super::plan::Plan;
use super::super::queue::{Outcome, Pool, SideBySide, run_all_in};
use super::plans::of_trial;
use super::spec::Sweep;
use crate::record::{EndedRun, OfSearch, PartOfSearch, Run, Trial};
use crate::search::promoted;

/// What all batches of a part of a study share.
pub(super) struct Batches<'a> {
    pub(super) plan: &'a Plan,
    pub(super) sweep: &'a Sweep,
    /// The id of the study.
    pub(super) study: &'a str,
    /// The fold of the part.
    pub(super) fold: Option<usize>,
    /// Overrides of all runs of the part.
    pub(super) fixed: &'a [String],
    /// Epochs after which trials are compared; the last one is that of the spec. Empty without halving.
    pub(super) rungs: &'a [usize],
    pub(super) workspace: Workspace<'a>,
    pub(super) how: SideBySide<'a>,
    pub(super) pool: &'a Pool,
}

/// A batch was not done to its end: it was asked to stop.
pub(super) struct Interrupted;

impl Batches<'_> {
    /// Does the runs of some trials, which have no results yet, and adds their results.
    pub(super) fn run(&self, trials: &mut [Trial]) -> Result<(), Interrupted> {
        let mut alive: Vec<usize> =
            (0..trials.len()).filter(|&place| trials[place].error.is_none()).collect();
        let rungs: Vec<Option<usize>> = match self.rungs {
            [] => vec![None],
            [early @ .., _] => early.iter().copied().map(Some).chain([None]).collect(),
        };
        let n_rungs = rungs.len();
        for (step, until) in rungs.into_iter().enumerate() {
            self.up_to(until, trials, &alive)?;
            if step + 1 == n_rungs {
                break;
            }
            let losses: Vec<Option<f64>> = alive
                .iter()
                .map(|&place| trials[place].score.map(|score| self.sweep.metric.loss(score)))
                .collect();
            let factor = self.sweep.halving.map_or(2, |halving| halving.factor);
            let go_on: Vec<usize> =
                promoted(&losses, factor).into_iter().map(|place| alive[place]).collect();
            for &place in alive.iter().filter(|place| !go_on.contains(place)) {
                trials[place].stopped_after = until;
            }
            alive = go_on;
        }
        Ok(())
    }

    /// Does the runs of some trials up to an epoch.
    fn up_to(
        &self,
        until: Option<usize>,
        trials: &mut [Trial],
        alive: &[usize],
    ) -> Result<(), Interrupted> {
        let Workspace { catalogue, observer, .. } = self.workspace;
        let seeds = &self.sweep.seeds;
        // Equal settings are one run.
        let mut plans: Vec<Plan> = vec![];
        let mut plan_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut of_settings: BTreeMap<Vec<String>, usize> = BTreeMap::new();
        for &place in alive {
            let settings = trials[place].settings.clone();
            if let Some(&known) = of_settings.get(&settings) {
                plan_of.insert(place, known);
                continue;
            }
            let number = trials[place].number;
            let part = PartOfSearch::Trial { number, until };
            let of = OfSearch { study: self.study.to_owned(), part };
            match of_trial(self.plan, catalogue, self.fixed, &settings, seeds.clone(), of) {
                Ok(plan) => {
                    of_settings.insert(settings, plans.len());
                    plan_of.insert(place, plans.len());
                    plans.push(plan);
                }
                Err(error) => {
                    let error = error.to_string();
                    observer.event(&Event::Failed {
                        run: RunLabel { trial: Some(number), ..self.plan.label(seeds[0]) },
                        error: error.clone(),
                    });
                    trials[place].score = None;
                    trials[place].error = Some(error);
                }
            }
        }
        let outcomes = self.done(&plans)?;
        for (&place, &plan) in &plan_of {
            let trial = &mut trials[place];
            // The number of the first trial with these settings is the one that the runs have.
            let number = plans[plan].options.trial_number();
            let mine = |outcome: &&Outcome| outcome.label.trial == number;
            let results: Vec<&Outcome> = outcomes.iter().filter(mine).collect();
            self.judge(trial, &results);
        }
        Ok(())
    }

    /// Does the runs of some plans, each noted when it ends.
    pub(super) fn done(&self, plans: &[Plan]) -> Result<Vec<Outcome>, Interrupted> {
        let watch = Watch { batches: self, is_broken: Mutex::new(false) };
        let workspace = Workspace { observer: &watch, ..self.workspace };
        let outcomes = run_all_in(plans, workspace, self.how, self.pool);
        // A stop leaves runs without an outcome; they are done when the study goes on.
        if self.workspace.is_stopped() { Err(Interrupted) } else { Ok(outcomes) }
    }

    /// Adds the results of a trial's runs.
    fn judge(&self, trial: &mut Trial, results: &[&Outcome]) {
        let runs: Vec<&Run> = results.iter().filter_map(|it| it.result.as_ref().ok()).collect();
        trial.runs = runs.iter().map(|run| run.id.clone()).collect();
        trial.fit_s = runs.iter().map(|run| run.record.timings.fit_s).sum();
        let error = results.iter().find_map(|it| it.result.as_ref().err());
        if let Some(error) = error {
            trial.score = None;
            trial.error = Some(error.to_string());
            return;
        }
        let score = |run: &&Run| self.sweep.metric.of(run.record.valid.as_ref()?);
        let scores: Option<Vec<f64>> = runs.iter().map(score).collect();
        match scores.filter(|scores| !scores.is_empty()) {
            Some(scores) => trial.score = Some(scores.iter().sum::<f64>() / scores.len() as f64),
            None => {
                trial.score = None;
                let name = self.sweep.metric.name;
                trial.error = Some(format!("the validation examples don't define {name}"));
            }
        }
    }
}

/// Notes every run of a study that ends, and passes all events on.
struct Watch<'a> {
    batches: &'a Batches<'a>,
    /// Whether a note could not be written: it is only for those who look meanwhile.
    is_broken: Mutex<bool>,
}

impl Observer for Watch<'_> {
    fn event(&self, event: &Event) {
        let Batches { fold, study, workspace: Workspace { store, observer, .. }, .. } =
            self.batches;
        let (run, score, error) = match event {
            Event::Finished { run, score, .. } => (run, *score, None),
            Event::Failed { run, error } => (run, None, Some(error.clone())),
            _ => return observer.event(event),
        };
        let ended = EndedRun { fold: *fold, trial: run.trial, seed: run.seed, score, error };
        let mut is_broken = self.is_broken.lock().expect("no holder of the flag panics");
        if !*is_broken {
            *is_broken = store.note_ended_run(study, &ended).is_err();
        }
        drop(is_broken);
        observer.event(event);
    }
}
