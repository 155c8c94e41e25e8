//! A name from the command line and its runs.

use std::cmp::Reverse;

use super::super::runs::{Runs, runs_of};
use super::CompareError;
use crate::record::Run;
use crate::vocab::Task;

/// One of the things that are compared.
pub(in crate::report) struct Side<'a> {
    /// What the text calls it: the experiment's name, or a run's experiment and seed.
    pub(in crate::report) name: String,
    /// Its runs, one a seed.
    pub(in crate::report) runs: Runs<'a>,
    /// Runs of this experiment that are left out: on other data, by another spec, cut otherwise or foreign.
    pub(in crate::report) n_left_out: usize,
}

/// The runs of every name for their curves, whose data and tasks may differ: of an experiment those of its first group.
pub(in crate::report) fn of_names<'a>(
    runs: &'a [Run],
    names: &[String],
) -> Result<Vec<(String, Vec<&'a Run>)>, CompareError> {
    let mut all: Vec<(String, Vec<&Run>)> = vec![];
    for name in names {
        let group = match runs.iter().find(|run| run.id == *name) {
            Some(run) => Some(Runs::new(&[run])),
            None => of_version(runs, name).into_iter().min_by_key(preference),
        };
        let group = group.ok_or_else(|| CompareError::NoRun(name.clone()))?;
        all.push((name.clone(), group.runs));
    }
    Ok(all)
}

/// The runs that every name means.
pub(in crate::report) fn choose<'a>(
    runs: &'a [Run],
    names: &[String],
) -> Result<Vec<Side<'a>>, CompareError> {
    if let Some(twice) = names.iter().enumerate().find(|(i, name)| names[..*i].contains(name)) {
        return Err(CompareError::Incompatible(format!(
            "{} cannot be compared with itself",
            twice.1
        )));
    }
    let candidates: Vec<Vec<Runs>> = names
        .iter()
        .map(|name| match runs.iter().find(|run| run.id == **name) {
            Some(run) => vec![Runs::new(&[run])],
            None => of_version(runs, name),
        })
        .collect();
    if let Some(at) = candidates.iter().position(Vec::is_empty) {
        return Err(CompareError::NoRun(names[at].clone()));
    }
    let data = common_data(&candidates);
    let mut sides = vec![];
    for (name, groups) in names.iter().zip(candidates) {
        let n_runs: usize = groups.iter().map(|group| group.runs.len()).sum();
        let fits = |group: &Runs| data.is_none_or(|data| group.record().data.hash == data);
        let best = groups.into_iter().filter(fits).min_by_key(preference);
        let group = best.expect("common data are those of a group of every name");
        let is_run = runs.iter().any(|run| run.id == *name);
        let name = if is_run { short_name(&group, names, runs) } else { name.clone() };
        let n_left_out = n_runs - group.runs.len();
        sides.push(Side { name, runs: group, n_left_out });
    }
    let is_trial = |side: &Side| side.runs.record().is_trial();
    let trial = sides.iter().find(|side| is_trial(side));
    if let (Some(trial), Some(other)) = (trial, sides.iter().find(|side| !is_trial(side))) {
        return Err(CompareError::Incompatible(format!(
            "{} is a trial of a search, whose test examples are withheld, and {} is not\n\
             hint: compare it with other trials, or the winner with other runs",
            trial.name, other.name
        )));
    }
    let task = |side: &Side| side.runs.task();
    if let Some(other) = sides.iter().find(|side| task(side) != task(&sides[0])) {
        return Err(CompareError::Incompatible(format!(
            "{} predicts {} and {} predicts {}",
            sides[0].name,
            task(&sides[0]).words(),
            other.name,
            task(other).words(),
        )));
    }
    let what = match task(&sides[0]) {
        Task::Classes => "classes",
        Task::Tags => "tags",
        Task::Number => "numbers",
    };
    let classes = |side: &Side| side.runs.record().data.classes.clone();
    if let Some(other) = sides.iter().find(|side| classes(side) != classes(&sides[0])) {
        return Err(CompareError::Incompatible(format!(
            "{} and {} have different {what}: on {} and on {}",
            sides[0].name,
            other.name,
            sides[0].runs.record().data.dataset,
            other.runs.record().data.dataset,
        )));
    }
    Ok(sides)
}

/// The runs of an experiment's current version, or of its other versions if there are none. `NAME@HASH` stands
/// for the version whose spec hash begins with HASH, and `NAME@foreign` for predictions made elsewhere.
fn of_version<'a>(runs: &'a [Run], name: &str) -> Vec<Runs<'a>> {
    let (current, others): (Vec<Runs>, Vec<Runs>) =
        runs_of(runs, name).into_iter().partition(|group| group.other_version().is_none());
    match (current.is_empty(), others.is_empty(), name.rsplit_once('@')) {
        (true, true, Some((experiment, "foreign"))) => {
            runs_of(runs, experiment).into_iter().filter(Runs::is_foreign).collect()
        }
        (true, true, Some((experiment, hash))) if !hash.is_empty() => {
            let groups = runs_of(runs, experiment).into_iter();
            groups.filter(|group| group.record().spec_hash.starts_with(hash)).collect()
        }
        (true, ..) => others,
        (false, ..) => current,
    }
}

/// Runs of encore before foreign ones, full runs before cut ones, then those with the latest run.
fn preference<'a>(group: &Runs<'a>) -> (bool, bool, Reverse<Option<&'a str>>) {
    let latest = group.runs.iter().map(|run| run.record.timings.started.as_str()).max();
    (group.is_foreign(), !group.record().cut.is_empty(), Reverse(latest))
}

/// The data that every name has runs on; of several, those of the first name's preferred runs.
fn common_data<'a>(candidates: &[Vec<Runs<'a>>]) -> Option<&'a str> {
    let (first, others) = candidates.split_first()?;
    let has =
        |groups: &Vec<Runs>, hash: &String| groups.iter().any(|it| it.record().data.hash == *hash);
    let is_common =
        |group: &&Runs<'a>| others.iter().all(|groups| has(groups, &group.record().data.hash));
    let best = first.iter().filter(is_common).min_by_key(|group| preference(group));
    best.map(|group| group.record().data.hash.as_str())
}

/// `cnn-3 seed 2` where that says which run it is, else its id.
fn short_name(group: &Runs, names: &[String], runs: &[Run]) -> String {
    let run = group.runs[0];
    let is_alike = |other: &&Run| {
        names.contains(&other.id)
            && other.record.experiment == run.record.experiment
            && other.record.seed == run.record.seed
    };
    match runs.iter().filter(is_alike).count() {
        1 => {
            let foreign = group.foreign_words().map_or(String::new(), |words| format!(", {words}"));
            format!("{} seed {}{foreign}", run.record.experiment, run.record.seed)
        }
        _ => run.id.clone(),
    }
}
