//! From a spec's fields to its checked parts, every name resolved and every range checked.

use std::collections::BTreeMap;
use std::path::Path;

use super::ablation::Ablation;
use super::options::DataChoice;
use super::sweep::{Surroundings, Sweep};
use super::target::Target;
use super::waveforms::{self, WaveformAugment};
use super::{protocol, tables};
use crate::dataset::{Catalogue, Kind, Manifest, TrackColumns};
use crate::features::Features;
use crate::metrics::{Metric, Scale};
use crate::model::command::Input;
use crate::model::{self, Axes, Combination, Model, Preprocess, Reader, Training};
use crate::record::Claim;
use crate::schema::{Fields, Int, Node, OneOf, Real, Rule, Text, Value, json_schema, keys};
use crate::split::{Protocol, describe_share};
use crate::vocab::{Sha256, Task};

/// What a spec says, checked; part of a [`Plan`](super::Plan).
pub struct Spec {
    /// A one-line description.
    pub title: String,
    /// The question that the experiment answers.
    pub question: String,
    /// The dataset that the spec names.
    pub asked: String,
    /// The dataset that is used: the one that the spec names, its stand-in, or the user's choice.
    pub dataset: Manifest,
    /// One run each.
    pub seeds: Vec<u64>,
    /// What an example is.
    pub features: Features,
    /// How a table's numbers are preprocessed before the model sees them.
    pub preprocess: Option<Preprocess>,
    /// The shape of one example, as the model sees it.
    pub shape: Vec<usize>,
    /// What the model tells of an example.
    pub target: Target,
    /// The train/validation/test protocol.
    pub split: Protocol,
    /// The share of the training tracks that is used, in (0, 1]; all if absent.
    pub train_share: Option<f64>,
    /// The model.
    pub model: Box<dyn Model>,
    /// The model's name in specs.
    pub model_name: &'static str,
    /// How the model is trained, if it is trained over epochs.
    pub training: Option<Training>,
    /// Random changes of the training recordings, whose features are then computed in every epoch.
    pub augment_waveforms: Vec<WaveformAugment>,
    /// The most epochs that the model trains, for models that have epochs.
    pub max_epochs: Option<usize>,
    /// Changes of the spec whose effect is to be tested.
    pub ablation: Option<Ablation>,
    /// The published figures that the experiment repeats.
    pub claims: Vec<Claim>,
    /// The search for better settings.
    pub sweep: Option<Sweep>,
}

/// Why a valid spec can't run on the dataset that was chosen for it.
pub(super) enum ChoiceError {
    /// The dataset does not exist, or has no stand-in.
    Unknown(String),
    /// The dataset is of another kind than the experiment's.
    OtherKind(String),
}

impl Spec {
    /// Describes the protocol, with the share of the training tracks.
    pub(super) fn protocol(&self) -> String {
        let share = self.train_share.filter(|share| *share < 1.0).map(describe_share);
        self.split.describe() + &share.unwrap_or_default()
    }

    /// The hash of what divides the examples besides the spec, which is part of a run's hash.
    pub(super) fn sources_hash(&self, columns: &TrackColumns) -> Option<String> {
        let of_split = self.split.sources_hash(columns);
        // A share keeps the rows of one id together, whatever the split does.
        let ids = self.train_share.and_then(|_| columns.repeated_ids_hash());
        match ids {
            Some(ids) => Some(Sha256::new().piece(of_split.unwrap_or_default()).piece(ids).hex()),
            None => of_split,
        }
    }

