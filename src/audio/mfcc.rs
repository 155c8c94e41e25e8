//! Mel-frequency cepstral coefficients: a log-mel spectrogram and a cosine transform.
//!
//! # Source
//! `librosa.feature.mfcc`, version 0.11.0.

use super::{
    AudioError, DecibelSettings, LogMel, LogMelSettings, MelSettings, StftSettings, Workspace,
    dct::Dct,
};

/// All settings of MFCCs. The defaults are librosa's (20 coefficients).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MfccSettings {
    /// Framing and transform.
    pub stft: StftSettings,
    /// Mel bands.
    pub mel: MelSettings,
    /// Conversion of power to dB.
    pub decibel: DecibelSettings,
    /// Number of coefficients, in `[1, n_mels]`.
    pub n_mfcc: usize,
    /// Cepstral liftering, >= 0: coefficient k (from 1) is weighted by
    /// `1 + lifter / 2 * sin(pi k / lifter)`. 0 means no weights.
    pub lifter: f64,
}

impl Default for MfccSettings {
    fn default() -> Self {
        Self {
            stft: StftSettings::default(),
            mel: MelSettings::default(),
            decibel: DecibelSettings::default(),
            n_mfcc: 20,
            lifter: 0.0,
        }
    }
}

/// A plan for MFCCs, computed once and shared between threads.
///
/// The results equal librosa 0.11's `mfcc(y=y, ...).T` within 5e-4 (1.5e-4 over 999 segments of
/// real music); [`LogMel`] describes where single precision matters.
///
/// ```
/// use encore::audio::{Mfcc, MfccSettings, Workspace};
///
/// let plan = Mfcc::new(&MfccSettings { n_mfcc: 13, ..Default::default() })?;
/// let segment = vec![0.1; 3 * 22_050]; // 3 s
/// let mut out = vec![0.0; plan.n_frames(segment.len()) * plan.n_mfcc()];
/// plan.compute(&mut Workspace::new(), &segment, &mut out);
/// assert_eq!(out.len(), 130 * 13);
/// # Ok::<(), encore::audio::AudioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Mfcc {
    pub(super) log_mel: LogMel,
    dct: Dct,
}

impl Mfcc {
    /// Checks the settings and creates window, transforms and filters.
    ///
    /// # Errors
    /// [`AudioError::InvalidParameter`] for the first setting outside its range.
    pub fn new(settings: &MfccSettings) -> Result<Self, AudioError> {
        let MfccSettings { stft, mel, decibel, n_mfcc, lifter } = *settings;
        let log_mel = LogMel::new(&LogMelSettings { stft, mel, decibel })?;
        if !(1..=mel.n_mels).contains(&n_mfcc) {
            let allowed = format!("in [1, n_mels = {}]", mel.n_mels);
            return Err(AudioError::setting("mfcc.n_mfcc", allowed, n_mfcc));
        }
        if !(lifter >= 0.0 && lifter.is_finite()) {
            return Err(AudioError::setting("mfcc.lifter", "finite and at least 0", lifter));
        }
        Ok(Self { log_mel, dct: Dct::new(mel.n_mels, n_mfcc, lifter) })
    }

    /// Returns the number of coefficients: the columns of the output.
    #[must_use]
    pub fn n_mfcc(&self) -> usize {
        self.dct.n_out()
    }

    /// The spectrogram that they are made from.
    #[must_use]
    pub fn log_mel(&self) -> &LogMel {
        &self.log_mel
    }

    /// Number of frames of a signal: the rows of the result. 0 where it is too short for one.
    #[must_use]
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.log_mel.n_frames(n_samples)
    }

    /// Computes the MFCCs of `samples` into `out`, `[n_frames, n_mfcc]` row-major.
    ///
    /// Samples must be finite, as [`decode`](super::decode()) returns them. `top_db` depends on all
    /// of `samples`, so a segment computed alone differs from the same frames of its track.
    ///
    /// # Panics
    /// If `out` does not have `n_frames(samples.len()) * n_mfcc()` elements.
    pub fn compute(&self, workspace: &mut Workspace, samples: &[f32], out: &mut [f32]) {
        let n_frames = self.n_frames(samples.len());
        assert_eq!(out.len(), n_frames * self.n_mfcc(), "out must have n_frames * n_mfcc elements");
        let Workspace { buffers, log_mel, folded, .. } = workspace;
        log_mel.resize(n_frames * self.log_mel.n_mels(), 0.0);
        self.log_mel.compute_into(buffers, samples, log_mel);
        self.transform(folded, log_mel, out);
    }

    /// Computes MFCCs, `[n_frames, n_mfcc]`, from a log-mel spectrogram, `[n_frames, n_mels]`.
    pub(super) fn transform(&self, folded: &mut Vec<f32>, log_mel: &[f32], out: &mut [f32]) {
        let rows = log_mel.chunks_exact(self.log_mel.n_mels());
        for (row, coefficients) in rows.zip(out.chunks_exact_mut(self.n_mfcc())) {
            self.dct.apply(folded, row, coefficients);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_shared_between_threads<T: Send + Sync>(_: &T) {}

    #[test]
    fn silence_has_only_the_first_coefficient() {
        let plan = Mfcc::new(&MfccSettings::default()).expect("defaults are in range");
        assert_shared_between_threads(&plan);
        let mut out = vec![0.0; plan.n_frames(2000) * plan.n_mfcc()];
        plan.compute(&mut Workspace::new(), &[0.0; 2000], &mut out);
        for frame in out.chunks_exact(20) {
            // The orthonormal transform of 128 values of -100 dB.
            assert!((f64::from(frame[0]) + 100.0 * 128_f64.sqrt()).abs() < 5e-4, "{frame:?}");
            assert!(frame[1..].iter().all(|c| c.abs() < 5e-4), "{frame:?}");
        }
    }

    #[test]
    fn a_signal_too_short_for_a_frame_has_none() {
        let stft = StftSettings { padding: super::super::Padding::Off, ..Default::default() };
        let plan = Mfcc::new(&MfccSettings { stft, ..Default::default() }).expect("valid");
        assert_eq!(plan.n_frames(2047), 0);
        plan.compute(&mut Workspace::new(), &[0.0; 2047], &mut []);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |settings| Mfcc::new(&settings).err().map(|error| error.to_string());
        let default = MfccSettings::default();
        assert_eq!(
            message(MfccSettings { n_mfcc: 129, ..default }).as_deref(),
            Some("mfcc.n_mfcc must be in [1, n_mels = 128], found 129")
        );
        assert_eq!(
            message(MfccSettings { lifter: -1.0, ..default }).as_deref(),
            Some("mfcc.lifter must be finite and at least 0, found -1")
        );
    }
}
