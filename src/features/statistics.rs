//! `[features.statistics]`: mean and variance over a segment's frames of several of librosa's
//! features.
//!
//! These are the columns of GTZAN's `features_30_sec.csv`, except `harmony` and `perceptr`. That
//! file was computed with an older librosa, whose default was `pad_mode = "reflect"`, and its tempo
//! comes from `beat_track`: `aggregate = "median"`.

use super::{AudioFeature, Entry, Worker, spectra};
use crate::audio::{
    Aggregate, AudioError, ChromaSettings, FrameFeature, FrameFeatures, FrameSettings, Tempo,
    TempoSettings, Workspace,
};
use crate::schema::{Fields, Int, List, OneOf, Real};

pub(super) const ENTRY: Entry = Entry {
    name: "statistics",
    doc: "mean and variance over the frames of each of `parts`, [n_columns], as librosa.feature",
    read: |fields, rate| Box::new(read(fields, rate)),
};

/// A part of the statistics.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Part {
    /// Mean and variance of a feature's values; of MFCCs, of each coefficient.
    Frames(FrameFeature),
    /// One number for the whole segment, from its onset strength.
    Tempo,
}

/// The parts by librosa's names, in the order of GTZAN's columns.
const PARTS: &[(&str, Part)] = &[
    ("chroma_stft", Part::Frames(FrameFeature::ChromaStft)),
    ("rms", Part::Frames(FrameFeature::Rms)),
    ("spectral_centroid", Part::Frames(FrameFeature::SpectralCentroid)),
    ("spectral_bandwidth", Part::Frames(FrameFeature::SpectralBandwidth)),
    ("spectral_rolloff", Part::Frames(FrameFeature::SpectralRolloff)),
    ("zero_crossing_rate", Part::Frames(FrameFeature::ZeroCrossingRate)),
    ("tempo", Part::Tempo),
    ("mfcc", Part::Frames(FrameFeature::Mfcc)),
];

/// How the increases in the bands are combined into the onset strength, from which the tempo is
/// estimated.
const AGGREGATES: &[(&str, Aggregate)] =
    &[("mean", Aggregate::Mean), ("median", Aggregate::Median)];

/// Mean and variance over the frames of several features.
pub struct Statistics {
    parts: Vec<Part>,
    frames: FrameFeatures,
    tempo: Tempo,
}

fn read(fields: &mut Fields, sample_rate_hz: u32) -> Statistics {
    let all = PARTS.iter().map(|&(_, part)| part).collect();
    let parts = fields.with_default("parts", &List::of_some(OneOf(PARTS)), all);
    for (name, part) in PARTS {
        if parts.iter().filter(|other| *other == part).count() > 1 {
            fields.fault_at("parts", &format!("must contain each part once, found `{name}` twice"));
        }
    }
    let mfcc = spectra::read_mfcc(fields, sample_rate_hz, 20);
    let n_chroma = fields.optional("n_chroma", &Int::within(1..=96));
    let settings = FrameSettings {
        mfcc,
        chroma: ChromaSettings {
            n_chroma: n_chroma.unwrap_or(ChromaSettings::default().n_chroma),
            tuning: fields.optional("tuning", &Real::from_to(-0.5, 0.5)),
        },
        aggregate: fields.optional("aggregate", &OneOf(AGGREGATES)).unwrap_or_default(),
        roll_percent: fields.optional("roll_percent", &Real::between(0.0, 1.0)).unwrap_or(0.85),
    };
    let hop_length = mfcc.stft.hop_length;
    Statistics::new(parts, &settings, sample_rate_hz, hop_length).unwrap_or_else(|error| {
        fields.fault(&error.to_string());
        Statistics::new(vec![], &FrameSettings::default(), 22_050, 512)
            .expect("librosa's defaults make a plan")
    })
}

impl Statistics {
    /// Creates the statistics of some parts, in this order; a part that is listed twice counts
    /// once.
    ///
    /// # Errors
    /// If a setting is out of range, or a part has no statistics.
    pub fn new(
        mut parts: Vec<Part>,
        settings: &FrameSettings,
        sample_rate_hz: u32,
        hop_length: usize,
    ) -> Result<Self, AudioError> {
        if parts.iter().any(|part| PARTS.iter().all(|(_, known)| known != part)) {
            let allowed = PARTS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
            return Err(AudioError::InvalidParameter {
                parameter: "statistics.parts",
                allowed: format!("among {allowed}"),
                got: format!("{parts:?}"),
            });
        }
        let named = parts.clone();
        let mut place = 0..;
        parts.retain(|part| !named[..place.next().unwrap_or(0)].contains(part));
        let frame_features: Vec<FrameFeature> = parts.iter().map(|part| part.source()).collect();
        let tempo = TempoSettings { sample_rate_hz, hop_length, ..Default::default() };
        Ok(Self {
            parts,
            frames: FrameFeatures::new(settings, &frame_features)?,
            tempo: Tempo::new(&tempo)?,
        })
    }
}

impl Part {
    /// Returns the frame feature that it is computed from.
    fn source(self) -> FrameFeature {
        match self {
            Self::Frames(feature) => feature,
            Self::Tempo => FrameFeature::OnsetStrength,
        }
    }

    /// Returns its column name in GTZAN's tables.
    fn column(self) -> &'static str {
        match self {
            Self::Frames(FrameFeature::SpectralRolloff) => "rolloff",
            _ => PARTS.iter().find(|(_, part)| *part == self).expect("it is in the list").0,
        }
    }
}

impl AudioFeature for Statistics {
    fn shape(&self, _n_samples: usize) -> Vec<usize> {
        vec![self.column_names().len()]
    }

    fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
        self.frames.n_frames(n_samples) == self.frames.n_frames(whole)
    }

    fn column_names(&self) -> Vec<String> {
        let mut names = vec![];
        for part in &self.parts {
            let column = part.column();
            let mut pair =
                |name: &str| names.extend([format!("{name}_mean"), format!("{name}_var")]);
            match part {
                Part::Tempo => names.push(column.to_owned()),
                Part::Frames(FrameFeature::Mfcc) => {
                    for number in 1..=self.frames.width(FrameFeature::Mfcc) {
                        pair(&format!("{column}{number}"));
                    }
                }
                Part::Frames(_) => pair(column),
            }
        }
        names
    }

    fn n_frames(&self, n_samples: usize) -> Option<usize> {
        Some(self.frames.n_frames(n_samples))
    }

    fn warnings(&self) -> Vec<String> {
        let uses_mels = |part: &Part| {
            matches!(
                part,
                Part::Tempo | Part::Frames(FrameFeature::Mfcc | FrameFeature::OnsetStrength)
            )
        };
        if self.parts.iter().any(uses_mels) {
            spectra::empty_mels(self.frames.mfcc().log_mel())
        } else {
            vec![]
        }
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        let mut workspace = Workspace::new();
        let mut values = vec![];
        Box::new(move |samples: &[f32], out: &mut [f32]| {
            values.resize(self.frames.n_values(samples.len()), 0.0);
            self.frames.compute(&mut workspace, samples, &mut values);
            let n_frames = self.frames.n_frames(samples.len());
            let (mut values, mut out) = (&values[..], out.iter_mut());
            let mut put = |value| *out.next().expect("as long as the shape says") = value;
            for part in &self.parts {
                let n_columns = self.frames.width(part.source());
                let (block, rest) = values.split_at(n_frames * n_columns);
                values = rest;
                match part {
                    Part::Tempo => put(self.tempo.estimate(&mut workspace, block)),
                    Part::Frames(FrameFeature::Mfcc) => {
                        for column in 0..n_columns {
                            let values = block.iter().skip(column).step_by(n_columns);
                            let (mean, variance) = mean_and_variance(values);
                            put(mean);
                            put(variance);
                        }
                    }
                    Part::Frames(_) => {
                        let (mean, variance) = mean_and_variance(block.iter());
                        put(mean);
                        put(variance);
                    }
                }
            }
        })
    }
}

/// Returns the mean and the variance (divided by the number of values).
pub(super) fn mean_and_variance<'a>(
    values: impl ExactSizeIterator<Item = &'a f32> + Clone,
) -> (f32, f32) {
    let n = values.len() as f64;
    let values = values.map(|&value| f64::from(value));
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean as f32, variance as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Tree, read as read_tree};

    fn statistics(text: &str) -> Result<Statistics, String> {
        let tree = Tree::parse("x.toml", text).unwrap();
        let made = read_tree(&tree, |fields| read(fields, 22_050));
        made.map(|(made, _)| made).map_err(|faults| faults.to_string())
    }

    fn compute(feature: &Statistics, samples: &[f32]) -> Vec<f32> {
        let mut out = vec![f32::NAN; feature.shape(samples.len())[0]];
        feature.worker().compute(samples, &mut out);
        out
    }

    #[test]
    fn the_columns_are_gtzans() {
        let names = statistics("").unwrap().column_names();
        assert_eq!(names.len(), 6 * 2 + 1 + 20 * 2);
        assert_eq!(names[..3], ["chroma_stft_mean", "chroma_stft_var", "rms_mean"]);
        assert_eq!(
            names[8..15].join(" "),
            "rolloff_mean rolloff_var zero_crossing_rate_mean \
                                            zero_crossing_rate_var tempo mfcc1_mean mfcc1_var"
        );
        assert_eq!(names[52], "mfcc20_var");
    }

    #[test]
    fn named_parts_come_in_the_order_that_they_are_named() {
        let some = statistics("parts = [\"mfcc\", \"tempo\", \"rms\"]\nn_mfcc = 2\n").unwrap();
        let names = some.column_names().join(" ");
        assert_eq!(names, "mfcc1_mean mfcc1_var mfcc2_mean mfcc2_var tempo rms_mean rms_var");
        let all = statistics("").unwrap();
        let samples: Vec<f32> = (0..20_000).map(|i| ((i * i) % 97) as f32 / 97.0 - 0.5).collect();
        let (some, all) = (compute(&some, &samples), compute(&all, &samples));
        assert_eq!(some, [&all[13..17], &all[12..13], &all[2..4]].concat());
    }

    #[test]
    fn a_square_wave_has_its_loudness_and_crossings() {
        let feature =
            statistics("parts = [\"rms\", \"zero_crossing_rate\"]\ncenter = false\n").unwrap();
        let samples: Vec<f32> =
            (0..8192).map(|i| if i / 8 % 2 == 0 { 0.25 } else { -0.25 }).collect();
        // 255 sign changes in the 2048 samples of a frame.
        assert_eq!(compute(&feature, &samples), [0.25, 0.0, 255.0 / 2048.0, 0.0]);
    }

    #[test]
    fn parts_are_known_and_named_once() {
        assert_eq!(
            statistics("parts = [\"rms\", \"tempo\", \"rms\"]\n").err().unwrap(),
            "x.toml:1: parts must contain each part once, found `rms` twice"
        );
        assert!(statistics("parts = [\"chroma\"]\n").err().unwrap().contains("`chroma_stft`"));
    }

    #[test]
    fn mean_and_variance_are_of_the_population() {
        assert_eq!(mean_and_variance([1.0, 3.0].iter()), (2.0, 1.0));
    }
}
