//! What a page about the runs of a store shows: runs of the current specs, studies, data.

use std::collections::{BTreeMap, BTreeSet};

use super::library::Library;
use super::options::{Options, Shrink};
use super::plan::Plan;
use super::robust::ROBUST_VERSION;
use super::settings::ProjectSettings;
use super::summary::summarize;
use super::versions::Versions;
use crate::dataset::{ArrayData, AudioData, Catalogue, Cut, Data, TableData};
use crate::record::{Run, Store, StoreError};
use crate::report::{self, DatasetSummary};

/// Where a page's content comes from.
#[derive(Clone, Copy)]
pub struct PageSource<'a> {
    /// Title, text and groups of the page.
    pub settings: &'a ProjectSettings,
    /// The specs.
    pub library: &'a Library,
    /// The datasets.
    pub catalogue: &'a Catalogue,
    /// How the store's runs are smaller than their specs.
    pub shrink: Shrink,
    /// Whether runs of other versions of the specs are shown.
    pub all_versions: bool,
}

/// What a page shows.
pub struct PageContent {
    /// Its runs.
    pub runs: Vec<Run>,
    /// All else.
    pub options: report::Options,
    /// Number of finished runs of the store.
    pub n_finished: usize,
    /// Number of runs of other versions of the specs, which are not shown.
    pub n_hidden: usize,
    /// Damaged records and studies, which are left out.
    pub damaged: Vec<StoreError>,
    /// What a reader should know about specs and datasets, a line each.
    pub notices: Vec<String>,
}

impl PageContent {
    /// Reads the finished runs of a store, and what belongs to them.
    ///
    /// # Errors
    /// If the folder of runs or of studies can't be read.
    pub fn of(store: &Store, source: PageSource) -> Result<Self, StoreError> {
        let PageSource { settings, library, catalogue, shrink, all_versions } = source;
        let (runs, mut damaged) = store.finished()?;
        let n_finished = runs.len();
        let mut versions = Versions::of(runs, library, catalogue, shrink);
        let mut notices: Vec<String> = (versions.unread.iter())
            .map(|fault| format!("invalid: {fault}; its runs are shown as they were recorded"))
            .collect();
        let mut winners = std::mem::take(&mut versions.of_searches);
        winners.retain(|run| !run.record.is_trial());
        let n_hidden = if all_versions { 0 } else { versions.others.len() };
        let runs = if all_versions { versions.all() } else { versions.without_history() };
        let (order, tasks) = shown_experiments(&runs, source);
        let (data, not_shown) = summaries(catalogue, &runs, shrink.data);
        notices.extend(not_shown);
        let (studies, broken) = store.studies()?;
        damaged.extend(broken);
        let groups =
            settings.groups.iter().map(|group| (group.title.clone(), group.experiments.clone()));
        let options = report::Options {
            title: settings.title.clone(),
            text: settings.text.clone(),
            groups: groups.collect(),
            order,
            tasks,
            data,
            scores: Some(store.scores()),
            degraded: Some(store.degraded(ROBUST_VERSION)),
            studies,
            winners,
            skipped: damaged.iter().map(in_one_line).collect(),
            pending: vec![],
        };
        Ok(Self { runs, options, n_finished, n_hidden, damaged, notices })
    }
}

/// A message with its hint in one line.
fn in_one_line(error: &StoreError) -> String {
    error.to_string().replace("\nhint: ", "; ").replace('\n', "; ")
}

/// The experiments of the page in their order, and what the models of those without a run are to tell.
fn shown_experiments(
    runs: &[Run],
    source: PageSource,
) -> (Vec<String>, BTreeMap<String, crate::vocab::Task>) {
    let PageSource { settings, library, catalogue, .. } = source;
    let with_runs: BTreeSet<&str> = runs.iter().map(|run| run.record.experiment.as_str()).collect();
    let has_run = |name: &str| with_runs.contains(name);
    // Specs are read only for experiments without a run.
    let is_grouped = |name: &str| settings.grouped().any(|grouped| grouped == name);
    let names = settings.order(library);
    let plans: BTreeMap<&str, Plan> = (names.iter().map(String::as_str))
        .filter(|name| !has_run(name) && (settings.groups.is_empty() || is_grouped(name)))
        .filter_map(|name| {
            Some((name, Plan::read(name, library, catalogue, &Options::default()).ok()?))
        })
        .collect();
    let can_run = |name: &str| plans.get(name).is_none_or(|plan| plan.unfit().is_none());
    // Of the other experiments, a page with groups shows those that somebody ran.
    let is_shown = |name: &&String| {
        let is_wanted =
            || if is_grouped(name) { can_run(name) } else { settings.groups.is_empty() };
        has_run(name) || is_wanted()
    };
    let order = names.iter().filter(is_shown).cloned().collect();
    let tasks = plans.iter().map(|(name, plan)| ((*name).to_owned(), plan.spec.target.task()));
    (order, tasks.collect())
}

/// The data plots of the page: one summary for each dataset of its runs that is imported and unchanged, and why
/// others are not shown.
fn summaries(
    catalogue: &Catalogue,
    runs: &[Run],
    cut: Cut,
) -> (Vec<(String, DatasetSummary)>, Vec<String>) {
    let mut hashes: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for Run { record, .. } in runs {
        hashes.entry(&record.data.dataset).or_default().insert(&record.data.hash);
    }
    let (mut summaries, mut not_shown) = (vec![], vec![]);
    for (name, hashes) in hashes {
        match summary(catalogue, name, &hashes, cut) {
            Ok(summary) => summaries.push((name.to_owned(), summary)),
            Err(why) => not_shown.push(format!("no plots of {name}: {why}")),
        }
    }
    (summaries, not_shown)
}

fn summary(
    catalogue: &Catalogue,
    name: &str,
    hashes: &BTreeSet<&str>,
    cut: Cut,
) -> Result<DatasetSummary, String> {
    let data = catalogue.load(catalogue.find(name)?, cut).map_err(|error| error.to_string())?;
    let (Data::Audio(AudioData { hash, .. })
    | Data::Table(TableData { hash, .. })
    | Data::Arrays(ArrayData { hash, .. })) = &data;
    if !hashes.contains(hash.as_str()) {
        return Err("the runs used another version of it".to_owned());
    }
    summarize(name, &data).map_err(|error| error.to_string())
}
