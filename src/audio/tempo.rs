//! Onset strength, and the tempo estimated from its periodicity.
//!
//! # Source
//! `librosa.onset.onset_strength` and `librosa.feature.tempo`, version 0.11.0.

use std::{fmt, sync::Arc};

use rustfft::{Fft, FftPlanner, num_complex::Complex64};

use super::{AudioError, Window, Workspace, tuning::median};

/// How the increases in a frame's mel bands are combined into one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Aggregate {
    /// Their mean, as in `librosa.onset.onset_strength`.
    #[default]
    Mean,
    /// Their median, as in `librosa.beat.beat_track`.
    Median,
}

/// How a tempo is estimated. The defaults are librosa's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TempoSettings {
    /// Sample rate of the signal, in Hz, >= 1.
    pub sample_rate_hz: u32,
    /// Number of samples from one frame to the next, >= 1.
    pub hop_length: usize,
    /// The most likely tempo a priori, in beats per minute, > 0.
    pub start_bpm: f64,
    /// Standard deviation of the prior in octaves, > 0.
    pub std_bpm: f64,
    /// Length of the window in which repetitions are searched, in s, at least two frames.
    pub ac_size_s: f64,
    /// Upper limit of the tempo, in beats per minute; `None` for no limit.
    pub max_tempo_bpm: Option<f64>,
}

impl Default for TempoSettings {
    fn default() -> Self {
        Self {
            sample_rate_hz: 22_050,
            hop_length: 512,
            start_bpm: 120.0,
            std_bpm: 1.0,
            ac_size_s: 8.0,
            max_tempo_bpm: Some(320.0),
        }
    }
}

/// A plan for tempos, computed once and shared between threads.
///
/// The results equal librosa 0.11's `tempo(onset_envelope=..., sr=..., hop_length=...)`: of a few
/// hundred possible tempos the same one, unless two are equally likely within rounding.
#[derive(Clone)]
pub struct Tempo {
    /// `[win_length]`.
    window: Vec<f64>,
    /// `[win_length]`, the tempo of each lag in beats per minute.
    bpm: Vec<f64>,
    /// `[win_length]`, the logarithm of the prior probability of each tempo.
    log_prior: Vec<f64>,
    fft: Arc<dyn Fft<f64>>,
}

impl fmt::Debug for Tempo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tempo({} frames)", self.window.len())
    }
}

/// The buffers of an estimate; they adapt to the plan that uses them.
#[derive(Debug, Clone, Default)]
pub(super) struct TempoBuffers {
    padded: Vec<f64>,
    frames: Vec<Complex64>,
    power: Vec<Complex64>,
    scratch: Vec<Complex64>,
}

impl Tempo {
    /// Checks the settings and creates window, transform and prior.
    ///
    /// # Errors
    /// [`AudioError::InvalidParameter`] for the first setting outside its range.
    pub fn new(settings: &TempoSettings) -> Result<Self, AudioError> {
        let TempoSettings { sample_rate_hz, hop_length, start_bpm, std_bpm, .. } = *settings;
        let positive = |parameter, value: f64| {
            if value > 0.0 && value.is_finite() {
                return Ok(());
            }
            Err(AudioError::setting(parameter, "finite and greater than 0", value))
        };
        positive("tempo.start_bpm", start_bpm)?;
        positive("tempo.std_bpm", std_bpm)?;
        positive("tempo.ac_size_s", settings.ac_size_s)?;
        positive("tempo.max_tempo_bpm", settings.max_tempo_bpm.unwrap_or(1.0))?;
        if hop_length == 0 {
            return Err(AudioError::setting("tempo.hop_length", "at least 1", hop_length));
        }
        let rate_hz = f64::from(sample_rate_hz);
        let win_length = (settings.ac_size_s * rate_hz) as usize / hop_length;
        if !(2..=1 << 16).contains(&win_length) {
            let allowed = format!(
                "in [2, 65536] frames, so in [{}, {}]",
                2.0 * hop_length as f64 / rate_hz,
                65_536.0 * hop_length as f64 / rate_hz
            );
            return Err(AudioError::setting("tempo.ac_size_s", allowed, settings.ac_size_s));
        }
        let bpm: Vec<f64> =
            (0..win_length).map(|lag| 60.0 * rate_hz / (hop_length * lag) as f64).collect();
        let too_fast = settings.max_tempo_bpm.and_then(|max| bpm.iter().position(|&b| b < max));
        let log_prior = bpm.iter().enumerate().map(|(lag, bpm)| {
            // Lag 0 corresponds to an infinite tempo.
            if lag == 0 || too_fast.is_some_and(|n| lag < n) {
                return f64::NEG_INFINITY;
            }
            -0.5 * ((bpm.log2() - start_bpm.log2()) / std_bpm).powi(2)
        });
        let log_prior = log_prior.collect();
        let window = (0..win_length).map(|i| Window::Hann.weight(i, win_length)).collect();
        // At least as long as a whole autocorrelation, with a length that transforms fast.
        let power_of_two = (2 * win_length).next_power_of_two();
        let n_fft = if power_of_two / 4 * 3 >= 2 * win_length - 1 {
            power_of_two / 4 * 3
        } else {
            power_of_two
        };
        Ok(Self { window, bpm, log_prior, fft: FftPlanner::new().plan_fft_forward(n_fft) })
    }

