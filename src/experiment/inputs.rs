//! The examples of a plan, shared by its seeds.

use std::mem;
use std::time::Instant;

use super::context::{CODE_VERSION, Workspace};
use super::error::RunError;
use super::event::Event;
use super::plan::Plan;
use super::target::Target;
use crate::dataset::{AudioData, Data, DatasetError, TrackColumns};
use crate::features::{Examples, FeatureError, Features, Step};
use crate::model::Device;
use crate::record::{OfSearch, PartOfSearch, StoppedRun};
use crate::split::Items;
use crate::vocab::{Excluded, Sha256};

/// One part in so many of a column's rows is much to impute.
const MUCH_IMPUTED: usize = 20;

/// A plan's examples, with what the record says of its data.
pub(super) struct Inputs {
    pub(super) examples: Examples,
    /// The recordings, if training examples are computed from them in every epoch.
    pub(super) audio: Option<AudioData>,
    pub(super) track_columns: TrackColumns,
    pub(super) synthetic: bool,
    pub(super) data_hash: String,
    pub(super) n_tracks: usize,
    pub(super) excluded: Vec<Excluded>,
    pub(super) notes: Vec<String>,
    pub(super) cut: Vec<String>,
    pub(super) seconds: f64,
}

/// The examples of the last plan that asked for some: plans after it that need the same share them.
#[derive(Default)]
pub(super) struct SharedInputs(Option<(String, Inputs)>);

impl SharedInputs {
    /// Returns a plan's examples, loaded as by [`Inputs::load`] unless they are those of the plan before.
    pub(super) fn load(&mut self, plan: &Plan, workspace: Workspace) -> Result<&Inputs, RunError> {
        let key = plan.inputs_key();
        match &mut self.0 {
            // The time was spent on the plan before.
            Some((known, inputs)) if *known == key => inputs.seconds = 0.0,
            _ => {
                self.0 = None;
                self.0 = Some((key, Inputs::load(plan, workspace)?));
            }
        }
        let (_, inputs) = self.0.as_ref().expect("they are there now");
        Ok(inputs)
    }

    /// Forgets the examples: they are no longer what is on the disk.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }
}

