//! From a spec's text to a plan: every name resolved, every range checked, no audio touched.

use std::path::Path;

use super::ablation::Variant;
use super::event::RunLabel;
use super::library::Library;
use super::options::{DataChoice, Options, Shrink};
use super::protocol;
use super::spec::{ChoiceError, Spec, wants_training};
use crate::dataset::Catalogue;
use crate::model::{Device, Ensemble};
use crate::record::{AttemptFacts, IDLE_KEYS, Run, spec_differences};
use crate::schema::{Fault, Faults, Tree, read};
use crate::split::Protocol;
use crate::vocab::Sha256;

/// Why a plan can't be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The spec, or an override, is wrong.
    #[error(transparent)]
    Spec(#[from] Faults),
    /// A name on the command line is wrong.
    #[error("{0}")]
    Usage(String),
    /// The dataset that the command line names is of another kind than the experiment's.
    #[error("{0}")]
    OtherKind(String),
}

/// A checked spec, ready to run.
pub struct Plan {
    /// The experiment's name.
    pub name: String,
    /// The spec's file, for messages.
    pub origin: String,
    /// The spec's text as it was written.
    pub text: String,
    /// What the command line added.
    pub options: Options,
    /// What the spec says.
    pub spec: Spec,
    /// The spec as understood.
    pub resolved: serde_json::Value,
    /// SHA-256 of what decides a run's result, apart from seed and data.
    pub spec_hash: String,
    /// The changes of `[ablation]`; empty without that table. Faults where an override has removed what one
    /// of them is about.
    pub ablation: Result<Vec<Variant>, Faults>,
    /// Why this is not a full run of the spec.
    pub cut: Vec<String>,
}

impl Plan {
    /// Reads and checks a spec, by its name or a path to it.
    ///
    /// # Errors
    /// All faults of the spec at once, or an unknown name on the command line.
    pub fn read(
        name: &str,
        library: &Library,
        catalogue: &Catalogue,
        options: &Options,
    ) -> Result<Self, PlanError> {
        let (name, path) = library.find(name).map_err(PlanError::Usage)?;
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        Self::from_text(name, &path.display().to_string(), text, catalogue, options)
    }

    /// The plan of a finished run, on the dataset that it used.
    ///
    /// # Errors
    /// Where the run's spec is damaged, or means nothing to this version.
    pub fn of_run(run: &Run, catalogue: &Catalogue) -> Result<Self, PlanError> {
        let unreadable = |error: String| PlanError::Usage(format!("{}: {error}", run.id));
        let text = run.spec().map_err(|error| PlanError::Usage(error.to_string()))?;
        let options: Options = serde_json::from_value((*run.record.options).clone())
            .map_err(|error| unreadable(error.to_string()))?;
        let data = DataChoice::Named(run.record.data.dataset.clone());
        let options = Options { data, ..options };
        let origin = run.folder.join("spec.toml").display().to_string();
        let name = run.record.experiment.clone();
        // An ensemble stays one of the runs that it was made of, whatever has become of their specs.
        let members = run.record.spec.pointer(MEMBERS);
        let plan = Self::made(name, &origin, text, catalogue, &options, members)?;
        // Earlier versions of encore laid the tables of overrides over those of the spec.
        let changes = options.changes();
        if !changes.is_empty() && plan.spec_hash != run.record.spec_hash {
            let set = changes.join(" ");
            return Err(unreadable(format!("its overrides ({set}) mean another spec now")));
        }
        let net = |spec: &serde_json::Value| {
            let net = &spec["features"]["onnx"];
            Some((net["file"].as_str()?.to_owned(), net["sha256"].as_str()?.to_owned()))
        };
        if let (Some((file, was)), Some((_, is))) = (net(&run.record.spec), net(&plan.resolved))
            && was != is
        {
            return Err(unreadable(format!(
                "features.onnx.file: {file} is not the file that the run used: expected the sha256 {}…, found {}…\n\
                 hint: put the file of the run back, or run the experiment again",
                &was[..8.min(was.len())],
                &is[..8.min(is.len())]
            )));
        }
        Ok(plan)
    }

