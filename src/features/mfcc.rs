//! `[features.mfcc]`: mel-frequency cepstral coefficients of a segment, as librosa computes them.

use super::{AudioFeature, Entry, Worker, spectra};
use crate::audio::{Mfcc, MfccSettings, Workspace};
use crate::schema::Fields;

pub(super) const ENTRY: Entry = Entry {
    name: "mfcc",
    doc: "mel-frequency cepstral coefficients, [n_frames, n_mfcc], as librosa.feature.mfcc",
    read: |fields, rate| Box::new(read(fields, rate)),
};

/// Reads the plan of `[features.mfcc]`; if a field is faulty, one with librosa's defaults.
pub(super) fn read(fields: &mut Fields, sample_rate_hz: u32) -> Mfcc {
    let librosa = MfccSettings::default();
    let settings = spectra::read_mfcc(fields, sample_rate_hz, librosa.n_mfcc);
    Mfcc::new(&settings).unwrap_or_else(|error| {
        fields.fault(&error.to_string());
        Mfcc::new(&librosa).expect("librosa's defaults make a plan")
    })
}

impl AudioFeature for Mfcc {
    fn shape(&self, n_samples: usize) -> Vec<usize> {
        vec![self.n_frames(n_samples), self.n_mfcc()]
    }

    fn n_frames(&self, n_samples: usize) -> Option<usize> {
        Some(Mfcc::n_frames(self, n_samples))
    }

    fn has_bands(&self) -> bool {
        false
    }

    fn warnings(&self) -> Vec<String> {
        spectra::empty_mels(self.log_mel())
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        let mut workspace = Workspace::new();
        Box::new(move |samples: &[f32], out: &mut [f32]| self.compute(&mut workspace, samples, out))
    }
}
