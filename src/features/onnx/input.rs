//! What a net is given: the samples of a segment, or their log-mel spectrogram, at a sample rate of its own.

use super::super::spectra;
use super::layout::Given;
use crate::audio::{self, LogMel, LogMelSettings, Waveform, Workspace};
use crate::schema::{Fields, Flag, Int};

/// The inputs that a spec can name.
pub(super) const NAMES: [&str; 2] = ["waveform", "log_mel"];

/// How samples become the input of a net.
pub(super) struct Input {
    /// The sample rate of the dataset, in hertz.
    from_hz: u32,
    /// The sample rate that the net was trained on, in hertz.
    to_hz: u32,
    log_mel: Option<LogMel>,
    are_bands_first: bool,
}

/// The input for one segment.
#[derive(Default)]
pub(super) struct InputBuffers {
    workspace: Workspace,
    /// Samples, or frames of bands.
    steps: Vec<f32>,
    /// Numbers of a step.
    width: usize,
    are_bands_first: bool,
    window: Vec<f32>,
}

impl Input {
    pub(super) fn read(name: &str, fields: &mut Fields, from_hz: u32) -> Option<Self> {
        let to_hz = fields.required("sample_rate", &Int::within(1_000..=384_000)) as u32;
        if name == "waveform" {
            return Some(Self { from_hz, to_hz, log_mel: None, are_bands_first: false });
        }
        let settings: LogMelSettings = spectra::read_log_mel(fields, to_hz);
        let are_bands_first = fields.with_default("bands_first", &Flag, false);
        let log_mel = LogMel::new(&settings).map_err(|error| fields.fault(&error.to_string()));
        Some(Self { from_hz, to_hz, log_mel: Some(log_mel.ok()?), are_bands_first })
    }

    /// Samples or frames of a segment of so many samples at the rate of the dataset.
    pub(super) fn n_steps(&self, n_samples: usize) -> usize {
        let n_samples = audio::n_resampled(n_samples, self.from_hz, self.to_hz);
        self.log_mel.as_ref().map_or(n_samples, |log_mel| log_mel.n_frames(n_samples))
    }

    /// What a net is given of a segment of so many samples.
    pub(super) fn given(&self, n_samples: usize) -> Given {
        let n_steps = self.n_steps(n_samples);
        match &self.log_mel {
            None => Given::Waveform { n_samples: n_steps },
            Some(log_mel) => Given::LogMel {
                n_frames: n_steps,
                n_mels: log_mel.n_mels(),
                are_bands_first: self.are_bands_first,
            },
        }
    }

    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.log_mel.as_ref().map(spectra::empty_mels).unwrap_or_default();
        let Self { from_hz, to_hz, .. } = *self;
        if to_hz > from_hz {
            warnings.push(format!(
                "the net is given {to_hz} Hz, but the recordings are at {from_hz} Hz: it hears nothing above {} Hz",
                from_hz / 2
            ));
        }
        warnings
    }

    /// Fills the buffers with the samples or the spectrogram of a segment.
    pub(super) fn prepare(
        &self,
        samples: &[f32],
        buffers: &mut InputBuffers,
    ) -> Result<(), String> {
        let resampled;
        let samples = if self.from_hz == self.to_hz {
            samples
        } else {
            let waveform = Waveform { samples: samples.to_vec(), sample_rate_hz: self.from_hz };
            resampled =
                audio::resample(&waveform, self.to_hz).map_err(|error| error.to_string())?;
            &resampled.samples
        };
        buffers.are_bands_first = self.are_bands_first;
        match &self.log_mel {
            None => {
                buffers.width = 1;
                buffers.steps.clear();
                buffers.steps.extend_from_slice(samples);
            }
            Some(log_mel) => {
                buffers.width = log_mel.n_mels();
                buffers.steps.resize(log_mel.n_frames(samples.len()) * log_mel.n_mels(), 0.0);
                log_mel.compute(&mut buffers.workspace, samples, &mut buffers.steps);
            }
        }
        Ok(())
    }
}

impl InputBuffers {
    /// A window of so many samples or frames, in the order of the net's axes.
    pub(super) fn window(&mut self, number: usize, length: usize) -> &[f32] {
        let Self { steps, width, window, are_bands_first, .. } = self;
        let found = &steps[number * length * *width..][..length * *width];
        if !*are_bands_first {
            return found;
        }
        window.clear();
        window.extend((0..*width).flat_map(|band| found.iter().skip(band).step_by(*width)));
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_follow_each_other_in_the_order_of_the_axes() {
        let mut buffers = InputBuffers {
            steps: (0..12).map(|x| x as f32).collect(),
            width: 2,
            ..Default::default()
        };
        assert_eq!(buffers.window(0, 3), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        buffers.are_bands_first = true;
        assert_eq!(buffers.window(1, 3), [6.0, 8.0, 10.0, 7.0, 9.0, 11.0]);
    }
}