    /// Why the plan can't be run on its dataset, although the spec is right for the one that it asks
    /// for: the split goes by, or the target is, a column that the stand-in, or the one chosen instead, does not have.
    #[must_use]
    pub fn unfit(&self) -> Option<String> {
        let Spec { split, target, dataset, asked, .. } = &self.spec;
        protocol::unfit(split, dataset, asked).or_else(|| target.unfit(dataset, asked))
    }

    /// Where the model is computed: models that are fitted in one go know the CPU only.
    #[must_use]
    pub fn device(&self) -> Device {
        if wants_training(self.spec.model_name) { self.options.device } else { Device::Cpu }
    }

    /// Checks a spec's text; `origin` is the file's name for messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_text(
        name: String,
        origin: &str,
        text: String,
        catalogue: &Catalogue,
        options: &Options,
    ) -> Result<Self, PlanError> {
        Self::made(name, origin, text, catalogue, options, None)
    }

    /// As [`Self::from_text`]; `members` has the hashes of an ensemble's members, if they are known.
    fn made(
        name: String,
        origin: &str,
        text: String,
        catalogue: &Catalogue,
        options: &Options,
        members: Option<&serde_json::Value>,
    ) -> Result<Self, PlanError> {
        let written = Tree::parse(origin, &text)?;
        let mut tree = written.clone();
        if options.search.is_some() {
            // A run of a search does not search by itself.
            for key in ["sweep", "ablation"] {
                // A spec without them is right as it is.
                let _ = tree.unset(key);
            }
        }
        let mut cut = vec![];
        for (change, key) in options.change(&mut tree)? {
            if !IDLE_KEYS.contains(&key.as_str()) {
                cut.push(change);
            }
        }
        let (mut spec, mut resolved, fewer_epochs) =
            understood(tree.clone(), catalogue, options, members)?;
        let hash = spec_hash(&resolved);
        let ablation = match &spec.ablation {
            None => Ok(vec![]),
            Some(ablation) => ablation.variants(&tree, &hash, |tree| {
                let (_, resolved, _) = understood(tree, catalogue, options, members)?;
                Ok::<_, PlanError>(spec_hash(&resolved))
            }),
        };
        let ablation = match ablation {
            // The table is about the spec as its file says: an override may have removed what it is about.
            Err(faults) if options.changes().is_empty() => return Err(faults.into()),
            ablation => ablation,
        };
        if let (Ok(variants), Some(table)) = (&ablation, resolved.get_mut("ablation")) {
            table["variants"] = variants.iter().map(Variant::fact).collect();
        }
        // An override that says what the file says as well changes nothing.
        if !cut.is_empty()
            && let Ok((file, without, _)) = understood(written, catalogue, options, members)
            && file.asked == spec.asked
            && spec_hash(&without) == spec_hash(&resolved)
        {
            cut.clear();
        }
        if options.search.is_some() {
            // Its settings are what the search is about. They do not make it a shorter run.
            cut.clear();
        }
        cut.extend(fewer_epochs);
        if let (Some(until), Some(epochs)) = (options.until(), spec.max_epochs) {
            cut.push(format!("{until} of {epochs} epochs"));
        }
        if let Some(seeds) = &options.seeds {
            spec.seeds.clone_from(seeds);
        }
        let mut plan = Self {
            name,
            origin: origin.to_owned(),
            text,
            options: options.clone(),
            spec,
            spec_hash: hash,
            resolved,
            ablation,
            cut,
        };
        if let Some(n_seeds) = options.shrink.max_seeds {
            plan.keep_seeds(n_seeds);
        }
        Ok(plan)
    }

    /// Whether a reason of [`Self::cut`] is about the spec: an override, or fewer epochs. All others are
    /// about the data or the weights.
    pub(super) fn is_cut_of_spec(reason: &str) -> bool {
        reason.starts_with("set ") || reason.starts_with("unset ") || reason.ends_with(" epochs")
    }

    /// Leaves out all seeds but the first `n_seeds`. Fewer seeds do not shorten any run: the page says
    /// how many of the spec's seeds there are.
    pub fn keep_seeds(&mut self, n_seeds: usize) {
        self.options.shrink.max_seeds = Some(n_seeds);
        self.spec.seeds.truncate(n_seeds);
    }

    /// What decides the plan's examples: plans of one program with equal keys have the same.
    pub(super) fn inputs_key(&self) -> String {
        let mut resolved = self.resolved.clone();
        if let Some(table) = resolved.as_object_mut() {
            let of_models = ["model", "training", "train_share"];
            IDLE_KEYS.iter().chain(&of_models).for_each(|key| drop(table.remove(*key)));
        }
        let Spec { dataset, augment_waveforms, .. } = &self.spec;
        let has_audio = !augment_waveforms.is_empty();
        let key = (&dataset.name, &dataset.source, self.options.shrink.data, has_audio, resolved);
        serde_json::to_string(&key).expect("a spec is plain data")
    }

    /// Which run one of the plan's seeds is, for whoever looks before it is finished.
    pub(super) fn facts(&self, seed: u64) -> AttemptFacts {
        AttemptFacts {
            experiment: self.name.clone(),
            dataset: self.spec.dataset.name.clone(),
            seed,
            spec_hash: self.spec_hash.clone(),
            max_epochs: self.spec.max_epochs,
        }
    }

    /// The name of one of the plan's runs, for messages.
    #[must_use]
    pub fn label(&self, seed: u64) -> RunLabel {
        let (experiment, dataset) = (self.name.clone(), self.spec.dataset.name.clone());
        RunLabel {
            experiment,
            dataset,
            seed,
            changes: self.options.changes(),
            trial: self.options.trial_number(),
        }
    }
}

