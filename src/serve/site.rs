//! What a server knows of the project: the runs with their fields, renewed when their files change.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tokio::sync::watch;

use super::guard::Guard;
use crate::dataset::{Catalogue, Cut, Data};
use crate::experiment::{Library, PageContent, PageSource, ProjectSettings, Shrink, Versions};
use crate::record::{Depth, Run, Store, StoreError, UnfinishedState};
use crate::report::{RunTable, finished_runs, unfinished_runs};
use crate::schema::Faults;

/// Time between two looks at the files.
const LOOK: Duration = Duration::from_millis(400);
/// After this time the runs are read again although no run came or went: notes may have changed.
const OLD: Duration = Duration::from_secs(20);

/// A project that is served.
pub(super) struct Site {
    pub(super) root: PathBuf,
    pub(super) store: Store,
    pub(super) guard: Guard,
    known: RwLock<Known>,
    /// What pages are told, as JSON.
    told: watch::Sender<String>,
    /// Whether the runs are to be read again at once.
    wants_look: Mutex<bool>,
    looks: Condvar,
    /// Content that takes long to make, with the version of the runs that it is of.
    made: Mutex<BTreeMap<String, (u64, Arc<str>)>>,
    datasets: Mutex<BTreeMap<String, Arc<Data>>>,
}

/// The runs, and what of them is new.
pub(super) struct Known {
    pub(super) table: RunTable,
    /// The names of all fields.
    pub(super) fields: Vec<String>,
    /// What is wrong with damaged runs.
    pub(super) damaged: Vec<String>,
    n_finished: usize,
    /// Rises when a run or study comes, goes or changes.
    version: u64,
    seen: Seen,
}

/// What tells whether runs came or went.
#[derive(Debug, Clone, Default, PartialEq)]
struct Seen {
    changed: Vec<Option<SystemTime>>,
    /// Unfinished runs with their state and their number of epochs.
    unfinished: Vec<(String, String, usize)>,
}

impl Known {
    /// The values that a field has, each once.
    pub(super) fn fields_of(&self, name: &str) -> Vec<String> {
        let values = self.table.runs.iter().filter_map(|run| run.get(name)?.as_str());
        let values: std::collections::BTreeSet<&str> = values.collect();
        values.into_iter().map(str::to_owned).collect()
    }
}

impl Site {
    /// Reads the runs of a project.
    ///
    /// # Errors
    /// If the folder of runs can't be read.
    pub(super) fn open(root: &Path, guard: Guard) -> Result<Self, StoreError> {
        let store = Store::new(root.join("reports").join("runs"));
        let known = Known {
            table: RunTable { runs: vec![] },
            fields: vec![],
            damaged: vec![],
            n_finished: 0,
            version: 0,
            seen: Seen::default(),
        };
        let site = Self {
            root: root.to_owned(),
            store,
            guard,
            known: RwLock::new(known),
            told: watch::Sender::new(String::new()),
            wants_look: Mutex::new(false),
            looks: Condvar::new(),
            made: Mutex::default(),
            datasets: Mutex::default(),
        };
        site.look(true)?;
        Ok(site)
    }

    /// Looks at the files again and again until `stop` is set.
    pub(super) fn watch(&self, stop: &AtomicBool) {
        let (mut renewed, mut took) = (Instant::now(), Duration::ZERO);
        while !stop.load(Ordering::Relaxed) {
            let mut wants_look = self.wants_look.lock().expect("no holder of the flag panics");
            if !*wants_look {
                let waited = self.looks.wait_timeout(wants_look, LOOK);
                wants_look = waited.expect("no holder of the flag panics").0;
            }
            // Reading many runs must not take all the time of a processor.
            let is_old = renewed.elapsed() > OLD.max(took * 20);
            let wants_all = std::mem::take(&mut *wants_look) || is_old;
            drop(wants_look);
            let begun = Instant::now();
            // A disk that is away comes back, or the pages say what can't be read.
            if self.look(wants_all).unwrap_or(false) {
                (renewed, took) = (Instant::now(), begun.elapsed());
            }
        }
    }

    /// Asks for the runs to be read again, and waits until they are.
    pub(super) fn renew(&self) -> Result<(), StoreError> {
        self.look(true).map(|_| ())
    }

