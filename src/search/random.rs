//! Random points.

use super::space::{Domain, Point, Setting, Space};
use crate::vocab::Rng;

/// Draws a point. Every parameter takes its numbers from the stream, also one that is not active.
pub(super) fn random(space: &Space, rng: &mut Rng) -> Point {
    let mut settings: Vec<Option<Setting>> =
        space.parameters().iter().map(|it| Some(random_setting(&it.domain, rng))).collect();
    for &number in space.order() {
        if !space.is_active(number, |other| settings[other]) {
            settings[number] = None;
        }
    }
    Point(settings)
}

fn random_setting(domain: &Domain, rng: &mut Rng) -> Setting {
    match domain {
        Domain::Linear { low, high } => Setting::Real(rng.range(*low, *high).clamp(*low, *high)),
        Domain::Log { low, high } => {
            let value = libm::exp(rng.range(libm::log(*low), libm::log(*high)));
            Setting::Real(value.clamp(*low, *high))
        }
        Domain::Int { low, high } => {
            let n = u128::from(low.abs_diff(*high)) + 1;
            let offset = (u128::from(rng.next_u64()) * n) >> 64;
            Setting::Int((i128::from(*low) + offset as i128) as i64)
        }
        Domain::Any(values) => Setting::Choice(rng.below(values.len())),
    }
}
