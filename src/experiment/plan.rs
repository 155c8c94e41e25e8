//! From a spec's text to a plan: every name resolved, every range checked, no audio touched.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Library, protocol, tables};
use crate::dataset::{Catalogue, Cut, Kind, Manifest};
use crate::features::Features;
use crate::model::{Device, MODELS, Model, Preprocess, Reader, Training};
use crate::record::{Claim, Run};
use crate::schema::{Fault, Faults, Fields, Int, OneOf, Real, Text, Tree, Value, read};
use crate::split::Protocol;
use crate::vocab::Sha256;

/// What the command line adds to a spec.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// `key=value` overrides.
    pub set: Vec<String>,
    /// Which dataset to use.
    pub data: DataChoice,
    /// Seeds instead of the spec's.
    pub seeds: Option<Vec<u64>>,
    /// How the run is made smaller.
    pub shrink: Shrink,
    /// Where nets are computed.
    pub device: Device,
}

/// Which dataset a run uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum DataChoice {
    /// The spec's dataset if imported, otherwise its synthetic stand-in.
    #[default]
    Auto,
    /// The embedded stand-in.
    Embedded,
    /// This one.
    Named(String),
}

/// How a run is made smaller than its spec.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shrink {
    /// Maximum number of epochs.
    pub max_epochs: Option<usize>,
    /// Maximum number of seeds.
    pub max_seeds: Option<usize>,
    /// A smaller embedded corpus.
    pub data: Cut,
}

/// The reason why a spec cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The spec, or an override, is wrong.
    #[error(transparent)]
    Spec(#[from] Faults),
    /// A name on the command line is wrong.
    #[error("{0}")]
    Usage(String),
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
    /// What it is, in a line.
    pub title: String,
    /// The question that the experiment answers.
    pub question: String,
    /// The dataset that is used.
    pub dataset: Manifest,
    /// The dataset that the spec names.
    pub asked: String,
    /// One run each.
    pub seeds: Vec<u64>,
    /// What an example is.
    pub features: Features,
    /// What is made of a table's numbers before the model sees them.
    pub preprocess: Option<Preprocess>,
    /// The shape of one example, as the model sees it.
    pub shape: Vec<usize>,
    /// Who is fitted on, watched, scored.
    pub split: Protocol,
    /// What is fitted.
    pub model: Box<dyn Model>,
    /// The model's name in the list.
    pub model_name: &'static str,
    /// Maximum number of epochs, for models that have epochs.
    pub max_epochs: Option<usize>,
    /// What the publication says.
    pub claims: Vec<Claim>,
    /// The spec as understood.
    pub resolved: serde_json::Value,
    /// SHA-256 of what decides a run's result, apart from seed and data.
    pub spec_hash: String,
    /// Why this is no full run of the spec.
    pub cut: Vec<String>,
    /// How the dataset is made smaller.
    pub data_cut: Cut,
}

