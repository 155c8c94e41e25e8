//! `pitch`: higher or lower at the same tempo.

use std::f64::consts::{PI, TAU};

use rustfft::{FftPlanner, num_complex::Complex};

use super::{Entry, Numbers, Parameter, speed};

pub(super) const PITCH: Entry = Entry {
    name: "pitch",
    doc: "pitch shift at the same tempo and length, as librosa.effects.pitch_shift",
    parameters: &[Parameter {
        name: "semitones",
        doc: "semitones up; below 0 is down",
        low: -24.0,
        high: 24.0,
        numbers: Numbers::Real,
        default: None,
    }],
    run: |values, waveform, _| shift(&waveform.samples, values[0]),
};

/// Samples per frame, and between two frames: librosa's.
const N_FFT: usize = 2048;
const HOP: usize = N_FFT / 4;
const N_BINS: usize = N_FFT / 2 + 1;

/// Makes the sound longer at the same pitch, then plays it as much faster.
fn shift(samples: &[f32], semitones: f64) -> Vec<f32> {
    if samples.is_empty() || semitones == 0.0 {
        return samples.to_vec();
    }
    let rate = libm::exp2(-semitones / 12.0);
    let mut shifted = speed::change(&stretch(samples, rate), 1.0 / rate);
    shifted.resize(samples.len(), 0.0);
    shifted
}

/// Plays samples `rate` times as fast at the same pitch.
///
/// # Source
/// The phase vocoder of librosa 0.11, `librosa.effects.time_stretch`, after D. P. W. Ellis, "A phase vocoder
/// in Matlab", 2002.
fn stretch(samples: &[f32], rate: f64) -> Vec<f32> {
    let mut frames = spectra(samples);
    let n_out = (frames.len() as f64 / rate).ceil() as usize;
    // Beyond the end, the last steps see silence.
    frames.extend([vec![Complex::default(); N_BINS], vec![Complex::default(); N_BINS]]);
    let angle = |bin: &Complex<f64>| libm::atan2(bin.im, bin.re);
    let advance = |bin: usize| PI * HOP as f64 * bin as f64 / (N_BINS - 1) as f64;
    let mut phases: Vec<f64> = frames[0].iter().map(angle).collect();
    let steps = (0..n_out).map(|i| i as f64 * rate);
    let stretched = steps.map(|step| {
        let (at, part) = (step as usize, step.fract());
        let two = frames[at].iter().zip(&frames[at + 1]).zip(&mut phases).enumerate();
        let bins = two.map(|(bin, ((now, next), phase))| {
            let magnitude = (1.0 - part) * now.norm() + part * next.norm();
            let out = Complex::new(magnitude * libm::cos(*phase), magnitude * libm::sin(*phase));
            let change = angle(next) - angle(now) - advance(bin);
            *phase += advance(bin) + change - TAU * libm::rint(change / TAU);
            out
        });
        bins.collect::<Vec<_>>()
    });
    let n_samples = (samples.len() as f64 / rate).round() as usize;
    overlapped(stretched, n_out, n_samples)
}

/// A periodic Hann window.
fn window() -> Vec<f64> {
    (0..N_FFT).map(|i| 0.5 - 0.5 * libm::cos(TAU * i as f64 / N_FFT as f64)).collect()
}

/// The spectra of frames around every `HOP`-th sample, with silence on both sides.
fn spectra(samples: &[f32]) -> Vec<Vec<Complex<f64>>> {
    let (window, forward) = (window(), FftPlanner::new().plan_fft_forward(N_FFT));
    let frame = |i: usize| {
        let sample = |k: usize| {
            let at = (i * HOP + k).checked_sub(N_FFT / 2)?;
            samples.get(at).copied()
        };
        let windowed = |k: usize| window[k] * f64::from(sample(k).unwrap_or(0.0));
        let mut frame: Vec<Complex<f64>> =
            (0..N_FFT).map(|k| Complex::new(windowed(k), 0.0)).collect();
        forward.process(&mut frame);
        frame.truncate(N_BINS);
        frame
    };
    (0..=samples.len() / HOP).map(frame).collect()
}

