//! Chroma: the energy of each pitch class in any octave.
//!
//! # Source
//! `librosa.feature.chroma_stft` and `librosa.filters.chroma`, version 0.11.0.

use std::sync::OnceLock;

use super::{
    AudioError,
    tuning::{N_TUNINGS, Peaks, estimate_tuning, tuning_of},
};
use crate::vocab::{LANES, dot};

/// How a spectrum is divided into pitch classes. The defaults are librosa's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChromaSettings {
    /// Number of classes in an octave, in [1, 96]; with 12, the first one is C.
    pub n_chroma: usize,
    /// Deviation from A = 440 Hz, in classes, in [-0.5, 0.5]; `None` estimates it from the signal.
    pub tuning: Option<f64>,
}

impl Default for ChromaSettings {
    fn default() -> Self {
        Self { n_chroma: 12, tuning: None }
    }
}

/// The filters, computed for a tuning when it first occurs: at most a hundred arrays of
/// `n_chroma * n_fft / 2` numbers (5 MB with the defaults).
#[derive(Debug, Clone)]
pub(super) struct Chroma {
    settings: ChromaSettings,
    n_fft: usize,
    sample_rate_hz: u32,
    banks: Vec<OnceLock<Vec<f32>>>,
}

impl Chroma {
    /// # Errors
    /// [`AudioError::InvalidParameter`] for a setting outside its range.
    pub(super) fn new(
        settings: &ChromaSettings,
        n_fft: usize,
        sample_rate_hz: u32,
    ) -> Result<Self, AudioError> {
        if !(1..=96).contains(&settings.n_chroma) {
            return Err(AudioError::setting("chroma.n_chroma", "in [1, 96]", settings.n_chroma));
        }
        match settings.tuning {
            Some(tuning) if !(-0.5..=0.5).contains(&tuning) => {
                return Err(AudioError::setting("chroma.tuning", "in [-0.5, 0.5]", tuning));
            }
            _ => {}
        }
        let banks = vec![OnceLock::new(); N_TUNINGS];
        Ok(Self { settings: *settings, n_fft, sample_rate_hz, banks })
    }

    /// Returns the number of classes.
    pub(super) fn n_chroma(&self) -> usize {
        self.settings.n_chroma
    }

    /// Returns the length of a row of the spectrogram: `n_bins`, padded with zeros to whole lanes.
    pub(super) fn stride(&self) -> usize {
        (self.n_fft / 2 + 1).next_multiple_of(LANES)
    }

    /// Records a frame's spectral peaks if the tuning is estimated.
    pub(super) fn note(&self, peaks: &mut Peaks, power: &[f32]) {
        if self.settings.tuning.is_none() {
            peaks.note(power, f64::from(self.sample_rate_hz), self.n_fft);
        }
    }

    /// Computes `[n_frames, n_chroma]`, where each frame's maximum is 1, from `[n_frames, stride]`
    /// power.
    pub(super) fn compute(&self, peaks: &mut Peaks, spectrogram: &[f32], out: &mut [f32]) {
        let n_chroma = self.n_chroma();
        let bank = match self.settings.tuning {
            Some(tuning) => self.banks[0].get_or_init(|| self.bank(tuning)),
            None => {
                let at = estimate_tuning(peaks, n_chroma);
                self.banks[at].get_or_init(|| self.bank(tuning_of(at)))
            }
        };
        let stride = self.stride();
        for (power, out) in spectrogram.chunks_exact(stride).zip(out.chunks_exact_mut(n_chroma)) {
            for (value, filter) in out.iter_mut().zip(bank.chunks_exact(stride)) {
                *value = wide_dot(filter, power);
            }
            normalize(out);
        }
    }

