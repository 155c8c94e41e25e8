//! `[features.log_mel]`: the log-mel spectrogram of a segment, as librosa computes it.

use super::{AudioFeature, Entry, Worker, spectra};
use crate::audio::{LogMel, LogMelSettings, Workspace};
use crate::schema::Fields;

pub(super) const ENTRY: Entry = Entry {
    name: "log_mel",
    doc: "log-mel spectrogram in dB, [n_frames, n_mels], as librosa.power_to_db(melspectrogram)",
    read: |fields, rate| Box::new(read(fields, rate)),
};

fn read(fields: &mut Fields, sample_rate_hz: u32) -> LogMel {
    let settings = spectra::read_log_mel(fields, sample_rate_hz);
    LogMel::new(&settings).unwrap_or_else(|error| {
        fields.fault(&error.to_string());
        LogMel::new(&LogMelSettings::default()).expect("librosa's defaults make a plan")
    })
}

impl AudioFeature for LogMel {
    fn shape(&self, n_samples: usize) -> Vec<usize> {
        vec![self.n_frames(n_samples), self.n_mels()]
    }

    fn n_frames(&self, n_samples: usize) -> Option<usize> {
        Some(LogMel::n_frames(self, n_samples))
    }

    fn warnings(&self) -> Vec<String> {
        spectra::empty_mels(self)
    }

    fn worker(&self) -> Box<dyn Worker + '_> {
        let mut workspace = Workspace::new();
        Box::new(move |samples: &[f32], out: &mut [f32]| self.compute(&mut workspace, samples, out))
    }
}