/// What reading a spec's fields gives, before hashes and options come in.
struct Read {
    title: String,
    question: String,
    seeds: Vec<u64>,
    features: Features,
    preprocess: Option<Preprocess>,
    shape: Vec<usize>,
    split: Protocol,
    model: Box<dyn Model>,
    model_name: &'static str,
    max_epochs: Option<usize>,
    claims: Vec<Claim>,
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
        let options: Options = serde_json::from_value(run.record.options.clone())
            .map_err(|error| unreadable(error.to_string()))?;
        let data = DataChoice::Named(run.record.data.dataset.clone());
        let options = Options { data, ..options };
        let origin = run.folder.join("spec.toml").display().to_string();
        Self::from_text(run.record.experiment.clone(), &origin, text, catalogue, &options)
    }

    /// Why the plan can't be run on its dataset, although the spec is right for the one that it asks
    /// for: the split goes by a column that the stand-in, or the one chosen instead, does not have.
    #[must_use]
    pub fn unfit(&self) -> Option<String> {
        protocol::unfit(&self.split, &self.dataset, &self.asked)
    }

    /// Where the model is computed: models that are fitted in one go know the CPU only.
    #[must_use]
    pub fn device(&self) -> Device {
        if wants_training(self.model_name) { self.options.device } else { Device::Cpu }
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
        let mut tree = Tree::parse(origin, &text)?;
        for assignment in &options.set {
            tree.set(assignment)?;
        }
        let mut cut: Vec<String> = options.set.iter().map(|set| format!("set {set}")).collect();
        if let Some(max_epochs) = options.shrink.max_epochs {
            cut.extend(cut_epochs(&mut tree, max_epochs)?);
        }
        let asked = asked_dataset(&tree, catalogue)?;
        let dataset = choose(asked, catalogue, &options.data).map_err(PlanError::Usage)?;
        let kind = dataset.kind();
        let (read, resolved) = read(&tree, |fields| spec(fields, asked, kind))?;
        let read = read.expect("a spec that lacks a part has a fault");
        let mut seeds = options.seeds.clone().unwrap_or(read.seeds);
        // Fewer seeds are no cut of any run: the page says how many of the spec's there are.
        seeds.truncate(options.shrink.max_seeds.unwrap_or(usize::MAX));
        Ok(Self {
            spec_hash: spec_hash(&resolved),
            features: read.features.with_settings(&resolved),
            name,
            origin: origin.to_owned(),
            text,
            options: options.clone(),
            title: read.title,
            question: read.question,
            dataset: dataset.clone(),
            asked: asked.name.clone(),
            seeds,
            preprocess: read.preprocess,
            shape: read.shape,
            split: read.split,
            model: read.model,
            model_name: read.model_name,
            max_epochs: read.max_epochs,
            claims: read.claims,
            resolved,
            cut,
            data_cut: options.shrink.data,
        })
    }
}

/// The dataset that a spec names, before anything else of it is read.
fn asked_dataset<'a>(tree: &Tree, catalogue: &'a Catalogue) -> Result<&'a Manifest, Faults> {
    let Value::Table(table) = &tree.root.value else { unreachable!("a file is a table") };
    let (name, node) = match table.get("dataset") {
        Some(node) => match &node.value {
            Value::Text(name) => (name.as_str(), node),
            other => {
                let message = format!("dataset must be a text, found {}", other.describe());
                return Err(Faults(vec![fault(node, message)]));
            }
        },
        None => {
            let message = "dataset is missing; expected the name of a dataset".to_owned();
            return Err(Faults(vec![fault(&tree.root, message)]));
        }
    };
    catalogue.find(name).map_err(|error| Faults(vec![fault(node, format!("dataset {error}"))]))
}

fn fault(node: &crate::schema::Node, message: String) -> Fault {
    Fault { origin: node.origin.clone(), line: node.line, message }
}

/// The dataset that is used for one that is asked for.
fn choose<'a>(
    asked: &'a Manifest,
    catalogue: &'a Catalogue,
    choice: &DataChoice,
) -> Result<&'a Manifest, String> {
    let stand_in = || match &asked.stand_in {
        Some(name) => catalogue.find(name),
        None if asked.is_embedded() => Ok(asked),
        None => Err(format!("the dataset {} has no embedded stand-in", asked.name)),
    };
    match choice {
        DataChoice::Auto if catalogue.is_there(asked) || asked.stand_in.is_none() => Ok(asked),
        DataChoice::Auto | DataChoice::Embedded => stand_in(),
        DataChoice::Named(name) => {
            let named = catalogue.find(name)?;
            let same_kind = named.kind().as_str() == asked.kind().as_str();
            same_kind.then_some(named).ok_or_else(|| {
                let (is, wants) = (named.kind().as_str(), asked.kind().as_str());
                format!("dataset {name} is {is}, but the experiment needs {wants}")
            })
        }
    }
}

