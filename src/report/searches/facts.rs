//! A study and the runs of its winners as plain data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::ReportError;
use super::super::paired::partners;
use super::super::runs::Runs;
use super::super::scored::{Scored, levels_by, rows};
use crate::metrics::{Clustered, Estimate, Interval, Metric, mean_interval, optimism, seed_luck};
use crate::record::{Predictions, Run, Study, StudyPart};

/// A search and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyFacts {
    /// Its id.
    pub id: String,
    /// The experiment.
    pub experiment: String,
    /// The dataset that was used.
    pub dataset: String,
    /// Whether encore generated it.
    pub synthetic: bool,
    /// `grid`, `random` or `tpe`.
    pub search: String,
    /// The score of the validation set that decides.
    pub metric: String,
    /// Whether a higher score is better.
    pub higher_is_better: bool,
    /// Number of trials that were asked for, in every part.
    pub n_trials: usize,
    /// Number of trials that were done, over all parts.
    pub n_tried: usize,
    /// How many of them failed.
    pub n_failed: usize,
    /// How many of them were stopped early.
    pub n_stopped_early: usize,
    /// Seeds of each trial.
    pub seeds: Vec<u64>,
    /// Seeds that the winner is judged on.
    pub final_seeds: Vec<u64>,
    /// Time of all fits in seconds, those of winners included.
    pub fit_s: f64,
    /// Whether everything was done that was asked for.
    pub is_finished: bool,
    /// One search, or one for each fold.
    pub parts: Vec<StudyPartFacts>,
    /// The test score of the winners over all folds, with its 95 % interval; absent without folds.
    pub nested: Option<Interval>,
}

/// One search of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StudyPartFacts {
    /// The fold that is tested.
    pub fold: Option<usize>,
    /// The winner, if there is one yet.
    pub winner: Option<WinnerFacts>,
}

/// The chosen settings, and what they are worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WinnerFacts {
    /// The number of the trial.
    pub number: usize,
    /// Its settings as overrides.
    pub settings: Vec<String>,
    /// Its validation score as found.
    pub found: f64,
    /// The validation score of its settings on fresh seeds: the mean, with the 95 % interval of the seeds. The
    /// validation examples are the same.
    pub valid: Option<Interval>,
    /// The test score of the same runs, with its 95 % interval.
    pub test: Option<Interval>,
    /// By how much the score as found is better than the test score, with the interval of that.
    pub optimism: Option<Interval>,
    /// The part of that which is the luck of the seed, with the interval of the seeds: the score as found is better
    /// by so much than the validation score of the fresh seeds.
    pub seed_luck: Option<Interval>,
    /// The test score of the spec as it is, with the same seeds.
    pub base: Option<Interval>,
    /// By how much the winner's test score is better than that, paired by seed and test track where both have
    /// the same examples.
    pub gain: Option<Interval>,
    /// Why runs with fresh seeds are missing.
    pub errors: Vec<String>,
}

/// The metric of the test set that a study's metric stands for.
fn metric_of(study: &Study, runs: &Runs) -> Metric {
    let task = runs.record().data.task;
    match study.metric.strip_prefix("valid_").unwrap_or_default() {
        "loss" if task == crate::vocab::Task::Number => Metric::Mse,
        "loss" => Metric::LogLoss,
        name => Metric::named(name).unwrap_or(Metric::main(task)),
    }
}

/// What a study came to. `runs` are those of its winners, by id; others are not looked at.
///
/// # Errors
/// If the predictions of a winner can't be read.
pub fn study_facts(study: &Study, runs: &BTreeMap<&str, &Run>) -> Result<StudyFacts, ReportError> {
    let trials = || study.parts.iter().flat_map(|part| &part.trials);
    let found = |ids: &mut dyn Iterator<Item = &String>| -> Vec<&Run> {
        ids.filter_map(|id| runs.get(id.as_str()).copied()).collect()
    };
    let winner = |part: &StudyPart| found(&mut part.winner.iter().flat_map(|it| &it.runs));
    let base = |part: &StudyPart| found(&mut part.winner.iter().flat_map(|it| &it.base));
    let all: Vec<Vec<&Run>> = study.parts.iter().map(winner).collect();
    let bases: Vec<Vec<&Run>> = study.parts.iter().map(base).collect();
    let parts = study.parts.iter().zip(all.iter().zip(&bases));
    let parts = parts.map(|(part, (runs, base))| part_facts(study, part, runs, base));
    let of_winners =
        all.iter().chain(&bases).flatten().map(|run| run.record.timings.fit_s).sum::<f64>();
    Ok(StudyFacts {
        id: study.id.clone(),
        experiment: study.experiment.clone(),
        dataset: study.dataset.clone(),
        synthetic: study.synthetic,
        search: study.search.clone(),
        metric: study.metric.clone(),
        higher_is_better: study.higher_is_better,
        n_trials: study.n_trials,
        n_tried: study.n_tried(),
        n_failed: trials().filter(|trial| trial.error.is_some()).count(),
        n_stopped_early: trials().filter(|trial| trial.stopped_after.is_some()).count(),
        seeds: study.seeds.clone(),
        final_seeds: study.final_seeds.clone(),
        fit_s: trials().map(|trial| trial.fit_s).sum::<f64>() + of_winners,
        is_finished: study.is_finished,
        parts: parts.collect::<Result<_, _>>()?,
        nested: nested(study, &all)?,
    })
}

