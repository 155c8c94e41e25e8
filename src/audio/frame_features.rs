//! Features of frames; any number of them share one STFT.
//!
//! # Source
//! `librosa.feature`, version 0.11.0; the file of each feature names its functions.

use super::{
    AudioError, ChromaSettings, Mfcc, MfccSettings, Workspace,
    chroma::Chroma,
    decibel::to_db,
    samples::{count_crossings, rms, zero_crossing_rate},
    spectral::Spectral,
    tempo::{Aggregate, onset_shift, onset_strength},
};

/// A feature of every frame, by librosa's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameFeature {
    /// Energy of each pitch class, in [0, 1]; the maximum of each frame is 1 (`chroma_stft`).
    ChromaStft,
    /// Root mean square of the samples, >= 0 (`rms` of `y`).
    Rms,
    /// Mean frequency, weighted by magnitude, in Hz.
    SpectralCentroid,
    /// Deviation of frequency around the centroid, weighted by magnitude, in Hz.
    SpectralBandwidth,
    /// Frequency below which a fraction of the magnitude lies, in Hz.
    SpectralRolloff,
    /// Fraction of the samples whose sign differs from the previous one, in [0, 1].
    ZeroCrossingRate,
    /// Increase of the mel bands since the previous frame, in dB, >= 0 (`onset_strength` of the
    /// log-mel spectrogram, with this `n_fft` and `hop_length`).
    OnsetStrength,
    /// Mel-frequency cepstral coefficients.
    Mfcc,
}

const N_KINDS: usize = FrameFeature::Mfcc as usize + 1;

/// All settings of frame features. The defaults are librosa's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameSettings {
    /// Settings of MFCCs, and those that all features share: framing, sample rate and window.
    pub mfcc: MfccSettings,
    /// Pitch classes.
    pub chroma: ChromaSettings,
    /// How the increases in the bands are combined into the onset strength.
    pub aggregate: Aggregate,
    /// Fraction of the magnitude below the roll-off, in (0, 1).
    pub roll_percent: f64,
}

impl Default for FrameSettings {
    fn default() -> Self {
        Self {
            mfcc: MfccSettings::default(),
            chroma: ChromaSettings::default(),
            aggregate: Aggregate::Mean,
            roll_percent: 0.85,
        }
    }
}

/// A plan for features of frames, computed once and shared between threads.
///
/// The results equal librosa 0.11's within 1e-4 of the value. `Rms` and `ZeroCrossingRate` use the
/// same frames as the STFT; beyond the ends, `ZeroCrossingRate` repeats the first and last sample
/// as librosa does.
///
/// ```
/// use encore::audio::{FrameFeature, FrameFeatures, FrameSettings, Workspace};
///
/// let parts = [FrameFeature::SpectralCentroid, FrameFeature::ChromaStft];
/// let plan = FrameFeatures::new(&FrameSettings::default(), &parts)?;
/// let segment = vec![0.1; 3 * 22_050]; // 3 s
/// let mut out = vec![0.0; plan.n_values(segment.len())];
/// plan.compute(&mut Workspace::new(), &segment, &mut out);
/// assert_eq!(out.len(), 130 + 130 * 12);
/// # Ok::<(), encore::audio::AudioError>(())
/// ```
#[derive(Debug, Clone)]
pub struct FrameFeatures {
    parts: Vec<FrameFeature>,
    settings: FrameSettings,
    mfcc: Mfcc,
    chroma: Chroma,
    spectral: Spectral,
}

impl FrameFeatures {
    /// Checks the settings and creates the plans of the requested parts.
    ///
    /// # Errors
    /// [`AudioError::InvalidParameter`] for the first setting outside its range, or a part listed
    /// twice.
    pub fn new(settings: &FrameSettings, parts: &[FrameFeature]) -> Result<Self, AudioError> {
        let FrameSettings { mfcc: MfccSettings { stft, mel, .. }, chroma, .. } = *settings;
        let roll_percent = settings.roll_percent;
        for (i, part) in parts.iter().enumerate() {
            if parts[..i].contains(part) {
                return Err(AudioError::setting(
                    "parts",
                    "listed once each",
                    format!("{part:?} twice"),
                ));
            }
        }
        let mfcc = Mfcc::new(&settings.mfcc)?;
        if !(roll_percent > 0.0 && roll_percent < 1.0) {
            return Err(AudioError::setting("roll_percent", "in (0, 1)", roll_percent));
        }
        let bin_hz = f64::from(mel.sample_rate_hz) / stft.n_fft as f64;
        Ok(Self {
            parts: parts.to_vec(),
            settings: *settings,
            mfcc,
            chroma: Chroma::new(&chroma, stft.n_fft, mel.sample_rate_hz)?,
            spectral: Spectral { bin_hz, roll_percent: roll_percent as f32 },
        })
    }

