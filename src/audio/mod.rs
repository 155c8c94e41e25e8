//! Audio: from a file to a mono waveform, STFT, mel and MFCC, with librosa's definitions.
//!
//! This room must never know datasets, labels or models.
//!
//! | file | content |
//! |---|---|
//! | `song_tags` | artist and title, as a file's tags say |
//! | `decode` | any audio file -> [`Waveform`]; its content decides the format, not its name |
//! | `degrade` | a waveform -> the same with noise, low bandwidth, quantization, reverberation |
//! | `au`, `wav`, `riff`, `pcm` | the uncompressed formats: headers, chunks, encodings, a wav writer |
//! | `resample` | band-limited change of the sample rate |
//! | `fft` | a frame -> its power spectrum |
//! | `window` | window functions |
//! | `stft` | power spectra of a signal, all at once or frame by frame |
//! | `mel` | mel bands of a power spectrum |
//! | `decibel` | converts power to dB |
//! | `log_mel` | the previous three as one plan |
//! | `dct`, `mfcc` | MFCCs of a log-mel spectrogram |
//! | `chroma`, `tuning` | pitch classes of power spectra |
//! | `spectral` | centroid, bandwidth and roll-off of a spectrum |
//! | `samples` | RMS and zero crossings of samples |
//! | `tempo` | onset strength of a log-mel spectrogram, and its beats per minute |
//! | `frame_features` | any of these over one STFT |
//! | `band_statistics`, `modulation` | summaries of a spectrogram over time |
//! | `workspace` | the buffers of the plans |
//! | `error` | all errors |

mod au;
mod band_statistics;
mod chroma;
mod dct;
mod decibel;
mod decode;
mod degrade;
mod error;
mod fft;
mod frame_features;
mod log_mel;
mod mel;
mod mfcc;
mod modulation;
mod pcm;
mod resample;
mod riff;
mod samples;
mod song_tags;
mod spectral;
mod stft;
mod tempo;
mod tuning;
mod wav;
mod window;
mod workspace;

pub use band_statistics::{BandBuffers, BandStatistic, BandStatistics, BandStatisticsSettings};
pub use chroma::ChromaSettings;
pub use decibel::{DecibelSettings, Reference, power_to_db};
pub use decode::{
    DECODER_VERSION, MAX_DURATION_S, Recording, decode, load, may_decode_differently, read,
    sample_rate_hz,
};
pub use degrade::{DEGRADATIONS, Degradation, Entry as DegradationEntry, Numbers, Parameter};
pub use error::AudioError;
pub use frame_features::{FrameFeature, FrameFeatures, FrameSettings};
pub use log_mel::{LogMel, LogMelSettings};
pub use mel::{MelNorm, MelScale, MelSettings, mel_frequencies};
pub use mfcc::{Mfcc, MfccSettings};
pub use resample::{n_resampled, resample};
pub use song_tags::{SongTags, song_tags};
pub use stft::{Padding, Stft, StftSettings};
pub use tempo::{Aggregate, Tempo, TempoSettings};
pub use wav::{wav_bytes, write_wav};
pub use window::Window;
pub use workspace::Workspace;

/// A mono recording in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// The samples, `[n_samples]`: full scale is -1 to 1 (a resampled peak may exceed it slightly).
    pub samples: Vec<f32>,
    /// Samples per second, in Hz.
    pub sample_rate_hz: u32,
}

impl Waveform {
    /// Returns the length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }

    /// Whether no sample is above -80 dB of full scale.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        const SILENCE: f32 = 1e-4;
        self.samples.iter().all(|sample| sample.abs() < SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_below_80_db() {
        let of =
            |peak: f32| Waveform { samples: vec![0.0, -peak], sample_rate_hz: 8000 }.is_silent();
        assert!(of(0.0) && of(0.000_09) && !of(0.000_2));
    }

    #[test]
    fn duration_is_samples_over_rate() {
        let waveform = Waveform { samples: vec![0.0; 11_025], sample_rate_hz: 22_050 };
        assert!((waveform.duration_s() - 0.5).abs() < 1e-12);
    }
}
