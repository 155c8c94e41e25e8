//! The deviation of a recording's pitch from A = 440 Hz.
//!
//! It follows librosa's precision step by step, because the result is the highest bin of a
//! histogram.
//!
//! # Source
//! `librosa.estimate_tuning`, `librosa.piptrack` and `librosa.pitch_tuning`, version 0.11.0.

use crate::vocab::LANES;

/// Number of bins of the histogram per semitone (or other pitch class).
pub(super) const N_TUNINGS: usize = 100;

/// Returns the lowest tuning of a bin of the histogram, in pitch classes, in [-0.5, 0.5).
pub(super) fn tuning_of(bin: usize) -> f64 {
    bin as f64 * (1.0 / N_TUNINGS as f64) - 0.5
}

/// Spectral peaks of a signal's frames.
#[derive(Debug, Clone, Default)]
pub(super) struct Peaks {
    pitches_hz: Vec<f32>,
    magnitudes: Vec<f32>,
    sorted: Vec<f32>,
}

impl Peaks {
    /// Removes the peaks of the previous signal.
    pub(super) fn clear(&mut self) {
        self.pitches_hz.clear();
        self.magnitudes.clear();
    }

    /// Adds a frame's peaks: bins from 150 Hz to below 4 kHz that exceed their neighbors and a
    /// tenth of the frame's maximum. Their position and height are interpolated by a parabola.
    ///
    /// `power` is `[n_fft / 2 + 1]`.
    pub(super) fn note(&mut self, power: &[f32], sample_rate_hz: f64, n_fft: usize) {
        const LOWEST_HZ: f64 = 150.0;
        const HIGHEST_HZ: f64 = 4000.0;
        let bin_hz = sample_rate_hz / n_fft as f64;
        let first = (LOWEST_HZ / bin_hz).ceil() as usize;
        let end = (HIGHEST_HZ.min(sample_rate_hz / 2.0) / bin_hz).ceil() as usize;
        let end = end.min(power.len() - 1);
        let threshold = 0.1 * peak(power);
        for first in (first..end).step_by(LANES) {
            let bins = first..end.min(first + LANES);
            // Most bins are below the threshold, so eight are tested at once.
            if peak(&power[bins.clone()]) <= threshold {
                continue;
            }
            for bin in bins {
                let (before, here, after) = (power[bin - 1], power[bin], power[bin + 1]);
                if here > threshold && here > before && here >= after {
                    let a = f64::from(after + before) - 2.0 * f64::from(here);
                    let b = f64::from(after - before) / 2.0;
                    let shift = if b.abs() >= a.abs() { 0.0 } else { (-b / a) as f32 };
                    let pitch = (bin as f64 + f64::from(shift)) * sample_rate_hz / n_fft as f64;
                    self.pitches_hz.push(pitch as f32);
                    self.magnitudes.push(here + 0.5 * ((after - before) / 2.0) * shift);
                }
            }
        }
    }
}

/// Returns the median of at least one value; changes the order of the values.
pub(super) fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f32::total_cmp);
    if is_odd {
        return upper;
    }
    let lower = below.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b));
    lower.midpoint(upper)
}

/// Returns the bin of the histogram that contains most of the louder half of the peaks; the bin of
/// 0 if there are none.
pub(super) fn estimate_tuning(peaks: &mut Peaks, bins_per_octave: usize) -> usize {
    if peaks.magnitudes.is_empty() {
        return N_TUNINGS / 2;
    }
    peaks.sorted.clone_from(&peaks.magnitudes);
    let threshold = median(&mut peaks.sorted);
    let mut counts = [0_u32; N_TUNINGS];
    for (&hz, &magnitude) in peaks.pitches_hz.iter().zip(&peaks.magnitudes) {
        if magnitude >= threshold {
            let octaves = f64::from(hz / 27.5).log2() as f32;
            let place = bins_per_octave as f32 * octaves;
            let above = place - place.floor();
            let residual = f64::from(if above >= 0.5 { above - 1.0 } else { above });
            // Rounding may move the quotient over the edge of a bin.
            let guess = (((residual + 0.5) * N_TUNINGS as f64) as usize).min(N_TUNINGS - 1);
            let bin = match guess {
                bin if residual < tuning_of(bin) => bin - 1,
                bin if bin + 1 < N_TUNINGS && residual >= tuning_of(bin + 1) => bin + 1,
                bin => bin,
            };
            counts[bin] += 1;
        }
    }
    let highest = counts.iter().max().expect("there are a hundred");
    counts.iter().position(|count| count == highest).expect("it is one of them")
}

/// Returns the largest of values >= 0, in lanes.
fn peak(values: &[f32]) -> f32 {
    let (lanes, rest) = values.as_chunks::<LANES>();
    let mut peaks = [0.0_f32; LANES];
    for chunk in lanes {
        for (peak, &value) in peaks.iter_mut().zip(chunk) {
            // A comparison is one vector instruction; `max` handles NaN and needs several.
            if value > *peak {
                *peak = value;
            }
        }
    }
    peaks.iter().chain(rest).fold(0.0, |a, &b| a.max(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_gives_place_and_height() {
        let mut power = [0.0; 1025];
        // Bin 100 is 1076.66 Hz; the parabola's vertex is b / -a = -0.5 / -4 of a bin above.
        power[99] = 1.0;
        power[100] = 3.5;
        power[101] = 2.0;
        let mut peaks = Peaks::default();
        peaks.note(&power, 22_050.0, 2048);
        assert_eq!(peaks.pitches_hz, [(100.125 * 22_050.0 / 2048.0) as f32]);
        assert_eq!(peaks.magnitudes, [3.5 + 0.5 * 0.5 * 0.125]);
    }

    #[test]
    fn the_louder_half_decides() {
        let in_tune = 440.5; // 0.02 semitones above A
        let quarter = 453.0; // half a semitone
        let mut peaks = Peaks {
            pitches_hz: vec![in_tune, quarter, quarter, in_tune],
            magnitudes: vec![4.0, 1.0, 2.0, 5.0],
            sorted: vec![],
        };
        assert_eq!(median(&mut peaks.magnitudes.clone()), 3.0);
        assert_eq!(median(&mut [5.0, 1.0, 4.0]), 4.0);
        assert!((tuning_of(estimate_tuning(&mut peaks, 12)) - 0.01).abs() < 1e-9);
        peaks.magnitudes = vec![4.0, 6.0, 7.0, 5.0];
        assert!(tuning_of(estimate_tuning(&mut peaks, 12)) < -0.48);
        peaks.clear();
        assert_eq!(tuning_of(estimate_tuning(&mut peaks, 12)), 0.0);
    }
}
