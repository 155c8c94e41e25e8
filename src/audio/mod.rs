//! Audio: a file -> a mono waveform -> STFT, mel and MFCC, with librosa's definitions.
//!
//! This room must never know datasets, labels or models; what it reads are paths and samples.
//!
//! | file | job |
//! |---|---|
//! | `decode` | any audio file -> [`Waveform`]; its content decides the format, not its name |
//! | `au`, `wav`, `pcm` | the uncompressed formats: headers, encodings, a wav writer |
//! | `resample` | band-limited change of the sample rate |
//! | `fft` | a frame -> its power spectrum |
//! | `stft` | samples -> power spectra, all or frame by frame |
//! | `mel` | power spectrum -> mel bands |
//! | `decibel` | power -> dB |
//! | `log_mel` | the three before as one plan |
//! | `dct`, `mfcc` | log-mel -> MFCC |
//! | `dot` | the inner product that both use |
//! | `workspace` | the memory that the plans compute in |
//! | `error` | everything that can go wrong |

mod au;
mod dct;
mod decibel;
mod decode;
#[cfg(test)]
mod decode_tests;
mod dot;
mod error;
mod fft;
mod log_mel;
mod mel;
mod mfcc;
mod pcm;
mod resample;
mod stft;
mod wav;
mod workspace;

pub use decibel::{DecibelSettings, Reference, power_to_db};
pub use decode::{MAX_DURATION_S, decode, load};
pub use error::AudioError;
pub use log_mel::{LogMel, LogMelSettings};
pub use mel::{MelNorm, MelScale, MelSettings, mel_frequencies};
pub use mfcc::{Mfcc, MfccSettings};
pub use resample::resample;
pub use stft::{Padding, Stft, StftSettings};
pub use wav::write_wav;
pub use workspace::Workspace;

/// A mono recording in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    /// The samples, `[n_samples]`: full scale is -1 to 1 (a resampled peak may overshoot a little).
    pub samples: Vec<f32>,
    /// Samples per second, in Hz.
    pub sample_rate_hz: u32,
}

impl Waveform {
    /// Length in seconds.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.sample_rate_hz)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_is_samples_over_rate() {
        let waveform = Waveform { samples: vec![0.0; 11_025], sample_rate_hz: 22_050 };
        assert!((waveform.duration_s() - 0.5).abs() < 1e-12);
    }
}
