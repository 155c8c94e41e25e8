//! `gain`: an example louder or quieter.

use std::sync::Arc;

use super::{Change, Changes, Entry, Example, Needs};
use crate::schema::{Fields, Real};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "gain",
    doc: "Adds one random number to an example: a change of the level, for features in decibels.",
    needs: Needs::Bands,
    p: 1.0,
    read: |fields, _| Change::Alone(Arc::new(Gain::read(fields))),
};

#[derive(Debug)]
struct Gain {
    /// The largest change, in dB: the units of the features.
    db: f64,
}

impl Gain {
    fn read(fields: &mut Fields) -> Self {
        Self { db: fields.with_default("db", &Real::not_negative(), 6.0) }
    }
}

impl Changes for Gain {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        let add = rng.range(-self.db, self.db) as f32;
        example.values.iter_mut().for_each(|x| *x += add);
    }
}
