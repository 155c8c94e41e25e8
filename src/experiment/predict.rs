//! Predictions for new recordings with the model of a run.

use std::path::Path;

use super::command::{Recorded, Trained};
use super::ensemble;
use super::error::RunError;
use super::plan::{Plan, PlanError};
use crate::audio::{self, AudioError};
use crate::dataset::{Catalogue, Kind, Manifest};
use crate::features::{Extractor, Features, Segments};
use crate::metrics;
use crate::model::{self, HiddenLayer, OpinionPool};
use crate::record::{DataFacts, Run};
use crate::table::TableError;
use crate::vocab::{Outputs, Targets, Task};

/// The sample rate of recordings, unless a manifest says otherwise.
const USUAL_RATE_HZ: u32 = 22_050;

/// A run's model, with all that turns a recording into what it was trained on.
pub struct Predictor {
    plan: Plan,
    source: Source,
    classes: Vec<String>,
    sample_rate_hz: u32,
}

/// What makes the predictions of a run.
enum Source {
    One(Trained),
    Ensemble { members: Vec<Predictor>, pool: OpinionPool },
}

/// What a model's outputs say.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The number of the most probable class.
    Class(usize),
    /// The numbers of the tags that are as probable as not, or more.
    Tags(Vec<usize>),
    /// The number.
    Number(f32),
}

impl Answer {
    /// What the outputs for one example say.
    #[must_use]
    pub fn of(outputs: &[f32], task: Task) -> Self {
        match task {
            Task::Classes => Self::Class(metrics::most_likely(outputs, outputs.len())[0]),
            Task::Tags => {
                Self::Tags((0..outputs.len()).filter(|tag| outputs[*tag] >= 0.5).collect())
            }
            Task::Number => Self::Number(outputs[0]),
        }
    }
}

/// What a model says of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Guess {
    /// What it says.
    pub answer: Answer,
    /// The probabilities of the classes or tags in their order, or the number.
    pub outputs: Vec<f32>,
    /// Segments that had a say.
    pub n_segments: usize,
    /// What a reader should know about the recording, e.g. that it is silent.
    pub warnings: Vec<String>,
}

/// The reason why a prediction failed.
#[derive(Debug, thiserror::Error)]
pub enum PredictError {
    /// The run's spec can't be read any more.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The run's model can't be read any more.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The recording can't be decoded.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// The table can't be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The run, or the recording, is not of the right kind.
    #[error("{0}")]
    Incompatible(String),
}

impl Predictor {
    /// Reads a run's spec and model back.
    ///
    /// # Errors
    /// Where the run is of a table, or its files are damaged.
    pub fn load(run: &Run, catalogue: &Catalogue) -> Result<Self, PredictError> {
        let record = &run.record;
        run.check_model().map_err(RunError::from)?;
        let catalogue = catalogue_of(run, catalogue)?;
        let plan = Plan::of_run(run, &catalogue)?;
        let Kind::Audio { sample_rate_hz } = plan.spec.dataset.kind() else {
            let kind = plan.spec.dataset.kind().as_str();
            let message = format!("run {} was trained on {kind}, not on audio", run.id);
            return Err(PredictError::Incompatible(message));
        };
        let classes = record.data.classes.clone();
        let source = match plan.spec.model.ensemble() {
            None => Source::One(Trained::load(&plan, run, &catalogue)?),
            Some(_) => {
                let (runs, pool) = ensemble::recorded(run)?;
                let members = runs.iter().map(|run| Self::load(run, &catalogue));
                Source::Ensemble { members: members.collect::<Result<_, _>>()?, pool }
            }
        };
        Ok(Self { plan, source, classes, sample_rate_hz })
    }

    /// What the model tells.
    #[must_use]
    pub fn task(&self) -> Task {
        self.plan.spec.target.task()
    }

