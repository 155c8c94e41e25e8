//! Properties of every degradation, and the signals that their tests use.

use std::f64::consts::TAU;

use rustfft::{FftPlanner, num_complex::Complex};

use super::*;

pub(super) const RATE_HZ: u32 = 22_050;
const N_SAMPLES: usize = 44_100;

pub(super) fn apply(degradation: &str, waveform: &Waveform) -> Waveform {
    let degradation: Degradation = degradation.parse().expect("the tests write them well");
    degradation.apply(waveform, Seed(7))
}

fn waveform(sample: impl FnMut(usize) -> f64) -> Waveform {
    let samples = (0..N_SAMPLES).map(sample).map(|sample| sample as f32).collect();
    Waveform { samples, sample_rate_hz: RATE_HZ }
}

fn sine(frequency_hz: f64, i: usize) -> f64 {
    (TAU * frequency_hz * i as f64 / f64::from(RATE_HZ)).sin()
}

pub(super) fn tone(frequency_hz: f64, peak: f64) -> Waveform {
    waveform(|i| peak * sine(frequency_hz, i))
}

pub(super) fn white() -> Waveform {
    let mut rng = Seed(1).rng("test", &[]);
    waveform(|_| 0.1 * rng.normal())
}

/// Returns struck chords with overtones and hiss, with silence before and between.
pub(super) fn music() -> Waveform {
    let mut rng = Seed(2).rng("test", &[]);
    waveform(|i| {
        let (beat, at) = (i / 11_025, i % 11_025);
        if beat == 0 || at > 9000 {
            return 0.0;
        }
        let decay = (-3.0 * at as f64 / f64::from(RATE_HZ)).exp();
        let chord = [220.0, 277.2, 329.6].map(|root| root * (1.0 + 0.1 * beat as f64));
        let overtones =
            |root: f64| (1..12).map(move |k| sine(root * f64::from(k), i) / f64::from(k));
        let notes: f64 = chord.iter().flat_map(|root| overtones(*root)).sum();
        decay * (0.12 * notes + 0.01 * rng.normal())
    })
}

/// Returns the power between two frequencies, in dB.
pub(super) fn band_power_db(waveform: &Waveform, low_hz: f64, high_hz: f64) -> f64 {
    let n = waveform.samples.len();
    // A window prevents leakage from other bands.
    let window = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / n as f64).cos();
    let windowed = |(i, sample): (usize, &f32)| Complex::new(window(i) * f64::from(*sample), 0.0);
    let mut spectrum: Vec<Complex<f64>> =
        waveform.samples.iter().enumerate().map(windowed).collect();
    FftPlanner::new().plan_fft_forward(n).process(&mut spectrum);
    let bin = |hz: f64| (hz * n as f64 / f64::from(waveform.sample_rate_hz)) as usize;
    let power: f64 = spectrum[bin(low_hz)..bin(high_hz)].iter().map(Complex::norm_sqr).sum();
    10.0 * power.log10()
}

/// Returns the frequency of the loudest partial, in Hz, between the bins of the spectrum.
pub(super) fn loudest_hz(waveform: &Waveform) -> f64 {
    let n = waveform.samples.len();
    let window = |i: usize| 0.5 - 0.5 * (TAU * i as f64 / n as f64).cos();
    let windowed = |(i, sample): (usize, &f32)| Complex::new(window(i) * f64::from(*sample), 0.0);
    let mut spectrum: Vec<Complex<f64>> =
        waveform.samples.iter().enumerate().map(windowed).collect();
    FftPlanner::new().plan_fft_forward(n).process(&mut spectrum);
    let level = |bin: usize| spectrum[bin].norm().max(1e-12).ln();
    let best = (1..n / 2).max_by(|a, b| level(*a).total_cmp(&level(*b))).expect("there are bins");
    // The top of a parabola through three bins.
    let (before, at, after) = (level(best - 1), level(best), level(best + 1));
    let shift = 0.5 * (before - after) / (before - 2.0 * at + after);
    (best as f64 + shift) * f64::from(waveform.sample_rate_hz) / n as f64
}

/// Returns each degradation in the list, with values inside its ranges.
fn examples() -> Vec<Degradation> {
    let example = |entry: &Entry| {
        let value = |parameter: &Parameter| match parameter.name {
            "snr_db" => 15.0,
            "cutoff_hz" => 3000.0,
            "rate_hz" => 8000.0,
            "bits" => 8.0,
            "level" => 0.1,
            "share" => 0.2,
            "gain_db" => -3.5,
            "rt60_s" => 0.3,
            "drr_db" => 3.0,
            "bitrate_kbps" => 32.0,
            "semitones" => 2.0,
            "factor" => 1.1,
            other => panic!("the tests know no value for {other}"),
        };
        let given: Vec<_> = entry.parameters.iter().map(|p| (p.name, value(p))).collect();
        Degradation::new(entry.name, &given).expect("the values are in range")
    };
    DEGRADATIONS.iter().map(example).collect()
}

