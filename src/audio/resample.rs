//! Band-limited change of the sample rate.
//!
//! The filter is a sinc of one block (at least 2048 samples of the input) with a Blackman-Harris
//! window: flat to 0.001 dB below 0.97 of the lower Nyquist frequency, and at least 138 dB down
//! above it. Tones below 0.9 of it are within -115 dB of the exact ones. soxr_hq, librosa's
//! default, begins to fall off there. The two therefore differ in the upper tenth of the band (the
//! highest mel bands), and by -73 to -124 dB below it. `benches/README.md` contains the table;
//! `benches/resample.py` measures it.

use rubato::{Fft, FixedSync, Resampler as _, WindowFunction, audioadapter_buffers::direct};

use super::{AudioError, Waveform};

/// Minimum number of input samples per block. Longer blocks have a cut-off closer to the Nyquist
/// frequency.
const MIN_BLOCK: usize = 2048;

/// Resamples to `to_hz`, band-limited below the lower of the two Nyquist frequencies.
///
/// The output has `ceil(n_samples * to_hz / from_hz)` samples, librosa's convention, and is aligned
/// with the input: the filter's delay is removed. Equal rates give an identical copy.
///
/// # Errors
/// [`AudioError::InvalidParameter`] for a rate, from or to, outside 1 to 768,000 Hz.
///
/// # Source
/// Overlap-add in the frequency domain with a Blackman-Harris window (rubato's `Fft`).
pub fn resample(waveform: &Waveform, to_hz: u32) -> Result<Waveform, AudioError> {
    let mut resampler = Resampler::new(waveform.sample_rate_hz, to_hz)?;
    resampler.reserve(waveform.samples.len());
    resampler.push(&waveform.samples);
    Ok(resampler.finish())
}

/// Returns the number of samples after resampling.
#[must_use]
pub fn n_resampled(n_samples: usize, from_hz: u32, to_hz: u32) -> usize {
    scaled(n_samples, f64::from(to_hz) / f64::from(from_hz))
}

fn scaled(n_samples: usize, ratio: f64) -> usize {
    (n_samples as f64 * ratio).ceil() as usize
}

/// [`resample`] for samples that arrive in pieces: holds one block and the output, not the input.
pub(super) struct Resampler {
    /// `None` if the rates are equal.
    fft: Option<Fft<f32>>,
    block: Vec<f32>,
    block_len: usize,
    resampled_block: Vec<f32>,
    /// Number of samples of the filter's delay that are still to be skipped.
    n_to_skip: usize,
    n_in: usize,
    ratio: f64,
    out: Waveform,
}

impl Resampler {
    /// # Errors
    /// [`AudioError::InvalidParameter`] for a rate outside 1 to 768,000 Hz.
    pub(super) fn new(from_hz: u32, to_hz: u32) -> Result<Self, AudioError> {
        for rate_hz in [from_hz, to_hz] {
            if !(1..=768_000).contains(&rate_hz) {
                return Err(AudioError::setting("sample_rate_hz", "in [1, 768000]", rate_hz));
            }
        }
        // The delay is half a block; with an even number of the smallest blocks it is a whole
        // number of samples.
        let smallest_block = (from_hz / greatest_common_divisor(from_hz, to_hz)) as usize;
        let block_len = MIN_BLOCK.next_multiple_of(2 * smallest_block);
        let fft = (from_hz != to_hz).then(|| {
            Fft::<f32>::new_custom(
                from_hz as usize,
                to_hz as usize,
                block_len,
                1,
                1,
                WindowFunction::BlackmanHarris2,
                FixedSync::Both,
            )
            .expect("both rates are positive and the block is not empty")
        });
        Ok(Self {
            block: Vec::with_capacity(block_len),
            block_len,
            resampled_block: vec![0.0; fft.as_ref().map_or(0, Fft::output_frames_next)],
            n_to_skip: fft.as_ref().map_or(0, Fft::output_delay),
            fft,
            n_in: 0,
            // librosa also computes this in floating point.
            ratio: f64::from(to_hz) / f64::from(from_hz),
            out: Waveform { samples: Vec::new(), sample_rate_hz: to_hz },
        })
    }

    /// Reserves space for the output of `n_in` more samples.
    pub(super) fn reserve(&mut self, n_in: usize) {
        // The last block is resampled completely before the superfluous samples are removed.
        let n_out = scaled(n_in, self.ratio) + self.resampled_block.len();
        self.out.samples.reserve_exact(n_out);
    }

    /// Adds samples.
    pub(super) fn push(&mut self, mut samples: &[f32]) {
        self.n_in += samples.len();
        if self.fft.is_none() {
            self.out.samples.extend_from_slice(samples);
            return;
        }
        while !samples.is_empty() {
            let n = samples.len().min(self.block_len - self.block.len());
            self.block.extend_from_slice(&samples[..n]);
            samples = &samples[n..];
            if self.block.len() == self.block_len {
                self.resample_block();
            }
        }
    }

    /// Returns the resampled waveform.
    pub(super) fn finish(mut self) -> Waveform {
        let n_out = scaled(self.n_in, self.ratio);
        while self.fft.is_some() && self.out.samples.len() < n_out {
            self.block.resize(self.block_len, 0.0);
            self.resample_block();
        }
        self.out.samples.truncate(n_out);
        self.out
    }

    fn resample_block(&mut self) {
        const MEASURED: &str = "the buffers have the resampler's own measures";
        let Some(fft) = &mut self.fft else { return };
        let n_out = self.resampled_block.len();
        let input = direct::InterleavedSlice::new(&self.block, 1, self.block_len).expect(MEASURED);
        let mut output =
            direct::InterleavedSlice::new_mut(&mut self.resampled_block, 1, n_out).expect(MEASURED);
        fft.process_into_buffer(&input, &mut output, None).expect(MEASURED);
        self.block.clear();
        let n_skipped = self.n_to_skip.min(n_out);
        self.n_to_skip -= n_skipped;
        self.out.samples.extend_from_slice(&self.resampled_block[n_skipped..]);
    }
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

    /// Returns the largest absolute value away from the ends, where the filter reads silence.
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
    fn it_does_not_matter_in_what_pieces_the_samples_come() {
        let waveform = tone(700.0, 44_100, 30_001);
        let whole = resample(&waveform, 22_050).expect("rates");
        for piece in [1, 100, 2048, 7001] {
            let mut resampler = Resampler::new(44_100, 22_050).expect("rates");
            waveform.samples.chunks(piece).for_each(|samples| resampler.push(samples));
            assert_eq!(resampler.finish(), whole, "pieces of {piece}");
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
        assert_eq!(error.to_string(), "sample_rate_hz must be in [1, 768000], found 0");
    }
}