impl From<ChoiceError> for PlanError {
    fn from(error: ChoiceError) -> Self {
        match error {
            ChoiceError::Unknown(message) => Self::Usage(message),
            ChoiceError::OtherKind(message) => Self::OtherKind(message),
        }
    }
}

/// What a spec's tree says, its resolved tree, and how many of its epochs are left of how many where the
/// command line allows fewer.
fn understood(
    mut tree: Tree,
    catalogue: &Catalogue,
    options: &Options,
    members: Option<&serde_json::Value>,
) -> Result<(Spec, serde_json::Value, Option<String>), PlanError> {
    let fewer_epochs = options.shrink.max_epochs.and_then(|most| {
        let places: [&[&str]; 2] = [&["training", "epochs"], &["model", "command", "epochs"]];
        let epochs = places.into_iter().find_map(|place| tree.lower(place, most))?;
        Some(format!("{most} of {epochs} epochs"))
    });
    let (spec, resolved) = read(&tree, |fields| Spec::read(fields, catalogue, &options.data))?;
    let (mut spec, mut resolved) = (spec?.expect("a spec that lacks a part has a fault"), resolved);
    spec.features = spec.features.with_settings(&resolved);
    if let Some(command) = spec.model.command() {
        // What the program's files contain is a part of the spec, as if it were written there.
        let project = catalogue.project().map_err(|error| PlanError::Usage(error.to_string()))?;
        let files = command.find_files(&project).map_err(|message| {
            fault(&tree.root.origin, format!("model.command.files: {message}"))
        })?;
        resolved["model"]["command"]["sha256"] = files.into_iter().collect();
    }
    if let Some(ensemble) = spec.model.ensemble() {
        // The same is true of the specs of an ensemble's members.
        resolved["model"]["ensemble"]["members"] = match members {
            Some(known) => known.clone(),
            None => members_of(ensemble, &spec, &resolved, catalogue, options)
                .map_err(|said| fault(&tree.root.origin, format!("model.ensemble.of: {said}")))?,
        };
    }
    Ok((spec, resolved, fewer_epochs))
}

/// Where a resolved spec says which runs the members of an ensemble are.
const MEMBERS: &str = "/model/ensemble/members";

