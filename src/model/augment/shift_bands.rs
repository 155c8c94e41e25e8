//! `shift_bands`: an example higher or lower, which is a change of pitch where bands are logarithmic.

use std::sync::Arc;

use super::{Axes, Change, Changes, Entry, Example, Needs};
use crate::schema::{Fields, Int};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "shift_bands",
    doc: "Moves all bands up or down; the outermost band fills what becomes free.",
    needs: Needs::Bands,
    p: 1.0,
    read: |fields, axes| Change::Alone(Arc::new(ShiftBands::read(fields, axes))),
};

#[derive(Debug)]
struct ShiftBands {
    /// The largest shift, in bands, both ways.
    bands: usize,
}

impl ShiftBands {
    fn read(fields: &mut Fields, axes: Option<Axes>) -> Self {
        let bands = fields.required("bands", &Int::within(1..=65_536));
        if let Some(n) = axes.and_then(|axes| axes.bands()).filter(|n| bands >= *n) {
            fields.fault_at("bands", &format!("is {bands}, but an example has only {n} bands"));
        }
        Self { bands }
    }
}

impl Changes for ShiftBands {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        let by = rng.below(2 * self.bands + 1);
        shift(example, by as isize - self.bands as isize);
    }
}

/// Moves every band up by so many bands, or down if the number is negative.
pub(super) fn shift(example: &mut Example, by: isize) {
    let (bands, channels, width) = (example.bands, example.channels, example.width());
    let n = by.unsigned_abs().min(bands - 1);
    if n == 0 {
        return;
    }
    for frame in example.values.chunks_exact_mut(width) {
        if by > 0 {
            frame.copy_within(..width - n * channels, n * channels);
            (1..n).for_each(|band| frame.copy_within(..channels, band * channels));
        } else {
            frame.copy_within(n * channels.., 0);
            let last = width - channels;
            (bands - n..bands - 1).for_each(|band| frame.copy_within(last.., band * channels));
        }
    }
}
