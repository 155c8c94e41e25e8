//! Robustness: what the models of finished runs say of their test recordings when these are degraded.
//!
//! | file | content |
//! |---|---|
//! | `grid` | which degradations at which strengths |
//!
//! Every run and degradation gives one file beside the runs ([`crate::record::DegradedStore`]), so that an
//! interrupted measurement continues where it was. The records of the runs are only read.

mod grid;

pub use grid::{degradations, usual_degradations};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::command::Trained;
use super::context::Workspace;
use super::error::RunError;
use super::plan::Plan;
use super::predict::{PredictError, catalogue_of};
use crate::audio::{Degradation, Waveform};
use crate::dataset::{AudioData, Data, DatasetError, Track};
use crate::features::{AudioFeature, Extractor, Features, Segments};
use crate::metrics;
use crate::model;
use crate::model::command::Input;
use crate::record::{
    Degraded, Excluded, NumberPrediction, Prediction, Predictions, Run, TagsPrediction,
};
use crate::vocab::{ExampleId, Seed, Targets};

/// Raise it with every change of the bits of a degradation or of what is measured.
pub const ROBUST_VERSION: u32 = 1;
/// What the recordings as they are stand under.
pub const UNDEGRADED: &str = "none";
/// The seed of all degradations: every run gets the same noise on a track.
const SEED: Seed = Seed(0);
/// Tracks whose features are in memory at a time.
const N_AT_A_TIME: usize = 256;

/// What was measured.
#[derive(Debug, Default, PartialEq)]
pub struct Measured {
    /// What a reader should know, e.g. that a model does not say of undegraded recordings what its record says.
    pub notes: Vec<String>,
    /// Tracks that could not be read, with the reasons; each once.
    pub skipped: Vec<Excluded>,
    /// How many combinations of a run and a degradation were computed now.
    pub n_computed: usize,
    /// How many were known.
    pub n_known: usize,
}

/// Receives what is computed, and how many of how many tracks are done.
type OnTrack<'a> = dyn Fn(&str, usize, usize) + Sync + 'a;

/// Computes what the models of runs say of their degraded test recordings, and of the recordings as they are.
/// What is known already is not computed again.
///
/// # Errors
/// If a run has no model or is not of recordings, its dataset is missing or another one now, no track of a
/// test set can be read, or a file can't be written.
pub fn measure(
    runs: &[&Run],
    degradations: &[Degradation],
    workspace: Workspace,
    on_track: &OnTrack,
) -> Result<Measured, PredictError> {
    if let Some(trial) = runs.iter().find(|run| run.record.is_trial()) {
        let said = format!(
            "{} is a trial of a search, whose test examples are withheld\nhint: name runs of the winner",
            trial.id
        );
        return Err(RunError::Incompatible(said).into());
    }
    let store = workspace.store.degraded(ROBUST_VERSION);
    let mut all = vec![None];
    for degradation in degradations {
        if !all.contains(&Some(degradation)) {
            all.push(Some(degradation));
        }
    }
    let mut measured = Measured::default();
    let mut missing: Vec<(Option<&Degradation>, Vec<&Run>)> = vec![];
    for degradation in all {
        let text = text_of(degradation);
        let mut left = vec![];
        for run in runs {
            match store.read(run, &text).map_err(RunError::from)? {
                // What could not be read then may be there now.
                Some(known) if known.skipped.is_empty() => measured.saw(run, &known)?,
                _ => left.push(*run),
            }
        }
        measured.n_known += runs.len() - left.len();
        missing.push((degradation, left));
    }
    missing.retain(|(_, left)| !left.is_empty());
    let mut subjects: BTreeMap<&str, Subject> = BTreeMap::new();
    let mut data: BTreeMap<String, AudioData> = BTreeMap::new();
    for &run in missing.iter().flat_map(|(_, left)| left) {
        if !subjects.contains_key(run.id.as_str()) {
            subjects.insert(&run.id, Subject::load(run, workspace, &mut data)?);
        }
    }
    for (degradation, left) in missing {
        let mut groups: BTreeMap<&str, Vec<&Subject>> = BTreeMap::new();
        for run in left {
            let subject = &subjects[run.id.as_str()];
            groups.entry(&subject.recipe).or_default().push(subject);
        }
        for subjects in groups.into_values() {
            let audio = &data[&subjects[0].run.record.data.hash];
            let batch = Batch { subjects: &subjects, audio, degradation, workspace, on_track };
            for (subject, degraded) in subjects.iter().zip(batch.compute()?) {
                store.write(subject.run, &degraded).map_err(RunError::from)?;
                measured.saw(subject.run, &degraded)?;
                measured.n_computed += 1;
            }
        }
    }
    measured.skipped.sort();
    measured.skipped.dedup();
    Ok(measured)
}

