//! Band-limited change of the sample rate.

use rubato::{Fft, FixedSync, Resampler, WindowFunction, audioadapter_buffers::owned};

use super::{AudioError, Waveform};

/// Samples, at least, that one block of the resampler takes in. Longer blocks cut off closer to the
/// Nyquist frequency.
const MIN_BLOCK: usize = 2048;

/// Resamples to `to_hz`, band-limited below the lower of the two Nyquist frequencies.
///
/// The result has `ceil(n_samples * to_hz / from_hz)` samples, librosa's convention, and is aligned
/// with the input: the filter's delay is taken off. Equal rates give an identical copy.
///
/// # Errors
/// [`AudioError::Setting`] for a rate, from or to, outside 1 to 768,000 Hz.
///
/// # Panics
/// Never: what the resampler refuses (rates of zero, buffers of the wrong size) is ruled out before.
///
/// # Source
/// Overlap-add in the frequency domain with a Blackman-Harris window (rubato's `Fft`).
pub fn resample(waveform: &Waveform, to_hz: u32) -> Result<Waveform, AudioError> {
    let from_hz = waveform.sample_rate_hz;
    for rate_hz in [from_hz, to_hz] {
        if !(1..=768_000).contains(&rate_hz) {
            return Err(AudioError::setting("sample_rate_hz", "in [1, 768000]", rate_hz));
        }
    }
    if from_hz == to_hz || waveform.samples.is_empty() {
        return Ok(Waveform { samples: waveform.samples.clone(), sample_rate_hz: to_hz });
    }
    let n_samples = waveform.samples.len();
    // The delay is half a block: an even number of the smallest blocks makes it whole samples.
    let smallest_block = (from_hz / greatest_common_divisor(from_hz, to_hz)) as usize;
    let block = MIN_BLOCK.next_multiple_of(2 * smallest_block);
    let mut resampler = Fft::<f32>::new_custom(
        from_hz as usize,
        to_hz as usize,
        block,
        1,
        1,
        WindowFunction::BlackmanHarris2,
        FixedSync::Input,
    )
    .expect("both rates are positive and the block is not empty");
    let input = owned::InterleavedOwned::new_from(waveform.samples.clone(), 1, n_samples)
        .expect("one channel has as many samples as frames");
    let mut samples = resampler
        .process_all(&input, n_samples, None)
        .expect("the output is allocated by the resampler to its own measure")
        .take_data();
    // In floating point, as librosa computes it.
    let n_out = (n_samples as f64 * (f64::from(to_hz) / f64::from(from_hz))).ceil() as usize;
    samples.resize(n_out, 0.0);
    Ok(Waveform { samples, sample_rate_hz: to_hz })
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn tone(frequency_hz: f64, sample_rate_hz: u32, n_samples: usize) -> Waveform {
        let step = TAU * frequency_hz / f64::from(sample_rate_hz);
        let samples = (0..n_samples).map(|i| (0.5 * (step * i as f64).sin()) as f32).collect();
        Waveform { samples, sample_rate_hz }
    }

    /// Largest absolute value away from the ends, where the filter sees silence.
    fn inner_peak(samples: &[f32]) -> f32 {
        samples[2000..samples.len() - 2000].iter().fold(0.0, |peak, s| peak.max(s.abs()))
    }

    #[test]
    fn a_tone_keeps_its_amplitude_and_phase() {
        for (from_hz, to_hz) in [(44_100, 22_050), (48_000, 22_050), (16_000, 22_050)] {
            for frequency_hz in [100.0, 1000.0, 7500.0] {
                let resampled =
                    resample(&tone(frequency_hz, from_hz, from_hz as usize), to_hz).expect("rates");
                let wanted = tone(frequency_hz, to_hz, resampled.samples.len());
                let difference: Vec<f32> =
                    resampled.samples.iter().zip(&wanted.samples).map(|(a, b)| a - b).collect();
                let worst = inner_peak(&difference);
                assert!(worst < 1e-4, "{from_hz} -> {to_hz}, {frequency_hz} Hz: off by {worst}");
            }
        }
    }

    #[test]
    fn a_tone_above_the_new_nyquist_frequency_does_not_alias() {
        for (from_hz, frequency_hz) in [(44_100, 11_500.0), (44_100, 18_000.0), (48_000, 15_000.0)]
        {
            let resampled = resample(&tone(frequency_hz, from_hz, 44_100), 22_050).expect("rates");
            let peak = inner_peak(&resampled.samples);
            assert!(peak < 0.5e-4, "{frequency_hz} Hz leaves {peak} (more than -80 dB)");
        }
    }

    #[test]
    fn the_length_is_rounded_up() {
        let n_out = |n, from_hz, to_hz| {
            resample(&tone(100.0, from_hz, n), to_hz).expect("rates are in range").samples.len()
        };
        assert_eq!(n_out(1, 44_100, 22_050), 1);
        assert_eq!(n_out(3, 44_100, 22_050), 2);
        assert_eq!(n_out(1_323_000, 44_100, 22_050), 661_500);
        assert_eq!(n_out(1000, 8000, 22_050), 2757);
        assert_eq!(n_out(50, 44_101, 22_050), 25);
    }

    #[test]
    fn equal_rates_change_nothing_and_absurd_rates_are_refused() {
        let waveform = tone(440.0, 22_050, 500);
        assert_eq!(resample(&waveform, 22_050).expect("the rate is in range"), waveform);
        let error = resample(&waveform, 0).expect_err("0 Hz is out of range");
        assert_eq!(error.to_string(), "sample_rate_hz must be in [1, 768000], got 0");
    }
}