/// Adds up frames, divided by the sum of the squared windows.
fn overlapped(
    frames: impl Iterator<Item = Vec<Complex<f64>>>,
    n_frames: usize,
    n_samples: usize,
) -> Vec<f32> {
    let (window, inverse) = (window(), FftPlanner::new().plan_fft_inverse(N_FFT));
    let n_padded = (n_frames * HOP + N_FFT).max(n_samples + N_FFT);
    let (mut sums, mut weights) = (vec![0.0; n_padded], vec![0.0; n_padded]);
    for (i, mut frame) in frames.enumerate() {
        // The upper half mirrors the lower one, as for every real signal.
        frame[0].im = 0.0;
        frame[N_BINS - 1].im = 0.0;
        let mirrored: Vec<Complex<f64>> =
            frame[1..N_BINS - 1].iter().rev().map(Complex::conj).collect();
        frame.extend(mirrored);
        inverse.process(&mut frame);
        let places = sums[i * HOP..].iter_mut().zip(&mut weights[i * HOP..]);
        for ((value, window), (sum, weight)) in frame.iter().zip(&window).zip(places) {
            *sum += window * value.re / N_FFT as f64;
            *weight += window * window;
        }
    }
    let inner = sums.iter().zip(&weights).skip(N_FFT / 2).take(n_samples);
    inner
        .map(|(sum, weight)| if *weight > 1e-10 { (sum / weight) as f32 } else { *sum as f32 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{apply, band_power_db, loudest_hz, music, tone};
    use super::super::{power, tests::RATE_HZ};
    use super::*;

    #[test]
    fn a_tone_moves_by_the_semitones_at_the_same_length_and_level() {
        for (semitones, wanted_hz) in
            [(12.0, 880.0), (-12.0, 220.0), (7.0, 659.26), (1.0, 466.16), (-0.5, 427.47)]
        {
            let before = tone(440.0, 0.5);
            let after = apply(&format!("pitch semitones={semitones}"), &before);
            assert_eq!(after.samples.len(), before.samples.len());
            let hz = loudest_hz(&after);
            assert!((hz - wanted_hz).abs() < 0.6, "{hz} Hz for {semitones} semitones");
            let inner = 5000..before.samples.len() - 5000;
            let level = |samples: &[f32]| 10.0 * power(&samples[inner.clone()]).log10();
            let change = level(&after.samples) - level(&before.samples);
            // The phase vocoder loses some of the level, as librosa's does: 1.2 dB at an octave up.
            assert!((-1.5..0.5).contains(&change), "{change} dB for {semitones} semitones");
        }
        assert_eq!(apply("pitch semitones=0", &music()), music());
    }

    #[test]
    fn the_tempo_stays() {
        // The energy of every quarter of a second: silence stays where it was, and sound.
        let energies =
            |samples: &[f32]| samples.chunks(RATE_HZ as usize / 4).map(power).collect::<Vec<f64>>();
        let before = energies(&music().samples);
        let most = |degradation: &str| {
            let after = energies(&apply(degradation, &music()).samples);
            let ratios = before.iter().zip(&after).map(|(a, b)| (a + 1e-4) / (b + 1e-4));
            ratios.map(|ratio| ratio.max(1.0 / ratio)).fold(0.0, f64::max)
        };
        for semitones in [-4.0, 3.0] {
            let most = most(&format!("pitch semitones={semitones}"));
            assert!(most < 10.0, "{most} times at {semitones}");
        }
        let faster = most("speed factor=1.25");
        assert!(faster > 50.0, "{faster} times");
    }

    #[test]
    fn a_rate_of_1_gives_the_sound_back() {
        let music = music();
        let same = stretch(&music.samples, 1.0);
        assert_eq!(same.len(), music.samples.len());
        let worst = same.iter().zip(&music.samples).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 1e-5, "off by {worst}");
        let longer = stretch(&music.samples, 0.5);
        assert_eq!(longer.len(), 2 * music.samples.len());
        let longer = crate::audio::Waveform { samples: longer, ..music };
        assert!(band_power_db(&longer, 200.0, 4000.0) > 0.0);
    }
    /// Golden values of librosa 0.11.0: `tests/golden/make_pitch.py`.
    #[test]
    fn the_phase_vocoder_is_librosas() {
        let sample = |i: usize| {
            let t = i as f64 / f64::from(RATE_HZ);
            let tones = [220.0, 330.5, 1471.0].map(|hz| 0.2 * (TAU * hz * t).sin());
            (tones.iter().sum::<f64>() * (-3.0 * t).exp()) as f32
        };
        let chord: Vec<f32> = (0..8000).map(sample).collect();
        let mut n_rates = 0;
        for line in include_str!("../../../tests/golden/pitch.txt").lines() {
            let numbers: Vec<f64> =
                line.split(' ').map(|number| number.parse().expect("a number")).collect();
            let stretched = stretch(&chord, numbers[0]);
            assert_eq!(stretched.len() as f64, numbers[1], "at a rate of {}", numbers[0]);
            for (i, wanted) in numbers[2..].iter().enumerate() {
                let got = f64::from(stretched[200 * i]);
                assert!((got - wanted).abs() < 2e-5, "{got} for {wanted} at {}, {i}", numbers[0]);
            }
            n_rates += 1;
        }
        assert_eq!(n_rates, 5);
    }
}