fn text_of(degradation: Option<&Degradation>) -> String {
    degradation.map_or(UNDEGRADED.to_owned(), ToString::to_string)
}

impl Measured {
    fn saw(&mut self, run: &Run, degraded: &Degraded) -> Result<(), PredictError> {
        self.skipped.extend(degraded.skipped.iter().cloned());
        let is_whole = degraded.skipped.is_empty() && degraded.n_too_short == 0;
        if degraded.degradation == UNDEGRADED && is_whole {
            let recorded = run.predictions().map_err(RunError::from)?;
            if recorded != degraded.predictions {
                self.notes.push(format!(
                    "{}: its model says something else of the undegraded recordings than its record; another \
                     machine, or another version of encore, may have trained it",
                    run.id
                ));
            }
        }
        Ok(())
    }
}

/// A run that is measured.
struct Subject<'a> {
    run: &'a Run,
    plan: Plan,
    trained: Trained,
    /// What the run said, in its order.
    base: Predictions,
    /// What decides the features of a track.
    recipe: String,
}

impl<'a> Subject<'a> {
    /// Loads a run's model, and its dataset unless it is known.
    fn load(
        run: &'a Run,
        workspace: Workspace,
        data: &mut BTreeMap<String, AudioData>,
    ) -> Result<Self, PredictError> {
        let wrong = |message: String| PredictError::Incompatible(message);
        if let Some(foreign) = &run.record.foreign {
            let file = &foreign.predictions.file;
            return Err(wrong(format!(
                "run {} has no model: its predictions were imported from {file}",
                run.id
            )));
        }
        if run.record.spec.get("segments").is_none() {
            let dataset = &run.record.data.dataset;
            return Err(wrong(format!(
                "run {} was trained on {dataset}, which has no recordings; only recordings can be degraded",
                run.id
            )));
        }
        run.check_model().map_err(RunError::from)?;
        let catalogue = catalogue_of(run, workspace.catalogue)?;
        let plan = Plan::of_run(run, &catalogue)?;
        if plan.spec.model.ensemble().is_some() {
            return Err(wrong(format!(
                "run {} is an ensemble, which can't be measured; its members can",
                run.id
            )));
        }
        if plan.spec.model.command().is_some_and(|command| command.input != Input::Features) {
            return Err(wrong(format!(
                "run {}: its program gets waveforms or paths; only programs with input = \"features\" can be \
                 measured",
                run.id
            )));
        }
        let Features::Audio { segments, settings, .. } = &plan.spec.features else {
            return Err(wrong(format!("run {} has no features of recordings", run.id)));
        };
        let hash = &run.record.data.hash;
        let recipe = format!(
            "{hash} {settings} {}",
            serde_json::to_string(segments).expect("segments are plain data")
        );
        if !data.contains_key(hash) {
            let loaded = catalogue.load(&plan.spec.dataset, plan.options.shrink.data);
            let Data::Audio(audio) = loaded.map_err(RunError::from)? else {
                return Err(wrong(format!("run {}: its dataset has no recordings now", run.id)));
            };
            if audio.hash != *hash {
                return Err(PredictError::Run(RunError::Incompatible(format!(
                    "dataset {} is not what run {} was trained on: expected the content {}, found {}\n\
                     hint: encore data check {0} says what has changed; or run the experiment again",
                    audio.name,
                    run.id,
                    &hash[..8.min(hash.len())],
                    &audio.hash[..8]
                ))));
            }
            data.insert(hash.clone(), audio);
        }
        let trained = Trained::load(&plan, run, &catalogue)?;
        let base = run.predictions().map_err(RunError::from)?;
        Ok(Self { run, plan, trained, base, recipe })
    }

