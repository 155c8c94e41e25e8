//! `eq`: an equalizer with a random curve.

use std::sync::Arc;

use super::{Change, Changes, Entry, Example, Needs};
use crate::schema::{Fields, Int, Real};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "eq",
    doc: "Adds a smooth random curve over the bands, the same to every frame.",
    needs: Needs::Bands,
    p: 1.0,
    read: |fields, _| Change::Alone(Arc::new(Eq::read(fields))),
};

#[derive(Debug)]
struct Eq {
    /// Standard deviation at a knot, in units of the features.
    sd: f64,
    /// Number of knots, the first and the last band included.
    knots: usize,
}

impl Eq {
    fn read(fields: &mut Fields) -> Self {
        Self {
            sd: fields.with_default("sd", &Real::not_negative(), 5.0),
            knots: fields.with_default("knots", &Int::within(2..=1024), 6),
        }
    }
}

impl Changes for Eq {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        let knots: Vec<f64> = (0..self.knots).map(|_| self.sd * rng.normal()).collect();
        add(example, &knots);
    }
}

/// Adds the curve through some knots to every frame.
pub(super) fn add(example: &mut Example, knots: &[f64]) {
    let curve = curve(knots, example.bands);
    let (width, channels) = (example.width(), example.channels);
    for frame in example.values.chunks_exact_mut(width) {
        for (band, add) in frame.chunks_exact_mut(channels).zip(&curve) {
            band.iter_mut().for_each(|x| *x += add);
        }
    }
}

/// Returns a curve through evenly spaced knots, flat in each of them, with half a cosine between two.
fn curve(knots: &[f64], bands: usize) -> Vec<f32> {
    let last = knots.len() - 1;
    let at = |band: usize| {
        let place = band as f64 * last as f64 / (bands - 1).max(1) as f64;
        let low = (place as usize).min(last - 1);
        let share = 0.5 - 0.5 * libm::cos(std::f64::consts::PI * (place - low as f64));
        (knots[low] + share * (knots[low + 1] - knots[low])) as f32
    };
    (0..bands).map(at).collect()
}
