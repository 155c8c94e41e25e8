//! A study: batches of trials, the choice, and the winner's runs on fresh seeds.

use serde_json::json;

use super::super::context::{CODE_VERSION, Workspace};
use super::super::error::{RunError, guarded};
use super::super::event::Event;
use super::super::inputs::Inputs;
use super::super::plan::{Plan, PlanError};
use super::super::queue::{Pool, SideBySide};
use super::batch::{Batches, Interrupted};
use super::plans::{of_trial, settings, toml};
use super::spec::Sweep;
use crate::model::Device;
use crate::record::{OfSearch, PartOfSearch, Run, StoreError, Study, StudyPart, Trial, Winner};
use crate::search::{Method, Point, Tried, bracket_size, rungs, suggest_batch};
use crate::split::Protocol;
use crate::vocab::{Seed, Sha256};

/// Random trials before the others learn from them.
const N_FIRST: usize = 10;
/// Trials that learn from the same results. It does not depend on the number of runs at a time, so that the
/// study does not either.
const BATCH: usize = 4;
/// Trials between two versions of the study's file, where trials do not learn from each other.
const CHUNK: usize = 64;

/// What the command line adds to a sweep.
#[derive(Debug, Clone, Copy, Default)]
pub struct SweepOptions {
    /// Number of trials instead of the spec's. More than before continue the study.
    pub n_trials: Option<usize>,
    /// Whether to do failed trials again.
    pub retry: bool,
}

/// Why a sweep can't be done, or was not done to its end.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The spec has no `[sweep]`, or it does not fit the command line.
    #[error("{0}")]
    Usage(String),
    /// The plan of a winner can't be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The data or the features can't be used.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The study can't be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was asked to stop.
    #[error("stopped and saved; the same command continues")]
    Stopped,
}

/// Does a study, or what is missing of it.
///
/// A trial that fails is a result and never ends the study. The test examples are first predicted when the
/// winner is chosen, by runs of its settings with fresh seeds, and by runs of the spec as it is with the same
/// seeds.
///
/// # Errors
/// If the plan has no sweep, the data can't be used, the study can't be written, or it was asked to stop.
pub fn sweep(
    plan: &Plan,
    options: SweepOptions,
    workspace: Workspace,
    how: SideBySide,
) -> Result<Study, SweepError> {
    let Some(sweep) = &plan.spec.sweep else {
        let name = &plan.name;
        return Err(SweepError::Usage(format!("{}: {name} has no [sweep]", plan.origin)));
    };
    let n_trials = n_trials(sweep, options)?;
    let inputs = guarded(|| Inputs::load(plan, workspace))?;
    let id = study_id(plan, sweep, &inputs);
    let old = match workspace.store.read_study(&id) {
        Ok(old) => old,
        Err(error @ StoreError::Damaged { .. }) => {
            let text = format!("{error}; it is written again from the runs");
            workspace.observer.event(&Event::Note { run: plan.label(sweep.seeds[0]), text });
            None
        }
        Err(error) => return Err(error.into()),
    };
    let parts = fixed_of_parts(plan, sweep).into_iter();
    let parts = parts.map(|(fold, fixed)| StudyPart { fold, fixed, trials: vec![], winner: None });
    let study = Study {
        id,
        experiment: plan.name.clone(),
        title: plan.spec.title.clone(),
        question: plan.spec.question.clone(),
        dataset: plan.spec.dataset.name.clone(),
        synthetic: inputs.synthetic,
        search: match sweep.method {
            Method::Grid => "grid",
            Method::Random => "random",
            Method::Tpe => "tpe",
        }
        .to_owned(),
        metric: sweep.metric.name.to_owned(),
        higher_is_better: sweep.metric.higher_is_better(),
        space: serde_json::to_value(sweep.space.parameters()).expect("a space is plain data"),
        seeds: sweep.seeds.clone(),
        final_seeds: sweep.final_seeds.clone(),
        n_trials,
        rungs: rungs_of(plan, sweep),
        parts: parts.collect(),
        is_finished: false,
    };
    drop(inputs);
    let pool = Pool::lasting(workspace.project);
    let mut run = StudyRun { plan, sweep, study, old, options, workspace, how, pool };
    run.whole()?;
    Ok(run.study)
}

/// The number of runs that a study has, for a display.
#[must_use]
pub fn n_runs_of(plan: &Plan, options: SweepOptions) -> usize {
    let Some(sweep) = &plan.spec.sweep else { return 0 };
    let n_trials = options.n_trials.unwrap_or(sweep.n_trials);
    let rungs = rungs_of(plan, sweep);
    let of_batch = |n: usize| {
        let factor = sweep.halving.map_or(2, |halving| halving.factor);
        let mut left = n;
        let mut all = 0;
        for rung in 0..rungs.len().max(1) {
            left = if rung == 0 { n } else { left.div_ceil(factor) };
            all += left;
        }
        all
    };
    let size = match sweep.halving {
        Some(halving) if !rungs.is_empty() => bracket_size(rungs.len(), halving.factor),
        _ => n_trials,
    };
    let (whole, rest) = (n_trials / size, n_trials % size);
    let runs = whole * of_batch(size) + if rest > 0 { of_batch(rest) } else { 0 };
    sweep.nested.unwrap_or(1) * (runs * sweep.seeds.len() + 2 * sweep.final_seeds.len())
}