    /// Returns what is allowed, but hardly wanted.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        [self.features.warnings(), self.model.warnings()].concat()
    }

    /// Reads a spec; every fault goes to `fields`, after which the result is not used.
    pub(super) fn read(
        fields: &mut Fields,
        catalogue: &Catalogue,
        choice: &DataChoice,
    ) -> Result<Option<Self>, ChoiceError> {
        let Some(asked) = fields.required("dataset", &DatasetName(catalogue)) else {
            // Without a dataset the other fields can't be checked.
            fields.pass_over_all();
            return Ok(None);
        };
        let dataset = choose(asked, catalogue, choice).inspect_err(|_| fields.pass_over_all())?;
        let project = catalogue.project().unwrap_or_default();
        Ok(Self::read_for(fields, asked, dataset, &project))
    }

    /// Every key of specs, with what it may hold: `model.forest.n_trees`, `claims[].value`.
    #[must_use]
    pub fn keys() -> BTreeMap<String, String> {
        keys(Self::explore)
    }

    /// The JSON Schema of specs; `meaning` says what the key at a path means.
    #[must_use]
    pub fn json_schema(meaning: impl Fn(&str) -> Option<String>) -> serde_json::Value {
        json_schema("encore spec", Self::explore, meaning)
    }

    /// Reads all fields but the values, for every kind of dataset.
    fn explore(fields: &mut Fields) {
        fields.required("dataset", &Text);
        // Recordings come last: they alone need `[segments]`.
        for layout in [
            "[synth_songs]\nseed = 1\nn_rows = 100",
            "[arrays]\ntable = \"a\"\n[[arrays.array]]\nname = \"x\"\nfile = \"x.npy\"\nshape = [1]",
            "[synth_genres]\nseed = 1\ntracks_per_genre = 1",
        ] {
            let dataset = Manifest::parse("any", "any", layout).expect("the manifest is valid");
            Self::read_for(fields, &dataset, &dataset, Path::new(""));
        }
    }

    /// Reads all fields but the dataset.
    fn read_for(
        fields: &mut Fields,
        asked: &Manifest,
        dataset: &Manifest,
        project: &Path,
    ) -> Option<Self> {
        let kind = dataset.kind();
        let title = fields.required("title", &Text);
        let question = fields.required("question", &Text);
        let (split, seeds) = protocol::read(fields, asked);
        let train_share = fields.optional("train_share", &Real::above_to(0.0, 1.0));
        let features = Features::read(fields, kind, project);
        let (features, preprocess) = tables::read(fields, features, kind);
        let shape = features.as_ref().map(|features| match &preprocess {
            None => features.shape(kind),
            Some(preprocess) => vec![preprocess.width()],
        });
        let target = Target::read(fields, asked, features.as_ref(), split.as_ref());
        let has_bands = features.as_ref().is_none_or(Features::has_bands);
        let axes = shape.as_deref().map(|shape| Axes { shape, has_bands });
        let mut augment_waveforms = vec![];
        let read_sound = |inner: &mut Fields| {
            augment_waveforms = waveforms::read(inner, features.as_ref(), split.as_ref());
        };
        let model = read_model(fields, axes, target.task(), read_sound);
        if let Some(input) = model.as_ref().and_then(|(model, ..)| Some(model.command()?.input)) {
            check_input(fields, input, kind);
        }
        let ensemble = model.as_ref().and_then(|(model, ..)| model.ensemble());
        if ensemble.is_some() && train_share.is_some() && !fields.is_exploring() {
            let said = "does not apply to an ensemble: set it in the specs of the members";
            fields.fault_at("train_share", said);
        }
        let is_stack = ensemble.is_some_and(|ensemble| ensemble.by != Combination::Mean);
        if is_stack && target.task() == Task::Number && !fields.is_exploring() {
            let said = "is `logistic`, which tells classes and tags, and the target is a number";
            fields.fault_at("model.ensemble.by", said);
        }
        let ablation = fields.table("ablation", Ablation::read);
        let claims = fields.each_table("claims", |claim| read_claim(claim, asked, target.task()));
        let trained = model.as_ref().filter(|(model, ..)| model.command().is_none());
        let around = Surroundings {
            task: target.task(),
            epochs: trained.and_then(|(_, _, epochs, _)| *epochs),
            no_valid: split.as_ref().and_then(Protocol::no_valid),
            has_folds: split.as_ref().is_some_and(|split| split.n_folds().is_some()),
            is_listed: matches!(split, Some(Protocol::Listed(_))),
            is_ensemble: ensemble.is_some(),
        };
        let sweep = Sweep::read(fields, &around);
        let (Some(features), Some(shape), Some(split), Some(model)) =
            (features, shape, split, model)
        else {
            return None;
        };
        let (model, model_name, max_epochs, training) = model;
        Some(Self {
            title,
            question,
            asked: asked.name.clone(),
            dataset: dataset.clone(),
            seeds,
            features,
            preprocess,
            shape,
            target,
            split,
            train_share,
            model,
            model_name,
            training,
            augment_waveforms,
            max_epochs,
            ablation,
            claims,
            sweep,
        })
    }
}