    /// Predicts some of the test examples from their features, row-major.
    fn predict(&self, matrix: &[f32], n: usize) -> Result<Vec<f32>, PredictError> {
        let rows: Vec<usize> = (0..n).collect();
        let examples = model::Examples {
            shape: &self.plan.spec.shape,
            matrix,
            targets: &Targets::Classes(vec![]),
            rows: &rows,
            n_outputs: self.run.record.data.classes.len(),
        };
        Ok(match &self.trained {
            Trained::Own(model) => model.predict(&examples).map_err(RunError::from)?,
            Trained::Program(program) => program.examples(&examples, None)?,
        })
    }
}

/// Runs with the same features and one degradation.
struct Batch<'a> {
    subjects: &'a [&'a Subject<'a>],
    audio: &'a AudioData,
    degradation: Option<&'a Degradation>,
    workspace: Workspace<'a>,
    on_track: &'a OnTrack<'a>,
}

/// The features of a track's segments, by segment; or why there are none.
type OfTrack = Result<BTreeMap<u32, Vec<f32>>, Excluded>;

impl Batch<'_> {
    /// What each of the runs says.
    fn compute(&self) -> Result<Vec<Degraded>, PredictError> {
        let Features::Audio { segments, feature, .. } = &self.subjects[0].plan.spec.features else {
            return Err(PredictError::Incompatible(
                "the runs have no features of recordings".to_owned(),
            ));
        };
        let (audio, degradation, on_track) = (self.audio, self.degradation, self.on_track);
        let stop = self.workspace.stop;
        let recipe = Recipe { audio, segments: *segments, feature: feature.as_ref(), degradation };
        // The segments that are test examples of any run, by track.
        let mut wanted: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for subject in self.subjects {
            for ExampleId { track, segment } in subject.base.examples() {
                wanted.entry(track).or_default().insert(*segment);
            }
        }
        let (text, n_done, n_tracks) =
            (text_of(self.degradation), AtomicUsize::new(0), wanted.len());
        let tracks: Vec<(&str, BTreeSet<u32>)> = wanted.into_iter().collect();
        let by_name: BTreeMap<&str, &Track> =
            self.audio.tracks.iter().map(|track| (track.id.as_str(), track)).collect();
        // Of every run: which of its examples have outputs, and these.
        let mut answers: Vec<Vec<(usize, Vec<f32>)>> = vec![vec![]; self.subjects.len()];
        let mut skipped = vec![];
        let mut n_too_short = vec![0; self.subjects.len()];
        for tracks in tracks.chunks(N_AT_A_TIME) {
            let one = |(track, segments): &(&str, BTreeSet<u32>)| {
                if stop.load(Ordering::Relaxed) {
                    return Err(RunError::Stopped { epoch: 0 });
                }
                let found = recipe.features(track, by_name.get(track).copied(), segments);
                let n = n_done.fetch_add(1, Ordering::Relaxed) + 1;
                on_track(&text, n, n_tracks);
                Ok(((*track).to_owned(), found))
            };
            let found: BTreeMap<String, OfTrack> =
                tracks.par_iter().map(one).collect::<Result<_, RunError>>()?;
            for (i, subject) in self.subjects.iter().enumerate() {
                let (mut rows, mut matrix) = (vec![], vec![]);
                for (row, ExampleId { track, segment }) in
                    subject.base.examples().into_iter().enumerate()
                {
                    match found.get(track).map(|found| found.as_ref().map(|it| it.get(segment))) {
                        Some(Ok(Some(numbers))) => {
                            rows.push(row);
                            matrix.extend_from_slice(numbers);
                        }
                        Some(Ok(None)) => n_too_short[i] += 1,
                        Some(Err(_)) | None => {}
                    }
                }
                if rows.is_empty() {
                    continue;
                }
                let outputs = subject.predict(&matrix, rows.len())?;
                let width = outputs.len() / rows.len();
                let each = rows.into_iter().zip(outputs.chunks(width).map(<[f32]>::to_vec));
                answers[i].extend(each);
            }
            skipped.extend(found.into_values().filter_map(Result::err));
        }
        let all = self.subjects.iter().zip(answers).zip(n_too_short);
        all.map(|((subject, mut answers), n_too_short)| {
            let of_run: BTreeSet<&str> =
                subject.base.examples().iter().map(|id| id.track.as_str()).collect();
            let skipped: Vec<Excluded> =
                skipped.iter().filter(|it| of_run.contains(it.name.as_str())).cloned().collect();
            if answers.is_empty() {
                let why = skipped.first().map_or("all are too short", |it| it.reason.as_str());
                return Err(PredictError::Run(RunError::Incompatible(format!(
                    "{}: no test example of run {} can be used: {why}",
                    text_of(self.degradation),
                    subject.run.id
                ))));
            }
            answers.sort_by_key(|(row, _)| *row);
            let predictions = answered(&subject.base, &answers);
            let degradation = text_of(self.degradation);
            Ok(Degraded { degradation, skipped, n_too_short, predictions })
        })
        .collect()
    }
}