    /// Estimates the tempo of an onset strength, `[n_frames]`, in beats per minute.
    ///
    /// For silence, this is the most likely tempo a priori.
    pub fn estimate(&self, workspace: &mut Workspace, onset_strength: &[f32]) -> f32 {
        let TempoBuffers { padded, frames, power, scratch } = &mut workspace.tempo;
        pad_by_ramps(onset_strength, self.window.len() / 2, padded);
        power.clear();
        power.resize(self.fft.len(), Complex64::default());
        frames.resize(self.fft.len(), Complex64::default());
        scratch.resize(self.fft.get_inplace_scratch_len(), Complex64::default());
        let n_frames = onset_strength.len();
        for first in (0..n_frames).step_by(2) {
            // Two frames are transformed at a time, as real and imaginary part. Each is scaled so
            // that its autocorrelation begins with 1. The power spectra can then be added.
            let has_real = self.put(padded, first, frames, |number| &mut number.re);
            let has_imaginary = first + 1 < n_frames
                && self.put(padded, first + 1, frames, |number| &mut number.im);
            if !(has_real || has_imaginary) {
                continue;
            }
            for number in &mut *frames {
                if !has_real {
                    number.re = 0.0;
                }
                if !has_imaginary {
                    number.im = 0.0;
                }
            }
            frames[self.window.len()..].fill(Complex64::default());
            self.fft.process_with_scratch(frames, scratch);
            for (sum, number) in power.iter_mut().zip(&*frames) {
                sum.re += number.norm_sqr();
            }
        }
        // Back to lags: for an even function, the transform equals its inverse.
        self.fft.process_with_scratch(power, scratch);
        let scale = 1e6 / (self.fft.len() * n_frames.max(1)) as f64;
        let mut best = (f64::NEG_INFINITY, 0);
        for (lag, (number, log_prior)) in power.iter().zip(&self.log_prior).enumerate() {
            let likely = (number.re * scale).ln_1p() + log_prior;
            if likely > best.0 {
                best = (likely, lag);
            }
        }
        self.bpm[best.1] as f32
    }

    /// Writes a windowed frame, scaled to length 1, into one part of `frames`; returns false if it
    /// is all zeros.
    fn put(
        &self,
        padded: &[f64],
        at: usize,
        frames: &mut [Complex64],
        part: impl Fn(&mut Complex64) -> &mut f64,
    ) -> bool {
        let onsets = &padded[at..][..self.window.len()];
        let mut energy = 0.0;
        for ((number, onset), weight) in frames.iter_mut().zip(onsets).zip(&self.window) {
            let value = onset * weight;
            energy += value * value;
            *part(number) = value;
        }
        if energy < f64::MIN_POSITIVE {
            return false;
        }
        let scale = energy.sqrt().recip();
        for number in &mut frames[..onsets.len()] {
            *part(number) *= scale;
        }
        true
    }
}