    /// Looks for what is new; returns whether all runs were read again.
    fn look(&self, wants_all: bool) -> Result<bool, StoreError> {
        let unfinished = self.store.unfinished()?;
        let seen = Seen {
            changed: [self.store.root().to_owned(), self.store.study_folder("")]
                .iter()
                .map(|folder| fs::metadata(folder).and_then(|it| it.modified()).ok())
                .collect(),
            unfinished: (unfinished.iter())
                .map(|run| {
                    let state = match &run.state {
                        UnfinishedState::Failed(reason) => reason.clone(),
                        state => format!("{state:?}"),
                    };
                    (run.id.clone(), state, run.n_epochs)
                })
                .collect(),
        };
        let (is_same, has_same_runs) = {
            let known = self.known();
            (known.seen == seen, known.seen.changed == seen.changed)
        };
        if is_same && !wants_all {
            return Ok(false);
        }
        let reads_all = wants_all || !has_same_runs;
        let finished = reads_all.then(|| finished_runs(&self.store, Depth::Records)).transpose()?;
        let going = unfinished_runs(&unfinished);
        let mut known = self.known.write().expect("no holder of the runs panics");
        if let Some((runs, damaged)) = finished {
            known.n_finished = runs.len();
            let is_new = known.table.runs.get(..runs.len()) != Some(&runs);
            (known.table.runs, known.damaged) = (runs, damaged);
            known.fields = known.table.fields().into_iter().map(str::to_owned).collect();
            if is_new || !has_same_runs {
                known.version += 1;
            }
        }
        if !is_same {
            let ids = |seen: &Seen| -> Vec<(String, String)> {
                seen.unfinished.iter().map(|(id, state, _)| (id.clone(), state.clone())).collect()
            };
            if ids(&known.seen) != ids(&seen) {
                known.version += 1;
            }
        }
        let n_finished = known.n_finished;
        known.table.runs.truncate(n_finished);
        known.table.runs.extend(going);
        let epochs: BTreeMap<&str, usize> =
            seen.unfinished.iter().map(|(id, _, n)| (id.as_str(), *n)).collect();
        let told = json!({ "version": known.version, "epochs": epochs }).to_string();
        known.seen = seen;
        drop(known);
        self.told.send_replace(told);
        Ok(reads_all)
    }

    pub(super) fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().expect("no holder of the runs panics")
    }

    /// Whether a run is not finished.
    pub(super) fn is_going_on(&self, id: &str) -> bool {
        self.known().seen.unfinished.iter().any(|(known, ..)| known == id)
    }

    /// What pages are told from now on.
    pub(super) fn listen(&self) -> watch::Receiver<String> {
        self.told.subscribe()
    }

    /// The specs and datasets as they are now.
    pub(super) fn specs(&self) -> Result<(Library, Catalogue), Faults> {
        let library = Library::open(&self.root.join("experiments"))?;
        Ok((library, Catalogue::open(&self.root.join("datasets"))?))
    }

    /// The title of the project.
    pub(super) fn title(&self) -> String {
        let library = Library::open(&self.root.join("experiments"));
        library.map(|library| self.settings(&library).title).unwrap_or_default()
    }

    /// The finished runs that names of a comparison can mean: by the current specs, and others that are named.
    pub(super) fn runs_named(&self, names: &[String]) -> Result<Vec<Run>, String> {
        let said = |error: StoreError| error.to_string();
        let (mut runs, _) = self.store.finished().map_err(said)?;
        runs.retain(|run| run.record.search.is_none() || names.contains(&run.id));
        for name in names.iter().filter(|name| self.store.is_archived(name)) {
            runs.extend(self.store.read(name).map_err(said)?);
        }
        let (library, catalogue) = self.specs().map_err(|faults| faults.to_string())?;
        Ok(Versions::of(runs, &library, &catalogue, Shrink::default()).with_searches())
    }

    pub(super) fn settings(&self, library: &Library) -> ProjectSettings {
        ProjectSettings::read(&self.root, library).unwrap_or_default()
    }

    /// What the report's page shows.
    pub(super) fn content(&self) -> Result<PageContent, String> {
        let (library, catalogue) = self.specs().map_err(|faults| faults.to_string())?;
        let settings = self.settings(&library);
        let source = PageSource {
            settings: &settings,
            library: &library,
            catalogue: &catalogue,
            shrink: Shrink::default(),
            all_versions: false,
        };
        PageContent::of(&self.store, source).map_err(|error| error.to_string())
    }

    /// Content that depends on the runs alone and takes long to make.
    pub(super) fn made(
        &self,
        name: &str,
        make: impl FnOnce() -> Result<String, String>,
    ) -> Result<Arc<str>, String> {
        let version = self.known().version;
        let made = || self.made.lock().expect("no holder of the content panics");
        if let Some((of, content)) = made().get(name)
            && *of == version
        {
            return Ok(Arc::clone(content));
        }
        let content: Arc<str> = make()?.into();
        made().insert(name.to_owned(), (version, Arc::clone(&content)));
        Ok(content)
    }

    /// A dataset, read once.
    pub(super) fn dataset(&self, name: &str) -> Result<Arc<Data>, String> {
        let datasets = || self.datasets.lock().expect("no holder of the datasets panics");
        if let Some(data) = datasets().get(name) {
            return Ok(Arc::clone(data));
        }
        let (_, catalogue) = self.specs().map_err(|faults| faults.to_string())?;
        let manifest = catalogue.find(name)?;
        let data = catalogue.load(manifest, Cut::default()).map_err(|error| error.to_string())?;
        let data = Arc::new(data);
        datasets().insert(name.to_owned(), Arc::clone(&data));
        Ok(data)
    }
}
