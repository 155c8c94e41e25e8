//! The walk over a track's segments that the cache and a prediction have in common.

use serde::{Deserialize, Serialize};

use super::{AudioFeature, Segments, Worker};

/// Computes a feature of the segments of one track after another, its buffers used again.
pub struct Extractor<'a> {
    segments: Segments,
    feature: &'a dyn AudioFeature,
    worker: Box<dyn Worker + 'a>,
    sample_rate_hz: u32,
}

/// What became of a track's segments, by their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// Those that gave an example, in order.
    pub taken: Vec<u32>,
    /// Those that were too short, with the samples that they have.
    pub too_short: Vec<(u32, usize)>,
}

impl<'a> Extractor<'a> {
    /// For tracks at one sample rate, in hertz.
    #[must_use]
    pub fn new(segments: Segments, feature: &'a dyn AudioFeature, sample_rate_hz: u32) -> Self {
        Self { segments, feature, worker: feature.worker(), sample_rate_hz }
    }

    /// Appends the examples of a track's samples, in `[-1, 1]`, to `numbers`.
    pub fn extract(&mut self, samples: &[f32], numbers: &mut Vec<f32>) -> Walked {
        let whole = self.segments.n_samples(self.sample_rate_hz);
        let width: usize = self.feature.shape(whole).iter().product();
        let mut walked = Walked::default();
        let ranges = self.segments.ranges(self.sample_rate_hz, samples.len());
        for (segment, range) in (0..).zip(ranges) {
            // As the report did: a segment that is a little short still counts if it has all its frames.
            if range.is_empty() || !self.feature.is_whole(range.len(), whole) {
                walked.too_short.push((segment, range.len()));
                continue;
            }
            let start = numbers.len();
            numbers.resize(start + width, 0.0);
            self.worker.compute(&samples[range], &mut numbers[start..]);
            walked.taken.push(segment);
        }
        walked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of a segment, which needs nine tenths of its samples.
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
        let walked = extractor.extract(&[1.0; 29], &mut numbers);
        assert_eq!(numbers, [-1.0, 10.0, 10.0, 9.0], "the third has nine of ten samples");
        assert_eq!(walked, Walked { taken: vec![0, 1, 2], too_short: vec![(3, 0)] });
        let walked = extractor.extract(&[1.0; 15], &mut numbers);
        assert_eq!(walked.too_short, [(1, 5), (2, 0), (3, 0)]);
    }
}
