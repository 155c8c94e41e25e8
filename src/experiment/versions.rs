//! Finished runs as the current specs see them: those of the current version, and history.
//!
//! A run is of the current version of its experiment's spec if both resolve to the same hash: it does
//! not matter whether a value was in the file or came from `--set`. The dataset that a run used, the
//! code version and the device are not part of a spec's version. For an experiment without a valid spec,
//! the latest full run stands for the spec.

use std::collections::BTreeMap;

use super::library::Library;
use super::options::{DataChoice, Options, Shrink};
use super::plan::{Plan, PlanError};
use crate::dataset::Catalogue;
use crate::record::{DataFacts, Pool, Record, Run, Shared, is_of_study, spec_differences};

/// Differences of specs that a label names.
const MOST_NAMED: usize = 3;

/// Finished runs, told apart by the version of their spec.
pub struct Versions {
    /// Runs of the current versions, with titles, claims and seeds as the specs have them now.
    pub current: Vec<Run>,
    /// All other runs, each with [`Run::other_version`].
    pub others: Vec<Run>,
    /// Runs that a search made: trials and winners, whose settings are not those of a spec.
    pub of_searches: Vec<Run>,
    /// The points of learning curves and the changes of ablations of the current versions, which are no
    /// history; each with [`Run::other_version`] and [`Run::is_of_study`].
    pub studies: Vec<Run>,
    /// The specs that can't be read, each with its first fault: their runs keep what they recorded.
    pub unread: Vec<String>,
}

impl Versions {
    /// Compares runs with the specs of a library, made smaller as those of the runs' store were.
    #[must_use]
    pub fn of(runs: Vec<Run>, library: &Library, catalogue: &Catalogue, shrink: Shrink) -> Self {
        let mut specs =
            Specs { library, catalogue, shrink, plans: BTreeMap::new(), faults: BTreeMap::new() };
        let (of_searches, runs): (Vec<Run>, Vec<Run>) =
            runs.into_iter().partition(|run| run.record.search.is_some());
        let latest = latest(&runs);
        let mut data = Pool::default();
        let (mut current, mut others, mut studies) = (vec![], vec![], vec![]);
        for mut run in runs {
            let name = run.record.experiment.clone();
            let spec = specs.current(&name, &run.record.data.dataset);
            match spec {
                Some(spec) => compare(&mut run, spec, catalogue, &mut data),
                None => compare_with_latest(&mut run, &latest[&name]),
            }
            let spec = spec.map_or(&latest[&name].spec, |spec| &spec.resolved);
            run.is_of_study = run.other_version.is_some() && is_of_study(&run.record, spec);
            let kind = match &run.other_version {
                None => &mut current,
                Some(_) if run.is_of_study => &mut studies,
                Some(_) => &mut others,
            };
            kind.push(run);
        }
        Self { current, others, of_searches, studies, unread: specs.faults.into_values().collect() }
    }

    /// Runs of the current versions and of their studies.
    #[must_use]
    pub fn without_history(self) -> Vec<Run> {
        self.current.into_iter().chain(self.studies).collect()
    }

    /// Runs of all versions but those of studies.
    #[must_use]
    pub fn without_studies(self) -> Vec<Run> {
        self.current.into_iter().chain(self.others).collect()
    }

    /// Runs of all versions.
    #[must_use]
    pub fn all(self) -> Vec<Run> {
        self.current.into_iter().chain(self.studies).chain(self.others).collect()
    }

    /// Runs of all versions, and those of searches.
    #[must_use]
    pub fn with_searches(mut self) -> Vec<Run> {
        let of_searches = std::mem::take(&mut self.of_searches);
        self.all().into_iter().chain(of_searches).collect()
    }
}

/// The specs that runs are compared with, each on the dataset of the runs: defaults may depend on it.
struct Specs<'a> {
    library: &'a Library,
    catalogue: &'a Catalogue,
    shrink: Shrink,
    plans: BTreeMap<(String, String), Option<Current>>,
    faults: BTreeMap<String, String>,
}

/// A spec as it is now.
struct Current {
    plan: Plan,
    /// The plan's resolved spec, which all runs share.
    resolved: Shared<serde_json::Value>,
}

impl Specs<'_> {
    fn current(&mut self, name: &str, dataset: &str) -> Option<&Current> {
        let key = (name.to_owned(), dataset.to_owned());
        if !self.plans.contains_key(&key) {
            let plan = self.read(name, dataset);
            let current = plan.map(|plan| Current { resolved: plan.resolved.clone().into(), plan });
            self.plans.insert(key.clone(), current);
        }
        self.plans[&key].as_ref()
    }

    fn read(&mut self, name: &str, dataset: &str) -> Option<Plan> {
        if !self.library.names().iter().any(|known| known == name) {
            return None;
        }
        let on = |data: DataChoice| {
            let options = Options { data, shrink: self.shrink, ..Options::default() };
            Plan::read(name, self.library, self.catalogue, &options)
        };
        // The dataset of an old run may be gone, or be of another kind now.
        let plan = match on(DataChoice::Named(dataset.to_owned())) {
            Err(PlanError::Usage(_) | PlanError::OtherKind(_)) => on(DataChoice::Auto),
            plan => plan,
        };
        plan.map_err(|error| {
            let fault = error.to_string().lines().next().unwrap_or_default().to_owned();
            self.faults.insert(name.to_owned(), fault);
        })
        .ok()
    }
}

