//! Features of samples that need no transform: loudness and zero crossings.
//!
//! # Source
//! `librosa.feature.rms` and `librosa.feature.zero_crossing_rate`, version 0.11.0.

use crate::vocab::dot;

/// Returns the root mean square of a frame's samples.
pub(super) fn rms(frame: &[f32]) -> f32 {
    (dot(frame, frame) / frame.len() as f32).sqrt()
}

/// Counts, up to and including each sample, how many samples differ in sign from the previous one.
///
/// Values of -1e-10 and above count as positive.
pub(super) fn count_crossings(samples: &[f32], crossings: &mut Vec<u32>) {
    const THRESHOLD: f32 = -1e-10;
    crossings.clear();
    crossings.extend(samples.first().map(|_| 0));
    // Two steps, of which the compiler vectorizes the first.
    let changes = samples.windows(2).map(|pair| (pair[0] < THRESHOLD) != (pair[1] < THRESHOLD));
    crossings.extend(changes.map(u32::from));
    let mut count = 0;
    for crossing in crossings {
        count += *crossing;
        *crossing = count;
    }
}

/// Returns the fraction of a frame's samples that are crossings. `start` may be before the signal;
/// beyond its ends, the signal repeats its first and last value.
pub(super) fn zero_crossing_rate(crossings: &[u32], start: isize, frame_length: usize) -> f32 {
    let last = crossings.len().cast_signed() - 1;
    let at = |position: isize| crossings[position.clamp(0, last).cast_unsigned()];
    let count = at(start + frame_length.cast_signed() - 1) - at(start);
    (f64::from(count) / frame_length as f64) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_mean_square_of_a_square_wave_is_its_height() {
        assert_eq!(rms(&[0.5, -0.5, 0.5, -0.5]), 0.5);
    }

    #[test]
    fn changes_of_sign_inside_the_frame_are_counted() {
        let mut crossings = Vec::new();
        count_crossings(&[1.0, -1.0, -1.0, 0.0, -1e-11, 2.0, -0.5], &mut crossings);
        assert_eq!(crossings, [0, 1, 1, 2, 2, 2, 3]);
        assert_eq!(zero_crossing_rate(&crossings, 0, 4), 0.5);
        // A frame that starts at the second sample does not include the change before it.
        assert_eq!(zero_crossing_rate(&crossings, 1, 4), 0.25);
        // Beyond the ends, the signal is constant.
        assert_eq!(zero_crossing_rate(&crossings, -3, 5), 0.2);
        assert_eq!(zero_crossing_rate(&crossings, 6, 4), 0.0);
    }
}