    /// The classes or tags in the order of their numbers, or the name of the number.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// What a reader of all predictions should know.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        match &self.source {
            Source::One(trained) => trained.note(),
            Source::Ensemble { members, .. } => members.iter().find_map(Self::note),
        }
    }

    /// The sample rate of the recordings that it was trained on, in hertz.
    pub(super) fn sample_rate_hz(&self) -> u32 {
        self.sample_rate_hz
    }

    /// The layers whose outputs can be had; none if the model is not a net.
    pub(super) fn layers(&self) -> Vec<HiddenLayer> {
        match &self.source {
            Source::One(Trained::Own(model)) => model.layers(),
            Source::One(Trained::Program(_)) | Source::Ensemble { .. } => vec![],
        }
    }

    /// The mean output of a layer over the segments of a recording that is called `name` in messages.
    ///
    /// # Errors
    /// Where it is shorter than one segment, or there is no such layer.
    pub(super) fn embed(
        &self,
        name: &str,
        samples: &[f32],
        layer: &str,
    ) -> Result<Vec<f32>, PredictError> {
        let (matrix, taken) = self.segments_of(name, samples)?;
        let Source::One(Trained::Own(model)) = &self.source else {
            let said = "neither a program nor an ensemble has layers";
            return Err(PredictError::Incompatible(said.to_owned()));
        };
        let rows: Vec<usize> = (0..taken.len()).collect();
        let outputs = model.embed(&self.examples(&matrix, &rows), layer).map_err(RunError::from)?;
        let width = outputs.len() / rows.len();
        Ok(metrics::mean_rows(&outputs, width))
    }

    /// The features of all segments of a recording, and the numbers of the segments.
    fn segments_of(
        &self,
        name: &str,
        samples: &[f32],
    ) -> Result<(Vec<f32>, Vec<u32>), PredictError> {
        let Features::Audio { segments, feature, .. } = &self.plan.spec.features else {
            return Err(PredictError::Incompatible("the run has no audio features".to_owned()));
        };
        let length = segments.n_samples(self.sample_rate_hz);
        let all = Segments { per_track: samples.len().div_ceil(length), ..*segments };
        let mut extractor = Extractor::new(all, feature.as_ref(), self.sample_rate_hz);
        let mut matrix = vec![];
        let walked = extractor.extract(samples, &mut matrix);
        let taken =
            walked.map_err(|error| PredictError::Incompatible(format!("{name}, {error}")))?.taken;
        if taken.is_empty() {
            let needed = segments.seconds;
            let has = samples.len() as f64 / f64::from(self.sample_rate_hz);
            let message = format!("{name} is {has:.2} s long; a segment needs {needed} s");
            return Err(PredictError::Incompatible(message));
        }
        Ok((matrix, taken))
    }

    fn examples<'a>(&'a self, matrix: &'a [f32], rows: &'a [usize]) -> model::Examples<'a> {
        static NONE: Targets = Targets::Classes(vec![]);
        model::Examples {
            shape: &self.plan.spec.shape,
            matrix,
            targets: &NONE,
            rows,
            n_outputs: self.classes.len(),
        }
    }

    /// Says the class of a recording by the mean of the log-probabilities of all its segments; its tags and its
    /// number by the mean of what the segments say. The members of an ensemble say so each, and are combined then.
    ///
    /// # Errors
    /// Where the file can't be decoded or is shorter than one segment.
    pub fn guess(&self, path: &Path) -> Result<Guess, PredictError> {
        let trained = match &self.source {
            Source::One(trained) => trained,
            Source::Ensemble { members, pool } => {
                return self.guess_together(members, pool, path);
            }
        };
        let Features::Audio { segments, .. } = &self.plan.spec.features else {
            return Err(PredictError::Incompatible("the run has no audio features".to_owned()));
        };
        let recording = audio::read(path, Some(self.sample_rate_hz))?;
        let mut warnings = recording.notes;
        if recording.waveform.is_silent() {
            warnings.push("it is silent, so the prediction means nothing".to_owned());
        }
        let samples = &recording.waveform.samples;
        let (matrix, taken) = self.segments_of(&path.display().to_string(), samples)?;
        let n_segments = taken.len();
        let rows: Vec<usize> = (0..n_segments).collect();
        let examples = self.examples(&matrix, &rows);
        let probabilities = match trained {
            Trained::Own(model) => model.predict(&examples).map_err(RunError::from)?,
            Trained::Program(program) => {
                let waveform = &recording.waveform;
                let recorded = Recorded { waveform, segments: *segments, taken: &taken };
                program.examples(&examples, Some(&recorded))?
            }
        };
        let task = self.task();
        let outputs = metrics::pooled(&probabilities, Outputs { task, n: self.classes.len() });
        Ok(Guess { answer: Answer::of(&outputs, task), outputs, n_segments, warnings })
    }

    fn guess_together(
        &self,
        members: &[Self],
        pool: &OpinionPool,
        path: &Path,
    ) -> Result<Guess, PredictError> {
        let guesses = members.iter().map(|member| member.guess(path));
        let guesses = guesses.collect::<Result<Vec<Guess>, _>>()?;
        let mut warnings: Vec<String> = vec![];
        for warning in guesses.iter().flat_map(|guess| &guess.warnings) {
            if !warnings.contains(warning) {
                warnings.push(warning.clone());
            }
        }
        let n_segments = guesses.iter().map(|guess| guess.n_segments).max().unwrap_or_default();
        let said: Vec<Vec<f32>> = guesses.into_iter().map(|guess| guess.outputs).collect();
        let outputs = pool.predict(&said);
        Ok(Guess { answer: Answer::of(&outputs, self.task()), outputs, n_segments, warnings })
    }
}

/// The catalogue with the datasets of a run as the run used them. A run may have been copied from a
/// project whose datasets are unknown here.
///
/// # Errors
/// Where the run's manifest is damaged.
pub fn catalogue_of(run: &Run, catalogue: &Catalogue) -> Result<Catalogue, PredictError> {
    let DataFacts { dataset, asked, .. } = &*run.record.data;
    let parse = |name: &str, text: &str| {
        let origin = run.folder.join("dataset.toml").display().to_string();
        Manifest::parse(name, &origin, text).map_err(PlanError::from)
    };
    let mut catalogue = match run.manifest().map_err(RunError::from)? {
        Some(text) => catalogue.with(parse(dataset, &text)?),
        None => catalogue.clone(),
    };
    if catalogue.find(dataset).is_err() && run.record.spec.get("segments").is_some() {
        // A run of an earlier version has no manifest. Only the sample rate counts here.
        let text = format!(
            "title = {0}\nlicence = \"unknown\"\ncitation = \"unknown\"\nhow_to_get = \"unknown\"\n\
             [folder]\ngenres = {1}\nsample_rate_hz = {USUAL_RATE_HZ}\nn_tracks = 1\n",
            serde_json::Value::from(dataset.as_str()),
            serde_json::Value::from(run.record.data.classes.clone()),
        );
        catalogue = catalogue.with(parse(dataset, &text)?);
    }
    if catalogue.find(asked).is_err() {
        let used = catalogue.find(dataset).map_err(PredictError::Incompatible)?.clone();
        catalogue = catalogue.with(Manifest { name: asked.clone(), ..used });
    }
    Ok(catalogue)
}
