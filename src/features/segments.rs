//! Segments of tracks.

use serde::{Deserialize, Serialize};

use crate::schema::{Fields, Int, Real};

/// Consecutive segments of equal length, from the start of a track.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Segments {
    /// Length of one segment.
    pub seconds: f64,
    /// Maximum number of segments per track.
    pub per_track: usize,
}

impl Segments {
    pub(super) fn read(fields: &mut Fields) -> Self {
        Self {
            seconds: fields.required("seconds", &Real::from_to(0.1, 600.0)),
            per_track: fields.required("per_track", &Int::within(1..=10_000)),
        }
    }

    /// Returns the number of samples of a whole segment.
    #[must_use]
    pub fn n_samples(self, sample_rate_hz: u32) -> usize {
        (self.seconds * f64::from(sample_rate_hz)).round() as usize
    }

    /// Returns the segments of a track as sample ranges; the end of the track may shorten the last
    /// one.
    pub fn ranges(
        self,
        sample_rate_hz: u32,
        track_samples: usize,
    ) -> impl Iterator<Item = std::ops::Range<usize>> {
        (0..self.per_track).map(move |i| self.range(sample_rate_hz, track_samples, i))
    }

    /// Returns the sample range of one segment of a track, which the end of the track may shorten.
    #[must_use]
    pub fn range(
        self,
        sample_rate_hz: u32,
        track_samples: usize,
        segment: usize,
    ) -> std::ops::Range<usize> {
        let length = self.n_samples(sample_rate_hz);
        (segment * length).min(track_samples)..((segment + 1) * length).min(track_samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_piece_is_cut_by_the_end_of_the_track() {
        let segments = Segments { seconds: 3.0, per_track: 4 };
        assert_eq!(segments.n_samples(22_050), 66_150);
        let ranges: Vec<_> = segments.ranges(10, 70).collect();
        assert_eq!(ranges, [0..30, 30..60, 60..70, 70..70]);
    }
}