/// Checks that a program can get its input from a kind of dataset.
fn check_input(fields: &Fields, input: Input, kind: Kind) {
    let wants = match (input, kind) {
        (Input::Waveforms | Input::Paths, Kind::Table | Kind::Arrays(_)) => "audio",
        (Input::Table, Kind::Audio { .. } | Kind::Arrays(_)) => "a table",
        _ => return,
    };
    let is = match kind {
        Kind::Audio { .. } => "audio",
        Kind::Table => "a table",
        Kind::Arrays(_) => "arrays",
    };
    let said = format!("is `{}`, which needs {wants}, but the dataset is {is}", input.name());
    fields.fault_at("model.command.input", &said);
}

/// Reads a published figure.
fn read_claim(fields: &mut Fields, asked: &Manifest, task: Task) -> Claim {
    let metric = fields.required("metric", &OneOf(&Metric::ALL.map(|it| (it.as_str(), it))));
    if !metric.tasks().contains(&task) && !fields.is_exploring() && fields.is_given("metric") {
        let fitting = Metric::ALL.iter().filter(|metric| metric.tasks().contains(&task));
        let fitting = crate::vocab::quoted_list(fitting.map(|metric| metric.as_str()));
        let (metric, words) = (metric.as_str(), task.words());
        let said =
            format!("is `{metric}`, which is no score of models that tell {words}; {fitting} are");
        fields.fault_at("metric", &said);
    }
    let value = match metric.scale() {
        // Which metric it is, is not known.
        _ if fields.is_exploring() => Real::not_negative(),
        Scale::Fraction => Real::from_to(0.0, 1.0),
        Scale::Positive => Real::positive(),
        Scale::AtMostOne => Real::from_to(f64::MIN, 1.0),
    };
    Claim {
        metric: metric.as_str().to_owned(),
        value: fields.required("value", &value),
        source: fields.required("source", &Text),
        dataset: asked.name.clone(),
        n_runs: fields.optional("n_runs", &Int::within(1..=1_000_000)),
        n_test: fields.optional("n_test", &Int::within(1..=1_000_000_000)),
        seed_sd: fields.optional("seed_sd", &Real::not_negative()),
        within: fields.optional("within", &Real::positive()),
    }
}

/// The name of a dataset of the catalogue.
struct DatasetName<'a>(&'a Catalogue);

impl<'a> Rule for DatasetName<'a> {
    type Made = Option<&'a Manifest>;

    fn allowed(&self) -> String {
        "the name of a dataset".to_owned()
    }

    fn check(&self, node: &Node) -> Result<Self::Made, Option<String>> {
        let Value::Text(name) = &node.value else { return Err(None) };
        self.0.find(name).map(Some).map_err(Some)
    }

    fn keep(&self, made: &Self::Made) -> serde_json::Value {
        made.map(|manifest| manifest.name.clone()).into()
    }

    fn stand_in(&self) -> Self::Made {
        None
    }
}