/// Epochs after which trials are compared; none without halving.
fn rungs_of(plan: &Plan, sweep: &Sweep) -> Vec<usize> {
    match (sweep.halving, plan.spec.max_epochs) {
        (Some(halving), Some(epochs)) => rungs(halving.min_epochs, halving.factor, epochs),
        _ => vec![],
    }
}

fn n_trials(sweep: &Sweep, options: SweepOptions) -> Result<usize, SweepError> {
    let Some(n) = options.n_trials else { return Ok(sweep.n_trials) };
    match sweep.space.n_points() {
        Some(points) if sweep.method == Method::Grid && n as u64 > points => {
            Err(SweepError::Usage(format!("--trials is {n}, but the grid has {points} points")))
        }
        _ => Ok(n),
    }
}

/// Its name: the experiment, the dataset, and a hash of all that decides the trials but their number.
fn study_id(plan: &Plan, sweep: &Sweep, inputs: &Inputs) -> String {
    let Sweep { method, space, metric, seeds, seed, halving, nested, .. } = sweep;
    let halving = halving.map(|halving| (halving.min_epochs, halving.factor));
    let definition = json!({
        "method": method, "space": space.parameters(), "metric": metric.name, "seeds": seeds, "seed": seed,
        "halving": halving, "nested": nested, "batch": [N_FIRST, BATCH],
    });
    let mut hash = Sha256::new()
        .piece(CODE_VERSION.to_le_bytes())
        .piece(&plan.spec_hash)
        .piece(&inputs.examples.hash)
        .piece(definition.to_string());
    if let Some(sources) = plan.spec.sources_hash(&inputs.track_columns) {
        hash = hash.piece(sources);
    }
    if plan.device() != Device::Cpu {
        hash = hash.piece(plan.device().name());
    }
    let name = plan.name.replace('/', ".");
    format!("{name}.{}.{}", plan.spec.dataset.name, &hash.hex()[..8])
}

/// The parts of a study, each with the overrides that give all of its runs the same test set.
fn fixed_of_parts(plan: &Plan, sweep: &Sweep) -> Vec<(Option<usize>, Vec<String>)> {
    let Some(n_folds) = sweep.nested else {
        let fixed = match &plan.spec.split {
            Protocol::Random(random) if random.seed.is_none() => {
                vec![format!("split.random.seed={}", sweep.seed)]
            }
            _ => vec![],
        };
        return vec![(None, fixed)];
    };
    let fold = |fold: usize| {
        let mut k_fold = match &plan.spec.split {
            Protocol::KFold(_) => plan.resolved["split"]["k_fold"].clone(),
            _ => plan.resolved["split"]["random"].clone(),
        };
        if let Some(table) = k_fold.as_object_mut() {
            table.retain(|key, _| {
                ["by", "group", "stratify", "valid", "column"].contains(&key.as_str())
            });
            table.insert("k".to_owned(), n_folds.into());
            table.insert("fold".to_owned(), fold.into());
        }
        let split = toml(&json!({ "k_fold": k_fold }));
        // Folds have no seeds of their own, and one fold needs some.
        (Some(fold), vec![format!("split={split}"), format!("seeds=[{}]", sweep.seeds[0])])
    };
    (1..=n_folds).map(fold).collect()
}

struct StudyRun<'a> {
    plan: &'a Plan,
    sweep: &'a Sweep,
    study: Study,
    /// What an earlier process wrote.
    old: Option<Study>,
    options: SweepOptions,
    workspace: Workspace<'a>,
    how: SideBySide<'a>,
    /// The processes and the examples of all batches.
    pool: Pool,
}

