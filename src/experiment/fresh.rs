//! Training examples whose sound is changed at random: read, changed and turned into features again in
//! every epoch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::error::RunError;
use super::inputs::Inputs;
use super::plan::Plan;
use super::waveforms::{WaveformAugment, streams};
use crate::audio::Waveform;
use crate::dataset::AudioData;
use crate::features::{AudioFeature, Features, Segments};
use crate::model::{FreshExamples, ModelError};
use crate::split::Split;
use crate::vocab::Seed;

/// Recordings are kept in memory up to this size; the others are read again whenever they are needed.
const MOST_BYTES: usize = 2 << 30;

/// The training examples of one seed.
pub(super) struct FreshTrain<'a> {
    audio: &'a AudioData,
    segments: Segments,
    feature: &'a dyn AudioFeature,
    augment: &'a [WaveformAugment],
    seed: Seed,
    /// Track and segment of every training example.
    places: Vec<(usize, usize)>,
    /// The waveform of each track, once it was read; nothing for tracks that are not kept.
    kept: Vec<Option<OnceLock<Arc<Vec<f32>>>>>,
}

impl<'a> FreshTrain<'a> {
    /// Prepares a plan's training examples; nothing if the plan changes no waveform.
    ///
    /// # Errors
    /// Where segments are taken from anywhere in tracks that are also tested or validated.
    pub(super) fn new(
        plan: &'a Plan,
        inputs: &'a Inputs,
        split: &Split,
        seed: u64,
    ) -> Result<Option<Self>, RunError> {
        let (Some(audio), Features::Audio { segments, feature, .. }) =
            (&inputs.audio, &plan.spec.features)
        else {
            return Ok(None);
        };
        let augment = plan.spec.augment_waveforms.as_slice();
        let ids = &inputs.examples.ids;
        let tracks_of = |rows: &[usize]| -> BTreeSet<&str> {
            rows.iter().map(|&row| ids[row].track.as_str()).collect()
        };
        let train = tracks_of(&split.train);
        if augment.iter().any(WaveformAugment::is_crop) {
            let others = tracks_of(&[split.valid.as_slice(), &split.test].concat());
            if let Some(track) = train.intersection(&others).next() {
                return Err(RunError::Incompatible(format!(
                    "training.augment_waveforms: `crop` takes segments from anywhere in a track, but {track} is also in \
                     valid or test\nhint: split by track or by group, or leave `crop` out"
                )));
            }
        }
        let numbers: BTreeMap<&str, usize> =
            audio.tracks.iter().enumerate().map(|(i, track)| (track.id.as_str(), i)).collect();
        let place = |&row: &usize| (numbers[ids[row].track.as_str()], ids[row].segment as usize);
        let mut left = MOST_BYTES;
        let kept = audio.tracks.iter().map(|track| {
            let n_bytes = size_of::<f32>() * track.n_samples;
            let is_kept = train.contains(track.id.as_str()) && n_bytes <= left;
            left -= if is_kept { n_bytes } else { 0 };
            is_kept.then(OnceLock::new)
        });
        Ok(Some(Self {
            audio,
            segments: *segments,
            feature: feature.as_ref(),
            augment,
            seed: Seed(seed),
            places: split.train.iter().map(place).collect(),
            kept: kept.collect(),
        }))
    }

    /// The samples of a track.
    fn waveform(&self, track: usize) -> Result<Arc<Vec<f32>>, ModelError> {
        let read = || {
            let samples = self.audio.waveform(&self.audio.tracks[track]);
            samples.map(Arc::new).map_err(|error| ModelError::Examples(error.to_string()))
        };
        let Some(place) = &self.kept[track] else { return read() };
        if let Some(samples) = place.get() {
            return Ok(samples.clone());
        }
        let samples = read()?;
        // Another thread may have read the same samples meanwhile.
        Ok(place.get_or_init(|| samples).clone())
    }

    /// Computes an example after some changes.
    pub(super) fn changed(
        &self,
        augment: &[WaveformAugment],
        epoch: usize,
        index: usize,
        out: &mut [f32],
    ) -> Result<(), ModelError> {
        let (track, segment) = self.places[index];
        let samples = self.waveform(track)?;
        let rate = self.audio.sample_rate_hz;
        let mut range = self.segments.range(rate, samples.len(), segment);
        let streams = streams(augment, self.seed, epoch);
        let drawn = || {
            let items = augment.iter().zip(&streams);
            items.filter_map(|(item, stream)| Some((item, item.drawn(stream, index)?)))
        };
        for (_, mut rng) in drawn().filter(|(item, _)| item.is_crop()) {
            let start = rng.below(samples.len() - range.len() + 1);
            range = start..start + range.len();
        }
        let mut sound = Waveform { samples: samples[range].to_vec(), sample_rate_hz: rate };
        for (item, mut rng) in drawn() {
            sound = item.degrade(sound, &mut rng);
        }
        let computed = self.feature.worker().try_compute(&sound.samples, out);
        computed.map_err(|message| {
            let track = &self.audio.tracks[track].id;
            ModelError::Examples(format!("{track}, segment {segment}, epoch {epoch}: {message}"))
        })?;
        if out.iter().all(|x| x.is_finite()) {
            return Ok(());
        }
        let (track, names) = (&self.audio.tracks[track].id, augment.iter().map(|item| item.name));
        let names: Vec<&str> = names.collect();
        Err(ModelError::Examples(format!(
            "segment {segment} of {track} is not finite after {}, in epoch {epoch}",
            names.join(", ")
        )))
    }
}

impl FreshExamples for FreshTrain<'_> {
    fn compute(&self, epoch: usize, index: usize, out: &mut [f32]) -> Result<(), ModelError> {
        self.changed(self.augment, epoch, index, out)
    }
}
