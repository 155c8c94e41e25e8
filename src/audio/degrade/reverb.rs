//! `reverb`: a room, as decaying noise.

use super::{Entry, Numbers, Parameter, amplitude, convolve::convolve, power};
use crate::{audio::Waveform, vocab::Rng};

pub(super) const REVERB: Entry = Entry {
    name: "reverb",
    doc: "reverberation of a room at the level of the input",
    parameters: &[
        Parameter {
            name: "rt60_s",
            doc: "decay time to -60 dB",
            low: 0.05,
            high: 10.0,
            numbers: Numbers::Real,
            default: None,
        },
        Parameter {
            name: "drr_db",
            doc: "direct-to-reverberant ratio",
            low: -30.0,
            high: 60.0,
            numbers: Numbers::Real,
            default: Some(0.0),
        },
    ],
    run: |values, waveform, rng| reverb(waveform, values[0], values[1], rng),
};

fn reverb(waveform: &Waveform, rt60_s: f64, drr_db: f64, rng: &mut Rng) -> Vec<f32> {
    let response = impulse_response(rt60_s * f64::from(waveform.sample_rate_hz), drr_db, rng);
    let mut samples = convolve(&waveform.samples, &response, 0);
    let (before, after) = (power(&waveform.samples), power(&samples));
    if after > 0.0 {
        let gain = libm::sqrt(before / after) as f32;
        samples.iter_mut().for_each(|sample| *sample *= gain);
    }
    samples
}

/// Returns the direct sound, followed by Gaussian noise that decays exponentially to -60 dB.
///
/// # Source
/// Polack's model: J. D. Polack, La transmission de l'energie sonore dans les salles, 1988.
fn impulse_response(rt60_samples: f64, drr_db: f64, rng: &mut Rng) -> Vec<f64> {
    let n = (rt60_samples.ceil() as usize).max(1);
    let decay = |i: usize| libm::pow(10.0, -3.0 * i as f64 / rt60_samples);
    let mut response: Vec<f64> = (0..=n).map(|i| rng.normal() * decay(i)).collect();
    let energy: f64 = response[1..].iter().map(|tap| tap * tap).sum();
    let gain = 1.0 / (libm::sqrt(energy) * amplitude(drr_db));
    response.iter_mut().for_each(|tap| *tap *= gain);
    response[0] = 1.0;
    response
}

#[cfg(test)]
mod tests {
    use super::super::tests::{RATE_HZ, apply, music};
    use super::*;

    fn impulse(n: usize) -> Waveform {
        let mut samples = vec![0.0; n];
        samples[0] = 1.0;
        Waveform { samples, sample_rate_hz: RATE_HZ }
    }

    /// Returns the remaining energy, in dB relative to everything after the direct sound:
    /// Schroeder's curve.
    fn decay_db(response: &[f32]) -> Vec<f64> {
        let mut left = 0.0;
        let mut curve: Vec<f64> = response[1..]
            .iter()
            .rev()
            .map(|tap| {
                left += f64::from(*tap).powi(2);
                left
            })
            .collect();
        curve.reverse();
        curve.iter().map(|left| 10.0 * (left / curve[0]).log10()).collect()
    }

    #[test]
    fn it_dies_away_in_the_time_that_it_claims() {
        for rt60_s in [0.2, 0.5, 1.5] {
            let response = apply(&format!("reverb rt60_s={rt60_s}"), &impulse(40_000));
            let curve = decay_db(&response.samples);
            let when = |db: f64| curve.iter().position(|level| *level < db).expect("it dies away");
            // T30 of ISO 3382: twice the time from -5 to -35 dB.
            let got = 2.0 * (when(-35.0) - when(-5.0)) as f64 / f64::from(RATE_HZ);
            assert!((got / rt60_s - 1.0).abs() < 0.08, "{got} s for {rt60_s} s");
        }
    }

    #[test]
    fn the_direct_sound_has_its_share_and_the_whole_its_level() {
        for drr_db in [-6.0, 0.0, 20.0] {
            let samples =
                apply(&format!("reverb rt60_s=0.4 drr_db={drr_db}"), &impulse(20_000)).samples;
            let reverberant: f64 = samples[1..].iter().map(|s| f64::from(*s).powi(2)).sum();
            let got = 10.0 * (f64::from(samples[0]).powi(2) / reverberant).log10();
            assert!((got - drr_db).abs() < 0.01, "{got} dB for {drr_db}");
        }
        let music = music();
        let room = apply("reverb rt60_s=0.8", &music);
        let change = 10.0 * (power(&room.samples) / power(&music.samples)).log10();
        assert!(change.abs() < 1e-3, "{change} dB");
    }
}
