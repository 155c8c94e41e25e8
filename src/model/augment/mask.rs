//! `mask`: holes over bands and frames.
//!
//! # Source
//! Park et al., "`SpecAugment`: a simple data augmentation method for automatic speech recognition",
//! Interspeech 2019, without the time warping. The masked value is the mean of the example: 0, in the
//! paper's normalized spectrograms.

use std::ops::Range;
use std::sync::Arc;

use super::{Axes, Change, Changes, Entry, Example, Needs};
use crate::schema::{Fields, Int};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "mask",
    doc: "Replaces random ranges of bands and of frames by the mean of the example (SpecAugment).",
    needs: Needs::Frames,
    p: 1.0,
    read: |fields, axes| Change::Alone(Arc::new(Mask::read(fields, axes))),
};

#[derive(Debug)]
struct Mask {
    /// The largest width of a range of bands; 0 for none.
    bands: usize,
    /// The largest width of a range of frames; 0 for none.
    frames: usize,
    /// Number of ranges of either kind.
    n: usize,
}

impl Mask {
    fn read(fields: &mut Fields, axes: Option<Axes>) -> Self {
        let width = Int::within(0..=1_000_000);
        let bands = fields.with_default("bands", &width, 0);
        let frames = fields.with_default("frames", &width, 0);
        let n = fields.with_default("n", &Int::within(1..=100), 1);
        if !fields.is_exploring() && !fields.is_given("bands") && !fields.is_given("frames") {
            fields.fault("masks nothing: it needs `bands`, `frames` or both, the largest widths");
        }
        if let Some(axes) = axes {
            if bands > 0 && axes.frames().is_some() && axes.bands().is_none() {
                let said = "can't be masked: these features are coefficients and have no bands";
                fields.fault_at("bands", said);
            }
            let sides = [("bands", bands, axes.bands()), ("frames", frames, axes.frames())];
            for (key, width, there) in sides {
                if let Some(there) = there.filter(|there| width >= *there) {
                    let said = format!(
                        "is {width}, but an example has {there} {key}, which all could be masked"
                    );
                    fields.fault_at(key, &said);
                }
            }
        }
        Self { bands, frames, n }
    }
}

impl Changes for Mask {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        let mean = mean(example.values);
        for _ in 0..self.n {
            let bands = range(self.bands, example.bands, rng);
            cover(example, bands, 0..example.frames, mean);
            let frames = range(self.frames, example.frames, rng);
            cover(example, 0..example.bands, frames, mean);
        }
    }
}

/// Draws a width up to the largest, then a start.
fn range(largest: usize, n: usize, rng: &mut Rng) -> Range<usize> {
    let width = rng.below(largest + 1);
    let start = rng.below(n - width.min(n) + 1);
    start..start + width
}

/// Sets all numbers that are in both ranges.
pub(super) fn cover(example: &mut Example, bands: Range<usize>, frames: Range<usize>, value: f32) {
    let (width, channels) = (example.width(), example.channels);
    let inside = &mut example.values[frames.start * width..frames.end * width];
    for frame in inside.chunks_exact_mut(width) {
        frame[bands.start * channels..bands.end * channels].fill(value);
    }
}

pub(super) fn mean(values: &[f32]) -> f32 {
    let sum: f64 = values.iter().map(|x| f64::from(*x)).sum();
    (sum / values.len() as f64) as f32
}
