//! `[features.mfcc]`: mel-frequency cepstral coefficients of a segment, as librosa computes them.

use super::{AudioFeature, Entry, Worker};
use crate::audio::{MelSettings, Mfcc, MfccSettings, StftSettings, Workspace};
use crate::schema::{Fields, Int, Real};

pub(super) const ENTRY: Entry = Entry {
    name: "mfcc",
    doc: "mel-frequency cepstral coefficients, [n_frames, n_mfcc], as librosa.feature.mfcc",
    read: |fields, rate| Box::new(read(fields, rate)),
};

/// The plan that `[features.mfcc]` describes; where a field is wrong, one with librosa's defaults.
pub(super) fn read(fields: &mut Fields, sample_rate_hz: u32) -> Mfcc {
    let nyquist_hz = f64::from(sample_rate_hz) / 2.0;
    let librosa = MfccSettings::default();
    let settings = MfccSettings {
        n_mfcc: fields.or("n_mfcc", &Int::within(1..=512), librosa.n_mfcc),
        stft: StftSettings {
            n_fft: fields.or("n_fft", &Int::within(16..=65_536), librosa.stft.n_fft),
            hop_length: fields.or("hop_length", &Int::within(1..=65_536), librosa.stft.hop_length),
            ..librosa.stft
        },
        mel: MelSettings {
            sample_rate_hz,
            n_mels: fields.or("n_mels", &Int::within(1..=1_024), librosa.mel.n_mels),
            fmin_hz: fields.or("fmin", &Real::from_to_below(0.0, nyquist_hz), 0.0),
            fmax_hz: Some(fields.or("fmax", &Real::from_to(1.0, nyquist_hz), nyquist_hz)),
            ..librosa.mel
        },
        ..librosa
    };
    Mfcc::new(&settings).unwrap_or_else(|error| {
        fields.fault(&error.to_string());
        Mfcc::new(&MfccSettings::default()).expect("librosa's defaults make a plan")
    })
}

impl AudioFeature for Mfcc {
    fn shape(&self, n_samples: usize) -> Vec<usize> {
        vec![self.n_frames(n_samples), self.n_mfcc()]
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        Box::new(MfccWorker { plan: self, workspace: Workspace::new() })
    }
}

struct MfccWorker<'a> {
    plan: &'a Mfcc,
    workspace: Workspace,
}

impl Worker for MfccWorker<'_> {
    fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
        self.plan.compute(&mut self.workspace, samples, out);
    }
}