impl Inputs {
    /// Loads a plan's dataset, and computes its features or finds them in the cache.
    pub(super) fn load(plan: &Plan, workspace: Workspace) -> Result<Self, RunError> {
        let Workspace { catalogue, observer, .. } = workspace;
        let start = Instant::now();
        if let Some(reason) = plan.unfit() {
            return Err(RunError::Incompatible(reason));
        }
        let mut data = catalogue.load(&plan.spec.dataset, plan.options.shrink.data)?;
        let watch = |step: Step| {
            let dataset = plan.spec.dataset.name.clone();
            match step {
                Step::Tracks { n_done, n_tracks } => {
                    observer.event(&Event::Features { dataset, n_done, n_tracks });
                }
                Step::Note(text) => observer.event(&Event::FeaturesNote { dataset, text }),
                Step::Waiting => {}
            }
            !workspace.is_stopped()
        };
        let cache = catalogue.place().features_folder();
        let examples = match plan.spec.features.examples(&data, &cache, &watch) {
            Err(FeatureError::Stopped) => return Err(RunError::Stopped { epoch: 0 }),
            other => other?,
        };
        let target = &plan.spec.target;
        if let ([class], Target::Class) = (examples.classes.as_slice(), target) {
            let (name, class) = (plan.spec.dataset.name.clone(), class.clone());
            return Err(DatasetError::OneClass { name, class }.into());
        }
        let of_split = plan.spec.split.columns().into_iter().map(|(_, column)| column);
        let needed: Vec<&str> =
            of_split.chain(target.columns().iter().map(String::as_str)).collect();
        let track_columns = data.take_track_columns(&needed);
        let mut more_notes = vec![];
        let examples = target.select(examples, &data, &track_columns, &mut more_notes)?;
        let mut audio = None;
        let (synthetic, hash, n_tracks, excluded, notes, part) = match data {
            Data::Audio(mut x) => {
                let (synthetic, hash, n_tracks) = (x.synthetic, x.hash.clone(), x.tracks.len());
                let (excluded, notes) = (mem::take(&mut x.excluded), mem::take(&mut x.notes));
                let part = x.part.take();
                audio = (!plan.spec.augment_waveforms.is_empty()).then_some(x);
                (synthetic, hash, n_tracks, excluded, notes, part)
            }
            Data::Table(x) => (x.synthetic, x.hash, x.ids.len(), x.excluded, x.notes, x.part),
            Data::Arrays(x) => (false, x.hash, x.n_tracks, x.excluded, x.notes, x.part),
        };
        Ok(Self {
            excluded: excluded.into_iter().chain(examples.excluded.iter().cloned()).collect(),
            examples,
            audio,
            track_columns,
            synthetic,
            data_hash: hash,
            n_tracks,
            notes: notes.into_iter().chain(more_notes).collect(),
            cut: part.into_iter().collect(),
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    /// The ID of one of the plan's runs. It is readable, and changes with everything that decides the run's
    /// result.
    pub(super) fn run_id(&self, plan: &Plan, seed: u64) -> String {
        self.id(plan, seed, plan.options.until())
    }

    /// Where a trial that ends before its last epoch keeps what a longer one needs to go on.
    pub(super) fn stopped(&self, plan: &Plan, seed: u64) -> Option<StoppedRun> {
        let most_epochs = plan.options.until().or(plan.spec.max_epochs)?;
        let name = || self.id(plan, seed, None);
        plan.options.is_trial().then(|| StoppedRun { name: name(), most_epochs })
    }

    fn id(&self, plan: &Plan, seed: u64, until: Option<usize>) -> String {
        let mut hash = Sha256::new()
            .piece(CODE_VERSION.to_le_bytes())
            .piece(&plan.spec_hash)
            .piece(&self.examples.hash)
            .piece(seed.to_le_bytes());
        if let Some(sources) = plan.spec.sources_hash(&self.track_columns) {
            hash = hash.piece(sources);
        }
        // In a folder's name `/` is written as a dot, so that a name with dots could be another's.
        if plan.name.contains('.') {
            hash = hash.piece(&plan.name);
        }
        if plan.device() != Device::Cpu {
            hash = hash.piece(plan.device().name());
        }
        // A trial lacks the scores of its test set, and may end early. A winner is known to be one.
        match &plan.options.search {
            Some(OfSearch { part: PartOfSearch::Trial { .. }, .. }) => {
                hash = hash.piece("trial").piece((until.unwrap_or(0) as u64).to_le_bytes());
            }
            Some(OfSearch { study, part: PartOfSearch::Winner { .. } }) => {
                hash = hash.piece("winner").piece(study);
            }
            Some(OfSearch { study, part: PartOfSearch::Base }) => {
                hash = hash.piece("base").piece(study);
            }
            None => {}
        }
        let hash = hash.hex();
        format!(
            "{}.{}.seed-{seed}.{}",
            plan.name.replace('/', "."),
            plan.spec.dataset.name,
            &hash[..8]
        )
    }

    /// Says how many tracks have no segment, and why; nothing if all have one.
    pub(super) fn tracks_without(&self) -> Option<String> {
        let (n, n_tracks) = (self.examples.n_tracks_without, self.n_tracks);
        let first = self.examples.excluded.first().filter(|_| n > 0)?;
        Some(format!("{n} of {n_tracks} tracks are not used, e.g. {} {}", first.name, first.reason))
    }

    /// Columns of a table of which more than a twentieth is imputed, in a sentence each.
    pub(super) fn much_imputed(&self, plan: &Plan) -> Vec<String> {
        let (Some(preprocess), Features::Table(columns)) =
            (&plan.spec.preprocess, &plan.spec.features)
        else {
            return vec![];
        };
        let (names, n_rows) = (columns.names(), self.examples.ids.len());
        let mut n_missing = vec![0; names.len()];
        for row in self.examples.matrix.as_slice().chunks_exact(names.len().max(1)) {
            for (n, number) in n_missing.iter_mut().zip(row) {
                *n += usize::from(number.is_nan());
            }
        }
        let much = names.iter().zip(n_missing).filter(|(_, n)| n * MUCH_IMPUTED > n_rows);
        let said = |(name, n): (&String, usize)| {
            let share = 100.0 * n as f64 / n_rows as f64;
            format!("{name} is missing in {n} of {n_rows} rows ({share:.1} %) and is imputed")
        };
        if preprocess.imputes() { much.map(said).collect() } else { vec![] }
    }

    /// What a split goes by.
    pub(super) fn items(&self) -> Items<'_> {
        let Examples { ids, targets, .. } = &self.examples;
        Items { ids, targets, columns: &self.track_columns }
    }
}