    /// Returns the parts, in the order of the output.
    #[must_use]
    pub fn parts(&self) -> &[FrameFeature] {
        &self.parts
    }

    /// Returns the number of values of a part per frame.
    #[must_use]
    pub fn width(&self, part: FrameFeature) -> usize {
        match part {
            FrameFeature::ChromaStft => self.chroma.n_chroma(),
            FrameFeature::Mfcc => self.mfcc.n_mfcc(),
            _ => 1,
        }
    }

    /// The plan of MFCCs, whose frames all parts share.
    #[must_use]
    pub fn mfcc(&self) -> &Mfcc {
        &self.mfcc
    }

    /// Number of frames of a signal. 0 where it is too short for one.
    #[must_use]
    pub fn n_frames(&self, n_samples: usize) -> usize {
        self.mfcc.n_frames(n_samples)
    }

    /// Returns the number of values of all parts and frames of a signal.
    #[must_use]
    pub fn n_values(&self, n_samples: usize) -> usize {
        let width: usize = self.parts.iter().map(|&part| self.width(part)).sum();
        self.n_frames(n_samples) * width
    }

    /// Computes the parts of `samples` into `out`, one after the other, each `[n_frames, width]`
    /// row-major.
    ///
    /// Samples must be finite, as [`decode`](super::decode()) returns them. The tuning of chroma
    /// and `top_db` depend on all of `samples`.
    ///
    /// # Panics
    /// If `out` does not have `n_values(samples.len())` elements.
    pub fn compute(&self, workspace: &mut Workspace, samples: &[f32], out: &mut [f32]) {
        assert_eq!(out.len(), self.n_values(samples.len()), "out must have n_values elements");
        let n_frames = self.n_frames(samples.len());
        let mut blocks: [Option<&mut [f32]>; N_KINDS] = Default::default();
        let mut rest = out;
        for &part in &self.parts {
            let (block, behind) = rest.split_at_mut(n_frames * self.width(part));
            blocks[part as usize] = Some(block);
            rest = behind;
        }
        let [chroma, rms, centroid, bandwidth, rolloff, crossings, onset, mfcc] = blocks;
        let needs_mel = onset.is_some() || mfcc.is_some();
        self.look_at_spectra(
            workspace,
            samples,
            &mut Wanted {
                chroma: chroma.is_some(),
                mel: needs_mel,
                rms,
                centroid,
                bandwidth,
                rolloff,
            },
        );
        if let Some(out) = chroma {
            self.chroma.compute(&mut workspace.peaks, &workspace.spectrogram, out);
        }
        if let Some(out) = crossings {
            self.zero_crossing_rates(&mut workspace.crossings, samples, out);
        }
        let MfccSettings { stft, mel, decibel, .. } = self.settings.mfcc;
        if needs_mel {
            to_db(&mut workspace.log_mel, &decibel);
        }
        if let Some(out) = onset {
            let Workspace { log_mel, folded, .. } = workspace;
            let shift = onset_shift(stft.n_fft, stft.hop_length);
            onset_strength(log_mel, mel.n_mels, shift, self.settings.aggregate, folded, out);
        }
        if let Some(out) = mfcc {
            self.mfcc.transform(&mut workspace.folded, &workspace.log_mel, out);
        }
    }

    /// Goes over the frames once: computes the features that need one frame only, and the
    /// spectrogram and the mel bands for the others.
    fn look_at_spectra(&self, workspace: &mut Workspace, samples: &[f32], wanted: &mut Wanted) {
        let Workspace { buffers, log_mel, spectrogram, spectral, peaks, .. } = workspace;
        let (stft, bank) = (&self.mfcc.log_mel.stft, &self.mfcc.log_mel.bank);
        let (n_frames, n_bins) = (self.n_frames(samples.len()), stft.n_bins());
        let (stride, n_mels) = (self.chroma.stride(), bank.n_mels());
        peaks.clear();
        spectrogram.resize(if wanted.chroma { n_frames * stride } else { 0 }, 0.0);
        log_mel.resize(if wanted.mel { n_frames * n_mels } else { 0 }, 0.0);
        for frame_idx in 0..n_frames {
            if let Some(out) = &mut wanted.rms {
                out[frame_idx] = rms(stft.cut_frame(samples, frame_idx, &mut buffers.edge));
            }
            if !wanted.needs_spectra() {
                continue;
            }
            let power = stft.frame_power(buffers, samples, frame_idx);
            if wanted.chroma {
                // The filters depend on the tuning, which is only known after the last frame.
                spectrogram[frame_idx * stride..][..stride].copy_from_slice(&power[..stride]);
                self.chroma.note(peaks, &power[..n_bins]);
            }
            if wanted.needs_shape() {
                let mut shape = self.spectral.look(spectral, &power[..n_bins]);
                if let Some(out) = &mut wanted.centroid {
                    out[frame_idx] = shape.centroid_hz();
                }
                if let Some(out) = &mut wanted.bandwidth {
                    out[frame_idx] = shape.bandwidth_hz();
                }
                if let Some(out) = &mut wanted.rolloff {
                    out[frame_idx] = shape.rolloff_hz();
                }
            }
            if wanted.mel {
                // This comes last because it may change the spectrum.
                bank.apply(power, &mut log_mel[frame_idx * n_mels..][..n_mels]);
            }
        }
    }