impl StudyRun<'_> {
    fn whole(&mut self) -> Result<(), SweepError> {
        let store = self.workspace.store;
        // What an earlier process has done is shown until this one knows more.
        if self.old.is_none() {
            store.write_study(&self.study)?;
        }
        for part in 0..self.study.parts.len() {
            self.trials(part)?;
            self.judge(part)?;
        }
        self.study.is_finished = true;
        store.write_study(&self.study)?;
        Ok(())
    }

    /// Does the trials of a part, batch by batch.
    fn trials(&mut self, part: usize) -> Result<(), SweepError> {
        let n_trials = self.study.n_trials;
        let mut first = 0;
        while first < n_trials {
            let end = (first + self.batch_size(first)).min(n_trials);
            let mut batch: Vec<Trial> = self.suggested(part, first, end);
            if let Err(Interrupted) = self.batches(part).run(&mut batch) {
                self.keep_longer_study()?;
                return Err(SweepError::Stopped);
            }
            self.study.parts[part].trials.extend(batch);
            if !self.study.rungs.is_empty() {
                let Study { experiment, dataset, .. } = &self.study;
                let start = format!("{}.{dataset}.seed-", experiment.replace('/', "."));
                self.workspace.store.forget_stopped(&start)?;
            }
            first = end;
            self.keep_longer_study()?;
        }
        Ok(())
    }

    /// What the batches of a part share.
    fn batches(&self, part: usize) -> Batches<'_> {
        let StudyPart { fold, fixed, .. } = &self.study.parts[part];
        Batches {
            plan: self.plan,
            sweep: self.sweep,
            study: &self.study.id,
            fold: *fold,
            fixed,
            rungs: &self.study.rungs,
            workspace: self.workspace,
            how: self.how,
            pool: &self.pool,
        }
    }

    /// Writes the study, unless an earlier process wrote one that is further.
    fn keep_longer_study(&self) -> Result<(), SweepError> {
        if self.old.as_ref().is_none_or(|old| old.n_tried() <= self.study.n_tried()) {
            self.workspace.store.write_study(&self.study)?;
        }
        Ok(())
    }

    /// The size of the batch that begins with a trial.
    fn batch_size(&self, first: usize) -> usize {
        match (self.study.rungs.len(), self.sweep.halving, self.sweep.method) {
            (n_rungs @ 1.., Some(halving), _) => bracket_size(n_rungs, halving.factor),
            (_, _, Method::Tpe) if first == 0 => N_FIRST,
            (_, _, Method::Tpe) => BATCH,
            _ => CHUNK,
        }
    }

    /// The trials of a batch, before they are done. Those that failed earlier have failed.
    fn suggested(&self, part: usize, first: usize, end: usize) -> Vec<Trial> {
        let Sweep { space, method, seed, metric, .. } = self.sweep;
        let done = &self.study.parts[part].trials;
        let tried: Vec<Tried> = done
            .iter()
            .map(|trial| Tried {
                point: point_of(trial),
                loss: trial.score.map(|score| metric.loss(score)),
            })
            .collect();
        let old = self.old.as_ref().filter(|_| !self.options.retry);
        let old = old.and_then(|old| old.parts.get(part)).map_or(&[][..], |old| &old.trials);
        let trial = |(number, point): (usize, Point)| {
            let settings = settings(space, &point);
            let failed = old.iter().find(|it| it.number == number && it.settings == settings);
            Trial {
                number,
                point: serde_json::to_value(&point).expect("a point is plain data"),
                settings,
                runs: vec![],
                score: None,
                error: failed.and_then(|it| it.error.clone()),
                stopped_after: None,
                fit_s: 0.0,
            }
        };
        // All trials before the batch are done.
        let points = suggest_batch(space, *method, Seed(*seed), &tried, end - first);
        (first..end).zip(points).map(trial).collect()
    }

    /// Chooses the best trial of a part that went on to the end, and tests its settings with fresh seeds.
    fn judge(&mut self, part: usize) -> Result<(), SweepError> {
        let loss = |trial: &Trial| {
            let score = trial.score.filter(|_| trial.stopped_after.is_none())?;
            Some(self.sweep.metric.loss(score))
        };
        let StudyPart { trials, fixed, .. } = &self.study.parts[part];
        let whole = trials.iter().filter_map(|trial| Some((loss(trial)?, trial)));
        let best = whole.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.number.cmp(&b.1.number)));
        let Some((_, best)) = best else { return Ok(()) };
        let (seeds, catalogue) = (&self.sweep.final_seeds, self.workspace.catalogue);
        let plan = |settings: &[String], part| {
            let of = OfSearch { study: self.study.id.clone(), part };
            of_trial(self.plan, catalogue, fixed, settings, seeds.clone(), of)
        };
        let plans = [
            plan(&best.settings, PartOfSearch::Winner { n_trials: trials.len() })?,
            plan(&[], PartOfSearch::Base)?,
        ];
        let outcomes =
            self.batches(part).done(&plans).map_err(|Interrupted| SweepError::Stopped)?;
        let runs = |of: PartOfSearch| -> Vec<String> {
            let runs = outcomes.iter().filter_map(|it| it.result.as_ref().ok());
            let is_of = |run: &&Run| {
                let search = run.record.search.as_ref();
                search.is_some_and(|it| {
                    std::mem::discriminant(&it.part) == std::mem::discriminant(&of)
                })
            };
            runs.filter(is_of).map(|run| run.id.clone()).collect()
        };
        let errors = outcomes.iter().filter_map(|it| {
            let error = it.result.as_ref().err()?;
            Some(format!("seed {}: {error}", it.label.seed))
        });
        let winner = Winner {
            number: best.number,
            runs: runs(PartOfSearch::Winner { n_trials: 0 }),
            base: runs(PartOfSearch::Base),
            errors: errors.collect(),
        };
        self.study.parts[part].winner = Some(winner);
        self.keep_longer_study()
    }
}

/// The place of a trial in the space.
fn point_of(trial: &Trial) -> Point {
    serde_json::from_value(trial.point.clone()).expect("this process has just written it")
}