fn spec(fields: &mut Fields, asked: &Manifest, kind: Kind) -> Option<Read> {
    let title = fields.required("title", &Text);
    let question = fields.required("question", &Text);
    fields.required("dataset", &Text);
    let (split, seeds) = protocol::read(fields, asked);
    let features = Features::read(fields, kind);
    let (features, preprocess) = tables::read(fields, features, kind);
    let shape = features.as_ref().map(|features| match &preprocess {
        None => features.shape(kind),
        Some(preprocess) => vec![preprocess.width()],
    });
    let model = model(fields, shape.as_deref());
    let claims = fields.each_table("claims", |claim| Claim {
        metric: claim.required("metric", &OneOf(&[("accuracy", "accuracy")])).to_owned(),
        value: claim.required("value", &Real::from_to(0.0, 1.0)),
        source: claim.required("source", &Text),
        dataset: asked.name.clone(),
        n_runs: claim.optional("n_runs", &Int::within(1..=1_000_000)),
        n_test: claim.optional("n_test", &Int::within(1..=1_000_000_000)),
    });
    let (model, model_name, max_epochs) = model?;
    Some(Read {
        title,
        question,
        seeds,
        features: features?,
        preprocess,
        shape: shape?,
        split: split?,
        model,
        model_name,
        max_epochs,
        claims,
    })
}

type Named = (Box<dyn Model>, &'static str, Option<usize>);

fn wants_training(name: &str) -> bool {
    MODELS.iter().any(|entry| entry.name == name && matches!(entry.read, Reader::Epochs(_)))
}

/// Reads `[model.NAME]` and, for models that want it, `[training]`.
fn model(fields: &mut Fields, shape: Option<&[usize]>) -> Option<Named> {
    let names: Vec<&str> = MODELS.iter().map(|entry| entry.name).collect();
    // `[training]` is read first, since a model of epochs is made with it.
    let training = fields.table("training", |inner| Training::read(inner, shape));
    let has_training = fields.is_given("training");
    let mut lacks_training = false;
    let mut has_too_much = false;
    let made = fields.choice("model", &names, |name, inner| {
        let entry = MODELS.iter().find(|entry| entry.name == name)?;
        match entry.read {
            Reader::AtOnce(read) => {
                has_too_much = has_training;
                let model = read(inner, shape);
                let epochs = model.max_epochs();
                Some((model, entry.name, epochs))
            }
            Reader::Epochs(read) => {
                lacks_training = !has_training;
                let training = training?;
                let epochs = training.epochs;
                Some((read(inner, training, shape), entry.name, Some(epochs)))
            }
        }
    });
    if has_too_much {
        fields.fault_at("training", "does not apply: this model is not trained over epochs");
    }
    if lacks_training {
        let trained: Vec<&str> = names.into_iter().filter(|name| wants_training(name)).collect();
        let all = crate::vocab::quoted_list(trained);
        fields.fault_at("training", &format!("is missing; {all} need it"));
    }
    made.flatten()
}

/// Lowers `training.epochs` where the spec has more, and says so.
fn cut_epochs(tree: &mut Tree, max_epochs: usize) -> Result<Option<String>, Faults> {
    let Value::Table(root) = &tree.root.value else { return Ok(None) };
    let Some(Value::Table(training)) = root.get("training").map(|node| &node.value) else {
        return Ok(None);
    };
    let Some(Value::Int(epochs)) = training.get("epochs").map(|node| &node.value) else {
        return Ok(None);
    };
    let epochs = *epochs;
    if epochs <= max_epochs as i64 {
        return Ok(None);
    }
    tree.set(&format!("training.epochs={max_epochs}"))?;
    Ok(Some(format!("{max_epochs} of {epochs} epochs")))
}

/// What decides a result, apart from seed and data: titles, claims and seeds do not.
fn spec_hash(resolved: &serde_json::Value) -> String {
    let mut deciding = resolved.clone();
    if let Some(table) = deciding.as_object_mut() {
        for key in ["title", "question", "claims", "seeds", "dataset"] {
            table.remove(key);
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