/// The dataset that is used for the one that the spec names.
fn choose<'a>(
    asked: &'a Manifest,
    catalogue: &'a Catalogue,
    choice: &DataChoice,
) -> Result<&'a Manifest, ChoiceError> {
    let stand_in = || match &asked.stand_in {
        Some(name) => catalogue.find(name).map_err(ChoiceError::Unknown),
        None if asked.is_embedded() => Ok(asked),
        None => {
            let message = format!("the dataset {} has no embedded stand-in", asked.name);
            Err(ChoiceError::Unknown(message))
        }
    };
    match choice {
        DataChoice::Auto if catalogue.is_there(asked) || asked.stand_in.is_none() => Ok(asked),
        DataChoice::Auto | DataChoice::Embedded => stand_in(),
        DataChoice::Named(name) => {
            let named = catalogue.find(name).map_err(ChoiceError::Unknown)?;
            let same_kind = named.kind().as_str() == asked.kind().as_str();
            same_kind.then_some(named).ok_or_else(|| {
                let (is, wants) = (named.kind().as_str(), asked.kind().as_str());
                ChoiceError::OtherKind(format!(
                    "dataset {name} is {is}, but the experiment needs {wants}"
                ))
            })
        }
    }
}

/// A model, its name, its most epochs and how it is trained.
type Named = (Box<dyn Model>, &'static str, Option<usize>, Option<Training>);

/// Whether a model is trained in epochs and needs `[training]`.
pub(super) fn wants_training(name: &str) -> bool {
    model::all().iter().any(|entry| entry.name == name && matches!(entry.read, Reader::Epochs(_)))
}

/// Reads `[model.NAME]` and, for models that want it, `[training]`.
fn read_model(
    fields: &mut Fields,
    axes: Option<Axes>,
    task: Task,
    read_sound: impl FnOnce(&mut Fields),
) -> Option<Named> {
    let shape = axes.map(|axes| axes.shape);
    let known = model::all();
    let names: Vec<&str> = known.iter().map(|entry| entry.name).collect();
    // `[training]` is read first, since a model of epochs is made with it.
    let training = fields.table("training", |inner| {
        let training = Training::read(inner, axes);
        read_sound(inner);
        if !inner.is_exploring() {
            for (key, said) in training.unsuitable(task) {
                inner.fault_at(key, &said);
            }
        }
        training
    });
    let has_training = fields.is_given("training");
    let mut lacks_training = false;
    let mut has_too_much = false;
    let mut is_other_task = None;
    let made = fields.choice("model", &names, |name, inner| {
        let entry = known.iter().find(|entry| entry.name == name)?;
        is_other_task = (!entry.tasks.contains(&task)).then_some(entry.name);
        match entry.read {
            Reader::AtOnce(read) => {
                has_too_much = has_training;
                let model = read(inner, shape);
                let epochs = model.max_epochs();
                Some((model, entry.name, epochs, None))
            }
            Reader::Epochs(read) => {
                lacks_training = !has_training;
                let training = training.clone()?;
                let epochs = training.epochs;
                let seen = shape.map(|shape| training.input_shape(shape));
                let model = read(inner, training.clone(), seen.as_deref());
                Some((model, entry.name, Some(epochs), Some(training)))
            }
        }
    });
    if has_too_much {
        fields.fault_at("training", "does not apply: this model is not trained over epochs");
    }
    if let Some(name) = is_other_task.filter(|_| !fields.is_exploring()) {
        let can = known.iter().filter(|entry| entry.tasks.contains(&task)).map(|entry| entry.name);
        let (can, words) = (crate::vocab::quoted_list(can), task.words());
        fields.fault_at("model", &format!("is `{name}`, which can't learn {words}; {can} can"));
    }
    if lacks_training {
        let trained: Vec<&str> = names.into_iter().filter(|name| wants_training(name)).collect();
        let all = crate::vocab::quoted_list(trained);
        fields.fault_at("training", &format!("is missing; {all} need it"));
    }
    made.flatten()
}