    fn zero_crossing_rates(&self, crossings: &mut Vec<u32>, samples: &[f32], out: &mut [f32]) {
        let stft = self.settings.mfcc.stft;
        let n_before = self.mfcc.log_mel.stft.n_before().cast_signed();
        count_crossings(samples, crossings);
        for (frame_idx, rate) in out.iter_mut().enumerate() {
            let start = (frame_idx * stft.hop_length).cast_signed() - n_before;
            *rate = zero_crossing_rate(crossings, start, stft.n_fft);
        }
    }
}

/// The outputs of one pass over the frames.
struct Wanted<'a> {
    chroma: bool,
    mel: bool,
    rms: Option<&'a mut [f32]>,
    centroid: Option<&'a mut [f32]>,
    bandwidth: Option<&'a mut [f32]>,
    rolloff: Option<&'a mut [f32]>,
}

impl Wanted<'_> {
    fn needs_shape(&self) -> bool {
        self.centroid.is_some() || self.bandwidth.is_some() || self.rolloff.is_some()
    }

    fn needs_spectra(&self) -> bool {
        self.chroma || self.mel || self.needs_shape()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FrameFeature as F;

    const ALL: [FrameFeature; N_KINDS] = [
        F::ChromaStft,
        F::Rms,
        F::SpectralCentroid,
        F::SpectralBandwidth,
        F::SpectralRolloff,
        F::ZeroCrossingRate,
        F::OnsetStrength,
        F::Mfcc,
    ];

    fn samples() -> Vec<f32> {
        (0..9000_u32).map(|i| ((i * i) % 97) as f32 / 97.0 - 0.5).collect()
    }

    fn compute(parts: &[FrameFeature], samples: &[f32]) -> Vec<f32> {
        let plan = FrameFeatures::new(&FrameSettings::default(), parts).expect("in range");
        let mut out = vec![f32::NAN; plan.n_values(samples.len())];
        plan.compute(&mut Workspace::new(), samples, &mut out);
        out
    }

    #[test]
    fn a_part_is_the_same_alone_and_among_the_others() {
        let samples = samples();
        let together = compute(&ALL, &samples);
        let alone: Vec<f32> = ALL.iter().flat_map(|&part| compute(&[part], &samples)).collect();
        assert_eq!(together, alone);
        assert!(together.iter().all(|value| value.is_finite()));
    }

    #[test]
    fn its_mfccs_are_those_of_the_mfcc_plan() {
        let samples = samples();
        let plan = Mfcc::new(&MfccSettings::default()).expect("defaults are in range");
        let mut out = vec![0.0; plan.n_frames(samples.len()) * plan.n_mfcc()];
        plan.compute(&mut Workspace::new(), &samples, &mut out);
        assert_eq!(compute(&[F::Mfcc], &samples), out);
    }

    #[test]
    fn silence_and_nothing_are_finite() {
        assert!(compute(&ALL, &[0.0; 3000]).iter().all(|value| value.is_finite()));
        assert!(compute(&ALL, &[]).is_empty());
        assert_eq!(compute(&ALL, &[0.1]).len(), 6 + 12 + 20);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let bad = FrameSettings { roll_percent: 1.0, ..Default::default() };
        let error = FrameFeatures::new(&bad, &ALL).expect_err("1 is outside");
        assert_eq!(error.to_string(), "roll_percent must be in (0, 1), found 1");
        let error = FrameFeatures::new(&FrameSettings::default(), &[F::Rms, F::Rms])
            .expect_err("it is named twice");
        assert_eq!(error.to_string(), "parts must be listed once each, found Rms twice");
    }
}
