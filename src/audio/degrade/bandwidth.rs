//! `low_pass`, `down_up`: losses at the upper end of the spectrum.

use std::f64::consts::{PI, TAU};

use super::{Entry, Numbers, Parameter, convolve::convolve};
use crate::audio::{Waveform, resample};

pub(super) const LOW_PASS: Entry = Entry {
    name: "low_pass",
    doc: "low-pass filter without delay",
    parameters: &[Parameter {
        name: "cutoff_hz",
        doc: "half-amplitude frequency; flat below 0.9, -70 dB above 1.1 of it",
        low: 20.0,
        high: 384_000.0,
        numbers: Numbers::Real,
        default: None,
    }],
    run: |values, waveform, _| low_pass(waveform, values[0]),
};

pub(super) const DOWN_UP: Entry = Entry {
    name: "down_up",
    doc: "resampling to a lower rate and back, like a telephone",
    parameters: &[Parameter {
        name: "rate_hz",
        doc: "lower sample rate",
        low: 100.0,
        high: 768_000.0,
        numbers: Numbers::Whole,
        default: None,
    }],
    run: |values, waveform, _| down_up(waveform, values[0] as u32),
};

/// Applies the filter; a cut-off at or above the Nyquist frequency changes nothing.
fn low_pass(waveform: &Waveform, cutoff_hz: f64) -> Vec<f32> {
    let sample_rate_hz = f64::from(waveform.sample_rate_hz);
    if cutoff_hz >= sample_rate_hz / 2.0 {
        return waveform.samples.clone();
    }
    let kernel = windowed_sinc(cutoff_hz / sample_rate_hz);
    let delay = kernel.len() / 2;
    convolve(&waveform.samples, &kernel, delay)
}

/// Returns a low-pass of odd length with gain 1 at 0 Hz; the cut-off is in cycles per sample.
///
/// # Source
/// Oppenheim and Schafer, Discrete-Time Signal Processing, 7.5: Blackman's window has a main lobe
/// of 12 pi / M and side lobes that leave -74 dB in the stopband.
fn windowed_sinc(cutoff: f64) -> Vec<f64> {
    let transition = 0.2 * cutoff;
    let half = (6.0 / transition / 2.0).ceil() as usize;
    let tap = |k: usize| {
        let t = k as f64 - half as f64;
        let sinc = if k == half { 2.0 * cutoff } else { libm::sin(TAU * cutoff * t) / (PI * t) };
        let phase = PI * k as f64 / half as f64;
        sinc * (0.42 - 0.5 * libm::cos(phase) + 0.08 * libm::cos(2.0 * phase))
    };
    let kernel: Vec<f64> = (0..=2 * half).map(tap).collect();
    let sum: f64 = kernel.iter().sum();
    kernel.iter().map(|tap| tap / sum).collect()
}

/// Resamples down and up; a rate that is not lower changes nothing.
fn down_up(waveform: &Waveform, rate_hz: u32) -> Vec<f32> {
    const IN_RANGE: &str = "a lower rate than one that was decoded is in range";
    if rate_hz >= waveform.sample_rate_hz {
        return waveform.samples.clone();
    }
    let low = resample(waveform, rate_hz).expect(IN_RANGE);
    let mut back = resample(&low, waveform.sample_rate_hz).expect(IN_RANGE).samples;
    back.resize(waveform.samples.len(), 0.0);
    back
}

#[cfg(test)]
mod tests {
    use super::super::{
        power,
        tests::{RATE_HZ, apply, band_power_db, music, tone},
    };

    /// Returns the level of a filtered tone, in dB, away from the ends.
    fn gain_db(degradation: &str, frequency_hz: f64) -> f64 {
        let (before, after) =
            (tone(frequency_hz, 0.5), apply(degradation, &tone(frequency_hz, 0.5)));
        let inner = 5000..before.samples.len() - 5000;
        10.0 * (power(&after.samples[inner.clone()]) / power(&before.samples[inner])).log10()
    }

    #[test]
    fn low_pass_has_the_bandwidth_that_it_claims() {
        for cutoff_hz in [200.0, 1000.0, 4000.0, 9000.0] {
            let gain =
                |ratio: f64| gain_db(&format!("low_pass cutoff_hz={cutoff_hz}"), ratio * cutoff_hz);
            for ratio in [0.3, 0.6, 0.9] {
                assert!(gain(ratio).abs() < 0.02, "{cutoff_hz} Hz: {} dB at {ratio}", gain(ratio));
            }
            assert!((gain(1.0) + 6.02).abs() < 0.05, "{cutoff_hz} Hz: {} dB", gain(1.0));
            for ratio in [1.1, 1.2] {
                assert!(gain(ratio) < -70.0, "{cutoff_hz} Hz: {} dB at {ratio}", gain(ratio));
            }
        }
    }

    #[test]
    fn low_pass_does_not_delay() {
        let tone = tone(300.0, 0.5);
        let passed = apply("low_pass cutoff_hz=2000", &tone);
        let worst =
            (2000..20_000).map(|i| (passed.samples[i] - tone.samples[i]).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-3, "off by {worst}");
    }

    #[test]
    fn down_up_leaves_the_band_of_the_lower_rate() {
        for rate_hz in [4000_u32, 8000, 11_025] {
            let nyquist_hz = f64::from(rate_hz) / 2.0;
            let gain =
                |ratio: f64| gain_db(&format!("down_up rate_hz={rate_hz}"), ratio * nyquist_hz);
            assert!(gain(0.5).abs() < 0.01, "{rate_hz} Hz: {} dB", gain(0.5));
            assert!(gain(0.9).abs() < 0.01, "{rate_hz} Hz: {} dB", gain(0.9));
            assert!(gain(1.05) < -80.0, "{rate_hz} Hz: {} dB", gain(1.05));
        }
        let music = music();
        let degraded = apply("down_up rate_hz=8000", &music);
        let lost =
            band_power_db(&degraded, 4200.0, 11_000.0) - band_power_db(&music, 4200.0, 11_000.0);
        assert!(lost < -80.0, "{lost} dB are left");
        let kept = band_power_db(&degraded, 100.0, 3600.0) - band_power_db(&music, 100.0, 3600.0);
        assert!(kept.abs() < 0.01, "{kept} dB");
    }

    #[test]
    fn what_is_not_below_the_own_band_changes_nothing() {
        let music = music();
        assert_eq!(apply("low_pass cutoff_hz=11025", &music), music);
        assert_eq!(apply(&format!("down_up rate_hz={RATE_HZ}"), &music), music);
    }
}
