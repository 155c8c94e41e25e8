//! A recording as a vector: statistics of its sound, or what a layer of a trained net puts out.

use std::path::Path;

use super::predict::{PredictError, Predictor};
use crate::audio::{self, Waveform};
use crate::dataset::Catalogue;
use crate::features::{AudioFeature, BandSummary};
use crate::model::HiddenLayer;
use crate::record::Run;

/// The sample rate of the statistics.
const SAMPLE_RATE_HZ: u32 = 22_050;

/// The shortest recording that has statistics, in seconds.
const SHORTEST_S: f64 = 1.0;

/// Raised whenever a recording gets other numbers than before.
const VERSION: u32 = 1;

/// What turns a recording into a vector.
pub struct Embedder(How);

enum How {
    Statistics(Box<BandSummary>),
    Layer { predictor: Box<Predictor>, layer: HiddenLayer, run: String },
}

/// A recording as a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    /// Its numbers.
    pub vector: Vec<f32>,
    /// Length of the recording in seconds.
    pub seconds: f64,
    /// What a reader should know about the recording, e.g. that it is silent.
    pub warnings: Vec<String>,
}

impl Embedder {
    /// Statistics of a whole recording: mean, deviation, skewness and delta of 20 MFCCs, and the modulation
    /// spectra of 16 groups of mel bands.
    #[must_use]
    pub fn statistics() -> Self {
        Self(How::Statistics(Box::new(BandSummary::of_songs(SAMPLE_RATE_HZ))))
    }

    /// The output of a layer of a run's net, by default of the last one before its decision; the mean over the
    /// segments of the recording.
    ///
    /// # Errors
    /// Where the run is not of recordings, its model is not a net or is damaged, or it has no such layer.
    pub fn of_run(
        run: &Run,
        catalogue: &Catalogue,
        layer: Option<&str>,
    ) -> Result<Self, PredictError> {
        let predictor = Box::new(Predictor::load(run, catalogue)?);
        let layers = predictor.layers();
        if layers.is_empty() {
            let (id, model) = (&run.id, &run.record.model.name);
            return Err(PredictError::Incompatible(format!(
                "{id} is a model without layers ({model}); only nets have them\n\
                 hint: `statistics` describes recordings without a model"
            )));
        }
        let found = match layer {
            Some(name) => layers.iter().find(|it| it.name == name),
            None => layers.iter().find(|it| it.is_default).or(layers.last()),
        };
        let Some(found) = found else {
            let known = layers.iter().map(|it| it.name.as_str());
            let known = crate::vocab::quoted_list(known);
            let (id, layer) = (&run.id, layer.unwrap_or_default());
            let message = format!("{id} has no layer `{layer}`; it has {known}");
            return Err(PredictError::Incompatible(message));
        };
        let layer = found.clone();
        Ok(Self(How::Layer { predictor, layer, run: run.id.clone() }))
    }

    /// What it is, in words: `statistics`, or `layer dense_1 of RUN`.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.0 {
            How::Statistics(_) => "statistics".to_owned(),
            How::Layer { layer, run, .. } => format!("layer {} of {run}", layer.name),
        }
    }

    /// Equal keys give equal vectors.
    #[must_use]
    pub fn key(&self) -> String {
        let decoder = audio::DECODER_VERSION;
        format!("{} version {VERSION}, decoder {decoder}", self.words())
    }

    /// Numbers of a vector.
    #[must_use]
    pub fn width(&self) -> usize {
        match &self.0 {
            How::Statistics(feature) => feature.shape(0)[0],
            How::Layer { layer, .. } => layer.width,
        }
    }

    /// The sizes of the parts of a vector, in order, which count alike: one for each kind of statistic.
    #[must_use]
    pub fn parts(&self) -> Vec<usize> {
        match &self.0 {
            How::Statistics(feature) => feature.parts(),
            How::Layer { layer, .. } => vec![layer.width],
        }
    }

    /// The names of the numbers.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &self.0 {
            How::Statistics(feature) => feature.column_names(),
            How::Layer { layer, .. } => {
                (1..=layer.width).map(|number| format!("{}_{number}", layer.name)).collect()
            }
        }
    }

    /// The sample rate that [`Self::samples`] expects, in hertz.
    #[must_use]
    pub fn sample_rate_hz(&self) -> u32 {
        match &self.0 {
            How::Statistics(_) => SAMPLE_RATE_HZ,
            How::Layer { predictor, .. } => predictor.sample_rate_hz(),
        }
    }

    /// Reads a recording.
    ///
    /// # Errors
    /// Where the file can't be decoded or is too short.
    pub fn file(&self, path: &Path) -> Result<Embedding, PredictError> {
        let recording = audio::read(path, Some(self.sample_rate_hz()))?;
        let mut warnings = recording.notes;
        if recording.waveform.is_silent() {
            warnings.push("it is silent, so its vector means nothing".to_owned());
        }
        let seconds = recording.waveform.duration_s();
        let vector = self.samples(&path.display().to_string(), &recording.waveform)?;
        Ok(Embedding { vector, seconds, warnings })
    }

    /// The vector of a recording that is called `name` in messages.
    ///
    /// # Errors
    /// Where it is too short, or can't be resampled.
    pub fn samples(&self, name: &str, waveform: &Waveform) -> Result<Vec<f32>, PredictError> {
        let rate = self.sample_rate_hz();
        let resampled;
        let waveform = if waveform.sample_rate_hz == rate {
            waveform
        } else {
            resampled = audio::resample(waveform, rate)?;
            &resampled
        };
        match &self.0 {
            How::Statistics(feature) => {
                let seconds = waveform.duration_s();
                if seconds < SHORTEST_S {
                    let message =
                        format!("{name} is {seconds:.2} s long; statistics need {SHORTEST_S} s");
                    return Err(PredictError::Incompatible(message));
                }
                let mut vector = vec![0.0; self.width()];
                feature.worker().compute(&waveform.samples, &mut vector);
                Ok(vector)
            }
            How::Layer { predictor, layer, .. } => {
                predictor.embed(name, &waveform.samples, &layer.name)
            }
        }
    }
}