    /// Computes the filters for one tuning, `[n_chroma, stride]`.
    fn bank(&self, tuning: f64) -> Vec<f32> {
        let (n_chroma, n_fft) = (self.n_chroma(), self.n_fft);
        let classes = n_chroma as f64;
        let lowest_hz = 440.0 * 2.0_f64.powf(tuning / classes) / 16.0;
        // The position of a bin, in classes above the lowest A; 0 Hz gets a position below the
        // first bin.
        let place = |bin: usize| {
            let hz = bin.max(1) as f64 * f64::from(self.sample_rate_hz) / n_fft as f64;
            let place = classes * (hz / lowest_hz).log2();
            if bin == 0 { place - 1.5 * classes } else { place }
        };
        let half = (classes / 2.0).round_ties_even();
        let stride = self.stride();
        let mut bank = vec![0.0; n_chroma * stride];
        let mut weights = vec![0.0; n_chroma];
        for bin in 0..=n_fft / 2 {
            let here = place(bin);
            let width = if bin + 1 == n_fft { 1.0 } else { (place(bin + 1) - here).max(1.0) };
            for (class, weight) in weights.iter_mut().enumerate() {
                let distance =
                    (here - class as f64 + half + 10.0 * classes).rem_euclid(classes) - half;
                *weight = (-0.5 * (2.0 * distance / width).powi(2)).exp();
            }
            let norm = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
            let norm = if norm < f64::MIN_POSITIVE { 1.0 } else { norm };
            // Octaves near the fifth have the largest weights.
            let octave = (-0.5 * ((here / classes - 5.0) / 2.0).powi(2)).exp();
            for class in 0..n_chroma {
                // The filters start at A; they are rotated to start at C.
                let weight = weights[(class + 3 * (n_chroma / 12)) % n_chroma];
                bank[class * stride + bin] = (weight / norm * octave) as f32;
            }
        }
        bank
    }
}

/// Computes the inner product of long rows, with twice as many partial sums as [`dot`], so that the
/// processor does not wait for each of them.
fn wide_dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_lanes, a_rest) = a.as_chunks::<{ 2 * LANES }>();
    let (b_lanes, b_rest) = b.as_chunks::<{ 2 * LANES }>();
    let mut sums = [0.0_f32; 2 * LANES];
    for (x, y) in a_lanes.iter().zip(b_lanes) {
        for (sum, (x, y)) in sums.iter_mut().zip(x.iter().zip(y)) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + dot(a_rest, b_rest)
}

/// Divides by the maximum; nearly silent frames stay as they are.
fn normalize(values: &mut [f32]) {
    let peak = values.iter().fold(0.0_f32, |peak, &value| peak.max(value));
    if peak >= f32::MIN_POSITIVE {
        for value in values {
            *value /= peak;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chroma(tuning: Option<f64>, hz: f64) -> Vec<f32> {
        let settings = ChromaSettings { tuning, ..Default::default() };
        let plan = Chroma::new(&settings, 2048, 22_050).expect("the settings are in range");
        let mut power = vec![0.0; plan.stride()];
        power[(hz * 2048.0 / 22_050.0).round() as usize] = 4.0;
        let mut peaks = Peaks::default();
        plan.note(&mut peaks, &power[..1025]);
        let mut out = vec![f32::NAN; 12];
        plan.compute(&mut peaks, &power, &mut out);
        out
    }

    #[test]
    fn a_line_is_loudest_in_its_pitch_class() {
        let loudest = |hz| chroma(Some(0.0), hz).iter().position(|&value| value == 1.0);
        assert_eq!(loudest(4186.0), Some(0), "C8");
        assert_eq!(loudest(1760.0), Some(9), "A6");
        assert_eq!(loudest(880.0), Some(9), "A5");
    }

    #[test]
    fn silence_stays_zero() {
        let plan = Chroma::new(&ChromaSettings::default(), 512, 22_050).expect("in range");
        let mut out = vec![f32::NAN; 24];
        plan.compute(&mut Peaks::default(), &vec![0.0; 2 * plan.stride()], &mut out);
        assert_eq!(out, [0.0; 24]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |settings| Chroma::new(&settings, 2048, 22_050).err().map(|e| e.to_string());
        assert_eq!(
            message(ChromaSettings { n_chroma: 0, tuning: None }).as_deref(),
            Some("chroma.n_chroma must be in [1, 96], found 0")
        );
        assert_eq!(
            message(ChromaSettings { n_chroma: 12, tuning: Some(0.6) }).as_deref(),
            Some("chroma.tuning must be in [-0.5, 0.5], found 0.6")
        );
    }
}