fn part_facts(
    study: &Study,
    part: &StudyPart,
    runs: &[&Run],
    base: &[&Run],
) -> Result<StudyPartFacts, ReportError> {
    let fold = part.fold;
    let chosen = part.winner.as_ref().and_then(|winner| {
        let trial = part.trials.iter().find(|trial| trial.number == winner.number)?;
        Some((winner, trial, trial.score?))
    });
    let Some((winner, trial, found)) = chosen else {
        return Ok(StudyPartFacts { fold, winner: None });
    };
    let mut facts = WinnerFacts {
        number: winner.number,
        settings: trial.settings.clone(),
        found,
        valid: None,
        test: None,
        optimism: None,
        seed_luck: None,
        base: None,
        gain: None,
        errors: winner.errors.clone(),
    };
    if !runs.is_empty() {
        let runs = Runs::new(runs);
        let metric = metric_of(study, &runs);
        let of_valid = |run: &&Run| {
            let scores = run.record.valid.as_ref()?.by_name();
            scores.into_iter().find(|(name, _)| *name == metric.as_str()).map(|(_, value)| value)
        };
        let valid: Option<Vec<f64>> = runs.runs.iter().map(of_valid).collect();
        facts.valid = valid.as_ref().map(|scores| mean_interval(scores));
        let sides = scored(&[runs.runs.clone(), base.to_vec()])?;
        let score = |side: &[Scored]| -> Option<Vec<Clustered>> {
            side.iter().map(|run| run.score(metric)).collect()
        };
        facts.test = score(&sides[0]).map(|test| metric.interval(&test));
        if !base.is_empty() {
            facts.base = score(&sides[1]).map(|test| metric.interval(&test));
            let gain = gain(&sides, metric).map(|gain| gain.interval());
            facts.gain =
                gain.map(|gain| if metric.lower_is_better() { gain.negated() } else { gain });
        }
        let better = |gain: Interval| if study.higher_is_better { gain } else { gain.negated() };
        facts.optimism = facts.test.map(|test| better(optimism(found, &test)));
        facts.seed_luck = valid.and_then(|scores| seed_luck(found, &scores)).map(better);
    }
    Ok(StudyPartFacts { fold, winner: Some(facts) })
}

/// The score of the winner minus that of the spec as it is.
fn gain(sides: &[Vec<Scored>], metric: Metric) -> Option<Estimate> {
    let (winner, base) = (&sides[0], &sides[1]);
    let partners = partners(base, winner);
    if partners.is_empty() {
        let score = |side: &[Scored]| -> Option<Vec<Clustered>> {
            side.iter().map(|run| run.score(metric)).collect()
        };
        return Some(Estimate::unpaired(&score(winner)?, &score(base)?));
    }
    let difference = |(base, winner): &(&Scored, &Scored)| {
        Some(winner.score(metric)?.minus(&base.score(metric)?))
    };
    Some(Estimate::of(&partners.iter().map(difference).collect::<Option<Vec<_>>>()?))
}

/// The test examples of some runs, as the segments they are.
fn scored(sides: &[Vec<&Run>]) -> Result<Vec<Vec<Scored>>, ReportError> {
    Ok(levels_by(sides, |_, _, run| rows(run))?.swap_remove(0).sides)
}

/// The test score over all folds, each example tested once for each seed.
fn nested(study: &Study, runs: &[Vec<&Run>]) -> Result<Option<Interval>, ReportError> {
    let is_nested = study.parts.iter().any(|part| part.fold.is_some());
    if !is_nested || runs.iter().any(Vec::is_empty) {
        return Ok(None);
    }
    let of_seed = |seed: u64| -> Option<Vec<&Run>> {
        runs.iter().map(|fold| fold.iter().find(|run| run.record.seed == seed).copied()).collect()
    };
    let of_seeds: Vec<Vec<&Run>> = study.final_seeds.iter().filter_map(|&it| of_seed(it)).collect();
    let Some(first) = of_seeds.first().and_then(|folds| folds.first()) else { return Ok(None) };
    let metric = metric_of(study, &Runs::new(&[first]));
    // One run for each seed, with the predictions of all folds.
    let firsts: Vec<&Run> = of_seeds.iter().map(|folds| folds[0]).collect();
    let sides = levels_by(&[firsts], |_, at, _| {
        let mut all: Option<Predictions> = None;
        for run in &of_seeds[at] {
            let more = rows(run)?;
            match &mut all {
                None => all = Some(more),
                Some(all) => all.append(more),
            }
        }
        let mut all = all.expect("a study has folds");
        all.sort();
        Ok(all)
    })?
    .swap_remove(0)
    .sides
    .swap_remove(0);
    let scores: Option<Vec<Clustered>> = sides.iter().map(|run| run.score(metric)).collect();
    Ok(scores.map(|scores| metric.interval(&scores)))
}