#[test]
fn every_degradation_keeps_the_rate_and_has_its_length_and_changes_the_music() {
    for degradation in examples() {
        for n in [0, 1, 100, N_SAMPLES] {
            let mut music = music();
            music.samples.drain(..N_SAMPLES - n);
            let degraded = degradation.apply(&music, Seed(1));
            let wanted =
                if degradation.keeps_length() { n as f64 } else { (n as f64 / 1.1).ceil() };
            assert!((degraded.samples.len() as f64 - wanted).abs() <= 1.0, "{degradation}");
            assert!(!degradation.keeps_length() || degraded.samples.len() == n, "{degradation}");
            assert_eq!(degraded.sample_rate_hz, RATE_HZ, "{degradation}");
            assert!(degraded.samples.iter().all(|s| s.is_finite()), "{degradation}");
            assert!(n < N_SAMPLES || degraded != music, "{degradation} does nothing");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bits_and_another_seed_another_noise() {
    let music = music();
    let bits = |degradation: &Degradation, seed| {
        let samples = degradation.apply(&music, Seed(seed)).samples;
        samples.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>()
    };
    for degradation in examples() {
        assert_eq!(bits(&degradation, 1), bits(&degradation, 1), "{degradation}");
        let is_random = ["white_noise", "pink_noise", "reverb"].contains(&degradation.entry().name);
        let is_other = bits(&degradation, 1) != bits(&degradation, 2);
        assert_eq!(is_other, is_random, "{degradation}");
    }
}

#[test]
fn silence_stays_silence() {
    let silence = waveform(|_| 0.0);
    for degradation in examples() {
        let degraded = degradation.apply(&silence, Seed(1)).samples;
        assert!(degraded.iter().all(|sample| *sample == 0.0), "{degradation}");
    }
}

#[test]
fn the_ends_of_all_ranges_give_finite_samples() {
    let music = music();
    for entry in DEGRADATIONS {
        for end in [|p: &Parameter| p.low, |p: &Parameter| p.high] {
            let given: Vec<_> = entry.parameters.iter().map(|p| (p.name, end(p))).collect();
            let degradation = Degradation::new(entry.name, &given).expect("ends are inside");
            let degraded = degradation.apply(&music, Seed(1)).samples;
            assert!(degraded.iter().all(|sample| sample.is_finite()), "{degradation}");
        }
    }
}

#[test]
fn every_degradation_is_read_as_it_is_written() {
    for degradation in examples() {
        let text = degradation.to_string();
        assert_eq!(
            text.parse::<Degradation>().expect("it was just written"),
            degradation,
            "{text}"
        );
        let entry = degradation.entry();
        assert!(
            entry.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
            "{text}"
        );
        assert!(!entry.doc.is_empty() && entry.parameters.iter().all(|p| !p.doc.is_empty()));
    }
    let reverb: Degradation = "  reverb   rt60_s=0.5 ".parse().expect("spaces do not matter");
    assert_eq!(reverb.to_string(), "reverb rt60_s=0.5 drr_db=0");
}

#[test]
fn what_cannot_be_read_says_what_is_allowed() {
    let message =
        |text: &str| text.parse::<Degradation>().expect_err("it is not well written").to_string();
    assert!(message("").starts_with("degradation must be `white_noise`, `pink_noise`, "));
    assert!(message("whit_noise").ends_with("found `whit_noise`, did you mean `white_noise`?"));
    for (text, said) in [
        ("white_noise", "snr_db must be a number in [-60, 120], found nothing"),
        ("white_noise snr_db=200", "snr_db must be a number in [-60, 120], found 200"),
        ("white_noise snr_db=NaN", "snr_db must be a number in [-60, 120], found NaN"),
        ("white_noise snr_db=x", "degradation must be given a number for `snr_db`, found `x`"),
        ("white_noise 20", "degradation must be `name parameter=value ...`, found `20`"),
        ("white_noise snr=20", "white_noise must be `snr_db`, found `snr`, did you mean `snr_db`?"),
        ("white_noise snr_db=1 snr_db=2", "snr_db must be given once, found two values"),
        ("quantise bits=7.5", "bits must be a whole number in [2, 16], found 7.5"),
        ("mu_law bits=8", "mu_law must be written without parameters, found `bits`"),
    ] {
        assert_eq!(message(text), said);
    }
}
