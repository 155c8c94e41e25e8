//! `time_stretch`: an example faster or slower, at the same pitch.

use std::sync::Arc;

use super::{Change, Changes, Entry, Example, Needs};
use crate::schema::{Fields, List, Real};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "time_stretch",
    doc: "Speeds an example up or slows it down by linear interpolation between frames; its length stays.",
    needs: Needs::Frames,
    p: 1.0,
    read: |fields, _| Change::Alone(Arc::new(TimeStretch::read(fields))),
};

#[derive(Debug)]
struct TimeStretch {
    /// The lowest and highest rate; 2 is twice as fast.
    rate: [f64; 2],
}

impl TimeStretch {
    fn read(fields: &mut Fields) -> Self {
        let rule = List::of_exactly(2, Real::from_to(0.1, 10.0));
        let rate = fields.with_default("rate", &rule, vec![0.8, 1.25]);
        if rate[0] > rate[1] {
            let said = format!("must not fall, found [{}, {}]", rate[0], rate[1]);
            fields.fault_at("rate", &said);
        }
        Self { rate: [rate[0], rate[1]] }
    }
}

impl Changes for TimeStretch {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        let rate = rng.range(self.rate[0], self.rate[1]);
        // A slower example shows only a part of the frames; which one is drawn.
        let unseen = (example.frames - 1) as f64 * (1.0 - rate).max(0.0);
        stretch(example, rng.range(0.0, unseen), rate);
    }
}

/// Replaces frame `t` by what is at `start + rate t`. Behind the last frame, the frames run backwards.
pub(super) fn stretch(example: &mut Example, start: f64, rate: f64) {
    let (width, last) = (example.width(), example.frames - 1);
    if last == 0 {
        return;
    }
    let before = example.values.to_vec();
    for (t, frame) in example.values.chunks_exact_mut(width).enumerate() {
        let turned = (start + rate * t as f64).rem_euclid(2.0 * last as f64);
        let place = turned.min(2.0 * last as f64 - turned);
        let low = (place as usize).min(last - 1);
        let share = (place - low as f64) as f32;
        let (a, b) = (&before[low * width..][..width], &before[(low + 1) * width..][..width]);
        if share == 1.0 {
            frame.copy_from_slice(b);
            continue;
        }
        for ((x, a), b) in frame.iter_mut().zip(a).zip(b) {
            *x = a + share * (b - a);
        }
    }
}
