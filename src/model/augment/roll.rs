//! `roll`: an example begins at another frame.

use std::sync::Arc;

use super::{Change, Changes, Entry, Example, Needs};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "roll",
    doc: "Rolls the frames by a uniform number of frames: what leaves at the end comes back at the start.",
    needs: Needs::Frames,
    p: 1.0,
    read: |_, _| Change::Alone(Arc::new(Roll)),
};

#[derive(Debug)]
struct Roll;

impl Changes for Roll {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        let by = rng.below(example.frames);
        roll(example, by);
    }
}

/// Moves every frame later by so many frames, as `numpy.roll` on the first axis.
pub(super) fn roll(example: &mut Example, by: usize) {
    let width = example.width();
    example.values.rotate_right(by * width);
}
