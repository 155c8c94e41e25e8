//! The shape of one frame's spectrum: centroid, bandwidth and roll-off.
//!
//! # Source
//! `librosa.feature.spectral_centroid`, `spectral_bandwidth` and `spectral_rolloff`, version 0.11.0.

use crate::vocab::LANES;

/// Values that all frames of a plan share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spectral {
    /// Distance between two bins.
    pub(super) bin_hz: f64,
    /// Fraction of the magnitude below the roll-off, in (0, 1).
    pub(super) roll_percent: f32,
}

/// The buffers of one frame; they adapt to the plan that uses them.
#[derive(Debug, Clone, Default)]
pub(super) struct SpectralBuffers {
    /// `[n_bins]`, padded with zeros to whole lanes.
    magnitude: Vec<f32>,
    /// `[n_bins]`, running sums.
    cumulative: Vec<f32>,
}

/// The magnitudes of one frame with their sum and center.
pub(super) struct Shape<'a> {
    settings: Spectral,
    magnitude: &'a [f32],
    cumulative: &'a mut Vec<f32>,
    sum: f32,
    /// In bins.
    centroid: f32,
}

impl Spectral {
    /// Reads a frame: `power` is `|X|^2`, `[n_bins]`.
    pub(super) fn look<'a>(self, buffers: &'a mut SpectralBuffers, power: &[f32]) -> Shape<'a> {
        let SpectralBuffers { magnitude, cumulative } = buffers;
        magnitude.clear();
        magnitude.extend(power.iter().map(|power| power.sqrt()));
        magnitude.resize(power.len().next_multiple_of(LANES), 0.0);
        let moments = bin_sum(magnitude, |bin, magnitude| magnitude * bin);
        let sum = bin_sum(magnitude, |_, magnitude| magnitude);
        // As in librosa, values too small to divide by are not normalized.
        let sum = if sum < f32::MIN_POSITIVE { 1.0 } else { sum };
        cumulative.resize(power.len(), 0.0);
        Shape { settings: self, magnitude, cumulative, sum, centroid: moments / sum }
    }
}

impl Shape<'_> {
    /// Returns the mean frequency, weighted by magnitude, in Hz; 0 for silence.
    pub(super) fn centroid_hz(&self) -> f32 {
        (f64::from(self.centroid) * self.settings.bin_hz) as f32
    }

    /// Returns the standard deviation of frequency around the centroid, weighted by magnitude, in
    /// Hz.
    pub(super) fn bandwidth_hz(&self) -> f32 {
        let squares = bin_sum(self.magnitude, |bin, magnitude| {
            magnitude * (bin - self.centroid) * (bin - self.centroid)
        });
        (f64::from(squares / self.sum).sqrt() * self.settings.bin_hz) as f32
    }

    /// Returns the frequency of the lowest bin up to which `roll_percent` of the magnitude lie, in
    /// Hz.
    ///
    /// The running sum is one chain in single precision, as in numpy. A different order of
    /// summation would give a different bin about once in a thousand frames.
    pub(super) fn rolloff_hz(&mut self) -> f32 {
        let mut total = 0.0_f32;
        for (sum, magnitude) in self.cumulative.iter_mut().zip(self.magnitude) {
            total += magnitude;
            *sum = total;
        }
        let threshold = self.settings.roll_percent * total;
        let bin = self.cumulative.partition_point(|&sum| sum < threshold);
        (bin as f64 * self.settings.bin_hz) as f32
    }
}

/// Returns the sum of `term(bin, magnitude)` over all bins, in eight lanes.
#[inline]
fn bin_sum(magnitude: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let mut bins: [f32; LANES] = std::array::from_fn(|lane| lane as f32);
    for chunk in magnitude.as_chunks::<LANES>().0 {
        for lane in 0..LANES {
            sums[lane] += term(bins[lane], chunk[lane]);
            bins[lane] += LANES as f32;
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(power: &[f32]) -> (f32, f32, f32) {
        let mut buffers = SpectralBuffers::default();
        let mut shape = Spectral { bin_hz: 100.0, roll_percent: 0.85 }.look(&mut buffers, power);
        (shape.centroid_hz(), shape.bandwidth_hz(), shape.rolloff_hz())
    }

    #[test]
    fn two_lines_have_their_weighted_mean_and_deviation() {
        // Magnitude 3 at 100 Hz and 1 at 500 Hz: mean 200, variance (3 * 100^2 + 300^2) / 4.
        let (centroid, bandwidth, rolloff) = shape(&[0.0, 9.0, 0.0, 0.0, 0.0, 1.0]);
        assert!((centroid - 200.0).abs() < 1e-3, "{centroid}");
        assert!((bandwidth - 30_000_f32.sqrt()).abs() < 1e-3, "{bandwidth}");
        assert_eq!(rolloff, 500.0);
    }

    #[test]
    fn the_rolloff_is_where_the_part_is_reached() {
        let mut power = [1.0; 21];
        assert_eq!(shape(&power).2, 1700.0); // 18 of 21 are 0.857
        power[20] = 0.0;
        assert_eq!(shape(&power).2, 1600.0); // 17 of 20 are 0.85
    }

    #[test]
    fn silence_has_no_shape() {
        assert_eq!(shape(&[0.0; 9]), (0.0, 0.0, 0.0));
    }
}