/// Which runs the members of an ensemble are that are experiments: by name the hash of the spec and, if the only
/// run of an experiment is one for all seeds of the ensemble, its seed. Members that are single runs are not
/// there: their ids decide.
fn members_of(
    ensemble: &Ensemble,
    spec: &Spec,
    resolved: &serde_json::Value,
    catalogue: &Catalogue,
    options: &Options,
) -> Result<serde_json::Value, String> {
    let project = catalogue.project().map_err(|error| error.to_string())?;
    let library = Library::open(&project.join("experiments")).map_err(|error| error.to_string())?;
    // Overrides and seeds are those of the ensemble's own spec.
    let shrink = Shrink { max_seeds: None, ..options.shrink };
    let options = Options { set: vec![], unset: vec![], seeds: None, shrink, ..options.clone() };
    let entry = |name: &String| -> Option<Result<(String, serde_json::Value), String>> {
        let found = library.find(name);
        if found.is_err() && name.contains(".seed-") {
            return None;
        }
        let found = found.and_then(|(name, path)| member(name, &path, catalogue, &options));
        Some(found.and_then(|member| {
            fits(&member, spec, resolved).map_err(|said| format!("`{name}` {said}"))?;
            let mut entry = serde_json::json!({ "spec_hash": member.spec_hash });
            // Where nothing is drawn, one seed says it all.
            if let (Protocol::Listed(_), [seed]) = (&member.spec.split, &*member.spec.seeds) {
                entry["seed"] = (*seed).into();
            }
            Ok((name.clone(), entry))
        }))
    };
    ensemble.of.iter().filter_map(entry).collect()
}

/// The plan of an ensemble's member.
fn member(
    name: String,
    path: &Path,
    catalogue: &Catalogue,
    options: &Options,
) -> Result<Plan, String> {
    let origin = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{origin}: {error}"))?;
    let tree = Tree::parse(&origin, &text).map_err(|faults| faults.to_string())?;
    // An ensemble of itself would have no end.
    if tree.has(&["model", "ensemble"]) {
        return Err(format!("`{name}` is an ensemble itself; name its members instead"));
    }
    Plan::from_text(name, &origin, text, catalogue, options).map_err(|error| error.to_string())
}

/// Checks that the predictions of a member are about the same examples as those of its ensemble.
fn fits(member: &Plan, spec: &Spec, resolved: &serde_json::Value) -> Result<(), String> {
    if member.spec.asked != spec.asked {
        return Err(format!("is about dataset {}, not {}", member.spec.asked, spec.asked));
    }
    let part = |of: &serde_json::Value, key: &str| serde_json::json!({ key: of.get(key) });
    for (key, what) in [("target", "tells another target"), ("classes", "knows other classes")] {
        if let Some(line) =
            spec_differences(&part(resolved, key), &part(&member.resolved, key)).first()
        {
            return Err(format!("{what} ({line})"));
        }
    }
    let splits = [resolved, &member.resolved].map(|of| part(of, "split"));
    match spec_differences(&splits[0], &splits[1]).as_slice() {
        [] => Ok(()),
        differences => Err(format!(
            "splits the data in another way ({}), so that it was trained on examples that the \
             ensemble is tested with",
            differences.join("; ")
        )),
    }
}

fn fault(origin: &str, message: String) -> Faults {
    Faults(vec![Fault { origin: origin.to_owned(), line: 0, message }])
}

/// What decides a result, apart from seed and data: titles, claims, seeds and changes to be tried do not.
fn spec_hash(resolved: &serde_json::Value) -> String {
    let mut deciding = resolved.clone();
    if let Some(table) = deciding.as_object_mut() {
        IDLE_KEYS.iter().chain(&["dataset"]).for_each(|key| drop(table.remove(*key)));
        // How long a program may take, and what describes its environment, do not decide a result.
        let command = table.get_mut("model").and_then(|model| model.get_mut("command"));
        if let Some(command) = command.and_then(serde_json::Value::as_object_mut) {
            command.remove("timeout");
            command.remove("environment");
        }
        // More repetitions are more runs, and the first ones stay what they are.
        if let Some(k_fold) = table.get_mut("split").and_then(|split| split.get_mut("k_fold")) {
            k_fold.as_object_mut().and_then(|k_fold| k_fold.remove("repeats"));
        }
    }
    Sha256::new().piece(deciding.to_string()).hex()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Faults {
    let (origin, message) = (path.display().to_string(), format!("cannot be read: {error}"));
    Faults(vec![Fault { origin, line: 0, message }])
}
