//! `time_reversal`: an example backwards.

use super::{Change, Changes, Entry, Example, Needs};
use crate::vocab::Rng;

use std::sync::Arc;

pub(super) const ENTRY: Entry = Entry {
    name: "time_reversal",
    doc: "Reverses the order of the frames.",
    needs: Needs::Frames,
    p: 0.5,
    read: |_, _| Change::Alone(Arc::new(TimeReversal)),
};

#[derive(Debug)]
struct TimeReversal;

impl Changes for TimeReversal {
    fn change(&self, example: &mut Example, _: &mut Rng) {
        let (n, width) = (example.frames, example.width());
        for frame in 0..n / 2 {
            let (head, tail) = example.values.split_at_mut((n - 1 - frame) * width);
            head[frame * width..][..width].swap_with_slice(&mut tail[..width]);
        }
    }
}
