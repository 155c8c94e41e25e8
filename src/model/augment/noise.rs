//! `noise`: independent noise on every number.

use std::sync::Arc;

use super::{Change, Changes, Entry, Example, Needs};
use crate::schema::{Fields, Real};
use crate::vocab::Rng;

pub(super) const ENTRY: Entry = Entry {
    name: "noise",
    doc: "Adds independent Gaussian noise to every number.",
    needs: Needs::Numbers,
    p: 1.0,
    read: |fields, _| Change::Alone(Arc::new(Noise::read(fields))),
};

#[derive(Debug)]
struct Noise {
    /// Standard deviation, in units of the features.
    sd: f64,
}

impl Noise {
    fn read(fields: &mut Fields) -> Self {
        Self { sd: fields.required("sd", &Real::not_negative()) }
    }
}

impl Changes for Noise {
    fn change(&self, example: &mut Example, rng: &mut Rng) {
        for pair in example.values.chunks_mut(2) {
            let (a, b) = normals(rng);
            pair[0] += (self.sd * a) as f32;
            if let Some(second) = pair.get_mut(1) {
                *second += (self.sd * b) as f32;
            }
        }
    }
}

/// Draws two independent standard normal numbers: both that Box and Muller's formula gives, since
/// there are many to draw.
fn normals(rng: &mut Rng) -> (f64, f64) {
    let radius = libm::sqrt(-2.0 * libm::log(1.0 - rng.uniform()));
    let (sin, cos) = libm::sincos(std::f64::consts::TAU * rng.uniform());
    (radius * cos, radius * sin)
}