/// Pads the values on both sides by `width` values that rise from 0 to the first and fall from the
/// last.
fn pad_by_ramps(values: &[f32], width: usize, padded: &mut Vec<f64>) {
    let [Some(&first), Some(&last)] = [values.first(), values.last()] else {
        padded.clear();
        return;
    };
    let ramp = |edge: f32| move |i: usize| f64::from(edge) * i as f64 / width as f64;
    padded.clear();
    padded.extend((0..width).map(ramp(first)));
    padded.extend(values.iter().map(|&value| f64::from(value)));
    padded.extend((0..width).rev().map(ramp(last)));
}

/// Computes how much louder the bands get, frame by frame: from a log-mel spectrogram
/// `[n_frames, n_mels]` in dB to `out`, `[n_frames]`, >= 0.
///
/// An increase from one frame to the next is stored `shift` frames after the first of them. `rises`
/// is a buffer.
pub(super) fn onset_strength(
    log_mel: &[f32],
    n_mels: usize,
    shift: usize,
    aggregate: Aggregate,
    rises: &mut Vec<f32>,
    out: &mut [f32],
) {
    out.fill(0.0);
    let following = log_mel.get(n_mels..).unwrap_or(&[]);
    let pairs = log_mel.chunks_exact(n_mels).zip(following.chunks_exact(n_mels));
    for (strength, (before, after)) in out.iter_mut().skip(shift).zip(pairs) {
        let rise = after.iter().zip(before).map(|(after, before)| (after - before).max(0.0));
        *strength = match aggregate {
            Aggregate::Mean => rise.sum::<f32>() / n_mels as f32,
            Aggregate::Median => {
                rises.clear();
                rises.extend(rise);
                median(rises)
            }
        };
    }
}

/// Returns by how many frames librosa delays an onset after its first frame: one for the
/// difference, and half a frame's length, because a frame contains a sound before the sound reaches
/// its center.
pub(super) fn onset_shift(n_fft: usize, hop_length: usize) -> usize {
    1 + n_fft / (2 * hop_length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(onsets: &[f32]) -> f32 {
        let plan = Tempo::new(&TempoSettings::default()).expect("defaults are in range");
        plan.estimate(&mut Workspace::new(), onsets)
    }

    #[test]
    fn a_beat_every_twenty_frames_has_its_tempo() {
        let onsets: Vec<f32> =
            (0..600).map(|frame| if frame % 20 == 0 { 1.0 } else { 0.0 }).collect();
        assert!((estimate(&onsets) - 60.0 * 22_050.0 / (512.0 * 20.0)).abs() < 1e-3);
    }

    #[test]
    fn silence_has_the_tempo_nearest_to_the_prior() {
        assert_eq!(estimate(&[0.0; 100]), (60.0 * 22_050.0 / (512.0 * 22.0)) as f32);
        assert_eq!(estimate(&[]), (60.0 * 22_050.0 / (512.0 * 22.0)) as f32);
    }

    #[test]
    fn only_rises_count_and_come_after_the_frames_half() {
        let log_mel = [0.0, 0.0, 0.0, 3.0, -1.0, 1.0, 3.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let strength = |aggregate| {
            let mut out = [f32::NAN; 5];
            let shift = onset_shift(4, 2);
            onset_strength(&log_mel, 3, shift, aggregate, &mut Vec::new(), &mut out);
            out
        };
        assert_eq!(strength(Aggregate::Mean), [0.0, 0.0, 4.0 / 3.0, 2.0 / 3.0, 0.0]);
        assert_eq!(strength(Aggregate::Median), [0.0, 0.0, 1.0, 0.0, 0.0]);
    }

    #[test]
    fn ramps_lead_to_the_edges() {
        let mut padded = Vec::new();
        pad_by_ramps(&[2.0, 5.0, 4.0], 2, &mut padded);
        assert_eq!(padded, [0.0, 1.0, 2.0, 5.0, 4.0, 2.0, 0.0]);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let message = |settings| Tempo::new(&settings).err().map(|error| error.to_string());
        let default = TempoSettings::default();
        assert_eq!(
            message(TempoSettings { start_bpm: 0.0, ..default }).as_deref(),
            Some("tempo.start_bpm must be finite and greater than 0, found 0")
        );
        assert_eq!(
            message(TempoSettings { sample_rate_hz: 1024, ac_size_s: 0.5, ..default }).as_deref(),
            Some("tempo.ac_size_s must be in [2, 65536] frames, so in [1, 32768], found 0.5")
        );
    }
}
