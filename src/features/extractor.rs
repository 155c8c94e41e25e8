//! The loop over a track's segments, used by the cache and by predictions.

use serde::{Deserialize, Serialize};

use super::{AudioFeature, Segments, Worker};

/// Computes a feature for the segments of several tracks, reusing its buffers.
pub struct Extractor<'a> {
    segments: Segments,
    feature: &'a dyn AudioFeature,
    worker: Box<dyn Worker + 'a>,
    sample_rate_hz: u32,
}

/// The segments of a track, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// The segments that gave an example, in order.
    pub taken: Vec<u32>,
    /// The segments that were too short, with their number of samples.
    pub too_short: Vec<(u32, usize)>,
}

/// Why a segment has no features.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("segment {segment}: {message}")]
pub struct ExtractError {
    /// The segment.
    pub segment: u32,
    /// The reason.
    pub message: String,
}

impl<'a> Extractor<'a> {
    /// Creates an extractor for tracks at one sample rate, in hertz.
    #[must_use]
    pub fn new(segments: Segments, feature: &'a dyn AudioFeature, sample_rate_hz: u32) -> Self {
        Self { segments, feature, worker: feature.worker(), sample_rate_hz }
    }

    /// Appends the examples of a track's samples, in `[-1, 1]`, to `numbers`.
    ///
    /// # Errors
    /// If the feature of a segment can't be computed.
    pub fn extract(
        &mut self,
        samples: &[f32],
        numbers: &mut Vec<f32>,
    ) -> Result<Walked, ExtractError> {
        let whole = self.segments.n_samples(self.sample_rate_hz);
        let width: usize = self.feature.shape(whole).iter().product();
        let mut walked = Walked::default();
        let ranges = self.segments.ranges(self.sample_rate_hz, samples.len());
        for (segment, range) in (0..).zip(ranges) {
            // As in the original report, a segment that is slightly too short counts if it has all
            // its frames.
            if range.is_empty() || !self.feature.is_whole(range.len(), whole) {
                walked.too_short.push((segment, range.len()));
                continue;
            }
            let start = numbers.len();
            numbers.resize(start + width, 0.0);
            self.worker
                .try_compute(&samples[range], &mut numbers[start..])
                .map_err(|message| ExtractError { segment, message })?;
            walked.taken.push(segment);
        }
        Ok(walked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A feature that sums a segment and needs nine tenths of its samples.
    struct Sum;

    impl AudioFeature for Sum {
        fn shape(&self, _n_samples: usize) -> Vec<usize> {
            vec![1]
        }

        fn is_whole(&self, n_samples: usize, whole: usize) -> bool {
            n_samples * 10 >= whole * 9
        }

        fn worker(&self) -> Box<dyn Worker + '_> {
            struct Adds;
            impl Worker for Adds {
                fn compute(&mut self, samples: &[f32], out: &mut [f32]) {
                    out[0] = samples.iter().sum();
                }
            }
            Box::new(Adds)
        }
    }

    #[test]
    fn segments_that_are_nearly_whole_count_and_short_ones_are_told() {
        let segments = Segments { seconds: 1.0, per_track: 4 };
        let mut extractor = Extractor::new(segments, &Sum, 10);
        let mut numbers = vec![-1.0];
        let walked = extractor.extract(&[1.0; 29], &mut numbers).unwrap();
        assert_eq!(numbers, [-1.0, 10.0, 10.0, 9.0], "the third has nine of ten samples");
        assert_eq!(walked, Walked { taken: vec![0, 1, 2], too_short: vec![(3, 0)] });
        let walked = extractor.extract(&[1.0; 15], &mut numbers).unwrap();
        assert_eq!(walked.too_short, [(1, 5), (2, 0), (3, 0)]);
    }
}
