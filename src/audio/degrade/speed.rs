//! `speed`: a recording that is played too fast or too slowly.

use super::{Entry, Numbers, Parameter};
use crate::audio::{Waveform, resample};

pub(super) const SPEED: Entry = Entry {
    name: "speed",
    doc: "playback at another speed, which changes pitch, tempo and length",
    parameters: &[Parameter {
        name: "factor",
        doc: "how many times as fast; the length is divided by it",
        low: 0.25,
        high: 4.0,
        numbers: Numbers::Real,
        default: None,
    }],
    run: |values, waveform, _| change(&waveform.samples, values[0]),
};

/// The largest number of a fraction that stands for a factor: resampling works on blocks of so many samples.
const MOST: u32 = 4000;

/// Plays samples `factor` times as fast: `ceil(n / factor)` samples come out, within the accuracy of
/// [`fraction`].
pub(super) fn change(samples: &[f32], factor: f64) -> Vec<f32> {
    const IN_RANGE: &str = "both numbers of the fraction are rates in range";
    let (from, to) = fraction(factor);
    if samples.is_empty() || from == to {
        return samples.to_vec();
    }
    let waveform = Waveform { samples: samples.to_vec(), sample_rate_hz: from };
    resample(&waveform, to).expect(IN_RANGE).samples
}

/// Returns the fraction nearest to a factor with numbers up to 4000: within 0.3 cents, hundredths of a semitone.
fn fraction(factor: f64) -> (u32, u32) {
    let numerator = |denominator: u32| (factor * f64::from(denominator)).round() as u32;
    let error = |&(a, b): &(u32, u32)| (f64::from(a) / f64::from(b) / factor - 1.0).abs();
    (1..=MOST)
        .map(|denominator| (numerator(denominator), denominator))
        .filter(|(numerator, _)| (1..=MOST).contains(numerator))
        .min_by(|a, b| error(a).total_cmp(&error(b)))
        .expect("factors from 1/4 to 4 have such fractions")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RATE_HZ, apply, loudest_hz, music, tone};
    use super::*;

    #[test]
    fn a_tone_moves_by_the_factor_and_the_length_by_its_inverse() {
        for factor in [0.5, 0.8, 0.9, 1.1, 1.25, 2.0] {
            let (before, n) = (tone(440.0, 0.5), tone(440.0, 0.5).samples.len() as f64);
            let after = apply(&format!("speed factor={factor}"), &before);
            let n_wanted = (n / factor).ceil();
            assert!((after.samples.len() as f64 - n_wanted).abs() <= 1.0, "{factor}");
            assert_eq!(after.sample_rate_hz, RATE_HZ);
            let hz = loudest_hz(&after);
            assert!((hz - 440.0 * factor).abs() < 0.5, "{hz} Hz at {factor}");
        }
        assert_eq!(apply("speed factor=1", &music()), music());
    }

    #[test]
    fn every_factor_is_met_closely() {
        for cents in -2400..=2400 {
            let factor = (f64::from(cents) / 1200.0).exp2();
            let (from, to) = fraction(factor);
            let error = 1200.0 * (f64::from(from) / f64::from(to) / factor).log2();
            assert!(error.abs() < 0.3, "{cents} cents: {error}");
        }
        assert_eq!([2.0, 0.5, 1.25, 1.0].map(fraction), [(2, 1), (1, 2), (5, 4), (1, 1)]);
    }
}