/// The latest full run of every experiment, which stands for its spec if there is none.
fn latest(runs: &[Run]) -> BTreeMap<String, Record> {
    let mut latest: BTreeMap<String, &Record> = BTreeMap::new();
    let rank = |record: &Record| {
        let is_native = record.foreign.is_none();
        (is_native, record.cut.is_empty(), record.timings.started.clone())
    };
    for Run { record, .. } in runs {
        let known = latest.entry(record.experiment.clone()).or_insert(record);
        if rank(record) > rank(known) {
            *known = record;
        }
    }
    latest.into_iter().map(|(name, record)| (name, record.clone())).collect()
}

/// Labels a run by what its spec's file says now.
fn compare(run: &mut Run, current: &Current, catalogue: &Catalogue, data: &mut Pool<DataFacts>) {
    let Current { plan, resolved } = current;
    let (record, spec) = (&mut run.record, &plan.spec);
    record.title.clone_from(&spec.title);
    record.question.clone_from(&spec.question);
    record.claims.clone_from(&spec.claims);
    // What else made the run smaller: part of the data, or weights from elsewhere.
    record.cut.retain(|reason| !Plan::is_cut_of_spec(reason));
    let stand_in = catalogue.find(&spec.asked).ok().and_then(|asked| asked.stand_in.clone());
    let (asked, used) = (&record.data.asked, &record.data.dataset);
    let same_data = *asked == spec.asked || *used == spec.asked || Some(used) == stand_in.as_ref();
    if record.spec_hash == plan.spec_hash && same_data {
        record.spec = resolved.clone();
        record.overrides.clear();
        if record.data.asked != spec.asked {
            record.data.asked.clone_from(&spec.asked);
            // The change has made a copy.
            let features = record.data.features_hash.clone();
            data.share(&features, &mut record.data);
        }
        record.cut.splice(0..0, plan.cut.iter().cloned());
        return;
    }
    run.other_version = Some(label(&record.spec, resolved));
}

/// Labels a run of an experiment that has no spec any more.
fn compare_with_latest(run: &mut Run, latest: &Record) {
    let record = &mut run.record;
    record.title.clone_from(&latest.title);
    record.question.clone_from(&latest.question);
    record.claims.clone_from(&latest.claims);
    if record.spec_hash != latest.spec_hash {
        record.cut.retain(|reason| !Plan::is_cut_of_spec(reason));
        run.other_version = Some(label(&record.spec, &latest.spec));
    }
}

/// In what a run's resolved spec differs from the current one: fewer epochs only, or more.
fn label(was: &serde_json::Value, is: &serde_json::Value) -> String {
    let differences = spec_differences(was, is);
    let epochs = |spec: &serde_json::Value| {
        let of_program = spec["model"]["command"]["epochs"].as_u64();
        spec["training"]["epochs"].as_u64().or(of_program)
    };
    if let ([_], Some(few), Some(all)) = (differences.as_slice(), epochs(was), epochs(is))
        && few < all
    {
        return format!("shortened run ({few} of {all} epochs)");
    }
    let named = differences.iter().take(MOST_NAMED).cloned().collect::<Vec<_>>().join("; ");
    match differences.len() {
        0 => "another version of the spec".to_owned(),
        n if n > MOST_NAMED => {
            format!("another version of the spec ({named}; and {} more)", n - MOST_NAMED)
        }
        _ => format!("another version of the spec ({named})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_run_of_fewer_epochs_is_shortened_and_any_other_is_of_another_version() {
        let file = json!({"training": {"epochs": 30, "batch_size": 64}, "title": "a"});
        let run = |epochs: usize, batch_size: usize| json!({"training": {"epochs": epochs, "batch_size": batch_size}, "title": "b"});
        assert_eq!(label(&run(3, 64), &file), "shortened run (3 of 30 epochs)");
        for (was, words) in [
            (run(300, 64), " (training.epochs: 300 -> 30)"),
            (run(3, 32), " (training.batch_size: 32 -> 64; training.epochs: 3 -> 30)"),
            (run(30, 64), ""),
        ] {
            assert_eq!(label(&was, &file), format!("another version of the spec{words}"));
        }
        let many = json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5});
        assert!(label(&many, &json!({})).ends_with("; c: 3 -> absent; and 2 more)"));
    }
}