/// How recordings become features.
struct Recipe<'a> {
    audio: &'a AudioData,
    segments: Segments,
    feature: &'a dyn AudioFeature,
    degradation: Option<&'a Degradation>,
}

impl Recipe<'_> {
    /// Decodes and degrades a track, and computes the features of some of its segments.
    fn features(&self, name: &str, track: Option<&Track>, segments: &BTreeSet<u32>) -> OfTrack {
        let skip = |reason: String| Excluded { name: name.to_owned(), reason };
        let track = track.ok_or_else(|| skip("is not in the dataset".to_owned()))?;
        let reason = |error: DatasetError| error.to_string().replace('\n', "; ");
        let samples = self.audio.waveform(track).map_err(|error| skip(reason(error)))?;
        let sample_rate_hz = self.audio.sample_rate_hz;
        let samples = match self.degradation {
            None => samples,
            Some(degradation) => {
                let key = u64::from_str_radix(&track.content_hash()[..16], 16).unwrap_or(0);
                let seed = Seed(SEED.rng("robust", &[key]).next_u64());
                degradation.apply(&Waveform { samples, sample_rate_hz }, seed).samples
            }
        };
        let mut numbers = vec![];
        let walked = Extractor::new(self.segments, self.feature, sample_rate_hz)
            .extract(&samples, &mut numbers)
            .map_err(|error| skip(error.to_string()))?;
        let width = numbers.len() / walked.taken.len().max(1);
        let each = walked.taken.iter().zip(numbers.chunks(width.max(1)));
        let wanted = each.filter(|(segment, _)| segments.contains(segment));
        Ok(wanted.map(|(segment, numbers)| (*segment, numbers.to_vec())).collect())
    }
}

/// Some of a run's predictions, with other outputs.
fn answered(base: &Predictions, answers: &[(usize, Vec<f32>)]) -> Predictions {
    match base {
        Predictions::Classes(rows) => {
            let one = |(row, outputs): &(usize, Vec<f32>)| Prediction {
                predicted: metrics::most_likely(outputs, outputs.len())[0],
                probabilities: outputs.clone(),
                ..rows[*row].clone()
            };
            Predictions::Classes(answers.iter().map(one).collect())
        }
        Predictions::Tags(rows) => {
            let one = |(row, outputs): &(usize, Vec<f32>)| TagsPrediction {
                probabilities: outputs.clone(),
                ..rows[*row].clone()
            };
            Predictions::Tags(answers.iter().map(one).collect())
        }
        Predictions::Number(rows) => {
            let one = |(row, outputs): &(usize, Vec<f32>)| NumberPrediction {
                predicted: outputs[0],
                ..rows[*row].clone()
            };
            Predictions::Number(answers.iter().map(one).collect())
        }
    }
}
